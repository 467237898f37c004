"""Rules for the leaf: what it is, what it is for, and whom it names."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from cryptography.x509.oid import NameOID

from certkit._text import visible
from certkit.causes import Finding
from certkit.verification import _names
from certkit.verification._facts import AKI, EKU, KU, NC, SAN, Facts
from certkit.verification._policy import Question
from certkit.verification._rules import Place, common_findings, key_findings, listed
from certkit.verification._suffixes import is_public_suffix

__all__ = ["leaf_findings", "usable_host", "usage_text", "wrong_usage"]

_LONG_DAYS = 825
_NAMES_LOOKED_AT = 1000


def leaf_findings(facts: Facts, question: Question) -> list[Finding]:
    """Return what is wrong with a certificate in the place of the leaf, whoever issued it."""
    on = Place(facts, question, 0)
    rules = (common_findings, _basics, _usage, _names_asked, _common_name)
    return [*(found for rule in rules for found in rule(on)), *key_findings(on, "/leaf")]


def _basics(on: Place) -> Iterator[Finding]:
    facts = on.facts
    if facts.is_ca:
        yield on.say(
            "leaf-is-ca",
            f"{on.who} is a CA certificate (CA=true), and a CA certificate may not be presented as a leaf.",
            ("basicConstraints", "CA=true"),
            ("needed", "CA=false"),
        )
    if facts.extension(NC) is not None:
        yield on.say("extension-not-allowed", f"{on.who} carries nameConstraints, which only a CA may.")
    if facts.extension(AKI) is None:
        yield on.say(
            "missing-extension/leaf-aki",
            f"{on.who} has no authorityKeyIdentifier: it does not say which key signed it.",
            cause="akid-missing",
        )
    lifetime = facts.certificate.lifetime.days
    if on.question.purpose == "server" and lifetime > _LONG_DAYS and not facts.is_ca:
        yield on.say(
            "validity-too-long",
            f"{on.who} is valid for {lifetime:,} days; some clients refuse a server certificate over {_LONG_DAYS}.",
            ("lifetime", f"{lifetime:,} days"),
            ("limit", f"{_LONG_DAYS} days"),
        )


def _usage(on: Place) -> Iterator[Finding]:
    usage = on.facts.key_usage
    if usage is not None and usage.key_cert_sign:
        yield on.say(
            "leaf-has-certsign",
            f"the key usage of {on.who} lets it sign certificates (keyCertSign), which a leaf may not.",
            ("keyUsage", usage_text(on.facts)),
        )
    if usage is not None and not usage.digital_signature:
        yield on.say(
            "wrong-key-usage",
            f"the key usage of {on.who} lacks digitalSignature, with which every current TLS handshake is signed.",
            ("keyUsage", usage_text(on.facts)),
            ("needed", "digitalSignature"),
        )
    yield from _extended_usage(on)


def _extended_usage(on: Place) -> Iterator[Finding]:
    usages = on.facts.usages
    if on.facts.extension(EKU) is None:
        yield on.say(
            "missing-extension/leaf-eku",
            f"{on.who} has no extKeyUsage: it does not say what it is for.",
            cause="wrong-eku",
        )
    elif usages is not None:
        if on.question.usage not in usages:
            yield wrong_usage(on)
        if "anyExtendedKeyUsage" in usages:
            yield on.say(
                "eku-any-forbidden",
                f"{on.who} is for any purpose (anyExtendedKeyUsage); a TLS certificate must name its own.",
                ("extKeyUsage", ", ".join(usages)),
                ("needed", on.question.usage),
            )


def usage_text(facts: Facts) -> str:
    """Return the key usage as text."""
    found = facts.extension(KU)
    return "absent" if found is None else found.text


def wrong_usage(on: Place) -> Finding:
    """Return the finding that the extended key usage does not allow the purpose."""
    usages = ", ".join(on.facts.usages or ()) or "nothing"
    used = "certifies" if on.depth else "is used as"
    return on.say(
        "wrong-eku",
        f"{on.who} is for {usages}, and {used} a TLS {on.question.purpose} ({on.question.usage}).",
        ("extKeyUsage", usages),
        ("needed", on.question.usage),
    )


def _names_asked(on: Place) -> Iterator[Finding]:
    yield from _name_forms(on)
    if on.question.purpose != "server":
        return
    if not on.question.host_valid:
        yield on.say(
            "hostname-invalid",
            f"“{visible(on.question.host or '', 80)}” is no host name: letters, digits and hyphens between dots, nothing else.",
            ("asked for", on.question.host or ""),
            fix="Call the server by a name of that form, and have the certificate issued for it.",
        )
    san = on.facts.extension(SAN)
    if san is None:
        yield _nameless(on)
        return
    if (len(on.facts.subject) == 2) is not san.critical:
        why = (
            "not be critical, because there is a subject"
            if san.critical
            else "be critical, because the subject is empty"
        )
        yield on.say("extension-wrong-criticality", f"subjectAltName of {on.who} must {why}.")
    if on.facts.san_error is None and on.question.host_valid:
        yield from _host_match(on)


def _nameless(on: Place) -> Finding:
    common = common_names(on.facts)
    only = f" The common name “{common[0]}” does not count." if common else ""
    return on.say(
        "no-san",
        f"{on.who} has no subjectAltName, and clients compare the host with nothing else.{only}",
        ("asked for", on.question.host or "any name"),
        ("subjectAltName", "absent"),
    )


def _host_match(on: Place) -> Iterator[Finding]:
    names, host = on.facts.sans, on.question.host
    if host is None:
        if not any(usable_host(name) for name in names):
            yield on.say(
                "no-san",
                f"{on.who} names no host: a TLS server needs a DNS name or an IP address.",
                ("subjectAltName", listed(names)),
            )
    elif not _names.matches_host(names, host):
        yield on.say(
            "hostname-mismatch",
            f"{on.who} is for {listed(names)}, and “{visible(host, 80)}” was asked for.{_near_miss(names, host)}",
            ("asked for", host),
            ("subjectAltName", listed(names)),
        )


def usable_host(name: _names.Name) -> str | None:
    """Return a host that this alternative name covers, or None if it covers none."""
    kind, content = name
    if kind == _names.ADDRESS:
        return str(ipaddress.ip_address(content)) if len(content) in (4, 16) else None
    pattern = _names.Pattern.read(content) if kind == _names.DNS else None
    # A DNS name that reads as an address is never asked for: no client looks an address up among DNS names.
    if pattern is None or pattern.base.rpartition(".")[2].isdigit():
        return None
    return _names.host_name(f"www.{pattern.base}" if pattern.wildcard else pattern.base)


def _near_miss(names: tuple[_names.Name, ...], host: str) -> str:
    for kind, content in names[:_NAMES_LOOKED_AT]:
        if kind != _names.DNS:
            continue
        value = content.decode("utf-8", "replace").lower()
        if value.startswith("*.") and host == value[2:]:
            return f" A wildcard covers exactly one label more: not “{visible(host, 80)}” itself."
        if value.startswith("*.") and host.endswith(value[1:]):
            return " A wildcard covers exactly one label, not two."
        if value == host:
            return " An IP address must be an iPAddress entry; here it is written as a DNS name."
    return ""


def _name_forms(on: Place) -> Iterator[Finding]:
    names = on.facts.sans[:_NAMES_LOOKED_AT]
    odd = [name for name in names if _is_odd(name)]
    if odd:
        yield on.say(
            "malformed-san/unused",
            f"{on.who} carries a name that has not the form of its kind: {listed(odd)}. It covers nothing.",
            ("subjectAltName", listed(odd)),
        )
    wide = [name for name in names if _is_too_wide(name)]
    if wide:
        yield on.say(
            "wildcard-public-suffix",
            f"{on.who} has a wildcard directly below a public suffix: {listed(wide)}. It would cover domains of many owners.",
            ("subjectAltName", listed(wide)),
        )


def _is_odd(name: _names.Name) -> bool:
    kind, content = name
    if kind == _names.DNS:
        value = content.decode("utf-8", "replace")
        return _names.Pattern.read(content) is None or value.rpartition(".")[2].isdigit()
    if kind == _names.ADDRESS:
        return len(content) not in (4, 16)
    return kind == _names.MAIL and _names.mailbox(content.decode("utf-8", "replace")) is None


def _is_too_wide(name: _names.Name) -> bool:
    if name[0] != _names.DNS:
        return False
    value = name[1].decode("utf-8", "replace").lower()
    return value == "*" or (value.startswith("*.") and is_public_suffix(value[2:]))


def common_names(facts: Facts) -> list[str]:
    """Return the common names of the subject."""
    try:
        found = facts.certificate.raw.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except ValueError:
        return []
    return [visible(str(item.value), 80) for item in found]


def _common_name(on: Place) -> Iterator[Finding]:
    if on.question.purpose != "server" or on.facts.extension(SAN) is None:
        return
    names = {content.decode("utf-8", "replace") for kind, content in on.facts.sans if kind == _names.DNS}
    names |= {_names.text(name)[3:] for name in on.facts.sans if name[0] == _names.ADDRESS}
    for common in common_names(on.facts):
        if common not in names:
            yield on.say(
                "common-name-not-in-san",
                f"the common name “{common}” of {on.who} is not among its alternative names, letter by letter.",
                ("common name", common),
                ("subjectAltName", listed(on.facts.sans)),
            )
