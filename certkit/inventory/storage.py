"""The table as a Parquet file: written whole or not at all, and read back as it was."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from certkit.errors import CertkitError, FileError, FormatError
from certkit.inventory.table import arrow_schema, batches_from, grouped, import_arrow, to_frame

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["batches_in", "check_target", "read_inventory", "write_batches", "write_parquet"]

_AT = b"certkit.at"
GROUP_ROWS = 32_768
PARTITION_ROWS = 1_000_000


def check_target(output: str | os.PathLike[str]) -> tuple[Path, bool]:
    """Return the path to write and whether it is to be a folder of partitions, before any work is done.

    Raises
    ------
    FileError
        If its folder is missing, or something is in the way.
    """
    text = os.fspath(output)
    target, partitioned = Path(text), text.endswith(("/", os.sep))
    if not target.parent.is_dir():
        raise FileError("there is no such folder", on=target.parent, hint="make it first")
    if target.is_dir() and (not partitioned or any(target.iterdir())):
        raise FileError("this folder is there already", on=target, hint="name a new one, or a file")
    return target, partitioned


def write_batches(
    path: str | os.PathLike[str], batches: Iterable[Any], at: str, *, partitioned: bool = False
) -> Path:
    """Write record batches to a Parquet file, one after the other; it appears under its name when it is whole.

    Parameters
    ----------
    path : path
        The file, or with `partitioned` the folder.
    batches : iterable of record batches
        The rows.
    at : str
        The clock of the scan, noted in the file.
    partitioned : bool
        Whether to write a folder of files with a million rows each.

    Raises
    ------
    FileError
        If the folder is missing, the disk is full or writing is not allowed; nothing is left behind.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        if partitioned:
            temporary.mkdir()
            source = iter(batches)
            for number, first in enumerate(source):
                _write_file(
                    temporary / f"part-{number:05}.parquet", _up_to(first, source, PARTITION_ROWS), at
                )
            if target.is_dir():
                target.rmdir()
        else:
            _write_file(temporary, batches, at)
        temporary.replace(target)
    except OSError as error:
        if isinstance(error, CertkitError):
            raise
        raise FileError(
            f"this file cannot be written ({error.strerror or error})",
            on=target,
            hint="check the folder, the free space and your rights",
        ) from None
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            temporary.unlink(missing_ok=True)
    return target


def _up_to(first: Any, source: Iterator[Any], rows: int) -> Iterator[Any]:
    """Yield batches until there are as many rows."""
    yield first
    left = rows - first.num_rows
    while left > 0 and (batch := next(source, None)) is not None:
        yield batch
        left -= batch.num_rows


def _write_file(path: Path, batches: Iterable[Any], at: str) -> None:
    pa, parquet = import_arrow(), import_module("pyarrow.parquet")
    # Small groups make a file large and slow.
    schema = arrow_schema().with_metadata({_AT: at})
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for group in grouped(batches, GROUP_ROWS):
            writer.write_table(pa.Table.from_batches(group, arrow_schema()).cast(schema))
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def write_parquet(table: pd.DataFrame, path: str | os.PathLike[str]) -> Path:
    """Write an inventory as a Parquet file and return its path.

    Raises
    ------
    FileError
        If it cannot be written; nothing is left behind.
    """
    return write_batches(path, batches_from(table), table.attrs.get("at", ""))


def batches_in(path: str | os.PathLike[str]) -> Iterator[Any]:
    """Yield the rows of a Parquet file or folder piece by piece: as a whole it would take twice the room of its table."""
    found = import_module("pyarrow.dataset").dataset(path, format="parquet")
    pieces = found.to_batches(columns=arrow_schema().names, batch_readahead=1, fragment_readahead=1)
    yield from (piece.cast(arrow_schema()) for piece in pieces)


def read_inventory(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Return the inventory in a Parquet file, as `scan_inventory` returned it.

    Parameters
    ----------
    path : path
        A Parquet file, or a folder of partitions.

    Raises
    ------
    FileError
        If it is not there.
    FormatError
        If it is no inventory.
    """
    pa, dataset = import_arrow(), import_module("pyarrow.dataset")
    if not Path(path).exists():
        raise FileError("there is no such file", on=path, hint="certkit scan FOLDER -o inventory.parquet")
    try:
        found = dataset.dataset(path, format="parquet")
        noted = (found.schema.metadata or {}).get(_AT, b"").decode()
        frame = to_frame(batches_in(path))
    except (pa.ArrowException, KeyError, OSError) as error:
        reason = str(error).splitlines()[0][:120]
        raise FormatError(
            f"this is no inventory ({reason})", on=path, hint="certkit scan FOLDER -o FILE.parquet"
        ) from None
    if noted:
        frame.attrs["at"] = noted
    return frame
