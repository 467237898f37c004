"""`mystery`: a failed call whose cause is not told; found out from what both sides say."""

from __future__ import annotations

from dataclasses import dataclass, field

from certkit._files import iso
from certkit._html import Html, definitions, details, tag
from certkit.errors import ArgumentError
from certkit.faults import Fault, find_fault
from certkit.handshakes import Handshake
from certkit.handshakes.comparison import short_words
from certkit.lessons.exercise import Exercise, Finding, Result, miss, passed

__all__ = ["Mystery", "mystery"]

# Fixed, and not the whole catalogue: the same number must give the same case next year, and each of these
# can be told from the others by what is shown. The words alone tell the first; the second takes a look at
# the certificates, the third at who refused whom.
_CASES = (
    "hostname-mismatch",
    "missing-intermediate",
    "client-cert-untrusted",
    "wrong-eku",
    "untrusted-root",
    "client-cert-missing",
    "not-yet-valid",
    "self-signed-leaf",
    "client-cert-expired",
    "expired-leaf",
)


@dataclass(frozen=True)
class Mystery:
    """A handshake that failed, with the evidence that an operator would have.

    Attributes
    ----------
    name : str
        What the case is called.
    run : Handshake
        The handshake. Its `cause` is the answer: look at it last.
    fault : Fault
        What was broken.
    """

    name: str
    run: Handshake = field(repr=False)
    fault: Fault = field(repr=False)

    def answer(self, cause: object = ...) -> Result:
        """Return whether `cause` is the cause of this case; a wrong one is reproduced and compared.

        Parameters
        ----------
        cause : str
            A cause id, e.g. ``"expired-leaf"``. Left as ``...`` it counts as not tried yet.
        """
        task = Exercise(
            f"mystery {self.name}",
            f"the case {self.name}",
            "case",
            "Which cause is it? Hand over a cause id, e.g. `expired-leaf`.",
            ("Who refused, and what does that side say?",),
            f'"{self.fault.cause}"',
            self._judge,
        )
        if cause is ...:
            return Result(task, "not tried yet", task.question)
        finding = self._judge(str(cause))
        if finding.ok:
            words = f"Tested: {finding.tested}. Found: {finding.found}. The remedy: {self.fault.remedy}"
            return Result(task, "right", words, finding)
        words = f"Tested: {finding.tested}. Found: {finding.found}. Where to look: {finding.look}."
        return Result(task, "not yet", words, finding)

    def _judge(self, cause: str) -> Finding:
        if cause == self.fault.cause:
            return passed(
                f"the cause {cause} against what was broken", f"that was it: {self.fault.title.lower()}"
            )
        try:
            other = find_fault(cause).run()
        except ArgumentError as error:
            return miss(
                "your answer as the name of a cause", str(error), "the causes in the table of this notebook"
            )
        tested = f"the fault {cause}, reproduced, and its words beside those of this case"
        here, there = (f"“{_loser(run)}”" for run in (self.run, other))
        if here != there:
            return miss(tested, f"it gives {there}, here it is {here}", "the words of the side that refused")
        if (refused := _refuser(self.run)) != _refuser(other):
            return miss(
                tested,
                f"the same words, {here}, from the other side",
                f"here it is the {refused} that refused",
            )
        found = f"the same words, {here}, and other certificates"
        return miss(tested, found, "how many certificates came, who issued them, and who is trusted")

    def __repr__(self) -> str:
        return f"<Mystery {self.name}: {self.run.verdict}>"

    def _repr_html_(self) -> Html:
        run = self.run
        wanted = [
            ("the client wants to reach", run.client_config.host or "any name"),
            ("the client trusts", ", ".join(item.name for item in run.client_config.anchors)),
            ("the server asks for a client certificate", "yes" if run.two_way else "no"),
        ]
        if run.server_config.client_anchors is not None:
            anchors = ", ".join(item.name for item in run.server_config.client_anchors)
            wanted.append(("the server trusts clients under", anchors))
        wanted.append(("clock at both ends", iso(run.at)))
        chains: list[object] = [tag("p", tag("b", "What the server sent")), run.server_chain._repr_html_()]
        if run.two_way:
            chains += [tag("p", tag("b", "What the client sent")), run.client_chain._repr_html_()]
        leaf = run.server_chain.leaf
        chains.append(
            definitions(
                [
                    ("names on it", ", ".join(leaf.sans)),
                    ("extended key usage", ", ".join(leaf.usages)),
                    ("validity", f"{iso(leaf.not_before)} to {iso(leaf.not_after)}"),
                ],
                caption="The server's leaf",
            )
        )
        return tag(
            "div",
            definitions(wanted, caption=f"The case {self.name}"),
            run.sides_html(),
            *chains,
            details("Every message, as a table", run.messages_html()),
            class_="ck-mystery",
        )


def _refuser(run: Handshake) -> str:
    return "server" if run.server.outcome == "refused" else "client"


def _loser(run: Handshake) -> str:
    """Return the words of the side that refused."""
    return short_words(run.server if _refuser(run) == "server" else run.client)


def mystery(number: int) -> Mystery:
    """Return a failed call to diagnose: one of ten, the easier ones first; after the tenth they repeat.

    Parameters
    ----------
    number : int
        Which case, from 1 on.

    Examples
    --------
    >>> mystery(1).run.ok
    False
    >>> mystery(1).answer().state
    'not tried yet'
    """
    fault = find_fault(_CASES[(int(number) - 1) % len(_CASES)])
    return Mystery(str(number), fault.run(), fault)
