"""Files out: keys, chains and trust anchors into a keystore of any format that certkit writes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from certkit._files import write_file
from certkit.certificates import Certificate
from certkit.chains import Chain, TrustStore
from certkit.credentials import Credential
from certkit.errors import ArgumentError, CredentialError
from certkit.formats.jks_write import write_jks
from certkit.formats.pbe_write import seal_pkcs8
from certkit.formats.pem import write_pem
from certkit.formats.pkcs7 import write_pkcs7
from certkit.formats.pkcs12_write import write_pkcs12
from certkit.formats.writing import Outgoing
from certkit.keys import PrivateKey

__all__ = ["FORMAT_OF_SUFFIX", "WRITTEN_FORMATS", "Storable", "format_for", "keystore_bytes", "save_keystore"]

Storable = Credential | Certificate | Chain | TrustStore | PrivateKey
"""What one name in a keystore can stand for."""

WRITTEN_FORMATS = ("pem", "der", "pkcs7", "pkcs12", "jks")
"""The formats that certkit writes."""

FORMAT_OF_SUFFIX = {
    ".pem": "pem",
    ".crt": "pem",
    ".key": "pem",
    ".der": "der",
    ".cer": "der",
    ".p7b": "pkcs7",
    ".p7c": "pkcs7",
    ".p12": "pkcs12",
    ".pfx": "pkcs12",
    ".jks": "jks",
    ".keystore": "jks",
    ".truststore": "jks",
}
"""The format that a new file's name asks for; for files that are read, the content decides."""


def format_for(path: str | os.PathLike[str], format: str | None) -> str:
    """Return the format to write: the one asked for, else by the file's name.

    Raises
    ------
    ArgumentError
        If it is none that certkit writes, or the name says nothing.

    Examples
    --------
    >>> format_for("client.p12", None), format_for("client", "jks")
    ('pkcs12', 'jks')
    """
    found = format or FORMAT_OF_SUFFIX.get(Path(path).suffix.lower())
    if found not in WRITTEN_FORMATS:
        raise ArgumentError(
            "this format is not written" if format else "the name does not say which format to write",
            on=repr(format or str(path)),
            hint="format= one of " + ", ".join(WRITTEN_FORMATS),
        )
    return found


def save_keystore(
    path: str | os.PathLike[str],
    contents: Storable | Mapping[str, Storable] | Iterable[Storable],
    password: str | None = None,
    *,
    format: str | None = None,
    legacy: bool = False,
    key_password: str | None = None,
    iterations: int | None = None,
    encoding: str | None = None,
    overwrite: bool = True,
) -> Path:
    """Write keys, chains and trust anchors into a file, and return its path.

    Parameters
    ----------
    path : path
        Where to; its suffix chooses the format unless `format` does. A file with a private key is
        readable by its owner only.
    contents : Credential, TrustStore, Certificate, Chain, PrivateKey, or a dict or list of them
        What to write; a dict gives each entry its alias.
    password : str, optional
        Seals the file. JKS and keys in PKCS#12 need one; PEM and DER keys are then encrypted. For a PKCS#12
        that Java 17 or older has to open, only ASCII: those garble other letters.
    format : {"pem", "der", "pkcs7", "pkcs12", "jks"}, optional
        Overrides the suffix.
    legacy : bool
        For PKCS#12: 3DES and SHA-1, weak and readable by everything.
    key_password : str, optional
        For JKS: a password of its own for every key.
    iterations : int, optional
        For PKCS#12: rounds of key derivation.
    encoding : {"der", "pem"}, optional
        For PKCS#7: DER, the default, or the same between BEGIN and END lines.
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    ArgumentError
        If the contents do not fit the format, or a password is missing.
    CredentialError
        If a key without certificate is to go where Java wants a chain.
    FileError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from certkit.authority import CertificateAuthority
    >>> from certkit.keystores import load_keystore
    >>> shop = CertificateAuthority("Lab Root").issue("shop.example.test", usage="server")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save_keystore(f"{folder}/shop.p12", {"shop": shop}, "changeit")
    ...     load_keystore(path, "changeit")
    <Keystore PKCS#12: 1 private key>
    """
    chosen = format_for(path, format)
    data = keystore_bytes(
        contents,
        password,
        format=chosen,
        legacy=legacy,
        key_password=key_password,
        iterations=iterations,
        encoding=encoding,
    )
    return write_file(path, data, secret=_has_key(contents), overwrite=overwrite)


