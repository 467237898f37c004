"""The Dask engine: the same pieces of work on a `distributed` cluster. A worker that dies loses nothing."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterable, Iterator
from typing import Any

from certkit.errors import ArgumentError, MissingToolError
from certkit.inventory.engine import in_order
from certkit.inventory.reading import Reader
from certkit.inventory.units import Unit
from certkit.inventory.work import Done, Job, given_up, read_unit

__all__ = ["run_dask"]

_AHEAD = 8
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
        threads = max(sum(client.nthreads().values()), 1)

        def submit(unit: Unit) -> _Outcome:
            return _Outcome(client.submit(read_there, unit, job, pure=False), unit)

        yield from in_order(submit, units, threads * _AHEAD)
