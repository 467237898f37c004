"""`ChainGraph`: certificates and who signed whom, as a picture, as a tree in text and as a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NoReturn

from certkit._html import Html, badge, details, table, tag
from certkit._text import count, visible
from certkit.certificates import Certificate

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["ChainGraph", "GraphEdge", "GraphNode"]

STATUS_RANK = {"bad": 0, "warning": 1, "good": 2, "neutral": 3}


@dataclass(frozen=True)
class GraphNode:
    """One certificate in the picture, or the ghost of one that is missing.

    Attributes
    ----------
    id : str
        The certificate's SHA-256; of a ghost, ``"ghost:"`` and its name.
    name : str
        What it is called.
    role : str
        ``"leaf"``, ``"intermediate"``, ``"root"`` or ``"ghost"``.
    status : {"good", "warning", "bad", "neutral"}
        How it stands at the graph's clock, findings included; a ghost is always bad.
    dates : str
        Its validity in words; empty for a ghost.
    notes : tuple of str
        What is wrong with it, or why a path ends here; short.
    anchor : bool
        Whether the truststore holds it.
    cross : bool
        Whether another certificate here has its name and its key: a cross-sign.
    certificate : Certificate or None
        The certificate; None for a ghost.
    sent : int or None
        Its place in the chain as sent.
    """

    id: str
    name: str
    role: str
    status: str
    dates: str = ""
    notes: tuple[str, ...] = ()
    anchor: bool = False
    cross: bool = False
    certificate: Certificate | None = field(default=None, repr=False)
    sent: int | None = None

    @property
    def place(self) -> str:
        """What it is, in a few words."""
        words = [self.role if self.role != "ghost" else "missing"]
        words += ["anchor"] if self.anchor else []
        words += ["cross-sign"] if self.cross else []
        return ", ".join(words)


@dataclass(frozen=True)
class GraphEdge:
    """That one certificate's key signed another, or did not.

    Attributes
    ----------
    issuer, subject : str
        The ids of the two nodes.
    kind : str
        ``"signed"``; ``"cross"`` where the subject is a cross-sign; ``"missing"`` from a ghost; ``"wrong-key"``
        where the name fits and the key does not; ``"cycle"`` where following it leads round.
    verified : bool
        Whether it lies on the path that the verdict rests on.
    """

    issuer: str
    subject: str
    kind: str = "signed"
    verified: bool = False


@dataclass(frozen=True)
class ChainGraph:
    """Certificates as a graph: issuers on the left, what they signed on the right.

    Made by `chain_graph`. It shows itself in a notebook; `text`, `table_html` and `svg` are the same facts.

    Attributes
    ----------
    nodes : tuple of GraphNode
        Every certificate, and a ghost for every issuer that is missing.
    edges : tuple of GraphEdge
        Who signed whom.
    at : datetime
        The clock by which dates are judged.
    title : str
        What it is a picture of.
    more : int
        How many certificates were left out, because nothing here touches them.
    """

    nodes: tuple[GraphNode, ...] = field(repr=False)
    edges: tuple[GraphEdge, ...] = field(repr=False)
    at: datetime
    title: str
    more: int = 0

    @property
    def sentence(self) -> str:
        """What the picture shows, in a sentence or two."""
        real = [node for node in self.nodes if node.role != "ghost"]
        parts = [count(len(real), "certificate"), count(sum(node.anchor for node in real), "anchor")]
        for word, number in (
            ("missing issuer", len(self.nodes) - len(real)),
            ("cross-sign", sum(node.cross for node in real)),
            ("with a problem", sum(node.status == "bad" for node in real)),
        ):
            if number:
                parts.append(f"{number} {word}" if word.startswith("with") else count(number, word))
        more = f" {self.more:,} more certificates touch none of these." if self.more else ""
        return f"{self.title}: {', '.join(parts)}.{more}"

    def node(self, id: str) -> GraphNode:
        """Return the node of that id."""
        return next(node for node in self.nodes if node.id == id)

    def to_networkx(self) -> nx.DiGraph[str]:
        """Return the graph for networkx: edges from issuer to subject, the facts as attributes.

        Examples
        --------
        >>> from certkit.authority import CertificateAuthority
        >>> from certkit.verification import chain_graph
        >>> issuing = CertificateAuthority("Lab Root").intermediate("Lab Issuing CA")
        >>> server = issuing.issue("shop.example.test", usage="server")
        >>> import networkx as nx
        >>> graph = chain_graph(server, issuing.trust_store).to_networkx()
        >>> [graph.nodes[id]["name"] for id in nx.topological_sort(graph)]
        ['Lab Root', 'Lab Issuing CA', 'shop.example.test']
        """
        import networkx as nx  # noqa: PLC0415 - slow to load

        graph: nx.DiGraph[str] = nx.DiGraph(title=self.title)
        for node in self.nodes:
            graph.add_node(
                node.id,
                name=node.name,
                role=node.role,
                status=node.status,
                anchor=node.anchor,
                notes=node.notes,
            )
        for edge in self.edges:
            graph.add_edge(edge.issuer, edge.subject, kind=edge.kind, verified=edge.verified)
        return graph

    def svg(self, *, limit: int = 40) -> Html:
        """Return the picture as one SVG element; healthy siblings are folded once there are more than `limit` nodes."""
        from certkit.verification._graph_svg import graph_svg  # noqa: PLC0415 - the drawing knows the graph

        return graph_svg(self, limit)

    def text(self) -> str:
        """Return the same as a tree in text, roots first.

        Examples
        --------
        >>> from datetime import UTC, datetime
        >>> from certkit.authority import CertificateAuthority
        >>> from certkit.verification import chain_graph
        >>> at = datetime(2026, 1, 1, tzinfo=UTC)
        >>> issuing = CertificateAuthority("Lab Root", at=at).intermediate("Lab Issuing CA")
        >>> server = issuing.issue("shop.example.test", usage="server")
        >>> print(chain_graph(server, issuing.trust_store, at=at).text())
        [ok]   Lab Root (root, anchor) until 2036-01-01, 3,652 days
        └─ [ok]   Lab Issuing CA (intermediate) until 2031-01-01, 1,826 days
           └─ [ok]   shop.example.test (leaf) until 2026-04-01, 90 days
        """
        from certkit.verification._graph_text import graph_text  # noqa: PLC0415

        return graph_text(self)

    def rows(self) -> list[tuple[str, ...]]:
        """Return the same as rows: name, what it is, state, dates, issuers, and what is wrong."""
        issuers: dict[str, list[str]] = {}
        names = {node.id: node.name for node in self.nodes}
        for edge in self.edges:
            word = {"wrong-key": " (its key did not sign it)", "cycle": " (a loop)"}.get(edge.kind, "")
            issuers.setdefault(edge.subject, []).append(names[edge.issuer] + word)
        return [
            (
                node.name,
                node.place,
                node.status,
                node.dates or "not here",
                ", ".join(issuers.get(node.id, ())) or "itself",
                "; ".join(node.notes),
            )
            for node in sorted(self.nodes, key=lambda node: STATUS_RANK[node.status])
        ]

    def table_html(self, limit: int = 40) -> Html:
        """Return the same as a table, what is wrong first."""
        rows = [(*row[:2], badge(row[2], STATE_WORDS[row[2]]), *row[3:]) for row in self.rows()]
        return table(("certificate", "what it is", "state", "dates", "issued by", "notes"), rows, limit=limit)

    def __bool__(self) -> NoReturn:
        raise TypeError("a graph is neither true nor false: ask .nodes")

    def __len__(self) -> int:
        return len(self.nodes)

    def __repr__(self) -> str:
        return f"<ChainGraph {visible(self.sentence)}>"

    def _repr_html_(self) -> Html:
        # Six lines of table are the price of an output that stays small; .table_html() has them all.
        return tag(
            "div", tag("p", self.sentence), self.svg(), details("The same as a table", self.table_html(6))
        )


STATE_WORDS = {"good": "good", "warning": "look at it", "bad": "problem", "neutral": "not used"}
