"""The base of every service: a thread that listens on loopback, drains what it closes, and leaves nothing.

A server that closes a socket while bytes of the client are unread makes the kernel send a reset, and
the reset overtakes the alert that says why. So every connection ends in the same way: say that
nothing more will come, read what is still under way for up to a second, close.
"""

from __future__ import annotations

import atexit
import contextlib
import ipaddress
import selectors
import socket
import ssl
import sys
import threading
import time
import traceback
from collections import deque
from pathlib import Path
from typing import Self

from certkit._html import Html, badge, definitions
from certkit._text import visible
from certkit.errors import ArgumentError, CertkitError

__all__ = ["Connection", "LoopbackServer", "drain", "running_services", "stop_services"]

DRAIN_SECONDS = 1.0
STEP_SECONDS = 5.0
MAX_CONNECTIONS = 128
MAX_FAILURES = 5

_running: set[LoopbackServer] = set()
_running_lock = threading.Lock()


def drain(connection: socket.socket, seconds: float = DRAIN_SECONDS) -> None:
    """Say that nothing more comes, read what the peer still sends for up to `seconds`, and close.

    Parameters
    ----------
    connection : socket.socket
        A connected socket, plain or TLS; what is read is thrown away unopened.
    seconds : float
        How long to wait for the peer's end.
    """
    # An SSLSocket would try to decrypt: the methods of its base class are meant.
    raw = socket.socket
    with contextlib.suppress(OSError), connection:
        raw.shutdown(connection, socket.SHUT_WR)
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            connection.settimeout(left)
            if not raw.recv(connection, 65_536):
                break


class Connection:
    """One accepted connection: its socket, which TLS may replace, and where it came from.

    Attributes
    ----------
    number : int
        Counted from 1 by its server.
    peer : str
        Address and port of the other end.
    socket : socket.socket
        The socket as it is now.
    """

    def __init__(self, number: int, accepted: socket.socket) -> None:
        self.number = number
        self.socket = accepted
        host, port = accepted.getpeername()[:2]
        self.peer = f"{host}:{port}"
        self._lock = threading.Lock()
        self._onward: list[socket.socket] = []

    def goes_on(self, onward: socket.socket) -> None:
        """Note a socket that this connection is passed on to, so that both are cut together."""
        with self._lock:
            self._onward.append(onward)

    def wrap(self, context: ssl.SSLContext) -> ssl.SSLSocket:
        """Put server-side TLS on the socket, the handshake still to do."""
        with self._lock:
            wrapped = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
            self.socket = wrapped
        return wrapped

    def close_notify(self) -> None:
        """Tell the peer that the end is meant, if the socket is TLS (RFC 8446, 6.1)."""
        if isinstance(self.socket, ssl.SSLSocket):
            with contextlib.suppress(OSError, ValueError):
                self.socket.settimeout(DRAIN_SECONDS)
                self.socket.unwrap()

    def cut(self, how: int) -> None:
        """Shut the socket down, from any thread, so that whoever waits on it goes on."""
        with self._lock:
            for opened in (self.socket, *self._onward):
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(opened, how)


