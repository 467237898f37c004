"""Arrow arrays from Python's values and back, by way of their buffers: pyarrow's own way loads pandas, a second and 70 MB."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

__all__ = ["NIBBLES", "array", "bytes_of", "first_bits", "numbers"]

NIBBLES = np.full(256, 255, np.uint8)
"""What a hexadecimal digit is worth, by its byte; 255 for everything else."""
NIBBLES[[ord(digit) for digit in "0123456789abcdef"]] = range(16)


def array(values: Sequence[Any], kind: Any) -> Any:
    """Return values as an Arrow array; None is a missing one.

    Parameters
    ----------
    values : sequence of str, int, tuple of str, or None
        What a column holds.
    kind : pyarrow.DataType
        ``string``, a list of it, or a type with integers inside, such as a timestamp in seconds.

    Examples
    --------
    >>> array(("shop", None), pa.string()).to_pylist(), array(((), ("a", "b")), pa.list_(pa.string())).to_pylist()
    (['shop', None], [[], ['a', 'b']])
    """
    validity, values = _validity(values, () if pa.types.is_list(kind) else "" if kind == pa.string() else 0)
    if pa.types.is_list(kind):
        children = array([*chain.from_iterable(values)], kind.value_type)
        return pa.Array.from_buffers(kind, len(values), [validity, _offsets(values)], children=[children])
    if kind == pa.string():
        data = "".join(values).encode()
        offsets = _offsets(values)
        if not data.isascii():
            encoded = [text.encode() for text in values]
            offsets = _offsets(encoded)
        return pa.Array.from_buffers(kind, len(values), [validity, offsets, pa.py_buffer(data)])
    numbers = np.array(values, np.int32 if kind.bit_width == 32 else np.int64)
    return pa.Array.from_buffers(kind, len(values), [validity, pa.py_buffer(numbers)])


def _validity(values: Sequence[Any], instead: Any) -> tuple[Any, Sequence[Any]]:
    """Return the bitmap that says which values are there, or None if all are, and values without a gap."""
    if None not in values:
        return None, values
    there = np.fromiter((value is not None for value in values), bool, len(values))
    bitmap = pa.py_buffer(np.packbits(there, bitorder="little"))
    return bitmap, [instead if value is None else value for value in values]


def _offsets(values: Sequence[Any]) -> Any:
    ends = np.zeros(len(values) + 1, np.int32)
    np.cumsum(np.fromiter(map(len, values), np.int32, len(values)), out=ends[1:])
    return pa.py_buffer(ends)


def numbers(column: Any) -> Any:
    """Return an Arrow column of integers, or of timestamps, as NumPy's; what is missing is any number.

    Examples
    --------
    >>> numbers(array((7, 8), pa.timestamp("s", "UTC"))).tolist()
    [7, 8]
    """
    size = column.type.bit_width // 8
    return np.frombuffer(column.buffers()[1], f"i{size}", len(column), size * column.offset)


def bytes_of(column: Any) -> tuple[Any, Any]:
    """Return the bytes of an Arrow column of text, one after the other, and how many each value has.

    Examples
    --------
    >>> data, lengths = bytes_of(array(("shop", None, "b"), pa.string()))
    >>> bytes(data), lengths.tolist()
    (b'shopb', [4, 0, 1])
    """
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, np.int32, len(column) + 1, 4 * column.offset)
    found = np.empty(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)[ends[0] : ends[-1]]
    return found, np.diff(ends)


def first_bits(fingerprints: Any) -> Any:
    """Return the first 64 bits of each of some SHA-256 fingerprints, given as hexadecimal digits in a row.

    Examples
    --------
    >>> first_bits(np.frombuffer(b"00000000000000ff" + b"0" * 48, np.uint8)).tolist()
    [255]
    """
    nibbles = NIBBLES[fingerprints.reshape(-1, 64)[:, :16]]
    return np.ascontiguousarray(nibbles[:, ::2] << 4 | nibbles[:, 1::2]).view(">u8").ravel().astype(np.uint64)
