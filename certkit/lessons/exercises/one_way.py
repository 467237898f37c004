"""Exercises of notebook 03: one-way TLS."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from certkit.certificates import Certificate
from certkit.chains import TrustStore
from certkit.credentials import Credential
from certkit.errors import ArgumentError
from certkit.faults import good_scenario
from certkit.faults.scenario import HOST
from certkit.handshakes import ClientConfig, ServerConfig, handshake
from certkit.keys import generate_key
from certkit.keystores import load_keystore
from certkit.lessons._judging import meet, one_of, outcome, pair_of, wanted
from certkit.lessons.exercise import Finding, exercise, miss, passed
from certkit.lessons.fixtures import company, material, today

PASSWORD = "changeit"  # noqa: S105 - the toy password of every practice file


@exercise(
    "3.1",
    title="where the curtain falls",
    level="predict",
    hints=(
        "When do both sides have a common key?",
        "In a ladder of TLS 1.3, look for the first arrow with a lock.",
        "The message before it carries the server's half of the key exchange.",
    ),
    answer="""
    ck.check("3.1", "ServerHello")
    # Both halves of the key exchange have crossed; from here on everything is encrypted, certificates too.
    """,
)
def where_the_curtain_falls(answer: object) -> Finding:
    """In TLS 1.3, what is the last handshake message that somebody on the way can read?

    "ClientHello", "ServerHello", "Certificate" or "Finished"?
    """
    choice = one_of(answer, "ClientHello", "ServerHello", "Certificate", "Finished")
    ca = company("Orders", "3.1")
    run = meet(ca.issue(HOST, usage="server"), ca.trust_store, HOST)
    open_ones = [item.name for item in run.messages if not item.encrypted and item.name != "ChangeCipherSpec"]
    tested = "a handshake in TLS 1.3, message by message"
    if choice not in open_ones:
        return miss(tested, f"{choice} crossed encrypted", "the first arrow with a lock", run)
    if choice != open_ones[-1]:
        return miss(tested, f"after {choice}, one more crossed readable", "the answer to it", run)
    return passed(tested, f"after {choice} everything is encrypted", run)


@exercise(
    "3.2",
    title="what the client needs",
    level="predict",
    hints=(
        "Who signed the server's certificate, and who signed that one?",
        "The client needs just one certificate of that chain, the one that nobody above vouches for.",
        '"root", "intermediate" or "leaf": which of the three does the server not send?',
    ),
    answer="""
    # The client must hold the root. The server sends the leaf and the intermediate;
    # sending the root as well would prove nothing, because anybody can send a root.
    ck.check("3.2", "root")
    """,
)
def what_the_client_needs(answer: object) -> Finding:
    """Which certificate of the server's chain must be in the client's truststore: "leaf", "intermediate" or "root"?"""
    scenario = good_scenario()
    parts = {
        "leaf": scenario.server.credential.certificate,
        "intermediate": scenario.server_ca.certificate,
        "root": scenario.server_ca.root.certificate,
    }
    choice = one_of(answer, *parts)
    client = ClientConfig(TrustStore([parts[choice]]), host=HOST)
    run = handshake(client, scenario.server)
    tested = f"a handshake in which the client trusts the {choice} only"
    if run.ok:
        return passed(tested, "the client built the path up to it and accepted the server", run)
    return miss(
        tested,
        run.verdict.rstrip("."),
        "which certificate is at the end of the path, and who can vouch for it",
        run,
    )


@material("3.3")
def _leaf_alone() -> Mapping[str, object]:
    """A server that sends its leaf alone, and three certificates out of the CA's mail."""
    ca, other = company("Orders", "3.3"), company("Acme", "3.3")
    server = ca.issue(HOST, usage="server")
    return {
        "server": server.with_chain([server.certificate]),
        "mailed": (other.certificate, ca.root.certificate, ca.certificate),
        "root": ca.root.certificate,
    }


@exercise(
    "3.3",
    title="the missing piece",
    level="change",
    hints=(
        "The client knows the root. Which certificate leads from the leaf to it?",
        "`server.certificate.issuer` is the name of the one that is missing.",
        "`server.with_chain([server.certificate, ...])`, with one of the three mailed ones.",
    ),
    answer="""
    given = ck.fixture("3.3")
    ck.check("3.3", given.server.with_chain([given.server.certificate, given.mailed[2]]))
    # The leaf and the intermediate that issued it; the root stays at the client's.
    """,
)
def the_missing_piece(answer: object) -> Finding:
    """The server of ck.fixture("3.3") sends its leaf alone, and clients refuse it.

    Give it the chain that it should send, out of the mailed certificates, and hand over the credential.
    """
    credential = wanted(answer, Credential, "server.with_chain([...])")
    given = _leaf_alone().parts
    root = given["root"]
    assert isinstance(root, Certificate)
    run = meet(credential, TrustStore([root]), HOST)
    tested = "a handshake with a client that trusts the root only"
    if not run.ok:
        return miss(tested, outcome(run), "the issuer's name on the leaf, and the subjects in the mail", run)
    if len(credential.chain) > 2:
        return miss(
            "which of the certificates you send the client needed",
            "it accepted you, and one of them was of no use to it",
            "what a client holds already, and who has nothing to do with this chain",
            run,
        )
    return passed(tested, "the client built the path and accepted the server", run)


