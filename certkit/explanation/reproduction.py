"""`Reproduction`: the top cause built in the lab, its message, the repair, and the handshake that passes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from certkit._html import Html, badge, definitions, tag
from certkit._text import visible
from certkit.errors import ArgumentError
from certkit.faults import Fault, find_fault
from certkit.handshakes import Handshake
from certkit.stacks.java import java_available, java_pkix
from certkit.verification import verify_chain

if TYPE_CHECKING:
    from certkit.explanation.diagnosis import Diagnosis

__all__ = ["Reproduction", "reproduce"]

_JAVA = frozenset({"java", "salesforce", "castiron", "kafka", "websphere", "ldap"})
_PATHS = frozenset({"trust", "validity", "identity", "usage", "path", "strength"})


@dataclass(frozen=True)
class Reproduction:
    """A cause, built for real, and repaired.

    Attributes
    ----------
    fault : Fault
        What was broken.
    pasted : str
        The line that was pasted.
    words : tuple of (str, str)
        Who said what when it was reproduced: both ends, and the real Java where it speaks.
    same : bool
        Whether the words that were reproduced lead to the same cause, or are the pasted words themselves.
    refused : bool
        Whether anybody refused: an end of the handshake, the real Java, or the check of the chain. A cause that
        OpenSSL lets pass is refused by the others only.
    broken, repaired : Handshake
        The handshake with the fault, and after the repair.
    """

    fault: Fault
    pasted: str
    words: tuple[tuple[str, str], ...]
    same: bool
    refused: bool
    broken: Handshake = field(repr=False)
    repaired: Handshake = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether the broken one was refused and the repaired one passes: the loop is closed."""
        return self.refused and self.repaired.ok

    def report(self) -> str:
        """Return the loop as text."""
        said = [f"  {who}: {words}" for who, words in self.words]
        end = "the handshake passes" if self.repaired.ok else "it still fails"
        return "\n".join(
            [
                f"Fault {self.fault.id}: {self.fault.title}.",
                *([f"OpenSSL accepts it all the same: {self.fault.harmless}"] if self.broken.ok else []),
                "Said in the lab:",
                *(said or ["  nothing"]),
                f"Repaired: {self.fault.remedy}",
                f"Proved: {end}.",
            ]
        )

    def __bool__(self) -> NoReturn:
        raise TypeError("a reproduction is neither true nor false: ask .ok")

    def __repr__(self) -> str:
        return f"<Reproduction of {self.fault.id}: {'proved' if self.ok else 'not proved'}>"

    def _repr_html_(self) -> Html:
        mark = badge("good", "passes") if self.repaired.ok else badge("bad", "still fails")
        same = badge("good", "leads to the same cause") if self.same else badge("warning", "another wording")
        return definitions(
            [
                ("pasted", tag("code", visible(self.pasted, 200))),
                ("built", f"{self.fault.id}: {self.fault.title}"),
                *([("OpenSSL accepts it", self.fault.harmless)] if self.broken.ok else []),
                *((who, tag("code", visible(words, 200))) for who, words in self.words),
                ("those words", same),
                ("the repair", self.fault.remedy),
                ("the handshake again", mark),
            ],
            caption="Reproduced, repaired, proved",
        )


def reproduce(diagnosis: Diagnosis) -> Reproduction:
    """Build the top cause of a diagnosis, repair it, and prove the repair.

    Raises
    ------
    ArgumentError
        If nothing was recognised, or no fault reproduces the top cause yet.

    Examples
    --------
    >>> from certkit.explanation import explain
    >>> again = explain("certificate verify failed: certificate has expired").reproduce()
    >>> again.fault.id, again.same, again.ok
    ('expired-leaf', True, True)
    """
    if not diagnosis.causes:
        raise ArgumentError("there is no cause to reproduce", hint="paste more of the log")
    top = diagnosis.causes[0]
    if top.fault is None:
        raise ArgumentError(
            "no fault reproduces this cause yet", on=top.id, hint="certkit faults, for those that are there"
        )
    fault = find_fault(top.fault)
    broken_scenario = fault.scenario(fault.tls[-1])
    broken = broken_scenario.run()
    repaired = fault.repair(broken_scenario).run()
    words = tuple(_words(broken, fault, diagnosis.platform))
    refused = not broken.ok or any(not who.startswith("the ") for who, _ in words)
    pasted = next((item.quote for item in diagnosis.recognised), "")
    return Reproduction(fault, pasted, words, _same(words, top.id, pasted), refused, broken, repaired)


def _words(run: Handshake, fault: Fault, platform: str) -> Iterator[tuple[str, str]]:
    """Yield who says what: the real Java first where it is Java's message, then both ends, then the check of the chain."""
    config = run.client_config
    judged = fault.family in _PATHS and not fault.two_way and len(run.server_chain)
    if judged and platform in _JAVA and java_available():
        verdict = java_pkix(run.server_chain, config.anchors, host=config.host)
        if verdict.error is not None:
            yield f"Java {verdict.java}", verdict.text
    for end in (run.client, run.server):
        if end.error is not None:
            yield f"the {end.name}", end.error
    if run.ok and judged:
        checked = verify_chain(run.server_chain, config.anchors, host=config.host, policy="pedantic")
        if checked.headline is not None:
            yield "certkit's check of the chain", checked.headline.text


def _same(words: tuple[tuple[str, str], ...], cause: str, pasted: str) -> bool:
    from certkit.explanation.explaining import explain  # noqa: PLC0415 - each needs the other

    return any(said in pasted or cause in [item.id for item in explain(said).causes[:3]] for _, said in words)
