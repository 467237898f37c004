"""`convert`: one file into another format, with an account of what was kept, renamed, changed or lost."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from certkit._files import Source, write_file
from certkit._html import Html, badge, table, tag
from certkit._text import count, visible
from certkit.certificates import Certificate
from certkit.chains import Chain
from certkit.errors import ArgumentError, CredentialError, FormatError
from certkit.formats.items import FORMAT_NAMES, SealedKey
from certkit.formats.open_key import open_key
from certkit.formats.pkcs12 import FRIENDLY_NAME, LOCAL_KEY_ID
from certkit.formats.writing import Outgoing
from certkit.keys import PrivateKey
from certkit.keystores.entries import WORDS, KeyEntry, OtherEntry, TrustedCertificateEntry
from certkit.keystores.keystore import Keystore, chain_for
from certkit.keystores.loading import load_keystore
from certkit.keystores.saving import alias_for, format_for, outgoing_bytes, unique

__all__ = ["Conversion", "Fate", "convert"]

_FATES = {"kept": "good", "renamed": "neutral", "changed": "warning", "lost": "bad"}


@dataclass(frozen=True)
class Fate:
    """What became of one thing.

    Attributes
    ----------
    what : str
        The thing, e.g. ``"private key 'client'"``.
    fate : str
        ``"kept"``, ``"renamed"``, ``"changed"`` or ``"lost"``.
    why : str
        The reason; empty for what was kept.
    detail : bool
        Whether it is a detail of an entry, such as its date, and not the entry itself.
    """

    what: str
    fate: str
    why: str = ""
    detail: bool = False


@dataclass(frozen=True)
class Conversion:
    """A finished conversion: where it went, and what became of each thing.

    Attributes
    ----------
    source_format, format : str
        From what to what.
    path : Path
        The new file.
    fates : tuple of Fate
        In file order.
    keystore : Keystore
        The new file, loaded again: the proof.
    """

    source_format: str
    format: str
    path: Path
    fates: tuple[Fate, ...]
    keystore: Keystore

    @property
    def ok(self) -> bool:
        """Whether every entry came through; details such as dates may be lost all the same."""
        return all(item.detail for item in self.lost)

    def _of(self, fate: str) -> tuple[Fate, ...]:
        return tuple(item for item in self.fates if item.fate == fate)

    @property
    def kept(self) -> tuple[Fate, ...]:
        """What came through as it was."""
        return self._of("kept")

    @property
    def renamed(self) -> tuple[Fate, ...]:
        """What has another alias now."""
        return self._of("renamed")

    @property
    def changed(self) -> tuple[Fate, ...]:
        """What means something else now."""
        return self._of("changed")

    @property
    def lost(self) -> tuple[Fate, ...]:
        """What the new format cannot hold."""
        return self._of("lost")

    def __bool__(self) -> bool:
        raise TypeError("a conversion is neither true nor false: ask .ok")

    def __str__(self) -> str:
        head = f"{FORMAT_NAMES[self.source_format]} to {FORMAT_NAMES[self.format]}: {self.path}"
        lines = [f"  {item.fate}: {item.what}{': ' + item.why if item.why else ''}" for item in self.fates]
        return "\n".join((head, *lines))

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(self._of(fate))} {fate}" for fate in _FATES if self._of(fate))
        return f"<Conversion {FORMAT_NAMES[self.source_format]} to {FORMAT_NAMES[self.format]}: {counts}>"

    def _repr_html_(self) -> Html:
        rows = [(badge(_FATES[item.fate], item.fate), item.what, item.why) for item in self.fates]
        caption = f"{FORMAT_NAMES[self.source_format]} to {FORMAT_NAMES[self.format]}, loaded again as proof"
        return tag("div", table(("fate", "what", "why"), rows, caption=caption, limit=25))


@dataclass(slots=True)
class _Job:
    """What one conversion knows and has written down so far."""

    store: Keystore
    format: str
    key_passwords: str | Mapping[str, str] | None
    new_password: str | None
    fates: list[Fate]

    def note(self, what: str, fate: str, why: str = "") -> None:
        self.fates.append(Fate(what, fate, why))

    def detail(self, what: str, fate: str, why: str) -> None:
        self.fates.append(Fate(what, fate, why, detail=True))

    def summed(self) -> tuple[Fate, ...]:
        """Return the fates; more than five for one reason become one line."""
        groups: dict[tuple[str, str], list[Fate]] = {}
        for item in self.fates:
            groups.setdefault((item.fate, item.why or item.what), []).append(item)
        found: list[Fate] = []
        for group in groups.values():
            if len(group) > 5:
                found.append(replace(group[0], what=f"{group[0].what} and {len(group) - 1:,} more"))
            else:
                found += group
        return tuple(found)


def convert(
    source: Source,
    destination: str | os.PathLike[str],
    password: str | None = None,
    *,
    new_password: str | None = None,
    key_password: str | Mapping[str, str] | None = None,
    alias: str | None = None,
    format: str | None = None,
    legacy: bool = False,
    iterations: int | None = None,
    encoding: str | None = None,
    overwrite: bool = False,
) -> Conversion:
    """Write a file's entries in another format, load the result again, and say what became of each.

    Parameters
    ----------
    source : path, bytes or PEM text
        The file to read, of any format.
    destination : path
        The file to write; its suffix chooses the format unless `format` does.
    password : str, optional
        Of the source.
    new_password : str, optional
        Of the new file; the same as the source's by default.
    key_password : str or dict, optional
        Of the source's keys, where they have their own: one for all, or alias to password.
    alias : str, optional
        Take this entry only.
    format : str, optional
        Overrides the suffix.
    legacy, iterations, encoding
        As `save_keystore`.
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    CertkitError
        If the source cannot be read or opened, nothing in it fits the new format, or the new file
        cannot be written. Nothing is left behind then.

    Examples
    --------
    >>> import tempfile
    >>> from certkit.authority import CertificateAuthority
    >>> shop = CertificateAuthority("Lab Root").issue("shop.example.test", usage="server")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pem = shop.key.to_pem() + shop.chain.pem.encode()
    ...     print(convert(pem, f"{folder}/shop.p12", new_password="changeit"))
    PEM to PKCS#12: ...shop.p12
      kept: private key 'shop.example.test' with its chain of 1
    """
    chosen = format_for(destination, format)
    store = load_keystore(source, password)
    if alias is not None:
        store = replace(store, entries=(store[alias],))
    secret = new_password if new_password is not None else password
    job = _Job(store, chosen, key_password, secret, [])
    entries = _collect(job)
    if chosen in {"jks", "pkcs12"}:
        entries = _named(job, entries)
    elif chosen in {"pkcs7", "der"}:
        _note_names(job)
    data = outgoing_bytes(
        entries, secret, format=chosen, legacy=legacy, iterations=iterations, encoding=encoding
    )
    again = load_keystore(data, secret)
    _account(job, entries, again, secret)
    path = write_file(
        destination, data, secret=any(entry.key is not None for entry in entries), overwrite=overwrite
    )
    return Conversion(store.format, chosen, path, job.summed(), replace(again, source=str(path)))


def _collect(job: _Job) -> list[Outgoing]:
    """Return what goes over; write down what does not."""
    entries: list[Outgoing] = []
    pairs = [_pair(job, entry) for entry in job.store.keys]
    tied = {certificate.sha256 for _, chain in pairs for certificate in chain}
    waiting = iter(pairs)
    for entry in job.store.entries:
        if isinstance(entry, KeyEntry):
            entries += _key(job, entry, *next(waiting))
        elif isinstance(entry, OtherEntry):
            job.note(
                f"{WORDS[entry.kind]} {_shown(entry.alias)}".strip(),
                "lost",
                str(entry.error)
                if entry.error
                else f"{FORMAT_NAMES[job.format]} as written here holds no such thing",
            )
        elif isinstance(entry, TrustedCertificateEntry) or entry.certificate.sha256 not in tied:
            entries.append(_certificate(job, entry.alias, entry.certificate, entry))
    if not entries:
        raise ArgumentError(
            f"nothing in this file fits into {FORMAT_NAMES[job.format]}",
            on=job.store.summary,
            hint="certkit inspect FILE, to see what is in it",
        )
    return entries


def _pair(job: _Job, entry: KeyEntry) -> tuple[PrivateKey, Chain]:
    """Return a key, opened, and its chain: in PEM the two lie apart and belong together by their public key."""
    key = _open(job, entry)
    if job.store.format in {"pem", "der"}:
        return key, chain_for(key, job.store.certificates, all_of_it=False)
    return key, entry.chain


def _shown(alias: str) -> str:
    return repr(visible(alias, 60)) if alias else ""


def _open(job: _Job, entry: KeyEntry) -> PrivateKey:
    own = job.key_passwords.get(entry.alias) if isinstance(job.key_passwords, Mapping) else job.key_passwords
    key = open_key(entry.sealed, own if own is not None else job.store.password, check=False)
    if entry.chain and entry.chain.leaf.spki_sha256 != key.spki_sha256:
        raise CredentialError(
            "this key is not the key of its certificate",
            on=_shown(entry.alias) or None,
            hint="find the key that the request was made with",
            cause="key-cert-mismatch",
            kind="key-cert-mismatch",
        )
    return key


def _key(job: _Job, entry: KeyEntry, key: PrivateKey, chain: Chain) -> list[Outgoing]:
    ders = tuple(certificate.der for certificate in chain)
    alias = entry.alias or (alias_for(chain.leaf) if chain else "key")
    name = f"private key {_shown(alias)}"
    if job.format == "pkcs7" or (job.format == "der" and ders):
        job.note(name, "lost", f"{FORMAT_NAMES[job.format]} holds certificates; the key stays where it is")
        if job.format == "pkcs7":
            return [Outgoing("", (der,)) for der in ders]
        if len(ders) > 1:
            job.note(
                f"{count(len(ders) - 1, 'issuer')} in the chain of {_shown(alias)}",
                "lost",
                "DER holds one thing",
            )
        return [Outgoing("", ders[:1])]
    created = None if entry.created is None else int(entry.created.timestamp() * 1000)
    _note_attributes(job, entry, name)
    if job.key_passwords is not None and job.new_password is not None:
        job.detail(f"password of {name}", "changed", "it is the new file's password now")
    if job.format in {"pem", "der"} and job.new_password is None:
        job.note(
            f"protection of {name}", "changed", "it lies in the clear in the new file: give new_password"
        )
    if job.format in {"jks", "pkcs12"} and key.algorithm.startswith("ML-DSA"):
        job.note(name, "changed", "written as a seed (RFC 9881): Java 25 does not read that form yet")
    return [Outgoing(alias, ders, key.to_der(), created=created)]


def _note_attributes(job: _Job, entry: KeyEntry, name: str) -> None:
    more = [oid for oid, _ in entry.attributes if oid not in {FRIENDLY_NAME, LOCAL_KEY_ID}]
    if more:
        job.detail(f"attributes of {name}", "lost", ", ".join(more[:5]))
    if entry.created is not None and job.format in {"pem", "der"}:
        job.detail(f"creation date of {name}", "lost", f"{FORMAT_NAMES[job.format]} has none")


def _certificate(job: _Job, alias: str, certificate: Certificate, entry: object) -> Outgoing:
    trusted = isinstance(entry, TrustedCertificateEntry)
    name = f"certificate {_shown(alias or alias_for(certificate))}"
    if trusted and job.format in {"pem", "der", "pkcs7"}:
        job.detail(
            f"trust mark of {name}", "lost", f"{FORMAT_NAMES[job.format]} marks no trust: its use decides"
        )
    if not trusted and job.format == "jks":
        job.note(name, "changed", "it is a trusted certificate now: a JKS has no other kind")
        trusted = True
    if not trusted and job.format == "pkcs12" and not job.store.keys:
        job.note(name, "changed", "it is marked as trusted now: without the mark Java would not see it")
        trusted = True
    created = entry.created if isinstance(entry, TrustedCertificateEntry) else None
    if created is not None and job.format != "jks":
        job.detail(
            f"creation date of {name}", "lost", f"{FORMAT_NAMES[job.format]} has none for certificates"
        )
    milliseconds = None if created is None else int(created.timestamp() * 1000)
    return Outgoing(
        alias or alias_for(certificate), (certificate.der,), trusted=trusted, created=milliseconds
    )


def _named(job: _Job, entries: list[Outgoing]) -> list[Outgoing]:
    """Return the entries with aliases that the format can hold; write down each new one."""
    lower = job.format == "jks"
    wanted = [replace(entry, alias=entry.alias.lower() if lower else entry.alias) for entry in entries]
    named = unique(wanted)
    known = set(job.store.aliases)
    for before, after in zip(entries, named, strict=True):
        if before.alias != after.alias and before.alias in known:
            why = (
                "a JKS is searched in lower case only"
                if before.alias.lower() == after.alias
                else "another entry has that alias (capitals do not count)"
            )
            job.note(_shown(before.alias), "renamed", f"to {_shown(after.alias)}: {why}")
    return named


def _note_names(job: _Job) -> None:
    for entry in job.store.entries:
        if entry.alias:
            job.detail(f"alias {_shown(entry.alias)}", "lost", f"{FORMAT_NAMES[job.format]} has no names")


def _account(job: _Job, entries: list[Outgoing], again: Keystore, secret: str | None) -> None:
    """Compare what was to go over with what is there, loaded again; write it down."""
    there = {certificate.sha256 for certificate in again.certificates}
    found = {open_key(entry.sealed, secret, check=False).spki_sha256: entry for entry in again.keys}
    for entry in entries:
        certificates = [Certificate.from_der(der) for der in entry.certificates]
        missing = [certificate.name for certificate in certificates if certificate.sha256 not in there]
        key = None if entry.key is None else _public(entry)
        if missing or (key is not None and key not in found):
            raise FormatError("the new file does not hold what was written", on=_shown(entry.alias))
        if key is None:
            label = entry.alias or alias_for(certificates[0])
            job.note(f"certificate {_shown(label)}", "kept")
            continue
        job.note(f"private key {_shown(entry.alias)} with its chain of {len(certificates)}", "kept")
        _account_chain(job, entry, found[key])
    before, now = [entry.alias for entry in entries], [alias for alias in again.aliases if alias]
    if job.format == "pkcs12" and sorted(before) == sorted(now) and before != now:
        job.detail("order of the entries", "changed", "PKCS#12 keeps certificates and keys in separate safes")


def _account_chain(job: _Job, entry: Outgoing, again: KeyEntry) -> None:
    if job.format != "pkcs12" or not entry.certificates:
        return
    if tuple(certificate.der for certificate in again.chain) != entry.certificates:
        job.detail(
            f"chain of {_shown(entry.alias)}",
            "changed",
            f"{len(entry.certificates)} before and {len(again.chain)} now: PKCS#12 keeps no chains, each reader "
            "puts them together by issuer",
        )


def _public(entry: Outgoing) -> str:
    return open_key(SealedKey("pkcs8", entry.key or b"", False), check=False).spki_sha256
