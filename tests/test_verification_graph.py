"""Chains as graphs: the model, the drawing, the tree, the table, the figure, from 2 to 300 nodes."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta

import networkx as nx
import pytest

import certkit as ck
from certkit.errors import ArgumentError
from certkit.plots import chain_figure
from certkit.verification import ChainGraph, GraphNode, chain_graph, verify_chain
from certkit.verification._graph_layout import lay_out

AT = datetime(2026, 6, 1, tzinfo=UTC)
HOST = "shop.example.test"


def window(days: int) -> dict[str, datetime]:
    return {"not_before": AT - timedelta(days=900), "not_after": AT + timedelta(days=days)}


def named(graph: ChainGraph, name: str) -> list[GraphNode]:
    return [node for node in graph.nodes if node.name == name]


@pytest.fixture(scope="module")
def root() -> ck.CertificateAuthority:
    return ck.CertificateAuthority("Lab Root", at=AT, seed="graph")


@pytest.fixture(scope="module")
def tangled(root: ck.CertificateAuthority) -> ck.Verification:
    """Three ways up: the trusted root, an expired old one, and one that nobody has."""
    old, gone = (
        ck.CertificateAuthority("Old Root", at=AT, **window(-5)),
        ck.CertificateAuthority("Gone Root", at=AT),
    )
    leaf = root.intermediate("Lab Issuing CA").issue(HOST, usage="server")
    stranger = ck.CertificateAuthority("Elsewhere Root", at=AT).certificate
    sent = [*leaf.chain, old.cross_sign(root), gone.cross_sign(root), stranger]
    return verify_chain(sent, [root.certificate, old.certificate], host=HOST, at=AT)


@pytest.fixture(scope="module")
def estate() -> ChainGraph:
    return _estate(300)


def _estate(size: int) -> ChainGraph:
    roots = [ck.CertificateAuthority(f"Root CA {number}", at=AT) for number in range(3)]
    cas = [
        roots[number % 3].intermediate(f"Issuing CA {number}", **window(20 if number == 3 else 900))
        for number in range(12)
    ]
    certificates = [ca.certificate for ca in roots + cas] + [roots[2].cross_sign(cas[1])]
    key = ck.generate_key("p256", seed="estate")
    for number in range(size - len(certificates)):
        days = {0: -3, 1: 9}.get(number % 19, 400)
        leaf = cas[number % 12].issue(f"svc{number:03}.example.test", usage="server", key=key, **window(days))
        certificates.append(leaf.certificate)
    return chain_graph(certificates, [ca.certificate for ca in roots], at=AT, title=f"An estate of {size}")


def test_several_paths_cross_signs_anchors_and_ghosts_in_one_graph(tangled: ck.Verification) -> None:
    graph = tangled.graph()
    roots = named(graph, "Lab Root")
    assert sorted(node.cross for node in roots) == [False, True, True]
    assert [node.anchor for node in roots if not node.cross] == [True]
    (ghost,) = named(graph, "Gone Root")
    assert (ghost.role, ghost.certificate, ghost.notes) == ("ghost", None, ("neither sent nor stored",))
    (old,) = named(graph, "Old Root")
    assert (old.status, old.dates) == ("bad", "expired 2026-05-27, 5 days ago")
    (stranger,) = named(graph, "Elsewhere Root")
    assert (stranger.status, stranger.notes) == ("neutral", ("on no path",))
    steps = [
        (graph.node(edge.issuer).name, graph.node(edge.subject).name) for edge in graph.edges if edge.verified
    ]
    assert sorted(steps) == [("Lab Issuing CA", HOST), ("Lab Root", "Lab Issuing CA")]
    assert sorted(edge.kind for edge in graph.edges) == [
        "cross",
        "missing",
        "signed",
        "signed",
        "signed",
        "signed",
    ]


def test_the_model_is_networkx(tangled: ck.Verification) -> None:
    graph = tangled.graph().to_networkx()
    assert isinstance(graph, nx.DiGraph)
    leaf = tangled.chain.leaf.sha256
    starts = [id for id, degree in graph.in_degree() if degree == 0 and nx.has_path(graph, id, leaf)]
    assert {graph.nodes[id]["name"] for id in starts} == {"Lab Root", "Old Root", "Gone Root"}


@pytest.mark.parametrize(
    ("chosen", "name", "note"),
    [
        ("alone", HOST, "hostname-mismatch"),
        ("other", "Lab Root", "not in this truststore"),
        ("namesake", "Lab Issuing CA", "signed by a key that is not here"),
    ],
)
def test_a_dead_end_says_why(root: ck.CertificateAuthority, chosen: str, name: str, note: str) -> None:
    chain = root.intermediate("Lab Issuing CA").issue(HOST, usage="server").chain
    other, namesake = (
        ck.CertificateAuthority("Other Root", at=AT),
        ck.CertificateAuthority("Lab Root", at=AT, seed="x"),
    )
    found = {
        "alone": verify_chain(chain[0], root.trust_store, host="cart.example.test", at=AT),
        "other": verify_chain([*chain, root.certificate], other.trust_store, host=HOST, at=AT),
        "namesake": verify_chain(chain, namesake.trust_store, host=HOST, at=AT),
    }[chosen]
    node = next(node for node in named(found.graph(), name) if node.sent is not None)
    assert note in node.notes
    assert node.status == "bad"
    for shown in (found.graph().svg(), found.graph().text(), found.graph().table_html(), found._repr_html_()):
        assert note in shown


def test_loops_are_drawn_and_end() -> None:
    one, two = ck.CertificateAuthority("One", at=AT), ck.CertificateAuthority("Two", at=AT)
    leaf = one.issue(HOST, usage="server").certificate
    graph = chain_graph([leaf, two.cross_sign(one), one.cross_sign(two)], at=AT)
    assert sorted(edge.kind for edge in graph.edges) == ["cycle", "signed", "signed"]
    assert "a loop" in graph.text()
    ET.fromstring(graph.svg())
    # With their self-signed certificates at hand, each cross-sign stands beside its twin, and both ways are drawn.
    whole = chain_graph(
        [leaf, one.certificate, two.certificate, two.cross_sign(one), one.cross_sign(two)], at=AT
    )
    assert (
        sum(edge.kind == "cross" for edge in whole.edges) + sum(edge.kind == "cycle" for edge in whole.edges)
        >= 2
    )
    ET.fromstring(whole.svg())


def _boxes_overlap(graph: ChainGraph, limit: int = 40) -> bool:
    layout = lay_out(graph, limit)
    boxes = [*layout.boxes.values(), *layout.folds]
    return any(
        one.x == two.x and one.y < two.y + two.height and two.y < one.y + one.height
        for number, one in enumerate(boxes)
        for two in boxes[number + 1 :]
    )


@pytest.mark.parametrize("size", [20, 60, 300])
def test_no_two_boxes_overlap(size: int) -> None:
    graph = _estate(size)
    assert not _boxes_overlap(graph)
    assert not _boxes_overlap(graph, limit=1000)


def test_issuers_stand_left_of_what_they_signed(tangled: ck.Verification, estate: ChainGraph) -> None:
    for graph in (tangled.graph(), estate):
        layout = lay_out(graph, 1000)
        assert not _boxes_overlap(graph)
        for edge in graph.edges:
            assert layout.boxes[edge.issuer].x < layout.boxes[edge.subject].x


def test_healthy_siblings_are_folded_and_no_problem_is(estate: ChainGraph) -> None:
    layout = lay_out(estate, 40)
    assert len(layout.boxes) + len(layout.folds) < 80
    assert layout.height < 3000
    folded = [node for fold in layout.folds for node in fold.folded]
    assert folded
    assert {node.status for node in folded} == {"good"}
    assert len(folded) + len(layout.boxes) == len(estate)
    shown = estate.svg()
    for node in estate.nodes:
        assert (node.name in shown) >= (node.status in ("bad", "warning"))
    assert "all fine" in estate.text()
    assert "svc000.example.test" in estate.text()


def test_each_form_holds_the_same_facts(tangled: ck.Verification) -> None:
    graph = tangled.graph()
    drawing, tree, rows = graph.svg(), graph.text(), graph.rows()
    assert len(rows) == len(graph)
    for node in graph.nodes:
        for shown in (drawing, tree, str(rows)):
            assert node.name in shown
            assert node.dates in shown
    figure = chain_figure(graph)
    assert figure.sentence == graph.sentence
    assert len(figure.rows) == len(graph)
    words = " ".join(text.get_text() for text in figure.figure.axes[0].texts)
    assert "Lab Issuing CA" in words
    assert "<svg" in figure.svg


def test_the_drawing_is_safe_and_says_what_it_is(root: ck.CertificateAuthority) -> None:
    evil = root.intermediate('<script>alert("1")</script> $x^$ \u202e').issue(HOST, usage="server")
    found = verify_chain(evil, root.trust_store, host=HOST, at=AT)
    drawing = found.graph().svg()
    ET.fromstring(drawing)
    assert "<script" not in found._repr_html_()
    assert "\u202e" not in drawing
    assert re.search(r"<title>Trusted: shop\.example\.test", drawing)
    assert 'role="img"' in drawing
    assert chain_figure(found.graph()).svg


def test_an_output_stays_small(root: ck.CertificateAuthority) -> None:
    chain = root.intermediate("Lab Issuing CA").issue(HOST, usage="server").chain
    for found in (
        verify_chain(chain, root.trust_store, host=HOST, at=AT),
        verify_chain(chain[0], root.trust_store, host="cart.example.test", at=AT),
        verify_chain(chain, (), host=HOST, at=AT),
    ):
        assert len(found._repr_html_().encode()) < 10_000


def test_a_truststore_and_nothing(root: ck.CertificateAuthority) -> None:
    anchors = [ck.CertificateAuthority(f"Root {number}", at=AT).certificate for number in range(60)]
    graph = chain_graph(ck.TrustStore(anchors, label="sixty roots"), at=AT)
    assert "60 anchors, all fine" in graph.svg()
    assert graph.title == "sixty roots"
    with pytest.raises(ArgumentError, match="nothing to draw"):
        chain_graph([])
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(graph)


def test_only_the_anchors_that_are_named_are_drawn(root: ck.CertificateAuthority) -> None:
    many = [ck.CertificateAuthority(f"Root {number}", at=AT).certificate for number in range(20)]
    graph = chain_graph(root.issue(HOST, usage="server"), [*many, root.certificate], at=AT)
    assert len(graph) == 2
    assert graph.more == 20
    assert "20 more certificates touch none of these" in graph.sentence
