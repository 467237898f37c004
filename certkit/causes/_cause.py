"""`Cause`: one entry of the knowledge base."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from certkit._html import Html, definitions, join, tag
from certkit.errors import ArgumentError

__all__ = ["SIDES", "Cause"]

SIDES = ("client", "server", "either", "network")
"""Who can find a cause, and who must change something; ``"either"`` if it depends on who presents."""


@dataclass(frozen=True)
class Cause:
    """Why trust failed: what it means, who must change what, how to confirm and how to fix it.

    Attributes
    ----------
    id : str
        Its name in kebab-case, the same everywhere.
    family : str
        One of `FAMILIES`.
    title : str
        A heading of a few words.
    meaning : str
        What it means, in one sentence.
    found_by : str
        Which side sees it, one of `SIDES`.
    change : str
        Which side must change something, one of `SIDES`.
    where : str
        Which file or setting that is.
    confirm : tuple of str
        Commands that show it; words in capitals are yours to replace.
    fix : tuple of str
        What to do, in order.
    wrong_fixes : tuple of str
        What looks like a fix and is none, with the reason.
    rfc : str
        The section that says so; empty where no standard speaks of it.
    platforms : tuple of (str, str)
        Platforms and the step to take there: where to click, which command.
    """

    id: str
    family: str
    title: str
    meaning: str
    found_by: str
    change: str
    where: str
    confirm: tuple[str, ...]
    fix: tuple[str, ...]
    wrong_fixes: tuple[str, ...]
    rfc: str = ""
    platforms: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_entry(cls, name: str, family: str, entry: Mapping[str, Any]) -> Cause:
        """Return the cause that a table of the .toml file describes; later keys of an entry may be more.

        Raises
        ------
        ArgumentError
            If something is missing, or a side is none of `SIDES`.
        """
        wanted = {field.name for field in fields(cls)} - {"id", "family"}
        missing = wanted - entry.keys() - {"rfc", "platforms"}
        if missing:
            raise ArgumentError(f"a cause lacks {', '.join(sorted(missing))}", on=name)
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in entry.items()
            if key in wanted
        }
        values["platforms"] = tuple(dict(entry.get("platforms", {})).items())
        for side in (values["found_by"], values["change"]):
            if side not in SIDES:
                raise ArgumentError("unknown side", on=f"{side!r} in {name}", hint=", ".join(SIDES))
        return cls(id=name, family=family, **values)

    def to_dict(self) -> dict[str, object]:
        """Return the facts as JSON values."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values["platforms"] = dict(self.platforms)
        return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}

    def __repr__(self) -> str:
        return f"<Cause {self.id}: {self.title}>"

    def _repr_html_(self) -> Html:
        return definitions(
            [
                ("what it means", self.meaning),
                ("seen by", self.found_by),
                ("who must change", f"{self.change}: {self.where}"),
                ("confirm", join([tag("div", tag("code", line)) for line in self.confirm])),
                ("fix", join([tag("div", line) for line in self.fix])),
                *((f"on {name}", step) for name, step in self.platforms),
                ("not a fix", join([tag("div", line) for line in self.wrong_fixes])),
                ("source", self.rfc or "practice"),
            ],
            caption=f"{self.id}: {self.title}",
        )
