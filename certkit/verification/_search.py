"""Finding paths: who could have issued what, which signatures hold, and where each way ends.

Two searches share one memory of signatures. `Judge` walks as the oracle does, depth first with
backtracking, to the same verdict. `explore` walks breadth first and keeps every path, dead ends
included, so that each can be explained.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from cryptography.x509.oid import NameOID

from certkit._signatures import signature_is_valid
from certkit.causes import Finding
from certkit.certificates import Certificate
from certkit.verification._constraints import Meter, first_violation
from certkit.verification._facts import Facts
from certkit.verification._policy import Question
from certkit.verification._rules_ca import ca_findings
from certkit.verification._rules_leaf import leaf_findings

__all__ = ["Bag", "Judge", "Route", "explore"]

SIGNATURE_LIMIT = 128
"""How many signatures one verification may cost: the oracle's own limit."""
_EXPLORE_SIGNATURES = 256
_EXPLORE_STEPS = 1500
_EXPLORE_PATHS = 60
_NAMESAKES = 40


def subject_of(der: bytes) -> bytes:
    """Return the subject's name of a certificate as DER, by skipping what stands before it."""
    position = _enter(der, _enter(der, 0))
    if der[position] == 0xA0:
        position = _after(der, position)
    for _ in range(4):
        position = _after(der, position)
    return der[position : _after(der, position)]


def _enter(der: bytes, position: int) -> int:
    first = der[position + 1]
    return position + 2 + (first & 0x7F if first & 0x80 else 0)


def _after(der: bytes, position: int) -> int:
    first = der[position + 1]
    if first < 0x80:
        return position + 2 + first
    body = position + 2 + (first & 0x7F)
    return body + int.from_bytes(der[position + 2 : body], "big")


class Bag:
    """The certificates at hand: the chain as sent, and the anchors, found by name.

    Parameters
    ----------
    sent : sequence of Certificate
        The chain as sent, leaf first.
    anchors : iterable of Certificate
        The truststore.
    """

    def __init__(self, sent: Sequence[Certificate], anchors: Iterable[Certificate]) -> None:
        self._facts: dict[bytes, Facts] = {}
        self._anchors = {certificate.der: certificate for certificate in anchors}
        self._sent: dict[bytes, int] = {}
        for index, certificate in enumerate(sent):
            self._sent.setdefault(certificate.der, index)
        self.sent = tuple(sent)
        self._by_subject: dict[bytes, list[Certificate]] = {}
        for certificate in (*self._anchors.values(), *self.sent[1:]):
            self._by_subject.setdefault(subject_of(certificate.der), []).append(certificate)
        self._signatures: dict[tuple[bytes, bytes], bool] = {}
        self._signers: dict[Facts, tuple[tuple[Facts, ...], tuple[Facts, ...]]] = {}
        self._own: dict[tuple[Facts, str, int], list[Finding]] = {}

    @cached_property
    def leaf(self) -> Facts:
        """The first certificate of the chain."""
        return self.facts(self.sent[0])

    def facts(self, certificate: Certificate) -> Facts:
        """Return what is known of a certificate."""
        found = self._facts.get(certificate.der)
        if found is None:
            der = certificate.der
            found = self._facts[der] = Facts(certificate, self._sent.get(der), der in self._anchors)
        return found

    @property
    def anchor_count(self) -> int:
        """How many anchors there are."""
        return len(self._anchors)

    @cached_property
    def anchor_organisations(self) -> frozenset[str]:
        """The organisations that the anchors name, case folded."""
        found = set()
        for certificate in self._anchors.values():
            try:
                names = certificate.raw.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
            except ValueError:
                continue
            found |= {str(item.value).casefold() for item in names}
        return frozenset(found)

    def anchors_named(self, subject: bytes) -> list[Facts]:
        """Return the anchors of that name."""
        return [item for item in self.namesakes(subject) if item.trusted]

    def namesakes(self, subject: bytes) -> list[Facts]:
        """Return the certificates of that name, anchors first; one that was sent twice is there twice."""
        return [self.facts(item) for item in self._by_subject.get(subject, ())]

    def issuers(self, facts: Facts) -> list[Facts]:
        """Return who may have issued a certificate, the likeliest first."""
        wanted = facts.authority_key

        def likeliness(candidate: Facts) -> int:
            own = None if candidate.duplicates else candidate.subject_key
            if wanted is None or own is None:
                return 1
            return 0 if wanted == own else 2

        return sorted(self.namesakes(facts.issuer), key=likeliness)

    def signers(self, facts: Facts) -> tuple[tuple[Facts, ...], tuple[Facts, ...]]:
        """Return the namesakes whose key signed a certificate, and those whose key did not, likeliest first."""
        found = self._signers.get(facts)
        if found is None:
            candidates = list(dict.fromkeys(self.issuers(facts)))[:_NAMESAKES]
            fitting = tuple(item for item in candidates if self.signed(facts, item))
            misfits = tuple(item for item in candidates if item not in fitting)
            found = self._signers[facts] = fitting, misfits
        return found

    def own_findings(self, facts: Facts, question: Question, depth: int) -> list[Finding]:
        """Return what is to be said of a certificate by itself, as the leaf (depth 0) or as a CA above it.

        Judging and explaining ask for much the same; of one bag, only the policy of a question may differ.
        """
        key = (facts, question.policy.name, depth)
        if key not in self._own:
            self._own[key] = ca_findings(facts, question, depth) if depth else leaf_findings(facts, question)
        return self._own[key]

    @property
    def signatures_checked(self) -> int:
        """How many different signatures have been checked."""
        return len(self._signatures)

    def signed(self, child: Facts, issuer: Facts) -> bool:
        """Return whether the issuer's key made the child's signature."""
        key = (child.certificate.der, issuer.key)
        if key not in self._signatures:
            self._signatures[key] = signature_is_valid(child.certificate.raw, issuer.certificate.raw)
        return self._signatures[key]

    def reaches_anchor_by_name(self) -> bool:
        """Return whether any way of names leads from the leaf to an anchor, signatures not looked at."""
        seen, queue = {self.leaf.subject}, [self.leaf]
        while queue:
            facts = queue.pop()
            if facts.trusted:
                return True
            for candidate in self.namesakes(facts.issuer):
                if candidate.trusted:
                    return True
                if candidate.subject not in seen:
                    seen.add(candidate.subject)
                    queue += self.namesakes(candidate.subject)
        return False


