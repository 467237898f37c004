"""A connection with a deadline: direct or through a proxy, and up to the point where TLS begins (STARTTLS)."""

from __future__ import annotations

import base64
import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from certkit._names import is_address
from certkit._text import visible
from certkit.errors import ArgumentError, CertkitError

__all__ = ["STARTTLS", "Target", "Transport", "connect", "parse_target"]

MAX_PLAIN_BYTES = 64 * 1024


@dataclass(frozen=True)
class Target:
    """Where to connect and what to ask for.

    Attributes
    ----------
    host : str
        Name or address.
    port : int
        TCP port.
    starttls : str or None
        The protocol to speak first; None where TLS begins at once.
    proxy : str or None
        ``http://[user:password@]host:port`` of a forward proxy; None to go directly.
    name : str or None
        The name to ask for (SNI) and to compare with; None stands for `host`.
    """

    host: str
    port: int = 443
    starttls: str | None = None
    proxy: str | None = None
    name: str | None = None

    @property
    def wanted(self) -> str:
        """The name that the certificate must be good for."""
        return self.name or self.host

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


_PORTS = {
    21: "ftp",
    25: "smtp",
    587: "smtp",
    143: "imap",
    110: "pop3",
    389: "ldap",
    5432: "postgres",
    3306: "mysql",
    5222: "xmpp",
}


def parse_target(
    text: str, *, starttls: str | None = None, proxy: str | None = None, name: str | None = None
) -> Target:
    """Return the target of ``HOST``, ``HOST:PORT``, ``[IPv6]:PORT`` or an https address.

    Raises
    ------
    ArgumentError
        If the text names no host, or the port is no port.

    Examples
    --------
    >>> parse_target("shop.example.test:8443")
    Target(host='shop.example.test', port=8443, starttls=None, proxy=None, name=None)
    """
    words = text.strip()
    try:
        parts = urlsplit(words if "://" in words else f"//{words}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ArgumentError(
            "this is no host and port", on=repr(words[:80]), hint="HOST:PORT, such as shop.example.test:443"
        ) from None
    if not host or any(char.isspace() for char in host) or parts.scheme not in {"", "https"}:
        raise ArgumentError(
            "this names no host", on=repr(words[:80]), hint="HOST:PORT, such as shop.example.test:443"
        )
    if starttls is not None and starttls not in STARTTLS:
        raise ArgumentError(
            "unknown STARTTLS protocol", on=repr(starttls), hint="one of " + ", ".join(STARTTLS)
        )
    return Target(host, 443 if port is None else port, starttls, proxy, name)


