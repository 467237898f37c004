"""HTML fragments that escape first: the only way certkit writes HTML.

Text goes in as ``str`` and is escaped; what is already markup is an `Html`. There is no script, no
style sheet and no reference to anything outside: a fragment reads well with its styles stripped.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from certkit._text import visible

# Status is icon + word + colour; each colour keeps 4.5:1 on JupyterLab's light and dark backgrounds
# because it is the background of its own label.
STATUS_COLOURS = {
    "good": ("#e3f4ea", "#0f5132"),
    "warning": ("#fff3d6", "#6b4500"),
    "bad": ("#fde7e9", "#8a1020"),
    "neutral": ("#e9edf2", "#33415c"),
}
STATUS_ICONS = {
    "good": "M3 8.5l3.2 3.2L13 4.8",
    "warning": "M8 2.5l6.2 11H1.8zM8 6.5v3.2M8 11.6v.4",
    "bad": "M4 4l8 8M12 4l-8 8",
    "neutral": "M3.5 8h9",
}

MAX_PICTURE_BYTES = 10_000


class Html(str):
    """A string that is already safe markup."""

    __slots__ = ()

    def __add__(self, other: str) -> Html:
        return Html(str.__add__(self, escape(other)))


# JupyterLab aligns cells to the right; the doubled class outweighs its rule. Without the style a
# table reads just as well.
_TABLE_STYLE = Html(
    "<style>.ck-table.ck-table th,.ck-table.ck-table td{text-align:left;vertical-align:top;padding:4px 8px}"
    ".ck-table caption{text-align:left;font-weight:bold;color:inherit}</style>"
)


def escape(text: object, limit: int = 300) -> Html:
    """Return `text` escaped, hidden characters made visible; an `Html` passes unchanged.

    Examples
    --------
    >>> escape("<script>alert(1)</script>")
    '&lt;script&gt;alert(1)&lt;/script&gt;'
    """
    if isinstance(text, Html):
        return text
    return Html(html.escape(visible(str(text), limit)))


def fitting(pictures: Iterable[Html]) -> Html:
    """Return the first of ever smaller pictures that keeps a notebook's output under 10 kB, or else the last.

    Names can be as long as their makers like; give a generator, so that no picture is drawn in vain.

    Examples
    --------
    >>> fitting(tag("p", "x" * size) for size in (20_000, 100))[:6]
    '<p>xxx'
    """
    picture = Html()
    for picture in pictures:
        if len(picture.encode()) < MAX_PICTURE_BYTES:
            break
    return picture


def whole(text: object) -> Html:
    """Return certkit's own text escaped, however long: what comes from a certificate or a peer is cut by `escape`."""
    return escape(text, 1_000_000)


def join(parts: Iterable[object], separator: str = "") -> Html:
    """Return the escaped parts, joined."""
    return Html(html.escape(separator).join(escape(part) for part in parts))


def tag(name: str, *children: object, **attributes: object) -> Html:
    """Return one element. ``class_`` and ``for_`` lose the underscore, others become hyphens.

    Examples
    --------
    >>> tag("p", "a < b", class_="ck", aria_label="x")
    '<p class="ck" aria-label="x">a &lt; b</p>'
    """
    text = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value, 20_000)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{name}{text}>{join(children)}</{name}>")


def icon(status: str) -> Html:
    """Return the 16-pixel icon of a status as an SVG path."""
    path = STATUS_ICONS[status]
    return Html(
        '<svg width="14" height="14" viewBox="0 0 16 16" aria-hidden="true" '
        'style="vertical-align:-2px;fill:none;stroke:currentColor;stroke-width:2">'
        f'<path d="{path}"/></svg>'
    )


def badge(status: str, word: object) -> Html:
    """Return a status label: icon, word and colour together.

    Parameters
    ----------
    status : {"good", "warning", "bad", "neutral"}
        What the colour and the icon say.
    word : str
        What the label says in letters.
    """
    background, colour = STATUS_COLOURS[status]
    return tag(
        "span",
        icon(status),
        Html("&nbsp;"),
        word,
        style=f"background:{background};color:{colour};border-radius:4px;padding:1px 6px;white-space:nowrap",
    )


def table(
    headers: Sequence[object], rows: Iterable[Sequence[object]], *, caption: object = None, limit: int = 40
) -> Html:
    """Return a table with column headers; rows over `limit` are counted, not shown."""
    rows = list(rows)
    head = tag("tr", *(tag("th", cell, scope="col") for cell in headers))
    body = [tag("tr", *(tag("td", cell) for cell in row)) for row in rows[:limit]]
    if len(rows) > limit:
        body.append(tag("tr", tag("td", f"… and {len(rows) - limit:,} more", colspan=len(headers))))
    parts = [] if caption is None else [tag("caption", caption)]
    return tag("table", *parts, tag("thead", head), tag("tbody", *body), class_="ck-table") + _TABLE_STYLE


def definitions(pairs: Iterable[tuple[object, object]], *, caption: object = None) -> Html:
    """Return a two-column table: names as row headers, values beside them."""
    rows = [tag("tr", tag("th", name, scope="row"), tag("td", value)) for name, value in pairs]
    parts = [] if caption is None else [tag("caption", caption)]
    return tag("table", *parts, tag("tbody", *rows), class_="ck-table") + _TABLE_STYLE


def preformatted(text: str, **attributes: object) -> Html:
    r"""Return text in a fixed-width font, line by line: `escape` alone would make a line break visible as well.

    Examples
    --------
    >>> preformatted("a < b\nc")
    '<pre>a &lt; b\nc</pre>'
    """
    lines = (escape(line, 1_000) for line in text.split("\n"))
    return tag("pre", join(lines, "\n"), **attributes)


def details(summary: object, *children: object) -> Html:
    """Return a fold that opens by mouse and keyboard, without script."""
    return tag("details", tag("summary", summary), *children)
