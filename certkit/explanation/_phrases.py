"""Phrases: words that must follow each other; a star stands for up to a dozen words in between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from certkit.explanation._pasted import Folded, fold

__all__ = ["Phrase"]

_GAP = 160
_TRIES = 40


@dataclass(frozen=True)
class Phrase:
    """Words as they stand in a folded text, with gaps where the source has a star.

    Examples
    --------
    >>> text = fold("hostname 'a.example' doesn't match 'b.example'")
    >>> [start for start, _ in Phrase.parse("hostname '*' doesn't match").find(text)]
    [0]
    """

    parts: tuple[str, ...]
    needed: frozenset[str]
    loose: bool

    @classmethod
    def parse(cls, source: str) -> Phrase:
        """Return the phrase that a pattern's text means."""
        words = [fold(part).words for part in source.split("*")]
        parts = tuple(part for part in words if part.strip())
        # Scripts without spaces between words are compared letter by letter.
        loose = any(ord(char) > 0x2E80 for char in source)
        if loose:
            parts = tuple(part.strip() for part in parts)
        needed = frozenset() if loose else frozenset(" ".join(parts).split())
        return cls(parts, needed, loose)

    def find(self, text: Folded) -> Iterator[tuple[int, int]]:
        """Yield start and end of each place, at most a few dozen; the time is linear in the text."""
        if not self.parts or not self.needed <= text.vocabulary:
            return
        words, first, at = text.words, self.parts[0], 0
        for _ in range(_TRIES):
            start = words.find(first, at)
            if start < 0:
                return
            end = self._rest(words, start + len(first) - 1)
            if end is not None:
                yield start, end
            at = start + len(first) - 1

    def _rest(self, words: str, end: int) -> int | None:
        for part in self.parts[1:]:
            start = words.find(part, end, end + _GAP + len(part))
            if start < 0:
                return None
            end = start + len(part) - 1
        return end
