"""`Keystore`: the entries of a file, whatever its format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from certkit._html import Html, badge, details, fitting, join, table, tag
from certkit._text import count, visible
from certkit.certificates import Certificate
from certkit.chains import Chain, TrustStore
from certkit.credentials import Credential
from certkit.errors import ArgumentError, CredentialError
from certkit.formats.items import FORMAT_NAMES
from certkit.keys import PrivateKey
from certkit.keystores.entries import (
    WORDS,
    CertificateEntry,
    Entry,
    KeyEntry,
    OtherEntry,
    TrustedCertificateEntry,
)

__all__ = ["Keystore", "Secret", "chain_for"]

E = TypeVar("E", KeyEntry, Entry)


class Secret:
    """A password that no repr, traceback or pickle shows."""

    __slots__ = ("_text",)

    def __init__(self, text: str | None) -> None:
        self._text = text

    def reveal(self) -> str | None:
        """Return the password."""
        return self._text

    def __repr__(self) -> str:
        return "<hidden>"

    def __reduce__(self) -> tuple[type[Secret], tuple[None]]:
        return (Secret, (None,))


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
    >>> from certkit.keystores import load_keystore
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
    _password: Secret = field(default_factory=lambda: Secret(None), repr=False, compare=False)

    @property
    def format_name(self) -> str:
        """The format as the field writes it, and how it is encoded."""
        name = FORMAT_NAMES.get(self.format, self.format)
        if self.encoding == "PEM" and self.format != "pem":
            return f"{name} in PEM"
        return f"{name} in base64" if self.encoding == "base64" else name

    @property
    def password(self) -> str | None:
        """The password that it was opened with; it shows in no output. None if there was none."""
        return self._password.reveal()

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
        found = _named(self.entries, alias)
        if found is not None:
            return found
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
        >>> from certkit.keystores import load_keystore
        >>> shop = CertificateAuthority("Lab Root").issue("shop.example.test", usage="server")
        >>> load_keystore(shop.key.to_pem() + shop.chain.pem.encode()).credential()
        <Credential shop.example.test, EC 256 bits, chain of 1>
        """
        entry = self.key_entry(alias)
        key = entry.open(password if password is not None else self.password)
        chain = entry.chain
        if not chain and self.format in {"pem", "der"}:
            chain = chain_for(key, self.certificates, all_of_it=len(self.keys) == 1)
        if not chain:
            raise self._no_certificate(key)
        return Credential(key, chain)

    def key_entry(self, alias: str | None = None) -> KeyEntry:
        """Return the entry of a private key, still sealed; the only one if no alias is given.

        Raises
        ------
        CredentialError
            If there is no private key, or that entry holds none.
        ArgumentError
            If there are several and no alias is given.
        """
        if alias is not None:
            # A key and a certificate may share a name in PKCS#12: here the key is meant.
            entry = _named(self.keys, alias) or self[alias]
            if not isinstance(entry, KeyEntry):
                raise CredentialError(
                    f"this entry is a {WORDS[entry.kind]}, not a private key",
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
            f"there is no private key in this file, only {self.summary}",
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
            has = "a key and its chain" if self.keys else self.summary
            raise CredentialError(
                f"this file holds no trusted certificate, only {has}",
                on=self.source or None,
                hint="give the truststore; a key's own chain is not trusted by being there",
                cause="truststore-missing-or-empty",
                kind="keystore-not-truststore",
            )
        return TrustStore((entry.certificate for entry in entries), label)

    @property
    def summary(self) -> str:
        """What is in it, counted: ``"1 private key, 2 certificates"``."""
        kinds = [entry.kind for entry in self.entries]
        return (
            ", ".join(count(kinds.count(kind), WORDS[kind]) for kind in WORDS if kind in kinds) or "nothing"
        )

    def __repr__(self) -> str:
        return f"<Keystore {self.format_name}: {self.summary}>"

    def _repr_html_(self) -> Html:
        return fitting(self._html(most) for most in (20, 8, 3, 1))

    def _html(self, most: int) -> Html:
        rows: list[tuple[object, ...]] = [
            (
                visible(entry.alias, 80) or "(none)",
                WORDS[entry.kind],
                visible(_entry_text(entry), 160),
                _entry_dates(entry),
            )
            for entry in self.entries[: most + 1]
        ]
        rows += [("", "", "", "")] * (len(self.entries) - len(rows))
        caption = f"{self.format_name}: {self.summary}"
        parts = [table(("alias", "entry", "what", "validity"), rows, caption=caption, limit=most)]
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


def _named(entries: Sequence[E], alias: str) -> E | None:
    for same in (str.__eq__, _same_alias):
        for entry in entries:
            if same(entry.alias, alias):
                return entry
    return None


def _same_alias(one: str, other: str) -> bool:
    # Java compares aliases without regard to case.
    return one.casefold() == other.casefold()


def _listed(aliases: Iterable[str]) -> str:
    names = [repr(visible(alias, 40)) for alias in aliases]
    return ", ".join(names[:6]) + (", …" if len(names) > 6 else "")


def chain_for(key: PrivateKey, certificates: tuple[Certificate, ...], *, all_of_it: bool) -> Chain:
    """Return the chain of a key in a file without entries, such as PEM.

    Parameters
    ----------
    key : PrivateKey
        The key, opened.
    certificates : tuple of Certificate
        All of the file, in file order.
    all_of_it : bool
        Whether every other certificate follows the leaf, in file order, as a server sends them; else only
        its issuers, one after the other.
    """
    for index, certificate in enumerate(certificates):
        if certificate.spki_sha256 == key.spki_sha256:
            others = (*certificates[:index], *certificates[index + 1 :])
            return Chain((certificate, *(others if all_of_it else _issuers(certificate, others))))
    return Chain(())


def _issuers(certificate: Certificate, others: tuple[Certificate, ...]) -> list[Certificate]:
    by_subject = {other.subject_der: other for other in reversed(others)}
    found: list[Certificate] = []
    while not certificate.is_self_issued and certificate.issuer_der in by_subject:
        certificate = by_subject.pop(certificate.issuer_der)
        found.append(certificate)
    return found
