"""Exercises of notebook 04: two-way TLS (mutual TLS)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from datetime import timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from certkit.chains import TrustStore
from certkit.credentials import Credential
from certkit.errors import ArgumentError
from certkit.handshakes import ClientConfig, Handshake, ServerConfig, handshake
from certkit.keys import generate_key
from certkit.keystores import load_keystore
from certkit.lessons._judging import meet, one_of, outcome, wanted
from certkit.lessons.exercise import Finding, exercise, miss, passed
from certkit.lessons.fixtures import company, material, today

HOST = "orders.example.test"
CLIENT = "Acme CRM"
PASSWORD = "changeit"  # noqa: S105 - the toy password of every practice file


@material("4.1")
def _client_ca() -> Mapping[str, object]:
    """The CA of the client's company."""
    return {"ca": company("Acme", "4.1")}


@exercise(
    "4.1",
    title="a certificate for a client",
    level="change",
    hints=(
        "How does a certificate say whether it is for a server or for a client?",
        "`usage=` of `issue` sets the extended key usage.",
        f'`ck.fixture("4.1").ca.issue("{CLIENT}", usage=...)`.',
    ),
    answer=f"""
    ca = ck.fixture("4.1").ca
    ck.check("4.1", ca.issue("{CLIENT}", usage="client"))
    # Extended key usage clientAuth: the server's library looks for just that.
    """,
)
def a_certificate_for_a_client(answer: object) -> Finding:
    """Let the CA of ck.fixture("4.1") issue a credential with which the client "Acme CRM" can call. Hand over the credential."""
    credential = wanted(answer, Credential, "ca.issue(name, usage=...)")
    ours, theirs = company("Orders", "4.1"), company("Acme", "4.1")
    server = ours.issue(HOST, usage="server")
    run = meet(server, ours.trust_store, HOST, client=credential, client_anchors=theirs.trust_store)
    tested = "a two-way handshake with a server that trusts the root of that CA"
    if not run.ok:
        return miss(tested, outcome(run), "what the certificate says that it is for, and who signed it", run)
    if credential.certificate.name != CLIENT:
        return miss(
            "whom the server thinks it talks to", credential.certificate.name, "the name asked for", run
        )
    return passed(tested, f"the server let {CLIENT} in", run)


@material("4.2")
def _one_way_server() -> Mapping[str, object]:
    """A one-way server and the root above the clients that may call it."""
    ours, theirs = company("Orders", "4.2"), company("Acme", "4.2")
    return {
        "server": ours.issue(HOST, usage="server"),
        "client_root": theirs.root.certificate,
        "server_root": ours.root.certificate,
    }


@exercise(
    "4.2",
    title="ask who calls",
    level="change",
    hints=(
        "What makes a server ask for a certificate at all?",
        "`ck.ServerConfig` has two things: what the server presents, and `client_anchors`.",
        "`ck.ServerConfig(given.server, client_anchors=ck.TrustStore([...]))`, with the root above the clients.",
    ),
    answer="""
    given = ck.fixture("4.2")
    ck.check("4.2", ck.ServerConfig(given.server, client_anchors=ck.TrustStore([given.client_root])))
    # One parameter makes it two-way: whose clients are let in.
    """,
)
def ask_who_calls(answer: object) -> Finding:
    """Make the server of ck.fixture("4.2") two-way: let clients below client_root in, and nobody else.

    Hand over a ck.ServerConfig.
    """
    config = wanted(answer, ServerConfig, "ck.ServerConfig(server, ...)")
    ours, theirs, stranger = (company(name, "4.2") for name in ("Orders", "Acme", "Stranger"))
    callers = {
        "Acme CRM": (theirs.issue(CLIENT, usage="client"), True),
        "a client without a certificate": (None, False),
        "a client of another company": (stranger.issue("Stranger", usage="client"), False),
        "your own server as a client": (ours.issue("Orders batch", usage="client"), False),
    }
    for name, (credential, wished) in callers.items():
        run = handshake(ClientConfig(ours.trust_store, credential, host=HOST), config)
        if run.ok != wished:
            found = outcome(run) if wished else "it was let in"
            return miss(f"a call by {name}", found, "whose root is in client_anchors", run)
    return passed("four callers", "one was let in, three were refused", run)


