"""Beside what a checkup computes: what the atlas measured for the causes it found, in text, JSON and HTML."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import certkit as ck
from certkit.checkup.measured import marks, measured_for
from certkit.cli import main
from certkit.faults import Scenario, list_faults
from certkit.faults.scenario import HOST
from certkit.services import UserService


def judged(scenario: Scenario) -> ck.Verification:
    client = scenario.client
    return ck.verify_chain(
        scenario.server.credential.chain, client.anchors, host=client.host or scenario.host
    )


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_the_measured_stands_beside_the_computed(
    tls: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = ck.find_fault("expired-intermediate").scenario(tls)
    roots, page = tmp_path / "roots.pem", tmp_path / "page.html"
    roots.write_text(scenario.client.anchors.pem)
    with UserService(scenario.server, tls=tls) as service:
        target, options = f"127.0.0.1:{service.port}", ["--anchors", str(roots), "--name", HOST]
        assert main(["check", target, *options, "--json", "--html", str(page)]) == 1
        facts = json.loads(capsys.readouterr().out)
        assert main(["check", target, *options]) == 1
        text = capsys.readouterr().out
        assert main(["check", target, *options, "--quick", "--json"]) == 1
        assert json.loads(capsys.readouterr().out)["measured"] == []
    spoken = {"accepted", "refused", "timed-out"}
    atlas = [
        row for row in ck.load_atlas().show(fault="expired-intermediate", tls=tls) if row.outcome in spoken
    ]
    assert [(item["stack"], item["version"], item["client_message"]) for item in facts["measured"]] == [
        (row.stack, row.version, row.client_message) for row in atlas
    ]
    assert {item["how"] for item in facts["measured"]} == {"measured"}
    assert {item["how"] for item in facts["accepted_by"]} == {"computed"}
    assert {item["cause"] for item in facts["measured"]} == {facts["cause"]} == {"expired-ca"}
    assert text.index("computed, for this chain") < text.index("measured, not asked now")
    html = page.read_text()
    for row in atlas:
        assert f"{row.stack} {row.version}: " in text
        assert f"{row.stack} {row.version}: " in html
    assert "Who would accept it: computed" in html
    assert "certificate has expired" in html.partition("measured, not asked now")[2]


def test_nothing_found_and_nothing_measured() -> None:
    scenario = ck.good_scenario()
    verdict = judged(scenario)
    assert measured_for(verdict.findings, verdict, "1.3") == ()
    later = scenario.server.credential.certificate.not_after
    with UserService(scenario.server) as service:
        result = ck.check_server(
            f"127.0.0.1:{service.port}", name=HOST, anchors=scenario.client.anchors, at=later, versions=False
        )
    assert [item.kind for item in result.findings] == ["expires-soon"]
    assert result.measured == ()
    assert len(result.accepted_by) == 4


def test_every_fault_of_a_chain_is_met_by_one_that_shows_the_same() -> None:
    measured = set(ck.load_atlas().faults)
    met = 0
    for fault in list_faults():
        verdict = judged(fault.scenario())
        if fault.id not in measured or not any(item.cause == fault.cause for item in verdict.findings):
            continue
        rows = measured_for(verdict.findings, verdict, "1.3")
        found = {row.fault for row in rows}
        assert len(found) == 1, (fault.id, found)
        assert marks(judged(ck.find_fault(found.pop()).scenario())) == marks(verdict), fault.id
        met += 1
    assert met >= 30


def test_two_causes_are_two_faults_and_a_stranger_is_its_causes_own() -> None:
    scenario = ck.find_fault("expired-leaf").scenario()
    verdict = ck.verify_chain(scenario.server.credential.chain, scenario.client.anchors, host="other.test")
    assert {row.fault for row in measured_for(verdict.findings, verdict)} == {
        "expired-leaf",
        "hostname-mismatch",
    }
    anchors = ck.CertificateAuthority("Stranger").trust_store
    whole = (*scenario.server.credential.chain, scenario.server_ca.root.certificate)
    verdict = ck.verify_chain(ck.Chain(whole), anchors, host=HOST)
    assert "untrusted-root" in {row.fault for row in measured_for(verdict.findings, verdict)}


def test_what_lies_on_the_way_is_measured_too() -> None:
    closed = ck.check_server("127.0.0.1:1", step=1)
    assert {row.fault for row in closed.measured} == {"port-closed"}
    assert closed.accepted_by == ()
    with UserService() as service:
        target = f"127.0.0.1:{service.port}"
        plain = ck.check_server(target)
        with ck.ForwardProxy("not-found") as proxy:
            stopped = ck.check_server(target, proxy=proxy.url)
    assert {row.fault for row in plain.measured} == {"http-on-tls-port"}
    assert {row.fault for row in stopped.measured} == {"proxy-not-found"}
    assert any("404" in row.client_message for row in stopped.measured)
