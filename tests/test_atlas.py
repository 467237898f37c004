"""The atlas: the file is whole, a sample measured again says the same, the verbs and the pictures work."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from certkit.atlas import COLUMNS, Atlas, AtlasRow, load_atlas, measure_atlas
from certkit.atlas._normal import normal
from certkit.atlas.measuring import GOOD, NOT_MEASURED
from certkit.cli import main
from certkit.errors import ArgumentError, FormatError
from certkit.faults import list_faults
from certkit.stacks.clients import find_stack, list_stacks

ATLAS = load_atlas()
# One of each kind: chain, dates, name, client certificate, proxy, file.
SAMPLE = (
    "good",
    "missing-intermediate",
    "expired-root",
    "no-san",
    "client-cert-untrusted",
    "proxy-unavailable",
)
# Quick ones; each has a test of its own in test_stacks.
STACKS = ("python", "requests", "openssl-strict", "curl", "java-https")


def test_the_file_covers_catalogue_and_stacks() -> None:
    measured = {item.id for item in list_faults()} - set(NOT_MEASURED)
    assert set(ATLAS.faults) == measured | set(GOOD)
    assert set(ATLAS.stacks) == {item.name for item in list_stacks()}
    assert {"fault", "cause", "stack", "version", "api", "tls_version", "outcome", "duration", "date"} <= set(
        COLUMNS
    )
    for fault in list_faults():
        if fault.id in measured:
            assert {row.tls_version for row in ATLAS.show(fault=fault.id) if row.fault == fault.id} == set(
                fault.tls
            )


def test_what_is_good_is_accepted_by_everybody() -> None:
    rows = [
        row for row in ATLAS if row.fault in GOOD and row.outcome not in {"not-installed", "not-applicable"}
    ]
    assert rows and {row.outcome for row in rows} == {"accepted"}


def test_every_row_says_something() -> None:
    for row in ATLAS:
        assert row.outcome != "unknown", row
        assert row.outcome == "accepted" or row.client_message, row
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row.date), row
        assert row.outcome in {"not-installed"} or row.version
        # Nothing of the machine it was measured on.
        assert "/tmp/" not in row.client_message and "/home/" not in row.client_message
        assert not re.search(r"localhost:\d{4}", row.client_message + row.server_message), row


def test_a_sample_measured_again_says_the_same() -> None:
    here = [item for item in map(find_stack, STACKS) if item.available()]
    again = measure_atlas(SAMPLE, [item.name for item in here])
    known = {(row.fault, row.tls_version, row.stack): row for row in ATLAS}
    for row in again:
        before = known[row.fault, row.tls_version, row.stack]
        if before.outcome == "not-installed":
            continue
        if row.version == before.version:
            assert row.lasting == before.lasting
        else:
            # Another version may word it anew; whether it accepts is what the lessons rest on.
            assert row.outcome == before.outcome or row.fault == "no-san", (row, before)


def test_the_five_exceptions_of_the_article() -> None:
    def words(fault: str, stack: str) -> str:
        return " ".join(row.client_message for row in ATLAS.show(fault=fault, stack=stack))

    assert "unable to find valid certification path to requested target" in words(
        "missing-intermediate", "java-https"
    )
    assert "DerValue.getBigIntegerInternal, not expected 48" in words(
        "certificate-instead-of-keystore", "java-https"
    )
    assert "javax.net.ssl.SSLPeerUnverifiedException: peer not authenticated" in words(
        "expired-leaf", "java-session"
    )
    tunnel = words("proxy-unavailable", "java-https")
    assert 'Unable to tunnel through proxy. Proxy returns "HTTP/1.0 503 Service unavailable"' in tunnel
    assert "Received fatal alert: unknown_ca" in words("client-cert-untrusted", "java-socket")


def test_unknown_fault_and_stack_have_rows_and_the_run_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    found = measure_atlas(["expired-leaf", "expired-laef"], ["python", "netscape"])
    outcomes = {(row.fault, row.stack, row.outcome) for row in found}
    assert ("expired-leaf", "python", "refused") in outcomes
    assert ("expired-laef", "python", "unknown") in outcomes
    assert ("expired-leaf", "netscape", "unknown") in outcomes
    assert (
        main(
            [
                "atlas",
                "measure",
                "--fault",
                "expired-leaf",
                "--stack",
                "python",
                "--stack",
                "netscape",
                "--json",
            ]
        )
        == 2
    )
    assert len(json.loads(capsys.readouterr().out)) >= 2


def test_a_stack_that_is_not_installed_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    row = measure_atlas(["expired-leaf"], ["curl"]).rows[0]
    assert (row.outcome, row.client_message) == ("not-installed", "it comes with curl")


def test_measured_twice_it_is_the_same_but_for_dates(tmp_path: Path) -> None:
    runs = [measure_atlas(["expired-leaf", "client-cert-missing"], ["python", "requests"]) for _ in range(2)]
    assert runs[0].same_as(runs[1]) == ()
    saved = load_atlas(runs[0].save(tmp_path / "mine.csv"))
    assert saved.rows == runs[0].rows


def test_where_stacks_disagree() -> None:
    divided = ATLAS.disagreements()
    assert {"no-san", "expired-root", "sha1-leaf", "weak-key", "wrong-eku", "ca-hint-list"} & set(
        divided.faults
    ) >= {
        "no-san",
        "expired-root",
        "sha1-leaf",
        "weak-key",
        "ca-hint-list",
    }
    assert "expired-leaf" not in divided.faults
    assert divided.verdict("expired-root", "java-https") == "accepted"
    assert divided.verdict("expired-root", "curl") == "refused"
    assert divided.verdict("ca-hint-list", "java-https") == "refused"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--fault", "expired-root"],
        ["--stack", "curl"],
        ["--disagreements"],
        ["--fault", "no-san", "--tls", "1.3"],
    ],
)
def test_show(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["atlas", "show", *arguments]) == 0
    assert capsys.readouterr().out.strip()
    assert main(["atlas", "show", *arguments, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows and set(rows[0]) == set(COLUMNS)


def test_show_of_nothing_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["atlas", "show", "--fault", "nonsense"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_pictures_and_tables(tmp_path: Path) -> None:
    page = ATLAS.disagreements().heat_map()
    assert page.count("<svg") == 1 and "<table" in page and "<script" not in page
    assert "expired-root" in page
    assert len(ATLAS._repr_html_()) < 10_000
    assert repr(ATLAS).startswith("<Atlas ")
    assert list(ATLAS.frame().columns) == list(COLUMNS)
    nasty = Atlas((AtlasRow("<b>", "x", "<script>", "1", "a", "1.3", "refused", "<img>"),))
    assert "<img>" not in nasty._repr_html_() and "<script>" not in nasty.heat_map()
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    with pytest.raises(FormatError, match="no atlas"):
        load_atlas(other)
    with pytest.raises(ArgumentError, match="no such row"):
        ATLAS.show(fault="nonsense")


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("at localhost:40123: refused", "at localhost:41999: refused"),
        (
            "HTTPSConnectionPool(host='localhost', port=40123)",
            "HTTPSConnectionPool(host='localhost', port=51999)",
        ),
        ("handshake failure (_ssl.c:1006)", "handshake failure (_ssl.c:2580)"),
        (
            "time 2026-11-25T04:00:00Z, not 2026-11-24T04:00:00Z",
            "time 2027-01-01T00:00:00Z, not 2026-12-31T00:00:00Z",
        ),
        (
            "tcp 127.0.0.1:50000->127.0.0.1:40000: read: reset",
            "tcp 127.0.0.1:50001->127.0.0.1:40001: read: reset",
        ),
    ],
)
def test_two_runs_read_the_same(text: str, same: str) -> None:
    assert normal(text) == normal(same)
