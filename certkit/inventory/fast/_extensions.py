"""The extensions that a row shows: read once for all the certificates in which the same bytes stand."""

from __future__ import annotations

from typing import Any, NamedTuple

from certkit._der import encode_oid
from certkit.extensions import EKU_NAMES
from certkit.inventory.fast._elements import Unusual, span

__all__ = ["extension_fields"]

_SAN, _BASIC, _EKU, _SKI, _AKI = (b"\x55\x1d" + bytes([last]) for last in (17, 19, 37, 14, 35))
_OWN = frozenset({_SAN, _SKI})
_EKU_NAMES = {encode_oid(oid): name for oid, name in EKU_NAMES.items()}
_CRITICAL = b"\x01\x01\xff"
# A key identifier of 20 bytes, as nearly all are, in its extension.
_SKI_START = bytes.fromhex("301d0603551d0e04160414")
_SKI_LENGTH = len(_SKI_START) + 20
_SAN_START = b"\x06\x03\x55\x1d\x11\x04"
_MOST_RUNS = 5000
_MOST_OIDS = 500


class _Run(NamedTuple):
    """Extensions one after the other, as the same CA writes them into many certificates.

    Attributes
    ----------
    oids : int
        Which they are, one bit each; so two of a kind are seen.
    aki : str
        The authority key identifier.
    is_ca : bool
        What basicConstraints says.
    usages : tuple of str
        The extended key usages.
    """

    oids: int
    aki: str = ""
    is_ca: bool = False
    usages: tuple[str, ...] = ()


_bits: dict[bytes, int] = {}
_addresses: dict[bytes, str] = {}
_runs: dict[bytes, _Run] = {b"": _Run(0)}


def extension_fields(
    der: bytes, at: int, end: int
) -> tuple[tuple[str, ...], str, str, bool, tuple[str, ...]]:
    """Return alternative names, subject and authority key identifier, CA or not, and extended key usages.

    Parameters
    ----------
    der : bytes
        A certificate.
    at, end : int
        Where its extensions begin, with their outer tag, and where its body ends.
    """
    if at == end:
        return (), "", "", False, ()
    if der[at] != 0xA3:
        raise Unusual
    at, stop = span(der, at, end)
    if stop != end or der[at] != 0x30:
        raise Unusual
    at, stop = span(der, at, end)
    if stop != end:
        raise Unusual
    # Two of them are a certificate's own: the key identifier, and the names. What stands before, between and after
    # these is the same in all certificates of one CA. Bytes that only look like the start of one are found out,
    # because the extensions before it do not end there.
    ski = ""
    sans: tuple[str, ...] = ()
    names = der.find(_SAN_START, at, end)
    first = der.find(_SKI_START, at, end)
    if first < 0:
        first = after_first = end
    else:
        after_first = first + _SKI_LENGTH
        ski = der[first + len(_SKI_START) : after_first].hex()
    if names < 0:
        second = after_second = end
    else:
        second = names - (2 if der[names - 2] == 0x30 else 3 if der[names - 3] == 0x30 else 4)
        after_second = span(der, second, end)[1]
        sans = _alternative_names(der, names + 5, after_second)
    if second < first:
        first, after_first, second, after_second = second, after_second, first, after_first
    if not after_first <= second <= after_second <= end:
        raise Unusual
    before, between, after = der[at:first], der[after_first:second], der[after_second:end]
    one = _runs.get(before) or _read_run(before)
    two = _runs.get(between) or _read_run(between)
    three = _runs.get(after) or _read_run(after)
    if one.oids & two.oids or (one.oids | two.oids) & three.oids:
        raise Unusual
    return (
        sans,
        ski,
        one.aki or two.aki or three.aki,
        one.is_ca or two.is_ca or three.is_ca,
        one.usages or two.usages or three.usages,
    )


def _read_run(data: bytes) -> _Run:
    """Return what some extensions say, and remember it."""
    at, end = 0, len(data)
    oids = 0
    said: dict[str, Any] = {}
    while at < end:
        start, stop = span(data, at, end)
        oid_end = start + 2 + data[start + 1]
        oid = data[start + 2 : oid_end]
        if data[at] != 0x30 or data[start] != 0x06 or oid_end > stop or oid in _OWN or oids & _bit(oid):
            raise Unusual
        oids |= _bit(oid)
        if oid in _READERS:
            name, reader = _READERS[oid]
            value_at = oid_end + 3 if data[oid_end : oid_end + 3] == _CRITICAL else oid_end
            value, value_end = span(data, value_at, stop)
            if data[value_at] != 0x04 or value_end != stop:
                raise Unusual
            said[name] = reader(data[value:stop])
        at = stop
    if len(_runs) > _MOST_RUNS:
        _runs.clear()
    run = _runs[data] = _Run(oids, **said)
    return run


def _bit(oid: bytes) -> int:
    """Return the bit that stands for a kind of extension, wherever it is met."""
    if len(_bits) > _MOST_OIDS:
        raise Unusual
    return _bits.setdefault(oid, 1 << len(_bits))


def _issuer_key(value: bytes) -> str:
    """Return the key identifier of an authority key identifier that holds nothing else."""
    length = len(value)
    if length < 5 or length >= 0x80 or value[:3] != bytes((0x30, length - 2, 0x80)) or value[3] != length - 4:
        raise Unusual
    return value[4:].hex()


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
    at, end = span(value, 0, len(value))
    if value[0] != 0x30 or end != len(value) or at == end:
        raise Unusual
    found = []
    while at < end:
        stop = span(value, at, end)[1]
        name = _EKU_NAMES.get(value[at:stop])
        if name is None:
            raise Unusual
        found.append(name)
        at = stop
    return tuple(found)


_READERS = {_BASIC: ("is_ca", _is_ca), _EKU: ("usages", _usage_names), _AKI: ("aki", _issuer_key)}


def _alternative_names(der: bytes, at: int, end: int) -> tuple[str, ...]:
    """Return the names in an octet string that ends at `end`: host names and IPv4 addresses."""
    at, stop = span(der, at, end)
    if stop != end or der[at] != 0x30:
        raise Unusual
    at, stop = span(der, at, end)
    if stop != end or at == end:
        raise Unusual
    value = der[at:end]
    text = value.decode("latin-1")
    found = []
    at, end = 0, len(value)
    while at < end:
        tag, length = value[at], value[at + 1]
        at += 2
        stop = at + length
        if tag == 0x82 and length < 0x80:
            found.append("DNS:" + text[at:stop])
        elif tag == 0x87 and length == 4:
            address = value[at:stop]
            found.append(_addresses.get(address) or _address(address))
        else:
            raise Unusual
        at = stop
    everything = "".join(found)
    if at != end or not (everything.isascii() and everything.isprintable()):
        raise Unusual
    return tuple(found)


def _address(octets: bytes) -> str:
    if len(_addresses) > _MOST_RUNS:
        _addresses.clear()
    text = _addresses[octets] = "IP:" + ".".join(map(str, octets))
    return text
