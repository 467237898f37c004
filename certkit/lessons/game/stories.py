"""What can have happened: each story is a mail from a colleague, a break, and the cause behind it."""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from certkit.errors import ArgumentError
from certkit.faults import Fault, Scenario, find_fault
from certkit.lessons.game.desk import Desk

__all__ = ["LEVELS", "Story", "all_stories", "story"]

LEVELS = {
    "easy": "one thing is wrong, and both sides' logs are there",
    "medium": "one thing is wrong, and only one side's log is there",
    "hard": "two things are wrong, or one that hides",
}
"""The difficulties."""

Break = Callable[[Scenario], Scenario]
FileBreak = Callable[[Desk, Scenario], Desk]


def _same_scenario(scenario: Scenario) -> Scenario:
    return scenario


def _same_desk(desk: Desk, _: Scenario) -> Desk:
    return desk


@dataclass(frozen=True)
class Story:
    """One case of the game.

    Attributes
    ----------
    id : str
        Its name; a learner sees it only when the case is solved.
    cause : str
        The cause id behind it; of two, the one that shows first.
    level : str
        One of `LEVELS`.
    two_way : bool
        Whether the server asks for a client certificate.
    mail : str
        What the colleague writes: what is seen, not what is wrong.
    sides : tuple of str
        Whose log is there.
    break_scenario, break_files : callable
        What happened: to the set-up, then to the files.
    """

    id: str
    cause: str
    level: str
    two_way: bool
    mail: str
    sides: tuple[str, ...] = ("client", "server")
    break_scenario: Break = field(default=_same_scenario, repr=False)
    break_files: FileBreak = field(default=_same_desk, repr=False)


_TOLD: dict[str, Story] = {}


def story(
    *, cause: str, level: str, two_way: bool = False, sides: tuple[str, ...] = ("client", "server")
) -> Callable[[FileBreak], FileBreak]:
    """Put a break of files into the game; its id is the function's name with hyphens, its docstring the mail."""

    def register(break_files: FileBreak) -> FileBreak:
        name = break_files.__name__.replace("_", "-")
        mail = inspect.cleandoc(break_files.__doc__ or "")
        if name in _TOLD or level not in LEVELS or not mail:
            raise ArgumentError("this story is there twice, of no known level, or without a mail", on=name)
        _TOLD[name] = Story(name, cause, level, two_way, mail, sides, break_files=break_files)
        return break_files

    return register


@cache
def _mails() -> dict[str, dict[str, str]]:
    """Return what a colleague writes when a fault of the catalogue strikes; the fault itself does the breaking."""
    found: dict[str, dict[str, str]] = tomllib.loads(
        Path(__file__).with_name("mails.toml").read_text("utf-8")
    )
    return found


def all_stories() -> dict[str, Story]:
    """Return every story by id: those told here, and the faults of the catalogue that a colleague has a mail for."""
    from certkit.lessons.game import files_stories  # noqa: F401, PLC0415 - importing registers them

    return {**_TOLD, **{name: _from_fault(find_fault(name), told) for name, told in _mails().items()}}


def _from_fault(fault: Fault, told: dict[str, str]) -> Story:
    level = told["level"]
    sides = ("client", "server") if level == "easy" else ("client",)
    return Story(
        fault.id,
        fault.cause,
        level,
        fault.two_way,
        told["mail"].strip(),
        sides,
        break_scenario=fault.break_it,
    )
