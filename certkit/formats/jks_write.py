"""Writing JKS (the layout is in `certkit.formats.jks`)."""

from __future__ import annotations

import time
from collections.abc import Iterable

from certkit.errors import ArgumentError
from certkit.formats.jks import JKS_MAGIC, digest
from certkit.formats.jks_keys import seal_jks
from certkit.formats.writing import Outgoing

__all__ = ["write_jks"]

_LONGEST_ALIAS = 0xFFFF


def write_jks(entries: Iterable[Outgoing], password: str) -> bytes:
    """Return a JKS file, version 2.

    Parameters
    ----------
    entries : iterable of Outgoing
        Aliases are written in lower case: Java lists an alias with capitals and then cannot find it.
    password : str
        Ends up in the digest, and seals each key that has no password of its own.

    Raises
    ------
    ArgumentError
        If an alias is longer than the format can say.
    """
    now = int(time.time() * 1000)
    body = [_entry(entry, password, now) for entry in entries]
    content = JKS_MAGIC + (2).to_bytes(4) + len(body).to_bytes(4) + b"".join(body)
    return content + digest(content, password)


def _entry(entry: Outgoing, password: str, now: int) -> bytes:
    created = (now if entry.created is None else entry.created).to_bytes(8)
    head = _text(entry.alias.lower()) + created
    if entry.key is None:
        return (2).to_bytes(4) + head + _certificate(entry.certificates[0])
    secret = password if entry.key_password is None else entry.key_password
    sealed = seal_jks(entry.key, secret)
    chain = b"".join(_certificate(der) for der in entry.certificates)
    count = len(entry.certificates).to_bytes(4)
    return (1).to_bytes(4) + head + len(sealed).to_bytes(4) + sealed + count + chain


def _certificate(der: bytes) -> bytes:
    return _text("X.509") + len(der).to_bytes(4) + der


def _text(text: str) -> bytes:
    # Java's writeUTF: each UTF-16 unit by itself, NUL as two bytes.
    units = text.encode("utf-16-be", "surrogatepass")
    encoded = b"".join(
        chr(int.from_bytes(units[at : at + 2])).encode("utf-8", "surrogatepass")
        for at in range(0, len(units), 2)
    ).replace(b"\0", b"\xc0\x80")
    if len(encoded) > _LONGEST_ALIAS:
        raise ArgumentError(
            "this alias is longer than a JKS can hold",
            on=f"{len(encoded):,} bytes",
            hint=f"at most {_LONGEST_ALIAS:,} bytes",
        )
    return len(encoded).to_bytes(2) + encoded
