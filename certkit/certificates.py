"""`Certificate`: a thin value over cryptography's, in plain words."""

from __future__ import annotations

import hashlib
import ipaddress
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from certkit import _der
from certkit._files import iso, utc
from certkit._html import Html, badge, definitions, details, join, table, tag
from certkit._signatures import signature_is_valid
from certkit._text import visible
from certkit.errors import FormatError
from certkit.extensions import EKU_NAMES, Extension, extension_bytes, general_name, parse_extensions
from certkit.keys import describe_public_key, spki_sha256

__all__ = ["Certificate", "Field", "certificate_of", "name_text"]


@dataclass(frozen=True)
class Field:
    """One field of a certificate, with its value and its meaning in plain words.

    Attributes
    ----------
    name, value, meaning, source : str
        The field as the standard names it, what it holds here, what it is for, and where it is defined.
    critical : bool or None
        For an extension, whether it is marked critical; None for the basic fields.
    """

    name: str
    value: str
    meaning: str
    source: str
    critical: bool | None = None


def name_text(name: Callable[[], x509.Name]) -> str:
    """Return a distinguished name as RFC 4514 text, whatever is in it; hidden characters are escaped."""
    try:
        with warnings.catch_warnings():
            # A country of three letters warns; it is shown as it stands.
            warnings.simplefilter("ignore")
            return visible(name().rfc4514_string(), 2000)
    except (ValueError, TypeError) as error:
        return f"malformed name ({visible(str(error), 120)})"


