"""What the years to 2030 bring: renewals a month under shorter lives, and the end of public client certificates."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from certkit.certificates import Certificate
from certkit.chains import TrustStore
from certkit.errors import ArgumentError, MissingToolError
from certkit.inventory.analysis.issuers import Authority, Forest
from certkit.inventory.analysis.overview import certificates_of, leaves, records
from certkit.inventory.fields import read_fields
from certkit.inventory.table import clock_of
from certkit.keystores.system import system_trust

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["client_sunset", "forecast_renewals", "mark_public", "public_rules"]

_EPOCH = date(1970, 1, 1)
NO_OWNER = "(no owner)"


@cache
def public_rules() -> dict[str, Any]:
    """Return the dates that bind public CAs, each with its source and when it was read."""
    return tomllib.loads(Path(__file__).with_name("rules.toml").read_text("utf-8"))


def mark_public(table: pd.DataFrame, public: Iterable[Certificate] | None = None) -> pd.DataFrame:
    """Return the table with a column ``public``: whether the certificate comes from a publicly trusted CA.

    Parameters
    ----------
    table : pandas.DataFrame
        From `scan_inventory`.
    public : iterable of Certificate, optional
        The roots that count as public; those of this system by default. If your company's own root is installed
        in the system, leave it out here, or it looks public.

    Raises
    ------
    ArgumentError
        If this system has no roots of its own and none are given.
    """
    try:
        roots = tuple(system_trust() if public is None else public)
    except MissingToolError:
        raise ArgumentError(
            "this system has no roots, so nobody knows which CA is public",
            hint="mark_public(table, public=roots)",
        ) from None
    fields = [read_fields(item.der) for item in TrustStore(roots)]
    trusted = {item.spki_sha256 for item in fields}
    own = certificates_of(table)
    in_table = dict(zip(own["sha256"], own["spki_sha256"], strict=True))
    # A private root ends no path here: only what reaches a public one counts.
    inside = [
        item for item in Forest.of(table).authorities if not item.root or in_table[item.sha256] in trusted
    ]
    known = {item.sha256 for item in inside}
    outside = [
        Authority(item.sha256, item.subject, item.issuer, item.ski, item.aki, item.not_after, True)
        for item in fields
        if item.sha256 not in known
    ]
    forest = Forest([*inside, *outside])
    pairs = table[["issuer", "aki"]].drop_duplicates()
    reaches = {
        (row.issuer, row.aki): bool(forest.best_path(row.issuer, row.aki)[1])
        for row in records(pairs.dropna())
    }
    self_made = (table["issuer"] == table["subject"]).fillna(False)
    pairs_of_rows = zip(table["issuer"], table["aki"], self_made, strict=True)
    found: Any = [
        not own_issuer and reaches.get((name, aki), False) for name, aki, own_issuer in pairs_of_rows
    ]
    return table.assign(public=found).assign(
        public=lambda rows: rows["public"] | table["spki_sha256"].isin(list(trusted))
    )


def forecast_renewals(
    table: pd.DataFrame, *, until: date = date(2030, 12, 31), at: datetime | None = None
) -> pd.DataFrame:
    """Return how often server certificates of public CAs have to be renewed each month, by owner.

    Each is renewed at two thirds of its life, and the new one lives as long as the old one or as the rules then
    allow: 200 days since March 2026, 100 from March 2027, 47 from March 2029. Certificates of private CAs are
    left out: the rules do not bind them.

    Parameters
    ----------
    table : pandas.DataFrame
        From `scan_inventory`; with the column ``public`` of `mark_public`, which is added if it is missing, and
        ``owner`` and ``renewal`` of `join_owners` if there are any.
    until : date
        The last day.
    at : datetime, optional
        The day to start from; the clock of the scan by default.

    Returns
    -------
    pandas.DataFrame
        Columns ``month`` (first day), ``owner``, ``renewal``, ``renewals``: one row for each month in which there is one.
    """
    import numpy as np  # noqa: PLC0415 - slow to load
    import pandas as pd  # noqa: PLC0415

    marked = table if "public" in table.columns else mark_public(table)
    found = leaves(marked[marked["public"]]).drop_duplicates("sha256")
    found = found[found["role"].isin(["server", "both"])]
    start = (clock_of(table, at).date() - _EPOCH).days
    last = (until - _EPOCH).days
    first = _days(found["not_before"])
    life = _days(found["not_after"]) - first
    due = np.maximum(first + life * 2 // 3, start)
    who = [_column(found, name) for name in ("owner", "renewal")]
    numbers = np.arange(len(found))
    parts = []
    while len(numbers):
        alive = due <= last
        numbers, due, life = numbers[alive], due[alive], life[alive]
        parts.append(pd.DataFrame({"day": due, "owner": who[0][numbers], "renewal": who[1][numbers]}))
        life = np.maximum(np.minimum(life, _longest(due)), 1)
        due = due + np.maximum(life * 2 // 3, 1)
    every = (
        pd.concat(parts, ignore_index=True)
        if parts
        else pd.DataFrame({"day": [], "owner": [], "renewal": []})
    )
    months = pd.to_datetime(every["day"].astype("int64"), unit="D").dt.to_period("M").dt.to_timestamp()
    counted = every.assign(month=months).groupby(["month", "owner", "renewal"]).size().rename("renewals")
    return counted.reset_index()


def _days(moments: pd.Series[Any]) -> np.ndarray[Any, Any]:
    """Return moments as whole days since 1970."""
    values: np.ndarray[Any, Any] = moments.astype("int64").to_numpy(dtype="int64") // 86_400
    return values


def _column(found: pd.DataFrame, name: str) -> np.ndarray[Any, Any]:
    import numpy as np  # noqa: PLC0415 - slow to load

    gap = NO_OWNER if name == "owner" else "(not known)"
    if name not in found.columns:
        return np.full(len(found), gap, object)
    return np.array([value if isinstance(value, str) else gap for value in found[name]], object)


def _longest(issued: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return for how many days a certificate is issued, by the day of issue."""
    import numpy as np  # noqa: PLC0415 - slow to load

    steps = public_rules()["validity"]["steps"]
    starts = np.array([(step["issued_from"] - _EPOCH).days for step in steps])
    lives = np.array([step["issued_for"] for step in steps])
    return lives[np.clip(np.searchsorted(starts, issued, side="right") - 1, 0, None)]


