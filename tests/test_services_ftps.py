"""Files over explicit FTPS: both connections protected, one-way and two-way, and what goes wrong there."""

from __future__ import annotations

import ftplib
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from certkit.authority import CertificateAuthority
from certkit.errors import ArgumentError, CheckFailed
from certkit.handshakes import ClientConfig, ServerConfig
from certkit.services import ClosedPort, FtpsService, transfer_ftps

CA = CertificateAuthority("Orders Root").intermediate("Orders Issuing")
CLIENT_CA = CertificateAuthority("Acme Root").intermediate("Acme Issuing")
SERVER = CA.issue("127.0.0.1", usage="server")
TRUSTING = ClientConfig(CA.trust_store)
ONE_WAY = ServerConfig(SERVER)
TWO_WAY = ServerConfig(SERVER, client_anchors=CLIENT_CA.trust_store)


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
@pytest.mark.parametrize("resume", [True, False])
def test_a_file_comes_and_goes(tls: str, resume: bool) -> None:
    with FtpsService(ONE_WAY, tls=tls) as service:
        fetched = transfer_ftps(service, "orders.csv", TRUSTING, tls=tls, resume=resume)
        stored = transfer_ftps(service, "answer.csv", TRUSTING, store=b"7001,done\n", tls=tls, resume=resume)
        assert service.files["answer.csv"] == b"7001,done\n"
        handshakes = service.log.handshakes
    assert fetched.ok and fetched.content is not None and fetched.content.startswith(b"order,")
    assert stored.ok and stored.tls_version == tls
    assert fetched.data_resumed is resume
    assert len(handshakes) == 4, "each file takes a handshake for control and one for data"


def test_the_folder_of_the_server_is_gone_afterwards() -> None:
    with FtpsService(ONE_WAY) as service:
        folder = service._folder
        assert folder is not None and folder.is_dir()
    assert not Path(folder).exists()


def test_nothing_of_it_can_be_had_without_tls() -> None:
    with FtpsService(ONE_WAY) as service, ftplib.FTP(timeout=5) as plain:
        plain.connect(*service.address)
        with pytest.raises(ftplib.error_perm, match=r"^550"):
            plain.login(service.user, service.password)


def test_data_connections_must_resume() -> None:
    with FtpsService(ONE_WAY, require_reuse=True) as service:
        assert transfer_ftps(service, "orders.csv", TRUSTING).ok
        anew = transfer_ftps(service, "orders.csv", TRUSTING, resume=False)
    assert anew.cause == "tls-session-reuse-required"
    assert anew.step == "data"
    assert anew.error is not None and anew.error.startswith("522")


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_two_way_and_the_reader_of_the_article(tls: str) -> None:
    """Received fatal alert: unknown_ca, over FTPS: the server's verdict on the client's certificate."""
    stranger = CertificateAuthority("Stranger").issue("Stranger CRM", usage="client")
    with FtpsService(TWO_WAY, tls=tls) as service:
        known = ClientConfig(CA.trust_store, CLIENT_CA.issue("Acme CRM", usage="client"))
        assert transfer_ftps(service, "orders.csv", known, tls=tls).ok
        unknown = transfer_ftps(service, "orders.csv", ClientConfig(CA.trust_store, stranger), tls=tls)
        missing = transfer_ftps(service, "orders.csv", TRUSTING, tls=tls)
        causes = [item.cause for item in service.log.handshakes if not item.ok]
    assert unknown.control is not None and missing.control is not None
    assert unknown.control.alert_received == "unknown_ca"
    assert unknown.cause == "client-cert-untrusted"
    assert missing.cause == "client-cert-missing"
    assert causes == ["client-cert-untrusted", "client-cert-missing"]


def test_the_clients_refusal_is_in_the_servers_log() -> None:
    with FtpsService(ONE_WAY) as service:
        refused = transfer_ftps(service, "orders.csv", ClientConfig(CLIENT_CA.trust_store))
        noted = service.log.handshakes[0]
    assert refused.step == "handshake" and refused.content is None
    assert refused.control is not None and refused.control.outcome == "refused"
    assert noted.endpoint is not None and noted.endpoint.alert_received == "unknown_ca"
    with pytest.raises(CheckFailed, match="transfer failed"):
        refused.raise_if_failed()
    with pytest.raises(TypeError, match=r"\.ok"):
        bool(refused)


def test_a_log_waits_for_the_refusal_that_its_reader_already_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    from certkit.services import _ftp_handlers

    note = _ftp_handlers.FtpSession.note_handshake

    def slow(*arguments: object) -> None:
        time.sleep(1.5)  # a machine with other things to do
        note(*arguments)  # type: ignore[arg-type]

    with FtpsService(TWO_WAY) as service:
        monkeypatch.setattr(_ftp_handlers.FtpSession, "note_handshake", slow)
        assert transfer_ftps(service, "orders.csv", TRUSTING).cause == "client-cert-missing"
        assert [item.cause for item in service.log.handshakes] == ["client-cert-missing"]


def test_a_client_that_leaves_before_tls_does_not_hold_the_log() -> None:
    with FtpsService(ONE_WAY) as service:
        with ftplib.FTP(timeout=5) as plain:
            plain.connect(*service.address)
            plain.sock.sendall(b"AUTH TLS\r\n")
            plain.sock.close()
        start = time.monotonic()
        while not service.log.handshakes and time.monotonic() - start < 4:
            time.sleep(0.05)
        assert [item.ok for item in service.log.handshakes] == [False]
        assert time.monotonic() - start < 4


def test_nobody_there_and_names_that_are_none() -> None:
    with ClosedPort() as port:
        assert transfer_ftps(port.address, "orders.csv", TRUSTING).cause == "dns-or-network"
    for name in ("../secret", "", "a/b", "a\nDELE b"):
        with pytest.raises(ArgumentError, match="no plain file name"):
            transfer_ftps(("127.0.0.1", 9), name, TRUSTING)
    with pytest.raises(ArgumentError, match="no server configuration"):
        FtpsService(ssl.create_default_context())  # type: ignore[arg-type]


def test_no_password_in_log_or_repr() -> None:
    with FtpsService(ONE_WAY) as service:
        result = transfer_ftps(service, "orders.csv", TRUSTING)
        shown = repr(service) + service._repr_html_() + service.log._repr_html_() + repr(result)
        assert service.password not in shown + str(result.to_dict())
