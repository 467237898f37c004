"""Revocation: lists and OCSP answers, made and served here, checked and explained; soft-fail and hard-fail."""

from __future__ import annotations

import base64
import http.client
import shutil
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

import certkit as ck
from certkit._profiles import hash_for
from certkit.cli import main
from certkit.errors import ArgumentError, FormatError
from certkit.revocation import OcspAnswer, RevocationList, ocsp_request
from certkit.services import ClosedPort, SilentPort, running_services
from certkit.services.revocation import RevocationService
from certkit.verification import check_revocation, verify_chain

HOST = "shop.example.test"


@pytest.fixture
def ca() -> ck.CertificateAuthority:
    return ck.CertificateAuthority("Lab Root").intermediate("Lab Issuing CA")


@pytest.fixture
def service(ca: ck.CertificateAuthority) -> Iterator[RevocationService]:
    with RevocationService(ca) as service:
        yield service


def judge(ca: ck.CertificateAuthority, shop: ck.Credential, **options: object) -> ck.Verification:
    root = [ca.root.revoke()]  # somebody has to speak for the intermediate too
    crls = [*root, *options.pop("crls", ())]  # type: ignore[misc, call-overload]
    return check_revocation(verify_chain(shop, ca.trust_store, host=HOST), crls=crls, **options)  # type: ignore[arg-type]


def kinds(found: ck.Verification) -> set[tuple[str, str, bool]]:
    return {(item.kind, item.position, item.fatal) for item in found.findings}


def test_a_list_says_revoked_or_nothing(ca: ck.CertificateAuthority) -> None:
    shop, other = ca.issue(HOST, usage="server"), ca.issue("other.example.test", usage="server")
    assert judge(ca, shop, crls=[ca.revoke(other.certificate)], hard_fail=True).findings == ()
    found = judge(ca, shop, crls=[ca.revoke(shop.certificate)])
    assert (found.ok, found.oracle.ok, found.cause) == (False, True, "revoked")
    assert kinds(found) == {("revoked", "leaf", True)}
    assert [path.status for path in found.paths] == ["refused"]
    assert "has revoked" in found.verdict
    assert verify_chain(shop, ca.trust_store, host=HOST, crls=[ca.revoke()]).cause == "revoked"


def test_a_revoked_intermediate_condemns_what_is_below(ca: ck.CertificateAuthority) -> None:
    shop = ca.issue(HOST, usage="server")
    found = verify_chain(shop, ca.trust_store, host=HOST, crls=[ca.root.revoke(ca.certificate)])
    assert ("revoked", "intermediate", True) in kinds(found)


@pytest.mark.parametrize("hard_fail", [False, True])
def test_soft_fail_and_hard_fail(ca: ck.CertificateAuthority, hard_fail: bool) -> None:
    shop = ca.issue(HOST, usage="server")
    found = judge(ca, shop, hard_fail=hard_fail)
    assert found.ok is not hard_fail
    assert kinds(found) == {("revocation-unreachable", "leaf", hard_fail)}
    assert ("Hard-fail" if hard_fail else "Soft-fail") in found.findings[0].text
    assert found.cause == ("revocation-unreachable" if hard_fail else None)


def test_a_list_out_of_date_says_nothing_but_revoked_stays_revoked(ca: ck.CertificateAuthority) -> None:
    shop = ca.issue(HOST, usage="server")
    found = judge(ca, shop, crls=[ca.revoke(days=-1)], hard_fail=True)
    assert found.cause == "crl-expired"
    assert dict(found.fatal[0].evidence).keys() == {"list from", "until", "clock"}
    assert judge(ca, shop, crls=[ca.revoke(shop.certificate, days=-1)]).cause == "revoked"


def _list(
    ca: ck.CertificateAuthority, *extensions: tuple[x509.ExtensionType, bool], name: str = "Lab Issuing CA"
) -> RevocationList:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateRevocationListBuilder()
        .last_update(now - timedelta(hours=1))
        .next_update(now + timedelta(1))
    )
    builder = builder.issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return RevocationList(builder.sign(ca.key.raw, hashes.SHA256()))  # type: ignore[arg-type]


