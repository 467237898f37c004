"""`UserService`: the service of the story, SOAP over HTTP or HTTPS, one-way or two-way."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from certkit._html import Html, table, tag
from certkit._text import count, visible
from certkit.certificates import Certificate
from certkit.errors import FormatError, LimitError
from certkit.handshakes import ServerConfig
from certkit.services._client_cert import read_client_cert
from certkit.services._door import Door, Guest, tls_version
from certkit.services._handler import Handler
from certkit.services._server import Connection, LoopbackServer
from certkit.services._table import User, UsersTable
from certkit.services.log import Notes, ServiceLog
from certkit.services.soap import (
    NAMESPACE,
    STATUSES,
    Element,
    SoapFault,
    build_fault,
    build_response,
    operation_of,
    parse_envelope,
    wsdl,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["UserService"]

PATH = "/users"
MAX_BODY_BYTES = 65_536
_HOST_HEADER = re.compile(r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")


class UserService(LoopbackServer):
    """The enterprise's web service: ``updateUser(userId, status)`` on a table of users.

    SOAP 1.1 over HTTP/1.1 on this machine only, its WSDL at ``?wsdl``. The same service runs without
    protection, in one-way and in two-way TLS: only `security` differs.

    Parameters
    ----------
    security : ServerConfig, optional
        None: plain HTTP, readable by everybody on the way. A `ServerConfig`: HTTPS; if it has
        ``client_anchors``, two-way: callers without a certificate below one of them are refused.
    tls : {"1.2", "1.3"}, optional
        Exactly this version; by default, 1.2 or newer.
    front : Certificate, optional
        The certificate of the reverse proxy in front of this service. Who proves to hold it is believed
        when it says, in a ``Client-Cert`` header (RFC 9440), who the client was; from everybody else that
        header means nothing.
    believe_anybody : bool
        True believes that header whoever sends it. It looks like a fix and is an open door.
    abrupt : bool
        True closes connections at once, what is unread and all, as careless servers do. A TLS 1.3 client that
        is refused then often loses the alert, and with it the reason: only the service's log still has it.
    host, port, allow_remote
        Where to listen: 127.0.0.1 and a free port by default; other machines only if asked twice.

    Raises
    ------
    ArgumentError
        If `security` is no server configuration, or `host` is not this machine.

    Examples
    --------
    >>> from certkit.services import UserService, call_update_user
    >>> with UserService() as service:
    ...     result = call_update_user(service.url, "u-1001", "Inactive")
    >>> result.ok, result.status
    (True, 'updated')
    """

    def __init__(
        self,
        security: ServerConfig | None = None,
        *,
        tls: str | None = None,
        front: Certificate | None = None,
        believe_anybody: bool = False,
        abrupt: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
        allow_remote: bool = False,
    ) -> None:
        super().__init__(host=host, port=port, allow_remote=allow_remote)
        self.security = security
        self.front = front
        self.believe_anybody = believe_anybody
        self.abrupt = abrupt
        self._notes = Notes()
        self._door = None if security is None else Door(security, self._notes, tls)
        self.scheme = "http" if security is None else "https"
        self._table = UsersTable()

    @property
    def url(self) -> str:
        """The endpoint's URL."""
        return super().url + PATH

    @property
    def wsdl_url(self) -> str:
        """Where its description is."""
        return self.url + "?wsdl"

    @property
    def log(self) -> ServiceLog:
        """What the service noted so far: each TLS handshake and each request, and who called."""
        return self._notes.log()

    @property
    def rows(self) -> tuple[User, ...]:
        """The users as they are now."""
        return self._table.rows()

    def users(self) -> pd.DataFrame:
        """Return the ``Users`` table as a pandas DataFrame: id, name, email, status, updated, revision."""
        import pandas as pd  # noqa: PLC0415 - it takes longer to load than the whole of certkit

        return pd.DataFrame([vars(user) for user in self.rows], columns=list(User.__dataclass_fields__))

    @property
    def way(self) -> str:
        """How it is protected, in words."""
        if self.security is None:
            return "plain HTTP: no protection"
        two_way = getattr(self.security, "client_anchors", None) is not None
        return "two-way TLS (mutual TLS)" if two_way else "one-way TLS (server authentication)"

    def update(self, user_id: str, status: str) -> tuple[str, int]:
        """Set a user's status, as a call does, and return the answer and the row's revision.

        Returns
        -------
        str
            ``"updated"``, ``"unknown-user"`` or ``"invalid-status"``.
        int
            How often the row was changed so far; 0 if there is none.
        """
        if status not in STATUSES:
            return "invalid-status", 0
        revision = self._table.update(user_id, status)
        return ("unknown-user", 0) if revision is None else ("updated", revision)

    def _opened(self) -> None:
        self._table.open()

    def _closed(self) -> None:
        self._table.close()

    def _serve(self, connection: Connection) -> None:
        guest = Guest() if self._door is None else self._door.open(connection)
        if guest is None:
            return
        _Handler(self, connection, guest)
        # The peer must be able to tell a finished answer from one cut short.
        connection.close_notify()

    def _facts(self) -> list[tuple[object, object]]:
        return [
            ("protection", self.way),
            ("operation", f"updateUser(userId, status): status is one of {', '.join(STATUSES)}"),
            ("so far", count(len(self.log.requests), "request")),
        ]

    def _repr_html_(self) -> Html:
        rows = [
            (item.id, item.name, item.email, item.status, item.updated or "never", item.revision)
            for item in self.rows
        ]
        headers = tuple(User.__dataclass_fields__)
        return tag("div", super()._repr_html_(), table(headers, rows, caption="Users"))


