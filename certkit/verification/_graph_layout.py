"""Where each certificate stands: columns by distance from the roots, rows by family, healthy siblings folded."""

from __future__ import annotations

from dataclasses import dataclass, field

from certkit.verification.graph import STATUS_RANK, ChainGraph, GraphNode

__all__ = ["Box", "Layout", "lay_out"]

_TOP, _GAP, _ALLEY, _LOOP = 8, 10, 52, 30
_NARROW, _WIDE = 120, 236
_PROBLEMS_SHOWN = 8
_COMPACT_FROM = 22
NOTES_SHOWN = 3


@dataclass
class Box:
    """One box of the drawing: a certificate, or a fold of several.

    Attributes
    ----------
    node : GraphNode or None
        The certificate; None for a fold.
    lines : tuple of str
        What stands in it, the name first.
    column : int
        Its column, 0 on the left.
    folded : tuple of GraphNode
        What is folded into it.
    x, y, width, height : float
        Its place in pixels.
    """

    node: GraphNode | None
    lines: tuple[str, ...]
    column: int
    folded: tuple[GraphNode, ...] = ()
    x: float = 0
    y: float = 0
    width: float = 0
    height: float = 0
    children: list[Box] = field(default_factory=list, repr=False)

    @property
    def middle(self) -> float:
        """The height at which its edges end."""
        return self.y + self.height / 2

    @property
    def status(self) -> str:
        """The status that gives it its colour."""
        return (
            self.node.status
            if self.node
            else min((item.status for item in self.folded), key=STATUS_RANK.__getitem__)
        )


@dataclass(frozen=True)
class Layout:
    """The boxes, by node id, with the folds, each cross-sign's twin, and the size of all."""

    boxes: dict[str, Box]
    folds: tuple[Box, ...]
    twins: dict[str, str]
    width: float
    height: float


def lay_out(graph: ChainGraph, limit: int) -> Layout:
    """Return where everything stands."""
    return _Layer(graph, limit).run()


