"""From certificates, or from a verification, to a `ChainGraph`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from cryptography.x509.oid import NameOID

from certkit._files import utc
from certkit._text import visible
from certkit.certificates import Certificate, name_text
from certkit.chains import Chain, TrustStore
from certkit.credentials import Credential
from certkit.errors import ArgumentError
from certkit.verification.graph import STATUS_RANK, ChainGraph, GraphEdge, GraphNode
from certkit.verification.result import Verification

__all__ = ["chain_graph"]

_MOST = 1000
_NAMESAKES = 20
_EXPIRING_DAYS = 30

Drawable = Verification | Chain | Credential | TrustStore | Certificate | Iterable[Certificate]


def chain_graph(
    source: Drawable,
    anchors: TrustStore | Iterable[Certificate] = (),
    *,
    at: datetime | None = None,
    title: str = "",
) -> ChainGraph:
    """Return who signed whom as a graph: several paths, cross-signs, anchors, and ghosts for missing issuers.

    Parameters
    ----------
    source : Verification, Chain, Credential, TrustStore, Certificate or iterable of Certificate
        What to draw. A verification brings its anchors, its clock and its findings along.
    anchors : TrustStore or iterable of Certificate
        What is believed; of these only those are drawn that something here names.
    at : datetime, optional
        The clock by which dates are judged, aware; now by default.
    title : str, optional
        What it is a picture of.

    Raises
    ------
    ArgumentError
        If there is nothing to draw.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> old, new = CertificateAuthority("Old Root"), CertificateAuthority("New Root")
    >>> server = new.issue("shop.example.test", usage="server")
    >>> chain_graph([server.certificate, old.cross_sign(new)], [old.certificate, new.certificate])
    <ChainGraph Chain of shop.example.test: 4 certificates, 2 anchors, 1 cross-sign.>
    """
    if isinstance(source, Verification):
        return _of_verification(source, title)
    certificates = _certificates(source)
    if isinstance(source, TrustStore):
        anchors, title = anchors or source, title or source.label or "Truststore"
    trusted = {item.der: item for item in anchors}
    if not certificates and not trusted:
        raise ArgumentError("there is nothing to draw", hint="chain_graph(chain, anchors)")
    first = certificates[0].name if certificates else "nothing"
    return _Builder(certificates, trusted, utc(at)).graph(title or f"Chain of {first}")


def _certificates(source: Drawable) -> tuple[Certificate, ...]:
    if isinstance(source, Certificate):
        return (source,)
    if isinstance(source, Credential):
        return source.chain.certificates
    assert not isinstance(source, Verification)
    return source.certificates if isinstance(source, Chain | TrustStore) else Chain(source).certificates


class _Builder:
    def __init__(
        self, sent: tuple[Certificate, ...], anchors: Mapping[bytes, Certificate], at: datetime
    ) -> None:
        self.at = at
        self.anchors = anchors
        self.sent: dict[bytes, int] = {}
        for index, item in enumerate(sent[:_MOST]):
            self.sent.setdefault(item.der, index)
        self.chosen = {item.der: item for item in sent[:_MOST]}
        self._take_named_anchors()
        self.more = len({*(item.der for item in sent), *anchors}) - len(self.chosen)
        self.by_subject: dict[bytes, list[Certificate]] = {}
        for item in self.chosen.values():
            self.by_subject.setdefault(item.subject_der, []).append(item)
        self.edges: list[GraphEdge] = []
        self.ghosts: dict[str, GraphNode] = {}

    def _take_named_anchors(self) -> None:
        wanted = {item.issuer_der for item in self.chosen.values()}
        left = [item for item in self.anchors.values() if item.der not in self.chosen]
        found = list(self.chosen.values())
        while found:
            found = [item for item in left if item.subject_der in wanted][: _MOST - len(self.chosen)]
            self.chosen |= {item.der: item for item in found}
            wanted |= {item.issuer_der for item in found}
            left = [item for item in left if item.der not in self.chosen]

    def graph(self, title: str) -> ChainGraph:
        nodes = [self._node(item) for item in self.chosen.values()]
        for item in self.chosen.values():
            self._above(item)
        return ChainGraph(
            (*nodes, *self.ghosts.values()), tuple(self._without_loops()), self.at, title, self.more
        )

    def _node(self, item: Certificate) -> GraphNode:
        state, days = item.validity(self.at), item.days_left(self.at)
        day = item.not_before if state == "not yet valid" else item.not_after
        dates = {
            "valid": f"until {day:%Y-%m-%d}, {days:,} days",
            "expired": f"expired {day:%Y-%m-%d}, {-days:,} days ago",
            "not yet valid": f"not valid before {day:%Y-%m-%d}",
        }[state]
        soon = state == "valid" and days < _EXPIRING_DAYS
        return GraphNode(
            id=item.sha256,
            name=item.name,
            role=_role(item),
            status="bad" if state != "valid" else "warning" if soon else "good",
            dates=dates.replace(" 1 days", " 1 day"),
            anchor=item.der in self.anchors,
            cross=self._is_cross(item),
            certificate=item,
            sent=self.sent.get(item.der),
        )

    def _is_cross(self, item: Certificate) -> bool:
        """Whether a certificate of the same name and key is the original: self-signed, or drawn before it."""
        if item.is_self_issued:
            return False
        twins = [
            other
            for other in self.by_subject[item.subject_der][:_NAMESAKES]
            if other.spki_sha256 == item.spki_sha256 and other.issuer_der != item.issuer_der
        ]
        original = next((other for other in twins if other.is_self_issued), None)
        if original is not None:
            return True
        order = list(self.chosen)
        return any(order.index(other.der) < order.index(item.der) for other in twins)

    def _above(self, item: Certificate) -> None:
        candidates = [other for other in self.by_subject.get(item.issuer_der, ()) if other is not item]
        candidates = candidates[:_NAMESAKES]
        fitting = [other for other in candidates if item.is_signed_by(other)]
        if item.is_self_issued and item.is_self_signed:
            # Its own key is above it; a cross-sign of that key is an alternative to it, not its issuer.
            return
        kind = "cross" if self._is_cross(item) else "signed"
        for other in fitting:
            self.edges.append(GraphEdge(other.sha256, item.sha256, kind))
        if fitting:
            return
        for other in candidates:
            self.edges.append(GraphEdge(other.sha256, item.sha256, "wrong-key"))
        if not candidates:
            self._ghost(item)

    def _ghost(self, item: Certificate) -> None:
        name = _issuer_name(item)
        ghost = GraphNode(f"ghost:{item.issuer}", name, "ghost", "bad", notes=("neither sent nor stored",))
        self.ghosts.setdefault(ghost.id, ghost)
        self.edges.append(GraphEdge(ghost.id, item.sha256, "missing"))

    def _without_loops(self) -> list[GraphEdge]:
        """Return the edges; those that close a loop are marked, so that the rest can be laid out."""
        below: dict[str, list[int]] = {}
        for number, edge in enumerate(self.edges):
            below.setdefault(edge.issuer, []).append(number)
        state: dict[str, int] = {}
        for start in [*self.ghosts, *(item.sha256 for item in self.chosen.values())]:
            stack: list[tuple[str, int]] = [(start, 0)]
            while stack:
                id, position = stack.pop()
                if position == 0:
                    if state.get(id):
                        continue
                    state[id] = 1
                if position == len(below.get(id, ())):
                    state[id] = 2
                    continue
                stack.append((id, position + 1))
                number = below[id][position]
                target = self.edges[number].subject
                if state.get(target) == 1:
                    self.edges[number] = replace(self.edges[number], kind="cycle")
                elif not state.get(target):
                    stack.append((target, 0))
        return self.edges


def _role(item: Certificate) -> str:
    if item.is_self_issued and (item.is_ca or item.raw.version.name == "v1"):
        return "root"
    return "intermediate" if item.is_ca else "leaf"


def _issuer_name(item: Certificate) -> str:
    try:
        common = item.raw.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
    except ValueError:
        common = []
    return visible(str(common[0].value), 80) if common else name_text(lambda: item.raw.issuer) or "nobody"


@dataclass
class _Said:
    status: str
    notes: list[str]


def _of_verification(found: Verification, title: str) -> ChainGraph:
    anchors = {item.der: item for item in found.anchors}
    host = f" for {found.host}" if found.host else ""
    plain = _Builder(found.chain.certificates, anchors, found.at).graph(
        title or f"{'Trusted' if found.ok else 'Refused'}: {found.chain.leaf.name}{host}"
    )
    said = {node.id: _Said(*_standing(node, found)) for node in plain.nodes}
    _say_findings(found, said)
    _say_ends(found, said, {edge.subject for edge in plain.edges if edge.kind == "wrong-key"})
    path = [item.sha256 for item in (found.verified_chain or ())]
    steps = set(zip(path[1:], path, strict=False))
    nodes = [
        replace(node, status=said[node.id].status, notes=tuple(said[node.id].notes)) for node in plain.nodes
    ]
    edges = [replace(edge, verified=(edge.issuer, edge.subject) in steps) for edge in plain.edges]
    return replace(plain, nodes=tuple(nodes), edges=tuple(edges))


def _standing(node: GraphNode, found: Verification) -> tuple[str, list[str]]:
    used = {item.sha256 for path in found.paths for item in path.certificates}
    if node.certificate is None:
        return ("neutral" if found.ok else node.status), list(node.notes)
    if node.id in used:
        return node.status, list(node.notes)
    return "neutral", ["on no path"]


def _say_findings(found: Verification, said: dict[str, _Said]) -> None:
    for item in found.findings:
        where = said.get(item.sha256)
        if where is None or (where.status == "neutral" and not item.fatal):
            continue
        broken = any(
            number < len(found.paths) and item.kind in _fatal_kinds(found, number) for number in item.paths
        )
        status = "bad" if item.fatal or broken else "warning"
        if STATUS_RANK[status] < STATUS_RANK[where.status]:
            where.status = status
        # The dates say the one, the end of a path the other.
        if item.kind not in where.notes and not item.kind.startswith(_SAID_ANYWAY):
            where.notes.append(item.kind)


_SAID_ANYWAY = ("expired-", "not-yet-valid-", "cycle", "untrusted-root")


def _fatal_kinds(found: Verification, number: int) -> set[str]:
    return {item.kind for item in found.paths[number].fatal}


def _say_ends(found: Verification, said: dict[str, _Said], misfits: set[str]) -> None:
    words = {
        "cycle": "goes round in a loop",
        "too-deep": "deeper than the verifier goes",
        "wrong-key": "signed by another key",
    }
    for path in found.paths:
        last = path.certificates[-1]
        where = said.get(last.sha256)
        if path.end == "anchor" or where is None:
            continue
        rootless = path.end == "no-issuer" and last.is_self_signed
        word = "not in this truststore" if rootless else words.get(path.end, "")
        orphan = path.end == "no-issuer" and last.sha256 in misfits
        word = "signed by a key that is not here" if orphan else word
        if (rootless or orphan) and not found.ok:
            where.status = "bad"
        elif rootless and where.status == "good":
            where.status = "warning"
        if word and word not in where.notes:
            where.notes.append(word)
