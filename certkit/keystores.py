"""`Keystore`: what a file of keys and certificates holds, whatever its format.

Keystore and truststore are roles, not formats: the same file can be either. What one side presents comes
from `Keystore.credential`, what it believes from `Keystore.trust_store`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from certkit._files import Source, read_source
from certkit._html import Html, badge, details, join, table, tag
from certkit._text import count, visible
from certkit.certificates import Certificate
from certkit.chains import Chain, TrustStore
from certkit.credentials import Credential
from certkit.errors import ArgumentError, CertkitError, CredentialError, FormatError
from certkit.formats.items import FORMAT_NAMES, Contents, Item, SealedKey
from certkit.formats.open_key import open_key
from certkit.formats.sniff import read_contents
from certkit.keys import PrivateKey

__all__ = [
    "CertificateEntry",
    "Entry",
    "KeyEntry",
    "Keystore",
    "OtherEntry",
    "TrustedCertificateEntry",
    "load_certificate",
    "load_certificates",
    "load_credential",
    "load_keystore",
    "load_private_key",
]


class _Secret:
    """A password that no repr, traceback or pickle shows."""

    __slots__ = ("_text",)

    def __init__(self, text: str | None) -> None:
        self._text = text

    def reveal(self) -> str | None:
        return self._text

    def __repr__(self) -> str:
        return "<hidden>"

    def __reduce__(self) -> tuple[type[_Secret], tuple[None]]:
        return (_Secret, (None,))


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
    """

    alias: str
    chain: Chain
    sealed: SealedKey = field(repr=False)
    created: datetime | None = None

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


Entry = KeyEntry | TrustedCertificateEntry | CertificateEntry | OtherEntry

_WORDS = {
    "private-key": "private key",
    "trusted-certificate": "trusted certificate",
    "certificate": "certificate",
    "crl": "certificate revocation list",
    "certificate-request": "certificate signing request",
    "public-key": "public key",
    "secret-key": "secret key",
    "other": "something else",
    "damaged": "damaged",
}


