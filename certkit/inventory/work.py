"""One piece of work and its result, whoever does it."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from certkit.errors import FormatError
from certkit.inventory.passwords import Passwords
from certkit.inventory.places import utf8
from certkit.inventory.reading import Reader
from certkit.inventory.table import Row, arrow_batch, import_arrow
from certkit.inventory.units import Unit

__all__ = ["Done", "Job", "batches_of", "given_up", "read_unit"]


class Done(NamedTuple):
    """A finished piece of work.

    Attributes
    ----------
    data : bytes
        Its rows as an Arrow IPC stream.
    others : int
        How many of its files were no keystore.
    """

    data: bytes
    others: int


@dataclass(frozen=True)
class Job:
    """What all pieces of a scan have in common.

    Attributes
    ----------
    at : datetime
        The clock.
    passwords : Passwords
        Hidden in every repr.
    """

    at: datetime
    passwords: Passwords = field(default_factory=Passwords)


def read_unit(reader: Reader, unit: Unit) -> Done:
    """Return the rows of one piece of work."""
    before = reader.others
    with _no_collection():
        if unit.end:
            rows = list(reader.span(unit.places[0], unit.start, unit.end))
        else:
            rows = [row for place in unit.places for row in reader.rows(place)]
        return Done(_packed(rows), reader.others - before)


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Keep Python from looking for circles among thousands of rows, over and over: there are none in them."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def given_up(unit: Unit) -> Done:
    """Return a row for each file of a piece of work over which worker after worker ended."""
    reason = FormatError("the worker process ended while it read this file, or one beside it")
    return Done(_packed([Row.unreadable(utf8(place.path), reason) for place in unit.places]), 0)


def _packed(rows: Iterable[Row]) -> bytes:
    pa = import_arrow()
    batch = arrow_batch(list(rows))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


def batches_of(data: bytes) -> Iterator[Any]:
    """Yield the record batches of a finished piece of work."""
    with import_arrow().ipc.open_stream(data) as stream:
        yield from stream
