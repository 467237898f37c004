"""Exercises of notebook 00: the first handshakes."""

from __future__ import annotations

from collections.abc import Mapping

from certkit.authority import CertificateAuthority
from certkit.faults import find_fault
from certkit.handshakes import ClientConfig, ServerConfig, handshake
from certkit.lessons._judging import one_of, outcome, pair_of, wanted
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


@exercise(
    "0.4",
    title="what travels",
    level="predict",
    hints=(
        "The client compares what it was sent with what it holds already. Does anybody have to send it that?",
        "`ca.root.certificate.der in run.transcript`: the bytes of a certificate, looked for in all that crossed.",
        "Look how many certificates are in the message Certificate, and count those of the path.",
    ),
    answer="""
    ck.check("0.4", "it stayed")
    # The truststore stays where it is, and so does the root: the server sends what leads up to it.
    """,
)
def what_travels(answer: object) -> Finding:
    """A client trusts a root, and a handshake succeeds. What of the root's certificate: "it crossed" or "it stayed"?"""
    choice = one_of(answer, "it crossed", "it stayed")
    ca = company("Orders", "0.4")
    run = handshake(ClientConfig(ca.trust_store, host=HOST), ServerConfig(ca.issue(HOST, usage="server")))
    crossed = ca.root.certificate.der in run.transcript
    tested = "the root's bytes, looked for in everything that crossed in a good handshake"
    found = f"they are {'there' if crossed else 'not there'}, and {len(run.server_chain)} certificates are"
    if (choice == "it crossed") == crossed:
        return passed(tested, found, run)
    return miss(tested, found, "who had the root before the handshake began", run)


@material("0.5")
def _client_only() -> Mapping[str, object]:
    """A client that wants to call orders.example.test, and a CA below the root that it trusts."""
    ca = company("Orders", "0.5")
    return {"client": ClientConfig(ca.trust_store, host=HOST), "ca": ca}


@exercise(
    "0.5",
    title="a server of your own",
    level="change",
    hints=(
        "The first cells of this notebook made one. What of it has to be other here?",
        '`ck.ServerConfig(credential)` makes a server; `ca.issue(name, usage="server")` makes a credential.',
        'The CA is `ck.fixture("0.5").ca`, the name is the one that the client asks for.',
    ),
    answer=f"""
    given = ck.fixture("0.5")
    ck.check("0.5", ck.ServerConfig(given.ca.issue("{HOST}", usage="server")))
    # A CA that the client knows, the name that it asks for, and a certificate made for servers.
    """,
)
def server_of_your_own(answer: object) -> Finding:
    """Make a server that the client of ck.fixture("0.5") accepts. Hand over a ck.ServerConfig."""
    server = wanted(answer, ServerConfig, 'ck.ServerConfig(ca.issue(name, usage="server"))')
    client = _client_only().parts["client"]
    assert isinstance(client, ClientConfig)
    run = handshake(client, server)
    tested = "a handshake of that client with your server"
    if run.ok:
        return passed(tested, "they agree", run)
    return miss(tested, outcome(run), "the client's own words: they name what it missed", run)


@material("0.6")
def _strangers() -> Mapping[str, object]:
    """A client and a server that should talk and do not, and the CA of the server's company."""
    ca = company("Orders", "0.6")
    return {
        "client": ClientConfig(ca.trust_store, host=HOST),
        "server": ServerConfig(ca.issue(HOST.replace("orders", "order"), usage="server")),
        "ca": ca,
    }


@exercise(
    "0.6",
    title="a case",
    level="case",
    hints=(
        "Let them shake hands, and read what the one who refuses says.",
        "Compare the name that the client asks for with the name in the server's certificate, letter by letter.",
        "The client calls the right name. Who has to get a new certificate, and for which name?",
    ),
    answer=f"""
    given = ck.fixture("0.6")
    ck.check("0.6", (given.client, ck.ServerConfig(given.ca.issue("{HOST}", usage="server"))))
    # One letter was missing. A client that stops comparing names would talk to everybody that the CA knows.
    """,
)
def a_case(answer: object) -> Finding:
    """The client and the server of ck.fixture("0.6") should talk, and do not. Repair the one that is wrong.

    Hand over both, as (client, server).
    """
    client, server = pair_of(answer, ClientConfig, ServerConfig, 'ck.check("0.6", (client, server))')
    given = _strangers().parts["client"]
    assert isinstance(server, ServerConfig)
    run = handshake(client, server)
    tested = "a handshake of the two, and whether the client still asks what it asked before"
    if not run.ok:
        return miss(tested, outcome(run), "the words of the one who refused", run)
    if client != given:
        return miss(tested, "they agree, but the client was changed, and it was right", "the other side", run)
    return passed(tested, "they agree, and the client asks what it asked before", run)
