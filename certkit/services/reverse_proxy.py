"""`ReverseProxy`: ends TLS in front of a service, and tells it who the client was (RFC 9440)."""

from __future__ import annotations

import http.client
import re
from http import HTTPStatus

from certkit._text import visible
from certkit.errors import ArgumentError
from certkit.handshakes import ClientConfig, ServerConfig
from certkit.services._client_cert import CLIENT_CERT_FIELDS, client_cert_fields
from certkit.services._dial import Target, connect, parse_url, secure, watchdog
from certkit.services._door import Door, Guest, tls_version
from certkit.services._handler import Handler
from certkit.services._server import STEP_SECONDS, Connection, LoopbackServer
from certkit.services.log import Notes, ServiceLog
from certkit.services.wiretap import target_address

__all__ = ["ReverseProxy"]

MAX_BODY_BYTES = 1_048_576
# Fields about one connection, not about the message (RFC 9110, 7.6.1).
_HOP_BY_HOP = {
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
    "transfer-encoding", "upgrade", "content-length", "date", "server",
}  # fmt: skip


class ReverseProxy(LoopbackServer):
    """The box in the DMZ that clients take for the server: TLS ends here, a new request goes on.

    The client's certificate ends here too, since the key that proves it is the client's. What can be
    passed on is word of it: the ``Client-Cert`` header of RFC 9440. A caller from outside could write
    that header himself, so it is taken out of every request that comes in.

    Parameters
    ----------
    service : LoopbackServer, str
        The service behind it, or its URL, on this machine.
    security : ServerConfig
        What it presents to clients, and whether it asks them for a certificate.
    upstream : ClientConfig, optional
        Whom it trusts, and what it presents, towards a service on ``https``.
    tell : bool
        Whether it tells the service who the client was.
    strip : bool
        False lets a ``Client-Cert`` header from outside through. It is here to be seen failing.
    tls : {"1.2", "1.3"}, optional
        Exactly this version towards clients.
    port : int
        0 takes a free one.

    Raises
    ------
    ArgumentError
        If the service is not on this machine, or on ``https`` and `upstream` is missing.

    Examples
    --------
    >>> from certkit.faults import good_scenario
    >>> from certkit.services import ReverseProxy, UserService, call_update_user
    >>> story = good_scenario(two_way=True)
    >>> with UserService(believe_anybody=True) as service, ReverseProxy(service, story.server) as proxy:
    ...     _ = call_update_user(proxy.url, "u-1001", "Inactive", story.client)
    ...     service.log[0].caller
    'CN=Acme CRM,O=Acme'
    """

    scheme = "https"

    def __init__(
        self,
        service: LoopbackServer | str,
        security: ServerConfig,
        *,
        upstream: ClientConfig | None = None,
        tell: bool = True,
        strip: bool = True,
        tls: str | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(port=port)
        _, url = target_address(service)
        if url is None:
            raise ArgumentError("a reverse proxy needs a URL to go on to", on=repr(service))
        self.target: Target = parse_url(url, "service")
        if self.target.scheme == "https" and upstream is None:
            raise ArgumentError(
                "towards an https service this is a client: whom does it trust?",
                on="upstream",
                hint="upstream=ck.ClientConfig(truststore)",
            )
        self.security = security
        self.upstream = upstream
        self.tell = tell
        self.strip = strip
        self._notes = Notes()
        self._door = Door(security, self._notes, tls)

    @property
    def url(self) -> str:
        """The service's URL, as clients see it."""
        return super().url + self.target.path

    @property
    def log(self) -> ServiceLog:
        """What it noted: handshakes with clients, and requests."""
        return self._notes.log()

    def _facts(self) -> list[tuple[object, object]]:
        told = "in a Client-Cert header (RFC 9440)" if self.tell else "it is not told"
        return [
            ("goes on to", f"{self.target.scheme}://{self.target.host}:{self.target.port}"),
            ("who the client was", told),
            ("Client-Cert from outside", "taken out" if self.strip else "let through: anybody can forge it"),
        ]

    def _serve(self, connection: Connection) -> None:
        guest = self._door.open(connection)
        if guest is None:
            return
        _Handler(self, connection, guest)
        connection.close_notify()

    def _forward(
        self, method: str, path: str, headers: list[tuple[str, str]], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Send a request to the service, and return status, fields and body of its answer."""
        connection = connect(self.target.host, self.target.port, STEP_SECONDS)
        try:
            if self.target.scheme == "https" and self.upstream is not None:
                connection, _ = secure(connection, self.upstream, self.upstream.host or self.target.host)
            talk = http.client.HTTPConnection(self.target.host, self.target.port)
            talk.sock, talk.auto_open = connection, 0
            with watchdog(connection, 4 * STEP_SECONDS):
                if hasattr(connection, "do_handshake"):
                    connection.do_handshake()
                talk.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
                for name, value in (*headers, ("Content-Length", str(len(body))), ("Connection", "close")):
                    talk.putheader(name, value)
                talk.endheaders(body)
                with talk.getresponse() as answer:
                    content = answer.read(MAX_BODY_BYTES + 1)
                    if len(content) > MAX_BODY_BYTES:
                        raise http.client.HTTPException(f"an answer of more than {MAX_BODY_BYTES:,} bytes")
                    return answer.status, answer.getheaders(), content
        finally:
            connection.close()


class _Handler(Handler):
    """One client's requests, each sent on to the service."""

    server_name = "certkit-reverse-proxy"

    def __init__(self, proxy: ReverseProxy, connection: Connection, guest: Guest) -> None:
        self.proxy = proxy
        self.number = connection.number
        self.guest = guest
        super().__init__(proxy, connection)

    def do_GET(self) -> None:  # noqa: N802 - the name http.server calls
        """Send it on."""
        self._send_on(b"")

    def do_POST(self) -> None:  # noqa: N802 - the name http.server calls
        """Send it on, if its size is known and sane."""
        length = self.headers.get("Content-Length", "")
        if not re.fullmatch(r"[0-9]{1,18}", length) or "Transfer-Encoding" in self.headers:
            self._fail(HTTPStatus.LENGTH_REQUIRED)
        elif int(length) > MAX_BODY_BYTES:
            self._fail(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        else:
            body = self.rfile.read(int(length))
            if len(body) == int(length):
                self._send_on(body)

    def _headers_on(self) -> list[tuple[str, str]]:
        named = {item.strip().lower() for item in self.headers.get("Connection", "").split(",")}
        dropped = _HOP_BY_HOP | named
        if self.proxy.strip:
            # Written with underscores or in another case, some servers read the same name.
            dropped |= {field.lower() for field in CLIENT_CERT_FIELDS}
        kept = [(k, v) for k, v in self.headers.items() if k.lower().replace("_", "-") not in dropped]
        if self.proxy.tell:
            kept += client_cert_fields(self.guest.chain).items()
        return kept

    def _send_on(self, body: bytes) -> None:
        try:
            status, headers, content = self.proxy._forward(self.command, self.path, self._headers_on(), body)
        except (OSError, ValueError, http.client.HTTPException) as error:
            self._fail(HTTPStatus.BAD_GATEWAY, str(error))
            return
        self._note(f"HTTP {status}", f"{self.command} {self.path}", ok=status < 400)
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _note(self, outcome: str, detail: str, *, ok: bool) -> None:
        self.proxy._notes.add(
            self.number,
            "request",
            outcome,
            ok=ok,
            caller=self.guest.subject,
            detail=visible(detail),
            tls_version=tls_version(self.connection),
        )

    def _fail(self, status: HTTPStatus, why: str = "") -> None:
        self.close_connection = True
        self._note(f"HTTP {status.value}", why or status.phrase, ok=False)
        words = f"{status.phrase}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(words)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(words)
