"""How long each part of a notebook takes: words read and cells run, counted and measured, never guessed."""

from __future__ import annotations

import csv
import io
import json
import os
import platform
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from certkit._files import read_source
from certkit._share import MY_FILES, share
from certkit._text import count
from certkit.errors import CertkitError, FormatError, MissingToolError

__all__ = [
    "OPENING",
    "WORDS_A_MINUTE",
    "Part",
    "measure_minutes",
    "minutes_csv",
    "minutes_markdown",
    "minutes_text",
    "read_minutes",
    "to_json",
]

WORDS_A_MINUTE = 200
"""How fast prose of this kind is read, with thinking: a slow reader's pace."""

PREDICTION_MINUTES, EXERCISE_MINUTES = 1, 4
"""What is planned for a prediction (think, say it, look) and an exercise: assumptions, until you have timed your group."""

OPENING = "(opening)"
"""The name of what stands before a notebook's first section."""

_SECONDS_A_CELL = 300
_NOTHING = {"words": 0, "predictions": 0, "exercises": 0, "run_seconds": 0.0}
_PREDICTION = re.compile(r"\*\*(?:Predict|Guess)")
_WORD = re.compile(r"[A-Za-z0-9][\w'.-]*")
_NOT_READ = re.compile(r"```.*?```|<[^>]+>|\]\([^)]*\)|^\s*\|[-| :]+\|\s*$", re.S | re.M)


@dataclass(frozen=True)
class Part:
    """One section of a notebook, as it was counted and measured.

    Attributes
    ----------
    notebook : str
        Its path among the notebooks, e.g. ``"03-one-way-tls.ipynb"``.
    section : str
        The heading.
    words : int
        Words of prose; neither code nor what the cells show.
    predictions : int
        How often the learner is asked to predict something first.
    exercises : int
        Cells for the learner's own work.
    run_seconds : float
        How long its cells ran, one after the other.
    date, machine : str
        When, on what.
    """

    notebook: str
    section: str
    words: int
    predictions: int
    exercises: int
    run_seconds: float
    date: str = ""
    machine: str = ""

    @property
    def minutes(self) -> float:
        """Measured minutes: to read it and to run it, without its predictions and exercises."""
        return self.words / WORDS_A_MINUTE + self.run_seconds / 60

    @property
    def planned(self) -> float:
        """Minutes to plan for it: the measured ones, and an assumption for each prediction and each exercise."""
        return self.minutes + self.predictions * PREDICTION_MINUTES + self.exercises * EXERCISE_MINUTES


def count_words(source: str) -> int:
    """Return how many words of a Markdown text are read: no code blocks, no addresses, no tags.

    Examples
    --------
    >>> count_words("See [the *next* one](03.ipynb): `ck.check` asks.")
    6
    """
    return len(_WORD.findall(_NOT_READ.sub(" ", source)))


def parts_of(notebook: Any, name: str, *, date: str = "", machine: str = "") -> list[Part]:
    """Return the parts of an executed notebook; what a cell took is in its metadata."""
    found: list[dict[str, Any]] = [{"section": OPENING, **_NOTHING}]
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            found[-1]["exercises"] += "exercise" in cell["metadata"].get("tags", [])
            found[-1]["run_seconds"] += _seconds(cell["metadata"].get("execution", {}))
            continue
        for text in re.split(r"^(?=## )", source, flags=re.M):
            if text.startswith("## "):
                heading = text.partition("\n")[0].removeprefix("## ").strip()
                found.append({"section": heading, **_NOTHING})
            found[-1]["words"] += count_words(text)
            found[-1]["predictions"] += len(_PREDICTION.findall(text))
    kept = [part for part in found if part["words"] or part["run_seconds"]]
    return [
        Part(name, **{**part, "run_seconds": round(part["run_seconds"], 1)}, date=date, machine=machine)
        for part in kept
    ]


def _seconds(timing: dict[str, str]) -> float:
    """Return how long a cell ran, from the times that the kernel gave."""
    if not {"iopub.execute_input", "shell.execute_reply"} <= set(timing):
        return 0.0
    start, end = (
        datetime.fromisoformat(timing[name]) for name in ("iopub.execute_input", "shell.execute_reply")
    )
    return (end - start).total_seconds()


def measure_minutes(names: Iterable[str] | None = None) -> tuple[Part, ...]:
    """Execute the notebooks, one after the other, in a copy, and return their parts.

    Parameters
    ----------
    names : iterable of str, optional
        Which; every numbered notebook by default.

    Raises
    ------
    CertkitError
        If a cell fails.
    MissingToolError
        If what executes notebooks is not installed.
    """
    today = datetime.now(UTC).strftime("%Y-%m-%d")
    machine = f"certkit {version('certkit')}, Python {platform.python_version()}, {count(os.cpu_count() or 1, 'core')}"
    found: list[Part] = []
    with TemporaryDirectory(prefix="certkit-minutes-") as copy:
        folder = Path(copy) / "notebooks"
        shutil.copytree(share("notebooks"), folder, ignore=shutil.ignore_patterns(MY_FILES, ".*"))
        known = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("[0-9]*.ipynb"))
        for name in known if names is None else names:
            found += parts_of(_executed(folder / name, Path(copy)), name, date=today, machine=machine)
    return tuple(found)


