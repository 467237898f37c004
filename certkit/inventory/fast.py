"""The fields of the usual certificate, read straight from its DER: about ten times faster than through objects.

The rule: whatever is not known to the byte here is `Unusual`, and goes to cryptography by way of
`careful_fields`. Unknown algorithms and name types, odd strings, long values, malformed anything. cryptography
also has the last word on whether the bytes are a certificate at all. The two agree on every certificate; a
property test holds them to it.
"""

from __future__ import annotations

import hashlib
from datetime import date

from cryptography import x509

from certkit._der import SEQUENCE, encode, encode_oid
from certkit.extensions import EKU_NAMES
from certkit.inventory._curves import on_curve

__all__ = ["Unusual", "usual_fields"]

UsualFields = tuple[
    str, str, str, int, int, tuple[str, ...], str, int | None, str, str, str, str, str, bool, bool, tuple[str, ...], int, bool
]  # fmt: skip
"""The members of `certkit.inventory.fields.Fields`, in order."""


class Unusual(Exception):  # noqa: N818 - not an error: a certificate for the careful reader
    """Raised, and caught one floor up, for everything that is left to cryptography."""


_EPOCH = date(1970, 1, 1).toordinal()
_MOST_CACHED = 50_000
_days: dict[bytes, int] = {}
_names: dict[bytes, str] = {}
_parts: dict[bytes, str] = {}
_usages: dict[bytes, tuple[str, ...]] = {}
_issuer_keys: dict[bytes, str] = {}

# RFC 4514, section 3, and cryptography's choice of short names; the others show as numbers, and here only those
# that are usual in certificates of companies.
_ATTRIBUTES = {
    encode_oid(oid): name
    for oid, name in {
        "2.5.4.3": "CN", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.9": "STREET", "2.5.4.10": "O",
        "2.5.4.11": "OU", "0.9.2342.19200300.100.1.25": "DC", "0.9.2342.19200300.100.1.1": "UID",
    }.items()
} | {
    encode_oid(oid): oid
    for oid in ("2.5.4.5", "2.5.4.15", "2.5.4.17", "2.5.4.97", "1.2.840.113549.1.9.1", "1.3.6.1.4.1.311.60.2.1.3")
}  # fmt: skip
_COUNTRIES = frozenset({"C", "1.3.6.1.4.1.311.60.2.1.3"})
_ESCAPED = str.maketrans({character: f"\\{character}" for character in '\\,+"<>;'})
_PLAIN_STRINGS = frozenset({0x0C, 0x13, 0x16})  # UTF8String, PrintableString, IA5String
_NULL = b"\x05\x00"
_SIGNATURES = {
    encode(SEQUENCE, encode_oid(oid) + parameters): name
    for oid, parameters, name in (
        ("1.2.840.113549.1.1.5", _NULL, "sha1WithRSAEncryption"),
        ("1.2.840.113549.1.1.11", _NULL, "sha256WithRSAEncryption"),
        ("1.2.840.113549.1.1.12", _NULL, "sha384WithRSAEncryption"),
        ("1.2.840.113549.1.1.13", _NULL, "sha512WithRSAEncryption"),
        ("1.2.840.10045.4.3.2", b"", "ecdsa-with-SHA256"),
        ("1.2.840.10045.4.3.3", b"", "ecdsa-with-SHA384"),
        ("1.2.840.10045.4.3.4", b"", "ecdsa-with-SHA512"),
        ("1.3.101.112", b"", "ed25519"),
    )
}
_RSA = encode_oid("1.2.840.113549.1.1.1") + _NULL
_ED25519 = encode_oid("1.3.101.112")
_EC = {
    encode_oid("1.2.840.10045.2.1") + encode_oid(curve): bits
    for curve, bits in (("1.2.840.10045.3.1.7", 256), ("1.3.132.0.34", 384), ("1.3.132.0.35", 521))
}
_P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
_RSA_2048 = bytes.fromhex("30820122300d06092a864886f70d01010105000382010f003082010a0282010100")
_EXPONENT = b"\x02\x03\x01\x00\x01"  # 65537
_SAN, _BASIC, _EKU, _SKI, _AKI = (b"\x55\x1d" + bytes([last]) for last in (17, 19, 37, 14, 35))
_EKU_NAMES = {encode_oid(oid): name for oid, name in EKU_NAMES.items()}
_CRITICAL = b"\x01\x01\xff"
_WANTED = frozenset({_SAN, _BASIC, _EKU, _SKI, _AKI})


