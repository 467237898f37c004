"""Rows to an Arrow-backed DataFrame, and what each column means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from certkit._files import utc
from certkit._text import visible
from certkit.errors import CertkitError, MissingToolError

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "COLUMNS",
    "Row",
    "arrow_batch",
    "arrow_schema",
    "batches_from",
    "clock_of",
    "grouped",
    "import_arrow",
    "to_frame",
]

COLUMNS: dict[str, str] = {
    "path": "where it lies; a member of an archive stands behind `!/`",
    "format": "the store's format, found by content",
    "alias": "its name in the store; missing where the format has none",
    "kind": "private-key, chain (of a key), trusted-certificate, certificate; store for a row about the file",
    "role": "root, intermediate, server, client, both or other",
    "subject": "whom it describes",
    "issuer": "who signed it",
    "sans": "alternative names, with their type",
    "serial": "serial number, hexadecimal",
    "not_before": "first second of validity, UTC",
    "not_after": "last second of validity, UTC",
    "days_left": "whole days until then, at the time of the scan; negative once it is over",
    "key": "the public key's algorithm",
    "key_bits": "its size",
    "signature": "how it was signed",
    "sha256": "fingerprint of the certificate: equal in two rows for the very same certificate",
    "spki_sha256": "fingerprint of its public key: equal in two rows for the same key pair",
    "ski": "subject key identifier",
    "aki": "authority key identifier: the issuer's ski",
    "status": "one word, the most pressing one",
    "risks": "all of them",
    "integrity": "verified, not checked, or none if the file has no such check",
    "error": "why it could not be read, or which password was refused; missing if all is well",
}
"""The columns of an inventory, in order, and what each means."""


_PACKED_ROWS = 131_072


class Row(NamedTuple):
    """One certificate in one place, or one place that could not be read."""

    path: str
    format: str | None
    alias: str | None
    kind: str
    role: str | None
    subject: str | None
    issuer: str | None
    sans: tuple[str, ...] | None
    serial: str | None
    not_before: int | None
    not_after: int | None
    days_left: int | None
    key: str | None
    key_bits: int | None
    signature: str | None
    sha256: str | None
    spki_sha256: str | None
    ski: str | None
    aki: str | None
    status: str
    risks: tuple[str, ...]
    integrity: str | None
    error: str | None

    @classmethod
    def about(
        cls,
        path: str,
        status: str,
        error: str,
        *,
        format: str | None = None,
        alias: str | None = None,
        risks: tuple[str, ...] = (),
        integrity: str | None = None,
    ) -> Row:
        """Return a row about a place, with no certificate in it."""
        return cls(path, format, alias, "store", *(None,) * 15, status, risks, integrity, visible(error))

    @classmethod
    def unreadable(
        cls, path: str, error: CertkitError, format: str | None = None, alias: str | None = None
    ) -> Row:
        """Return a row about something that could not be read, with its cause as risk."""
        risks = () if error.cause is None else (error.cause,)
        return cls.about(path, "unreadable", error.what, format=format, alias=alias, risks=risks)


def import_arrow() -> Any:
    """Return pyarrow.

    Raises
    ------
    MissingToolError
        If it is not installed.
    """
    try:
        import pyarrow  # noqa: PLC0415 - an optional package, and slow to load
    except ImportError:
        raise MissingToolError(
            "an inventory needs the package pyarrow", hint='pip install "certkit[scale]"'
        ) from None
    return pyarrow


def arrow_schema() -> Any:
    """Return the schema of an inventory: strings, UTC timestamps in seconds, lists of strings."""
    pa = import_arrow()
    special = {
        "sans": pa.list_(pa.string()),
        "risks": pa.list_(pa.string()),
        "not_before": pa.timestamp("s", "UTC"),
        "not_after": pa.timestamp("s", "UTC"),
        "days_left": pa.int32(),
        "key_bits": pa.int32(),
    }
    return pa.schema([(name, special.get(name, pa.string())) for name in COLUMNS])


def arrow_batch(rows: list[Row]) -> Any:
    """Return rows as an Arrow record batch."""
    pa = import_arrow()
    from certkit.inventory._arrays import array  # noqa: PLC0415 - needs pyarrow

    schema = arrow_schema()
    columns: Iterable[Any] = zip(*rows, strict=True) if rows else [()] * len(COLUMNS)
    arrays = [array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.record_batch(arrays, schema=schema)


def grouped(batches: Iterable[Any], rows: int) -> Iterator[list[Any]]:
    """Yield batches together until they have as many rows."""
    group: list[Any] = []
    size = 0
    for batch in batches:
        group.append(batch)
        size += batch.num_rows
        if size >= rows:
            yield group
            group, size = [], 0
    if group:
        yield group


def to_frame(batches: Iterable[Any]) -> pd.DataFrame:
    """Return record batches as one Arrow-backed DataFrame, with its text packed: see `certkit.inventory._packed`."""
    import pandas as pd  # noqa: PLC0415 - slow to load

    from certkit.inventory._packed import Packed, pack  # noqa: PLC0415 - loads pandas

    pa, schema = import_arrow(), arrow_schema()
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for group in grouped(chain(batches, [arrow_batch([])]), _PACKED_ROWS):
        for name, column in zip(COLUMNS, pa.Table.from_batches(group, schema).columns, strict=True):
            rows = pa.concat_arrays(column.chunks)
            columns[name].append(pack(rows) if rows.type == pa.string() else rows)
    frame = {
        field.name: Packed.of(columns[field.name])
        if field.type == pa.string()
        else pd.arrays.ArrowExtensionArray(pa.chunked_array(columns[field.name], field.type))
        for field in schema
    }
    return pd.DataFrame(frame)


def batches_from(table: pd.DataFrame) -> list[Any]:
    """Return a DataFrame's rows as record batches."""
    arrow = import_arrow().Table.from_pandas(table, arrow_schema(), preserve_index=False)
    found: list[Any] = arrow.replace_schema_metadata(None).to_batches()
    return found


def clock_of(table: pd.DataFrame, at: datetime | None = None) -> datetime:
    """Return `at`, or else the clock of the scan that the table came from, or else now."""
    noted = table.attrs.get("at")
    return utc(datetime.fromisoformat(noted) if at is None and isinstance(noted, str) else at)
