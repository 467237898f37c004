"""`transfer_ftps`: files over explicit FTPS (RFC 4217), with Python's own client."""

from __future__ import annotations

import contextlib
import ftplib
import io
import socket
import ssl
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from certkit._html import Html, definitions
from certkit._text import count, visible
from certkit.chains import Chain
from certkit.errors import ArgumentError, FileError
from certkit.handshakes import ClientConfig, Endpoint
from certkit.services._dial import connect, network_cause, watchdog
from certkit.services._tls import Ears, Hearing
from certkit.services.ftps import FtpsService, file_name
from certkit.services.outcome import Outcome

__all__ = ["FtpsTransfer", "transfer_ftps"]

MAX_FILE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class FtpsTransfer(Outcome):
    """What came of one FTPS session that was to carry one file, as the client saw it.

    Attributes
    ----------
    name : str
        The file.
    step : {"connect", "welcome", "auth", "handshake", "login", "data", "done"}
        How far it came: the step that failed, or ``"done"``.
    content : bytes or None
        What was fetched or stored; None if it did not come to that.
    error : str or None
        What the client's library or the server's reply said; None if nothing failed.
    cause : str or None
        The cause id, as far as the client alone can tell; None if nothing failed or it cannot.
    tls_version : str or None
        ``"1.2"`` or ``"1.3"``; None if none was agreed on.
    control, data : Endpoint or None
        The client's view of each connection's TLS; None if it did not come to that.
    data_resumed : bool or None
        Whether the data connection resumed the control connection's session; None without one.
    server_chain : Chain
        The chain as the server presented it; empty if it did not come to that.
    """

    noun = "transfer"
    words = ("carried", "not carried")

    name: str
    step: str
    content: bytes | None = field(default=None, repr=False)
    error: str | None = None
    cause: str | None = None
    tls_version: str | None = None
    control: Endpoint | None = field(default=None, repr=False)
    data: Endpoint | None = field(default=None, repr=False)
    data_resumed: bool | None = None
    server_chain: Chain = field(default_factory=lambda: Chain(()), repr=False)

    @property
    def ok(self) -> bool:
        """Whether the file was carried whole."""
        return self.step == "done"

    @property
    def verdict(self) -> str:
        """What came of it, in one sentence."""
        if self.ok:
            return f"{self.name}: {count(len(self.content or b''), 'byte')} were carried."
        return f"It failed at the step {self.step}: {self.error}"

    def to_dict(self) -> dict[str, object]:
        """Return the facts as JSON values."""
        names = ("ok", "name", "step", "error", "cause", "tls_version", "data_resumed")
        facts = {name: getattr(self, name) for name in names}
        for name, end in (("control", self.control), ("data", self.data)):
            facts[name] = None if end is None else end.to_dict()
        return facts

    def _repr_html_(self) -> Html:
        rows = self._shown(self.step)
        rows.append(("protection", f"TLS {self.tls_version}" if self.tls_version else "none came about"))
        if self.data_resumed is not None:
            rows.append(
                ("the data connection", "resumed the session" if self.data_resumed else "started anew")
            )
        if self.cause is not None:
            rows.append(("cause", self.cause))
        return definitions(rows, caption=f"FTPS transfer of {self.name}")


def transfer_ftps(
    server: FtpsService | tuple[str, int],
    name: str,
    client: ClientConfig,
    *,
    store: bytes | None = None,
    resume: bool = True,
    credentials: tuple[str, str] | None = None,
    timeout: float = 5.0,
    tls: str | None = None,
) -> FtpsTransfer:
    """Fetch or store one file over explicit FTPS, with Python's ``ftplib``.

    Parameters
    ----------
    server : FtpsService or (str, int)
        The lab's server, or a host and a port.
    name : str
        The file, a plain name.
    client : ClientConfig
        Whom the client believes and what it can present. Its ``host`` is the name the server has to prove.
    store : bytes, optional
        What to store under that name; None fetches it.
    resume : bool
        Whether the data connection resumes the control connection's TLS session. ``ftplib`` by itself
        does not (False), and is refused by servers that demand it.
    credentials : (str, str), optional
        User name and password; those of the lab's server by default, else anonymous.
    timeout : float
        Seconds for each step.
    tls : {"1.2", "1.3"}, optional
        Exactly this version; by default, 1.2 or newer.

    Returns
    -------
    FtpsTransfer
        Also when it fails.

    Raises
    ------
    ArgumentError
        If the name is no plain file name, or the client is no configuration.
    """
    if not isinstance(client, ClientConfig):
        raise ArgumentError(
            "this is no client configuration", on=type(client).__name__, hint="ck.ClientConfig(truststore)"
        )
    if isinstance(server, FtpsService):
        address, login = server.address, credentials or (server.user, server.password)
    else:
        address, login = server, credentials or ("anonymous", "lab@example.test")
    session = _Session(address, client, timeout, tls, resume)
    return session.run(file_name(name), store, login)


