"""Dates: certificates before and after their time."""

from __future__ import annotations

from datetime import timedelta

from certkit._files import utc
from certkit.authority import CertificateAuthority
from certkit.faults import _repairs
from certkit.faults._tools import with_dates
from certkit.faults.registry import fault
from certkit.faults.scenario import Scenario

_RENEW_SERVER = "Renew the server's certificate and install the new one with its intermediate; then restart or reload the server."
_RENEW_CA = "Get the CA's present intermediate and put it behind the leaf in the server's file; then reload the server."
_RENEW_CLIENT = "Renew the client's certificate and load it where the callout names it."


@fault(cause="expired-leaf", side="server", repair=_repairs.new_server_certificate, remedy=_RENEW_SERVER)
def expired_leaf(scenario: Scenario) -> Scenario:
    """The server's certificate expired yesterday.

    Nobody changed anything: the last second of validity passed, and from the next one on every client refuses it.
    """
    yesterday = utc(None) - timedelta(days=1)
    return scenario.with_server(credential=scenario.issue_server(not_after=yesterday))


@fault(
    cause="not-yet-valid-or-clock",
    side="server",
    repair=_repairs.new_server_certificate,
    remedy="If the date on the certificate is wrong, issue it again; if the client's clock is wrong, set the clock (NTP).",
)
def not_yet_valid(scenario: Scenario) -> Scenario:
    """The server's certificate begins tomorrow, or the client's clock is behind.

    A certificate installed the evening before its first day, or a machine whose clock stopped: both look the same. NSS
    allows a day of grace.
    """
    tomorrow = utc(None) + timedelta(days=1)
    later = tomorrow + timedelta(days=90)
    return scenario.with_server(credential=scenario.issue_server(not_before=tomorrow, not_after=later))


@fault(
    cause="expired-leaf",
    side="client",
    repair=_repairs.new_client_certificate,
    remedy=_RENEW_CLIENT,
    two_way=True,
)
def client_cert_expired(scenario: Scenario) -> Scenario:
    """The client's certificate expired yesterday.

    The server checks dates as strictly as a client does. In TLS 1.3 the client believes the handshake is done and learns of
    the refusal when it reads the answer.
    """
    yesterday = utc(None) - timedelta(days=1)
    return scenario.with_client(credential=scenario.issue_client(not_after=yesterday))


@fault(cause="expired-ca", side="server", repair=_repairs.new_server_certificate, remedy=_RENEW_CA)
def expired_intermediate(scenario: Scenario) -> Scenario:
    """The intermediate expired yesterday, and the server's own certificate is still good.

    The CA renewed its intermediate in time; the server's file still holds the old one.
    """
    yesterday = utc(None) - timedelta(days=1)
    ca = scenario.server_ca.root.intermediate("Orders Expired CA", not_after=yesterday)
    return scenario.with_server(credential=ca.issue(scenario.host, usage="server"))


@fault(
    cause="not-yet-valid-or-clock",
    side="server",
    repair=_repairs.new_server_certificate,
    remedy=_RENEW_CA,
)
def intermediate_not_yet_valid(scenario: Scenario) -> Scenario:
    """The intermediate begins tomorrow.

    The CA's new intermediate was installed before its first day.
    """
    tomorrow = utc(None) + timedelta(days=1)
    later = tomorrow + timedelta(days=365)
    ca = scenario.server_ca.root.intermediate("Orders Coming CA", not_before=tomorrow, not_after=later)
    return scenario.with_server(credential=ca.issue(scenario.host, usage="server"))


@fault(
    cause="expired-ca",
    side="client",
    repair=_repairs.good_ends,
    remedy="Replace the expired root in the client's truststore by the CA's present one.",
)
def expired_root(scenario: Scenario) -> Scenario:
    """The root in the client's truststore expired yesterday.

    Truststores in images and appliances are older than anybody thinks. Java does not look at the dates of an anchor
    (RFC 5280, 6.1.1 (d) does not make it), nearly everybody else does.
    """
    yesterday = utc(None) - timedelta(days=1)
    old = CertificateAuthority("Orders Expired Root", not_after=yesterday)
    server = old.intermediate("Orders Surviving CA").issue(scenario.host, usage="server")
    return scenario.with_server(credential=server).with_client(anchors=old.trust_store)


def _cross_signed(scenario: Scenario) -> tuple[Scenario, CertificateAuthority, CertificateAuthority]:
    day = timedelta(days=1)
    now = utc(None)
    old = CertificateAuthority("Orders Old Root", not_before=now - 4000 * day, not_after=now - day)
    new = CertificateAuthority("Orders New Root")
    # The cross-sign ends with the root that gave it.
    ended = old.cross_sign(new, days=1)
    ended = with_dates(ended, old, now - 1000 * day, now - day)
    server = new.intermediate("Orders Crossed CA").issue(scenario.host, usage="server")
    chain = (*server.chain, ended)
    return scenario.with_server(credential=server.with_chain(chain)), old, new


@fault(
    cause="expired-ca",
    side="client",
    repair=_repairs.good_ends,
    remedy="Add the CA's new root to the client's truststore; the cross-sign was a bridge for a time.",
)
def expired_cross_sign(scenario: Scenario) -> Scenario:
    """The client knows only the old root, and the cross-sign that led to it has expired.

    On 30 September 2021 this stopped devices all over the world: a new root had been cross-signed by an old one.
    """
    crossed, old, _ = _cross_signed(scenario)
    return crossed.with_client(anchors=old.trust_store)


@fault(
    cause="expired-ca",
    side="server",
    repair=_repairs.good_ends,
    remedy="Stop sending the expired cross-sign.",
    harmless="OpenSSL since 1.1.0 looks for a trusted root first and does not need the cross-sign",
)
def expired_cross_sign_beside_new_root(scenario: Scenario) -> Scenario:
    """The client knows the new root, and the server still sends the expired cross-sign to the old one.

    Clients that look for the shortest way find it; clients that follow what was sent to its end do not.
    """
    crossed, old, new = _cross_signed(scenario)
    return crossed.with_client(anchors=old.trust_store + new.trust_store)


@fault(
    cause="validity-too-long",
    side="server",
    repair=_repairs.new_server_certificate,
    remedy="Issue server certificates for months, not for years, and renew them by machine.",
    harmless="OpenSSL knows no limit; browsers have one for public CAs",
)
def validity_too_long(scenario: Scenario) -> Scenario:
    """The server's certificate is valid for ten years.

    Convenient until a key is lost, or until nobody is left who knows how to renew it.
    """
    return scenario.with_server(credential=scenario.issue_server(days=3650))
