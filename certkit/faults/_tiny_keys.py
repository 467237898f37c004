"""The keys of the hand-written server: the key schedules of TLS 1.2 and 1.3 with SHA-256 and AES-128-GCM."""

from __future__ import annotations

import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

X25519, SECP256R1 = 29, 23


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")


def prf(secret: bytes, label: bytes, seed: bytes, size: int) -> bytes:
    """Return `size` bytes of TLS 1.2's pseudorandom function (RFC 5246, 5)."""
    seed, out = label + seed, b""
    step = seed
    while len(out) < size:
        step = _hmac(secret, step)
        out += _hmac(secret, step + seed)
    return out[:size]


def expand_label(secret: bytes, label: str, context: bytes, size: int) -> bytes:
    """Return HKDF-Expand-Label (RFC 8446, 7.1); no more than 32 bytes are needed here."""
    name = b"tls13 " + label.encode()
    info = size.to_bytes(2, "big") + bytes([len(name)]) + name + bytes([len(context)]) + context
    return _hmac(secret, info + b"\x01")[:size]


def derive_secret(secret: bytes, label: str, messages: bytes) -> bytes:
    """Return Derive-Secret (RFC 8446, 7.1)."""
    return expand_label(secret, label, hashlib.sha256(messages).digest(), 32)


def extract(salt: bytes, secret: bytes) -> bytes:
    """Return HKDF-Extract (RFC 5869, 2.2)."""
    return _hmac(salt, secret)


def exchange(group: int, theirs: bytes) -> tuple[bytes, bytes]:
    """Make a key share and return it with the shared secret.

    Raises
    ------
    ValueError
        If the other side's share is none.
    """
    if group == X25519:
        own = x25519.X25519PrivateKey.generate()
        share = own.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return share, own.exchange(x25519.X25519PublicKey.from_public_bytes(theirs))
    own_ec = ec.generate_private_key(ec.SECP256R1())
    share = own_ec.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    peer = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs)
    return share, own_ec.exchange(ec.ECDH(), peer)


class Lazy:
    """A key share for TLS 1.2: the server speaks first, the secret follows when the client has answered."""

    def __init__(self, group: int) -> None:
        self._x = x25519.X25519PrivateKey.generate() if group == X25519 else None
        self._ec = ec.generate_private_key(ec.SECP256R1())

    @property
    def share(self) -> bytes:
        """The public part."""
        if self._x is not None:
            return self._x.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return self._ec.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def secret(self, theirs: bytes) -> bytes:
        """Return the shared secret."""
        if self._x is not None:
            return self._x.exchange(x25519.X25519PublicKey.from_public_bytes(theirs))
        peer = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs)
        return self._ec.exchange(ec.ECDH(), peer)


class RecordKey:
    """Seals or opens the records of one direction."""

    def __init__(self, key: bytes, iv: bytes, *, tls13: bool) -> None:
        self._aead, self._iv, self._tls13 = AESGCM(key), iv, tls13
        self._number = 0

    @classmethod
    def from_secret(cls, secret: bytes) -> RecordKey:
        """Return TLS 1.3's key for a traffic secret (RFC 8446, 7.3)."""
        return cls(expand_label(secret, "key", b"", 16), expand_label(secret, "iv", b"", 12), tls13=True)

    def seal(self, kind: int, content: bytes) -> bytes:
        """Return the whole record."""
        number = self._count()
        if self._tls13:
            inner = content + bytes([kind])
            header = b"\x17\x03\x03" + (len(inner) + 16).to_bytes(2, "big")
            return header + self._aead.encrypt(self._nonce(number), inner, header)
        explicit = number.to_bytes(8, "big")
        aad = explicit + bytes([kind]) + b"\x03\x03" + len(content).to_bytes(2, "big")
        sealed = explicit + self._aead.encrypt(self._iv + explicit, content, aad)
        return bytes([kind]) + b"\x03\x03" + len(sealed).to_bytes(2, "big") + sealed

    def open(self, header: bytes, sealed: bytes) -> tuple[int, bytes]:
        """Return type and content of a record.

        Raises
        ------
        ValueError
            If it was not sealed with this key.
        """
        number = self._count()
        try:
            if self._tls13:
                inner = self._aead.decrypt(self._nonce(number), sealed, header).rstrip(b"\x00")
                return inner[-1], inner[:-1]
            aad = number.to_bytes(8, "big") + header[:3] + (len(sealed) - 24).to_bytes(2, "big")
            return header[0], self._aead.decrypt(self._iv + sealed[:8], sealed[8:], aad)
        except (InvalidTag, IndexError, OverflowError):
            raise ValueError("this record does not open") from None

    def _count(self) -> int:
        self._number += 1
        return self._number - 1

    def _nonce(self, number: int) -> bytes:
        return (int.from_bytes(self._iv, "big") ^ number).to_bytes(12, "big")
