"""The client's side of a connection: resolve, connect, TLS; each step in bounded time, each failure with a cause."""

from __future__ import annotations

import base64
import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from certkit.errors import ArgumentError
from certkit.handshakes import ClientConfig
from certkit.services._tls import Ears, Hearing

__all__ = [
    "ProxyRefused",
    "Target",
    "connect",
    "is_allowed",
    "network_cause",
    "parse_url",
    "secure",
    "tunnel",
    "watchdog",
]

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Target:
    """Where a URL leads.

    Attributes
    ----------
    scheme : {"http", "https"}
        How.
    host : str
        The name or address in the URL, lower case, without brackets.
    port : int
        The port, the scheme's own if the URL has none.
    path : str
        Path and query, at least ``/``.
    """

    scheme: str
    host: str
    port: int
    path: str


def parse_url(url: str, what: str = "URL") -> Target:
    """Return where a URL leads.

    Raises
    ------
    ArgumentError
        If it is no ``http`` or ``https`` URL with a host, or carries a user name or password.

    Examples
    --------
    >>> parse_url("https://orders.example.test/users")
    Target(scheme='https', host='orders.example.test', port=443, path='/users')
    """
    parts = _split(url)
    if (
        parts is None
        or parts.scheme not in _PORTS
        or not parts.hostname
        or parts.username is not None
        or not str(url).isascii()
        or any(character.isspace() for character in url)
    ):
        shown = "…" if parts is not None and parts.username is not None else repr(str(url)[:80])
        raise ArgumentError(
            f"this is no {what} that can be called", on=shown, hint="https://orders.example.test:8443/users"
        )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    port = parts.port if parts.port is not None else _PORTS[parts.scheme]
    return Target(parts.scheme, parts.hostname, port, path)


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except (ValueError, TypeError, AttributeError):
        return None
    return parts if isinstance(parts, SplitResult) else None


def is_allowed(target: Target, allowed: Iterable[str]) -> bool:
    """Return whether one of the entries covers the target: same scheme, host and port, path below it.

    Examples
    --------
    >>> target = parse_url("https://orders.example.test/users")
    >>> is_allowed(target, ["https://orders.example.test"])
    True
    >>> is_allowed(target, ["http://orders.example.test"]), is_allowed(target, ["https://orders.example"])
    (False, False)
    """
    return any(_covers(parse_url(entry, "entry of an allow-list"), target) for entry in allowed)


def _covers(entry: Target, target: Target) -> bool:
    # Compared in parts: as text, https://orders.example.test would also cover orders.example.test.evil.test.
    same = (entry.scheme, entry.host, entry.port) == (target.scheme, target.host, target.port)
    path = target.path.partition("?")[0]
    below = entry.path.rstrip("/")
    return same and (path == below or path.startswith(below + "/"))


def connect(host: str, port: int, seconds: float) -> socket.socket:
    """Return a connected socket; each address of the host gets `seconds`.

    Raises
    ------
    OSError
        As the system says it; see `network_cause`.
    """
    connection = socket.create_connection((host, port), timeout=seconds)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def tunnel(
    proxy: Target, target: Target, seconds: float, credentials: tuple[str, str] | None = None
) -> socket.socket:
    """Return a socket that leads through a web proxy to the target (``CONNECT``, RFC 9110, 9.3.6).

    Parameters
    ----------
    proxy, target : Target
        Whom to ask, and whom to reach.
    seconds : float
        For each step.
    credentials : (str, str), optional
        User name and password for the proxy.

    Raises
    ------
    ProxyRefused
        If the proxy is reached and does not open the way; `OSError` if it is not reached.
    """
    talk = http.client.HTTPConnection(proxy.host, proxy.port, timeout=seconds)
    headers = {}
    if credentials is not None:
        secret = base64.b64encode(":".join(credentials).encode()).decode()
        headers["Proxy-Authorization"] = f"Basic {secret}"
    talk.set_tunnel(target.host, target.port, headers)
    try:
        talk.connect()
    except (OSError, http.client.HTTPException) as error:
        talk.close()
        if _came_from_proxy(error):
            raise ProxyRefused(str(error) or type(error).__name__) from None
        raise
    return talk.sock


def _came_from_proxy(error: Exception) -> bool:
    """Whether the proxy was reached: it answered, or hung up; a failure to reach it has a number of the system's."""
    if isinstance(error, TimeoutError):
        return False
    hung_up = isinstance(error, ConnectionResetError | BrokenPipeError | http.client.HTTPException)
    return hung_up or getattr(error, "errno", None) is None


class ProxyRefused(OSError):  # noqa: N818 - the proxy's answer, not our error
    """The proxy was reached and did not open the way to the server."""


def secure(
    connection: socket.socket, client: ClientConfig, host: str, tls: str | None = None
) -> tuple[ssl.SSLSocket, Hearing]:
    """Put client-side TLS on a socket, the handshake still to do, and listen to it."""
    ears = Ears(client.context(tls), "client")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        host = host.rstrip(".")
    try:
        wrapped = ears.context.wrap_socket(connection, server_hostname=host, do_handshake_on_connect=False)
    except ValueError as error:
        raise ArgumentError(f"this is no host name ({error})", on=repr(host[:80])) from None
    hearing = ears.listen(wrapped)
    # The context's callback holds the ears, and they hold nothing of the connection but its number.
    return wrapped, hearing


def network_cause(error: OSError | http.client.HTTPException | None) -> str | None:
    """Return the cause id of a failure below TLS, or None if it is none."""
    if error is None or isinstance(error, ssl.SSLError):
        return None
    if isinstance(error, ConnectionResetError | BrokenPipeError | http.client.IncompleteRead):
        return "server-closed"  # http.client.RemoteDisconnected is a ConnectionResetError
    if isinstance(error, http.client.BadStatusLine):
        # A TLS alert where a status line should be: HTTP was spoken to a TLS port.
        return "plaintext-on-tls-port" if str(error).startswith("\x15\x03") else None
    return "dns-or-network" if isinstance(error, OSError) else None


@contextlib.contextmanager
def watchdog(connection: socket.socket, seconds: float) -> Iterator[None]:
    """Cut the connection after `seconds`, so that a peer which sends a byte now and then cannot hold us."""
    end = time.monotonic() + seconds
    over = threading.Event()

    def wait() -> None:
        if not over.wait(max(0.0, end - time.monotonic())):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    thread = threading.Thread(target=wait, name="certkit-watchdog", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
