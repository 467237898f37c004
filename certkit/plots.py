"""matplotlib figures, each with a sentence that says what is seen and a table with the same facts."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

from certkit._html import Html, details, table, tag
from certkit._text import count, visible
from certkit.inventory.analysis.forecast import forecast_renewals
from certkit.inventory.analysis.overview import records, soonest_first
from certkit.inventory.judging import EXPIRING_DAYS
from certkit.inventory.table import clock_of
from certkit.verification._graph_layout import Box, Layout, lay_out
from certkit.verification.graph import ChainGraph, GraphEdge

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["Plot", "chain_figure", "expiry_calendar", "expiry_timeline", "renewal_forecast_plot"]

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
    axes.tick_params(colors=_INK, length=0, labelsize=8)
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


_STATUS_COLOURS = {"good": "#2b8a57", "warning": "#b87900", "bad": "#c2293a", "neutral": "#6b7789"}
_EDGE_STYLES = {
    "signed": (_INK, "-"), "cross": ("#7a5bd0", "--"), "missing": ("#c2293a", ":"), "wrong-key": ("#c2293a", ":"),
    "cycle": ("#c2293a", "-."),
}  # fmt: skip


def chain_figure(graph: ChainGraph, *, limit: int = 40) -> Plot:
    """Return a chain graph as a matplotlib figure, for a report or a slide: the same layout as its SVG.

    Parameters
    ----------
    graph : ChainGraph
        From `chain_graph`.
    limit : int
        From how many nodes on healthy siblings are folded.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> from certkit.verification import chain_graph
    >>> server = CertificateAuthority("Lab Root").issue("shop.example.test", usage="server")
    >>> chain_figure(chain_graph(server)).sentence
    'Chain of shop.example.test: 1 certificate, 0 anchors, 1 missing issuer.'
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to load

    layout = lay_out(graph, limit)
    figure = Figure(figsize=(layout.width / 90, layout.height / 90 + 0.1))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, layout.width)
    axes.set_ylim(layout.height, 0)
    for edge in graph.edges:
        _draw_edge(axes, edge, layout)
    for box in (*layout.boxes.values(), *layout.folds):
        _draw_box(axes, box)
    headers = ("certificate", "what it is", "state", "dates", "issued by", "notes")
    return Plot(figure, graph.sentence, headers, tuple(graph.rows()))


def _draw_edge(axes: Any, edge: GraphEdge, layout: Layout) -> None:
    issuer, subject = layout.boxes.get(edge.issuer), layout.boxes.get(edge.subject)
    if issuer is None or subject is None:
        return
    colour, style = _EDGE_STYLES[edge.kind]
    arrow = {
        "arrowstyle": "-|>",
        "color": _STATUS_COLOURS["good"] if edge.verified else colour,
        "linestyle": style,
        "linewidth": 2.2 if edge.verified else 1.0,
        "connectionstyle": "arc3,rad=0.35" if edge.kind == "cycle" else "arc3",
    }
    start, end = (issuer.x + issuer.width, issuer.middle), (subject.x, subject.middle)
    if edge.kind == "cycle":
        start, end = (issuer.x + issuer.width / 2, issuer.y), (subject.x + subject.width / 2, subject.y)
    axes.annotate("", xy=end, xytext=start, arrowprops=arrow)
    if edge.kind == "wrong-key":
        middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        axes.text(*middle, "✗", color=colour, ha="center", va="center", fontsize=13)


def _draw_box(axes: Any, box: Box) -> None:
    from matplotlib.patches import FancyBboxPatch  # noqa: PLC0415

    colour = _STATUS_COLOURS[box.status] if box.node else _INK
    ghost, anchor = box.node is None or box.node.role == "ghost", box.node is not None and box.node.anchor
    patch = FancyBboxPatch(
        (box.x, box.y), box.width, box.height, boxstyle="round,pad=0,rounding_size=6",
        facecolor="none" if ghost else f"{colour}22", edgecolor=colour, linestyle=":" if ghost else "-",
        linewidth=2.6 if anchor else 1.1,
    )  # fmt: skip
    axes.add_patch(patch)
    room = int(box.width / 6.4)
    word = {"bad": "✗ ", "warning": "! ", "good": "✓ ", "neutral": ""}[box.status] if box.node else ""
    for number, text in enumerate(box.lines):
        first = number == 0
        shown = visible((word if first else "") + text, room)
        weight = "bold" if first and box.node else "normal"
        # "$" would begin mathematics: a name is text.
        axes.text(
            box.x + 9, box.y + 18 + 15 * number, shown, fontsize=8.6 if first else 7.6, color=colour if first else _INK,
            fontweight=weight, parse_math=False,
        )  # fmt: skip


