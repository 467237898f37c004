"""The base of the services: loopback only, clean ends, nothing left behind."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from certkit.errors import ArgumentError, CertkitError
from certkit.services import UserService, running_services, stop_services
from certkit.services._server import Connection, LoopbackServer, authority, drain, loopback_address


class Echo(LoopbackServer):
    """Sends back what it gets."""

    def _serve(self, connection: Connection) -> None:
        while data := connection.socket.recv(1000):
            connection.socket.sendall(data)


class Rude(LoopbackServer):
    """Answers without having read a byte."""

    def _serve(self, connection: Connection) -> None:
        connection.socket.sendall(b"no")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "orders.example.test", ""])
def test_other_addresses_are_refused(host: str) -> None:
    with pytest.raises(ArgumentError, match=r"this machine only|no address"):
        Echo(host=host)


def test_asked_twice_it_takes_another_address_but_never_a_name() -> None:
    assert Echo(host="0.0.0.0", allow_remote=True).host == "0.0.0.0"
    with pytest.raises(ArgumentError, match="no address"):
        Echo(host="orders.example.test", allow_remote=True)


@pytest.mark.parametrize("port", [-1, 65_536, "8080", 1.5])
def test_a_wrong_port_is_refused(port: object) -> None:
    with pytest.raises(ArgumentError, match="no port"):
        Echo(port=port)  # type: ignore[arg-type]


def test_it_echoes_and_can_be_started_again() -> None:
    echo = Echo()
    for _ in range(2):
        with echo, socket.create_connection(echo.address, timeout=5) as client:
            client.sendall(b"hello")
            assert client.recv(100) == b"hello"
            assert echo.start() is echo
        assert not echo.running
    echo.stop()


def test_the_port_of_a_stopped_service() -> None:
    with pytest.raises(CertkitError, match="not running"):
        _ = Echo().port
    assert Echo(port=8443).port == 8443
    assert repr(Echo()) == "<Echo stopped>"


def test_a_port_in_use_is_said() -> None:
    with Echo() as first, pytest.raises(CertkitError, match=r"cannot listen.*port=0"):
        Echo(port=first.port).start()


def test_a_server_that_closes_early_does_not_lose_its_words() -> None:
    with Rude() as server:
        for _ in range(20):
            with socket.create_connection(server.address, timeout=5) as client:
                client.sendall(b"x" * 50_000)
                client.shutdown(socket.SHUT_WR)
                said = b""
                while data := client.recv(100):  # a reset would raise here
                    said += data
                assert said == b"no"


def test_stop_ends_connections_that_nobody_closes() -> None:
    with Echo() as echo:
        idle = [socket.create_connection(echo.address, timeout=5) for _ in range(5)]
        for client in idle:
            client.sendall(b"x")
            assert client.recv(1) == b"x"
        mine = set(echo._threads)
        assert len(mine) == 6
    assert not any(thread.is_alive() for thread in mine)
    for client in idle:
        with client:
            assert client.recv(1) == b""


def test_drain_gives_up_on_a_peer_that_does_not_end() -> None:
    left, right = socket.socketpair()
    drain(left, 0.05)
    assert left.fileno() == -1
    assert right.recv(1) == b""
    right.close()


def test_all_services_stop_at_once() -> None:
    before = set(running_services())
    echo, users = Echo().start(), UserService().start()
    assert set(running_services()) - before == {echo, users}
    assert stop_services() >= 2
    assert not echo.running
    assert not users.running


def test_services_stop_when_python_ends() -> None:
    code = (
        "import certkit as ck\n"
        "service = ck.UserService().start()\n"
        "tap = ck.Wiretap(service).start()\n"
        "import socket\n"
        "kept = socket.create_connection(tap.address).detach()\n"
        "print(service.port)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(done.stdout)), timeout=5)


def test_small_helpers() -> None:
    assert authority("127.0.0.1", 80) == "127.0.0.1:80"
    assert loopback_address("::1") == "::1"
    assert "running" in Echo().start()._repr_html_()
    stop_services()
