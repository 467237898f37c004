"""Two editions from one source: solutions are in the instructor's, and nowhere in the learner's."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest

from certkit.cli import main
from certkit.errors import ArgumentError, CertkitError
from certkit.lessons import EXERCISES
from certkit.lessons.editions import (
    EDITIONS,
    INSTRUCTOR,
    Editions,
    instructor_edition,
    learner_edition,
    write_editions,
)
from certkit.lessons.pair.mistakes import MISTAKES

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Editions:
    return write_editions(tmp_path_factory.mktemp("course") / "editions")


def names() -> list[Path]:
    found = [path.relative_to(NOTEBOOKS) for path in NOTEBOOKS.rglob("*.ipynb")]
    return [name for name in found if not {"my-files", ".ipynb_checkpoints"} & set(name.parts)]


def cells(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["cells"]
    return found


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def is_instructors(cell: dict[str, Any]) -> bool:
    return INSTRUCTOR in cell["metadata"].get("tags", [])


@cache
def text(folder: Path) -> str:
    return "\n".join(source(cell) for name in names() for cell in cells(folder / "notebooks" / name))


@pytest.mark.parametrize("name", names(), ids=str)
def test_both_editions_are_the_source_but_for_the_solutions(name: Path, made: Editions) -> None:
    original = cells(NOTEBOOKS / name)
    learner, instructor = (cells(folder / "notebooks" / name) for folder in (made.learner, made.instructor))
    assert learner == original
    assert [cell for cell in instructor if not is_instructors(cell)] == original
    for edition in EDITIONS:
        nbformat.validate(nbformat.read(made.learner.parent / edition / "notebooks" / name, as_version=4))
    asked = [
        cell for cell in original if "exercise" in cell["metadata"].get("tags", []) and "..." in source(cell)
    ]
    behind = [at for at, cell in enumerate(instructor) if cell in asked]
    assert all(is_instructors(instructor[at + 1]) for at in behind)


@pytest.mark.parametrize("number", EXERCISES)
def test_a_solution_is_in_the_instructors_edition_alone(number: str, made: Editions) -> None:
    answer = EXERCISES[number].answer
    assert text(made.instructor).count(answer) == 1
    assert answer not in text(made.learner)
    assert all(hint not in text(made.learner) for hint in EXERCISES[number].hints)


def test_mysteries_the_clinic_cases_and_mistakes_have_solutions_too(made: Editions) -> None:
    instructor, learner = text(made.instructor), text(made.learner)
    for words in ("mystery 1: ", "clinic ", "case 9, easy**", *(item.told for item in MISTAKES.values())):
        assert words in instructor
        assert words not in learner
    assert made.solutions == instructor.count("> **For the instructor") >= len(EXERCISES)
    assert made.notebooks == len(names())


def test_pictures_travel_with_both(made: Editions) -> None:
    for folder in (made.learner, made.instructor):
        assert (folder / "notebooks/images/scenario.svg").is_file()
        assert not list(folder.rglob("my-files"))


def notebook(*sources: str, tags: tuple[str, ...] = ("exercise",)) -> dict[str, Any]:
    code = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "metadata": {"tags": list(tags)},
            "source": [item],
            "outputs": [{"output_type": "stream"}],
            "execution_count": 3,
        }
        for number, item in enumerate(sources)
    ]
    return {"cells": code, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def test_a_cell_for_the_instructor_does_not_reach_the_learner() -> None:
    given = notebook("secret = 1", tags=(INSTRUCTOR,))
    before = copy.deepcopy(given)
    assert learner_edition(given)["cells"] == []
    assert instructor_edition(given)["cells"][0]["source"] == ["secret = 1"]
    assert given == before
    (kept,) = learner_edition(notebook("x = 1"))["cells"]
    assert (kept["outputs"], kept["execution_count"]) == ([], None)


@pytest.mark.parametrize("cell", ['ck.check("99.9", ...)', "who.answer(...)", "answer = ..."])
def test_an_exercise_that_nobody_can_solve_is_seen(cell: str) -> None:
    with pytest.raises(CertkitError):
        instructor_edition(notebook(cell))


def test_the_command_writes_both_and_takes_no_other_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "editions"
    assert main(["course", "editions", str(target)]) == 0
    assert "solutions" in capsys.readouterr().out
    assert main(["course", "editions", str(target)]) == 0  # again, over its own
    (target / "mine.txt").touch()
    assert main(["course", "editions", str(target)]) == 2
    with pytest.raises(ArgumentError, match="other things"):
        write_editions(target / "mine.txt")
