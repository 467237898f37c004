"""TLS over real sockets, with what the library said kept: for services and for their clients.

A server learns of everything in its handshake. A TLS 1.3 client whose certificate is refused believes
the handshake done and learns it at its first read: its `Hearing` therefore stays open to the end.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from certkit.certificates import Certificate
from certkit.chains import Chain, TrustStore
from certkit.errors import FormatError
from certkit.handshakes import Endpoint, _names
from certkit.handshakes._cause import cause_seen_by
from certkit.handshakes._recording import ALERT, HANDSHAKE, watch
from certkit.handshakes.messages import open_message

__all__ = ["Ears", "Hearing", "peer_certificate"]

_SERVER_HELLO, _CERTIFICATE = 2, 11

# What a client can conclude from an alert about its own certificate (RFC 8446, 6.2): the server's
# verdict on it, as OpenSSL-based servers choose their alerts.
CAUSE_BY_ALERT = {
    "certificate_required": "client-cert-missing",
    "unknown_ca": "client-cert-untrusted",
    "bad_certificate": "client-cert-rejected",
    "certificate_unknown": "client-cert-rejected",
    "access_denied": "client-cert-rejected",
    "certificate_expired": "expired-leaf",
    "certificate_revoked": "revoked",
    "unsupported_certificate": "wrong-eku",
    "protocol_version": "protocol-version",
    "insufficient_security": "no-shared-cipher",
    "unrecognized_name": "sni-missing",
}


@dataclass
class Hearing:
    """What one end of one connection heard and said, while it runs.

    Attributes
    ----------
    side : {"client", "server"}
        Which end this is.
    alerts : dict
        ``"sent"`` and ``"received"`` to the number of the alert.
    peer_chain : Chain
        The chain as the other side presented it; empty if it did not come to that.
    asked : bool
        Whether a CertificateRequest crossed.
    done : bool
        Whether this side believes the handshake finished.
    listens : bool
        Whether messages can be heard at all: not on a Python without a message callback.
    on_request : callable or None
        Gets each CertificateRequest, and whether it is of TLS 1.3.
    """

    side: str
    alerts: dict[str, int] = field(default_factory=dict)
    peer_chain: Chain = field(default_factory=lambda: Chain(()))
    asked: bool = False
    done: bool = False
    listens: bool = True
    _tls13: bool = False
    on_request: Callable[[bytes, bool], object] | None = field(default=None, repr=False)

    def heard(self, direction: str, content: int, data: bytes) -> None:
        """Note one message."""
        if content == ALERT and len(data) == 2 and data[1] != 0:
            self.alerts["received" if direction == "read" else "sent"] = data[1]
        if content != HANDSHAKE or not data:
            return
        if data[0] == _SERVER_HELLO:
            message = open_message("server", data, encrypted=False, tls13=False)
            self._tls13 = ("supported_versions", "TLS 1.3") in message.fields
        elif data[0] == _CERTIFICATE and direction == "read":
            message = open_message("", data, encrypted=False, tls13=self._tls13)
            self.peer_chain = Chain(message.certificates)
        elif _names.HANDSHAKE_TYPES.get(data[0]) == "CertificateRequest":
            self.asked = True
            if self.on_request is not None:
                self.on_request(data, self._tls13)

    @property
    def version(self) -> str:
        """``"1.2"`` or ``"1.3"``, as the ServerHello settled it."""
        return "1.3" if self._tls13 else "1.2"

    def endpoint(self, error: OSError | None) -> Endpoint:
        """Return this side's view, as it is after `error` or without one."""
        sent, received = (self._alert(way) for way in ("sent", "received"))
        return Endpoint.of(self.side, error, sent=sent, received=received, done=self.done)

    def _alert(self, way: str) -> str | None:
        return _names.alert_name(self.alerts[way]) if way in self.alerts else None

    def cause(self, endpoint: Endpoint, anchors: TrustStore | None, at: datetime) -> str | None:
        """Return the cause id as far as this side alone can tell; None if it cannot."""
        if endpoint.ok:
            return None
        found = cause_seen_by(endpoint, self.peer_chain, anchors or TrustStore(), at)
        if found is not None or endpoint.alert_received is None or self.side == "server":
            return found
        if endpoint.alert_received == "handshake_failure":
            if not self.listens:
                return None
            # TLS 1.2 has no alert of its own for a missing client certificate.
            return "client-cert-missing" if self.asked else "no-shared-cipher"
        return CAUSE_BY_ALERT.get(endpoint.alert_received)


class Ears:
    """Listens to every connection of one context and keeps them apart.

    Parameters
    ----------
    context : ssl.SSLContext
        Whose connections; shared by all connections of a service.
    side : {"client", "server"}
        Which end these are.
    """

    def __init__(self, context: ssl.SSLContext, side: str) -> None:
        self.context = context
        self._side = side
        self._open: dict[int, Hearing] = {}
        self._lock = threading.Lock()
        self._listens = watch(context, self._heard)

    def _heard(self, connection: object, direction: str, content: int, data: bytes) -> None:
        hearing = self._open.get(id(connection))
        if hearing is not None:
            hearing.heard(direction, content, data)

    def listen(self, connection: ssl.SSLSocket | ssl.SSLObject) -> Hearing:
        """Start to listen to a connection whose handshake is still to do."""
        hearing = Hearing(self._side, listens=self._listens)
        with self._lock:
            self._open[id(connection)] = hearing
        return hearing

    def forget(self, connection: object) -> None:
        """Stop to listen to a connection."""
        with self._lock:
            self._open.pop(id(connection), None)


def peer_certificate(connection: ssl.SSLSocket) -> Certificate | None:
    """Return the certificate that the other side presented and this side verified, or None."""
    der = connection.getpeercert(binary_form=True)
    try:
        return None if der is None else Certificate.from_der(der)
    except FormatError:
        return None
