"""Java's own keystores, JKS and JCEKS: certificates in the clear, keys sealed, one digest over all.

There is no public standard: the layout is the one that ``sun.security.provider.JavaKeyStore`` reads.
Header: magic, version, count. An entry: tag, alias, milliseconds since 1970, then a trusted certificate
(2), a private key with its chain (1) or, in JCEKS, a sealed secret key (3). The last 20 bytes are SHA-1
over the password, a constant and everything before.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from certkit.errors import FormatError, PasswordError
from certkit.formats.items import Contents, Item, SealedKey
from certkit.formats.limits import check_count
from certkit.formats.serialized import skip_object

__all__ = ["JCEKS_MAGIC", "JKS_MAGIC", "MAGICS", "digest", "read_jks"]

JKS_MAGIC = bytes.fromhex("feedfeed")
JCEKS_MAGIC = bytes.fromhex("cececece")
MAGICS = {JKS_MAGIC: "jks", JCEKS_MAGIC: "jceks"}

_WHITENER = b"Mighty Aphrodite"
_DIGEST_BYTES = 20
# The shortest entry: tag, empty alias, date, empty certificate type and certificate.
_SMALLEST_ENTRY = 4 + 2 + 8 + 2 + 4


def digest(body: bytes, password: str) -> bytes:
    """Return the digest that ends a JKS or JCEKS file."""
    seed = password.encode("utf-16-be", "surrogatepass") + _WHITENER
    return hashlib.sha1(seed + body, usedforsecurity=False).digest()


@dataclass(slots=True)
class _Cursor:
    data: bytes
    end: int
    at: int = 0

    def take(self, size: int) -> bytes:
        if size < 0 or self.at + size > self.end:
            raise FormatError(
                f"the keystore ends early: {size:,} bytes announced, {self.end - self.at:,} there",
                on=f"offset {self.at:,}",
                hint="copy the file again, in binary mode",
                cause="tampered-or-corrupt",
                kind="truncated",
            )
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size))

    def text(self) -> str:
        return modified_utf8(self.take(self.number(2)))


def modified_utf8(data: bytes) -> str:
    r"""Return Java's ``readUTF`` text: NUL as C0 80, other planes as surrogate pairs.

    Raises
    ------
    FormatError
        If it is no such text.

    Examples
    --------
    >>> modified_utf8(b"a\xc0\x80b")
    'a\x00b'
    """
    if data.isascii():
        return data.decode("ascii")
    try:
        text = data.replace(b"\xc0\x80", b"\0").decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        raise FormatError(
            "an alias in this keystore is no text",
            on=data[:20].hex(" "),
            cause="tampered-or-corrupt",
            kind="bad-alias",
        ) from None
    return text.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace")


def read_jks(data: bytes, password: str | None = None) -> Contents:
    """Return the entries of a JKS or JCEKS file; private keys stay sealed.

    Parameters
    ----------
    data : bytes
        The file.
    password : str, optional
        The store password. Without it the entries are listed all the same, because certificates lie
        in the clear; whether the file was changed is then not known.

    Raises
    ------
    FormatError
        If it is no such file, or is cut short or changed.
    LimitError
        If it claims more entries than any real file.
    PasswordError
        If the digest does not match: a wrong password and a changed file look the same here.
    """
    kind = MAGICS.get(data[:4])
    if kind is None:
        raise FormatError("this is no JKS or JCEKS keystore", on=data[:4].hex(" "), cause="wrong-file-format")
    cursor = _Cursor(data, max(len(data) - _DIGEST_BYTES, 0), 4)
    version, count = cursor.number(4), cursor.number(4)
    if version not in {1, 2}:
        raise FormatError(
            f"this {kind.upper()} keystore has version {version}, and only 1 and 2 exist",
            cause="tampered-or-corrupt",
            kind="bad-version",
        )
    check_count(count)
    if count * _SMALLEST_ENTRY > cursor.end - cursor.at:
        raise FormatError(
            f"this keystore claims {count:,} entries, more than its {len(data):,} bytes can hold",
            hint="copy the file again, in binary mode",
            cause="tampered-or-corrupt",
            kind="truncated",
        )
    items = tuple(_entry(cursor, kind, version) for _ in range(count))
    if cursor.at != cursor.end:
        raise FormatError(
            f"{cursor.end - cursor.at:,} bytes are left over after the last entry",
            cause="tampered-or-corrupt",
            kind="trailing-data",
        )
    return Contents(
        kind,
        "binary",
        items,
        protection="SHA-1 digest over password and file",
        integrity=_integrity(data, password),
        notes=_notes(password),
    )


def _integrity(data: bytes, password: str | None) -> str:
    if password is None:
        return "not checked"
    if not hmac.compare_digest(digest(data[:-_DIGEST_BYTES], password), data[-_DIGEST_BYTES:]):
        raise PasswordError(
            "wrong password, or the file was changed: in this format the two look the same",
            hint="try the password again; without one, the certificates are listed unchecked",
            cause="wrong-password",
            kind="wrong-password-or-tampered",
        )
    return "verified"


def _notes(password: str | None) -> tuple[str, ...]:
    if password is not None:
        return ()
    return (
        "No password was given: the certificates are listed, but that nothing was changed is not checked.",
    )


def _entry(cursor: _Cursor, kind: str, version: int) -> Item:
    start = cursor.at
    tag, alias, created = cursor.number(4), cursor.text(), cursor.number(8)
    if tag == 2:
        return Item("trusted-certificate", _certificate(cursor, version), alias, created=created)
    if tag == 1:
        sealed = cursor.take(cursor.number(4))
        count = cursor.number(4)
        check_count(count, "certificates in a chain")
        chain = tuple(_certificate(cursor, version) for _ in range(count))
        protection = "Sun's XOR with SHA-1" if kind == "jks" else "sealed by Java"
        return Item("private-key", b"", alias, chain, SealedKey(kind, sealed, True, protection), created)
    if tag == 3 and kind == "jceks":
        cursor.at = skip_object(cursor.data, cursor.at, cursor.end)
        return Item("secret-key", b"", alias, created=created, label="sealed Java object")
    raise FormatError(
        f"an entry of this keystore has the unknown tag {tag}",
        on=f"offset {start:,}",
        cause="tampered-or-corrupt",
        kind="bad-tag",
    )


def _certificate(cursor: _Cursor, version: int) -> bytes:
    kind = cursor.text() if version == 2 else "X.509"
    der = cursor.take(cursor.number(4))
    if kind not in {"X.509", "X509"}:
        raise FormatError(
            "this keystore holds a certificate that is not X.509",
            on=repr(kind[:40]),
            cause="tampered-or-corrupt",
            kind="bad-certificate-type",
        )
    return der
