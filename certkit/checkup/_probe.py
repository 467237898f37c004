"""Reads a server's first flight, in every TLS version, without a TLS library and without trusting anything.

Below TLS 1.3 the flight is in clear; in TLS 1.3 the handshake keys are derived (`_keys13`). Then the
probe says goodbye: it never authenticates and never sends data.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from certkit.chains import Chain
from certkit.checkup._hello import SECP256R1, VERSION_NUMBERS, X25519, Hello, KeyShare
from certkit.checkup._keys13 import RecordKey, handshake_keys, hash_name
from certkit.checkup._transport import Transport
from certkit.errors import CertkitError, FormatError
from certkit.handshakes import _names
from certkit.handshakes.messages import Message, open_message

__all__ = ["Flight", "first_flight"]

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = 20, 21, 22, 23
MAX_FLIGHT_BYTES = 1 << 20
_CLOSE_NOTIFY = b"\x01\x00"
_USER_CANCELED = b"\x01\x5a"
# RFC 8446, 4.1.3: this random marks a HelloRetryRequest.
_RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


@dataclass(frozen=True)
class Flight:
    """What a server said before it knew who we are.

    Attributes
    ----------
    version : str or None
        ``"1.0"`` … ``"1.3"``; None if it sent no ServerHello.
    cipher : str or None
        OpenSSL's name of the suite it chose; None likewise.
    group : str or None
        The key exchange group it chose; None if there was none to see.
    alert : str or None
        The alert it sent instead; None if it sent none.
    messages : tuple of Message
        Its messages, decrypted.
    staple : bytes or None
        The OCSP response it stapled (RFC 6066, 8); None if none.
    """

    version: str | None
    cipher: str | None
    group: str | None
    alert: str | None
    messages: tuple[Message, ...] = field(default=(), repr=False)
    staple: bytes | None = field(default=None, repr=False)

    @property
    def chain(self) -> Chain:
        """The chain as sent; empty if it did not come to that."""
        return Chain(next((item.certificates for item in self.messages if item.name == "Certificate"), ()))

    @property
    def request(self) -> Message | None:
        """Its CertificateRequest; None if it does not ask for a client certificate at once."""
        return next((item for item in self.messages if item.name == "CertificateRequest"), None)


def first_flight(transport: Transport, host: str, versions: tuple[str, ...] = ("1.3", "1.2")) -> Flight:
    """Send a ClientHello and return what comes back, up to where the server waits for us.

    Parameters
    ----------
    transport : Transport
        A connection at the point where TLS begins; it is left open.
    host : str
        The name to ask for.
    versions : tuple of str
        What to offer.

    Raises
    ------
    CertkitError
        If the server answers with something that is no TLS, or with nothing.
    """
    try:
        return _Probe(transport, host, versions).run()
    except IndexError:
        raise FormatError(
            "a message of the server's is shorter than it says", on="its first flight", kind="bad-record"
        ) from None


class _Probe:
    def __init__(self, transport: Transport, host: str, versions: tuple[str, ...]) -> None:
        shares = tuple(KeyShare.generate(group) for group in (X25519, SECP256R1)) if "1.3" in versions else ()
        self.transport = transport
        transport.read_ahead = True
        self.hello = Hello(versions, host, shares)
        self.prefix = b""  # stands in the transcript for a first hello that was sent back
        self.pending = b""
        self.size = 0
        self.messages: list[Message] = []
        self.raw: list[bytes] = []
        self.keys: tuple[RecordKey, RecordKey] | None = None
        self.alert: str | None = None

    def run(self) -> Flight:
        self._say(self.hello.message)
        tls13 = False
        while (body := self._message()) is not None:
            if body[0] == 2 and body[6:38] == _RETRY:
                self._again(body)
                continue
            facts = open_message("server", body, encrypted=self.keys is not None, tls13=tls13)
            if body[0] == 2:
                tls13 = ("supported_versions", "TLS 1.3") in facts.fields
                if tls13:
                    self._derive(body)
            self.messages.append(facts)
            self.raw.append(body)
            if facts.name in {"ServerHelloDone", "Finished"}:
                break
        self._goodbye()
        return self._flight(tls13)

    def _say(self, message: bytes) -> None:
        header = b"\x16\x03\x01" + len(message).to_bytes(2, "big")
        self.transport.send(header + message, "ClientHello")

    def _message(self) -> bytes | None:
        """Return the next handshake message, or None once an alert or the end has come."""
        while len(self.pending) < 4 or len(self.pending) < 4 + int.from_bytes(self.pending[1:4], "big"):
            record = self._record()
            if record is None:
                return None
            kind, content = record
            if kind == ALERT:
                # A warning (unrecognized_name, mostly) does not end a handshake below TLS 1.3.
                if content[:1] == b"\x01" and content[1:2] != b"\x00":
                    continue
                self.alert = _names.alert_name(content[1]) if len(content) > 1 else "an empty alert"
                return None
            if kind == HANDSHAKE:
                self.pending += content
        end = 4 + int.from_bytes(self.pending[1:4], "big")
        body, self.pending = self.pending[:end], self.pending[end:]
        return body

    def _record(self) -> tuple[int, bytes] | None:
        header = self.transport.exactly(5, "the server's answer")
        if not header:
            if not self.messages:
                raise CertkitError(
                    "the server closed the connection without a word",
                    on="after our ClientHello",
                    hint="its log; a wrong port, a firewall, or a name it does not serve",
                    cause="server-closed",
                    kind="closed",
                )
            return None
        if len(header) < 5:
            raise CertkitError(
                "the server closed the connection in the middle of a record",
                on=header.hex(" "),
                hint="its log",
                cause="server-closed",
                kind="closed",
            )
        if header[0] not in {CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA} or header[1] != 3:
            if self.messages:
                raise FormatError(
                    "after good TLS came bytes that are none",
                    on=f"after its {self.messages[-1].name}: {header!r}",
                    hint="what lies in between: something changed or cut what the server sent",
                    cause="tampered-or-corrupt",
                    kind="bad-record",
                )
            raise CertkitError(
                "this is no TLS",
                on=f"the answer begins with {header!r}",
                hint="plain HTTP, or a protocol that needs STARTTLS",
                cause="plaintext-on-tls-port",
                kind="no-tls",
            )
        body = self.transport.exactly(int.from_bytes(header[3:5], "big"), "the server's answer")
        self.size += len(body)
        if self.size > MAX_FLIGHT_BYTES:
            raise CertkitError(
                "the server sends without end",
                on=f"{self.size:,} bytes",
                hint=f"a first flight has a few kB, and {MAX_FLIGHT_BYTES:,} bytes are read: is it TLS at all?",
                cause="malformed-extension",
                kind="too-large",
            )
        if header[0] == APPLICATION_DATA and self.keys is not None:
            return self.keys[1].open(header, body)
        return header[0], body

    def _again(self, body: bytes) -> None:
        """Answer a HelloRetryRequest (RFC 8446, 4.1.4): the same hello, with the group it wants."""
        if self.prefix:
            raise FormatError("the server asked twice for another hello", kind="bad-retry")
        suite, group, cookie = _retry_facts(body)
        digest = hashlib.new(hash_name(suite), self.hello.message).digest()
        self.prefix = b"\xfe" + len(digest).to_bytes(3, "big") + digest + body
        shares = (KeyShare.generate(group),) if group is not None else self.hello.shares
        self.hello = Hello(
            self.hello.versions, self.hello.host, shares, self.hello.random, self.hello.session, cookie
        )
        self._say(self.hello.message)

    def _derive(self, body: bytes) -> None:
        suite, extensions = _server_hello(body)
        share = extensions.get(51, b"")
        group, public = int.from_bytes(share[:2], "big"), share[4:]
        ours = next((item for item in self.hello.shares if item.group == group), None)
        if ours is None:
            raise FormatError(
                "the server chose a group that was not offered", on=str(group), kind="bad-group"
            )
        try:
            secret = ours.shared_with(public)
        except ValueError as error:
            raise FormatError(f"the server's key share is no point ({error})", kind="bad-share") from None
        self.keys = handshake_keys(suite, secret, self.prefix + self.hello.message + body)

    def _goodbye(self) -> None:
        """Leave politely, so that the server's log shows a client that went away and no attack."""
        try:
            if self.keys is not None:
                self.transport.send(
                    self.keys[0].seal(ALERT, _USER_CANCELED) + self.keys[0].seal(ALERT, _CLOSE_NOTIFY),
                    "goodbye",
                )
            elif self.alert is None:
                self.transport.send(b"\x15\x03\x01\x00\x02" + _CLOSE_NOTIFY, "goodbye")
        except CertkitError:
            return

    def _flight(self, tls13: bool) -> Flight:
        hello = next((body for body in self.raw if body[0] == 2), None)
        if hello is None:
            return Flight(None, None, None, self.alert)
        suite, _ = _server_hello(hello)
        legacy = {value: key for key, value in VERSION_NUMBERS.items()}.get(int.from_bytes(hello[4:6], "big"))
        facts = [dict(item.fields) for item in self.messages]
        group = next((found for item in facts if (found := item.get("key_share") or item.get("group"))), None)
        return Flight(
            "1.3" if tls13 else legacy,
            _names.cipher_name(suite),
            group,
            self.alert,
            tuple(self.messages),
            self._staple(tls13),
        )

    def _staple(self, tls13: bool) -> bytes | None:
        for body in self.raw:
            if body[0] == 22 and not tls13:  # CertificateStatus (RFC 6066, 8)
                return body[8:] or None
            if body[0] == 11 and tls13:
                return _staple_in_certificate(body)
        return None


