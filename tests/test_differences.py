"""The difference of two certificates, two chains, two stores."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import certkit as ck
from certkit.differences import difference
from certkit.errors import ArgumentError

AT = datetime(2026, 6, 1, tzinfo=UTC)
HOST = "shop.example.test"


@pytest.fixture
def ca() -> ck.CertificateAuthority:
    return ck.CertificateAuthority("Lab Root", at=AT, seed="difference")


def changes(found: ck.Difference) -> dict[str, str]:
    return {row.what: row.change for row in found.rows}


def test_a_renewal_with_the_same_key(ca: ck.CertificateAuthority) -> None:
    old = ca.issue(HOST, usage="server")
    new = ca.issue(
        HOST, usage="server", key=old.key, not_before=AT + timedelta(80), not_after=AT + timedelta(170)
    )
    found = difference(old.certificate, new.certificate)
    assert changes(found) == {"serialNumber": "changed", "not before": "changed", "not after": "changed"}
    assert "for the same key, from the same issuer: 3 fields differ" in found.sentence
    row = next(row for row in found.rows if row.what == "not after")
    assert (row.left[:10], row.right[:10]) == ("2026-08-30", "2026-11-18")
    assert not found.equal
    with pytest.raises(TypeError, match=r"ask \.equal"):
        bool(found)


def test_a_new_key_and_a_lost_extension(ca: ck.CertificateAuthority) -> None:
    from cryptography import x509

    old, new = ca.issue(HOST, usage="server"), ca.issue(HOST, usage="server", without=[x509.ExtendedKeyUsage])
    found = changes(difference(old.certificate, new.certificate))
    assert found["extKeyUsage"] == "only left"
    assert found["public key (SHA-256)"] == "changed"
    assert changes(difference(new.certificate, old.certificate))["extKeyUsage"] == "only right"


def test_the_same_and_a_cross_sign(ca: ck.CertificateAuthority) -> None:
    assert difference(ca.certificate, ca.certificate).equal
    crossed = ck.CertificateAuthority("Old Root", at=AT).cross_sign(ca)
    assert "two issuers (a cross-sign)" in difference(ca.certificate, crossed).sentence


def test_chains(ca: ck.CertificateAuthority) -> None:
    below = ca.intermediate("A").intermediate("B")
    chain = below.issue(HOST, usage="server").chain
    assert difference(chain, chain).equal
    assert difference(chain, chain[0:0] or list(chain)).equal
    shuffled = difference(chain, [chain[0], chain[2], chain[1]])
    assert changes(shuffled) == {"A": "moved", "B": "moved"}
    assert changes(difference(chain, [chain[0], chain[1]])) == {"A": "only left"}
    renewed = difference(chain, below.issue(HOST, usage="server"))
    assert changes(renewed) == {f"{HOST} (a new key)": "replaced"}
    assert renewed.same == 2


def test_stores(ca: ck.CertificateAuthority, tmp_path: Path) -> None:
    roots = [ck.CertificateAuthority(f"Root {number}", at=AT).certificate for number in range(5)]
    again = ck.CertificateAuthority("Root 0", at=AT).certificate
    path = ck.save_keystore(tmp_path / "trust.jks", ck.TrustStore(roots[:3]), "secret-of-the-test")
    left, right = ck.load_keystore(path, "secret-of-the-test"), ck.TrustStore([*roots[3:1:-1], again])
    found = difference(left, right)
    assert changes(found) == {"Root 0 (a new key)": "replaced", "Root 1": "only left", "Root 3": "only right"}
    assert found.sentence == "Stores of 3 and 3: 1 replaced, 1 only left, 1 only right, 1 the same."
    assert difference(ck.TrustStore(roots), ck.TrustStore(reversed(roots))).equal
    assert json.dumps(found.to_dict())
    assert "Root 1" in found.text()


def test_what_cannot_be_compared(ca: ck.CertificateAuthority) -> None:
    with pytest.raises(ArgumentError, match="one is a certificate"):
        difference(ca.certificate, ca.trust_store)


def test_it_shows_itself_safely(ca: ck.CertificateAuthority) -> None:
    evil = ck.CertificateAuthority("<script>alert(1)</script>")
    found = difference(ca.trust_store, evil.trust_store)
    assert "<script" not in found._repr_html_()
    assert len(found._repr_html_()) < 10_000