def expiry_calendar(table: pd.DataFrame, *, weeks: int = 53, at: datetime | None = None) -> Plot:
    """Return a calendar of the year ahead: a square a day, darker the more certificates end on it.

    Parameters
    ----------
    table : pandas.DataFrame
        From `scan_inventory`; leaves only are shown.
    weeks : int
        How many weeks.
    at : datetime, optional
        The first day; the clock of the scan by default.
    """
    import numpy as np  # noqa: PLC0415 - slow to load

    now = clock_of(table, at)
    first = now.date() - timedelta(days=now.weekday())
    ends = [row.not_after.to_pydatetime() for row in records(soonest_first(table))]
    coming = [moment.date() for moment in ends if moment >= now]
    days = Counter((day - first).days for day in coming)
    grid = np.zeros((7, weeks))
    for day, number in days.items():
        if day < weeks * 7:
            grid[day % 7, day // 7] = number
    figure, axes = _new_figure(9.5, 2.0)
    _draw_calendar(axes, grid, first)
    shown = sorted((first + timedelta(days=day), number) for day, number in days.items() if day < weeks * 7)
    busiest = max(shown, key=lambda pair: pair[1], default=None)
    ending = "ends" if sum(days.values()) == 1 else "end"
    words = f"{count(sum(number for _, number in shown), 'certificate')} {ending} in the {weeks} weeks from {first:%Y-%m-%d}"
    if busiest is not None:
        words += f"; the busiest day is {busiest[0]:%Y-%m-%d} with {busiest[1]:,}"
    return Plot(
        figure, words + ".", ("day", "certificates"), tuple((f"{day:%a %Y-%m-%d}", n) for day, n in shown)
    )


def _draw_calendar(axes: Any, grid: Any, first: date) -> None:
    import numpy as np  # noqa: PLC0415 - slow to load

    colours: Any = import_module("matplotlib.colors")
    shades = colours.LinearSegmentedColormap.from_list("ends", ["#f6c9a8", "#c2293a", "#5d0f1c"])
    axes.add_patch(
        import_module("matplotlib.patches").Rectangle((0, 0), grid.shape[1], 7, color="#8593a833", lw=0)
    )
    day, week = np.nonzero(grid)
    numbers = grid[day, week]
    axes.scatter(
        week + 0.5, day + 0.5, s=52, marker="s", c=numbers, cmap=shades, vmin=1, vmax=max(grid.max(), 2)
    )
    for column, row, number in zip(week, day, numbers, strict=True):
        ink = "white" if number > grid.max() / 3 else "#3b0a12"
        if number > 1:
            axes.text(
                column + 0.5, row + 0.5, f"{int(number)}", ha="center", va="center", fontsize=6, color=ink
            )
    axes.set_xlim(0, grid.shape[1])
    axes.set_ylim(7, 0)
    axes.set_aspect("equal")
    axes.set_yticks([0.5, 2.5, 4.5, 6.5], ["Mon", "Wed", "Fri", "Sun"], fontsize=7)
    starts = [(first + timedelta(weeks=week)) for week in range(grid.shape[1])]
    months = [week for week, day in enumerate(starts) if week == 0 or day.month != starts[week - 1].month]
    axes.set_xticks([week + 0.5 for week in months], [f"{starts[week]:%b}" for week in months], fontsize=7)


_OWNER_COLOURS = ("#0b5cad", "#b87900", "#2b8a57", "#7a5bd0", "#c2293a", "#4a7d8c", "#8a6d3b", "#6b7789")


def renewal_forecast_plot(table: pd.DataFrame, *, until: date = date(2030, 12, 31)) -> Plot:
    """Return the renewals of public server certificates a month as stacked bars, a colour an owner.

    Parameters
    ----------
    table : pandas.DataFrame
        From `scan_inventory`, with the columns of `mark_public` and `join_owners` if there are any.
    until : date
        The last day.
    """
    found = forecast_renewals(table, until=until)
    by_month: dict[date, Counter[str]] = {}
    for row in records(found):
        by_month.setdefault(row.month.date(), Counter())[row.owner] += int(row.renewals)
    totals = Counter[str]()
    for counts in by_month.values():
        totals.update(counts)
    owners = [owner for owner, _ in totals.most_common(7)]
    figure, axes = _new_figure(9, 3.2)
    _draw_stacks(axes, by_month, owners)
    years = Counter[int]()
    for month, counts in by_month.items():
        years[month.year] += sum(counts.values())
    listed = ", ".join(f"{number:,} in {year}" for year, number in sorted(years.items()))
    rows = tuple(
        (f"{month:%Y-%m}", sum(counts.values()), *(counts[owner] for owner in owners))
        for month, counts in sorted(by_month.items())
    )
    words = (
        f"Renewals of publicly trusted server certificates, at two thirds of their life: {listed or 'none'}."
    )
    return Plot(figure, words, ("month", "renewals", *owners), rows)


def _draw_stacks(axes: Any, by_month: dict[date, Counter[str]], owners: Sequence[str]) -> None:
    dates: Any = import_module("matplotlib.dates")
    months = sorted(by_month)
    floor = [0] * len(months)
    groups = [
        *((owner, (owner,)) for owner in owners),
        ("others", tuple({o for c in by_month.values() for o in c} - set(owners))),
    ]
    for (name, members), colour in zip(groups, _OWNER_COLOURS, strict=False):
        heights = [sum(by_month[month][member] for member in members) for month in months]
        if any(heights):
            axes.bar(months, heights, width=24, bottom=floor, color=colour, label=visible(name, 30))
            floor = [low + height for low, height in zip(floor, heights, strict=True)]
    axes.xaxis.set_major_locator(dates.YearLocator())
    axes.xaxis.set_major_formatter(dates.DateFormatter("%Y"))
    axes.set_ylabel("renewals a month", color=_INK, fontsize=8)
    if months:
        axes.legend(fontsize=7, frameon=False, labelcolor=_INK, loc="upper left")
