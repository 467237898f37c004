"""`certkit check` against real servers on loopback: the verdict, the client's side, many at once, the command."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import certkit as ck
from certkit.cli import main
from certkit.errors import ArgumentError, CheckFailed
from certkit.faults.scenario import HOST
from certkit.services import UserService


def look(service: UserService, **options: object) -> ck.ServerCheck:
    return ck.check_server(
        f"127.0.0.1:{service.port}", **{"name": HOST, "versions": False, "acceptance": False, **options}
    )  # type: ignore[arg-type]


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
        (tmp_path / "slip.txt").write_text(f"{target}\n127.0.0.1:http\n")
        before = len(service.log)
        assert main(["check", "--from", str(tmp_path / "slip.txt"), *options]) == 2
        assert len(service.log) == before, "nothing is contacted if one of the lines is wrong"
        captured = capsys.readouterr()
        assert captured.out == "" and "127.0.0.1:http" in captured.err
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


def test_who_would_accept_it() -> None:
    scenario = ck.good_scenario()
    good = scenario.server.credential
    swapped = good.with_chain([good.chain[0], scenario.server_ca.root.certificate, good.chain[1]])
    with UserService(scenario.server) as whole, UserService(ck.ServerConfig(swapped)) as shuffled:
        in_order, out_of_order = (
            look(service, anchors=scenario.client.anchors, acceptance=True) for service in (whole, shuffled)
        )
    words = [item.judge.split(",")[0].split(" ")[0] for item in in_order.accepted_by]
    assert words == ["browsers", "OpenSSL", "Java", "client"]
    assert {item.ok for item in in_order.accepted_by} <= {True, None}
    verdicts = {item.judge.split(" ")[0]: item.ok for item in out_of_order.accepted_by}
    assert out_of_order.ok and verdicts["OpenSSL"] is True and verdicts["client"] is False
    facts = out_of_order.to_dict()["accepted_by"]
    assert isinstance(facts, list) and facts[-1]["ok"] is False
    assert "who would accept it:" in out_of_order.text()
    assert "Who would accept it" in out_of_order._repr_html_()


@pytest.mark.parametrize("proxied", ["tunnel", "login"])
def test_through_a_proxy(proxied: str) -> None:
    scenario = ck.good_scenario()
    with UserService(scenario.server) as service, ck.ForwardProxy(proxied) as proxy:
        way = proxy.url.replace("//", f"//{':'.join(proxy.credentials)}@")
        result = look(service, anchors=scenario.client.anchors, proxy=way)
    assert result.ok, result.text()
    assert proxy.credentials[1] not in result.text() + json.dumps(result.to_dict())


def test_starttls_with_a_real_ftps_server() -> None:
    scenario = ck.good_scenario(two_way=True)
    with ck.FtpsService(scenario.server) as service:
        result = ck.check_server(
            f"127.0.0.1:{service.port}",
            name=HOST,
            starttls="ftp",
            anchors=scenario.client.anchors,
            client=scenario.client.credential,
            versions=False,
            acceptance=False,
        )
    assert (result.ok, result.clients.demand, result.clients.accepted) == (True, "required", True)


def _misbehaving(behave: Callable[[socket.socket], None]) -> tuple[str, socket.socket]:
    """Serve every connection with `behave`, until the listener is closed."""
    listener = socket.create_server(("127.0.0.1", 0))

    def one(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.settimeout(5)
            behave(connection)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return f"127.0.0.1:{listener.getsockname()[1]}", listener


def _endless(connection: socket.socket) -> None:
    connection.recv(4096)
    for _ in range(1600):  # 100 MB
        connection.sendall(b"\x16\x03\x03\x40\x00" + b"\x0b\xff\xff\xff" + bytes(0x3FFC) + bytes(0xC000))


def _one_byte_now_and_then(connection: socket.socket) -> None:
    connection.recv(4096)
    for byte in b"\x16\x03\x03\x00\x7a" + bytes(60):
        connection.sendall(bytes([byte]))
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("behave", "stage", "starttls"),
    [
        (lambda c: c.recv(1) and time.sleep(3), "connect", "smtp"),
        (lambda c: time.sleep(3), "connect", "smtp"),
        (lambda c: c.recv(1) and time.sleep(3), "tls", None),
        (_one_byte_now_and_then, "tls", None),
        (_endless, "tls", None),
        (lambda c: [c.sendall(b"220-more\r\n" * 6_400) for _ in range(1600)], "connect", "smtp"),
        (lambda c: c.close(), "tls", None),
        (lambda c: c.close(), "connect", "imap"),
        (lambda c: (c.sendall(b"220 x\r\n"), c.recv(99), c.close()), "connect", "ftp"),
        (lambda c: (c.recv(5), c.close()), "tls", None),
        (lambda c: (c.recv(4096), c.sendall(b"\x16\x03\x03\x00\x7a\x02\x00"), c.close()), "tls", None),
        (lambda c: (c.recv(4096), c.sendall(b"\x15\x03\x03\x00\x02\x02"), c.close()), "tls", None),
    ],
)
def test_a_verdict_in_bounded_time(
    behave: Callable[[socket.socket], None], stage: str, starttls: str | None
) -> None:
    target, listener = _misbehaving(behave)
    start = time.monotonic()
    with listener:
        result = ck.check_server(target, step=0.4, starttls=starttls)
    assert time.monotonic() - start < 6, "three offers, one step each, and what closing takes"
    assert (result.ok, result.stage) == (False, stage), result.text()
    assert result.cause is not None and result.findings[0].text
    assert result.to_dict()["stage"] == stage


def test_a_server_that_closes_at_each_step_of_a_real_handshake() -> None:
    """A relay passes on only the first bytes of a real server, then closes; each cut gives a verdict."""
    scenario = ck.good_scenario(two_way=True)
    stages = set()
    with UserService(scenario.server) as service:
        for kept in (0, 1, 5, 60, 127, 300, 900):
            target, listener = _misbehaving(lambda c, kept=kept: _cut(c, service.port, kept))  # type: ignore[misc]
            with listener:
                result = look_at(target, anchors=scenario.client.anchors)
            stages.add(result.stage)
            assert result.stage == "done" or result.cause == "server-closed", (kept, result.text())
            assert result.stage == "done" or not result.ok, (kept, result.text())
    assert {"tls", "certificate"} <= stages, stages


def look_at(target: str, **options: object) -> ck.ServerCheck:
    return ck.check_server(target, name=HOST, versions=False, acceptance=False, step=1.0, **options)  # type: ignore[arg-type]


def _cut(connection: socket.socket, port: int, kept: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as onward:
        onward.sendall(connection.recv(4096))
        data = b""
        while len(data) < kept and (piece := onward.recv(4096)):
            data += piece
        connection.sendall(data[:kept])


def test_a_resolver_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(2) or [])
    start = time.monotonic()
    result = ck.check_server("orders.example.test", step=0.3)
    assert time.monotonic() - start < 1.5
    assert (result.stage, result.cause) == ("resolve", "dns-or-network")


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of descriptors to lower there")
def test_many_targets_with_few_descriptors(tmp_path: Path) -> None:
    scenario = ck.good_scenario()
    (tmp_path / "roots.pem").write_text(scenario.client.anchors.pem)
    with UserService(scenario.server) as service:
        (tmp_path / "list.txt").write_text(f"127.0.0.1:{service.port}\n" * 200)
        program = (
            "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (96, 96));"
            "from certkit.cli import main; sys.exit(main(sys.argv[1:]))"
        )
        options = ["--from", "list.txt", "--anchors", "roots.pem", "--name", HOST, "--quick", "--json"]
        done = subprocess.run(
            [sys.executable, "-c", program, "check", *options], cwd=tmp_path, capture_output=True, check=False
        )
    assert done.returncode == 0, done.stderr.decode()
    assert len(json.loads(done.stdout)) == 200
