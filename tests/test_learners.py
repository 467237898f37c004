"""How many learners one machine carries: the same measurement as ``certkit lab --measure``, with fewer of them."""

from __future__ import annotations

import csv
import gc
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from certkit import _learners, samples
from certkit._learners import measure_learners
from certkit.cli import main
from certkit.errors import ArgumentError

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.notebook


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """Let the collector complain of what jupyter_client leaves to it while a test runs that overlooks it."""
    yield
    gc.collect()


def table() -> dict[int, dict[str, str]]:
    with (ROOT / "data" / "learners.csv").open(encoding="utf-8", newline="") as stream:
        return {int(row["learners"]): row for row in csv.DictReader(stream)}


def test_three_learners_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = psutil.Process().children(recursive=True)
    measured = measure_learners(3)
    assert (measured.right, measured.learners, measured.wrong) == (3, 3, "")
    assert measured.notebook == "03-one-way-tls.ipynb"
    assert 30 < measured.learner_mib_median <= measured.learner_mib_most < 1000
    assert measured.together_mib >= 2 * measured.learner_mib_median
    assert measured.server_mib > 30
    assert "3 of 3 were right\n" in str(measured)
    # Nothing stays: no kernel, no Java, no server, no folder.
    assert psutil.Process().children(recursive=True) == before
    assert list(tmp_path.iterdir()) == []


def test_one_who_is_wrong_is_counted_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # The kernels run in folders of their own, named by number: the second learner's assertion fails.
    source = ["import pathlib\n", "assert pathlib.Path.cwd().name == '0', 'not the first'"]
    cells = [{"cell_type": "markdown", "source": ["not code"]}, {"cell_type": "code", "source": source}]
    (tmp_path / _learners.NOTEBOOK).write_text(json.dumps({"cells": cells}))
    monkeypatch.setattr(_learners, "share", lambda _: tmp_path)
    monkeypatch.setattr(_learners, "_measure_server", lambda _: (0.0, 0.0))
    assert main(["lab", "--measure", "2"]) == 1
    assert "1 of 2 were right; AssertionError: not the first in 'import pathlib'" in capsys.readouterr().out


def test_a_kernel_that_cannot_start_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    from jupyter_client.manager import KernelManager

    genuine, started = KernelManager.start_kernel, []

    def second_fails(self: KernelManager, **named: object) -> object:
        started.append(self)
        if len(started) == 2:
            raise OSError("no more processes")
        return genuine(self, **named)

    monkeypatch.setattr(KernelManager, "start_kernel", second_fails)
    monkeypatch.setattr(_learners, "_measure_server", lambda _: (0.0, 0.0))
    measured = measure_learners(2)
    assert (measured.right, measured.wrong) == (0, "OSError: no more processes")


@pytest.mark.parametrize("number", [0, -1, 501])
def test_other_numbers_are_refused(number: int) -> None:
    with pytest.raises(ArgumentError, match="this number of learners cannot be measured"):
        measure_learners(number)


def test_twenty_learners_were_measured_and_all_were_right() -> None:
    for learners, row in table().items():
        assert (row["right"], row["wrong"]) == (str(learners), "")
    twenty = table()[20]
    assert float(twenty["machine_gib"]) <= 24
    assert float(twenty["together_mib"]) < 24 * 1024


def test_the_table_is_made_by_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = _learners.LearnersMeasured(**{**dict.fromkeys(table()[20], 0), "notebook": "x.ipynb"})  # type: ignore[arg-type]
    monkeypatch.setattr(_learners, "measure_learners", lambda number, *_: row)
    made = samples.make_sample("learners", tmp_path)
    header, *rows = made.read_text().splitlines()
    assert header == ",".join(table()[20])
    assert len(rows) == len(table())
