"""`Scenario`: a client, a server and the authorities behind them; good until a fault breaks it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from certkit.authority import CertificateAuthority
from certkit.credentials import Credential
from certkit.errors import ArgumentError
from certkit.handshakes import ClientConfig, Handshake, ServerConfig, handshake
from certkit.handshakes.configs import TLS_VERSIONS

__all__ = ["HOST", "Scenario", "good_scenario"]

HOST = "orders.example.test"
"""The name under which the story's server is reached."""
CLIENT = "Acme CRM"
"""The name on the story's client certificate."""


@dataclass(frozen=True)
class Scenario:
    """Everything that a handshake needs, and the authorities to change it.

    Attributes
    ----------
    client : ClientConfig
        What the client brings.
    server : ServerConfig
        What the server brings.
    tls : {"1.2", "1.3"}
        The TLS version both insist on.
    server_ca, client_ca : CertificateAuthority
        The issuing CAs (each an intermediate under a root of its own) of the two companies.

    Examples
    --------
    >>> good_scenario(two_way=True).run()
    <Handshake ok, two-way, TLS 1.3, 16 messages>
    """

    client: ClientConfig
    server: ServerConfig
    tls: str
    server_ca: CertificateAuthority = field(repr=False)
    client_ca: CertificateAuthority = field(repr=False)

    @property
    def two_way(self) -> bool:
        """Whether the server asks for a client certificate."""
        return self.server.two_way

    def run(self) -> Handshake:
        """Let the two shake hands, for real."""
        return handshake(self.client, self.server, self.tls)

    def with_server(self, **changes: Any) -> Scenario:
        """Return this scenario with fields of the server changed."""
        return replace(self, server=replace(self.server, **changes))

    def with_client(self, **changes: Any) -> Scenario:
        """Return this scenario with fields of the client changed."""
        return replace(self, client=replace(self.client, **changes))

    def issue_server(self, *names: str, **options: Any) -> Credential:
        """Return a new server credential from the server's CA, for the story's host by default."""
        return self.server_ca.issue(*(names or (HOST,)), **{"usage": "server", **options})

    def issue_client(self, *names: str, **options: Any) -> Credential:
        """Return a new client credential from the client's CA, for the story's client by default."""
        return self.client_ca.issue(*(names or (CLIENT,)), **{"usage": "client", **options})


@cache
def _authorities() -> tuple[CertificateAuthority, CertificateAuthority, Credential, Credential]:
    server_ca = CertificateAuthority("Orders Root CA", organization="Orders").intermediate(
        "Orders Issuing CA"
    )
    client_ca = CertificateAuthority("Acme Root CA", organization="Acme").intermediate("Acme Issuing CA")
    return (
        server_ca,
        client_ca,
        server_ca.issue(HOST, usage="server"),
        client_ca.issue(CLIENT, usage="client"),
    )


def good_scenario(*, two_way: bool = False, tls: str = "1.3") -> Scenario:
    """Return a scenario in which everything is right.

    Parameters
    ----------
    two_way : bool
        Whether the server asks for a client certificate, and the client has one.
    tls : {"1.3", "1.2"}
        The TLS version both insist on.

    Raises
    ------
    ArgumentError
        If `tls` is unknown.
    """
    if tls not in TLS_VERSIONS:
        raise ArgumentError("unknown TLS version", on=repr(tls), hint="one of " + ", ".join(TLS_VERSIONS))
    server_ca, client_ca, server, client = _authorities()
    return Scenario(
        client=ClientConfig(server_ca.trust_store, client if two_way else None, host=HOST),
        server=ServerConfig(server, client_ca.trust_store if two_way else None),
        tls=tls,
        server_ca=server_ca,
        client_ca=client_ca,
    )
