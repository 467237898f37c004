"""From a route to a `Path`: everything that is wrong on it, and why it ends where it ends."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

from certkit.causes import Finding, Severity
from certkit.verification._constraints import constraint_findings
from certkit.verification._facts import Facts
from certkit.verification._kinds import finding
from certkit.verification._policy import Question
from certkit.verification._rules import Place, key_findings
from certkit.verification._search import Bag, Route
from certkit.verification.result import Path

__all__ = ["Explainer"]

_ROOT_WORD = re.compile(r"\broot\b", re.IGNORECASE)
_BELOW_WORD = re.compile(r"\b(intermediate|issuing|sub(ordinate)?|policy|tls|ssl|class)\b", re.IGNORECASE)


class Explainer:
    """Turns routes into paths with findings."""

    def __init__(self, bag: Bag, question: Question) -> None:
        self.bag = bag
        self.question = question

    def path(self, route: Route) -> Path:
        """Return the path of a route."""
        found: list[Finding] = []
        for depth, facts in enumerate(route.steps):
            found += self.bag.own_findings(facts, self.question, depth)
        for depth, (child, issuer) in enumerate(zip(route.steps, route.steps[1:], strict=False)):
            found += self._edge(child, issuer, depth)
        found += constraint_findings(route.steps, self.question)
        reason = ""
        if route.end != "anchor":
            ending = list(self._end(route))
            reason = ending[0].text
            found += ending
        good = route.end == "anchor" and not any(item.fatal for item in found)
        status = "trusted" if good else "refused" if route.end == "anchor" else "dead-end"
        return Path(tuple(step.certificate for step in route.steps), status, route.end, reason, tuple(found))

    def _edge(self, child: Facts, issuer: Facts, depth: int) -> Iterator[Finding]:
        below, above = Place(child, self.question, depth), Place(issuer, self.question, depth + 1)
        limit = issuer.basic.path_length if issuer.basic is not None else None
        if limit is not None and depth > limit:
            yield above.say(
                "path-length-exceeded",
                f"“{issuer.name}” allows {_cas(limit)} below it, and this path has {_cas(depth)}.",
                ("path length", str(limit)),
                ("CAs below", str(depth)),
            )
        if child.outer_algorithm not in self.question.policy.signatures:
            signature = child.certificate.signature
            yield below.say(
                "weak-signature",
                f"{below.who} is signed with {signature}, which the profile does not allow.",
                ("signature", signature),
            )
        named, own = child.authority_key, issuer.subject_key
        if named is not None and own is not None and named != own:
            yield below.say(
                "aki-ski-mismatch",
                f"“{child.name}” says that another key signed it than the one its issuer “{issuer.name}” claims to have, "
                "although the signature verifies.",
                ("authorityKeyIdentifier", named.hex()),
                ("issuer's identifier", own.hex()),
            )

    def _end(self, route: Route) -> Iterator[Finding]:
        last, depth = route.steps[-1], len(route.steps) - 1
        if route.end == "wrong-key":
            yield self._wrong_key(last, route.misfits, depth, Severity.ADVISORY)
        elif route.end == "too-deep":
            yield finding(
                "max-depth-exceeded",
                f"This path has more than the {_cas(self.question.max_depth)} that the verifier follows between leaf and root.",
                depth=depth,
                evidence=(("intermediates", str(depth)), ("limit", str(self.question.max_depth))),
            )
        elif route.end == "cycle":
            yield finding(
                "untrusted-root",
                f"The issuers of “{last.name}” lead round in a circle and reach no root that is trusted here.",
                depth=depth,
                evidence=(("path", " ← ".join(step.name for step in route.steps)),),
            )
            yield finding("cycle", "These CAs certify each other.", last, depth=depth)
        else:
            yield from self._no_issuer(last, route, depth)

    def _no_issuer(self, last: Facts, route: Route, depth: int) -> Iterator[Finding]:
        unreadable = [item for item in route.misfits if not _key_is_readable(item)]
        if unreadable:
            yield from key_findings(Place(unreadable[0], self.question, depth + 1))
            return
        tampered = [item for item in route.misfits if _same_key_claimed(last, item)]
        if tampered and not self._is_self_signed(last):
            yield self._wrong_key(last, tuple(tampered), depth, Severity.FATAL)
        elif self._is_self_signed(last):
            yield self._ends_at_itself(last, depth)
        else:
            yield from self._stops(last, route.misfits, depth)

    def _is_self_signed(self, facts: Facts) -> bool:
        return facts.self_issued and self.bag.signed(facts, facts)

    def _ends_at_itself(self, last: Facts, depth: int) -> Finding:
        held = self._held(last.subject)
        if depth == 0:
            return finding(
                "self-signed-leaf",
                f"The leaf “{last.name}” is signed with its own key, and this truststore does not hold it.{held}",
                last,
                depth=depth,
                evidence=(("issuer", last.certificate.issuer), ("subject", last.certificate.subject)),
            )
        return finding(
            "untrusted-root",
            f"The path is complete, but its root “{last.name}” is not in this truststore.{held}",
            last,
            depth=depth,
            evidence=(("root", last.certificate.subject), ("SHA-256", last.certificate.sha256)),
        )

    def _stops(self, last: Facts, misfits: tuple[Facts, ...], depth: int) -> Iterator[Finding]:
        issuer = last.certificate.issuer or "nobody"
        held = self._held(last.issuer)
        evidence = (("issuer of the last one", issuer), ("anchors here", str(self.bag.anchor_count)))
        other_key = any(item.trusted for item in misfits)
        kind = (
            "untrusted-root"
            if other_key or not self._looks_intermediate(last, depth)
            else "missing-intermediate"
        )
        if kind == "missing-intermediate":
            yield finding(
                kind,
                f"“{last.name}” was issued by “{issuer}”, which was neither sent nor is it in this truststore.{held}",
                position="chain",
                depth=depth,
                evidence=evidence,
            )
            return
        yield finding(
            kind,
            f"The path stops at “{last.name}”: its issuer “{issuer}” is not in this truststore.{held}",
            position="chain",
            depth=depth,
            evidence=evidence,
        )
        if not other_key:
            yield finding(
                "missing-intermediate",
                f"Or one more intermediate is missing: “{issuer}”, if that is no root, should have been sent.",
                position="chain",
                depth=depth,
                severity=Severity.ADVISORY,
                evidence=evidence,
            )

    def _looks_intermediate(self, last: Facts, depth: int) -> bool:
        """Whether the certificate that is missing is rather an intermediate than a root.

        Nothing in a certificate says whether its issuer is a root. A leaf is hardly ever issued by one; above
        that, the issuer's own name tells as a rule, and so does an anchor of the same organisation.
        """
        common, organisation = _issuer_words(last)
        if _ROOT_WORD.search(common):
            return False
        if depth == 0 or _BELOW_WORD.search(common):
            return True
        return bool(organisation) and organisation in self.bag.anchor_organisations

    def _held(self, subject: bytes) -> str:
        namesakes = self.bag.anchors_named(subject)
        if not namesakes:
            return ""
        first = namesakes[0].certificate
        return (
            f" It does hold a certificate of that name, with another key (SHA-256 {first.sha256[:16]}…, "
            f"{first.not_before:%Y-%m-%d} to {first.not_after:%Y-%m-%d})."
        )

    def _wrong_key(self, last: Facts, misfits: tuple[Facts, ...], depth: int, severity: Severity) -> Finding:
        other = misfits[0]
        where = "in this truststore" if other.trusted else "sent along"
        claimed = _same_key_claimed(last, other)
        named = last.authority_key.hex() if last.authority_key else "none"
        own = other.subject_key.hex() if other.subject_key else "none"
        why = (
            "either the certificate was changed, or the issuer has a new key"
            if claimed
            else "another CA, or another generation of it, has the same name"
        )
        return finding(
            "signature-bad",
            f"The “{other.name}” {where} has the name of the issuer of “{last.name}”, but its key did not sign it: {why}.",
            last,
            depth=depth,
            severity=severity,
            cause_id="" if claimed else "akid-mismatch",
            evidence=(("names the key", named), ("the issuer's key", own)),
        )


def _key_is_readable(facts: Facts) -> bool:
    try:
        facts.certificate.raw.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return False
    return True


def _same_key_claimed(child: Facts, issuer: Facts) -> bool:
    """Whether the identifiers say that this issuer's key made the signature, or say nothing."""
    named, own = child.authority_key, issuer.subject_key
    return named is None or own is None or named == own


def _issuer_words(facts: Facts) -> tuple[str, str]:
    words = []
    for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        words.append(_attribute(facts, oid))
    return words[0], words[1].casefold()


def _attribute(facts: Facts, oid: x509.ObjectIdentifier) -> str:
    try:
        found = facts.certificate.raw.issuer.get_attributes_for_oid(oid)
    except ValueError:
        return ""
    return str(found[0].value) if found else ""


def _cas(number: int) -> str:
    return "no CA" if number == 0 else f"{number} CA" + ("s" if number > 1 else "")
