"""Two editions of the notebooks from one source: the learner's as it stands, the instructor's with the solutions."""

from __future__ import annotations

import ast
import copy
import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from certkit import causes
from certkit._files import make_folder, write_file
from certkit._share import MY_FILES, share
from certkit.errors import ArgumentError, CertkitError
from certkit.lessons import exercises  # noqa: F401 - registers them
from certkit.lessons.clinic_case import clinic
from certkit.lessons.exercise import Exercise, find_exercise
from certkit.lessons.game import new_case
from certkit.lessons.mysteries import mystery
from certkit.lessons.pair.mistakes import MISTAKES

__all__ = ["EDITIONS", "INSTRUCTOR", "Editions", "instructor_edition", "learner_edition", "write_editions"]

EDITIONS = ("learner", "instructor")
INSTRUCTOR = "instructor"
"""The tag of cells that only the instructor's edition has."""

_CHECK = re.compile(r'ck\.check\(\s*"([^"]+)"')
_LEARNERS_OWN = (MY_FILES, ".ipynb_checkpoints")


@dataclass(frozen=True)
class Editions:
    """What `write_editions` wrote.

    Attributes
    ----------
    learner, instructor : Path
        The folders.
    notebooks : int
        How many notebooks are in each.
    solutions : int
        How many solutions the instructor's have.
    """

    learner: Path
    instructor: Path
    notebooks: int
    solutions: int


def _markdown(*lines: str) -> dict[str, Any]:
    source = "\n".join(lines)
    return {
        "cell_type": "markdown",
        "id": hashlib.sha256(source.encode()).hexdigest()[:12],
        "metadata": {"tags": [INSTRUCTOR]},
        "source": source.splitlines(keepends=True),
    }


def _tags(cell: dict[str, Any]) -> list[str]:
    return list(cell["metadata"].get("tags", []))