@exercise(
    "4.3",
    title="what the server needs",
    level="predict",
    hints=(
        "Turn exercise 3.2 round: who vouches for the client?",
        "Next year the client renews its certificate. What should the server not have to change then?",
        '"the leaf", "the root" or "the private key": which one stays the same over many renewals, and is no secret?',
    ),
    answer="""
    ck.check("4.3", "the root")
    # The server trusts whom that root vouches for. Certificates may be renewed; the truststore stays.
    """,
)
def what_the_server_needs(answer: object) -> Finding:
    """A CA signed the client's request. What must be in the server's truststore to let the client in?

    Of the client: "the leaf", "the root" or "the private key"?
    """
    choice = one_of(answer, "the leaf", "the root", "the private key")
    ours, theirs = company("Orders", "4.3"), company("Acme", "4.3")
    client = theirs.issue(CLIENT, usage="client")
    if choice == "the private key":
        return miss(
            "putting the client's private key into a truststore",
            "a truststore holds certificates; and whoever has the key is the client",
            "what may leave the client's machine",
        )
    store = theirs.trust_store if choice == "the root" else TrustStore([client.certificate])
    server = ours.issue(HOST, usage="server")
    renewed = theirs.issue(CLIENT, usage="client", days=365)
    tested = f"handshakes with a server that trusts {choice}: with the client's certificate of today, and with the renewed one"
    for credential in (client, renewed):
        run = meet(server, ours.trust_store, HOST, client=credential, client_anchors=store)
        if not run.ok:
            return miss(tested, outcome(run), "who vouches for both of them", run)
    return passed(tested, "the server let the client in, both times", run)


@exercise(
    "4.4",
    title="the proof",
    level="predict",
    hints=(
        "A certificate is public: sending it proves nothing. What can only the owner of the key do?",
        "Show a two-way handshake: which message of the client comes right after its Certificate?",
        "It is a signature over all messages so far.",
    ),
    answer="""
    ck.check("4.4", "CertificateVerify")
    # A signature over everything said so far: only the owner of the key can make it, and the key stays at home.
    """,
)
def the_proof(answer: object) -> Finding:
    """With which message does the client prove that it has the private key?

    "ClientHello", "Certificate", "CertificateVerify" or "Finished"?
    """
    choice = one_of(answer, "ClientHello", "Certificate", "CertificateVerify", "Finished")
    ours, theirs = company("Orders", "4.4"), company("Acme", "4.4")
    client = theirs.issue(CLIENT, usage="client")
    server = ours.issue(HOST, usage="server")
    run = meet(server, ours.trust_store, HOST, client=client, client_anchors=theirs.trust_store)
    tested = f"the client's {choice}: does it hold a signature that only the client's key can have made?"
    if _is_signed(run, choice):
        return passed(tested, "it does, over every message before it (RFC 8446, 4.4.3)", run)
    return miss(
        tested, "no signature of the client's key is in it", "the message whose name says what it does", run
    )


def _is_signed(run: Handshake, name: str) -> bool:
    """Return whether the client's message of that name is a signature with its key over all before it."""
    transcript = b""
    for item in run.messages:
        if (item.sender, item.name) == ("client", name):
            signed = b" " * 64 + b"TLS 1.3, client CertificateVerify\x00"
            digest = "sha384" if "SHA384" in (run.cipher or "") else "sha256"
            signed += hashlib.new(digest, transcript).digest()
            key = run.client_config.credential.key.raw.public_key()  # type: ignore[union-attr]
            assert isinstance(key, ec.EllipticCurvePublicKey)
            try:
                key.verify(item.body[8:], signed, ec.ECDSA(hashes.SHA256()))
            except InvalidSignature:
                return False
            return True
        if item.name not in ("ChangeCipherSpec", "Alert", "ApplicationData"):
            transcript += item.body
    return False


_ALERTS = ("handshake_failure", "certificate_required", "unknown_ca", "bad_certificate")


@exercise(
    "4.5",
    title="nothing to show",
    level="predict",
    hints=(
        "The server asked and got an empty answer. Did TLS always have a word of its own for that?",
        "Run `ck.handshake(client, server, tls)` with both versions, with a client that has no credential.",
        "The newer version has the better word: the certificate is required.",
    ),
    answer="""
    ck.check("4.5", ("handshake_failure", "certificate_required"))
    # TLS 1.2 has no alert of its own for a missing client certificate, TLS 1.3 has one.
    """,
)
def nothing_to_show(answer: object) -> Finding:
    """The server asks for a certificate and the client has none. Which alert does the server send?

    Hand over two words, for TLS 1.2 and for TLS 1.3, out of: "handshake_failure", "certificate_required",
    "unknown_ca", "bad_certificate".
    """
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        raise ArgumentError("this question asks for two alerts", hint='("…", "…"), for TLS 1.2 and 1.3')
    ours, theirs = company("Orders", "4.5"), company("Acme", "4.5")
    server = ours.issue(HOST, usage="server")
    for tls, said in zip(("1.2", "1.3"), answer, strict=True):
        choice = one_of(said, *_ALERTS)
        run = meet(server, ours.trust_store, HOST, client_anchors=theirs.trust_store, tls=tls)
        if run.server.alert_sent != choice:
            return miss(
                f"a handshake in TLS {tls}, with no client certificate",
                "the server sent another alert",
                "the last message of the ladder",
                run,
            )
    return passed("two handshakes without a client certificate", "both alerts are the ones you named", run)


