"""Whether a server asks for a client certificate, whether it insists, and whether it takes yours."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from certkit.checkup._probe import Flight
from certkit.checkup._transport import Target, Transport, connect
from certkit.credentials import Credential
from certkit.errors import CertkitError
from certkit.handshakes.configs import load_credential

__all__ = ["ClientAuthentication", "ask_client_authentication"]

_SMALL_TALK = {
    None: b"HEAD / HTTP/1.0\r\n\r\n",
    "ftp": b"NOOP\r\n",
    "smtp": b"NOOP\r\n",
    "imap": b"a2 NOOP\r\n",
    "pop3": b"NOOP\r\n",
}
"""What a server of each protocol answers with something, and what changes nothing there."""


@dataclass(frozen=True)
class ClientAuthentication:
    """What a server wants of its clients.

    Attributes
    ----------
    demand : {"not asked", "requested", "required", "unknown"}
        ``requested``: asked for, and the handshake went by without; a web server may still answer 400 or 403.
        ``required``: refused without. ``unknown``: it did not come to that, or the server gave no sign in time.
    authorities : str
        The CAs it names as acceptable issuers; a word if it names none; empty if it does not ask.
    accepted : bool or None
        Whether it took the certificate that was tried; None if none was tried, or it cannot be told.
    words : str
        What our library said when we were refused, or why something cannot be told; else empty.
    """

    demand: str
    authorities: str = ""
    accepted: bool | None = None
    words: str = ""

    def to_dict(self) -> dict[str, object]:
        """Return the facts as JSON values."""
        return {
            "demand": self.demand,
            "authorities": self.authorities,
            "accepted": self.accepted,
            "words": self.words or None,
        }


def ask_client_authentication(
    target: Target, flight: Flight, credential: Credential | None, step: float
) -> ClientAuthentication:
    """Return what a server wants of its clients, from its flight and from one or two real handshakes.

    Up to TLS 1.2 the server's Finished answers the client's certificate message, or an alert does. In TLS 1.3
    its verdict comes after the client's Finished (RFC 8446, 4.4.2.4): an alert, or a session ticket or data,
    which the server sends only once it has read the certificate message. If half of the time brings neither,
    the server is asked for something small, and has the other half to answer.

    Parameters
    ----------
    target : Target
        The server.
    flight : Flight
        What it sent; says whether it asks.
    credential : Credential or None
        A client certificate to try.
    step : float
        Seconds that each step may take.
    """
    if flight.request is None:
        untried = "" if credential is None else "the server asks for none, so yours was not sent"
        return ClientAuthentication("not asked", words=untried)
    authorities = dict(flight.request.fields).get("certificate authorities", "")
    verdict, words = _meet(target, flight, None, step)
    demand = {"served": "requested", "refused": "required"}.get(verdict, "unknown")
    if credential is None:
        return ClientAuthentication(demand, authorities, words=words if demand == "unknown" else "")
    verdict, words = _meet(target, flight, credential, step)
    accepted = {"served": True, "refused": False}.get(verdict)
    return ClientAuthentication(demand, authorities, accepted, words)


def _meet(target: Target, flight: Flight, credential: Credential | None, step: float) -> tuple[str, str]:
    """Return ``"served"``, ``"refused"`` or ``"unknown"``, and the words that go with it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # The server's own certificate is judged elsewhere; here only its verdict on us counts.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    if flight.version == "1.3":
        context.minimum_version = ssl.TLSVersion.TLSv1_3
    else:
        # Not TLSv1: that warns, and what silences warnings does not hold in threads.
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    if credential is not None:
        load_credential(context, credential)
    transport = connect(target, step)
    try:
        return _Meeting(transport, context, target, flight.version == "1.3").verdict()
    finally:
        transport.close()


class _Meeting:
    """One real handshake, driven by hand: no wait is without its end, and no sign of the server's is missed."""

    def __init__(self, transport: Transport, context: ssl.SSLContext, target: Target, tls13: bool) -> None:
        self.transport, self.target, self.tls13 = transport, target, tls13
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        try:
            name: str | None = target.wanted
            self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=name)
        except ValueError:  # a name that cannot stand in a ClientHello
            self.tls = context.wrap_bio(self.incoming, self.outgoing)

    def verdict(self) -> tuple[str, str]:
        try:
            self._until(self.tls.do_handshake)
            self._flush()
            return self._after_our_finished() if self.tls13 else ("served", "")
        except ssl.SSLError as error:
            return self._refused(error)
        except CertkitError as error:
            return "unknown", str(error)

    def _after_our_finished(self) -> tuple[str, str]:
        self.transport.step /= 2
        self.transport.next_step()
        try:
            return self._answer()
        except CertkitError as error:
            question = _SMALL_TALK.get(self.target.starttls)
            if error.kind != "timeout" or question is None:
                raise
        self.transport.next_step()
        self.tls.write(question)
        with contextlib.suppress(CertkitError):  # what it said before it went is still to be read
            self._flush()
        return self._answer()

    def _answer(self) -> tuple[str, str]:
        """Return the verdict once something comes that the server sends only to whom it serves."""
        if self._until(lambda: self.tls.read(1), self._has_ticket) == b"":
            return "unknown", "the server said goodbye without an answer"
        return "served", ""

    def _has_ticket(self) -> bool:
        return self.tls.session is not None and self.tls.session.has_ticket

    def _until(self, act: Callable[[], object], enough: Callable[[], bool] = lambda: False) -> object:
        """Let the library act, and give it bytes until it is done or it is enough."""
        while True:
            try:
                return act()
            except ssl.SSLWantReadError:
                self._flush()
            if enough():
                return None
            if data := self.transport.receive(65_536, "the verdict on our certificate"):
                self.incoming.write(data)
            else:
                self.incoming.write_eof()

    def _flush(self) -> None:
        if data := self.outgoing.read():
            self.transport.send(data, "our certificate message")

    def _refused(self, error: ssl.SSLError) -> tuple[str, str]:
        """Return whether an error of the handshake is the server's verdict on our certificate message."""
        words = str(error) or type(error).__name__
        answered = self.tls.cipher() is not None  # else it was never about certificates
        if answered and "_ALERT_" in (error.reason or ""):
            return "refused", words
        if answered and isinstance(error, ssl.SSLEOFError) and not self.tls13:
            return "refused", "the server closed the connection without an alert, and without its Finished"
        return "unknown", words
