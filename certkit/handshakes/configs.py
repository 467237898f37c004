"""What each side brings to a handshake: `ServerConfig` and `ClientConfig`.

The lesson sits in one parameter: a server with ``client_anchors`` asks the client for a
certificate (two-way), a server without does not (one-way).
"""

from __future__ import annotations

import secrets
import ssl
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from certkit._files import write_private
from certkit._html import Html, definitions
from certkit.certificates import Certificate
from certkit.chains import TrustStore
from certkit.credentials import Credential
from certkit.errors import ArgumentError, CredentialError
from certkit.handshakes.peers import Peer

__all__ = ["TLS_VERSIONS", "ClientConfig", "ServerConfig"]

TLS_VERSIONS: dict[str, ssl.TLSVersion] = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
"""What ``tls=`` takes."""


@dataclass(frozen=True)
class ServerConfig:
    """What a TLS server presents and whom it believes.

    Attributes
    ----------
    credential : Credential
        Its key and the chain it sends.
    client_anchors : TrustStore or None
        None: one-way, no client certificate is asked for. A `TrustStore`: two-way, the client must
        present a certificate that chains to one of these anchors.
    ciphers : str or None
        An OpenSSL cipher string (TLS 1.2 and security level); None for the library's default.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> ca = CertificateAuthority("Lab Root")
    >>> ServerConfig(ca.issue("shop.example.test", usage="server"))
    <ServerConfig shop.example.test, one-way>
    >>> ServerConfig(ca.issue("shop.example.test", usage="server"), client_anchors=ca.trust_store).two_way
    True
    """

    credential: Credential
    client_anchors: TrustStore | None = None
    ciphers: str | None = None

    def __post_init__(self) -> None:
        if self.client_anchors is not None:
            _check_anchors(self.client_anchors)

    @property
    def two_way(self) -> bool:
        """Whether the client has to present a certificate."""
        return self.client_anchors is not None

    def context(self, tls: str | None = None) -> ssl.SSLContext:
        """Return a new ``ssl.SSLContext`` with this configuration, for real sockets.

        Parameters
        ----------
        tls : {"1.2", "1.3"}, optional
            Exactly this version; by default, 1.2 or newer.
        """
        context = _context(ssl.PROTOCOL_TLS_SERVER, tls, self.ciphers)
        load_credential(context, self.credential)
        if self.client_anchors is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            load_anchors(context, self.client_anchors)
        return context

    def with_client_anchors(self, anchors: TrustStore | Iterable[Certificate] | None) -> ServerConfig:
        """Return the same server with another truststore for clients; None makes it one-way.

        Examples
        --------
        >>> from certkit.authority import CertificateAuthority
        >>> ca = CertificateAuthority("Lab Root")
        >>> ServerConfig(ca.issue("shop.example.test", usage="server")).with_client_anchors(ca.trust_store)
        <ServerConfig shop.example.test, two-way>
        """
        return replace(self, client_anchors=None if anchors is None else _store(anchors))

    def peer(self, _tls: str, _response: bytes) -> Peer | None:
        """Return the server to run instead of one from `context`; None for an ordinary one."""
        return None

    def __repr__(self) -> str:
        return (
            f"<ServerConfig {self.credential.certificate.name}, {'two-way' if self.two_way else 'one-way'}>"
        )

    def _repr_html_(self) -> Html:
        asks = (
            "nobody: one-way"
            if self.client_anchors is None
            else f"clients under {_names(self.client_anchors)}: two-way"
        )
        return definitions(
            [
                ("presents", " ← ".join(item.name for item in self.credential.chain)),
                ("asks for a certificate of", asks),
            ],
            caption="Server",
        )


