"""Progress: which exercises were tried and solved, in one JSON file on this machine, sent nowhere."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from certkit._files import iso, read_source, utc, write_file
from certkit._html import Html, badge, table, tag
from certkit.errors import CertkitError, FormatError

__all__ = ["Entry", "Progress", "current_progress", "overview", "parse_entries", "progress_path", "sort_key"]

VERSION = 1


@dataclass(frozen=True)
class Entry:
    """What is known of one exercise.

    Attributes
    ----------
    tries : int
        How often an answer was checked, right or wrong.
    hints : int
        How many hints were taken.
    solved : str or None
        When it was solved first, ``2026-01-31T00:00:00Z``; None if it was not.
    misses : int
        How many of the tries were wrong.
    """

    tries: int = 0
    hints: int = 0
    solved: str | None = None
    misses: int = 0


@dataclass
class Progress:
    """The progress of one learner.

    Parameters
    ----------
    path : Path or None
        The file it is kept in; None keeps it in memory only.

    Attributes
    ----------
    note : str
        Why it is kept in memory only, if the file cannot be used; empty if it can.
    """

    path: Path | None = None
    entries: dict[str, Entry] = field(default_factory=dict)
    note: str = ""

    @classmethod
    def load(cls, path: Path | None) -> Progress:
        """Return the progress kept in `path`; a missing file is an empty progress, a damaged one is set aside."""
        if path is None:
            return cls(note="there is no home folder to keep it in")
        if not path.exists():
            return cls(path)
        try:
            return cls(path, parse_entries(json.loads(read_source(path)[0])))
        except (CertkitError, ValueError) as error:
            return cls(None, note=f"{path} cannot be used ({error}); it was left as it is")

    def record(self, number: str, *, right: bool) -> None:
        """Count a try, and remember when it was right for the first time."""
        old = self.entries.get(number, Entry())
        solved = old.solved or (iso(utc(None)) if right else None)
        self._put(number, Entry(old.tries + 1, old.hints, solved, old.misses + (not right)))

    def take_hint(self, number: str, available: int) -> int:
        """Count a hint and return which one it is, from 1 on; the last one repeats."""
        old = self.entries.get(number, Entry())
        used = min(old.hints + 1, available)
        self._put(number, Entry(old.tries, used, old.solved, old.misses))
        return used

    def tries(self, number: str) -> int:
        """Return how often an answer was checked."""
        return self.entries.get(number, Entry()).tries

    def solved(self, number: str) -> bool:
        """Return whether the exercise was ever solved."""
        return self.entries.get(number, Entry()).solved is not None

    def reset(self) -> None:
        """Forget everything."""
        self.entries.clear()
        self._save()

    def export(self, path: str | os.PathLike[str]) -> Path:
        """Write a copy to `path`: to take along, or to hand in. It holds no name."""
        return write_file(path, self._json())

    def merge(self, path: str | os.PathLike[str]) -> None:
        """Take in an exported file: for each exercise, the further one counts."""
        data, name = read_source(path)
        try:
            other = parse_entries(json.loads(data))
        except ValueError as error:
            raise FormatError(
                f"this is no progress file ({error})", on=name, hint="a file made by export()"
            ) from None
        for number, entry in other.items():
            old = self.entries.get(number, Entry())
            solved = min(filter(None, (old.solved, entry.solved)), default=None)
            self.entries[number] = Entry(
                max(old.tries, entry.tries),
                max(old.hints, entry.hints),
                solved,
                max(old.misses, entry.misses),
            )
        self._save()

    def _put(self, number: str, entry: Entry) -> None:
        self.entries[number] = entry
        self._save()

    def _json(self) -> bytes:
        found = {number: asdict(entry) for number, entry in sorted(self.entries.items())}
        return json.dumps({"certkit_progress": VERSION, "exercises": found}, indent=1).encode()

    def _save(self) -> None:
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_file(self.path, self._json())
        except (CertkitError, OSError) as error:
            # A full disk or a read-only home must not stop anybody from learning.
            self.note = f"kept in memory only: {error}"
            self.path = None

    def __repr__(self) -> str:
        solved = sum(entry.solved is not None for entry in self.entries.values())
        return f"<Progress {solved} solved, {len(self.entries)} tried{', ' + self.note if self.note else ''}>"

    def _repr_html_(self) -> Html:
        rows = [
            (
                number,
                badge("good", "solved") if entry.solved else badge("neutral", "tried"),
                entry.tries,
                entry.hints,
                entry.solved or "",
            )
            for number, entry in sorted(self.entries.items(), key=lambda item: sort_key(item[0]))
        ]
        where = self.note or f"kept in {self.path}"
        if not rows:
            return tag("p", f"Your progress, {where}: nothing is tried yet.")
        found = table(("exercise", "state", "tries", "hints", "solved"), rows, limit=80)
        return tag("div", tag("p", f"Your progress, {where}"), found)


def sort_key(number: str) -> tuple[int, ...]:
    """Return what exercises are ordered by: notebook, then number."""
    return tuple(int(part) if part.isdigit() else 0 for part in number.split("."))


def parse_entries(data: Any) -> dict[str, Entry]:
    """Return what a progress file says, by exercise.

    Raises
    ------
    FormatError
        If it is none, or damaged.
    """
    if not isinstance(data, dict) or data.get("certkit_progress") != VERSION:
        raise FormatError("not a progress file of this version", hint="a file made by export()")
    exercises = data.get("exercises", {})
    if not isinstance(exercises, dict):
        raise FormatError("the list of exercises is damaged", hint="a file made by export()")
    found = {}
    for number, item in exercises.items():
        if not isinstance(item, dict):
            raise FormatError("an entry is damaged", on=str(number)[:40])
        tries, hints, solved = item.get("tries", 0), item.get("hints", 0), item.get("solved")
        misses = item.get("misses", 0)
        numbers = (tries, hints, misses)
        if not (all(_is_count(value) for value in numbers) and isinstance(solved, str | None)):
            raise FormatError("an entry is damaged", on=str(number)[:40])
        found[str(number)] = Entry(tries, hints, solved, misses)
    return found


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 1_000_000


def progress_path() -> Path | None:
    """Return where progress is kept: ``$CERTKIT_HOME/progress.json``, else under the user's home; None without one."""
    if home := os.environ.get("CERTKIT_HOME"):
        return Path(home) / "progress.json"
    try:
        return Path.home() / ".certkit" / "progress.json"
    except (RuntimeError, OSError):
        return None


@cache
def _at(path: Path | None) -> Progress:
    return Progress.load(path)


def current_progress() -> Progress:
    """Return your own progress."""
    return _at(progress_path())


def overview(paths: list[Path]) -> list[tuple[str, int, int, float]]:
    """Return, for a group's exported files, which exercise gives most trouble: number, tried, solved, mean tries.

    Only exercises that exist are counted; `group_overview` says more.

    Raises
    ------
    ArgumentError
        If there are no files.
    """
    from certkit.lessons.group import group_overview  # noqa: PLC0415 - it reads what this module writes

    found = [item for item in group_overview(paths).troubles if item.tried]
    return [(item.exercise, item.tried, item.solved, item.tries / item.tried) for item in found]
