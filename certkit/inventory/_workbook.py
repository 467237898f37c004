"""A table as an Excel workbook: dates as dates, a filter on every column, and no text that runs as a formula."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from certkit.errors import LimitError, MissingToolError

__all__ = ["write_workbook"]

_MOST_ROWS = 1_048_575
_MOST_CHARACTERS = 32_767
_WIDTHS = {
    "path": 50,
    "subject": 40,
    "issuer": 40,
    "sans": 40,
    "error": 40,
    "risks": 30,
    "sha256": 20,
    "spki_sha256": 20,
}


def write_workbook(
    path: Path, names: list[str], rows: Iterable[tuple[Any, ...]], plain: Callable[[Any], Any], count: int
) -> None:
    """Write a sheet.

    Parameters
    ----------
    path : Path
        The file.
    names : list of str
        The columns.
    rows : iterable of tuple
        The cells.
    plain : callable
        Makes a cell text, number, boolean, list of text or None.
    count : int
        How many rows there are.

    Raises
    ------
    LimitError
        If a sheet cannot hold them.
    MissingToolError
        If XlsxWriter is not installed.
    """
    if count > _MOST_ROWS:
        raise LimitError(
            f"a sheet holds {_MOST_ROWS:,} rows, and these are {count:,}",
            hint="write .csv or .parquet, or filter first",
        )
    try:
        xlsxwriter: Any = importlib.import_module("xlsxwriter")
    except ImportError:
        raise MissingToolError(
            "a workbook needs the package XlsxWriter", hint='pip install "certkit[scale]"'
        ) from None
    # Row by row into the file: memory does not grow with the table.
    book = xlsxwriter.Workbook(path, {"constant_memory": True, "tmpdir": str(path.parent)})
    try:
        _fill(book, names, rows, plain, count)
    finally:
        try:
            book.close()
        except xlsxwriter.exceptions.FileCreateError as error:
            raise OSError(*error.args[0].args) from None


def _fill(
    book: Any, names: list[str], rows: Iterable[tuple[Any, ...]], plain: Callable[[Any], Any], count: int
) -> None:
    sheet = book.add_worksheet("inventory")
    head, moment = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    for column, name in enumerate(names):
        sheet.set_column(column, column, _WIDTHS.get(name, 16))
        sheet.write_string(0, column, name, head)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, count, len(names) - 1)
    for number, row in enumerate(rows, 1):
        for column, value in enumerate(row):
            cell = plain(value)
            if cell is None:
                continue
            if isinstance(value, datetime) and value.year >= 1900:
                utc = value.astimezone(UTC) if value.tzinfo else value
                sheet.write_datetime(number, column, utc.replace(tzinfo=None), moment)
            elif isinstance(cell, bool):
                sheet.write_boolean(number, column, cell)
            elif isinstance(cell, int | float):
                sheet.write_number(number, column, cell)
            else:
                text = "; ".join(map(str, cell)) if isinstance(cell, list) else cell
                # write_string never makes a formula or a link of what it is given.
                sheet.write_string(number, column, text[:_MOST_CHARACTERS])
