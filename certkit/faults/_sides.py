"""Clients and servers with the settings that only faults touch: versions, names, lists, revocation."""

from __future__ import annotations

import ssl
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from certkit._files import write_private
from certkit.certificates import Certificate
from certkit.credentials import Credential
from certkit.faults._openssl_server import OpenSslServer
from certkit.faults._tiny_server import TinyServer
from certkit.handshakes import ClientConfig, Endpoint, ServerConfig
from certkit.handshakes._recording import hand_over
from certkit.handshakes.peers import Peer

__all__ = ["LabClient", "LabServer", "SpeaksHttp"]

_VERSIONS = {
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}


@dataclass(frozen=True, repr=False)
class LabClient(ClientConfig):
    """A client that can also be old, careful or mistaken.

    Attributes
    ----------
    only_tls : str or None
        The one version it speaks, whatever the scenario says; None follows the scenario.
    crls : tuple of bytes or None
        CRLs as PEM; not None makes the client demand one for the leaf, also if there is none.
    plain : bool
        Whether it sends HTTP without TLS.
    """

    only_tls: str | None = None
    crls: tuple[bytes, ...] | None = None
    plain: bool = False

    def context(self, tls: str | None = None) -> ssl.SSLContext:
        """Return a new context with this configuration."""
        context = super().context(self.only_tls or tls)
        _demand_crls(context, self.crls)
        return context


@dataclass(frozen=True, repr=False)
class LabServer(ServerConfig):
    """A server that can also be old, half configured or no TLS server at all.

    Attributes
    ----------
    only_tls : str or None
        The one version it speaks, ``"1.1"`` included; None follows the scenario.
    crls : tuple of bytes or None
        CRLs as PEM for client certificates; not None demands one for the leaf.
    by_name : tuple of (str, Credential)
        Virtual hosts; a client that names none of them gets `credential`.
    demands_name : bool
        Whether a client without a known name (SNI) is refused.
    groups : str or None
        The one key exchange group it knows.
    dh_parameters : str or None
        Diffie-Hellman parameters as PEM.
    ca_names : tuple of Certificate or None
        CAs whose names go into the CertificateRequest (RFC 8446, 4.2.4); None sends no names.
    verify_depth : int or None
        How many intermediates of a client it follows; None for the library's limit.
    known_clients : frozenset of str or None
        SHA-256 fingerprints of the client certificates on its list; None for no such list.
    presents : tuple of bytes or None
        The certificates as bytes, sent unread by the hand-written server; None for the credential's chain.
    secure_renegotiation : bool
        Whether it supports RFC 5746; without it the hand-written server answers.
    speaks_http : bool
        Whether it answers in plain HTTP on this port.
    """

    only_tls: str | None = None
    crls: tuple[bytes, ...] | None = None
    by_name: tuple[tuple[str, Credential], ...] = ()
    demands_name: bool = False
    groups: str | None = None
    dh_parameters: str | None = field(default=None, repr=False)
    ca_names: tuple[Certificate, ...] | None = None
    verify_depth: int | None = None
    known_clients: frozenset[str] | None = None
    presents: tuple[bytes, ...] | None = field(default=None, repr=False)
    secure_renegotiation: bool = True
    speaks_http: bool = False

    def context(self, tls: str | None = None) -> ssl.SSLContext:
        """Return a new context with this configuration."""
        only = self.only_tls
        context = super().context(tls if only is None else None)
        if only is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # TLS 1.1 is the point
                context.minimum_version = context.maximum_version = _VERSIONS[only]
        _demand_crls(context, self.crls)
        if self.groups is not None:
            context.set_ecdh_curve(self.groups)
        if self.dh_parameters is not None:
            _with_file(self.dh_parameters.encode(), context.load_dh_params)
        if self.by_name or self.demands_name:
            _serve_names(context, self, tls)
        return context

    def peer(self, tls: str, response: bytes) -> Peer | None:
        """Return the server that Python's ssl cannot be, if this is one."""
        if self.speaks_http:
            return SpeaksHttp()
        if self.presents is not None or not self.secure_renegotiation:
            certificates = self.presents or tuple(item.der for item in self.credential.chain)
            return TinyServer(
                self.credential.key,
                certificates,
                tls,
                secure_renegotiation=self.secure_renegotiation,
                response=response,
            )
        if (self.ca_names, self.verify_depth, self.known_clients) != (None, None, None):
            return OpenSslServer(self, tls, response)
        return None


def _with_file(data: bytes, use: Callable[[str], object]) -> None:
    with tempfile.TemporaryDirectory(prefix="certkit-") as folder:
        path = Path(folder) / "file.pem"
        write_private(path, data)
        use(str(path))


def _demand_crls(context: ssl.SSLContext, crls: tuple[bytes, ...] | None) -> None:
    if crls is None:
        return
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    for crl in crls:
        _with_file(crl, context.load_verify_locations)


def _serve_names(context: ssl.SSLContext, server: LabServer, tls: str | None) -> None:
    hosts: dict[str, ssl.SSLContext] = {}
    for name, credential in server.by_name:
        hosts[name] = ServerConfig(credential).context(server.only_tls or tls)

    def named(connection: ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> int | None:
        if name in hosts:
            hand_over(context, hosts[name])
            connection.context = hosts[name]
            return None
        return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME if server.demands_name else None

    context.sni_callback = named  # type: ignore[assignment]


class SpeaksHttp:
    """A `Peer` that takes whatever comes for HTTP."""

    closed = False

    def receive(self, data: bytes) -> bytes:
        """Answer in plain text."""
        if not data or self.closed:
            return b""
        self.closed = True
        return b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    def endpoint(self) -> Endpoint:
        """Return the server's own view: it saw no HTTP."""
        return Endpoint("server", "failed", error="Bad request version: the first line is no HTTP")
