"""The client platform's documented rules, as data: what each says, and where it says so."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from certkit._html import Html, table

__all__ = ["PlatformRule", "PlatformRules", "platform_rules"]


@dataclass(frozen=True)
class PlatformRule:
    """One documented rule of the client platform.

    Attributes
    ----------
    id : str
        Its short name, e.g. ``"in-order"``.
    title, words : str
        What it says, in a line and in a sentence; our words.
    article : str
        The number of the help article, or the chapter of the guide, that documents it.
    read_on : date
        When it was read there.
    held_by : {"Java", "the profile", "the server"}
        Who enforces it in the lab: JSSE by itself, our profile on top of it, or the other side.
    cause : str
        The cause id of a call that breaks it.
    """

    id: str
    title: str
    words: str
    article: str
    read_on: date
    held_by: str
    cause: str


@dataclass(frozen=True)
class PlatformRules:
    """All rules, in the order in which a call meets them.

    Attributes
    ----------
    rules : tuple of PlatformRule
        The rules.
    """

    rules: tuple[PlatformRule, ...]

    def __iter__(self) -> Iterator[PlatformRule]:
        return iter(self.rules)

    def __len__(self) -> int:
        return len(self.rules)

    def __getitem__(self, name: str) -> PlatformRule:
        return next(item for item in self.rules if item.id == name)

    def __repr__(self) -> str:
        return f"<PlatformRules {', '.join(item.id for item in self.rules)}>"

    def _repr_html_(self) -> Html:
        return table(
            ("rule", "what it says", "Salesforce help article", "held in the lab by", "cause if broken"),
            [(item.title, item.words, item.article, item.held_by, item.cause) for item in self.rules],
            caption="What the client platform documents (read "
            f"{max(item.read_on for item in self.rules):%Y-%m-%d})",
        )


@cache
def platform_rules() -> PlatformRules:
    """Return what the client platform documents about its callouts, rule by rule, each with its article.

    Examples
    --------
    >>> from certkit.stacks.platform_rules import platform_rules
    >>> platform_rules()["in-order"].article
    '000383872'
    """
    path = Path(__file__).with_suffix(".toml")
    return PlatformRules(
        tuple(PlatformRule(**item) for item in tomllib.loads(path.read_text("utf-8"))["rule"])
    )
