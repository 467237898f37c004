"""Usage: certificates for another purpose."""

from __future__ import annotations

from certkit.faults import _repairs
from certkit.faults.registry import fault
from certkit.faults.scenario import Scenario


@fault(
    cause="wrong-eku",
    side="server",
    repair=_repairs.new_server_certificate,
    remedy="Issue the certificate with the extended key usage serverAuth.",
)
def wrong_eku(scenario: Scenario) -> Scenario:
    """The server presents a certificate that was issued for clients.

    Its extended key usage says clientAuth only. Name, dates and chain are right, and it is still refused.
    """
    return scenario.with_server(credential=scenario.issue_server(usage="client"))
