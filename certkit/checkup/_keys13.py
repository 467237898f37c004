"""The handshake keys of TLS 1.3 (RFC 8446, 7.1): just enough to read the server's first flight."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from certkit.checkup._hello import vector
from certkit.errors import FormatError

_SUITES = {0x1301: ("sha256", 16), 0x1302: ("sha384", 32), 0x1303: ("sha256", 32)}


def hash_name(suite: int) -> str:
    """Return the hash of a TLS 1.3 cipher suite."""
    if suite not in _SUITES:
        raise FormatError("the server chose a cipher suite that was not offered", on=f"0x{suite:04x}")
    return _SUITES[suite][0]


def _extract(algorithm: str, salt: bytes, secret: bytes) -> bytes:
    return hmac.new(salt, secret, algorithm).digest()


def _expand_label(algorithm: str, secret: bytes, label: bytes, context: bytes, size: int) -> bytes:
    info = size.to_bytes(2, "big") + vector(1, b"tls13 " + label) + vector(1, context)
    output, block = b"", b""
    for counter in range(1, 256):
        block = hmac.new(secret, block + info + bytes([counter]), algorithm).digest()
        output += block
        if len(output) >= size:
            break
    return output[:size]


@dataclass
class RecordKey:
    """Opens the records that one side encrypts with its handshake key.

    Parameters
    ----------
    suite : int
        The cipher suite.
    secret : bytes
        That side's handshake traffic secret.
    """

    suite: int
    secret: bytes = field(repr=False)
    sequence: int = 0

    def open(self, header: bytes, body: bytes) -> tuple[int, bytes]:
        """Return the content type and the content of a record (RFC 8446, 5.2).

        Raises
        ------
        FormatError
            If the record was not made with this key.
        """
        cipher, nonce = self._cipher, self._nonce()
        try:
            plain = cipher.decrypt(nonce, body, header).rstrip(b"\x00")
        except InvalidTag:
            raise FormatError(
                "a record does not decrypt", on=f"record {self.sequence}", kind="bad-record"
            ) from None
        self.sequence += 1
        if not plain:
            raise FormatError("a record without content", on=f"record {self.sequence}", kind="bad-record")
        return plain[-1], plain[:-1]

    def seal(self, kind: int, content: bytes) -> bytes:
        """Return a record that the other side can open."""
        cipher, nonce = self._cipher, self._nonce()
        header = b"\x17\x03\x03" + (len(content) + 1 + 16).to_bytes(2, "big")
        self.sequence += 1
        return header + cipher.encrypt(nonce, content + bytes([kind]), header)

    @cached_property
    def _cipher(self) -> AESGCM | ChaCha20Poly1305:
        algorithm, size = _SUITES[self.suite]
        family = ChaCha20Poly1305 if self.suite == 0x1303 else AESGCM
        return family(_expand_label(algorithm, self.secret, b"key", b"", size))

    @cached_property
    def _iv(self) -> int:
        return int.from_bytes(_expand_label(_SUITES[self.suite][0], self.secret, b"iv", b"", 12), "big")

    def _nonce(self) -> bytes:
        return (self._iv ^ self.sequence).to_bytes(12, "big")


def handshake_keys(suite: int, shared: bytes, transcript: bytes) -> tuple[RecordKey, RecordKey]:
    """Return the keys of client and server for the handshake.

    Parameters
    ----------
    suite : int
        The cipher suite of the ServerHello.
    shared : bytes
        The secret of the key exchange.
    transcript : bytes
        ClientHello and ServerHello, as messages; after a HelloRetryRequest with its replacement in front.
    """
    algorithm = hash_name(suite)
    size = hashlib.new(algorithm).digest_size
    early = _extract(algorithm, bytes(size), bytes(size))
    derived = _expand_label(algorithm, early, b"derived", hashlib.new(algorithm, b"").digest(), size)
    secret = _extract(algorithm, derived, shared)
    seen = hashlib.new(algorithm, transcript).digest()
    client, server = (
        RecordKey(suite, _expand_label(algorithm, secret, label, seen, size))
        for label in (b"c hs traffic", b"s hs traffic")
    )
    return client, server
