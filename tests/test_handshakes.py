"""Handshakes: the message sequence on every Python, both sides' words, and no key in any message."""

import json
import ssl

import pytest
from cryptography.hazmat.primitives import serialization

import certkit as ck
from certkit.errors import ArgumentError, CheckFailed
from certkit.handshakes import _recording
from certkit.handshakes.messages import open_alert, open_message

CCS, DATA = "ChangeCipherSpec", "ApplicationData"
SEQUENCES = {
    (
        "1.2",
        False,
    ): "C ClientHello,S ServerHello,S Certificate,S ServerKeyExchange,S ServerHelloDone,C ClientKeyExchange,"
    "C ChangeCipherSpec,C Finished,S NewSessionTicket,S ChangeCipherSpec,S Finished,C ApplicationData,S ApplicationData",
    (
        "1.2",
        True,
    ): "C ClientHello,S ServerHello,S Certificate,S ServerKeyExchange,S CertificateRequest,S ServerHelloDone,"
    "C Certificate,C ClientKeyExchange,C CertificateVerify,C ChangeCipherSpec,C Finished,S NewSessionTicket,"
    "S ChangeCipherSpec,S Finished,C ApplicationData,S ApplicationData",
    (
        "1.3",
        False,
    ): "C ClientHello,S ServerHello,S ChangeCipherSpec,S EncryptedExtensions,S Certificate,S CertificateVerify,"
    "S Finished,C ChangeCipherSpec,C Finished,C ApplicationData,S NewSessionTicket,S NewSessionTicket,S ApplicationData",
    (
        "1.3",
        True,
    ): "C ClientHello,S ServerHello,S ChangeCipherSpec,S EncryptedExtensions,S CertificateRequest,S Certificate,"
    "S CertificateVerify,S Finished,C ChangeCipherSpec,C Certificate,C CertificateVerify,C Finished,C ApplicationData,"
    "S NewSessionTicket,S NewSessionTicket,S ApplicationData",
}


@pytest.mark.parametrize(("tls", "two_way"), SEQUENCES)
def test_the_message_sequence(tls: str, two_way: bool) -> None:
    run = ck.good_scenario(two_way=two_way, tls=tls).run()
    said = ",".join(f"{item.sender[0].upper()} {item.name}" for item in run.messages)
    assert said == SEQUENCES[tls, two_way]
    assert run.ok
    assert (run.tls_version, run.cause, run.recording) == (tls, None, "messages")
    assert run.group in {"x25519", "X25519MLKEM768", "secp256r1"}
    assert run.cipher
    assert [item.name for item in run.server_chain] == ["orders.example.test", "Orders Issuing CA"]
    assert [item.name for item in run.client_chain] == (["Acme CRM", "Acme Issuing CA"] if two_way else [])
    assert all(item.size > 0 and item.summary for item in run.messages)


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_what_is_encrypted_is_not_on_the_wire(tls: str) -> None:
    run = ck.good_scenario(two_way=True, tls=tls).run()
    wire = b"".join(record.data for record in run.records)
    for message in run.messages:
        if message.name not in {CCS, DATA}:
            assert (message.body in wire) is not message.encrypted, message
    assert b"GET /users" not in wire


def test_a_tls13_certificate_crosses_encrypted_and_a_tls12_one_does_not() -> None:
    for tls, encrypted in (("1.3", True), ("1.2", False)):
        run = ck.good_scenario(two_way=True, tls=tls).run()
        assert [item.encrypted for item in run.said("Certificate")] == [encrypted, encrypted]


@pytest.mark.parametrize("kind", ["p256", "ed25519", "rsa2048"])
@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_no_private_key_byte_is_in_any_message(kind: str, tls: str) -> None:
    ca = ck.CertificateAuthority("Root")
    server, client = ca.issue("a.test", usage="server", key=kind), ca.issue("Acme", usage="client", key=kind)
    run = ck.handshake(
        ck.ClientConfig(ca.trust_store, client), ck.ServerConfig(server, client_anchors=ca.trust_store), tls
    )
    assert run.ok
    everything = b"".join(item.body for item in run.messages) + b"".join(item.data for item in run.records)
    shown = run._repr_html_() + repr(run) + run.text() + json.dumps(run.to_dict())
    for credential in (server, client):
        for secret in secrets_of(credential.key):
            assert secret not in everything
            assert secret.hex() not in shown


