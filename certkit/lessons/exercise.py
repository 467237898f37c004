"""`Exercise`, and `check`: an answer is judged by doing what it is for, not by its text."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from certkit._html import Html, badge, join, preformatted, tag
from certkit.errors import ArgumentError, CertkitError, CheckFailed
from certkit.lessons.progress import Progress, current_progress

__all__ = [
    "EXERCISES",
    "LEVELS",
    "Exercise",
    "Finding",
    "Result",
    "check",
    "exercise",
    "hint",
    "miss",
    "passed",
    "solution",
]

LEVELS = {
    "predict": "say what will happen, then run it",
    "change": "change one thing",
    "case": "a case without instructions",
}
"""The levels of exercises, from the easiest on."""

TRIES_BEFORE_SOLUTION = 3


@dataclass(frozen=True)
class Finding:
    """What a check did with an answer.

    Attributes
    ----------
    ok : bool
        Whether the idea is right.
    tested : str
        What was done with the answer, e.g. "a handshake with your server".
    found : str
        What came of it.
    look : str
        Where to look next, on a miss; never the answer itself.
    evidence : object
        Something that shows itself, such as the handshake; None if there is nothing to show.
    """

    ok: bool
    tested: str
    found: str
    look: str = ""
    evidence: object = field(default=None, repr=False)


def passed(tested: str, found: str, evidence: object = None) -> Finding:
    """Return a finding for a right answer."""
    return Finding(True, tested, found, "", evidence)


def miss(tested: str, found: str, look: str, evidence: object = None) -> Finding:
    """Return a finding for an answer that is not right yet: what was tested, what was found, where to look."""
    return Finding(False, tested, found, look, evidence)


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Attributes
    ----------
    id : str
        Notebook and number, e.g. ``"3.2"``.
    title : str
        A few words.
    level : {"predict", "change", "case"}
        How much it asks.
    question : str
        What to do, in plain words.
    hints : tuple of str
        A question back, then the place, then almost the line.
    answer : str
        A solution as code, with a word why.
    judge : callable
        From an answer to a `Finding`.
    """

    id: str
    title: str
    level: str
    question: str
    hints: tuple[str, ...]
    answer: str = field(repr=False)
    judge: Callable[[Any], Finding] = field(repr=False)

    @property
    def notebook(self) -> str:
        """The notebook's number, e.g. ``"03"``."""
        return self.id.partition(".")[0].zfill(2)

    def _repr_html_(self) -> Html:
        return tag(
            "p",
            tag("b", f"Exercise {self.id}: {self.title} "),
            badge("neutral", LEVELS[self.level]),
            " ",
            self.question,
        )


EXERCISES: dict[str, Exercise] = {}
"""Every exercise by id; filled when the lessons are imported."""


def exercise(
    number: str, *, title: str, level: str, hints: tuple[str, ...], answer: str
) -> Callable[[Callable[[Any], Finding]], Callable[[Any], Finding]]:
    """Put a judging function into the course; its docstring is the question."""

    def register(judge: Callable[[Any], Finding]) -> Callable[[Any], Finding]:
        if number in EXERCISES or level not in LEVELS or not hints:
            raise ArgumentError(
                "this exercise is there twice, of no known level, or without hints", on=number
            )
        question = " ".join(inspect.cleandoc(judge.__doc__ or "").split())
        EXERCISES[number] = Exercise(number, title, level, question, hints, inspect.cleandoc(answer), judge)
        return judge

    return register


