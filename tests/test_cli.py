"""The command: JSON as promised, exit codes 0, 1 and 2, one line for bad input, nothing written."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from certkit.cli import main
from certkit.faults import list_faults

FAULT_IDS = [item.id for item in list_faults()]


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "certkit", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=60, check=False)


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_a_two_way_handshake_as_json(tls: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["handshake", "--two-way", "--tls", tls, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is True
    assert found["tls_version"] == tls
    assert found["cause"] is None
    assert isinstance(found["cipher"], str)
    for side in ("client", "server"):
        assert set(found[side]) >= {"outcome", "error", "verify_code", "alert_sent", "alert_received"}
        assert found[side]["outcome"] == "ok"
    assert all(set(item) >= {"from", "name", "size", "encrypted"} for item in found["messages"])
    assert [item["name"] for item in found["messages"]].count("Certificate") == 2


@pytest.mark.parametrize("fault", FAULT_IDS)
@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_every_fault_names_its_cause(fault: str, tls: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["handshake", "--fault", fault, "--tls", tls, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert code == (0 if found["ok"] else 1)
    assert found["fault"] == fault


def test_a_cause_id_stands_for_its_fault(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["handshake", "--fault", "not-yet-valid-or-clock", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["cause"] == "not-yet-valid-or-clock"


def test_faults_as_list_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["faults"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(FAULT_IDS)
    assert main(["faults", "--json"]) == 0
    assert {item["id"] for item in json.loads(capsys.readouterr().out)} == set(FAULT_IDS)


@pytest.mark.parametrize(
    "arguments",
    [
        ("handshake", "--fault", "nonsense"),
        ("handshake", "--tls", "1.1"),
        ("nonsense",),
        (),
        ("inspect",),
        ("inspect", "absent.pem"),
        ("inspect", "."),
        ("inspect", "empty.pem"),
        ("inspect", "huge.bin"),
        ("inspect", "notes.txt"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()
    (tmp_path / "notes.txt").write_text("no certificate here\n")
    with (tmp_path / "huge.bin").open("wb") as stream:
        stream.truncate(1 << 30)
    before = sorted(tmp_path.iterdir())
    result = run(*arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr + result.stdout
    assert len((result.stderr or result.stdout).strip().splitlines()) == 1
    assert sorted(tmp_path.iterdir()) == before


def test_a_closed_pipe_is_no_error() -> None:
    command = f"'{sys.executable}' -m certkit handshake --json | head -n 1"
    result = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False
    )
    assert result.stdout == "{\n"
    assert result.stderr == ""
