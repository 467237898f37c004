"""A hand-written TLS server that presents whatever bytes it is told to: for what no library will serve.

A leaf that is not first, a certificate that is none, a server without secure renegotiation: OpenSSL
refuses to serve them, old appliances do not. It speaks TLS 1.2 and 1.3 with one cipher suite, and its
answer is real: a client that accepts gets its response.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from certkit.errors import CredentialError
from certkit.faults._tiny_hello import Hello, certificate_list, message, read_hello, u16
from certkit.faults._tiny_keys import (
    SECP256R1,
    X25519,
    Lazy,
    RecordKey,
    derive_secret,
    exchange,
    expand_label,
    extract,
    prf,
)
from certkit.handshakes import Endpoint
from certkit.handshakes._names import alert_name
from certkit.handshakes.run import RESPONSE
from certkit.keys import PrivateKey

CCS, ALERT, HANDSHAKE, DATA = 20, 21, 22, 23
_ECDSA_SHA256 = 0x0403
_UNEXPECTED_MESSAGE, _HANDSHAKE_FAILURE, _DECRYPT_ERROR, _PROTOCOL_VERSION = 10, 40, 51, 70


class _Stop(Exception):  # noqa: N818 - not an error of the program: the connection ends here
    def __init__(self, alert: int, why: str) -> None:
        super().__init__(why)
        self.alert, self.why = alert, why


class TinyServer:
    """A `Peer` (see `certkit.handshakes.peers`) that sends certificates as bytes, unread and in any order.

    Parameters
    ----------
    key : PrivateKey
        A P-256 key; signs the handshake.
    certificates : sequence of bytes
        What the Certificate message holds.
    tls : {"1.2", "1.3"}
        The one version it speaks.
    secure_renegotiation : bool
        Whether it answers with renegotiation_info (RFC 5746) in TLS 1.2.
    """

    def __init__(
        self,
        key: PrivateKey,
        certificates: Sequence[bytes],
        tls: str,
        *,
        secure_renegotiation: bool = True,
        response: bytes = RESPONSE,
    ) -> None:
        if not isinstance(key.raw, ec.EllipticCurvePrivateKey) or key.bits != 256:
            raise CredentialError("the hand-written server signs with P-256 only", on=repr(key))
        self._key, self._certificates, self._tls13 = key.raw, tuple(certificates), tls == "1.3"
        self._secure_renegotiation, self._response = secure_renegotiation, response
        self._records = self._messages = self._transcript = self._out = b""
        self._reading: RecordKey | None = None
        self._writing: RecordKey | None = None
        self._next: RecordKey | None = None
        self._hello: Hello | None = None
        self._closed = self._done = False
        self._error: str | None = None
        self._sent: int | None = None
        self._received: int | None = None

    # What a Peer has.

    @property
    def closed(self) -> bool:
        """Whether it has ended the connection."""
        return self._closed

    def receive(self, data: bytes) -> bytes:
        """Take what the client sent and return what goes back."""
        self._records += data
        self._out = b""
        try:
            while not self._closed and len(self._records) >= 5:
                end = 5 + u16(self._records, 3)
                if len(self._records) < end:
                    break
                record, self._records = self._records[:end], self._records[end:]
                self._record(record)
        except _Stop as stop:
            self._sent, self._error = stop.alert, stop.why
            self._put(ALERT, bytes([2, stop.alert]))
            self._closed = True
        except (ValueError, IndexError):
            self._error, self._closed = "the client's message cannot be read", True
        return self._out

    def endpoint(self) -> Endpoint:
        """Return this server's own view."""
        outcome = "ok"
        if self._received is not None:
            outcome = "was-refused"
        elif self._sent is not None:
            outcome = "refused"
        elif self._error is not None or not self._done:
            outcome = "failed"
        return Endpoint(
            "server",
            outcome,
            error=self._error or (None if self._done else "the client went away"),
            alert_sent=None if self._sent is None else alert_name(self._sent),
            alert_received=None if self._received is None else alert_name(self._received),
            handshake_done=self._done,
        )

    # Records and messages.

    def _record(self, record: bytes) -> None:
        kind, content = record[0], record[5:]
        if kind == CCS:
            if not self._tls13:
                self._reading = self._next
            return
        if self._reading is not None and (kind == DATA or not self._tls13):
            kind, content = self._reading.open(record[:5], content)
        if kind == ALERT:
            if content[1] != 0:
                self._received = content[1]
                self._error = f"received alert: {alert_name(content[1])}"
            self._closed = True
        elif kind == HANDSHAKE:
            self._messages += content
            while len(self._messages) >= 4:
                end = 4 + int.from_bytes(self._messages[1:4], "big")
                if len(self._messages) < end:
                    break
                one, self._messages = self._messages[:end], self._messages[end:]
                self._message(one)
        elif kind == DATA and self._done:
            self._put(DATA, self._response)
            self._put(ALERT, bytes([1, 0]))
            self._closed = True

    def _message(self, data: bytes) -> None:
        if data[0] == 1 and self._hello is None:
            self._hello = read_hello(data)
            (self._flight13 if self._tls13 else self._flight12)(self._hello, data)
        elif self._hello is None:
            raise _Stop(_UNEXPECTED_MESSAGE, "the client's first message is no ClientHello")
        elif data[0] == 16 and not self._tls13:
            self._transcript += data
            self._keys12(self._lazy.secret(data[5:]))
        elif data[0] == 20:
            if self._next is None:
                raise _Stop(_UNEXPECTED_MESSAGE, "the client's Finished comes before its keys")
            self._finished(data)

    def _put(self, kind: int, content: bytes) -> None:
        if self._writing is not None:
            self._out += self._writing.seal(kind, content)
        else:
            self._out += bytes([kind]) + b"\x03\x03" + len(content).to_bytes(2, "big") + content

    def _say(self, kind: int, body: bytes) -> None:
        data = message(kind, body)
        self._transcript += data
        self._put(HANDSHAKE, data)

    def _sign(self, data: bytes) -> bytes:
        signature = self._key.sign(data, ec.ECDSA(hashes.SHA256()))
        return _ECDSA_SHA256.to_bytes(2, "big") + len(signature).to_bytes(2, "big") + signature

    # TLS 1.3 (RFC 8446, 2).

    def _flight13(self, hello: Hello, data: bytes) -> None:
        if 0x0304 not in hello.versions:
            raise _Stop(_PROTOCOL_VERSION, "the client does not offer TLS 1.3")
        group = next((item for item in (X25519, SECP256R1) if item in hello.shares), None)
        if group is None or 0x1301 not in hello.ciphers:
            raise _Stop(_HANDSHAKE_FAILURE, "nothing in common with this client")
        share, shared = exchange(group, hello.shares[group])
        entry = group.to_bytes(2, "big") + len(share).to_bytes(2, "big") + share
        extensions = b"\x00\x2b\x00\x02\x03\x04" + b"\x00\x33" + len(entry).to_bytes(2, "big") + entry
        self._transcript = data
        self._say(2, _server_hello(0x1301, hello.session, extensions))
        self._put(CCS, b"\x01")
        early = extract(bytes(32), bytes(32))
        secret = extract(derive_secret(early, "derived", b""), shared)
        theirs, ours = (derive_secret(secret, f"{who} hs traffic", self._transcript) for who in "cs")
        self._reading, self._writing = RecordKey.from_secret(theirs), RecordKey.from_secret(ours)
        self._say(8, b"\x00\x00")
        self._say(11, b"\x00" + certificate_list(self._certificates, tls13=True))
        words = b" " * 64 + b"TLS 1.3, server CertificateVerify\x00"
        self._say(15, self._sign(words + hashlib.sha256(self._transcript).digest()))
        self._say(20, _finished13(ours, self._transcript))
        self._expected = _finished13(theirs, self._transcript)
        master = extract(derive_secret(secret, "derived", b""), bytes(32))
        theirs, ours = (derive_secret(master, f"{who} ap traffic", self._transcript) for who in "cs")
        self._next, self._writing = RecordKey.from_secret(theirs), RecordKey.from_secret(ours)

    # TLS 1.2 (RFC 5246, 7.3; RFC 8422).

    def _flight12(self, hello: Hello, data: bytes) -> None:
        group = next((item for item in (X25519, SECP256R1) if item in hello.groups), None)
        if group is None or 0xC02B not in hello.ciphers:
            raise _Stop(_HANDSHAKE_FAILURE, "nothing in common with this client")
        extensions = b"\x00\x0b\x00\x02\x01\x00"
        if self._secure_renegotiation:
            extensions += b"\xff\x01\x00\x01\x00"
        self._transcript = data
        body = _server_hello(0xC02B, b"", extensions)
        self._randoms = hello.random, body[2:34]
        self._say(2, body)
        self._say(11, certificate_list(self._certificates, tls13=False))
        self._lazy = Lazy(group)
        share = self._lazy.share
        parameters = b"\x03" + group.to_bytes(2, "big") + bytes([len(share)]) + share
        self._say(12, parameters + self._sign(b"".join(self._randoms) + parameters))
        self._say(14, b"")

    def _keys12(self, secret: bytes) -> None:
        theirs, ours = self._randoms
        self._master = prf(secret, b"master secret", theirs + ours, 48)
        block = prf(self._master, b"key expansion", ours + theirs, 40)
        self._next = RecordKey(block[:16], block[32:36], tls13=False)
        self._ours12 = RecordKey(block[16:32], block[36:40], tls13=False)

    def _finished(self, data: bytes) -> None:
        if self._tls13:
            expected = self._expected
            self._reading = self._next
        else:
            expected = prf(self._master, b"client finished", hashlib.sha256(self._transcript).digest(), 12)
        if data[4:] != expected:
            raise _Stop(_DECRYPT_ERROR, "the client's Finished does not match")
        self._done = True
        if not self._tls13:
            self._transcript += data
            self._put(CCS, b"\x01")
            self._writing = self._ours12
            digest = hashlib.sha256(self._transcript).digest()
            self._say(20, prf(self._master, b"server finished", digest, 12))


def _server_hello(cipher: int, session: bytes, extensions: bytes) -> bytes:
    return b"".join(
        (
            b"\x03\x03",
            os.urandom(32),
            bytes([len(session)]),
            session,
            cipher.to_bytes(2, "big"),
            b"\x00",
            len(extensions).to_bytes(2, "big"),
            extensions,
        )
    )


def _finished13(secret: bytes, transcript: bytes) -> bytes:
    key = expand_label(secret, "finished", b"", 32)
    return extract(key, hashlib.sha256(transcript).digest())
