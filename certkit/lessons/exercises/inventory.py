"""Exercises of notebook 06: many certificates, and when which of them hurts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from certkit.authority import CertificateAuthority
from certkit.certificates import Certificate
from certkit.chains import Chain, TrustStore
from certkit.credentials import Credential
from certkit.errors import ArgumentError, CertkitError
from certkit.keys import generate_key
from certkit.keystores import keystore_bytes, load_certificates, load_keystore
from certkit.lessons._judging import one_of, wanted, words
from certkit.lessons.exercise import Finding, exercise, miss, passed
from certkit.lessons.fixtures import company, material, today
from certkit.verification import Verification, verify_chain

CLOCK = datetime(2027, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
PASSWORD = "changeit"  # noqa: S105 - the toy password of every practice file


@material("6.1")
def _two_dates() -> Mapping[str, object]:
    """A server's chain with its root; each certificate has dates of its own."""
    root = CertificateAuthority("Orders Root CA", seed="lesson 6.1", at=CLOCK)
    issuing = root.intermediate("Orders Issuing CA", not_after=CLOCK + 92 * DAY - timedelta(seconds=1))
    server = issuing.issue("orders.example.test", usage="server", days=200)
    return {"chain": server.chain, "root": root.certificate}


@exercise(
    "6.1",
    title="when does it really stop",
    level="predict",
    hints=(
        "Is the leaf the only certificate that can expire?",
        '`[item.not_after for item in ck.fixture("6.1").chain]` shows the end of each.',
        "The path holds as long as its shortest member. The day after that one's last day is the answer.",
    ),
    answer="""
    import datetime
    chain = ck.fixture("6.1").chain
    ck.check("6.1", min(item.not_after for item in chain).date() + datetime.timedelta(days=1))
    # The intermediate ends first. Its last second is the last of that day.
    """,
)
def when_does_it_stop(answer: object) -> Finding:
    """On which day do clients begin to refuse the chain of ck.fixture("6.1")? Hand over a datetime.date."""
    if isinstance(answer, datetime):
        answer = answer.date()
    day = wanted(answer, date, "datetime.date(2027, 12, 31)")
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    at, before = _judge_61(noon), _judge_61(noon - DAY)
    tested = f"a client at noon of {day}, and one at noon of the day before"
    if before.ok and not at.ok:
        return passed(tested, "the first refuses it, the day before it was still good", at)
    if at.ok:
        return miss(tested, "both accept it", "a later end date in the chain", at)
    return miss(tested, "both refuse it", "all end dates, not only the first you see", at)


def _judge_61(moment: datetime) -> Verification:
    parts = _two_dates().parts
    chain, root = parts["chain"], parts["root"]
    assert isinstance(chain, Chain)
    assert isinstance(root, Certificate)
    return verify_chain(chain, [root], host="orders.example.test", at=moment)


_LIVES = {"shop": 12, "orders": 31, "crm": 29, "mail": 200, "wiki": -4}


@material("6.2")
def _estate() -> Mapping[str, object]:
    """Five files of one company on 2027-03-01, in four formats; the password is changeit."""
    ca = CertificateAuthority("Acme Root CA", seed="lesson 6.2", at=CLOCK)
    server = {
        name: ca.issue(f"{name}.acme.example.test", usage="server", not_after=CLOCK + days * DAY)
        for name, days in _LIVES.items()
    }
    return {
        "clock": CLOCK,
        "shop.p12": keystore_bytes({"shop": server["shop"]}, PASSWORD, format="pkcs12"),
        "orders.jks": keystore_bytes({"orders": server["orders"]}, PASSWORD, format="jks"),
        "crm.pem": server["crm"].certificate.pem.encode(),
        "mail.der": server["mail"].certificate.der,
        "wiki.p7b": keystore_bytes(server["wiki"].chain, format="pkcs7"),
    }


@exercise(
    "6.2",
    title="the next thirty days",
    level="change",
    hints=(
        "Soon is one thing, too late another: which of the two is asked?",
        '`ck.load_certificate(data, "changeit")` reads each of the files; `.days_left(at)` counts.',
        "Between 0 and 30 days left at the fixture's `clock`; what has expired already is another list.",
    ),
    answer="""
    case = ck.fixture("6.2")
    left = {name: ck.load_certificate(data, "changeit").days_left(case.clock) for name, data in case.files.items()}
    ck.check("6.2", [name for name, days in left.items() if 0 <= days <= 30])
    """,
)
def the_next_thirty_days(answer: object) -> Finding:
    """It is 2027-03-01. Which files of ck.fixture("6.2") hold a certificate that is good now and expires within 30 days?

    Hand over a list of file names.
    """
    files = _estate().files
    chosen = words(answer, files)
    for name in files:
        leaf = load_certificates(files[name], PASSWORD)[0]
        now, later = leaf.validity(CLOCK), leaf.validity(CLOCK + 30 * DAY)
        wished = now == "valid" and later != "valid"
        if (name in chosen) != wished:
            found = f"today it is {now}, in 30 days it is {later}"
            return miss(f"the certificate in {name}, on two days", found, "both days, for each file")
    return passed("each certificate, today and in 30 days", "your list has the ones that change in between")


