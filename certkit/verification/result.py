"""`Verification`, `Path` and `Opinion`: the verdict on a chain, every way to it, and what others say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, NoReturn

from certkit._files import iso
from certkit._html import Html, badge, details, fitting, table, tag
from certkit._svg import short
from certkit._text import count
from certkit.causes import Finding, Severity
from certkit.certificates import Certificate
from certkit.chains import Chain, TrustStore
from certkit.errors import CheckFailed

if TYPE_CHECKING:
    from certkit.verification.graph import ChainGraph

__all__ = ["Opinion", "Path", "Verification"]


@dataclass(frozen=True)
class Opinion:
    """What one verifier says of a chain.

    Attributes
    ----------
    judge : str
        Who, with the version.
    ok : bool or None
        Its verdict; None if it could not judge or is not installed.
    text : str
        Its own words.
    errors : tuple of (int, int or None, str)
        Its error codes, each with the depth of the certificate (0 for the leaf) and its words.
    chain : tuple of Certificate
        The path it settled on, leaf first; empty if it tells none.
    """

    judge: str
    ok: bool | None
    text: str
    errors: tuple[tuple[int, int | None, str], ...] = ()
    chain: tuple[Certificate, ...] = field(default=(), repr=False)

    @property
    def word(self) -> str:
        """The verdict in a word."""
        return "no verdict" if self.ok is None else "trusted" if self.ok else "refused"

    def to_dict(self) -> dict[str, object]:
        """Return the facts as JSON values."""
        return {
            "judge": self.judge,
            "ok": self.ok,
            "text": self.text,
            "errors": [{"code": code, "depth": depth, "text": text} for code, depth, text in self.errors],
        }

    def __bool__(self) -> NoReturn:
        raise TypeError("an opinion is neither true nor false: ask .ok")

    def badge(self) -> Html:
        """Return the verdict as icon, word and colour."""
        status = "neutral" if self.ok is None else "good" if self.ok else "bad"
        return badge(status, self.word)


@dataclass(frozen=True)
class Path:
    """One way from the leaf towards an anchor.

    Attributes
    ----------
    certificates : tuple of Certificate
        Leaf first.
    status : {"trusted", "refused", "dead-end"}
        Whether it reaches an anchor and holds, reaches one and breaks a rule, or reaches none.
    end : str
        ``"anchor"``, ``"no-issuer"``, ``"cycle"``, ``"too-deep"`` or ``"wrong-key"``.
    reason : str
        Why it goes no further; empty if it reaches an anchor.
    findings : tuple of Finding
        Everything that is wrong on it, with the weight it has for this path.
    """

    certificates: tuple[Certificate, ...]
    status: str
    end: str
    reason: str = ""
    findings: tuple[Finding, ...] = field(default=(), repr=False)

    @property
    def ok(self) -> bool:
        """Whether it reaches an anchor and no rule refuses it."""
        return self.status == "trusted"

    @property
    def fatal(self) -> tuple[Finding, ...]:
        """The findings that refuse it."""
        return tuple(item for item in self.findings if item.fatal)

    @property
    def names(self) -> str:
        """The names along it, leaf first."""
        return " ← ".join(item.name for item in self.certificates)

    def to_dict(self) -> dict[str, object]:
        """Return the facts as JSON values."""
        return {
            "ok": self.ok,
            "status": self.status,
            "end": self.end,
            "reason": self.reason or None,
            "certificates": [
                {"subject": item.subject, "sha256": item.sha256, "not_after": iso(item.not_after)}
                for item in self.certificates
            ],
            "findings": [item.kind for item in self.findings],
        }

    def __bool__(self) -> NoReturn:
        raise TypeError("a path is neither true nor false: ask .ok")

    def __len__(self) -> int:
        return len(self.certificates)

    def __repr__(self) -> str:
        return f"<Path {self.status}: {self.names}>"


@dataclass(frozen=True)
class Verification:
    """Whether a chain is trusted, by which paths, and if not, what is wrong, where, and on whose side.

    Attributes
    ----------
    ok : bool
        The verdict: the oracle's, and that nothing was revoked.
    oracle : Opinion
        Whose verdict it is under this policy.
    paths : tuple of Path
        Every way that was found from the leaf, dead ends included; the best first.
    findings : tuple of Finding
        Everything found, the headline first.
    explorer_ok : bool
        What certkit's own search concludes; it gives the reasons, and should equal the oracle's verdict.
    chain : Chain
        As sent.
    anchors : TrustStore
        As stored: what this side believes.
    host, purpose, at, policy
        The question.
    opinions : tuple of Opinion
        What other verifiers say; shown beside the verdict, never merged into it.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> from certkit.verification import verify_chain
    >>> issuing = CertificateAuthority("Lab Root").intermediate("Lab Issuing CA")
    >>> server = issuing.issue("shop.example.test", usage="server")
    >>> verify_chain(server.chain, issuing.trust_store, host="shop.example.test").ok
    True
    >>> verify_chain(server.certificate, issuing.trust_store, host="shop.example.test").headline.cause
    'missing-intermediate'
    """

    ok: bool
    oracle: Opinion
    paths: tuple[Path, ...] = field(repr=False)
    findings: tuple[Finding, ...] = field(repr=False)
    explorer_ok: bool
    chain: Chain
    anchors: TrustStore = field(repr=False)
    host: str | None
    purpose: str
    at: datetime
    policy: str
    opinions: tuple[Opinion, ...] = ()

    @property
    def fatal(self) -> tuple[Finding, ...]:
        """The findings that refuse the chain; empty if it is trusted."""
        return tuple(item for item in self.findings if item.fatal)

    @property
    def headline(self) -> Finding | None:
        """The first thing to repair: on the least broken path, nearest the leaf; None if all is well."""
        return next(iter(self.fatal), None)

    @property
    def cause(self) -> str | None:
        """The cause id of the headline; None if the chain is trusted."""
        return None if self.headline is None else self.headline.cause

    @property
    def best_path(self) -> Path | None:
        """The path that is trusted, or the least broken one; None if the chain is empty."""
        return self.paths[0] if self.paths else None

    @property
    def verified_chain(self) -> Chain:
        """As verified: the path that the oracle settled on, anchor included; empty if there is none."""
        if self.oracle.chain:
            return Chain(self.oracle.chain)
        best = self.best_path
        return Chain(best.certificates if best is not None and best.ok else ())

    @property
    def verdict(self) -> str:
        """What came of it, in one sentence."""
        leaf = self.chain.leaf.name
        if self.ok:
            good = sum(path.ok for path in self.paths)
            return f"“{leaf}” is trusted, by {count(good, 'path')}." if good else f"“{leaf}” is trusted."
        return self.headline.text if self.headline is not None else f"“{leaf}” is refused: {self.oracle.text}"

    def raise_if_failed(self) -> None:
        """Raise `CheckFailed` if the chain is not trusted.

        Raises
        ------
        CheckFailed
            With the headline.
        """
        if self.ok:
            return
        head = self.headline
        raise CheckFailed(
            "the chain is not trusted" if head is None else head.text.rstrip("."),
            on=self.chain.leaf.name,
            hint="" if head is None else head.fix.rstrip("."),
            cause=self.cause,
            kind=None if head is None else head.kind,
        )

    def with_opinions(self, *opinions: Opinion) -> Verification:
        """Return this verification with more second opinions beside it."""
        return replace(self, opinions=(*self.opinions, *opinions))

    def __bool__(self) -> NoReturn:
        raise TypeError("a verification is neither true nor false: ask .ok")

    def to_dict(self) -> dict[str, object]:
        """Return the facts as JSON values: what ``certkit chain --json`` prints."""
        return {
            "ok": self.ok,
            "verdict": self.verdict,
            "cause": self.cause,
            "policy": self.policy,
            "host": self.host,
            "purpose": self.purpose,
            "at": iso(self.at),
            "views": {
                "sent": [item.subject for item in self.chain][:_VIEWED],
                "stored": [item.subject for item in self.anchors if item in self._touched()][:_VIEWED],
                "verified": [item.subject for item in self.verified_chain],
            },
            "oracle": self.oracle.to_dict(),
            "explorer_ok": self.explorer_ok,
            "opinions": [item.to_dict() for item in self.opinions],
            "paths": [path.to_dict() for path in self.paths],
            "findings": [item.to_dict() for item in self.findings],
        }

    def text(self) -> str:
        """Return the verdict, the paths and the findings as text for a terminal."""
        lines = [f"{'OK' if self.ok else 'FAILED'}: {self.verdict}", ""]
        lines += [f"{self.oracle.judge} ({self.policy}): {self.oracle.word}. {self.oracle.text}"]
        lines += [f"{item.judge}: {item.word}. {item.text}" for item in self.opinions]
        verified = [item.name for item in self.verified_chain]
        lines += ["", f"as sent:     {_listed([item.name for item in self.chain])}"]
        touched = [item.name for item in self.anchors if item in self._touched()]
        rest = count(len(self.anchors) - len(touched), "anchor") + " on no path"
        lines += [
            f"as stored:   {', '.join([*touched[:8], rest] if len(touched) < len(self.anchors) else touched[:8])}"
        ]
        lines += [f"as verified: {_listed(verified) if verified else 'no path holds'}"]
        lines += ["", f"{count(len(self.paths), 'path')}:"]
        lines += [
            f"  {_MARKS[path.status]} {path.names}" + (f": {path.reason}" if path.reason else "")
            for path in self.paths[:20]
        ]
        lines += ["", "who signed whom:", *(f"  {line}" for line in self.graph().text().splitlines()[:40])]
        if self.findings:
            lines += ["", f"{count(len(self.findings), 'finding')}:"]
        for item in self.findings[:40]:
            lines.append(f"  {item.severity:<8} {item.kind} ({item.cause}), {item.position}: {item.text}")
            if item.fatal:
                lines.append(f"           fix: {item.fix}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        state = "trusted" if self.ok else f"refused, {self.cause or 'by the oracle'}"
        found = f"{count(len(self.paths), 'path')}, {count(len(self.findings), 'finding')}"
        return f"<Verification {self.chain.leaf.name}: {state}, {found}>"

    def graph(self) -> ChainGraph:
        """Return the picture: every path in one graph, with anchors, ghosts and dead ends."""
        from certkit.verification._graph_build import chain_graph  # noqa: PLC0415 - it knows this type

        return chain_graph(self)

    def findings_html(self) -> Html:
        """Return the findings as a table, or that there are none."""
        return findings_table(self.findings) if self.findings else tag("p", "No findings.")

    def views_html(self) -> Html:
        """Return the chain as sent, as stored and as verified, side by side."""
        sent = [item.name for item in self.chain]
        stored = [item.name for item in self.anchors if item in self._touched()]
        stored += (
            [f"… and {len(self.anchors) - len(stored)} more anchors"]
            if len(self.anchors) > len(stored)
            else []
        )
        verified = [item.name for item in self.verified_chain] or ["no path holds"]
        columns = [sent[:12], stored[:12], verified[:12]]
        height = max(len(column) for column in columns)
        rows = [[column[line] if line < len(column) else "" for column in columns] for line in range(height)]
        return table(
            ("as sent", "as stored (truststore)", "as verified"), rows, caption="Three views of one chain"
        )

    def _touched(self) -> set[Certificate]:
        return {item for path in self.paths for item in path.certificates}

    def _repr_html_(self) -> Html:
        return fitting(self._html(whole) for whole in (True, False))

    def _html(self, whole: bool) -> Html:
        # The picture gives way first: the table repeats it.
        picture = self.graph().svg() if whole else tag("p", "The picture would be too large here: .graph()")
        findings = 6 if whole else 3
        word = (
            badge("good", "trusted") if self.ok else badge("bad", f"refused: {self.cause or 'by the oracle'}")
        )
        host = f" as {self.host}" if self.host else ""
        asked = f" · {self.purpose}{host} · {iso(self.at)} · policy {self.policy}"
        judges = [(item.judge, item.badge(), item.text) for item in (self.oracle, *self.opinions)]
        ways = [
            (
                number,
                path.status,
                short(path.names, 160),
                short(path.reason, 120) or ", ".join(dict.fromkeys(item.kind for item in path.fatal)),
            )
            for number, path in enumerate(self.paths)
        ]
        over = len(self.findings) - findings
        more = f"; {over} findings more: .findings" if over > 0 else ""
        return tag(
            "div",
            tag("p", word, asked),
            tag("p", tag("strong", self.verdict)),
            picture,
            findings_table(self.findings[:findings]) if self.findings else "",
            tag("p", f"{count(len(ways), 'path')}{more}") if more else "",
            details(
                f"{count(len(ways), 'path')}, the judges, and the chain as sent, stored and verified",
                table(("path", "status", "certificates, leaf first", "why not"), ways, limit=5),
                table(("judge", "verdict", "in its own words"), judges),
                self.views_html(),
            ),
        )


_VIEWED = 100
_MARKS = {"trusted": "ok  ", "refused": "no  ", "dead-end": "end "}


def _listed(names: list[str]) -> str:
    """Return the first names in a row, and how many more there are."""
    return " ← ".join(names[:8]) + (f" and {len(names) - 8:,} more" if len(names) > 8 else "")


def findings_table(findings: Iterable[Finding]) -> Html:
    """Return findings as a table: weight, place, what, and what to do."""
    rows = [
        (
            item.badge(),
            f"{item.kind}" if item.kind == item.cause else f"{item.kind} ({item.cause})",
            f"{item.position}{'' if item.index is None else f', {item.index} as sent'}",
            item.text,
            item.fix if item.severity is Severity.FATAL else "",
        )
        for item in findings
    ]
    return table(("weight", "finding", "where", "what", "fix"), rows, limit=20)