class LoopbackServer:
    """Listens on this machine only, one thread a connection; the base of all services.

    A subclass says in ``_serve`` what happens on a connection. Use it in a ``with`` block, or call
    ``start()`` and ``stop()``; what still runs when Python ends is stopped then.

    Parameters
    ----------
    host : str
        The address to listen on: ``127.0.0.1``, another loopback address or ``localhost``.
    port : int
        0 takes a free one.
    allow_remote : bool
        Nothing here is made for a network: another machine may connect only if this is True as well.

    Raises
    ------
    ArgumentError
        If `host` is no loopback address and `allow_remote` is False, or `port` is no port.
    """

    scheme = "tcp"
    # Closing with unread bytes makes the kernel send RST, and the peer then drops an alert it has not read yet.
    abrupt = False

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, allow_remote: bool = False) -> None:
        self.host = loopback_address(host, allow_remote=allow_remote)
        if not isinstance(port, int) or not 0 <= port <= 65_535:
            raise ArgumentError("this is no port", on=repr(port), hint="0 takes a free one")
        self._wanted_port = port
        self._listener: socket.socket | None = None
        self._threads: dict[threading.Thread, Connection | None] = {}
        self._threads_lock = threading.Lock()
        self._change = threading.RLock()
        self._accepted = 0
        self._failures: deque[str] = deque(maxlen=MAX_FAILURES)

    # What a subclass fills in.

    def _serve(self, connection: Connection) -> None:
        """Serve one connection, in a thread of its own; the socket is drained and closed afterwards."""

    def _opened(self) -> None:
        """Get ready; called before the port opens."""

    def _closed(self) -> None:
        """Let go of everything; called when no connection is left."""

    # What everybody uses.

    @property
    def running(self) -> bool:
        """Whether it listens."""
        return self._listener is not None

    @property
    def port(self) -> int:
        """The port it listens on.

        Raises
        ------
        CertkitError
            If it is not running and no port was asked for.
        """
        if self._listener is not None:
            return int(self._listener.getsockname()[1])
        if self._wanted_port:
            return self._wanted_port
        raise CertkitError(
            "this service is not running, so it has no port", on=type(self).__name__, hint=".start()"
        )

    @property
    def address(self) -> tuple[str, int]:
        """Host and port, as ``socket.create_connection`` takes them."""
        return self.host, self.port

    @property
    def url(self) -> str:
        """Where to reach it."""
        return f"{self.scheme}://{authority(self.host, self.port)}"

    @property
    def failures(self) -> tuple[str, ...]:
        """What went wrong inside the service itself, which is a mistake of the lab's; empty if all is well.

        It stands here and in the service's own view because a service never writes to stderr.
        """
        return tuple(self._failures)

    def note_failure(self, error: BaseException) -> None:
        """Keep an error that should not have happened, with where it happened."""
        last = traceback.extract_tb(error.__traceback__)[-1:]
        where = "".join(f" ({Path(frame.filename).name}, line {frame.lineno})" for frame in last)
        self._failures.append(f"{type(error).__name__}: {visible(str(error), 200)}{where}")

    def start(self) -> Self:
        """Open the port and serve, in the background; does nothing if it runs already.

        Raises
        ------
        CertkitError
            If the port is taken or may not be used.
        """
        with self._change:
            if self._listener is not None:
                return self
            listener = self._listen()
            try:
                self._opened()
            except BaseException:
                listener.close()
                raise
            self._listener = listener
            self._wake_read, self._wake_write = socket.socketpair()
            with _running_lock:
                _running.add(self)
            self._accepting = self._thread(self._accept, None, "accept")
        return self

    def stop(self) -> None:
        """Close the port, let what is under way end, and leave nothing; does nothing if it is stopped.

        Raises
        ------
        CertkitError
            If a connection does not end within seconds.
        """
        with self._change:
            if self._listener is None:
                return
            self._wake_write.send(b"x")
            self._accepting.join()
            left = self._end_connections()
            for opened in (self._listener, self._wake_read, self._wake_write):
                opened.close()
            self._listener = None
            self._closed()
            with _running_lock:
                _running.discard(self)
        if left:
            raise CertkitError("some connections did not end", on=f"{left} of {type(self).__name__}")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        where = f"at {self.url}" if self.running else "stopped"
        return f"<{type(self).__name__} {where}>"

    def _facts(self) -> list[tuple[object, object]]:
        """Return what `_repr_html_` shows, name and value."""
        return []

    def _repr_html_(self) -> Html:
        state = badge("good", "running") if self.running else badge("neutral", "stopped")
        where: list[tuple[object, object]] = [("reached at", self.url)] if self.running else []
        wrong: list[tuple[object, object]] = [("failed inside", text) for text in self._failures]
        return definitions([("state", state), *where, *self._facts(), *wrong], caption=type(self).__name__)

    # How it works.

    def _listen(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            if sys.platform == "win32":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
            else:
                # Else a port that was just in use would be taken for minutes (TIME_WAIT).
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self.host, self._wanted_port))
            listener.listen(MAX_CONNECTIONS)
            listener.setblocking(False)
        except OSError as error:
            listener.close()
            raise CertkitError(
                f"cannot listen on this port ({error.strerror or error})",
                on=authority(self.host, self._wanted_port),
                hint="port=0 takes a free one",
            ) from None
        return listener

    def _thread(self, work: object, connection: Connection | None, name: str) -> threading.Thread:
        thread = threading.Thread(
            target=self._run,
            args=(work, connection),
            name=f"certkit-{type(self).__name__}-{name}",
            # Python waits for other threads before it calls what is registered to be called at exit.
            daemon=True,
        )
        with self._threads_lock:
            self._threads[thread] = connection
        try:
            thread.start()
        except RuntimeError:
            # From 3.12 on Python starts no thread once it is ending: then nobody will be served any more.
            with self._threads_lock:
                del self._threads[thread]
            if connection is None:
                raise
            connection.socket.close()
        return thread

    def _run(self, work: object, connection: Connection | None) -> None:
        try:
            if callable(work):
                work() if connection is None else work(connection)
        except OSError:
            pass  # the peer went away: nobody is left to tell
        except Exception as error:
            self.note_failure(error)
        finally:
            if connection is not None:
                if self.abrupt:
                    connection.socket.close()
                else:
                    drain(connection.socket)
            with self._threads_lock:
                self._threads.pop(threading.current_thread(), None)

    def _accept(self) -> None:
        listener = self._listener
        if listener is None:
            return
        with selectors.DefaultSelector() as ready:
            ready.register(listener, selectors.EVENT_READ)
            ready.register(self._wake_read, selectors.EVENT_READ)
            while True:
                if any(key.fileobj is self._wake_read for key, _ in ready.select()):
                    return
                self._accept_one(listener)

    def _accept_one(self, listener: socket.socket) -> None:
        try:
            accepted, _ = listener.accept()
        except OSError:
            return  # gone again before it was accepted
        try:
            accepted.settimeout(STEP_SECONDS)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._threads_lock:
                full = len(self._threads) > MAX_CONNECTIONS
            if full:
                accepted.close()
                return
            self._accepted += 1
            connection = Connection(self._accepted, accepted)
        except OSError:
            accepted.close()
            return
        self._thread(self._serve, connection, str(connection.number))

    def _serving(self) -> list[threading.Thread]:
        """Return the threads of the connections that are open now."""
        with self._threads_lock:
            return [thread for thread, connection in self._threads.items() if connection is not None]

    def _end_connections(self) -> int:
        # First no more requests are read, so that an answer under way still goes out; then no more at all.
        for how, seconds in ((socket.SHUT_RD, 1.0), (socket.SHUT_RDWR, STEP_SECONDS)):
            with self._threads_lock:
                left = dict(self._threads)
            for connection in left.values():
                if connection is not None:
                    connection.cut(how)
            end = time.monotonic() + seconds
            for thread in left:
                thread.join(max(0.0, end - time.monotonic()))
        with self._threads_lock:
            return len(self._threads)


