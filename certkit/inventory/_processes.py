"""Worker processes on this machine. Not multiprocessing: that would run the caller's script again in each."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from datetime import datetime
from types import TracebackType
from typing import Any

from certkit.inventory._worker import HEADER, LENGTH
from certkit.inventory.passwords import Passwords
from certkit.inventory.units import Unit
from certkit.inventory.work import Done, given_up

__all__ = ["Crew"]


class _Died(Exception):  # noqa: N818 - caught one call up
    """The worker process ended in the middle of its work."""


class Crew:
    """Some worker processes, one a thread; they end with the block.

    Parameters
    ----------
    at : datetime
        The clock of the scan.
    passwords : Passwords
        They go through a pipe, never into the list of processes.
    workers : int
        How many at most.
    """

    def __init__(self, at: datetime, passwords: Passwords, workers: int) -> None:
        general, by_path = passwords.to_plain()
        self._hello = json.dumps([at.isoformat(), general, by_path]).encode()
        self._workers = workers
        self._mine = threading.local()
        self._all: list[subprocess.Popen[bytes]] = []
        self._lock = threading.Lock()

    def read(self, unit: Unit) -> Done:
        """Return the rows of a unit. A worker that dies over it is replaced; a second death makes its files rows."""
        for _ in range(2):
            try:
                return self._ask(unit)
            except _Died:
                self._mine.process = None
        return given_up(unit)

    def _ask(self, unit: Unit) -> Done:
        process = getattr(self._mine, "process", None) or self._start()
        try:
            _send(process, json.dumps(unit.to_list()).encode())
            head = process.stdout.read(HEADER.size)
            if len(head) != HEADER.size:
                raise _Died
            size, others = HEADER.unpack(head)
            data = process.stdout.read(size)
        except OSError:
            raise _Died from None
        if len(data) != size:
            raise _Died
        return Done(data, others)

    def _start(self) -> Any:
        process = subprocess.Popen(
            [sys.executable, "-m", "certkit.inventory._worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        with self._lock:
            self._all.append(process)
        self._mine.process = process
        with contextlib.suppress(OSError):  # a worker that dies at once is seen at the first question
            _send(process, self._hello)
        return process

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._all:
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
        for process in self._all:
            try:
                process.wait(2)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _send(process: Any, data: bytes) -> None:
    process.stdin.write(LENGTH.pack(len(data)) + data)
    process.stdin.flush()
