"""Identity: good certificates for somebody else."""

from __future__ import annotations

from certkit.faults import _repairs
from certkit.faults.registry import fault
from certkit.faults.scenario import Scenario


@fault(
    cause="hostname-mismatch",
    side="server",
    repair=_repairs.new_server_certificate,
    remedy="Issue the certificate for every name in use (subject alternative names), or call the server by its right name.",
)
def hostname_mismatch(scenario: Scenario) -> Scenario:
    """The certificate is for another host than the one the client wanted.

    A new alias in DNS, a move behind a load balancer, a test certificate in production: the certificate is fine, the name
    is not on it. The common name does not help: only the subject alternative names count.
    """
    return scenario.with_server(credential=scenario.issue_server("old-orders.example.test"))
