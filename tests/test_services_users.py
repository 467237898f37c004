"""The user service and its client, over real sockets: plain, one-way and two-way."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from certkit.authority import CertificateAuthority
from certkit.errors import ArgumentError, CheckFailed, FormatError, LimitError
from certkit.handshakes import ClientConfig, ServerConfig
from certkit.services import UserService, call_update_user
from certkit.services._dial import is_allowed, network_cause, parse_url
from certkit.services.soap import (
    ENVELOPE,
    NAMESPACE,
    SoapFault,
    build_fault,
    build_request,
    parse_answer,
    parse_envelope,
)

HOST = "orders.example.test"
CA = CertificateAuthority("Orders Root").intermediate("Orders Issuing")
CLIENT_CA = CertificateAuthority("Acme Root").intermediate("Acme Issuing")
SERVER = CA.issue(HOST, usage="server")
CLIENT = CLIENT_CA.issue("Acme CRM", usage="client")
STRANGER = CertificateAuthority("Stranger")


@pytest.fixture(scope="module")
def plain() -> Iterator[UserService]:
    with UserService() as service:
        yield service


def post(
    service: UserService, body: bytes, path: str = "/users", **headers: str
) -> tuple[int, dict[str, str], SoapFault | None]:
    talk = http.client.HTTPConnection(*service.address, timeout=5)
    try:
        talk.request("POST", path, body, headers)
        answer = talk.getresponse()
        content = answer.read()
        try:
            return answer.status, *parse_answer(content)
        except FormatError:
            return answer.status, {"text": content.decode()}, None
    finally:
        talk.close()


def test_a_call_changes_the_row() -> None:
    with UserService() as service:
        before = {user.id: user for user in service.rows}
        result = call_update_user(service.url, "u-1001", "Inactive")
        after = {user.id: user for user in service.rows}
    assert (result.ok, result.status, result.revision, result.http_status) == (True, "updated", 1, 200)
    assert (result.step, result.cause, result.error, result.tls_version) == ("answer", None, None, None)
    assert before["u-1001"].status == "Active"
    assert (after["u-1001"].status, after["u-1001"].revision) == ("Inactive", 1)
    assert after["u-1001"].updated is not None
    assert {k: v for k, v in after.items() if k != "u-1001"} == {
        k: v for k, v in before.items() if k != "u-1001"
    }


def test_rows_outlive_the_service() -> None:
    service = UserService()
    for expected in (1, 2):
        with service:
            assert call_update_user(service.url, "u-1002", "Active").revision == expected
    frame = service.users()
    assert list(frame.columns) == ["id", "name", "email", "status", "updated", "revision"]
    assert frame.set_index("id").loc["u-1002", "revision"] == 2


@pytest.mark.parametrize(
    ("user", "status", "answer"),
    [
        ("u-9999", "Active", "unknown-user"),
        ("", "Active", "unknown-user"),
        ("u-1001'; DROP TABLE Users; --", "Active", "unknown-user"),
        ("<u>&amp;", "Active", "unknown-user"),
        ("u-1003", "Sleeping", "invalid-status"),
    ],
)
def test_a_clear_status_and_no_change(plain: UserService, user: str, status: str, answer: str) -> None:
    before = plain.rows
    result = call_update_user(plain.url, user, status)
    assert (result.ok, result.status, result.http_status, result.fault) == (False, answer, 200, None)
    assert plain.rows == before
    assert answer in result.verdict


def test_concurrent_calls_lose_no_update(plain: UserService) -> None:
    first = {user.id: user.revision for user in plain.rows}["u-1006"]
    states = ("Active", "Inactive", "Suspended")
    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(lambda n: call_update_user(plain.url, "u-1006", states[n % 3]), range(160)))
    assert all(result.ok for result in results)
    assert sorted(result.revision or 0 for result in results) == list(range(first + 1, first + 161))
    assert {user.id: user.revision for user in plain.rows}["u-1006"] == first + 160


def envelope(content: str, header: str = "", namespace: str = ENVELOPE) -> bytes:
    return f'<e:Envelope xmlns:e="{namespace}">{header}<e:Body>{content}</e:Body></e:Envelope>'.encode()


CALL = f'<updateUser xmlns="{NAMESPACE}"><userId>u-1004</userId><status>Active</status></updateUser>'
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    f"<e:Envelope xmlns:e='{ENVELOPE}'><e:Body>&b;</e:Body></e:Envelope>"
).encode()
EXTERNAL = b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>'


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (b"", "Client", "not well-formed"),
        (b"hello", "Client", "not well-formed"),
        (b"<a>", "Client", "not well-formed"),
        (b"<a/>", "Client", "no SOAP envelope"),
        (b"\xff\xfe\x00", "Client", "well-formed"),
        (b'<?xml version="1.0" encoding="no-such"?><a/>', "Client", "well-formed|encoding"),
        (envelope(CALL) + b"<more/>", "Client", "not well-formed"),
        (envelope(""), "Client", "exactly one"),
        (envelope(CALL + CALL), "Client", "exactly one"),
        (envelope("<deleteUser/>"), "Client", "no operation deleteUser"),
        (envelope("<updateUser/>"), "Client", "no operation updateUser"),
        (envelope(f'<updateUser xmlns="{NAMESPACE}"/>'), "Client", "needs a userId"),
        (envelope(CALL, namespace="http://www.w3.org/2003/05/soap-envelope"), "VersionMismatch", "1.1"),
        (
            envelope(CALL, '<e:Header><pay xmlns="x" e:mustUnderstand="1"/></e:Header>'),
            "MustUnderstand",
            "header pay",
        ),
        (BOMB, "Client", "document type"),
        (EXTERNAL, "Client", "document type"),
        (b"<?php echo ?><a/>", "Client", "processing instruction"),
        (b"<a>" * 40, "Client", "not that deep"),
        (b"<a>" + b"<b/>" * 3000 + b"</a>", "Client", "not that deep or that long"),
    ],
)
def test_a_malformed_envelope_gets_a_fault(plain: UserService, body: bytes, code: str, words: str) -> None:
    status, fields, fault = post(plain, body)
    assert (status, fields) == (500, {})
    assert fault is not None
    assert fault.code == code
    assert any(word in fault.reason for word in words.split("|"))
    assert plain.log[-1].outcome == f"fault {code}"


def test_a_header_that_need_not_be_understood_is_fine(plain: UserService) -> None:
    status, fields, _ = post(plain, envelope(CALL, '<e:Header><pay xmlns="x"/></e:Header>'))
    assert (status, fields["result"]) == (200, "updated")


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/", {}, 404),
        ("/users/other", {}, 404),
        ("/users", {"Transfer-Encoding": "chunked"}, 411),
        ("/users", {"Content-Length": "70000"}, 413),
        ("/users", {"Content-Length": "99999999999999999"}, 413),
        ("/users", {"Content-Length": "-1"}, 411),
    ],
)
def test_what_is_no_call_is_refused(
    plain: UserService, path: str, headers: dict[str, str], status: int
) -> None:
    before = plain.rows
    assert post(plain, envelope(CALL), path, **headers)[0] == status
    assert plain.rows == before


def test_an_oversized_body_is_refused_and_the_answer_arrives(plain: UserService) -> None:
    status, fields, _ = post(plain, b"x" * 3_000_000)
    assert status == 413
    assert "65,536" in fields["text"]


def test_the_description_names_the_address_of_the_caller(plain: UserService) -> None:
    talk = http.client.HTTPConnection(*plain.address, timeout=5)
    texts = []
    for host in ("orders.example.test:8080", '"><x>', "127.0.0.1"):
        talk.request("GET", "/users?wsdl", headers={"Host": host})  # one connection: HTTP/1.1
        texts.append(talk.getresponse().read().decode())
    talk.request("GET", "/")
    assert talk.getresponse().status == 404
    talk.close()
    assert 'location="http://orders.example.test:8080/users"' in texts[0]
    assert f'location="{plain.url}"' in texts[1]
    assert all(parse_envelope(text.encode()).local == "definitions" for text in texts)


def test_a_cut_off_body_changes_nothing(plain: UserService) -> None:
    before = plain.rows
    with socket.create_connection(plain.address, timeout=5) as client:
        client.sendall(b"POST /users HTTP/1.1\r\nContent-Length: 500\r\n\r\n" + envelope(CALL))
        client.shutdown(socket.SHUT_WR)
        assert client.recv(100) == b""
    assert plain.rows == before


# TLS


def one_way(**options: object) -> ServerConfig:
    return ServerConfig(SERVER, **options)  # type: ignore[arg-type]


TWO_WAY = ServerConfig(SERVER, client_anchors=CLIENT_CA.trust_store)
TRUSTING = ClientConfig(CA.trust_store, host=HOST)


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_one_way(tls: str) -> None:
    with UserService(one_way(), tls=tls) as service:
        assert service.url.startswith("https://127.0.0.1:")
        result = call_update_user(service.url, "u-1001", "Inactive", TRUSTING)
        handshake, request = service.log
    assert result.ok
    assert result.tls_version == tls
    assert [item.name for item in result.server_chain] == [HOST, "Orders Issuing"]
    assert (handshake.event, handshake.outcome, handshake.caller) == ("handshake", "ok", None)
    assert (request.event, request.outcome, request.caller) == ("request", "updated", None)
    assert handshake.tls_version == request.tls_version == tls


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_two_way_tells_who_called(tls: str) -> None:
    with UserService(TWO_WAY, tls=tls) as service:
        client = ClientConfig(CA.trust_store, CLIENT, host=HOST)
        assert call_update_user(service.url, "u-1001", "Inactive", client).ok
        log = service.log
    assert [item.caller for item in log] == ["CN=Acme CRM"] * 2
    assert log.frame()["caller"].tolist() == ["CN=Acme CRM"] * 2
    assert "CN=Acme CRM" in log._repr_html_()


def expired() -> ServerConfig:
    now = datetime.now(UTC)
    return ServerConfig(
        CA.issue(HOST, usage="server", not_before=now - timedelta(9), not_after=now - timedelta(2))
    )


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
@pytest.mark.parametrize(
    ("server", "client", "cause", "code", "alert"),
    [
        (one_way(), ClientConfig(STRANGER.trust_store, host=HOST), "untrusted-root", 20, "unknown_ca"),
        (
            ServerConfig(SERVER.with_chain([SERVER.certificate])),
            TRUSTING,
            "missing-intermediate",
            20,
            "unknown_ca",
        ),
        (one_way(), ClientConfig(CA.trust_store), "hostname-mismatch", 64, "bad_certificate"),
        (expired(), TRUSTING, "expired-leaf", 10, "certificate_expired"),
    ],
    ids=["unknown-root", "missing-intermediate", "wrong-host", "expired"],
)
def test_the_client_refuses_and_both_say_why(
    server: ServerConfig, client: ClientConfig, cause: str, code: int, alert: str, tls: str
) -> None:
    with UserService(server, tls=tls) as service:
        result = call_update_user(service.url, "u-1001", "Inactive", client)
        (record,) = service.log
    assert (result.ok, result.step, result.cause) == (False, "handshake", cause)
    assert result.endpoint is not None
    assert (result.endpoint.outcome, result.endpoint.verify_code) == ("refused", code)
    assert result.endpoint.alert_sent == alert
    assert record.endpoint is not None
    assert (record.outcome, record.endpoint.alert_received) == ("was-refused", alert)
    assert service.log.requests.records == ()
    assert service.rows[0].revision == 0


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
@pytest.mark.parametrize(
    ("credential", "cause", "server_cause"),
    [
        (None, "client-cert-missing", "client-cert-missing"),
        (STRANGER.issue("Stranger CRM", usage="client"), "client-cert-untrusted", "client-cert-untrusted"),
        (CLIENT_CA.issue("crm.acme.example.test", usage="server"), "wrong-eku", "wrong-eku"),
    ],
    ids=["none", "unknown-ca", "wrong-eku"],
)
def test_the_server_refuses_and_both_say_why(
    credential: object, cause: str, server_cause: str, tls: str
) -> None:
    names = {"none": None}
    with UserService(TWO_WAY, tls=tls) as service:
        client = ClientConfig(CA.trust_store, credential, host=HOST)  # type: ignore[arg-type]
        result = call_update_user(service.url, "u-1001", "Inactive", client)
        (record,) = service.log
    assert (result.ok, result.cause) == (False, cause)
    assert result.endpoint is not None
    assert record.endpoint is not None
    assert result.endpoint.outcome == "was-refused"
    assert result.endpoint.alert_received == record.endpoint.alert_sent
    # In TLS 1.3 the client believes itself done and hears of it at its first read.
    assert result.endpoint.handshake_done is (tls == "1.3")
    assert result.step == ("answer" if tls == "1.3" else "handshake")
    assert (record.outcome, record.cause) == ("refused", server_cause)
    presented = None if credential is None else credential.certificate.subject  # type: ignore[attr-defined]
    assert record.caller == names.get("none", presented) if credential is None else record.caller == presented
    assert service.rows[0].revision == 0


def test_http_spoken_to_the_tls_port() -> None:
    with UserService(one_way()) as service:
        result = call_update_user(service.url.replace("https", "http"), "u-1001", "Active")
        (record,) = service.log
    assert (result.ok, result.step) == (False, "answer")
    assert record.cause == "plaintext-on-tls-port"


def test_tls_spoken_to_the_plain_port(plain: UserService) -> None:
    result = call_update_user(plain.url.replace("http", "https"), "u-1001", "Active", TRUSTING)
    assert (result.step, result.cause) == ("handshake", "plaintext-on-tls-port")


# The client against a network that does not behave


class Scripted:
    """A server that reads a little, says what it is told to, and closes."""

    def __init__(self, answer: bytes | None) -> None:
        self.answer = answer
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        peer, _ = self.listener.accept()
        with peer:
            peer.settimeout(5)
            while b"</soap:Envelope>" not in peer.recv(10_000):
                pass
            if self.answer is None:
                self.over.wait(20)
            else:
                peer.sendall(self.answer)

    def __enter__(self) -> str:
        self.thread.start()
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/users"

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()
        self.listener.close()


@pytest.mark.parametrize(
    ("answer", "cause", "words"),
    [
        (b"", "server-closed", "closed connection"),
        (b"\x15\x03\x03\x00\x02\x02\x46", "plaintext-on-tls-port", ""),
        (b"SSH-2.0-x\r\n", None, "SSH"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", None, "not well-formed"),
        (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", None, "HTTP 503"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhello", "server-closed", "IncompleteRead"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1_200_000, None, "more than 1,048,576"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200, None, "headers"),
    ],
)
def test_answers_that_are_none(answer: bytes, cause: str | None, words: str) -> None:
    with Scripted(answer) as url:
        result = call_update_user(url, "u-1001", "Active")
    assert (result.ok, result.step, result.cause) == (False, "answer", cause)
    assert words in (result.error or "")


def test_a_server_that_never_answers() -> None:
    with Scripted(None) as url:
        result = call_update_user(url, "u-1001", "Active", timeout=0.1)
    assert (result.step, result.cause, result.error) == ("answer", "dns-or-network", "timed out")


def test_a_fault_is_kept_and_made_harmless() -> None:
    body = build_fault(SoapFault("Server", "down\u202e<b>"))
    head = b"HTTP/1.1 500 x\r\nContent-Length: %d\r\n\r\n" % len(body)
    with Scripted(head + body) as url:
        result = call_update_user(url, "u-1001", "Active")
    assert result.fault == SoapFault("Server", "down\\u202e<b>")
    assert result.http_status == 500
    assert "<b>" not in result._repr_html_()
    with pytest.raises(CheckFailed, match="down"):
        result.raise_if_failed()


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    result = call_update_user(f"http://127.0.0.1:{port}/users", "u-1001", "Active")
    assert (result.step, result.cause) == ("connect", "dns-or-network")


def test_a_callout_is_neither_true_nor_false(plain: UserService) -> None:
    result = call_update_user(plain.url, "u-1005", "Active")
    with pytest.raises(TypeError, match=r"ask \.ok"):
        bool(result)
    result.raise_if_failed()
    assert json.loads(json.dumps(result.to_dict()))["revision"] == result.revision
    assert "plain HTTP" in result._repr_html_()


# The allow-list


@pytest.mark.parametrize(
    ("entry", "allowed"),
    [
        ("https://orders.example.test", True),
        ("https://ORDERS.example.test:443/", True),
        ("https://orders.example.test/users", True),
        ("https://orders.example.test/users/", True),
        ("https://orders.example.test/use", False),
        ("https://orders.example.test:8443", False),
        ("http://orders.example.test:443", False),
        ("https://orders.example", False),
        ("https://orders.example.test.evil.test", False),
    ],
)
def test_the_allow_list(entry: str, allowed: bool) -> None:
    assert is_allowed(parse_url("https://orders.example.test/users"), [entry]) is allowed


def test_what_is_not_on_the_list_is_not_connected_to(plain: UserService) -> None:
    before = len(plain.log)
    result = call_update_user(plain.url, "u-1001", "Active", allowed=["https://orders.example.test"])
    assert (result.step, result.cause) == ("allow-list", "endpoint-not-allowed")
    assert len(plain.log) == before
    assert call_update_user(plain.url, "u-1001", "Active", allowed=[plain.url]).ok


# Calls that are wrong


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: call_update_user("orders.example.test", "u", "Active"), "no URL"),
        (lambda: call_update_user("ftp://orders.example.test", "u", "Active"), "no URL"),
        (lambda: call_update_user("http://a b/", "u", "Active"), "no URL"),
        (lambda: call_update_user("http://x:99999/", "u", "Active"), "no URL"),
        (lambda: call_update_user("http://127.0.0.1/a\r\nX: y", "u", "Active"), "no URL"),
        (lambda: call_update_user(None, "u", "Active"), "no URL"),  # type: ignore[arg-type]
        (lambda: call_update_user("https://127.0.0.1/", "u", "Active"), "whom to trust"),
        (lambda: call_update_user("http://127.0.0.1/", "u\x00", "Active"), "XML cannot carry"),
        (lambda: call_update_user("http://127.0.0.1/", 7, "Active"), "must be text"),  # type: ignore[arg-type]
        (lambda: call_update_user("http://127.0.0.1/", "u", "Active", timeout=0), "no time-out"),
        (lambda: call_update_user("http://127.0.0.1/", "u", "Active", {}), "no client"),  # type: ignore[arg-type]
        (lambda: call_update_user("http://127.0.0.1/", "u", "A", allowed="orders"), "allow-list"),
        (lambda: UserService("cert.pem"), "no server configuration"),  # type: ignore[arg-type]
        (lambda: UserService(one_way(), tls="1.1"), "unknown TLS version"),
    ],
)
def test_wrong_calls(call: object, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        call()  # type: ignore[operator]


def test_a_password_in_a_url_is_not_repeated() -> None:
    with pytest.raises(ArgumentError) as caught:
        call_update_user("http://me:secret@127.0.0.1/", "u", "Active")
    assert "secret" not in str(caught.value)


# Small parts


def test_soap_values_survive_the_way() -> None:
    request = parse_envelope(build_request("a<b>&\u00e9\U0001f600", "Active"))
    operation = request.children[0].children[0]
    assert operation.name == f"{NAMESPACE} updateUser"
    assert [item.text for item in operation.children] == ["a<b>&\u00e9\U0001f600", "Active"]
    with pytest.raises(FormatError, match="no answer of a SOAP"):
        parse_answer(b"<html/>")
    with pytest.raises(LimitError):
        parse_envelope(b"<a>" * 33)


def test_network_causes() -> None:
    assert network_cause(None) is None
    assert network_cause(ssl.SSLError()) is None
    assert network_cause(ConnectionResetError()) == "server-closed"
    assert network_cause(TimeoutError()) == "dns-or-network"
    assert network_cause(http.client.HTTPException()) is None


def test_the_service_shows_itself(plain: UserService) -> None:
    shown = plain._repr_html_()
    assert "Björn Beispiel" in shown
    assert "no protection" in shown
    assert len(shown) < 10_000
    assert UserService(TWO_WAY).way.startswith("two-way")
    assert repr(plain) == f"<UserService at {plain.url}>"
    assert len(plain.log._repr_html_()) < 20_000
    assert "endpoint" in plain.log[0].to_dict()


@pytest.mark.parametrize("abrupt", [False, True])
def test_an_abrupt_close_cuts_off_whoever_still_speaks(abrupt: bool) -> None:
    with (
        UserService(ServerConfig(SERVER), abrupt=abrupt) as service,
        socket.create_connection(service.address, 5) as rude,
    ):
        rude.sendall(b"no TLS at all\n" * 1000)  # the service reads a few bytes, and the rest is pending
        cut_off = False
        try:
            while rude.recv(4096):
                pass
        except ConnectionResetError:
            cut_off = True
        assert cut_off is abrupt
        assert not service.log[0].ok


def test_the_log_of_an_abrupt_service_still_has_the_reason() -> None:
    with UserService(ServerConfig(SERVER, CLIENT_CA.trust_store), abrupt=True, tls="1.3") as service:
        call = call_update_user(service.url, "u-1001", "Active", ClientConfig(CA.trust_store, host=HOST))
        assert not call.ok
        assert service.log[0].cause == "client-cert-missing"