class _GivesUpError(Exception):
    """The oracle gives up as a whole: a limit is reached, or it must compare what it cannot."""


@dataclass
class Judge:
    """The verdict as the oracle reaches it: same order, same rules, same limits.

    Attributes
    ----------
    path : tuple of Facts
        The first path that held, leaf first; empty if none did.
    limit : str
        What made the oracle give up; empty if nothing did.
    """

    bag: Bag
    question: Question
    path: tuple[Facts, ...] = ()
    limit: str = ""
    _signatures: int = 0
    _meter: Meter = field(default_factory=Meter)
    _static: dict[Facts, bool] = field(default_factory=dict)

    def run(self) -> bool:
        """Return whether a path holds."""
        leaf = self.bag.leaf
        if any(item.fatal for item in self.bag.own_findings(leaf, self.question, 0)):
            return False
        try:
            self.path = self._build(leaf, (leaf,)) or ()
        except _GivesUpError as stop:
            self.limit = str(stop)
        return bool(self.path)

    def _build(self, working: Facts, below: tuple[Facts, ...]) -> tuple[Facts, ...] | None:
        depth = len(below) - 1
        if working.must_compare_directories:
            raise _GivesUpError("constraints on distinguished names")
        if first_violation(working, below, self._meter):
            if self._meter.exhausted:
                raise _GivesUpError("name comparisons")
            return None
        if working.trusted:
            return below
        if depth > self.question.max_depth:
            return None
        for candidate in self._candidates(working):
            if candidate.duplicates:
                return None  # the oracle gives this node up, whoever else could have issued it
            if not self._issues(candidate, working, depth):
                continue
            if candidate.san_error is not None and not candidate.self_issued:
                return None
            found = self._build(candidate, (*below, candidate))
            if found is not None:
                return found
        return None

    def _candidates(self, working: Facts) -> list[Facts]:
        return [item for item in self.bag.issuers(working) if item.duplicates or self._may_issue(item)]

    def _may_issue(self, facts: Facts) -> bool:
        if facts not in self._static:
            found = self.bag.own_findings(facts, self.question, 1)
            # An unreadable subjectAltName does not exclude a candidate: it ends the search at its child.
            self._static[facts] = not any(item.fatal and item.kind != "malformed-san" for item in found)
        return self._static[facts]

    def _issues(self, issuer: Facts, child: Facts, depth: int) -> bool:
        limit = issuer.basic.path_length if issuer.basic is not None else None
        if limit is not None and depth > limit:
            return False
        if child.outer_algorithm not in self.question.policy.signatures:
            return False
        self._signatures += 1
        if self._signatures > SIGNATURE_LIMIT:
            raise _GivesUpError("signatures")
        return self.bag.signed(child, issuer)


@dataclass(frozen=True)
class Route:
    """One way from the leaf, as far as it goes.

    Attributes
    ----------
    steps : tuple of Facts
        Leaf first.
    end : str
        ``"anchor"``, ``"no-issuer"``, ``"cycle"``, ``"too-deep"`` or ``"wrong-key"``.
    misfits : tuple of Facts
        Certificates of the right name whose key did not sign the last step.
    """

    steps: tuple[Facts, ...]
    end: str
    misfits: tuple[Facts, ...] = ()


def explore(bag: Bag, question: Question) -> tuple[list[Route], str]:
    """Return every way from the leaf, the shortest first, and which limit cut the search, if one did."""
    queue: deque[tuple[Facts, ...]] = deque([(bag.leaf,)])
    routes: list[Route] = []
    steps, limit = 0, ""
    start = bag.signatures_checked
    while queue:
        path = queue.popleft()
        last = path[-1]
        steps += 1
        if last.trusted:
            routes.append(Route(path, "anchor"))
        elif len(path) > question.max_depth + 1:
            routes.append(Route(path, "too-deep"))
        else:
            above, end, misfits = _next(bag, path)
            queue.extend((*path, issuer) for issuer in above)
            if not above:
                routes.append(Route(path, end, misfits))
            elif misfits and len(routes) < _EXPLORE_PATHS:
                routes.append(Route(path, "wrong-key", misfits))
        if steps >= _EXPLORE_STEPS or bag.signatures_checked - start > _EXPLORE_SIGNATURES:
            limit = "signatures" if steps < _EXPLORE_STEPS else "paths"
            break
    if len(routes) > _EXPLORE_PATHS:
        limit = limit or "paths"
    routes.sort(key=lambda route: route.end != "anchor")
    return routes[:_EXPLORE_PATHS], limit


def _next(bag: Bag, path: tuple[Facts, ...]) -> tuple[list[Facts], str, tuple[Facts, ...]]:
    last = path[-1]
    fitting, misfits = bag.signers(last)
    above = [item for item in fitting if item not in path]
    if above:
        return above, "", misfits
    loops = any(item is not last for item in fitting)
    return [], "cycle" if loops else "no-issuer", misfits
