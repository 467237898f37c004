"""`Diagnosis`: what was recognised, who says it about whom, and the causes, best first."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NoReturn

from certkit._html import Html, badge, definitions, details, join, table, tag
from certkit._text import visible
from certkit.causes import Cause
from certkit.errors import ArgumentError
from certkit.explanation._scanning import Hit
from certkit.explanation.timeline import Step, timeline_html
from certkit.formats.byte_decoder import ByteClue, decode_byte

if TYPE_CHECKING:
    from certkit.explanation.reproduction import Reproduction
    from certkit.verification import Verification

__all__ = ["Diagnosis", "RankedCause", "Recognised"]

SURE, LIKELY = 0.7, 0.5


@dataclass(frozen=True)
class Recognised:
    """One thing that was recognised in the text.

    Attributes
    ----------
    line : int
        The line, from 1.
    quote : str
        That line, secrets masked.
    means : str
        What it means.
    source : str
        ``"measured"`` where the atlas has this message from real stacks, with its numbers; ``"documented"`` otherwise.
    """

    line: int
    quote: str
    means: str
    source: str = "documented"

    @classmethod
    def from_hit(cls, hit: Hit, source: str) -> Recognised:
        """Return what a hit of the scanner says."""
        return cls(hit.line, hit.quote, hit.say.means, source)

    def to_dict(self) -> dict[str, object]:
        """Return the facts as JSON values."""
        return {"line": self.line, "quote": self.quote, "means": self.means, "source": self.source}


@dataclass(frozen=True)
class RankedCause:
    """A cause, how probable it is, and what to do if it is the one.

    Attributes
    ----------
    id : str
        The cause id.
    score : float
        The probability, 0 to 1, that this is the cause, as far as the evidence goes.
    cause : Cause
        The entry of the knowledge base: meaning, who must change what, how to confirm, how to fix.
    reasons : tuple of str
        Why it is ranked here.
    confirm : tuple of str
        Commands that confirm it or rule it out; capitals are yours to replace.
    fix : tuple of str
        What to do, the step for the recognised platform first.
    fault : str or None
        The fault that reproduces it in the lab; None if there is none yet.
    lesson : str
        The notebook that teaches it.
    """

    id: str
    score: float
    cause: Cause = field(repr=False)
    reasons: tuple[str, ...] = field(default=(), repr=False)
    confirm: tuple[str, ...] = field(default=(), repr=False)
    fix: tuple[str, ...] = field(default=(), repr=False)
    fault: str | None = None
    lesson: str = ""

    def to_dict(self) -> dict[str, object]:
        """Return the facts as JSON values."""
        return {
            "id": self.id,
            "score": self.score,
            "title": self.cause.title,
            "change": self.cause.change,
            "where": self.cause.where,
            "reasons": list(self.reasons),
            "confirm": list(self.confirm),
            "fix": list(self.fix),
            "wrong_fixes": list(self.cause.wrong_fixes),
            "rfc": self.cause.rfc or None,
            "fault": self.fault,
            "lesson": self.lesson,
        }

    def _repr_html_(self) -> Html:
        return definitions(
            [
                ("what it means", self.cause.meaning),
                ("why here", _lines(self.reasons or ("the wording leaves it open",))),
                ("who must change", f"{self.cause.change}: {self.cause.where}"),
                ("confirm", join([tag("div", tag("code", line)) for line in self.confirm])),
                ("fix", _lines(self.fix)),
                ("not a fix", _lines(self.cause.wrong_fixes)),
                ("in the lab", f"fault {self.fault}; {self.lesson}" if self.fault else self.lesson),
            ],
            caption=f"{self.score:.0%} {self.id}: {self.cause.title}",
        )


@dataclass(frozen=True)
class Diagnosis:
    """What a pasted error means.

    Attributes
    ----------
    causes : tuple of RankedCause
        Best first; empty if the text has nothing to do with TLS.
    recognised : tuple of Recognised
        What was recognised, and where.
    reporter : str
        Who reports: ``"client"``, ``"server"`` or ``"unknown"``.
    verdict_of : str
        Whose verdict it is: ``"the reporter"``, or ``"the other side"`` if an alert was received.
    about : str
        Whom the verdict is about: ``"the client"``, ``"the server"`` or ``"unknown"``.
    platform : str
        The stack that speaks, e.g. ``"java"``; ``"unknown"`` if nothing tells.
    timeline : tuple of Step
        The handshake as a debug log tells it; empty without one.
    looked_at : tuple of str
        What was looked at beside the text, and what it showed.
    verification : Verification or None
        The check of the chain, if one was given.
    notes : tuple of str
        What was done to the text: what was masked, what was left out.
    text : str
        The text as it was read, secrets masked.

    Examples
    --------
    >>> from certkit.explanation import explain
    >>> found = explain("SSLHandshakeException: No subject alternative DNS name matching a.example found.")
    >>> found.causes[0].id, found.reporter, found.platform
    ('hostname-mismatch', 'client', 'java')
    """

    causes: tuple[RankedCause, ...]
    recognised: tuple[Recognised, ...] = field(default=(), repr=False)
    reporter: str = "unknown"
    verdict_of: str = "the reporter"
    about: str = "unknown"
    platform: str = "unknown"
    timeline: tuple[Step, ...] = field(default=(), repr=False)
    looked_at: tuple[str, ...] = field(default=(), repr=False)
    verification: Verification | None = field(default=None, repr=False)
    notes: tuple[str, ...] = field(default=(), repr=False)
    text: str = field(default="", repr=False)

    @property
    def found(self) -> bool:
        """Whether there is anything about TLS in the text or the files."""
        return bool(self.causes)

    @cached_property
    def byte(self) -> ByteClue | None:
        """The byte of a file that a message speaks of (``not expected 48``), decoded; None if none does."""
        try:
            clue = decode_byte(self.text)
        except ArgumentError:
            return None
        # Words without a number, such as EOFException, are too common to be a clue in a log.
        return clue if clue.byte is not None or "tag error" in clue.message else None

    @property
    def sentence(self) -> str:
        """The diagnosis in a sentence or two; it says so where the evidence cannot tell."""
        if not self.causes:
            return "Nothing here has to do with TLS or certificates, as far as certkit can tell."
        first = self.causes[0]
        name = f"{first.cause.title} ({first.id})"
        if first.score >= SURE:
            return f"{name}. {first.cause.meaning}"
        close = [item for item in self.causes if item.score >= first.score / 3][:3]
        if len(close) == 1 or first.score >= LIKELY:
            rest = ", ".join(item.id for item in self.causes[1:3])
            return f"Most likely: {name}. {first.cause.meaning} It could also be {rest}."
        names = ", ".join(item.id for item in close[:-1])
        return f"This alone cannot tell between {names} and {close[-1].id}; this command can: {self.command}"

    @property
    def command(self) -> str:
        """The command that tells the likeliest causes apart; empty if nothing was recognised."""
        if not self.causes:
            return ""
        commands = [line for item in self.causes[:3] for line in item.confirm]
        check = [line for line in commands if line.startswith("certkit check")]
        # What the server presents decides between the causes that lie with it.
        return check[0] if check and self.about != "the client" else self.causes[0].confirm[0]

    def reproduce(self) -> Reproduction:
        """Build the top cause in the lab, show what both ends say, repair it, and prove the repair.

        Raises
        ------
        ArgumentError
            If nothing was recognised, or no fault reproduces the top cause yet.
        """
        from certkit.explanation.reproduction import reproduce  # noqa: PLC0415 - it loads the lab

        return reproduce(self)

    def to_dict(self) -> dict[str, object]:
        """Return the facts as JSON values."""
        return {
            "causes": [item.to_dict() for item in self.causes],
            "recognised": [item.to_dict() for item in self.recognised],
            "reporter": self.reporter,
            "verdict_of": self.verdict_of,
            "about": self.about,
            "platform": self.platform,
            "sentence": self.sentence,
            "timeline": [step.to_dict() for step in self.timeline],
            "byte": None if self.byte is None else self.byte.to_dict(),
            "looked_at": list(self.looked_at),
            "notes": list(self.notes),
        }

    def report(self) -> str:
        """Return everything as text for a terminal."""
        lines = [self.sentence, ""]
        if self.recognised:
            lines += ["Recognised"]
            lines += [
                f"  line {item.line}: {item.quote}\n      {item.means} [{item.source}]"
                for item in self.recognised[:6]
            ]
            lines += [
                f"  Reported by: {self.reporter}; verdict of {self.verdict_of}, about {self.about}; {self.platform}",
                "",
            ]
        if self.byte is not None:
            lines += ["The number is a byte of the file" if self.byte.byte is not None else "The file"]
            lines += [*(f"  {line}" for line in str(self.byte).splitlines()), ""]
        if self.timeline:
            lines += ["The handshake, as the log tells it"]
            lines += [
                f"  line {step.line}: {step.who}: {step.what} {step.detail}".rstrip()
                for step in self.timeline[:30]
            ]
            lines.append("")
        if self.looked_at:
            lines += ["Looked at", *(f"  {item}" for item in self.looked_at), ""]
        for place, item in enumerate(self.causes[:3]):
            lines += _cause_lines(item, whole=place == 0)
        others = ", ".join(f"{item.id} {item.score:.0%}" for item in self.causes[3:])
        lines += [f"Less likely: {others}"] if others else []
        lines += [f"Note: {note}." for note in self.notes]
        return "\n".join(lines).rstrip()

    def __bool__(self) -> NoReturn:
        raise TypeError("a diagnosis is neither true nor false: ask .found")

    def __repr__(self) -> str:
        best = ", ".join(f"{item.id} {item.score:.0%}" for item in self.causes[:3]) or "nothing about TLS"
        return f"<Diagnosis {best}; reported by {self.reporter}, {self.platform}>"

    def _repr_html_(self) -> Html:
        return tag("div", tag("p", self.sentence_html()), self.details_html(), class_="ck-diagnosis")

    def sentence_html(self) -> Html:
        """Return the sentence, and how sure it is."""
        status = "neutral" if not self.causes else "good" if self.causes[0].score >= SURE else "warning"
        word = {"good": "clear", "warning": "not certain", "neutral": "not about TLS"}[status]
        return join([badge(status, word), " ", visible(self.sentence, 600)])

    def details_html(self) -> Html:
        """Return what stands below the sentence: what was recognised, the causes, what was looked at."""
        parts: list[object] = []
        if self.recognised:
            rows = [
                (item.line, visible(item.quote, 120), item.means, item.source) for item in self.recognised[:5]
            ]
            parts.append(table(("line", "text", "means", "source"), rows, caption="Recognised"))
            parts.append(
                tag(
                    "p",
                    f"Reported by: {self.reporter} ({self.platform}). Verdict of {self.verdict_of}, about {self.about}.",
                )
            )
        if self.byte is not None:
            parts.append(details("Which byte of the file, and what to do", self.byte._repr_html_()))
        ranks = [
            (f"{item.score:.0%}", item.id, item.cause.title, f"{item.cause.change}") for item in self.causes
        ]
        if ranks:
            parts.append(table(("probability", "cause", "what", "who must change"), ranks, caption="Causes"))
            parts += [
                details(f"{item.id}: confirm, fix, and why", item._repr_html_()) for item in self.causes[:2]
            ]
        if self.looked_at:
            parts.append(details("What was looked at", _lines(self.looked_at)))
        if self.timeline:
            parts.append(details("The handshake, as the log tells it", timeline_html(self.timeline[:20])))
        parts += [tag("p", f"Note: {note}.") for note in self.notes]
        return join(parts)


def _lines(items: tuple[str, ...]) -> Html:
    return join([tag("div", item) for item in items])


def _cause_lines(item: RankedCause, *, whole: bool) -> list[str]:
    lines = [f"{item.score:>4.0%}  {item.id}: {item.cause.title}"]
    lines += [f"      why: {reason}" for reason in item.reasons[:3]]
    lines.append(f"      to confirm: {item.confirm[0]}")
    if whole:
        lines += [f"                  {command}" for command in item.confirm[1:3]]
        lines.append(f"      who must change: {item.cause.change}: {item.cause.where}")
        lines += [f"      to fix: {step}" for step in item.fix]
        lines += [f"      no fix: {step}" for step in item.cause.wrong_fixes]
        lines.append(f"      in the lab: {f'fault {item.fault}; ' if item.fault else ''}{item.lesson}")
    return [*lines, ""]