def test_lists_that_are_no_good(ca: ck.CertificateAuthority) -> None:
    shop = ca.issue(HOST, usage="server")
    impostor = ck.CertificateAuthority("Lab Issuing CA")
    number = (x509.CRLNumber(1), False)
    scope = x509.IssuingDistributionPoint(None, None, False, True, None, False, False)
    for crl, kind, position in [
        (_list(ca), "crl-malformed", "crl"),
        (_list(ca, (x509.CRLNumber(1), True)), "crl-malformed", "crl"),
        (
            _list(ca, number, (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b""), True)),
            "crl-malformed",
            "crl",
        ),
        (_list(impostor, number), "crl-signature-bad", "crl"),
        (_list(ca, number, (scope, True)), "revocation-unknown", "crl"),
        (_list(impostor, number, name="Somebody Else"), "revocation-unreachable", "leaf"),
    ]:
        found = judge(ca, shop, crls=[crl], hard_fail=True)
        assert kinds(found) == {(kind, position, True)}, crl
    assert judge(ca, shop, crls=[_list(ca, number)], hard_fail=True).ok


def test_a_ca_that_may_not_sign_lists() -> None:
    usage = x509.KeyUsage(False, False, False, False, False, True, False, False, False)
    root = ck.CertificateAuthority("Lab Root")
    below = root.intermediate("No Lists", add=[(usage, True)])
    found = judge(below, below.issue(HOST, usage="server"), crls=[below.revoke()], hard_fail=True)
    assert kinds(found) == {("crl-issuer-not-authorized", "intermediate", True)}


def test_a_path_without_the_revoked_one_still_holds(ca: ck.CertificateAuthority) -> None:
    other = ck.CertificateAuthority("Other Root")
    shop = ca.issue(HOST, usage="server")
    found = verify_chain(
        [*shop.chain, other.cross_sign(ca)], [*ca.trust_store, *other.trust_store], host=HOST
    )
    assert sum(path.ok for path in found.paths) == 2
    checked = check_revocation(found, crls=[ca.root.revoke(ca.certificate)])
    assert checked.ok is True
    assert sorted(path.status for path in checked.paths) == ["refused", "trusted"]
    assert checked.paths[0].certificates[-1].name == "Other Root"
    assert checked.fatal == ()


# Served ------------------------------------------------------------------------------------------------


def test_ask_the_responder_and_the_list(ca: ck.CertificateAuthority, service: RevocationService) -> None:
    shop = ca.issue(HOST, usage="server", add=service.pointers())
    assert judge(ca, shop, fetch=True, hard_fail=True).findings == ()
    assert service.asked == ["ocsp", "crl"]
    ca.revoke(shop.certificate)
    found = judge(ca, shop, fetch=True)
    assert found.cause == "revoked"
    assert "an OCSP answer says so" in found.verdict
    only_list = ca.issue(HOST, usage="server", add=service.pointers(ocsp=False))
    ca.revoke(only_list.certificate)
    assert "a list says so" in judge(ca, only_list, fetch=True).verdict


def test_nobody_is_asked_unless_told_to(ca: ck.CertificateAuthority, service: RevocationService) -> None:
    shop = ca.issue(HOST, usage="server", add=service.pointers())
    assert judge(ca, shop).ok
    assert service.asked == []
    place = x509.DistributionPoint(
        [x509.UniformResourceIdentifier("http://crl.example.test/crl")], None, None, None
    )
    far = ca.issue(HOST, usage="server", add=[(x509.CRLDistributionPoints([place]), False)])
    found = judge(ca, far, fetch=True, hard_fail=True)
    assert found.cause == "revocation-unreachable"
    assert "another machine" in found.verdict


def test_a_delegated_responder(ca: ck.CertificateAuthority) -> None:
    helper, stranger = ca.issue("ocsp.example.test", usage="ocsp"), ca.issue("x.example.test", usage="server")
    for responder, good in ((helper, True), (stranger, False)):
        with RevocationService(ca, responder=responder) as service:
            shop = ca.issue(HOST, usage="server", add=service.pointers(crl=False))
            found = judge(ca, shop, fetch=True, hard_fail=True)
        assert found.ok is good
        assert found.cause == (None if good else "revocation-unreachable")


def test_an_answer_out_of_date(ca: ck.CertificateAuthority) -> None:
    with RevocationService(ca, days=-2) as service:
        shop = ca.issue(HOST, usage="server", add=service.pointers())
        assert {item.kind for item in judge(ca, shop, fetch=True, hard_fail=True).fatal} == {"crl-expired"}
        assert judge(ca, shop, fetch=True).ok is True


