"""One call of the client platform over the real JSSE: an operation of the worker."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import jpype

from certkit.stacks._java_connections import Notes, connected, noting_context, secured
from certkit.stacks._java_keystores import java_bytes
from certkit.stacks._java_worker import exception_chain

__all__ = ["OPERATIONS"]

_MAX_ANSWER = 1_048_576


def _talk(plain: Any, host: str, context: Any, tls: str | None, request: str, notes: Notes) -> None:
    notes["step"] = "handshake"
    connection = secured(context, plain, host, tls)
    connection.startHandshake()
    notes["version"] = str(connection.getSession().getProtocol())
    notes["step"] = "request"
    connection.getOutputStream().write(java_bytes(request))
    connection.getOutputStream().flush()
    notes["step"] = "answer"
    answer = bytes(connection.getInputStream().readNBytes(_MAX_ANSWER))
    notes["answer"] = base64.b64encode(answer).decode()


def _by_http_client(
    url: str, proxy: list[Any], login: str, context: Any, tls: str | None, request: dict[str, Any], ms: int
) -> Any:
    """Return the answer of ``java.net.http``, the one API of Java's that can be handed a proxy's password here."""
    address = jpype.JClass("java.net.InetSocketAddress")(proxy[0], proxy[1])
    client = jpype.JClass("java.net.http.HttpClient").newBuilder().sslContext(context)
    client = client.proxy(jpype.JClass("java.net.ProxySelector").of(address))
    client = client.version(jpype.JClass("java.net.http.HttpClient$Version").HTTP_1_1)
    if tls is not None:
        parameters = context.getDefaultSSLParameters()
        parameters.setProtocols([f"TLSv{tls}"])
        client = client.sslParameters(parameters)
    body = jpype.JClass("java.net.http.HttpRequest$BodyPublishers").ofByteArray(java_bytes(request["body"]))
    message = jpype.JClass("java.net.http.HttpRequest").newBuilder(jpype.JClass("java.net.URI").create(url))
    message = message.timeout(jpype.JClass("java.time.Duration").ofMillis(ms)).POST(body)
    for name, value in [*request["headers"].items(), ("Proxy-Authorization", f"Basic {login}")]:
        message = message.header(name, value)
    handler = jpype.JClass("java.net.http.HttpResponse$BodyHandlers").ofByteArray()
    return client.build().send(message.build(), handler)


def platform_call(
    host: str,
    port: int,
    anchors: list[str],
    request: str,
    keystore: str | None = None,
    password: str | None = None,
    kind: str = "JKS",
    proxy: list[Any] | None = None,
    tls: str | None = None,
    milliseconds: int = 5_000,
) -> dict[str, Any]:
    """Make one call, and say how far it came, what was asked for and what was sent."""
    notes = Notes()
    try:
        context = noting_context(notes, anchors, keystore, password, kind, strict=True)
        notes["step"] = "connect" if proxy is None else "proxy"
        plain = connected(host, port, milliseconds, proxy)
        try:
            _talk(plain, host, context, tls, request, notes)
        finally:
            plain.close()
    except jpype.JException as error:
        notes["exception"] = exception_chain(error)
    return notes.facts


def platform_call_with_login(
    url: str,
    anchors: list[str],
    request: dict[str, Any],
    proxy: list[Any],
    login: str,
    keystore: str | None = None,
    password: str | None = None,
    kind: str = "JKS",
    tls: str | None = None,
    milliseconds: int = 5_000,
) -> dict[str, Any]:
    """Make one call through a proxy that wants a password; whether Java sends it, Java decides.

    Whether the server asked for a certificate is known here only if one was sent.
    """
    notes = Notes()
    try:
        context = noting_context(notes, anchors, keystore, password, kind, strict=True, engine=True)
        notes["step"] = "proxy"
        answer = _by_http_client(url, proxy, login, context, tls, request, milliseconds)
        session = answer.sslSession()
        if session.isPresent():
            notes["version"] = str(session.get().getProtocol())
            notes["asked"] = notes["sent"] = session.get().getLocalCertificates() is not None
            notes["step"] = "answer"
        notes["status"] = int(answer.statusCode())
        body = answer.body()
        notes["answer"] = base64.b64encode(b"" if body is None else bytes(body)[:_MAX_ANSWER]).decode()
    except jpype.JException as error:
        notes["exception"] = exception_chain(error)
        if notes.facts["chain"]:
            notes["step"] = "handshake"
    return notes.facts


OPERATIONS: dict[str, Callable[..., Any]] = {
    "platform_call": platform_call,
    "platform_call_with_login": platform_call_with_login,
}
