"""`FtpsService`: files over explicit FTPS (RFC 4217)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING

from certkit.errors import ArgumentError, CertkitError
from certkit.handshakes import ServerConfig
from certkit.services._server import Connection, LoopbackServer
from certkit.services.log import Notes, ServiceLog

if TYPE_CHECKING:
    from OpenSSL.SSL import Context

    from certkit.services._ftp_files import Shelf

__all__ = ["FIRST_FILES", "FtpsService", "file_name"]

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")
FIRST_FILES = {"orders.csv": b"order,user,status\n7001,u-1001,open\n7002,u-1004,shipped\n"}


class FtpsService(LoopbackServer):
    """An FTPS server, explicit (``AUTH TLS``, RFC 4217), on this machine only.

    Both connections of FTP are protected: the control connection, which carries commands, and one
    data connection for each file. Each does a TLS handshake of its own.

    Parameters
    ----------
    security : ServerConfig
        What it presents; with ``client_anchors``, clients need a certificate below one of them.
    require_reuse : bool
        Whether each data connection must resume the TLS session of the control connection, as
        several servers demand: it shows that both are the same client's.
    files : mapping of str to bytes, optional
        What is there to begin with; one small table if not given.
    tls : {"1.2", "1.3"}, optional
        Exactly this version; by default, 1.2 or newer.
    port : int
        0 takes a free one.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> from certkit.handshakes import ClientConfig
    >>> from certkit.services import FtpsService, transfer_ftps
    >>> ca = CertificateAuthority("Lab Root")
    >>> with FtpsService(ServerConfig(ca.issue("127.0.0.1", usage="server"))) as service:
    ...     result = transfer_ftps(service, "orders.csv", ClientConfig(ca.trust_store))
    >>> result.ok, result.content[:5]
    (True, b'order')
    """

    scheme = "ftp"

    def __init__(
        self,
        security: ServerConfig,
        *,
        require_reuse: bool = False,
        files: Mapping[str, bytes] | None = None,
        tls: str | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(port=port)
        if not isinstance(security, ServerConfig):
            raise ArgumentError(
                "this is no server configuration",
                on=type(security).__name__,
                hint="ck.ServerConfig(credential)",
            )
        security.context(tls)  # wrong versions and credentials are said now, not to the first client
        self.security = security
        self.require_reuse = require_reuse
        self.user, self.password = "lab", secrets.token_urlsafe(9)
        self.notes = Notes()
        self._tls = tls
        self._files = {file_name(name): bytes(content) for name, content in (files or FIRST_FILES).items()}
        self._shelf: Shelf | None = None
        self._context: Context | None = None

    @property
    def log(self) -> ServiceLog:
        """What the server noted: each TLS handshake, of control and data connections, and each command."""
        return self.notes.log()

    @property
    def files(self) -> dict[str, bytes]:
        """Its files, by name; in memory, never on a disk."""
        return dict(self._files) if self._shelf is None else self._shelf.contents()

    @property
    def shelf(self) -> Shelf:
        """What the sessions read from and write to.

        Raises
        ------
        CertkitError
            If the service is not running.
        """
        if self._shelf is None:
            raise CertkitError("this service is not running, so it has no files", on=type(self).__name__)
        return self._shelf

    def _opened(self) -> None:
        from certkit.services._ftp_files import Shelf  # noqa: PLC0415 - pyftpdlib only if wanted
        from certkit.services._openssl import openssl_context  # noqa: PLC0415 - pyOpenSSL likewise

        self._context = openssl_context(self.security, self._tls)
        self._shelf = Shelf(self._files)

    def _closed(self) -> None:
        self._files = self.files
        self._shelf = self._context = None

    def _serve(self, connection: Connection) -> None:
        from certkit.services._ftp_handlers import FtpSession  # noqa: PLC0415

        if self._context is not None:
            FtpSession(self, connection.number, self._context).run(connection.socket.dup())

    def _facts(self) -> list[tuple[object, object]]:
        asks = "two-way TLS" if self.security.two_way else "one-way TLS"
        reuse = "must resume the control connection's session" if self.require_reuse else "may start anew"
        return [
            ("protection", f"explicit FTPS, {asks}"),
            ("data connections", reuse),
            ("files", ", ".join(self.files) or "none"),
        ]


def file_name(name: str) -> str:
    """Return the name of a file, if it is one.

    Raises
    ------
    ArgumentError
        If it is none, or leads into a folder.

    Examples
    --------
    >>> file_name("orders.csv")
    'orders.csv'
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ArgumentError(
            "this is no plain file name",
            on=repr(name),
            hint="letters, digits, dot, hyphen and underscore, no folders",
        )
    return name
