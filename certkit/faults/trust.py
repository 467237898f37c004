"""Trust: paths that do not reach an anchor of the side that looks for one."""

from __future__ import annotations

from certkit.authority import CertificateAuthority, self_signed
from certkit.faults import _repairs
from certkit.faults.registry import fault
from certkit.faults.scenario import HOST, Scenario


@fault(
    cause="self-signed-leaf",
    side="server",
    repair=_repairs.new_server_certificate,
    remedy="Have it issued by a CA that the client trusts. An in-house client can trust this one certificate instead.",
)
def self_signed_leaf(scenario: Scenario) -> Scenario:
    """The server presents a certificate that it signed itself.

    An appliance comes with such a certificate so that its first login page works. It proves nothing: anybody can sign the
    same name.
    """
    return scenario.with_server(credential=self_signed(HOST, usage="server"))


@fault(
    cause="missing-intermediate",
    side="server",
    repair=_repairs.send_intermediate,
    remedy="Install the leaf together with every intermediate, leaf first, without the root; then reload the server.",
)
def missing_intermediate(scenario: Scenario) -> Scenario:
    """The server sends its own certificate only, without the intermediate that issued it.

    Browsers often hide this: they remember or fetch the intermediate. Java, OpenSSL and the integration platforms do not,
    so the site works in every browser and fails in every callout.
    """
    credential = scenario.server.credential
    return scenario.with_server(credential=credential.with_chain((credential.certificate,)))


@fault(
    cause="untrusted-root",
    side="client",
    repair=_repairs.trust_server_root,
    remedy="Add the server's root (not its leaf) to the client's truststore, or have the server use a CA that the client knows.",
)
def untrusted_root(scenario: Scenario) -> Scenario:
    """The server's chain is complete, but the client does not know its root.

    A private CA, or a public one that is newer than the client's truststore. The server did nothing wrong.
    """
    stranger = CertificateAuthority("Some Other Root CA")
    return scenario.with_client(anchors=stranger.trust_store)


@fault(
    cause="client-cert-untrusted",
    side="server",
    repair=_repairs.trust_client_root,
    remedy="Add the root above the client's certificate to the server's truststore for clients.",
    two_way=True,
)
def client_cert_untrusted(scenario: Scenario) -> Scenario:
    """The client presents a good certificate, and the server does not know its CA.

    The client reads: received fatal alert: unknown_ca. An alert that is received is the other side's verdict on us.
    """
    stranger = CertificateAuthority("Some Other Root CA")
    return scenario.with_server(client_anchors=stranger.trust_store)
