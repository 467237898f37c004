"""Where does a serialized Java object end? JCEKS stores secret keys so, without saying how long they are.

Only the grammar that a sealed object needs is walked (Java Object Serialization Specification, chapter 6);
nothing is ever deserialized.
"""

from __future__ import annotations

from certkit.errors import FormatError
from certkit.formats.limits import check_depth

__all__ = ["skip_object"]

_STREAM_HEADER = bytes.fromhex("aced0005")
_NULL, _REFERENCE, _CLASS, _OBJECT, _STRING, _ARRAY, _BLOCK, _END = (
    0x70,
    0x71,
    0x72,
    0x73,
    0x74,
    0x75,
    0x77,
    0x78,
)
_SIZES = {"B": 1, "C": 2, "D": 8, "F": 4, "I": 4, "J": 8, "S": 2, "Z": 1}
_FIRST_HANDLE = 0x7E0000
_MOST_HANDLES = 1000


class _Walker:
    """Walks one stream; the handles are the class descriptions that later parts refer back to."""

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self.data, self.at, self.end = data, at, end
        self.handles: list[_Class | None] = []

    def number(self, size: int) -> int:
        if self.at + size > self.end:
            raise _damaged(self.at, "ends early")
        self.at += size
        return int.from_bytes(self.data[self.at - size : self.at])

    def skip(self, size: int) -> None:
        if self.at + size > self.end:
            raise _damaged(self.at, "ends early")
        self.at += size

    def text(self) -> str:
        size = self.number(2)
        self.skip(size)
        return self.data[self.at - size : self.at].decode("utf-8", "replace")

    def keep(self, value: _Class | None) -> int:
        if len(self.handles) >= _MOST_HANDLES:
            raise _damaged(self.at, "has too many parts")
        self.handles.append(value)
        return len(self.handles) - 1

    def value(self, depth: int) -> None:
        check_depth(depth)
        tag = self.number(1)
        if tag == _NULL:
            return
        if tag == _REFERENCE:
            self.skip(4)
        elif tag == _STRING:
            self.keep(None)
            self.skip(self.number(2))
        elif tag == _ARRAY:
            description = self.description(depth + 1)
            self.keep(None)
            size = self.number(4)
            code = description.name[1:2] if description else ""
            if code not in _SIZES:
                raise _damaged(self.at, "holds an array of objects")
            self.skip(size * _SIZES[code])
        elif tag == _OBJECT:
            self.instance(depth)
        elif tag == _BLOCK:
            self.skip(self.number(1))
        else:
            raise _damaged(self.at - 1, f"has an unknown part 0x{tag:02x}")

    def instance(self, depth: int) -> None:
        described = self.description(depth + 1)
        self.keep(None)
        lineage: list[_Class] = []
        while described is not None:
            check_depth(len(lineage))
            lineage.append(described)
            described = described.parent
        for item in reversed(lineage):
            for code in item.fields:
                if code in _SIZES:
                    self.skip(_SIZES[code])
                else:
                    self.value(depth + 1)
            if item.flags & 0x01:
                self.annotation(depth + 1)

    def description(self, depth: int) -> _Class | None:
        check_depth(depth)
        tag = self.number(1)
        if tag == _NULL:
            return None
        if tag == _REFERENCE:
            index = self.number(4) - _FIRST_HANDLE
            if not 0 <= index < len(self.handles):
                raise _damaged(self.at, "refers to nothing")
            return self.handles[index]
        if tag != _CLASS:
            raise _damaged(self.at - 1, "has no class description")
        name = self.text()
        self.skip(8)
        index = self.keep(None)
        flags = self.number(1)
        fields = []
        for _ in range(self.number(2)):
            code = chr(self.number(1))
            self.text()
            if code not in _SIZES:
                self.value(depth + 1)
            fields.append(code)
        self.annotation(depth + 1)
        described = _Class(name, flags, tuple(fields), self.description(depth + 1))
        self.handles[index] = described
        return described

    def annotation(self, depth: int) -> None:
        while True:
            if self.at >= self.end:
                raise _damaged(self.at, "ends early")
            if self.data[self.at] == _END:
                self.at += 1
                return
            self.value(depth)


class _Class:
    __slots__ = ("fields", "flags", "name", "parent")

    def __init__(self, name: str, flags: int, fields: tuple[str, ...], parent: _Class | None) -> None:
        self.name, self.flags, self.fields, self.parent = name, flags, fields, parent


def _damaged(at: int, why: str) -> FormatError:
    return FormatError(
        f"a sealed object in this keystore {why}",
        on=f"offset {at:,}",
        hint="keytool -list -keystore FILE, to see whether Java reads it; else ask for it again",
        cause="tampered-or-corrupt",
        kind="bad-sealed-object",
    )


def skip_object(data: bytes, at: int, end: int) -> int:
    """Return the offset after the serialized object that begins at `at`.

    Raises
    ------
    FormatError
        If it is no serialized object, or is cut short.
    LimitError
        If it is nested deeper than a sealed key.
    """
    if data[at : at + 4] != _STREAM_HEADER:
        raise _damaged(at, "is no serialized Java object")
    walker = _Walker(data, at + 4, end)
    walker.value(0)
    return walker.at
