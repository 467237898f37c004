"""Rules for a certificate in the place of an issuer: whether it may issue at all."""

from __future__ import annotations

from collections.abc import Iterator

from certkit import _der
from certkit.causes import Finding
from certkit.verification._facts import AKI, BC, KU, SKI, Facts
from certkit.verification._policy import Question
from certkit.verification._rules import Place, common_findings, decoding_error, key_findings, listed
from certkit.verification._rules_leaf import usage_text, wrong_usage

__all__ = ["ca_findings"]


def ca_findings(facts: Facts, question: Question, depth: int) -> list[Finding]:
    """Return what is wrong with a certificate in the place of an issuer, `depth` steps above the leaf."""
    on = Place(facts, question, depth)
    rules = (common_findings, _basics, _usage, _identifiers, _constraints, key_findings)
    return [found for rule in rules for found in rule(on)]


def _basics(on: Place) -> Iterator[Finding]:
    facts = on.facts
    if facts.extension(BC) is None:
        yield on.say(
            "basic-constraints-missing",
            f"{on.who} has no basicConstraints: nothing says that it is a CA, and it issued a certificate.",
            ("basicConstraints", "absent"),
            ("needed", "CA=true"),
        )
    elif facts.basic is not None and not facts.basic.ca:
        yield on.say(
            "ca-flag-missing",
            f"{on.who} is no CA (CA=false), and it issued a certificate.",
            ("basicConstraints", "CA=false"),
            ("needed", "CA=true"),
        )


def _usage(on: Place) -> Iterator[Finding]:
    facts, usage = on.facts, on.facts.key_usage
    if facts.extension(KU) is None:
        yield on.say(
            "missing-extension/ca-key-usage",
            f"{on.who} has no keyUsage, which a CA must have.",
            ("keyUsage", "absent"),
            ("needed", "keyCertSign"),
            cause="not-a-ca",
        )
    elif usage is not None and not usage.key_cert_sign:
        yield on.say(
            "key-usage-no-certsign",
            f"the key usage of {on.who} does not let it sign certificates (keyCertSign), and it issued one.",
            ("keyUsage", usage_text(facts)),
            ("needed", "keyCertSign"),
        )
    usages = facts.usages
    if usages is None:
        return
    if on.question.usage not in usages and "anyExtendedKeyUsage" not in usages:
        yield wrong_usage(on)
    if facts.trusted and facts.self_issued:
        yield on.say(
            "extension-not-allowed/root-eku",
            f"{on.who} carries extKeyUsage, which a root should not.",
            ("extKeyUsage", ", ".join(usages)),
        )


def _identifiers(on: Place) -> Iterator[Finding]:
    facts = on.facts
    if facts.version != 3:
        return
    found = facts.extension(AKI)
    if found is not None and decoding_error(facts, AKI) is None:
        yield from _authority_fields(on, found.der)
    elif found is None and not facts.self_issued:
        yield on.say(
            "missing-extension/ca-aki",
            f"{on.who} has no authorityKeyIdentifier: it does not say which key signed it.",
            cause="akid-missing",
        )
    if facts.extension(SKI) is None:
        yield on.say(
            "missing-extension/ca-ski",
            f"{on.who} has no subjectKeyIdentifier, so that what it issued cannot name its key.",
            cause="akid-missing",
        )
    own, named = facts.subject_key, facts.authority_key
    if facts.self_issued and facts.trusted and own is not None and named is not None and own != named:
        yield on.say(
            "aki-ski-mismatch",
            f"{on.who} is a root, and its authorityKeyIdentifier names another key than its own.",
            ("names", named.hex()),
            ("has", own.hex()),
        )


def _authority_fields(on: Place, der: bytes) -> Iterator[Finding]:
    tags = {part.tag for part in _der.read(der).children()}
    if 0x80 not in tags:
        yield on.say("aki-profile", f"authorityKeyIdentifier of {on.who} has no keyIdentifier.")
    if tags - {0x80}:
        yield on.say(
            "aki-profile/fields",
            f"authorityKeyIdentifier of {on.who} names issuer or serial number, which the profile forbids.",
        )


def _constraints(on: Place) -> Iterator[Finding]:
    facts = on.facts
    if facts.constraints is None or facts.constraints_error is not None:
        return
    if not facts.names_constrained:
        yield on.say(
            "malformed-name-constraint",
            f"nameConstraints of {on.who} neither permits nor excludes anything.",
        )
    bad = [tree.names[number] for tree in facts.constraints for number in tree.bad.values()]
    if bad:
        yield on.say(
            "malformed-name-constraint/unused",
            f"nameConstraints of {on.who} holds what is no name of its kind: {listed(bad)}.",
            ("nameConstraints", listed(bad)),
        )
