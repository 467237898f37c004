"""NumPy docstrings as HTML."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from certkit._html import Html, join, table, tag
from certkit._site.code import coloured
from certkit._site.prose import prose
from certkit.errors import MissingToolError

__all__ = ["docstring_html"]

Word = Callable[[str], Html | None]
_TITLES = {
    "parameters": "Parameters",
    "other parameters": "Other parameters",
    "attributes": "Attributes",
    "returns": "Returns",
    "yields": "Yields",
    "raises": "Raises",
    "warns": "Warns",
    "examples": "Examples",
}


def docstring_html(text: str, word: Word, level: int) -> Html:
    """Return a docstring: its prose, and each section under a heading.

    Parameters
    ----------
    text : str
        The docstring, its indentation cleaned.
    word : callable
        What a word in backticks links to, or None.
    level : int
        Of the headings.

    Raises
    ------
    MissingToolError
        If griffe is not installed.
    """
    try:
        from griffe import Docstring, parse_numpy  # noqa: PLC0415 - only `make site` needs it
    except ImportError:
        raise MissingToolError("rendering needs griffe", hint="make setup") from None
    parts: list[Html] = []
    for section in parse_numpy(Docstring(text), warnings=False, trim_doctest_flags=False):
        title = section.title or _TITLES.get(section.kind.value, "")
        if section.kind.value == "admonition":
            title = section.title or section.value.annotation
        if title:
            parts.append(tag(f"h{level}", title))
        parts += _section(section.kind.value, section.value, word)
    return join(parts)


def _section(kind: str, value: Any, word: Word) -> Iterator[Html]:
    if kind == "text":
        yield _text(value, word)
    elif kind == "admonition":
        yield _text(value.contents, word)
    elif kind == "examples":
        for part, text in value:
            yield _text(text, word) if part.value == "text" else coloured(text, "pycon")
    else:
        rows = [(_term(item), _text(item.description, word)) for item in value]
        yield table(
            ("", "") if kind in ("returns", "yields", "raises") else ("name", "it is"), rows, limit=len(rows)
        )


def _term(item: Any) -> Html:
    name = getattr(item, "name", "")
    kind = tag("span", str(item.annotation or ""), class_="ck-soft")
    return join([tag("code", name), Html("<br>"), kind]) if name else tag("code", str(item.annotation or ""))


def _text(text: str, word: Word) -> Html:
    """Return paragraphs and lists; stars, brackets and the like are themselves, as in a terminal."""
    pieces = re.split(r"(``[^`]+``|`[^`]+`)", text)
    plain = (piece if at % 2 else re.sub(r"([*_<\[\\])", r"\\\1", piece) for at, piece in enumerate(pieces))
    return prose("".join(plain), lambda _: None, word)
