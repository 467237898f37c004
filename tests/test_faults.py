"""The catalogue of faults: each is proved, in each TLS version in which it makes a difference."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from certkit import causes
from certkit.errors import ArgumentError
from certkit.faults import Fault, find_fault, good_scenario, list_faults
from certkit.faults.registry import fault as register

FAULTS = list_faults()
CASES = [pytest.param(item, tls, id=f"{item.id}-{tls}") for item in FAULTS for tls in item.tls]
# What one Linux machine cannot show, and why; everything else in the vocabulary has a fault.
NOT_SHOWN = {
    "search-limit": "a bound of certkit's own search, not of any handshake",
    "modern-pkcs12-unsupported": "needs a library from before 2020, such as an old Java or Windows",
    "ephemeral-key": "a matter of Windows' key containers",
    "certificate-profile": "a finding about good practice; no handshake fails for it",
}


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize(("fault", "tls"), CASES)
def test_good_broken_and_good_again(fault: Fault, tls: str) -> None:
    good = good_scenario(two_way=fault.two_way, tls=tls)
    assert good.run().ok
    broken = fault.break_it(good)
    result = broken.run()
    if fault.harmless:
        assert result.ok, result.verdict
    else:
        assert not result.ok
        assert result.cause == fault.cause, (result.client.error, result.server.error)
        assert result.client.error or result.server.error, "somebody must say something"
    repaired = fault.repair(broken).run()
    assert repaired.ok, (repaired.client.error, repaired.server.error)
    assert repaired.tls_version == tls


def test_the_catalogue_covers_the_vocabulary() -> None:
    assert len(FAULTS) >= 55
    known = set(causes.load())
    shown = {item.cause for item in FAULTS}
    assert shown <= known
    assert known - shown == set(NOT_SHOWN)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda item: item.id)
def test_a_fault_tells_its_story(fault: Fault) -> None:
    assert fault.title and not fault.title.endswith(".")
    assert fault.story.rstrip().endswith((".", "?"))
    assert fault.remedy.endswith(".")
    assert fault.side in {"client", "server", "network"}
    assert set(fault.tls) <= {"1.2", "1.3"} and fault.tls
    assert set(fault.to_dict()) >= {"id", "cause", "family", "side", "two_way", "title", "story", "remedy"}
    assert fault.cause in fault._repr_html_()


def test_both_ends_and_the_alert_between_them_are_kept() -> None:
    run = find_fault("client-cert-untrusted").run("1.3")
    assert run.server.alert_sent == run.client.alert_received == "unknown_ca"
    assert run.server.error and run.client.error


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_an_abrupt_close_loses_the_alert(tls: str) -> None:
    """The same refusal, drained and not: only a server that drains is heard."""
    heard = find_fault("client-cert-missing").run(tls)
    lost = find_fault("abrupt-close").run(tls)
    assert heard.client.alert_received is not None
    assert lost.client.alert_received is None
    assert lost.server.reason == heard.server.reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE"
    assert (heard.cause, lost.cause) == ("client-cert-missing", "server-closed")


def test_what_needs_sockets_has_a_ladder_too() -> None:
    run = find_fault("abrupt-close").run("1.3")
    assert [item.name for item in run.messages][:2] == ["ClientHello", "ServerHello"]
    assert "<svg" in run._repr_html_()
    nothing = find_fault("proxy-unavailable").run()
    assert nothing.messages == ()
    assert "<svg" in nothing._repr_html_()
    assert nothing.text()


def test_the_box_in_between_is_told_from_the_server() -> None:
    run = find_fault("tls-interception").run()
    assert (
        run.server_chain.leaf.issuer.startswith("CN=Interception CA")
        or "Interception CA" in run.server_chain.leaf.issuer
    )


def test_unknown_and_twice() -> None:
    with pytest.raises(ArgumentError, match="unknown fault"):
        find_fault("nonsense")
    with pytest.raises(ArgumentError, match="same name"):

        @register(cause="expired-leaf", side="server", repair=lambda item: item, remedy="None.")
        def expired_leaf(scenario: object) -> object:
            return scenario
