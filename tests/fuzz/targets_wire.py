"""Parsers of what comes over a connection: TLS records and messages, HTTP heads, SOAP, and what precedes TLS."""

from __future__ import annotations

import socket
from contextlib import suppress
from functools import cache
from unittest import mock

from fuzz.targets import Target, each
from fuzz.targets_files import root

import certkit as ck
from certkit.checkup import _probe, _transport
from certkit.checkup._transport import STARTTLS, Transport
from certkit.checkup._transport import Target as Host
from certkit.faults._tiny_hello import read_hello
from certkit.faults._tiny_server import TinyServer
from certkit.handshakes._names import HANDSHAKE_TYPES
from certkit.handshakes._recording import Recorder
from certkit.handshakes.messages import open_alert, open_message
from certkit.services import _records, sni, soap
from certkit.services._head import read_head
from certkit.services.wiretap import Chunk, Conversation, readable
from certkit.stacks._platform_engines import _authorities


class Line(Transport):
    """A connection on which everything that will ever come has come already."""

    def __init__(self, data: bytes) -> None:
        super().__init__(None, 5.0)  # type: ignore[arg-type]
        self.data = data

    def send(self, data: bytes, doing: str) -> None:
        """Send nothing."""

    def receive(self, limit: int, doing: str) -> bytes:
        """Return what is left, in pieces."""
        found, self.data = self.data[:limit], self.data[limit:]
        return found

    def close(self) -> None:
        """Close nothing."""


class Unsealed:
    """Stands for a record key: what is inside the seal is what lies there, its type last (RFC 8446, 5.2)."""

    def open(self, header: bytes, body: bytes) -> tuple[int, bytes]:
        """Return the type and the content."""
        return (body[-1], body[:-1]) if body else (0, b"")

    def seal(self, kind: int, content: bytes) -> bytes:
        """Return anything."""
        return content


def messages(data: bytes) -> None:
    """Open each kind of handshake message, in each version."""
    for tls13 in (False, True):
        found = open_message("server", data, encrypted=tls13, tls13=tls13)
        found.summary, found.fields, found.certificates, found._repr_html_(), found.to_dict(), repr(found)
        _authorities(data, tls13)
    open_alert("client", data[:2], encrypted=False)._repr_html_()
    # The same content under every name.
    for kind in HANDSHAKE_TYPES:
        str(open_message("client", bytes([kind]) + data[1:], encrypted=False, tls13=True).summary)


def records(data: bytes) -> None:
    """Split what crossed into records, as the wiretap does, and as a handshake does without the callback."""
    half = len(data) // 2
    chunks = (
        Chunk(1, "client", 0.0, data[:half]),
        Chunk(1, "server", 0.1, data[half:]),
        Chunk(2, "server", 0.2, data),
    )
    crossed = Conversation(chunks)
    crossed.text(), crossed._repr_html_(), crossed.records, crossed.contains(b"x"), repr(crossed)
    _records.looks_like_tls(data), readable(data)
    recorder = Recorder()
    recorder.calls_back = False
    recorder.crossed("client", data[:half])
    recorder.crossed("server", data)
    recorder.finish()
    for message in recorder.messages:
        message.summary, message._repr_html_()


def flight(data: bytes) -> None:
    """Have the checkup read a first flight; what is encrypted is reached by leaving the seal away."""
    for versions in (("1.3", "1.2"), ("1.2", "1.1")):
        each(
            data,
            lambda data, versions=versions: _probe.first_flight(Line(data), "shop.example.test", versions),
        )
    with mock.patch.object(_probe, "handshake_keys", lambda *_: (Unsealed(), Unsealed())):
        found = _probe.first_flight(Line(data), "shop.example.test")
    repr(found), found.chain, found.request, found.staple


