"""`group_overview`: which exercise gives a group most trouble, from exported progress, without names."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from certkit._files import read_source
from certkit._html import Html, join, table, tag
from certkit._text import count, visible
from certkit.errors import ArgumentError, CertkitError
from certkit.lessons.progress import Entry, parse_entries, sort_key

__all__ = ["GroupOverview", "Trouble", "group_overview"]

MAX_FILES = 1_000
MAX_BYTES = 1_048_576


@dataclass(frozen=True)
class Trouble:
    """How a group gets on with one exercise.

    Attributes
    ----------
    exercise : str
        Its number, or ``case.`` and the name of a story of the game.
    title : str
        A few words.
    tried, solved : int
        How many learners.
    misses, hints : int
        How many wrong answers and hints, of all learners together.
    tries : int
        How many answers, right or wrong.
    """

    exercise: str
    title: str
    tried: int
    solved: int
    misses: int
    hints: int
    tries: int


@dataclass(frozen=True)
class GroupOverview:
    """A group's progress, added up: it knows no names and no files.

    Attributes
    ----------
    learners : int
        How many files were read.
    troubles : tuple of Trouble
        One for each exercise that somebody tried, the one with most wrong answers first.
    unknown : int
        Entries that were left out, since there is no such exercise.
    unread : tuple of (int, str)
        Files that could not be read: the position among those given, from 1 on, and why.
    """

    learners: int
    troubles: tuple[Trouble, ...]
    unknown: int = 0
    unread: tuple[tuple[int, str], ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return the facts as JSON values."""
        return {
            "learners": self.learners,
            "exercises": [asdict(item) for item in self.troubles],
            "unknown_entries": self.unknown,
            "unread_files": len(self.unread),
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, in words."""
        said = [f"file {number} was not read: {reason}" for number, reason in self.unread]
        if self.unknown:
            entries = count(self.unknown, "entry", "entries")
            said.append(f"{entries} left out: there is no such exercise")
        return tuple(said)

    def text(self) -> str:
        """Return it as lines of text."""
        lines = [f"{count(self.learners, 'learner')}. Most wrong answers first:"]
        lines += [
            f"{item.exercise:<10} {item.misses:>4} wrong  {item.solved:>3} of {item.tried} solved  "
            f"{item.hints:>4} hints  {item.title}"
            for item in self.troubles
        ]
        return "\n".join([*lines, *self.notes])

    def __repr__(self) -> str:
        return f"<GroupOverview {count(self.learners, 'learner')}, {count(len(self.troubles), 'exercise')} tried>"

    def _repr_html_(self) -> Html:
        rows = [
            (item.exercise, item.title, item.misses, f"{item.solved} of {item.tried}", item.hints)
            for item in self.troubles
        ]
        head = ("exercise", "title", "wrong answers", "solved", "hints")
        shown = table(head, rows, caption=f"{count(self.learners, 'learner')}, most wrong answers first")
        return tag("div", shown, join(tag("p", note) for note in self.notes))


def group_overview(files: Iterable[str | os.PathLike[str]]) -> GroupOverview:
    """Add up what learners exported with ``ck.current_progress().export(FILE)``.

    Parameters
    ----------
    files : iterable of path
        Exported files; a folder stands for the ``.json`` files in it. A name in a file, or in its
        name, goes nowhere: only exercises that exist are counted.

    Raises
    ------
    ArgumentError
        If there are no files, or too many.

    Examples
    --------
    >>> import tempfile
    >>> from certkit.lessons import Progress, check
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     learner = Progress.load(Path(folder, "anna.json"))
    ...     _ = check("3.2", "leaf", progress=learner)
    ...     print(group_overview([folder]).troubles[0].misses)
    1
    """
    paths = [path for given in files for path in _expanded(Path(given))]
    if not paths or len(paths) > MAX_FILES:
        raise ArgumentError(
            "an overview needs progress files"
            if not paths
            else f"an overview takes {MAX_FILES:,} files at most",
            on=count(len(paths), "file"),
            hint="the files that learners exported",
        )
    books, unread = [], []
    for number, path in enumerate(paths, 1):
        try:
            books.append(parse_entries(json.loads(read_source(path, limit=MAX_BYTES)[0])))
        except (CertkitError, ValueError, RecursionError) as error:
            reason = error.what if isinstance(error, CertkitError) else "this is no JSON"
            unread.append((number, visible(reason, 120)))
    titles = _titles()
    unknown = sum(key not in titles for book in books for key in book)
    troubles = [
        _added(key, title, [book[key] for book in books if key in book]) for key, title in titles.items()
    ]
    worst = sorted(
        (item for item in troubles if item.tried or item.hints),
        key=lambda item: (-item.misses, -item.hints, sort_key(item.exercise)),
    )
    return GroupOverview(len(books), tuple(worst), unknown, tuple(unread))


def _expanded(path: Path) -> list[Path]:
    return sorted(path.glob("*.json")) if path.is_dir() else [path]


def _titles() -> dict[str, str]:
    """Return what is counted: every exercise and every story of the game, with a title."""
    # Importing them registers them; they import the module that progress is kept in.
    from certkit.lessons import exercises  # noqa: F401, PLC0415
    from certkit.lessons.exercise import EXERCISES  # noqa: PLC0415
    from certkit.lessons.game import list_cases  # noqa: PLC0415

    cases = {f"case.{name}": f"break it, fix it: {name}" for name in list_cases()}
    return {**{number: item.title for number, item in EXERCISES.items()}, **cases}


def _added(key: str, title: str, entries: list[Entry]) -> Trouble:
    return Trouble(
        key,
        title,
        tried=sum(entry.tries > 0 for entry in entries),
        solved=sum(entry.solved is not None for entry in entries),
        misses=sum(entry.misses for entry in entries),
        hints=sum(entry.hints for entry in entries),
        tries=sum(entry.tries for entry in entries),
    )
