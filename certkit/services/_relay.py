"""Bytes from one socket to another and back, until both sides have ended; plain or TLS on either side."""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
from collections.abc import Callable

__all__ = ["Heard", "relay"]

IDLE_SECONDS = 60.0
_READ_SIZE = 65_536

Heard = Callable[[str, bytes], None]


def relay(client: socket.socket, server: socket.socket, heard: Heard | None = None) -> OSError | None:
    """Carry bytes both ways until each side has ended, or nothing moved for a minute.

    Between plain sockets, one side's end is passed on and the other may still speak. TLS has no such
    half end in practice: there, the first end is the end of both.

    Parameters
    ----------
    client, server : socket.socket
        Two connected sockets; neither is closed here.
    heard : callable, optional
        Gets ``"client"`` or ``"server"`` and the bytes, before they are passed on: opened, if that side is TLS.

    Returns
    -------
    OSError or None
        What went wrong when reading from the server (an alert, a reset); None if it just ended.
    """
    half_ends = not (isinstance(client, ssl.SSLSocket) or isinstance(server, ssl.SSLSocket))
    sides: dict[socket.socket, tuple[str, socket.socket]] = {
        client: ("client", server),
        server: ("server", client),
    }
    with selectors.DefaultSelector() as ready:
        for end in sides:
            ready.register(end, selectors.EVENT_READ)
        while ready.get_map():
            events = ready.select(IDLE_SECONDS)
            if not events:
                return None
            for key, _ in events:
                source = next(end for end in sides if end is key.fileobj)
                sender, sink = sides[source]
                try:
                    ended = not _carry(source, sink, sender, heard)
                except OSError as error:
                    if sender == "server":
                        return error
                    ended = True
                if ended and not half_ends:
                    return None
                if ended:
                    ready.unregister(source)
                    with contextlib.suppress(OSError):
                        sink.shutdown(socket.SHUT_WR)
    return None


def _carry(source: socket.socket, sink: socket.socket, sender: str, heard: Heard | None) -> bool:
    """Pass on all that is there, and return whether the source may have more."""
    while True:
        source.settimeout(0)
        try:
            data = source.recv(_READ_SIZE)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return True
        finally:
            with contextlib.suppress(OSError):
                source.settimeout(IDLE_SECONDS)
        if not data:
            return False
        if heard is not None:
            heard(sender, data)
        # If nobody is left to hear it, the rest of this direction is read and lost, as by any relay.
        with contextlib.suppress(OSError):
            sink.settimeout(IDLE_SECONDS)
            sink.sendall(data)
