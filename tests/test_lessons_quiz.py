"""The quizzes: data that is complete, and HTML that works without kernel, script or style."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

import certkit as ck
from certkit.errors import ArgumentError
from certkit.lessons.quizzes import _question

NUMBERS = ["00", "01", "02", "03", "04", "05", "06"]


class Outline(HTMLParser):
    """Collects each option's summary and what is folded below it."""

    def __init__(self) -> None:
        super().__init__()
        self.folds: list[list[str]] = []
        self.tags: list[str] = []
        self.groups: list[str | None] = []
        self._in: str | None = None

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(name)
        if name == "details":
            self.folds.append(["", ""])
            self.groups.append(dict(attributes).get("name"))
        if name in ("summary", "p", "ol"):
            self._in = name

    def handle_data(self, data: str) -> None:
        if self._in == "summary":
            self.folds[-1][0] += data
        elif self._in == "p" and self.folds:
            self.folds[-1][1] += data

    def handle_endtag(self, name: str) -> None:
        if name in ("summary", "p"):
            self._in = None


@pytest.mark.parametrize("number", NUMBERS)
def test_quiz_is_complete(number: str) -> None:
    quiz = ck.quiz(number)
    assert 4 <= len(quiz.questions) <= 6
    for question in quiz.questions:
        assert len(question.options) >= 3
        assert question.right.right
        assert len({item.text for item in question.options}) == len(question.options)
        assert all(len(item.why) > 20 for item in question.options)
    places = {item.options.index(item.right) for item in quiz.questions}
    assert len(places) > 1, "the right option is always at the same place"


@pytest.mark.parametrize("number", NUMBERS)
def test_html_needs_no_script_and_hides_no_answer_outside_its_fold(number: str) -> None:
    quiz = ck.quiz(number)
    html = quiz._repr_html_()
    assert len(html) < 10_000
    outline = Outline()
    outline.feed(html)
    assert "script" not in outline.tags
    options = [item for question in quiz.questions for item in question.options]
    assert [fold[0] for fold in outline.folds] == [item.text for item in options]
    for (_, shown), item in zip(outline.folds, options, strict=True):
        assert item.why in shown
        assert ("right" in shown.split(item.why)[0]) is item.right
    # One group a question, so that one option is open at a time.
    assert len(set(outline.groups)) == len(quiz.questions)


def test_a_terminal_gets_the_questions_and_the_key() -> None:
    text = ck.quiz(3).text()
    assert text.startswith("Quiz 03: one-way TLS")
    assert "c) The root" in text
    assert text.endswith("Right: 1 c, 2 a, 3 b, 4 b, 5 b")
    assert ck.quiz("3") == ck.quiz("03")


def test_errors() -> None:
    with pytest.raises(ArgumentError, match="no such quiz"):
        ck.quiz("../progress")
    entry = {"text": "?", "option": [{"text": "a", "why": "b"}, {"text": "c", "why": "d"}]}
    with pytest.raises(ArgumentError, match="just one right"):
        _question(entry, "99")