@dataclass(frozen=True)
class Keystore:
    """The entries of a file, in file order; private keys are still sealed.

    Attributes
    ----------
    entries : tuple of entries
        `KeyEntry`, `TrustedCertificateEntry`, `CertificateEntry` or `OtherEntry`.
    format : str
        ``"pem"``, ``"der"``, ``"pkcs7"``, ``"pkcs12"``, ``"jks"`` or ``"jceks"``: found by content.
    encoding : str
        ``"binary"``, ``"PEM"`` or ``"base64"``.
    source : str
        Where it was read from, for messages.
    protection : str
        Ciphers and integrity check in words; empty for formats without.
    integrity : str
        ``"verified"``, ``"not checked"`` or ``"none"``.
    notes : tuple of str
        What a reader of this file should know.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> root = CertificateAuthority("Lab Root")
    >>> load_keystore(root.certificate.der)
    <Keystore DER: 1 certificate>
    """

    entries: tuple[Entry, ...]
    format: str = "pem"
    encoding: str = "binary"
    source: str = ""
    protection: str = ""
    integrity: str = "none"
    notes: tuple[str, ...] = ()
    _password: _Secret = field(default_factory=lambda: _Secret(None), repr=False, compare=False)

    @property
    def format_name(self) -> str:
        """The format as the field writes it, and how it is encoded."""
        name = FORMAT_NAMES.get(self.format, self.format)
        if self.encoding == "PEM" and self.format != "pem":
            return f"{name} in PEM"
        return f"{name} in base64" if self.encoding == "base64" else name

    @property
    def keys(self) -> tuple[KeyEntry, ...]:
        """The entries that hold a private key."""
        return tuple(entry for entry in self.entries if isinstance(entry, KeyEntry))

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """Every certificate, chains included, in file order."""
        found: list[Certificate] = []
        for entry in self.entries:
            if isinstance(entry, KeyEntry):
                found += entry.chain
            elif isinstance(entry, TrustedCertificateEntry | CertificateEntry):
                found.append(entry.certificate)
        return tuple(found)

    @property
    def aliases(self) -> tuple[str, ...]:
        """The name of each entry, in file order."""
        return tuple(entry.alias for entry in self.entries)

    def __getitem__(self, alias: str) -> Entry:
        for same in (str.__eq__, _same_alias):
            for entry in self.entries:
                if same(entry.alias, alias):
                    return entry
        raise ArgumentError(
            "no entry has this alias",
            on=repr(visible(str(alias), 80)),
            hint="one of " + (_listed(self.aliases) or "none: it is empty"),
        )

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def credential(self, alias: str | None = None, password: str | None = None) -> Credential:
        """Return a key with its chain, ready to present.

        Parameters
        ----------
        alias : str, optional
            Which entry; may be left out if there is just one key.
        password : str, optional
            The key's own password; the keystore's by default.

        Raises
        ------
        CredentialError
            If there is no key, no certificate for it, or the two do not match.
        PasswordError
            If the key is encrypted and the password is missing or wrong.

        Examples
        --------
        >>> from certkit.authority import CertificateAuthority
        >>> shop = CertificateAuthority("Lab Root").issue("shop.example.test", usage="server")
        >>> load_keystore(shop.key.to_pem() + shop.chain.pem.encode()).credential()
        <Credential shop.example.test, EC 256 bits, chain of 1>
        """
        entry = self._key_entry(alias)
        key = entry.open(password if password is not None else self._password.reveal())
        chain = entry.chain
        if not chain and self.format in {"pem", "der"}:
            chain = _chain_for(key, self.certificates)
        if not chain:
            raise self._no_certificate(key)
        return Credential(key, chain)

    def _key_entry(self, alias: str | None) -> KeyEntry:
        if alias is not None:
            entry = self[alias]
            if not isinstance(entry, KeyEntry):
                raise CredentialError(
                    f"this entry is a {_WORDS[entry.kind]}, not a private key",
                    on=repr(visible(alias, 80)),
                    hint="name a key entry: " + (_listed(key.alias for key in self.keys) or "there is none"),
                    cause="private-key-missing",
                    kind="certificate-without-key",
                )
            return entry
        if not self.keys:
            raise self._no_key()
        if len(self.keys) > 1:
            raise ArgumentError(
                f"there are {len(self.keys)} keys in it: say which",
                on=self.source or None,
                hint=f"credential({self.keys[0].alias!r}), or another of {_listed(key.alias for key in self.keys)}",
            )
        return self.keys[0]

    def _no_key(self) -> CredentialError:
        if any(isinstance(entry, TrustedCertificateEntry) for entry in self.entries):
            return CredentialError(
                "this is a truststore: it holds certificates of others and no private key",
                on=self.source or None,
                hint="give the keystore, the file with the private key entry",
                cause="private-key-missing",
                kind="truststore-not-keystore",
            )
        return CredentialError(
            f"there is no private key in this file, only {self._summary()}",
            on=self.source or None,
            hint="the key stayed where the request (CSR) was made: export a PKCS#12 there",
            cause="private-key-missing",
            kind="certificate-without-key",
        )

    def _no_certificate(self, key: PrivateKey) -> CredentialError:
        if self.certificates:
            return CredentialError(
                "none of the certificates in this file is for its private key",
                on=f"public key {key.spki_sha256[:8]}…",
                hint="find the certificate that was issued for this key's request",
                cause="key-cert-mismatch",
                kind="key-cert-mismatch",
            )
        return CredentialError(
            "there is a private key and no certificate in this file",
            on=self.source or None,
            hint="add the leaf and its intermediates: load_credential(certificates, key)",
            cause="missing-intermediate",
            kind="key-without-chain",
        )

    def trust_store(self, label: str = "") -> TrustStore:
        """Return the trust anchors: trusted certificates, or every certificate of a file without roles.

        Raises
        ------
        CredentialError
            If there is none: a file with nothing but keys trusts nobody.
        """
        trusted = [entry for entry in self.entries if isinstance(entry, TrustedCertificateEntry)]
        plain = [entry for entry in self.entries if isinstance(entry, CertificateEntry)]
        entries: list[TrustedCertificateEntry | CertificateEntry] = [*(trusted or plain)]
        if not entries:
            has = "a key and its chain" if self.keys else self._summary()
            raise CredentialError(
                f"this file holds no trusted certificate, only {has}",
                on=self.source or None,
                hint="give the truststore; a key's own chain is not trusted by being there",
                cause="truststore-missing-or-empty",
                kind="keystore-not-truststore",
            )
        return TrustStore((entry.certificate for entry in entries), label)

    def _summary(self) -> str:
        kinds = [entry.kind for entry in self.entries]
        return (
            ", ".join(count(kinds.count(kind), _WORDS[kind]) for kind in _WORDS if kind in kinds) or "nothing"
        )

    def __repr__(self) -> str:
        return f"<Keystore {self.format_name}: {self._summary()}>"

    def _repr_html_(self) -> Html:
        rows = [
            (entry.alias or "(none)", _WORDS[entry.kind], _entry_text(entry), _entry_dates(entry))
            for entry in self.entries[:21]
        ]
        rows += [("", "", "", "")] * (len(self.entries) - len(rows))
        parts = [
            table(
                ("alias", "entry", "what", "validity"),
                rows,
                caption=f"{self.format_name}: {self._summary()}",
                limit=20,
            )
        ]
        if self.protection:
            parts.append(tag("p", join([_integrity_badge(self.integrity), " ", self.protection])))
        if self.notes:
            parts.append(
                details("What to know about it", tag("ul", *(tag("li", note) for note in self.notes)))
            )
        return tag("div", *parts)


