"""The table out: CSV, XLSX, Parquet, JSON, a calendar, a report. Exactly the rows and columns that are handed over."""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Callable, Iterator
from datetime import date, datetime
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from certkit._files import iso
from certkit.errors import ArgumentError, CertkitError, FileError
from certkit.inventory._calendar import write_calendar
from certkit.inventory._workbook import write_workbook
from certkit.inventory.storage import write_parquet
from certkit.inventory.table import COLUMNS, import_arrow

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EXPORT_FORMATS", "export_inventory", "plain"]

# What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export_inventory(table: pd.DataFrame, path: str | os.PathLike[str]) -> Path:
    """Write a table to a file, whole or not at all; its suffix says in which form.

    Parameters
    ----------
    table : pandas.DataFrame
        An inventory or the result of an analysis, filtered as you like: what is in it is written, and nothing else.
    path : path
        ``.csv``, ``.xlsx`` (dates as dates, filters on), ``.parquet``, ``.json`` or ``.ics`` (an all-day entry for each
        certificate's last day, with reminders 30 and 7 days before). A calendar entry keeps its identity: imported
        again, it is updated and not doubled. For a report, see `inventory_report`.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ArgumentError
        If the suffix is none of these, or the table lacks what a calendar needs.
    FileError
        If it cannot be written; nothing is left behind.
    """
    target = Path(path)
    write = _WRITERS.get(target.suffix.lower())
    if write is None:
        raise ArgumentError(
            "the suffix does not say in which form to write",
            on=target.name,
            hint="one of " + ", ".join(EXPORT_FORMATS),
        )
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        write(table, temporary)
        temporary.replace(target)
    except (OSError, UnicodeError) as error:
        if isinstance(error, CertkitError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise FileError(
            f"this file cannot be written ({reason})",
            on=target,
            hint="check the folder, the free space and your rights",
        ) from None
    finally:
        temporary.unlink(missing_ok=True)
    return target


def plain(value: Any) -> Any:
    """Return a cell as text, number, boolean, list of text or None: what JSON can hold.

    Examples
    --------
    >>> from datetime import datetime, timezone
    >>> plain(datetime(2027, 3, 1, tzinfo=timezone.utc)), plain(("a", "b")), plain(float("nan"))
    ('2027-03-01T00:00:00Z', ['a', 'b'], None)
    """
    if isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if isinstance(value, datetime):
        # pandas' NaT is a datetime too, and equals nothing.
        return iso(value) if value == value else None  # noqa: PLR0124
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return None if value is None or str(value) == "<NA>" else str(value)


def rows_of(table: pd.DataFrame) -> Iterator[list[Any]]:
    """Yield the rows with plain values."""
    for row in table.itertuples(index=False, name=None):
        yield [plain(value) for value in row]


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(table.columns)
        for row in rows_of(table):
            writer.writerow([_cell(value) for value in row])


def _cell(value: Any) -> Any:
    """Return a CSV cell; text that a spreadsheet would run is marked as text."""
    text = "; ".join(map(str, value)) if isinstance(value, list) else value
    return f"'{text}" if isinstance(text, str) and text.startswith(_FORMULA) else text


def _write_json(table: pd.DataFrame, path: Path) -> None:
    with path.open("w", encoding="utf-8") as stream:
        _json_rows(stream, list(table.columns), rows_of(table))


def _json_rows(stream: IO[str], names: list[str], rows: Iterator[list[Any]]) -> None:
    stream.write("[")
    for number, row in enumerate(rows):
        stream.write(",\n " if number else "\n ")
        json.dump(dict(zip(names, row, strict=True)), stream, ensure_ascii=False)
    stream.write("\n]\n")


def _write_parquet(table: pd.DataFrame, path: Path) -> None:
    if list(table.columns) == list(COLUMNS):
        write_parquet(table, path)
    else:
        # Without pandas' own notes in the file, which pandas itself cannot read back for lists.
        arrow = import_arrow().Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
        import_module("pyarrow.parquet").write_table(arrow, path, compression="zstd")


def _write_xlsx(table: pd.DataFrame, path: Path) -> None:
    write_workbook(path, list(table.columns), table.itertuples(index=False, name=None), plain, len(table))


_WRITERS: dict[str, Callable[[Any, Path], None]] = {
    ".csv": _write_csv,
    ".xlsx": _write_xlsx,
    ".parquet": _write_parquet,
    ".json": _write_json,
    ".ics": write_calendar,
}

EXPORT_FORMATS = tuple(_WRITERS)
"""The suffixes that `export_inventory` takes."""