@material("6.3")
def _renewed() -> Mapping[str, object]:
    """Five server certificates of one company."""
    ca = CertificateAuthority("Acme Root CA", seed="lesson 6.3", at=CLOCK)
    key = generate_key(seed="lesson 6.3")
    names = ("shop", "orders", "crm", "mail", "wiki")
    shared = {"orders": key, "wiki": key}
    issued = [
        ca.issue(f"{name}.acme.example.test", usage="server", key=shared.get(name, "p256")) for name in names
    ]
    return {"certificates": tuple(item.certificate for item in issued)}


@exercise(
    "6.3",
    title="one key, two certificates",
    level="change",
    hints=(
        "If one of two services loses its key, which other one is lost with it?",
        "`certificate.spki_sha256` is the fingerprint of the public key.",
        'Two of `ck.fixture("6.3").certificates` have the same `spki_sha256`.',
    ),
    answer="""
    found = ck.fixture("6.3").certificates
    keys = [item.spki_sha256 for item in found]
    ck.check("6.3", [item.name for item in found if keys.count(item.spki_sha256) > 1])
    """,
)
def one_key(answer: object) -> Finding:
    """Two of the certificates in ck.fixture("6.3") share one private key. Which? Hand over the two names."""
    certificates = _renewed().parts["certificates"]
    assert isinstance(certificates, tuple)
    by_name = {item.name: item for item in certificates}
    chosen = sorted(words(answer, by_name))
    if len(chosen) != 2:
        return miss("how many names you handed over", f"{len(chosen)}", "the question asks for two")
    first, second = (by_name[name] for name in chosen)
    tested = f"a signature with the key of {first.name}, checked with the certificate of {second.name}"
    if first.spki_sha256 == second.spki_sha256:
        return passed(tested, "it verifies: whoever has the one key can pose as both")
    return miss(tested, "the public keys differ", "the fingerprint of the key, not of the certificate")


@material("6.4")
def _places() -> Mapping[str, object]:
    """Four files from three machines, and the certificate that has to be renewed; the password is changeit."""
    ca = CertificateAuthority("Acme Root CA", seed="lesson 6.4", at=CLOCK)
    shop = ca.issue("shop.acme.example.test", usage="server")
    last_year = ca.issue("shop.acme.example.test", usage="server", key=shop.key)
    return {
        "certificate": shop.certificate,
        "web1.p12": keystore_bytes({"shop": shop}, PASSWORD, format="pkcs12"),
        "web2.pem": shop.chain.pem.encode(),
        "backup.jks": keystore_bytes({"shop": last_year}, PASSWORD, format="jks"),
        "partners.p12": keystore_bytes({"shop-server": shop.certificate}, PASSWORD, format="pkcs12"),
    }


@exercise(
    "6.4",
    title="everywhere it lies",
    level="change",
    hints=(
        "Is the same name the same certificate? And can it lie where there is no key?",
        "`certificate.sha256` is the fingerprint of the whole certificate: equal only for the very same one.",
        'Compare each of `ck.load_certificates(data, "changeit")` with the fixture\'s `certificate`.',
    ),
    answer="""
    case = ck.fixture("6.4")
    found = {name: ck.load_certificates(data, "changeit") for name, data in case.files.items()}
    ck.check("6.4", [name for name, held in found.items() if case.certificate in held])
    # One certificate, three places, one of them a truststore. The backup holds another one of the same name and key.
    """,
)
def everywhere(answer: object) -> Finding:
    """The certificate of ck.fixture("6.4") is to be renewed. In which files does that very certificate lie?

    Hand over a list of file names.
    """
    case = _places()
    chosen = words(answer, case.files)
    for name, data in case.files.items():
        held = case.parts["certificate"] in load_certificates(data, PASSWORD)
        if held != (name in chosen):
            found = "it is in there" if held else "one of the same name is in there, with another fingerprint"
            return miss(f"the fingerprints in {name}", found, "every entry of every file, trusted ones too")
    return passed("the fingerprints in all files", "your list has every place, and no other")


