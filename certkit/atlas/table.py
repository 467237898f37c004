"""`Atlas`: the rows, as a table, as a heat map, and where stacks disagree."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from certkit._files import Source, read_source, write_file
from certkit._html import Html, badge, tag
from certkit._html import table as html_table
from certkit._share import share
from certkit._text import count, visible
from certkit.errors import ArgumentError, FormatError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COLUMNS", "Atlas", "AtlasRow", "load_atlas"]

OUTCOMES = {
    "accepted": ("good", "accepted"),
    "refused": ("bad", "refused"),
    "timed-out": ("warning", "no answer in time"),
    "overflowed": ("warning", "too much output"),
    "not-applicable": ("neutral", "cannot be asked"),
    "not-installed": ("neutral", "not installed"),
    "unknown": ("neutral", "unknown"),
}
"""What ``outcome`` says, and how it is shown: status and words."""
_LUCK = {"abrupt-close"}
_SPOKEN = {"accepted", "refused", "timed-out"}


@dataclass(frozen=True)
class AtlasRow:
    """What one stack made of one fault.

    Attributes
    ----------
    fault, cause : str
        The fault and its cause id; ``"none"`` for the good scenario.
    stack, version, api : str
        The stack, its version as it was measured, and how it was called.
    tls_version : str
        The TLS version that the server insisted on.
    outcome : str
        One of `OUTCOMES`.
    client_message : str
        The client's own words; empty if it accepted. Ports, folders, times and ids are replaced by words.
    code : str
        Its exit code, error code or verify code.
    server_message : str
        What the server said about the same connection; empty if it was content or never reached.
    alert, alert_from : str
        The alert that crossed and who sent it; empty if none did.
    duration : float
        How long the client took, in seconds.
    date : str
        When it was measured, UTC.
    """

    fault: str
    cause: str
    stack: str
    version: str
    api: str
    tls_version: str
    outcome: str
    client_message: str = ""
    code: str = ""
    server_message: str = ""
    alert: str = ""
    alert_from: str = ""
    duration: float = 0.0
    date: str = ""

    def to_dict(self) -> dict[str, object]:
        """Return the facts as JSON values."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @property
    def outcome_words(self) -> str:
        """The outcome in words; a word of a later certkit is shown as it is."""
        return OUTCOMES.get(self.outcome, ("neutral", self.outcome))[1]

    def badge(self) -> Html:
        """Return the outcome as icon, words and colour."""
        return badge(OUTCOMES.get(self.outcome, ("neutral", ""))[0], self.outcome_words)

    @property
    def lasting(self) -> tuple[object, ...]:
        """Everything but duration and date: what another run must give again.

        After an abrupt close it is luck whether a client notices while it writes or while it reads, so there
        its words do not last, only the outcome.
        """
        if self.fault in _LUCK:
            return self.fault, self.stack, self.version, self.tls_version, self.outcome, self.server_message
        return astuple(self)[:-2]


COLUMNS = tuple(item.name for item in fields(AtlasRow))
"""The columns of the file."""