@exercise(
    "3.4",
    title="the alert",
    level="predict",
    hints=(
        "What does the client lack: a valid date, a name, or somebody to believe?",
        "Run it: `ck.handshake(client, server)`, and look at what the client sends last.",
        "An alert is named after what its sender misses: the CA is unknown to it.",
    ),
    answer="""
    ck.check("3.4", "unknown_ca")
    # The client tells the server with this alert that it knows no CA above the server's certificate.
    """,
)
def the_alert(answer: object) -> Finding:
    """The client trusts another root than the server's. Which alert does it send?

    "certificate_expired", "unknown_ca", "bad_certificate" or "handshake_failure"?
    """
    choice = one_of(answer, "certificate_expired", "unknown_ca", "bad_certificate", "handshake_failure")
    server, stranger = company("Orders", "3.4"), company("Somebody", "3.4")
    run = meet(server.issue(HOST, usage="server"), stranger.trust_store, HOST)
    tested = "a handshake with a client that trusts another root"
    if run.client.alert_sent == choice:
        return passed(tested, "the client sent just that alert", run)
    return miss(tested, "the client sent another alert", "the last message of the ladder", run)


@exercise(
    "3.5",
    title="a certificate for two names",
    level="change",
    hints=(
        "Where does a client look for the host name: in the common name, or somewhere else?",
        "`issue` takes as many names as you like; each becomes a subject alternative name.",
        f'Give `issue` both names: "{HOST}" and "www.{HOST}", with `usage="server"`.',
    ),
    answer=f"""
    ca = ck.CertificateAuthority("My Root")
    server = ca.issue("{HOST}", "www.{HOST}", usage="server")
    ck.check("3.5", (server, ca.trust_store))
    # Both are subject alternative names; a client that wants either of them is content.
    """,
)
def two_names(answer: object) -> Finding:
    """Make one server credential that is good for orders.example.test and for www.orders.example.test.

    Hand over two things: the credential and the truststore that a client needs.
    """
    credential, anchors = pair_of(answer, Credential, TrustStore, 'ck.check("3.5", (server, ca.trust_store))')
    assert isinstance(anchors, TrustStore)
    for host in (HOST, f"www.{HOST}"):
        run = handshake(ClientConfig(anchors, host=host), ServerConfig(credential))
        if not run.ok:
            tested = f"a handshake with a client that wants {host}"
            found = f"{run.verdict.rstrip('.')} (cause: {run.cause})"
            return miss(
                tested,
                found,
                "the names on the certificate, its usage, and whose root the client trusts",
                run,
            )
    return passed(f"two handshakes, for {HOST} and for www.{HOST}", "both clients accepted your server", run)


@material("3.6")
def _for_a_keystore() -> Mapping[str, object]:
    """A key and its chain, for the server's keystore; the password is changeit."""
    ca = company("Orders", "3.6")
    return {"server": ca.issue(HOST, usage="server"), "root": ca.root.certificate}


@exercise(
    "3.6",
    title="into a keystore",
    level="change",
    hints=(
        "What has to be in the file, so that a server can present itself with it and nothing else?",
        '`ck.keystore_bytes(what, password, format="pkcs12")` writes a keystore.',
        "What to write is the whole credential: key, leaf and intermediate.",
    ),
    answer="""
    given = ck.fixture("3.6")
    ck.check("3.6", ck.keystore_bytes(given.server, "changeit", format="pkcs12"))
    # A credential is a key with its chain: both go into the file.
    """,
)
def into_a_keystore(answer: object) -> Finding:
    """Put the server of ck.fixture("3.6") into a PKCS#12 keystore with the password changeit.

    Hand over the file's bytes, or its path.
    """
    if not isinstance(answer, bytes | str | Path):
        raise ArgumentError(
            "this question asks for a file", on=type(answer).__name__, hint="bytes, or a path"
        )
    store = load_keystore(answer, PASSWORD)
    if store.format != "pkcs12":
        return miss("what the file is, by its content", f"it is {store.format_name}", "the format", store)
    root = _for_a_keystore().parts["root"]
    assert isinstance(root, Certificate)
    run = meet(store.credential(), TrustStore([root]), HOST)
    tested = "loading the file with its password, and a handshake with what was in it"
    if run.ok:
        return passed(tested, "it holds all that the server needs", run)
    return miss(tested, outcome(run), "what the file holds besides the key", run)


@material("3.7")
def _two_troubles() -> Mapping[str, object]:
    """A server that no client accepts, the client's truststore, and the CA that the company runs."""
    ca = company("Orders", "3.7")
    old = ca.issue("old-orders.example.test", usage="server", not_after=today() - timedelta(days=3))
    return {
        "server": old.with_chain([old.certificate]),
        "anchors": ca.trust_store,
        "ca": ca,
        "key": generate_key(seed="lesson 3.7"),
    }


@exercise(
    "3.7",
    title="the Monday morning server",
    level="case",
    hints=(
        "How many things are wrong? Repair one, run it again, read again.",
        "`ck.verify_chain(server, anchors, host=...)` lists everything at once.",
        "The CA can issue a new certificate, for the right name, for today, and with its chain.",
    ),
    answer=f"""
    case = ck.fixture("3.7")
    ck.check("3.7", case.ca.issue("{HOST}", usage="server"))
    # Wrong name, expired, and the intermediate missing: a new certificate, with its chain, mends all three.
    """,
)
def monday_morning(answer: object) -> Finding:
    """Clients of orders.example.test trust the anchors of ck.fixture("3.7"), and refuse its server.

    Hand over a credential with which they accept it, in TLS 1.2 and in TLS 1.3. The clients stay as they are.
    """
    credential = wanted(answer, Credential, "case.ca.issue(...)")
    anchors = _two_troubles().parts["anchors"]
    assert isinstance(anchors, TrustStore)
    for tls in ("1.2", "1.3"):
        run = meet(credential, anchors, HOST, tls=tls)
        if not run.ok:
            return miss(f"a client of {HOST} in TLS {tls}", outcome(run), "the cause that is named", run)
    return passed(f"clients of {HOST} in TLS 1.2 and 1.3", "both accepted the server", run)