def _source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def learner_edition(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return a notebook without outputs, and without cells that have the tag ``instructor``.

    Parameters
    ----------
    notebook : dict
        A notebook as JSON (nbformat 4); it is not changed.
    """
    made = copy.deepcopy(notebook)
    made["cells"] = [cell for cell in made["cells"] if INSTRUCTOR not in _tags(cell)]
    for cell in made["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return made


def instructor_edition(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return a notebook with a cell behind each exercise that has its level, its hints and its solution.

    Solutions are text, not code to run: what a solution calls ``server`` would change the cells below.

    Parameters
    ----------
    notebook : dict
        A notebook as JSON (nbformat 4); it is not changed.

    Raises
    ------
    CertkitError
        If an exercise of the notebook is unknown to certkit.
    """
    made = copy.deepcopy(notebook)
    made["cells"] = [
        {**item, "id": f"{item['id'][:52]}-{number}"} if INSTRUCTOR in _tags(item) else item
        for number, item in enumerate(_with_solutions(made["cells"]))
    ]
    return made


def _with_solutions(cells: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    known: dict[str, Exercise] = {}
    for cell in cells:
        yield cell
        if cell["cell_type"] != "code":
            continue
        source = _source(cell)
        known |= _tasks_made(source)
        if "exercise" in _tags(cell):
            yield from _solutions(source, known)
        yield from _cases(source)


def _tasks_made(source: str) -> dict[str, Exercise]:
    """Return the mysteries and clinic cases that a cell puts into variables, by the variables' names."""
    makers = {"mystery": mystery, "clinic": clinic}
    found = {}
    for node in ast.parse(source).body:
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Call(
                    func=ast.Attribute(value=ast.Name(id="ck"), attr=maker), args=[ast.Constant(value=which)]
                ),
            ) if maker in makers:
                found[name] = makers[maker](which).answer().exercise  # type: ignore[operator]
    return found


def _solutions(source: str, known: dict[str, Exercise]) -> Iterator[dict[str, Any]]:
    numbers = _CHECK.findall(source)
    if numbers:
        yield from (_solution(find_exercise(number)) for number in numbers)
    elif answered := re.search(r"^(\w+)\.answer\(", source, re.M):
        if answered[1] not in known:
            raise CertkitError(
                "an exercise of this notebook is unknown", on=source[:60], hint="ck.mystery or ck.clinic"
            )
        yield _solution(known[answered[1]])
    elif re.match(r"me\.(install|trust)\(\.\.\.\)", source):
        yield _mistakes()
    elif "..." in source:
        raise CertkitError("this exercise has no solution that certkit knows", on=source[:60])


def _solution(task: Exercise) -> dict[str, Any]:
    hints = [f"{number}. {text}" for number, text in enumerate(task.hints, 1)]
    return _markdown(
        f"> **For the instructor · {task.id}: {task.title}** (level: {task.level})",
        "",
        "Hints, in the order in which learners get them:",
        "",
        *hints,
        "",
        "A solution:",
        "",
        "```python",
        task.answer,
        "```",
    )


def _mistakes() -> dict[str, Any]:
    rows = [
        f"| `{item.name}` | {item.role} | {'two-way' if item.two_way else 'any'} | {item.told} | `{item.cause}` | `{item.mend}` |"
        for item in MISTAKES.values()
    ]
    return _markdown(
        "> **For the instructor**: which mistake it was decides. `me.make_mistake(NAME)` makes a certain one.",
        "",
        "| mistake | whose | shows in | what its maker is told | cause | a solution |",
        "|---|---|---|---|---|---|",
        *rows,
    )


def _cases(source: str) -> Iterator[dict[str, Any]]:
    for number, level in re.findall(r'ck\.new_case\((\d+), level="(\w+)"\)', source):
        case = new_case(int(number), level)
        cause = causes.load()[case._story.cause]
        yield _markdown(
            f"> **For the instructor · case {number}, {level}**: `{case._story.id}`, cause `{cause.id}` ({cause.title}).",
            "",
            "A solution:",
            "",
            *(f"- {item}" for item in cause.fix),
            "",
            "`ck.list_cases()` names all of them; `ck.new_case(seed, story=NAME)` hands a certain one out.",
        )


def write_editions(folder: str | os.PathLike[str]) -> Editions:
    """Write ``learner/`` and ``instructor/`` into a folder: every notebook, and the pictures that they show.

    Parameters
    ----------
    folder : path
        A new or empty folder, or one that holds editions already: they are written over.

    Raises
    ------
    ArgumentError
        If the folder holds something else.
    FileError
        If it cannot be written.
    """
    target, source = Path(folder), share("notebooks")
    if target.exists() and (not target.is_dir() or {item.name for item in target.iterdir()} - set(EDITIONS)):
        raise ArgumentError("this folder holds other things", on=target, hint="name a new one")
    files: dict[str, bytes] = {}
    notebooks = solutions = 0
    for path in sorted(source.rglob("*")):
        inside = path.relative_to(source)
        if not path.is_file() or any(part in _LEARNERS_OWN or part[0] == "." for part in inside.parts):
            continue
        if path.suffix == ".ipynb":
            notebook = json.loads(path.read_text("utf-8"))
            made = instructor_edition(notebook)
            notebooks += 1
            solutions += sum(INSTRUCTOR in _tags(cell) for cell in made["cells"])
            files[f"learner/notebooks/{inside.as_posix()}"] = _json(learner_edition(notebook))
            files[f"instructor/notebooks/{inside.as_posix()}"] = _json(made)
        else:
            # Prose for instructors; pictures are for both.
            for edition in EDITIONS[1:] if path.suffix == ".md" else EDITIONS:
                files[f"{edition}/notebooks/{inside.as_posix()}"] = path.read_bytes()
    for name, data in files.items():
        _write(target / name, data)
    return Editions(target / "learner", target / "instructor", notebooks, solutions)


def _json(notebook: dict[str, Any]) -> bytes:
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()


def _write(path: Path, data: bytes) -> None:
    make_folder(path.parent)
    write_file(path, data)
