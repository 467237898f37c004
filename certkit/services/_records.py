"""TLS records as somebody in between sees them: what can be read, and what only has a size."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from certkit.handshakes import _names
from certkit.handshakes._recording import ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE
from certkit.handshakes.messages import open_alert, open_message

__all__ = ["SeenRecord", "looks_like_tls", "read_records"]


@dataclass(frozen=True)
class SeenRecord:
    """One TLS record on the wire (RFC 8446, 5.1).

    Attributes
    ----------
    connection : int
        The number of the connection, from 1.
    sender : {"client", "server"}
        Who sent it.
    type : str
        The content type on the outside; in TLS 1.3 everything encrypted looks like application data.
    version : str
        The version field; TLS 1.3 writes 1.2 there, for old boxes in between (RFC 8446, 5.1).
    length : int
        The bytes after the 5-byte header.
    readable : bool
        Whether somebody in between can read it.
    says : str
        What it says, if it is readable.
    """

    connection: int
    sender: str
    type: str
    version: str
    length: int
    readable: bool
    says: str


def looks_like_tls(data: bytes) -> bool:
    """Return whether a stream begins as TLS does: a handshake or alert record of version 3.x.

    Examples
    --------
    >>> looks_like_tls(bytes.fromhex("16030102000100")), looks_like_tls(b"POST /users HTTP/1.1")
    (True, False)
    """
    return len(data) >= 3 and data[0] in {ALERT, HANDSHAKE} and data[1] == 3 and data[2] <= 4


def read_records(connection: int, pieces: Iterable[tuple[str, bytes]]) -> list[SeenRecord]:
    """Return the records of one connection in the order in which they were complete.

    Parameters
    ----------
    connection : int
        Its number, for the records.
    pieces : iterable of (str, bytes)
        Sender and bytes, as they crossed.
    """
    pending = {"client": b"", "server": b""}
    encrypting: set[str] = set()
    tls13 = False
    found: list[SeenRecord] = []
    for sender, data in pieces:
        buffer = pending[sender] + data
        while len(buffer) >= 5 and len(buffer) >= (end := 5 + int.from_bytes(buffer[3:5], "big")):
            found.append(_seen(connection, sender, buffer[:end], sender in encrypting, tls13))
            tls13 = tls13 or found[-1].says.startswith("ServerHello: TLS 1.3")
            if buffer[0] == CHANGE_CIPHER_SPEC:
                encrypting.add(sender)
            buffer = buffer[end:]
        pending[sender] = buffer
    return found


def _seen(connection: int, sender: str, record: bytes, encrypted: bool, tls13: bool) -> SeenRecord:
    kind, body = record[0], record[5:]
    readable = kind != APPLICATION_DATA and not (encrypted and kind in {HANDSHAKE, ALERT})
    return SeenRecord(
        connection,
        sender,
        _names.RECORD_TYPES.get(kind, f"type {kind}"),
        _names.VERSIONS.get(int.from_bytes(record[1:3], "big"), record[1:3].hex()),
        len(body),
        readable,
        _says(sender, kind, body, tls13) if readable else "",
    )


def _says(sender: str, kind: int, body: bytes, tls13: bool) -> str:
    if kind == CHANGE_CIPHER_SPEC:
        return "means nothing in TLS 1.3 (RFC 8446, D.4)" if tls13 else "from here on I encrypt"
    if kind == ALERT:
        return open_alert(sender, body, encrypted=False).summary
    said = []
    while kind == HANDSHAKE and len(body) >= 4:
        end = 4 + int.from_bytes(body[1:4], "big")
        # Only TLS 1.2 and older send more than the two hellos in the clear.
        message = open_message(sender, body[:end], encrypted=False, tls13=False)
        said.append(f"{message.name}: {message.summary}")
        body = body[end:]
    return "; ".join(said)
