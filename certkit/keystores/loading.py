"""Files in: `load_keystore` and its shorter forms."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime

from certkit._files import Source, read_source
from certkit.certificates import Certificate, certificate_of
from certkit.chains import Chain
from certkit.credentials import Credential
from certkit.errors import CertkitError, FormatError
from certkit.formats.items import Contents, Item
from certkit.formats.sniff import read_contents
from certkit.keys import PrivateKey
from certkit.keystores.entries import (
    WORDS,
    CertificateEntry,
    Entry,
    KeyEntry,
    OtherEntry,
    TrustedCertificateEntry,
)
from certkit.keystores.explaining import other_facts
from certkit.keystores.keystore import Keystore, Secret

__all__ = ["load_certificate", "load_certificates", "load_credential", "load_keystore", "load_private_key"]


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
    with warnings.catch_warnings():
        # Once for all of them: what a warning would say of old certificates, the findings say.
        warnings.simplefilter("ignore")
        entries = tuple(_entry(item) for item in contents.items)
    return Keystore(
        entries,
        contents.format,
        contents.encoding,
        name,
        contents.protection,
        contents.integrity,
        contents.notes,
        Secret("" if contents.empty_password else password),
    )


def _entry(item: Item) -> Entry:
    alias = item.alias or ""
    try:
        created = _moment(item.created)
        if item.kind == "private-key" and item.key is not None:
            chain = Chain(certificate_of(der) for der in item.chain)
            return KeyEntry(alias, chain, item.key, created, item.attributes)
        if item.kind == "trusted-certificate":
            return TrustedCertificateEntry(alias, certificate_of(item.data), created)
        if item.kind == "certificate":
            return CertificateEntry(alias, certificate_of(item.data))
        other = OtherEntry(alias, item.kind, item.label or WORDS[item.kind], item.data, item.error)
        if other.error is None:
            other_facts(other)
    except FormatError as error:
        return OtherEntry(alias, "damaged", item.label or item.kind, error=error)
    return other


def _moment(milliseconds: int | None) -> datetime | None:
    if milliseconds is None or not 0 <= milliseconds < 253_402_300_800_000:
        return None
    return datetime.fromtimestamp(milliseconds // 1000, UTC)


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
            f"there is no certificate in it, only {store.summary}",
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
    return store.key_entry().open(password)


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
