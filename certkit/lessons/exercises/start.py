"""Exercises of notebook 00: the first handshakes."""

from __future__ import annotations

from collections.abc import Mapping

from certkit.authority import CertificateAuthority
from certkit.faults import find_fault
from certkit.handshakes import ClientConfig, ServerConfig, handshake
from certkit.lessons._judging import one_of, outcome, wanted
from certkit.lessons.exercise import Finding, exercise, miss, passed
from certkit.lessons.fixtures import company, material, today

HOST = "orders.example.test"


@exercise(
    "0.1",
    title="who refuses",
    level="predict",
    hints=(
        "Who looks at the server's certificate: its owner, or the one who has to believe it?",
        "Choose the expired certificate in the lab of this notebook, and look who sends the alert.",
        "The alert runs from left to right. Who stands on the left?",
    ),
    answer="""
    ck.check("0.1", "the client")
    # A server does not look at its own certificate: it presents it, also when it is long out of date.
    """,
)
def who_refuses(answer: object) -> Finding:
    """The server's certificate expired yesterday, and a client calls. Who refuses: "the client", "the server" or "nobody"?"""
    choice = one_of(answer, "the client", "the server", "nobody")
    run = find_fault("expired-leaf").run()
    tested = "a server with a certificate that expired yesterday, and a client that calls it"
    if choice == "the client" and run.client.outcome == "refused":
        return passed(tested, f"the client refused it, with the alert {run.client.alert_sent}", run)
    if choice == "nobody":
        return miss(tested, "somebody refused", "the red arrow in the picture", run)
    return miss(
        tested, "the server presented it without a word", "the end at which the red arrow begins", run
    )


@material("0.2")
def _distrust() -> Mapping[str, object]:
    """A server with a good certificate, and two roots. One of them is at the top of the server's chain."""
    ca = company("Orders", "0.2")
    other = CertificateAuthority("Acme Root CA", seed="lesson 0.2 other", at=today())
    return {
        "server": ServerConfig(ca.issue(HOST, usage="server")),
        "roots": (other.certificate, ca.root.certificate),
    }


@exercise(
    "0.2",
    title="make them agree",
    level="change",
    hints=(
        "What does the client need, so that it can believe the server?",
        "`ck.ClientConfig(truststore)` makes a client; `ck.TrustStore([certificate])` makes a truststore.",
        'Which of the two roots has the name of the server\'s company? `ck.fixture("0.2").roots[...]`.',
    ),
    answer="""
    given = ck.fixture("0.2")
    ck.check("0.2", ck.ClientConfig(ck.TrustStore([given.roots[1]])))
    # The server is not touched: it is the client who has to know the root above it.
    """,
)
def make_them_agree(answer: object) -> Finding:
    """Make a client that accepts the server of ck.fixture("0.2") and trusts nobody else. Hand over a ck.ClientConfig."""
    client = wanted(answer, ClientConfig, "ck.ClientConfig(ck.TrustStore([certificate]))")
    given = _distrust().parts
    server, roots = given["server"], given["roots"]
    assert isinstance(server, ServerConfig)
    assert isinstance(roots, tuple)
    run = handshake(client, server)
    tested = "a handshake of your client with that server"
    if not run.ok:
        return miss(tested, outcome(run), "whose root the client has to know", run)
    if not client.check_host:
        return miss(tested, "they agree, but your client compares no names", "what you switched off", run)
    if roots[0] in client.anchors:
        return miss(
            tested, "they agree, but your client also trusts a root that it does not need", "its truststore", run
        )  # fmt: skip
    return passed(tested, "they agree", run)


@material("0.3")
def _failed() -> Mapping[str, object]:
    """A call that failed this morning, as both ends recorded it."""
    return {"run": find_fault("client-cert-missing").run()}


@exercise(
    "0.3",
    title="who has to change something",
    level="case",
    hints=(
        "The side that complains is not always the side that has to change. What was it missing?",
        'Show `ck.fixture("0.3").run`: which message asks for something, and what comes in answer?',
        "The server asked for a certificate and got an empty message. Whose certificate?",
    ),
    answer="""
    ck.fixture("0.3").run
    ck.check("0.3", "the client")
    # The server refused, and it was right: it asked for a certificate, and the client had none to show.
    """,
)
def who_has_to_change(answer: object) -> Finding:
    """Look at ck.fixture("0.3").run. Who has to change something: "the client" or "the server"?"""
    choice = one_of(answer, "the client", "the server")
    fault = find_fault("client-cert-missing")
    repaired = fault.repair(fault.scenario()).run()
    tested = "the same server, untouched, and a client that has a certificate"
    found = "both sides are content" if repaired.ok else outcome(repaired)
    if choice == f"the {fault.side}":
        return passed(tested, found, repaired)
    return miss(tested, found, "what the server asked for, and what it got", repaired)
