"""The headline of a scan, counted on the way: eight bytes a row, however large the table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from certkit._html import Html
from certkit.inventory.analysis.overview import CA_ROLES, InventorySummary
from certkit.inventory.judging import STATUSES
from certkit.inventory.storage import batches_in
from certkit.inventory.table import batches_from
from certkit.inventory.work import Done, batches_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["Soonest", "Tally"]

_SHOWN = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STATUS_NUMBER = {word: number for number, word in enumerate(STATUSES)}


class Soonest(NamedTuple):
    """A certificate that ends early, with the first place where it was found."""

    not_after: Any
    days_left: int
    status: str
    subject: str
    path: str


class Tally:
    """What a scan found, without the table.

    Attributes
    ----------
    other_files : int
        Files that were no keystore.
    soonest : list of Soonest
        The leaves that end first.
    unreadable : list of (str, str)
        The first places that could not be read, with the reason.
    """

    def __init__(self) -> None:
        self.other_files = 0
        self.unreadable: list[tuple[str, str]] = []
        self._rows = self._stores = 0
        self._first_store: str | None = None
        self._last_store: str | None = None
        self._about = dict.fromkeys(("unreadable", "empty"), 0)
        self._seen: list[np.ndarray[Any, Any]] = []
        self._first: dict[str, Soonest] = {}
        self._latest: tuple[int, str] | None = None

    @classmethod
    def of(cls, table: pd.DataFrame) -> Tally:
        """Return the tally of a table in memory."""
        tally = cls()
        tally.other_files = int(table.attrs.get("other_files", 0))
        for batch in batches_from(table):
            tally._count(batch)
        return tally

    @classmethod
    def of_file(cls, path: Path) -> Tally:
        """Return the tally of a Parquet file, in memory that does not grow with it."""
        tally = cls()
        for batch in batches_in(path):
            tally._count(batch)
        return tally

    def counted(self, results: Iterable[Done]) -> Iterator[Any]:
        """Yield the record batches of results, and count what goes by."""
        for done in results:
            self.other_files += done.others
            for batch in batches_of(done.data):
                self._count(batch)
                yield batch

    def add(self, other: Tally) -> None:
        """Count what another one counted, of the rows that follow."""
        self.other_files += other.other_files
        self.unreadable = (self.unreadable + other.unreadable)[:_SHOWN]
        self._rows += other._rows
        # A bundle that was read in spans is one store, though its rows are in two tallies.
        went_on = self._last_store is not None and self._last_store == other._first_store
        self._stores += other._stores - went_on
        if other._last_store is not None:
            self._first_store = self._first_store or other._first_store
            self._last_store = other._last_store
        for status, number in other._about.items():
            self._about[status] += number
        self._seen += other._seen
        self._first = {**other._first, **self._first}
        self._drop_late_ones()

    @property
    def soonest(self) -> list[Soonest]:
        """The leaves that end first, each once."""
        return list(self._first.values())

    @property
    def summary(self) -> InventorySummary:
        """The headline."""
        import numpy as np  # noqa: PLC0415 - slow to load

        kinds = [STATUSES.index(word) for word in ("expired", "expiring", "weak")]
        found = np.concatenate(self._seen) if self._seen else np.empty(0, np.uint64)
        distinct, first = np.unique(found >> np.uint64(3), return_index=True)
        status = found[first] & np.uint64(7)
        expired, expiring, weak = (int((status == kind).sum()) for kind in kinds)
        return InventorySummary(
            self._rows,
            len(distinct),
            self._stores,
            self._about["unreadable"],
            expired,
            expiring,
            weak,
            self._about["empty"],
        )

    def _count(self, batch: Any) -> None:
        import numpy as np  # noqa: PLC0415 - slow to load

        from certkit.inventory._arrays import bytes_of, first_bits  # noqa: PLC0415 - needs pyarrow

        self._rows += batch.num_rows
        for path, _ in groupby(batch.column("path").to_pylist()):
            store = path.partition("!/")[0]
            if store != self._last_store:
                self._stores, self._last_store = self._stores + 1, store
                self._first_store = self._first_store or store
        digits, lengths = bytes_of(batch.column("sha256"))
        there = lengths > 0
        for at in np.flatnonzero(~there).tolist():
            status, path, error = (batch.column(name)[at].as_py() for name in ("status", "path", "error"))
            self._about[status] += 1
            if status == "unreadable" and len(self.unreadable) < _SHOWN:
                self.unreadable.append((path, error))
        if there.any():
            # 61 bits of the fingerprint tell a billion certificates apart; the other three hold the status.
            first = first_bits(digits)
            words = batch.column("status").to_pylist()
            status = np.fromiter(map(_STATUS_NUMBER.__getitem__, words), np.uint64, len(words))
            self._seen.append(first >> np.uint64(3) << np.uint64(3) | status[there])
            self._keep_soonest(batch, there)

    def _keep_soonest(self, batch: Any, there: Any) -> None:
        """Note the leaves of a batch that may be among those that end first, each with its first place."""
        import numpy as np  # noqa: PLC0415 - slow to load

        from certkit.inventory._arrays import numbers  # noqa: PLC0415 - needs pyarrow

        ends = numbers(batch.column("not_after"))
        roles = batch.column("role").to_pylist()
        maybe = np.fromiter((role not in CA_ROLES for role in roles), bool, len(roles)) & there
        if self._latest is not None:
            maybe &= ends <= self._latest[0]
        rows = np.flatnonzero(maybe)
        for at in rows[np.argsort(ends[rows], kind="stable")].tolist():
            order = int(ends[at]), batch.column("subject")[at].as_py()
            if self._latest is not None and order > self._latest:
                continue
            sha256 = batch.column("sha256")[at].as_py()
            if sha256 not in self._first:
                days, status, path = (
                    batch.column(name)[at].as_py() for name in ("days_left", "status", "path")
                )
                moment = _EPOCH + timedelta(seconds=order[0])
                self._first[sha256] = Soonest(moment, days, status, order[1], path)
                if len(self._first) >= 2 * _SHOWN:
                    self._drop_late_ones()
        self._drop_late_ones()

    def _drop_late_ones(self) -> None:
        """Keep no more than are shown; the order does not ask for places, so that none comes back with another."""
        order = sorted(self._first.items(), key=lambda item: (item[1].not_after, item[1].subject, item[0]))
        self._first = dict(order[:_SHOWN])
        if len(order) >= _SHOWN:
            last = order[_SHOWN - 1][1]
            self._latest = int((last.not_after - _EPOCH).total_seconds()), last.subject

    def __repr__(self) -> str:
        return repr(self.summary)

    def _repr_html_(self) -> Html:
        return self.summary._repr_html_()
