"""Dates: certificates before and after their time."""

from __future__ import annotations

from datetime import timedelta

from certkit._files import utc
from certkit.faults import _repairs
from certkit.faults.registry import fault
from certkit.faults.scenario import Scenario

_RENEW_SERVER = "Renew the server's certificate and install the new one with its intermediate; then restart or reload the server."
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

    A certificate installed the evening before its first day, or a machine whose clock stopped: both look the same.
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
