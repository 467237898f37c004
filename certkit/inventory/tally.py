"""The headline of a scan, counted on the way: eight bytes a row, however large the table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from certkit._html import Html
from certkit.inventory.analysis.overview import CA_ROLES, InventorySummary
from certkit.inventory.judging import STATUSES
from certkit.inventory.table import batches_from
from certkit.inventory.work import Done, batches_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["Soonest", "Tally"]

_SHOWN = 20


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
        self._last_store: str | None = None
        self._about = dict.fromkeys(("unreadable", "empty"), 0)
        self._seen: list[np.ndarray[Any, Any]] = []
        self._first: dict[str, Soonest] = {}

    @classmethod
    def of(cls, table: pd.DataFrame) -> Tally:
        """Return the tally of a table in memory."""
        tally = cls()
        tally.other_files = int(table.attrs.get("other_files", 0))
        for batch in batches_from(table):
            tally._count(batch)
        return tally

    def counted(self, results: Iterable[Done]) -> Iterator[Any]:
        """Yield the record batches of results, and count what goes by."""
        for done in results:
            self.other_files += done.others
            for batch in batches_of(done.data):
                self._count(batch)
                yield batch

    @property
    def soonest(self) -> list[Soonest]:
        """The leaves that end first, each once."""
        return sorted(self._first.values())[:_SHOWN]

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

        self._rows += batch.num_rows
        columns = ("path", "sha256", "status", "role", "not_after", "days_left", "subject", "error")
        values = [batch.column(name).to_pylist() for name in columns]
        marks = []
        for path, sha256, status, role, not_after, days, subject, error in zip(*values, strict=True):
            store = path.partition("!/")[0]
            if store != self._last_store:
                self._stores, self._last_store = self._stores + 1, store
            if sha256 is None:
                self._about[status] += 1
                if status == "unreadable" and len(self.unreadable) < _SHOWN:
                    self.unreadable.append((path, error))
                continue
            # 61 bits of the fingerprint tell a billion certificates apart; the other three hold the status.
            marks.append(int(sha256[:16], 16) >> 3 << 3 | STATUSES.index(status))
            if role not in CA_ROLES and sha256 not in self._first:
                self._first[sha256] = Soonest(not_after, days, status, subject, path)
        self._seen.append(np.array(marks, np.uint64))
        if len(self._first) > 2000:
            kept = sorted(self._first.items(), key=lambda item: item[1])[:_SHOWN]
            self._first = dict(kept)

    def __repr__(self) -> str:
        return repr(self.summary)

    def _repr_html_(self) -> Html:
        return self.summary._repr_html_()
