"""Revocation: certificates that were called back, and lists that do not arrive."""

from __future__ import annotations

from datetime import timedelta

from certkit._files import utc
from certkit.faults import _repairs
from certkit.faults._tools import make_crl
from certkit.faults.registry import fault
from certkit.faults.scenario import Scenario


def fetch_crl(scenario: Scenario) -> Scenario:
    """Give the client a fresh CRL of the issuing CA."""
    return scenario.with_client(crls=(make_crl(scenario.server_ca),))


@fault(
    cause="revoked",
    side="server",
    repair=_repairs.new_server_certificate,
    remedy="Make a new key, have a certificate issued for it, install both: a revoked one never comes back.",
)
def revoked(scenario: Scenario) -> Scenario:
    """The server's certificate was revoked, and the client has the list that says so.

    The old key was in a backup that got lost. Most programs look at no list unless they are told to.
    """
    crl = make_crl(scenario.server_ca, [scenario.server.credential.certificate])
    return scenario.with_client(crls=(crl,))


@fault(
    cause="revoked",
    side="client",
    repair=_repairs.new_client_certificate,
    remedy="Make a new key, have a certificate issued for it, and load both where the callout names them.",
    two_way=True,
)
def client_cert_revoked(scenario: Scenario) -> Scenario:
    """The client's certificate was revoked, and the server has the list that says so."""
    credential = scenario.client.credential or scenario.issue_client()
    crl = make_crl(scenario.client_ca, [credential.certificate])
    return scenario.with_client(credential=credential).with_server(crls=(crl,))


@fault(
    cause="revocation-unreachable",
    side="client",
    repair=fetch_crl,
    remedy="Open the way to the CA's list, or have a copy of it fetched by a job.",
)
def crl_unreachable(scenario: Scenario) -> Scenario:
    """The client must check revocation and has no list.

    The address of the list is on the internet, and the client is not. What then happens is a choice: refuse, or hope.
    """
    return scenario.with_client(crls=())


@fault(
    cause="crl-expired",
    side="client",
    repair=fetch_crl,
    remedy="Fetch the CA's present list, and see why the job that fetches it stopped.",
)
def crl_expired(scenario: Scenario) -> Scenario:
    """The client's copy of the list of revoked certificates is out of date.

    Its nextUpdate was yesterday (RFC 5280, 5.1.2.5). Nothing was revoked, and everything is refused.
    """
    yesterday = utc(None) - timedelta(days=1)
    return scenario.with_client(crls=(make_crl(scenario.server_ca, until=yesterday),))
