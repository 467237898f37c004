"""Find what is known in a text: every saying once, at its first place that counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from certkit.explanation._knowledge import Say, by_word, flags
from certkit.explanation._pasted import Folded, Pasted
from certkit.explanation._phrases import Phrase

__all__ = ["Hit", "scan"]

_NEAR = {"https": 400, "proxy": 600}
_WINDOW = 2500
_UNLESS = 120


@dataclass(frozen=True)
class Hit:
    """A saying that was found.

    Attributes
    ----------
    say : Say
        What was recognised.
    line : int
        The line, from 1.
    quote : str
        That line, masked, hidden characters visible.
    words : str
        The words that matched.
    place : int
        Where it begins among the words of the text.
    """

    say: Say
    line: int
    quote: str
    words: str
    place: int = field(repr=False)


def scan(pasted: Pasted) -> tuple[Hit, ...]:
    """Return everything that was recognised, in the order of the text."""
    found: dict[str, Hit] = {}
    for folded in (pasted.folded, *pasted.others):
        for hit in _scan_one(pasted, folded):
            found.setdefault(hit.say.id, hit)
    return tuple(sorted(found.values(), key=lambda hit: (hit.place, hit.say.id)))


def _scan_one(pasted: Pasted, folded: Folded) -> Iterator[Hit]:
    sent: list[tuple[int, int]] = []
    for say, phrases in _candidates(folded):
        place = _first(say, phrases, folded, sent)
        if place is None:
            continue
        start, end = place
        if say.received is False:
            sent += [span for phrase in phrases for span in phrase.find(folded)]
        words = folded.words[start:end].strip()
        line = folded.line_at(start + 1) if say.client else 0
        whole = pasted.quote(line, words) if line and folded is pasted.folded else words
        yield Hit(say, line, whole, words, start)


def _candidates(folded: Folded) -> list[tuple[Say, list[Phrase]]]:
    """Return the sayings that can be there at all, sent alerts first: a received one's words may stand inside."""
    index = by_word()
    found: dict[str, tuple[Say, list[Phrase]]] = {}
    for word in (folded.vocabulary & index.keys()) | {""}:
        for say, phrase in index.get(word, ()):
            if phrase.needed <= folded.vocabulary:
                found.setdefault(say.id, (say, []))[1].append(phrase)
    return sorted(found.values(), key=lambda pair: pair[0].received is not False)


def _first(
    say: Say, phrases: list[Phrase], folded: Folded, sent: list[tuple[int, int]]
) -> tuple[int, int] | None:
    best = None
    for phrase in phrases:
        for start, end in phrase.find(folded):
            if best is not None and start >= best[0]:
                break
            if say.received and any(a <= start and end <= b for a, b in sent):
                continue
            if _counts(say, folded, start, end):
                best = (start, end)
                break
    return best


def _counts(say: Say, folded: Folded, start: int, end: int) -> bool:
    if say.unless and _any_near(say.unless, folded, start, end, _UNLESS):
        return False
    if not say.needs:
        return True
    return _any_near(flags().get(say.needs, ()), folded, start, end, _NEAR.get(say.needs, _WINDOW))


def _any_near(phrases: tuple[Phrase, ...], folded: Folded, start: int, end: int, window: int) -> bool:
    around = folded.words[max(0, start - window) : end + window]
    return any(
        phrase.parts[0] in around and all(part in around for part in phrase.parts[1:])
        for phrase in phrases
        if phrase.parts and (phrase.loose or phrase.needed <= folded.vocabulary)
    )
