"""Certificates in plain words: every field, hostile text, and one bad extension among good ones."""

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.x509.oid import ObjectIdentifier

import certkit as ck
from certkit import _der
from certkit.certificates import Certificate
from certkit.errors import FormatError

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def ca() -> ck.CertificateAuthority:
    return ck.CertificateAuthority("Root", seed="certificates", at=AT)


def test_every_field_and_extension_is_explained(ca: ck.CertificateAuthority) -> None:
    leaf = ca.issue("a.example.test", "*.b.example.test", "::1", usage="both").certificate
    fields = {field.name: field for field in leaf.explain()}
    assert set(fields) >= {
        "serialNumber",
        "issuer",
        "validity",
        "subject",
        "subjectAltName",
        "extKeyUsage",
        "keyUsage",
    }
    assert all(field.meaning and field.source for field in fields.values())
    assert fields["subjectAltName"].value == "DNS:a.example.test, DNS:*.b.example.test, IP:::1"
    assert fields["extKeyUsage"].value == "serverAuth, clientAuth"
    assert fields["basicConstraints"].critical is True


@pytest.mark.parametrize(
    ("host", "covered"),
    [
        ("a.example.test", True),
        ("A.EXAMPLE.test.", True),
        ("x.b.example.test", True),
        ("b.example.test", False),
        ("y.x.b.example.test", False),
        ("::1", True),
        ("0:0:0:0:0:0:0:1", True),
        ("127.0.0.1", False),
    ],
)
def test_names(ca: ck.CertificateAuthority, host: str, covered: bool) -> None:
    leaf = ca.issue("a.example.test", "*.b.example.test", "::1", usage="server").certificate
    assert leaf.names_host(host) is covered


def test_the_common_name_never_counts(ca: ck.CertificateAuthority) -> None:
    leaf = ca.issue("a.example.test", usage="server", without=[x509.SubjectAlternativeName]).certificate
    assert leaf.name == "a.example.test"
    assert not leaf.names_host("a.example.test")


def test_one_bad_extension_hides_no_other(ca: ck.CertificateAuthority) -> None:
    broken = x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.30"), b"\x30\x03\xa0\x05\x00")
    leaf = ca.issue("a.example.test", usage="server", add=[(broken, True)]).certificate
    with pytest.raises(ValueError, match=r".+"):
        _ = leaf.raw.extensions
    assert leaf.sans == ("DNS:a.example.test",)
    found = leaf.extension("nameConstraints")
    assert found is not None
    assert found.value is None
    assert found.critical
    assert found.text.startswith("malformed (")


def test_hostile_text_is_escaped_everywhere() -> None:
    evil = "<script>alert(1)</script>\u202egnp\x1b[2J"
    leaf = ck.CertificateAuthority(evil).issue("Acme CRM", usage="client").certificate
    for shown in (leaf._repr_html_(), leaf.issuer, repr(leaf), leaf.explain()[3].value):
        assert "\x1b" not in shown
        assert "\u202e" not in shown
    assert "<script" not in leaf._repr_html_()


def test_values_show_themselves_briefly(ca: ck.CertificateAuthority) -> None:
    credential = ca.intermediate("Issuing").issue("a.example.test", usage="server")
    csr = ck.create_csr("a.example.test", key=credential.key)
    values = (credential, credential.chain, credential.certificate, ca.trust_store, ca, csr, credential.key)
    secret = credential.key.to_der()[-40:].hex()
    for value in values:
        html = value._repr_html_()
        assert len(html) < 10_000
        assert "\n" not in repr(value)
        assert "<script" not in html
        assert secret not in html
        assert "PRIVATE" not in html + repr(value)


def test_no_certificate_is_a_clear_error() -> None:
    for data in (b"", b"hello", b"\x30\x03\x02\x01\x05", b"\x30\x82\xff\xff"):
        with pytest.raises(FormatError, match="no certificate"):
            Certificate.from_der(data)


def test_equality_is_by_bytes(ca: ck.CertificateAuthority) -> None:
    leaf = ca.issue("a.example.test", usage="server").certificate
    assert Certificate.from_der(leaf.der) == leaf
    assert len({Certificate.from_der(leaf.der), leaf}) == 1


@pytest.mark.parametrize(
    "data", [b"\x30", b"\x30\x80\x00\x00", b"\x1f\x01\x00", b"\x30\x84\xff\xff\xff\xff", b"\x04\x05a"]
)
def test_der_that_is_cut_or_indefinite_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        _der.read(data)
