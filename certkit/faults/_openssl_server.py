"""Servers as functions of bytes: OpenSSL through pyOpenSSL, with settings that Python's ``ssl`` lacks, and through ``ssl``."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from OpenSSL import SSL, crypto

from certkit.certificates import Certificate
from certkit.handshakes import Endpoint
from certkit.handshakes.run import RESPONSE
from certkit.services._openssl import endpoint, heard_by, openssl_context
from certkit.services._tls import Ears

if TYPE_CHECKING:
    from certkit.faults._sides import LabServer

__all__ = ["ContextServer", "OpenSslServer"]

_READ_SIZE = 65_536
_PINNED = "the certificate is good, and none of those that this server has on its list"


class OpenSslServer:
    """A `Peer` (see `certkit.handshakes.peers`): a server with a list of CA names, a depth, or a list of clients.

    Parameters
    ----------
    server : LabServer
        Credential, anchors, and the settings ``ca_names``, ``verify_depth`` and ``known_clients``.
    tls : {"1.2", "1.3"}
        The one version it speaks.
    response : bytes
        What it answers to a request.
    """

    def __init__(self, server: LabServer, tls: str, response: bytes = RESPONSE) -> None:
        context = openssl_context(server, tls)
        if server.ca_names is not None:
            _name_cas(context, server.ca_names)
        if server.verify_depth is not None:
            context.set_verify_depth(server.verify_depth)
        self._known, self._response = server.known_clients, response
        if self._known is not None:
            context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, self._verify)
        self._connection = SSL.Connection(context, None)
        self._connection.set_accept_state()
        self._done = self._answered = self._stranger = self.closed = False
        self._error: Exception | None = None

    def _verify(self, connection: SSL.Connection, certificate: Any, code: int, depth: int, ok: int) -> bool:
        heard = heard_by(connection)
        if not ok:
            heard.verify_code = code
        elif depth == 0:
            heard.leaf = Certificate(certificate.to_cryptography())
            # RFC 5280 has been satisfied; what follows is this server's own rule.
            self._stranger = self._known is not None and heard.leaf.sha256 not in self._known
        return bool(ok) and not self._stranger

    def receive(self, data: bytes) -> bytes:
        """Take what the client sent and return what goes back."""
        if data:
            self._connection.bio_write(data)
        if not self.closed:
            self._step()
        try:
            return bytes(self._connection.bio_read(1 << 20))
        except SSL.WantReadError:
            return b""

    def _step(self) -> None:
        try:
            if not self._done:
                self._connection.do_handshake()
                self._done = True
            self._connection.recv(_READ_SIZE)
            self._connection.send(self._response)
            self._answered = self.closed = True
            self._connection.shutdown()
        except (SSL.WantReadError, SSL.ZeroReturnError):
            return
        except SSL.Error as error:
            self._error = error
            self.closed = True

    def endpoint(self) -> Endpoint:
        """Return the server's own view."""
        heard = heard_by(self._connection)
        error = self._error
        if error is None and not self._answered:
            error = EOFError("the client went away")
        if self._stranger:
            return replace(endpoint(heard, ValueError(_PINNED)), reason="CERTIFICATE_VERIFY_FAILED")
        return endpoint(heard, error)


def _name_cas(context: SSL.Context, certificates: Iterable[Certificate]) -> None:
    with warnings.catch_warnings():
        # Deprecated without a successor: no other library for Python can set these names.
        warnings.simplefilter("ignore", DeprecationWarning)
        names = [crypto.X509.from_cryptography(item.raw).get_subject() for item in certificates]
        context.set_client_ca_list(names)


class ContextServer:
    """A `Peer` out of an ``ssl.SSLContext``: the ordinary server, for real sockets that others close.

    Parameters
    ----------
    context : ssl.SSLContext
        The server's.
    response : bytes
        What it answers to a request.
    """

    def __init__(self, context: ssl.SSLContext, response: bytes = RESPONSE) -> None:
        self._response = response
        self._ears = Ears(context, "server")
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=True)
        self.hearing = self._ears.listen(self._tls)
        self._error: OSError | None = None
        self._answered = self.closed = False

    def receive(self, data: bytes) -> bytes:
        """Take what the client sent and return what goes back; no data means that it will send no more."""
        if data:
            self._in.write(data)
        else:
            self._in.write_eof()
        try:
            if not self.hearing.done:
                self._tls.do_handshake()
                self.hearing.done = True
            self._tls.read(_READ_SIZE)
            self._tls.write(self._response)
            self._answered = self.closed = True
            self._tls.unwrap()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError as error:
            if not self._answered:
                self._error = error
            self.closed = True
        return self._out.read()

    def endpoint(self) -> Endpoint:
        """Return the server's own view."""
        error = self._error
        if error is None and not self._answered:
            error = ConnectionAbortedError("the client went away")
        return self.hearing.endpoint(error)
