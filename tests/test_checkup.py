"""`certkit check` against real servers on loopback: the verdict, the client's side, many at once, the command."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

import certkit as ck
from certkit.cli import main
from certkit.errors import ArgumentError, CheckFailed
from certkit.faults.scenario import HOST
from certkit.services import UserService


def look(service: UserService, **options: object) -> ck.ServerCheck:
    return ck.check_server(f"127.0.0.1:{service.port}", **{"name": HOST, "versions": False, **options})  # type: ignore[arg-type]


def test_a_good_server() -> None:
    scenario = ck.good_scenario()
    with UserService(scenario.server) as service:
        result = look(service, anchors=scenario.client.anchors, versions=True)
    assert result.ok
    assert result.stage == "done"
    assert dict(result.versions) == {"1.0": "refused", "1.1": "refused", "1.2": "offered", "1.3": "offered"}
    assert [item.name for item in result.chain] == [HOST, "Orders Issuing CA"]
    assert result.clients.demand == "not asked"
    assert result.verification is not None
    assert result.verification.ok
    with pytest.raises(TypeError, match=r"ask \.ok"):
        bool(result)
    assert "<script" not in result._repr_html_()


@pytest.mark.parametrize(
    "fault",
    [
        "expired-leaf",
        "not-yet-valid",
        "self-signed-leaf",
        "missing-intermediate",
        "hostname-mismatch",
        "wrong-eku",
    ],
)
def test_each_fault_of_a_server_is_found_by_its_cause(fault: str) -> None:
    scenario = ck.find_fault(fault).scenario()
    with UserService(scenario.server) as service:
        result = look(service, anchors=scenario.client.anchors)
    assert not result.ok
    causes = [finding.cause for finding in result.findings if finding.fatal]
    assert ck.find_fault(fault).cause in causes, result.text()
    with pytest.raises(CheckFailed):
        result.raise_if_failed()


def test_the_clock_can_be_moved() -> None:
    scenario = ck.good_scenario()
    later = scenario.server.credential.certificate.not_after
    with UserService(scenario.server) as service:
        assert look(service, anchors=scenario.client.anchors, at=later).ok
        soon = look(service, anchors=scenario.client.anchors, at=later)
    assert [finding.kind for finding in soon.findings] == ["expires-soon"]


def test_two_way_with_the_right_certificate_with_another_and_with_none() -> None:
    scenario = ck.good_scenario(two_way=True)
    stranger = ck.CertificateAuthority("Stranger").issue("Acme CRM", usage="client")
    with UserService(scenario.server) as service:
        none = look(service, anchors=scenario.client.anchors)
        right = look(service, anchors=scenario.client.anchors, client=scenario.client.credential)
        wrong = look(service, anchors=scenario.client.anchors, client=stranger)
    assert (none.clients.demand, none.clients.accepted, none.ok) == ("required", None, True)
    assert (right.clients.accepted, right.ok) == (True, True)
    assert (wrong.clients.accepted, wrong.cause) == (False, "client-cert-untrusted")


def test_nothing_there_and_nothing_said() -> None:
    result = ck.check_server("127.0.0.1:1", step=1)
    assert (result.ok, result.stage, result.cause) == (False, "connect", "dns-or-network")
    with pytest.raises(ArgumentError):
        ck.check_server("no host")


def test_plain_http_on_the_port() -> None:
    with UserService() as service:
        result = look(service)
    assert (result.cause, result.stage) == ("plaintext-on-tls-port", "tls")


def test_many_at_once_in_order_and_without_leftovers() -> None:
    scenario = ck.good_scenario()
    before = threading.active_count()
    with UserService(scenario.server) as service:
        good, bad = f"127.0.0.1:{service.port}", "127.0.0.1:1"
        seen: list[str] = []
        results = list(
            ck.check_servers(
                [good, bad] * 30,
                workers=8,
                anchors=scenario.client.anchors,
                name=HOST,
                versions=False,
                progress=lambda result: seen.append(str(result.target)),
            )
        )
    assert [result.ok for result in results] == [True, False] * 30
    assert len(seen) == 60
    assert threading.active_count() <= before
    with pytest.raises(ArgumentError, match="at once"):
        next(ck.check_servers([good], workers=0))


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scenario = ck.good_scenario()
    anchors = tmp_path / "roots.pem"
    anchors.write_text(scenario.client.anchors.pem)
    with UserService(scenario.server) as service:
        target = f"127.0.0.1:{service.port}"
        options = ["--anchors", str(anchors), "--name", HOST, "--quick"]
        assert main(["check", target, *options, "--json", "--html", str(tmp_path / "report.html")]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["ok"] is True
        assert found["client_authentication"]["demand"] == "not asked"
        page = (tmp_path / "report.html").read_text()
        assert page.startswith("<!doctype html>")
        assert "<script" not in page
        (tmp_path / "servers.txt").write_text(f"# ours\n{target}\n127.0.0.1:1  # closed\n")
        assert main(["check", "--from", str(tmp_path / "servers.txt"), *options]) == 1
        assert len(capsys.readouterr().out.splitlines()) == 2
    assert main(["check", "127.0.0.1:1", "--step", "1", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["findings"][0]["cause"] == "dns-or-network"
    for bad in (
        ["check"],
        ["check", "x y"],
        ["check", "a", "--at", "noon"],
        ["check", "a", "--anchors", "absent.pem"],
    ):
        assert main(bad) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