def test_a_responder_that_is_not_there(ca: ck.CertificateAuthority, service: RevocationService) -> None:
    shop = ca.issue(HOST, usage="server", add=service.pointers())
    service.stop()
    found = judge(ca, shop, fetch=True, hard_fail=True)
    assert found.cause == "revocation-unreachable"
    assert "refused" in str(found.fatal[0].evidence)
    assert judge(ca, shop, fetch=True).ok is True


def test_a_responder_that_is_silent_takes_no_longer_than_it_may(ca: ck.CertificateAuthority) -> None:
    with SilentPort() as port:
        place = x509.UniformResourceIdentifier(f"http://127.0.0.1:{port.port}/crl")
        add = [(x509.CRLDistributionPoints([x509.DistributionPoint([place], None, None, None)]), False)]
        shop = ca.issue(HOST, usage="server", add=add)
        found = judge(ca, shop, fetch=True, hard_fail=True, timeout=0.3)
    assert "no answer in 0.3 seconds" in found.verdict


def test_another_cas_certificate_is_none_of_its_business(
    ca: ck.CertificateAuthority, service: RevocationService
) -> None:
    other = ck.CertificateAuthority("Other Root")
    shop = other.issue(HOST, usage="server", add=service.pointers(crl=False))
    found = check_revocation(verify_chain(shop, other.trust_store), fetch=True, hard_fail=True)
    assert {item.kind for item in found.fatal} == {"revocation-unknown"}
    assert "unauthorized" in found.verdict


def _get(service: RevocationService, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=5)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_the_service_over_http(ca: ck.CertificateAuthority, service: RevocationService) -> None:
    shop = ca.issue(HOST, usage="server").certificate
    question = ocsp_request(shop, ca.certificate)
    status, body = _get(service, "GET", "/ocsp/" + base64.b64encode(question).decode().replace("/", "%2F"))
    assert (status, OcspAnswer.from_bytes(body).status) == (200, "good")
    assert OcspAnswer.from_bytes(_get(service, "POST", "/ocsp", b"noise")[1]).status == "malformed request"
    assert RevocationList.from_bytes(_get(service, "GET", "/crl")[1]).is_signed_by(ca.certificate)
    assert [_get(service, *words)[0] for words in (("GET", "/"), ("POST", "/crl"), ("GET", "/ocsp/%%"))] == [
        404,
        404,
        400,
    ]
    assert _get(service, "POST", "/ocsp", bytes(5000))[0] == 400


def test_it_stops_with_the_rest(ca: ck.CertificateAuthority) -> None:
    service = RevocationService(ca).start()
    assert service in running_services()
    service.stop()
    assert not [thread for thread in threading.enumerate() if "RevocationService" in thread.name]
    with pytest.raises(ArgumentError, match="speaks for a CA"):
        RevocationService("ca")  # type: ignore[arg-type]


def test_openssl_gets_the_same_answer(
    ca: ck.CertificateAuthority, service: RevocationService, tmp_path: Path
) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here")
    shop = ca.issue(HOST, usage="server").certificate
    ca.revoke(shop)
    (tmp_path / "shop.pem").write_text(shop.pem)
    (tmp_path / "ca.pem").write_text(ca.certificate.pem)
    (tmp_path / "root.pem").write_text(ca.root.certificate.pem)
    command = [
        "openssl",
        "ocsp",
        "-issuer",
        "ca.pem",
        "-cert",
        "shop.pem",
        "-url",
        service.ocsp_url,
        "-CAfile",
        "root.pem",
    ]
    done = subprocess.run(
        [*command, "-no_nonce"], cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False
    )
    assert "shop.pem: revoked" in done.stdout, done.stderr
    assert "Response verify OK" in done.stderr


def _good_answer(ca: ck.CertificateAuthority, leaf: ck.Certificate) -> bytes:
    now, hashed = datetime.now(UTC), hash_for(ca.key.raw)
    answer = ocsp.OCSPResponseBuilder().add_response(
        leaf.raw,
        ca.certificate.raw,
        hashes.SHA1(),
        ocsp.OCSPCertStatus.GOOD,
        now,
        now + timedelta(days=1),
        None,
        None,
    )
    answer = answer.responder_id(ocsp.OCSPResponderEncoding.HASH, ca.certificate.raw)
    return answer.sign(ca.key.raw, hashed).public_bytes(Encoding.DER)