@material("6.5")
def _cross_signed() -> Mapping[str, object]:
    """Three servers' chains and a truststore with an old and a new root. One CA is signed by both roots."""
    old = CertificateAuthority("Acme Root CA 2007", seed="lesson 6.5 old", at=today())
    new = CertificateAuthority("Acme Root CA 2027", seed="lesson 6.5 new", at=today())
    web, batch, fresh = (
        old.intermediate("Acme Web CA"),
        old.intermediate("Acme Batch CA"),
        new.intermediate("Acme CA"),
    )
    shop = web.issue("shop.acme.example.test", usage="server")
    shop = shop.with_chain([*shop.chain, new.cross_sign(web)])
    return {
        "chains": {
            "shop": shop.chain,
            "batch": batch.issue("batch.acme.example.test", usage="server").chain,
            "crm": fresh.issue("crm.acme.example.test", usage="server").chain,
        },
        "old_root": old.certificate,
        "new_root": new.certificate,
    }


@exercise(
    "6.5",
    title="if the old root goes",
    level="case",
    hints=(
        "Which chains have no other way up than over the old root?",
        "`ck.verify_chain(chain, [root])` with the new root alone says who stays.",
        "A cross-signed intermediate is a second path: that server stays.",
    ),
    answer="""
    case = ck.fixture("6.5")
    lost = [name for name, chain in case.chains.items() if not ck.verify_chain(chain, [case.new_root]).ok]
    ck.check("6.5", lost)
    # shop has a second path, over the certificate that the new root signed for its CA.
    """,
)
def if_the_old_root_goes(answer: object) -> Finding:
    """The old root of ck.fixture("6.5") is taken out of every client's truststore. Which servers stop working?

    Hand over a list of names.
    """
    parts = _cross_signed().parts
    chains, new = parts["chains"], parts["new_root"]
    assert isinstance(chains, dict)
    assert isinstance(new, Certificate)
    chosen = words(answer, chains)
    for name, chain in chains.items():
        verdict = verify_chain(chain, TrustStore([new]))
        if verdict.ok == (name in chosen):
            found = "it is accepted" if verdict.ok else "it is refused"
            return miss(
                f"{name}, by a client that trusts the new root only",
                found,
                "every way up, not only the first",
                verdict,
            )
    return passed(
        "each server, by a client that trusts the new root only", "your list has those that are refused"
    )


@material("6.6")
def _unreadable() -> Mapping[str, object]:
    """Five files out of a folder; the password that you were given is changeit."""
    ca = company("Acme", "6.6", CLOCK)
    server: dict[str, Credential] = {
        name: ca.issue(f"{name}.acme.example.test", usage="server")
        for name in ("shop", "orders", "crm", "mail")
    }
    return {
        "shop.p12": keystore_bytes({"shop": server["shop"]}, PASSWORD, format="pkcs12"),
        "orders.p12": keystore_bytes({"orders": server["orders"]}, "another one", format="pkcs12"),
        "crm.jks": keystore_bytes({"crm": server["crm"]}, PASSWORD, format="jks")[:-60],
        "mail.cer": server["mail"].certificate.der,
        "wiki.crt": b"<!DOCTYPE html><html><body><h1>Please sign in</h1></body></html>",
    }


_CAUSES = ("wrong-password", "wrong-file-format", "tampered-or-corrupt")


@exercise(
    "6.6",
    title="what the scan could not read",
    level="case",
    hints=(
        "A file that cannot be read is a finding too. Which ones are there, and does each fail in the same way?",
        '`ck.load_keystore(data, "changeit")` raises; the error has a `.cause`.',
        "One has another password, one was cut off, one is a web page.",
    ),
    answer="""
    found = {}
    for name, data in ck.fixture("6.6").files.items():
        try:
            ck.load_keystore(data, "changeit")
        except ck.CertkitError as error:
            found[name] = error.cause
    ck.check("6.6", found)
    """,
)
def what_cannot_be_read(answer: object) -> Finding:
    """Which files of ck.fixture("6.6") cannot be read, and why?

    Hand over a dict from file name to cause: "wrong-password", "wrong-file-format" or "tampered-or-corrupt".
    """
    given = wanted(answer, dict, '{"shop.p12": "wrong-password"}')
    files = _unreadable().files
    said = {one_of(name, *files): one_of(cause, *_CAUSES) for name, cause in given.items()}
    if not said:
        raise ArgumentError("this dict is empty", hint='{"shop.p12": "wrong-password"}')
    for name, data in files.items():
        try:
            load_keystore(data, PASSWORD)
        except CertkitError as error:
            if said.get(name) != error.cause:
                return miss(f"loading {name}", error.what, "what the message says of the file")
        else:
            if name in said:
                return miss(f"loading {name}", "it can be read", "the file itself, not its name")
    return passed("loading each of the files", "three fail, each for the reason you gave")
