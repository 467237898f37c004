"""Identity: good certificates for somebody else."""

from __future__ import annotations

from cryptography import x509

from certkit.faults import _repairs
from certkit.faults.registry import fault
from certkit.faults.scenario import Scenario

_NAMES = "Issue the certificate for every name in use (subject alternative names), or call the server by its right name."
_ADDRESS = "127.0.0.1"


@fault(cause="hostname-mismatch", side="server", repair=_repairs.new_server_certificate, remedy=_NAMES)
def hostname_mismatch(scenario: Scenario) -> Scenario:
    """The certificate is for another host than the one the client wanted.

    A new alias in DNS, a move behind a load balancer, a test certificate in production: the certificate is fine, the name
    is not on it. The common name does not help: only the subject alternative names count.
    """
    return scenario.with_server(credential=scenario.issue_server("old-orders.example.test"))


@fault(
    cause="hostname-mismatch",
    side="server",
    repair=_repairs.new_server_certificate,
    remedy="Put the name itself beside the wildcard on the certificate.",
)
def wildcard_misses(scenario: Scenario) -> Scenario:
    """The certificate has a wildcard below the name that the client wants, and not the name itself.

    ``*.example.test`` stands for exactly one label in front (RFC 6125, 6.4.3): neither for ``example.test`` nor for
    ``a.b.example.test``.
    """
    return scenario.with_server(credential=scenario.issue_server(f"*.{scenario.host}"))


@fault(
    cause="hostname-mismatch",
    side="client",
    repair=_repairs.ask_for_right_name,
    remedy="Call the server by the name on its certificate, or have the address put on it as an IP address.",
)
def address_instead_of_name(scenario: Scenario) -> Scenario:
    """The client calls the server by its IP address, and the certificate names only the host.

    The address went into the configuration while DNS was down, and stayed there.
    """
    return scenario.with_client(host=_ADDRESS)


@fault(
    cause="hostname-mismatch",
    side="server",
    repair=_repairs.ask_for_right_name,
    remedy="Have the address put on the certificate as an IP address (IP:), not as a DNS name.",
)
def address_as_dns_name(scenario: Scenario) -> Scenario:
    """The address is on the certificate, but as a DNS name.

    It reads the same and is another kind of name (RFC 5280, 4.2.1.6): an address is compared with IP entries only.
    """
    names = x509.SubjectAlternativeName([x509.DNSName(scenario.host), x509.DNSName(_ADDRESS)])
    server = scenario.issue_server(add=[(names, False)])
    return scenario.with_server(credential=server).with_client(host=_ADDRESS)


@fault(
    cause="no-san",
    side="server",
    repair=_repairs.new_server_certificate,
    remedy="Issue the certificate with subject alternative names; the common name alone has not counted since 2000 (RFC 2818).",
    harmless="Python's ssl still falls back to the common name unless a program forbids it",
)
def no_san(scenario: Scenario) -> Scenario:
    """The server's name stands in the common name only: the certificate has no subject alternative names.

    An internal CA with a template from long ago. requests, Go and browsers refuse it; OpenSSL and Java still take it.
    """
    server = scenario.issue_server(without=[x509.SubjectAlternativeName])
    return scenario.with_server(credential=server)


@fault(
    cause="sni-missing",
    side="client",
    repair=_repairs.ask_for_right_name,
    remedy="Call the server by its name with a client that sends it (SNI), or give the service an address of its own.",
)
def sni_missing(scenario: Scenario) -> Scenario:
    """The client names no server in its ClientHello, and gets the certificate of the first site on that address.

    Several sites share one address, and the name in the ClientHello tells which is meant (RFC 6066, 3). A client that
    calls an address, or is very old, names none.
    """
    meant = scenario.issue_server(scenario.host, _ADDRESS)
    default = scenario.issue_server("www.example.test")
    hosts = ((scenario.host, meant),)
    return scenario.with_server(credential=default, by_name=hosts).with_client(host=_ADDRESS)


@fault(
    cause="sni-missing",
    side="server",
    repair=_repairs.good_server,
    remedy="Configure the name on the server (its virtual host), spelt as the client spells it.",
)
def server_name_unknown(scenario: Scenario) -> Scenario:
    """The server has no site of the name that the client asks for, and says so.

    The new name is in DNS and not yet in the server's configuration. The alert is unrecognized_name.
    """
    other = scenario.issue_server("www.example.test")
    hosts = (("www.example.test", other),)
    return scenario.with_server(credential=other, by_name=hosts, demands_name=True)