def keystore_bytes(
    contents: Storable | Mapping[str, Storable] | Iterable[Storable],
    password: str | None = None,
    *,
    format: str = "pkcs12",
    legacy: bool = False,
    key_password: str | None = None,
    iterations: int | None = None,
    encoding: str | None = None,
) -> bytes:
    """Return the bytes that `save_keystore` writes; the parameters are the same.

    Raises
    ------
    ArgumentError, CredentialError
        As `save_keystore`.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> keystore_bytes(CertificateAuthority("Lab Root").certificate, "changeit", format="jks")[:4].hex()
    'feedfeed'
    """
    entries = [_with_password(entry, key_password) for entry in _outgoing(contents)]
    return outgoing_bytes(
        entries, password, format=format, legacy=legacy, iterations=iterations, encoding=encoding
    )


def _with_password(entry: Outgoing, key_password: str | None) -> Outgoing:
    if key_password is None or entry.key is None:
        return entry
    return replace(entry, key_password=key_password)


def outgoing_bytes(
    entries: Sequence[Outgoing],
    password: str | None,
    *,
    format: str,
    legacy: bool = False,
    iterations: int | None = None,
    encoding: str | None = None,
) -> bytes:
    """Return entries as a file of one format."""
    _check_encoding(format, encoding)
    if not entries:
        raise ArgumentError(
            "there is nothing to write", hint="give a credential, a truststore or certificates"
        )
    if format in {"jks", "pkcs12"}:
        _check_aliases(entries)
    if format == "jks":
        return _jks(entries, password)
    if format == "pkcs12":
        return write_pkcs12(entries, password, legacy=legacy, iterations=iterations)
    if format == "pem":
        return _pem(entries, password)
    if format == "pkcs7":
        return _pkcs7(entries, encoding or "der")
    return _der_bytes(entries, password)


def _jks(entries: Sequence[Outgoing], password: str | None) -> bytes:
    if password is None:
        raise ArgumentError("a JKS is written with a password", hint='password="…"')
    for entry in entries:
        if entry.key is not None and not entry.certificates:
            raise CredentialError(
                "a JKS holds no private key without its certificate",
                on=entry.alias or None,
                hint="give a Credential: the key and its chain",
                cause="missing-intermediate",
                kind="key-without-chain",
            )
    return write_jks(entries, password)


def _pem(entries: Sequence[Outgoing], password: str | None) -> bytes:
    blocks = []
    for entry in entries:
        if entry.key is not None:
            secret = entry.key_password if entry.key_password is not None else password
            label = "PRIVATE KEY" if secret is None else "ENCRYPTED PRIVATE KEY"
            blocks.append(write_pem(label, _sealed(entry.key, secret), entry.alias))
        names = (entry.alias, *[""] * len(entry.certificates))
        blocks += [
            write_pem("CERTIFICATE", der, name) for der, name in zip(entry.certificates, names, strict=False)
        ]
    return "".join(blocks).encode("utf-8", "replace")


def _sealed(pkcs8: bytes, password: str | None) -> bytes:
    return pkcs8 if password is None else seal_pkcs8(pkcs8, password)


def _check_encoding(format: str, encoding: str | None) -> None:
    if encoding is None or (format == "pkcs7" and encoding in {"der", "pem"}):
        return
    if format == "pkcs7":
        raise ArgumentError("there is no such encoding", on=repr(encoding), hint='encoding="der" or "pem"')
    raise ArgumentError(
        f"only PKCS#7 is written in two encodings, and this is {format}",
        on=f"encoding={encoding!r}",
        hint='leave it out, or format="pkcs7"',
    )


