"""PKCS#12 (RFC 7292): what is in it, without ever opening a private key.

A PFX holds safes; a safe lies in the clear or is sealed with the password; a safe holds bags: keys,
certificates, CRLs, more bags. A key bag is sealed once more by itself, so that a listing needs none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from certkit import _der
from certkit.errors import FormatError, LimitError, PasswordError
from certkit.formats.ber import definite
from certkit.formats.items import Contents, Item, SealedKey
from certkit.formats.limits import MAX_KEY_BYTES, Work, check_count, check_depth
from certkit.formats.pbe import parse_scheme
from certkit.formats.pkcs7 import DATA, ENCRYPTED_DATA
from certkit.formats.pkcs12_links import Bag, link
from certkit.formats.pkcs12_mac import Mac, parse_mac

__all__ = ["BAGS", "FRIENDLY_NAME", "LOCAL_KEY_ID", "TRUSTED_KEY_USAGE", "X509_CERTIFICATE", "read_pkcs12"]

_BAG = "1.2.840.113549.1.12.10.1."
BAGS = {
    f"{_BAG}1": "key",
    f"{_BAG}2": "shrouded-key",
    f"{_BAG}3": "certificate",
    f"{_BAG}4": "crl",
    f"{_BAG}5": "secret",
    f"{_BAG}6": "safe-contents",
}
FRIENDLY_NAME = "1.2.840.113549.1.9.20"
LOCAL_KEY_ID = "1.2.840.113549.1.9.21"
X509_CERTIFICATE = "1.2.840.113549.1.9.22.1"
X509_CRL = "1.2.840.113549.1.9.23.1"
TRUSTED_KEY_USAGE = "2.16.840.1.113894.746875.1.1"
"""Oracle's attribute: with it, Java takes a certificate for a trust anchor; without it, Java ignores it."""

_CUT = "the PKCS#12 file is cut short or changed"


@dataclass(slots=True)
class _Reading:
    """What one reading has learned so far."""

    password: str | None
    known: bool
    work: Work
    ber: bool
    protection: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    bags: int = 0

    def element(self, data: bytes) -> _der.Element:
        """Return the first element, its lengths made definite if this file is BER, as NSS writes it."""
        return _der.read(definite(data) if self.ber else data)


def read_pkcs12(data: bytes, password: str | None = None) -> Contents:
    """Return the entries of a PKCS#12 file; private keys stay sealed.

    Parameters
    ----------
    data : bytes
        DER or BER, from the first byte.
    password : str, optional
        The file's password. Without it the empty password is tried, and what lies in the clear is
        listed; a sealed safe then needs one.

    Raises
    ------
    FormatError
        If it is no PKCS#12, or is cut short or changed.
    LimitError
        If it asks for more rounds of key derivation, entries or depth than any real file.
    PasswordError
        If the password is missing or wrong.
    """
    try:
        return _read_any(data, password)
    except (ValueError, IndexError) as error:
        if isinstance(error, FormatError | LimitError | PasswordError):
            raise
        raise FormatError(
            _CUT, hint="copy it again, in binary mode", cause="tampered-or-corrupt", kind="malformed"
        ) from None
    except FormatError as error:
        if error.cause is not None or isinstance(error, LimitError):
            raise
        raise FormatError(
            f"{_CUT}: {error.what}",
            on=error.on,
            hint=error.hint or "copy it again, in binary mode",
            cause="tampered-or-corrupt",
            kind=error.kind,
        ) from None


def _read_any(data: bytes, password: str | None) -> Contents:
    work = Work()
    try:
        return _read(data, _Reading(password, password is not None, work, ber=False))
    except FormatError as error:
        if error.kind != "bad-length":
            raise
    return _read(data, _Reading(password, password is not None, work, ber=True))


def _read(data: bytes, reading: _Reading) -> Contents:
    given = reading.known
    parts = reading.element(data).children()
    if _der.integer(parts[0]) != 3:
        raise FormatError(
            f"PKCS#12 has version 3, and this file says {_der.integer(parts[0])}",
            cause="tampered-or-corrupt",
            kind="bad-version",
        )
    content = _data_content(parts[1])
    mac = parse_mac(parts[2]) if len(parts) > 2 else None
    integrity = _check_mac(reading, mac, content)
    bags = list(_safes(reading, content))
    if integrity == "mismatch":
        _refuse_mismatch(reading, bags)
    words = [*dict.fromkeys(reading.protection), f"MAC: {mac.words}" if mac else "no MAC"]
    items = _entries(bags, reading.notes)
    _note(reading, mac, items)
    return Contents(
        "pkcs12",
        "binary",
        tuple(items),
        "; ".join(words),
        integrity,
        tuple(reading.notes),
        empty_password=not given and reading.known,
    )


