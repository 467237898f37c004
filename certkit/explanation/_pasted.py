"""What people paste, made readable: masked, without colours, entities and escapes, and folded into words.

The folded form is what patterns are compared with: lower case, every run of anything but letters and digits one space.
So wrapped lines, quotes of any kind, hyphens, underscores and indentation make no difference.
"""

from __future__ import annotations

import bisect
import html
import re
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property

from certkit._text import visible
from certkit.explanation._masking import mask_secrets

__all__ = ["LIMIT", "Folded", "Pasted", "fold"]

LIMIT = 4_000_000
"""Characters that are read; of a longer text the middle is left out."""
_WIDE = 200
_ANSI = re.compile(r"\x1b(?:\[[0-9;?]{0,40}[ -/]{0,4}[@-~]|\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)|[@-Z\\-_])")
_BARE_COLOUR = re.compile(r"\[(?:0|[0-9]{1,2}(?:;[0-9]{1,3}){1,4}|[349][0-9])m")
_TAGS = re.compile(
    r"(?i)</?(?:br|b|i|u|p|pre|code|span|div|center|h[1-6]|hr|html|body|head|title|td|tr|th|table|a|strong|em|font|li|ul"
    r")(?:\s[^<>]{0,300})?/?>"
)
_UNICODE_ESCAPE = re.compile(r"\\u00([2-7][0-9a-fA-F])")
# What stands before a message in a log: times, levels, containers' and npm's prefixes, quotation marks.
_PREFIX = re.compile(
    r"(?:[ \t>|│]{1,8}"
    r"|\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d{1,9})?(?:Z| ?[+-]\d\d:?\d\d| UTC| GMT)?"
    r"|\d\d[./-]\d\d[./-]\d{2,4} \d\d:\d\d:\d\d(?:[.,]\d{1,9})?|\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
    r"|(?:[A-Z][a-z]{2} )?[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?: \d{4})?"
    r"|<\d{1,3}>|npm ERR! ?|npm error ?|stderr: ?|stdout: ?"
    r"|\[?(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|SEVERE)\]?:? ?"
    r"|[VDIWEF]/[\w.$]{1,40}\( {0,5}\d{1,6}\): ?"
    r"|[\w.-]{1,40}(?:\[\d{1,7}\]|\|[\w-]{1,20})?: ?(?=[ \t]*(?:at |Caused by)))"
)


@dataclass(frozen=True)
class Folded:
    """Words of a text, one space between them and at both ends, and the way back to its lines."""

    source: str = field(repr=False)
    words: str = field(repr=False)
    vocabulary: frozenset[str] = field(repr=False)

    @cached_property
    def _counts(self) -> list[int]:
        counts, total = [], 0
        for line in _spaced(self.source).split("\n"):
            total += len(line.split())
            counts.append(total)
        return counts

    def line_at(self, offset: int) -> int:
        """Return the number of the line, from 1, of a place in ``words``."""
        return (
            min(bisect.bisect_right(self._counts, self.words.count(" ", 0, offset)), len(self._counts) - 1)
            + 1
        )


@dataclass(frozen=True)
class Pasted:
    """A text as pasted, made safe and readable.

    Attributes
    ----------
    text : str
        Masked and cleaned; lines have the numbers they had.
    folded : Folded
        Its words.
    others : tuple of Folded
        The same without log prefixes, and with hard-wrapped lines joined; empty where it makes no difference.
    masked : int
        How many secrets were masked.
    notes : tuple of str
        What was done to the text that a reader should know.
    """

    text: str = field(repr=False)
    folded: Folded = field(repr=False)
    others: tuple[Folded, ...] = field(repr=False)
    masked: int
    notes: tuple[str, ...]

    @classmethod
    def read(cls, text: str) -> Pasted:
        """Return the text made readable."""
        notes = []
        if len(text) > LIMIT:
            size, half = len(text) / 1e6, LIMIT // 2
            text = text[:half] + "\n" + text[-half:]
            notes.append(
                f"the text has {size:.0f} MB: its first and last {half / 1e6:.0f} MB were read, the middle was not"
            )
        text, masked = mask_secrets(text)
        if masked:
            notes.append(
                f"{masked} password{'s' * (masked > 1)} or key{'s' * (masked > 1)} in the text: masked"
            )
        text = _clean(text)
        return cls(text, fold(text), _variants(text), masked, tuple(notes))

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the cleaned text."""
        return self.text.split("\n")

    def quote(self, line: int, near: str = "") -> str:
        """Return a line, cut around the words that were found, every hidden character visible."""
        whole = self.lines[line - 1].strip() if 0 < line <= len(self.lines) else ""
        if len(whole) > _WIDE and near:
            at = whole.lower().find(near.split(" ", maxsplit=1)[0])
            start = max(0, at - _WIDE // 4)
            whole = ("…" if start else "") + whole[start : start + _WIDE]
        return visible(whole, _WIDE)


def fold(text: str) -> Folded:
    """Return the words of a text."""
    spaced = _spaced(text)
    words = spaced.split()
    return Folded(text, f" {' '.join(words)} ", frozenset(words))


_TABLE = {code: " " for code in range(128) if not chr(code).isalnum()} | {10: "\n"}


def _spaced(text: str) -> str:
    low = text.lower()
    table = _TABLE
    if not low.isascii():
        table = _TABLE | {ord(char): " " for char in set(low) if ord(char) > 127 and not char.isalnum()}
    return low.translate(table)


def _clean(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    if "m" in text and "[" in text:
        text = _BARE_COLOUR.sub("", text)
    if "&" in text and ";" in text:
        text = html.unescape(text)
    if "<" in text:
        text = _TAGS.sub(" ", text)
    if "\\" in text:
        text = _UNICODE_ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
        for escape in ("\\n", "\\t", "\\r", '\\"'):
            text = text.replace(escape, "  ")
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        text = "".join(char for char in text if char == "\n" or unicodedata.category(char) != "Cf")
    return text


def _variants(text: str) -> tuple[Folded, ...]:
    """Return the text without log prefixes, and with lines joined that a terminal broke within a word."""
    if len(text) > 100_000:
        return ()
    lines = text.split("\n")
    bare = [_without_prefix(line) for line in lines]
    found = []
    if bare != lines:
        found.append(fold("\n".join(bare)))
    width = max(map(len, lines), default=0)
    if width >= 40 and sum(len(line) >= width - 1 for line in lines[:-1]) >= 1:
        pieces = [line + ("" if len(line) >= width - 1 else "\n") for line in lines]
        joined = fold("".join(pieces))
        if joined.words != fold(text).words:
            found.append(joined)
    return tuple(found)


def _without_prefix(line: str) -> str:
    at = 0
    for _ in range(8):
        match = _PREFIX.match(line, at)
        if match is None or match.end() == at:
            break
        at = match.end()
    return line[at:]
