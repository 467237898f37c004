"""`Fault` and the decorator that puts one into the catalogue."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field

from certkit._html import Html, definitions
from certkit.errors import ArgumentError
from certkit.faults.scenario import HOST, Scenario, good_scenario
from certkit.handshakes import Handshake

__all__ = ["CATALOGUE", "Change", "Fault", "fault"]

Change = Callable[[Scenario], Scenario]

CATALOGUE: dict[str, Fault] = {}
"""Every fault by id; filled when the families are imported."""


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong, and the change that turns it back.

    Attributes
    ----------
    id : str
        Its name, from the function that breaks the scenario.
    cause : str
        The cause id that a reader of the failure should arrive at.
    family : str
        The family of causes.
    side : {"server", "client", "network"}
        Who has to change something.
    two_way : bool
        Whether it needs a server that asks for a client certificate.
    story : str
        What happened, as it happens in practice.
    remedy : str
        What to do about it, in one sentence.
    harmless : str
        Why Python's ``ssl`` (OpenSSL) accepts it all the same; empty if the handshake fails. Other stacks
        may refuse what is harmless here: see the atlas.
    tls : tuple of str
        The TLS versions in which it makes a difference; one alone where it shows in that version only, or
        where the version has no part in it.
    break_it, repair : callable
        From a good scenario to the broken one, and from the broken one to a repaired one.

    Examples
    --------
    >>> from certkit.faults import find_fault
    >>> expired = find_fault("expired-leaf")
    >>> broken = expired.scenario()
    >>> broken.run().cause, expired.repair(broken).run().ok
    ('expired-leaf', True)
    """

    id: str
    cause: str
    family: str
    side: str
    two_way: bool
    story: str
    remedy: str
    harmless: str = ""
    tls: tuple[str, ...] = ("1.2", "1.3")
    break_it: Change = field(repr=False, kw_only=True)
    repair: Change = field(repr=False, kw_only=True)

    @property
    def title(self) -> str:
        """The first line of the story."""
        return self.story.partition("\n")[0].rstrip(".")

    def scenario(self, tls: str = "1.3", host: str = HOST) -> Scenario:
        """Return the broken scenario; `host` is what the server is called."""
        return self.break_it(good_scenario(two_way=self.two_way, tls=tls, host=host))

    def run(self, tls: str = "1.3") -> Handshake:
        """Run the broken scenario."""
        return self.scenario(tls).run()

    def to_dict(self) -> dict[str, object]:
        """Return the facts as JSON values."""
        return {
            "id": self.id,
            "cause": self.cause,
            "family": self.family,
            "side": self.side,
            "two_way": self.two_way,
            "title": self.title,
            "story": self.story,
            "remedy": self.remedy,
            "harmless": self.harmless,
            "tls": list(self.tls),
        }

    def _repr_html_(self) -> Html:
        way = "two-way" if self.two_way else "one-way"
        return definitions(
            [
                ("what happened", " ".join(self.story.split())),
                ("cause", self.cause),
                ("who must change", f"the {self.side} ({way})"),
                ("fix", self.remedy),
                *([("harmless here", self.harmless)] if self.harmless else []),
            ],
            caption=f"Fault {self.id}",
        )


def fault(
    *,
    cause: str,
    side: str,
    repair: Change,
    remedy: str,
    two_way: bool = False,
    harmless: str = "",
    tls: tuple[str, ...] = ("1.2", "1.3"),
) -> Callable[[Change], Change]:
    """Put a function from a good scenario to a broken one into the catalogue.

    The id is the function's name with hyphens, the family is its module's name, the story its docstring.
    """

    def register(break_it: Change) -> Change:
        name = break_it.__name__.replace("_", "-")
        if name in CATALOGUE:
            raise ArgumentError("two faults have the same name", on=name)
        family = break_it.__module__.rpartition(".")[2]
        story = inspect.cleandoc(break_it.__doc__ or "")
        CATALOGUE[name] = Fault(
            name,
            cause,
            family,
            side,
            two_way,
            story,
            remedy,
            harmless,
            tls,
            break_it=break_it,
            repair=repair,
        )
        return break_it

    return register
