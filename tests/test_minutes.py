"""Minutes: words counted, cells timed, and an instructor's guide whose plans hold what was measured."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from certkit import _minutes
from certkit._minutes import (
    EXERCISE_MINUTES,
    OPENING,
    PREDICTION_MINUTES,
    Part,
    count_words,
    measure_minutes,
    minutes_csv,
    minutes_markdown,
    parts_of,
    read_minutes,
)
from certkit.cli import command_parser, main
from certkit.errors import CertkitError, FormatError

ROOT = Path(__file__).resolve().parent.parent
GUIDE = ROOT / "notebooks/guide/instructors-guide.md"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Two words.", 2),
        ("# A heading\n\nand *one* more", 5),
        ("[a link](https://example.test/a/b) is two and more", 6),
        ("```\nnot read at all\n```\nread", 1),
        ("| a | b |\n|---|---|\n| c | d |", 4),
        ('<img src="x.svg" alt="not read">', 0),
        ("", 0),
    ],
)
def test_words(text: str, words: int) -> None:
    assert count_words(text) == words


def notebook(*cells: Any) -> Any:
    return nbformat.v4.new_notebook(cells=list(cells))


def code(source: str, seconds: int = 0, *tags: str) -> Any:
    cell = nbformat.v4.new_code_cell(source)
    cell.metadata["tags"] = list(tags)
    cell.metadata["execution"] = {
        "iopub.execute_input": "2026-01-01T00:00:00.000000Z",
        "shell.execute_reply": f"2026-01-01T00:00:{seconds:02}.500000Z",
    }
    return cell


def test_parts_are_the_sections() -> None:
    text = nbformat.v4.new_markdown_cell
    made = parts_of(
        notebook(
            text("# Title\n\nOne two three."),
            code("1", 2),
            text("## First\n\n**Predict** it."),
            code("ck.check(...)", 0, "exercise"),
            text("More words here.\n\n## Second\n\n### Below\n\nEnd."),
            code("2", 5),
        ),
        "x.ipynb",
    )
    assert [
        (part.section, part.words, part.predictions, part.exercises, part.run_seconds) for part in made
    ] == [
        (OPENING, 4, 0, 0, 2.5),
        ("First", 6, 1, 1, 0.5),
        ("Second", 3, 0, 0, 5.5),
    ]
    assert made[0].minutes == pytest.approx(4 / 200 + 2.5 / 60)
    assert made[1].planned == pytest.approx(made[1].minutes + PREDICTION_MINUTES + EXERCISE_MINUTES)


@pytest.mark.notebook
@pytest.mark.usefixtures("jupyter_home")
def test_cells_are_really_run_and_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "notebooks"
    folder.mkdir()
    slow = notebook(
        nbformat.v4.new_markdown_cell("# A\n\n## Slow"),
        nbformat.v4.new_code_cell("import time; time.sleep(0.3)"),
    )
    progress = nbformat.v4.new_code_cell("import certkit as ck; _ = ck.check('3.2', 'leaf')")
    nbformat.write(notebook(*slow.cells, progress), folder / "00-slow.ipynb")
    nbformat.write(notebook(nbformat.v4.new_code_cell("1 / 0")), folder / "01-fails.ipynb")
    monkeypatch.setattr(_minutes, "share", lambda name: tmp_path / name)
    monkeypatch.setenv("CERTKIT_HOME", str(tmp_path / "home"))
    found = measure_minutes(["00-slow.ipynb"])
    assert [part.section for part in found] == [OPENING, "Slow"]
    assert found[1].run_seconds >= 0.3
    assert found[1].machine.startswith("certkit ")
    assert not (tmp_path / "home").exists(), "measuring is no learning"
    with pytest.raises(CertkitError, match="a cell failed"):
        measure_minutes()


def test_the_table_is_read_as_it_is_written(tmp_path: Path) -> None:
    parts = (Part("a.ipynb", 'A "quoted", part | x', 10, 1, 2, 0.5, "2026-01-01", "here"),)
    (tmp_path / "minutes.csv").write_text(minutes_csv(parts))
    assert read_minutes(tmp_path / "minutes.csv") == parts
    assert "part \\| x" in minutes_markdown(parts)
    for damage in ("", "notebook,section\na,b\n", minutes_csv(parts).replace(",10,", ",ten,")):
        (tmp_path / "damaged.csv").write_text(damage)
        if damage:
            with pytest.raises(FormatError, match="no table of minutes"):
                read_minutes(tmp_path / "damaged.csv")


def test_what_was_measured_is_of_these_notebooks() -> None:
    parts = read_minutes()
    names = {part.notebook for part in parts}
    assert all((ROOT / "notebooks" / name).is_file() for name in names)
    numbered = {path.name for path in (ROOT / "notebooks").glob("[0-9]*.ipynb")}
    assert numbered <= names
    assert all(part.date and part.machine for part in parts)
    assert sum(part.run_seconds for part in parts) > 5


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["course", "minutes"]) == 0
    said = capsys.readouterr().out
    assert "03-one-way-tls.ipynb" in said
    assert "words / 200 a minute" in said
    assert "assumed" in said
    assert main(["course", "minutes", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == len(read_minutes())
    assert {"notebook", "section", "words", "run_seconds", "minutes", "planned_minutes"} <= set(rows[0])


# The guide.


def test_the_guide_holds_the_measured_tables() -> None:
    text = GUIDE.read_text("utf-8")
    assert text.rstrip().endswith(minutes_markdown(read_minutes()).rstrip()), (
        "certkit course minutes --markdown, at the end of the guide"
    )


def plan_rows() -> list[tuple[float, str, list[str]]]:
    """Return slot, notebook and parts of every line of the plans that names parts."""
    found = []
    for line in GUIDE.read_text("utf-8").splitlines():
        row = re.fullmatch(r"\| (\d+) \| .* \| (\d\d): (.+) \|", line)
        if row:
            found.append((float(row[1]), row[2], [name.strip() for name in row[3].split(";")]))
    return found


@pytest.mark.parametrize(("slot", "number", "names"), plan_rows())
def test_a_slot_holds_what_is_planned_for_its_parts(slot: float, number: str, names: list[str]) -> None:
    own = {part.section: part for part in read_minutes() if part.notebook.startswith(f"{number}-")}
    missing = set(names) - set(own)
    assert not missing, f"the guide plans parts that notebook {number} does not have"
    assert sum(own[name].planned for name in names) <= slot


def test_the_plans_add_up() -> None:
    text = GUIDE.read_text("utf-8")
    for heading, minutes in (("Ninety minutes", 90), ("Half a day", 210)):
        section = text.partition(f"## {heading}\n")[2].partition("\n## ")[0]
        assert sum(int(number) for number in re.findall(r"^\| (\d+) \|", section, re.M)) == minutes
    assert len(plan_rows()) >= 12


def test_five_sessions_hold_their_notebooks() -> None:
    text = GUIDE.read_text("utf-8").partition("## Five sessions\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| \d \| (\d+) \| (.*) \|$", text, re.M)
    assert len(rows) == 5
    for slot, what in rows:
        names = re.findall(r"\]\(\.\./([^)]+\.ipynb)\)", what)
        # The two notebooks of the pair mode are played at the same time.
        planned = {name: sum(p.planned for p in read_minutes() if p.notebook == name) for name in names}
        pair = [value for name, value in planned.items() if name.startswith("pair/")]
        alone = sum(value for name, value in planned.items() if not name.startswith("pair/"))
        assert 0 < alone + max(pair, default=0) <= int(slot)


def test_links_and_commands_of_the_guide_are_there() -> None:
    text = GUIDE.read_text("utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (GUIDE.parent / target).exists(), target
    course = next(
        action for action in command_parser()._actions if isinstance(action, argparse._SubParsersAction)
    ).choices["course"]
    verbs = next(
        action for action in course._actions if isinstance(action, argparse._SubParsersAction)
    ).choices
    assert set(re.findall(r"certkit course (\w+)", text)) <= set(verbs)
    assert {"overview", "reset", "editions", "minutes"} <= set(re.findall(r"certkit course (\w+)", text))


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("0*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_says_how_long_it_takes(path: Path) -> None:
    """Its first lines and the map in 00 name the planned minutes, rounded; neither was guessed."""
    planned = sum(part.planned for part in read_minutes() if part.notebook == path.name)
    cells = nbformat.read(path, 4).cells
    said = [int(minutes) for minutes in re.findall(r"It takes about (\d+) minutes", cells[0].source)]
    start = nbformat.read(path.with_name("00-start-here.ipynb"), 4)
    rows = [line for cell in start.cells for line in cell.source.splitlines() if f"`{path.name[:2]}`" in line]
    said += [int(minutes) for row in rows for minutes in re.findall(r"\| (\d+) \|$", row)]
    assert len(said) == 2
    assert said == pytest.approx([planned] * 2, rel=0.12)
