"""`ServerCheck`: what a server presents, what is wrong with it, and how far the checkup came."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NoReturn

from certkit._files import iso
from certkit._html import Html, badge, definitions, details, tag
from certkit._html import table as html_table
from certkit._text import count, visible
from certkit.atlas import AtlasRow
from certkit.causes import Finding, Severity
from certkit.chains import Chain
from certkit.checkup._probe import Flight
from certkit.checkup._transport import Target
from certkit.checkup.client_authentication import ClientAuthentication
from certkit.checkup.measured import measured_html, measured_text
from certkit.errors import CheckFailed, FormatError
from certkit.revocation import OcspAnswer
from certkit.verification import Opinion, Verification

__all__ = ["ServerCheck"]

SOON = timedelta(days=30)
_COMPUTED = "Who would accept it: computed, for this chain and these roots"


@dataclass(frozen=True)
class ServerCheck:
    """The result of looking at one server.

    Attributes
    ----------
    target : Target
        Where.
    stage : {"resolve", "connect", "tls", "certificate", "done"}
        How far it came.
    at : datetime
        The clock it was judged by, UTC.
    flight : Flight or None
        The server's first flight; None if it did not come to that.
    versions : tuple of (str, str)
        TLS version and ``"offered"``, ``"refused"`` or ``"no answer"``; empty if not asked for.
    verification : Verification or None
        The verdict on the chain as sent; None if there is no chain.
    clients : ClientAuthentication
        What the server wants of its clients.
    findings : tuple of Finding
        Everything found, fatal ones first.
    accepted_by : tuple of Opinion
        What each kind of client would say of this chain, computed; empty if not asked for, or without a chain.
    measured : tuple of AtlasRow
        What real client stacks were measured to say to the causes found here; empty if not asked for, or if
        nothing was found that the atlas has.
    """

    target: Target
    stage: str
    at: datetime
    flight: Flight | None = field(default=None, repr=False)
    versions: tuple[tuple[str, str], ...] = ()
    verification: Verification | None = field(default=None, repr=False)
    clients: ClientAuthentication = field(default_factory=lambda: ClientAuthentication("unknown"))
    findings: tuple[Finding, ...] = field(default=(), repr=False)
    accepted_by: tuple[Opinion, ...] = field(default=(), repr=False)
    measured: tuple[AtlasRow, ...] = field(default=(), repr=False)

    @property
    def ok(self) -> bool:
        """Whether the checkup came through and nothing fatal was found."""
        return self.stage == "done" and not any(finding.fatal for finding in self.findings)

    def __bool__(self) -> NoReturn:
        raise TypeError("a server check is neither true nor false: ask .ok")

    @property
    def chain(self) -> Chain:
        """The chain as sent; empty if it did not come to that."""
        return Chain(()) if self.flight is None else self.flight.chain

    @property
    def cause(self) -> str | None:
        """The cause id of the first fatal finding; None if there is none."""
        return next((finding.cause for finding in self.findings if finding.fatal), None)

    @property
    def staple_status(self) -> str | None:
        """What the stapled OCSP answer says, e.g. ``"good"``; None if none was stapled."""
        if self.flight is None or self.flight.staple is None:
            return None
        try:
            return OcspAnswer.from_bytes(self.flight.staple).status
        except FormatError:
            return "unreadable"

    def raise_if_failed(self) -> None:
        """Raise `CheckFailed` with the first fatal finding."""
        if not self.ok:
            first = next((finding for finding in self.findings if finding.fatal), None)
            words = first.text if first else f"the checkup ended at: {self.stage}"
            raise CheckFailed(words, on=self.target, hint=first.fix if first else "", cause=self.cause)

    @property
    def headline(self) -> str:
        """The result in one sentence."""
        if self.ok:
            advice = sum(not finding.fatal for finding in self.findings)
            return f"{self.target} is in order" + (f", with {advice} things to look at." if advice else ".")
        first = next((finding for finding in self.findings if finding.fatal), None)
        return f"{self.target}: {first.text if first else 'the checkup did not come through'}"

    def to_dict(self) -> dict[str, object]:
        """Return the facts as JSON values: what ``certkit check --json`` prints."""
        flight = self.flight
        return {
            "target": str(self.target),
            "name": self.target.wanted,
            "ok": self.ok,
            "stage": self.stage,
            "at": iso(self.at),
            "cause": self.cause,
            "tls_version": flight.version if flight else None,
            "cipher": flight.cipher if flight else None,
            "group": flight.group if flight else None,
            "versions": dict(self.versions),
            "chain": [
                {
                    "subject": item.subject,
                    "issuer": item.issuer,
                    "not_before": iso(item.not_before),
                    "not_after": iso(item.not_after),
                    "key": item.key,
                    "key_bits": item.key_bits,
                    "signature": item.signature,
                    "sha256": item.sha256,
                }
                for item in self.chain
            ],
            "ocsp_staple": bool(flight and flight.staple),
            "ocsp_status": self.staple_status,
            "client_authentication": self.clients.to_dict(),
            "verification": None if self.verification is None else self.verification.to_dict(),
            "accepted_by": [
                {"judge": item.judge, "ok": item.ok, "text": item.text, "how": "computed"}
                for item in self.accepted_by
            ],
            "measured": [{**row.to_dict(), "how": "measured"} for row in self.measured],
            "findings": [finding.to_dict() for finding in self.findings],
        }

    def text(self) -> str:
        """Return the report as plain text."""
        lines = [self.headline, ""]
        lines += [f"{name + ':':<22}{value}" for name, value in self._facts()]
        for number, item in enumerate(self.chain):
            days = item.days_left(self.at)
            key = f"{item.key} {item.key_bits}" if item.key_bits else item.key
            lines.append(
                f"{f'certificate {number}:':<22}{item.subject}, from {item.not_before:%Y-%m-%d} until "
                f"{item.not_after:%Y-%m-%d} ({days} days), {key}, signed {item.signature}"
            )
        for finding in self.findings:
            lines += ["", f"{finding.severity} {finding.kind}: {finding.text}"]
            if finding.fix:
                lines.append(f"  fix: {finding.fix}")
        if self.accepted_by:
            lines += ["", "who would accept it: computed, for this chain and these roots:"]
        for opinion in self.accepted_by:
            lines.append(f"  {opinion.word:<11}{opinion.judge}: {visible(opinion.text, 300)}")
        lines += measured_text(self.measured)
        return "\n".join(lines)

    def _facts(self) -> list[tuple[str, str]]:
        flight = self.flight
        agreed = (
            "none"
            if flight is None or flight.version is None
            else f"TLS {flight.version}, {flight.cipher}, {flight.group or 'no group'}"
        )
        facts = [("came as far as", self.stage), ("agreed on", agreed)]
        if self.versions:
            facts.append(
                ("TLS versions", ", ".join(f"{version} {state}" for version, state in self.versions))
            )
        facts.append(("client certificate", self.clients.demand))
        if self.clients.authorities:
            facts.append(("of these CAs", visible(self.clients.authorities, 200)))
        if self.clients.accepted is not None:
            facts.append(
                (
                    "yours was",
                    "accepted" if self.clients.accepted else f"refused: {visible(self.clients.words, 200)}",
                )
            )
        elif self.clients.words:
            facts.append(("not to be told", visible(self.clients.words, 200)))
        facts.append(("OCSP answer stapled", f"yes: {self.staple_status}" if self.staple_status else "no"))
        return facts

    def __repr__(self) -> str:
        return f"<ServerCheck {self.target} {'ok' if self.ok else self.cause or self.stage}>"

    def _repr_html_(self) -> Html:
        rows = [
            (finding.badge(), finding.kind, visible(finding.text, 400), visible(finding.fix, 300))
            for finding in self.findings
        ]
        parts: list[object] = [
            tag("p", badge("good" if self.ok else "bad", visible(self.headline, 300))),
            definitions(self._facts(), caption=f"What {self.target} does"),
        ]
        if rows:
            parts.append(html_table(("weight", "finding", "what was found", "fix"), rows, caption="Findings"))
        if self.accepted_by:
            judges = [(item.badge(), item.judge, visible(item.text, 200)) for item in self.accepted_by]
            parts.append(html_table(("verdict", "judge", "its words"), judges, caption=_COMPUTED))
        if self.measured:
            told = f"What real clients say to this: measured, {count(len(self.measured), 'answer')}"
            parts.append(details(told, measured_html(self.measured)))
        if self.chain:
            parts.append(details("The chain as sent", self.chain._repr_html_()))
        return tag("div", *parts)


def version_findings(versions: tuple[tuple[str, str], ...]) -> list[Finding]:
    """Return what is to say about the TLS versions that a server offers."""
    state = dict(versions)
    found = []
    for version in ("1.0", "1.1"):
        if state.get(version) == "offered":
            found.append(
                Finding(
                    "old-protocol-offered",
                    "protocol-version",
                    Severity.ADVISORY,
                    f"The server still offers TLS {version}.",
                    position="server",
                    rfc="RFC 8996, 1",
                    fix="Switch it off on the server, once no client needs it.",
                )
            )
    if state and "offered" not in {state.get("1.2"), state.get("1.3")}:
        found.append(
            Finding(
                "no-current-protocol",
                "protocol-version",
                Severity.FATAL,
                "The server offers neither TLS 1.2 nor TLS 1.3.",
                position="server",
                rfc="RFC 9325, 3.1.1",
                fix="Switch TLS 1.2 and 1.3 on.",
            )
        )
    return found


def expiry_findings(chain: Chain, at: datetime) -> list[Finding]:
    """Return what expires within 30 days and is still valid."""
    return [
        Finding(
            "expires-soon",
            "expired-leaf" if number == 0 else "expired-ca",
            Severity.ADVISORY,
            f"{item.name} expires on {item.not_after:%Y-%m-%d}, in {item.days_left(at)} days.",
            position="leaf" if number == 0 else "intermediate",
            index=number,
            certificate=item.name,
            sha256=item.sha256,
            evidence=(("notAfter", iso(item.not_after)), ("now", iso(at))),
            rfc="RFC 5280, 4.1.2.5",
            fix="Renew it now.",
        )
        for number, item in enumerate(chain)
        if at <= item.not_after < at + SOON
    ]