def _span(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Return where the content of the element at `at` begins and ends; only the shortest length form is taken."""
    length = data[at + 1]
    at += 2
    if length >= 0x80:
        if length == 0x81:
            length = data[at]
            at += 1
            if length < 0x80:
                raise Unusual
        elif length == 0x82:
            length = data[at] << 8 | data[at + 1]
            at += 2
            if length < 0x100:
                raise Unusual
        else:
            raise Unusual
    if at + length > end:
        raise Unusual
    return at, at + length


def usual_fields(der: bytes) -> UsualFields:
    """Return the fields of a certificate of the usual kind.

    Raises
    ------
    Unusual
        If anything about it is not known here, or it is no certificate.
    """
    try:
        fields = _fields(der)
        # The parts that no row shows must be in order too, or the careful reader would refuse it.
        x509.load_der_x509_certificate(der)
    except (IndexError, ValueError, UnicodeDecodeError):
        raise Unusual from None
    return fields


def _fields(der: bytes) -> UsualFields:
    if der[0] != 0x30:
        raise Unusual
    body, end = _span(der, 0, len(der))
    if end != len(der) or der[body] != 0x30:
        raise Unusual
    at, tbs_end = _span(der, body, end)
    if der[at : at + 5] != b"\xa0\x03\x02\x01\x02":  # version 3; the others are rare
        raise Unusual
    at += 5
    if der[at] != 0x02:
        raise Unusual
    start, at = _span(der, at, tbs_end)
    serial = der[start:at].hex().lstrip("0")
    if der[start] >= 0x80 or not serial or at - start > 20:
        raise Unusual
    at = _span(der, at, tbs_end)[1]  # the signature algorithm, once more
    issuer_start = at
    if der[at] != 0x30:
        raise Unusual
    at = _span(der, at, tbs_end)[1]
    issuer = der[issuer_start:at]
    if der[at] != 0x30:
        raise Unusual
    start, validity_end = _span(der, at, tbs_end)
    not_before, start = _moment(der, start, validity_end)
    not_after, start = _moment(der, start, validity_end)
    if start != validity_end or der[validity_end] != 0x30:
        raise Unusual
    at = _span(der, validity_end, tbs_end)[1]
    subject = der[validity_end:at]
    spki_start = at
    at = _span(der, at, tbs_end)[1]
    spki = der[spki_start:at]
    key, bits = _key(spki)
    sans, ski, aki, is_ca, usages = _extensions(der, at, tbs_end)
    return (
        _names.get(subject) or _name(subject),
        _names.get(issuer) or _name(issuer),
        serial,
        not_before,
        not_after,
        sans,
        key,
        bits,
        _signature(der, tbs_end),
        hashlib.sha256(der).hexdigest(),
        hashlib.sha256(spki).hexdigest(),
        ski,
        aki,
        is_ca,
        subject == issuer,
        usages,
        3,
        False,
    )


def _signature(der: bytes, at: int) -> str:
    name = _SIGNATURES.get(der[at : at + 2 + der[at + 1]])
    if name is None:
        raise Unusual
    return name


def _moment(der: bytes, at: int, end: int) -> tuple[int, int]:
    """Return a time as seconds since 1970, and where it ends (RFC 5280, 4.1.2.5)."""
    start, stop = _span(der, at, end)
    if der[at] == 0x17 and stop - start == 13:
        day = der[start : start + 6]
    elif der[at] == 0x18 and stop - start == 15:
        day = der[start : start + 8]
    else:
        raise Unusual
    clock = der[stop - 7 : stop]
    if clock[6] != 0x5A or not clock[:6].isdigit():
        raise Unusual
    hour, minute, second = int(clock[:2]), int(clock[2:4]), int(clock[4:6])
    if hour > 23 or minute > 59 or second > 59:
        raise Unusual
    days = _days.get(day)
    if days is None:
        days = _days[day] = _day(day)
    return days * 86_400 + hour * 3600 + minute * 60 + second, stop


def _day(digits: bytes) -> int:
    if not digits.isdigit() or len(_days) > _MOST_CACHED:
        raise Unusual
    year = int(digits[:-4])
    if len(digits) == 6:
        year += 2000 if year < 50 else 1900
    return date(year, int(digits[-4:-2]), int(digits[-2:])).toordinal() - _EPOCH


def _name(der: bytes) -> str:
    """Return a Name as RFC 4514 text: the last part first."""
    found = []
    at, end = _span(der, 0, len(der))
    while at < end:
        stop = _span(der, at, end)[1]
        part = der[at:stop]
        found.append(_parts.get(part) or _part(part))
        at = stop
    text = ",".join(reversed(found))
    if len(text) > 1000:
        raise Unusual
    if len(_names) > _MOST_CACHED:
        _names.clear()
    _names[der] = text
    return text


def _part(der: bytes) -> str:
    """Return one part of a name, e.g. ``CN=shop``: one attribute of a known type in plain ASCII."""
    start, end = _span(der, 0, len(der))
    if der[0] != 0x31 or der[start] != 0x30:
        raise Unusual
    at, stop = _span(der, start, end)
    value_at = _span(der, at, stop)[1]
    attribute = _ATTRIBUTES.get(der[at:value_at])
    begin, close = _span(der, value_at, stop)
    if stop != end or close != stop or attribute is None or der[value_at] not in _PLAIN_STRINGS:
        raise Unusual
    value = der[begin:close].decode("utf-8" if der[value_at] == 0x0C else "ascii")
    # A space or # at an end is escaped in ways of its own, and hidden characters become visible ones: not here.
    plain = value.isprintable() and value.strip() == value and not value.startswith("#")
    if not plain or not 0 < len(value) <= 64 or (attribute in _COUNTRIES and len(value) != 2):
        raise Unusual
    if len(_parts) > _MOST_CACHED:
        _parts.clear()
    text = _parts[der] = f"{attribute}={value.translate(_ESCAPED)}"
    return text


def _key(spki: bytes) -> tuple[str, int | None]:
    # The two commonest kinds have one fixed form each; whatever differs takes the longer way.
    if spki.startswith(_P256) and len(spki) == len(_P256) + 64:
        if not on_curve(256, spki[len(_P256) :]):
            raise Unusual
        return "EC", 256
    if spki.startswith(_RSA_2048) and len(spki) == len(_RSA_2048) + 261 and spki.endswith(_EXPONENT):
        if spki[33] < 0x80 or not spki[288] & 1:
            raise Unusual
        return "RSA", 2048
    at, end = _span(spki, 0, len(spki))
    if spki[0] != 0x30 or spki[at] != 0x30:
        raise Unusual
    start, at = _span(spki, at, end)
    algorithm = spki[start:at]
    start, stop = _span(spki, at, end)
    if spki[at] != 0x03 or stop != end or spki[start] != 0:
        raise Unusual
    start += 1
    if algorithm == _RSA:
        return "RSA", _rsa_bits(spki, start, stop)
    curve = _EC.get(algorithm)
    if curve is not None:
        if spki[start] != 0x04 or not on_curve(curve, spki[start + 1 : stop]):
            raise Unusual
        return "EC", curve
    if algorithm == _ED25519 and stop - start == 32:
        return "Ed25519", 256
    raise Unusual


def _rsa_bits(spki: bytes, at: int, end: int) -> int:
    """Return the size of an RSA modulus (RFC 8017, A.1.1); only keys that every library loads."""
    if spki[at] != 0x30:
        raise Unusual
    at, stop = _span(spki, at, end)
    start, after = _span(spki, at, stop)
    modulus = spki[start:after]
    if spki[at] != 0x02 or stop != end or modulus[0] >= 0x80 or not modulus[-1] & 1:
        raise Unusual
    if modulus[0] == 0:
        modulus = modulus[1:]
        if modulus[0] < 0x80:
            raise Unusual
    if spki[after:stop] != _EXPONENT:
        raise Unusual
    bits = len(modulus) * 8 - 8 + modulus[0].bit_length()
    if not 1024 <= bits <= 8192:
        raise Unusual
    return bits


def _extensions(der: bytes, at: int, end: int) -> tuple[tuple[str, ...], str, str, bool, tuple[str, ...]]:
    sans: tuple[str, ...] = ()
    usages: tuple[str, ...] = ()
    ski = aki = ""
    is_ca = False
    if at == end:
        return sans, ski, aki, is_ca, usages
    if der[at] != 0xA3:
        raise Unusual
    at, stop = _span(der, at, end)
    if stop != end or der[at] != 0x30:
        raise Unusual
    at, stop = _span(der, at, end)
    if stop != end:
        raise Unusual
    seen = set()
    while at < end:
        # Written out for speed: most of these elements are shorter than 128 bytes.
        length = der[at + 1]
        if der[at] != 0x30:
            raise Unusual
        if length < 0x80:
            at += 2
            stop = at + length
            if stop > end:
                raise Unusual
        else:
            at, stop = _span(der, at, end)
        oid_end = at + 2 + der[at + 1]
        oid = der[at + 2 : oid_end]
        if der[at] != 0x06 or oid_end > stop or oid in seen:
            raise Unusual
        seen.add(oid)
        if oid in _WANTED:
            at = oid_end + 3 if der[oid_end : oid_end + 3] == _CRITICAL else oid_end
            start, value_end = _span(der, at, stop)
            if der[at] != 0x04 or value_end != stop:
                raise Unusual
            value = der[start:stop]
            if oid == _SAN:
                sans = _alternative_names(value)
            elif oid == _BASIC:
                is_ca = _is_ca(value)
            elif oid == _EKU:
                usages = _usages.get(value) or _usage_names(value)
            elif oid == _SKI:
                ski = _identifier(value)
            else:
                aki = _issuer_keys.get(value) or _issuer_key(value)
        at = stop
    return sans, ski, aki, is_ca, usages


def _identifier(value: bytes) -> str:
    if value[0] != 0x04 or value[1] != len(value) - 2 or value[1] >= 0x80:
        raise Unusual
    return value[2:].hex()


def _issuer_key(value: bytes) -> str:
    """Return the key identifier of an authority key identifier that holds nothing else."""
    length = len(value)
    if length < 5 or length >= 0x80 or value[:3] != bytes((0x30, length - 2, 0x80)) or value[3] != length - 4:
        raise Unusual
    if len(_issuer_keys) > _MOST_CACHED:
        _issuer_keys.clear()
    text = _issuer_keys[value] = value[4:].hex()
    return text


def _is_ca(value: bytes) -> bool:
    if value == b"\x30\x00":
        return False
    if value == b"\x30\x03\x01\x01\xff":
        return True
    # A path length of one byte, as nearly all are.
    if len(value) == 8 and value.startswith(b"\x30\x06\x01\x01\xff\x02\x01") and value[7] < 0x80:
        return True
    raise Unusual


def _usage_names(value: bytes) -> tuple[str, ...]:
    at, end = _span(value, 0, len(value))
    if value[0] != 0x30 or end != len(value) or at == end:
        raise Unusual
    found = []
    while at < end:
        stop = _span(value, at, end)[1]
        name = _EKU_NAMES.get(value[at:stop])
        if name is None:
            raise Unusual
        found.append(name)
        at = stop
    if len(_usages) > 1000:
        _usages.clear()
    names = _usages[value] = tuple(found)
    return names


def _alternative_names(value: bytes) -> tuple[str, ...]:
    at, end = _span(value, 0, len(value))
    if value[0] != 0x30 or end != len(value):
        raise Unusual
    found = []
    while at < end:
        tag, length = value[at], value[at + 1]
        at += 2
        stop = at + length
        if length >= 0x80 or stop > end:
            raise Unusual
        if tag == 0x82:
            text = value[at:stop].decode("ascii")
            if not text.isprintable():
                raise Unusual
            found.append("DNS:" + text)
        elif tag == 0x87 and length == 4:
            found.append(f"IP:{value[at]}.{value[at + 1]}.{value[at + 2]}.{value[at + 3]}")
        else:
            raise Unusual
        at = stop
    if not found:
        raise Unusual
    return tuple(found)