@dataclass(frozen=True)
class Result:
    """What `check`, `hint` and `solution` answer: a value that shows itself and never raises.

    Attributes
    ----------
    exercise : Exercise
        Which one.
    state : {"not tried yet", "right", "not yet", "hint", "solution", "locked"}
        What this answer is.
    text : str
        What to read.
    finding : Finding or None
        What was tested and found; None unless an answer was judged.
    """

    exercise: Exercise
    state: str
    text: str
    finding: Finding | None = None

    @property
    def ok(self) -> bool:
        """Whether the exercise's idea was met by this answer."""
        return self.state == "right"

    def __bool__(self) -> NoReturn:
        raise TypeError("a result is neither true nor false: ask .ok")

    def raise_if_failed(self) -> None:
        """Raise `CheckFailed` unless the answer was right: for those who grade by machine."""
        if not self.ok:
            raise CheckFailed(f"exercise {self.exercise.id}: {self.state}", on=self.text)

    def __repr__(self) -> str:
        return f"<Exercise {self.exercise.id}: {self.state}. {self.text}>"

    def _repr_html_(self) -> Html:
        status = {"right": "good", "not yet": "bad"}.get(self.state, "neutral")
        parts: list[object] = [
            tag("p", badge(status, f"Exercise {self.exercise.id}: {self.state}"), " ", _prose(self.text))
        ]
        shown = getattr(self.finding.evidence, "_repr_html_", None) if self.finding else None
        if shown is not None:
            parts.append(tag("details", tag("summary", "What was tried with your answer"), Html(shown())))
        if self.state == "solution":
            parts.append(preformatted(self.exercise.answer))
        return tag("div", *parts, class_="ck-check", role="status")


def _prose(text: str) -> Html:
    """Return text with `code` marked."""
    pieces = re.split(r"`([^`]*)`", text)
    return join(tag("code", piece) if number % 2 else piece for number, piece in enumerate(pieces))


def find_exercise(number: str) -> Exercise:
    """Return the exercise of that number.

    Raises
    ------
    ArgumentError
        If there is none; names the nearest ones.
    """
    if str(number) in EXERCISES:
        return EXERCISES[str(number)]
    near = difflib.get_close_matches(str(number), EXERCISES, n=3, cutoff=0.3)
    raise ArgumentError(
        "there is no such exercise", on=repr(str(number)[:40]), hint=", ".join(near) or "a number such as 3.2"
    )


def check(number: str, answer: object = ..., *, progress: Progress | None = None) -> Result:
    """Check an answer by using it: doing the handshake, loading the file, judging the chain.

    Parameters
    ----------
    number : str
        The exercise, e.g. ``"3.2"``.
    answer : object
        What you made. Left as ``...`` it counts as not tried yet, which is no mistake.
    progress : Progress, optional
        Where tries are counted; your own progress by default.

    Returns
    -------
    Result
        Also for a wrong answer: it says what was tested, what was found and where to look.

    Raises
    ------
    ArgumentError
        If there is no such exercise.

    Examples
    --------
    >>> check("3.5").state
    'not tried yet'
    """
    task = find_exercise(number)
    if answer is ... or answer is None or answer == "":
        return Result(task, "not tried yet", task.question)
    book = progress or current_progress()
    try:
        finding = task.judge(answer)
    except CertkitError as error:
        finding = miss(
            "your answer was used as it is", str(error), "read the message: it names what is wrong and where"
        )
    except (TypeError, ValueError, AttributeError, KeyError, IndexError) as error:
        kind = type(answer).__name__
        finding = miss(
            f"your answer, which is of type {kind}",
            f"{type(error).__name__}: {error}",
            "the question says what to hand over",
        )
    book.record(task.id, right=finding.ok)
    if finding.ok:
        return Result(task, "right", f"Tested: {finding.tested}. Found: {finding.found}.", finding)
    text = f"Tested: {finding.tested}. Found: {finding.found}. Where to look: {finding.look}."
    left = TRIES_BEFORE_SOLUTION - book.tries(task.id)
    tail = f' Stuck? `ck.hint("{task.id}")`' + (
        f', and `ck.solution("{task.id}")` from now on.' if left <= 0 else "."
    )
    return Result(task, "not yet", text + tail, finding)


def hint(number: str, *, progress: Progress | None = None) -> Result:
    """Return the next hint: a question back, then the place, then almost the line."""
    task = find_exercise(number)
    book = progress or current_progress()
    used = book.take_hint(task.id, len(task.hints))
    return Result(task, "hint", f"{used} of {len(task.hints)}: {task.hints[used - 1]}")


def solution(number: str, *, progress: Progress | None = None) -> Result:
    """Return the solution, once the exercise is solved or was tried three times."""
    task = find_exercise(number)
    book = progress or current_progress()
    if not book.solved(task.id) and book.tries(task.id) < TRIES_BEFORE_SOLUTION:
        left = TRIES_BEFORE_SOLUTION - book.tries(task.id)
        return Result(
            task,
            "locked",
            f"The solution opens when it is solved, or after {left} more tries. A hint is free.",
        )
    return Result(task, "solution", "One way to do it:")
