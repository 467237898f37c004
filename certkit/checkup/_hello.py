"""A ClientHello of our own (RFC 8446, 4.1.2; RFC 5246, 7.4.1.2), and the key shares behind it.

The checkup asks questions that a normal TLS library will not: which old versions are there, what
does the server send before it knows us, is an OCSP answer stapled. So it writes its own hello.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from functools import cached_property

from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from certkit._names import is_address

VERSION_NUMBERS = {"1.0": 0x0301, "1.1": 0x0302, "1.2": 0x0303, "1.3": 0x0304}

TLS13_SUITES = (0x1301, 0x1302, 0x1303)
# The suites that real servers of the last twenty years share with somebody: ECDHE, DHE, then RSA.
OLD_SUITES = (
    0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0xC009, 0xC013, 0xC00A, 0xC014, 0xC023, 0xC027, 0xC024, 0xC028,
    0x009E, 0x009F, 0xCCAA, 0x0033, 0x0039, 0x0067, 0x006B, 0x009C, 0x009D, 0x003C, 0x003D, 0x002F, 0x0035, 0x000A,
)  # fmt: skip
SCHEMES = (
    0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806, 0x0809, 0x080A, 0x080B, 0x0401, 0x0501, 0x0601,
    0x0904, 0x0905, 0x0906, 0x0203, 0x0201,
)  # fmt: skip
X25519, SECP256R1, SECP384R1, SECP521R1 = 29, 23, 24, 25
_CURVES: dict[int, type[ec.EllipticCurve]] = {
    SECP256R1: ec.SECP256R1,
    SECP384R1: ec.SECP384R1,
    SECP521R1: ec.SECP521R1,
}


def vector(size: int, *parts: bytes) -> bytes:
    """Return a TLS vector: the length in `size` bytes, then the parts."""
    body = b"".join(parts)
    return len(body).to_bytes(size, "big") + body


def number(value: int, size: int = 2) -> bytes:
    """Return a number in network order."""
    return value.to_bytes(size, "big")


@dataclass(frozen=True)
class KeyShare:
    """Our half of a key exchange in one group; the private half never shows.

    Attributes
    ----------
    group : int
        The registered number of the group.
    private : private key
        Ours, for this connection only.
    """

    group: int
    private: x25519.X25519PrivateKey | ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def generate(cls, group: int) -> KeyShare:
        """Return a fresh share."""
        if group == X25519:
            return cls(group, x25519.X25519PrivateKey.generate())
        return cls(group, ec.generate_private_key(_CURVES[group]()))

    @property
    def public(self) -> bytes:
        """Our half, as it is sent."""
        if isinstance(self.private, x25519.X25519PrivateKey):
            return self.private.public_key().public_bytes_raw()
        return self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def shared_with(self, public: bytes) -> bytes:
        """Return the secret that both halves give."""
        if isinstance(self.private, x25519.X25519PrivateKey):
            return self.private.exchange(x25519.X25519PublicKey.from_public_bytes(public))
        peer = ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[self.group](), public)
        return self.private.exchange(ec.ECDH(), peer)


@dataclass(frozen=True)
class Hello:
    """A ClientHello and what is needed to go on from it.

    Attributes
    ----------
    versions : tuple of str
        What is offered, e.g. ``("1.3", "1.2")``.
    host : str
        The name asked for; an address sends no SNI (RFC 6066, 3).
    shares : tuple of KeyShare
        Our key shares; empty below TLS 1.3.
    random, session : bytes
        32 bytes each.
    cookie : bytes
        What a HelloRetryRequest asked to be repeated; empty else.
    """

    versions: tuple[str, ...]
    host: str
    shares: tuple[KeyShare, ...] = ()
    random: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    session: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    cookie: bytes = b""

    @cached_property
    def message(self) -> bytes:
        """The handshake message."""
        newest = max(VERSION_NUMBERS[version] for version in self.versions)
        suites = (_TLS13 if "1.3" in self.versions else b"") + (_OLD if self.versions != ("1.3",) else b"")
        body = (
            number(min(newest, VERSION_NUMBERS["1.2"]))
            + self.random
            + vector(1, self.session)
            + vector(2, suites)
            + vector(1, b"\x00")
            + vector(2, *self._extensions())
        )
        return b"\x01" + vector(3, body)

    def _extensions(self) -> list[bytes]:
        found = [_ALWAYS]
        if self.host and not is_address(self.host):
            found.append(
                _extension(
                    0, vector(2, b"\x00" + vector(2, self.host.rstrip(".").encode("ascii", "replace")))
                )
            )
        if "1.3" in self.versions:
            offered = [number(VERSION_NUMBERS[version]) for version in self.versions]
            shares = [number(share.group) + vector(2, share.public) for share in self.shares]
            found += [
                _extension(43, vector(1, *offered)),
                _extension(51, vector(2, *shares)),
                _extension(45, vector(1, b"\x01")),
            ]
        if self.cookie:
            found.append(_extension(44, vector(2, self.cookie)))
        return found


def _extension(kind: int, body: bytes) -> bytes:
    return number(kind) + vector(2, body)


# Written once: a checkup of thousands of servers says the same each time.
_TLS13, _OLD = (b"".join(number(suite) for suite in suites) for suites in (TLS13_SUITES, OLD_SUITES))
_ALWAYS = b"".join(
    (
        _extension(
            10, vector(2, *(number(group) for group in (X25519, SECP256R1, SECP384R1, SECP521R1, 256)))
        ),
        _extension(11, vector(1, b"\x00")),
        _extension(13, vector(2, *(number(scheme) for scheme in SCHEMES))),
        _extension(5, b"\x01" + vector(2) + vector(2)),  # status_request: staple an OCSP answer, please
        _extension(23, b""),
        _extension(0xFF01, vector(1)),
    )
)
