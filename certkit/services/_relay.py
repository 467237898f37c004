"""Bytes from one socket to another and back, until both sides have ended."""

from __future__ import annotations

import contextlib
import selectors
import socket
from collections.abc import Callable

__all__ = ["relay"]

IDLE_SECONDS = 60.0
_READ_SIZE = 65_536


def relay(
    client: socket.socket, server: socket.socket, heard: Callable[[str, bytes], None] | None = None
) -> None:
    """Carry bytes both ways until each side has ended, or nothing moved for a minute.

    Parameters
    ----------
    client, server : socket.socket
        Two connected plain sockets; neither is closed here.
    heard : callable, optional
        Gets ``"client"`` or ``"server"`` and the bytes, before they are passed on.
    """
    for end in (client, server):
        end.settimeout(IDLE_SECONDS)
    with selectors.DefaultSelector() as ready:
        ready.register(client, selectors.EVENT_READ, ("client", server))
        ready.register(server, selectors.EVENT_READ, ("server", client))
        while ready.get_map():
            events = ready.select(IDLE_SECONDS)
            if not events:
                return
            for key, _ in events:
                source = key.fileobj
                sender, sink = key.data
                if isinstance(source, socket.socket) and not _carry(source, sink, sender, heard):
                    ready.unregister(source)


def _carry(
    source: socket.socket, sink: socket.socket, sender: str, heard: Callable[[str, bytes], None] | None
) -> bool:
    """Pass on what is there; at the source's end, end the sink's direction and return False."""
    try:
        data = source.recv(_READ_SIZE)
    except OSError:
        data = b""
    if not data:
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
        return False
    if heard is not None:
        heard(sender, data)
    # If nobody is left to hear it, the rest of this direction is read and lost, as by any relay.
    with contextlib.suppress(OSError):
        sink.sendall(data)
    return True
