"""The glossary of five worlds, and the box that says what has changed since the articles were written."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from certkit._html import Html, table, tag
from certkit.errors import ArgumentError
from certkit.inventory.analysis.forecast import public_rules

__all__ = ["WORLDS", "Glossary", "TodayBox", "glossary", "today_box"]

WORLDS = {
    "java": "Java",
    "openssl": "OpenSSL",
    "salesforce": "Salesforce",
    "castiron": "Cast Iron",
    "windows": "Windows",
}


UNVERIFIED = "not verified here"
"""What stands where no source was found for a world's word."""


@dataclass(frozen=True)
class Glossary:
    """One thing a row, and what each of five worlds calls it.

    Attributes
    ----------
    rows : tuple of dict
        Each with ``word`` (ours) and a word for ``java``, ``openssl``, ``salesforce``, ``castiron``, ``windows``.
    sources : tuple of dict
        For each row and world the source of the word, with the day on which it was read there; empty where the
        word is a dash (no such thing in the story) or was not verified.
    """

    rows: tuple[dict[str, str], ...]
    sources: tuple[dict[str, str], ...] = field(default=(), repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"<Glossary {', '.join(row['word'] for row in self.rows)}>"

    def _repr_html_(self) -> Html:
        cited = list(dict.fromkeys(source for row in self.sources for source in row.values() if source))

        def cell(row: int, world: str) -> str:
            source = self.sources[row][world]
            return self.rows[row][world] + (f" [{cited.index(source) + 1}]" if source else "")

        cells = [
            (row["word"], *(cell(number, world) for world in WORLDS)) for number, row in enumerate(self.rows)
        ]
        shown = table(("here", *WORLDS.values()), cells, caption="The same thing in five worlds")
        return tag("div", shown, tag("ol", *(tag("li", source) for source in cited)))


def glossary(word: str | None = None) -> Glossary:
    """Return what Java, OpenSSL, Salesforce, Cast Iron and Windows call the same things, each with its source.

    Parameters
    ----------
    word : str, optional
        Only the rows in which this stands, in any of the worlds.

    Raises
    ------
    ArgumentError
        If it stands in none.

    Examples
    --------
    >>> found = glossary("remote site")
    >>> found.rows[0]["word"], found.sources[0]["salesforce"]
    ('allow-list of endpoints', 'Salesforce, Apex Developer Guide: Using Certificates (read 2026-11-25)')
    """
    facts = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
    titles = {
        name: f"{item['title']} (read {item['read_on']:%Y-%m-%d})" for name, item in facts["source"].items()
    }
    names = ("word", *WORLDS)
    wanted = [
        entry
        for entry in facts["entry"]
        if word is None or any(word.lower() in entry[name].lower() for name in names)
    ]
    if not wanted:
        raise ArgumentError("this word is not in the glossary", on=repr(word)[:80], hint="ck.glossary()")
    return Glossary(
        tuple({name: entry[name] for name in names} for entry in wanted),
        tuple({world: titles.get(entry["from"].get(world), "") for world in WORLDS} for entry in wanted),
    )


@dataclass(frozen=True)
class TodayBox:
    """What has changed since 2012: date, fact, source.

    Attributes
    ----------
    rows : tuple of (str, str, str)
        Date in ISO form, what holds from then on, and where it was decided with the day on which it was read.
    """

    rows: tuple[tuple[str, str, str], ...]

    @property
    def sentence(self) -> str:
        """What follows for two-way TLS."""
        return "Two-way TLS now means a private CA for the clients: public CAs issue certificates for servers only."

    def __repr__(self) -> str:
        return f"<TodayBox {len(self.rows)} dates>"

    def _repr_html_(self) -> Html:
        return table(("from", "what holds", "decided by"), self.rows, caption=f"Today. {self.sentence}")


def today_box() -> TodayBox:
    """Return the dates that bind public CAs, each with its source: shorter lives, and no client certificates.

    Examples
    --------
    >>> [row[1] for row in today_box().rows][-1]
    'a public server certificate lives at most 47 days'
    """
    rules = public_rules()
    lives, clients = rules["validity"], rules["client_authentication"]
    rows = [
        (
            step["issued_from"].isoformat(),
            f"a public server certificate lives at most {step['days']} days",
            f"{lives['source']} (read {lives['read_on']})",
        )
        for step in lives["steps"]
    ]
    rows.append(
        (
            clients["last_issue"].isoformat(),
            "public CAs have stopped issuing certificates for client authentication",
            f"{clients['source']} (read {clients['read_on']})",
        )
    )
    return TodayBox(tuple(sorted(rows)))
