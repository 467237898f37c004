"""The ``Users`` table of the story, in SQLite, in memory: nothing of it is ever on disk."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from certkit._files import iso

__all__ = ["FIRST_USERS", "User", "UsersTable"]


@dataclass(frozen=True)
class User:
    """One row of the table.

    Attributes
    ----------
    id, name, email, status : str
        Who it is, made up.
    updated : str or None
        When the row was last changed, UTC; None if it never was.
    revision : int
        How often it was changed.
    """

    id: str
    name: str
    email: str
    status: str
    updated: str | None = None
    revision: int = 0


FIRST_USERS = (
    User("u-1001", "Ada Muster", "ada.muster@acme.example.test", "Active"),
    User("u-1002", "Björn Beispiel", "bjorn.beispiel@acme.example.test", "Active"),
    User("u-1003", "Chidi Sample", "chidi.sample@acme.example.test", "Inactive"),
    User("u-1004", "Dolores Ejemplo", "dolores.ejemplo@acme.example.test", "Active"),
    User("u-1005", "Esra Örnek", "esra.ornek@acme.example.test", "Suspended"),
    User("u-1006", "Farid Exemple", "farid.exemple@acme.example.test", "Active"),
)

_CREATE = """CREATE TABLE Users (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, status TEXT NOT NULL,
    updated TEXT, revision INTEGER NOT NULL DEFAULT 0
)"""
_COLUMNS = ", ".join(User.__dataclass_fields__)


class UsersTable:
    """The table, for many threads; rows outlive ``close`` so that they can still be looked at."""

    def __init__(self, users: Iterable[User] = FIRST_USERS) -> None:
        self._rows = tuple(users)
        self._database: sqlite3.Connection | None = None
        self._lock = threading.Lock()

    def open(self) -> None:
        """Create the database and fill it with the rows as they were."""
        with self._lock:
            database = sqlite3.connect(":memory:", check_same_thread=False)
            database.execute(_CREATE)
            with database:
                database.executemany(
                    f"INSERT INTO Users ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608 - our own names
                    [tuple(getattr(user, name) for name in User.__dataclass_fields__) for user in self._rows],
                )
            self._database = database

    def close(self) -> None:
        """Let go of the database, keep the rows."""
        rows = self.rows()
        with self._lock:
            self._rows = rows
            if self._database is not None:
                self._database.close()
            self._database = None

    def rows(self) -> tuple[User, ...]:
        """Return every user, by id."""
        with self._lock:
            if self._database is None:
                return self._rows
            found = self._database.execute(f"SELECT {_COLUMNS} FROM Users ORDER BY id")  # noqa: S608
            return tuple(User(*row) for row in found)

    def update(self, user_id: str, status: str) -> int | None:
        """Set a status, and return the row's new revision; None if there is no such user."""
        with self._lock:
            if self._database is None:
                return None
            # One statement reads and writes: two callers cannot both write the same next number.
            with self._database as database:
                found = database.execute(
                    "UPDATE Users SET status = ?, updated = ?, revision = revision + 1 "
                    "WHERE id = ? RETURNING revision",
                    (status, iso(datetime.now(UTC)), user_id),
                ).fetchall()
        return int(found[0][0]) if found else None