def _pkcs7(entries: Sequence[Outgoing], encoding: str) -> bytes:
    if any(entry.key is not None for entry in entries):
        raise ArgumentError("PKCS#7 holds certificates, no private key", hint='format="pkcs12"')
    data = write_pkcs7([der for entry in entries for der in entry.certificates])
    return data if encoding == "der" else write_pem("PKCS7", data).encode("ascii")


def _der_bytes(entries: Sequence[Outgoing], password: str | None) -> bytes:
    things = [len(entry.certificates) + (entry.key is not None) for entry in entries]
    if sum(things) != 1:
        raise ArgumentError(
            f"a DER file holds one certificate or one key, and these are {sum(things)}",
            hint='format="pem" or "pkcs12" for several',
        )
    entry = entries[things.index(1)]
    return entry.certificates[0] if entry.key is None else _sealed(entry.key, password)


def _check_aliases(entries: Sequence[Outgoing]) -> None:
    seen: set[str] = set()
    for entry in entries:
        name = entry.alias.lower()
        if name in seen and name:
            raise ArgumentError(
                "two entries have the same alias (Java does not tell capitals apart)",
                on=repr(entry.alias),
                hint="give each its own name",
            )
        seen.add(name)


def _has_key(contents: object) -> bool:
    if isinstance(contents, Mapping):
        return any(_has_key(item) for item in contents.values())
    if isinstance(contents, list | tuple):
        return any(_has_key(item) for item in contents)
    return isinstance(contents, Credential | PrivateKey)


def _outgoing(contents: object) -> list[Outgoing]:
    if isinstance(contents, Mapping):
        return [entry for alias, item in contents.items() for entry in _entries(item, str(alias))]
    if isinstance(contents, Credential | Certificate | Chain | TrustStore | PrivateKey):
        return unique(_entries(contents, ""))
    if isinstance(contents, Iterable) and not isinstance(contents, str | bytes):
        return unique([entry for item in contents for entry in _entries(item, "")])
    raise ArgumentError(
        "this cannot be written into a keystore",
        on=type(contents).__name__,
        hint="give a Credential, TrustStore, Certificate, Chain or PrivateKey, or a dict of them",
    )


def _entries(item: object, alias: str) -> list[Outgoing]:
    match item:
        case Credential():
            ders = tuple(certificate.der for certificate in item.chain)
            return [Outgoing(alias or alias_for(item.certificate), ders, item.key.to_der())]
        case PrivateKey():
            return [Outgoing(alias or "key", (), item.to_der())]
        case Certificate():
            return [Outgoing(alias or alias_for(item), (item.der,), trusted=True)]
        case TrustStore() | Chain():
            trusted = isinstance(item, TrustStore)
            return [
                Outgoing(
                    f"{alias}-{number}" if alias else alias_for(certificate),
                    (certificate.der,),
                    trusted=trusted,
                )
                for number, certificate in enumerate(item, 1)
            ]
    raise ArgumentError(
        "this cannot be written into a keystore",
        on=type(item).__name__,
        hint="give a Credential, TrustStore, Certificate, Chain or PrivateKey, or a dict of them",
    )


def alias_for(certificate: Certificate) -> str:
    """Return an alias made of a certificate's name, as keytool users write them.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> alias_for(CertificateAuthority("Lab Root").certificate)
    'lab-root'
    """
    return "-".join(certificate.name.lower().split())[:60]


def unique(entries: Sequence[Outgoing]) -> list[Outgoing]:
    """Return the entries with a number after each alias that was there before."""
    seen: dict[str, int] = {}
    found = []
    for entry in entries:
        alias = entry.alias
        while alias and alias.lower() in seen:
            seen[entry.alias.lower()] += 1
            alias = f"{entry.alias}-{seen[entry.alias.lower()]}"
        seen[alias.lower()] = 1
        found.append(replace(entry, alias=alias))
    return found
