"""Strength: keys, signatures and parameters that are too weak for today."""

from __future__ import annotations

from dataclasses import replace

from certkit.faults import _repairs
from certkit.faults._tools import resign, weak_dh_parameters
from certkit.faults.registry import fault
from certkit.faults.scenario import Scenario

# What Debian's OpenSSL does by default, and every OpenSSL from 3.2 on: at least 112 bits of security.
_LEVEL_2, _ANYTHING = "DEFAULT:@SECLEVEL=2", "DEFAULT:@SECLEVEL=0"
_NEW_KEY = "Make a new key (P-256, or RSA of 2048 bits or more) and have a certificate issued for it."


@fault(cause="weak-key", side="server", repair=_repairs.good_ends, remedy=_NEW_KEY)
def weak_key(scenario: Scenario) -> Scenario:
    """The server's RSA key has 1024 bits.

    It came with the appliance, years ago. OpenSSL's clients refuse it where the security level is 2; Java, Go, GnuTLS
    and Node do not mind.
    """
    server = scenario.issue_server(key="rsa1024")
    return scenario.with_server(credential=server, ciphers=_ANYTHING).with_client(ciphers=_LEVEL_2)


@fault(cause="weak-key", side="server", repair=_repairs.good_ends, remedy=_NEW_KEY)
def weak_ca_key(scenario: Scenario) -> Scenario:
    """The intermediate's RSA key has 1024 bits; the server's own key is a good one.

    Whoever breaks the CA's key needs no other.
    """
    ca = scenario.server_ca.root.intermediate("Orders Small CA", key="rsa1024")
    server = ca.issue(scenario.host, usage="server")
    return scenario.with_server(credential=server, ciphers=_ANYTHING).with_client(ciphers=_LEVEL_2)


def _signed_with(scenario: Scenario, digest: str) -> Scenario:
    ca = scenario.server_ca.root.intermediate("Orders RSA CA", key="rsa2048")
    server = ca.issue(scenario.host, usage="server")
    leaf = resign(server.certificate, ca, digest=digest)
    server = server.with_chain((leaf, ca.certificate))
    return scenario.with_server(credential=server, ciphers=_ANYTHING).with_client(ciphers=_LEVEL_2)


_SHA256 = "Have the certificate issued again, signed with SHA-256."


@fault(cause="weak-signature", side="server", repair=_repairs.good_ends, remedy=_SHA256)
def sha1_leaf(scenario: Scenario) -> Scenario:
    """The server's certificate is signed with SHA-1.

    Two documents with one SHA-1 hash have been made since 2017. Java accepts it under a root of your own.
    """
    return _signed_with(scenario, "sha1")


@fault(cause="weak-signature", side="server", repair=_repairs.good_ends, remedy=_SHA256)
def md5_leaf(scenario: Scenario) -> Scenario:
    """The server's certificate is signed with MD5.

    A CA certificate was forged this way in 2008.
    """
    return _signed_with(scenario, "md5")


@fault(cause="weak-signature", side="server", repair=_repairs.good_ends, remedy=_SHA256)
def sha1_intermediate(scenario: Scenario) -> Scenario:
    """The intermediate is signed with SHA-1, the server's own certificate with SHA-256.

    The CA was set up long ago, and its root is of the same age.
    """
    root = scenario.server_ca.root
    ca = root.intermediate("Orders Old CA")
    server = ca.issue(scenario.host, usage="server")
    old = resign(ca.certificate, root, digest="sha1")
    server = server.with_chain((server.certificate, old))
    return scenario.with_server(credential=server, ciphers=_ANYTHING).with_client(ciphers=_LEVEL_2)


@fault(
    cause="weak-dh-params",
    side="server",
    repair=_repairs.good_ends,
    remedy="Use ECDHE, or Diffie-Hellman parameters of 2048 bits or more.",
    tls=("1.2",),
)
def weak_dh_params(scenario: Scenario) -> Scenario:
    """The server offers Diffie-Hellman with parameters of 1024 bits, and nothing else.

    The Logjam attack (2015) breaks those that many servers share. TLS 1.3 has no such parameters, so this is TLS 1.2.
    """
    server = scenario.issue_server(key="rsa2048")
    weak = scenario.with_server(
        credential=server, ciphers="DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0", dh_parameters=weak_dh_parameters()
    )
    return replace(weak.with_client(ciphers=_LEVEL_2), tls="1.2")
