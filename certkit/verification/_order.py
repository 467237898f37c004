"""The chain as it was sent: its order, what is too much in it, and who minds."""

from __future__ import annotations

from collections.abc import Iterator

from certkit._text import count
from certkit.causes import Finding, Severity
from certkit.verification._facts import Facts
from certkit.verification._kinds import finding
from certkit.verification._search import Bag, subject_of

__all__ = ["chain_findings", "truststore_findings"]

_SHOWN = 4
_LOOKED_AT = 50


def chain_findings(bag: Bag, purpose_usage: str) -> Iterator[Finding]:
    """Yield what is wrong with the order and the contents of the chain as sent."""
    seen: dict[bytes, int] = {}
    doubles = []
    for index, certificate in enumerate(bag.sent):
        if certificate.der in seen:
            doubles.append((seen[certificate.der], index, certificate.name))
        seen.setdefault(certificate.der, index)
    if doubles:
        first, again, name = doubles[0]
        more = (
            f" So {'is' if len(doubles) == 2 else 'are'} {len(doubles) - 1} more." if len(doubles) > 1 else ""
        )
        yield finding(
            "duplicate-in-chain",
            f"“{name}” is there twice, at positions {first} and {again}.{more} Nobody refuses it; it only costs bytes.",
            position="chain",
        )
    yield from _leaf_place(bag, purpose_usage)
    yield from _order(bag)
    yield from _roots(bag)
    yield from _serials(bag)


def _leaf_place(bag: Bag, usage: str) -> Iterator[Finding]:
    first = bag.leaf
    if not first.is_ca or len(bag.sent) > _LOOKED_AT:
        return
    for index, certificate in enumerate(bag.sent[1:], 1):
        facts = bag.facts(certificate)
        if facts.is_ca or not (facts.issuer == first.subject or _chains_to(bag, facts, first)):
            continue
        if facts.usages is not None and usage not in facts.usages:
            continue
        yield finding(
            "leaf-not-first",
            f"The chain begins with the CA “{first.name}”, and the sender's own certificate “{facts.name}” comes at position "
            f"{index}. Every client takes the first one for the sender's.",
            first,
            depth=0,
            evidence=(("first", first.name), ("the leaf", f"{facts.name}, position {index}")),
        )
        return


def _chains_to(bag: Bag, facts: Facts, target: Facts) -> bool:
    seen = set()
    while facts.issuer not in seen:
        if facts.issuer == target.subject:
            return True
        seen.add(facts.issuer)
        above = [bag.facts(item) for item in bag.sent if subject_of(item.der) == facts.issuer]
        if not above:
            return False
        facts = above[0]
    return False


def _walk(bag: Bag) -> tuple[list[int], set[bytes]]:
    """Return the positions that belong to some path, in the order of the chain, and their bytes."""
    wanted, useful = {bag.leaf.issuer}, {bag.sent[0].der}
    names = [subject_of(item.der) for item in bag.sent]
    changed = True
    positions = {0}
    while changed:
        changed = False
        for index, certificate in enumerate(bag.sent):
            if index not in positions and names[index] in wanted:
                positions.add(index)
                useful.add(certificate.der)
                wanted.add(bag.facts(certificate).issuer)
                changed = True
    return sorted(positions), useful


def _order(bag: Bag) -> Iterator[Finding]:
    if len(bag.sent) < 2 or len(bag.sent) > 500:
        if len(bag.sent) > 500:
            yield finding(
                "search-limit",
                f"{len(bag.sent):,} certificates were sent: far more than any path needs. Their order was not looked at.",
                position="chain", severity=Severity.ADVISORY,
            )  # fmt: skip
        return
    positions, useful = _walk(bag)
    strangers = [(index, item) for index, item in enumerate(bag.sent) if item.der not in useful]
    if strangers:
        shown = ", ".join(f"“{item.name}” (position {index})" for index, item in strangers[:_SHOWN])
        more = f" and {len(strangers) - _SHOWN} more" if len(strangers) > _SHOWN else ""
        yield finding(
            "stranger-in-chain",
            f"{count(len(strangers), 'certificate')} in the chain belong to no path from the leaf: {shown}{more}. Clients "
            "ignore them; strict ones (Java's CertPathValidator) do not.",
            position="chain",
        )
    path = [bag.facts(bag.sent[index]) for index in positions]
    ordered = all(
        any(below.issuer == above.subject for below in path[:number])
        and (path[number - 1].issuer == above.subject or _is_alternative(path, number))
        for number, above in enumerate(path)
        if number
    )
    if not ordered:
        names = ", ".join(step.name for step in path[:6])
        yield finding(
            "chain-out-of-order",
            f"Behind the leaf, the certificates do not follow each other in order: {names}. OpenSSL, browsers, Go and Java's "
            "default trust manager sort it out; Java's SunX509 trust manager and CertPathValidator refuse it, and so do "
            "platforms that document the order.",
            position="chain",
            evidence=(("as sent", names),),
        )


def _is_alternative(path: list[Facts], number: int) -> bool:
    """Whether this certificate is a second one of the name that the one before it has: a cross-sign."""
    return path[number - 1].subject == path[number].subject


def _roots(bag: Bag) -> Iterator[Finding]:
    for certificate in bag.sent[1:_LOOKED_AT]:
        facts = bag.facts(certificate)
        if facts.self_issued and facts.is_ca and bag.signed(facts, facts):
            held = "is in this truststore anyway" if facts.trusted else "is not trusted for having been sent"
            yield finding(
                "root-included",
                f"The root “{facts.name}” was sent along; it {held}. Nobody refuses that, and nobody needs it.",
                facts,
            )


def _serials(bag: Bag) -> Iterator[Finding]:
    seen: dict[tuple[bytes, bytes], Facts] = {}
    for certificate in bag.sent[:_LOOKED_AT]:
        facts = bag.facts(certificate)
        other = seen.setdefault((facts.issuer, facts.serial), facts)
        if other is not facts:
            yield finding(
                "duplicate-serial",
                f"“{other.name}” and “{facts.name}” have one issuer and one serial number, which should name exactly one "
                "certificate.",
                facts,
                evidence=(("serial number", facts.serial.hex()), ("issuer", facts.certificate.issuer)),
            )


def truststore_findings(bag: Bag) -> Iterator[Finding]:
    """Yield what is wrong with the truststore, as far as this chain touches it."""
    if not bag.anchor_count:
        yield finding(
            "truststore-missing-or-empty",
            "This truststore holds no certificate: nothing can be trusted by it.",
            position="truststore",
        )
    elif bag.leaf.trusted:
        yield finding(
            "anchor-is-leaf",
            f"The truststore holds “{bag.leaf.name}” itself: it is trusted by name and not by a CA, until it is renewed.",
            bag.leaf,
            depth=0,
        )