class _Handler(Handler):
    """One connection's requests, one after the other."""

    def __init__(self, service: UserService, connection: Connection, guest: Guest) -> None:
        self.service = service
        self.number = connection.number
        self.guest = guest
        super().__init__(service, connection)

    def do_GET(self) -> None:  # noqa: N802 - the name http.server calls
        """Answer with the WSDL, or say where it is."""
        path, _, query = self.path.partition("?")
        if path == PATH and query.lower() == "wsdl":
            host = self.headers.get("Host", "")
            # As the caller reaches it, so that a client behind a recording relay stays behind it.
            base = (
                f"{self.service.scheme}://{host}{PATH}" if _HOST_HEADER.fullmatch(host) else self.service.url
            )
            self._note("wsdl", "the description was fetched", ok=True)
            self._answer(HTTPStatus.OK, wsdl(base))
        else:
            self._refuse(HTTPStatus.NOT_FOUND, f"POST to {PATH}; the description is at {PATH}?wsdl")

    def do_POST(self) -> None:  # noqa: N802 - the name http.server calls
        """Answer a call."""
        if self.path.partition("?")[0] != PATH:
            self._refuse(HTTPStatus.NOT_FOUND, f"POST to {PATH}")
            return
        length = self.headers.get("Content-Length", "")
        if not re.fullmatch(r"[0-9]{1,18}", length) or "Transfer-Encoding" in self.headers:
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "a Content-Length is needed")
            return
        if int(length) > MAX_BODY_BYTES:
            self._refuse(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"an envelope of at most {MAX_BODY_BYTES:,} bytes"
            )
            return
        body = self.rfile.read(int(length))
        if len(body) == int(length):
            self._call(body)

    def _call(self, body: bytes) -> None:
        try:
            operation = operation_of(parse_envelope(body))
        except (FormatError, LimitError) as error:
            operation = SoapFault("Client", error.what)
        if isinstance(operation, Element) and operation.name != f"{NAMESPACE} updateUser":
            operation = SoapFault("Client", f"there is no operation {operation.local[:80]} in {NAMESPACE}")
        if isinstance(operation, Element):
            user, status = operation.child("userId"), operation.child("status")
            if user is not None and status is not None:
                self._update(user.text.strip(), status.text.strip())
                return
            operation = SoapFault("Client", "updateUser needs a userId and a status")
        self._note(f"fault {operation.code}", operation.reason, ok=False)
        # SOAP 1.1, 6.2: a fault travels with 500, whoever is to blame.
        self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, build_fault(operation))

    def _update(self, user_id: str, status: str) -> None:
        result, revision = self.service.update(user_id, status)
        words = f"updateUser({visible(user_id, 60)}, {visible(status, 60)})"
        self._note(result, words, ok=result == "updated")
        self._answer(HTTPStatus.OK, build_response(result, revision))

    def _caller(self) -> tuple[str | None, str]:
        """Return who called, and how that is known if somebody else said so."""
        proof = self.guest.subject
        said = self.headers.get("Client-Cert")
        believed = self.service.believe_anybody or (
            self.service.front is not None and self.service.front in self.guest.chain.certificates[:1]
        )
        if said is None:
            return proof, ""
        if not believed:
            return proof, "; a Client-Cert header was ignored"
        try:
            return read_client_cert(
                said
            ).subject, f"; says {proof or 'somebody unknown'} in a Client-Cert header"
        except FormatError:
            return proof, "; a Client-Cert header could not be read"

    def _note(self, outcome: str, detail: str, *, ok: bool) -> None:
        caller, how = self._caller()
        self.service._notes.add(
            self.number,
            "request",
            outcome,
            ok=ok,
            caller=caller,
            detail=visible(detail + how),
            tls_version=tls_version(self.connection),
            address=self.client_address[0],
        )

    def _answer(self, status: HTTPStatus, body: bytes, kind: str = "text/xml; charset=utf-8") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def _refuse(self, status: HTTPStatus, words: str) -> None:
        # The body stays unread, so nothing after it could be told apart from it.
        self.close_connection = True
        self._note(f"HTTP {status.value}", f"{status.phrase}: {words}", ok=False)
        self._answer(status, f"{status.phrase}: {words}\n".encode(), "text/plain; charset=utf-8")
