"""`call_update_user`: the client's call to the service, and what came of it."""

from __future__ import annotations

import http.client
import math
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from certkit._html import Html, definitions
from certkit._text import visible
from certkit.chains import Chain
from certkit.errors import ArgumentError, FormatError
from certkit.handshakes import ClientConfig, Endpoint
from certkit.services._dial import (
    ProxyRefused,
    Target,
    connect,
    is_allowed,
    network_cause,
    parse_url,
    secure,
    tunnel,
    watchdog,
)
from certkit.services._server import authority
from certkit.services._tls import Hearing
from certkit.services.outcome import Outcome
from certkit.services.soap import NAMESPACE, SoapFault, build_request, parse_answer

__all__ = ["Callout", "call_update_user"]

MAX_ANSWER_BYTES = 1_048_576
STEPS = ("allow-list", "proxy", "connect", "handshake", "request", "answer")


@dataclass(frozen=True)
class Callout(Outcome):
    """What came of one call of the service, as the client saw it.

    Attributes
    ----------
    url : str
        What was called.
    step : {"allow-list", "proxy", "connect", "handshake", "request", "answer"}
        How far it came: the step that failed, or ``"answer"``.
    status : str or None
        The service's answer: ``"updated"``, ``"unknown-user"``, ``"invalid-status"``; None without one.
    revision : int or None
        How often the row was changed so far, as answered; None without an answer.
    fault : SoapFault or None
        The SOAP fault, if that was the answer.
    http_status : int or None
        The HTTP status; None if it did not come to that.
    error : str or None
        What the client's library said, word for word; None if nothing failed below SOAP.
    cause : str or None
        The cause id, as far as the client alone can tell; None if nothing failed or it cannot.
    tls_version : str or None
        ``"1.2"`` or ``"1.3"``; None without TLS.
    endpoint : Endpoint or None
        The client's view of the TLS connection; None without TLS.
    server_chain : Chain
        The chain as the server presented it; empty without TLS.
    """

    noun = "call"
    words = ("updated", "not updated")

    url: str
    step: str
    status: str | None = None
    revision: int | None = None
    fault: SoapFault | None = None
    http_status: int | None = None
    error: str | None = None
    cause: str | None = None
    tls_version: str | None = None
    endpoint: Endpoint | None = field(default=None, repr=False)
    server_chain: Chain = field(default_factory=lambda: Chain(()), repr=False)

    @property
    def ok(self) -> bool:
        """Whether the service answered that the row is updated."""
        return self.status == "updated"

    @property
    def verdict(self) -> str:
        """What came of it, in one sentence."""
        if self.ok:
            return f"The service updated the row; it was change number {self.revision}."
        if self.status is not None:
            return f"The service answered {self.status}: nothing was changed."
        if self.fault is not None:
            return f"The service answered with a fault ({self.fault.code}): {self.fault.reason}"
        if self.error is None:
            return f"The answer was HTTP {self.http_status}, and no SOAP."
        return f"It failed at the step {self.step}: {self.error}"

    def to_dict(self) -> dict[str, object]:
        """Return the facts as JSON values."""
        facts: dict[str, object] = {"ok": self.ok}
        for name in ("url", "step", "status", "revision", "http_status", "error", "cause", "tls_version"):
            facts[name] = getattr(self, name)
        facts["fault"] = (
            None if self.fault is None else {"code": self.fault.code, "reason": self.fault.reason}
        )
        facts["client"] = None if self.endpoint is None else self.endpoint.to_dict()
        return facts

    def _repr_html_(self) -> Html:
        way = "none: plain HTTP" if self.tls_version is None else f"TLS {self.tls_version}"
        shown: list[tuple[object, object]] = [
            ("called", self.url),
            *self._shown(self.step),
            (
                "protection",
                "none came about" if self.url.startswith("https") and not self.tls_version else way,
            ),
        ]
        if self.server_chain:
            shown.append(("the server showed", " ← ".join(item.name for item in self.server_chain)))
        if self.cause is not None:
            shown.append(("cause", self.cause))
        return definitions(shown, caption="Call of updateUser")


def call_update_user(
    url: str,
    user_id: str,
    status: str,
    client: ClientConfig | None = None,
    *,
    allowed: Iterable[str] | None = None,
    proxy: str | None = None,
    proxy_credentials: tuple[str, str] | None = None,
    timeout: float = 5.0,
    tls: str | None = None,
) -> Callout:
    """Call the service's ``updateUser``, as the client platform does.

    Parameters
    ----------
    url : str
        The endpoint, ``http`` or ``https``.
    user_id, status : str
        Whom to change, and to which status.
    client : ClientConfig, optional
        Whom the client believes and what it can present; needed for ``https``. Its ``host``, if it has
        one, is the name that the server has to prove, whatever address the URL leads to.
    allowed : iterable of str, optional
        The platform's allow-list (its remote site settings): URLs; what none of them covers is refused
        before any connection is tried. None: there is no such list.
    proxy : str, optional
        The URL of a web proxy to go through: it is asked to ``CONNECT`` to the endpoint.
    proxy_credentials : (str, str), optional
        User name and password for that proxy.
    timeout : float
        Seconds for each step.
    tls : {"1.2", "1.3"}, optional
        Exactly this version; by default, 1.2 or newer.

    Returns
    -------
    Callout
        Also when it fails: how far it came, what the library said and the cause.

    Raises
    ------
    ArgumentError
        If the URL, an entry of the list, a value or the time-out is wrong, or ``https`` comes without `client`.

    Examples
    --------
    >>> from certkit.services import UserService
    >>> with UserService() as service:
    ...     call_update_user(service.url, "u-9999", "Active").status
    'unknown-user'
    >>> call_update_user("http://orders.example.test/users", "u-1001", "Active", allowed=[]).cause
    'endpoint-not-allowed'
    """
    target = parse_url(url)
    body = build_request(user_id, status)
    _check(target, client, timeout)
    result = Callout(url=url, step="allow-list")
    if allowed is not None and not is_allowed(target, [allowed] if isinstance(allowed, str) else allowed):
        words = "this endpoint is not on the client's allow-list; no connection was tried"
        return replace(result, error=words, cause="endpoint-not-allowed")
    way = None if proxy is None else parse_url(proxy, "proxy")
    try:
        if way is None:
            connection = connect(target.host, target.port, timeout)
        else:
            connection = tunnel(way, target, timeout, proxy_credentials)
    except ProxyRefused as error:
        return replace(result, step="proxy", error=_words(error), cause="proxy-refused")
    except (OSError, UnicodeError) as error:
        step = "connect" if way is None else "proxy"
        return replace(result, step=step, error=_words(error), cause="dns-or-network")
    with _Call(connection, target, client, tls, timeout) as call:
        return call.run(result, body)


