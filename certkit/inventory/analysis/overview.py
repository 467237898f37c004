"""At one glance: the headline, soonest first, and how many fall due when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from certkit._html import Html, badge, join, tag
from certkit._text import count
from certkit.errors import ArgumentError

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "InventorySummary",
    "chosen",
    "expiry_buckets",
    "leaves",
    "records",
    "soonest_first",
    "summarize_inventory",
]

CA_ROLES = ("root", "intermediate")
LEAF_DAYS = (7, 14, 30, 60, 90)
CA_DAYS = (183, 365, 730)


def certificates_of(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that are certificates, without those about files.

    Raises
    ------
    ArgumentError
        If this is no inventory.
    """
    missing = {"sha256", "status", "days_left", "role", "path"} - set(getattr(table, "columns", ()))
    if missing:
        raise ArgumentError(
            "this is no inventory: columns are missing",
            on=", ".join(sorted(missing)),
            hint="ck.scan_inventory(folder)",
        )
    return table[table["sha256"].notna()]


def records(table: pd.DataFrame) -> list[Any]:
    """Return the rows, each with its columns as attributes; values are Python's own."""
    return list(table.itertuples(index=False))


def chosen(frame: pd.DataFrame, which: Iterable[bool]) -> pd.DataFrame:
    """Return the rows for which `which` is true; also of an empty frame, where a list would mean columns."""
    import numpy as np  # noqa: PLC0415 - slow to load

    return frame[np.fromiter(which, dtype=bool, count=len(frame))]


def leaves(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of certificates that are not a CA's: what somebody has to renew.

    Roots and intermediates flood a list of what expires; `expiry_buckets` has them on a scale of their own.
    """
    found = certificates_of(table)
    return found[~found["role"].isin(CA_ROLES)]


@dataclass(frozen=True)
class InventorySummary:
    """The headline of an inventory: what was found, and what could not be read.

    Attributes
    ----------
    rows, certificates, stores : int
        Rows; different certificates; files with at least one row.
    unreadable : int
        Files, or entries of files, that could not be read: nobody knows what is in them.
    expired, expiring, weak : int
        Different certificates with this status.
    empty : int
        Keystores with no certificate in them.
    """

    rows: int
    certificates: int
    stores: int
    unreadable: int
    expired: int
    expiring: int
    weak: int
    empty: int

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """Status and words, the most pressing first; what is zero is left out, except for unreadable."""
        found = [
            ("bad" if self.unreadable else "good", f"{self.unreadable:,} could not be read"),
            ("bad", f"{self.expired:,} expired"),
            ("warning", f"{self.expiring:,} expiring soon"),
            ("warning", f"{self.weak:,} weak"),
            ("warning", f"{count(self.empty, 'store')} without a certificate"),
        ]
        return tuple(pair for pair in found if pair[0] == "good" or not pair[1].startswith("0 "))

    def to_dict(self) -> dict[str, int]:
        """Return the counts by name."""
        return asdict(self)

    @property
    def text(self) -> str:
        """The headline as one line."""
        return f"{self._what}: " + ", ".join(words for _, words in self.parts)

    @property
    def _what(self) -> str:
        places = count(self.rows - self.unreadable - self.empty, "place")
        return f"{count(self.certificates, 'certificate')} in {places}, {count(self.stores, 'store')}"

    def __repr__(self) -> str:
        return f"<Inventory {self.text}>"

    def _repr_html_(self) -> Html:
        labels = join((badge(status, words) for status, words in self.parts), " ")
        return tag("p", tag("b", self._what), " ", labels)


def summarize_inventory(table: pd.DataFrame) -> InventorySummary:
    """Return the headline of an inventory; a certificate in several places counts once.

    Parameters
    ----------
    table : pandas.DataFrame
        From `scan_inventory`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from certkit.inventory.scan import scan_inventory
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "old.jks").write_bytes(b"no keystore at all")
    ...     summarize_inventory(scan_inventory(folder))
    <Inventory 0 certificates in 0 places, 1 store: 1 could not be read>
    """
    found = certificates_of(table).drop_duplicates("sha256")["status"].value_counts()
    about = table["status"].value_counts()
    stores = table["path"].str.replace(r"!/.*", "", regex=True)
    return InventorySummary(
        rows=len(table),
        certificates=int(found.sum()),
        stores=int(stores.nunique()),
        unreadable=int(about.get("unreadable", 0)),
        expired=int(found.get("expired", 0)),
        expiring=int(found.get("expiring", 0)),
        weak=int(found.get("weak", 0)),
        empty=int(about.get("empty", 0)),
    )


def soonest_first(table: pd.DataFrame, *, cas: bool = False) -> pd.DataFrame:
    """Return what ends first, at the top: one row per certificate, with the number of its places.

    Parameters
    ----------
    table : pandas.DataFrame
        From `scan_inventory`.
    cas : bool
        Whether roots and intermediates are in the list too; without them it shows what somebody has to renew.

    Returns
    -------
    pandas.DataFrame
        Columns ``subject``, ``days_left``, ``not_after``, ``status``, ``role``, ``places``, ``path`` (the first
        place) and ``sha256``.
    """
    found = certificates_of(table) if cas else leaves(table)
    first = found.drop_duplicates("sha256")
    first = first.assign(
        places=found.groupby("sha256")["path"].transform("size")[first.index].astype("int64")
    )
    columns = ["subject", "days_left", "not_after", "status", "role", "places", "path", "sha256"]
    return first.sort_values(["not_after", "sha256"])[columns].reset_index(drop=True)


def expiry_buckets(
    table: pd.DataFrame, *, days: Sequence[int] = LEAF_DAYS, ca_days: Sequence[int] = CA_DAYS
) -> pd.DataFrame:
    """Return how many certificates fall due when: leaves in weeks, CAs on a longer scale of their own.

    Parameters
    ----------
    table : pandas.DataFrame
        From `scan_inventory`.
    days, ca_days : sequence of int
        The thresholds in days, rising. A certificate with exactly 7 days left is not under 7.

    Returns
    -------
    pandas.DataFrame
        One row per kind and bucket: ``kind`` (leaf or CA), ``bucket``, ``certificates`` (different ones) and ``places``.

    Raises
    ------
    ArgumentError
        If thresholds are not rising.
    """
    import pandas as pd  # noqa: PLC0415 - slow to load

    found = certificates_of(table)
    is_ca = found["role"].isin(CA_ROLES)
    parts = []
    for kind, rows, edges in (("leaf", found[~is_ca], days), ("CA", found[is_ca], ca_days)):
        labels = _labels(edges)
        bins = [-(10**9), 0, *edges, 10**9]
        due = pd.cut(rows["days_left"].astype("int64"), bins, right=False, labels=labels)
        counted = rows.groupby(due, observed=False)["sha256"].agg(["nunique", "size"])
        counted.columns = ["certificates", "places"]
        parts.append(counted.rename_axis("bucket").reset_index().assign(kind=kind))
    return pd.concat(parts, ignore_index=True)[["kind", "bucket", "certificates", "places"]].astype(
        {"bucket": str}
    )


def _labels(edges: Sequence[int]) -> list[str]:
    if not edges or list(edges) != sorted(set(edges)) or edges[0] <= 0:
        raise ArgumentError("thresholds are whole days, rising", on=list(edges), hint="(7, 14, 30)")
    steps = zip((0, *edges), edges, strict=False)
    return [
        "expired",
        *(f"{low} to {high} days" if low else f"under {high} days" for low, high in steps),
        f"{edges[-1]} days and more",
    ]
