"""The rule that makes slides of a notebook: what is shown, what the speaker says, and where a slide begins.

No notebook stores slide metadata: a rule keeps up with the text, and a hundred cells' marks would not.
"""

from __future__ import annotations

import copy
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

__all__ = ["with_slides"]

MOST_WORDS = 70
"""Shown words after which a slide is full."""

_LEAD_WORDS, _FEWEST_WORDS = 34, 8
_FENCE = re.compile(r"^(```|~~~)")
_SENTENCE = re.compile(r"(?:(?<=[.!?])|(?<=[.!?][*`\"')])|(?<=[.!?]\*\*))\s+(?=[A-Z*\"'`\[(])")
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")


@dataclass
class _Slide:
    """One slide while it is put together."""

    kind: str
    cells: list[Any] = field(default_factory=list)
    words: int = 0
    has_code: bool = False


def with_slides(notebook: Any) -> Any:
    """Return a copy of a notebook whose cells have slide metadata.

    A heading of the second level begins a slide, one of the third, a prediction, or a full slide begins the
    next below it. Headings, lists, tables, pictures, predictions and the first sentence of a paragraph are
    shown; the paragraph itself is the speaker's note. The import stays out of sight.

    Parameters
    ----------
    notebook : NotebookNode
        Executed or not; it is not changed.
    """
    made = copy.deepcopy(notebook)
    slides: list[_Slide] = []
    chapter = ""
    for cell in notebook.cells:
        pieces = _prose(cell) if cell.cell_type == "markdown" else _code(cell)
        for piece, kind in pieces:
            begins = kind == "slide"
            _put(slides, piece, kind, "" if begins else chapter)
            if begins:
                chapter = piece.source.lstrip("# ")
    made.cells = [cell for slide in slides for cell in slide.cells]
    for number, cell in enumerate(made.cells):
        cell["id"] = f"slide-cell-{number}"
    return made


def _put(slides: list[_Slide], cell: Any, kind: str, chapter: str) -> None:
    """Add a piece to the last slide, or begin one with it."""
    last = slides[-1] if slides else None
    words = len(cell.source.split())
    begins = kind in {"slide", "subslide"}
    if last is None:
        kind, begins = "slide", True
    elif kind == "predict":
        begins = last.words > MOST_WORDS // 2 or last.has_code
        kind = "subslide"
    elif kind == "code":
        begins, kind = last.has_code or last.words > MOST_WORDS, "subslide"
    elif kind == "-":
        full = last.words + words > MOST_WORDS and last.words > _FEWEST_WORDS
        begins, kind = last.has_code or full, "subslide"
    if begins:
        slides.append(_Slide(kind))
        cell.metadata["chapter"] = chapter
    slide = slides[-1]
    shown = "-" if slide.cells or not begins else slide.kind
    cell.metadata["slideshow"] = {"slide_type": kind if kind in {"notes", "skip"} else shown}
    slide.cells.append(cell)
    if kind not in {"notes", "skip"}:
        slide.has_code = slide.has_code or cell.cell_type == "code"
        slide.words += 0 if cell.cell_type == "code" else words


def _code(cell: Any) -> Iterator[tuple[Any, str]]:
    made = copy.deepcopy(cell)
    silent = cell.source.strip() == "import certkit as ck"
    yield made, "skip" if silent else "code"


def _prose(cell: Any) -> Iterator[tuple[Any, str]]:
    """Yield the pieces of a Markdown cell with what each is."""
    for block in _blocks(cell.source):
        heading = re.match(r"(#+) ", block)
        if heading:
            yield _piece(cell, block), "slide" if len(heading[1]) <= 2 else "subslide"
        elif re.search(r"\*\*(Predict|Guess)", block):
            yield _piece(cell, block), "predict"
        elif _is_shown_whole(block):
            yield _piece(cell, block), "-"
        else:
            lead = _lead(block)
            if lead:
                yield _piece(cell, lead), "-"
            if lead != " ".join(block.split()):
                yield _piece(cell, block), "notes"


def _lead(block: str) -> str:
    """Return the first sentences of a paragraph: enough to say something, or none if they are too long for a slide."""
    lead = ""
    for sentence in _SENTENCE.split(" ".join(block.split())):
        words = len(lead.split())
        # One word, such as an answer, says little without the next sentence.
        most = _LEAD_WORDS if words == 0 else MOST_WORDS
        if words >= _FEWEST_WORDS or words + len(sentence.split()) > most:
            break
        lead = f"{lead} {sentence}".strip()
    return lead


def _piece(cell: Any, source: str) -> Any:
    made = copy.deepcopy(cell)
    made.source = _LINK.sub(_link, source)
    return made


def _link(found: re.Match[str]) -> str:
    """Leave links that lead somewhere from a deck: to the web, and to other decks as wholes."""
    words, target = found.groups()
    parts = urlsplit(target)
    if parts.scheme:
        return found[0]
    if parts.path.endswith(".ipynb"):
        return f"[{words}]({posixpath.splitext(parts.path)[0]}.html)"
    return words


def _is_shown_whole(block: str) -> bool:
    first = block.lstrip()
    return (
        bool(re.match(r"([-*+] |\d+\. |\||>|<|!\[|```|~~~|    )", first))
        or len(block.split()) <= _LEAD_WORDS // 2
    )


def _blocks(source: str) -> Iterator[str]:
    """Yield paragraphs, lists, tables and fenced code, each whole."""
    block: list[str] = []
    fenced = False
    for line in source.splitlines():
        if _FENCE.match(line):
            fenced = not fenced
        if line.strip() or fenced:
            if line.startswith("#") and not fenced and block:
                yield "\n".join(block)
                block = []
            block.append(line)
            if not (line.startswith("#") and not fenced and len(block) == 1):
                continue
        if block:
            yield "\n".join(block)
            block = []
    if block:
        yield "\n".join(block)
