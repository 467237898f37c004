"""Rules for every certificate, whatever its place; `Place` weighs and words what they find."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa

from certkit import _der
from certkit._text import visible
from certkit.causes import Finding
from certkit.errors import FormatError
from certkit.extensions import WORDS
from certkit.verification import _names
from certkit.verification._facts import AIA, AKI, BC, EKU, KU, NC, POLICY_CONSTRAINTS, SAN, SKI, Facts
from certkit.verification._kinds import finding
from certkit.verification._policy import Question

__all__ = ["Place", "common_findings", "decoding_error", "key_findings", "listed"]

_KNOWN = frozenset({AIA, AKI, SKI, KU, SAN, BC, NC, EKU})
# Whether an extension must (True) or must not (False) be critical; the others are free.
_LEAF_CRITICALITY = {AIA: False, AKI: False, EKU: False}
_CA_CRITICALITY = {
    AIA: False,
    AKI: False,
    SKI: False,
    EKU: False,
    BC: True,
    NC: True,
    POLICY_CONSTRAINTS: True,
}
_CRITICALITY_CASES = {NC: "/name-constraints", POLICY_CONSTRAINTS: "/policy-constraints"}

Evidence = tuple[str, str]


@dataclass(frozen=True)
class Place:
    """A certificate in its place on a path, and the question it is checked for.

    Attributes
    ----------
    facts : Facts
        The certificate.
    question : Question
        What is asked.
    depth : int
        Its distance from the leaf.
    """

    facts: Facts
    question: Question
    depth: int

    @property
    def who(self) -> str:
        """How a sentence names the certificate."""
        return self.facts.describe(self.depth)

    def say(self, rule: str, text: str, *evidence: Evidence, cause: str = "", fix: str = "") -> Finding:
        """Return the finding of a broken rule (``"kind"`` or ``"kind/case"``), weighed by the policy."""
        return finding(
            rule.partition("/")[0],
            text[:1].upper() + text[1:],
            self.facts,
            depth=self.depth,
            severity=self.question.policy.severity(rule),
            evidence=evidence,
            cause_id=cause,
            fix=fix,
        )


def listed(names: tuple[_names.Name, ...] | list[_names.Name], limit: int = 4) -> str:
    """Return the first names as text, and how many more there are."""
    more = f" and {len(names) - limit:,} more" if len(names) > limit else ""
    return ", ".join(_names.text(name) for name in names[:limit]) + more


def common_findings(on: Place) -> Iterator[Finding]:
    """Yield what is wrong with a certificate in any place: fields, dates, form of its extensions."""
    yield from _fields(on)
    yield from _serial(on)
    yield from _dates(on)
    yield from _extensions(on)


def _fields(on: Place) -> Iterator[Finding]:
    facts = on.facts
    if facts.version != 3:
        yield on.say(
            "not-v3",
            f"{on.who} has version {facts.version}, which knows no extensions: it can neither be a CA nor name hosts.",
            ("version", f"v{facts.version}"),
            ("needed", "v3"),
        )
    if facts.inner_algorithm != facts.outer_algorithm:
        yield on.say(
            "signature-algorithm-mismatch",
            f"{on.who} names one signature algorithm in its signed part and another beside its signature.",
            ("signed", facts.inner_algorithm.hex()),
            ("beside", facts.outer_algorithm.hex()),
        )
    if len(facts.issuer) == 2:
        yield on.say("empty-issuer", f"{on.who} does not say who issued it.")
    if on.depth and len(facts.subject) == 2:
        yield on.say("empty-subject", f"{on.who} is a CA without a name.")


def _serial(on: Place) -> Iterator[Finding]:
    serial = on.facts.serial
    if not 1 <= len(serial) <= 21:
        problem, case = f"has {len(serial)} octets, and 20 are the most", ""
    elif serial[0] & 0x80:
        problem, case = "is negative", ""
    elif not any(serial):
        problem, case = "is zero", "/zero"
    else:
        return
    yield on.say(
        f"bad-serial-number{case}",
        f"the serial number of {on.who} {problem}.",
        ("serial number", serial[:24].hex()),
        ("allowed", "1 to 20 octets, positive"),
    )


def _dates(on: Place) -> Iterator[Finding]:
    facts, at = on.facts, on.question.at
    place = facts.position(on.depth)
    start, end = facts.certificate.not_before, facts.certificate.not_after
    for element, moment in zip(facts.dates, (start, end), strict=False):
        if element.tag == 0x18 and 1950 <= moment.year <= 2049:
            yield on.say(
                "date-encoding",
                f"{on.who} writes a date before 2050 as GeneralizedTime; up to 2049 it must be UTCTime.",
                ("date", f"{moment:%Y-%m-%d}"),
            )
    compared = (("validity", facts.window), ("clock", f"{at:%Y-%m-%d %H:%M:%S} UTC"))
    if at > end:
        days = (at - end).days
        ago = f"{days:,} day{'s' if days > 1 else ''} ago" if days else "less than a day ago"
        text = f"{on.who} expired {ago}: its last second was {end:%Y-%m-%d %H:%M:%S} UTC."
        yield on.say(f"expired-{place}", text, *compared)
    elif at < start:
        text = f"{on.who} is not valid before {start:%Y-%m-%d %H:%M:%S} UTC, or this clock is behind."
        yield on.say(f"not-yet-valid-{place}", text, *compared)


def _extensions(on: Place) -> Iterator[Finding]:
    facts = on.facts
    for name in facts.duplicates:
        yield on.say("duplicate-extension", f"{on.who} carries the extension {name} twice.")
    table = _CA_CRITICALITY if on.depth else _LEAF_CRITICALITY
    for item in facts.extensions:
        if item.critical and item.oid not in _KNOWN:
            known = f"{item.oid} ({item.name})" if item.oid in WORDS else item.oid
            yield on.say(
                "unknown-critical-extension",
                f"{on.who} marks the extension {known} as critical, and this verifier does not know it.",
                ("extension", known),
            )
        wanted = table.get(item.oid)
        if wanted is not None and item.critical is not wanted:
            yield on.say(
                f"extension-wrong-criticality{_CRITICALITY_CASES.get(item.oid, '')}",
                f"{on.who} marks {item.name} as {_critical(item.critical)}; it must be {_critical(wanted)}.",
                (item.name, _critical(item.critical)),
                ("needed", _critical(wanted)),
            )
        yield from _unreadable(on, item.oid, item.name)


def _critical(flag: bool) -> str:
    return "critical" if flag else "not critical"


def _unreadable(on: Place, oid: str, name: str) -> Iterator[Finding]:
    problem = decoding_error(on.facts, oid)
    if problem is None:
        return
    rule = "malformed-extension"
    if oid == SAN:
        rule = "malformed-san/unused" if on.depth and on.facts.self_issued else "malformed-san"
    elif oid == NC:
        rule = "malformed-name-constraint"
    elif oid not in {AIA, BC, KU, EKU} and not (oid == AKI and on.depth):
        rule = "malformed-extension/unused"
    yield on.say(rule, f"{name} of {on.who} cannot be decoded.", (name, problem))


def decoding_error(facts: Facts, oid: str) -> str | None:
    """Return why an extension cannot be decoded, by its encoding alone; None if it can or is absent."""
    if oid == SAN:
        return facts.san_error
    if oid == NC:
        return facts.constraints_error
    found = facts.extension(oid)
    if found is None or found.error is None:
        return None
    # Python's classes ask more of these two than their encoding: an odd address, a lone issuer.
    try:
        if oid == AIA:
            for description in _der.read(found.der).children():
                _names.general_names(_der.encode(_der.SEQUENCE, description.children()[1].encoded))
            return None
        if oid == AKI:
            _der.read(found.der).children()
            return None
    except (FormatError, IndexError):
        pass
    return found.error


def key_findings(on: Place, case: str = "") -> Iterator[Finding]:
    """Yield what is wrong with a certificate's public key; `case` says in which role it is used."""
    certificate, policy = on.facts.certificate, on.question.policy
    size = f"{certificate.key} {certificate.key_bits or ''}".rstrip()
    if on.facts.key_algorithm not in policy.keys:
        yield on.say(
            f"forbidden-key-algorithm{case}",
            f"the public key of {on.who} is {size}, of a kind that the profile does not allow.",
            ("key", size),
            ("allowed", "RSA, P-256, P-384, P-521, ML-DSA"),
        )
    try:
        key = certificate.raw.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        problem = ("key", visible(str(error), 120))
        yield on.say(f"malformed-public-key{case}", f"the public key of {on.who} cannot be read.", problem)
        return
    if not isinstance(key, rsa.RSAPublicKey):
        return
    # In whole octets, as the oracle counts.
    if (key.key_size + 7) // 8 * 8 < policy.minimum_rsa:
        yield on.say(
            f"weak-key{case}",
            f"the RSA key of {on.who} has {key.key_size} bits, and {policy.minimum_rsa} are the least.",
            ("key", size),
            ("needed", f"RSA {policy.minimum_rsa}"),
        )
    if key.key_size % 8:
        yield on.say(
            "nonstandard-key-size",
            f"the RSA key of {on.who} has {key.key_size} bits, which is no multiple of 8.",
            ("key", size),
        )
