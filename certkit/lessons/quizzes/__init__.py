"""`quiz`: a few questions whose options open to an answer; no kernel and no script needed."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from certkit._html import Html, badge, join, tag
from certkit._text import count
from certkit.errors import ArgumentError

__all__ = ["Option", "Question", "Quiz", "quiz"]

_HOME = Path(__file__).parent
# Without it the page reads just as well.
_STYLE = Html(
    "<style>.ck-quiz details{margin:2px 0}.ck-quiz summary{cursor:pointer;padding:2px 4px}"
    ".ck-quiz details p{margin:2px 0 6px 22px}.ck-quiz li{margin-bottom:10px;font-weight:bold}"
    ".ck-quiz li>*{font-weight:normal}</style>"
)


@dataclass(frozen=True)
class Option:
    """One answer that can be chosen.

    Attributes
    ----------
    text : str
        What it says.
    right : bool
        Whether it is right.
    why : str
        Why it is right, or what is wrong with it.
    """

    text: str
    right: bool
    why: str


@dataclass(frozen=True)
class Question:
    """A question and its options.

    Attributes
    ----------
    text : str
        What is asked.
    options : tuple of Option
        In the order in which they are shown; just one is right.
    """

    text: str
    options: tuple[Option, ...]

    @property
    def right(self) -> Option:
        """The right option."""
        return next(item for item in self.options if item.right)


@dataclass(frozen=True)
class Quiz:
    """The questions of one notebook. Its HTML works on any page: each option is a fold with its answer in it.

    Attributes
    ----------
    notebook : str
        The notebook's number, e.g. ``"03"``.
    title : str
        What it is about.
    questions : tuple of Question
        In order.
    """

    notebook: str
    title: str
    questions: tuple[Question, ...]

    def text(self) -> str:
        """Return the questions for a terminal, with the right answers at the end."""
        lines = [f"Quiz {self.notebook}: {self.title}", ""]
        for number, question in enumerate(self.questions, 1):
            lines += [f"{number}. {question.text}"]
            lines += [f"   {'abcdef'[at]}) {item.text}" for at, item in enumerate(question.options)] + [""]
        letters = ["abcdef"[item.options.index(item.right)] for item in self.questions]
        right = ", ".join(f"{number} {letter}" for number, letter in enumerate(letters, 1))
        return "\n".join([*lines, f"Right: {right}"])

    def __repr__(self) -> str:
        return f"<Quiz {self.notebook}: {self.title}, {count(len(self.questions), 'question')}>"

    def _repr_html_(self) -> Html:
        items = [
            tag(
                "li",
                question.text,
                *(_fold(option, f"{self.notebook}-{number}") for option in question.options),
            )
            for number, question in enumerate(self.questions, 1)
        ]
        return tag(
            "section",
            _STYLE,
            tag(
                "p",
                tag("b", f"Quiz: {self.title}. "),
                "Choose an answer by opening it: it says whether it is right.",
            ),
            tag("ol", *items),
            class_="ck-quiz",
            aria_label=f"Quiz of notebook {self.notebook}",
        )


def _fold(option: Option, group: str) -> Html:
    word = badge("good", "right") if option.right else badge("bad", "not this one")
    # Of a group with one name, one is open at a time.
    return tag(
        "details",
        tag("summary", option.text),
        tag("p", join([word, " ", option.why])),
        name_=f"ck-quiz-{group}",
    )


def quiz(notebook: str | int) -> Quiz:
    """Return the quiz of a notebook.

    Parameters
    ----------
    notebook : str
        Its number, e.g. ``"03"``.

    Raises
    ------
    ArgumentError
        If there is none.

    Examples
    --------
    >>> quiz("03")
    <Quiz 03: one-way TLS, 5 questions>
    """
    number = str(notebook).strip().zfill(2)
    if number not in _numbers():
        raise ArgumentError("there is no such quiz", on=repr(str(notebook)[:20]), hint=", ".join(_numbers()))
    return _load(number)


@cache
def _numbers() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in _HOME.glob("*.toml")))


@cache
def _load(number: str) -> Quiz:
    data = tomllib.loads((_HOME / f"{number}.toml").read_text("utf-8"))
    return Quiz(number, data["title"], tuple(_question(entry, number) for entry in data["question"]))


def _question(entry: Mapping[str, Any], number: str) -> Question:
    options = tuple(
        Option(item["text"], bool(item.get("right", False)), item["why"]) for item in entry["option"]
    )
    if sum(item.right for item in options) != 1:
        raise ArgumentError("a question needs just one right option", on=f"{number}: {entry['text']}")
    return Question(entry["text"], options)
