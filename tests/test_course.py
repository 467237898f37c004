"""Around the notebooks: a group's overview without names, and beginning again, which asks first."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import certkit as ck
from certkit._lab import copy_series
from certkit._reset import find_leftovers
from certkit.cli import main
from certkit.errors import ArgumentError
from certkit.lessons.progress import Progress, current_progress, overview


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CERTKIT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def group(tmp_path: Path) -> Path:
    """Three learners' files, as they hand them in."""
    folder = tmp_path / "group"
    folder.mkdir()
    for name, answers in {
        "anna-schmidt.json": ["leaf", "leaf", "root"],
        "bob.json": ["leaf"],
        "carla.json": ["root", "root"],
    }.items():
        book = Progress.load(tmp_path / "own.json")
        for answer in answers:
            ck.check("3.2", answer, progress=book)
        if name == "bob.json":
            ck.hint("3.1", progress=book)
        book.export(folder / name)
        book.reset()
    return folder


def test_a_group_is_added_up_without_names(group: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = ck.group_overview([group])
    worst = found.troubles[0]
    assert (worst.exercise, worst.tried, worst.solved, worst.misses, worst.tries) == ("3.2", 3, 2, 3, 6)
    assert [item.exercise for item in found.troubles] == ["3.2", "3.1"]
    assert main(["course", "overview", str(group)]) == 0
    told = capsys.readouterr().out
    assert "3.2" in told
    assert "3 wrong" in told
    assert main(["course", "overview", *map(str, group.glob("*.json")), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["learners"] == 3
    assert facts["exercises"][0]["misses"] == 3
    everything = found._repr_html_() + repr(found) + told + json.dumps(facts)
    assert not any(name in everything for name in ("anna", "schmidt", "bob", "carla"))


def test_what_is_no_exercise_is_counted_and_left_out(group: Path) -> None:
    data = json.loads((group / "bob.json").read_text())
    data["exercises"] |= {
        "Anna Schmidt": {"tries": 9},
        "99.9": {"tries": 9},
        "case.nonsense": {"tries": 9},
        "<script>": {"tries": 1},
    }
    data["learner"] = "Anna Schmidt"
    (group / "bob.json").write_text(json.dumps(data))
    found = ck.group_overview([group])
    assert found.unknown == 4
    assert "4 entries left out" in found.text()
    assert "Anna" not in found.text() + found._repr_html_() + json.dumps(found.to_dict())
    assert {row[0] for row in overview([group / "bob.json"])} == {"3.2"}


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"[]",
        b'{"certkit_progress": 1, "exercises": 5}',
        b'{"certkit_progress": 1, "exercises": {"3.2": {"tries": -1}}}',
        b'{"certkit_progress": 1, "exercises": {"3.2": {"tries": true}}}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_a_file_that_cannot_be_read_costs_only_itself(
    damage: bytes, group: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (group / "dora.json").write_bytes(damage)
    found = ck.group_overview([group])
    assert found.learners == 3
    assert [number for number, _ in found.unread] == [4]
    assert main(["course", "overview", str(group)]) == 2
    said = capsys.readouterr()
    assert "file 4 was not read" in said.out
    assert "dora" not in said.out + said.err


def test_an_overview_needs_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ArgumentError, match="needs progress files"):
        ck.group_overview([])
    assert main(["course", "overview", str(tmp_path)]) == 2
    assert main(["course", "overview", str(tmp_path / "nothing.json")]) == 2
    assert "was not read" in capsys.readouterr().out


def test_the_game_is_in_the_overview(tmp_path: Path) -> None:
    book = Progress()
    book.record("case.expired-leaf", right=False)
    book.export(tmp_path / "a.json")
    (found,) = ck.group_overview([tmp_path / "a.json"]).troubles
    assert (found.exercise, found.misses) == ("case.expired-leaf", 1)


# Begin again.


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A learner's folder after a day."""
    folder = copy_series(tmp_path / "lab").folder
    monkeypatch.chdir(folder / "notebooks")
    ck.new_case(9).write()
    with ck.ServerCompany() as orders:
        orders.send_truststore()
    ck.ClientCompany()
    (folder / "notebooks/my-files/mine.txt").write_text("notes of my own")
    ck.check("3.2", "root", progress=current_progress())
    monkeypatch.chdir(folder)
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_the_lab_wrote_goes_and_the_rest_stays(lab: Path, home: Path) -> None:
    before = tree(lab)
    assert main(["course", "reset", "--yes"]) == 0
    after = tree(lab)
    gone = set(before) - set(after)
    places = {name.replace(os.sep, "/").split("/")[2] for name in gone}
    assert places == {"case-9-easy", "exchange", "server-company", "client-company"}
    assert all(after[name] == data for name, data in before.items() if name not in gone)
    assert "notebooks/my-files/mine.txt" in {name.replace(os.sep, "/") for name in after}
    assert not Progress.load(home / "progress.json").entries
    assert find_leftovers(lab).empty
    assert main(["course", "reset"]) == 0  # nothing to do, nothing to ask


def test_changed_notebooks_come_back_only_when_asked_for(lab: Path) -> None:
    notebook = lab / "notebooks/05-troubleshooting.ipynb"
    original = notebook.read_bytes()
    notebook.write_bytes(b"{}")
    assert main(["course", "reset", "--yes"]) == 0
    assert notebook.read_bytes() == b"{}"
    assert find_leftovers(lab, notebooks=True).notebooks == ("notebooks/05-troubleshooting.ipynb",)
    assert main(["course", "reset", "--notebooks", "--yes"]) == 0
    assert notebook.read_bytes() == original
    assert not copy_series(lab).kept


def test_it_takes_no_stranger(tmp_path: Path, lab: Path) -> None:
    other = tmp_path / "lab/elsewhere/my-files"
    (other / "case-1-easy").mkdir(parents=True)  # no notes of a case in it
    (other / "photos").mkdir()
    (tmp_path / "treasure/case-2-easy").mkdir(parents=True)
    (tmp_path / "treasure/case-2-easy/case.toml").touch()
    if hasattr(os, "symlink"):
        (other / "case-link").symlink_to(tmp_path / "treasure/case-2-easy")
        (lab / "linked").mkdir()
        (lab / "linked/my-files").symlink_to(tmp_path / "treasure")
    found = find_leftovers(lab)
    assert not any("elsewhere" in str(path) or "treasure" in str(path) for path in found.folders)
    found.remove()
    assert (tmp_path / "treasure/case-2-easy/case.toml").exists()
    assert (other / "photos").exists()


def ask(lab: Path, typed: str) -> tuple[int, str]:
    """Run the verb on a terminal, type something, and return its exit code and what it said."""
    pty = pytest.importorskip("pty", reason="no pseudo-terminals on this system")
    master, slave = pty.openpty()
    try:
        with subprocess.Popen(
            [sys.executable, "-m", "certkit", "course", "reset", str(lab)],
            stdin=slave,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            os.write(master, typed.encode())
            said = "".join(process.communicate(timeout=60))
            return process.returncode, said
    finally:
        os.close(master)
        os.close(slave)


@pytest.mark.parametrize(("typed", "code"), [("n\n", 1), ("\n", 1), ("y\n", 0)])
def test_it_asks_first(typed: str, code: int, lab: Path) -> None:
    before = tree(lab)
    done, said = ask(lab, typed)
    assert done == code
    assert "Take it away? [y/N]" in said
    assert "my-files" in said
    assert "your progress: 1 exercise" in said
    assert (tree(lab) == before) == (code == 1)


def test_without_anybody_to_ask_nothing_goes(lab: Path) -> None:
    before = tree(lab)
    found = subprocess.run(
        [sys.executable, "-m", "certkit", "course", "reset", str(lab)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert found.returncode == 2
    assert "nobody is there to ask" in found.stderr
    assert tree(lab) == before


def test_wrong_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["course", "reset", str(tmp_path / "nothing")]) == 2
    (tmp_path / "empty").mkdir()
    assert main(["course", "reset", str(tmp_path / "empty"), "--notebooks"]) == 2
    assert "copied no notebooks" in capsys.readouterr().err
