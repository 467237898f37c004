"""`fixture`: the material that an exercise starts from, the same for everybody and for every try."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from certkit._files import utc, write_file
from certkit._html import Html, definitions, tag
from certkit._text import count
from certkit.authority import CertificateAuthority
from certkit.errors import ArgumentError

__all__ = ["Fixture", "company", "fixture", "material", "today"]


@dataclass(frozen=True)
class Fixture:
    """What an exercise starts from: named parts, and files as somebody would hand them over.

    It depends on nothing that was done before: no section needs the answer of an earlier one. Its keys are
    derived from a seed, so they are toys.

    Attributes
    ----------
    number : str
        The exercise's.
    parts : mapping of str to object
        The parts by name; each is also an attribute, ``fixture.server``.
    files : mapping of str to bytes
        Files by name.
    story : str
        What this is, in a sentence or two.

    Examples
    --------
    >>> fixture("3.3").root.name
    'Orders Root CA'
    """

    number: str
    parts: Mapping[str, object]
    files: Mapping[str, bytes] = field(repr=False)
    story: str = ""

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self.parts:
            has = ", ".join(self.parts) or "files only"
            raise AttributeError(f"the fixture of exercise {self.number} has no {name!r}; it has {has}")
        return self.parts[name]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.parts]

    def write(self, folder: str | os.PathLike[str]) -> Path:
        """Write the files into `folder`, made if need be, and return it.

        Raises
        ------
        FileError
            If the folder cannot be written.
        """
        target = Path(folder)
        try:
            target.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ArgumentError("this folder cannot be made", on=target, hint=str(error)) from None
        for name, data in self.files.items():
            write_file(target / name, data, secret=True)
        return target

    def __repr__(self) -> str:
        parts = [*self.parts, *([count(len(self.files), "file")] if self.files else [])]
        return f"<Fixture {self.number}: {', '.join(parts)}>"

    def _repr_html_(self) -> Html:
        rows = [row for name, value in self.parts.items() for row in _rows(f".{name}", value)]
        rows += [(f'.files["{name}"]', f"{len(data):,} bytes") for name, data in self.files.items()]
        # A caption is as narrow as its table, and the story is longer than most of them are wide.
        told = tag("p", tag("b", f"For exercise {self.number}: "), self.story)
        return tag("div", told, definitions(rows))


def _rows(name: str, value: object) -> list[tuple[str, str]]:
    if isinstance(value, tuple):
        return [(f"{name}[{at}]", _shown(item)) for at, item in enumerate(value)]
    return [(name, _shown(value))]


def _shown(value: object) -> str:
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    return value if isinstance(value, str) else repr(value)


_Maker = Callable[[], Mapping[str, object]]
_MATERIAL: dict[str, tuple[str, _Maker]] = {}


def material(number: str) -> Callable[[_Maker], Callable[[], Fixture]]:
    """Make a function that returns parts by name into the fixture of an exercise; its docstring tells the story.

    Values that are bytes, under a name with a dot, become files.
    """

    def register(make: _Maker) -> Callable[[], Fixture]:
        if number in _MATERIAL:
            raise ArgumentError("this exercise has a fixture already", on=number)
        _MATERIAL[number] = (" ".join((make.__doc__ or "").split()), make)
        return lambda: fixture(number)

    return register


def fixture(number: str) -> Fixture:
    """Return the material of an exercise, made afresh from its seed.

    Parameters
    ----------
    number : str
        The exercise, e.g. ``"3.3"``.

    Raises
    ------
    ArgumentError
        If there is no such exercise, or it needs no material.

    Examples
    --------
    >>> fixture("1.2")
    <Fixture 1.2: key>
    """
    # Importing the exercises registers what they need; they import this module.
    from certkit.lessons import exercises  # noqa: F401, PLC0415

    if str(number) not in _MATERIAL:
        near = difflib.get_close_matches(str(number), _MATERIAL, n=3, cutoff=0.3)
        raise ArgumentError(
            "this exercise has no fixture", on=repr(str(number)[:40]), hint=", ".join(near) or "3.3"
        )
    story, make = _MATERIAL[str(number)]
    found = make()
    files = {name: data for name, data in found.items() if "." in name and isinstance(data, bytes)}
    return Fixture(str(number), {name: found[name] for name in found if name not in files}, files, story)


def today() -> datetime:
    """Return the start of this day, UTC: the clock of fixtures that take part in real handshakes."""
    return utc(None).replace(hour=0, minute=0, second=0)


def company(name: str, number: str, at: datetime | None = None) -> CertificateAuthority:
    """Return a company's issuing CA below a root of its own, from a seed.

    Parameters
    ----------
    name : str
        The company.
    number : str
        The exercise: each has keys of its own.
    at : datetime, optional
        The clock; the start of this day by default.
    """
    at = today() if at is None else at
    root = CertificateAuthority(f"{name} Root CA", seed=f"lesson {number} {name}", at=at, organization=name)
    return root.intermediate(f"{name} Issuing CA")
