"""The checkup's eyes: a server's first flight in every version, STARTTLS, proxies, and servers that misbehave."""

from __future__ import annotations

import contextlib
import random
import re
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

import certkit as ck
from certkit.checkup._hello import Hello
from certkit.checkup._probe import Flight, first_flight
from certkit.checkup._transport import Target, connect, parse_target
from certkit.errors import ArgumentError, CertkitError
from certkit.faults.scenario import HOST


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("server")
    scenario = ck.good_scenario(two_way=True)
    credential = scenario.server.credential
    (folder / "key.pem").write_bytes(credential.key.to_pem())
    (folder / "leaf.pem").write_text(credential.certificate.pem)
    (folder / "issuing.pem").write_text(scenario.server_ca.chain.pem)
    (folder / "clients.pem").write_text(scenario.client_ca.trust_store.pem)
    (folder / "roots.pem").write_text(scenario.client.anchors.pem)
    for status in ("good", "revoked"):
        (folder / f"{status}.ocsp").write_bytes(ocsp_answer(scenario, status))
    return folder


def ocsp_answer(scenario: ck.Scenario, status: str) -> bytes:
    """Return what the CA's responder would say of the server's certificate, for a server to staple."""
    now = datetime.now(UTC)
    revoked = status == "revoked"
    issuer = scenario.server_ca.certificate.raw
    builder = ocsp.OCSPResponseBuilder().add_response(
        scenario.server.credential.certificate.raw,
        issuer,
        hashes.SHA256(),
        ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD,
        now - timedelta(hours=1),
        now + timedelta(days=1),
        now - timedelta(hours=1) if revoked else None,
        x509.ReasonFlags.key_compromise if revoked else None,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.NAME, issuer)
    answer = builder.sign(scenario.server_ca.key.raw, hashes.SHA256())
    return answer.public_bytes(serialization.Encoding.DER)


