"""`ForwardProxy`: the web proxy between client and server, with each of the ways in which it can answer."""

from __future__ import annotations

import base64
import contextlib
import hmac
import re
import secrets
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime

from certkit._text import visible
from certkit.authority import CertificateAuthority
from certkit.errors import ArgumentError, CertkitError, FormatError
from certkit.handshakes import ClientConfig, ServerConfig
from certkit.services._dial import connect, secure
from certkit.services._door import Door
from certkit.services._head import Head, lab_address, read_head
from certkit.services._relay import relay
from certkit.services._server import DRAIN_SECONDS, STEP_SECONDS, Connection, LoopbackServer, authority, drain
from certkit.services._tls import Hearing
from certkit.services.log import Notes, ServiceLog
from certkit.services.wiretap import Chunk, Conversation

__all__ = ["PROXY_BEHAVIOURS", "ForwardProxy"]

PROXY_BEHAVIOURS = {
    "tunnel": "connects and passes bytes on, unread: 200",
    "forbidden": "its rules do not let the call through: 403",
    "not-found": "says that there is no such thing: 404",
    "login": "wants a user name and a password first: 407",
    "unavailable": "has no way to the server, or a firewall stops it: 503",
    "hang-up": "closes the connection without a word",
    "no-proxy": "is a web server that knows nothing of CONNECT: 405",
    "intercept": "ends TLS itself, with a certificate that it makes: 200",
}
"""What ``behaviour=`` takes, and what the proxy does then."""

_TARGET = re.compile(r"(?P<host>[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):(?P<port>[0-9]{1,5})")
_REFUSALS = {
    # The reason phrase of the first one is as the source article quotes it, in HTTP/1.0.
    "unavailable": ("HTTP/1.0 503 Service unavailable", ""),
    "forbidden": ("HTTP/1.1 403 Forbidden", ""),
    "not-found": ("HTTP/1.1 404 Not Found", ""),
    "no-proxy": ("HTTP/1.1 405 Method Not Allowed", "Allow: GET, HEAD\r\n"),
}


@dataclass
class _Upstream:
    """The proxy's own TLS connection to the server."""

    connection: ssl.SSLSocket
    hearing: Hearing


