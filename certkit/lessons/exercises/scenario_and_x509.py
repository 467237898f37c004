"""Exercises of notebook 01: the scenario, and what a certificate is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from certkit._files import utc
from certkit.authority import CertificateAuthority
from certkit.certificates import Certificate
from certkit.chains import Chain
from certkit.credentials import Credential
from certkit.csr import CertificateSigningRequest, create_csr
from certkit.keys import PrivateKey, generate_key
from certkit.keystores import load_keystore
from certkit.lessons._judging import meet, one_of, outcome, wanted, words
from certkit.lessons.exercise import Finding, exercise, miss, passed
from certkit.lessons.fixtures import company, material, today
from certkit.verification import verify_chain

HOST = "orders.example.test"
_SPKI = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@material("1.1")
def _drawer() -> Mapping[str, object]:
    """A drawer with three files of the server's administrator. One of them goes to the CA."""
    key = generate_key(seed="lesson 1.1")
    own = CertificateAuthority(HOST, key=key, seed="lesson 1.1", at=today())
    return {
        "orders.key": key.to_pem(),
        "orders.csr": create_csr(HOST, key=key).pem.encode(),
        "selfsigned.pem": own.certificate.pem.encode(),
    }


@exercise(
    "1.1",
    title="what goes to the CA",
    level="change",
    hints=(
        "Which of the files would let its reader pose as the server?",
        '`ck.load_keystore(ck.fixture("1.1").files["orders.key"])` says what a file holds.',
        "The CA needs a name, a public key, and a proof that the sender has the private key: one file has all three.",
    ),
    answer="""
    ck.check("1.1", ["orders.csr"])
    # The request is all that a CA needs. The key never leaves its machine, also not to a CA.
    """,
)
def what_goes_to_the_ca(answer: object) -> Finding:
    """Look at the files of ck.fixture("1.1"). Which of them do you send to the CA, to get a certificate?

    Hand over a list of file names.
    """
    files = _drawer().files
    chosen = words(answer, files)
    for name in sorted(chosen):
        if load_keystore(files[name]).keys:
            return miss(
                f"what {name} holds",
                "a private key: who gets this mail can pose as the server",
                "what each file holds",
            )
    if "orders.csr" not in chosen:
        return miss(
            f"what a CA can do with {' and '.join(sorted(chosen))}",
            "there is no proof in it that you hold the private key",
            "which file is made for this purpose",
        )
    if len(chosen) > 1:
        return miss(
            "what a CA does with each file",
            "it signs the request; it has no use for a certificate that you signed yourself",
            "what the CA makes for you",
        )
    csr = CertificateSigningRequest(x509.load_pem_x509_csr(files["orders.csr"]))
    chain = company("Orders", "1.1").sign_csr(csr, usage="server")
    return passed(
        "a CA signed what you sent", f"a chain of {len(chain)} came back, and no key travelled", chain
    )


@material("1.2")
def _key_for_csr() -> Mapping[str, object]:
    """A private key of your own. It is made, and it stays with you."""
    return {"key": generate_key(seed="lesson 1.2")}


@exercise(
    "1.2",
    title="a request",
    level="change",
    hints=(
        "What does a CA have to know: who you are, and what else? And what must it never get?",
        "`ck.create_csr` takes the names and a key of yours; the key signs the request and is not in it.",
        f'`ck.create_csr("{HOST}", key=...)`, with the key of `ck.fixture("1.2")`.',
    ),
    answer=f"""
    mine = ck.fixture("1.2")
    ck.check("1.2", ck.create_csr("{HOST}", key=mine.key))
    # The request holds the name and the public key, and is signed with the private key as proof.
    """,
)
def a_request(answer: object) -> Finding:
    """Take the key of ck.fixture("1.2") and make a certificate signing request (CSR) for orders.example.test with it."""
    csr = wanted(answer, CertificateSigningRequest, "ck.create_csr(name, key=key)")
    key = _key_for_csr().parts["key"]
    if not isinstance(key, PrivateKey) or csr.spki_sha256 != key.spki_sha256:
        return miss(
            "the public key in your request",
            "it belongs to another private key",
            "which key the request was made with",
            csr,
        )
    ca = company("Orders", "1.2")
    server = Credential(key, ca.sign_csr(csr, usage="server"))
    run = meet(server, ca.trust_store, HOST)
    tested = f"a CA signed your request, a server took the certificate, a client asked for {HOST}"
    if run.ok:
        return passed(tested, "the client accepted it", run)
    return miss(tested, outcome(run), "the name in the request", run)


