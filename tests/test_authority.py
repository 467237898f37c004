"""The CA: any depth, any dates, any key, the same bytes each time, and clear refusals."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

import certkit as ck
from certkit.errors import ArgumentError, CertkitError, CredentialError
from certkit.keys import KEY_KINDS

AT = datetime(2026, 1, 1, tzinfo=UTC)


def build(seed: str) -> bytes:
    root = ck.CertificateAuthority("Root", seed=seed, at=AT)
    issuing = root.intermediate("Issuing")
    made = [
        issuing.issue("a.example.test", usage="server"),
        issuing.issue("a.example.test", usage="server"),
        issuing.issue("Acme CRM", usage="client", key="rsa2048"),
        root.intermediate("Edwards", key="ed25519").issue(
            "b.example.test", "10.0.0.1", usage="both", key="mldsa65"
        ),
    ]
    return b"".join(item.certificate.der + item.key.to_der() for item in made)


def test_seed_and_clock_give_the_same_bytes() -> None:
    assert build("one") == build("one")
    assert build("one") != build("two")


def test_two_leaves_of_one_name_are_still_two() -> None:
    ca = ck.CertificateAuthority("Root", seed="one", at=AT)
    first, second = (ca.issue("a.example.test", usage="server") for _ in range(2))
    assert first.certificate.serial != second.certificate.serial
    assert first.key.spki_sha256 != second.key.spki_sha256


@pytest.mark.parametrize(
    ("name", "algorithm", "bits"),
    [
        ("P-256", "EC", 256),
        ("prime256v1", "EC", 256),
        ("secp384r1", "EC", 384),
        ("RSA", "RSA", 2048),
        ("RSA-4096", "RSA", 4096),
        ("Ed25519", "Ed25519", 256),
        ("ML-DSA-44", "ML-DSA-44", None),
    ],
)
def test_a_key_goes_by_the_names_of_its_standard(name: str, algorithm: str, bits: int | None) -> None:
    key = ck.generate_key(name, seed="tests")
    assert (key.algorithm, key.bits) == (algorithm, bits)
    assert key.spki_sha256 == ck.generate_key(name.lower(), seed="tests").spki_sha256


@pytest.mark.parametrize("kind", KEY_KINDS)
def test_every_kind_of_key_signs_and_is_described(kind: str) -> None:
    ca = ck.CertificateAuthority("Root", key=kind)
    leaf = ca.issue("a.example.test", usage="server", key=kind).certificate
    assert leaf.is_signed_by(ca.certificate)
    assert not leaf.is_signed_by(leaf)
    assert leaf.key.lower().replace("-", "").startswith(("rsa", "ec", "ed25519", "mldsa"))


def test_openssl_accepts_a_deep_chain(tmp_path: Path) -> None:
    root = ck.CertificateAuthority("Root", key="rsa3072")
    ca = root
    for depth in range(5):
        ca = ca.intermediate(f"Level {depth}", key="rsa2048" if depth % 2 else "p384")
    leaf = ca.issue("deep.example.test", usage="server")
    assert len(leaf.chain) == 6
    (tmp_path / "root.pem").write_text(root.certificate.pem)
    (tmp_path / "chain.pem").write_text(leaf.chain.pem)
    (tmp_path / "leaf.pem").write_text(leaf.certificate.pem)
    command = [
        "openssl",
        "verify",
        "-x509_strict",
        "-purpose",
        "sslserver",
        "-verify_hostname",
        "deep.example.test",
    ]
    result = subprocess.run(
        [*command, "-CAfile", "root.pem", "-untrusted", "chain.pem", "leaf.pem"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr


def test_a_request_is_signed_without_the_key_leaving_home() -> None:
    key = ck.generate_key("rsa2048")
    csr = ck.create_csr("a.example.test", "www.example.test", key=key, organization="Acme")
    assert csr.proves_possession
    chain = ck.CertificateAuthority("Root").intermediate("Issuing").sign_csr(csr, usage="server")
    credential = ck.Credential(key, chain)
    assert credential.certificate.sans == ("DNS:a.example.test", "DNS:www.example.test")
    with pytest.raises(CredentialError, match="not the key of this certificate"):
        ck.Credential(ck.generate_key(), chain)


def test_a_tampered_request_is_refused() -> None:
    csr = ck.create_csr("a.example.test", key=ck.generate_key())
    changed = bytearray(csr.der)
    changed[csr.der.index(b"a.example.test")] ^= 1
    broken = ck.CertificateSigningRequest(x509.load_der_x509_csr(bytes(changed)))
    with pytest.raises(ArgumentError, match="not signed with its own key"):
        ck.CertificateAuthority("Root").sign_csr(broken, usage="server")


def test_any_dates() -> None:
    ca = ck.CertificateAuthority("Root", at=AT)
    expired = ca.issue("a.example.test", usage="server", not_after=AT - timedelta(days=1)).certificate
    future = ca.issue("a.example.test", usage="server", not_before=AT + timedelta(days=9)).certificate
    assert expired.validity(AT) == "expired"
    assert future.validity(AT) == "not yet valid"
    # The last second still counts (RFC 5280, 4.1.2.5).
    assert expired.validity(expired.not_after) == "valid"
    assert expired.validity(expired.not_after + timedelta(seconds=1)) == "expired"


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        (("https://a.test",), {"usage": "server"}, "no host name"),
        (("two words",), {"usage": "server"}, "no host name"),
        (("-a.test",), {"usage": "server"}, "no host name"),
        (("a" * 64 + ".test",), {"usage": "server"}, "no host name"),
        (("",), {"usage": "server"}, "empty"),
        ((), {"usage": "server"}, "needs a name"),
        (("a.test",), {"usage": "toaster"}, "unknown usage"),
        (("a.test",), {"usage": "server", "key": "rsa17"}, "unknown kind of key"),
        (("a.test",), {"usage": "server", "not_after": datetime(2026, 1, 1)}, "no time zone"),
        (("a.test",), {"usage": "server", "not_after": "tomorrow"}, "must be a datetime"),
        (("a.test",), {"usage": "server", "days": 10**9}, "after the year 9999"),
        (
            ("a.test",),
            {"usage": "server", "not_before": AT, "not_after": AT - timedelta(1)},
            "ends before it starts",
        ),
    ],
)
def test_bad_calls_are_refused_in_one_line(
    names: tuple[str, ...], options: dict[str, object], message: str
) -> None:
    with pytest.raises(ArgumentError, match=message) as caught:
        ck.CertificateAuthority("Root").issue(*names, **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_a_naive_clock_is_refused() -> None:
    with pytest.raises(CertkitError, match="no time zone"):
        ck.CertificateAuthority("Root", at=datetime(2026, 1, 1))


def test_cross_signing_gives_a_second_issuer_for_the_same_key() -> None:
    old, new = ck.CertificateAuthority("Old"), ck.CertificateAuthority("New")
    bridge = old.cross_sign(new)
    leaf = new.issue("a.example.test", usage="server").certificate
    assert leaf.is_signed_by(bridge)
    assert leaf.is_signed_by(new.certificate)
    assert bridge.is_signed_by(old.certificate)


def test_a_thousand_leaves() -> None:
    ca = ck.CertificateAuthority("Root", seed="many", at=AT)
    serials = {
        ca.issue(f"h{number}.example.test", usage="server").certificate.serial for number in range(1000)
    }
    assert len(serials) == 1000


def test_a_self_signed_certificate_is_believed_only_where_it_is_itself_an_anchor() -> None:
    ca = ck.CertificateAuthority("Orders Root")
    own = ck.self_signed("Acme CRM", usage="client", key="ed25519", days=30)
    assert (own.certificate.is_self_signed, own.certificate.is_ca, own.certificate.key) == (
        True,
        False,
        "Ed25519",
    )
    client = ck.ClientConfig(ca.trust_store, own)
    server = ca.issue("orders.example.test", usage="server")
    known, unknown = ck.TrustStore([own.certificate]), ck.CertificateAuthority("Acme CRM").trust_store
    assert ck.handshake(client, ck.ServerConfig(server, known)).ok
    assert ck.handshake(client, ck.ServerConfig(server, unknown)).cause == "client-cert-untrusted"
    with pytest.raises(ArgumentError, match="needs a name"):
        ck.self_signed(usage="client")
