"""When a certificate really stops, and what goes down with a CA."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from certkit.errors import ArgumentError
from certkit.inventory.analysis.issuers import Authority, Forest
from certkit.inventory.analysis.overview import CA_ROLES, certificates_of, chosen, leaves, records
from certkit.inventory.table import clock_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ca_impact", "effective_expiry", "impact_by_ca"]

_NO_PATH = "no path to a root"


def effective_expiry(table: pd.DataFrame) -> pd.DataFrame:
    """Return when each leaf really stops: at the first end on its best path, be it its own or a CA's.

    Parameters
    ----------
    table : pandas.DataFrame
        From `scan_inventory`. Every root in it counts as trusted; of several paths the one that holds longest counts.

    Returns
    -------
    pandas.DataFrame
        One row a certificate, soonest first: ``subject``, ``not_after``, ``effective`` (missing without a path),
        ``days_lost`` (days between the two), ``ends_with`` (whose end it is), ``root``, ``path``, ``sha256``.
    """
    import pandas as pd  # noqa: PLC0415 - slow to load

    found = leaves(table).drop_duplicates("sha256")
    forest = Forest.of(table)
    best = {pair: forest.best_path(*pair) for pair in _pairs(found)}
    rows = []
    for row in records(found[["subject", "not_after", "issuer", "aki", "path", "sha256"]]):
        end, members = best[row.issuer, row.aki]
        own = int(row.not_after.timestamp())
        effective = min(end, own) if members else None
        ends_with = _NO_PATH if not members else row.subject if own <= end else _first_to_end(members, end)
        root = members[-1].subject if members else None
        rows.append((row.subject, row.not_after, effective, ends_with, root, row.path, row.sha256))
    frame = pd.DataFrame(
        rows, columns=["subject", "not_after", "effective", "ends_with", "root", "path", "sha256"]
    )
    frame["not_after"] = pd.to_datetime(frame["not_after"], utc=True)
    frame["effective"] = pd.to_datetime(frame["effective"].astype("Int64"), unit="s", utc=True)
    frame.insert(3, "days_lost", (frame["not_after"] - frame["effective"]).dt.days.astype("Int64"))
    return frame.sort_values(["effective", "sha256"], kind="stable").reset_index(drop=True)


def _pairs(found: pd.DataFrame) -> list[tuple[str, str]]:
    return [(row.issuer, row.aki) for row in records(found[["issuer", "aki"]].drop_duplicates())]


def _first_to_end(members: tuple[Authority, ...], end: int) -> str:
    return next(item.subject for item in members if item.not_after == end)


def ca_impact(table: pd.DataFrame, ca: str) -> pd.DataFrame:
    """Return what hangs below a CA, and what becomes of it if that CA expires or is distrusted: one row a place.

    Parameters
    ----------
    table : pandas.DataFrame
        From `scan_inventory`. Every root in it counts as trusted.
    ca : str
        The ``sha256`` of one CA certificate, so that its cross-signed sisters stay; or a subject, e.g.
        ``"CN=Acme Root CA,O=Acme"``, or a part of one, for every certificate of that name.

    Returns
    -------
    pandas.DataFrame
        Columns ``outcome`` (``loses its last path`` or ``keeps another path``), ``subject``, ``path``, ``alias``,
        ``format``, ``not_after``, ``sha256``.

    Raises
    ------
    ArgumentError
        If no CA certificate of the inventory is meant by it.
    """
    gone = _meant(table, ca)
    found = leaves(table)
    before = Forest.of(table)
    after = before.without(gone)
    outcome: dict[tuple[str, str], str] = {}
    for pair in _pairs(found):
        if not before.best_path(*pair)[1]:
            continue
        if not after.best_path(*pair)[1]:
            outcome[pair] = "loses its last path"
        elif _passes(before, pair, gone):
            outcome[pair] = "keeps another path"
    words: Any = [outcome.get(pair) for pair in zip(found["issuer"], found["aki"], strict=True)]
    below = chosen(found.assign(outcome=words), (word is not None for word in words))
    columns = ["outcome", "subject", "path", "alias", "format", "not_after", "sha256"]
    return below.sort_values(["outcome", "subject", "path"], ascending=[False, True, True], kind="stable")[
        columns
    ].reset_index(drop=True)


def _meant(table: pd.DataFrame, ca: str) -> set[str]:
    cas = certificates_of(table)
    cas = cas[cas["role"].isin(CA_ROLES)].drop_duplicates("sha256")
    for hits in (cas["sha256"] == ca, cas["subject"] == ca, cas["subject"].str.contains(ca, regex=False)):
        if ca and hits.any():
            return set(cas[hits]["sha256"])
    raise ArgumentError(
        "no CA certificate in this inventory is called that",
        on=repr(ca[:80]),
        hint="ck.impact_by_ca(table) lists them",
    )


def _passes(forest: Forest, pair: tuple[str, str], gone: set[str]) -> bool:
    """Return whether any way up from here passes one of these certificates."""
    waiting, seen = forest.issuers(*pair), set()
    while waiting:
        item = waiting.pop()
        if item.sha256 in gone:
            return True
        if item.sha256 not in seen and not item.root:
            seen.add(item.sha256)
            waiting += forest.issuers(item.issuer, item.aki)
    return False


def impact_by_ca(table: pd.DataFrame) -> pd.DataFrame:
    """Return every CA certificate with what would fall if it alone went: the one that hurts most first.

    An expired root with nothing below it is noise; this list puts it at the end.

    Parameters
    ----------
    table : pandas.DataFrame
        From `scan_inventory`.

    Returns
    -------
    pandas.DataFrame
        Columns ``subject``, ``role``, ``days_left``, ``leaves`` and ``places`` (that lose their last path), ``below``
        (leaves with any path over it), ``not_after``, ``sha256``.
    """
    found = leaves(table)
    groups = found.groupby(["issuer", "aki"]).agg(leaves=("sha256", "nunique"), places=("sha256", "size"))
    sizes: dict[Any, tuple[int, int]] = {
        pair: (int(row.leaves), int(row.places))
        for pair, row in zip(groups.index, records(groups), strict=True)
    }
    whole = Forest.of(table)
    rooted = [pair for pair in sizes if whole.best_path(*pair)[1]]
    at = clock_of(table)
    rows = []
    cas = certificates_of(table)
    for ca in records(cas[cas["role"].isin(CA_ROLES)].drop_duplicates("sha256")):
        below = [pair for pair in rooted if _passes(whole, pair, {ca.sha256})]
        after = whole.without({ca.sha256})
        lost = [pair for pair in below if not after.best_path(*pair)[1]]
        rows.append(
            (
                ca.subject, ca.role, (ca.not_after.to_pydatetime() - at).days, sum(sizes[pair][0] for pair in lost),
                sum(sizes[pair][1] for pair in lost), sum(sizes[pair][0] for pair in below), ca.not_after, ca.sha256,
            )
        )  # fmt: skip
    import pandas as pd  # noqa: PLC0415 - slow to load

    columns = ["subject", "role", "days_left", "leaves", "places", "below", "not_after", "sha256"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.sort_values(
        ["leaves", "below", "days_left"], ascending=[False, False, True], kind="stable"
    ).reset_index(drop=True)
