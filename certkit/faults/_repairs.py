"""The changes that turn faults back; each is what an operator would do."""

from __future__ import annotations

from certkit.faults.scenario import HOST, Scenario


def new_server_certificate(scenario: Scenario) -> Scenario:
    """Issue the server's certificate again, properly, and install it with its intermediate."""
    return scenario.with_server(credential=scenario.issue_server())


def new_client_certificate(scenario: Scenario) -> Scenario:
    """Issue the client's certificate again, properly, and install it with its intermediate."""
    return scenario.with_client(credential=scenario.issue_client())


def send_intermediate(scenario: Scenario) -> Scenario:
    """Put the issuing CA's certificate back behind the leaf."""
    credential = scenario.server.credential
    return scenario.with_server(
        credential=credential.with_chain((credential.certificate, *scenario.server_ca.chain))
    )


def trust_server_root(scenario: Scenario) -> Scenario:
    """Give the client the root above the server's certificate."""
    return scenario.with_client(anchors=scenario.client.anchors + scenario.server_ca.trust_store)


def trust_client_root(scenario: Scenario) -> Scenario:
    """Give the server the root above the client's certificate."""
    return scenario.with_server(client_anchors=scenario.client_ca.trust_store)


def ask_for_right_name(scenario: Scenario) -> Scenario:
    """Call the server by the name that is on its certificate."""
    return scenario.with_client(host=HOST)
