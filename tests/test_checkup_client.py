"""Requested or required: told by protocol, however slow the server is, and "unknown" where it cannot be told."""

from __future__ import annotations

import contextlib
import itertools
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

import certkit as ck
from certkit.faults.scenario import HOST

NOBODY = ck.TrustStore(())
PATIENT: dict[str, object] = {"step": 8.0}  # more than a second, on a busy machine too


class Server:
    """A TLS server that asks for a client certificate, and thinks for a while about everything it hears."""

    def __init__(self, tls: str, mode: ssl.VerifyMode, *, tickets: bool = True, answers: bool = True) -> None:
        scenario = ck.good_scenario(two_way=True)
        self.good = scenario.client.credential
        self.context = scenario.server.context(tls)
        self.context.verify_mode = mode
        self.answers = answers
        if not tickets:
            self.context.num_tickets = 0
            self.context.options |= ssl.OP_NO_TICKET

    def serve(self, connection: socket.socket) -> None:
        with self.context.wrap_socket(connection, server_side=True) as tls:
            while tls.recv(4096):
                if self.answers:
                    tls.sendall(b"HTTP/1.0 204 No Content\r\n\r\n")


@contextmanager
def slow(server: Server, seconds: float) -> Iterator[str]:
    """Serve behind a line on which everything but the ClientHello takes `seconds`."""
    with serving(server.serve) as inner, serving(lambda c: _relay(c, inner, seconds)) as outer:
        yield f"127.0.0.1:{outer}"


@contextmanager
def serving(behave: Callable[[socket.socket], None]) -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def one(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.settimeout(10)
            behave(connection)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threads.append(threading.Thread(target=one, args=(listener.accept()[0],)))
                threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in [accepting, *threads]:
            thread.join(15)
            assert not thread.is_alive()


def _relay(client: socket.socket, port: int, seconds: float) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as server:
        other, first = {client: server, server: client}, True
        while True:
            for end in select.select([client, server], [], [], 10)[0]:
                data = end.recv(65_536)
                if not data:
                    return
                if end is client:
                    time.sleep(0 if first else seconds)
                    first = False
                other[end].sendall(data)


def look(target: str, **options: object) -> ck.ServerCheck:
    usual = {"name": HOST, "anchors": NOBODY, "versions": False, "acceptance": False}
    return ck.check_server(target, **{**usual, **options})  # type: ignore[arg-type]


def all_at_once(
    *asked: tuple[Server, dict[str, object]], seconds: float = 1.0
) -> list[tuple[str, bool | None, str]]:
    """Look at slow servers side by side, so that their seconds do not add up."""

    def one(item: tuple[Server, dict[str, object]]) -> tuple[str, bool | None, str]:
        with slow(item[0], seconds) as target:
            clients = look(target, **item[1]).clients
        return clients.demand, clients.accepted, clients.words

    with ThreadPoolExecutor(len(asked)) as pool:
        return list(pool.map(one, asked))


def test_a_server_that_answers_after_a_second() -> None:
    stranger = ck.CertificateAuthority("Stranger").issue("Acme CRM", usage="client")
    asked, expected = [], []
    for tls, tickets in itertools.product(("1.2", "1.3"), (True, False)):
        required = Server(tls, ssl.CERT_REQUIRED, tickets=tickets)
        asked += [
            (required, {"client": required.good, **PATIENT}),
            (required, {"client": stranger, **PATIENT}),
        ]
        asked += [(Server(tls, ssl.CERT_OPTIONAL, tickets=tickets), PATIENT)]
        expected += [("required", True), ("required", False), ("requested", None)]
    assert [answer[:2] for answer in all_at_once(*asked)] == expected


def test_slower_than_the_time_that_a_step_has_is_unknown() -> None:
    modes = itertools.product(("1.2", "1.3"), (ssl.CERT_REQUIRED, ssl.CERT_OPTIONAL))
    servers = [Server(tls, mode) for tls, mode in modes]
    asked = [(server, {"client": server.good, "step": 0.8}) for server in servers]
    for answer in all_at_once(*asked, seconds=2.0):
        assert answer[:2] == ("unknown", None)
        assert "no answer within" in answer[2]


def test_no_ticket_and_no_answer_is_unknown() -> None:
    """In TLS 1.3 such a server gives no sign: nothing comes until it feels like it."""
    with serving(Server("1.3", ssl.CERT_OPTIONAL, tickets=False, answers=False).serve) as port:
        result = look(f"127.0.0.1:{port}", step=1)
    assert result.clients.demand == "unknown"
    assert "no answer within" in result.clients.words
    assert result.clients.words in result.text()


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_a_server_that_asks_for_nothing_was_not_sent_yours(tls: str) -> None:
    server = Server(tls, ssl.CERT_NONE)
    with serving(server.serve) as port:
        clients = look(f"127.0.0.1:{port}", client=server.good).clients
    assert (clients.demand, clients.accepted) == ("not asked", None)
    assert "not sent" in clients.words


def test_a_server_that_hangs_up_on_us_without_an_alert() -> None:
    """Below TLS 1.3 it has not finished the handshake; in TLS 1.3 it may have gone for another reason."""
    scenario = ck.good_scenario(two_way=True)
    told = {}
    for tls in ("1.2", "1.3"):
        with (
            ck.UserService(scenario.server, tls=tls) as service,
            serving(
                lambda c, port=service.port: _cut_after_hello(c, port)  # type: ignore[misc]
            ) as port,
        ):
            told[tls] = look(f"127.0.0.1:{port}", step=2).clients
    assert told["1.2"].demand == "required"
    assert told["1.3"].demand == "unknown"


def _cut_after_hello(client: socket.socket, port: int) -> None:
    """Pass on the ClientHello and the server's flight; take what the client answers, and hang up."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as server:
        server.sendall(client.recv(65_536))
        while select.select([client, server], [], [], 5)[0] == [server]:
            client.sendall(server.recv(65_536))
        client.recv(65_536)
        client.shutdown(socket.SHUT_WR)
        client.recv(65_536)
