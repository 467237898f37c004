"""Exercises of notebook 05: from what a system says to what is wrong."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import timedelta

from certkit.chains import Chain, TrustStore
from certkit.errors import ArgumentError
from certkit.faults import find_fault, good_scenario
from certkit.handshakes import ClientConfig, Handshake, ServerConfig, handshake
from certkit.keystores import keystore_bytes, load_keystore
from certkit.lessons._judging import meet, one_of, outcome, wanted
from certkit.lessons.exercise import Finding, exercise, miss, passed
from certkit.lessons.fixtures import company, material, today
from certkit.services import ForwardProxy, UserService, call_update_user
from certkit.services.callout import STEPS
from certkit.stacks.java import java_available, java_pkix
from certkit.verification import verify_chain

HOST = "orders.example.test"
CLIENT = "Acme CRM"
PASSWORD = "changeit"  # noqa: S105 - the toy password of every practice file


@exercise(
    "5.1",
    title="whose verdict, on whom",
    level="predict",
    hints=(
        "Who sends an alert: the side that is content, or the side that is not?",
        "The client *received* it. So who sent it, and about what?",
        "It is not about what the client trusts. What did the client show?",
    ),
    answer="""
    ck.check("5.1", "the server's, on the client's certificate")
    # An alert that is received is the other side's verdict on us: the server knows no CA above our certificate.
    """,
)
def whose_verdict(answer: object) -> Finding:
    """A client reports: received fatal alert: unknown_ca. Whose verdict is it, and on what?

    "the client's, on the server's certificate" or "the server's, on the client's certificate"?
    """
    choice = one_of(
        answer, "the client's, on the server's certificate", "the server's, on the client's certificate"
    )
    ours, theirs, stranger = (company(name, "5.1") for name in ("Orders", "Acme", "Stranger"))
    server, client = ours.issue(HOST, usage="server"), theirs.issue(CLIENT, usage="client")
    if choice.startswith("the client's"):
        run = meet(server, stranger.trust_store, HOST, client=client, client_anchors=theirs.trust_store)
        tested = "a handshake in which the client does not know the server's CA"
        found = "the client sent unknown_ca and received nothing; it is the server that received it"
        return miss(tested, found, "the word received", run)
    run = meet(server, ours.trust_store, HOST, client=client, client_anchors=stranger.trust_store)
    tested = "a handshake in which the server does not know the client's CA"
    if run.client.alert_received == "unknown_ca":
        return passed(tested, "the client received unknown_ca", run)
    return miss(tested, outcome(run), "the word received", run)


def _sender_forgot() -> Handshake:
    scenario = good_scenario()
    server = scenario.server.credential
    return meet(server.with_chain([server.certificate]), scenario.client.anchors, HOST)


@material("5.2")
def _log() -> Mapping[str, object]:
    """Two lines from a failed call: what each side logged, and the certificates that the client received."""
    run = _sender_forgot()
    lines = [f"{end.name}: {end.error}" for end in (run.client, run.server)]
    received = [f"received: subject {item.subject}; issuer {item.issuer}" for item in run.server_chain]
    trusted = [f"client trusts: {item.subject}" for item in run.client_config.anchors]
    return {"log": "\n".join([*lines, *received, *trusted])}


@exercise(
    "5.2",
    title="name the cause",
    level="case",
    hints=(
        "The client could not lead the server's certificate up to its root. Which step of the ladder is not there?",
        "Compare the issuer of what was received with the subject of what is trusted.",
        "`[fault.cause for fault in ck.list_faults()]` are the names; several come with these words of the client.",
    ),
    answer="""
    print(ck.fixture("5.2").log)
    ck.check("5.2", "missing-intermediate")
    # One certificate was received, its issuer is neither sent nor trusted, and the root above is trusted.
    """,
)
def name_the_cause(answer: object) -> Finding:
    """Read ck.fixture("5.2").log. Which cause is it? Hand over a cause id, e.g. "expired-leaf"."""
    name = wanted(answer, str, '"expired-leaf", for example')
    cause = find_fault(name).cause
    scenario = find_fault(name).scenario()
    mine = handshake(scenario.client, scenario.server, scenario.tls)
    theirs = _sender_forgot()
    tested = f"the fault {find_fault(name).id}, reproduced, and its words beside those of the log"
    if mine.client.verify_code != theirs.client.verify_code:
        says = mine.client.error or mine.server.error or "nothing"
        return miss(tested, f"it gives other words: {says}", "what the client says in the log", mine)
    if len(mine.server_chain) != len(theirs.server_chain):
        found = f"the same words, but the client then receives {len(mine.server_chain)} certificates"
        return miss(tested, found, "how many certificates were received in the log", mine)
    if cause != theirs.cause:
        found = "the same words, with another chain and another truststore"
        return miss(tested, found, "who issued what was received, and whom the client trusts", mine)
    return passed(tested, "the same words, and as many certificates", mine)


@exercise(
    "5.3",
    title="PKIX path building failed",
    level="predict",
    hints=(
        "Whose path is being built, and by whom: the path of the one who speaks, or of the one who listens?",
        "The words come from the client's side. It tries to lead the server's certificate up to something.",
        "To build a path is one step, to look at the dates on it the next. Which of the three stops the first step?",
    ),
    answer="""
    ck.check("5.3", "the client does not know the root")
    # Building comes before validating: without a root there is no path at all. Expiry is found on a path
    # ("path validation failed"), and a missing client certificate is told by the server, with an alert.
    """,
)
def path_building(answer: object) -> Finding:
    """A Java client says: PKIX path building failed. Which of these set-ups makes it say so?

    "the client has no certificate", "the client does not know the root" or "the server's certificate expired"?
    """
    no_client, no_root, expired = (
        "the client has no certificate",
        "the client does not know the root",
        "the server's certificate expired",
    )
    choice = one_of(answer, no_client, no_root, expired)
    ours, stranger = company("Orders", "5.3"), company("Stranger", "5.3")
    good = ours.issue(HOST, usage="server").chain
    old = ours.issue(HOST, usage="server", not_after=today() - timedelta(days=1)).chain
    chain, anchors = {
        no_client: (good, ours.trust_store),
        no_root: (good, stranger.trust_store),
        expired: (old, ours.trust_store),
    }[choice]
    who, says, builds = _java_says(chain, anchors)
    tested = f"{who} with this set-up: {choice}"
    if builds:
        return passed(tested, says)
    return miss(tested, says, "the second word of the message, and what has to be there before it can begin")


def _java_says(chain: Chain, anchors: TrustStore) -> tuple[str, str, bool]:
    """Return who was asked about a server's chain, what it says, and whether it failed to build a path."""
    if java_available():
        verdict = java_pkix(chain, anchors, host=HOST)
        names = [name for name, _ in verdict.error.chain] if verdict.error else []
        says = verdict.text.partition(" <- ")[0] if verdict.error else "it accepts the server"
        return f"the real Java {verdict.java}", says, any("CertPathBuilder" in name for name in names)
    judged = verify_chain(chain, anchors, host=HOST)
    built = judged.best_path is not None and judged.best_path.end == "anchor"
    says = "it accepts the server" if judged.ok else judged.verdict.rstrip(".")
    return "certkit's verifier (there is no Java here)", says, not built