class ForwardProxy(LoopbackServer):
    """A web proxy for ``CONNECT`` (RFC 9110, 9.3.6), as companies put one between their network and the rest.

    It connects to this machine only: to loopback addresses, and to names below ``.test``, which stand
    for this machine in the lab.

    Parameters
    ----------
    behaviour : str
        One of `PROXY_BEHAVIOURS`.
    ca : CertificateAuthority, optional
        For ``"intercept"``: with it the proxy signs a certificate for each server name. Made if not given.
    upstream : ClientConfig, optional
        For ``"intercept"``: whom the proxy trusts, and what it can present, towards the server.
    port : int
        0 takes a free one.

    Raises
    ------
    ArgumentError
        If the behaviour is unknown, or ``"intercept"`` comes without `upstream`.

    Examples
    --------
    >>> from certkit.services import ForwardProxy, UserService, call_update_user
    >>> with UserService() as service, ForwardProxy("unavailable") as proxy:
    ...     call_update_user(service.url, "u-1001", "Active", proxy=proxy.url).error
    'Tunnel connection failed: 503 Service unavailable'
    """

    scheme = "http"

    def __init__(
        self,
        behaviour: str = "tunnel",
        *,
        ca: CertificateAuthority | None = None,
        upstream: ClientConfig | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(port=port)
        if behaviour not in PROXY_BEHAVIOURS:
            raise ArgumentError(
                "a proxy does not behave like this", on=repr(behaviour), hint=", ".join(PROXY_BEHAVIOURS)
            )
        if behaviour == "intercept" and upstream is None:
            raise ArgumentError(
                "an intercepting proxy is a TLS client too: whom does it trust?",
                on="upstream",
                hint="upstream=ck.ClientConfig(truststore)",
            )
        self.behaviour = behaviour
        self.ca = ca or CertificateAuthority("Interception CA", organization="Web proxy")
        self.upstream = upstream
        self.credentials = ("lab", secrets.token_urlsafe(9))
        self._notes = Notes()
        self._servers: dict[str, ServerConfig] = {}
        self._read: list[Chunk] = []

    @property
    def log(self) -> ServiceLog:
        """What the proxy noted: each request, and each TLS handshake that it did itself."""
        return self._notes.log()

    def conversation(self) -> Conversation:
        """Return what an intercepting proxy read in the clear; every other proxy read nothing."""
        return Conversation(tuple(self._read))

    def _facts(self) -> list[tuple[object, object]]:
        facts: list[tuple[object, object]] = [("behaviour", PROXY_BEHAVIOURS[self.behaviour])]
        if self.behaviour == "intercept":
            facts.append(("signs with", self.ca.name))
        return facts

    def _serve(self, connection: Connection) -> None:
        try:
            head = read_head(connection.socket, STEP_SECONDS)
        except FormatError as error:
            self._refuse(connection, "HTTP/1.1 400 Bad Request", error.what)
            return
        if head is None:
            return
        found = _TARGET.fullmatch(head.target)
        if self.behaviour == "hang-up":
            self._note(connection, "hung up", head.target, ok=False)
        elif self.behaviour in _REFUSALS:
            line, fields = _REFUSALS[self.behaviour]
            self._refuse(connection, line, head.target, fields)
        elif head.method != "CONNECT" or found is None:
            self._refuse(connection, "HTTP/1.1 400 Bad Request", "CONNECT host:port is needed")
        elif self.behaviour == "login" and not self._knows(head):
            challenge = 'Proxy-Authenticate: Basic realm="web proxy"\r\n'
            self._refuse(connection, "HTTP/1.1 407 Proxy Authentication Required", head.target, challenge)
        else:
            self._connect(connection, found["host"].strip("[]"), int(found["port"]), head.rest)

    def _knows(self, head: Head) -> bool:
        kind, _, value = (head.field("Proxy-Authorization") or "").partition(" ")
        wanted = base64.b64encode(":".join(self.credentials).encode()).decode()
        return kind.lower() == "basic" and hmac.compare_digest(value.strip().encode(), wanted.encode())

    def _note(self, connection: Connection, outcome: str, detail: str, *, ok: bool) -> None:
        self._notes.add(
            connection.number, "request", outcome, ok=ok, caller=connection.peer, detail=visible(detail)
        )

    def _refuse(self, connection: Connection, line: str, detail: str, fields: str = "") -> None:
        self._note(connection, line.partition(" ")[2], detail, ok=False)
        body = f"{line.partition(' ')[2]}\r\n"
        head = f"{line}\r\n{fields}Content-Type: text/plain\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.socket.sendall((head + body).encode("latin-1"))

    def _connect(self, connection: Connection, host: str, port: int, rest: bytes) -> None:
        where = authority(host, port)
        address = lab_address(host)
        if address is None:
            self._refuse(connection, "HTTP/1.1 403 Forbidden", f"{where} is not of this lab")
            return
        try:
            onward = connect(address, port, STEP_SECONDS)
        except (OSError, OverflowError):
            self._refuse(connection, "HTTP/1.1 502 Bad Gateway", f"nobody answers at {where}")
            return
        connection.goes_on(onward)
        upstream: _Upstream | None = None
        try:
            self._note(connection, "200", where, ok=True)
            connection.socket.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            if self.behaviour == "intercept" and self.upstream is not None:
                upstream = self._dial(connection, onward, host, self.upstream)
                self._intercept(connection, host, upstream)
            else:
                onward.sendall(rest)
                relay(connection.socket, onward)
        finally:
            drain(onward if upstream is None else upstream.connection, 0.2)

    def _dial(
        self, connection: Connection, onward: socket.socket, host: str, client: ClientConfig
    ) -> _Upstream:
        secured, hearing = secure(onward, client, client.host or host)
        connection.goes_on(secured)
        return _Upstream(secured, hearing)

    def _intercept(self, connection: Connection, host: str, upstream: _Upstream) -> None:
        """End TLS on both sides, and carry between them what is now in the clear."""
        error: OSError | None = None
        try:
            upstream.connection.do_handshake()
            upstream.hearing.done = True
        except OSError as failure:
            error = failure
        guest = Door(self._server_for(host), self._notes).open(connection)
        if guest is None:
            return
        answered = False

        def heard(sender: str, data: bytes) -> None:
            nonlocal answered
            answered = answered or sender == "server"
            self._read.append(Chunk(connection.number, sender, 0.0, data))

        if error is None:
            # In TLS 1.3 a server that misses the client's certificate says so only now.
            error = relay(connection.socket, upstream.connection, heard)
        if error is not None:
            self._upstream_failed(connection, upstream, error, answered=answered)
        connection.close_notify()

    def _upstream_failed(
        self, connection: Connection, upstream: _Upstream, error: OSError, *, answered: bool
    ) -> None:
        end = upstream.hearing.endpoint(error)
        anchors = None if self.upstream is None else self.upstream.anchors
        self._notes.expect()
        self._notes.add(
            connection.number,
            "handshake",
            end.outcome,
            ok=False,
            caller="the proxy itself, towards the server",
            detail=visible(str(error)),
            cause=upstream.hearing.cause(end, anchors, datetime.now(UTC)),
            endpoint=end,
        )
        if not answered:
            words = b"the proxy and the server could not agree\r\n"
            with contextlib.suppress(OSError):
                connection.socket.settimeout(DRAIN_SECONDS)
                connection.socket.sendall(
                    b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\nConnection: close\r\n"
                    b"Content-Length: %d\r\n\r\n%b" % (len(words), words)
                )

    def _server_for(self, host: str) -> ServerConfig:
        name = host.lower()
        if name not in self._servers:
            try:
                credential = self.ca.issue(name, usage="server")
            except CertkitError:
                credential = self.ca.issue("unnamed.example.test", usage="server")
            # With its root, as such boxes do: then the client's message is about trust, not about a gap.
            root = self.ca.root.certificate
            self._servers[name] = ServerConfig(credential.with_chain([*credential.chain, root]))
        return self._servers[name]
