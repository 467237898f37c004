"""Who does the work: this process, worker processes on this machine, or a Dask cluster. The table is the same."""

from __future__ import annotations

import math
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any

from certkit.errors import ArgumentError
from certkit.inventory._processes import Crew
from certkit.inventory.reading import Reader
from certkit.inventory.units import Unit
from certkit.inventory.work import Done, Job, read_unit

__all__ = ["ENGINES", "check_engine", "in_order", "run"]

ENGINES = ("local", "dask")
# Worker processes take as long to start.
_ALONE_SECONDS = 0.4
_AHEAD = 4


def in_order(submit: Callable[[Any], Any], units: Iterable[Any], ahead: int) -> Iterator[Any]:
    """Yield the results of submitted work in the order of the units, with a bounded number under way."""
    waiting: deque[Any] = deque()
    try:
        for unit in units:
            waiting.append(submit(unit))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for left in waiting:
            left.cancel()


def check_engine(engine: str, scheduler: str | None, workers: int | None) -> None:
    """Refuse what makes no sense.

    Raises
    ------
    ArgumentError
        If there is no such engine, the number of workers is not positive, or the scheduler is for another engine.
    """
    if engine not in ENGINES:
        raise ArgumentError("there is no such engine", on=repr(engine), hint="one of " + ", ".join(ENGINES))
    if workers is not None and workers < 1:
        raise ArgumentError("at least one worker is needed", on=workers)
    if scheduler is not None and engine != "dask":
        raise ArgumentError("a scheduler is for the Dask engine", on=scheduler, hint='engine="dask"')


def run(
    units: Iterable[Unit],
    job: Job,
    *,
    engine: str = "local",
    scheduler: str | None = None,
    workers: int | None = None,
) -> Iterator[Done]:
    """Return the results of the units, in order, from the engine that was asked for.

    Raises
    ------
    ArgumentError
        If there is no such engine, or the number of workers is not positive.
    """
    check_engine(engine, scheduler, workers)
    if engine == "dask":
        from certkit.inventory.dask_engine import run_dask  # noqa: PLC0415 - an optional package, slow to load

        return run_dask(units, job, scheduler, workers)
    return _run_local(units, job, workers)


def _run_local(units: Iterable[Unit], job: Job, workers: int | None) -> Iterator[Done]:
    """Read alone first: who is not done soon calls for help, unless a number of workers was asked for."""
    pieces = iter(units)
    alone = {None: _ALONE_SECONDS, 1: math.inf}.get(workers, 0)
    reader = Reader(job.at, job.passwords)
    until = time.monotonic() + alone
    while time.monotonic() < until:
        unit = next(pieces, None)
        if unit is None:
            return
        yield read_unit(reader, unit)
    first = next(pieces, None)
    if first is None:
        return
    if first.places[0].path.startswith("memory://"):  # fsspec's memory is this process's own
        yield from (read_unit(reader, unit) for unit in chain([first], pieces))
        return
    pieces = chain([first], pieces)
    number = workers or os.cpu_count() or 1
    # The pool ends first: its threads wait for answers of the crew.
    with Crew(job.at, job.passwords, number) as crew, ThreadPoolExecutor(number) as pool:
        yield from in_order(lambda unit: pool.submit(crew.read, unit), pieces, number * _AHEAD)