def _executed(path: Path, home: Path) -> Any:
    try:
        import nbformat  # noqa: PLC0415 - only this measurement needs these
        from nbclient import NotebookClient  # noqa: PLC0415
        from nbclient.exceptions import CellExecutionError, CellTimeoutError  # noqa: PLC0415
        from traitlets.config import Config  # noqa: PLC0415
    except ImportError:
        raise MissingToolError(
            "measuring needs nbclient", hint="make setup, or pip install nbclient"
        ) from None
    notebook: Any = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    client = NotebookClient(
        notebook,
        timeout=_SECONDS_A_CELL,
        kernel_name="python3",
        record_timing=True,
        resources={"metadata": {"path": str(path.parent)}},
        config=Config({"KernelManager": {"transport_encryption": "auto"}}),
    )
    try:
        # A progress file of its own: measuring is no learning.
        client.execute(env={**os.environ, "CERTKIT_HOME": str(home / "progress")})
    except (CellExecutionError, CellTimeoutError) as error:
        raise CertkitError(f"a cell failed: {str(error).strip().splitlines()[-1]}", on=path.name) from None
    return notebook


def minutes_csv(parts: Sequence[Part]) -> str:
    """Return the table of ``data/minutes.csv``."""
    stream = io.StringIO()
    table = csv.DictWriter(stream, [each.name for each in fields(Part)], lineterminator="\n")
    table.writeheader()
    table.writerows(asdict(part) for part in parts)
    return stream.getvalue()


def read_minutes(path: Path | None = None) -> tuple[Part, ...]:
    """Return what was measured last, out of ``data/minutes.csv``.

    Raises
    ------
    FormatError
        If the file is not such a table.
    """
    data, name = read_source(share("data") / "minutes.csv" if path is None else path)
    try:
        rows = list(csv.DictReader(io.StringIO(data.decode("utf-8"))))
        return tuple(
            Part(
                row["notebook"],
                row["section"],
                int(row["words"]),
                int(row["predictions"]),
                int(row["exercises"]),
                float(row["run_seconds"]),
                row["date"],
                row["machine"],
            )
            for row in rows
        )
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(
            f"this is no table of minutes ({error})", on=name, hint="python -m certkit.samples minutes"
        ) from None


def minutes_markdown(parts: Sequence[Part]) -> str:
    """Return one table a notebook, for the instructor's guide."""
    blocks = [f"Measured {when}." for when in _when(parts)]
    for name in dict.fromkeys(part.notebook for part in parts):
        own = [part for part in parts if part.notebook == name]
        lines = [
            f"**{name.removesuffix('.ipynb')}**: {_sum(own, 'minutes'):.0f} minutes measured, {_sum(own, 'planned'):.0f} to plan",
            "",
            "| part | words | run, s | measured, min | predictions | exercises | to plan, min |",
            "|---|---:|---:|---:|---:|---:|---:|",
        ]
        for part in own:
            cells = [
                part.section.replace("|", "\\|"),
                part.words,
                f"{part.run_seconds:.1f}",
                f"{part.minutes:.1f}",
            ]
            cells += [part.predictions, part.exercises, f"{part.planned:.0f}"]
            lines.append(f"| {' | '.join(map(str, cells))} |")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _when(parts: Sequence[Part]) -> list[str]:
    return sorted({f"{part.date}, {part.machine}" for part in parts if part.date})


def _sum(parts: Sequence[Part], name: str) -> float:
    return sum(float(getattr(part, name)) for part in parts)


def minutes_text(parts: Sequence[Part]) -> str:
    """Return the parts as lines, with a sum for each notebook, and how they were measured."""
    lines = ["measured, to plan"]
    for name in dict.fromkeys(part.notebook for part in parts):
        own = [part for part in parts if part.notebook == name]
        lines.append(f"{_sum(own, 'minutes'):6.0f} {_sum(own, 'planned'):6.0f}  {name}")
        lines += [f"{part.minutes:6.1f} {part.planned:6.0f}    {part.section}" for part in own]
    lines.append(
        f"measured: words / {WORDS_A_MINUTE} a minute + seconds of running; neither outputs nor exercises"
    )
    lines.append(
        f"to plan: and {PREDICTION_MINUTES} for a prediction, {EXERCISE_MINUTES} for an exercise (assumed)"
    )
    return "\n".join([*lines, *(f"measured {when}" for when in _when(parts))])


def to_json(parts: Sequence[Part]) -> str:
    """Return the parts as a JSON list."""
    found = [
        {**asdict(part), "minutes": round(part.minutes, 1), "planned_minutes": round(part.planned, 1)}
        for part in parts
    ]
    return json.dumps(found, indent=2)