def _integrity_badge(integrity: str) -> Html:
    status = {"verified": "good", "not checked": "warning"}.get(integrity, "neutral")
    word = {"verified": "unchanged", "not checked": "integrity not checked"}.get(
        integrity, "no integrity check"
    )
    return badge(status, word)


def _entry_text(entry: Entry) -> str:
    if isinstance(entry, KeyEntry):
        return f"{entry.chain.leaf.subject}, chain of {len(entry.chain)}" if entry.chain else "no certificate"
    if isinstance(entry, OtherEntry):
        return str(entry.error) if entry.error is not None else entry.what
    return entry.certificate.subject or entry.certificate.name


def _entry_dates(entry: Entry) -> object:
    certificate = None if isinstance(entry, OtherEntry) else entry.certificate
    return "" if certificate is None else certificate.validity_badge()


def _same_alias(one: str, other: str) -> bool:
    # Java compares aliases without regard to case.
    return one.casefold() == other.casefold()


def _listed(aliases: object) -> str:
    names = [repr(visible(alias, 40)) for alias in aliases]  # type: ignore[attr-defined]
    return ", ".join(names[:6]) + (", …" if len(names) > 6 else "")


def _chain_for(key: PrivateKey, certificates: tuple[Certificate, ...]) -> Chain:
    """Return the chain of a PEM file: the key's certificate first, the others as they come."""
    for index, certificate in enumerate(certificates):
        if certificate.spki_sha256 == key.spki_sha256:
            return Chain((certificate, *certificates[:index], *certificates[index + 1 :]))
    return Chain(())


def load_keystore(source: Source, password: str | None = None) -> Keystore:
    """Return what a file holds: keystore, truststore, bundle or a single certificate, of any format.

    Parameters
    ----------
    source : path, bytes or PEM text
        The file. Its name says nothing; the format is found by content.
    password : str, optional
        The keystore's password. Without it, JKS, JCEKS and unencrypted PKCS#12 are listed all the
        same, and whether they were changed is not checked. Private keys are never opened here.

    Raises
    ------
    FileError
        If it cannot be read.
    FormatError
        If it is no known format, or damaged; the message says how.
    PasswordError
        If the password is missing or wrong.

    Examples
    --------
    >>> load_keystore(b"<html><body>404 Not Found</body></html>")
    Traceback (most recent call last):
    certkit.errors.FormatError: this is a web page, not a certificate: ...
    """
    data, name = read_source(source)
    try:
        contents = read_contents(data, password)
    except CertkitError as error:
        if error.on is None:
            error.on = name
        raise
    return _keystore(contents, name, password)


def _keystore(contents: Contents, name: str, password: str | None) -> Keystore:
    return Keystore(
        tuple(_entry(item) for item in contents.items),
        contents.format,
        contents.encoding,
        name,
        contents.protection,
        contents.integrity,
        contents.notes,
        _Secret("" if contents.empty_password else password),
    )


