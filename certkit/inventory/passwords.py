"""The passwords of an estate: which to try on which store. They show in no output."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from certkit._files import read_source
from certkit.errors import ArgumentError, PasswordError

__all__ = ["PasswordSource", "Passwords"]

PasswordSource = str | os.PathLike[str] | Iterable[str] | Mapping[str, str] | None
"""A file of passwords, a list of them, or a dict from path pattern to password."""

_MOST = 1000


class Passwords:
    """Passwords to try, those for matching paths first.

    Parameters
    ----------
    general : iterable of str
        Tried on every store.
    by_path : mapping of str to str
        Tried on paths that match the pattern, e.g. ``{"*/payroll/*.p12": "…"}``.

    Examples
    --------
    >>> Passwords(["changeit"], {"*.p12": "secret"})
    <Passwords: 2, hidden>
    """

    __slots__ = ("_by_path", "_general")

    def __init__(self, general: Iterable[str] = (), by_path: Mapping[str, str] | None = None) -> None:
        self._general = tuple(dict.fromkeys(general))
        self._by_path = tuple((by_path or {}).items())
        if len(self._general) + len(self._by_path) > _MOST:
            raise ArgumentError(f"more than {_MOST:,} passwords", hint="give those that are in use")

    @classmethod
    def of(cls, source: PasswordSource) -> Passwords:
        """Return the passwords that a caller gave: a file's, a list's or a dict's."""
        if source is None:
            return cls()
        if isinstance(source, Passwords):
            return source
        if isinstance(source, str | os.PathLike):
            return cls.from_file(source)
        if isinstance(source, Mapping):
            return cls((), source)
        return cls(source)

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Passwords:
        """Return the passwords of a text file: one a line, or a path pattern, a tab, and the password.

        Raises
        ------
        FileError
            If it cannot be read.
        PasswordError
            If it is no text in UTF-8.
        """
        data, label = read_source(Path(path), limit=1 << 20)
        try:
            lines = data.decode("utf-8-sig").splitlines()
        except UnicodeDecodeError:
            raise PasswordError("this password file is no text in UTF-8", on=label) from None
        pairs = [line.split("\t", 1) for line in lines if line]
        return cls(
            (pair[0] for pair in pairs if len(pair) == 1),
            {pair[0]: pair[1] for pair in pairs if len(pair) == 2},
        )

    def for_path(self, path: str) -> tuple[str, ...]:
        """Return what to try on a store, most specific first."""
        if not self._by_path:
            return self._general
        own = [password for pattern, password in self._by_path if fnmatch.fnmatch(path, pattern)]
        return tuple(dict.fromkeys((*own, *self._general)))

    def to_plain(self) -> tuple[tuple[str, ...], dict[str, str]]:
        """Return them in the clear, for the pipe to a worker of our own."""
        return self._general, dict(self._by_path)

    def __repr__(self) -> str:
        return f"<Passwords: {len(self._general) + len(self._by_path)}, hidden>"