@material("5.4")
def _misnamed() -> Mapping[str, object]:
    """Four files from a colleague. The names say one thing, the contents another; the password is changeit."""
    theirs = company("Acme", "5.4")
    client = theirs.issue(CLIENT, usage="client")
    return {
        "client.p12": client.certificate.der,
        "client.cer": keystore_bytes(client.chain, format="pkcs7"),
        "client.jks": keystore_bytes({"acme": client}, PASSWORD, format="pkcs12"),
        "client.key": keystore_bytes({"acme": client}, PASSWORD, format="jks"),
    }


@exercise(
    "5.4",
    title="what a file really is",
    level="change",
    hints=(
        "Does the name of a file decide what is in it?",
        '`ck.load_keystore(data, "changeit")` goes by the content; `.format` says what it found.',
        'Try each of `ck.fixture("5.4").files` and look for "pkcs12".',
    ),
    answer="""
    files = ck.fixture("5.4").files
    formats = {name: ck.load_keystore(data, "changeit").format for name, data in files.items()}
    ck.check("5.4", [name for name in formats if formats[name] == "pkcs12"][0])
    """,
)
def what_a_file_is(answer: object) -> Finding:
    """The platform wants a PKCS#12 keystore. Which of the files in ck.fixture("5.4") is one? Hand over its name."""
    files = _misnamed().files
    name = one_of(answer, *files)
    store = load_keystore(files[name], PASSWORD)
    tested = f"the content of {name}, loaded with the password"
    if store.format == "pkcs12":
        return passed(tested, f"it is {store.format_name}, with {store.summary}", store)
    return miss(tested, f"it is {store.format_name}", "what is in the files, not how they are called", store)


@material("5.5")
def _quoted() -> Mapping[str, object]:
    """A client's keystore as it came in a mail: base64, quoted by a reply. The password is changeit."""
    client = company("Acme", "5.5").issue(CLIENT, usage="client")
    text = base64.b64encode(keystore_bytes(client, PASSWORD, format="pkcs12")).decode()
    lines = [f"> {text[at : at + 60]}" for at in range(0, len(text), 60)]
    return {"mail": "\n".join(["Anna wrote:", *lines, "", "Kind regards"]), "client": client.chain}


