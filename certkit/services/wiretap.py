"""`Wiretap`: a relay on loopback that writes down what crosses, as anybody on the way could."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from certkit._html import Html, badge, details, join, preformatted, table, tag
from certkit._text import count, hexdump, visible
from certkit.errors import ArgumentError
from certkit.services._dial import parse_url
from certkit.services._records import SeenRecord, looks_like_tls, read_records
from certkit.services._relay import relay
from certkit.services._server import (
    STEP_SECONDS,
    Connection,
    LoopbackServer,
    authority,
    drain,
    loopback_address,
)

__all__ = ["Chunk", "Conversation", "Wiretap"]

MAX_KEPT_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Chunk:
    """Bytes that crossed in one piece.

    Attributes
    ----------
    connection : int
        The number of the connection, from 1.
    sender : {"client", "server"}
        Who sent them.
    seconds : float
        When, counted from the start of the wiretap.
    data : bytes
        What crossed.
    """

    connection: int
    sender: str
    seconds: float
    data: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The bytes as text, line by line, hidden characters escaped."""
        return readable(self.data)


def readable(data: bytes, limit: int = 20_000) -> str:
    r"""Return bytes as UTF-8 text: lines stay lines, every other hidden character is escaped.

    Examples
    --------
    >>> print(readable(b"POST /users HTTP/1.1\r\nHost: a\x1b[2J"))
    POST /users HTTP/1.1
    Host: a\x1b[2J
    """
    text = data[:limit].decode("utf-8", "backslashreplace")
    lines = [visible(line.removesuffix("\r"), limit) for line in text.split("\n")]
    if len(data) > limit:
        lines.append(f"… {len(data) - limit:,} more bytes")
    return "\n".join(lines)


@dataclass(frozen=True)
class Conversation:
    """What a wiretap wrote down, as it was when it was asked for.

    Attributes
    ----------
    chunks : tuple of Chunk
        In the order in which they crossed.
    dropped : int
        Bytes that crossed and were not kept, because there were too many.
    """

    chunks: tuple[Chunk, ...] = field(repr=False)
    dropped: int = 0

    @property
    def connections(self) -> tuple[int, ...]:
        """The numbers of the connections."""
        return tuple(dict.fromkeys(item.connection for item in self.chunks))

    def stream(self, connection: int, sender: str) -> bytes:
        """Return all that one side sent on one connection."""
        return b"".join(
            item.data for item in self.chunks if item.connection == connection and item.sender == sender
        )

    def is_tls(self, connection: int) -> bool:
        """Whether that connection spoke TLS from its first byte."""
        return looks_like_tls(self.stream(connection, "client")) or looks_like_tls(
            self.stream(connection, "server")
        )

    @property
    def records(self) -> tuple[SeenRecord, ...]:
        """The TLS records, of the connections that spoke TLS."""
        found: list[SeenRecord] = []
        for number in self.connections:
            if self.is_tls(number):
                pieces = [(item.sender, item.data) for item in self.chunks if item.connection == number]
                found += read_records(number, pieces)
        return tuple(found)

    def contains(self, needle: bytes | str) -> bool:
        """Whether these bytes crossed, in one direction of one connection.

        Raises
        ------
        ArgumentError
            If there is nothing to look for.
        """
        wanted = needle.encode() if isinstance(needle, str) else needle
        if not isinstance(wanted, bytes | bytearray) or not wanted:
            raise ArgumentError("there is nothing to look for", on=repr(needle), hint='b"u-1001"')
        return any(
            wanted in self.stream(number, sender)
            for number in self.connections
            for sender in ("client", "server")
        )

    def text(self) -> str:
        """Return the whole conversation as text: who spoke, and what can be read of it."""
        parts = []
        for number in self.connections:
            if self.is_tls(number):
                records = [item for item in self.records if item.connection == number]
                parts += [f"[{number}] {item.sender}: {_record_words(item)}" for item in records]
            else:
                parts += [f"[{number}] {sender}:\n{readable(data)}" for sender, data in self._turns(number)]
        return "\n".join(parts)

    def _turns(self, connection: int) -> list[tuple[str, bytes]]:
        turns: list[tuple[str, bytes]] = []
        for item in self.chunks:
            if item.connection != connection:
                continue
            if turns and turns[-1][0] == item.sender:
                turns[-1] = (item.sender, turns[-1][1] + item.data)
            else:
                turns.append((item.sender, item.data))
        return turns

    def __iter__(self) -> Iterator[Chunk]:
        return iter(self.chunks)

    def __len__(self) -> int:
        return len(self.chunks)

    def __getitem__(self, index: int) -> Chunk:
        return self.chunks[index]

    def __repr__(self) -> str:
        size = sum(len(item.data) for item in self.chunks)
        many = count(len(self.connections), "connection")
        return f"<Conversation {many}, {count(len(self), 'chunk')}, {size:,} bytes>"

    def _repr_html_(self) -> Html:
        if not self.chunks:
            return tag("p", "Nothing crossed yet.")
        shown = self.connections[:3]
        parts = [self._connection_html(number) for number in shown]
        if len(self.connections) > len(shown):
            parts.append(tag("p", f"… and {count(len(self.connections) - len(shown), 'more connection')}"))
        return tag("div", *parts)

    def _connection_html(self, number: int) -> Html:
        if self.is_tls(number):
            return self._tls_html(number)
        turns = self._turns(number)
        rows = [
            (
                sender,
                f"{len(data):,}",
                badge("bad", "readable"),
                preformatted(readable(data, 1_500), style="white-space:pre-wrap;margin:0;background:none"),
            )
            for sender, data in turns
        ]
        return table(
            ("from", "bytes", "on the way", "what crossed"),
            rows,
            caption=f"Connection {number}: readable by anybody on the way",
            limit=4,
        )

    def _tls_html(self, number: int) -> Html:
        records = [item for item in self.records if item.connection == number]
        rows = [
            (
                item.sender,
                item.type,
                item.version,
                f"{item.length:,}",
                badge("warning", "readable") if item.readable else badge("good", "not readable"),
                item.says or "",
            )
            for item in records
        ]
        last = next((item.data for item in reversed(self.chunks) if item.connection == number), b"")
        return join(
            [
                table(
                    ("from", "record", "version field", "bytes", "on the way", "what it says"),
                    rows,
                    caption=f"Connection {number}: TLS; encrypted records show who, when and how much",
                    limit=20,
                ),
                details("The last bytes that crossed", preformatted(hexdump(last, length=96))),
            ]
        )


