"""A worker process: pieces of work come in on stdin, Arrow goes out on stdout. Started by `Crew`, by nobody else."""

from __future__ import annotations

import contextlib
import json
import signal
import struct
import sys
from datetime import datetime
from typing import IO

from certkit.inventory.passwords import Passwords
from certkit.inventory.reading import Reader
from certkit.inventory.units import Unit
from certkit.inventory.work import read_unit

HEADER = struct.Struct(">QQ")
"""Before each answer: the length of the Arrow stream, and the number of other files."""

LENGTH = struct.Struct(">Q")
"""Before each request: its length."""


class _NoPandas:
    """Says that pandas is not here: pyarrow would load it at its first array, a second and 70 MB for each worker."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        """Refuse pandas; leave every other module to the finders that follow."""
        if name == "pandas":
            raise ImportError("a worker does without pandas")


def take(stream: IO[bytes]) -> bytes | None:
    """Return the next request; None when the pipe was closed."""
    head = stream.read(LENGTH.size)
    return stream.read(LENGTH.unpack(head)[0]) if len(head) == LENGTH.size else None


def main() -> None:
    """Serve until the pipe is closed. The first request holds the clock and the passwords."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    first = take(source)
    if first is None:
        return
    at, general, by_path = json.loads(first)
    reader = Reader(datetime.fromisoformat(at), Passwords(general, by_path))
    while (request := take(source)) is not None:
        done = read_unit(reader, Unit.from_list(json.loads(request)))
        sink.write(HEADER.pack(len(done.data), done.others))
        sink.write(done.data)
        sink.flush()


if __name__ == "__main__":
    # Ctrl-C reaches every process of the terminal; the one that asked for the work decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.meta_path.insert(0, _NoPandas)
    with contextlib.suppress(BrokenPipeError):
        main()
