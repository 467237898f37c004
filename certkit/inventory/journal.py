"""The working folder of a long scan: its plan, and every finished piece, so that a killed scan goes on where it was.

Beside ``all.parquet`` it is ``.all.parquet.scan/``: ``scan.json`` says what is scanned and by which clock,
``plan`` holds the pieces of work, one JSON line each, and ``rows`` the finished ones in their order. A record of
``rows`` is a header (length, other files, CRC-32) and an Arrow stream; what a kill cut off in the middle is no
record, and is done again.
"""

from __future__ import annotations

import glob
import itertools
import json
import os
import shutil
import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from certkit._files import iso
from certkit.errors import ArgumentError, FileError
from certkit.inventory.places import is_remote
from certkit.inventory.units import Unit
from certkit.inventory.work import Done

__all__ = ["Journal"]

_VERSION = 1
_RECORD = struct.Struct(">QQI")


class Journal:
    """The working folder of one scan.

    Parameters
    ----------
    output : Path
        The file that is to be written.
    """

    def __init__(self, output: Path) -> None:
        self.folder = output.with_name(f".{output.name}.scan")
        self._lock: IO[bytes] | None = None

    def open(self, paths: list[str], at: datetime, *, resume: bool) -> datetime:
        """Start afresh, or go on with an unfinished scan; return the clock to use.

        Raises
        ------
        ArgumentError
            If the unfinished scan is of other paths.
        FileError
            If the folder cannot be written, or another scan is using it.
        """
        try:
            return self._open(paths, at, resume)
        except OSError as error:
            raise self._failed(error) from None

    def _open(self, paths: list[str], at: datetime, resume: bool) -> datetime:
        self.folder.mkdir(exist_ok=True)
        self._only_one()
        self._clear_leftovers()
        about = self.folder / "scan.json"
        if resume and about.exists() and (self.folder / "plan").exists():
            noted = json.loads(about.read_text("utf-8"))
            if noted["version"] != _VERSION or noted["paths"] != paths:
                raise ArgumentError(
                    "the unfinished scan is of other paths",
                    on=", ".join(noted["paths"])[:200],
                    hint="name the same paths in the same order, or leave --resume out to start again",
                )
            return datetime.fromisoformat(noted["at"])
        for name in ("plan", "rows", "plan.part"):
            (self.folder / name).unlink(missing_ok=True)
        shutil.rmtree(self.folder / "parts", ignore_errors=True)
        about.write_text(json.dumps({"version": _VERSION, "paths": paths, "at": iso(at)}), "utf-8")
        return at

    def _clear_leftovers(self) -> None:
        """Remove what a scan that was killed while it wrote the output left beside it."""
        name = self.folder.name.removesuffix(".scan")
        for left in self.folder.parent.glob(f"{glob.escape(name)}.*.part"):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)

    def _only_one(self) -> None:
        """Hold a lock for as long as this process lives; a killed one leaves none behind."""
        try:
            import fcntl  # noqa: PLC0415 - not on Windows
        except ImportError:
            return
        self._lock = (self.folder / "lock").open("wb")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise FileError(
                "another scan is writing this file", on=self.folder, hint="wait for it, or name another file"
            ) from None

    def plan(self, units: Iterable[Unit]) -> None:
        """Write the plan, whole or not at all; an existing one stays: the folder may have changed since."""
        target = self.folder / "plan"
        if target.exists():
            return
        part = target.with_suffix(".part")
        try:
            with part.open("w", encoding="ascii") as stream:
                for unit in units:
                    stream.write(json.dumps(unit.to_list(), separators=(",", ":")) + "\n")
            part.replace(target)
        except OSError as error:
            raise self._failed(error) from None

    def to_do(self) -> Iterator[Unit]:
        """Yield the units that are not done yet; what a kill left behind half written is cut off first."""
        done = self._repair()
        with (self.folder / "plan").open(encoding="ascii") as stream:
            for number, line in enumerate(stream):
                if number >= done:
                    yield Unit.from_list(json.loads(line))

    def parts(self, units_a_part: int) -> Iterator[tuple[Path, tuple[Unit, ...], bool]]:
        """Yield the parts of a table that workers write by themselves: where, of what, and whether it is there already."""
        folder = self.folder / "parts"
        folder.mkdir(exist_ok=True)
        with (self.folder / "plan").open(encoding="ascii") as stream:
            units = (Unit.from_list(json.loads(line)) for line in stream)
            for number in itertools.count():
                if not (group := tuple(itertools.islice(units, units_a_part))):
                    return
                path = folder / f"part-{number:07}.parquet"
                yield path, group, path.exists()

    def hand_over(self, target: Path) -> None:
        """Give the finished parts their name.

        Raises
        ------
        FileError
            If that cannot be done.
        """
        try:
            for left in (self.folder / "parts").glob(".*.part"):  # a worker died in the middle of it
                left.unlink()
            if target.is_dir():
                target.rmdir()
            (self.folder / "parts").replace(target)
        except OSError as error:
            raise self._failed(error) from None

    def _repair(self) -> int:
        """Return how many units are done, and cut the file behind the last whole record."""
        rows = self.folder / "rows"
        rows.touch()
        good = count = 0
        with rows.open("r+b") as stream:
            for _ in _records(stream):
                count, good = count + 1, stream.tell()
            stream.truncate(good)
        return count

    def keep(self, results: Iterable[Done]) -> Iterator[Done]:
        """Write results as they come, and hand each on once it is written."""
        try:
            with (self.folder / "rows").open("ab") as stream:
                for done in results:
                    stream.write(_RECORD.pack(len(done.data), done.others, zlib.crc32(done.data)))
                    stream.write(done.data)
                    stream.flush()
                    yield done
        except OSError as error:
            if isinstance(error, FileError):
                raise
            raise self._failed(error) from None

    def results(self) -> Iterator[Done]:
        """Yield every finished piece, in order."""
        if not (self.folder / "rows").exists():
            return
        with (self.folder / "rows").open("rb") as stream:
            yield from _records(stream)

    def remove(self) -> None:
        """Remove the folder: the output is whole."""
        if self._lock is not None:
            self._lock.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def close(self) -> None:
        """Give the folder up; it stays for ``--resume``, unless nothing was done yet."""
        if self._lock is not None:
            self._lock.close()
        with suppress(OSError):
            if not (self.folder / "plan").exists():
                shutil.rmtree(self.folder)

    def _failed(self, error: OSError) -> FileError:
        if isinstance(error, FileError):
            return error
        return FileError(
            f"the scan cannot write its working folder ({error.strerror or error})",
            on=self.folder,
            hint="make room, then run it again with --resume",
        )


def _records(stream: IO[bytes]) -> Iterator[Done]:
    """Yield whole records; stop at the first that is cut off or damaged."""
    size = os.fstat(stream.fileno()).st_size
    while len(head := stream.read(_RECORD.size)) == _RECORD.size:
        length, others, check = _RECORD.unpack(head)
        if length > size:
            return
        data = stream.read(length)
        if len(data) != length or zlib.crc32(data) != check:
            return
        yield Done(data, others)


def paths_as_text(paths: Iterable[Any]) -> list[str]:
    """Return paths as the plan notes them: absolute, so that a resumed scan may start in another folder."""
    return [text if is_remote(text := os.fsdecode(path)) else os.path.abspath(text) for path in paths]  # noqa: PTH100
