"""Path: chains that are complete and break a rule on the way."""

from __future__ import annotations

from cryptography import x509

from certkit._profiles import key_usage
from certkit.authority import CertificateAuthority
from certkit.faults import _repairs
from certkit.faults._tools import resign, to_version_1, with_serial
from certkit.faults.registry import fault
from certkit.faults.scenario import Scenario

_NEW_CA = "Have the certificate issued again, by a CA whose own certificate is right."


def _below(scenario: Scenario, ca: CertificateAuthority) -> Scenario:
    return scenario.with_server(credential=ca.issue(scenario.host, usage="server"))


@fault(cause="not-a-ca", side="server", repair=_repairs.new_server_certificate, remedy=_NEW_CA)
def issuer_is_no_ca(scenario: Scenario) -> Scenario:
    """The server's certificate was signed with the key of another server.

    Whoever holds a certificate for a host must not be able to issue some. In 2002 browsers forgot to check that.
    """
    no_ca = x509.BasicConstraints(ca=False, path_length=None)
    return _below(scenario, scenario.server_ca.root.intermediate("www.example.test", add=[(no_ca, True)]))


@fault(cause="not-a-ca", side="server", repair=_repairs.new_server_certificate, remedy=_NEW_CA)
def issuer_without_constraints(scenario: Scenario) -> Scenario:
    """The intermediate has no basic constraints at all, so nothing says that it is a CA.

    A certificate made with openssl req and no configuration (RFC 5280, 4.2.1.9 demands the extension).
    """
    ca = scenario.server_ca.root.intermediate("Orders Plain CA", without=[x509.BasicConstraints])
    return _below(scenario, ca)


@fault(cause="not-a-ca", side="server", repair=_repairs.new_server_certificate, remedy=_NEW_CA)
def issuer_without_cert_sign(scenario: Scenario) -> Scenario:
    """The intermediate is a CA, and its key usage does not let it sign certificates.

    keyCertSign is missing (RFC 5280, 4.2.1.3).
    """
    usage = key_usage("crl_sign")
    return _below(scenario, scenario.server_ca.root.intermediate("Orders CRL CA", add=[(usage, True)]))


@fault(cause="path-length-exceeded", side="server", repair=_repairs.new_server_certificate, remedy=_NEW_CA)
def path_length_exceeded(scenario: Scenario) -> Scenario:
    """The intermediate may issue for hosts only, and there is another CA below it.

    Its path length is 0 (RFC 5280, 4.2.1.9).
    """
    last = scenario.server_ca.root.intermediate("Orders Last CA", path_length=0)
    return _below(scenario, last.intermediate("Orders One Too Many"))


@fault(cause="name-constraints", side="server", repair=_repairs.new_server_certificate, remedy=_NEW_CA)
def name_not_permitted(scenario: Scenario) -> Scenario:
    """The issuing CA may issue for one domain, and the server's name is in another.

    A department got a CA of its own with name constraints (RFC 5280, 4.2.1.10), and issued for its neighbours.
    """
    permitted = x509.NameConstraints([x509.DNSName("sales.example.test")], None)
    ca = scenario.server_ca.root.intermediate("Orders Sales CA", add=[(permitted, True)])
    return _below(scenario, ca)


@fault(cause="name-constraints", side="server", repair=_repairs.new_server_certificate, remedy=_NEW_CA)
def name_excluded(scenario: Scenario) -> Scenario:
    """The issuing CA is forbidden to issue for the server's name, and did.

    Excluded subtrees win over permitted ones.
    """
    excluded = x509.NameConstraints(None, [x509.DNSName(scenario.host)])
    ca = scenario.server_ca.root.intermediate("Orders Limited CA", add=[(excluded, True)])
    return _below(scenario, ca)


@fault(
    cause="akid-mismatch",
    side="server",
    repair=_repairs.new_server_certificate,
    remedy="Send the intermediate whose key signed the leaf: same name, and the key identifier that the leaf names.",
)
def akid_mismatch(scenario: Scenario) -> Scenario:
    """The leaf names the key of another issuer than the one whose certificate is sent.

    The CA renewed its key under the same name, and the server still sends the old certificate of the CA.
    """
    old = scenario.server_ca.root.intermediate("Orders Renewed CA")
    new = scenario.server_ca.root.intermediate("Orders Renewed CA")
    server = new.issue(scenario.host, usage="server")
    return scenario.with_server(credential=server.with_chain((server.certificate, old.certificate)))