def before_tls(data: bytes) -> None:
    """Read what servers say before TLS begins, and what a proxy answers."""
    for start in STARTTLS.values():
        each(data, lambda data, start=start: start(Line(data), "shop.example.test"))
    with (
        mock.patch.object(_transport, "_open", lambda *_: None),
        mock.patch.object(_transport, "Transport", lambda *_: Line(data)),
    ):
        _transport._through_proxy(Host("shop.example.test", proxy="http://proxy.example.test:3128"), 5.0)


def tiny_server(data: bytes) -> None:
    """Have the hand-written server read what a client sends; it answers, or ends the connection."""
    server = root().issue("tiny.example.test", usage="server")
    for tls in ("1.2", "1.3"):
        tiny = TinyServer(server.key, [server.certificate.der], tls)
        tiny.receive(data)
        repr(tiny.endpoint())


def hello(data: bytes) -> None:
    """Read the name off a ClientHello."""
    each(data, sni._first_message, sni._server_name)
    with suppress(IndexError):  # its only caller, the hand-written server, takes it for "cannot be read"
        read_hello(data)


def head(data: bytes) -> None:
    """Read an HTTP head off a socket."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(data[:32_768])
        ours.shutdown(socket.SHUT_WR)
        found = read_head(theirs, 5.0)
        if found is not None:
            repr(found), found.field("host")


def envelope(data: bytes) -> None:
    """Read SOAP."""
    each(data, soap.parse_answer, lambda data: soap.operation_of(soap.parse_envelope(data)))


@cache
def _wire() -> list[bytes]:
    """Return what both sides of real handshakes sent."""
    found = []
    for tls in ("1.2", "1.3"):
        run = ck.good_scenario(two_way=True, tls=tls).run()
        for sender in ("client", "server"):
            found.append(b"".join(record.data for record in run.records if record.sender == sender))
    return found


@cache
def _messages() -> list[bytes]:
    return [
        item.body
        for tls in ("1.2", "1.3")
        for item in ck.good_scenario(two_way=True, tls=tls).run().messages
        if item.body
    ]


def _unsealed_flight() -> list[bytes]:
    """Return the first flight of a TLS 1.3 server with the seals taken off, and one of TLS 1.2."""
    run = ck.good_scenario(two_way=True, tls="1.3").run()
    clear = next(item.body for item in run.messages if item.name == "ServerHello")
    found = b"\x16\x03\x03" + len(clear).to_bytes(2) + clear
    for item in run.messages:
        if item.sender == "server" and item.encrypted and item.body and item.name != "NewSessionTicket":
            found += b"\x17\x03\x03" + (len(item.body) + 1).to_bytes(2) + item.body + b"\x16"
    return [found, *_wire()]


def _greetings() -> list[bytes]:
    return [
        b"220-hello\r\n220 ready\r\n234 go\r\n",
        b"220 mail\r\n250-mail\r\n250 STARTTLS\r\n220 go\r\n",
        b"* OK IMAP4\r\na1 OK begin\r\n",
        b"+OK pop\r\n+OK begin\r\n",
        bytes.fromhex("300c02010178070a010004000400"),
        b"S",
        b"J\0\0\0\x0a8.0\0" + bytes(12) + b"\xff\xff" + bytes(54),
        b"<stream:stream><stream:features/></stream:features><proceed/>",
        b"HTTP/1.1 200 Connection established\r\n\r\n",
    ]


TARGETS = (
    Target("messages", messages, _messages, "tls"),
    Target("records", records, _wire, "tls"),
    Target("flight", flight, _unsealed_flight, "tls"),
    Target("before-tls", before_tls, _greetings, "text"),
    Target("tiny-server", tiny_server, _wire, "tls"),
    Target("hello", hello, lambda: [*_wire()[:1], *_messages()[:1]], "tls"),
    Target("http-head", head, lambda: [b"POST /users HTTP/1.1\r\nHost: a.test\r\nA: b\r\n\r\nrest"], "text"),
    Target(
        "soap",
        envelope,
        lambda: [
            soap.build_request("u-1001", "Active"),
            soap.build_response("ok", 2),
            soap.build_fault(soap.SoapFault("Client", "no")),
        ],
        "text",
    ),
)