class Transport:
    """A socket that never waits past its deadline, and never reads more than is asked for."""

    def __init__(self, sock: socket.socket, step: float) -> None:
        self.socket = sock
        self.step = step
        self.end = time.monotonic() + step
        # From where TLS begins, and if nobody else reads the socket: bytes are taken as they come, and kept.
        self.read_ahead = False
        self._kept = b""

    def next_step(self) -> None:
        """Begin a new step: the time starts again."""
        self.end = time.monotonic() + self.step

    def _left(self, doing: str) -> float:
        left = self.end - time.monotonic()
        if left <= 0:
            raise CertkitError(
                f"no answer within {self.step:g} s", on=doing, cause="dns-or-network", kind="timeout"
            )
        return left

    def send(self, data: bytes, doing: str) -> None:
        """Send all of it."""
        try:
            self.socket.settimeout(self._left(doing))
            self.socket.sendall(data)
        except OSError as error:
            raise _ended(error, doing, self.step) from None

    def receive(self, limit: int, doing: str) -> bytes:
        """Return up to `limit` bytes; empty at the end of the connection."""
        try:
            self.socket.settimeout(self._left(doing))
            return self.socket.recv(limit)
        except OSError as error:
            raise _ended(error, doing, self.step) from None

    def exactly(self, size: int, doing: str) -> bytes:
        """Return `size` bytes; fewer only at the end of the connection."""
        data, self._kept = self._kept, b""
        while len(data) < size:
            part = self.receive(65_536 if self.read_ahead else size - len(data), doing)
            if not part:
                break
            data += part
        data, self._kept = data[:size], data[size:]
        return data

    def until(self, mark: bytes, doing: str) -> bytes:
        """Return everything up to `mark`, one byte at a time so that no byte of TLS is taken."""
        data = b""
        while not data.endswith(mark):
            part = self.receive(1, doing)
            if len(data) >= MAX_PLAIN_BYTES:
                raise CertkitError(
                    f"the server says more than {MAX_PLAIN_BYTES:,} bytes before TLS",
                    on=doing,
                    hint="the port, and the protocol named with --starttls",
                    cause="dns-or-network",
                    kind="too-large",
                )
            if not part:
                raise CertkitError(
                    "the server ended the conversation",
                    on=f"{doing}: {visible(repr(data[-80:]))}",
                    cause="server-closed",
                )
            data += part
        return data

    def close(self) -> None:
        """Close after reading what is still under way, so that nothing we sent is lost; for a fifth of a second."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)
            end = time.monotonic() + 0.2
            while (left := end - time.monotonic()) > 0:
                self.socket.settimeout(left)
                if not self.socket.recv(65_536):
                    break
        self.socket.close()


def _ended(error: OSError, doing: str, step: float) -> CertkitError:
    if isinstance(error, TimeoutError):
        return CertkitError(f"no answer within {step:g} s", on=doing, cause="dns-or-network", kind="timeout")
    cause = "server-closed" if isinstance(error, ConnectionError) else "dns-or-network"
    return CertkitError(
        f"the connection ended ({error.strerror or type(error).__name__})",
        on=doing,
        cause=cause,
        kind="reset",
    )


def connect(target: Target, step: float = 5.0) -> Transport:
    """Return a connection to the point where TLS begins.

    Parameters
    ----------
    target : Target
        Where to.
    step : float
        Seconds that each step may take.

    Raises
    ------
    CertkitError
        Saying how far it came.
    """
    if target.proxy is not None:
        transport = _through_proxy(target, step)
    else:
        transport = Transport(_open(target.host, target.port, step), step)
    try:
        if target.starttls is not None:
            transport.next_step()
            STARTTLS[target.starttls](transport, target.wanted)
        transport.next_step()
    except CertkitError:
        transport.close()
        raise
    return transport


def _resolved(host: str, port: int, step: float) -> list[Any]:
    """Return the addresses of a host within `step` seconds: the system's resolver knows no time-out of ours."""
    if is_address(host) or host == "localhost":
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    found: list[Any] = []

    def ask() -> None:
        try:
            found.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError, OverflowError) as error:
            found.append(error)

    thread = threading.Thread(target=ask, name="certkit-resolve", daemon=True)
    thread.start()
    thread.join(step)
    if not found:
        raise socket.gaierror(socket.EAI_AGAIN, f"no answer from the resolver within {step:g} s")
    if isinstance(found[0], Exception):
        raise found[0]
    return list(found[0])


def _dial(host: str, port: int, step: float) -> socket.socket:
    """Return a connection to the first address that takes one; all of them together have `step` seconds."""
    addresses, end = _resolved(host, port, step), time.monotonic() + step
    failure: OSError = OSError("no address")
    for family, kind, protocol, _, address in addresses[:8]:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(left)
            connection.connect(address)
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    raise failure


def _open(host: str, port: int, step: float) -> socket.socket:
    try:
        return _dial(host, port, step)
    except socket.gaierror as error:
        raise CertkitError(
            f"the name is not known ({error.strerror})",
            on=host,
            hint="the spelling, and the DNS of this machine",
            cause="dns-or-network",
            kind="dns",
        ) from None
    except ConnectionRefusedError:
        raise CertkitError(
            "nothing listens on this port",
            on=f"{host}:{port}",
            hint="the port, and whether the server runs",
            cause="dns-or-network",
            kind="refused",
        ) from None
    except TimeoutError:
        raise CertkitError(
            f"no connection within {step:g} s",
            on=f"{host}:{port}",
            hint="a firewall that drops",
            cause="dns-or-network",
            kind="timeout",
        ) from None
    except (OSError, UnicodeError, OverflowError) as error:
        raise CertkitError(
            f"no connection ({error})", on=f"{host}:{port}", cause="dns-or-network", kind="network"
        ) from None


def _through_proxy(target: Target, step: float) -> Transport:
    parts = urlsplit(target.proxy if "://" in (target.proxy or "") else f"http://{target.proxy}")
    if parts.scheme != "http" or not parts.hostname:
        raise ArgumentError(
            "this is no HTTP proxy", on=str(parts.hostname), hint="http://proxy.example.test:3128"
        )
    transport = Transport(_open(str(parts.hostname), parts.port or 3128, step), step)
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if parts.username:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        lines.append("Proxy-Authorization: Basic " + base64.b64encode(pair.encode()).decode())
    try:
        transport.send("\r\n".join([*lines, "", ""]).encode(), "asking the proxy")
        answer = transport.until(b"\r\n\r\n", "the proxy's answer").split(b"\r\n")[0].decode("latin-1")
    except CertkitError:
        transport.close()
        raise
    status = answer.split(" ")[1:2]
    if not answer.startswith("HTTP/") or status != ["200"]:
        transport.close()
        raise CertkitError(
            "the proxy does not let us through",
            on=visible(answer),
            hint="its rules and password; is it a proxy at all?",
            cause="proxy-refused",
            kind="proxy",
        )
    return transport