@pytest.mark.parametrize("kind", ["rsa2048", "p256", "p384", "ed25519", "mldsa44", "mldsa87"])
def test_an_answer_signed_with_any_kind_of_key(kind: str) -> None:
    ca, other = (ck.CertificateAuthority("Root", key=ck.generate_key(kind, number=n)) for n in (0, 1))
    data = _good_answer(ca, ca.issue(HOST, usage="server").certificate)
    assert OcspAnswer.from_bytes(data).signer(ca.certificate) == "Root"
    assert OcspAnswer.from_bytes(data).signer(other.certificate) is None
    spoilt = data[:-1] + bytes([data[-1] ^ 1])
    assert OcspAnswer.from_bytes(spoilt).signer(ca.certificate) is None


@pytest.mark.parametrize("options", [(), ("-rsigopt", "rsa_pss_saltlen:20"), ("-rmd", "sha512")])
def test_an_answer_of_openssl_signed_with_rsa_pss(options: tuple[str, ...], tmp_path: Path) -> None:
    """RFC 4055 has the parameters beside the key; cryptography reads none of them for OCSP."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here")
    ca = ck.CertificateAuthority("Root", key=ck.generate_key("rsa2048"))
    leaf = ca.issue(HOST, usage="server").certificate
    serial = f"{leaf.raw.serial_number:X}"
    serial = "0" * (len(serial) % 2) + serial
    for name, data in {
        "ca.pem": ca.certificate.pem.encode(),
        "ca.key": ca.key.to_pem(),
        "leaf.pem": leaf.pem.encode(),
        "index.txt": f"V\t400101000000Z\t\t{serial}\tunknown\t/CN={HOST}\n".encode(),
    }.items():
        (tmp_path / name).write_bytes(data)
    ask = "ocsp -issuer ca.pem -cert leaf.pem -reqout q.der -no_nonce"
    tell = (
        "ocsp -index index.txt -rsigner ca.pem -rkey ca.key -CA ca.pem -reqin q.der -respout r.der -ndays 3"
    )
    pss = ["-rsigopt", "rsa_padding_mode:pss", *options]
    for command in (ask.split(), [*tell.split(), *pss]):
        subprocess.run(["openssl", *command], cwd=tmp_path, capture_output=True, timeout=30, check=True)
    data = (tmp_path / "r.der").read_bytes()
    assert OcspAnswer.from_bytes(data).signer(ca.certificate) == "Root"
    at = data.index(OcspAnswer.from_bytes(data).raw.signature)
    spoilt = OcspAnswer.from_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    assert spoilt.signer(ca.certificate) is None


def test_bytes_that_are_neither() -> None:
    with pytest.raises(FormatError, match="no revocation list"):
        RevocationList.from_bytes(b"noise")
    with pytest.raises(FormatError, match="no OCSP answer"):
        OcspAnswer.from_bytes(b"noise")


def test_a_port_that_speaks_something_else(ca: ck.CertificateAuthority) -> None:
    with ClosedPort() as port:
        place = x509.UniformResourceIdentifier(
            f"{port.url.replace('tcp', 'https')}/crl".replace("http:", "https:")
        )
        add = [(x509.CRLDistributionPoints([x509.DistributionPoint([place], None, None, None)]), False)]
        found = judge(ca, ca.issue(HOST, usage="server", add=add), fetch=True, hard_fail=True)
    assert "only plain HTTP" in found.verdict


def test_the_command(ca: ck.CertificateAuthority, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shop = ca.issue(HOST, usage="server")
    for name, text in {
        "chain.pem": shop.chain.pem,
        "root.pem": ca.root.certificate.pem,
        "bad.crl": ca.revoke(shop.certificate).pem,
        "noise": "noise",
    }.items():
        (tmp_path / name).write_text(text)
    words = ["chain", str(tmp_path / "chain.pem"), "--anchors", str(tmp_path / "root.pem"), "--no-java"]
    assert main(words) == 0
    assert main([*words, "--crl", str(tmp_path / "bad.crl")]) == 1
    assert "revoked" in capsys.readouterr().out
    assert main([*words, "--hard-fail"]) == 1
    assert main([*words, "--crl", str(tmp_path / "noise")]) == 2
