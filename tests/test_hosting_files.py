"""The files for hosts: their figures are the measured ones, and what was not run says so."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest

from certkit import _hub

ROOT = Path(__file__).resolve().parent.parent
GUIDE = ROOT / "notebooks" / "guide" / "hosting.md"
UNITS = {"M": 10**6, "G": 10**9}


def learners() -> list[dict[str, str]]:
    with (ROOT / "data" / "learners.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_guides_table_is_the_measured_one() -> None:
    text = GUIDE.read_text("utf-8")
    told = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in re.findall(r"^\| \d.*$", text, re.M)
    ]
    measured = [
        [
            row["learners"],
            "yes" if row["right"] == row["learners"] else "no",
            f"{row['ready_s_slowest']} s",
            f"{row['run_s_slowest']} s",
            f"{max(float(row['learner_mib_median']), float(row['learner_mib_most'])):.0f} MiB",
            f"{float(row['together_mib']):.0f} MiB",
        ]
        for row in learners()
    ]
    assert told == measured
    servers = max(float(row["server_mib"]) for row in learners())
    assert f"add {servers:.0f} MiB for each learner's server" in text
    most = learners()[-1]
    assert f"{most['cores']} cores and {most['machine_gib']} GiB" in text
    whole = float(most["together_mib"]) + 20 * servers
    assert whole < float(most["machine_gib"]) * 1024 / 4  # "less than a quarter of that machine"


def test_each_way_says_whether_it_was_tried() -> None:
    parts = re.split(r"^## ", GUIDE.read_text("utf-8"), flags=re.M)[2:-1]
    assert [part.splitlines()[0] for part in parts] == [
        "One machine: JupyterHub", "A container", "Binder", "Kubernetes", "The labs without notebooks"
    ]  # fmt: skip
    for part in parts:
        assert re.match(r"\*(Tried: |Not run)", part.splitlines()[2]), part[:80]


def values() -> dict[str, Any]:
    yaml = pytest.importorskip("yaml")
    return dict(yaml.safe_load((ROOT / "kubernetes-values.yaml").read_text("utf-8")))


def test_kubernetes_values_parse_and_are_enough() -> None:
    singleuser = values()["singleuser"]
    taken = max(float(row["learner_mib_most"]) + float(row["server_mib"]) for row in learners()) * 1024**2
    limits = {name: int(amount[:-1]) * UNITS[amount[-1]] for name, amount in singleuser["memory"].items()}
    assert taken < limits["guarantee"] < limits["limit"]
    assert singleuser["cmd"][-2:] == ["-m", "certkit._hub"]
    assert (ROOT / "notebooks" / singleuser["defaultUrl"].removeprefix("/lab/tree/notebooks/")).exists()
    assert values()["proxy"]["service"]["type"] == "ClusterIP"
    assert not any(singleuser["networkPolicy"]["egressAllowRules"].values())
    assert "NOT RUN" in (ROOT / "kubernetes-values.yaml").read_text("utf-8")


def test_a_learners_server_is_never_roots(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(_hub.os, "execv", lambda *_: pytest.fail("it was started"))
    monkeypatch.setattr(_hub.os, "geteuid", lambda: 0, raising=False)
    assert _hub.main([]) == 2
    assert "does not run as root" in capsys.readouterr().err
    monkeypatch.setattr(_hub.os, "geteuid", lambda: 1000, raising=False)
    monkeypatch.setattr(_hub.sys, "executable", str(tmp_path / "python"))
    assert _hub.main([]) == 2
    assert "pip install jupyterhub" in capsys.readouterr().err
