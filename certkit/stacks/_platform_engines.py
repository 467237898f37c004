"""Who makes the platform's call: the real JSSE in the worker, or Python's ``ssl`` in its place."""

from __future__ import annotations

import base64
import http.client
import io
import re
import ssl
from dataclasses import dataclass, field, replace
from typing import Any

from certkit._text import visible
from certkit.certificates import Certificate
from certkit.chains import Chain
from certkit.errors import CertkitError
from certkit.handshakes import ClientConfig
from certkit.handshakes.messages import open_message
from certkit.keystores import load_keystore
from certkit.services._dial import connect, parse_url, secure, tunnel
from certkit.services._head import lab_address
from certkit.services._tls import CAUSE_BY_ALERT
from certkit.services.callout import Callout, call_update_user, with_answer
from certkit.services.soap import NAMESPACE, build_request
from certkit.stacks.java import JavaError, java_version, java_worker
from certkit.stacks.platform import ClientPlatform, KeyFile, PlatformCallout, in_order
from certkit.verification import verify_chain

__all__ = ["Request", "by_java", "by_python"]

_BASIC_IN_TUNNEL = "-Djdk.http.auth.tunneling.disabledSchemes="
_RECEIVED = re.compile(r"Received fatal alert: (\w+)")
_ORDER = "the chain is complete and not in order (a rule of the platform, not of TLS); nothing was sent"


