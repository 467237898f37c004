"""A skipped exercise breaks nothing below it, and every notebook ends with a quiz that needs no kernel."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
SERIES = sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))
ALL = sorted(path for path in NOTEBOOKS.rglob("[0-9]*.ipynb") if "my-files" not in path.parts)


def code_of(path: Path) -> list[tuple[str, bool]]:
    """Return each code cell and whether it is an exercise."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return [
        ("".join(cell["source"]), "exercise" in cell["metadata"].get("tags", []))
        for cell in cells
        if cell["cell_type"] == "code"
    ]


def names_in(source: str) -> tuple[set[str], set[str]]:
    """Return the names that a cell needs from above, and those that it gives."""
    needed: set[str] = set()
    given: set[str] = set()
    for statement in ast.parse(source).body:
        loaded = {
            node.id
            for node in ast.walk(statement)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        }
        needed |= loaded - given
        given |= {
            node.id
            for node in ast.walk(statement)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        for node in ast.walk(statement):
            if isinstance(node, ast.Import | ast.ImportFrom):
                given |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    return needed, given


def missing_if_skipped(cells: list[tuple[str, bool]]) -> list[str]:
    """Return what cells need that only an exercise above them gives, or gives anew."""
    from_exercises: set[str] = set()
    wrong = []
    for source, exercise in cells:
        needed, given = names_in(source)
        if exercise:
            from_exercises |= given
            continue
        wrong += [f"{name}, in {source[:50]!r}" for name in sorted(needed & from_exercises)]
        from_exercises -= given
    return wrong


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_a_skipped_exercise_breaks_nothing_below(path: Path) -> None:
    assert missing_if_skipped(code_of(path)) == []


def test_a_cell_that_needs_an_exercise_is_seen() -> None:
    cells = [("import certkit as ck", False), ("answer = ck.check('1.1', ...)", True), ("answer.ok", False)]
    assert missing_if_skipped(cells) == ["answer, in 'answer.ok'"]
    # Also what was good above and is changed by the exercise.
    assert missing_if_skipped([("case = 1", False), ("case = 2", True), ("case + 1", False)])
    assert not missing_if_skipped([("case = 2", True), ("case = 3\ncase + 1", False), ("case", False)])


@pytest.mark.parametrize("path", SERIES, ids=lambda path: path.stem)
def test_every_notebook_has_its_quiz_and_its_exercises(path: Path) -> None:
    code = "\n".join(source for source, _ in code_of(path))
    assert f'ck.quiz("{path.name[:2]}")' in code
    number = str(int(path.name[:2]))
    assert set(re.findall(r'ck\.check\(\s*"(\d+)\.', code)) == {number}
