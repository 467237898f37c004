"""Usage: certificates for another purpose."""

from __future__ import annotations

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from certkit._profiles import key_usage
from certkit.authority import USAGES
from certkit.faults import _repairs
from certkit.faults.registry import fault
from certkit.faults.scenario import Scenario


@fault(
    cause="wrong-eku",
    side="server",
    repair=_repairs.new_server_certificate,
    remedy="Issue the certificate with the extended key usage serverAuth.",
)
def wrong_eku(scenario: Scenario) -> Scenario:
    """The server presents a certificate that was issued for clients.

    Its extended key usage says clientAuth only. Name, dates and chain are right, and it is still refused.
    """
    return scenario.with_server(credential=scenario.issue_server(usage="client"))


@fault(
    cause="wrong-eku",
    side="server",
    repair=_repairs.new_server_certificate,
    remedy="Have the server's certificate issued by a CA that is meant for servers.",
)
def ca_for_clients_only(scenario: Scenario) -> Scenario:
    """The issuing CA is limited to client certificates, and the server's certificate comes from it.

    An extended key usage on an intermediate limits everything below it, although RFC 5280 does not say so.
    """
    limit = x509.ExtendedKeyUsage(USAGES["client"])
    ca = scenario.server_ca.root.intermediate("Orders Client CA", add=[(limit, False)])
    return scenario.with_server(credential=ca.issue(scenario.host, usage="server"))


@fault(
    cause="wrong-eku",
    side="server",
    repair=_repairs.new_server_certificate,
    remedy="Name serverAuth on the certificate: anyExtendedKeyUsage does not stand for it everywhere.",
)
def any_eku_only(scenario: Scenario) -> Scenario:
    """The server's certificate names anyExtendedKeyUsage, and serverAuth is not beside it.

    RFC 5280 lets an application demand its own purpose, whatever else is there (4.2.1.12); OpenSSL does.
    """
    anything = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])
    return scenario.with_server(credential=scenario.issue_server(add=[(anything, False)]))


@fault(
    cause="wrong-key-usage",
    side="server",
    repair=_repairs.new_server_certificate,
    remedy="Issue the certificate with the key usage digitalSignature.",
    harmless="OpenSSL's client checks that a key may be used for TLS at all, not for this exchange",
)
def key_usage_without_signature(scenario: Scenario) -> Scenario:
    """The server's RSA certificate allows keyEncipherment only, and the handshake is signed.

    A template from the days when clients encrypted a secret for the server. Today the server signs (RFC 8446, 4.4.2.2).
    """
    old = key_usage("key_encipherment")
    server = scenario.issue_server(key="rsa2048", add=[(old, True)])
    return scenario.with_server(credential=server)


@fault(
    cause="wrong-key-usage",
    side="server",
    repair=_repairs.new_server_certificate,
    remedy="Issue the certificate with the key usage digitalSignature.",
)
def key_usage_for_crls(scenario: Scenario) -> Scenario:
    """The server's certificate allows its key to sign CRLs and nothing else.

    Two templates were mixed up in the CA's software.
    """
    server = scenario.issue_server(key="rsa2048", add=[(key_usage("crl_sign"), True)])
    return scenario.with_server(credential=server)
