"""The entries of a keystore: what one name in a file stands for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from certkit._text import visible
from certkit.certificates import Certificate
from certkit.chains import Chain
from certkit.csr import CertificateSigningRequest
from certkit.errors import CertkitError, FormatError
from certkit.formats.items import SealedKey
from certkit.formats.open_key import open_key
from certkit.keys import PrivateKey
from certkit.revocation import RevocationList

__all__ = ["WORDS", "CertificateEntry", "Entry", "KeyEntry", "OtherEntry", "TrustedCertificateEntry"]

T = TypeVar("T")


@dataclass(frozen=True)
class KeyEntry:
    """A private key with its chain: what a side needs to present itself.

    Attributes
    ----------
    alias : str
        Its name in the file; empty in formats that have none.
    chain : Chain
        Its certificates, leaf first; empty if the file has none for it.
    sealed : SealedKey
        The key as the file holds it: not opened.
    created : datetime or None
        When the entry was made; None in formats that do not say.
    attributes : tuple of (str, bytes)
        PKCS#12 attributes as OID and DER.
    """

    alias: str
    chain: Chain
    sealed: SealedKey = field(repr=False)
    created: datetime | None = None
    attributes: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)

    kind = "private-key"

    @property
    def certificate(self) -> Certificate | None:
        """The leaf; None if there is no certificate for this key."""
        return self.chain.certificates[0] if self.chain else None

    def open(self, password: str | None = None) -> PrivateKey:
        """Return the private key.

        Raises
        ------
        PasswordError
            If it is encrypted and the password is missing or wrong.
        """
        return open_key(self.sealed, password)


@dataclass(frozen=True)
class TrustedCertificateEntry:
    """A certificate that the file marks as a trust anchor (Java's *trustedCertEntry*).

    Attributes
    ----------
    alias : str
        Its name in the file.
    certificate : Certificate
        The anchor.
    created : datetime or None
        When the entry was made; None in formats that do not say.
    """

    alias: str
    certificate: Certificate
    created: datetime | None = None

    kind = "trusted-certificate"


@dataclass(frozen=True)
class CertificateEntry:
    """A certificate that the file says nothing about: neither a key's nor marked as trusted.

    Attributes
    ----------
    alias : str
        Its name in the file; empty if it has none.
    certificate : Certificate
        The certificate.
    """

    alias: str
    certificate: Certificate

    kind = "certificate"


@dataclass(frozen=True)
class OtherEntry:
    """Anything else: a CRL, a request, a public key, a secret key, or something damaged.

    Attributes
    ----------
    alias : str
        Its name in the file; empty if it has none.
    kind : str
        ``"crl"``, ``"certificate-request"``, ``"public-key"``, ``"secret-key"``, ``"other"`` or ``"damaged"``.
    what : str
        What it is, in words.
    data : bytes
        Its DER, where it is not secret.
    error : CertkitError or None
        Why a damaged entry cannot be read; else None.
    """

    alias: str
    kind: str
    what: str
    data: bytes = field(default=b"", repr=False)
    error: CertkitError | None = None

    @property
    def request(self) -> CertificateSigningRequest:
        """The request of a ``certificate-request`` entry.

        Raises
        ------
        FormatError
            If it is none, or damaged.
        """
        return CertificateSigningRequest(_parsed(self, "certificate-request", x509.load_der_x509_csr))

    @property
    def crl(self) -> RevocationList:
        """The list of a ``crl`` entry.

        Raises
        ------
        FormatError
            If it is none, or damaged.
        """
        return RevocationList(_parsed(self, "crl", x509.load_der_x509_crl))


def _parsed(entry: OtherEntry, kind: str, load: Callable[[bytes], T]) -> T:
    if entry.kind != kind:
        raise FormatError(
            f"this entry is no {WORDS[kind]}",
            on=WORDS[entry.kind],
            cause="wrong-file-format",
            kind="other-kind",
        )
    try:
        raw = load(entry.data)
        # Dates and keys are decoded at the first look: let it be here.
        if isinstance(raw, x509.CertificateRevocationList):
            _ = raw.last_update_utc, raw.next_update_utc
        elif isinstance(raw, x509.CertificateSigningRequest):
            raw.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise FormatError(
            f"this {WORDS[kind]} cannot be read ({visible(str(error), 160)})",
            hint="fetch it again, in binary mode",
            cause="tampered-or-corrupt",
            kind="malformed",
        ) from None
    return raw


Entry = KeyEntry | TrustedCertificateEntry | CertificateEntry | OtherEntry

WORDS = {
    "private-key": "private key",
    "trusted-certificate": "trusted certificate",
    "certificate": "certificate",
    "crl": "certificate revocation list",
    "certificate-request": "certificate signing request",
    "public-key": "public key",
    "secret-key": "secret key",
    "other": "something else",
    "damaged": "damaged part",
}
"""The kinds of entries, in words."""
