"""The table as a Parquet file: written whole or not at all, and read back as it was."""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from certkit.errors import FileError, FormatError
from certkit.inventory.table import arrow_schema, import_arrow, to_frame

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_inventory", "write_batches", "write_parquet"]

_AT = b"certkit.at"


def write_batches(path: str | os.PathLike[str], batches: Iterable[Any], at: str) -> Path:
    """Write record batches to a Parquet file, one after the other; it appears under its name when it is whole.

    Raises
    ------
    FileError
        If the folder is missing, the disk is full or writing is not allowed; nothing is left behind.
    """
    pa, parquet = import_arrow(), import_module("pyarrow.parquet")
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    schema = arrow_schema().with_metadata({_AT: at})
    try:
        with parquet.ParquetWriter(temporary, schema, compression="zstd") as writer:
            for batch in batches:
                writer.write_table(pa.Table.from_batches([batch]).cast(schema))
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        temporary.replace(target)
    except OSError as error:
        raise FileError(
            f"this file cannot be written ({error.strerror or error})",
            on=target,
            hint="check the folder, the free space and your rights",
        ) from None
    finally:
        temporary.unlink(missing_ok=True)
    return target


def write_parquet(table: pd.DataFrame, path: str | os.PathLike[str]) -> Path:
    """Write an inventory as a Parquet file and return its path.

    Raises
    ------
    FileError
        If it cannot be written; nothing is left behind.
    """
    arrow = import_arrow().Table.from_pandas(table, arrow_schema(), preserve_index=False)
    return write_batches(path, arrow.replace_schema_metadata(None).to_batches(), table.attrs.get("at", ""))


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
    pa, parquet = import_arrow(), import_module("pyarrow.parquet")
    if not Path(path).exists():
        raise FileError("there is no such file", on=path, hint="certkit scan FOLDER -o inventory.parquet")
    try:
        found = parquet.read_table(path)
        noted = (found.schema.metadata or {}).get(_AT, b"").decode()
        frame = to_frame(found.select(arrow_schema().names).cast(arrow_schema()).to_batches())
    except (pa.ArrowException, KeyError, OSError) as error:
        reason = str(error).splitlines()[0][:120]
        raise FormatError(
            f"this is no inventory ({reason})", on=path, hint="certkit scan FOLDER -o FILE.parquet"
        ) from None
    if noted:
        frame.attrs["at"] = noted
    return frame