def _check(target: Target, client: ClientConfig | None, timeout: float) -> None:
    if not isinstance(timeout, int | float) or not 0 < timeout < math.inf:
        raise ArgumentError("this is no time-out", on=repr(timeout), hint="seconds, e.g. 5")
    if client is not None and not isinstance(client, ClientConfig):
        raise ArgumentError(
            "this is no client configuration", on=type(client).__name__, hint="ck.ClientConfig(truststore)"
        )
    if target.scheme == "https" and client is None:
        raise ArgumentError(
            "an https call needs a client configuration: whom to trust",
            on=target.host,
            hint="client=ck.ClientConfig(truststore)",
        )


def _words(error: BaseException) -> str:
    return visible(str(error) or type(error).__name__)


class _Call:
    """One connection, from TLS to the answer."""

    def __init__(
        self,
        connection: socket.socket,
        target: Target,
        client: ClientConfig | None,
        tls: str | None,
        timeout: float,
    ) -> None:
        self.connection = connection
        self.target = target
        self.client = client if target.scheme == "https" else None
        self.host = (client.host if client is not None else None) or target.host
        self.hearing: Hearing | None = None
        self.timeout = timeout
        self.step = "handshake"
        if self.client is not None:
            try:
                self.connection, self.hearing = secure(connection, self.client, self.host, tls)
            except BaseException:
                connection.close()
                raise

    def __enter__(self) -> _Call:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def run(self, result: Callout, body: bytes) -> Callout:
        """Return `result` with what came of the call."""
        error: OSError | http.client.HTTPException | None = None
        answered: tuple[int, bytes] | None = None
        version: str | None = None
        try:
            with watchdog(self.connection, 4 * self.timeout):
                if self.hearing is not None and isinstance(self.connection, ssl.SSLSocket):
                    self.connection.do_handshake()
                    self.hearing.done = True
                    version = self.connection.version()
                answered = self._exchange(body)
        except (OSError, http.client.HTTPException) as failure:
            error = failure
        result = replace(
            self._heard(result, error),
            step=self.step,
            tls_version=version.removeprefix("TLSv") if version else None,
        )
        return result if answered is None else with_answer(result, *answered)

    def _exchange(self, body: bytes) -> tuple[int, bytes]:
        self.step = "request"
        talk = http.client.HTTPConnection(self.target.host, self.target.port, timeout=self.timeout)
        talk.sock = self.connection
        talk.auto_open = 0
        headers = {
            "Host": authority(self.host, self.target.port),
            "Content-Type": "text/xml; charset=utf-8",
            "SOAPAction": f'"{NAMESPACE}/updateUser"',
            "Connection": "close",
        }
        talk.request("POST", self.target.path, body, headers)
        self.step = "answer"
        with talk.getresponse() as response:
            content = response.read(MAX_ANSWER_BYTES + 1)
            if len(content) > MAX_ANSWER_BYTES:
                raise http.client.HTTPException(f"an answer of more than {MAX_ANSWER_BYTES:,} bytes")
            if response.length:  # with a limit, http.client takes a short answer for a whole one
                raise http.client.IncompleteRead(content, response.length)
            return response.status, content

    def _heard(self, result: Callout, error: OSError | http.client.HTTPException | None) -> Callout:
        if error is not None:
            result = replace(result, error=_words(error), cause=network_cause(error))
        if self.hearing is None or self.client is None:
            return result
        end = self.hearing.endpoint(error if isinstance(error, OSError) else None)
        cause = self.hearing.cause(end, self.client.anchors, datetime.now(UTC)) or result.cause
        return replace(result, endpoint=end, cause=cause, server_chain=self.hearing.peer_chain)


def with_answer(result: Callout, http_status: int, content: bytes) -> Callout:
    """Return the callout with what the service answered."""
    result = replace(result, http_status=http_status)
    try:
        fields, fault = parse_answer(content)
    except FormatError as error:
        return replace(result, error=f"HTTP {http_status}, and {error.what}")
    if fault is not None:
        return replace(result, fault=SoapFault(visible(fault.code, 80), visible(fault.reason)))
    number = fields.get("revision", "")
    return replace(
        result,
        status=visible(fields.get("result", ""), 80) or None,
        revision=int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None,
    )
