"""NIST's PKITS at a fixed time in 2020: OpenSSL is the judge; where we are stricter, the reason has a name.

The suite comes with ``cryptography-vectors``. It is about RFC 5280 alone: its certificates carry no host names,
policies that the webpki profile does not know, DSA keys, constraints on directory names. So the question asked
is a client's, and OpenSSL is asked without a purpose.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import cryptography_vectors
import pytest
from OpenSSL.crypto import X509StoreFlags

from certkit.certificates import Certificate
from certkit.errors import FormatError
from certkit.revocation import RevocationList
from certkit.verification import Opinion, Verification, check_revocation, verify_chain
from certkit.verification._openssl import ask_openssl
from certkit.verification._policy import POLICIES, Question

AT = datetime(2020, 6, 1, tzinfo=UTC)
DATA = Path(cryptography_vectors.__file__).parent / "x509" / "PKITS_data"
QUESTION = Question(None, "client", AT, POLICIES["webpki"], 20)
# What the webpki judge refuses and RFC 5280, as OpenSSL reads it, allows.
STRICTER = {
    "unknown-critical-extension",  # policyConstraints, inhibitAnyPolicy, policyMappings
    "leaf-is-ca",
    "leaf-has-certsign",
    "unsupported-name-constraint",  # on directory names and URIs
    "path-length-exceeded",  # self-issued certificates count
    "forbidden-key-algorithm",
    "weak-signature",
    "bad-serial-number",
    "date-encoding",
    "extension-wrong-criticality",
}
# OpenSSL without its extended CRL support does not follow a CA that signs lists with another key of its own.
# PKITS calls both kinds valid, and so do we.
OTHER_CRL_KEY = {
    "ValidBasicSelfIssuedCRLSigningKeyTest6EE",
    "ValidBasicSelfIssuedNewWithOldTest4EE",
    "ValidSeparateCertificateandCRLKeysTest19EE",
}


@dataclass(frozen=True)
class Outcome:
    """One end entity: OpenSSL's word and ours, without and with its lists."""

    name: str
    plain: Opinion
    ours: Verification
    with_lists: Opinion
    ours_with_lists: Verification


def _certificates() -> Iterator[tuple[str, Certificate]]:
    for path in sorted((DATA / "certs").glob("*.crt")):
        try:
            yield path.stem, Certificate.from_der(path.read_bytes())
        except FormatError:
            # The two with inherited DSA parameters, which cryptography does not read.
            assert "DSAParameter" in path.stem


def _lists() -> Iterator[RevocationList]:
    for path in sorted((DATA / "crls").glob("*.crl")):
        yield RevocationList.from_bytes(path.read_bytes())


def _behind(leaf: Certificate, cas: list[Certificate]) -> list[Certificate]:
    found: list[Certificate] = []
    wanted = {leaf.issuer_der}
    while more := [item for item in cas if item.subject_der in wanted and item not in found]:
        found += more
        wanted |= {item.issuer_der for item in more}
    return [leaf, *found]


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    everything = dict(_certificates())
    anchor = everything["TrustAnchorRootCertificate"]
    cas = [item for name, item in everything.items() if not name.endswith("EE") and item != anchor]
    lists, found = list(_lists()), []
    flags = X509StoreFlags.CRL_CHECK | X509StoreFlags.CRL_CHECK_ALL
    for name, leaf in everything.items():
        if not name.endswith("EE"):
            continue
        sent = _behind(leaf, cas)
        issuers = {item.issuer_der for item in sent}
        own = [item for item in lists if item.raw.issuer.public_bytes() in issuers]
        ours = verify_chain(sent, [anchor], purpose="client", at=AT, max_depth=20)
        found.append(
            Outcome(
                name,
                ask_openssl(sent, [anchor], QUESTION, any_purpose=True),
                ours,
                ask_openssl(
                    sent, [anchor], QUESTION, any_purpose=True, crls=[item.raw for item in own], flags=flags
                ),
                check_revocation(ours, crls=own, hard_fail=True),
            )
        )
    return found


def test_the_explorer_comes_to_the_oracles_verdict(outcomes: list[Outcome]) -> None:
    assert len(outcomes) > 200
    assert [item.name for item in outcomes if item.ours.explorer_ok != item.ours.oracle.ok] == []


def test_what_openssl_refuses_is_refused(outcomes: list[Outcome]) -> None:
    judged = [item for item in outcomes if item.plain.ok is not None]
    assert len(judged) == len(outcomes)
    assert [item.name for item in outcomes if item.plain.ok is False and item.ours.ok] == []


def test_where_we_are_stricter_the_reason_has_a_name(outcomes: list[Outcome]) -> None:
    stricter = [item for item in outcomes if item.plain.ok and not item.ours.ok]
    reasons = Counter(sorted({kind.kind for kind in item.ours.fatal} & STRICTER)[0] for item in stricter)
    assert reasons.total() == len(stricter)
    agreed = len(outcomes) - len(stricter)
    print(
        f"\nPKITS: {len(outcomes)} end entities, {agreed} judged as OpenSSL does, stricter for {dict(reasons)}"
    )
    assert agreed > 140


def test_revocation_is_judged_as_openssl_does(outcomes: list[Outcome]) -> None:
    """Where both trust the path, lists decide the same way; else PKITS itself is asked, by the case's name."""
    both = [item for item in outcomes if item.plain.ok and item.ours.ok]
    assert len(both) > 90
    otherwise = {item.name for item in both if item.with_lists.ok != item.ours_with_lists.ok}
    assert otherwise == OTHER_CRL_KEY
    accepted = [item.name for item in both if item.name.startswith("Invalid") and item.ours_with_lists.ok]
    # Revoked by a delta list only, which neither OpenSSL by default nor we read (RFC 5280, 5.2.4: may, not must).
    assert accepted == ["InvaliddeltaCRLTest4EE"]


def test_a_revoked_one_is_called_revoked(outcomes: list[Outcome]) -> None:
    named = {item.name: {kind.kind for kind in item.ours_with_lists.fatal} for item in outcomes}
    assert "revoked" in named["InvalidRevokedEETest3EE"]
    assert "revoked" in named["InvalidRevokedCATest2EE"]
    assert "crl-expired" in named["InvalidOldCRLnextUpdateTest11EE"]
    assert "crl-signature-bad" in named["InvalidBadCRLSignatureTest4EE"]
    assert "revocation-unreachable" in named["InvalidMissingCRLTest1EE"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("InvalidEESignatureTest3EE", "signature-bad"),
        ("InvalidCAnotAfterDateTest5EE", "expired-intermediate"),
        ("InvalidEEnotBeforeDateTest2EE", "not-yet-valid-leaf"),
        ("InvalidMissingbasicConstraintsTest1EE", "basic-constraints-missing"),
        ("InvalidcAFalseTest2EE", "ca-flag-missing"),
        ("InvalidpathLenConstraintTest5EE", "path-length-exceeded"),
        ("InvalidkeyUsageCriticalkeyCertSignFalseTest1EE", "key-usage-no-certsign"),
        ("InvalidDNSnameConstraintsTest31EE", "name-constraints"),
        ("InvalidRFC822nameConstraintsTest22EE", "name-constraints"),
        ("InvalidUnknownCriticalCertificateExtensionTest2EE", "unknown-critical-extension"),
    ],
)
def test_the_reason_is_the_one_that_pkits_planted(outcomes: list[Outcome], name: str, kind: str) -> None:
    (found,) = [item for item in outcomes if item.name == name]
    assert kind in {item.kind for item in found.ours.fatal}, found.ours.text()
