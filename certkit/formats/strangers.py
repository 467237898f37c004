"""Files that are none of ours, named by their first bytes: what they are and what to do with them."""

from __future__ import annotations

import re

from certkit import _der
from certkit._text import visible
from certkit.errors import FormatError

__all__ = ["is_bcfks", "stranger"]

_TO_PKCS12 = "keytool -importkeystore -srckeystore FILE -destkeystore NEW.p12 -deststoretype PKCS12"
_BOUNCY = f"with Bouncy Castle's provider on the class path: {_TO_PKCS12} -srcstoretype "

# First bytes, kind, what it is, what to do.
_MAGICS: tuple[tuple[bytes, str, str, str], ...] = (
    (
        b"7H\3\2",
        "kdb",
        "this is a KDB key database (IBM GSKit, CMS)",
        "runmqakm -cert -export -db FILE.kdb -stashed -label NAME -target NEW.p12 -target_type pkcs12",
    ),
    (
        b"SQLite format 3\0",
        "nss-database",
        "this is an SQLite database, as NSS (Firefox, cert9.db) keeps its certificates in",
        "pk12util -d sql:FOLDER -n NAME -o NEW.p12, or certutil -d sql:FOLDER -L",
    ),
    (
        b"\0\0\0\0CERT",
        "serialized-store",
        "this is a serialized certificate store of Windows (.sst)",
        "import it in certmgr.msc and export a .p7b or .pfx",
    ),
    (
        bytes.fromhex("1ef1b5b0"),
        "pvk",
        "this is a PVK private key of Windows",
        "openssl rsa -inform PVK -in FILE -out NEW.key",
    ),
    (
        b"PuTTY-User-Key-File",
        "putty-key",
        "this is a private key of PuTTY",
        "puttygen FILE -O private-openssh",
    ),
    (
        b"ssh-",
        "ssh-public-key",
        "this is an SSH public key, not a certificate",
        "ssh-keygen -e -m PKCS8 -f FILE",
    ),
    (
        b"ecdsa-sha2-",
        "ssh-public-key",
        "this is an SSH public key, not a certificate",
        "ssh-keygen -e -m PKCS8",
    ),
    (b"PK\3\4", "zip", "this is a ZIP archive (a .jar and a .docx are, too)", "unpack it: unzip FILE"),
    (b"\x1f\x8b", "gzip", "this is a gzip archive", "unpack it: gunzip FILE, or tar xzf FILE"),
    (b"%PDF", "pdf", "this is a PDF document", "ask its sender for the certificate as a file of its own"),
    (
        b"version https://git-lfs",
        "git-lfs-pointer",
        "this is a Git LFS pointer: the file itself was not fetched",
        "git lfs pull",
    ),
    (b"\x7fELF", "program", "this is a program", "give the certificate or keystore"),
    (b"MZ", "program", "this is a Windows program", "give the certificate or keystore"),
)
_JSON = re.compile(rb"[\[{]\s*([\[{\"\]}]|-?\d)")
_HTML = (b"<!doctype html", b"<html", b"<head", b"<body", b"<!-- ")


def _wrong(what: str, hint: str, kind: str) -> FormatError:
    return FormatError(what, hint=hint, cause="wrong-file-format", kind=kind)


def stranger(data: bytes) -> FormatError:
    r"""Return the error that names a file of another kind, as well as its first bytes allow.

    Examples
    --------
    >>> stranger(b"PK\x03\x04").kind
    'zip'
    """
    for magic, kind, what, hint in _MAGICS:
        if data.startswith(magic):
            return _wrong(what, hint, kind)
    if data[:8] in _BOUNCY_HEADS:
        return _bouncy(data)
    if is_bcfks(data):
        return _wrong("this is a BCFKS keystore (Bouncy Castle, FIPS)", _BOUNCY + "BCFKS", "bcfks")
    return _text(data) or _wrong(
        "this is no certificate, key or keystore that certkit knows",
        "certkit reads PEM, DER, PKCS#7, PKCS#12, JKS and JCEKS; "
        f"this begins with {data[:8].hex(' ')} ({visible(data[:24].decode('latin-1'), 60)})",
        "unknown-format",
    )


# Version and the length of the salt: BKS has version 1 or 2, UBER has 1.
_BOUNCY_HEADS = (b"\0\0\0\1\0\0\0\x14", b"\0\0\0\2\0\0\0\x14")


def _bouncy(data: bytes) -> FormatError:
    """Return which of Bouncy Castle's two it is: after salt and rounds BKS has an entry's type, UBER noise."""
    if data[3] == 2 or (data[32:33] <= b"\4" and data[33:34] in {b"", b"\0"}):
        return _wrong("this is a BKS keystore (Bouncy Castle)", _BOUNCY + "BKS", "bks")
    return _wrong("this is a UBER keystore (Bouncy Castle)", _BOUNCY + "UBER", "uber")


def _text(data: bytes) -> FormatError | None:
    start = data[:512].lstrip().lower()
    if start.startswith(_HTML):
        return _wrong(
            "this is a web page, not a certificate: a download ended on an error or a login page",
            "open it in a browser to read what it says, then fetch the file itself",
            "html-page",
        )
    if start.startswith((b"<?xml", b"<")):
        return _wrong("this is XML, not a certificate", "look inside: it may hold base64 to cut out", "xml")
    if _JSON.match(start) is not None:
        return _wrong(
            "this is JSON, not a certificate: an answer of a service, or its error",
            "read what it says; a certificate in it stands as text with \\n to make real",
            "json",
        )
    return None


def is_bcfks(data: bytes) -> bool:
    """Return whether this is a BCFKS ObjectStore: sealed data, then an integrity check."""
    try:
        parts = _der.read(data).children()
        first = parts[0].children()
        return (
            len(parts) == 2
            and parts[0].tag == parts[1].tag == _der.SEQUENCE
            and [part.tag for part in first] == [_der.SEQUENCE, _der.OCTET_STRING]
        )
    except (FormatError, IndexError):
        return False
