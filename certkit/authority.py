"""`CertificateAuthority`: roots, intermediates, leaves and signed requests, with any dates."""

from __future__ import annotations

import hashlib
import itertools
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import NameOID

from certkit._files import utc
from certkit._html import Html, tag
from certkit._names import alternative_name
from certkit._profiles import (
    USAGES,
    ExtraExtension,
    authority_key_identifier,
    ca_extensions,
    changed,
    hash_for,
    leaf_extensions,
)
from certkit.certificates import Certificate
from certkit.chains import Chain, TrustStore
from certkit.credentials import Credential
from certkit.csr import CertificateSigningRequest
from certkit.errors import ArgumentError
from certkit.keys import PrivateKey, generate_key
from certkit.revocation import RevocationList

__all__ = ["USAGES", "CertificateAuthority", "self_signed"]

# RSA keys come from a pool: drawn one after the other, two certificates get the same key only once
# the pool has gone round.
_POOL_NUMBERS = itertools.count(secrets.randbelow(1 << 16))


class CertificateAuthority:
    """A certification authority of your own: it signs what you tell it to, right or wrong.

    Parameters
    ----------
    name : str
        Common name of the root certificate.
    key : str or PrivateKey
        Kind of key (``"p256"``, ``"ed25519"``, ``"rsa2048"``, …) or a key of yours.
    at : datetime, optional
        The CA's clock, aware; validity is counted from it. Now by default, read at each certificate.
    seed : str, optional
        With `seed` and `at`, everything this CA issues is byte-identical each time: keys, serial
        numbers and signatures (deterministic ECDSA, RFC 6979; Ed25519; RSA PKCS#1). Such keys are toys.
        ML-DSA signatures are the exception: the library always mixes in fresh randomness.
    days : int
        Lifetime of the root certificate.
    organization : str, optional
        The ``O=`` of every name this CA writes.

    Examples
    --------
    >>> root = CertificateAuthority("Lab Root")
    >>> issuing = root.intermediate("Lab Issuing CA")
    >>> server = issuing.issue("shop.example.test", "127.0.0.1", usage="server")
    >>> server.certificate.sans
    ('DNS:shop.example.test', 'IP:127.0.0.1')
    """

    def __init__(
        self,
        name: str = "Lab Root CA",
        *,
        key: str | PrivateKey = "p256",
        at: datetime | None = None,
        seed: str | None = None,
        days: int = 3652,
        organization: str | None = None,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
    ) -> None:
        self._start(at, seed, organization, parent=None)
        self.key = self._key(key, name)
        self.certificate: Certificate = self._sign(
            subject=self._name(name),
            public_key=self.key.raw.public_key(),
            extensions=ca_extensions(self.key, None),
            window=self._window(days, not_before, not_after),
        )

    def _start(
        self,
        at: datetime | None,
        seed: str | None,
        organization: str | None,
        parent: CertificateAuthority | None,
    ) -> None:
        self._at = None if at is None else utc(at)
        self._seed = seed
        self._organization = organization
        self._parent = parent
        self._issued = 0
        self._drawn = 0
        self._revoked: dict[int, datetime] = {}
        self._lists = 0

    @property
    def _has_certificate(self) -> bool:
        # False only while a CA signs its own root.
        return "certificate" in self.__dict__

    @property
    def name(self) -> str:
        """The common name of this CA."""
        return self.certificate.name

    @property
    def root(self) -> CertificateAuthority:
        """The CA at the top."""
        return self if self._parent is None else self._parent.root

    @property
    def chain(self) -> Chain:
        """This CA's certificate and those above it, without the root: what goes behind a leaf."""
        if self._parent is None:
            return Chain(())
        return Chain((self.certificate, *self._parent.chain))

    @property
    def trust_store(self) -> TrustStore:
        """A truststore with the root of this CA: what the other side needs, and all that it needs."""
        return TrustStore((self.root.certificate,), label=self.root.name)

    def intermediate(
        self,
        name: str,
        *,
        key: str | PrivateKey = "p256",
        days: int = 1826,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        path_length: int | None = None,
        add: Iterable[ExtraExtension] = (),
        without: Iterable[type[x509.ExtensionType]] = (),
    ) -> CertificateAuthority:
        """Return a CA below this one; intermediates may go to any depth.

        Parameters
        ----------
        name : str
            Common name of the intermediate.
        key, days, not_before, not_after
            As for the root and for `issue`.
        path_length : int, optional
            How many further CAs may follow below it (RFC 5280, 4.2.1.9); no limit by default.
        add, without
            Extensions to add or replace, and types of extension to leave out: for broken ones.
        """
        below = CertificateAuthority.__new__(CertificateAuthority)
        below._start(self._at, self._seed, self._organization, parent=self)
        below.key = self._key(key, name)
        below.certificate = self._sign(
            subject=self._name(name),
            public_key=below.key.raw.public_key(),
            extensions=changed(ca_extensions(below.key, self.key, path_length), add, without),
            window=self._window(days, not_before, not_after),
        )
        return below

    def issue(
        self,
        *names: str,
        usage: str,
        key: str | PrivateKey = "p256",
        common_name: str | None = None,
        days: int = 90,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        add: Iterable[ExtraExtension] = (),
        without: Iterable[type[x509.ExtensionType]] = (),
    ) -> Credential:
        """Make a key, issue its certificate, and return both with the chain.

        Parameters
        ----------
        *names : str
            Host names (a leading ``*.`` is a wildcard), IP addresses or mail addresses; for a client
            also a plain name such as ``"Acme CRM"``. The first becomes the common name.
        usage : str
            What it is for, one of `USAGES`: ``"server"``, ``"client"``, ``"both"``, …
        key : str or PrivateKey
            Kind of key, or a key of yours.
        common_name : str, optional
            The common name, if it is not the first name.
        days : int
            Lifetime from the CA's clock on, if `not_after` is not given.
        not_before, not_after : datetime, optional
            Any window, aware: in the past for an expired certificate, in the future for one not yet valid.
        add, without
            Extensions to add or replace, and types of extension to leave out: for broken ones.

        Returns
        -------
        Credential
            The key and the chain: leaf first, then the intermediates, without the root.

        Raises
        ------
        ArgumentError
            If a name is no host name, the usage is unknown, or the dates are naive or the wrong way round.

        Examples
        --------
        >>> ca = CertificateAuthority("Lab Root")
        >>> ca.issue("Acme CRM", usage="client").certificate.usages
        ('clientAuth',)
        """
        own_key = self._key(key, *names)
        leaf = self._issue(
            names, usage, own_key.raw.public_key(), common_name, (days, not_before, not_after), add, without
        )
        return Credential(own_key, Chain((leaf, *self.chain)))

    def sign_csr(
        self,
        csr: CertificateSigningRequest,
        *,
        usage: str,
        days: int = 90,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
    ) -> Chain:
        """Sign a request and return what a CA sends back: the certificate and the intermediates.

        The names and the key are the request's; usage and dates are the CA's decision. The private
        key stays with whoever made the request.

        Raises
        ------
        ArgumentError
            If the request's own signature does not verify: the sender may not hold the key.
        """
        if not csr.proves_possession:
            raise ArgumentError(
                "the request is not signed with its own key",
                on=csr.subject,
                hint="make a new request from the key",
            )
        names = [san.partition(":")[2] for san in csr.sans]
        common = csr.raw.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        public_key = csr.raw.public_key()
        leaf = self._issue(
            names or [str(common[0].value)] if common or names else [],
            usage,
            public_key,
            str(common[0].value) if common else None,
            (days, not_before, not_after),
            (),
            (),
        )
        return Chain((leaf, *self.chain))

    def cross_sign(self, other: CertificateAuthority, *, days: int = 1826) -> Certificate:
        """Return a certificate for `other`'s name and key, signed by this CA: a second path to trust."""
        return self._sign(
            subject=other.certificate.raw.subject,
            public_key=other.key.raw.public_key(),
            extensions=ca_extensions(other.key, self.key),
            window=self._window(days, None, None),
        )

    def revoke(self, *certificates: Certificate, days: int = 7) -> RevocationList:
        """Withdraw certificates that this CA issued, and return its new revocation list (CRL; RFC 5280, 5).

        A list holds everything that was revoked so far; without arguments it is just a newer one. Nobody is
        told: a certificate stays as it is, and only who looks at the list learns of it.

        Parameters
        ----------
        *certificates : Certificate
            What not to believe any more.
        days : int
            When the next list is due, counted from the CA's clock; negative for one that is out of date.

        Raises
        ------
        ArgumentError
            If this CA did not issue one of them: a CA can only take back what it gave.
        """
        now = utc(self._at)
        for certificate in certificates:
            if not isinstance(certificate, Certificate) or not certificate.is_signed_by(self.certificate):
                raise ArgumentError(
                    "this CA did not issue that certificate, so it cannot revoke it",
                    on=repr(certificate),
                    hint="ask the CA that the certificate names as its issuer",
                )
            self._revoked.setdefault(certificate.raw.serial_number, now)
        self._lists += 1
        end = now + timedelta(days=days)
        raw = self.key.raw
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.raw.subject)
            .last_update(min(now, end - timedelta(days=1)))
            .next_update(end)
            .add_extension(authority_key_identifier(self.key), critical=False)
            .add_extension(x509.CRLNumber(self._lists), critical=False)
        )
        for serial, moment in self._revoked.items():
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(moment)
            builder = builder.add_revoked_certificate(entry.build())
        return RevocationList(builder.sign(raw, hash_for(raw), ecdsa_deterministic=self._deterministic))

    @property
    def _deterministic(self) -> bool | None:
        """Whether signatures repeat from a seed (RFC 6979); None where the algorithm has no such choice."""
        is_ec = isinstance(self.key.raw, ec.EllipticCurvePrivateKey)
        return True if is_ec and self._seed is not None else None

    def _issue(
        self,
        names: Iterable[str],
        usage: str,
        public_key: CertificatePublicKeyTypes,
        common_name: str | None,
        validity: tuple[int, datetime | None, datetime | None],
        add: Iterable[ExtraExtension],
        without: Iterable[type[x509.ExtensionType]],
    ) -> Certificate:
        names = list(names)
        if not names:
            raise ArgumentError(
                "a certificate needs a name", hint='issue("shop.example.test", usage="server")'
            )
        if usage not in USAGES:
            raise ArgumentError("unknown usage", on=repr(usage), hint="one of " + ", ".join(USAGES))
        extensions = leaf_extensions(public_key, self.key, usage)
        alternative = [found for name in names if (found := alternative_name(name, usage)) is not None]
        if alternative:
            extensions.append((x509.SubjectAlternativeName(alternative), False))
        return self._sign(
            subject=self._name(common_name or names[0]),
            public_key=public_key,
            extensions=changed(extensions, add, without),
            window=self._window(*validity),
        )

    def _key(self, key: str | PrivateKey, *label: str) -> PrivateKey:
        if isinstance(key, PrivateKey):
            return key
        if self._seed is None:
            return generate_key(key, number=next(_POOL_NUMBERS))
        return generate_key(key, seed=self._stream("key", *label).hex(), number=self.root._pool_number())

    def _pool_number(self) -> int:
        self._drawn += 1
        return self._drawn - 1

    def _stream(self, *label: str) -> bytes:
        path = "\0".join((self._seed or "", self._path(), str(self._issued), *label))
        return hashlib.sha256(path.encode()).digest()

    def _path(self) -> str:
        own = self.certificate.subject if self._has_certificate else ""
        return own if self._parent is None else f"{self._parent._path()}/{own}"

    def _name(self, common_name: str) -> x509.Name:
        attributes = [] if self._organization is None else [(NameOID.ORGANIZATION_NAME, self._organization)]
        try:
            return x509.Name(
                x509.NameAttribute(oid, value)
                for oid, value in (*attributes, (NameOID.COMMON_NAME, common_name[:64]))
            )
        except ValueError as error:
            raise ArgumentError(f"this cannot be a name ({error})", on=repr(common_name[:80])) from None

    def _window(
        self, days: int, not_before: datetime | None, not_after: datetime | None
    ) -> tuple[datetime, datetime]:
        now = utc(self._at)
        start = now if not_before is None else utc(not_before, "not_before")
        try:
            end = start + timedelta(days=days) if not_after is None else utc(not_after, "not_after")
        except OverflowError:
            raise ArgumentError("this lifetime ends after the year 9999", on=f"{days} days") from None
        if self._at is None and not_before is None:
            start -= timedelta(minutes=5)  # another machine's clock may be behind
        if end < start:
            if not_before is not None:
                raise ArgumentError(
                    "validity ends before it starts", on=f"{start} to {end}", hint="swap the two dates"
                )
            start = end - timedelta(days=days)
        return start, end

    def _sign(
        self,
        *,
        subject: x509.Name,
        public_key: CertificatePublicKeyTypes,
        extensions: Iterable[ExtraExtension],
        window: tuple[datetime, datetime],
    ) -> Certificate:
        issuer = self.certificate.raw.subject if self._has_certificate else subject
        if self._seed is None:
            serial = x509.random_serial_number()
        else:
            serial = int.from_bytes(self._stream("serial")[:16]) >> 1 | 1
        self._issued += 1
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public_key)
            .serial_number(serial)
            .not_valid_before(window[0])
            .not_valid_after(window[1])
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        raw = self.key.raw
        return Certificate(builder.sign(raw, hash_for(raw), ecdsa_deterministic=self._deterministic))

    def __repr__(self) -> str:
        kind = "root" if self._parent is None else f"below {self._parent.name}"
        return f"<CertificateAuthority {self.name}, {kind}, {self.key.algorithm}>"

    def _repr_html_(self) -> Html:
        return tag("div", self.certificate._repr_html_())


def self_signed(*names: str, usage: str, key: str | PrivateKey = "p256", days: int = 90) -> Credential:
    """Return a key with a certificate that it signed itself: issuer and subject are the same, and it is no CA.

    Nobody vouches for it. It is believed only where just this certificate is in the truststore (RFC 5280, 3.2).

    Parameters
    ----------
    *names, usage, key, days
        As for `CertificateAuthority.issue`.

    Raises
    ------
    ArgumentError
        As `CertificateAuthority.issue`.

    Examples
    --------
    >>> own = self_signed("Acme CRM", usage="client").certificate
    >>> own.is_self_signed, own.is_ca
    (True, False)
    """
    if not names:
        raise ArgumentError("a certificate needs a name", hint='self_signed("Acme CRM", usage="client")')
    # An authority of the same name and key: what it issues names itself as its issuer.
    own = CertificateAuthority(names[0], key=key, days=days)
    issued = own.issue(*names, usage=usage, key=own.key, days=days)
    return Credential(own.key, Chain((issued.certificate,)))
