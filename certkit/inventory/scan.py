"""`scan_inventory` and `scan_to_parquet`: folders in, one row per certificate and place out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from certkit._files import iso, utc
from certkit.errors import ArgumentError
from certkit.inventory.engine import check_engine, run
from certkit.inventory.journal import Journal, paths_as_text
from certkit.inventory.passwords import Passwords, PasswordSource
from certkit.inventory.storage import check_target, read_inventory, write_batches
from certkit.inventory.table import import_arrow, to_frame
from certkit.inventory.tally import Tally
from certkit.inventory.units import cut
from certkit.inventory.work import Job, batches_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["scan_inventory", "scan_to_parquet", "scan_to_tally"]

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


def scan_inventory(
    paths: Paths,
    *,
    passwords: PasswordSource = None,
    at: datetime | None = None,
    output: str | os.PathLike[str] | None = None,
    engine: str = "local",
    scheduler: str | None = None,
    resume: bool = False,
    workers: int | None = None,
) -> pd.DataFrame:
    """Return a table of every certificate in files and folders: one row per certificate and place.

    Every file that could not be read is a row too, with its reason: an unreadable store never looks clean.
    Private keys are never opened.

    Parameters
    ----------
    paths : path or list of paths
        Files and folders; with ``://``, places that fsspec reaches, such as ``"s3://bucket/folder"``. The content
        decides what a file is, not its name.
    passwords : path, list of str or dict, optional
        A file with one password a line, a list of passwords, or a dict from path pattern to password; they
        are tried on sealed stores and show in no output.
    at : datetime, optional
        The clock by which days are counted, aware; now by default.
    output : path, optional
        A Parquet file to write as well; see `scan_to_parquet`.
    engine : {"local", "dask"}
        This machine, or a Dask cluster.
    scheduler : str, optional
        The address of the cluster; without it one is started on this machine.
    resume : bool
        Go on with an unfinished scan into the same `output`.
    workers : int, optional
        How many processes; one a core by default. Small scans are done in this process.

    Returns
    -------
    pandas.DataFrame
        Arrow-backed, with the columns of `certkit.inventory.table.COLUMNS`; ``.attrs`` holds the clock (``at``)
        and how many files were no keystore (``other_files``).

    Raises
    ------
    ArgumentError
        If a path does not exist, or `at` has no time zone.
    MissingToolError
        If pyarrow is not installed.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from certkit.authority import CertificateAuthority
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "root.pem").write_text(CertificateAuthority("Lab Root").certificate.pem)
    ...     table = scan_inventory(folder)
    >>> table[["subject", "role", "status"]].values.tolist()
    [['CN=Lab Root', 'root', 'valid']]
    """
    if output is not None:
        scan_to_parquet(
            paths,
            output,
            passwords=passwords,
            at=at,
            engine=engine,
            scheduler=scheduler,
            resume=resume,
            workers=workers,
        )
        return read_inventory(output)
    if resume:
        raise ArgumentError("only a scan into a file can be resumed", hint='output="inventory.parquet"')
    job = Job(utc(at), Passwords.of(passwords))
    others = 0
    import_arrow()

    def batches() -> Iterator[Any]:
        nonlocal others
        for done in run(cut(_listed(paths)), job, engine=engine, scheduler=scheduler, workers=workers):
            others += done.others
            yield from batches_of(done.data)

    frame = to_frame(batches())
    frame.attrs["at"] = iso(job.at)
    frame.attrs["other_files"] = others
    return frame


def scan_to_parquet(
    paths: Paths,
    output: str | os.PathLike[str],
    *,
    passwords: PasswordSource = None,
    at: datetime | None = None,
    engine: str = "local",
    scheduler: str | None = None,
    resume: bool = False,
    workers: int | None = None,
) -> Tally:
    """Scan into a Parquet file, with memory that does not grow with the number of certificates.

    Finished pieces are kept in a working folder beside the output. Killed at any moment and run again with
    `resume`, the scan ends with the table of an undisturbed run: it keeps its list of files and its clock. The
    output appears only when it is whole.

    Parameters
    ----------
    paths, passwords, at, engine, scheduler, workers
        As for `scan_inventory`.
    output : path
        The file; a name that ends with a slash makes a folder of partitions, a million rows each. With Dask, its
        workers write these themselves, some thousand certificates each: the folder must be one that all machines share.
    resume : bool
        Go on with an unfinished scan, if there is one; else start.

    Returns
    -------
    Tally
        The headline, counted on the way, and what ends first.

    Raises
    ------
    ArgumentError
        If a path does not exist, or the unfinished scan is of other paths.
    FileError
        If the output cannot be written, e.g. because the disk is full; nothing half written is left under its name.
    """
    places = paths_as_text(_listed(paths))
    target, partitioned = check_target(output)
    import_arrow()
    journal = Journal(target)
    try:
        clock = journal.open(places, utc(at), resume=resume)
        journal.plan(cut(places))
        job = Job(clock, Passwords.of(passwords))
        check_engine(engine, scheduler, workers)
        if partitioned and engine == "dask":
            tally = _written_by_workers(journal, job, target, scheduler, workers)
        else:
            to_do = journal.to_do()
            fresh = journal.keep(run(to_do, job, engine=engine, scheduler=scheduler, workers=workers))
            tally = Tally()
            # Written while the workers read on: the working folder is for the day when this does not get to its end.
            results = chain(journal.results(), fresh)
            write_batches(target, tally.counted(results), iso(clock), partitioned=partitioned)
    except BaseException:
        journal.close()
        raise
    journal.remove()
    return tally


def _written_by_workers(
    journal: Journal, job: Job, target: Path, scheduler: str | None, workers: int | None
) -> Tally:
    """Let the workers of a cluster write the partitions; count, and give them their name when all are there."""
    from certkit.inventory import dask_engine  # noqa: PLC0415 - an optional package, slow to load

    tally = Tally()
    parts = list(journal.parts(dask_engine.UNITS_A_PART))
    to_do = [(str(path), units) for path, units, there in parts if not there]
    with closing(dask_engine.write_parts(to_do, job, scheduler, workers)) as fresh:
        for path, _, there in parts:
            tally.add(Tally.of_file(path) if there else next(fresh))
    journal.hand_over(target)
    return tally


def scan_to_tally(
    paths: Paths,
    *,
    passwords: PasswordSource = None,
    at: datetime | None = None,
    engine: str = "local",
    scheduler: str | None = None,
    workers: int | None = None,
) -> Tally:
    """Scan for the headline alone: no table is made, in memory or on disk.

    The parameters and errors are those of `scan_inventory`.
    """
    import_arrow()
    job = Job(utc(at), Passwords.of(passwords))
    tally = Tally()
    for _ in tally.counted(
        run(cut(_listed(paths)), job, engine=engine, scheduler=scheduler, workers=workers)
    ):
        pass
    return tally


def _listed(paths: Paths) -> list[str | os.PathLike[str]]:
    found = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    if not found:
        raise ArgumentError("no path was given", hint="a folder of keystores, or ck.system_stores()")
    return found
