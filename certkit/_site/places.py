"""Places in a page that can be linked to: each name once."""

from __future__ import annotations

import re

from certkit._html import Html

__all__ = ["Places", "unique_ids"]

_PIECES = re.compile(r'<svg\b.*?</svg>|<h([1-6]) id="[^"]*">.*?</h\1>', re.S)
_ID = re.compile(r'\sid="([^"]+)"')


class Places:
    """The names taken in one page.

    Examples
    --------
    >>> places = Places()
    >>> places.take("your-turn"), places.take("your-turn")
    ('your-turn', 'your-turn-1')
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, name: str) -> str:
        """Return the name, with a number behind it if it was taken."""
        free, number = name, 1
        while free in self._taken:
            free, number = f"{name}-{number}", number + 1
        self._taken.add(free)
        return free


def unique_ids(body: str) -> Html:
    """Return the page with every id in drawings and headings once; what points to one follows it.

    Two notebook cells may draw with the same names, and two headings may have the same words.
    """
    places = Places()

    def renamed(match: re.Match[str]) -> str:
        piece = match[0]
        for name in dict.fromkeys(_ID.findall(piece)):
            free = places.take(name)
            if free != name:
                piece = _follow(piece, name, free)
        return piece

    return Html(_PIECES.sub(renamed, body))


def _follow(piece: str, name: str, free: str) -> str:
    """Return the piece with the id and all that names it renamed: links, url() and descriptions."""
    word = re.escape(name)
    piece = re.sub(rf'(\sid="){word}(")', rf"\g<1>{free}\2", piece)
    piece = re.sub(rf"(#){word}(?=[\"')])", rf"\g<1>{free}", piece)
    return re.sub(
        rf'(\saria-(?:labelledby|describedby)="(?:[^"]*\s)?){word}(?=[\s"])', rf"\g<1>{free}", piece
    )