def _expect(transport: Transport, wanted: bytes, doing: str) -> bytes:
    line = transport.until(b"\n", doing)
    while line[3:4] == b"-":  # a reply of several lines (RFC 5321, 4.2; RFC 959, 4.2)
        line = transport.until(b"\n", doing)
    if not line.startswith(wanted):
        raise CertkitError(
            "the server will not start TLS",
            on=visible(line.decode("latin-1").strip()),
            cause="protocol-version",
            kind="starttls",
        )
    return line


def _ftp(transport: Transport, _: str) -> None:
    _expect(transport, b"220", "FTP greeting")
    transport.send(b"AUTH TLS\r\n", "AUTH TLS")
    _expect(transport, b"234", "AUTH TLS")


def _smtp(transport: Transport, _: str) -> None:
    _expect(transport, b"220", "SMTP greeting")
    transport.send(b"EHLO certkit.invalid\r\n", "EHLO")
    _expect(transport, b"250", "EHLO")
    transport.send(b"STARTTLS\r\n", "STARTTLS")
    _expect(transport, b"220", "STARTTLS")


def _imap(transport: Transport, _: str) -> None:
    transport.until(b"\n", "IMAP greeting")
    transport.send(b"a1 STARTTLS\r\n", "STARTTLS")
    line = b"*"
    while line.startswith(b"*"):
        line = transport.until(b"\n", "STARTTLS")
    if not line.startswith(b"a1 OK"):
        raise CertkitError(
            "the server will not start TLS",
            on=visible(line.decode("latin-1").strip()),
            cause="protocol-version",
            kind="starttls",
        )


def _pop3(transport: Transport, _: str) -> None:
    _expect(transport, b"+OK", "POP3 greeting")
    transport.send(b"STLS\r\n", "STLS")
    _expect(transport, b"+OK", "STLS")


def _ldap(transport: Transport, _: str) -> None:
    # ExtendedRequest with the StartTLS OID (RFC 4511, 4.14.1)
    oid = b"1.3.6.1.4.1.1466.20037"
    request = b"\x77" + bytes([len(oid) + 2]) + b"\x80" + bytes([len(oid)]) + oid
    transport.send(b"\x30" + bytes([len(request) + 3]) + b"\x02\x01\x01" + request, "StartTLS")
    head = transport.exactly(2, "StartTLS")
    body = transport.exactly(head[1] if len(head) == 2 and head[1] < 0x80 else 0, "StartTLS")
    if b"\x0a\x01\x00" not in body[:16]:
        raise CertkitError(
            "the server will not start TLS", on=body[:24].hex(), cause="protocol-version", kind="starttls"
        )


def _postgres(transport: Transport, _: str) -> None:
    transport.send(struct.pack(">II", 8, 80877103), "SSLRequest")
    if transport.exactly(1, "SSLRequest") != b"S":
        raise CertkitError(
            "the server will not start TLS", on="PostgreSQL", cause="protocol-version", kind="starttls"
        )


def _mysql(transport: Transport, _: str) -> None:
    head = transport.exactly(4, "MySQL greeting")
    size = int.from_bytes(head[:3], "little") if len(head) == 4 else 0
    greeting = transport.exactly(min(size, MAX_PLAIN_BYTES), "MySQL greeting")
    end = greeting.find(b"\x00", 1)
    flags = int.from_bytes(greeting[end + 14 : end + 16], "little") if end > 0 else 0
    if not flags & 0x0800:  # CLIENT_SSL
        raise CertkitError(
            "the server will not start TLS", on="MySQL", cause="protocol-version", kind="starttls"
        )
    # CLIENT_PROTOCOL_41 | CLIENT_SSL | CLIENT_SECURE_CONNECTION, 16 MiB packets, utf8
    body = struct.pack("<IIB23x", 0x0200 | 0x0800 | 0x8000, 1 << 24, 33)
    transport.send(len(body).to_bytes(3, "little") + b"\x01" + body, "SSLRequest")


def _xmpp(transport: Transport, host: str) -> None:
    opening = f"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='{host}' version='1.0'>"
    transport.send(opening.encode("ascii", "xmlcharrefreplace"), "opening the stream")
    transport.until(b"</stream:features>", "stream features")
    transport.send(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "starttls")
    if b"proceed" not in transport.until(b">", "starttls"):
        raise CertkitError(
            "the server will not start TLS", on="XMPP", cause="protocol-version", kind="starttls"
        )


STARTTLS: dict[str, Callable[[Transport, str], None]] = {
    "ftp": _ftp,
    "smtp": _smtp,
    "imap": _imap,
    "pop3": _pop3,
    "ldap": _ldap,
    "postgres": _postgres,
    "mysql": _mysql,
    "xmpp": _xmpp,
}
"""The protocols that begin in clear and change to TLS on request."""
