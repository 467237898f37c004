"""Name constraints along a path: each CA's permitted and excluded names against every name below it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from certkit.causes import Finding
from certkit.verification import _names
from certkit.verification._facts import Facts
from certkit.verification._policy import Question
from certkit.verification._rules import Place, listed

__all__ = ["COMPARISON_LIMIT", "Meter", "constraint_findings", "first_violation"]

COMPARISON_LIMIT = 1 << 20
"""How many comparisons of a name with a constraint one verification may cost: the oracle's own limit."""
_NAME_LIMIT = 20_000


@dataclass
class Meter:
    """Counts comparisons, as a verifier makes them that compares pair by pair."""

    comparisons: int = 0

    @property
    def exhausted(self) -> bool:
        """Whether the oracle would have stopped."""
        return self.comparisons > COMPARISON_LIMIT


def first_violation(issuer: Facts, below: Sequence[Facts], meter: Meter) -> bool:
    """Return whether `issuer` refuses a name below it or its own, stopping where a verifier stops.

    Parameters
    ----------
    issuer : Facts
        The certificate whose constraints are applied.
    below : sequence of Facts
        The path up to and with the issuer, leaf first.
    meter : Meter
        Where comparisons are counted.
    """
    if issuer.constraints_error is not None:
        return True
    if issuer.constraints is None:
        return False
    permitted, excluded = issuer.constraints
    for depth, facts in enumerate(below):
        if depth and facts.self_issued:
            continue
        for name in facts.sans:
            allowed = permitted.compare(name, excluded=False)
            meter.comparisons += allowed.comparisons
            if allowed.result not in ("skipped", "match") or meter.exhausted:
                return True
            refused = excluded.compare(name, excluded=True)
            meter.comparisons += refused.comparisons
            if refused.result not in ("skipped", "no-match") or meter.exhausted:
                return True
    return False


def constraint_findings(path: Sequence[Facts], question: Question) -> Iterator[Finding]:
    """Yield every name on the path that a CA above it refuses, and what could not be compared."""
    meter, looked = Meter(), 0
    for height, issuer in enumerate(path):
        if height == 0 or issuer.constraints is None or issuer.constraints_error is not None:
            continue
        if issuer.must_compare_directories:
            place = Place(issuer, question, height)
            yield place.say(
                "unsupported-name-constraint",
                f"{place.who} constrains distinguished names, marked critical, and this verifier cannot compare those: it "
                "gives up.",
                (
                    "constraint",
                    listed([name for name in issuer.names_constrained if name[0] == _names.DIRECTORY]),
                ),
            )
        for depth, facts in enumerate(path[: height + 1]):
            if depth and facts.self_issued:
                continue
            looked += len(facts.sans)
            meter.comparisons += len(facts.sans) * (len(issuer.permitted) + len(issuer.excluded))
            if looked > _NAME_LIMIT or meter.exhausted:
                yield _limit(facts, issuer, depth, question, meter)
                return
            attributes = _names.attribute_count(facts.subject)
            if attributes * len(issuer.names_constrained) > COMPARISON_LIMIT:
                yield _many_attributes(Place(facts, question, depth), issuer, attributes)
            yield from _compare(facts, issuer, depth, height, question)
            yield from _directory(facts, issuer, depth, question)


def _limit(facts: Facts, issuer: Facts, depth: int, question: Question, meter: Meter) -> Finding:
    return Place(facts, question, depth).say(
        "search-limit",
        f"{len(facts.sans):,} names meet {len(issuer.names_constrained):,} name constraints: more comparisons than a verifier "
        "is willing to make.",
        ("comparisons", f"{meter.comparisons:,}"),
        ("limit", f"{COMPARISON_LIMIT:,}"),
    )


def _many_attributes(on: Place, issuer: Facts, attributes: int) -> Finding:
    return on.say(
        "search-limit/subject",
        f"{attributes:,} parts of a subject meet {len(issuer.names_constrained):,} name constraints: a verifier that compares "
        "names in the subject too (OpenSSL, for one) gives up or takes its time.",
        ("comparisons", f"{attributes * len(issuer.names_constrained):,}"),
        ("limit", f"{COMPARISON_LIMIT:,}"),
    )