def secrets_of(key: ck.PrivateKey) -> list[bytes]:
    raw = key.raw
    if key.algorithm == "Ed25519":
        return [
            raw.private_bytes(
                serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
            )
        ]
    numbers = raw.private_numbers()  # type: ignore[union-attr]
    if key.algorithm == "EC":
        return [numbers.private_value.to_bytes(32, "big")]
    return [
        value.to_bytes((value.bit_length() + 7) // 8, "big") for value in (numbers.p, numbers.q, numbers.d)
    ]


def test_a_refused_client_in_tls13_learns_at_its_first_read() -> None:
    old, new = (ck.find_fault("client-cert-missing").run(tls) for tls in ("1.2", "1.3"))
    assert (old.client.handshake_done, new.client.handshake_done) == (False, True)
    assert (old.client.alert_received, new.client.alert_received) == (
        "handshake_failure",
        "certificate_required",
    )
    assert (old.server.alert_sent, new.server.alert_sent) == ("handshake_failure", "certificate_required")
    assert new.client.outcome == "was-refused"
    assert new.server.outcome == "refused"


def test_an_alert_says_whether_it_was_readable() -> None:
    expired = ck.find_fault("expired-leaf")
    assert [item.encrypted for item in expired.run("1.3").said("Alert")] == [True]
    assert [item.encrypted for item in expired.run("1.2").said("Alert")] == [False]


def test_versions_that_do_not_meet() -> None:
    scenario = ck.good_scenario()
    client = scenario.client.context("1.3")
    server = scenario.server.context("1.2")
    assert client.minimum_version == ssl.TLSVersion.TLSv1_3
    assert server.maximum_version == ssl.TLSVersion.TLSv1_2


def test_empty_trust_and_a_second_intermediate() -> None:
    scenario = ck.good_scenario()
    assert scenario.with_client(anchors=ck.TrustStore()).run().cause == "truststore-missing-or-empty"
    namesake = ck.CertificateAuthority("Orders Root CA", organization="Orders")
    assert scenario.with_client(anchors=namesake.trust_store).run().cause == "untrusted-root"


def test_host_name_check_off_is_not_a_repair() -> None:
    broken = ck.find_fault("hostname-mismatch").scenario()
    assert broken.run().cause == "hostname-mismatch"
    assert broken.with_client(check_host=False).run().ok


def test_bad_calls() -> None:
    scenario = ck.good_scenario()
    with pytest.raises(ArgumentError, match="unknown TLS version"):
        ck.handshake(scenario.client, scenario.server, tls="1.1")
    with pytest.raises(ArgumentError, match="no host name"):
        scenario.with_client(host="https://orders.example.test/").run()
    with pytest.raises(ArgumentError, match="knows no such cipher"):
        scenario.with_client(ciphers="NONSENSE").run()
    with pytest.raises(TypeError, match=r"ask \.ok"):
        bool(scenario.run())
    with pytest.raises(CheckFailed, match="the handshake failed"):
        ck.find_fault("expired-leaf").run().raise_if_failed()


def test_without_the_message_callback_the_records_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_recording, "HAS_MESSAGE_CALLBACK", False)
    good = ck.good_scenario(two_way=True, tls="1.2").run()
    assert good.ok
    assert good.recording == "records"
    names = [item.name for item in good.messages]
    assert names[:6] == [
        "ClientHello",
        "ServerHello",
        "Certificate",
        "ServerKeyExchange",
        "CertificateRequest",
        "ServerHelloDone",
    ]
    assert "EncryptedRecord" in names
    assert [item.name for item in good.client_chain] == ["Acme CRM", "Acme Issuing CA"]
    broken = ck.find_fault("expired-leaf").run("1.3")
    assert broken.client.verify_code == 10
    assert [item.name for item in broken.messages][:2] == ["ClientHello", "ServerHello"]
    assert "records only" in broken._repr_html_()


@pytest.mark.parametrize("cut", [0, 1, 3, 4, 5, 20, 40, 60])
def test_cut_messages_are_said_not_raised(cut: int) -> None:
    run = ck.good_scenario(two_way=True, tls="1.2").run()
    for message in run.messages:
        if message.body:
            opened = open_message("client", message.body[:cut], encrypted=False, tls13=cut % 2 == 0)
            assert opened.summary
    assert open_alert("client", b"\x02", encrypted=False).summary == "an alert of the wrong size"


def test_the_picture_holds_every_message() -> None:
    run = ck.good_scenario(two_way=True).run()
    html = run._repr_html_()
    assert html.count('class="msg ') == len(run.messages)
    assert len(html) < 20_000
    assert "<script" not in html
    assert 'data-run="7"' in ck.HandshakeLab().state.picture(7)


def test_one_message_opened_and_all_that_was_said() -> None:
    run = ck.good_scenario(two_way=True).run()
    proof = run.message("CertificateVerify", "client")
    assert (proof.sender, dict(proof.fields)["algorithm"]) == ("client", "ecdsa_secp256r1_sha256")
    assert run.message("CertificateVerify").sender == "server"
    signature = dict(proof.fields)["signature"].split()[-1]
    assert "ecdsa_secp256r1_sha256" in proof._repr_html_()
    assert signature[:48] + "…" in proof._repr_html_()  # whole, it would be wider than the page
    assert len(run.message("Certificate")._repr_html_()) < 10_000
    with pytest.raises(ArgumentError, match=r"no such message of the server.*ServerHello"):
        run.message("ClientHello", "server")
    credential = run.client_config.credential
    assert credential is not None
    assert credential.certificate.der in run.transcript
    assert not credential.key.is_in(run.transcript)


def test_a_fault_tells_its_story_in_one_piece() -> None:
    html = ck.find_fault("hostname-mismatch")._repr_html_()
    assert "\\x0a" not in html
    assert "the client wanted. A new alias in DNS" in html


def test_one_thing_of_a_side_changed_and_the_rest_kept() -> None:
    scenario = ck.good_scenario(two_way=True)
    other = ck.self_signed("Acme CRM", usage="client")
    client = scenario.client.with_credential(other)
    assert (client.host, client.anchors) == (scenario.client.host, scenario.client.anchors)
    assert ck.handshake(client, scenario.server).cause == "client-cert-untrusted"
    assert ck.handshake(client, scenario.server.with_client_anchors([other.certificate])).ok
    assert not scenario.server.with_client_anchors(None).two_way
    stranger = scenario.client.with_anchors([other.certificate])
    assert ck.handshake(stranger, scenario.server).cause == "untrusted-root"


def test_a_certificate_is_no_truststore() -> None:
    """The first thing a learner tries; without this, an error of Python's comes from deep inside."""
    ca = ck.CertificateAuthority("Lab Root")
    with pytest.raises(ArgumentError, match="told by a truststore: Certificate"):
        ck.ClientConfig(ca.certificate)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="told by a truststore"):
        ck.ServerConfig(ca.issue("shop.example.test", usage="server"), client_anchors=[ca.certificate])  # type: ignore[arg-type]
