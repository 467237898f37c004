"""The inventory as one page: the headline, what could not be read, what ends first, and every row. No script."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from certkit._files import iso, write_file
from certkit._html import Html, badge, details, table, tag
from certkit._text import count
from certkit.inventory.analysis.impact import impact_by_ca
from certkit.inventory.analysis.overview import expiry_buckets, records, soonest_first, summarize_inventory
from certkit.inventory.export import plain
from certkit.inventory.table import COLUMNS, clock_of
from certkit.plots import expiry_calendar, expiry_timeline

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["inventory_report"]

_MOST_ROWS = 2000
_STYLE = Html(
    "<style>body{font:15px/1.45 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem;color:#1b2430;"
    "background:#fff}table{border-collapse:collapse;margin:.5rem 0}td,th{padding:3px 9px;border-bottom:1px solid #d5dbe3;"
    "font-size:13px;overflow-wrap:anywhere}summary{cursor:pointer}</style>"
)
_STATUS = {"valid": "good", "expiring": "warning", "weak": "warning", "empty": "warning"}
_COLUMNS = (
    "status",
    "subject",
    "role",
    "not_after",
    "days_left",
    "risks",
    "path",
    "alias",
    "issuer",
    "sha256",
)


def inventory_report(
    inventory: pd.DataFrame, path: str | os.PathLike[str], *, title: str = "Certificate inventory"
) -> Path:
    """Write a report of an inventory as one self-contained HTML page, and return its path.

    Parameters
    ----------
    inventory : pandas.DataFrame
        From `scan_inventory`, filtered as you like.
    path : path
        The file.
    title : str
        The heading.

    Raises
    ------
    ArgumentError
        If this is no inventory.
    FileError
        If it cannot be written.
    """
    summary = summarize_inventory(inventory)
    parts = [
        tag("h1", title),
        tag("p", f"As of {iso(clock_of(inventory))}."),
        summary._repr_html_(),
        *_unreadable(inventory),
        tag("h2", "What ends first"),
        expiry_timeline(inventory)._repr_html_(),
        tag("h2", "How many fall due when"),
        _frame(expiry_buckets(inventory)),
        expiry_calendar(inventory)._repr_html_(),
        *_impact(inventory),
        tag("h2", "Every row"),
        _rows(inventory),
    ]
    head = tag("head", Html('<meta charset="utf-8">'), tag("title", title), _STYLE)
    page = tag("html", head, tag("body", *parts), lang="en")
    return write_file(path, f"<!DOCTYPE html>\n{page}\n".encode())


def _unreadable(inventory: pd.DataFrame) -> list[Html]:
    found = inventory[inventory["status"] == "unreadable"]
    if found.empty:
        return []
    rows = [(row.path, row.error) for row in records(found)]
    words = tag(
        "p", "Nobody knows what is in these. Each needs a password, a fresh copy, or somebody who knows it."
    )
    return [
        tag("h2", f"Not read: {count(len(found), 'place')}"),
        words,
        table(("where", "why"), rows, limit=_MOST_ROWS),
    ]


def _impact(inventory: pd.DataFrame) -> list[Html]:
    found = impact_by_ca(inventory)
    found = found[found["below"] > 0]
    if found.empty:
        return []
    words = tag("p", "If one of these CA certificates goes, so many leaves lose their last path to a root.")
    shown = found[["subject", "role", "days_left", "leaves", "places"]].head(40)
    return [tag("h2", "What hangs below which CA"), words, _frame(shown)]


def _frame(frame: pd.DataFrame) -> Html:
    rows = [tuple(_cell(value) for value in row) for row in frame.itertuples(index=False, name=None)]
    return table(tuple(frame.columns), rows, limit=_MOST_ROWS)


def _cell(value: Any) -> object:
    found = plain(value)
    if isinstance(found, list):
        return ", ".join(map(str, found))
    return "" if found is None else found


def _rows(inventory: pd.DataFrame) -> Html:
    ordered = (
        inventory.sort_values("not_after", kind="stable") if len(soonest_first(inventory)) else inventory
    )
    rows = []
    for row in records(ordered[list(_COLUMNS)].head(_MOST_ROWS)):
        cells = [_cell(value) for value in row]
        rows.append((badge(_STATUS.get(str(cells[0]), "bad"), cells[0]), *cells[1:]))
    rows += [("",) * len(_COLUMNS)] * (len(inventory) - len(rows))
    meanings = table(("column", "what it means"), [(name, COLUMNS[name]) for name in _COLUMNS])
    return tag("div", details("What the columns mean", meanings), table(_COLUMNS, rows, limit=_MOST_ROWS))
