"""One call of the client platform over the real JSSE: an operation of the worker.

The trust manager and the key manager are Java's own. Ours only stand in front of them: one adds the
platform's rule of order, the other notes what the server asked for and what Java chose to send.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import jpype

from certkit.stacks._java_keystores import certificates_of, java_bytes, password_of
from certkit.stacks._java_worker import exception_chain

__all__ = ["OPERATIONS"]

_MAX_ANSWER = 1_048_576


class _Notes:
    def __init__(self) -> None:
        self.facts: dict[str, Any] = {
            "step": "connect",
            "asked": False,
            "authorities": [],
            "sent": False,
            "chain": [],
            "rule": None,
            "version": None,
            "answer": None,
            "exception": None,
        }

    def __setitem__(self, name: str, value: Any) -> None:
        self.facts[name] = value


def _in_order(chain: Any) -> bool:
    pairs = zip(chain, list(chain)[1:], strict=False)
    return all(
        lower.getIssuerX500Principal().equals(upper.getSubjectX500Principal()) for lower, upper in pairs
    )


def _trust_manager(anchors: list[str], notes: _Notes, *, strict: bool = True) -> Any:
    store = jpype.JClass("java.security.KeyStore").getInstance("JKS")
    store.load(None, None)
    for number, certificate in enumerate(certificates_of(anchors)):
        store.setCertificateEntry(f"root-{number}", certificate)
    factory = jpype.JClass("javax.net.ssl.TrustManagerFactory").getInstance("PKIX")
    factory.init(store)
    inner = factory.getTrustManagers()[0]

    def check_server_trusted(chain: Any, kind: Any) -> None:
        notes["chain"] = [base64.b64encode(bytes(item.getEncoded())).decode() for item in chain]
        inner.checkServerTrusted(chain, kind)
        if strict and not _in_order(chain):
            notes["rule"] = "in-order"
            raise jpype.JClass("java.security.cert.CertificateException")(
                "The chain is complete and not in order (a rule of the platform, not of Java)"
            )

    methods = {
        "checkServerTrusted": check_server_trusted,
        "checkClientTrusted": inner.checkClientTrusted,
        "getAcceptedIssuers": inner.getAcceptedIssuers,
    }
    return jpype.JProxy("javax.net.ssl.X509TrustManager", dict=methods)


def _key_manager(keystore: str | None, password: str | None, kind: str, notes: _Notes) -> Any:
    store = jpype.JClass("java.security.KeyStore").getInstance(kind)
    if keystore is None:
        store.load(None, None)
    else:
        store.load(jpype.JClass("java.io.ByteArrayInputStream")(java_bytes(keystore)), password_of(password))
    factory = jpype.JClass("javax.net.ssl.KeyManagerFactory").getInstance("SunX509")
    factory.init(store, password_of(password or ""))
    inner = factory.getKeyManagers()[0]

    def choose(kinds: Any, issuers: Any, socket: Any) -> Any:
        notes["asked"] = True
        notes["authorities"] = [] if issuers is None else [str(item.getName()) for item in issuers]
        return inner.chooseClientAlias(kinds, issuers, socket)

    def chain_of(alias: Any) -> Any:
        chain = inner.getCertificateChain(alias)
        notes["sent"] = chain is not None
        return chain

    methods = {
        "chooseClientAlias": choose,
        "getCertificateChain": chain_of,
        "getPrivateKey": inner.getPrivateKey,
        "getClientAliases": inner.getClientAliases,
        "getServerAliases": inner.getServerAliases,
        "chooseServerAlias": inner.chooseServerAlias,
    }
    return jpype.JProxy("javax.net.ssl.X509KeyManager", dict=methods)


def _connected(host: str, port: int, proxy: list[Any] | None, milliseconds: int) -> Any:
    address = jpype.JClass("java.net.InetSocketAddress")
    if proxy is None:
        # With the name known and the address given, nothing is looked up: the lab is this machine.
        local = jpype.JClass("java.net.InetAddress").getByAddress(host, java_bytes("fwAAAQ=="))
        plain, target = jpype.JClass("java.net.Socket")(), address(local, port)
    else:
        kind = jpype.JClass("java.net.Proxy")
        way = kind(jpype.JClass("java.net.Proxy$Type").HTTP, address(proxy[0], proxy[1]))
        plain, target = jpype.JClass("java.net.Socket")(way), address.createUnresolved(host, port)
    plain.setSoTimeout(milliseconds)
    plain.connect(target, milliseconds)
    return plain


def _talk(
    plain: Any, host: str, port: int, context: Any, tls: str | None, request: str, notes: _Notes
) -> None:
    notes["step"] = "handshake"
    connection = context.getSocketFactory().createSocket(plain, host, port, True)
    parameters = connection.getSSLParameters()
    parameters.setEndpointIdentificationAlgorithm("HTTPS")
    if tls is not None:
        parameters.setProtocols([f"TLSv{tls}"])
    connection.setSSLParameters(parameters)
    connection.startHandshake()
    notes["version"] = str(connection.getSession().getProtocol())
    notes["step"] = "request"
    connection.getOutputStream().write(java_bytes(request))
    connection.getOutputStream().flush()
    notes["step"] = "answer"
    answer = bytes(connection.getInputStream().readNBytes(_MAX_ANSWER))
    notes["answer"] = base64.b64encode(answer).decode()


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
    notes = _Notes()
    try:
        trust = _trust_manager(anchors, notes)
        notes["step"] = "keystore"
        keys = _key_manager(keystore, password, kind, notes)
        context = jpype.JClass("javax.net.ssl.SSLContext").getInstance("TLS")
        context.init([keys], [trust], None)
        notes["step"] = "connect" if proxy is None else "proxy"
        plain = _connected(host, port, proxy, milliseconds)
        try:
            _talk(plain, host, port, context, tls, request, notes)
        finally:
            plain.close()
    except jpype.JException as error:
        notes["exception"] = exception_chain(error)
    return notes.facts


OPERATIONS: dict[str, Callable[..., Any]] = {"platform_call": platform_call}
