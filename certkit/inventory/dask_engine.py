"""The Dask engine: the same pieces of work on a `distributed` cluster. A worker that dies loses nothing."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

from certkit._files import iso
from certkit.errors import ArgumentError, FileError, MissingToolError
from certkit.inventory.engine import in_order
from certkit.inventory.reading import Reader
from certkit.inventory.storage import write_batches
from certkit.inventory.tally import Tally
from certkit.inventory.units import Unit
from certkit.inventory.work import Done, Job, given_up, read_unit

__all__ = ["run_dask", "write_parts"]

_AHEAD = 8
UNITS_A_PART = 32
"""Pieces of work in one Parquet file that a worker writes: up to 8,000 files, or about 50,000 certificates of bundles."""

_reader: tuple[Job, Reader] | None = None


def read_there(unit: Unit, job: Job) -> Done:
    """Return the rows of one piece of work; runs on a worker of the cluster, which keeps one reader a scan."""
    global _reader  # noqa: PLW0603 - what a worker process remembers between two pieces of one scan
    if _reader is None or _reader[0] != job:
        _reader = (job, Reader(job.at, job.passwords))
    return read_unit(_reader[1], unit)


class _Outcome:
    """A future that turns a piece over which worker after worker died into rows that say so."""

    def __init__(self, future: Any, unit: Unit) -> None:
        self._future, self._unit = future, unit

    def result(self) -> Done:
        """Return the rows."""
        from distributed import KilledWorker  # noqa: PLC0415

        try:
            done: Done = self._future.result()
        except KilledWorker:
            return given_up(self._unit)
        finally:
            self._future.release()
        return done

    def cancel(self) -> None:
        """Give the work up."""
        self._future.cancel()


class _Written:
    """A future of a written part; where worker after worker died over it, each piece is tried by itself."""

    def __init__(self, client: Any, units: tuple[Unit, ...], job: Job, path: str) -> None:
        self._client, self._units, self._job, self._path = client, units, job, path
        self._future = client.submit(write_there, units, job, path, pure=False)

    def result(self) -> Tally:
        """Return the headline of the part."""
        from distributed import KilledWorker  # noqa: PLC0415

        try:
            tally: Tally = self._future.result()
        except KilledWorker:
            tally = Tally()
            alone = [
                _Outcome(self._client.submit(read_there, unit, self._job, pure=False), unit)
                for unit in self._units
            ]
            write_batches(self._path, tally.counted(one.result() for one in alone), iso(self._job.at))
        finally:
            self._future.release()
        if not Path(self._path).exists():
            raise FileError(
                "the workers write somewhere else",
                on=self._path,
                hint="name a folder that all machines share, or a file, which this machine writes",
            )
        return tally

    def cancel(self) -> None:
        """Give the work up."""
        self._future.cancel()


def write_there(units: tuple[Unit, ...], job: Job, path: str) -> Tally:
    """Write the rows of some pieces of work as one Parquet file, on a worker; done twice, it is the same file."""
    tally = Tally()
    write_batches(path, tally.counted(read_there(unit, job) for unit in units), iso(job.at))
    return tally


def write_parts(
    parts: Iterable[tuple[str, tuple[Unit, ...]]], job: Job, scheduler: str | None, workers: int | None
) -> Generator[Tally, None, None]:
    """Let the workers write Parquet files, each of some pieces of work; yield the headline of each, in order.

    Only counts come back: the rows never pass through this process. The folder must be one that all machines share.

    Parameters
    ----------
    parts : iterable of (str, tuple of Unit)
        The path of each file, and what is to be in it.
    job, scheduler, workers
        As for `run_dask`.

    Raises
    ------
    FileError
        If what a worker has written is not here.
    """
    with _connected(scheduler, workers) as (client, threads):

        def submit(part: tuple[str, tuple[Unit, ...]]) -> _Written:
            return _Written(client, part[1], job, part[0])

        yield from in_order(submit, parts, threads * 2)


def run_dask(units: Iterable[Unit], job: Job, scheduler: str | None, workers: int | None) -> Iterator[Done]:
    """Yield the results in order.

    Parameters
    ----------
    units : iterable of Unit
        The work.
    job : Job
        The clock and the passwords. They travel to the workers: on a network, give the cluster TLS.
    scheduler : str or None
        The address of a cluster; None starts one on this machine, and ends it.
    workers : int or None
        How many, for a cluster of our own.

    Raises
    ------
    ArgumentError
        If no cluster answers at the address.
    MissingToolError
        If `distributed` is not installed.
    """
    with _connected(scheduler, workers) as (client, threads):

        def submit(unit: Unit) -> _Outcome:
            return _Outcome(client.submit(read_there, unit, job, pure=False), unit)

        yield from in_order(submit, units, threads * _AHEAD)


@contextlib.contextmanager
def _connected(scheduler: str | None, workers: int | None) -> Iterator[tuple[Any, int]]:
    """Hold a client of a cluster, there or our own; yield it with the number of the cluster's threads."""
    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError:
        raise MissingToolError(
            "this engine needs the package distributed", hint='pip install "certkit[scale]"'
        ) from None
    with contextlib.ExitStack() as stack:
        if scheduler is None:
            cluster = stack.enter_context(
                distributed.LocalCluster(
                    n_workers=workers, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
                )
            )
            scheduler = str(cluster.scheduler_address)
        try:
            client = stack.enter_context(distributed.Client(scheduler, timeout="10s", set_as_default=False))
        except (OSError, ValueError, TimeoutError) as error:
            raise ArgumentError(
                f"no Dask scheduler answers there ({type(error).__name__})",
                on=scheduler,
                hint="tcp://host:8786",
            ) from None
        yield client, max(sum(client.nthreads().values()), 1)