def _compare(facts: Facts, issuer: Facts, depth: int, height: int, question: Question) -> Iterator[Finding]:
    assert issuer.constraints is not None
    permitted, excluded = issuer.constraints
    groups: dict[str, list[_Hit]] = {}
    for name in facts.sans:
        for tree, is_excluded in ((permitted, False), (excluded, True)):
            outcome = tree.compare(name, excluded=is_excluded)
            good = ("skipped", "no-match") if is_excluded else ("skipped", "match")
            if outcome.result not in good:
                rule = _RULES.get(outcome.result, "name-constraints")
                groups.setdefault(rule, []).append(_Hit(name, outcome, is_excluded))
                break
    for rule, hits in groups.items():
        yield _violation(rule, hits, Place(facts, question, depth), Place(issuer, question, height))


_RULES = {
    "malformed-name": "malformed-san",
    "malformed-constraint": "malformed-name-constraint",
    "unsupported": "unsupported-name-constraint",
}


@dataclass(frozen=True)
class _Hit:
    name: _names.Name
    outcome: _names.Outcome
    excluded: bool


def _violation(rule: str, hits: list[_Hit], below: Place, issuer: Place) -> Finding:
    names = listed([hit.name for hit in hits])
    limits = _limits(issuer.facts, hits[0])
    evidence = (("name", names), ("constraint", limits), ("set by", issuer.facts.name))
    if rule == "name-constraints":
        text = f"{below.who} carries {names}, which {issuer.who} may not certify: {limits}."
        return below.say(rule, text, *evidence)
    if rule == "malformed-san":
        text = f"{below.who} carries {names}, which has not the form that {issuer.who} constrains."
        return below.say(rule, text, *evidence)
    if rule == "malformed-name-constraint":
        text = f"a name constraint of {issuer.who} is malformed, so that {names} cannot be compared with it."
        return issuer.say(rule, text, *evidence)
    text = f"{issuer.who} constrains names of a kind that this verifier cannot compare: {names}."
    return issuer.say(rule, text, *evidence)


def _limits(issuer: Facts, hit: _Hit) -> str:
    word = "not" if hit.excluded else "only"
    if hit.outcome.constraint is not None:
        return f"{word} {_names.text(hit.outcome.constraint)}"
    return f"{word} {listed(issuer.excluded if hit.excluded else issuer.permitted)}"


_DIRECTORY_LIMIT = 500


def _directory(facts: Facts, issuer: Facts, depth: int, question: Question) -> Iterator[Finding]:
    """Compare distinguished names, which RFC 5280 demands and the webpki judge does not do."""
    permitted, excluded = (
        [content for kind, content in names if kind == _names.DIRECTORY]
        for names in (issuer.permitted, issuer.excluded)
    )
    if not 0 < len(permitted) + len(excluded) <= _DIRECTORY_LIMIT:
        return
    names = [facts.subject] if len(facts.subject) > 2 else []
    names += [content for kind, content in facts.sans[:_DIRECTORY_LIMIT] if kind == _names.DIRECTORY]
    for name in names:
        own = _names.canonical(name)
        outside = next((limit for limit in excluded if _is_below(own, limit)), None)
        if outside is None and (not permitted or any(_is_below(own, limit) for limit in permitted)):
            continue
        shown = _names.text((_names.DIRECTORY, name))
        limit = _names.text((_names.DIRECTORY, permitted[0] if outside is None else outside))
        rule = f"{'only' if outside is None else 'not'} {limit}"
        place = Place(facts, question, depth)
        yield place.say(
            "name-constraints/directory",
            f"{place.who} carries {shown}, which “{issuer.name}” may not certify: {rule}. Not every verifier looks.",
            ("name", shown),
            ("constraint", rule),
            ("set by", issuer.name),
        )


def _is_below(name: tuple[frozenset[tuple[str, str]], ...], limit: bytes) -> bool:
    above = _names.canonical(limit)
    return name[: len(above)] == above
