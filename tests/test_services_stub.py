"""The stub from the WSDL: the same service in the open, in one-way and in two-way TLS, and every way to fail."""

from __future__ import annotations

import threading

import pytest

import certkit as ck
from certkit.errors import ArgumentError, CertkitError, FormatError
from certkit.services import Stub

HOST = "orders.example.test"


@pytest.fixture(scope="module")
def ca() -> ck.CertificateAuthority:
    return ck.CertificateAuthority("Orders Root CA").intermediate("Orders Issuing CA")


def test_it_calls_what_the_wsdl_describes() -> None:
    with ck.UserService() as service, ck.Wiretap(service) as tap:
        stub = ck.generate_stub(tap.url + "?wsdl")
        assert stub.updateUser("u-1001", status="Suspended") == {"result": "updated", "revision": 1}
        assert stub.updateUser("u-9999", "Active") == {"result": "unknown-user", "revision": 0}
        assert service.rows[0].status == "Suspended"
        # The WSDL names the address it was asked at, so the calls cross the wiretap as well.
        assert tap.contains(b"u-9999")
    assert stub.service == "UsersService"
    assert "userId" in stub.operations["updateUser"]
    assert "updateUser" in dir(stub)
    assert "updateUser" in stub._repr_html_() + repr(stub)


def test_a_proxy_in_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with ck.UserService() as service:
        assert ck.generate_stub(service.wsdl_url).updateUser("u-1001", "Active")["result"] == "updated"


def test_one_way_and_two_way(ca: ck.CertificateAuthority) -> None:
    acme = ck.CertificateAuthority("Acme Root CA")
    for anchors in (None, acme.trust_store):
        security = ck.ServerConfig(ca.issue(HOST, usage="server"), client_anchors=anchors)
        client = ck.ClientConfig(ca.trust_store, acme.issue("Acme CRM", usage="client"), host=HOST)
        with ck.UserService(security) as service:
            stub = ck.generate_stub(service.wsdl_url, client)
            assert stub.updateUser("u-1002", "Inactive")["result"] == "updated"
            caller = service.log.requests[-1].caller
        assert ("Acme CRM" in (caller or "")) == (anchors is not None)


def test_a_server_that_is_not_believed_and_a_client_that_is_not_let_in(ca: ck.CertificateAuthority) -> None:
    leaf = ca.issue(HOST, usage="server")
    stranger = ck.CertificateAuthority("Acme Root CA")
    with ck.UserService(ck.ServerConfig(leaf, client_anchors=stranger.trust_store)) as service:
        for client, cause in (
            (ck.ClientConfig(stranger.trust_store, host=HOST), "untrusted-root"),
            (ck.ClientConfig(ca.trust_store, host="www.example.test"), "hostname-mismatch"),
            (ck.ClientConfig(ca.trust_store, host=HOST), "client-cert-missing"),
        ):
            with pytest.raises(CertkitError, match="cannot be reached") as refused:
                ck.generate_stub(service.wsdl_url, client)
            assert refused.value.cause == cause


def test_bad_calls_are_refused_in_one_line() -> None:
    with ck.UserService() as service:
        stub = ck.generate_stub(service.wsdl_url)
        with pytest.raises(ArgumentError, match="other values"):
            stub.updateUser("u-1001")
        with pytest.raises(ArgumentError, match="other values"):
            stub.updateUser("u-1001", "Active", "more")
        with pytest.raises(AttributeError, match="it has updateUser"):
            stub.deleteUser("u-1001")
        with pytest.raises(FormatError, match="HTTP 404"):
            ck.generate_stub(service.url + "/nothing?wsdl")
        with pytest.raises(ArgumentError, match="whom to trust"):
            ck.generate_stub(service.wsdl_url.replace("http:", "https:"))
        with pytest.raises(ArgumentError):
            ck.generate_stub("orders.wsdl")
    with pytest.raises(CertkitError, match="cannot be reached") as refused:
        stub.updateUser("u-1001", "Active")
    assert refused.value.cause == "dns-or-network"


def test_a_fault_is_told_with_its_reason() -> None:
    etree = pytest.importorskip("lxml.etree")
    strict = etree.Element("{urn:example}Strict")
    strict.set("{http://schemas.xmlsoap.org/soap/envelope/}mustUnderstand", "1")
    with ck.UserService() as service:
        stub: Stub = ck.generate_stub(service.wsdl_url)
        with pytest.raises(CertkitError, match="Strict is not understood"):
            stub.updateUser("u-1001", "Active", _soapheaders=[strict])
        with pytest.raises(CertkitError, match="no answer of the service"):
            stub.updateUser("x" * 70_000, "Active")  # too long: the answer is HTTP 413, and no SOAP
        assert service.rows[0].revision == 0


def test_concurrent_calls_of_one_stub_lose_no_update() -> None:
    with ck.UserService() as service:
        stub = ck.generate_stub(service.wsdl_url)
        threads = [
            threading.Thread(target=lambda: [stub.updateUser("u-1003", "Active") for _ in range(5)])
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert next(row for row in service.rows if row.id == "u-1003").revision == 20
