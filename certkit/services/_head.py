"""The first lines of a connection: an HTTP head, read byte-true so that what follows is not lost."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass

from certkit.errors import FormatError

__all__ = ["Head", "lab_address", "read_head"]

MAX_HEAD_BYTES = 16_384


@dataclass(frozen=True)
class Head:
    """The head of an HTTP request.

    Attributes
    ----------
    method, target : str
        From the request line.
    fields : tuple of (str, str)
        Header names and values, in order.
    rest : bytes
        What came after it in the same breath.
    """

    method: str
    target: str
    fields: tuple[tuple[str, str], ...]
    rest: bytes

    def field(self, name: str) -> str | None:
        """Return the first value of that name, or None."""
        return next((value for key, value in self.fields if key.lower() == name.lower()), None)


def read_head(connection: socket.socket, seconds: float) -> Head | None:
    """Read an HTTP request head; None if the peer ends without one.

    Raises
    ------
    FormatError
        If what comes is no HTTP head, or none of a sane size.
    OSError
        If nothing comes in time, or the peer is gone.
    """
    data, end = b"", time.monotonic() + seconds
    while b"\r\n\r\n" not in data:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError("no request came in time")
        if len(data) > MAX_HEAD_BYTES:
            raise FormatError(
                "this head is too long",
                on=f"{len(data):,} bytes",
                hint=f"at most {MAX_HEAD_BYTES:,} are read",
                kind="not-http",
            )
        connection.settimeout(left)
        piece = connection.recv(4096)
        if not piece:
            return None
        data += piece
        if not data[:1].isalpha():
            raise FormatError("this is no HTTP request", on=repr(data[:16]), kind="not-http")
    connection.settimeout(seconds)
    text, _, rest = data.partition(b"\r\n\r\n")
    first, *lines = text.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise FormatError("this is no HTTP request line", on=repr(first[:60]), kind="not-http")
    pairs = [line.partition(":") for line in lines]
    return Head(words[0], words[1], tuple((name.strip(), value.strip()) for name, _, value in pairs), rest)


def lab_address(host: str) -> str | None:
    """Return where a name of the lab leads: to this machine; None for every other name.

    Names below ``.test`` exist nowhere (RFC 6761, 6.2), so in the lab they stand for this machine.

    Examples
    --------
    >>> lab_address("orders.example.test"), lab_address("example.org")
    ('127.0.0.1', None)
    """
    name = host.lower().rstrip(".")
    if name in {"localhost", "127.0.0.1"} or name.endswith(".test"):
        return "127.0.0.1"
    return "::1" if name == "::1" else None
