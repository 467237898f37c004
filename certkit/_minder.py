"""Who tidies up after a process that was killed: its temporary folders, and the programs that it had started.

A killed kernel runs no `finally`. So a small process of its own session listens on a pipe; when the pipe closes,
however that came about, it ends what is still noted and removes what is still there, and is gone itself.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

__all__ = ["minded_folder", "minded_group"]

# It forks at once, so that it is nobody's child: no zombie, and not in the way of who counts children. SIGTERM and
# SIGINT are for whole groups and terminals, which it outlives by design.
_SCRIPT = r"""
import os, shutil, signal, sys
if hasattr(os, "fork") and os.fork():
    os._exit(0)
for name in ("SIGINT", "SIGTERM", "SIGHUP"):
    if hasattr(signal, name):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
noted = {"folder": set(), "group": set()}
for line in sys.stdin:
    what, value = line.split()
    change = noted[what[1:]].add if what[0] == "+" else noted[what[1:]].discard
    change(value)
for group in noted["group"]:
    try:
        os.killpg(int(group), signal.SIGKILL)
    except OSError:
        pass
for folder in noted["folder"]:
    shutil.rmtree(os.fsdecode(bytes.fromhex(folder)), ignore_errors=True)
"""


class _Minder:
    """The pipe to the process that tidies up; made when first needed, and anew in a fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner = 0
        self._pipe = -1

    def tell(self, line: str = "") -> None:
        """Tell the process that tidies up; without a line, only see to it that there is one."""
        with self._lock, contextlib.suppress(OSError):
            if self._owner != os.getpid():
                self._start()
            if line:
                os.write(self._pipe, f"{line}\n".encode("ascii"))

    def _start(self) -> None:
        # Both ends are closed in programs that are started later: else their end would be waited for.
        read, self._pipe = os.pipe()
        self._owner = os.getpid()
        try:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and text
                [sys.executable, "-I", "-S", "-c", _SCRIPT],
                stdin=read,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=Path(sys.executable).anchor,
                start_new_session=sys.platform != "win32",
            )
        finally:
            os.close(read)
        if hasattr(os, "fork"):
            process.wait()  # it has forked


_minder = _Minder()


@contextlib.contextmanager
def minded_folder(prefix: str) -> Iterator[Path]:
    """Make a temporary folder of the owner's alone (0700), gone with the block, and with the process, however that ends.

    Examples
    --------
    >>> with minded_folder("certkit-example-") as folder:
    ...     oct(folder.stat().st_mode & 0o777)
    '0o700'
    >>> folder.exists()
    False
    """
    _minder.tell()  # before there is a folder, so that hardly a moment is left in which it is not noted
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as made:
        name = os.fsencode(made).hex()
        _minder.tell(f"+folder {name}")
        try:
            yield Path(made)
        finally:
            _minder.tell(f"-folder {name}")


@contextlib.contextmanager
def minded_group(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Note a program that leads a group of its own until the block ends: killed with this process, whole.

    On Windows, which has no such groups, nothing is noted.
    """
    if sys.platform == "win32":
        yield
        return
    _minder.tell(f"+group {process.pid}")
    try:
        yield
    finally:
        _minder.tell(f"-group {process.pid}")
