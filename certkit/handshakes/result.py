"""`Handshake`: what happened, as both ends saw it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import NoReturn

from certkit._html import Html, badge, details, table, tag
from certkit._text import visible
from certkit.chains import Chain
from certkit.errors import ArgumentError, CheckFailed
from certkit.handshakes._cause import find_cause
from certkit.handshakes._recording import Record
from certkit.handshakes.configs import ClientConfig, ServerConfig
from certkit.handshakes.messages import Message

__all__ = ["Endpoint", "Handshake"]

OUTCOMES = {
    "ok": ("good", "done"),
    "refused": ("bad", "refused the other side"),
    "was-refused": ("bad", "was refused by the other side"),
    "failed": ("bad", "failed"),
}


@dataclass(frozen=True)
class Endpoint:
    """One side's own view of a handshake.

    Attributes
    ----------
    name : {"client", "server"}
        Which side.
    outcome : {"ok", "refused", "was-refused", "failed"}
        ``refused``: this side did not accept the other. ``was-refused``: an alert came from the other
        side. ``failed``: neither, the connection could not go on.
    error : str or None
        What this side's library said, word for word; None if all went well.
    verify_code : int or None
        OpenSSL's X509_V_ERR number if this side refused a certificate, else None.
    reason : str or None
        OpenSSL's reason code, e.g. ``"TLSV1_ALERT_UNKNOWN_CA"``; None if all went well.
    alert_sent, alert_received : str or None
        The alert's name (RFC 8446, 6.2), e.g. ``"unknown_ca"``; None if there was none.
    handshake_done : bool
        Whether this side believed the handshake finished. In TLS 1.3 a refused client does: it learns
        the truth at its first read.
    """

    name: str
    outcome: str
    error: str | None = None
    verify_code: int | None = None
    reason: str | None = None
    alert_sent: str | None = None
    alert_received: str | None = None
    handshake_done: bool = False

    @classmethod
    def of(
        cls, name: str, error: OSError | None, *, sent: str | None, received: str | None, done: bool
    ) -> Endpoint:
        """Return the view of a side whose ``ssl`` ended with `error`, or without one; alerts by name."""
        reason = getattr(error, "reason", None)
        if received is None and reason and "_ALERT_" in reason:
            # Without the message callback the reason code still names the alert.
            received = reason.partition("_ALERT_")[2].lower()
        judged = isinstance(error, ssl.SSLCertVerificationError)
        if error is None:
            outcome = "ok"
        elif received is not None:
            outcome = "was-refused"
        else:
            outcome = "refused" if judged or sent is not None else "failed"
        return cls(
            name=name,
            outcome=outcome,
            error=None if error is None else str(error) or type(error).__name__,
            verify_code=error.verify_code if isinstance(error, ssl.SSLCertVerificationError) else None,
            reason=reason,
            alert_sent=sent,
            alert_received=received,
            handshake_done=done,
        )

    @property
    def ok(self) -> bool:
        """Whether this side finished the handshake and exchanged data."""
        return self.outcome == "ok"

    def __bool__(self) -> NoReturn:
        raise TypeError("an endpoint is neither true nor false: ask .ok")

    def to_dict(self) -> dict[str, object]:
        """Return the facts as JSON values."""
        return {
            "outcome": self.outcome,
            "error": self.error,
            "verify_code": self.verify_code,
            "reason": self.reason,
            "alert_sent": self.alert_sent,
            "alert_received": self.alert_received,
            "handshake_done": self.handshake_done,
        }


@dataclass(frozen=True)
class Handshake:
    """A handshake between two real endpoints, recorded from both.

    Attributes
    ----------
    client, server : Endpoint
        Each side's own outcome, error and alerts.
    messages : tuple of Message
        Every message in the order in which it was sent, decrypted.
    records : tuple of Record
        The same, as it crossed: what somebody in between sees.
    tls_version : str or None
        ``"1.2"`` or ``"1.3"``; None if none was agreed on.
    cipher : str or None
        OpenSSL's name of the cipher suite; None if none was agreed on.
    group : str or None
        The key exchange group, e.g. ``"x25519"``; None if none was agreed on or shown.
    client_config, server_config
        What each side brought.
    at : datetime
        When it was run, UTC: certificates were judged by this clock.
    recording : {"messages", "records"}
        ``records`` where this Python has no message callback: then encrypted messages stay closed.
    known_cause : str or None
        The cause of a failure that lies outside the two endpoints (a file, a proxy, a box in between), given
        by who set the scene; None where the endpoints tell.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> from certkit.handshakes import ClientConfig, ServerConfig, handshake
    >>> ca = CertificateAuthority("Lab Root")
    >>> run = handshake(ClientConfig(ca.trust_store), ServerConfig(ca.issue("shop.example.test", usage="server")))
    >>> run.ok, run.tls_version, run.cause
    (True, '1.3', None)
    """

    client: Endpoint
    server: Endpoint
    messages: tuple[Message, ...]
    records: tuple[Record, ...] = field(repr=False)
    tls_version: str | None
    cipher: str | None
    group: str | None
    client_config: ClientConfig
    server_config: ServerConfig
    at: datetime
    recording: str = "messages"
    known_cause: str | None = None

    @property
    def ok(self) -> bool:
        """Whether both sides finished and exchanged data."""
        return self.client.ok and self.server.ok

    @cached_property
    def cause(self) -> str | None:
        """The cause id (see ``certkit.causes``) of a failure, judged by codes and certificates; None if it is ok."""
        if not self.ok and self.known_cause is not None:
            return self.known_cause
        return find_cause(self)

    @property
    def two_way(self) -> bool:
        """Whether the server asked for a client certificate."""
        return self.server_config.two_way

    @property
    def server_chain(self) -> Chain:
        """The chain as the server presented it; empty if it did not come to that."""
        return self._presented("server")

    @property
    def client_chain(self) -> Chain:
        """The chain as the client presented it; empty if it was not asked or had none."""
        return self._presented("client")

    def _presented(self, side: str) -> Chain:
        return Chain(next((item.certificates for item in self.said("Certificate", side)), ()))

    def said(self, name: str, sender: str | None = None) -> Iterator[Message]:
        """Yield the messages of that name, from one side or from both."""
        return (item for item in self.messages if item.name == name and sender in {None, item.sender})

    def message(self, name: str, sender: str | None = None) -> Message:
        """Return the first message of that name, opened: it shows its fields and its bytes.

        Parameters
        ----------
        name : str
            The message's name in the RFC, e.g. ``"CertificateVerify"``.
        sender : {"client", "server"}, optional
            Whose; by default, of whichever side sent one first.

        Raises
        ------
        ArgumentError
            If there was no such message; names those that there were.
        """
        found = next(self.said(name, sender), None)
        if found is None:
            there = dict.fromkeys(item.name for item in self.messages if sender in {None, item.sender})
            whose = "" if sender is None else f" of the {sender}"
            if self.recording == "records" and "EncryptedRecord" in there:
                raise ArgumentError(
                    f"no such message{whose} can be seen: this Python has no message callback, so what is "
                    "encrypted stays closed",
                    on=repr(name),
                    hint="TLS 1.2, which encrypts less, or a CPython from python.org",
                )
            raise ArgumentError(
                f"there is no such message{whose} in this handshake",
                on=repr(name),
                hint=", ".join(there) or "none was sent",
            )
        return found

    @property
    def transcript(self) -> bytes:
        """Every handshake message and alert, decrypted, one after the other: all that the two said."""
        return b"".join(item.body for item in self.messages)

    def raise_if_failed(self) -> None:
        """Raise `CheckFailed` if the handshake failed.

        Raises
        ------
        CheckFailed
            With what both sides said.
        """
        if not self.ok:
            raise CheckFailed(
                "the handshake failed",
                on=self.verdict,
                hint=f"certkit explain {self.cause or ''}".strip(),
                cause=self.cause,
            )

    @property
    def verdict(self) -> str:
        """What came of it, in one sentence."""
        if self.ok:
            way = "two-way" if self.two_way else "one-way"
            return f"Both sides are done: TLS {self.tls_version}, {way}, {self.cipher}."
        refuser = next((side for side in (self.client, self.server) if side.outcome == "refused"), None)
        if refuser is None:
            lost = " and ".join(f"the {side.name}" for side in (self.client, self.server) if not side.ok)
            return f"No refusal was heard: {lost} could not go on."
        other = "server" if refuser.name == "client" else "client"
        if refuser.alert_sent is None:
            return f"The {refuser.name} refused the {other} and said nothing."
        return f"The {refuser.name} refused the {other}, with the alert {refuser.alert_sent}."

    def __bool__(self) -> NoReturn:
        raise TypeError("a handshake is neither true nor false: ask .ok")

    def to_dict(self) -> dict[str, object]:
        """Return the facts as JSON values: what ``certkit handshake --json`` prints."""
        return {
            "ok": self.ok,
            "tls_version": self.tls_version,
            "cipher": self.cipher,
            "group": self.group,
            "two_way": self.two_way,
            "cause": self.cause,
            "client": self.client.to_dict(),
            "server": self.server.to_dict(),
            "server_chain": [item.subject for item in self.server_chain],
            "client_chain": [item.subject for item in self.client_chain],
            "recording": self.recording,
            "messages": [message.to_dict() for message in self.messages],
        }

    def text(self) -> str:
        """Return the handshake as plain text: the messages, then what each side says."""
        lines = []
        for number, item in enumerate(self.messages, 1):
            arrow = "client -->" if item.sender == "client" else "       <-- server"
            lock = "encrypted" if item.encrypted else "readable "
            lines.append(
                f"{number:>2}  {arrow:<17}  {lock}  {item.name:<20} {item.size:>5} B  {item.summary}"
            )
        lines.append("")
        for side in (self.client, self.server):
            lines.append(
                f"{side.name}: {OUTCOMES[side.outcome][1]}"
                + (f": {visible(side.error)}" if side.error else "")
            )
        cause = f" Cause: {self.cause}" if self.cause else ""
        return "\n".join([*lines, "", self.verdict + cause])

    def __repr__(self) -> str:
        result = "ok" if self.ok else self.cause or "failed"
        way = "two-way" if self.two_way else "one-way"
        return f"<Handshake {result}, {way}, TLS {self.tls_version or 'none'}, {len(self.messages)} messages>"

    def _repr_html_(self) -> Html:
        from certkit.handshakes.ladder import ladder_svg  # noqa: PLC0415

        return tag(
            "div", ladder_svg(self), self.sides_html(), details("The same as a table", self.messages_html())
        )

    def sides_html(self) -> Html:
        """Return what each side says, side by side."""
        rows = []
        for side in (self.client, self.server):
            status, word = OUTCOMES[side.outcome]
            rows.append(
                (
                    side.name,
                    badge(status, word),
                    visible(side.error or "nothing to complain about"),
                    side.alert_sent or "none",
                    side.alert_received or "none",
                )
            )
        return table(
            ("side", "outcome", "its own words", "alert sent", "alert received"),
            rows,
            caption="What each side says",
        )

    def messages_html(self) -> Html:
        """Return the messages as a table: the ladder's facts without the picture."""
        rows = [
            (
                number,
                item.sender,
                item.name,
                item.size,
                "encrypted" if item.encrypted else "readable",
                item.summary,
            )
            for number, item in enumerate(self.messages, 1)
        ]
        return table(("", "from", "message", "bytes", "on the wire", "what it says"), rows, limit=60)

    def opened_html(self) -> Html:
        """Return every message as a fold that opens to its fields and bytes, by mouse, keyboard or finger."""
        folds = [
            details(f"{number}. {item.name}, from the {item.sender}, {item.size:,} bytes", item.html())
            for number, item in enumerate(self.messages, 1)
        ]
        if not folds:
            return tag("p", "No message of TLS crossed.")
        return tag("section", tag("p", tag("b", "Every message, to be opened")), *folds, class_="ck-opened")
