"""Java's connections, for every operation of the worker that makes one: sockets, TLS, and managers that take notes.

The trust manager and the key manager are Java's own. Ours only stand in front of them: one adds the
platform's rule of order, the other notes what the server asked for and what Java chose to send.
"""

from __future__ import annotations

import base64
from typing import Any

import jpype

from certkit.stacks._java_keystores import certificates_of, java_bytes, password_of

__all__ = ["Notes", "connected", "noting_context", "secured"]


class Notes:
    """What is noted of one connection: plain data, sent back as the operation's result."""

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
            "status": None,
            "exception": None,
        }

    def __setitem__(self, name: str, value: Any) -> None:
        self.facts[name] = value


def connected(host: str, port: int, milliseconds: int, proxy: list[Any] | None = None) -> Any:
    """Return a socket to this machine under the name given, or through a proxy on it."""
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


def secured(context: Any, plain: Any, host: str, tls: str | None) -> Any:
    """Put TLS on a socket, with the host name check of HTTPS; the handshake is still to do."""
    connection = context.getSocketFactory().createSocket(plain, host, plain.getPort(), True)
    parameters = connection.getSSLParameters()
    parameters.setEndpointIdentificationAlgorithm("HTTPS")
    if tls is not None:
        parameters.setProtocols([f"TLSv{tls}"])
    connection.setSSLParameters(parameters)
    return connection


def noting_context(
    notes: Notes,
    anchors: list[str],
    keystore: str | None,
    password: str | None,
    kind: str = "JKS",
    *,
    strict: bool = False,
    engine: bool = False,
) -> Any:
    """Return a context whose managers note what they are asked.

    `strict` adds the platform's rule of order. For APIs over an SSLEngine (`engine`) the key manager is Java's
    alone: there Java asks only subclasses of its own for a key, and no Python object can be one.
    """
    trust = _trust_manager(anchors, notes, strict)
    notes["step"] = "keystore"
    keys = _key_manager(keystore, password, kind)
    keys = keys if engine else _noting(keys, notes)
    context = jpype.JClass("javax.net.ssl.SSLContext").getInstance("TLS")
    context.init([keys], [trust], None)
    notes["step"] = "connect"
    return context


def _in_order(chain: Any) -> bool:
    pairs = zip(chain, list(chain)[1:], strict=False)
    return all(
        lower.getIssuerX500Principal().equals(upper.getSubjectX500Principal()) for lower, upper in pairs
    )


def _trust_manager(anchors: list[str], notes: Notes, strict: bool) -> Any:
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


def _key_manager(keystore: str | None, password: str | None, kind: str) -> Any:
    store = jpype.JClass("java.security.KeyStore").getInstance(kind)
    if keystore is None:
        store.load(None, None)
    else:
        store.load(jpype.JClass("java.io.ByteArrayInputStream")(java_bytes(keystore)), password_of(password))
    factory = jpype.JClass("javax.net.ssl.KeyManagerFactory").getInstance("SunX509")
    factory.init(store, password_of(password or ""))
    return factory.getKeyManagers()[0]


def _noting(inner: Any, notes: Notes) -> Any:
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
