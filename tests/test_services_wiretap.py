"""The wiretap: what anybody on the way can read, in plain HTTP and in TLS."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from certkit.authority import CertificateAuthority
from certkit.errors import ArgumentError
from certkit.handshakes import ClientConfig, ServerConfig
from certkit.services import UserService, Wiretap, call_update_user
from certkit.services._records import looks_like_tls, read_records
from certkit.services._server import Connection, LoopbackServer
from certkit.services.wiretap import MAX_KEPT_BYTES, Chunk, Conversation, readable

HOST = "orders.example.test"
CA = CertificateAuthority("Lab Root")
SERVER = CA.issue(HOST, usage="server")
CLIENT = CA.issue("Acme CRM", usage="client")


@pytest.fixture
def plain() -> Iterator[Wiretap]:
    with UserService() as service, Wiretap(service) as tap:
        assert call_update_user(tap.url, "u-1001", "Inactive").ok
        yield tap


def test_plain_http_is_readable(plain: Wiretap) -> None:
    conversation = plain.conversation()
    assert conversation.connections == (1,)
    assert not conversation.is_tls(1)
    assert plain.contains(b"<userId>u-1001</userId>")
    assert plain.contains("updated")
    assert not plain.contains(b"u-1002")
    assert "POST /users HTTP/1.1" in plain.text()
    assert "HTTP/1.1 200 OK" in plain.text()
    assert conversation.records == ()
    assert next(chunk.sender for chunk in conversation) == "client"
    assert [chunk.seconds for chunk in conversation] == sorted(chunk.seconds for chunk in conversation)
    shown = plain._repr_html_()
    assert "&lt;userId&gt;u-1001&lt;/userId&gt;" in shown
    assert "readable" in shown
    assert len(shown) < 10_000


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_tls_is_not(tls: str) -> None:
    security = ServerConfig(SERVER, client_anchors=CA.trust_store)
    client = ClientConfig(CA.trust_store, CLIENT, host=HOST)
    with UserService(security, tls=tls) as service, Wiretap(service) as tap:
        assert tap.url.startswith("https://")
        assert call_update_user(tap.url, "u-1001", "Inactive", client).ok
        conversation = tap.conversation()
    assert conversation.is_tls(1)
    for secret in (b"u-1001", b"updateUser", b"HTTP/1.1", CLIENT.key.to_der()):
        assert not conversation.contains(secret)
    # The name of the server is still in the clear, and in TLS 1.2 the certificates too.
    assert conversation.contains(HOST)
    assert conversation.contains(CLIENT.certificate.der) is (tls == "1.2")
    assert "not readable" in conversation.text()
    assert f"ClientHello: I want {HOST}" in conversation.text()
    first, *others = conversation.records
    assert (first.sender, first.type, first.readable) == ("client", "handshake", True)
    encrypted = [item for item in others if not item.readable]
    assert {item.sender for item in encrypted} == {"client", "server"}
    assert {item.version for item in encrypted} == {"TLS 1.2"}  # also in TLS 1.3: RFC 8446, 5.1
    assert all(item.length > 0 and item.says == "" for item in encrypted)
    assert sum(len(chunk.data) for chunk in conversation) == sum(
        item.length + 5 for item in conversation.records
    )
    shown = conversation._repr_html_()
    assert "not readable" in shown
    assert len(shown) < 12_000


def test_a_refusal_crosses_readably_in_tls_1_2_only() -> None:
    for tls, readable_alert in (("1.2", True), ("1.3", False)):
        service = UserService(ServerConfig(SERVER, client_anchors=CA.trust_store), tls=tls)
        with service, Wiretap(service.start()) as tap:
            result = call_update_user(tap.url, "u-1001", "Active", ClientConfig(CA.trust_store, host=HOST))
            assert result.cause == "client-cert-missing"
            text = tap.text()
        assert ("fatal: handshake_failure" in text) is readable_alert


def test_the_alert_of_a_client_is_written_down() -> None:
    stranger = ClientConfig(CertificateAuthority("Other").trust_store, host=HOST)
    with UserService(ServerConfig(SERVER), tls="1.2") as service, Wiretap(service) as tap:
        for number in range(1, 6):
            call_update_user(tap.url, "u-1001", "Active", stranger)
            assert f"[{number}] client: alert, TLS 1.2, 2 bytes: fatal: unknown_ca" in tap.text()


def test_connections_are_kept_apart_and_can_be_forgotten(plain: Wiretap) -> None:
    call_update_user(plain.url, "u-1003", "Active")
    conversation = plain.conversation()
    assert conversation.connections == (1, 2)
    assert b"u-1003" in conversation.stream(2, "client")
    assert b"u-1003" not in conversation.stream(1, "client")
    assert "2 connections" in repr(conversation)
    plain.clear()
    assert len(plain.conversation()) == 0
    assert "Nothing crossed yet" in plain._repr_html_()


@pytest.mark.parametrize(
    "target",
    [
        "http://orders.example.test/",
        "http://192.0.2.1/users",
        ("192.0.2.1", 80),
        ("", 80),
        7,
        "nowhere",
        None,
    ],
)
def test_it_forwards_to_this_machine_only(target: object) -> None:
    with pytest.raises(ArgumentError):
        Wiretap(target)  # type: ignore[arg-type]


def test_what_it_takes_as_target() -> None:
    with UserService() as service:
        for target in (service, service.url, service.address):
            with Wiretap(target) as tap:
                assert tap.target == service.address
                with socket.create_connection(tap.address, timeout=5) as client:
                    client.sendall(b"GET /users?wsdl HTTP/1.0\r\n\r\n")
                    assert client.recv(12) == b"HTTP/1.1 200"
        assert Wiretap(service, port=8443).url == "http://127.0.0.1:8443/users"
        assert Wiretap(service.address, port=8443).url == "tcp://127.0.0.1:8443"


def test_nobody_behind_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with Wiretap(("127.0.0.1", port)) as tap:
        result = call_update_user(f"http://127.0.0.1:{tap.port}/users", "u-1001", "Active")
    assert (result.step, result.cause) == ("answer", "server-closed")


class Talker(LoopbackServer):
    """Sends a lot, reads nothing; then waits for the end."""

    def _serve(self, connection: Connection) -> None:
        connection.socket.sendall(b"x" * 3_000_000)
        while connection.socket.recv(1000):
            pass


def test_it_stops_with_a_conversation_under_way() -> None:
    with Talker() as talker, Wiretap(talker) as tap:
        with socket.create_connection(tap.address, timeout=5) as client:
            assert client.recv(10) == b"x" * 10
            tap.stop()
        assert not tap.running


def test_too_much_is_counted_and_not_kept() -> None:
    tap = Wiretap(("127.0.0.1", 9))
    tap._note(1, "client", b"x" * MAX_KEPT_BYTES)
    tap._note(1, "client", b"more")
    assert tap.conversation().dropped == 4
    assert len(tap.conversation()) == 1


def test_a_half_closed_connection_still_gets_its_answer() -> None:
    with (
        UserService() as service,
        Wiretap(service) as tap,
        socket.create_connection(tap.address, timeout=5) as client,
    ):
        client.sendall(b"GET /users?wsdl HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        client.shutdown(socket.SHUT_WR)
        answer = b""
        while data := client.recv(10_000):
            answer += data
    assert answer.endswith(b"</definitions>\n")
    assert tap.conversation().stream(1, "server") == answer


def test_a_needle_split_over_two_pieces_is_found() -> None:
    found = Conversation((Chunk(1, "client", 0.0, b"<userId>u-1"), Chunk(1, "client", 0.1, b"001</userId>")))
    assert found.contains("u-1001")
    assert not Conversation((Chunk(1, "client", 0.0, b"u-1"), Chunk(1, "server", 0.1, b"001"))).contains(
        "u-1001"
    )
    for nothing in ("", b"", None):
        with pytest.raises(ArgumentError, match="nothing to look for"):
            found.contains(nothing)  # type: ignore[arg-type]


def test_what_crossed_is_made_harmless() -> None:
    evil = b"<script>alert(1)</script>\x1b[2J\r\n\xff\xe2\x80\xae"
    shown = Conversation((Chunk(1, "client", 0.0, evil),))
    assert "<script>" not in shown._repr_html_()
    assert "\x1b" not in shown.text()
    assert "\\x1b" in shown.text()
    assert "\\xff\\u202e" in shown.text()
    assert readable(b"a" * 30, 10).endswith("… 20 more bytes")


@pytest.mark.parametrize("data", [b"", b"\x16", b"\x16\x03", b"POST", b"\x16\x04\x00", b"\x00\x03\x01"])
def test_what_is_no_tls(data: bytes) -> None:
    assert not looks_like_tls(data)


def test_records_that_lie_are_only_described() -> None:
    pieces = [
        ("client", b"\x16\x03\x01\x00\x05\x01\xff\xff\xff\x00"),
        ("client", b"\x63\x03\x09\x00\x01x"),
        ("server", b"\x15\x03\x03\x00\x01\x02"),
        ("server", b"\x16\x03\x03\xff\xff"),
    ]
    first, second, third = read_records(1, pieces)
    assert "cannot be read" in first.says
    assert (second.type, second.version) == ("type 99", "0309")
    assert third.says == "an alert of the wrong size"


def test_a_recorded_call_can_be_sent_again_and_changed() -> None:
    with UserService() as service, Wiretap(service) as tap:
        call_update_user(tap.url, "u-1001", "Inactive")
        call_update_user(service.url, "u-1001", "Active")
        assert "<result>updated" in tap.replay()
        assert service.rows[0].status == "Inactive"
        answer = tap.replay(1, {b"u-1001": b"u-1002"})
        assert "HTTP/1.1 200 OK" in answer
        assert service.rows[1].status == "Inactive"
        assert not tap.contains(b"u-1002")
        with pytest.raises(ArgumentError, match="nothing was recorded"):
            tap.replay(7)


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_a_recorded_tls_call_is_worth_nothing_to_who_sends_it_again(tls: str) -> None:
    with UserService(ServerConfig(SERVER), tls=tls) as service, Wiretap(service) as tap:
        assert call_update_user(tap.url, "u-1001", "Inactive", ClientConfig(CA.trust_store, host=HOST)).ok
        answer = tap.replay()
        assert "updated" not in answer
        assert service.rows[0].revision == 1
        assert [item.ok for item in service.log.handshakes] == [True, False]


def test_the_log_has_the_address_of_the_last_hop() -> None:
    with UserService() as service, Wiretap(service) as tap:
        call_update_user(tap.url, "u-1001", "Inactive")
        assert service.log[0].address == "127.0.0.1"
        assert service.log[0].to_dict()["address"] == "127.0.0.1"
        assert "127.0.0.1" in service.log._repr_html_()


def test_a_dump_has_its_lines() -> None:
    with UserService(ServerConfig(SERVER)) as service, Wiretap(service) as tap:
        call_update_user(tap.url, "u-1001", "Inactive", ClientConfig(CA.trust_store, host=HOST))
        shown = tap.conversation()._repr_html_()
    assert "\n0010  " in shown
    assert "\\x0a" not in shown
