"""Bytes in, format and items out. The format is found by content, never by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from certkit import _der
from certkit.errors import CertkitError, FormatError, LimitError
from certkit.formats.damage import find_damage, refuse, whole
from certkit.formats.der import structure, structure_name
from certkit.formats.items import Contents, Item, SealedKey
from certkit.formats.jks import MAGICS, read_jks
from certkit.formats.limits import MAX_KEY_BYTES
from certkit.formats.pbe import parse_scheme
from certkit.formats.pem import Block, bare_base64, looks_like_armor, pem_blocks
from certkit.formats.pkcs7 import read_pkcs7
from certkit.formats.pkcs12 import read_pkcs12
from certkit.formats.strangers import is_bcfks, stranger

__all__ = ["read_contents"]

_KEYS = {"pkcs8", "pkcs8-encrypted", "pkcs1", "sec1", "dsa"}


def read_contents(data: bytes, password: str | None = None) -> Contents:
    """Return what is in a file of any format certkit knows.

    Parameters
    ----------
    data : bytes
        The whole file.
    password : str, optional
        The password of the keystore. Keys are not opened, whether it is given or not.

    Raises
    ------
    FormatError
        If it is no known format, with what it is instead or what happened to it.
    LimitError
        If it is bigger, deeper or dearer than any real file.
    PasswordError
        If a password is missing or wrong.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> read_contents(CertificateAuthority("Lab Root").certificate.der).format
    'der'
    """
    if data[:4] in MAGICS:
        return _checked(data, lambda: read_jks(data, password))
    # A DER file may hold such a text in a comment; one that ends where it says is taken for DER.
    if looks_like_armor(data) and not whole(data):
        blocks = pem_blocks(data)
        if blocks:
            return _checked(data, lambda: _from_pem(blocks, password))
    if data[:1] == b"\x30":
        return _checked(data, lambda: _from_der(data, password))
    decoded = bare_base64(data)
    if decoded is not None:
        inner = read_contents(decoded, password)
        what = (
            "of a PEM file, as in a Kubernetes secret"
            if inner.encoding == "PEM"
            else "without BEGIN and END lines"
        )
        note = f"The file is base64 {what}: most programs want it decoded first (base64 -d)."
        return replace(inner, encoding="base64", notes=(*inner.notes, note))
    raise refuse(data)


def _checked(data: bytes, read: Callable[[], Contents]) -> Contents:
    try:
        return read()
    except FormatError as error:
        found = refuse(data, error)
        if found is error:
            raise
        raise found from None


def _from_der(data: bytes, password: str | None) -> Contents:
    _check_line_ends(data)
    kind = structure(data) if data[1:2] != b"\x80" else _indefinite(data)
    if kind == "pkcs12":
        return read_pkcs12(data, password)
    if kind == "pkcs7":
        return read_pkcs7(data)
    if kind == "der" and is_bcfks(data):
        raise stranger(data)
    end = _der.read(data).end
    if kind == "certificate" and end < len(data):
        items, remarks = _several(data)
        return Contents("der", "binary", items, notes=remarks)
    item = _der_item(kind, data[:end])
    notes: tuple[str, ...] = ()
    if data[end:].strip(b"\0\r\n\x1a "):
        notes = (f"{len(data) - end:,} bytes after the end of it were not read.",)
    return Contents("der", "binary", (item,), notes=notes)


def _check_line_ends(data: bytes) -> None:
    """Refuse a file with bytes after its end if line ends explain them: inside, they look like a wrong password."""
    if data[1:2] != b"\x80" and _der.read(data).end < len(data):
        found = find_damage(data)
        if found is not None:
            raise found.error


def _indefinite(data: bytes) -> str:
    """Return the kind of a BER file with indefinite length: its first element tells the two apart."""
    first = _der.read(data, 2)
    return "pkcs12" if first.tag == _der.INTEGER else "pkcs7"


def _several(data: bytes) -> tuple[tuple[Item, ...], tuple[str, ...]]:
    items: list[Item] = []
    at = 0
    while at < len(data) and data[at : at + 1] == b"\x30":
        try:
            element = _der.read(data, at)
        except FormatError:
            break
        items.append(_der_item(structure(element.encoded), element.encoded))
        at = element.end
    rest = data[at:].strip(b"\0\r\n\x1a ")
    notes = [f"{len(items)} DER structures stand one after the other: most programs read the first only."]
    if rest:
        notes.append(f"{len(data) - at:,} bytes after them were not read.")
    return tuple(items), tuple(notes[len(items) == 1 :])


def _der_item(kind: str, der: bytes, label: str = "") -> Item:
    if kind in _KEYS:
        return Item("private-key", key=sealed_key(kind, der), label=label)
    if kind in {"certificate", "crl", "certificate-request", "public-key"}:
        return Item(kind, der, label=label)
    return Item("other", der if kind == "rsa-public-key" else b"", label=label or kind)


def sealed_key(kind: str, der: bytes) -> SealedKey:
    """Return a DER private key as it lies in the file, sealed or not; it is not opened."""
    if len(der) > MAX_KEY_BYTES:
        raise LimitError(
            f"a private key of {len(der):,} bytes, and at most {MAX_KEY_BYTES:,} are read",
            hint="no key is that long: give the file that holds the key itself",
            kind="too-large",
        )
    if kind != "pkcs8-encrypted":
        return SealedKey(kind, der, False)
    try:
        words = parse_scheme(_der.read(der).children()[0]).words
    except (FormatError, IndexError, ValueError) as error:
        words = f"not known ({error})"
    return SealedKey(kind, der, True, words)


_STRUCTURE_OF_LABEL = {
    "CERTIFICATE": "certificate",
    "X509 CERTIFICATE": "certificate",
    "TRUSTED CERTIFICATE": "certificate",
    "CERTIFICATE REQUEST": "certificate-request",
    "NEW CERTIFICATE REQUEST": "certificate-request",
    "X509 CRL": "crl",
    "PRIVATE KEY": "pkcs8",
    "ENCRYPTED PRIVATE KEY": "pkcs8-encrypted",
    "RSA PRIVATE KEY": "pkcs1",
    "EC PRIVATE KEY": "sec1",
    "DSA PRIVATE KEY": "dsa",
    "PUBLIC KEY": "public-key",
    "RSA PUBLIC KEY": "rsa-public-key",
    "PKCS7": "pkcs7",
    "CMS": "pkcs7",
    "PKCS12": "pkcs12",
}


def _from_pem(blocks: list[Block], password: str | None) -> Contents:
    items: list[Item] = []
    notes: list[str] = []
    kinds: list[str] = []
    for block in blocks:
        try:
            found, kind = _block_items(block, password, notes)
        except CertkitError as error:
            found, kind = [Item("damaged", label=block.label, error=error)], "pem"
        items += found if block.alias is None else [_named(item, block.alias) for item in found]
        kinds.append(kind)
    if len(blocks) == 1 and items and items[0].error is not None and len(items) == 1:
        raise items[0].error
    # One block that is a whole PKCS#7 or PKCS#12 is that format, written as PEM.
    whole = kinds[0] if len(set(kinds)) == 1 else "pem"
    return Contents(whole, "PEM", tuple(items), notes=tuple(dict.fromkeys(notes)))


def _named(item: Item, alias: str) -> Item:
    return item if item.alias is not None else replace(item, alias=alias)


def _block_items(block: Block, password: str | None, notes: list[str]) -> tuple[list[Item], str]:
    if block.error is not None:
        raise block.error
    if block.label == "OPENSSH PRIVATE KEY":
        encrypted = b"\x00\x00\x00\x04none" not in block.data[:40]
        key = SealedKey("openssh", block.text, encrypted, "OpenSSH's own (bcrypt)" if encrypted else "")
        return [Item("private-key", key=key, label=block.label)], "pem"
    if any(name.lower() == "dek-info" for name, _ in block.headers):
        cipher = next(value for name, value in block.headers if name.lower() == "dek-info").partition(",")[0]
        key = SealedKey("pem-encrypted", block.text, True, f"{cipher} (OpenSSL's old PEM encryption, MD5)")
        return [Item("private-key", key=key, label=block.label)], "pem"
    if block.label in {"EC PARAMETERS", "DH PARAMETERS", "DSA PARAMETERS", "X9.42 DH PARAMETERS"}:
        return [Item("other", label=block.label)], "pem"
    kind = _kind_of(block, notes)
    if kind == "pkcs7":
        return list(read_pkcs7(block.data).items), "pkcs7"
    if kind == "pkcs12":
        inner = read_pkcs12(block.data, password)
        notes += inner.notes
        return list(inner.items), "pkcs12"
    der = block.data
    if kind == "certificate" and block.label == "TRUSTED CERTIFICATE":
        der = _der.read(der).encoded
        return [Item("trusted-certificate", der, label=block.label)], "pem"
    return [_der_item(kind, der, block.label)], "pem"


def _kind_of(block: Block, notes: list[str]) -> str:
    """Return what a block holds, by content; the label is only a claim."""
    claimed = _STRUCTURE_OF_LABEL.get(block.label)
    if block.data[:1] != b"\x30":
        if claimed is not None:
            raise refuse(block.data, where=f"the {block.label} block at line {block.line}")
        return "der"
    if block.data[1:2] == b"\x80":
        return _indefinite(block.data)
    try:
        kind = structure(block.data)
    except FormatError as error:
        raise FormatError(
            f"the bytes in this {block.label} block are cut short or changed: {error.what}",
            on=f"PEM block at line {block.line}",
            hint="copy the block again, whole",
            cause="tampered-or-corrupt",
            kind=error.kind,
        ) from None
    if claimed is None or claimed == kind:
        return kind
    if kind == "der":
        return claimed
    notes.append(
        f"The block at line {block.line} says {block.label} and holds something else: {structure_name(kind)}."
    )
    return kind
