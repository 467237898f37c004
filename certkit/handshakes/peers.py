"""`Peer`: a server that is no ``ssl.SSLContext``: bytes in, bytes out. For what Python's own cannot serve."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from certkit.handshakes._recording import Recorder
    from certkit.handshakes.result import Endpoint

__all__ = ["Peer", "PeerEnd"]


class Peer(Protocol):
    """A server as a function of the bytes that it gets, with no socket of its own."""

    @property
    def closed(self) -> bool:
        """Whether it has ended the connection."""

    def receive(self, data: bytes) -> bytes:
        """Take what the client sent and return what goes back; both may be empty."""

    def endpoint(self) -> Endpoint:
        """Return the server's own view so far."""


class PeerEnd:
    """A peer in the shape of an endpoint of `certkit.handshakes.run`."""

    name = "server"

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()

    @property
    def over(self) -> bool:
        """Whether there is nothing left to do."""
        return self.peer.closed

    def step(self, _: Recorder) -> None:
        """Pass on what arrived, and take what the peer answers."""
        self.outgoing.write(self.peer.receive(self.incoming.read()))
