"""What the atlas has measured, as evidence: which causes a message came from, on which stacks, how often."""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from certkit import causes
from certkit._share import share
from certkit.explanation._knowledge import Say
from certkit.explanation._pasted import Folded
from certkit.explanation._phrases import Phrase
from certkit.explanation._scanning import Hit

__all__ = ["measured_hits", "measured_says", "read_atlas"]

# The counts are runs of the lab, every fault as often as any other, not what happens out there: so they weigh less
# than a saying whose shares come from reports. A message that came from many causes tells next to nothing.
_WEIGHT = 0.2
# That a cause was not seen to give this message here does not mean that it gives it nowhere.
_UNSEEN = 0.08
_MANY_CAUSES = 6
_FEWEST_WORDS = 3
# What a normalised message has in place of a port, a folder, a time; and names that are the lab's own.
_GAPS = re.compile(
    r"<[^<>\s]{1,20}>|\{[^{}\s]{1,20}\}|\b0x[0-9a-f]+\b|\b\d{3,}\b|…"
    r"|\b(?:PORT|FOLDER|TIME|BYTES|ADDRESS|HEX|BASE64|LINE|MS|NUMBER|PROCESS|HASH)\b"
    r"|\blocalhost\b|\b127\.0\.0\.1\b|\[::1\]|[\w.-]{1,60}\.example\.test\b"
)
_PARTS = re.compile(r"\n| <- ")


@dataclass(frozen=True)
class Measured:
    """A message as the atlas has it."""

    phrase: Phrase
    role: str
    counts: Mapping[str, int] = field(repr=False)
    stacks: tuple[str, ...]

    def say(self) -> Say:
        """Return it as a saying, its shares by the numbers of runs."""
        total = sum(self.counts.values())
        shares = [count / total for count in self.counts.values()]
        spread = -sum(part * math.log(part) for part in shares) / math.log(_MANY_CAUSES)
        seen = ", ".join(f"{cause} {count}" for cause, count in Counter(self.counts).most_common(3))
        return Say(
            id=f"measured {self.role}: {' '.join(self.phrase.parts)}",
            phrases=(self.phrase,),
            means=f"measured in the lab, {total} runs on {', '.join(self.stacks[:4])}: {seen}",
            client={cause: count / total for cause, count in self.counts.items()},
            server={cause: count / total for cause, count in self.counts.items()},
            weight=max(0.01, _WEIGHT * (1 - spread)),
            floor=_UNSEEN,
        )


def measured_hits(folded: Folded, server: float) -> Iterator[Hit]:
    """Yield what the atlas has measured and the text says, the longest messages first.

    A server's words count if a server reports, a client's if a client does: the same words mean other causes there.
    """
    taken: list[tuple[int, int]] = []
    for item in _atlas():
        if (item.role == "server") != (server > 0.5) or not item.phrase.needed <= folded.vocabulary:
            continue
        place = next(item.phrase.find(folded), None)
        if place is None or any(start <= place[0] and place[1] <= end for start, end in taken):
            continue
        taken.append(place)
        words = folded.words[slice(*place)].strip()
        yield Hit(item.say(), folded.line_at(place[0] + 1), words, words, place[0])


def measured_says() -> tuple[Say, ...]:
    """Return every measured message as a saying, the longest first."""
    return tuple(replace(item.say(), role=item.role) for item in _atlas())


@cache
def _atlas() -> tuple[Measured, ...]:
    path = share("data") / "atlas.csv"
    return read_atlas(path) if path.is_file() else ()


def read_atlas(path: Path) -> tuple[Measured, ...]:
    """Return the messages of an atlas: columns ``cause``, ``stack``, and those whose names end in ``message``."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    stacks: dict[tuple[str, str], set[str]] = {}
    known = causes.load()
    with path.open(encoding="utf-8", newline="") as source:
        for row in csv.DictReader(source):
            # What cannot be asked or is not installed has a reason of the lab's own, and nobody's message.
            if row.get("outcome") not in {"refused", "timed-out"}:
                continue
            for column, value in row.items():
                if not (column or "").endswith("message") or not value or row.get("cause") not in known:
                    continue
                for part in _PARTS.split(value[:600]):
                    key = (_GAPS.sub("*", part[:300]), "server" if column.startswith("server") else "client")
                    counts.setdefault(key, Counter())[row["cause"]] += 1
                    stacks.setdefault(key, set()).add(row.get("stack") or "")
    found = [
        Measured(phrase, role, counts[text, role], tuple(sorted(stacks[text, role])))
        for text, role in counts
        if len((phrase := Phrase.parse(text)).needed) >= _FEWEST_WORDS
    ]
    return tuple(sorted(found, key=lambda item: -sum(map(len, item.phrase.parts))))