def _server_hello(body: bytes) -> tuple[int, dict[int, bytes]]:
    """Return the cipher suite and the extensions of a ServerHello."""
    try:
        at = 4 + 2 + 32
        at += 1 + body[at]
        suite = int.from_bytes(body[at : at + 2], "big")
        return suite, _extensions(body[at + 3 :])
    except IndexError:
        raise FormatError("the ServerHello ends early", on=f"{len(body)} bytes", kind="truncated") from None


def _extensions(data: bytes) -> dict[int, bytes]:
    found, at, end = {}, 2, 2 + int.from_bytes(data[:2], "big")
    while at + 4 <= min(end, len(data)):
        kind, size = int.from_bytes(data[at : at + 2], "big"), int.from_bytes(data[at + 2 : at + 4], "big")
        found[kind] = data[at + 4 : at + 4 + size]
        at += 4 + size
    return found


def _retry_facts(body: bytes) -> tuple[int, int | None, bytes]:
    suite, extensions = _server_hello(body)
    share, cookie = extensions.get(51), extensions.get(44, b"")
    group = None if share is None else int.from_bytes(share, "big")
    if group is not None and group not in {23, 24, 25, 29}:
        raise FormatError(
            "the server insists on a group that the checkup does not know", on=str(group), kind="bad-group"
        )
    return suite, group, cookie[2:]


def _staple_in_certificate(body: bytes) -> bytes | None:
    """Return the status_request extension of the first CertificateEntry (RFC 8446, 4.4.2.1)."""
    at = 4 + 1 + body[4] + 3
    at += 3 + int.from_bytes(body[at : at + 3], "big")
    status = _extensions(body[at:]).get(5)
    return None if status is None else status[4:]