@exercise(
    "1.3",
    title="what a certificate holds",
    level="predict",
    hints=(
        "A certificate is handed to everybody who asks. What must nobody get?",
        "Show any certificate: the last line of a notebook cell is enough, e.g. `ca.certificate`.",
        "The certificate holds one half of a key pair. Which half stays at home?",
    ),
    answer="""
    ck.check("1.3", "private key")
    # A certificate is public. It binds a name to a public key; the private key stays where it was made.
    """,
)
def what_a_certificate_holds(answer: object) -> Finding:
    """Which of these is in no certificate: "subject", "public key", "private key", "validity" or "signature"?"""
    server = company("Orders", "1.3").issue(HOST, usage="server")
    leaf = server.certificate
    secret = server.key.raw
    assert isinstance(secret, EllipticCurvePrivateKey)
    parts = {
        "subject": leaf.subject_der,
        "public key": leaf.raw.public_key().public_bytes(*_SPKI),
        "private key": secret.private_numbers().private_value.to_bytes(32, "big"),
        "validity": f"{leaf.not_after:%y%m%d%H%M%SZ}".encode(),
        "signature": leaf.raw.signature,
    }
    choice = one_of(answer, *parts)
    tested = f"a search for the bytes of the {choice} in a certificate of {len(leaf.der)} bytes"
    at = leaf.der.find(parts[choice])
    if at < 0:
        return passed(tested, "they are not in it", leaf)
    return miss(tested, f"they are there, from byte {at} on", "what the owner shows to nobody", leaf)


CLOCK = datetime.fromisoformat("2027-03-01T00:00:00+00:00")


@material("1.4")
def _short_lived() -> Mapping[str, object]:
    """A certificate and the root above it, with dates of their own."""
    ca = CertificateAuthority("Orders Root CA", seed="lesson 1.4", at=CLOCK)
    leaf = ca.issue(
        HOST, usage="server", not_after=CLOCK + timedelta(days=30, hours=11, minutes=59, seconds=59)
    )
    return {"certificate": leaf.certificate, "root": ca.certificate}


@exercise(
    "1.4",
    title="the last second",
    level="predict",
    hints=(
        "Does the last second of a certificate still count?",
        "`certificate.not_after` is the last second of validity; RFC 5280 says that both ends are included.",
        "`datetime.timedelta(seconds=1)` is one second.",
    ),
    answer="""
    import datetime
    certificate = ck.fixture("1.4").certificate
    ck.check("1.4", certificate.not_after + datetime.timedelta(seconds=1))
    # notAfter is the last second that counts; the one after it is the first that does not.
    """,
)
def the_last_second(answer: object) -> Finding:
    """At which moment is the certificate of ck.fixture("1.4") refused for the first time after its life? Hand over a datetime."""
    moment = utc(wanted(answer, datetime, "certificate.not_after, or near it"))
    case = _short_lived().parts
    leaf, root = case["certificate"], case["root"]
    assert isinstance(leaf, Certificate)
    assert isinstance(root, Certificate)
    at = verify_chain(leaf, [root], host=HOST, at=moment)
    before = verify_chain(leaf, [root], host=HOST, at=moment - timedelta(seconds=1))
    tested = (
        f"a client whose clock says {moment:%Y-%m-%d %H:%M:%S} UTC, and one whose clock is a second behind"
    )
    if before.ok and not at.ok:
        return passed(tested, "the first refuses it, the second still accepts it", at)
    both = (
        "both accept it"
        if at.ok and before.ok
        else "both refuse it"
        if not at.ok
        else "it is the other way round"
    )
    return miss(tested, both, "the end of the validity, to the second", at)


@exercise(
    "1.5",
    title="one letter changed",
    level="predict",
    hints=(
        "What does the issuer compute over all the fields, and who can compute it again?",
        "The changed bytes are still good DER. So who can tell?",
        'Not the format: the letter is still a letter. "nothing", "the format" or "the signature"?',
    ),
    answer="""
    ck.check("1.5", "the signature")
    # The bytes still read as a certificate, with another name in it. Only the issuer's signature tells:
    # it was made over the old bytes, and nobody but the issuer can make a new one.
    """,
)
def one_letter_changed(answer: object) -> Finding:
    """Somebody changes one letter of the host name inside a finished certificate.

    What gives it away: "nothing", "the format" or "the signature"?
    """
    choice = one_of(answer, "nothing", "the format", "the signature")
    ca = company("Orders", "1.5")
    leaf = ca.issue(HOST, usage="server").certificate
    changed = Certificate.from_der(leaf.der.replace(b"orders.example", b"orderz.example"))
    if choice == "the format":
        return miss(
            "reading the changed bytes",
            f"they are read without complaint, as a certificate for {changed.name}",
            "what else a reader can check besides the form",
            changed,
        )
    verified = changed.is_signed_by(ca.certificate)
    tested = "the issuer's signature, computed again over the changed bytes"
    if choice == "the signature" and not verified:
        return passed(tested, f"it does not verify any more; the certificate says {changed.name}", changed)
    return miss(
        tested, "somebody who computes it can tell the change", "what the issuer adds at the end", changed
    )


