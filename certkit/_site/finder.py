"""Paste a message, see its causes: the sayings of `explain`, and its way of weighing them, in the page itself.

The page reads what is pasted as `certkit.explanation` does, but for files, transcripts, log prefixes and broken lines;
tests/browser/test_site.py holds its answers against those of `explain`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from certkit import causes
from certkit._html import Html, tag
from certkit.explanation._knowledge import Say, flags, load_says
from certkit.explanation._measured import measured_says

__all__ = ["FINDER", "finder"]

FINDER = Path(__file__).with_suffix(".js").read_text("utf-8")
"""What brings `finder` to life."""


def finder() -> Html:
    """Return the field to paste into, its answers, and what they are found by; it shows itself when `FINDER` runs."""
    field = Html(
        '<textarea id="message" rows="4" spellcheck="false" autocomplete="off" autocapitalize="off"></textarea>'
    )
    known = json.dumps(_known(), separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
    return tag(
        "div",
        tag("label", "Paste the message, with the lines around it if you have them", for_="message"),
        field,
        tag("p", role="status"),
        tag("ol"),
        Html(f'<script type="application/json" id="known">{known}</script>'),
        class_="ck-finder",
        hidden="",
    )


def _known() -> dict[str, object]:
    says, shares = load_says(), _Numbered()
    needed = {say.needs for say in says if say.needs}
    return {
        # Sent alerts first: the words of a received one may stand inside.
        "says": [_say(say, shares) for say in sorted(says, key=lambda say: say.received is not False)],
        "measured": [_say(say, shares) for say in measured_says()],
        "flags": {
            name: [_phrase(item.parts) for item in phrases]
            for name, phrases in flags().items()
            if name in needed
        },
        "causes": {found.id: {"title": found.title, "fix": found.fix[0]} for found in causes.load().values()},
        # Last: by now every share has its number.
        "shares": shares.kept,
    }


class _Numbered:
    """Shares of causes, each kept once."""

    def __init__(self) -> None:
        self.kept: list[dict[str, float]] = []

    def number(self, shares: Mapping[str, float]) -> int | None:
        if not shares:
            return None
        rounded = _rounded(shares)
        if rounded not in self.kept:
            self.kept.append(rounded)
        return self.kept.index(rounded)


def _say(say: Say, shares: _Numbered) -> dict[str, object]:
    values: dict[str, object] = {
        "match": [_phrase(item.parts) for item in say.phrases],
        "means": say.means,
        "role": say.role,
        "client": shares.number(say.client),
        "server": None if say.server == say.client else shares.number(say.server),
        "weight": round(say.weight, 4),
        "needs": say.needs,
        "unless": [_phrase(item.parts) for item in say.unless],
        "boost": _rounded(say.boost),
        "received": say.received,
        "floor": say.floor,
        "tls": "tls" in say.flags,
    }
    empty: tuple[object, ...] = (None, "", [], {})
    return {
        key: value
        for key, value in values.items()
        if value not in empty and (value is not False or key == "received")
    }


def _phrase(parts: Iterable[str]) -> str:
    return "*".join(part.strip() for part in parts)


def _rounded(shares: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in shares.items()}
