"""A scan cut into pieces of work: some files, or a span of one large bundle. Always the same pieces in the same order."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from certkit.inventory.places import Place, is_remote, walk

__all__ = ["Unit", "cut"]

FILES_A_UNIT = 256
BYTES_A_UNIT = 2 << 20
SPAN = 2 << 20
"""Bytes of a large bundle in one piece: about 1,500 certificates."""

_PEM = b"-----BEGIN "


class Unit(NamedTuple):
    """One piece of work.

    Attributes
    ----------
    places : tuple of Place
        The files.
    start, end : int
        For a bundle, the span in which a certificate must begin; both 0 for whole files.
    """

    places: tuple[Place, ...]
    start: int = 0
    end: int = 0

    def to_list(self) -> list[Any]:
        """Return it as plain lists, for JSON."""
        return [[list(place) for place in self.places], self.start, self.end]

    @classmethod
    def from_list(cls, values: list[Any]) -> Unit:
        """Return the unit that `to_list` wrote."""
        return cls(tuple(Place(*place) for place in values[0]), values[1], values[2])


def cut(paths: Iterable[str | os.PathLike[str]]) -> Iterator[Unit]:
    """Yield the pieces of a scan.

    Raises
    ------
    ArgumentError
        If a path does not exist.
    """
    group: list[Place] = []
    size = 0
    for place in walk(paths):
        if place.size > 2 * BYTES_A_UNIT and not place.error and _is_bundle(place.path):
            # What came before goes first, so that rows stand in the order of the walk.
            if group:
                yield Unit(tuple(group))
                group, size = [], 0
            starts = range(0, place.size, SPAN)
            yield from (Unit((place,), start, min(start + SPAN, place.size)) for start in starts)
            continue
        group.append(place)
        size += place.size
        if len(group) >= FILES_A_UNIT or size >= BYTES_A_UNIT:
            yield Unit(tuple(group))
            group, size = [], 0
    if group:
        yield Unit(tuple(group))


def _is_bundle(path: str) -> bool:
    """Return whether a large file is PEM text that can be read in spans."""
    if is_remote(path):
        return False
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 - paths are kept as the system calls them
            return _PEM in stream.read(65_536)
    except OSError:
        return False