@exercise(
    "5.5",
    title="pasted out of a mail",
    level="change",
    hints=(
        "What did the mail program add, and what belongs to the file?",
        "Only the lines that begin with > carry base64, and the > is not part of it.",
        '`"".join(line[2:] for line in mail.splitlines() if line.startswith("> "))`, and then `base64.b64decode`.',
    ),
    answer="""
    import base64
    mail = ck.fixture("5.5").mail
    text = "".join(line[2:] for line in mail.splitlines() if line.startswith("> "))
    ck.check("5.5", base64.b64decode(text))
    # Marks of a reply are not base64. Better still: send files as files.
    """,
)
def out_of_a_mail(answer: object) -> Finding:
    """The keystore in ck.fixture("5.5").mail was pasted out of a reply, and nothing can read it. Hand over the file's bytes."""
    data = answer
    if isinstance(answer, str):
        try:
            data = base64.b64decode(answer, validate=True)
        except (binascii.Error, ValueError):
            return miss(
                "undoing the base64 of your text",
                "there are characters in it that base64 does not have",
                "the beginning of each line",
            )
    store = load_keystore(wanted(data, bytes, "base64.b64decode(...)"), PASSWORD)
    tested = "loading your bytes with the password"
    if not store.keys or store.integrity != "verified":
        return miss(tested, f"it holds {store.summary}", "whether all lines of the mail are in it", store)
    chain = _quoted().parts["client"]
    assert isinstance(chain, Chain)
    if store.credential().certificate.spki_sha256 != chain.leaf.spki_sha256:
        return miss(tested, "it is a keystore, but not the one in the mail", "the fixture's mail", store)
    return passed(tested, f"it opens, it is unchanged, and it holds {store.summary}", store)


@exercise(
    "5.6",
    title="how far did it come",
    level="predict",
    hints=(
        "Who speaks in this message: the server, or somebody before it?",
        "The proxy is asked to CONNECT before anything else. What happens if it says no?",
        'Try it: `ck.call_update_user(url, "u-1001", "Active", client, proxy=...)` tells its `.step`.',
    ),
    answer="""
    ck.check("5.6", "proxy")
    # The proxy said no to CONNECT. Not one byte of TLS was sent: certificates have nothing to do with it.
    """,
)
def how_far(answer: object) -> Finding:
    """A client reports: Unable to tunnel through proxy. Proxy returns "HTTP/1.0 503 Service unavailable".

    At which step did the call end: "allow-list", "proxy", "connect", "handshake", "request" or "answer"?
    """
    choice = one_of(answer, *STEPS)
    ours = company("Orders", "5.6")
    security = ServerConfig(ours.issue("localhost", usage="server"))
    with UserService(security) as service, ForwardProxy("unavailable") as proxy:
        client = ClientConfig(ours.trust_store, host="localhost")
        call = call_update_user(service.url, "u-1001", "Active", client, proxy=proxy.url)
        handshakes = len(service.log)
    tested = "a real call through a proxy that answers 503, and the service's log"
    if choice == call.step:
        return passed(tested, f"the call ended there; the service saw {handshakes} connections", call)
    found = f"the service saw {handshakes} connections"
    return miss(tested, found, "who returns the 503, and at which moment it is asked", call)


@material("5.7")
def _two_keys() -> Mapping[str, object]:
    """The client's keystore, grown over the years, and the server's truststore for clients. The password is changeit."""
    theirs, former = company("Acme", "5.7"), company("Acme Former", "5.7")
    entries = {
        "acme": theirs.issue(CLIENT, usage="client", not_after=today() - timedelta(days=40)),
        "acme-new": former.issue(CLIENT, usage="client"),
        "acme-crm": theirs.issue(CLIENT, usage="client"),
        "acme-web": theirs.issue("www.acme.example.test", usage="server"),
    }
    return {
        "acme.p12": keystore_bytes(entries, PASSWORD, format="pkcs12"),
        "server_trusts": theirs.trust_store,
    }


@exercise(
    "5.7",
    title="the right alias",
    level="change",
    hints=(
        "What must be true of a certificate that the server lets in? Three things.",
        '`ck.load_keystore(ck.fixture("5.7").files["acme.p12"], "changeit")` shows the entries.',
        "In date, for clients, and below the root in `server_trusts`: the alias does not tell, the certificate does.",
    ),
    answer="""
    case = ck.fixture("5.7")
    store = ck.load_keystore(case.files["acme.p12"], "changeit")
    fits = [
        alias for alias in store.aliases
        if ck.verify_chain(store.credential(alias), case.server_trusts, purpose="client").ok
    ]
    ck.check("5.7", fits[0])
    """,
)
def the_right_alias(answer: object) -> Finding:
    """The keystore acme.p12 of ck.fixture("5.7") has four entries. With which alias is the client let in?"""
    case = _two_keys()
    store = load_keystore(case.files["acme.p12"], PASSWORD)
    alias = one_of(answer, *store.aliases)
    anchors = case.parts["server_trusts"]
    if not isinstance(anchors, TrustStore):
        raise ArgumentError("the fixture is damaged")
    ours = company("Orders", "5.7")
    run = meet(
        ours.issue(HOST, usage="server"),
        ours.trust_store,
        HOST,
        client=store.credential(alias),
        client_anchors=anchors,
    )
    tested = f"a two-way handshake with the entry {alias}"
    if run.ok:
        return passed(tested, "the server let the client in", run)
    return miss(tested, outcome(run), "dates, usage and issuer of the entries", run)
