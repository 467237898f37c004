"""matplotlib figures, each with a sentence that says what is seen and a table with the same facts."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

from certkit._html import Html, details, table, tag
from certkit._text import count, visible
from certkit.inventory.analysis.overview import records, soonest_first
from certkit.inventory.judging import EXPIRING_DAYS
from certkit.inventory.table import clock_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["Plot", "expiry_timeline"]

# Each colour keeps 3:1 on white and on JupyterLab's dark background; the word stands beside it.
_COLOURS = {
    "expired": "#c2293a", "not-yet-valid": "#7a5bd0", "expiring": "#b87900", "weak": "#b87900", "valid": "#2b8a57",
}  # fmt: skip
_INK = "#6b7789"


@dataclass(frozen=True)
class Plot:
    """A figure that can be read in three ways.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
        The picture; ``.figure.savefig(path)`` keeps it.
    sentence : str
        What is to be seen.
    headers, rows : tuple
        The same facts as a table.
    """

    figure: Figure = field(repr=False)
    sentence: str
    headers: tuple[str, ...] = field(repr=False)
    rows: tuple[tuple[Any, ...], ...] = field(repr=False)

    @property
    def svg(self) -> Html:
        """The picture as SVG, named by its sentence."""
        import matplotlib as mpl  # noqa: PLC0415 - slow to load

        stream = io.StringIO()
        with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "certkit"}):
            self.figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
        text = stream.getvalue()
        start = text.index("<svg") + len("<svg")
        return Html(
            f'<svg role="img" aria-label="{tag("i", self.sentence)[3:-4]}" style="max-width:100%;height:auto"{text[start:]}'
        )

    def _repr_html_(self) -> Html:
        words = tag("figcaption", self.sentence)
        facts = details("The same as a table", table(self.headers, self.rows))
        return tag("figure", self.svg, words, facts, style="margin:0")


def _new_figure(width: float, height: float) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to load

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(_INK)
    axes.tick_params(colors=_INK, length=0)
    return figure, axes


def expiry_timeline(
    table: pd.DataFrame, *, limit: int = 25, cas: bool = False, at: datetime | None = None
) -> Plot:
    """Return a timeline: a bar per certificate from its first to its last day, soonest end at the top, and today.

    Parameters
    ----------
    table : pandas.DataFrame
        From `scan_inventory`.
    limit : int
        How many bars; those that end first.
    cas : bool
        Whether roots and intermediates are shown too.
    at : datetime, optional
        Where the line of today stands; the clock of the scan by default.
    """
    found = soonest_first(table, cas=cas)
    shown = found.head(limit)
    starts: Any = table.drop_duplicates("sha256").set_index("sha256")["not_before"]
    now = clock_of(table, at)
    bars = [
        (
            _short(row.subject),
            starts[row.sha256].to_pydatetime(),
            row.not_after.to_pydatetime(),
            row.status,
            row.days_left,
        )
        for row in records(shown)
    ]
    figure, axes = _new_figure(9, 1.1 + 0.27 * max(len(bars), 1))
    _draw_bars(axes, bars, now)
    return Plot(
        figure,
        _timeline_sentence(found, len(bars)),
        ("certificate", "from", "until", "status", "days left"),
        tuple(
            (name, f"{start:%Y-%m-%d}", f"{end:%Y-%m-%d}", status, left)
            for name, start, end, status, left in bars
        ),
    )


def _short(subject: str) -> str:
    for part in subject.split(","):
        if part.startswith("CN="):
            return visible(part[3:], 38)
    return visible(subject or "(no subject)", 38)


def _draw_bars(axes: Any, bars: Sequence[tuple[str, datetime, datetime, str, int]], now: datetime) -> None:
    dates: Any = import_module("matplotlib.dates")
    date2num = dates.date2num
    # What lies years away would press everything near into a few pixels.
    first = max(min((bar[1] for bar in bars), default=now), now - timedelta(days=400))
    last = min(max((bar[2] for bar in bars), default=now), now + timedelta(days=800))
    left, right = (
        date2num(min(first, now - timedelta(days=30))),
        date2num(max(last, now + timedelta(days=60))),
    )
    for line, (_, start, end, status, days) in enumerate(bars):
        begin, stop = (min(max(float(date2num(day)), left), right) for day in (start, end))
        axes.barh(line, max(stop - begin, 0.5), left=begin, height=0.62, color=_COLOURS.get(status, _INK))
        words = f"expired {-days:,} days ago" if days < 0 else f"{days:,} days"
        if status not in {"valid", "expired", "expiring"}:
            words += f", {status}"
        gap = (right - left) * 0.006
        if (
            days < 0 and stop - begin > (right - left) * 0.2
        ):  # beside it, the line of today would cross the words
            axes.text(stop - gap, line, words, va="center", ha="right", fontsize=8, color="white")
        else:
            axes.text(stop + gap, line, words, va="center", fontsize=8, color=_INK)
    axes.axvline(date2num(now), color=_INK, linewidth=1.2, linestyle="--")
    axes.text(date2num(now), -0.9, "today", ha="center", va="bottom", fontsize=8, color=_INK)
    axes.set_yticks(range(len(bars)), [bar[0] for bar in bars], fontsize=8)
    axes.set_ylim(max(len(bars), 1) - 0.4, -1.0)
    axes.set_xlim(left, right + (right - left) * 0.16)
    locator = dates.AutoDateLocator()
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))


def _timeline_sentence(found: pd.DataFrame, shown: int) -> str:
    total = len(found)
    expired = int((found["days_left"] < 0).sum())
    soon = int(((found["days_left"] >= 0) & (found["days_left"] < EXPIRING_DAYS)).sum())
    which = f"The {shown} that end first of {total:,}" if shown < total else f"All {total:,}"
    ending = "has expired" if expired == 1 else "have expired"
    return (
        f"{which} certificates, soonest end at the top: {expired:,} {ending}, "
        f"{count(soon, 'more ends', 'more end')} within {EXPIRING_DAYS} days."
    )
