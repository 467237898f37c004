"""Columns of text that lie packed in memory and look like any other: each word once, fingerprints as bytes.

To pandas such a column is Arrow-backed text. Whatever it does with one sees it unpacked, and gets an ordinary column
back; only what is kept is small. pandas keeps the data of a column in ``_pa_array``, which is private to it:
`Packed` makes a property of that, here and nowhere else, and a test pins what it must do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from pandas.arrays import ArrowExtensionArray
from pyarrow import compute as pc

from certkit.inventory._arrays import NIBBLES

__all__ = ["Packed", "pack"]

_HEX = np.array([ord(text[0]) | ord(text[1]) << 8 for text in (f"{n:02x}" for n in range(256))], "<u2")
_INDEX_TYPES = ((1 << 7, pa.int8()), (1 << 15, pa.int16()), (1 << 31, pa.int32()))


@dataclass(frozen=True)
class Part:
    """Some rows of a column.

    Attributes
    ----------
    values : pyarrow.Array
        Text; or bytes, which stand for hexadecimal text; or nulls.
    indices : pyarrow.Array or None
        Which value each row has; None if each has its own.
    number : bool
        Whether a leading zero was added to an odd number of digits.
    """

    values: Any
    indices: Any
    number: bool

    def __len__(self) -> int:
        return len(self.values if self.indices is None else self.indices)

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return int(self.values.nbytes) + (0 if self.indices is None else int(self.indices.nbytes))

    def text(self) -> Any:
        """Return the rows as Arrow text."""
        values = self.values
        if values.type != pa.string():
            values = pa.nulls(len(values), pa.string()) if values.type == pa.null() else _unhex(values)
        if self.number:
            values = pc.ascii_ltrim(values, "0")
            values = pc.if_else(pc.equal(values, ""), "0", values)
        return values if self.indices is None else values.take(self.indices)

    def value(self, at: int) -> str | None:
        """Return one row."""
        index = at if self.indices is None else self.indices[at].as_py()
        if index is None:
            return None
        one: str | None = Part(self.values[index : index + 1], None, self.number).text()[0].as_py()
        return one


def _hexed(text: Any) -> Part | None:
    """Return hexadecimal text as bytes; None if anything else is in it."""
    validity, offsets, data = text.buffers()
    if text.offset or data is None:
        return None
    ends = np.frombuffer(offsets, np.int32, len(text) + 1)
    digits = np.frombuffer(data, np.uint8)[ends[0] : ends[-1]]
    # A look at the beginning is enough for most columns.
    if not len(digits) or NIBBLES[digits[:64]].max() > 15 or NIBBLES[digits].max() > 15:
        return None
    lengths = np.diff(ends)
    odd = (lengths & 1).astype(bool)
    if number := bool(odd.any()):
        digits = np.insert(digits, (ends[:-1] - ends[0])[odd], ord("0"))
        lengths = lengths + odd
    digits = NIBBLES[digits]
    packed = pa.py_buffer(digits[::2] << 4 | digits[1::2])
    size = int(lengths[0]) // 2
    if not text.null_count and (lengths == 2 * size).all():
        values = pa.Array.from_buffers(pa.binary(size), len(text), [None, packed])
    else:
        ends = np.zeros(len(text) + 1, np.int32)
        np.cumsum(lengths // 2, out=ends[1:])
        values = pa.Array.from_buffers(pa.binary(), len(text), [validity, pa.py_buffer(ends), packed])
    return Part(values, None, number)


def _unhex(values: Any) -> Any:
    """Return bytes as hexadecimal text."""
    values = values.cast(pa.binary())
    validity, offsets, data = pa.concat_arrays([values, values[:0]]).buffers()
    ends = np.frombuffer(offsets, np.int32, len(values) + 1)
    found = np.frombuffer(data, np.uint8)[ends[0] : ends[-1]]
    buffers = [validity, pa.py_buffer((ends - ends[0]) * np.int32(2)), pa.py_buffer(_HEX[found])]
    return pa.Array.from_buffers(pa.string(), len(values), buffers)


def _indexed(text: Any) -> tuple[Any, Any] | None:
    """Return the distinct values of a column and the smallest indices into them; None if it hardly repeats."""
    encoded = text.dictionary_encode()
    words = encoded.dictionary
    if 2 * len(words) > len(text):
        return None
    return words, encoded.indices.cast(next(kind for limit, kind in _INDEX_TYPES if len(words) <= limit))


def pack(text: Any) -> Part:
    """Return text in the smallest form that gives back exactly the same.

    Parameters
    ----------
    text : pyarrow.StringArray
        Some rows of a column.

    Examples
    --------
    >>> pack(pa.array(["00ff" * 16, "1234" * 16])).nbytes
    64
    """
    plain = Part(text, None, False)
    if text.null_count == len(text):
        return Part(pa.nulls(len(text)), None, False)
    forms = [_hexed(text), plain]
    if (found := _indexed(text)) is not None:
        words, indices = found
        forms += [
            None if form is None else replace(form, indices=indices)
            for form in (_hexed(words), Part(words, None, False))
        ]
    smaller = sorted((form for form in forms if form is not None), key=lambda form: form.nbytes)
    # Text and indices into it are what they are; what was read as hexadecimal has to prove it.
    return next(form for form in smaller if form.values.type == pa.string() or form.text().equals(text))


class Packed(ArrowExtensionArray):  # type: ignore[misc,unused-ignore]
    """A column of text, Arrow-backed, in less memory.

    Parameters
    ----------
    values : pyarrow.Array or pyarrow.ChunkedArray
        Kept as it is: pandas makes new columns from an old one in this way. `Packed.of` packs.

    Examples
    --------
    >>> column = Packed.of([pack(pa.array(["valid", "valid", "expired"] * 1000))])
    >>> column[2], len(column), str(column.dtype), column.nbytes < 10 * len(column) / 4
    ('expired', 3000, 'string[pyarrow]', True)
    """

    _parts: tuple[Part, ...] | None = None
    _plain: Any

    @classmethod
    def of(cls, parts: Iterable[Part]) -> Packed:
        """Return a column of these rows, one part after the other."""
        found = cls(pa.chunked_array([], pa.string()))
        found._parts = tuple(parts)
        return found

    @property
    def _pa_array(self) -> Any:
        if self._parts is None:
            return self._plain
        return pa.chunked_array([part.text() for part in self._parts], pa.string())

    @_pa_array.setter
    def _pa_array(self, values: Any) -> None:
        self._plain, self._parts = values, None

    def _same(self) -> Packed:
        """Return a second column over the same data, which nothing changes in place."""
        return type(self)(self._plain) if self._parts is None else self.of(self._parts)

    def copy(self) -> Any:
        """Return a column with the same data."""
        return self._same()

    def view(self, dtype: Any = None) -> Any:
        """Return a column with the same data."""
        if dtype is not None:
            return super().view(dtype)
        found = self._same()
        if (readonly := getattr(self, "_readonly", None)) is not None:
            setattr(found, "_readonly", readonly)  # noqa: B010 - since pandas 3
        return found

    def __len__(self) -> int:
        return len(self._plain) if self._parts is None else sum(map(len, self._parts))

    def __getitem__(self, item: Any) -> Any:
        if self._parts is None or not isinstance(item, int | np.integer):
            return super().__getitem__(item)
        at = int(item) + (len(self) if item < 0 else 0)
        for part in self._parts if at >= 0 else ():
            if at < len(part):
                found = part.value(at)
                return self.dtype.na_value if found is None else found
            at -= len(part)
        raise IndexError(f"there is no row {item} among {len(self)}")

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return int(self._plain.nbytes) if self._parts is None else sum(part.nbytes for part in self._parts)

    def __reduce__(self) -> tuple[Any, ...]:
        return ArrowExtensionArray, (self._pa_array,)
