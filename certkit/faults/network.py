"""Network: what happens before the two sides meet; and files over FTPS."""

from __future__ import annotations

from certkit.authority import CertificateAuthority
from certkit.faults import _repairs
from certkit.faults.registry import fault
from certkit.faults.scenario import Scenario

_PROXY = (
    "Ask whoever runs the proxy to let the client reach this host and port; or configure the right proxy."
)
_NO_TLS = ("1.3",)


@fault(
    cause="proxy-refused",
    side="network",
    repair=_repairs.clear_road,
    remedy="Ask whoever runs the proxy or the firewall: it has no way to the server.",
    tls=_NO_TLS,
)
def proxy_unavailable(scenario: Scenario) -> Scenario:
    """The web proxy answers 503: it does not reach the server.

    Java says: Unable to tunnel through proxy. Proxy returns "HTTP/1.0 503 Service unavailable". The server saw nothing.
    """
    return scenario.with_road(proxy="unavailable")


@fault(cause="proxy-refused", side="network", repair=_repairs.clear_road, remedy=_PROXY, tls=_NO_TLS)
def proxy_not_found(scenario: Scenario) -> Scenario:
    """The web proxy answers 404.

    It is a web server that takes CONNECT for the name of a page: most often the wrong host is configured as proxy.
    """
    return scenario.with_road(proxy="not-found")


@fault(cause="proxy-refused", side="network", repair=_repairs.clear_road, remedy=_PROXY, tls=_NO_TLS)
def proxy_forbidden(scenario: Scenario) -> Scenario:
    """The web proxy answers 403: its rules do not let this call through."""
    return scenario.with_road(proxy="forbidden")


@fault(
    cause="proxy-refused",
    side="client",
    repair=_repairs.clear_road,
    remedy="Give the client a user name and a password for the proxy.",
    tls=_NO_TLS,
)
def proxy_wants_login(scenario: Scenario) -> Scenario:
    """The web proxy answers 407: it wants to know who is calling."""
    return scenario.with_road(proxy="login")


@fault(cause="proxy-refused", side="network", repair=_repairs.clear_road, remedy=_PROXY, tls=_NO_TLS)
def proxy_is_a_web_server(scenario: Scenario) -> Scenario:
    """What is configured as proxy is an ordinary web server: it answers 405 to CONNECT."""
    return scenario.with_road(proxy="no-proxy")


@fault(cause="proxy-refused", side="network", repair=_repairs.clear_road, remedy=_PROXY, tls=_NO_TLS)
def proxy_hangs_up(scenario: Scenario) -> Scenario:
    """The web proxy closes the connection without a word."""
    return scenario.with_road(proxy="hang-up")


@fault(
    cause="dns-or-network",
    side="network",
    repair=_repairs.clear_road,
    remedy="Start the server, or call the port on which it listens.",
    tls=_NO_TLS,
)
def port_closed(scenario: Scenario) -> Scenario:
    """Nobody listens on the port: the connection is refused.

    The server is down, or a firewall answers for it.
    """
    return scenario.with_road(port="closed")


@fault(
    cause="dns-or-network",
    side="network",
    repair=_repairs.clear_road,
    remedy="Have the firewall let the connection through; a firewall that rejects is kinder than one that drops.",
    tls=_NO_TLS,
)
def port_silent(scenario: Scenario) -> Scenario:
    """The port takes the connection and never says a word.

    A stand-in for a firewall that drops packets: there already the connection gets no answer.
    """
    return scenario.with_road(port="silent")


def allow_endpoint(scenario: Scenario) -> Scenario:
    """Put the server on the platform's allow-list."""
    return scenario.with_road(allowed=(scenario.host,))


@fault(
    cause="endpoint-not-allowed",
    side="client",
    repair=allow_endpoint,
    remedy="Add the endpoint to the platform's allow-list (Salesforce: remote site settings).",
    tls=_NO_TLS,
)
def endpoint_not_allowed(scenario: Scenario) -> Scenario:
    """The calling platform does not allow calls to this host.

    A stand-in for the rule of a hosted platform: no connection is tried, so no server and no proxy sees anything.
    """
    return scenario.with_road(allowed=("other.example.test",))


@fault(
    cause="client-cert-untrusted",
    side="server",
    repair=_repairs.trust_client_root,
    remedy="Add the root above the client's certificate to the FTPS server's truststore for clients.",
    two_way=True,
)
def ftps_client_untrusted(scenario: Scenario) -> Scenario:
    """An FTPS server does not know the CA of the client's certificate.

    Explicit FTPS: AUTH TLS, then the handshake. The reader's message in the source article: Received fatal alert: unknown_ca.
    """
    stranger = CertificateAuthority("Some Other Root CA")
    return scenario.with_server(client_anchors=stranger.trust_store).with_road(service="ftps")


@fault(
    cause="untrusted-root",
    side="client",
    repair=_repairs.trust_server_root,
    remedy="Add the FTPS server's root to the client's truststore.",
)
def ftps_server_untrusted(scenario: Scenario) -> Scenario:
    """The FTPS client does not know the root of the server.

    FTP programs ask the user once and remember; integration platforms fail.
    """
    stranger = CertificateAuthority("Some Other Root CA")
    return scenario.with_client(anchors=stranger.trust_store).with_road(service="ftps")


def resume_sessions(scenario: Scenario) -> Scenario:
    """Have the client resume the control connection's session."""
    return scenario.with_road(resumes=True)


@fault(
    cause="tls-session-reuse-required",
    side="client",
    repair=resume_sessions,
    remedy="Use a client that resumes the session, or switch the demand off (vsftpd: require_ssl_reuse=NO).",
)
def ftps_session_not_reused(scenario: Scenario) -> Scenario:
    """The FTPS server demands that data connections resume the session of the control connection, and the client starts anew.

    The login works, and every transfer fails with 522. Python's ftplib by itself is such a client.
    """
    return scenario.with_road(service="ftps-reuse", resumes=False)
