"""Files over explicit FTPS: both connections protected, one-way and two-way, and what goes wrong there."""

from __future__ import annotations

import contextlib
import ftplib
import io
import logging
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from certkit.authority import CertificateAuthority
from certkit.errors import ArgumentError, CheckFailed
from certkit.handshakes import ClientConfig, ServerConfig
from certkit.services import ClosedPort, FtpsService, transfer_ftps
from certkit.services._ftp_files import MAX_FILE_BYTES, AbstractedFS, MemoryFiles

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


@contextmanager
def logged_in(service: FtpsService) -> Iterator[ftplib.FTP_TLS]:
    """Come to the service with Python's own client, as anybody would."""
    with ftplib.FTP_TLS(context=TRUSTING.context("1.2"), timeout=5) as ftp:
        ftp.connect(*service.address)
        ftp.login(service.user, service.password)
        ftp.prot_p()
        yield ftp


def test_its_files_are_in_memory_and_behave_as_files() -> None:
    here = Path.cwd()
    with FtpsService(ONE_WAY, files={"a.csv": b"1,2,3\n"}) as service, logged_in(service) as ftp:
        assert (ftp.nlst(), ftp.pwd()) == (["a.csv"], "/")
        assert [(name, facts["size"], facts["type"]) for name, facts in ftp.mlsd()] == [
            ("a.csv", "6", "file")
        ]
        lines: list[str] = []
        ftp.dir(lines.append)
        assert lines[0].startswith("-rw-------") and lines[0].endswith(" a.csv")
        ftp.voidcmd("TYPE I")
        assert (ftp.size("a.csv"), ftp.sendcmd("MDTM a.csv")[:4]) == (6, "213 ")
        ftp.storbinary("APPE a.csv", io.BytesIO(b"4\n"))
        ftp.storbinary("STOR a.csv", io.BytesIO(b"9"), rest=2)
        parts: list[bytes] = []
        ftp.retrbinary("RETR /a.csv", parts.append, rest=2)
        assert b"".join(parts) == b"9,3\n4\n"
        ftp.rename("a.csv", "b.csv")
        ftp.cwd("/")
        for refused in (
            "MKD folder",
            "CWD folder",
            "DELE a.csv",
            "RMD /",
            "SITE CHMOD 777 b.csv",
            "SIZE x/b.csv",
        ):
            with pytest.raises(ftplib.error_perm, match=r"^55"):
                ftp.sendcmd(refused)
        with pytest.raises(ftplib.error_perm, match=r"^550"):
            ftp.storbinary("STOR folder/c.csv", io.BytesIO(b"x"))
        assert service.files["b.csv"] == b"1,9,3\n4\n"
        ftp.delete("b.csv")
        assert service.files == {}
        ftp.storbinary("STOR c.csv", io.BytesIO(b"kept"))
        assert Path.cwd() == here
    assert service.files == {"c.csv": b"kept"}
    with service:
        assert transfer_ftps(service, "c.csv", TRUSTING).content == b"kept"


def test_a_file_that_is_too_large_is_refused() -> None:
    with FtpsService(ONE_WAY) as service:
        result = transfer_ftps(service, "big.bin", TRUSTING, store=bytes(MAX_FILE_BYTES + 1))
        assert len(service.files.get("big.bin", b"")) <= MAX_FILE_BYTES
    assert not result.ok and result.step == "data"
    assert (result.error or "").startswith("426")


def test_nothing_of_pyftpdlibs_reaches_the_disk() -> None:
    """Whatever in its file system is not ours works on paths and words alone."""
    pure = {"ftpnorm", "ftp2fs", "fs2ftp", "validpath", "format_list", "format_mlsx", "root", "cwd"}
    theirs = {name for name in vars(AbstractedFS) if not name.startswith("_")}
    assert theirs - set(vars(MemoryFiles)) == pure


def _garbage_for_a_record(tls: ssl.SSLSocket) -> None:
    socket.socket.send(tls, b"\x17\x03\x03\x00\x20" + b"x" * 32)


def _http_for_a_record(tls: ssl.SSLSocket) -> None:
    socket.socket.send(tls, b"GET / HTTP/1.0\r\n\r\n")


def _reset(tls: ssl.SSLSocket) -> None:
    tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
@pytest.mark.parametrize("misbehave", [_garbage_for_a_record, _http_for_a_record, _reset, lambda _: None])
def test_what_breaks_a_connection_is_noted_and_not_printed(
    tls: str, misbehave: Callable[[ssl.SSLSocket], object], capfd: pytest.CaptureFixture[str]
) -> None:
    """pyftpdlib writes the traceback of what a client does to the log, which Python prints if nobody took it."""
    with FtpsService(ONE_WAY, tls=tls) as service:
        with socket.create_connection(service.address, timeout=5) as plain:
            words = plain.makefile("rb")
            words.readline()
            plain.sendall(b"AUTH TLS\r\n")
            assert words.readline().startswith(b"234")
            secured = TRUSTING.context(tls).wrap_socket(plain, server_hostname="127.0.0.1")
            secured.sendall(b"FEAT\r\n")
            secured.recv(4096)
            misbehave(secured)
            if misbehave in (_garbage_for_a_record, _http_for_a_record):
                with contextlib.suppress(OSError):
                    secured.recv(4096)
            secured.close()
        while service._serving():
            time.sleep(0.01)
        log, failures = service.log, service.failures
    assert capfd.readouterr() == ("", "")
    assert failures == ()
    if misbehave in (_garbage_for_a_record, _http_for_a_record):
        assert any(item.outcome == "broken" and "record layer failure" in item.detail for item in log), log


def test_a_mistake_of_our_own_is_shown_and_not_printed(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, failures_are_meant: None
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("made for a test")

    monkeypatch.setattr(MemoryFiles, "getsize", broken)
    with FtpsService(ONE_WAY) as service:
        with pytest.raises((ftplib.Error, EOFError, OSError)), logged_in(service) as ftp:
            ftp.voidcmd("TYPE I")
            ftp.size("orders.csv")
        monkeypatch.setattr(FtpsService, "_serve", broken)
        with socket.create_connection(service.address, timeout=5) as client:
            assert client.recv(1) == b""
        while service._serving():
            time.sleep(0.01)
        assert len(service.failures) == 2
        assert all(
            "ZeroDivisionError: made for a test (test_services_ftps.py" in text for text in service.failures
        )
        assert "failed inside" in service._repr_html_()
    assert capfd.readouterr() == ("", "")


def test_somebody_elses_pyftpdlib_still_has_its_log(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("pyftpdlib").error("a line of another server in this program")
    assert "another server" in caplog.text


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
