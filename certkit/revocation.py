"""`RevocationList`: the certificates that their issuer does not stand by any more (CRL)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from certkit._files import iso, utc
from certkit._html import Html, badge, definitions, table, tag
from certkit._text import count
from certkit.certificates import Certificate, name_text

__all__ = ["RevocationList"]


@dataclass(frozen=True)
class RevocationList:
    """A certificate revocation list (CRL; RFC 5280, 5): serial numbers, signed by their issuer, for a time.

    Made by `CertificateAuthority.revoke`.

    Attributes
    ----------
    raw : cryptography.x509.CertificateRevocationList
        The list itself.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> ca = CertificateAuthority("Lab Root")
    >>> lost, kept = (ca.issue(name, usage="server").certificate for name in ("a.example.test", "b.example.test"))
    >>> crl = ca.revoke(lost)
    >>> crl.lists(lost), crl.lists(kept), crl.is_signed_by(ca.certificate)
    (True, False, True)
    """

    raw: x509.CertificateRevocationList = field(repr=False)

    @property
    def der(self) -> bytes:
        """The list's bytes."""
        return self.raw.public_bytes(Encoding.DER)

    @property
    def pem(self) -> str:
        """The list as PEM text."""
        return self.raw.public_bytes(Encoding.PEM).decode()

    @property
    def issuer(self) -> str:
        """Whose list it is, as RFC 4514 text."""
        return name_text(lambda: self.raw.issuer)

    @property
    def last_update(self) -> datetime:
        """When it was made, UTC."""
        return self.raw.last_update_utc

    @property
    def next_update(self) -> datetime | None:
        """When the next one is due, UTC: after that it says nothing. None if it does not say."""
        return self.raw.next_update_utc

    @property
    def serials(self) -> tuple[str, ...]:
        """The serial numbers on it, in hexadecimal."""
        return tuple(f"{entry.serial_number:x}" for entry in self.raw)

    def lists(self, certificate: Certificate) -> bool:
        """Return whether that certificate is on the list: its issuer by name, and its serial number."""
        same = self.raw.issuer.public_bytes() == certificate.issuer_der
        found = self.raw.get_revoked_certificate_by_serial_number(certificate.raw.serial_number)
        return same and found is not None

    def is_signed_by(self, issuer: Certificate) -> bool:
        """Return whether `issuer`'s key made the list's signature."""
        try:
            return self.raw.is_signature_valid(issuer.raw.public_key())  # type: ignore[arg-type]
        except (TypeError, ValueError, UnsupportedAlgorithm):
            return False

    def is_current(self, at: datetime | None = None) -> bool:
        """Return whether it still speaks for `at`, aware; now by default."""
        moment = utc(at)
        return self.last_update <= moment and (self.next_update is None or moment <= self.next_update)

    def __len__(self) -> int:
        return len(self.raw)

    def __repr__(self) -> str:
        until = "no end" if self.next_update is None else f"{self.next_update:%Y-%m-%d}"
        return f"<RevocationList of {self.issuer}, {count(len(self), 'certificate')}, good until {until}>"

    def _repr_html_(self) -> Html:
        fresh = badge("good", "current") if self.is_current() else badge("bad", "out of date")
        until = "no date" if self.next_update is None else iso(self.next_update)
        facts = definitions(
            [
                ("issuer", self.issuer),
                ("made", iso(self.last_update)),
                ("next one due", tag("span", f"{until} ", fresh)),
                ("signed with", self.raw.signature_algorithm_oid._name),
            ],
            caption=f"Revocation list: {count(len(self), 'certificate')} not to be believed any more",
        )
        rows = [(f"{entry.serial_number:x}", iso(entry.revocation_date_utc)) for entry in self.raw]
        return tag("div", facts, table(("serial number", "revoked"), rows, limit=20))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RevocationList) and self.raw == other.raw

    def __hash__(self) -> int:
        return hash(self.der)
