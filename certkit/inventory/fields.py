"""The fields of one certificate that a row shows: fast for the usual kind, by way of `Certificate` for all else."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from cryptography import x509

from certkit.certificates import Certificate
from certkit.inventory.fast import Unusual, usual_fields

__all__ = ["Fields", "careful_fields", "read_fields"]


class Fields(NamedTuple):
    """What a row says of a certificate, whenever it is asked; the first of them in the order of its columns.

    Attributes
    ----------
    subject, issuer : str
        Distinguished names as RFC 4514 text.
    sans : tuple of str
        Alternative names with their type in front, e.g. ``"DNS:shop.example.test"``.
    serial : str
        Hexadecimal.
    not_before, not_after : int
        Seconds since 1970, UTC, both included.
    key : str
        The public key's algorithm.
    key_bits : int or None
        Its size; None where the algorithm has just one, or is not known.
    signature : str
        The signature algorithm's registered name, or its OID.
    sha256, spki_sha256 : str
        Fingerprints of the certificate and of its public key, hexadecimal.
    ski, aki : str
        Subject and authority key identifier, hexadecimal; empty without.
    is_ca : bool
        Whether basicConstraints says CA=true.
    self_issued : bool
        Whether subject and issuer are the same name.
    usages : tuple of str
        Extended key usages; empty without the extension.
    version : int
        1 or 3.
    malformed : bool
        Whether an extension that a row needs cannot be decoded.
    """

    subject: str
    issuer: str
    sans: tuple[str, ...]
    serial: str
    not_before: int
    not_after: int
    key: str
    key_bits: int | None
    signature: str
    sha256: str
    spki_sha256: str
    ski: str
    aki: str
    is_ca: bool
    self_issued: bool
    usages: tuple[str, ...]
    version: int
    malformed: bool


_NEEDED = frozenset(
    {"subjectAltName", "basicConstraints", "extKeyUsage", "subjectKeyIdentifier", "authorityKeyIdentifier"}
)


def read_fields(der: bytes) -> Fields:
    """Return the fields of a certificate.

    Raises
    ------
    FormatError
        If these bytes are no certificate.
    """
    try:
        return tuple.__new__(Fields, usual_fields(der))
    except Unusual:
        return careful_fields(der)


def careful_fields(der: bytes) -> Fields:
    """Return the fields by way of `Certificate`: slower, and right for everything that cryptography reads.

    Raises
    ------
    FormatError
        If these bytes are no certificate.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> careful_fields(CertificateAuthority("Lab Root").certificate.der).subject
    'CN=Lab Root'
    """
    certificate = Certificate.from_der(der)
    return Fields(
        certificate.subject,
        certificate.issuer,
        certificate.sans,
        certificate.serial,
        int(certificate.not_before.timestamp()),
        int(certificate.not_after.timestamp()),
        certificate.key,
        certificate.key_bits,
        certificate.signature,
        hashlib.sha256(der).hexdigest(),
        certificate.spki_sha256,
        _identifier(certificate, "subjectKeyIdentifier"),
        _identifier(certificate, "authorityKeyIdentifier"),
        certificate.is_ca,
        certificate.is_self_issued,
        certificate.usages,
        certificate.raw.version.value + 1,
        any(item.error is not None and item.name in _NEEDED for item in certificate.extensions),
    )


def _identifier(certificate: Certificate, name: str) -> str:
    found = certificate.extension(name)
    value = None if found is None else found.value
    if isinstance(value, x509.SubjectKeyIdentifier):
        return value.digest.hex()
    if isinstance(value, x509.AuthorityKeyIdentifier) and value.key_identifier is not None:
        return value.key_identifier.hex()
    return ""
