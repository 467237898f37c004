"""A service's TLS door: lets a connection in, or notes why not, with who stood there."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime

from certkit._text import visible
from certkit.chains import Chain
from certkit.errors import ArgumentError
from certkit.handshakes import ServerConfig
from certkit.services._server import Connection
from certkit.services._tls import Ears, peer_certificate
from certkit.services.log import Notes

__all__ = ["Door", "Guest", "tls_version"]


@dataclass(frozen=True)
class Guest:
    """Who came in.

    Attributes
    ----------
    chain : Chain
        The chain as the client presented it, its leaf verified; empty in one-way TLS and without TLS.
    """

    chain: Chain = field(default_factory=lambda: Chain(()))

    @property
    def subject(self) -> str | None:
        """The subject of the client's certificate; None if it presented none."""
        return self.chain.leaf.subject if self.chain else None


class Door:
    """Server-side TLS for every connection of a service; each outcome is noted.

    Parameters
    ----------
    security : ServerConfig
        What the service presents and whom it asks.
    notes : Notes
        Where each handshake is noted.
    tls : {"1.2", "1.3"}, optional
        Exactly this version; by default, 1.2 or newer.
    """

    def __init__(self, security: ServerConfig, notes: Notes, tls: str | None = None) -> None:
        if not callable(getattr(security, "context", None)):
            raise ArgumentError(
                "this is no server configuration",
                on=type(security).__name__,
                hint="ck.ServerConfig(credential), or None for plain HTTP",
            )
        self.security = security
        self._notes = notes
        self._ears = Ears(security.context(tls), "server")

    def open(self, connection: Connection) -> Guest | None:
        """Do the handshake, note it, and return who came in; None if nobody did."""
        self._notes.expect()
        secured = connection.wrap(self._ears.context)
        hearing = self._ears.listen(secured)
        error: OSError | None = None
        try:
            secured.do_handshake()
            hearing.done = True
        except OSError as failure:
            error = failure
        finally:
            self._ears.forget(secured)
        chain = hearing.peer_chain
        if error is None and not chain and (certificate := peer_certificate(secured)) is not None:
            chain = Chain((certificate,))  # a resumed session, or a Python without the message callback
        end = hearing.endpoint(error)
        guest = Guest(chain)
        self._notes.add(
            connection.number,
            "handshake",
            end.outcome,
            ok=end.ok,
            caller=guest.subject,
            detail=visible(end.error) if end.error else "the handshake is done",
            tls_version=tls_version(secured) if error is None else None,
            cause=hearing.cause(end, getattr(self.security, "client_anchors", None), datetime.now(UTC)),
            endpoint=end,
            address=connection.peer.rpartition(":")[0],
        )
        return guest if error is None else None


def tls_version(connection: object) -> str | None:
    """Return ``"1.2"`` or ``"1.3"``; None if the connection is not TLS."""
    version = connection.version() if isinstance(connection, ssl.SSLSocket) else None
    return version.removeprefix("TLSv") if version else None
