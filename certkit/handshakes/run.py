"""`handshake`: two real endpoints in memory, no socket, every message of both sides recorded."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TypedDict

from certkit._files import utc
from certkit._names import is_address, is_host_name
from certkit.errors import ArgumentError
from certkit.handshakes import _names
from certkit.handshakes._recording import Recorder
from certkit.handshakes.configs import TLS_VERSIONS, ClientConfig, ServerConfig
from certkit.handshakes.peers import PeerEnd
from certkit.handshakes.result import Endpoint, Handshake

__all__ = ["handshake"]

REQUEST = b"GET /users HTTP/1.1\r\nHost: lab\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
_READ_SIZE = 65_536


def handshake(
    client: ClientConfig,
    server: ServerConfig,
    tls: str = "1.3",
    *,
    request: bytes = REQUEST,
    response: bytes = RESPONSE,
) -> Handshake:
    """Let a client and a server shake hands, for real, and record both.

    Two endpoints of Python's ``ssl`` (OpenSSL) talk over memory: no socket, no port, no thread. After
    the handshake the client sends `request` and reads `response`, because in TLS 1.3 a refused client
    learns of it only at its first read.

    Parameters
    ----------
    client : ClientConfig
        Whom the client believes, what it can present, and the name it wants to reach.
    server : ServerConfig
        What the server presents, and whether it asks for a client certificate.
    tls : {"1.3", "1.2"}
        The version both sides insist on.
    request, response : bytes
        What is exchanged once the handshake is done.

    Returns
    -------
    Handshake
        Also when it fails: a refusal is a result, with what each side said.

    Raises
    ------
    ArgumentError
        If `tls` is unknown or the host is no host name.
    CredentialError
        If OpenSSL refuses to present a credential at all.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> ca, stranger = CertificateAuthority("Lab Root"), CertificateAuthority("Another Root")
    >>> server = ServerConfig(ca.issue("shop.example.test", usage="server"))
    >>> run = handshake(ClientConfig(stranger.trust_store), server)
    >>> run.ok, run.client.verify_code, run.server.alert_received
    (False, 20, 'unknown_ca')
    """
    if tls not in TLS_VERSIONS:
        raise ArgumentError("unknown TLS version", on=repr(tls), hint="one of " + ", ".join(TLS_VERSIONS))
    recorder = Recorder()
    host = _host(client, server)
    at = utc(None)
    peer = server.peer(tls, response)
    ends: _Ends = (
        _end("client", client.context(tls), recorder, request, host, alone=peer is not None),
        _end("server", server.context(tls), recorder, response, None) if peer is None else PeerEnd(peer),
    )
    _pump(ends, recorder)
    recorder.finish()
    return Handshake(
        client=_endpoint(ends[0], recorder),
        server=_endpoint(ends[1], recorder),
        messages=tuple(recorder.messages),
        records=recorder.records(),
        client_config=client,
        server_config=server,
        at=at,
        recording="messages" if recorder.calls_back else "records",
        **_agreed(ends, recorder),
    )


def _host(client: ClientConfig, server: ServerConfig) -> str:
    host = client.host
    if host is None:
        sans = [san for san in server.credential.certificate.sans if san.startswith(("DNS:", "IP:"))]
        host = (
            sans[0].partition(":")[2].replace("*.", "any.", 1) if sans else server.credential.certificate.name
        )
        # The name in a certificate may be anything at all; what no client could ask for is not asked for.
        return host if is_host_name(host) or is_address(host) else "localhost"
    if not host or not (is_host_name(host) or is_address(host)):
        raise ArgumentError(
            "this is no host name",
            on=repr(host[:80]),
            hint="a name such as shop.example.test, without https://",
        )
    return host


@dataclass
class _End:
    """One endpoint while it runs."""

    name: str
    tls: ssl.SSLObject
    incoming: ssl.MemoryBIO
    outgoing: ssl.MemoryBIO
    payload: bytes
    handshake_done: bool = False
    sent: bool = False
    received: bool = False
    error: OSError | None = None

    @property
    def over(self) -> bool:
        return self.error is not None or (self.sent and self.received)

    def step(self, recorder: Recorder) -> None:
        """Go on until nothing can be done without hearing from the other side."""
        try:
            if not self.handshake_done:
                self.tls.do_handshake()
                self.handshake_done = True
            if self.name == "client" and not self.sent:
                self._send(recorder)
            if not self.received:
                self.received = bool(self.tls.read(_READ_SIZE))
            if not self.sent:
                self._send(recorder)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError as error:  # ssl.SSLError is one
            self.error = error

    def _send(self, recorder: Recorder) -> None:
        self.tls.write(self.payload)
        self.sent = True
        recorder.application_data(self.name, len(self.payload))


_Ends = tuple[_End, _End | PeerEnd]


def _end(
    side: str,
    context: ssl.SSLContext,
    recorder: Recorder,
    payload: bytes,
    host: str | None,
    *,
    alone: bool = False,
) -> _End:
    recorder.attach(context, side, alone=alone)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_side=host is None, server_hostname=host)
    return _End(side, tls, incoming, outgoing, payload)


def _pump(ends: _Ends, recorder: Recorder) -> None:
    moved = True
    while moved:
        moved = False
        for end, other in (ends, ends[::-1]):
            if not end.over:
                end.step(recorder)
            # What a refusing side wrote last is its alert: it crosses too.
            if data := end.outgoing.read():
                recorder.crossed(end.name, data)
                other.incoming.write(data)
                moved = True
    for end in ends:
        if not end.over:
            end.incoming.write_eof()
            end.step(recorder)


def _endpoint(end: _End | PeerEnd, recorder: Recorder) -> Endpoint:
    if isinstance(end, PeerEnd):
        return end.peer.endpoint()
    alerts = (recorder.alerts.get((end.name, way)) for way in ("sent", "received"))
    sent, received = (None if alert is None else _names.alert_name(alert) for alert in alerts)
    return Endpoint.of(end.name, end.error, sent=sent, received=received, done=end.handshake_done)


class _Agreed(TypedDict):
    tls_version: str | None
    cipher: str | None
    group: str | None


def _agreed(ends: _Ends, recorder: Recorder) -> _Agreed:
    """Return what the ServerHello settled, even if the handshake failed afterwards."""
    hello = next((item for item in recorder.messages if item.name == "ServerHello"), None)
    if hello is None:
        return {"tls_version": None, "cipher": None, "group": None}
    facts = dict(hello.fields)
    group = facts.get("key_share")
    for item in recorder.messages:
        if item.name == "ServerKeyExchange":
            group = dict(item.fields).get("group")
    version = "1.3" if recorder.tls13 else (ends[0].tls.version() or "TLSv1.2").removeprefix("TLSv")
    return {"tls_version": version, "cipher": facts.get("cipher suite"), "group": group}