@pytest.mark.parametrize("tls", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("status", ["good", "revoked"])
def test_a_stapled_answer_is_read_and_believed(files: Path, status: str, tls: str) -> None:
    roots = ck.TrustStore(ck.load_certificates(files / "roots.pem"))
    with openssl(files, "-status_file", f"{status}.ocsp", tls) as port:
        result = ck.check_server(
            f"127.0.0.1:{port}", name=HOST, anchors=roots, versions=False, acceptance=False
        )
    assert result.staple_status == result.to_dict()["ocsp_status"] == status
    assert result.ok is (status == "good"), result.text()
    assert result.cause == (None if status == "good" else "revoked")


@contextmanager
def openssl(folder: Path, *options: str) -> Iterator[int]:
    command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-key", "key.pem", "-cert", "leaf.pem"]
    command += ["-cert_chain", "issuing.pem", *options]
    process = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(rb"ACCEPT .*:(\d+)", line):
                yield int(found[1])
                return
        raise AssertionError("openssl s_server did not start")
    finally:
        process.kill()
        process.communicate()


def look(target: Target, *versions: str) -> Flight:
    transport = connect(target, 5)
    try:
        return first_flight(transport, HOST, versions or ("1.3", "1.2"))
    finally:
        transport.close()


@pytest.mark.parametrize(
    ("version", "options"),
    [
        ("1.3", ()),
        ("1.3", ("-ciphersuites", "TLS_AES_256_GCM_SHA384")),
        ("1.3", ("-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256")),
        ("1.3", ("-groups", "P-256")),
        ("1.3", ("-groups", "P-384")),  # a HelloRetryRequest: that share was not sent at first
        ("1.3", ("-groups", "P-521", "-ciphersuites", "TLS_AES_256_GCM_SHA384")),
        ("1.2", ("-tls1_2",)),
        ("1.1", ("-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0")),
        ("1.0", ("-tls1", "-cipher", "DEFAULT:@SECLEVEL=0")),
    ],
)
def test_the_first_flight_in_every_version(files: Path, version: str, options: tuple[str, ...]) -> None:
    with openssl(files, *options) as port:
        flight = look(Target("127.0.0.1", port), version)
    assert flight.version == version
    assert flight.alert is None
    assert [item.name for item in flight.chain] == [HOST, "Orders Issuing CA"]
    assert flight.request is None
    assert flight.staple is None


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_two_way_server_names_its_authorities(files: Path, version: str) -> None:
    with openssl(files, "-Verify", "3", "-CAfile", "clients.pem") as port:
        flight = look(Target("127.0.0.1", port), version)
    assert flight.request is not None
    assert dict(flight.request.fields)["certificate authorities"] == "CN=Acme Root CA,O=Acme"


def test_a_version_that_is_not_offered_is_refused_with_an_alert(files: Path) -> None:
    with openssl(files, "-tls1_2") as port:
        flight = look(Target("127.0.0.1", port), "1.3")
    assert (flight.version, flight.alert) == (None, "protocol_version")


def serve(answer: Callable[[socket.socket], None]) -> tuple[Target, threading.Thread]:
    listener = socket.create_server(("127.0.0.1", 0))

    def once() -> None:
        connection, _ = listener.accept()
        listener.close()
        with connection:
            answer(connection)

    thread = threading.Thread(target=once, daemon=True)
    thread.start()
    return Target("127.0.0.1", listener.getsockname()[1]), thread


def swallow(connection: socket.socket) -> bytes:
    return connection.recv(65_536)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (lambda c: (swallow(c), c.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")), "no-tls"),
        (swallow, "closed"),
        (lambda c: (swallow(c), c.sendall(b"\x16\x03\x03\x40\x00" + bytes(0x4000)) or flood(c)), "too-large"),
    ],
)
def test_a_server_that_misbehaves_is_named(answer: Callable[[socket.socket], None], kind: str) -> None:
    target, thread = serve(answer)
    with pytest.raises(CertkitError) as caught:
        look(target)
    assert caught.value.kind == kind
    thread.join(5)


def flood(connection: socket.socket) -> None:
    record = b"\x16\x03\x03\x40\x00" + b"\x02\xff\xff\xff" + bytes(0x3FFC)
    try:
        for _ in range(6400):  # 100 MB
            connection.sendall(record)
    except OSError:
        return


def test_a_silent_server_ends_in_time() -> None:
    hold = threading.Event()
    target, thread = serve(lambda c: hold.wait(10))
    transport = connect(target, 0.3)
    with pytest.raises(CertkitError, match=r"no answer within 0\.3 s"):
        first_flight(transport, HOST)
    transport.close()
    hold.set()
    thread.join(5)


def test_a_closed_port_and_an_unknown_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(CertkitError, match="nothing listens"):
        connect(Target("127.0.0.1", port), 2)


CONVERSATIONS: dict[str, list[tuple[bytes, bytes]]] = {
    "ftp": [(b"", b"220-hello\r\n220 ready\r\n"), (b"AUTH TLS\r\n", b"234 go\r\n")],
    "smtp": [
        (b"", b"220 mail\r\n"),
        (b"EHLO certkit.invalid\r\n", b"250-mail\r\n250 STARTTLS\r\n"),
        (b"STARTTLS\r\n", b"220 go\r\n"),
    ],
    "imap": [(b"", b"* OK imap\r\n"), (b"a1 STARTTLS\r\n", b"* note\r\na1 OK go\r\n")],
    "pop3": [(b"", b"+OK pop\r\n"), (b"STLS\r\n", b"+OK go\r\n")],
    "ldap": [
        (
            bytes.fromhex("301d02010177188016") + b"1.3.6.1.4.1.1466.20037",
            bytes.fromhex("300c02010178070a010004000400"),
        )
    ],
    "postgres": [(struct.pack(">II", 8, 80877103), b"S")],
    "mysql": [
        (
            b"",
            bytes.fromhex("4a0000000a")  # a greeting as MySQL 8.0 sends it, with CLIENT_SSL among its flags
            + b"8.0.36\0"
            + bytes(4)
            + b"saltsalt\0"
            + bytes.fromhex("ffffff0200ffdf15")
            + bytes(10)
            + b"more-salt-12\0caching_sha2_password\0",
        ),
        (b"\x20\0\0\x01" + struct.pack("<IIB23x", 0x8A00, 1 << 24, 33), b""),
    ],
    "xmpp": [
        (
            b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
            b" to='127.0.0.1' version='1.0'>",
            b"<?xml version='1.0'?><stream:stream id='1' version='1.0'><stream:features>"
            b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>",
        ),
        (
            b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
            b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
        ),
    ],
}


@pytest.mark.parametrize("protocol", CONVERSATIONS)
def test_starttls(protocol: str) -> None:
    heard: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        for expected, answer in CONVERSATIONS[protocol]:
            data = b""
            while len(data) < len(expected):
                data += connection.recv(len(expected) - len(data))
            heard.append(data)
            connection.sendall(answer)
        heard.append(connection.recv(3))
        connection.sendall(b"\x15\x03\x03\x00\x02\x02\x28")

    target, thread = serve(talk)
    flight = look(Target(target.host, target.port, starttls=protocol))
    thread.join(5)
    assert flight.alert == "handshake_failure"
    assert heard[:-1] == [expected for expected, _ in CONVERSATIONS[protocol]]
    assert heard[-1] == b"\x16\x03\x01"


def test_starttls_refused_says_the_servers_words() -> None:
    target, thread = serve(
        lambda c: (c.sendall(b"220 mail\r\n"), swallow(c), c.sendall(b"502 no\r\n"), swallow(c))
    )  # type: ignore[func-returns-value]
    with pytest.raises(CertkitError, match="502 no"):
        connect(Target(target.host, target.port, starttls="smtp"), 2)
    thread.join(5)


def test_a_proxy_that_refuses_says_why() -> None:
    target, thread = serve(lambda c: (swallow(c), c.sendall(b"HTTP/1.0 503 Service unavailable\r\n\r\n")))  # type: ignore[func-returns-value]
    with pytest.raises(CertkitError, match="503 Service unavailable") as caught:
        connect(Target("orders.example.test", 443, proxy=f"http://127.0.0.1:{target.port}"), 2)
    assert caught.value.cause == "proxy-refused"
    thread.join(5)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("shop.example.test", ("shop.example.test", 443)),
        ("shop.example.test:8443", ("shop.example.test", 8443)),
        ("https://shop.example.test/path", ("shop.example.test", 443)),
        ("[::1]:9443", ("::1", 9443)),
        (" 127.0.0.1:1 ", ("127.0.0.1", 1)),
    ],
)
def test_targets(text: str, expected: tuple[str, int]) -> None:
    target = parse_target(text)
    assert (target.host, target.port) == expected