def client_sunset(table: pd.DataFrame) -> pd.DataFrame:
    """Return client certificates of public CAs: the next renewal will not be for clients any more.

    Public CAs stop issuing for client authentication; two-way TLS then needs a private CA, and a truststore on the
    server that holds it.

    Parameters
    ----------
    table : pandas.DataFrame
        From `scan_inventory`; the column ``public`` of `mark_public` is added if it is missing.

    Returns
    -------
    pandas.DataFrame
        One row a place: ``subject``, ``role``, ``not_after``, ``replace_by`` (the last day on which it serves),
        ``renewable`` (whether it can be had once more before the last day of issue), ``path``, ``alias``, ``sha256``.
    """
    import pandas as pd  # noqa: PLC0415 - slow to load

    marked = table if "public" in table.columns else mark_public(table)
    found = leaves(marked[marked["public"]])
    found = found[found["role"].isin(["client", "both"])]
    last = public_rules()["client_authentication"]["last_issue"]
    still = clock_of(table).date() <= last
    shown = found.assign(replace_by=pd.to_datetime(found["not_after"], utc=True).dt.date, renewable=still)
    columns = ["subject", "role", "not_after", "replace_by", "renewable", "path", "alias", "sha256"]
    return shown.sort_values(["not_after", "path"], kind="stable")[columns].reset_index(drop=True)