class _Layer:
    def __init__(self, graph: ChainGraph, limit: int) -> None:
        self.graph = graph
        self.nodes = {node.id: node for node in graph.nodes}
        self.above: dict[str, list[str]] = {}
        for edge in sorted(graph.edges, key=lambda edge: (not edge.verified, edge.kind != "signed")):
            if edge.kind != "cycle":
                self.above.setdefault(edge.subject, []).append(edge.issuer)
        self.head = _twins(graph)
        self.columns = self._columns()
        self.folding = len(self.nodes) > limit
        self.boxes: dict[str, Box] = {}
        self.folds: list[Box] = []

    def _columns(self) -> dict[str, int]:
        """Return each node's distance from the farthest root; a cross-sign stands in the column of its twin."""
        above: dict[str, list[str]] = {}
        for id in self.nodes:
            one = self.head.get(id, id)
            issuers = [self.head.get(other, other) for other in self.above.get(id, ())]
            above.setdefault(one, []).extend(other for other in issuers if other != one)
        found: dict[str, int] = {}
        for start in above:
            stack, waiting = [start], {start}
            while stack:
                id = stack[-1]
                # Those on the stack already lead back here: cross-signs may go both ways.
                deeper = next((one for one in above[id] if one not in found and one not in waiting), None)
                if deeper is not None:
                    stack.append(deeper)
                    waiting.add(deeper)
                    continue
                found[id] = 1 + max((found[one] for one in above[id] if one in found), default=-1)
                waiting.discard(stack.pop())
        return {id: found[self.head.get(id, id)] for id in self.nodes}

    def run(self) -> Layout:
        families: dict[str | None, list[GraphNode]] = {}
        for node in self.graph.nodes:
            families.setdefault(self._parent(node.id), []).append(node)
        parents = set(families)
        verified = {id for edge in self.graph.edges if edge.verified for id in (edge.issuer, edge.subject)}
        self.compact = False
        tops = self._family(None, families, parents, verified)
        self.compact = len(self.boxes) + len(self.folds) > _COMPACT_FROM
        width = self._sizes()
        bottom: float = _TOP + (_LOOP if any(edge.kind == "cycle" for edge in self.graph.edges) else 0)
        beside = self._only_above_twins()
        for box in tops:
            if box.node is None or box.node.id not in beside:
                bottom = self._place(box, bottom)
        bottom = self._align(beside, bottom)
        return Layout(self.boxes, tuple(self.folds), self.head, width, bottom - _GAP + _TOP)

    def _only_above_twins(self) -> dict[str, str]:
        """Return the boxes that issued nothing but cross-signs, each with the cross-sign it belongs beside."""
        return {
            edge.issuer: edge.subject
            for edge in self.graph.edges
            if edge.subject in self.head
            and edge.issuer in self.boxes
            and edge.subject in self.boxes
            and not self.above.get(edge.issuer)
            and not self.boxes[edge.issuer].children
            and self.columns[edge.issuer] < self.columns[edge.subject]
        }

    def _align(self, beside: dict[str, str], bottom: float) -> float:
        """Place those boxes at the height of their cross-signs, one below the other; return where all ends."""
        free: dict[int, float] = {}
        for id, twin in sorted(beside.items(), key=lambda pair: self.boxes[pair[1]].y):
            box = self.boxes[id]
            column = [one for one in self.boxes.values() if one.column == box.column]
            taken = [one for one in column if one.y and one.node and one.node.id not in beside]
            box.y = max(self.boxes[twin].middle - box.height / 2, free.get(box.column, 0.0))
            for one in sorted(taken, key=lambda one: one.y):
                if box.y < one.y + one.height + _GAP and one.y < box.y + box.height + _GAP:
                    box.y = one.y + one.height + _GAP
            free[box.column] = box.y + box.height + _GAP
            bottom = max(bottom, free[box.column])
        return bottom

    def _parent(self, id: str) -> str | None:
        """Return the issuer in whose family it is drawn: the one on the verdict's path, else the nearest to the left."""
        if id in self.head:
            return self._parent(self.head[id])
        issuers = [self.head.get(one, one) for one in self.above.get(id, ())]
        if not issuers:
            return None
        near = [one for one in issuers if self.columns[one] == self.columns[id] - 1]
        first = issuers[0]
        return first if self.columns[first] == self.columns[id] - 1 or not near else near[0]

    def _family(
        self,
        parent: str | None,
        families: dict[str | None, list[GraphNode]],
        parents: set[str | None],
        verified: set[str],
    ) -> list[Box]:
        members = sorted(families.get(parent, ()), key=lambda node: self._order(node, parents, verified))
        plain = [node for node in members if node.id not in parents and node.id not in verified]
        fine = [node for node in plain if node.status in ("good", "neutral")]
        poor = [node for node in plain if node.status not in ("good", "neutral")]
        hidden: set[str] = set()
        if self.folding and len(fine) > 2:
            hidden |= {node.id for node in fine}
        if self.folding and len(poor) > _PROBLEMS_SHOWN + 1:
            hidden |= {node.id for node in poor[_PROBLEMS_SHOWN:]}
        boxes = []
        for node in members:
            if node.id in hidden:
                continue
            box = self.boxes[node.id] = Box(node, (), self.columns[node.id])
            box.children = self._family(node.id, families, parents, verified) if node.id in parents else []
            boxes.append(box)
        for group, word in ((poor, "with something to look at"), (fine, "all fine")):
            folded = tuple(node for node in group if node.id in hidden)
            if folded:
                boxes.append(self._fold(folded, word, more=len(boxes) > 0))
        return boxes

    def _order(self, node: GraphNode, parents: set[str | None], verified: set[str]) -> tuple[object, ...]:
        # A cross-sign stands right below the certificate whose name and key it has.
        head = self.nodes[self.head.get(node.id, node.id)]
        family = (
            head.id not in verified,
            "on no path" in head.notes,
            head.id not in parents,
            STATUS_RANK[head.status],
        )
        return *family, list(self.nodes).index(head.id), node.id != head.id

    def _fold(self, folded: tuple[GraphNode, ...], word: str, *, more: bool) -> Box:
        what = "anchors" if all(node.anchor for node in folded) else "certificates"
        text = f"… and {len(folded):,} more, {word}" if more else f"{len(folded):,} {what}, {word}"
        fold = Box(None, (text,), self.columns[folded[0].id], folded)
        self.folds.append(fold)
        return fold

    def _sizes(self) -> float:
        everything = [*self.boxes.values(), *self.folds]
        for box in everything:
            if box.node is not None:
                box.lines = _lines(box.node, compact=self.compact)
            box.height = 10 + 15 * len(box.lines)
        x = float(_TOP)
        for column in range(1 + max((box.column for box in everything), default=0)):
            mine = [box for box in everything if box.column == column]
            widest = max((_width_of(box) for box in mine), default=_NARROW)
            for box in mine:
                box.x, box.width = x, widest
            x += widest + _ALLEY
        return x - _ALLEY + _TOP

    def _place(self, box: Box, top: float) -> float:
        """Place a box and all below it from `top` on; return where the next one may begin."""
        if not box.children:
            box.y = top
            return top + box.height + _GAP
        bottom = top
        for child in box.children:
            bottom = self._place(child, bottom)
        first, last = box.children[0], box.children[-1]
        box.y = max(top, (first.middle + last.middle - box.height) / 2)
        return max(bottom, box.y + box.height + _GAP)


def _twins(graph: ChainGraph) -> dict[str, str]:
    """Return for each cross-sign the certificate whose name and key it has: the self-signed one, else the first."""
    groups: dict[tuple[bytes, str], list[GraphNode]] = {}
    for node in graph.nodes:
        if node.certificate is not None and node.role != "leaf":
            groups.setdefault((node.certificate.subject_der, node.certificate.spki_sha256), []).append(node)
    found = {}
    for group in groups.values():
        head = next((node for node in group if not node.cross), group[0])
        found.update({node.id: head.id for node in group if node is not head})
    return found


def _lines(node: GraphNode, *, compact: bool) -> tuple[str, ...]:
    notes = node.notes[:NOTES_SHOWN]
    more = len(node.notes) - len(notes)
    said = (*notes, f"and {more} more") if more else notes
    if compact:
        return node.name, ("cross-sign, " if node.cross else "") + (node.dates or "missing"), *said
    sent = "" if node.sent is None else f", sent as {node.sent}"
    return tuple(line for line in (node.name, node.place + sent, node.dates, *said) if line)


def _width_of(box: Box) -> float:
    first = 7.2 * len(box.lines[0]) + (34 if box.node else 24)
    rest = max((6.3 * len(line) for line in box.lines[1:]), default=0) + 20
    return min(max(first, rest, _NARROW), _WIDE)
