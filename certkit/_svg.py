"""SVG fragments that escape first: text, boxes, lines, arrows, and the root with its title.

They know nothing of X.509. Every colour is a custom property with a light and a dark value, so that a
drawing follows JupyterLab's theme, and a page without one follows the system's.
"""

from __future__ import annotations

from certkit._html import STATUS_COLOURS, STATUS_ICONS, Html, join, tag

__all__ = ["arrow", "group", "label", "line", "mark", "path", "rect", "short", "svg"]

# (light, dark); every text colour keeps 4.5:1 on its background, every line 3:1.
_BASE = {
    "bg": ("#ffffff", "#17202b"),
    "ink": ("#1b2430", "#eef2f7"),
    "soft": ("#566072", "#aab4c3"),
    "line": ("#7b8798", "#8593a8"),
    "accent": ("#0b5cad", "#7db8f5"),
    "cross": ("#6b2fb3", "#c9a4ff"),
}
# The dark halves of the status pairs of `certkit._html`: background, then text.
_DARK_STATUS = {
    "good": ("#123524", "#a5e3be"),
    "warning": ("#3d2e0c", "#ffd98a"),
    "bad": ("#45161d", "#ffb1ba"),
    "neutral": ("#263241", "#d4dce8"),
}


def _colours(dark: bool) -> str:
    pairs = [(name, values[dark]) for name, values in _BASE.items()]
    for status, light in STATUS_COLOURS.items():
        background, text = _DARK_STATUS[status] if dark else light
        pairs += [(f"{status}-bg", background), (status, text)]
    return ";".join(f"--{name}:{value}" for name, value in pairs)


def style(kind: str, rules: str = "") -> Html:
    """Return the style element of one kind of drawing: colours for both themes, then `rules`.

    Parameters
    ----------
    kind : str
        The drawing's class, e.g. ``"ck-graph"``; every rule should begin with it.
    rules : str
        CSS of the package itself; never text from a certificate.
    """
    dark = _colours(True)
    return tag(
        "style",
        Html(
            f".{kind}{{{_colours(False)};font-family:system-ui,'DejaVu Sans',sans-serif;max-width:100%;height:auto}}"
            f"body[data-jp-theme-light=false] .{kind}{{{dark}}}"
            f"@media (prefers-color-scheme:dark){{body:not([data-jp-theme-light]) .{kind},svg.{kind}:root{{{dark}}}}}"
            f"{rules}"
        ),
    )


def svg(
    kind: str,
    width: float,
    height: float,
    *children: object,
    title: str,
    description: str = "",
    rules: str = "",
    run: int | None = None,
) -> Html:
    """Return the root element: an image with a title, a description, its colours and its children.

    Parameters
    ----------
    kind : str
        The drawing's class.
    width, height : float
        In pixels; the drawing shrinks with its column.
    *children : object
        Fragments; plain text is escaped.
    title, description : str
        What a screen reader says: the name, and what is to be seen.
    rules : str
        CSS for this kind, see `style`.
    run : int, optional
        Put into the drawing as ``data-run``, so that a test can wait for it.
    """
    return tag(
        "svg",
        tag("title", title),
        tag("desc", description) if description else "",
        style(kind, rules),
        *children,
        class_=kind,
        role="img",
        viewBox=f"0 0 {width:g} {height:g}",
        width=f"{width:g}",
        height=f"{height:g}",
        xmlns="http://www.w3.org/2000/svg",
        data_run=run,
    )


def short(words: str, limit: int) -> str:
    """Return `words` cut to `limit` characters, with an ellipsis.

    Examples
    --------
    >>> short("intermediate", 8)
    'interme…'
    """
    return words if len(words) <= limit else words[: limit - 1] + "…"


def label(x: float, y: float, words: object, **attributes: object) -> Html:
    """Return a line of text with its baseline at `y`."""
    return tag("text", words, x=f"{x:g}", y=f"{y:g}", **attributes)


def rect(x: float, y: float, width: float, height: float, **attributes: object) -> Html:
    """Return a box."""
    return tag("rect", x=f"{x:g}", y=f"{y:g}", width=f"{width:g}", height=f"{height:g}", **attributes)


def path(d: str, **attributes: object) -> Html:
    """Return a path; `d` is in SVG's own path language."""
    return tag("path", d=d, **attributes)


def line(x1: float, y1: float, x2: float, y2: float, **attributes: object) -> Html:
    """Return a straight line."""
    return tag("line", x1=f"{x1:g}", y1=f"{y1:g}", x2=f"{x2:g}", y2=f"{y2:g}", **attributes)


def arrow(x1: float, y1: float, x2: float, y2: float, *, head: float = 8, **attributes: object) -> Html:
    """Return a horizontal S-curve from one point to the other, with a filled head at its end.

    Curve and head take the colour of the CSS property ``stroke`` of the group they stand in.
    """
    back = -head if x2 >= x1 else head
    middle = (x1 + x2 + back) / 2
    return tag(
        "g",
        path(f"M{x1:g} {y1:g}C{middle:g} {y1:g} {middle:g} {y2:g} {x2 + back:g} {y2:g}", style="fill:none"),
        path(
            f"M{x2:g} {y2:g}l{back:g} {-head / 2:g}v{head:g}z",
            class_="head",
            style="stroke:none;stroke-dasharray:none",
        ),
        **attributes,
    )


def mark(status: str, x: float, y: float, size: float = 14) -> Html:
    """Return the icon of a status with its upper left corner at (x, y), in the status's own colour."""
    return path(
        STATUS_ICONS[status],
        transform=f"translate({x:g},{y:g}) scale({size / 16:g})",
        style=f"fill:none;stroke:var(--{status});stroke-width:2",
    )


def group(*children: object, **attributes: object) -> Html:
    """Return a group of fragments."""
    return tag("g", *children, **attributes)


def lines(x: float, y: float, rows: list[str], *, step: float = 15, **attributes: object) -> Html:
    """Return several lines of text below each other."""
    return join([label(x, y + step * number, row, **attributes) for number, row in enumerate(rows)])
