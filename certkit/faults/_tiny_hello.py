"""Reads a ClientHello and writes Certificate messages, for the hand-written server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Hello:
    """What a client offers (RFC 8446, 4.1.2)."""

    random: bytes
    session: bytes
    ciphers: tuple[int, ...]
    groups: tuple[int, ...]
    versions: tuple[int, ...]
    shares: dict[int, bytes]


def u16(data: bytes, at: int) -> int:
    """Return the two bytes at `at` as a number."""
    return int.from_bytes(data[at : at + 2], "big")


def message(kind: int, body: bytes) -> bytes:
    """Return a handshake message."""
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def certificate_list(certificates: Sequence[bytes], *, tls13: bool) -> bytes:
    """Return the certificate_list (RFC 8446, 4.4.2; RFC 5246, 7.4.2)."""
    tail = b"\x00\x00" if tls13 else b""
    entries = b"".join(len(der).to_bytes(3, "big") + der + tail for der in certificates)
    return len(entries).to_bytes(3, "big") + entries


def read_hello(data: bytes) -> Hello:
    """Read a ClientHello, message header included."""
    at = 4 + 2 + 32
    session = data[at + 1 : at + 1 + data[at]]
    at += 1 + data[at]
    ciphers = _numbers(data[at + 2 : at + 2 + u16(data, at)])
    at += 2 + u16(data, at)
    at += 1 + data[at]
    found = _extensions(data[at + 2 : at + 2 + u16(data, at)])
    return Hello(
        random=data[6:38],
        session=session,
        ciphers=ciphers,
        groups=_numbers(found.get(10, b"")[2:]),
        versions=_numbers(found.get(43, b"")[1:]),
        shares=_shares(found.get(51, b"")[2:]),
    )


def _numbers(data: bytes) -> tuple[int, ...]:
    return tuple(u16(data, at) for at in range(0, len(data) - 1, 2))


def _extensions(data: bytes) -> dict[int, bytes]:
    found = {}
    while len(data) >= 4:
        size = u16(data, 2)
        found[u16(data, 0)] = data[4 : 4 + size]
        data = data[4 + size :]
    return found


def _shares(data: bytes) -> dict[int, bytes]:
    return _extensions(data)
