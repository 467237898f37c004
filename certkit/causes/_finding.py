"""`Finding`: one thing a check found, on one certificate, with what was compared."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from certkit._html import Html, badge, definitions

__all__ = ["Finding", "Severity"]


class Severity(StrEnum):
    """How much a finding weighs under the policy in force."""

    FATAL = "fatal"
    """The path it lies on is refused for it."""
    ADVISORY = "advisory"
    """A rule is broken that this policy does not enforce; others may."""


@dataclass(frozen=True)
class Finding:
    """One thing that a check found.

    Attributes
    ----------
    kind : str
        The finest word for it, e.g. ``"key-usage-no-certsign"``; equal to the cause where there is no finer one.
    cause : str
        The cause id it belongs to.
    severity : Severity
        Fatal or advisory under the policy in force.
    text : str
        What failed, on what, in a sentence or two.
    position : str
        On what it sits: ``"leaf"``, ``"intermediate"``, ``"root"``, ``"chain"``, ``"truststore"``, ``"crl"``, …
    index : int or None
        The certificate's place in the chain as sent, 0 for the leaf; None if it was not sent.
    depth : int or None
        Its distance from the leaf on the path on which it was found; None if it is about no path.
    certificate : str
        The certificate's name; empty if the finding is about none.
    sha256 : str
        The certificate's fingerprint; empty if the finding is about none.
    evidence : tuple of (str, str)
        The values that were compared, each with its name.
    rfc : str
        The section that says so; empty where no standard speaks of it.
    fix : str
        What to do, and on whose side.
    paths : tuple of int
        The numbers of the paths it lies on.

    Examples
    --------
    >>> finding = Finding("hostname-mismatch", "hostname-mismatch", Severity.FATAL, "It is for another host.")
    >>> finding.fatal, finding.position
    (True, 'chain')
    """

    kind: str
    cause: str
    severity: Severity
    text: str
    position: str = "chain"
    index: int | None = None
    depth: int | None = None
    certificate: str = ""
    sha256: str = field(default="", repr=False)
    evidence: tuple[tuple[str, str], ...] = ()
    rfc: str = ""
    fix: str = ""
    paths: tuple[int, ...] = ()

    @property
    def fatal(self) -> bool:
        """Whether it refuses the path it lies on."""
        return self.severity is Severity.FATAL

    def to_dict(self) -> dict[str, object]:
        """Return the facts as JSON values."""
        return {
            "kind": self.kind,
            "cause": self.cause,
            "severity": str(self.severity),
            "position": self.position,
            "index": self.index,
            "depth": self.depth,
            "certificate": self.certificate or None,
            "sha256": self.sha256 or None,
            "text": self.text,
            "evidence": dict(self.evidence),
            "rfc": self.rfc or None,
            "fix": self.fix or None,
            "paths": list(self.paths),
        }

    def badge(self) -> Html:
        """Return the severity as icon, word and colour."""
        return badge("bad" if self.fatal else "warning", str(self.severity))

    def __repr__(self) -> str:
        where = f"{self.position} {self.certificate}".rstrip()
        return f"<Finding {self.severity} {self.kind} on {where}>"

    def _repr_html_(self) -> Html:
        rows: list[tuple[object, object]] = [("severity", self.badge()), ("what", self.text)]
        rows += self.evidence
        rows += [("cause", self.cause), ("fix", self.fix), ("source", self.rfc)]
        return definitions([row for row in rows if row[1]], caption=f"{self.kind}, on the {self.position}")