@dataclass(frozen=True)
class Request:
    """One call.

    Attributes
    ----------
    url, user_id, status : str
        Where, whom, and to what.
    key : KeyFile
        What to present.
    proxy : str or None
        The proxy to go through.
    login : (str, str) or None
        User name and password for it.
    basic : bool
        Whether Java may send them by the scheme *Basic*.
    tls : str or None
        The only TLS version to speak.
    """

    url: str
    user_id: str
    status: str
    key: KeyFile
    proxy: str | None
    login: tuple[str, str] | None = field(repr=False)
    basic: bool
    tls: str | None

    @property
    def headers(self) -> dict[str, str]:
        """What SOAP wants said in the head."""
        return {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{NAMESPACE}/updateUser"'}

    @property
    def body(self) -> bytes:
        """The SOAP envelope."""
        return build_request(self.user_id, self.status)

    @property
    def bytes(self) -> bytes:
        """The HTTP request."""
        target, body = parse_url(self.url), self.body
        lines = [f"POST {target.path} HTTP/1.1", f"Host: {target.host}:{target.port}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
        return "\r\n".join(lines).encode() + body


def by_java(platform: ClientPlatform, request: Request, timeout: float) -> PlatformCallout:
    """Make the call with JSSE: over a socket, or over HttpClient where a proxy's password goes along."""
    target = parse_url(request.url)
    facts = _asked_of_java(platform, request, max(1, int(timeout * 1000)))
    engine = f"Java {java_version()}, {'JSSE' if request.login is None else 'JSSE under HttpClient'}"
    version = facts["version"]
    chain = Chain(tuple(Certificate.from_der(base64.b64decode(item)) for item in facts["chain"]))
    callout = Callout(
        url=request.url,
        step=facts["step"],
        tls_version=version.removeprefix("TLSv") if version else None,
        server_chain=chain,
    )
    if facts["exception"] is None:
        callout = _answered(callout, facts["status"], base64.b64decode(facts["answer"]))
        return PlatformCallout(callout, engine, None, *_sent(facts))
    error = JavaError(tuple((name, text) for name, text in facts["exception"]))
    if request.login is not None and _RECEIVED.search(str(error)):
        # HttpClient does not tell what it was asked for, and the alert alone is not enough.
        _, facts["asked"], facts["authorities"] = _first_look(
            ClientConfig(platform.roots, host=target.host), request, timeout
        )
    cause = _cause_of(error, facts, platform, chain, target.host, request.key)
    callout = replace(callout, error=visible(str(error), 900), cause=cause)
    return PlatformCallout(callout, engine, facts["rule"] or _rule_of(cause), *_sent(facts))


def _asked_of_java(platform: ClientPlatform, request: Request, milliseconds: int) -> dict[str, Any]:
    target = parse_url(request.url)
    way = None if request.proxy is None else parse_url(request.proxy, "proxy")
    common: dict[str, Any] = {
        "anchors": [item.der for item in platform.roots],
        "keystore": request.key.data,
        "password": request.key.password,
        "kind": request.key.kind,
        "proxy": None if way is None else [way.host, way.port],
        "tls": request.tls,
        "milliseconds": milliseconds,
    }
    if request.login is None:
        facts = java_worker().call(
            "platform_call", host=target.host, port=target.port, request=request.bytes, **common
        )
    else:
        facts = java_worker(*((_BASIC_IN_TUNNEL,) if request.basic else ())).call(
            "platform_call_with_login",
            url=request.url,
            request={"headers": request.headers, "body": request.body},
            login=base64.b64encode(":".join(request.login).encode()).decode(),
            **common,
        )
    return dict(facts)


def _sent(facts: dict[str, Any]) -> tuple[bool, tuple[str, ...], bool]:
    return facts["asked"], tuple(facts["authorities"]), facts["sent"]


def _rule_of(cause: str | None) -> str | None:
    return {
        "self-signed-leaf": "no-self-signed-server",
        "missing-intermediate": "all-intermediates",
        "untrusted-root": "roots-only",
        "ca-hint-list": "ca-hints",
        "client-cert-untrusted": "self-signed-client",
        "wrong-file-format": "keystore",
    }.get(cause or "")


def _cause_of(
    error: JavaError, facts: dict[str, Any], platform: ClientPlatform, chain: Chain, host: str, key: KeyFile
) -> str | None:
    if facts["step"] == "keystore":
        return _keystore_cause(key)
    if facts["rule"] == "in-order":
        return "chain-out-of-order"
    words = " ".join(text or "" for _, text in error.chain)
    if facts["step"] in {"connect", "proxy"}:
        return "proxy-refused" if "Unable to tunnel" in words else "dns-or-network"
    alert = _RECEIVED.search(words)
    if alert is not None:
        return _alert_cause(alert[1], facts["asked"], facts["sent"], key)
    if chain and facts["version"] is None:
        return _chain_cause(platform, chain, host)
    return "server-closed" if error.name in {"java.net.SocketException", "java.io.EOFException"} else None


def _chain_cause(platform: ClientPlatform, chain: Chain, host: str) -> str | None:
    headline = verify_chain(chain, platform.roots, host=host).headline
    return None if headline is None else headline.cause


def _alert_cause(alert: str, asked: bool, sent: bool, key: KeyFile) -> str | None:
    if asked and not sent and alert in {"certificate_required", "handshake_failure", "bad_certificate"}:
        return "client-cert-missing" if key.data is None else "ca-hint-list"
    return CAUSE_BY_ALERT.get(alert, "no-shared-cipher" if alert == "handshake_failure" else None)


def _keystore_cause(key: KeyFile) -> str:
    try:
        load_keystore(key.data or b"", key.password)
    except CertkitError as error:
        return error.cause or "wrong-file-format"
    return "wrong-file-format"


class _Kept:
    """A socket of which only the answer is left."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, *_: object) -> io.BytesIO:
        return io.BytesIO(self._data)


def _answered(callout: Callout, status: int | None, answer: bytes) -> Callout:
    """Return the callout with an answer: a whole HTTP response, or with its status the body alone."""
    if callout.step == "proxy":
        words = f"the proxy answered {status}, and Java opened no tunnel"
        return replace(callout, error=words, cause="proxy-refused")
    if status is not None:
        return with_answer(callout, status, answer)
    response = http.client.HTTPResponse(_Kept(answer))  # type: ignore[arg-type]
    try:
        response.begin()
        return with_answer(callout, response.status, response.read())
    except http.client.HTTPException as error:
        return replace(callout, error=visible(str(error) or type(error).__name__), cause="server-closed")


def by_python(platform: ClientPlatform, request: Request, timeout: float) -> PlatformCallout:
    """Make the call with Python's ``ssl``, the rules checked beforehand: the server therefore sees two connections."""
    engine = "Python, a stand-in for Java: the rules are the platform's, the words OpenSSL's"
    credential = request.key.credential
    if request.key.data is not None and credential is None:
        try:
            credential = load_keystore(request.key.data, request.key.password).credential(
                password=request.key.password
            )
        except CertkitError as error:
            words = Callout(request.url, "keystore", error=str(error), cause=_keystore_cause(request.key))
            return PlatformCallout(words, engine, "keystore")
    target = parse_url(request.url)
    client = ClientConfig(platform.roots, host=target.host)
    chain, asked, named = _first_look(client, request, timeout)
    if chain and not in_order(chain) and verify_chain(chain, platform.roots, host=target.host).ok:
        stopped = Callout(
            request.url, "handshake", error=_ORDER, cause="chain-out-of-order", server_chain=chain
        )
        return PlatformCallout(stopped, engine, "in-order", asked, named)
    above = {
        name for item in (credential.chain if credential else ()) for name in (item.issuer, item.subject)
    }
    send = credential is not None and asked and (not named or bool(above & set(named)))
    address = lab_address(target.host)
    callout = call_update_user(
        f"https://{f'[{address}]' if ':' in str(address) else address}:{target.port}{target.path}",
        request.user_id,
        request.status,
        client.with_credential(credential if send else None),
        proxy=request.proxy,
        proxy_credentials=_login(request),
        tls=request.tls,
        timeout=timeout,
    )
    callout = replace(callout, url=request.url)
    if credential is not None and not send and callout.cause == "client-cert-missing":
        callout = replace(callout, cause="ca-hint-list")
    if callout.endpoint is not None and callout.endpoint.outcome == "refused":
        callout = replace(callout, cause=_chain_cause(platform, callout.server_chain, target.host))
    return PlatformCallout(callout, engine, _rule_of(callout.cause), asked, named, send)


def _login(request: Request) -> tuple[str, str] | None:
    """Return the proxy's password where Java would send it."""
    return request.login if request.basic else None


def _first_look(
    client: ClientConfig, request: Request, timeout: float
) -> tuple[Chain, bool, tuple[str, ...]]:
    """Return the server's chain, whether it asks for a certificate, and the CAs it names."""
    target = parse_url(request.url)
    named: list[str] = []
    try:
        if request.proxy is None:
            plain = connect(str(lab_address(target.host)), target.port, timeout)
        else:
            plain = tunnel(parse_url(request.proxy, "proxy"), target, timeout, _login(request))
    except OSError:
        return Chain(()), False, ()
    secured, hearing = secure(plain, client, target.host, request.tls)
    try:
        with secured:
            hearing.on_request = lambda data, tls13: named.extend(_authorities(data, tls13))
            secured.do_handshake()
    except (OSError, ssl.SSLError):
        pass
    return hearing.peer_chain, hearing.asked, tuple(named)


def _authorities(data: bytes, tls13: bool) -> list[str]:
    fields = dict(open_message("server", data, encrypted=tls13, tls13=tls13).fields)
    text = fields.get("certificate authorities", "")
    return [] if text.startswith("none named") else text.split("; ")
