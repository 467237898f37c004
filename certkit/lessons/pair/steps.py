"""`Step`: what one company's deed came to, as that company sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn

from certkit._html import Html, badge, details, tag
from certkit._text import visible
from certkit.errors import CheckFailed

__all__ = ["Step"]

_STATUS = {"done": "good", "failed": "bad", "waiting": "neutral", "not tried yet": "neutral"}


@dataclass(frozen=True)
class Step:
    """What came of one thing that a company did.

    Attributes
    ----------
    state : {"done", "failed", "waiting", "not tried yet"}
        ``waiting``: the other company's file is not there yet; do it again when it is.
    text : str
        In words.
    evidence : object
        Something that shows itself, such as the call as the client saw it; None if there is nothing.
    secret : str
        What is for this side's eyes alone; empty if there is nothing.
    """

    state: str
    text: str
    evidence: object = field(default=None, repr=False)
    secret: str = field(default="", repr=False)

    @property
    def ok(self) -> bool:
        """Whether it is done."""
        return self.state == "done"

    def raise_if_failed(self) -> None:
        """Raise `CheckFailed` unless it is done.

        Raises
        ------
        CheckFailed
            With what came of it.
        """
        if not self.ok:
            raise CheckFailed(f"this step is not done ({self.state})", on=self.text)

    def __bool__(self) -> NoReturn:
        raise TypeError("a step is neither true nor false: ask .ok")

    def __repr__(self) -> str:
        return f"<Step {self.state}: {visible(self.text)}>"

    def _repr_html_(self) -> Html:
        parts: list[object] = [tag("p", badge(_STATUS[self.state], self.state), " ", self.text)]
        shown = getattr(self.evidence, "_repr_html_", None)
        if shown is not None:
            parts.append(Html(shown()))
        if self.secret:
            parts.append(details("For your eyes only", tag("p", self.secret)))
        return tag("div", *parts, role="status")