@pytest.mark.parametrize(
    "text", ["", ":443", "host:port", "host:99999", "two words", "ftp://host", "[::1", "https://"]
)
def test_no_targets(text: str) -> None:
    with pytest.raises(ArgumentError):
        parse_target(text)


def test_random_bytes_never_raise_anything_else() -> None:
    dice = random.Random(7)
    for size in (0, 1, 5, 6, 40, 80, 200):
        body = dice.randbytes(size)
        for head in (
            b"",
            b"\x16\x03\x03" + size.to_bytes(2, "big"),
            b"\x16\x03\x03" + (size + 4).to_bytes(2, "big") + b"\x02\x00\x00" + bytes([size % 256]),
        ):
            target, thread = serve(lambda c, data=head + body: (swallow(c), c.sendall(data)))  # type: ignore[misc,func-returns-value]
            with contextlib.suppress(CertkitError):
                look(target)
            thread.join(5)


@pytest.fixture(scope="module")
def recorded(files: Path) -> bytes:
    """Return a real server's first flight in TLS 1.2, which is in clear and can be sent again."""
    hello = Hello(("1.2",), HOST).message
    with (
        openssl(files, "-tls1_2") as port,
        socket.create_connection(("127.0.0.1", port), timeout=5) as client,
    ):
        client.sendall(b"\x16\x03\x01" + len(hello).to_bytes(2, "big") + hello)
        flight = b""
        while b"\x0e\x00\x00\x00" not in flight[-4:]:  # ServerHelloDone
            flight += client.recv(65_536)
    return flight


def replayed(flight: bytes) -> ck.ServerCheck:
    """Return what the checkup makes of a server that says this."""

    def talk(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            swallow(connection)
            connection.sendall(flight)
            connection.settimeout(2)
            swallow(connection)

    target, thread = serve(talk)
    result = ck.check_server(
        Target(target.host, target.port, name=HOST),
        anchors=ck.TrustStore(()),
        versions=False,
        acceptance=False,
        step=0.5,
    )
    thread.join(5)
    return result


def test_what_is_no_tls_any_more_was_changed_on_the_way(recorded: bytes) -> None:
    result = replayed(recorded[: recorded.index(b"\x16\x03\x03", 5)] + b"HTTP/1.1 400 Bad Request\r\n\r\n")
    assert (result.stage, result.cause) == ("tls", "tampered-or-corrupt"), result.text()
    assert "after its ServerHello" in result.findings[0].text


def test_a_real_flight_with_changed_bytes_always_gives_a_verdict(recorded: bytes) -> None:
    dice = random.Random(11)
    assert replayed(recorded).stage == "done"
    for _ in range(60):
        flight, at = bytearray(recorded), dice.randrange(len(recorded))
        cut = dice.choice((0, 1, 1, 8))
        flight[at : at + cut] = dice.randbytes(dice.choice((0, 1, 1, 8)))
        result = replayed(bytes(flight))
        assert result.stage in {"tls", "certificate", "done"}
        assert result.text() and result.to_dict() and result._repr_html_()