@dataclass(frozen=True)
class Certificate:
    """An X.509 certificate (RFC 5280): a name and a public key, signed by an issuer, for a time.

    Made by `CertificateAuthority`, read by `load_certificate`. Two are equal if their bytes are.

    Attributes
    ----------
    raw : cryptography.x509.Certificate
        The certificate itself, for what certkit has no word for.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> from datetime import datetime, timezone
    >>> root = CertificateAuthority("Lab Root", seed="docs", at=datetime(2026, 1, 1, tzinfo=timezone.utc))
    >>> root.certificate
    <Certificate CN=Lab Root, self-signed CA, 2026-01-01 … 2036-01-01>
    """

    raw: x509.Certificate = field(repr=False)

    @classmethod
    def from_der(cls, der: bytes) -> Certificate:
        """Return the certificate that these DER bytes are.

        Raises
        ------
        FormatError
            If they are no certificate.
        """
        with warnings.catch_warnings():
            # Real roots break today's rules (serial 0, negative serial): they are read, and the
            # findings speak of it; a warning in the middle of a table helps nobody.
            warnings.simplefilter("ignore")
            return certificate_of(der)

    @cached_property
    def der(self) -> bytes:
        """The certificate's bytes."""
        return self.raw.public_bytes(Encoding.DER)

    @property
    def pem(self) -> str:
        """The certificate as PEM text (RFC 7468)."""
        return self.raw.public_bytes(Encoding.PEM).decode()

    @property
    def subject(self) -> str:
        """Whose certificate it is: the distinguished name as RFC 4514 text."""
        return name_text(lambda: self.raw.subject)

    @property
    def issuer(self) -> str:
        """Who signed it: the distinguished name as RFC 4514 text."""
        return name_text(lambda: self.raw.issuer)

    @property
    def name(self) -> str:
        """A short name to show: the common name, else the first alternative name, else the subject."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                common = self.raw.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        except (ValueError, TypeError):
            common = []
        if common:
            return visible(str(common[0].value), 80)
        if self.sans:
            return visible(self.sans[0].partition(":")[2], 80)
        return self.subject or f"serial {self.serial}"

    @property
    def serial(self) -> str:
        """The serial number in hexadecimal, as openssl and keytool print it."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return f"{self.raw.serial_number:x}"

    @property
    def not_before(self) -> datetime:
        """The first second of validity, UTC."""
        return self.raw.not_valid_before_utc

    @property
    def not_after(self) -> datetime:
        """The last second of validity, UTC; that second still counts (RFC 5280, 4.1.2.5)."""
        return self.raw.not_valid_after_utc

    @property
    def lifetime(self) -> timedelta:
        """From the first to the last second, both included."""
        return self.not_after - self.not_before + timedelta(seconds=1)

    @cached_property
    def extensions(self) -> tuple[Extension, ...]:
        """Every extension in order; a malformed one carries its error."""
        try:
            return parse_extensions(self.raw, extension_bytes(self.raw))
        except FormatError:
            return ()

    def extension(self, name: str) -> Extension | None:
        """Return the extension of that name (``"subjectAltName"``) or OID, or None."""
        return next((item for item in self.extensions if name in {item.name, item.oid}), None)

    @property
    def sans(self) -> tuple[str, ...]:
        """The subject alternative names, e.g. ``("DNS:shop.example.test", "IP:127.0.0.1")``."""
        found = self.extension("subjectAltName")
        if found is None or not isinstance(found.value, x509.SubjectAlternativeName):
            return ()
        return tuple(visible(general_name(name)) for name in found.value)

    @property
    def usages(self) -> tuple[str, ...]:
        """The extended key usages, e.g. ``("serverAuth",)``; empty if the extension is absent."""
        found = self.extension("extKeyUsage")
        if found is None or not isinstance(found.value, x509.ExtendedKeyUsage):
            return ()
        return tuple(EKU_NAMES.get(oid.dotted_string, oid.dotted_string) for oid in found.value)

    @property
    def is_ca(self) -> bool:
        """Whether basicConstraints says CA=true."""
        found = self.extension("basicConstraints")
        return found is not None and isinstance(found.value, x509.BasicConstraints) and found.value.ca

    @property
    def is_self_issued(self) -> bool:
        """Whether subject and issuer are the same name (RFC 5280, 3.2)."""
        return self.issuer_der == self.subject_der

    @cached_property
    def is_self_signed(self) -> bool:
        """Whether it is signed with its own key: self-issued, and the signature verifies."""
        return self.is_self_issued and self.is_signed_by(self)

    @cached_property
    def _names(self) -> tuple[bytes, bytes]:
        parts = _der.read(self.raw.tbs_certificate_bytes).children()
        if parts and parts[0].tag == 0xA0:
            parts = parts[1:]
        # serialNumber, signature, issuer, validity, subject (RFC 5280, 4.1)
        return parts[2].encoded, parts[4].encoded

    @property
    def issuer_der(self) -> bytes:
        """The issuer's name as DER, for exact comparison."""
        return self._names[0]

    @property
    def subject_der(self) -> bytes:
        """The subject's name as DER, for exact comparison."""
        return self._names[1]

    def is_signed_by(self, issuer: Certificate) -> bool:
        """Return whether `issuer`'s key made this certificate's signature; names are not compared."""
        return signature_is_valid(self.raw, issuer.raw)

    @property
    def key(self) -> str:
        """The public key's algorithm: ``"RSA"``, ``"EC"``, ``"Ed25519"``, …; the OID if it is unknown."""
        return self._key[0]

    @property
    def key_bits(self) -> int | None:
        """The public key's size in bits; None where the algorithm has just one, or is unknown."""
        return self._key[1]

    @cached_property
    def _key(self) -> tuple[str, int | None]:
        try:
            return describe_public_key(self.raw.public_key())
        except (ValueError, UnsupportedAlgorithm):
            return self.raw.public_key_algorithm_oid.dotted_string, None

    @property
    def signature(self) -> str:
        """The signature algorithm's registered name, e.g. ``"ecdsa-with-SHA256"``, or its OID."""
        oid = self.raw.signature_algorithm_oid
        name = oid._name
        return oid.dotted_string if name == "Unknown OID" else name

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the certificate's bytes, in hexadecimal: its fingerprint."""
        return hashlib.sha256(self.der).hexdigest()

    @cached_property
    def spki_sha256(self) -> str:
        """SHA-256 of the SubjectPublicKeyInfo, in hexadecimal: equal for certificates of one key pair."""
        try:
            return spki_sha256(self.raw.public_key())
        except (ValueError, UnsupportedAlgorithm):
            parts = _der.read(self.raw.tbs_certificate_bytes).children()
            return hashlib.sha256(parts[6 if parts[0].tag == 0xA0 else 5].encoded).hexdigest()

    @property
    def role(self) -> str:
        """What it is for: ``root``, ``intermediate``, ``server``, ``client``, ``server and client`` or ``other``."""
        if self.is_ca:
            return "root" if self.is_self_issued else "intermediate"
        usages = set(self.usages)
        if "anyExtendedKeyUsage" in usages or not usages or {"serverAuth", "clientAuth"} <= usages:
            return "server and client"
        if "serverAuth" in usages:
            return "server"
        return "client" if "clientAuth" in usages else "other"

    def validity(self, at: datetime | None = None) -> str:
        """Return ``"valid"``, ``"expired"`` or ``"not yet valid"`` at a time (now by default)."""
        moment = utc(at)
        if moment < self.not_before:
            return "not yet valid"
        return "expired" if moment > self.not_after else "valid"

    def days_left(self, at: datetime | None = None) -> int:
        """Return the whole days until the end of validity; negative once expired."""
        return (self.not_after - utc(at)) // timedelta(days=1)

    def names_host(self, host: str) -> bool:
        """Return whether a subject alternative name covers `host` (RFC 9525, 6.3); the common name never counts."""
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            wanted = host.rstrip(".").lower()
            return any(_dns_matches(san[4:], wanted) for san in self.sans if san.startswith("DNS:"))
        return f"IP:{address}" in self.sans

    def explain(self) -> tuple[Field, ...]:
        """Return every field and extension with its value and its meaning in plain words.

        Examples
        --------
        >>> from certkit.authority import CertificateAuthority
        >>> fields = CertificateAuthority("Lab Root").certificate.explain()
        >>> [field.value for field in fields if field.name == "basicConstraints"]
        ['CA=true']
        """
        bits = f" {self.key_bits} bits" if self.key_bits else ""
        rfc = "RFC 5280, 4.1"
        basic = (
            Field(
                "version", self.raw.version.name, "The format; v3 is the one with extensions.", f"{rfc}.2.1"
            ),
            Field(
                "serialNumber",
                self.serial,
                "The issuer's number for it: issuer and serial together name exactly one certificate.",
                f"{rfc}.2.2",
            ),
            Field(
                "signature",
                self.signature,
                "How the issuer signed it. The signature covers every other field: change one bit and it fails.",
                f"{rfc}.2.3",
            ),
            Field(
                "issuer",
                self.issuer,
                "Who vouches: the name of the certificate that signed this one.",
                f"{rfc}.2.4",
            ),
            Field(
                "validity",
                f"{iso(self.not_before)} to {iso(self.not_after)}",
                "From and until when it counts, both seconds included, in UTC.",
                f"{rfc}.2.5",
            ),
            Field(
                "subject", self.subject or "empty", "Whom it describes: the owner of the key.", f"{rfc}.2.6"
            ),
            Field(
                "subjectPublicKeyInfo",
                f"{self.key}{bits}",
                "The owner's public key. The matching private key is in no certificate and never travels.",
                f"{rfc}.2.7",
            ),
        )
        return basic + tuple(
            Field(item.name, item.text, item.meaning, item.source, item.critical) for item in self.extensions
        )

    def _summary(self) -> str:
        kind = "self-signed " if self.is_self_issued else ""
        return f"{kind}CA" if self.is_ca else f"{kind}{self.role} certificate"

    def __repr__(self) -> str:
        dates = f"{self.not_before:%Y-%m-%d} … {self.not_after:%Y-%m-%d}"
        return f"<Certificate {self.subject or self.name}, {self._summary()}, {dates}>"

    def validity_badge(self, at: datetime | None = None) -> Html:
        """Return the validity as icon, word and colour; a warning for the last 30 days."""
        state, days = self.validity(at), self.days_left(at)
        if state == "expired":
            return badge("bad", f"expired {-days:,} days ago")
        if state == "not yet valid":
            return badge("bad", f"not valid before {self.not_before:%Y-%m-%d}")
        return badge("warning" if days < 30 else "good", f"valid, {days:,} days left")

    def _repr_html_(self) -> Html:
        fields = self.explain()
        rows = [
            ("subject", self.subject or "empty"),
            ("issuer", self.issuer),
            ("names", ", ".join(self.sans) or "none"),
            ("validity", join([f"{iso(self.not_before)} to {iso(self.not_after)} ", self.validity_badge()])),
            ("key", f"{self.key} {self.key_bits or ''}, signed with {self.signature}"),
            ("SHA-256", tag("code", self.sha256)),
        ]
        every = table(
            ("field", "value", "what it means"),
            [
                (
                    f"{item.name}{' (critical)' if item.critical else ''}",
                    visible(item.value, 160),
                    f"{item.meaning} {item.source}.",
                )
                for item in fields[:24]
            ],
        )
        return tag(
            "div",
            definitions(rows, caption=f"Certificate of {self.name} ({self._summary()})"),
            details(f"All {len(fields)} fields, explained", every),
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Certificate) and self.raw == other.raw

    def __hash__(self) -> int:
        return hash(self.raw)


def certificate_of(der: bytes) -> Certificate:
    """Return the certificate that DER bytes are: for many at once, inside one `warnings.catch_warnings`.

    Raises
    ------
    FormatError
        If they are no certificate.
    """
    try:
        raw = x509.load_der_x509_certificate(der)
        # Decoded now, so that what is wrong with them is said here.
        _ = raw.serial_number, raw.not_valid_before_utc, raw.not_valid_after_utc
    except (ValueError, TypeError, x509.InvalidVersion) as error:
        raise FormatError(
            f"this is no certificate ({visible(str(error), 160)})",
            on=f"{len(der):,} bytes of DER",
            hint="certkit inspect FILE, to see what it is",
            cause="wrong-file-format",
            kind="not-a-certificate",
        ) from None
    found = Certificate(raw)
    # They are at hand: cryptography would write them anew, which takes longer than to read them.
    found.__dict__["der"] = der
    return found


def _dns_matches(pattern: str, host: str) -> bool:
    pattern = pattern.rstrip(".").lower()
    if pattern.startswith("*."):
        label, _, rest = host.partition(".")
        return bool(label) and rest == pattern[2:]
    return pattern == host
