"""HTTP on a connection that a service of the lab has accepted and, where there is TLS, already secured."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler
from typing import ClassVar

from certkit.services._server import Connection

__all__ = ["Handler"]


class Handler(BaseHTTPRequestHandler):
    """One connection's requests; a subclass sets what its methods need, then calls this."""

    protocol_version = "HTTP/1.1"
    wbufsize = 65_536  # headers and body leave together
    server_name: ClassVar[str] = "certkit-lab"

    def __init__(self, service: object, connection: Connection) -> None:
        host, _, port = connection.peer.rpartition(":")
        super().__init__(connection.socket, (host, int(port)), service)  # type: ignore[arg-type]

    def version_string(self) -> str:
        """Return the Server header."""
        return self.server_name

    def log_message(self, *_: object) -> None:
        """Say nothing on stderr: the service keeps a log of its own."""
