"""pyftpdlib's protocol handlers, with our log, our alerts and the rule of session reuse; loaded on first use.

The control connection's socket is a duplicate: pyftpdlib closes its own, and the original stays with the
service, which drains it. Else the alert that says why a client was refused would be lost in a reset.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import sys
import threading
import warnings
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from OpenSSL import SSL

from certkit._text import visible
from certkit.chains import Chain, TrustStore
from certkit.handshakes._cause import cause_seen_by
from certkit.services._ftp_files import HOME, MemoryFiles
from certkit.services._openssl import Heard, endpoint, heard_by, was_resumed, words

with warnings.catch_warnings():
    # Up to Python 3.11 pyftpdlib uses the standard library's asyncore, which announces its end.
    warnings.simplefilter("ignore", DeprecationWarning)
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import TLS_DTPHandler, TLS_FTPHandler
    from pyftpdlib.ioloop import IOLoop

if TYPE_CHECKING:
    from certkit.services.ftps import FtpsService

__all__ = ["FtpSession"]


def _not_ours(record: logging.LogRecord) -> bool:
    """Whether a line of pyftpdlib's log is of somebody else's server in this program."""
    return not threading.current_thread().name.startswith("certkit-")


logging.getLogger("pyftpdlib").addFilter(_not_ours)


class _Noted:
    """Notes what came of a TLS handshake, on the control and on the data connection."""

    channel = ""

    def note_handshake(self: Any, session: FtpSession, error: BaseException | None) -> None:
        heard = heard_by(self.socket)
        session.note_handshake(self.channel, self.socket, heard, error)

    def handle_ssl_established(self: Any) -> None:
        super().handle_ssl_established()  # type: ignore[misc]
        self.note_handshake(self.session, None)

    def log(self: Any, *_: object, **__: object) -> None:
        """Say nothing: the service has a log of its own."""

    def log_exception(self: Any, instance: object) -> None:
        """Note what broke a connection: pyftpdlib would write it, with its traceback, to stderr."""
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, (OSError, SSL.Error)):
            self.session.service.note_failure(error)
        channel = getattr(instance, "channel", "data")
        self.session.note("broken", f"{channel} connection: {words(error)}", ok=False)

    logerror = log


class _Data(_Noted, TLS_DTPHandler):  # type: ignore[misc]
    """The data connection."""

    channel = "data"

    @property
    def session(self) -> FtpSession:
        return self.cmd_channel.session  # type: ignore[no-any-return]

    def handle_ssl_established(self) -> None:
        super().handle_ssl_established()
        if self.session.service.require_reuse and not was_resumed(self.socket):
            self.cmd_channel.respond(
                "522 The data connection must resume the control connection's TLS session."
            )
            self.close()

    def handle_error(self) -> None:
        # Over TLS pyftpdlib forgets to answer when a transfer breaks off, and the client waits.
        self._resp = (f"426 {visible(words(sys.exc_info()[1]))}; the transfer broke off.", None)
        super().handle_error()

    def handle_failed_ssl_handshake(self) -> None:
        self.note_handshake(self.session, sys.exc_info()[1])
        kept = socket.socket(fileno=socket.dup(self.socket.fileno()))
        super().handle_failed_ssl_handshake()
        self.session.drain_later.append(kept)


class _Control(_Noted, TLS_FTPHandler):  # type: ignore[misc]
    """The control connection."""

    channel = "control"
    dtp_handler = _Data
    banner = "The lab's FTPS server."
    auth_failed_timeout = 0
    tls_control_required = True
    tls_data_required = True
    use_sendfile = False
    abstracted_fs = MemoryFiles
    session: FtpSession

    def secure_connection(self, context: Any) -> None:
        # A client that is refused may be back before that is noted: who reads the log waits for it.
        self.session.service.notes.expect()
        super().secure_connection(context)
        if not isinstance(self.socket, SSL.Connection):
            self.session.note_nobody("control")  # gone before TLS could begin: nothing will be noted any more

    def handle_failed_ssl_handshake(self) -> None:
        self.note_handshake(self.session, sys.exc_info()[1])
        super().handle_failed_ssl_handshake()

    def close(self) -> None:
        if self._ssl_accepting and not self.session.noted and isinstance(self.socket, SSL.Connection):
            self.note_handshake(self.session, EOFError("the client left in the middle of the handshake"))
        super().close()

    def log_cmd(self, cmd: str, arg: str, respcode: int, respstr: str) -> None:
        if cmd == "PASS":
            arg = "…"
        ok = int(respcode) < 400
        self.session.note(str(respcode), f"{cmd} {arg}".strip(), ok=ok)

    def log_transfer(self, cmd: str, filename: Any, completed: bool, bytes: int, **_: object) -> None:
        self.session.note(
            "transferred" if completed else "cut short", f"{cmd}, {bytes} bytes", ok=bool(completed)
        )


@dataclass
class _Stand:
    """What a handler wants to know of its server."""

    socket: socket.socket
    backlog: int = 5
    ip_map: list[str] = field(default_factory=list)

    def _accept_new_cons(self) -> bool:
        return True


class FtpSession:
    """One client's session, in the thread of its connection."""

    def __init__(self, service: FtpsService, number: int, context: SSL.Context) -> None:
        self.service = service
        self.number = number
        self.context = context
        self.caller: str | None = None
        self.noted = False
        self.drain_later: list[socket.socket] = []

    def run(self, control: socket.socket) -> None:
        """Serve until the client leaves; `control` is a duplicate, closed here."""
        authorizer = DummyAuthorizer()
        authorizer.add_user(self.service.user, self.service.password, HOME, perm="elradfw")
        names = {"authorizer": authorizer, "ssl_context": self.context, "session": self}
        kind = type("Control", (_Control,), names)
        loop = IOLoop.factory()
        try:
            handler = kind(control, _Stand(control), ioloop=loop)
            if not handler.connected:
                return
            handler.handle()
            while loop.socket_map:
                # Not loop.loop(): that would set up logging for the whole program.
                loop.poll(1.0)
                loop.sched.poll()
                self._drain()
        except SSL.Error as error:
            self.note("broken", words(error), ok=False)
        finally:
            loop.close()
            self._drain()
            with contextlib.suppress(OSError):
                control.close()

    def _drain(self) -> None:
        from certkit.services._server import drain  # noqa: PLC0415 - the order of loading

        while self.drain_later:
            drain(self.drain_later.pop(), 0.2)

    def note(self, outcome: str, detail: str, *, ok: bool) -> None:
        """Note a command."""
        self.service.notes.add(
            self.number, "request", outcome, ok=ok, caller=self.caller, detail=visible(detail)
        )

    def note_nobody(self, channel: str) -> None:
        """Note that a client left before its handshake began."""
        self.noted = True
        words = f"{channel} connection: the client left before the handshake"
        self.service.notes.add(self.number, "handshake", "failed", ok=False, caller=None, detail=words)

    def note_handshake(
        self, channel: str, connection: SSL.Connection, heard: Heard, error: BaseException | None
    ) -> None:
        """Note what came of a handshake."""
        if channel != "control" or self.noted:
            self.service.notes.expect()
        self.noted = self.noted or channel == "control"
        end = endpoint(heard, error)
        anchors = self.service.security.client_anchors
        chain = Chain(()) if heard.leaf is None else Chain((heard.leaf,))
        self.caller = heard.leaf.subject if heard.leaf is not None else self.caller
        words = "resumed" if error is None and was_resumed(connection) else "the handshake is done"
        self.service.notes.add(
            self.number,
            "handshake",
            end.outcome,
            ok=end.ok,
            caller=self.caller,
            detail=f"{channel} connection: {visible(end.error) if end.error else words}",
            tls_version=connection.get_protocol_version_name().removeprefix("TLSv")
            if error is None
            else None,
            cause=None if end.ok else cause_seen_by(end, chain, anchors or TrustStore(), datetime.now(UTC)),
            endpoint=end,
        )
