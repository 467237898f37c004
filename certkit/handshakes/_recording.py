"""Records what both ends of a handshake say; the only module that touches ``_msg_callback``.

``SSLContext._msg_callback`` is private to CPython. Where it is missing, the records on the wire are
read instead: then everything up to the first encrypted record is known, and the rest is shown as
encrypted records of a size.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from certkit.handshakes import _names
from certkit.handshakes.messages import Message, open_alert, open_message

HAS_MESSAGE_CALLBACK = hasattr(ssl.SSLContext, "_msg_callback")

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = 20, 21, 22, 23
SERVER_HELLO, FINISHED = 2, 20


def watch(context: ssl.SSLContext, heard: Callable[[object, str, int, bytes], None]) -> bool:
    """Have `context` tell of every message on its real sockets, read and written; for the services.

    Parameters
    ----------
    context : ssl.SSLContext
        Of one connection or of many.
    heard : callable
        Gets the connection (the ``SSLSocket``), ``"read"`` or ``"write"``, the content type, the message.

    Returns
    -------
    bool
        False where this Python has no message callback: then `heard` is never called.
    """
    if not HAS_MESSAGE_CALLBACK:
        return False

    def tell(connection: object, direction: str, _: object, content: int, __: object, data: bytes) -> None:
        heard(connection, direction, int(content), bytes(data))

    context._msg_callback = tell  # type: ignore[attr-defined]
    return True


def hand_over(context: ssl.SSLContext, other: ssl.SSLContext) -> None:
    """Have `other` tell whoever listens to `context`: for a connection that changes its context (SNI)."""
    if HAS_MESSAGE_CALLBACK:
        other._msg_callback = context._msg_callback  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Record:
    """One TLS record as it crossed (RFC 8446, 5.1).

    Attributes
    ----------
    sender : {"client", "server"}
        Who sent it.
    type : str
        The content type on the outside; in TLS 1.3 encrypted handshake messages look like application data.
    data : bytes
        The whole record with its 5-byte header.
    """

    sender: str
    type: str
    data: bytes = field(repr=False)


class Recorder:
    """Collects the messages of one handshake, in the order in which they were sent."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.alerts: dict[tuple[str, str], int] = {}
        self.tls13 = False
        self.encrypting: set[str] = set()
        self.calls_back = HAS_MESSAGE_CALLBACK
        self._wire: list[tuple[str, bytes]] = []

    def attach(self, context: ssl.SSLContext, side: str, *, alone: bool = False) -> None:
        """Have `context` tell this recorder about each message it writes, and each alert it reads.

        With `alone`, the other side cannot be attached: what `context` reads stands for what that one writes.
        """
        other = "server" if side == "client" else "client"

        def heard(_: object, direction: str, content: int, data: bytes) -> None:
            if content == ALERT and len(data) == 2:
                self.alerts[side, "sent" if direction == "write" else "received"] = data[1]
            if content not in {CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE}:
                return
            if direction == "write":
                self._message(side, content, data)
            elif alone:
                if data[:1] == bytes([FINISHED]):
                    # A ChangeCipherSpec that is read is not reported; in TLS 1.2 this is what follows it.
                    self.encrypting.add(other)
                self._message(other, content, data)

        watch(context, heard)

    def crossed(self, sender: str, data: bytes) -> None:
        """Note bytes that went from one side to the other."""
        if data:
            self._wire.append((sender, data))

    def application_data(self, sender: str, size: int) -> None:
        """Note application data, which has no handshake message of its own."""
        if self.calls_back:
            words = f"{size} bytes that nobody in between can read"
            self.messages.append(Message(sender, "ApplicationData", b"", size, True, note=words))

    def _message(self, sender: str, content: int, data: bytes) -> None:
        encrypted = sender in self.encrypting
        if content == CHANGE_CIPHER_SPEC:
            self._change_cipher_spec(sender, data)
            return
        if content == ALERT:
            self.messages.append(open_alert(sender, data, encrypted=encrypted))
            return
        message = open_message(sender, data, encrypted=encrypted, tls13=self.tls13)
        self.messages.append(message)
        if data[:1] == bytes([SERVER_HELLO]):
            self.tls13 = ("supported_versions", "TLS 1.3") in message.fields
            if self.tls13 and not message.summary.startswith("cannot"):
                # From here on both sides have the handshake keys (RFC 8446, 2).
                self.encrypting |= {"client", "server"}

    def _change_cipher_spec(self, sender: str, data: bytes) -> None:
        if self.tls13:
            words = "means nothing in TLS 1.3: kept so that old boxes in between stay calm (RFC 8446, D.4)"
        else:
            words = "from here on I encrypt"
            self.encrypting.add(sender)
        self.messages.append(Message(sender, "ChangeCipherSpec", data, max(len(data), 1), False, note=words))

    def records(self) -> tuple[Record, ...]:
        """Return the records on the wire, in order, split from what each side sent."""
        pending: dict[str, bytes] = {"client": b"", "server": b""}
        found: list[Record] = []
        for sender, data in self._wire:
            buffer = pending[sender] + data
            while len(buffer) >= 5 and len(buffer) >= (end := 5 + int.from_bytes(buffer[3:5], "big")):
                found.append(
                    Record(sender, _names.RECORD_TYPES.get(buffer[0], f"type {buffer[0]}"), buffer[:end])
                )
                buffer = buffer[end:]
            pending[sender] = buffer
        return tuple(found)

    def finish(self) -> None:
        """Without the callback, read the messages off the wire."""
        if self.calls_back:
            return
        changed: set[str] = set()
        for record in self.records():
            body, kind = record.data[5:], record.data[0]
            if kind == APPLICATION_DATA or record.sender in changed:
                self._encrypted(record)
            elif kind == CHANGE_CIPHER_SPEC:
                self._change_cipher_spec(record.sender, body)
                if not self.tls13:
                    changed.add(record.sender)
            elif kind == ALERT:
                self._plain_alert(record.sender, body)
            else:
                self._plain_messages(record.sender, body)

    def _encrypted(self, record: Record) -> None:
        words = "encrypted: this Python cannot show what is inside (no message callback)"
        size = len(record.data) - 5
        self.messages.append(Message(record.sender, "EncryptedRecord", record.data, size, True, note=words))

    def _plain_alert(self, sender: str, body: bytes) -> None:
        other = "server" if sender == "client" else "client"
        if len(body) == 2:
            self.alerts[sender, "sent"] = self.alerts[other, "received"] = body[1]
        self.messages.append(open_alert(sender, body, encrypted=False))

    def _plain_messages(self, sender: str, body: bytes) -> None:
        while len(body) >= 4:
            end = 4 + int.from_bytes(body[1:4], "big")
            self._message(sender, HANDSHAKE, body[:end])
            body = body[end:]