def _record_words(record: SeenRecord) -> str:
    head = f"{record.type}, {record.version}, {record.length:,} bytes"
    return f"{head}: {record.says or '(empty)'}" if record.readable else f"{head}: not readable"


class Wiretap(LoopbackServer):
    """A relay between a client and a service that writes down every byte of both directions.

    It stands for whoever is on the way: a proxy, a provider, somebody on the same network. It changes
    nothing of what crosses, needs no key, and forwards to this machine only.

    Parameters
    ----------
    target : LoopbackServer, str or (str, int)
        A service of the lab, a URL, or a host and a port, on this machine.
    port : int
        0 takes a free one.

    Raises
    ------
    ArgumentError
        If the target is not on this machine.

    Examples
    --------
    >>> from certkit.services import UserService, Wiretap, call_update_user
    >>> with UserService() as service, Wiretap(service) as tap:
    ...     _ = call_update_user(tap.url, "u-1001", "Inactive")
    >>> tap.contains(b"u-1001")
    True
    """

    def __init__(self, target: LoopbackServer | str | tuple[str, int], *, port: int = 0) -> None:
        super().__init__(port=port)
        self._to, self._target_url = target_address(target)
        self._chunks: list[Chunk] = []
        self._kept = 0
        self._dropped = 0
        self._lock = threading.Lock()
        self._started = time.monotonic()

    @property
    def target(self) -> tuple[str, int]:
        """Host and port it forwards to."""
        return self._to

    @property
    def url(self) -> str:
        """The target's URL, with the address of the wiretap in it."""
        here = authority(self.host, self.port)
        if self._target_url is None:
            return f"{self.scheme}://{here}"
        parts = urlsplit(self._target_url)
        return urlunsplit((parts.scheme, here, parts.path, parts.query, ""))

    def conversation(self) -> Conversation:
        """Return what crossed so far; waits a moment for what is still under way."""
        self._settle()
        with self._lock:
            return Conversation(tuple(self._chunks), self._dropped)

    def text(self) -> str:
        """Return what crossed so far as text."""
        return self.conversation().text()

    def contains(self, needle: bytes | str) -> bool:
        """Whether these bytes crossed so far, in one direction of one connection."""
        return self.conversation().contains(needle)

    def replay(self, connection: int = 1, changes: Mapping[bytes, bytes] | None = None) -> str:
        """Send once more what the client sent on a connection, and return the answer as text.

        This is what somebody on the way can do who kept a recording. It is sent to the target itself, so it is
        not in the conversation.

        Parameters
        ----------
        connection : int
            The number of the recorded connection, from 1.
        changes : mapping of bytes to bytes, optional
            What to replace by what before sending.

        Raises
        ------
        ArgumentError
            If nothing was recorded under that number.

        Examples
        --------
        >>> from certkit.services import UserService, call_update_user
        >>> with UserService() as service, Wiretap(service) as tap:
        ...     _ = call_update_user(tap.url, "u-1001", "Inactive")
        ...     answer = tap.replay(changes={b"u-1001": b"u-1002"})
        >>> service.rows[1].status
        'Inactive'
        """
        data = self.conversation().stream(connection, "client")
        if not data:
            raise ArgumentError(
                "nothing was recorded on that connection", on=connection, hint="tap.conversation()"
            )
        for old, new in (changes or {}).items():
            data = data.replace(old, new)
        answer = bytearray()
        with socket.create_connection(self._to, timeout=STEP_SECONDS) as onward:
            onward.sendall(data)
            onward.shutdown(socket.SHUT_WR)
            with contextlib.suppress(
                OSError
            ):  # whoever is refused is cut off, and what came until then counts
                while len(answer) < MAX_KEPT_BYTES and (part := onward.recv(65_536)):
                    answer += part
        return readable(bytes(answer))

    def clear(self) -> None:
        """Forget what crossed so far."""
        with self._lock:
            self._chunks.clear()
            self._kept = self._dropped = 0

    def _repr_html_(self) -> Html:
        return tag("div", super()._repr_html_(), self.conversation()._repr_html_())

    def _facts(self) -> list[tuple[object, object]]:
        return [("forwards to", authority(*self._to)), ("wrote down", repr(self.conversation())[1:-1])]

    def _settle(self) -> None:
        # A client that is done may be back before its last bytes were written down here.
        end = time.monotonic() + 1.0
        while (open_now := self._serving()) and time.monotonic() < end:
            before = self._kept + self._dropped
            open_now[0].join(0.1)
            if open_now[0].is_alive() and self._kept + self._dropped == before:
                return

    def _note(self, connection: int, sender: str, data: bytes) -> None:
        with self._lock:
            if self._kept + len(data) > MAX_KEPT_BYTES:
                self._dropped += len(data)
                return
            self._kept += len(data)
            seconds = round(time.monotonic() - self._started, 6)
            self._chunks.append(Chunk(connection, sender, seconds, data))

    def _serve(self, connection: Connection) -> None:
        try:
            onward = socket.create_connection(self._to, timeout=STEP_SECONDS)
        except OSError:
            return  # the client sees the end of the connection, as behind any relay
        connection.goes_on(onward)
        try:
            relay(
                connection.socket,
                onward,
                lambda sender, data: self._note(connection.number, sender, data),
            )
        finally:
            drain(onward, 0.2)


def target_address(target: LoopbackServer | str | tuple[str, int]) -> tuple[tuple[str, int], str | None]:
    """Return where a target is, on this machine, and its URL if it has one.

    Raises
    ------
    ArgumentError
        If it is no target, or not on this machine.
    """
    url: str | None = None
    if isinstance(target, LoopbackServer):
        address, url = target.address, target.url
    elif isinstance(target, str):
        parsed = parse_url(target, "target")
        address, url = (parsed.host, parsed.port), target
    elif isinstance(target, tuple) and len(target) == 2 and isinstance(target[1], int):
        address = target
    else:
        raise ArgumentError(
            "this is no target", on=type(target).__name__, hint="a service, a URL, or (host, port)"
        )
    return (loopback_address(str(address[0])), address[1]), url
