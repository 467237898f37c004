"""Client authentication: what goes wrong only when the server asks who calls."""

from __future__ import annotations

from certkit.authority import CertificateAuthority, self_signed
from certkit.chains import TrustStore
from certkit.faults import _repairs
from certkit.faults.registry import fault
from certkit.faults.scenario import CLIENT, Scenario


def trust_client_certificate(scenario: Scenario) -> Scenario:
    """Put the client's own certificate into the server's truststore for clients."""
    presented = scenario.client.credential
    return scenario.with_server(client_anchors=TrustStore(presented.chain if presented else ()))


@fault(
    cause="client-cert-missing",
    side="client",
    repair=_repairs.new_client_certificate,
    remedy="Configure the client's certificate and key, and name them in the callout.",
    two_way=True,
)
def client_cert_missing(scenario: Scenario) -> Scenario:
    """The server asks for a client certificate and the client has none to send.

    The callout does not name the certificate, or the keystore it names holds no private key. In TLS 1.2 the alert is
    handshake_failure, in TLS 1.3 certificate_required.
    """
    return scenario.with_client(credential=None)


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


@fault(
    cause="client-cert-untrusted",
    side="client",
    repair=_repairs.new_client_certificate,
    remedy="Load the client's certificate together with its intermediate into the keystore entry of its key.",
    two_way=True,
)
def client_intermediate_missing(scenario: Scenario) -> Scenario:
    """The client sends its certificate without the intermediate that issued it.

    The server trusts the root, and nothing leads there. The keystore entry was updated with the new leaf only.
    """
    credential = scenario.client.credential or scenario.issue_client()
    return scenario.with_client(credential=credential.with_chain((credential.certificate,)))


@fault(
    cause="client-cert-untrusted",
    side="server",
    repair=trust_client_certificate,
    remedy="Put exactly this certificate into the server's truststore for clients, and plan its renewal.",
    two_way=True,
)
def client_cert_self_signed(scenario: Scenario) -> Scenario:
    """The client presents a self-signed certificate that the server does not hold.

    Platforms make such certificates for their callouts. That works in two-way TLS, once the server has it.
    """
    return scenario.with_client(credential=self_signed(CLIENT, usage="client"))


@fault(
    cause="wrong-eku",
    side="client",
    repair=_repairs.new_client_certificate,
    remedy="Issue the client's certificate with the extended key usage clientAuth.",
    two_way=True,
)
def client_cert_wrong_eku(scenario: Scenario) -> Scenario:
    """The client presents a certificate that was issued for servers.

    The certificate of the company's web site was at hand. Since 2026 public CAs issue no other kind.
    """
    return scenario.with_client(credential=scenario.issue_client("www.acme.example.test", usage="server"))


@fault(
    cause="client-cert-rejected",
    side="server",
    repair=_repairs.good_server,
    remedy="Add the new certificate to the server's list, or map its subject to a user, before the client changes over.",
    two_way=True,
)
def client_cert_not_on_list(scenario: Scenario) -> Scenario:
    """The client's certificate is good, and it is not the one that the server has on its list.

    The client renewed its certificate under the same CA. The server pins the old one, and nobody told its operators.
    """
    old = scenario.issue_client().certificate
    return scenario.with_server(known_clients=frozenset({old.sha256}))


@fault(
    cause="ca-hint-list",
    side="server",
    repair=_repairs.good_server,
    remedy="Have the server name the client's CA in its CertificateRequest, or name none.",
    two_way=True,
    harmless="OpenSSL sends its certificate whatever the list says, and this server trusts it",
)
def ca_hint_list(scenario: Scenario) -> Scenario:
    """The server trusts the client's CA, and names only other CAs when it asks for a certificate.

    Two settings that look like one: whom to name (nginx: ssl_client_certificate) and whom to trust
    (ssl_trusted_certificate). Java, Go and wget send nothing that does not lead to a named CA; the server then
    says that no certificate came.
    """
    partner = CertificateAuthority("Partner Root CA").certificate
    return scenario.with_server(ca_names=(partner,))


@fault(
    cause="verify-depth-exceeded",
    side="server",
    repair=_repairs.good_server,
    remedy="Raise the server's verification depth (nginx ssl_verify_depth, Apache SSLVerifyDepth) to the length of the chain.",
    two_way=True,
)
def verify_depth_exceeded(scenario: Scenario) -> Scenario:
    """The client's chain is one intermediate longer than the server follows.

    nginx and Apache stop after one intermediate unless they are told otherwise, and the client's CA has grown a level.
    """
    below = scenario.client_ca.intermediate("Acme Department CA")
    longer = scenario.with_client(credential=below.issue(CLIENT, usage="client"))
    return longer.with_server(verify_depth=1)
