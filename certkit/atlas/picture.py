"""The atlas as a heat map: faults down, stacks across, a mark and a colour in each cell."""

from __future__ import annotations

from certkit._html import Html, details, join, tag
from certkit._svg import label, mark, rect, short, svg
from certkit.atlas.table import OUTCOMES, Atlas

__all__ = ["heat_map"]

_ROW, _COLUMN, _NAMES, _HEAD = 20, 30, 230, 92
_RULES = """
.ck-atlas text{font-size:11px;fill:var(--ink)}
.ck-atlas .good{fill:var(--good-bg)}.ck-atlas .bad{fill:var(--bad-bg)}
.ck-atlas .warning{fill:var(--warning-bg)}.ck-atlas .neutral{fill:var(--bg)}
.ck-atlas rect{stroke:var(--line);stroke-width:.4}
"""
_MOST = 60


def heat_map(atlas: Atlas) -> Html:
    """Return the picture, a sentence, and the same facts as a table.

    Parameters
    ----------
    atlas : Atlas
        Its rows; no more than 60 faults are drawn, so select some first.
    """
    faults, stacks = atlas.faults[:_MOST], atlas.stacks
    cells: list[object] = []
    for column, stack in enumerate(stacks):
        x = _NAMES + column * _COLUMN + _COLUMN / 2
        cells.append(label(x, _HEAD - 8, short(stack, 16), transform=f"rotate(-45 {x} {_HEAD - 8})"))
    for line, fault in enumerate(faults):
        y = _HEAD + line * _ROW
        cells.append(label(4, y + 14, short(fault, 34)))
        for column, stack in enumerate(stacks):
            cells.append(_cell(atlas.verdict(fault, stack), _NAMES + column * _COLUMN, y))
    width = _NAMES + len(stacks) * _COLUMN + 60
    picture = svg(
        "ck-atlas",
        width,
        _HEAD + len(faults) * _ROW + 6,
        *cells,
        title=f"{len(faults)} faults by {len(stacks)} client stacks",
        description="A tick: accepted. A cross: refused. An exclamation mark: depends on the TLS version, or no answer.",
        rules=_RULES,
    )
    cut = f" The first {_MOST} of {len(atlas.faults)} faults." if len(atlas.faults) > _MOST else ""
    words = (
        "Each line is a fault, each column a client stack: a tick where it accepts, a cross where it refuses, "
        f"an exclamation mark where that depends on the TLS version, nothing where it cannot be asked.{cut}"
    )
    return tag("div", tag("p", words), picture, details("The same as a table", join([atlas.matrix()])))


def _cell(verdict: str, x: float, y: float) -> Html:
    status = "warning" if verdict == "differs" else OUTCOMES.get(verdict, ("neutral", ""))[0]
    box = rect(x, y, _COLUMN, _ROW, class_=status)
    if status == "neutral":
        return box
    return join([box, mark(status, x + _COLUMN / 2 - 6, y + 4, 12)])
