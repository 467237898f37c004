"""Trust: paths that do not reach an anchor of the side that looks for one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from cryptography import x509

from certkit._files import utc
from certkit.authority import CertificateAuthority, self_signed
from certkit.chains import TrustStore
from certkit.faults import _repairs
from certkit.faults._sides import LabServer
from certkit.faults.registry import fault
from certkit.faults.scenario import Scenario


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
    return scenario.with_server(credential=self_signed(scenario.host, usage="server"))


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
    cause="chain-out-of-order",
    side="server",
    repair=_repairs.new_server_certificate,
    remedy="Put the file in order: leaf, its issuer, that one's issuer, and so on, without the root.",
    harmless="OpenSSL takes what was sent for a heap of certificates and finds its own way through it",
)
def chain_out_of_order(scenario: Scenario) -> Scenario:
    """The server sends its leaf first, and the two intermediates behind it in the wrong order.

    Somebody pasted the blocks of the file together in the order of the CA's mail. Every mainstream client copes; strict
    ones and the documentation of integration platforms do not.
    """
    below = scenario.server_ca.intermediate("Orders Department CA")
    credential = below.issue(scenario.host, usage="server")
    leaf, department, issuing = credential.chain
    return scenario.with_server(credential=credential.with_chain((leaf, issuing, department)))


@fault(
    cause="chain-out-of-order",
    side="server",
    repair=_repairs.new_server_certificate,
    remedy="Take the certificate out that certifies nothing in this chain.",
    harmless="OpenSSL ignores certificates that it does not need",
)
def stranger_in_chain(scenario: Scenario) -> Scenario:
    """A certificate that has nothing to do with it stands in the server's chain.

    The intermediate of last year's CA stayed in the file when the certificate was renewed elsewhere.
    """
    stranger = CertificateAuthority("Last Year's Root CA").intermediate("Last Year's Issuing CA")
    leaf, *others = scenario.server.credential.chain
    chain = (leaf, stranger.certificate, *others)
    return scenario.with_server(credential=scenario.server.credential.with_chain(chain))


@fault(
    cause="leaf-not-first",
    side="server",
    repair=_repairs.good_server,
    remedy="Move the certificate that matches the private key to the top of the file.",
)
def leaf_not_first(scenario: Scenario) -> Scenario:
    """The server sends the intermediate first and its own certificate behind it.

    The client takes the first certificate for the server's own (RFC 8446, 4.4.2). OpenSSL refuses to start with such a
    file; appliances do not, so a hand-written server presents it here.
    """
    leaf, *others = scenario.server.credential.chain
    return scenario.with_server(presents=tuple(item.der for item in (*others, leaf)))


@fault(
    cause="truststore-missing-or-empty",
    side="client",
    repair=_repairs.give_client_its_store,
    remedy="Look which truststore the running program opened, and give it the one that was meant.",
)
def truststore_empty(scenario: Scenario) -> Scenario:
    """The client's truststore is empty.

    The path in the configuration is wrong and the program made a new file, or the CA was imported into another one.
    """
    return scenario.with_client(anchors=TrustStore())


@fault(
    cause="untrusted-root",
    side="client",
    repair=_repairs.give_client_its_store,
    remedy="Put the root into the truststore, not the server's certificate: it lasts for years and for every server.",
)
def trust_holds_leaf_only(scenario: Scenario) -> Scenario:
    """The client's truststore holds the server's certificate instead of its root.

    Exported from a browser on a hurried evening. Java, Go and curl accept it until the next renewal; OpenSSL as
    Python and Node use it wants a root.
    """
    return scenario.with_client(anchors=TrustStore((scenario.server.credential.certificate,)))


@fault(
    cause="untrusted-root",
    side="client",
    repair=_repairs.give_client_its_store,
    remedy="Put the root into the truststore as well.",
)
def trust_holds_intermediate_only(scenario: Scenario) -> Scenario:
    """The client's truststore holds the intermediate and not the root above it.

    For most stacks whatever is in the truststore is an anchor; for OpenSSL, unless it is told otherwise, only a
    self-signed root ends a path.
    """
    return scenario.with_client(anchors=TrustStore((scenario.server_ca.certificate,)))


@fault(
    cause="root-store-polluted",
    side="client",
    repair=_repairs.good_ends,
    remedy="Rebuild the truststore from the list of roots that are meant; one name, one root.",
)
def two_roots_of_one_name(scenario: Scenario) -> Scenario:
    """Two roots of the same name and with different keys stand in the client's truststore.

    The test CA was set up twice under one name. Where the certificates carry no key identifiers, a client may try the
    wrong one first and take the chain for a forgery.
    """
    stale, fresh = (CertificateAuthority("Orders Test Root", organization="Orders") for _ in range(2))
    issuing = fresh.intermediate("Orders Test CA", without=(x509.AuthorityKeyIdentifier,))
    server = issuing.issue(scenario.host, usage="server")
    roots = TrustStore((stale.certificate, fresh.certificate))
    return scenario.with_server(credential=server).with_client(anchors=roots)


@fault(
    cause="root-store-polluted",
    side="client",
    repair=_repairs.good_ends,
    remedy="Take the expired copy out of the truststore.",
    harmless="OpenSSL prefers the copy that is valid now",
)
def expired_twin_root(scenario: Scenario) -> Scenario:
    """The client's truststore holds the root twice: the expired certificate and its renewal, same name and key.

    The root was renewed with its old key, and nobody removed the old copy.
    """
    day = timedelta(days=1)
    now = utc(None)
    old = CertificateAuthority("Orders Old Root", not_before=now - 900 * day, not_after=now - day)
    renewed = CertificateAuthority("Orders Old Root", key=old.key)
    server = renewed.intermediate("Orders Second CA").issue(scenario.host, usage="server")
    roots = TrustStore((old.certificate, renewed.certificate))
    return scenario.with_server(credential=server).with_client(anchors=roots)


@fault(
    cause="tls-interception",
    side="network",
    repair=_repairs.clear_road,
    remedy="Have the host exempted from inspection, or add the box's CA to this client's truststore if that is policy.",
)
def tls_interception(scenario: Scenario) -> Scenario:
    """A box in between ends the connection and presents a certificate that it made.

    The server never saw this connection. Its name is on the certificate, and the issuer is the company's own web proxy.
    """
    proxy = CertificateAuthority("Interception CA", organization="Web proxy")
    made = proxy.issue(scenario.host, usage="server")
    return replace(scenario, box=LabServer(made.with_chain((*made.chain, proxy.certificate))))
