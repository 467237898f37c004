"""Who renews what, and how: joined from a list that people keep, with the gaps shown."""

from __future__ import annotations

import csv
import fnmatch
import io
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from certkit._files import read_source
from certkit.errors import FormatError
from certkit.inventory.analysis.overview import records, soonest_first

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["join_owners", "owner_gaps"]


def join_owners(table: pd.DataFrame, owners: str | os.PathLike[str]) -> pd.DataFrame:
    """Return the table with the columns ``owner`` and ``renewal``, from a CSV file that people keep.

    Parameters
    ----------
    table : pandas.DataFrame
        From `scan_inventory`.
    owners : path
        A CSV with the columns ``match``, ``owner`` and ``renewal``. A row is for every place whose path, subject or
        one of whose names fits the pattern ``match`` (``*`` and ``?``); the first row that fits counts. ``renewal`` is a
        word of yours, such as ``acme`` or ``manual``.

    Raises
    ------
    FileError
        If it cannot be read.
    FormatError
        If it is no such CSV.
    """
    rules = _rules(owners)
    paths = {path: _first(rules, (path,)) for path in table["path"].unique()}
    known: dict[tuple[Any, ...], int] = {}
    chosen = []
    for row in records(table[["path", "subject", "sans"]]):
        best = paths[row.path]
        if isinstance(row.subject, str):
            key = (row.subject, *row.sans)
            if key not in known:
                known[key] = _first(rules, (row.subject, *(name.partition(":")[2] for name in row.sans)))
            best = min(best, known[key])
        chosen.append(best)
    values = [*((owner, renewal) for _, owner, renewal in rules), (None, None)]
    import pandas as pd  # noqa: PLC0415 - slow to load

    frames = {
        name: pd.Series([values[number][at] or None for number in chosen], index=table.index, dtype="str")
        for at, name in enumerate(("owner", "renewal"))
    }
    return table.assign(**frames)


def _rules(path: str | os.PathLike[str]) -> list[tuple[re.Pattern[str], str, str]]:
    data, label = read_source(Path(path), limit=16 << 20)
    try:
        rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise FormatError(f"this is no CSV in UTF-8 ({error})", on=label) from None
    if not rows or not {"match", "owner"} <= set(rows[0]):
        raise FormatError(
            "this CSV has no columns match and owner", on=label, hint="first line: match,owner,renewal"
        )
    return [
        (
            re.compile(fnmatch.translate((row["match"] or "").strip())),
            (row["owner"] or "").strip(),
            (row.get("renewal") or "").strip(),
        )
        for row in rows
        if (row["match"] or "").strip()
    ]


def _first(rules: list[tuple[re.Pattern[str], str, str]], texts: tuple[str, ...]) -> int:
    """Return the number of the first rule that fits; one past the last if none does."""
    for number, (pattern, _, _) in enumerate(rules):
        if any(pattern.match(text) for text in texts):
            return number
    return len(rules)


def owner_gaps(table: pd.DataFrame) -> pd.DataFrame:
    """Return the leaves that nobody is known to renew, soonest first.

    Parameters
    ----------
    table : pandas.DataFrame
        From `join_owners`; without it, everything is a gap.
    """
    gaps = table[table["owner"].isna()] if "owner" in table.columns else table
    return soonest_first(gaps)