@dataclass(frozen=True)
class Atlas:
    """Rows of measurements.

    Attributes
    ----------
    rows : tuple of AtlasRow
        By fault, TLS version and stack.

    Examples
    --------
    >>> atlas = load_atlas()
    >>> atlas.show(fault="expired-root", stack="java-https").rows[0].outcome
    'accepted'
    """

    rows: tuple[AtlasRow, ...]

    @property
    def stacks(self) -> tuple[str, ...]:
        """The stacks, in their order."""
        return tuple(dict.fromkeys(row.stack for row in self.rows))

    @property
    def faults(self) -> tuple[str, ...]:
        """The faults, in their order."""
        return tuple(dict.fromkeys(row.fault for row in self.rows))

    def show(self, *, fault: str | None = None, stack: str | None = None, tls: str | None = None) -> Atlas:
        """Return only the rows of a fault (or of every fault with that cause), a stack, a TLS version.

        Raises
        ------
        ArgumentError
            If nothing here is called so.
        """
        rows = [row for row in self.rows if fault is None or fault in {row.fault, row.cause}]
        rows = [row for row in rows if stack in {None, row.stack} and tls in {None, row.tls_version}]
        if not rows:
            asked = ", ".join(str(item) for item in (fault, stack, tls) if item is not None)
            raise ArgumentError("the atlas has no such row", on=asked, hint="certkit atlas show")
        return Atlas(tuple(rows))

    def disagreements(self) -> Atlas:
        """Return the rows of those faults that some stacks accept and others refuse, in one TLS version.

        ``openssl`` as people type it is left out of the comparison: it accepts nearly everything.
        """
        said: dict[tuple[str, str], set[bool]] = {}
        for row in self.rows:
            if row.outcome in _SPOKEN and row.stack != "openssl":
                said.setdefault((row.fault, row.tls_version), set()).add(row.outcome == "accepted")
        divided = {key for key, verdicts in said.items() if len(verdicts) == 2}
        return Atlas(tuple(row for row in self.rows if (row.fault, row.tls_version) in divided))

    def same_as(self, other: Atlas) -> tuple[tuple[AtlasRow | None, AtlasRow | None], ...]:
        """Return the pairs of rows that differ in more than duration and date; None where one side has no row."""
        ours, theirs = (
            {(row.fault, row.tls_version, row.stack): row for row in item.rows} for item in (self, other)
        )
        pairs = ((ours.get(key), theirs.get(key)) for key in {**ours, **theirs})
        return tuple((a, b) for a, b in pairs if a is None or b is None or a.lasting != b.lasting)

    @cached_property
    def _cells(self) -> dict[tuple[str, str], list[AtlasRow]]:
        cells: dict[tuple[str, str], list[AtlasRow]] = {}
        for row in self.rows:
            cells.setdefault((row.fault, row.stack), []).append(row)
        return cells

    def verdict(self, fault: str, stack: str) -> str:
        """Return the outcome of a fault with a stack; ``"differs"`` where it depends on the TLS version."""
        found = {row.outcome for row in self._cells.get((fault, stack), ())}
        return found.pop() if len(found) == 1 else "differs" if found else "unknown"

    def frame(self) -> pd.DataFrame:
        """Return the rows as a pandas DataFrame."""
        import pandas as pd  # noqa: PLC0415 - it takes longer to load than the whole of certkit

        return pd.DataFrame([astuple(row) for row in self.rows], columns=pd.Index(COLUMNS))

    def heat_map(self) -> Html:
        """Return the faults by the stacks as a picture; the table below it has the same facts."""
        from certkit.atlas.picture import heat_map  # noqa: PLC0415 - the picture imports this module

        return heat_map(self)

    def matrix(self) -> Html:
        """Return who accepts and who refuses each fault, as a table of words."""
        rows = []
        for fault in self.faults:
            names: dict[str, list[str]] = {}
            for stack in self.stacks:
                names.setdefault(self.verdict(fault, stack), []).append(stack)
            depends = ", ".join(names.get("differs", []))
            rows.append(
                (
                    fault,
                    ", ".join(names.get("accepted", [])) or "nobody",
                    ", ".join(names.get("refused", []) + names.get("timed-out", [])) or "nobody",
                    depends or "nobody",
                )
            )
        heads = ("fault", "accepted by", "refused by", "depends on the TLS version")
        return html_table(heads, rows, caption="Who accepts what", limit=40)

    def text(self) -> str:
        """Return the rows as text, a line each."""
        lines = []
        for row in self.rows:
            said = row.client_message or row.outcome_words
            lines.append(
                f"{row.fault:<28} {row.tls_version:<4} {row.stack:<15} {row.outcome:<15} {said[:160]}"
            )
        return "\n".join(lines)

    def csv(self) -> str:
        """Return the rows as CSV text."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(astuple(row) for row in self.rows)
        return stream.getvalue()

    def save(self, path: str | Path) -> Path:
        """Write the rows as CSV."""
        return write_file(Path(path), self.csv().encode())

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[AtlasRow]:
        return iter(self.rows)

    def __repr__(self) -> str:
        return f"<Atlas {count(len(self), 'row')}: {len(self.faults)} faults, {len(self.stacks)} stacks>"

    def _repr_html_(self) -> Html:
        shown = [
            (
                row.fault,
                row.stack,
                row.tls_version,
                row.badge(),
                row.client_message[:160],
                f"{row.alert} (from the {row.alert_from})" if row.alert else "",
            )
            for row in self.rows[:20]
        ]
        more = f" The first 20 of {len(self)} rows." if len(self) > 20 else ""
        heads = ("fault", "stack", "TLS", "outcome", "the client's own words", "alert")
        return tag("div", html_table(heads, shown, caption=f"The atlas, measured.{more}", limit=20))


def load_atlas(source: Source | None = None) -> Atlas:
    """Return a measured atlas: the one that comes with certkit, or a file of yours.

    Raises
    ------
    FormatError
        If a file has other columns.

    Examples
    --------
    >>> load_atlas().show(fault="missing-intermediate", stack="curl").rows[0].outcome
    'refused'
    """
    data, name = read_source(share("data") / "atlas.csv" if source is None else source)
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8")))
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise FormatError("this is no atlas", on=name, hint="its columns: " + ", ".join(COLUMNS))
        return Atlas(tuple(_row(item) for item in reader))
    except (ValueError, TypeError, csv.Error) as error:
        # No UTF-8, a duration that is no number, a row longer than the header.
        raise FormatError(
            f"this atlas cannot be read ({visible(str(error), 120)})",
            on=name,
            hint="a file made by certkit atlas measure --output",
        ) from None


def _row(item: dict[str, str]) -> AtlasRow:
    if None in item.values():
        raise ValueError("a row is shorter than the header")
    return AtlasRow(**{**item, "duration": float(item["duration"] or 0)})  # type: ignore[arg-type]


def sorted_rows(rows: Iterable[AtlasRow], faults: list[str], stacks: list[str]) -> tuple[AtlasRow, ...]:
    """Return rows by fault, TLS version and stack, in the order of the lists."""
    place = {name: number for names in (faults, stacks) for number, name in enumerate(names)}
    return tuple(sorted(rows, key=lambda row: (place[row.fault], row.tls_version, place[row.stack])))
