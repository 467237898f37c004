"""`TlsFront`: ends TLS in front of a plain service, and names the CAs whose certificates are welcome."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from certkit._text import visible
from certkit.certificates import Certificate
from certkit.chains import Chain, TrustStore
from certkit.errors import ArgumentError
from certkit.handshakes import ServerConfig
from certkit.handshakes._cause import cause_seen_by
from certkit.services._dial import connect, parse_url
from certkit.services._server import STEP_SECONDS, Connection, LoopbackServer
from certkit.services.log import Notes, ServiceLog
from certkit.services.wiretap import target_address

if TYPE_CHECKING:
    from OpenSSL.SSL import Connection as TlsConnection
    from OpenSSL.SSL import Context

__all__ = ["TlsFront"]

MAX_REQUEST_BYTES = 1_048_576
_LENGTH = re.compile(rb"(?im)^content-length:\s*([0-9]{1,9})\s*$")


class TlsFront(LoopbackServer):
    """A box that ends TLS in front of a plain service, whose CertificateRequest names CAs.

    Servers such as IIS, Java's, or nginx send a list of CAs with their request for a client certificate
    (RFC 8446, 4.2.4; RFC 5246, 7.4.4). Python's own ``ssl`` cannot, so this box uses OpenSSL directly.

    Parameters
    ----------
    service : LoopbackServer or str
        The plain service behind it, on this machine.
    security : ServerConfig
        What it presents, and whom it lets in; two-way.
    names : iterable of Certificate
        The CAs to name; none sends an empty list.
    tls : {"1.2", "1.3"}, optional
        Exactly this version; by default, 1.2 or newer.
    port : int
        0 takes a free one.

    Raises
    ------
    ArgumentError
        If the service is not on this machine or not plain HTTP, or `security` is not two-way.

    Examples
    --------
    >>> from certkit.faults import good_scenario
    >>> from certkit.services import TlsFront, UserService, call_update_user
    >>> story = good_scenario(two_way=True)
    >>> with UserService() as service, TlsFront(service, story.server, story.server.client_anchors) as front:
    ...     call_update_user(front.url, "u-1001", "Inactive", story.client).status
    'updated'
    """

    scheme = "https"

    def __init__(
        self,
        service: LoopbackServer | str,
        security: ServerConfig,
        names: TrustStore | Iterable[Certificate] = (),
        *,
        tls: str | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(port=port)
        self._target, url = target_address(service)
        if url is None or parse_url(url, "service").scheme != "http":
            raise ArgumentError("behind this front stands a service on plain HTTP", on=repr(service))
        if not isinstance(security, ServerConfig) or not security.two_way:
            raise ArgumentError(
                "only a two-way server asks for certificates and can name CAs",
                on=type(security).__name__,
                hint="ck.ServerConfig(credential, client_anchors=…)",
            )
        self._path = parse_url(url, "service").path
        self.security = security
        self.names = tuple(names)
        self._tls = tls
        self._notes = Notes()
        self._context: Context | None = None

    @property
    def url(self) -> str:
        """The service's URL, as clients see it."""
        return super().url + self._path

    @property
    def log(self) -> ServiceLog:
        """What it noted: each TLS handshake, and each request that it sent on."""
        return self._notes.log()

    def _facts(self) -> list[tuple[object, object]]:
        named = ", ".join(item.name for item in self.names) or "none: any certificate may be tried"
        return [("goes on to", f"port {self._target[1]}"), ("CAs it names", named)]

    def _opened(self) -> None:
        from certkit.services._openssl import openssl_context  # noqa: PLC0415 - pyOpenSSL only if wanted

        self._context = openssl_context(self.security, self._tls)
        for item in self.names:
            self._context.add_client_ca(item.raw)

    def _closed(self) -> None:
        self._context = None

    def _serve(self, connection: Connection) -> None:
        from OpenSSL import SSL  # noqa: PLC0415 - pyOpenSSL only if wanted

        if self._context is None:
            return
        plain = connection.socket
        # pyOpenSSL wants a blocking socket; the kernel keeps the time instead.
        plain.settimeout(None)
        if sys.platform != "win32":
            for way in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                plain.setsockopt(socket.SOL_SOCKET, way, struct.pack("ll", int(STEP_SECONDS), 0))
        secured = SSL.Connection(self._context, plain)
        secured.set_accept_state()
        if not self._shake_hands(connection, secured):
            return
        with contextlib.suppress(SSL.Error):
            self._send_on(connection, secured)
            secured.shutdown()

    def _shake_hands(self, connection: Connection, secured: TlsConnection) -> bool:
        from OpenSSL import SSL  # noqa: PLC0415

        from certkit.services._openssl import endpoint, heard_by  # noqa: PLC0415

        self._notes.expect()
        error: BaseException | None = None
        try:
            secured.do_handshake()
        except (SSL.Error, OSError) as failure:
            error = failure
        heard = heard_by(secured)
        end = endpoint(heard, error)
        chain = Chain(()) if heard.leaf is None else Chain((heard.leaf,))
        anchors = self.security.client_anchors or TrustStore()
        self._notes.add(
            connection.number,
            "handshake",
            end.outcome,
            ok=end.ok,
            caller=None if heard.leaf is None else heard.leaf.subject,
            detail=visible(end.error) if end.error else "the handshake is done",
            tls_version=secured.get_protocol_version_name().removeprefix("TLSv") if error is None else None,
            cause=None if end.ok else cause_seen_by(end, chain, anchors, datetime.now(UTC)),
            endpoint=end,
            address=connection.peer.rpartition(":")[0],
        )
        return error is None

    def _send_on(self, connection: Connection, secured: TlsConnection) -> None:
        """Send one request on, and its answer back."""
        request = _read_request(secured)
        onward = connect(*self._target, STEP_SECONDS)
        connection.goes_on(onward)
        with onward:
            onward.sendall(_closing(request))
            while piece := onward.recv(65_536):
                secured.sendall(piece)
        line = request.partition(b"\r\n")[0].decode("latin-1")
        self._notes.add(
            connection.number, "request", "sent on", ok=True, caller=None, detail=visible(line, 120)
        )


def _read_request(secured: TlsConnection) -> bytes:
    """Return one request, head and body."""
    data, wanted = b"", MAX_REQUEST_BYTES
    while len(data) < wanted:
        data += secured.recv(65_536)
        head, found, _ = data.partition(b"\r\n\r\n")
        if found:
            length = _LENGTH.search(head)
            wanted = min(MAX_REQUEST_BYTES, len(head) + 4 + (int(length[1]) if length else 0))
    return data


def _closing(request: bytes) -> bytes:
    """Return the request with the wish that its connection be closed: one request a connection."""
    head, _, body = request.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([*lines, b"Connection: close", b"", body])