@material("4.6")
def _for_the_platform() -> Mapping[str, object]:
    """The client's credential, for a platform that wants it as text."""
    theirs = company("Acme", "4.6")
    return {"client": theirs.issue(CLIENT, usage="client")}


@exercise(
    "4.6",
    title="a keystore as text",
    level="change",
    hints=(
        "Which format can hold a key and a chain in one sealed file?",
        '`ck.keystore_bytes(client, "changeit", format="pkcs12")`, and then as text.',
        "`base64.b64encode(data).decode()` makes text of bytes.",
    ),
    answer="""
    import base64
    client = ck.fixture("4.6").client
    ck.check("4.6", base64.b64encode(ck.keystore_bytes(client, "changeit", format="pkcs12")).decode())
    # Base64 is the writing, PKCS#12 is the format: a reader must undo both, and know the password.
    """,
)
def a_keystore_as_text(answer: object) -> Finding:
    """The platform takes a client certificate as base64 of a PKCS#12 keystore, with its password.

    Make that text for the client of ck.fixture("4.6"), password changeit.
    """
    text = wanted(answer, str, "base64 text")
    try:
        data = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return miss(
            "undoing the base64",
            "there are characters in it that base64 does not have",
            "PEM has lines before and after",
        )
    store = load_keystore(data, PASSWORD)
    if store.format != "pkcs12":
        return miss(
            "what is inside the base64, by its content", f"it is {store.format_name}", "the format", store
        )
    ours, theirs = company("Orders", "4.6"), company("Acme", "4.6")
    run = meet(
        ours.issue(HOST, usage="server"),
        ours.trust_store,
        HOST,
        client=store.credential(),
        client_anchors=theirs.trust_store,
    )
    tested = "undoing the base64, loading the keystore, and a two-way handshake with what was in it"
    if run.ok:
        return passed(tested, f"the server let {CLIENT} in", run)
    return miss(tested, outcome(run), "what the keystore holds besides the key", run)


@material("4.7")
def _refused_client() -> Mapping[str, object]:
    """Your client, refused since this morning; a key of yours; your company's CA; and the server, which is not yours."""
    ours, theirs = company("Orders", "4.7"), company("Acme", "4.7")
    old = theirs.issue(
        "crm.acme.example.test", usage="server", common_name=CLIENT, not_after=today() - timedelta(days=1)
    )
    return {
        "client": ClientConfig(ours.trust_store, old.with_chain([old.certificate]), host=HOST),
        "server": ServerConfig(ours.issue(HOST, usage="server"), client_anchors=theirs.trust_store),
        "key": generate_key(seed="lesson 4.7"),
        "ca": theirs,
    }


@exercise(
    "4.7",
    title="refused since this morning",
    level="case",
    hints=(
        "An alert that you receive is the other side's verdict on you. What did you show?",
        '`ck.verify_chain(client.credential, server.client_anchors, purpose="client")` lists all that is wrong with it.',
        "A new certificate, for a client, for today, sent with its intermediate. The server is not yours to change.",
    ),
    answer=f"""
    case = ck.fixture("4.7")
    csr = ck.create_csr("{CLIENT}", key=case.key)
    mine = ck.Credential(case.key, case.ca.sign_csr(csr, usage="client"))
    ck.check("4.7", ck.ClientConfig(case.client.anchors, mine, host="{HOST}"))
    # It was expired, for servers, and sent without its intermediate: three reasons, one new certificate.
    """,
)
def refused_since_this_morning(answer: object) -> Finding:
    """The client of ck.fixture("4.7") is refused by its server, which belongs to somebody else. Repair your side.

    Hand over a ck.ClientConfig that is let in, in TLS 1.2 and in TLS 1.3, and still checks the server's name.
    """
    client = wanted(answer, ClientConfig, "ck.ClientConfig(anchors, credential, host=...)")
    server = _refused_client().parts["server"]
    assert isinstance(server, ServerConfig)
    if not client.check_host or client.host != HOST:
        return miss(
            "whether your client still checks whom it talks to",
            "it would also talk to another server",
            "what has nothing to do with the refusal",
        )
    for tls in ("1.2", "1.3"):
        run = handshake(client, server, tls)
        if not run.ok:
            return miss(f"a call in TLS {tls}", outcome(run), "what the server says of your certificate", run)
    stranger = company("Stranger", "4.7").issue(HOST, usage="server")
    if handshake(client, ServerConfig(stranger)).ok:
        return miss(
            "your client, meeting a server of somebody else",
            "it believes that one too",
            "whom your client trusts",
        )
    return passed("calls in TLS 1.2 and 1.3, and one to an impostor", "let in, let in, and not fooled", run)
