"""Ports at which nobody answers: one closed, one that says nothing."""

from __future__ import annotations

import socket

from certkit._html import Html, tag
from certkit.services._server import Connection, LoopbackServer

__all__ = ["ClosedPort", "SilentPort"]


class SilentPort(LoopbackServer):
    """A port that takes every connection and never says a word.

    A stand-in for a port that a firewall filters. Filtered packets get no answer at all, so that
    already the connection times out; here the connection is made and the first answer times out.

    Examples
    --------
    >>> from certkit.services import SilentPort, call_update_user
    >>> with SilentPort() as port:
    ...     call_update_user(f"http://127.0.0.1:{port.port}/", "u-1001", "Active", timeout=0.1).error
    'timed out'
    """

    def _serve(self, connection: Connection) -> None:
        connection.socket.settimeout(None)
        while connection.socket.recv(65_536):
            pass


class ClosedPort:
    """A port of this machine that is reserved, and at which nobody listens: connections are refused.

    Examples
    --------
    >>> from certkit.services import ClosedPort, call_update_user
    >>> with ClosedPort() as port:
    ...     call_update_user(port.url, "u-1001", "Active").cause
    'dns-or-network'
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        # Bound and not listening: no other program can take the port meanwhile.
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return "127.0.0.1", self.port

    @property
    def url(self) -> str:
        """The URL that nobody answers."""
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """Give the port back."""
        self._socket.close()

    def __enter__(self) -> ClosedPort:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<ClosedPort {self.port}>"

    def _repr_html_(self) -> Html:
        return tag("p", f"Port {self.port}: closed, every connection is refused.")
