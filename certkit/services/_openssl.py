"""A TLS server of OpenSSL through pyOpenSSL: for FTPS, and for what Python's own ``ssl`` has no setting for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from OpenSSL import SSL
from OpenSSL.crypto import X509

from certkit.certificates import Certificate
from certkit.handshakes import Endpoint, ServerConfig, _names

__all__ = ["Heard", "endpoint", "heard_by", "openssl_context", "was_resumed", "words"]

_VERSIONS = {"1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}


@dataclass
class Heard:
    """What one TLS connection said: kept as the connection's application data.

    Attributes
    ----------
    alerts : dict
        ``"sent"`` and ``"received"`` to the number of the alert.
    verify_code : int or None
        OpenSSL's last complaint about the client's chain; None if it had none.
    leaf : Certificate or None
        The client's certificate; None if it sent none.
    """

    alerts: dict[str, int] = field(default_factory=dict)
    verify_code: int | None = None
    leaf: Certificate | None = None


def heard_by(connection: SSL.Connection) -> Heard:
    """Return what a connection said so far."""
    heard = connection.get_app_data()
    if not isinstance(heard, Heard):
        heard = Heard()
        connection.set_app_data(heard)
    return heard


def _info(connection: SSL.Connection, where: int, value: int) -> None:
    if where & SSL.SSL_CB_ALERT and value & 0xFF:
        way = "sent" if where & SSL.SSL_CB_WRITE else "received"
        heard_by(connection).alerts[way] = value & 0xFF


def _verify(connection: SSL.Connection, certificate: Any, code: int, depth: int, ok: int) -> bool:
    heard = heard_by(connection)
    if depth == 0:
        heard.leaf = Certificate(certificate.to_cryptography())
    if not ok:
        heard.verify_code = code
    return bool(ok)


def openssl_context(security: ServerConfig, tls: str | None) -> SSL.Context:
    """Return pyOpenSSL's context for a server configuration."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(_VERSIONS[tls or "1.2"])
    if tls is not None:
        context.set_max_proto_version(_VERSIONS[tls])
    if security.ciphers is not None:
        context.set_cipher_list(security.ciphers.encode())
    context.use_certificate(security.credential.certificate.raw)
    context.use_privatekey(security.credential.key.raw)  # type: ignore[arg-type]
    for certificate in security.credential.chain.others:
        context.add_extra_chain_cert(certificate.raw)
    # Without a name of their own, sessions of two-way TLS cannot be resumed.
    context.set_session_id(b"certkit-ftps")
    context.set_info_callback(_info)
    if security.client_anchors is not None:
        store = context.get_cert_store()
        for anchor in security.client_anchors:
            if store is not None:
                store.add_cert(X509.from_cryptography(anchor.raw))
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, _verify)
    return context


def was_resumed(connection: SSL.Connection) -> bool:
    """Return whether the handshake resumed a session."""
    # pyOpenSSL has no name of its own for this question; a test fails if the way to it changes.
    return bool(SSL._lib.SSL_session_reused(connection._ssl))  # type: ignore[attr-defined]


def endpoint(heard: Heard, error: BaseException | None) -> Endpoint:
    """Return the server's view, as it is after `error` or without one."""
    sent, received = (
        _names.alert_name(heard.alerts[way]) if way in heard.alerts else None for way in ("sent", "received")
    )
    said = None if error is None else words(error)
    if error is None:
        outcome = "ok"
    elif received is not None:
        outcome = "was-refused"
    else:
        outcome = "refused" if sent is not None else "failed"
    return Endpoint(
        name="server",
        outcome=outcome,
        error=said,
        verify_code=heard.verify_code if error is not None else None,
        # pyOpenSSL gives the reason in words; in capitals it is OpenSSL's own name of it.
        reason=None if said is None else said.upper().replace(" ", "_"),
        alert_sent=sent,
        alert_received=received,
        handshake_done=error is None,
    )


def words(error: BaseException | None) -> str:
    """Return OpenSSL's words for an error of pyOpenSSL's, else the error's own."""
    if isinstance(error, SSL.Error) and error.args and isinstance(error.args[0], list) and error.args[0]:
        return str(error.args[0][-1][-1])
    return str(error) or type(error).__name__
