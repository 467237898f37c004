"""`RevocationList`: the certificates that their issuer does not stand by any more (CRL)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from certkit import _der
from certkit._files import iso, utc
from certkit._html import Html, badge, definitions, table, tag
from certkit._signatures import answer_signature_is_valid
from certkit._text import count, visible
from certkit.certificates import Certificate, name_text
from certkit.errors import FormatError

__all__ = ["OcspAnswer", "RevocationList"]


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

    @classmethod
    def from_bytes(cls, data: bytes) -> RevocationList:
        """Return the list that these bytes are, PEM or DER.

        Raises
        ------
        FormatError
            If they are no list.
        """
        try:
            load = x509.load_pem_x509_crl if data.lstrip().startswith(b"-----") else x509.load_der_x509_crl
            return cls(load(data))
        except (ValueError, TypeError, x509.InvalidVersion) as error:
            raise FormatError(
                f"this is no revocation list ({visible(str(error), 160)})",
                on=f"{len(data):,} bytes",
                hint="certkit inspect FILE, to see what it is",
                cause="wrong-file-format",
                kind="not-a-crl",
            ) from None

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

    @cached_property
    def issuer_der(self) -> bytes:
        """The issuer's name as DER, for exact comparison: it need not be a name that can be read."""
        parts = _der.read(self.raw.tbs_certlist_bytes).children()
        # version (optional), signature, issuer (RFC 5280, 5.1)
        return parts[2 if parts[0].tag == _der.INTEGER else 1].encoded

    def lists(self, certificate: Certificate) -> bool:
        """Return whether that certificate is on the list: its issuer by name, and its serial number."""
        same = self.issuer_der == certificate.issuer_der
        number = int(certificate.serial, 16)
        if number < 0:  # there are such certificates, against RFC 5280, 4.1.2.2, and no look-up for them
            return same and any(entry.serial_number == number for entry in self.raw)
        return same and self.raw.get_revoked_certificate_by_serial_number(number) is not None

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


@dataclass(frozen=True)
class OcspAnswer:
    """What a responder says of one certificate (OCSP; RFC 6960): good, revoked or unknown, signed, for a time.

    Attributes
    ----------
    raw : cryptography.x509.ocsp.OCSPResponse
        The answer itself.
    """

    raw: ocsp.OCSPResponse = field(repr=False)

    @classmethod
    def from_bytes(cls, data: bytes) -> OcspAnswer:
        """Return the answer that these DER bytes are.

        Raises
        ------
        FormatError
            If they are none.
        """
        try:
            found = cls(ocsp.load_der_ocsp_response(data))
            if found.successful:
                # Decoded now, so that what is wrong with them is said here.
                _ = found.status, found.raw.hash_algorithm, found.raw.certificates, found.last_update
            return found
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise FormatError(
                f"this is no OCSP answer ({visible(str(error), 160)})",
                on=f"{len(data):,} bytes",
                kind="not-ocsp",
            ) from None

    @property
    def der(self) -> bytes:
        """The answer's bytes."""
        return self.raw.public_bytes(Encoding.DER)

    @property
    def successful(self) -> bool:
        """Whether the responder answered at all, instead of refusing to."""
        return self.raw.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL

    @property
    def status(self) -> str:
        """``"good"``, ``"revoked"``, ``"unknown"``, or why the responder gave no answer, e.g. ``"unauthorized"``."""
        found = self.raw.certificate_status if self.successful else self.raw.response_status
        return found.name.lower().replace("_", " ")

    @property
    def last_update(self) -> datetime:
        """When it was known to be so, UTC."""
        return self.raw.this_update_utc

    @property
    def next_update(self) -> datetime | None:
        """When newer word is due, UTC; None if it does not say."""
        return self.raw.next_update_utc

    @property
    def revoked_at(self) -> datetime | None:
        """Since when the certificate is not to be believed; None if it is not revoked."""
        return self.raw.revocation_time_utc if self.status == "revoked" else None

    def is_about(self, certificate: Certificate, issuer: Certificate) -> bool:
        """Return whether it speaks of that certificate: the serial number, and the issuer's name and key."""
        if not self.successful or self.raw.serial_number != int(certificate.serial, 16):
            return False
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            asked = ocsp.OCSPRequestBuilder().add_certificate(
                certificate.raw, issuer.raw, self.raw.hash_algorithm
            )
        request = asked.build()
        return (request.issuer_name_hash, request.issuer_key_hash) == (
            self.raw.issuer_name_hash,
            self.raw.issuer_key_hash,
        )

    def signer(self, issuer: Certificate, at: datetime | None = None) -> str | None:
        """Return who signed it, if that is somebody entitled to (RFC 6960, 4.2.2.2); None if it is not.

        Entitled are the issuer itself, and a responder with a certificate of the issuer's for OCSPSigning.
        """
        moment = utc(at)
        if answer_signature_is_valid(self.raw, issuer.raw):
            return issuer.name
        for raw in self.raw.certificates:
            helper = Certificate(raw)
            entitled = "OCSPSigning" in helper.usages and helper.validity(moment) == "valid"
            if (
                entitled
                and helper.issuer_der == issuer.subject_der
                and helper.is_signed_by(issuer)
                and answer_signature_is_valid(self.raw, helper.raw)
            ):
                return helper.name
        return None

    def __repr__(self) -> str:
        return f"<OcspAnswer {self.status}>"

    def _repr_html_(self) -> Html:
        state = {"good": "good", "revoked": "bad"}.get(self.status, "warning")
        rows: list[tuple[object, object]] = [("status", badge(state, self.status))]
        if self.successful:
            until = "no date" if self.next_update is None else iso(self.next_update)
            rows += [
                ("known", iso(self.last_update)),
                ("newer word due", until),
                ("serial", f"{self.raw.serial_number:x}"),
            ]
        if self.revoked_at is not None:
            rows.append(("revoked", iso(self.revoked_at)))
        return definitions(rows, caption="What an OCSP responder says")


def ocsp_request(certificate: Certificate, issuer: Certificate) -> bytes:
    """Return the question to a responder about one certificate, as DER (RFC 6960, 4.1)."""
    # SHA-1 names the issuer here and protects nothing; many responders know no other (RFC 5019, 2.1.1).
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a serial number that is not positive is asked for as it stands
        builder = ocsp.OCSPRequestBuilder().add_certificate(certificate.raw, issuer.raw, hashes.SHA1())  # noqa: S303
    return builder.build().public_bytes(Encoding.DER)
