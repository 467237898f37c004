"""The exchange folder: what lies there is looked at, and a private key is refused, coming and going."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from certkit._files import iso, make_folder, read_source, write_file
from certkit._html import Html, badge, table
from certkit._text import count, visible
from certkit.certificates import Certificate
from certkit.errors import (
    ArgumentError,
    CertkitError,
    CredentialError,
    FormatError,
    LimitError,
    PasswordError,
)
from certkit.formats.sniff import read_contents
from certkit.services.soap import parse_envelope

__all__ = ["Exchange", "Letter", "kind_of_letter"]

MAX_BYTES = 1_048_576
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_WSDL = "http://schemas.xmlsoap.org/wsdl/"
_KEY_TEXT = re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY|PuTTY-User-Key-File|<RSAKeyValue>")
_WORDS = {
    "certificate": "certificate",
    "trusted-certificate": "certificate",
    "certificate-request": "request for a certificate",
    "crl": "revocation list",
}
"""What companies trade, by the kind of an item in a file."""


def kind_of_letter(data: bytes) -> str:
    """Return what a file is, in words, if it is one that companies trade.

    Certificates and chains (PEM, DER, PKCS#7), truststores (PEM, PKCS#7, JKS), requests (PKCS#10), revocation
    lists, and a service's description (WSDL 1.1). The content decides, never the name.

    Raises
    ------
    CredentialError
        If a private or secret key is in it.
    PasswordError
        If it is sealed: nobody can see that there is no key in it.
    FormatError
        If it is something else.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> kind_of_letter(CertificateAuthority("Lab Root").certificate.pem.encode())
    '1 certificate: Lab Root'
    """
    if _KEY_TEXT.search(data):
        raise _key()
    if data.lstrip()[:1] == b"<":
        root = parse_envelope(data)
        if (root.namespace, root.local) != (_WSDL, "definitions"):
            raise FormatError(
                "this XML is no service description", on=root.local[:40], hint="a WSDL 1.1 file"
            )
        return "a service's description (WSDL)"
    try:
        items = read_contents(data).items
    except PasswordError:
        raise PasswordError(
            "this keystore is sealed, so nobody can see whether a private key is in it",
            hint="send certificates as PEM or PKCS#7 (.p7b): they need no password",
        ) from None
    kinds = [item.kind for item in items]
    if "private-key" in kinds or "secret-key" in kinds:
        raise _key()
    strange = [kind for kind in kinds if kind not in _WORDS]
    if strange or not kinds:
        raise FormatError(
            "this is no file that companies trade",
            on=", ".join(strange) or "nothing is in it",
            hint="a certificate, a chain, a truststore, a request or a WSDL",
        )
    counted = Counter(_WORDS[kind] for kind in kinds)
    said = ", ".join(count(number, word) for word, number in counted.items())
    names = [Certificate.from_der(item.data).name for item in items if _WORDS[item.kind] == "certificate"]
    return f"{said}: {visible(' ← '.join(names))}" if names else said


def _key() -> CredentialError:
    return CredentialError(
        "a private key is in this file, and a private key never leaves its company",
        hint="send the certificate, the chain or the request; if it was really sent, make a new key",
        kind="private-key-traded",
    )


@dataclass(frozen=True)
class Letter:
    """A file in the exchange folder.

    Attributes
    ----------
    name : str
        Its name.
    kind : str
        What it is, in words; empty if it is refused.
    written : datetime
        When, in UTC.
    refused : str
        Why it is not taken; empty if it is.
    """

    name: str
    kind: str
    written: datetime
    refused: str = ""


@dataclass(frozen=True)
class Exchange:
    """The folder that both companies can see: their mailbox, as it were.

    Attributes
    ----------
    folder : Path
        Where. Everybody who can read it reads everything in it, so nothing secret may be there.
    """

    folder: Path

    @classmethod
    def at(cls, folder: str | os.PathLike[str]) -> Exchange:
        """Return the exchange in a folder, made if need be.

        Raises
        ------
        FileError
            If the folder cannot be made.
        """
        return cls(make_folder(Path(folder), hint="name another, e.g. my-files/exchange"))

    def _path(self, name: str) -> Path:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ArgumentError(
                "this is no name of a file in the exchange folder",
                on=repr(name)[:60],
                hint="a plain name, e.g. orders-root-ca.pem",
            )
        return self.folder / name

    def send(self, name: str, data: bytes) -> Path:
        """Put a file into the folder, for the other company.

        Raises
        ------
        CredentialError, PasswordError, FormatError
            As `kind_of_letter`: then nothing is written.
        FileError
            If it cannot be written.
        """
        path = self._path(name)
        if len(data) > MAX_BYTES:
            raise LimitError(
                f"this file has {len(data):,} bytes, and nobody takes more than {MAX_BYTES:,}", on=name
            )
        kind_of_letter(data)
        write_file(path, data)
        # It is meant for the other user of a hub, whatever this one's umask is; nothing secret gets here.
        path.chmod(0o644)
        return path

    def has(self, name: str) -> bool:
        """Return whether a file of that name is there."""
        return self._path(name).is_file()

    def take(self, name: str) -> bytes:
        """Return a file's bytes, if it is one that companies trade.

        Raises
        ------
        CredentialError, PasswordError, FormatError
            As `kind_of_letter`.
        FileError
            If it is not there.
        """
        data = read_source(self._path(name), limit=MAX_BYTES)[0]
        kind_of_letter(data)
        return data

    def letters(self) -> tuple[Letter, ...]:
        """Return what lies there, oldest first; what must not be there is named, with the reason."""
        paths = [item for item in self.folder.iterdir() if item.is_file() and not item.name.startswith(".")]
        found = []
        for path in paths:
            written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            try:
                kind = kind_of_letter(read_source(path, limit=MAX_BYTES)[0])
                found.append(Letter(path.name, kind, written))
            except CertkitError as error:
                found.append(Letter(path.name, "", written, error.what))
        return tuple(sorted(found, key=lambda item: (item.written, item.name)))

    def _repr_html_(self) -> Html:
        rows = [
            (
                badge("bad" if item.refused else "good", "refused" if item.refused else "fine"),
                item.name,
                item.refused or item.kind,
                iso(item.written.replace(microsecond=0)),
            )
            for item in self.letters()
        ]
        caption = f"The exchange folder {self.folder}: {count(len(rows), 'file')}"
        return table(("", "file", "what it is", "written"), rows, caption=caption)
