"""What stands between client and service: web proxy, reverse proxy, pass-through, ports without an answer."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator

import pytest

from certkit.authority import CertificateAuthority
from certkit.chains import Chain
from certkit.errors import ArgumentError, FormatError
from certkit.handshakes import ClientConfig, ServerConfig
from certkit.services import (
    PROXY_BEHAVIOURS,
    ClosedPort,
    ForwardProxy,
    ReverseProxy,
    SilentPort,
    SniRouter,
    UserService,
    Wiretap,
    call_update_user,
)
from certkit.services._client_cert import client_cert_fields, read_client_cert
from certkit.services._head import lab_address
from certkit.services.soap import NAMESPACE, build_request

HOST = "orders.example.test"
CA = CertificateAuthority("Orders Root").intermediate("Orders Issuing")
CLIENT_CA = CertificateAuthority("Acme Root").intermediate("Acme Issuing")
SERVER = CA.issue(HOST, usage="server")
CLIENT = CLIENT_CA.issue("Acme CRM", usage="client")
PROXY = CLIENT_CA.issue("Orders Reverse Proxy", usage="client")
STRANGER = CertificateAuthority("Stranger").issue("Stranger CRM", usage="client")
ONE_WAY = ServerConfig(SERVER)
TWO_WAY = ServerConfig(SERVER, client_anchors=CLIENT_CA.trust_store)
TRUSTING = ClientConfig(CA.trust_store, host=HOST)
WITH_CERTIFICATE = ClientConfig(CA.trust_store, CLIENT, host=HOST)


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


# The web proxy


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_a_tunnel_carries_two_way_tls_unread(tls: str) -> None:
    with UserService(TWO_WAY, tls=tls) as service, ForwardProxy() as proxy, Wiretap(proxy) as tap:
        result = call_update_user(service.url, "u-1001", "Inactive", WITH_CERTIFICATE, proxy=tap.url)
        assert result.ok
        assert service.log[-1].caller == "CN=Acme CRM"
        assert proxy.log[0].outcome == "200"
        assert proxy.log[0].detail == f"127.0.0.1:{service.port}"
        assert len(proxy.conversation()) == 0
        assert tap.contains(b"CONNECT 127.0.0.1")
        assert not tap.contains(b"u-1001")


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        ("forbidden", "Tunnel connection failed: 403 Forbidden"),
        ("not-found", "Tunnel connection failed: 404 Not Found"),
        ("login", "Tunnel connection failed: 407 Proxy Authentication Required"),
        ("unavailable", "Tunnel connection failed: 503 Service unavailable"),
        ("no-proxy", "Tunnel connection failed: 405 Method Not Allowed"),
        ("hang-up", "closed connection"),
    ],
)
def test_every_refusal(behaviour: str, words: str) -> None:
    with UserService(ONE_WAY) as service, ForwardProxy(behaviour) as proxy:
        result = call_update_user(service.url, "u-1001", "Active", TRUSTING, proxy=proxy.url)
        assert len(service.log) == 0
        assert len(proxy.log) == 1
    assert (result.ok, result.step, result.cause) == (False, "proxy", "proxy-refused")
    assert words in (result.error or "")


def test_behaviours_are_all_tried_above() -> None:
    assert set(PROXY_BEHAVIOURS) == {
        *("forbidden", "not-found", "login", "unavailable", "no-proxy", "hang-up"),
        *("tunnel", "intercept"),
    }


def test_the_status_line_is_the_one_of_the_article() -> None:
    with ForwardProxy("unavailable") as proxy, socket.create_connection(proxy.address, timeout=5) as client:
        client.sendall(b"CONNECT orders.example.test:443 HTTP/1.1\r\nHost: orders.example.test:443\r\n\r\n")
        assert client.recv(1000).split(b"\r\n")[0] == b"HTTP/1.0 503 Service unavailable"


def test_the_login() -> None:
    with UserService() as service, ForwardProxy("login") as proxy:
        wrong = call_update_user(
            service.url, "u-1001", "Active", proxy=proxy.url, proxy_credentials=("lab", "wrong")
        )
        right = call_update_user(
            service.url, "u-1001", "Active", proxy=proxy.url, proxy_credentials=proxy.credentials
        )
        secret = proxy.credentials[1]
        shown = repr(proxy) + proxy._repr_html_() + proxy.log._repr_html_() + repr(proxy.log.records)
    assert wrong.cause == "proxy-refused"
    assert right.ok
    assert secret not in shown


def test_a_proxy_that_is_not_there_or_silent() -> None:
    with ClosedPort() as closed, SilentPort() as silent:
        for url in (closed.url, f"http://127.0.0.1:{silent.port}"):
            result = call_update_user("http://127.0.0.1:1/", "u", "Active", proxy=url, timeout=0.2)
            assert (result.step, result.cause) == ("proxy", "dns-or-network")


def test_a_name_of_the_lab_is_this_machine_and_every_other_is_refused() -> None:
    with UserService() as service, ForwardProxy() as proxy:
        url = f"http://orders.example.test:{service.port}/users"
        assert call_update_user(url, "u-1001", "Active", proxy=proxy.url).ok
        for host in ("192.0.2.1", "example.org", "test", "127.0.0.1.example.org"):
            result = call_update_user(f"http://{host}:80/", "u-1001", "Active", proxy=proxy.url)
            assert result.error == "Tunnel connection failed: 403 Forbidden"
        with ClosedPort() as closed:
            result = call_update_user(closed.url, "u-1001", "Active", proxy=proxy.url)
            assert result.error == "Tunnel connection failed: 502 Bad Gateway"


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"CONNECT nowhere HTTP/1.1\r\n\r\n",
        b"CONNECT a:99999999 HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"HELLO\r\n\r\n",
        b"A" * 40_000,
    ],
)
def test_what_is_no_connect_is_refused(request_bytes: bytes) -> None:
    with ForwardProxy() as proxy, socket.create_connection(proxy.address, timeout=5) as client:
        client.sendall(request_bytes)
        assert client.recv(1000).startswith(b"HTTP/1.1 400 Bad Request")


def test_port_numbers_beyond_the_last() -> None:
    with ForwardProxy() as proxy, socket.create_connection(proxy.address, timeout=5) as client:
        client.sendall(b"CONNECT localhost:70000 HTTP/1.1\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 502")


# Interception


def test_interception_is_refused_by_a_client_that_does_not_trust_the_proxy() -> None:
    with UserService(ONE_WAY) as service, ForwardProxy("intercept", upstream=TRUSTING) as proxy:
        result = call_update_user(service.url, "u-1001", "Active", TRUSTING, proxy=proxy.url)
        assert proxy.log.handshakes[0].endpoint is not None
        assert proxy.log.handshakes[0].endpoint.alert_received == "unknown_ca"
        assert service.log.requests.records == ()
    assert (result.step, result.cause) == ("handshake", "untrusted-root")
    assert result.server_chain.leaf.issuer == "CN=Interception CA,O=Web proxy"


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_interception_reads_everything_once_its_ca_is_trusted(tls: str) -> None:
    interception = CertificateAuthority("Company Proxy CA")
    client = ClientConfig(CA.trust_store + interception.trust_store, host="localhost")
    with (
        UserService(ONE_WAY, tls=tls) as service,
        ForwardProxy("intercept", ca=interception, upstream=TRUSTING) as proxy,
    ):
        url = service.url.replace("127.0.0.1", "localhost")
        result = call_update_user(url, "u-1001", "Inactive", client, proxy=proxy.url)
        seen = proxy.conversation()
        for number in range(4):  # one certificate a name, used again
            assert call_update_user(url, f"u-100{number + 1}", "Active", client, proxy=proxy.url).ok
        assert interception._issued == 2
    assert result.ok
    assert result.server_chain.leaf.sans == ("DNS:localhost",)
    assert seen.contains(b"<userId>u-1001</userId>")
    assert seen.contains(b"<result>updated</result>")


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_interception_loses_the_client_certificate(tls: str) -> None:
    interception = CertificateAuthority("Company Proxy CA")
    client = ClientConfig(interception.trust_store, CLIENT, host="localhost")
    with (
        UserService(TWO_WAY, tls=tls) as service,
        ForwardProxy("intercept", ca=interception, upstream=TRUSTING) as proxy,
    ):
        url = service.url.replace("127.0.0.1", "localhost")
        result = call_update_user(url, "u-1001", "Inactive", client, proxy=proxy.url)
        (record,) = service.log
        towards_server = [item for item in proxy.log.handshakes if not item.ok]
    assert (result.ok, result.http_status, result.error) == (
        False,
        502,
        "HTTP 502, and this is not well-formed XML (syntax error: line 1, column 0)",
    )
    assert (record.cause, record.caller) == ("client-cert-missing", None)
    assert [item.cause for item in towards_server] == ["client-cert-missing"]


def test_an_interceptor_with_a_certificate_of_its_own_speaks_as_itself() -> None:
    interception = CertificateAuthority("Company Proxy CA")
    upstream = ClientConfig(CA.trust_store, PROXY, host=HOST)
    client = ClientConfig(interception.trust_store, CLIENT, host="localhost")
    with (
        UserService(TWO_WAY) as service,
        ForwardProxy("intercept", ca=interception, upstream=upstream) as proxy,
    ):
        url = service.url.replace("127.0.0.1", "localhost")
        assert call_update_user(url, "u-1001", "Inactive", client, proxy=proxy.url).ok
        assert service.log[-1].caller == "CN=Orders Reverse Proxy"


def test_an_interceptor_that_does_not_trust_the_server() -> None:
    interception = CertificateAuthority("Company Proxy CA")
    nobody = ClientConfig(CertificateAuthority("Other").trust_store, host=HOST)
    client = ClientConfig(interception.trust_store, host="localhost")
    with (
        UserService(ONE_WAY) as service,
        ForwardProxy("intercept", ca=interception, upstream=nobody) as proxy,
    ):
        url = service.url.replace("127.0.0.1", "localhost")
        result = call_update_user(url, "u-1001", "Inactive", client, proxy=proxy.url)
        assert [item.cause for item in proxy.log.handshakes if not item.ok] == ["untrusted-root"]
    assert result.http_status == 502


# The reverse proxy


def test_the_client_certificate_ends_at_the_reverse_proxy() -> None:
    upstream = ClientConfig(CA.trust_store, host=HOST)
    with UserService(TWO_WAY) as service, ReverseProxy(service, TWO_WAY, upstream=upstream) as proxy:
        result = call_update_user(proxy.url, "u-1001", "Inactive", WITH_CERTIFICATE)
        assert (result.http_status, result.ok) == (502, False)
        assert proxy.log.handshakes[0].caller == "CN=Acme CRM"
        assert service.log[0].cause == "client-cert-missing"


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_the_service_believes_its_own_front_and_nobody_else(tls: str) -> None:
    upstream = ClientConfig(CA.trust_store, PROXY, host=HOST)
    service = UserService(TWO_WAY, tls=tls, front=PROXY.certificate)
    with service, ReverseProxy(service.start(), TWO_WAY, upstream=upstream, tls=tls) as proxy:
        assert call_update_user(proxy.url, "u-1001", "Inactive", WITH_CERTIFICATE).ok
        told = service.log[-1]
        # Another client that the service lets in writes the header himself: it means nothing.
        forged = client_cert_fields(STRANGER.chain)
        assert post(service, WITH_CERTIFICATE, forged) == 200
        ignored = service.log[-1]
    assert told.caller == "CN=Acme CRM"
    assert "says CN=Orders Reverse Proxy in a Client-Cert header" in told.detail
    assert ignored.caller == "CN=Acme CRM"
    assert "was ignored" in ignored.detail


def post(service: UserService | ReverseProxy, client: ClientConfig, headers: dict[str, str]) -> int:
    body = build_request("u-1002", "Active")
    with socket.create_connection(service.address, timeout=5) as raw:
        connection = client.context().wrap_socket(raw, server_hostname=HOST)
        talk = http.client.HTTPConnection(HOST)
        talk.sock = connection
        talk.request("POST", "/users", body, {"Connection": "close", **headers})
        status = talk.getresponse().status
        connection.close()
        return status


@pytest.mark.parametrize("name", ["Client-Cert", "client-cert", "Client_Cert"])
def test_a_forged_header_is_taken_out(name: str) -> None:
    forged = {name: client_cert_fields(STRANGER.chain)["Client-Cert"]}
    with UserService(believe_anybody=True) as service, ReverseProxy(service, ONE_WAY) as proxy:
        assert post(proxy, TRUSTING, forged) == 200
        assert service.log[-1].caller is None
        # Told the truth beside the forgery, it must not be joined with it either.
    with UserService(believe_anybody=True) as service, ReverseProxy(service, TWO_WAY) as proxy:
        assert post(proxy, WITH_CERTIFICATE, forged) == 200
        assert service.log[-1].caller == "CN=Acme CRM"


def test_left_in_it_is_an_open_door() -> None:
    forged = client_cert_fields(STRANGER.chain)
    with UserService(believe_anybody=True) as service, ReverseProxy(service, ONE_WAY, strip=False) as proxy:
        assert post(proxy, TRUSTING, forged) == 200
        assert service.log[-1].caller == "CN=Stranger CRM"


def test_the_fields_of_rfc_9440() -> None:
    fields = client_cert_fields(CLIENT.chain)
    assert list(fields) == ["Client-Cert", "Client-Cert-Chain"]
    assert read_client_cert(fields["Client-Cert"]) == CLIENT.certificate
    assert read_client_cert(fields["Client-Cert-Chain"]) == CLIENT.chain[1]
    assert "," not in fields["Client-Cert-Chain"]
    assert list(client_cert_fields(Chain((CLIENT.certificate,)))) == ["Client-Cert"]
    for broken in ("", ":", "::", ":%%:", CLIENT.certificate.pem, fields["Client-Cert"][:-9] + ":"):
        with pytest.raises(FormatError):
            read_client_cert(broken)


def test_a_header_that_cannot_be_read_is_nobody() -> None:
    with UserService(believe_anybody=True) as service, ReverseProxy(service, ONE_WAY, strip=False) as proxy:
        assert post(proxy, TRUSTING, {"Client-Cert": ":nonsense:"}) == 200
        assert service.log[-1].caller is None
        assert "could not be read" in service.log[-1].detail


def test_a_reverse_proxy_that_tells_nothing_and_one_with_nobody_behind() -> None:
    with UserService(believe_anybody=True) as service, ReverseProxy(service, TWO_WAY, tell=False) as proxy:
        assert call_update_user(proxy.url, "u-1001", "Inactive", WITH_CERTIFICATE).ok
        assert service.log[-1].caller is None
        assert "not told" in proxy._repr_html_()
    with ClosedPort() as closed, ReverseProxy(closed.url, ONE_WAY) as proxy:
        result = call_update_user(proxy.url + "users", "u-1001", "Inactive", TRUSTING)
        assert result.http_status == 502


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ForwardProxy("nice"), "does not behave like this"),
        (lambda: ForwardProxy("intercept"), "whom does it trust"),
        (lambda: ReverseProxy("https://127.0.0.1:1/", ONE_WAY), "whom does it trust"),
        (lambda: ReverseProxy("http://192.0.2.1/", ONE_WAY), "this machine only"),
        (lambda: ReverseProxy(("127.0.0.1", 80), ONE_WAY), "needs a URL"),  # type: ignore[arg-type]
        (lambda: ReverseProxy("http://127.0.0.1/", None), "no server configuration"),  # type: ignore[arg-type]
        (lambda: SniRouter(7), "from names to services"),  # type: ignore[arg-type]
        (lambda: SniRouter({"a": "http://192.0.2.1/"}), "this machine only"),
    ],
)
def test_wrong_calls(call: object, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        call()  # type: ignore[operator]


# The pass-through


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_a_pass_through_leaves_two_way_tls_whole(tls: str) -> None:
    other = ServerConfig(CA.issue("other.example.test", usage="server"))
    with (
        UserService(TWO_WAY, tls=tls) as service,
        UserService(other) as wrong,
        SniRouter({HOST: service, "other.example.test": wrong}) as router,
    ):
        result = call_update_user(f"{router.url}/users", "u-1001", "Inactive", WITH_CERTIFICATE)
        assert result.ok
        assert result.server_chain.leaf == SERVER.certificate
        assert service.log[-1].caller == "CN=Acme CRM"
        assert len(wrong.log) == 0
        assert (router.log[0].outcome, router.log[0].detail) == ("passed on", HOST)


def test_a_name_it_does_not_know() -> None:
    with UserService(ONE_WAY) as service, SniRouter({HOST: service}) as router:
        stranger = ClientConfig(CA.trust_store, host="nobody.example.test")
        result = call_update_user(f"{router.url}/users", "u-1001", "Inactive", stranger)
        assert result.endpoint is not None
        assert (result.endpoint.alert_received, result.cause) == ("unrecognized_name", "sni-missing")
        # To an address, no name is sent at all (RFC 6066, 3).
        result = call_update_user(f"{router.url}/users", "u-1001", "Inactive", ClientConfig(CA.trust_store))
        assert result.cause == "sni-missing"
        assert router.log[1].detail == "the client named no server"
        assert len(service.log) == 0
    with UserService(ONE_WAY) as service, SniRouter({}, default=service) as router:
        result = call_update_user(f"{router.url}/users", "u-1001", "Inactive", ClientConfig(CA.trust_store))
        assert result.cause == "hostname-mismatch"


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x00\x05\x02\x00\x00\x01x",
        b"\x16\x03\x01\x00\x05\x01\x00\x00\x01x",
    ],
)
def test_what_is_no_hello_gets_an_alert(said: bytes) -> None:
    with SniRouter({}) as router, socket.create_connection(router.address, timeout=5) as client:
        client.sendall(said)
        assert client.recv(100) == bytes.fromhex("15030300020232")


def test_a_hello_in_small_pieces_and_several_records() -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = TRUSTING.context().wrap_bio(incoming, outgoing, server_hostname=HOST)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    message = outgoing.read()[5:]
    records = b"".join(
        b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part for part in (message[:50], message[50:])
    )
    with UserService(ONE_WAY) as service, SniRouter({HOST: service}) as router:
        with socket.create_connection(router.address, timeout=5) as client:
            for at in range(0, len(records), 40):
                client.sendall(records[at : at + 40])
                time.sleep(0.001)
            assert client.recv(3) == b"\x16\x03\x03"
        assert router.log[0].detail == HOST


def test_nobody_behind_a_name() -> None:
    with ClosedPort() as closed, SniRouter({HOST: closed.address}) as router:
        result = call_update_user(f"{router.url}/users", "u-1001", "Inactive", TRUSTING)
        assert result.cause in {"server-closed", "dns-or-network"}
        assert router.log[0].outcome == "failed"


# Ports without an answer


def test_closed_and_silent() -> None:
    with ClosedPort() as closed:
        result = call_update_user(closed.url, "u-1001", "Active")
        assert (result.step, result.cause) == ("connect", "dns-or-network")
        assert str(closed.port) in closed._repr_html_() + repr(closed)
    with SilentPort() as silent:
        for scheme, step in (("http", "answer"), ("https", "handshake")):
            result = call_update_user(
                f"{scheme}://127.0.0.1:{silent.port}/", "u-1001", "Active", TRUSTING, timeout=0.1
            )
            assert (result.step, result.cause) == (step, "dns-or-network")
            assert "timed out" in (result.error or "")


def test_names_of_the_lab() -> None:
    assert lab_address("ORDERS.example.test.") == "127.0.0.1"
    assert lab_address("::1") == "::1"
    for other in ("test", "10.0.0.1", "test.example.org", ""):
        assert lab_address(other) is None


def test_the_namespace_is_of_the_lab() -> None:
    assert NAMESPACE.startswith("http://orders.example.test/")
