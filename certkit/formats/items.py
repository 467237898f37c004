"""What a format yields: items as they stand in the file. Nothing is decrypted or parsed further here."""

from __future__ import annotations

from dataclasses import dataclass, field

from certkit.errors import CertkitError

__all__ = ["FORMAT_NAMES", "Contents", "Item", "SealedKey"]

FORMAT_NAMES = {
    "pem": "PEM",
    "der": "DER",
    "pkcs7": "PKCS#7",
    "pkcs12": "PKCS#12",
    "jks": "JKS",
    "jceks": "JCEKS",
}
"""The formats that are read, and how the field writes them."""


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A private key as the file holds it: nobody has opened it, and listing never does.

    Attributes
    ----------
    scheme : str
        How it is held: ``"pkcs8"``, ``"pkcs8-encrypted"``, ``"pkcs1"``, ``"sec1"``, ``"dsa"``,
        ``"pem-encrypted"``, ``"openssh"``, ``"jks"`` or ``"jceks"``.
    data : bytes
        The bytes; never shown.
    encrypted : bool
        Whether a password is needed to open it.
    protection : str
        The cipher in words, e.g. ``"AES-256, PBKDF2 10,000 rounds"``; empty if it lies in the clear.
    """

    scheme: str
    data: bytes = field(repr=False)
    encrypted: bool
    protection: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in a file.

    Attributes
    ----------
    kind : str
        ``"private-key"``, ``"trusted-certificate"``, ``"certificate"``, ``"secret-key"``, ``"crl"``,
        ``"certificate-request"``, ``"public-key"``, ``"other"`` or ``"damaged"``.
    data : bytes
        The DER of a certificate, CRL, request or public key; empty for the rest.
    alias : str or None
        Its name in the file; None in formats that have none, or where none was given.
    chain : tuple of bytes
        The certificates of a key, leaf first, as DER.
    key : SealedKey or None
        The key of a private-key item; else None.
    created : int or None
        When the entry was made, milliseconds since 1970; None in formats that do not say.
    attributes : tuple of (str, bytes)
        PKCS#12 attributes as OID and DER, in file order.
    label : str
        What the file itself calls it, e.g. a PEM label.
    error : CertkitError or None
        Why a damaged item cannot be read; else None.
    """

    kind: str
    data: bytes = field(default=b"", repr=False)
    alias: str | None = None
    chain: tuple[bytes, ...] = field(default=(), repr=False)
    key: SealedKey | None = None
    created: int | None = None
    attributes: tuple[tuple[str, bytes], ...] = ()
    label: str = ""
    error: CertkitError | None = None


@dataclass(frozen=True, slots=True)
class Contents:
    """A file, read: its format by content, its items in file order, and what was learned on the way.

    Attributes
    ----------
    format : str
        A key of `FORMAT_NAMES`.
    encoding : str
        How it is written: ``"binary"``, ``"PEM"`` or ``"base64"``.
    items : tuple of Item
        In file order.
    protection : str
        Ciphers and integrity check in words; empty for formats without.
    integrity : str
        ``"verified"`` (the password proved that nothing was changed), ``"not checked"`` (it could
        have been, with a password) or ``"none"`` (the format, or this file, has no such check).
    notes : tuple of str
        What a reader of the file should know.
    empty_password : bool
        Whether the file was found to open with the empty password, with none given.
    """

    format: str
    encoding: str
    items: tuple[Item, ...]
    protection: str = ""
    integrity: str = "none"
    notes: tuple[str, ...] = ()
    empty_password: bool = False