def _entry(item: Item) -> Entry:
    alias = item.alias or ""
    try:
        created = _moment(item.created)
        if item.kind == "private-key" and item.key is not None:
            return KeyEntry(alias, Chain(Certificate.from_der(der) for der in item.chain), item.key, created)
        if item.kind == "trusted-certificate":
            return TrustedCertificateEntry(alias, Certificate.from_der(item.data), created)
        if item.kind == "certificate":
            return CertificateEntry(alias, Certificate.from_der(item.data))
    except FormatError as error:
        return OtherEntry(alias, "damaged", item.label or item.kind, error=error)
    return OtherEntry(alias, item.kind, item.label or _WORDS[item.kind], item.data, item.error)


def _moment(milliseconds: int | None) -> datetime | None:
    if milliseconds is None or not 0 <= milliseconds < 253_402_300_800_000:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).replace(microsecond=0)


def load_certificates(source: Source, password: str | None = None) -> tuple[Certificate, ...]:
    """Return every certificate of a file, in file order, chains of keys included.

    Parameters
    ----------
    source : path, bytes or PEM text
        The file, of any format.
    password : str, optional
        The keystore's password, for files that are sealed.

    Raises
    ------
    FileError, FormatError, PasswordError
        If the file cannot be read, is no known format or is damaged, or is sealed.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> issuing = CertificateAuthority("Lab Root").intermediate("Lab Issuing CA")
    >>> [certificate.name for certificate in load_certificates(issuing.chain.pem)]
    ['Lab Issuing CA']
    """
    store = load_keystore(source, password)
    for entry in store.entries:
        if isinstance(entry, OtherEntry) and entry.error is not None:
            raise entry.error
    if not store.certificates:
        raise FormatError(
            f"there is no certificate in it, only {store._summary()}",
            on=store.source,
            hint="certkit inspect FILE, to see what it is",
            cause="wrong-file-format",
            kind="no-certificate",
        )
    return store.certificates


def load_certificate(source: Source, password: str | None = None) -> Certificate:
    """Return the first certificate of a file; see `load_certificates` for all of them.

    Parameters
    ----------
    source : path, bytes or PEM text
        The file, of any format.
    password : str, optional
        The keystore's password, for files that are sealed.

    Raises
    ------
    FileError, FormatError, PasswordError
        If the file cannot be read, is no known format or is damaged, or is sealed.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> load_certificate(CertificateAuthority("Lab Root").certificate.pem).name
    'Lab Root'
    """
    return load_certificates(source, password)[0]


def load_private_key(source: Source, password: str | None = None) -> PrivateKey:
    """Return the private key of a file: PKCS#8, PKCS#1, SEC 1, OpenSSH, or out of a keystore with one key.

    Raises
    ------
    CredentialError
        If there is no private key in it.
    PasswordError
        If it is encrypted and the password is missing or wrong.

    Examples
    --------
    >>> from certkit.keys import generate_key
    >>> key = generate_key()
    >>> load_private_key(key.to_pem("secret"), "secret").spki_sha256 == key.spki_sha256
    True
    """
    store = load_keystore(source, password)
    return store._key_entry(None).open(password)


def load_credential(source: Source, key: Source | None = None, password: str | None = None) -> Credential:
    """Return key and chain from one file, or from two: the certificates, and the key.

    Parameters
    ----------
    source : path, bytes or PEM text
        A keystore or PEM file with both; or the certificates, leaf first, if `key` is given.
    key : path, bytes or PEM text, optional
        The private key's file.
    password : str, optional
        Of the keystore, or of the key.

    Raises
    ------
    CredentialError
        If key or certificate is missing, or they do not match.
    PasswordError
        If the password is missing or wrong.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> shop = CertificateAuthority("Lab Root").issue("shop.example.test", usage="server")
    >>> load_credential(shop.chain.pem, shop.key.to_pem())
    <Credential shop.example.test, EC 256 bits, chain of 1>
    """
    if key is None:
        return load_keystore(source, password).credential()
    return Credential(load_private_key(key, password), Chain(load_certificates(source)))
