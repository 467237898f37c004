"""Client authentication: what goes wrong only when the server asks who calls."""

from __future__ import annotations

from certkit.faults import _repairs
from certkit.faults.registry import fault
from certkit.faults.scenario import Scenario


@fault(
    cause="client-cert-missing",
    side="client",
    repair=_repairs.new_client_certificate,
    remedy="Configure the client's certificate and key, and name them in the callout.",
    two_way=True,
)
def client_cert_missing(scenario: Scenario) -> Scenario:
    """The server asks for a client certificate and the client has none to send.

    The callout does not name the certificate, or the keystore it names holds no private key. In TLS 1.2 the alert is
    handshake_failure, in TLS 1.3 certificate_required.
    """
    return scenario.with_client(credential=None)
