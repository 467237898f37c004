"""The inventory explorer: filter and sort an estate, choose a certificate, see its chain and places, or a CA's impact."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import ipywidgets

from certkit._html import Html, badge, definitions, table, tag
from certkit._text import count, visible
from certkit.inventory.analysis.impact import ca_impact
from certkit.inventory.analysis.issuers import Forest
from certkit.inventory.analysis.overview import CA_ROLES, certificates_of, records, summarize_inventory
from certkit.widgets._view import LAYOUT, SAID, STYLE, Lab

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ExplorerState", "InventoryExplorer"]

LISTED = 200
_SHOWN = 12
_BADGES = {"valid": "good", "expiring": "warning", "weak": "warning"}
SORTS = {
    "soonest end": ("not_after", True),
    "latest end": ("not_after", False),
    "name": ("subject", True),
    "most places": ("places", False),
}
ROLES = {
    "leaves": ("server", "client", "both", "other"),
    "CAs": CA_ROLES,
    "all": ("server", "client", "both", "other", *CA_ROLES),
}


class _Estate:
    """What is worked out once for a table: one row a certificate, a text to search, and who stands above whom."""

    def __init__(self, rows: pd.DataFrame) -> None:
        found = certificates_of(rows)
        self.table = rows
        single = found.drop_duplicates("sha256")
        places = found["sha256"].value_counts()
        self.single = single.assign(places=single["sha256"].map(places).astype("int64"))
        paths: dict[str, str] = {}
        for sha256, path in zip(found["sha256"], found["path"], strict=True):
            paths[sha256] = f"{paths[sha256]}\n{path}" if sha256 in paths else path
        columns = (self.single[name] for name in ("subject", "issuer", "sans", "sha256"))
        texts = [
            f"{subject}\n{issuer}\n{' '.join(sans)}\n{sha256}\n{paths[sha256]}".lower()
            for subject, issuer, sans, sha256 in zip(*columns, strict=True)
        ]
        self.texts = self.single["subject"].copy()
        self.texts[:] = texts

    @cached_property
    def forest(self) -> Forest:
        """The CA certificates."""
        return Forest.of(self.table)

    @cached_property
    def summary(self) -> Html:
        """The headline of the whole estate, unreadable files included."""
        return summarize_inventory(self.table)._repr_html_()


@dataclass(frozen=True)
class ExplorerState:
    """What is set in the explorer: everything that its picture depends on.

    Attributes
    ----------
    estate : _Estate
        The table, made ready.
    search : str
        A part of a name, a path or a fingerprint; every word has to be there.
    status : str or None
        One status; None for all.
    role : str
        A key of `ROLES`.
    sort : str
        A key of `SORTS`.
    chosen : str or None
        The fingerprint of the certificate that is looked at; None for none.
    """

    estate: Any = field(repr=False)
    search: str = ""
    status: str | None = None
    role: str = "leaves"
    sort: str = "soonest end"
    chosen: str | None = None

    @classmethod
    def of(cls, inventory: pd.DataFrame, **settings: Any) -> ExplorerState:
        """Return the state for an inventory."""
        return cls(_Estate(inventory), **settings)

    @cached_property
    def view(self) -> pd.DataFrame:
        """The certificates that the settings let through, in order; one row each."""
        rows = self.estate.single
        keep = rows["role"].isin(ROLES[self.role])
        if self.status is not None:
            keep &= rows["status"] == self.status
        for word in self.search.lower().split():
            keep &= self.estate.texts.str.contains(word, regex=False)
        by, rising = SORTS[self.sort]
        found: pd.DataFrame = rows[keep].sort_values([by, "sha256"], ascending=[rising, True], kind="stable")
        return found

    def options(self) -> list[tuple[str, str | None]]:
        """Return the list to choose from: a line and a fingerprint for each."""
        names = ["days_left", "status", "places", "subject", "sha256"]
        lines: list[tuple[str, str | None]] = []
        for row in records(self.view.head(LISTED)[names]):
            subject = visible(row.subject or "(no subject)", 70)
            places = count(row.places, "place")
            lines.append((f"{row.days_left:>6,} d  {row.status:<13} {places:<10} {subject}", row.sha256))
        return lines or [("nothing fits", None)]

    def picture(self, run: int = 0) -> Html:
        """Return what is to be seen: how many fit, and the chosen certificate."""
        fits = len(self.view)
        words = f"{count(fits, 'certificate')} of {len(self.estate.single):,}" + (
            f"; the first {LISTED} are listed" if fits > LISTED else ""
        )
        parts: list[object] = [self.estate.summary, tag("p", words, class_=SAID)]
        if self.chosen is not None:
            parts.append(self._detail(self.chosen))
        else:
            parts.append(self._list())
        return tag("div", *parts, class_="ck-picture", data_run=run)

    def _list(self) -> Html:
        names = ["subject", "role", "not_after", "days_left", "status", "places"]
        rows = [
            (
                row.subject,
                row.role,
                f"{row.not_after:%Y-%m-%d}",
                f"{row.days_left:,}",
                badge(_BADGES.get(row.status, "bad"), row.status),
                row.places,
            )
            for row in records(self.view.head(_SHOWN)[names])
        ]
        return table(names, [*rows, *[("",) * len(names)] * (len(self.view) - len(rows))], limit=_SHOWN)

    def _detail(self, sha256: str) -> Html:
        places = self.estate.table[self.estate.table["sha256"] == sha256]
        row = records(places.head(1))[0]
        facts = [
            ("names", ", ".join(row.sans) or "none"),
            (
                "validity",
                tag(
                    "span",
                    f"{row.not_after:%Y-%m-%d}, {row.days_left:,} days left ",
                    badge(_BADGES.get(row.status, "bad"), row.status),
                ),
            ),
            ("risks", ", ".join(row.risks) or "none"),
            ("key", f"{row.key} {'' if row.key_bits is None else row.key_bits}, signed with {row.signature}"),
            ("SHA-256", tag("code", sha256)),
        ]
        columns = ["path", "alias", "kind", "format"]
        where = [
            tuple(value if isinstance(value, str) else "" for value in item)
            for item in records(places.head(_SHOWN)[columns])
        ]
        where += [("",) * 4] * (len(places) - len(where))
        parts = [
            definitions(facts, caption=row.subject or "(no subject)"),
            self._chain(row),
            table(
                ("path", "alias", "entry", "store"),
                where,
                caption=f"Where it lies: {count(len(places), 'place')}",
                limit=_SHOWN,
            ),
        ]
        if row.role in CA_ROLES:
            parts.append(self._impact(sha256))
        return tag("div", *parts)

    def _chain(self, row: Any) -> Html:
        if row.role == "root":
            return tag("p", "A root: its path begins and ends here.")
        end, members = self.estate.forest.best_path(row.issuer, row.aki)
        if not members:
            return tag("p", badge("bad", "no path to a root"), f" Its issuer is {row.issuer}.")
        steps = " ← ".join([row.subject or "(no subject)", *(item.subject for item in members)])
        own = int(row.not_after.timestamp())
        early = (
            ""
            if own <= end
            else f" The path ends before it does: with {min(members, key=lambda item: item.not_after).subject}."
        )
        return tag("p", tag("b", "Its best path: "), steps, ".", early)

    def _impact(self, sha256: str) -> Html:
        found = ca_impact(self.estate.table, sha256)
        lost = found[found["outcome"] == "loses its last path"]
        words = (
            f"{count(lost['sha256'].nunique(), 'leaf', 'leaves')} in {count(len(lost), 'place')} would lose the last path; "
            f"{count(len(found) - len(lost), 'place')} would keep another."
        )
        rows = [(row.subject, row.path, f"{row.not_after:%Y-%m-%d}") for row in records(lost.head(_SHOWN))]
        rows += [("",) * 3] * (len(lost) - len(rows))
        return table(("leaf", "place", "ends"), rows, caption=f"If this CA went: {words}", limit=_SHOWN)


class InventoryExplorer(Lab):
    """An estate to look through: search, filter, sort, choose a certificate.

    A leaf shows its chain and every place it lies in; a CA shows what would fall with it.

    Parameters
    ----------
    inventory : pandas.DataFrame
        From `scan_inventory`.
    search, status, role, sort : str
        How it starts; see `ExplorerState`.
    """

    def __init__(
        self,
        inventory: pd.DataFrame,
        *,
        search: str = "",
        status: str | None = None,
        role: str = "leaves",
        sort: str = "soonest end",
    ) -> None:
        self.state = ExplorerState.of(inventory, search=search, status=status, role=role, sort=sort)
        self._run = 1
        self._search = ipywidgets.Text(
            search,
            description="Search",
            placeholder="a name, a path, a fingerprint",
            style=STYLE,
            layout=LAYOUT,
        )
        statuses = [
            ("all", ""),
            *((word, word) for word in ("expired", "not-yet-valid", "expiring", "weak", "valid")),
        ]
        self._status = ipywidgets.Dropdown(
            options=statuses, value=status or "", description="Status", style=STYLE, layout=LAYOUT
        )
        self._role = ipywidgets.Dropdown(
            options=list(ROLES), value=role, description="Show", style=STYLE, layout=LAYOUT
        )
        self._sort = ipywidgets.Dropdown(
            options=list(SORTS), value=sort, description="Sort by", style=STYLE, layout=LAYOUT
        )
        self._list = ipywidgets.Select(
            options=self.state.options(),
            value=None,
            rows=8,
            description="Certificate",
            style=STYLE,
            layout=ipywidgets.Layout(width="100%"),
        )
        self._list.add_class("ck-choose")
        controls = [self._search, self._status, self._role, self._sort]
        for control, hook in zip(controls, ("search", "status", "role", "sort"), strict=True):
            control.add_class(f"ck-{hook}")
            control.observe(self._filtered, "value")
        self._list.observe(self._chosen, "value")
        super().__init__(
            [*controls, self._list], ipywidgets.HTML(self.state.picture(self._run)), "ck-inventory-explorer"
        )

    def _filtered(self, _: dict[str, Any]) -> None:
        self.state = replace(
            self.state,
            search=self._search.value,
            status=self._status.value or None,
            role=self._role.value,
            sort=self._sort.value,
            chosen=None,
        )
        # The new list must not count as a choice.
        self._list.unobserve(self._chosen, "value")
        self._list.options = self.state.options()
        self._list.value = None
        self._list.observe(self._chosen, "value")
        self._draw()

    def _chosen(self, change: dict[str, Any]) -> None:
        self.state = replace(self.state, chosen=change["new"])
        self._draw()

    def _draw(self) -> None:
        self._run += 1
        self._picture.value = self.state.picture(self._run)
