"""`SniRouter`: passes TLS on unopened, and finds the way by the name in the ClientHello."""

from __future__ import annotations

import time
from collections.abc import Mapping

from certkit._text import visible
from certkit.errors import ArgumentError, FormatError
from certkit.handshakes._recording import HANDSHAKE
from certkit.handshakes.messages import open_message
from certkit.services._dial import connect
from certkit.services._relay import relay
from certkit.services._server import STEP_SECONDS, Connection, LoopbackServer, drain
from certkit.services.log import Notes, ServiceLog
from certkit.services.wiretap import target_address

__all__ = ["SniRouter"]

_MAX_HELLO_BYTES = 65_536
# Alert records as TLS 1.2 writes them: fatal, unrecognized_name (RFC 6066, 3) or decode_error.
_UNRECOGNIZED_NAME = bytes.fromhex("15 03 03 00 02 02 70")
_DECODE_ERROR = bytes.fromhex("15 03 03 00 02 02 32")


class SniRouter(LoopbackServer):
    """A pass-through: it reads the server's name off the first message and hands the connection on.

    TLS goes from the client to the server in one piece, so the server sees the client's certificate
    and this box needs no key. All that it can read is the name (RFC 6066, 3).

    Parameters
    ----------
    routes : mapping of str to LoopbackServer, str or (str, int)
        Where each name leads, on this machine.
    default : LoopbackServer, str or (str, int), optional
        Where a client without a name, or with an unknown one, is led; None refuses it.
    port : int
        0 takes a free one.

    Examples
    --------
    >>> from certkit.services import SniRouter, UserService
    >>> with UserService() as service, SniRouter({"orders.example.test": service}) as router:
    ...     router.names
    ('orders.example.test',)
    """

    scheme = "https"

    def __init__(
        self,
        routes: Mapping[str, LoopbackServer | str | tuple[str, int]],
        *,
        default: LoopbackServer | str | tuple[str, int] | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(port=port)
        if not isinstance(routes, Mapping):
            raise ArgumentError("routes lead from names to services", on=type(routes).__name__)
        self._routes = {str(name).lower(): target_address(target)[0] for name, target in routes.items()}
        self._default = None if default is None else target_address(default)[0]
        self._notes = Notes()

    @property
    def names(self) -> tuple[str, ...]:
        """The names it knows."""
        return tuple(self._routes)

    @property
    def log(self) -> ServiceLog:
        """What it noted: the name in each ClientHello; it cannot know more."""
        return self._notes.log()

    def _facts(self) -> list[tuple[object, object]]:
        return [(name, f"leads to port {port}") for name, (_, port) in self._routes.items()]

    def _note(self, connection: Connection, outcome: str, detail: str, *, ok: bool) -> None:
        self._notes.add(
            connection.number, "request", outcome, ok=ok, caller=connection.peer, detail=visible(detail)
        )

    def _serve(self, connection: Connection) -> None:
        try:
            hello = _read_hello(connection)
            name = _server_name(hello)
        except FormatError as error:
            self._note(connection, "refused", error.what, ok=False)
            connection.socket.sendall(_DECODE_ERROR)
            return
        where = self._routes.get(name or "", self._default)
        if where is None:
            words = f"no way for {name}" if name else "the client named no server"
            self._note(connection, "refused", words, ok=False)
            connection.socket.sendall(_UNRECOGNIZED_NAME)
            return
        try:
            onward = connect(*where, STEP_SECONDS)
        except OSError:
            self._note(connection, "failed", f"nobody answers for {name}", ok=False)
            return
        self._note(connection, "passed on", name or "no name", ok=True)
        connection.goes_on(onward)
        try:
            onward.sendall(hello)
            relay(connection.socket, onward)
        finally:
            drain(onward, 0.2)


def _read_hello(connection: Connection) -> bytes:
    """Return everything up to and with the first whole handshake message."""
    data, end = b"", time.monotonic() + STEP_SECONDS
    while True:
        message = _first_message(data)
        if message is not None:
            return data
        left = end - time.monotonic()
        if left <= 0 or len(data) > _MAX_HELLO_BYTES:
            raise FormatError("no ClientHello came", kind="not-tls")
        connection.socket.settimeout(left)
        piece = connection.socket.recv(16_384)
        if not piece:
            raise FormatError("the client left before it said hello", kind="not-tls")
        data += piece


def _first_message(data: bytes) -> bytes | None:
    """Return the first handshake message, put together from its records; None if it is not all there."""
    message = b""
    while data:
        if data[0] != HANDSHAKE or data[1:2] not in {b"", b"\x03"}:
            raise FormatError("this is not TLS", on=repr(data[:8]), kind="not-tls")
        if len(data) < 5 or len(data) < 5 + int.from_bytes(data[3:5], "big"):
            return None
        end = 5 + int.from_bytes(data[3:5], "big")
        message, data = message + data[5:end], data[end:]
        if len(message) >= 4 and len(message) >= 4 + int.from_bytes(message[1:4], "big"):
            return message
    return None


def _server_name(data: bytes) -> str | None:
    message = open_message("client", _first_message(data) or b"", encrypted=False, tls13=False)
    if message.name != "ClientHello" or message.summary.startswith("cannot be read"):
        raise FormatError("this is no ClientHello", kind="not-tls")
    name = dict(message.fields).get("server_name")
    return None if name is None else name.lower().rstrip(".")