@fault(
    cause="akid-missing",
    side="server",
    repair=_repairs.new_server_certificate,
    remedy="Issue the certificate with an authority key identifier (RFC 5280, 4.2.1.1).",
    harmless="OpenSSL wants the identifier only when it is strict (Python does so by default from 3.13 on)",
)
def akid_missing(scenario: Scenario) -> Scenario:
    """The leaf does not say which key of its issuer signed it.

    CAs of your own often leave the authority key identifier out. Strict clients refuse the certificate since 2024.
    """
    server = scenario.issue_server(without=[x509.AuthorityKeyIdentifier])
    return scenario.with_server(credential=server)


@fault(cause="x509-v1-certificate", side="server", repair=_repairs.new_server_certificate, remedy=_NEW_CA)
def version_1_intermediate(scenario: Scenario) -> Scenario:
    """The intermediate is a certificate of version 1, which has no extensions.

    Nothing in it can say that it is a CA. Such certificates were made with openssl x509 -req, without extensions.
    """
    root = scenario.server_ca.root
    ca = root.intermediate("Orders Version 1 CA")
    server = ca.issue(scenario.host, usage="server")
    old = resign(ca.certificate, root, change=to_version_1)
    return scenario.with_server(credential=server.with_chain((server.certificate, old)))


@fault(
    cause="ca-cert-as-leaf",
    side="server",
    repair=_repairs.new_server_certificate,
    remedy="Issue a certificate for the server that is no CA certificate.",
    harmless="OpenSSL takes a CA certificate for a server's, if its usage fits",
)
def ca_as_leaf(scenario: Scenario) -> Scenario:
    """The server presents a certificate that could issue others.

    A self-made CA whose one certificate is used for everything: who steals the server's key can make more. NSS refuses it.
    """
    a_ca = x509.BasicConstraints(ca=True, path_length=None)
    usage = key_usage("digital_signature", "key_cert_sign")
    server = scenario.issue_server(add=[(a_ca, True), (usage, True)])
    return scenario.with_server(credential=server)


@fault(
    cause="duplicate-serial",
    side="server",
    repair=_repairs.new_server_certificate,
    remedy="Have the CA issue with unique serial numbers (RFC 5280, 4.1.2.2), and get a new certificate.",
    harmless="OpenSSL compares whole certificates, not issuer and serial number",
)
def duplicate_serial(scenario: Scenario) -> Scenario:
    """Two certificates of one CA in the chain have the same serial number.

    A home-made CA starts again at 1 on each machine. NSS, and Firefox with it, takes the second for a forgery.
    """
    root = scenario.server_ca.root
    ca = root.intermediate("Orders Counting CA")
    other = resign(root.intermediate("Orders Second Counter").certificate, root, change=with_serial(7))
    ours = resign(ca.certificate, root, change=with_serial(7))
    server = ca.issue(scenario.host, usage="server")
    return scenario.with_server(credential=server.with_chain((server.certificate, ours, other)))


@fault(
    cause="certificate-policy",
    side="server",
    repair=_repairs.new_server_certificate,
    remedy="Have the certificate issued under a policy that every CA above it names.",
    harmless="OpenSSL processes policies only if it is told to",
)
def policy_required(scenario: Scenario) -> Scenario:
    """The intermediate demands a certificate policy, and none is named on the leaf.

    requireExplicitPolicy is 0 (RFC 5280, 4.2.1.11). Java, Go, NSS, GnuTLS and browsers look; OpenSSL does not.
    """
    demand = x509.PolicyConstraints(require_explicit_policy=0, inhibit_policy_mapping=None)
    return _below(scenario, scenario.server_ca.root.intermediate("Orders Policy CA", add=[(demand, True)]))


@fault(
    cause="unknown-critical-extension",
    side="server",
    repair=_repairs.new_server_certificate,
    remedy="Issue the certificate without it, or mark it as not critical.",
)
def unknown_critical_extension(scenario: Scenario) -> Scenario:
    """The server's certificate has a critical extension that nobody knows.

    Critical means: who does not understand it must refuse (RFC 5280, 4.2).
    """
    private = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
    return scenario.with_server(credential=scenario.issue_server(add=[(private, True)]))


@fault(
    cause="malformed-extension",
    side="server",
    repair=_repairs.good_server,
    remedy="Issue the certificate again; the program that made it writes broken extensions.",
)
def malformed_extension(scenario: Scenario) -> Scenario:
    """One extension of the server's certificate is no valid DER.

    A home-made tool wrote the basic constraints. The signature is right, and the content cannot be read.
    """
    broken = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.19"), b"\x30\x03\x01\x01")
    server = scenario.issue_server(
        key=scenario.server.credential.key, without=[x509.BasicConstraints], add=[(broken, True)]
    )
    # OpenSSL serves no such certificate; the hand-written server does.
    return scenario.with_server(presents=tuple(item.der for item in server.chain))