@material("1.6")
def _bag() -> Mapping[str, object]:
    """Four certificates from a CA's mail, in the order of their file names."""
    root = CertificateAuthority("Orders Root CA", seed="lesson 1.6", at=today())
    middle = root.intermediate("Orders Policy CA")
    issuing = middle.intermediate("Orders Issuing CA")
    leaf = issuing.issue(HOST, usage="server").certificate
    return {
        "certificates": (middle.certificate, root.certificate, leaf, issuing.certificate),
        "root": root.certificate,
    }


@exercise(
    "1.6",
    title="in order",
    level="change",
    hints=(
        "Which one is the server's own? And who signed it?",
        "Each certificate names its issuer: `.issuer` of one is `.subject` of the next.",
        "Leaf first, then who signed it, then who signed that one; what the receiver has already is left out.",
    ),
    answer="""
    found = ck.fixture("1.6").certificates
    ck.check("1.6", ck.Chain([found[2], found[3], found[0]]))
    # Leaf, its issuer, that one's issuer. The root stays out: the receiver has it, or does not believe it anyway.
    """,
)
def in_order(answer: object) -> Finding:
    """Put the certificates of ck.fixture("1.6") into the order in which a server sends them.

    Hand over a ck.Chain, or a list.
    """
    chain = answer if isinstance(answer, Chain) else Chain(answer if isinstance(answer, Iterable) else ())
    given = _bag()
    verdict = verify_chain(chain, [given.parts["root"]], host=HOST)  # type: ignore[list-item]
    if not verdict.ok:
        found = f"{verdict.verdict.rstrip('.')} (cause: {verdict.cause})"
        return miss(
            "a client that trusts the root only", found, "which one comes first, and who is missing", chain
        )
    if any(item.is_self_issued for item in chain):
        return miss(
            "what the receiver needs of each certificate you send",
            "one of them must be in its truststore already, and proves nothing by being sent",
            "the one that nobody above signed",
            chain,
        )
    if not chain.in_order:
        return miss(
            "whether each certificate is followed by its issuer",
            "this client sorted it out, others do not",
            "issuer of one, subject of the next",
            chain,
        )
    return passed(
        "a client that trusts the root only, and a strict reader of the order", "both are content", chain
    )


@material("1.7")
def _twins() -> Mapping[str, object]:
    """A leaf and three CA certificates that might have issued it. Two of them have the same name."""
    right = CertificateAuthority("Orders Issuing CA", seed="lesson 1.7 new", at=today())
    wrong = CertificateAuthority("Orders Issuing CA", seed="lesson 1.7 old", at=today())
    other = CertificateAuthority("Acme Issuing CA", seed="lesson 1.7", at=today())
    leaf = right.issue(HOST, usage="server").certificate
    return {"leaf": leaf, "candidates": (wrong.certificate, other.certificate, right.certificate)}


@exercise(
    "1.7",
    title="two of the same name",
    level="case",
    hints=(
        "A name can be taken by anybody. What cannot?",
        "`leaf.is_signed_by(candidate)` asks the key, not the name.",
        "Try all three candidates; one answers True.",
    ),
    answer="""
    case = ck.fixture("1.7")
    ck.check("1.7", [item for item in case.candidates if case.leaf.is_signed_by(item)][0])
    # The name leads to two certificates; the signature fits the key of one.
    """,
)
def two_of_the_same_name(answer: object) -> Finding:
    """Which of the candidates in ck.fixture("1.7") signed the leaf? Hand over that certificate."""
    candidate = wanted(answer, Certificate, "one of the candidates")
    leaf = _twins().parts["leaf"]
    assert isinstance(leaf, Certificate)
    if leaf.issuer_der != candidate.subject_der:
        return miss(
            "the issuer's name on the leaf against the subject of yours",
            f"the leaf names {leaf.issuer}, yours is {candidate.subject}",
            "the issuer field of the leaf",
            candidate,
        )
    verdict = verify_chain(leaf, [candidate], host=HOST)
    if verdict.ok:
        return passed("the leaf's signature with the key of your candidate", "it verifies", verdict)
    return miss(
        "the leaf's signature with the key of your candidate",
        "it does not verify, although the name fits",
        "what two CAs of the same name cannot share",
        verdict,
    )