def loopback_address(host: str, *, allow_remote: bool = False) -> str:
    """Return the address to use for `host`; only this machine's own unless `allow_remote`.

    Raises
    ------
    ArgumentError
        If `host` is not an address of this machine's loopback.

    Examples
    --------
    >>> loopback_address("localhost")
    '127.0.0.1'
    """
    address = "127.0.0.1" if host == "localhost" else host
    try:
        loopback = ipaddress.ip_address(address).is_loopback
    except ValueError:
        raise ArgumentError("this is no address", on=repr(host), hint="127.0.0.1") from None
    if not loopback and not allow_remote:
        raise ArgumentError(
            "services of the lab listen on this machine only",
            on=address,
            hint="127.0.0.1; allow_remote=True opens it to others, with nothing to protect it",
        )
    return address


def authority(host: str, port: int) -> str:
    """Return host and port as they stand in a URL (RFC 3986, 3.2).

    Examples
    --------
    >>> authority("::1", 80)
    '[::1]:80'
    """
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def running_services() -> tuple[LoopbackServer, ...]:
    """Return every service that runs now."""
    with _running_lock:
        return tuple(_running)


def stop_services() -> int:
    """Stop every service that runs, and return how many there were.

    Examples
    --------
    >>> from certkit.services import UserService
    >>> service = UserService().start()
    >>> stop_services(), service.running
    (1, False)
    """
    services = running_services()
    for service in services:
        service.stop()
    return len(services)


@atexit.register
def _stop_at_exit() -> None:
    for service in running_services():
        with contextlib.suppress(CertkitError, OSError):
            service.stop()