def _data_content(info: _der.Element) -> bytes:
    """Return the octets of a ContentInfo of type data, in pieces or whole."""
    kind, *content = info.children()
    oid = _der.oid_text(kind.content)
    if oid != DATA or not content:
        raise FormatError(
            f"this PKCS#12 file is sealed with a certificate (content type {oid}), not with a password",
            hint="only the owner of that certificate's key can open it",
            cause="wrong-file-format",
            kind="unsupported-algorithm",
        )
    return _octets(content[0].children()[0])


def _octets(element: _der.Element) -> bytes:
    if element.constructed:
        return b"".join(part.content for part in _der.read(definite(element.encoded)).children())
    return element.content


def _check_mac(reading: _Reading, mac: Mac | None, content: bytes) -> str:
    """Return the integrity; with an unknown password, find out whether it is the empty one."""
    if mac is None:
        return "none"
    if reading.password:
        return "verified" if mac.matches(reading.password, content, reading.work) else "mismatch"
    # "No password" is written in two ways: no bytes at all, or the two zero bytes of an empty string.
    for candidate in ("", None):
        if mac.matches(candidate, content, reading.work):
            reading.password = candidate
            if not reading.known:
                reading.known = True
                reading.notes.append("It opens with the empty password: whoever has the file has it all.")
            return "verified"
    return "mismatch" if reading.known else "not checked"


def _refuse_mismatch(reading: _Reading, bags: list[Bag]) -> None:
    if reading.protection and any(bag.kind == "certificate" for bag in bags):
        # The password opened a sealed safe, so it is right, and the file is not.
        raise FormatError(
            "this PKCS#12 file was changed after it was made: the password opens it and its MAC does not match",
            hint="fetch the file again from where it was made",
            cause="tampered-or-corrupt",
            kind="tampered",
        )
    raise PasswordError(
        "wrong password: the MAC of this PKCS#12 file does not match",
        hint="try the password again; if it is surely right, the file was changed",
        cause="wrong-password",
        kind="wrong-password",
    )


def _safes(reading: _Reading, content: bytes) -> Iterator[Bag]:
    for info in reading.element(content).children():
        kind, *rest = info.children()
        oid = _der.oid_text(kind.content)
        if oid == DATA:
            yield from _bags(reading, _octets(rest[0].children()[0]), 0)
        elif oid == ENCRYPTED_DATA:
            yield from _bags(reading, _unsealed(reading, rest[0].children()[0]), 0)
        else:
            reading.notes.append("A part of this file is sealed with a certificate and was not read.")


def _unsealed(reading: _Reading, encrypted: _der.Element) -> bytes:
    _, info = encrypted.children()[:2]
    _, algorithm, *sealed = info.children()
    scheme = parse_scheme(algorithm)
    reading.protection.append(f"certificates: {scheme.words}")
    data = _octets(sealed[0])
    if not reading.known:
        raise PasswordError(
            "this PKCS#12 file is sealed: its entries cannot be listed without the password",
            hint="give its password",
            cause="wrong-password",
            kind="password-needed",
        )
    plain = scheme.decrypt(reading.password, data, reading.work)
    if plain[:1] != b"\x30":
        raise PasswordError(
            "wrong password, or the file was changed: what comes out is no PKCS#12 safe",
            hint="try the password again",
            cause="wrong-password",
            kind="wrong-password",
        )
    return plain


def _bags(reading: _Reading, content: bytes, depth: int) -> Iterator[Bag]:
    check_depth(depth)
    for element in reading.element(content).children():
        reading.bags += 1
        check_count(reading.bags)
        kind, value, *rest = element.children()
        name = BAGS.get(_der.oid_text(kind.content), "other")
        inner = value.children()[0]
        if name == "safe-contents":
            yield from _bags(reading, inner.encoded, depth + 1)
            continue
        attributes = tuple(_attributes(rest[0])) if rest else ()
        yield Bag(
            name,
            _bag_data(name, inner),
            _friendly_name(attributes),
            _first_octets(attributes, LOCAL_KEY_ID),
            attributes,
        )


