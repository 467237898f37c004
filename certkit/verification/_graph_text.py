"""A `ChainGraph` as a tree in text: roots first, what was shown once is named again and not repeated."""

from __future__ import annotations

from collections.abc import Sequence

from certkit._text import count
from certkit.verification.graph import STATUS_RANK, ChainGraph, GraphEdge, GraphNode

__all__ = ["graph_text"]

_MARKS = {"good": "[ok]  ", "warning": "[look]", "bad": "[bad] ", "neutral": "[-]   "}
_EDGES = {"cross": "cross-sign: ", "wrong-key": "(name fits, key does not) ", "cycle": "(a loop) "}
_FOLD_FROM = 40
_SHOWN = 400


def graph_text(graph: ChainGraph) -> str:
    """Return the tree; healthy siblings are folded in large graphs."""
    tree = _Tree(graph)
    below = {edge.subject for edge in graph.edges if edge.kind != "cycle"}
    tops = [node for node in graph.nodes if node.id not in below]
    tree.family(
        [
            (None, node)
            for node in sorted(tops, key=lambda node: ("on no path" in node.notes, node.id not in tree.below))
        ],
        "",
        top=True,
    )
    lines = tree.lines
    if graph.more:
        lines.append(f"… and {count(graph.more, 'certificate')} more that touch none of these")
    return "\n".join(
        lines[:_SHOWN] + ([f"… and {len(lines) - _SHOWN:,} lines more"] if len(lines) > _SHOWN else [])
    )


class _Tree:
    def __init__(self, graph: ChainGraph) -> None:
        self.nodes = {node.id: node for node in graph.nodes}
        self.below: dict[str, list[GraphEdge]] = {}
        for edge in graph.edges:
            self.below.setdefault(edge.issuer, []).append(edge)
        self.folding = len(graph.nodes) > _FOLD_FROM
        self.seen: set[str] = set()
        self.lines: list[str] = []

    def family(
        self, members: Sequence[tuple[GraphEdge | None, GraphNode]], indent: str, *, top: bool = False
    ) -> None:
        fine = [
            node for _, node in members if node.id not in self.below and node.status in ("good", "neutral")
        ]
        hidden = {node.id for node in fine} if self.folding and len(fine) > 2 else set()
        shown = [(edge, node) for edge, node in members if node.id not in hidden]
        for number, (edge, node) in enumerate(shown):
            last = number == len(shown) - 1 and not hidden
            self._node(
                edge,
                node,
                indent,
                "" if top else "└─ " if last else "├─ ",
                "" if top else "   " if last else "│  ",
            )
        if hidden:
            self.lines.append(f"{indent}{'' if top else '└─ '}… and {len(hidden):,} more, all fine")

    def _node(self, edge: GraphEdge | None, node: GraphNode, indent: str, branch: str, below: str) -> None:
        word = "" if edge is None else _EDGES.get(edge.kind, "")
        again = node.id in self.seen or (edge is not None and edge.kind == "cycle")
        notes = "" if again or not node.notes else f": {'; '.join(node.notes)}"
        dates = "" if again or not node.dates else f" {node.dates}"
        rest = " (see above)" if again else f" ({node.place}){dates}{notes}"
        self.lines.append(f"{indent}{branch}{_MARKS[node.status]} {word}{node.name}{rest}")
        if again:
            return
        self.seen.add(node.id)
        children = [(one, self.nodes[one.subject]) for one in self.below.get(node.id, ())]
        children.sort(
            key=lambda pair: (not pair[0].verified, pair[1].id not in self.below, STATUS_RANK[pair[1].status])
        )
        if len(children) > 1 and all(child.id in self.seen for _, child in children):
            self.lines.append(
                f"{indent}{below}└─ {count(len(children), 'certificate')} of the same key: see above"
            )
            return
        self.family(children, indent + below)
