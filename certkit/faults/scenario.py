"""`Scenario`: a client, a server and the authorities behind them; good until a fault breaks it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from certkit.authority import CertificateAuthority
from certkit.credentials import Credential
from certkit.errors import ArgumentError
from certkit.faults._sides import LabClient, LabServer
from certkit.handshakes import Handshake, handshake
from certkit.handshakes.configs import TLS_VERSIONS

__all__ = ["CLIENT", "HOST", "ClientFile", "Road", "Scenario", "good_scenario"]

HOST = "orders.example.test"
"""The name under which the story's server is reached."""
CLIENT = "Acme CRM"
"""The name on the story's client certificate."""
PASSWORD = "changeit"  # noqa: S105 - the toy password of every practice file


@dataclass(frozen=True)
class Road:
    """What lies between client and server, and how the server's port behaves.

    Attributes
    ----------
    port : {"open", "closed", "silent"}
        ``closed``: nobody listens. ``silent``: connections are accepted and never answered.
    closing : {"drain", "abrupt", "at-hello", "reset-at-hello"}
        How the server ends a connection: properly; at once, with bytes of the client still unread; or
        already when it sees the ClientHello, by an end or by a reset.
    proxy : str or None
        None: no proxy. Else one of `certkit.services.PROXY_BEHAVIOURS`: ``"tunnel"`` is a proxy that does its job.
    service : {"https", "ftps", "ftps-reuse"}
        What is served: HTTP, explicit FTPS, or FTPS whose data connections must resume the TLS session.
    resumes : bool
        Whether an FTPS client resumes the control connection's session for data.
    allowed : tuple of str or None
        The hosts on the calling platform's allow-list; None: no such list. A stand-in for a hosted platform's rule.
    """

    port: str = "open"
    closing: str = "drain"
    proxy: str | None = None
    service: str = "https"
    resumes: bool = True
    allowed: tuple[str, ...] | None = None

    @property
    def in_memory(self) -> bool:
        """Whether nothing of this needs a socket."""
        return (self.port, self.closing, self.proxy, self.service) == ("open", "drain", None, "https")


@dataclass(frozen=True)
class ClientFile:
    """The file that the client is told to load its certificate and key from.

    Attributes
    ----------
    data : bytes
        What is in it.
    format : {"pkcs12", "pem"}
        What the client is told that it is.
    password : str or None
        The password that the client was given; None if none.
    readable : bool
        Whether the client's user may read it.
    """

    data: bytes = field(repr=False)
    format: str = "pkcs12"
    password: str | None = field(default=PASSWORD, repr=False)
    readable: bool = True


@dataclass(frozen=True)
class Scenario:
    """Everything that a handshake needs, and the authorities to change it.

    Attributes
    ----------
    client : LabClient
        What the client brings.
    server : LabServer
        What the server brings.
    tls : {"1.2", "1.3"}
        The TLS version both insist on.
    server_ca, client_ca : CertificateAuthority
        The issuing CAs (each an intermediate under a root of its own) of the two companies.
    host : str
        The name by which the server is meant to be reached.
    road : Road
        What lies between the two.
    box : LabServer or None
        A box in between that ends the TLS connection and presents a certificate of its own.
    client_file : ClientFile or None
        The file that the client loads its credential from; None if it has it already.

    Examples
    --------
    >>> good_scenario(two_way=True).run()
    <Handshake ok, two-way, TLS 1.3, 16 messages>
    """

    client: LabClient
    server: LabServer
    tls: str
    server_ca: CertificateAuthority = field(repr=False)
    client_ca: CertificateAuthority = field(repr=False)
    host: str = HOST
    road: Road = Road()
    box: LabServer | None = None
    client_file: ClientFile | None = None

    @property
    def two_way(self) -> bool:
        """Whether the server asks for a client certificate."""
        return self.server.two_way

    @property
    def met(self) -> LabServer:
        """The server that the client meets: the box in between, if there is one."""
        return self.server if self.box is None else self.box

    def run(self) -> Handshake:
        """Let the two meet, for real: in memory where that shows it, else over sockets on loopback.

        What keeps the client from even starting (its file, an allow-list) and what lies in between (a proxy, a
        closed port) is a failed handshake too: with no messages, the words of whoever failed, and the cause.
        """
        from certkit.faults import _outside  # noqa: PLC0415 - it runs scenarios

        return _outside.run(self)

    def shake(self) -> Handshake:
        """Let client and server shake hands in memory, whatever lies between them."""
        return handshake(self.client, self.met, self.tls)

    def with_server(self, **changes: Any) -> Scenario:
        """Return this scenario with fields of the server changed."""
        return replace(self, server=replace(self.server, **changes))

    def with_client(self, **changes: Any) -> Scenario:
        """Return this scenario with fields of the client changed."""
        return replace(self, client=replace(self.client, **changes))

    def with_road(self, **changes: Any) -> Scenario:
        """Return this scenario with fields of the road changed."""
        return replace(self, road=replace(self.road, **changes))

    def with_file(self, data: bytes, **facts: Any) -> Scenario:
        """Return this scenario with the client loading its credential from a file."""
        return replace(self, client_file=ClientFile(data, **facts))

    def issue_server(self, *names: str, **options: Any) -> Credential:
        """Return a new server credential from the server's CA, for the scenario's host by default."""
        return self.server_ca.issue(*(names or (self.host,)), **{"usage": "server", **options})

    def issue_client(self, *names: str, **options: Any) -> Credential:
        """Return a new client credential from the client's CA, for the story's client by default."""
        return self.client_ca.issue(*(names or (CLIENT,)), **{"usage": "client", **options})


@cache
def _authorities() -> tuple[CertificateAuthority, CertificateAuthority, Credential]:
    server_ca = CertificateAuthority("Orders Root CA", organization="Orders").intermediate(
        "Orders Issuing CA"
    )
    client_ca = CertificateAuthority("Acme Root CA", organization="Acme").intermediate("Acme Issuing CA")
    return server_ca, client_ca, client_ca.issue(CLIENT, usage="client")


@cache
def _server_credential(host: str) -> Credential:
    return _authorities()[0].issue(host, usage="server")


def good_scenario(*, two_way: bool = False, tls: str = "1.3", host: str = HOST) -> Scenario:
    """Return a scenario in which everything is right.

    Parameters
    ----------
    two_way : bool
        Whether the server asks for a client certificate, and the client has one.
    tls : {"1.3", "1.2"}
        The TLS version both insist on.
    host : str
        The server's name; ``"localhost"`` for real sockets.

    Raises
    ------
    ArgumentError
        If `tls` is unknown.
    """
    if tls not in TLS_VERSIONS:
        raise ArgumentError("unknown TLS version", on=repr(tls), hint="one of " + ", ".join(TLS_VERSIONS))
    server_ca, client_ca, client = _authorities()
    return Scenario(
        client=LabClient(server_ca.trust_store, client if two_way else None, host=host),
        server=LabServer(_server_credential(host), client_ca.trust_store if two_way else None),
        tls=tls,
        server_ca=server_ca,
        client_ca=client_ca,
        host=host,
    )