def _bag_data(kind: str, inner: _der.Element) -> bytes:
    if kind not in {"certificate", "crl"}:
        return inner.encoded
    oid, value = inner.children()
    if _der.oid_text(oid.content) not in {X509_CERTIFICATE, X509_CRL}:
        return b""
    return _octets(value.children()[0])


def _attributes(element: _der.Element) -> Iterator[tuple[str, bytes]]:
    for attribute in element.children():
        oid, values = attribute.children()
        yield _der.oid_text(oid.content), values.content


def _first_octets(attributes: tuple[tuple[str, bytes], ...], oid: str) -> bytes | None:
    for found, values in attributes:
        if found == oid and values:
            return _der.read(values).content
    return None


def _friendly_name(attributes: tuple[tuple[str, bytes], ...]) -> str | None:
    found = _first_octets(attributes, FRIENDLY_NAME)
    return None if found is None else found.decode("utf-16-be", "replace")


def _entries(bags: list[Bag], notes: list[str]) -> list[Item]:
    chains, claimed = link(bags, notes)
    items: list[Item] = []
    for bag in bags:
        if bag.kind in {"key", "shrouded-key"}:
            items.append(_key_item(bag, chains[id(bag)]))
        elif bag.kind == "certificate":
            # Java lists a marked certificate even where it also stands in a key's chain.
            if id(bag) not in claimed or _is_trusted(bag):
                items.append(_certificate_item(bag))
        else:
            kind = {"crl": "crl", "secret": "secret-key"}.get(bag.kind, "other")
            data = bag.data if kind == "crl" else b""
            items.append(Item(kind, data, bag.name, attributes=bag.attributes))
    return items


def _certificate_item(bag: Bag) -> Item:
    if not bag.data:
        return Item(
            "other", b"", bag.name, attributes=bag.attributes, label="a certificate that is not X.509"
        )
    kind = "trusted-certificate" if _is_trusted(bag) else "certificate"
    return Item(kind, bag.data, bag.name, attributes=bag.attributes)


def _is_trusted(bag: Bag) -> bool:
    return any(oid == TRUSTED_KEY_USAGE for oid, _ in bag.attributes)


def _created(key_id: bytes | None) -> int | None:
    """Return the date that Java hides in the localKeyId of a key; None if there is none."""
    if key_id is None or not key_id.startswith(b"Time ") or not key_id[5:].isdigit() or len(key_id) > 20:
        return None
    return int(key_id[5:])


def _key_item(bag: Bag, chain: list[Bag]) -> Item:
    if len(bag.data) > MAX_KEY_BYTES:
        raise LimitError(
            f"a private key of {len(bag.data):,} bytes, and at most {MAX_KEY_BYTES:,} are read",
            hint="no key is that long: the file is damaged, or no keystore",
            kind="too-large",
        )
    name = bag.name if bag.name is not None or not chain else chain[0].name
    if bag.kind == "key":
        sealed = SealedKey("pkcs8", bag.data, False)
    else:
        try:
            words = parse_scheme(_der.read(bag.data).children()[0]).words
        except FormatError as error:
            words = f"not known ({error.what})"
        sealed = SealedKey("pkcs8-encrypted", bag.data, True, words)
    ders = tuple(certificate.data for certificate in chain)
    return Item("private-key", b"", name, ders, sealed, _created(bag.key_id), bag.attributes)


def _note(reading: _Reading, mac: Mac | None, items: list[Item]) -> None:
    if mac is None:
        reading.notes.append("This PKCS#12 file has no MAC: nothing tells whether it was changed.")
    elif not reading.known:
        reading.notes.append(
            "No password was given: what lies in the clear is listed, but that nothing was changed is not checked."
        )
    kinds = {item.kind for item in items}
    if "certificate" in kinds and not kinds & {"trusted-certificate", "private-key"}:
        reading.notes.append(
            "No certificate is marked as trusted (Java's trustedKeyUsage attribute): as a truststore, Java "
            "finds this file empty."
        )
