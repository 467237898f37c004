"""`Outcome`: the base of what came of a call or a transfer, as the client saw it."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, NoReturn

from certkit._html import badge
from certkit._text import visible
from certkit.errors import CheckFailed

__all__ = ["Outcome"]


class Outcome:
    """What came of something that was tried: a value, never an exception; ask ``.ok``.

    A subclass says in ``noun`` what was tried, and in ``words`` how it is called when it went well and when
    it did not.
    """

    noun: ClassVar[str]
    words: ClassVar[tuple[str, str]]

    @property
    @abstractmethod
    def ok(self) -> bool:
        """Whether it went well."""

    @property
    @abstractmethod
    def verdict(self) -> str:
        """What came of it, in one sentence."""

    @property
    def cause(self) -> str | None:
        """The cause id, as far as the client alone can tell; None if nothing failed or it cannot."""
        return None

    def raise_if_failed(self) -> None:
        """Raise `CheckFailed` with what came of it, if it failed.

        Raises
        ------
        CheckFailed
            With what came of it.
        """
        if not self.ok:
            raise CheckFailed(f"the {self.noun} failed", on=visible(self.verdict), cause=self.cause)

    def __bool__(self) -> NoReturn:
        raise TypeError(f"a {self.noun} is neither true nor false: ask .ok")

    def _shown(self, step: str) -> list[tuple[object, object]]:
        """Return the first rows of what `_repr_html_` shows."""
        return [
            ("outcome", badge("good" if self.ok else "bad", self.words[not self.ok])),
            ("in words", self.verdict),
            ("how far it came", step),
        ]
