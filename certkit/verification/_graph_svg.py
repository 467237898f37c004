"""The drawing of a `ChainGraph`: one SVG element, issuers on the left, light and dark."""

from __future__ import annotations

from certkit._html import STATUS_ICONS, Html, join, tag
from certkit._svg import arrow, group, label, line, path, rect, short, svg
from certkit.verification._graph_layout import Box, Layout, lay_out
from certkit.verification.graph import ChainGraph, GraphEdge

__all__ = ["graph_svg"]

_RULES = (
    ".ck-graph rect{stroke-width:1.3}.ck-graph text{font-size:11px;fill:var(--soft)}.ck-graph .n{font-size:12.5px;"
    "font-weight:600;fill:var(--ink)}.ck-graph .w{fill:var(--bad)}.ck-graph .i{fill:none;stroke-width:2}"
    + "".join(
        f".ck-graph .{name} rect{{fill:var(--{name}-bg);stroke:var(--{name})}}.ck-graph .{name} .i{{stroke:var(--{name})}}"
        f".ck-graph .{name} .w{{fill:var(--{name})}}"
        for name in ("good", "warning", "bad", "neutral")
    )
    + ".ck-graph .a rect{stroke-width:3}.ck-graph .x rect{stroke:var(--cross);stroke-dasharray:6 3}"
    ".ck-graph .g rect{fill:none;stroke-dasharray:3 4}.ck-graph .f rect{fill:none;stroke-dasharray:2 4;stroke:var(--line)}"
    ".ck-graph .e{stroke:var(--line);stroke-width:1.3}.ck-graph .e .head{fill:var(--line)}"
    ".ck-graph .v{stroke:var(--good);stroke-width:2.8}.ck-graph .v .head{fill:var(--good)}"
    ".ck-graph .cross{stroke:var(--cross);stroke-dasharray:6 3}.ck-graph .cross .head{fill:var(--cross)}"
    ".ck-graph .missing,.ck-graph .wrong-key,.ck-graph .cycle{stroke:var(--bad);stroke-dasharray:3 4}"
    ".ck-graph .missing .head,.ck-graph .wrong-key .head,.ck-graph .cycle .head{fill:var(--bad)}"
)
_LEGEND = {
    "verified": ("e v", "the path the verdict rests on"),
    "cross": ("e cross", "a cross-sign"),
    "missing": ("e missing", "an issuer that is not here"),
    "wrong-key": ("e wrong-key", "the name fits, the key does not"),
    "cycle": ("e cycle", "leads round in a loop"),
}
_LEGEND_HEIGHT = 24


def graph_svg(graph: ChainGraph, limit: int) -> Html:
    """Return the picture of a graph; healthy siblings are folded once there are more than `limit` nodes."""
    layout = lay_out(graph, limit)
    used = [
        word
        for word in _LEGEND
        if any(word in (edge.kind, "verified" * edge.verified) for edge in graph.edges)
    ]
    legend, wide = _legend(used, layout.height + 16)
    height = layout.height + (_LEGEND_HEIGHT if used else 0)
    return svg(
        "ck-graph",
        max(layout.width, wide),
        height,
        group(*_edges(graph, layout)),
        group(*(_box(box) for box in layout.boxes.values()), *(_box(box) for box in layout.folds)),
        legend,
        title=graph.title,
        description=graph.sentence,
        rules=_RULES,
    )


def _edges(graph: ChainGraph, layout: Layout) -> list[Html]:
    drawn = [
        _edge(edge, layout.boxes[edge.issuer], layout.boxes[edge.subject])
        for edge in sorted(graph.edges, key=lambda edge: edge.verified)
        if edge.issuer in layout.boxes and edge.subject in layout.boxes and not _is_doubled(edge, layout)
    ]
    return drawn + [_fold_edge(fold, layout, graph) for fold in layout.folds]


def _is_doubled(edge: GraphEdge, layout: Layout) -> bool:
    """Whether the twin of a cross-sign has this edge too, among many: then one is enough."""
    twin = layout.twins.get(edge.issuer)
    return twin in layout.boxes and len(layout.boxes[twin].children) > 2 and not edge.verified


def _edge(edge: GraphEdge, issuer: Box, subject: Box) -> Html:
    words = "e v" if edge.verified else "e" if edge.kind == "signed" else f"e {edge.kind}"
    if edge.kind == "cycle" or issuer.column >= subject.column:
        x1, x2, high = (
            issuer.x + issuer.width * 0.6,
            subject.x + subject.width * 0.4,
            min(issuer.y, subject.y) - 34,
        )
        d = f"M{x1:g} {issuer.y:g}C{x1:g} {high:g} {x2:g} {high:g} {x2:g} {subject.y - 7:g}"
        end = f"M{x2:g} {subject.y:g}l-4 -8h8z"
        return group(path(d, style="fill:none"), path(end, class_="head", style="stroke:none"), class_=words)
    x1, x2 = issuer.x + issuer.width, subject.x
    drawn = arrow(x1, issuer.middle, x2, subject.middle, class_=words)
    if edge.kind != "wrong-key":
        return drawn
    x, y = (x1 + x2 - 8) / 2, (issuer.middle + subject.middle) / 2
    cross = path(
        f"M{x - 5:g} {y - 5:g}l10 10m0 -10l-10 10", style="stroke:var(--bad);stroke-width:2.4;fill:none"
    )
    return group(drawn, cross)


def _fold_edge(fold: Box, layout: Layout, graph: ChainGraph) -> Html:
    ids = {node.id for node in fold.folded}
    parent = next(
        (edge.issuer for edge in graph.edges if edge.subject in ids and edge.issuer in layout.boxes), None
    )
    if parent is None:
        return Html("")
    issuer = layout.boxes[parent]
    return arrow(issuer.x + issuer.width, issuer.middle, fold.x, fold.middle, class_="e")


def _box(box: Box) -> Html:
    node = box.node
    room = int((box.width - (34 if node else 20)) / 7)
    name = short(box.lines[0], room)
    shape = rect(box.x, box.y, box.width, box.height, rx=6)
    if node is None:
        words = label(box.x + 10, box.y + 17, box.lines[0])
        return group(shape, words, class_=f"f {box.status}")
    classes = [node.status, *(["a"] if node.anchor else []), *(["x"] if node.cross else [])]
    classes += ["g"] if node.role == "ghost" else []
    rows = [label(box.x + 25, box.y + 18, name, class_="n")]
    first_note = len(box.lines) - len(node.notes[:4]) if node.notes else len(box.lines)
    for number, text in enumerate(box.lines[1:], 1):
        bad = number >= first_note or (
            node.status != "good" and text == node.dates and not text.startswith("until")
        )
        rows.append(
            label(
                box.x + 10,
                box.y + 18 + 15 * number,
                short(text, int((box.width - 16) / 6)),
                class_="w" if bad else None,
            )
        )
    icon = path(
        STATUS_ICONS[node.status], transform=f"translate({box.x + 8:g},{box.y + 7:g}) scale(.82)", class_="i"
    )
    cut = tag("title", "\n".join(box.lines)) if name != box.lines[0] else ""
    return group(shape, icon, join(rows), cut, class_=" ".join(classes))


def _legend(used: list[str], y: float) -> tuple[Html, float]:
    parts, x = [], 10.0
    for word in used:
        classes, text = _LEGEND[word]
        parts += [line(x, y - 4, x + 26, y - 4, class_=classes), label(x + 32, y, text)]
        x += 32 + 6.0 * len(text) + 18
    return join(parts), x