@dataclass(frozen=True)
class ClientConfig:
    """Whom a TLS client believes and what it can present.

    Attributes
    ----------
    anchors : TrustStore
        The roots it trusts.
    credential : Credential or None
        Its own key and chain, presented if the server asks; None if it has none.
    host : str or None
        The name it wants to reach: sent as SNI and compared with the server's alternative names.
        None stands for the first name on the certificate of the server it is pointed at.
    check_host : bool
        False switches the comparison of names off. It looks like a fix and is none.
    ciphers : str or None
        An OpenSSL cipher string; None for the library's default.
    """

    anchors: TrustStore
    credential: Credential | None = None
    host: str | None = None
    check_host: bool = True
    ciphers: str | None = None

    def __post_init__(self) -> None:
        _check_anchors(self.anchors)

    def context(self, tls: str | None = None) -> ssl.SSLContext:
        """Return a new ``ssl.SSLContext`` with this configuration, for real sockets."""
        context = _context(ssl.PROTOCOL_TLS_CLIENT, tls, self.ciphers)
        context.check_hostname = self.check_host
        load_anchors(context, self.anchors)
        if self.credential is not None:
            load_credential(context, self.credential)
        return context

    def with_credential(self, credential: Credential | None) -> ClientConfig:
        """Return the same client with something else, or nothing, to present.

        Examples
        --------
        >>> from certkit.authority import CertificateAuthority
        >>> ca = CertificateAuthority("Lab Root")
        >>> ClientConfig(ca.trust_store).with_credential(ca.issue("Acme CRM", usage="client"))
        <ClientConfig trusts Lab Root; presents Acme CRM>
        """
        return replace(self, credential=credential)

    def with_anchors(self, anchors: TrustStore | Iterable[Certificate]) -> ClientConfig:
        """Return the same client with another truststore."""
        return replace(self, anchors=_store(anchors))

    def __repr__(self) -> str:
        owner = "no certificate" if self.credential is None else self.credential.certificate.name
        return f"<ClientConfig trusts {_names(self.anchors)}; presents {owner}>"

    def _repr_html_(self) -> Html:
        chain = () if self.credential is None else self.credential.chain
        return definitions(
            [
                ("trusts", _names(self.anchors)),
                ("presents, if asked", " ← ".join(item.name for item in chain) or "nothing"),
                ("wants to reach", self.host or "the first name on the server's certificate"),
            ],
            caption="Client",
        )


def _check_anchors(anchors: object) -> None:
    if not isinstance(anchors, TrustStore):
        raise ArgumentError(
            "whom to believe is told by a truststore", on=type(anchors).__name__, hint="ck.TrustStore([root])"
        )


def _store(anchors: TrustStore | Iterable[Certificate]) -> TrustStore:
    return anchors if isinstance(anchors, TrustStore) else TrustStore(anchors)


def _names(store: TrustStore) -> str:
    return ", ".join(item.name for item in list(store)[:4]) or "nobody"


def _context(protocol: int, tls: str | None, ciphers: str | None) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls is not None:
        if tls not in TLS_VERSIONS:
            raise ArgumentError("unknown TLS version", on=repr(tls), hint="one of " + ", ".join(TLS_VERSIONS))
        context.minimum_version = context.maximum_version = TLS_VERSIONS[tls]
    if ciphers is not None:
        try:
            context.set_ciphers(ciphers)
        except ssl.SSLError:
            raise ArgumentError(
                "OpenSSL knows no such cipher", on=repr(ciphers), hint="openssl ciphers -v"
            ) from None
    return context


def load_anchors(context: ssl.SSLContext, anchors: TrustStore) -> None:
    """Make `context` trust these anchors, in addition to those it has."""
    if len(anchors):
        try:
            context.load_verify_locations(cadata=b"".join(certificate.der for certificate in anchors))
        except ssl.SSLError as error:
            raise CredentialError(
                f"OpenSSL cannot load these anchors ({error.reason})", on=repr(anchors)
            ) from None


def load_credential(context: ssl.SSLContext, credential: Credential) -> None:
    """Make `context` present this credential.

    Raises
    ------
    CredentialError
        If OpenSSL refuses it: an algorithm that this version lacks, a key below its security level.
    """
    # load_cert_chain only takes files. The key goes there encrypted, with a password that exists
    # for these few lines, so that even a killed process leaves nothing of use behind.
    password = secrets.token_urlsafe(24)
    with tempfile.TemporaryDirectory(prefix="certkit-") as folder:
        path = Path(folder) / "credential.pem"
        write_private(path, credential.key.to_pem(password) + credential.chain.pem.encode())
        try:
            context.load_cert_chain(path, password=password)
        except (ssl.SSLError, OSError) as error:
            reason = getattr(error, "reason", None) or str(error)
            raise CredentialError(
                f"OpenSSL refuses to present this credential ({reason})",
                on=repr(credential),
                hint="another kind of key, or a lower security level: ciphers='DEFAULT:@SECLEVEL=0'",
                cause="weak-key" if "TOO_SMALL" in str(reason) else None,
            ) from None
