"""What the real Java says to a server: operations of the worker for SSLSocket and HttpsURLConnection."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import jpype

from certkit.stacks._java_connections import connected, secured
from certkit.stacks._java_keystores import certificates_of, java_bytes, password_of

__all__ = ["OPERATIONS"]

_MILLISECONDS = 8_000
# Opening a PKCS#12 costs a tenth of a second of key derivation: every file is opened once.
_KEY_MANAGERS: dict[str, Any] = {}


def _key_managers(data: str | None, password: str | None) -> Any:
    if data is None:
        return None
    known = hashlib.sha256(f"{data}\0{password}".encode()).hexdigest()
    if known not in _KEY_MANAGERS:
        store = jpype.JClass("java.security.KeyStore").getInstance("PKCS12")
        store.load(jpype.JClass("java.io.ByteArrayInputStream")(java_bytes(data)), password_of(password))
        factory = jpype.JClass("javax.net.ssl.KeyManagerFactory")
        factory = factory.getInstance(factory.getDefaultAlgorithm())
        factory.init(store, password_of(password))
        _KEY_MANAGERS[known] = factory.getKeyManagers()
    return _KEY_MANAGERS[known]


def _context(anchors: list[str], keystore: str | None, password: str | None) -> Any:
    store = jpype.JClass("java.security.KeyStore").getInstance("PKCS12")
    store.load(None, None)
    for number, certificate in enumerate(certificates_of(anchors)):
        store.setCertificateEntry(f"anchor-{number}", certificate)
    factory = jpype.JClass("javax.net.ssl.TrustManagerFactory")
    factory = factory.getInstance(factory.getDefaultAlgorithm())
    factory.init(store)
    context = jpype.JClass("javax.net.ssl.SSLContext").getInstance("TLS")
    context.init(_key_managers(keystore, password), factory.getTrustManagers(), None)
    return context


def _text(stream: Any) -> str:
    return bytes(stream.readNBytes(65_536)).decode("latin-1")


def socket_call(
    host: str,
    port: int,
    anchors: list[str],
    keystore: str | None = None,
    password: str | None = None,
    max_tls: str | None = None,
    handshake: bool = True,
) -> dict[str, Any]:
    """Call over SSLSocket, with the host name check of HTTPS; without `handshake`, ask the session at once."""
    context = _context(anchors, keystore, password)
    plain = connected(host, port, _MILLISECONDS)
    try:
        connection = secured(context, plain, host, "1.2" if max_tls == "1.2" else None)
        if not handshake:
            # getSession() does the handshake and swallows its failure; the session then knows no peer.
            connection.getSession().getPeerCertificates()
        else:
            connection.startHandshake()
        request = f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        connection.getOutputStream().write(request.encode())
        return {"text": _text(connection.getInputStream())}
    finally:
        plain.close()


def url_call(
    url: str,
    anchors: list[str],
    keystore: str | None = None,
    password: str | None = None,
    proxy: tuple[str, int] | None = None,
) -> dict[str, Any]:
    """Call over HttpsURLConnection, through a web proxy if one is given."""
    target = jpype.JClass("java.net.URI").create(url).toURL()
    kind = jpype.JClass("java.net.Proxy")
    way = kind.NO_PROXY
    if proxy is not None:
        address = jpype.JClass("java.net.InetSocketAddress")(proxy[0], proxy[1])
        way = kind(jpype.JClass("java.net.Proxy$Type").HTTP, address)
    connection = target.openConnection(way)
    if url.startswith("https:"):
        connection.setSSLSocketFactory(_context(anchors, keystore, password).getSocketFactory())
    connection.setConnectTimeout(_MILLISECONDS)
    connection.setReadTimeout(_MILLISECONDS)
    connection.setRequestProperty("Connection", "close")
    try:
        return {"text": _text(connection.getInputStream())}
    finally:
        connection.disconnect()


OPERATIONS: dict[str, Callable[..., Any]] = {"socket_call": socket_call, "url_call": url_call}
