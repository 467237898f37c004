"""A scenario on real sockets: its server, its proxy and its ports on loopback, for any client to call."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from certkit.faults._openssl_server import ContextServer
from certkit.faults.scenario import Scenario
from certkit.handshakes import Endpoint
from certkit.handshakes.peers import Peer
from certkit.services._server import STEP_SECONDS, Connection, LoopbackServer
from certkit.services.ports import ClosedPort, SilentPort
from certkit.services.proxy import ForwardProxy

__all__ = ["ANSWER", "ScenarioServer", "Stage", "set_stage"]

ANSWER = "certkit says yes"
"""What a client reads when everything went well."""
_RESPONSE = (
    f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(ANSWER)}\r\nConnection: close\r\n\r\n"
    f"{ANSWER}"
).encode()


class ScenarioServer(LoopbackServer):
    """The server of a scenario on a port of loopback; keeps its own view of each connection.

    Parameters
    ----------
    scenario : Scenario
        Its server, or the box in front of it, and how connections end.
    """

    scheme = "https"

    def __init__(self, scenario: Scenario) -> None:
        super().__init__()
        self.scenario = scenario
        self._views: list[Endpoint] = []
        self._noted = threading.Condition()
        self._open = 0
        self._context = None if self._peer() is not None else scenario.met.context(scenario.tls)

    def _peer(self) -> Peer | None:
        return self.scenario.met.peer(self.scenario.tls, _RESPONSE)

    def views(self) -> tuple[Endpoint, ...]:
        """Return the server's view of each connection that ended, in order; waits for those about to end."""
        with self._noted:
            self._noted.wait_for(lambda: self._open == 0 and bool(self._views), timeout=1.0)
            return tuple(self._views)

    def _serve(self, connection: Connection) -> None:
        with self._noted:
            self._open += 1
        view = None
        try:
            view = self._talk(connection)
        except OSError as error:
            view = Endpoint("server", "failed", error=str(error))
        finally:
            with self._noted:
                self._open -= 1
                if view is not None:
                    self._views.append(view)
                self._noted.notify_all()

    def _talk(self, connection: Connection) -> Endpoint | None:
        closing = self.scenario.road.closing
        if closing in {"at-hello", "reset-at-hello"}:
            connection.socket.recv(65_536)
            if closing == "reset-at-hello":
                _reset(connection.socket)
            return Endpoint("server", "failed", error="the server closed the connection at the ClientHello")
        peer = self._peer()
        if peer is None and self._context is not None:
            peer = ContextServer(self._context, _RESPONSE)
        connection.socket.settimeout(STEP_SECONDS)
        heard = False
        while peer is not None and not peer.closed:
            try:
                data = connection.socket.recv(65_536)
            except ConnectionError:
                data = b""
            heard = heard or bool(data)
            answer = peer.receive(data)
            if closing == "abrupt" and peer.endpoint().outcome == "refused":
                # As a process that dies: the alert is still in its buffer, and unread bytes make a reset.
                _reset(connection.socket)
                break
            with contextlib.suppress(OSError):
                connection.socket.sendall(answer)
            if not data:
                break
        # A browser opens connections in advance and never uses them.
        return peer.endpoint() if peer is not None and heard else None


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@dataclass(frozen=True)
class Stage:
    """Where a client finds the scenario.

    Attributes
    ----------
    scenario : Scenario
        What is played.
    port : int
        The server's port on 127.0.0.1.
    proxy : str or None
        The proxy's URL; None without one.
    server : ScenarioServer or None
        The server, for its view; None if nobody listens.
    """

    scenario: Scenario
    port: int
    proxy: str | None = None
    server: ScenarioServer | None = field(default=None, repr=False)


@contextlib.contextmanager
def set_stage(scenario: Scenario) -> Iterator[Stage]:
    """Open the ports of a scenario, and close them afterwards."""
    road = scenario.road
    with contextlib.ExitStack() as opened:
        proxy = None
        if road.proxy is not None:
            proxy = opened.enter_context(ForwardProxy(road.proxy)).url
        if road.port == "closed":
            yield Stage(scenario, opened.enter_context(ClosedPort()).port, proxy)
        elif road.port == "silent":
            yield Stage(scenario, opened.enter_context(SilentPort()).port, proxy)
        else:
            server = opened.enter_context(ScenarioServer(scenario))
            yield Stage(scenario, server.port, proxy, server)