class _Ftp(ftplib.FTP_TLS):
    """``ftplib`` with our ears on both connections, and with session reuse if wanted."""

    def __init__(self, ears: Ears, host: str, resume: bool, timeout: float) -> None:
        super().__init__(context=ears.context, timeout=timeout)
        self.ears, self.name, self.resume = ears, host, resume
        self.hearings: list[Hearing] = []
        self.resumed: bool | None = None

    def secure(self, plain: socket.socket, session: ssl.SSLSession | None) -> ssl.SSLSocket:
        """Do the handshake on a socket, and listen to it."""
        wrapped = self.ears.context.wrap_socket(
            plain, server_hostname=self.name, do_handshake_on_connect=False, session=session
        )
        self.hearings.append(self.ears.listen(wrapped))
        try:
            wrapped.do_handshake()
        except BaseException:
            wrapped.close()
            raise
        self.hearings[-1].done = True
        return wrapped

    def auth(self) -> str:
        reply = self.voidcmd("AUTH TLS")
        if self.sock is not None:
            self.sock = self.secure(self.sock, None)
            self.file = self.sock.makefile(mode="r", encoding=self.encoding)
        return reply

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        plain, size = ftplib.FTP.ntransfercmd(self, cmd, rest)  # noqa: S321 - wrapped in TLS below
        control = self.sock
        session = control.session if self.resume and isinstance(control, ssl.SSLSocket) else None
        wrapped = self.secure(plain, session)
        self.resumed = bool(wrapped.session_reused)
        return wrapped, size


class _Session:
    """One session: welcome, AUTH TLS, login, one file."""

    def __init__(
        self, address: tuple[str, int], client: ClientConfig, timeout: float, tls: str | None, resume: bool
    ) -> None:
        self.address, self.client, self.timeout = address, client, timeout
        self.step = "connect"
        self.ftp = _Ftp(Ears(client.context(tls), "client"), client.host or address[0], resume, timeout)
        self.content: bytes | None = None

    def run(self, name: str, store: bytes | None, login: tuple[str, str]) -> FtpsTransfer:
        error: Exception | None = None
        try:
            connection = connect(*self.address, self.timeout)
            with watchdog(connection, 6 * self.timeout):
                self._talk(connection, name, store, login)
        except ftplib.all_errors as failure:
            error = failure
        finally:
            self.ftp.close()
        return self._result(name, error)

    def _talk(
        self, connection: socket.socket, name: str, store: bytes | None, login: tuple[str, str]
    ) -> None:
        ftp = self.ftp
        self.step = "welcome"
        ftp.sock, ftp.host, ftp.af = connection, self.address[0], connection.family
        ftp.file = connection.makefile("r", encoding=ftp.encoding)
        ftp.welcome = ftp.getresp()
        self.step = "auth"
        try:
            ftp.auth()
        except (OSError, ValueError):
            self.step = "handshake"
            raise
        self.step = "handshake"
        ftp.sendcmd(f"USER {login[0]}")  # a refused TLS 1.3 client hears of it at this first read
        self.step = "login"
        ftp.sendcmd(f"PASS {login[1]}")
        ftp.prot_p()
        self.step = "data"
        self.content = self._fetch(name) if store is None else self._store(name, store)
        self.step = "done"
        with contextlib.suppress(*ftplib.all_errors):
            ftp.quit()

    def _fetch(self, name: str) -> bytes:
        self.ftp.voidcmd("TYPE I")
        content = io.BytesIO()

        def keep(data: bytes) -> None:
            if content.tell() + len(data) > MAX_FILE_BYTES:
                raise FileError(f"a file of more than {MAX_FILE_BYTES:,} bytes", on=name)
            content.write(data)

        self._carry(lambda: self.ftp.retrbinary(f"RETR {name}", keep))
        return content.getvalue()

    def _store(self, name: str, content: bytes) -> bytes:
        self._carry(lambda: self.ftp.storbinary(f"STOR {name}", io.BytesIO(content)))
        return content

    def _carry(self, transfer: object) -> None:
        try:
            if callable(transfer):
                transfer()
        except (FileError, TimeoutError):
            raise
        except OSError as broken:
            # The data connection broke: why, the server says on the control connection.
            try:
                self.ftp.voidresp()
            except ftplib.Error as reply:
                raise reply from broken
            except (OSError, EOFError):
                pass
            raise

    def _result(self, name: str, error: Exception | None) -> FtpsTransfer:
        control, data = (*self.ftp.hearings, None, None)[:2]
        at = "data" if self.step == "data" else "control"
        os_error = error if isinstance(error, OSError) else None
        ends: dict[str, Endpoint | None] = {"control": None, "data": None}
        cause = network_cause(os_error)
        for channel, hearing in (("control", control), ("data", data)):
            if hearing is not None:
                end = hearing.endpoint(os_error if channel == at else None)
                ends[channel] = end
                cause = hearing.cause(end, self.client.anchors, datetime.now(UTC)) or cause
        words = None if error is None else visible(str(error) or type(error).__name__)
        if isinstance(error, EOFError):
            words, cause = words or "the server closed the connection", "server-closed"
        if (
            isinstance(error, ftplib.error_perm)
            and str(error).startswith("522")
            and self.ftp.resumed is False
        ):
            cause = "tls-session-reuse-required"
        result = FtpsTransfer(name, self.step, self.content, words, cause, data_resumed=self.ftp.resumed)
        return replace(
            result,
            tls_version=self._version,
            control=ends["control"],
            data=ends["data"],
            server_chain=control.peer_chain if control is not None else Chain(()),
        )

    @property
    def _version(self) -> str | None:
        if not self.ftp.hearings or not self.ftp.hearings[0].done:
            return None
        return self.ftp.hearings[0].version
