"""Protocol: two sides that do not speak the same language, or hang up."""

from __future__ import annotations

from dataclasses import replace

from certkit.faults import _repairs
from certkit.faults.registry import fault
from certkit.faults.scenario import Scenario

_UPDATE = "Update the side that is behind: TLS 1.2 is from 2008, TLS 1.3 from 2018."
_ANY_VERSION = ("1.3",)


@fault(cause="protocol-version", side="server", repair=_repairs.good_ends, remedy=_UPDATE, tls=("1.2",))
def server_too_old(scenario: Scenario) -> Scenario:
    """The server speaks TLS 1.1 and nothing newer.

    RFC 8996 put TLS 1.1 to rest in 2021. The appliance is older.
    """
    old = scenario.with_server(only_tls="1.1", ciphers="ALL:@SECLEVEL=0")
    # Python's own list of ciphers has none for TLS 1.1; with OpenSSL's, the version alone is the matter.
    old = old.with_client(ciphers="DEFAULT")
    return replace(old, tls="1.2")


@fault(cause="protocol-version", side="client", repair=_repairs.good_ends, remedy=_UPDATE, tls=("1.3",))
def client_too_old(scenario: Scenario) -> Scenario:
    """The client speaks TLS 1.2 at most, and the server wants 1.3.

    The server was hardened on Tuesday; the client's runtime is from 2014.
    """
    return replace(scenario.with_client(only_tls="1.2"), tls="1.3")


@fault(
    cause="no-shared-cipher",
    side="server",
    repair=_repairs.good_server,
    remedy="Allow a cipher suite that both sides know: ECDHE with AES-GCM.",
    tls=("1.2",),
)
def no_shared_cipher(scenario: Scenario) -> Scenario:
    """The server allows only cipher suites for RSA certificates, and its certificate has an EC key.

    The list of ciphers was copied from the server before this one. Nothing on it can be used.
    """
    return replace(scenario.with_server(ciphers="ECDHE-RSA-AES128-GCM-SHA256"), tls="1.2")


@fault(
    cause="no-shared-cipher",
    side="server",
    repair=_repairs.good_server,
    remedy="Allow a group that both sides know: X25519 or P-256.",
)
def no_shared_group(scenario: Scenario) -> Scenario:
    """The server knows one group for the key exchange, and the client does not offer it.

    A curve (P-224) out of an old guideline, which no client offers today.
    """
    return scenario.with_server(groups="secp224r1")


@fault(
    cause="plaintext-on-tls-port",
    side="server",
    repair=_repairs.good_server,
    remedy="Call the port on which TLS is spoken, or switch TLS on for this one.",
    tls=_ANY_VERSION,
)
def http_on_tls_port(scenario: Scenario) -> Scenario:
    """The server speaks plain HTTP on the port that the client takes for HTTPS.

    The TLS settings went missing in the last change. The client gets HTTP/1.1 400 and takes it for a TLS record.
    """
    return scenario.with_server(speaks_http=True)


@fault(
    cause="plaintext-on-tls-port",
    side="client",
    repair=_repairs.good_client,
    remedy="Write https:// in the URL.",
    tls=_ANY_VERSION,
)
def http_to_tls_port(scenario: Scenario) -> Scenario:
    """The client speaks plain HTTP to a TLS port.

    One letter is missing in the URL.
    """
    return scenario.with_client(plain=True)


@fault(
    cause="renegotiation",
    side="server",
    repair=_repairs.good_server,
    remedy="Update the server: secure renegotiation is RFC 5746, from 2010.",
    tls=("1.2",),
)
def unsafe_renegotiation(scenario: Scenario) -> Scenario:
    """The server knows nothing of secure renegotiation.

    OpenSSL 3 refuses such servers from the start; Java and others accept them. TLS 1.3 has no renegotiation, so this is
    TLS 1.2.
    """
    return replace(scenario.with_server(secure_renegotiation=False), tls="1.2")


@fault(
    cause="server-closed",
    side="server",
    repair=_repairs.clear_road,
    remedy="Read the server's log: it knows why. Have it say goodbye before it closes (drain, then close).",
    tls=_ANY_VERSION,
)
def closed_at_hello(scenario: Scenario) -> Scenario:
    """The server closes the connection as soon as it hears the client.

    A load balancer without a healthy server behind it, or a list of addresses that may call.
    """
    return scenario.with_road(closing="at-hello")


@fault(
    cause="server-closed",
    side="server",
    repair=_repairs.clear_road,
    remedy="Look for the box that resets: a firewall with inspection, an intrusion detection, a dead process.",
    tls=_ANY_VERSION,
)
def reset_at_hello(scenario: Scenario) -> Scenario:
    """The connection is reset as soon as the client has said hello."""
    return scenario.with_road(closing="reset-at-hello")


def drain_and_present(scenario: Scenario) -> Scenario:
    """Have the server drain, so that its alert can be read; then do what the alert says."""
    return _repairs.new_client_certificate(_repairs.clear_road(scenario))


@fault(
    cause="server-closed",
    side="server",
    repair=drain_and_present,
    remedy="Read the server's log for the reason, and let it drain before it closes, so that its alert arrives.",
    two_way=True,
)
def abrupt_close(scenario: Scenario) -> Scenario:
    """The server refuses the client's certificate and is gone before its alert has left.

    Bytes that are still unread make a reset, and the reset overtakes the alert: measured in about 98 of 100 closes
    without draining. Here it is lost always. The client cannot know that its certificate is the matter.
    """
    return scenario.with_client(credential=None).with_road(closing="abrupt")
