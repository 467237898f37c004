"""`scan_inventory`: folders in, one row per certificate and place out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from certkit._files import iso, utc
from certkit.errors import ArgumentError
from certkit.inventory.passwords import Passwords, PasswordSource
from certkit.inventory.places import Place, walk
from certkit.inventory.reading import Reader
from certkit.inventory.table import arrow_batch, to_frame

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["scan_inventory"]

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

_ROWS_A_BATCH = 8192


def scan_inventory(
    paths: Paths, *, passwords: PasswordSource = None, at: datetime | None = None
) -> pd.DataFrame:
    """Return a table of every certificate in files and folders: one row per certificate and place.

    Every file that could not be read is a row too, with its reason: an unreadable store never looks clean.
    Private keys are never opened.

    Parameters
    ----------
    paths : path or list of paths
        Files and folders. The content decides what a file is, not its name.
    passwords : path, list of str or dict, optional
        A file with one password a line, a list of passwords, or a dict from path pattern to password; they
        are tried on sealed stores and show in no output.
    at : datetime, optional
        The clock by which days are counted, aware; now by default.

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
    clock = utc(at)
    secrets = Passwords.of(passwords)
    reader = Reader(clock, secrets)
    frame = to_frame(_batches(reader, walk(_listed(paths))))
    frame.attrs["at"] = iso(clock)
    frame.attrs["other_files"] = reader.others
    return frame


def _listed(paths: Paths) -> list[str | os.PathLike[str]]:
    found = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    if not found:
        raise ArgumentError("no path was given", hint="a folder of keystores, or ck.system_stores()")
    return found


def _batches(reader: Reader, places: Iterable[Place]) -> Iterator[Any]:
    rows = (row for place in places for row in reader.rows(place))
    while part := list(islice(rows, _ROWS_A_BATCH)):
        yield arrow_batch(part)
