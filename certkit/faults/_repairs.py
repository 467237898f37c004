"""The changes that turn faults back; each is what an operator would do."""

from __future__ import annotations

from dataclasses import replace

from certkit.faults.scenario import PASSWORD, Road, Scenario, good_scenario


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
    return scenario.with_client(host=scenario.host)


def give_client_its_store(scenario: Scenario) -> Scenario:
    """Point the client at the truststore that was meant."""
    return scenario.with_client(anchors=scenario.server_ca.trust_store)


def good_server(scenario: Scenario) -> Scenario:
    """Set the server up as it should be, its credential included."""
    good = good_scenario(two_way=scenario.two_way, tls=scenario.tls, host=scenario.host)
    return replace(scenario, server=good.server)


def good_client(scenario: Scenario) -> Scenario:
    """Set the client up as it should be, its credential included."""
    good = good_scenario(two_way=scenario.two_way, tls=scenario.tls, host=scenario.host)
    return replace(scenario, client=good.client)


def good_ends(scenario: Scenario) -> Scenario:
    """Set both sides up as they should be."""
    return good_server(good_client(scenario))


def clear_road(scenario: Scenario) -> Scenario:
    """Take away what stood in between."""
    return replace(scenario, road=Road(service=scenario.road.service), box=None)


def good_file(scenario: Scenario) -> Scenario:
    """Give the client a good file and its password: PKCS#12 with the key and the chain."""
    return scenario.with_file(client_pkcs12(scenario))


def client_pkcs12(scenario: Scenario) -> bytes:
    """Return the client's credential as the file that callouts want: PKCS#12, toy password."""
    from certkit.keystores import keystore_bytes  # noqa: PLC0415 - only the faults of files need it

    credential = scenario.client.credential or scenario.issue_client()
    return keystore_bytes(credential, PASSWORD)
