"""Name constraints and path building, in the manner of BetterTLS: every combination, with the answer known beforehand.

BetterTLS itself is not at hand. These cases are made after its idea: certificates that are right but for one thing,
in all combinations, so that neither oracle nor explorer can be right by chance.
"""

from __future__ import annotations

import ipaddress
import itertools
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

import certkit as ck
from certkit.certificates import Certificate
from certkit.verification import Verification, verify_chain

AT = datetime(2026, 6, 1, tzinfo=UTC)
HOST, ADDRESS = "good.example.test", "192.0.2.1"
BAD_HOST, BAD_ADDRESS = "bad.other.test", "198.51.100.1"
# Every n-th case; CERTKIT_RANDOM_PKIS (set by make conformance) asks for all of them.
STEP = 1 if os.environ.get("CERTKIT_RANDOM_PKIS") else 7


# Name constraints ----------------------------------------------------------------------------------------

_NAMES = {"none": (), "good": (True,), "bad": (False,), "both": (True, False)}
_LIMITS = ("none", "dns", "ip", "both")


def _names(dns: str, ip: str) -> list[str]:
    found = [HOST if good else BAD_HOST for good in _NAMES[dns]]
    return found + [ADDRESS if good else BAD_ADDRESS for good in _NAMES[ip]]


def _subtrees(which: str, *, good: bool) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = []
    if which in ("dns", "both"):
        found.append(x509.DNSName("example.test" if good else "other.test"))
    if which in ("ip", "both"):
        network = "192.0.2.0/24" if good else "198.51.100.0/24"
        found.append(x509.IPAddress(ipaddress.ip_network(network)))
    return found


def _constraint_cases() -> Iterator[tuple[str, str, str, str, bool, str]]:
    everything = itertools.product(_NAMES, _NAMES, _LIMITS, _LIMITS, (False, True), (HOST, ADDRESS))
    yield from itertools.islice(everything, 0, None, STEP)


def _expected(dns: str, ip: str, permitted: str, excluded: str, host: str) -> set[str]:
    """Return the kinds that must be found, worked out by hand."""
    names = _names(dns, ip)
    if not names:
        return {"no-san"}
    # Permitted are good names only, excluded are bad names only: so exactly the bad ones can break a limit.
    bad_dns, bad_ip = BAD_HOST in names, BAD_ADDRESS in names
    limited_dns = "dns" in (permitted, excluded) or "both" in (permitted, excluded)
    limited_ip = "ip" in (permitted, excluded) or "both" in (permitted, excluded)
    kinds = {"name-constraints"} if (bad_dns and limited_dns) or (bad_ip and limited_ip) else set()
    return kinds if host in names else kinds | {"hostname-mismatch"}


def test_name_constraints_in_every_combination() -> None:
    key = ck.generate_key("p256", seed="leaf")
    cas: dict[tuple[str, str, bool], tuple[ck.CertificateAuthority, ck.CertificateAuthority]] = {}
    count = trusted = 0
    for dns, ip, permitted, excluded, at_root, host in _constraint_cases():
        place = (permitted, excluded, at_root)
        if place not in cas:
            cas[place] = _constrained(permitted, excluded, at_root=at_root)
        top, low = cas[place]
        names = _names(dns, ip)
        without = [] if names else [x509.SubjectAlternativeName]
        leaf = low.issue(*(names or [HOST]), usage="server", key=key, common_name="leaf", without=without)
        found = verify_chain([leaf.certificate, low.certificate], [top.certificate], host=host, at=AT)
        wanted = _expected(dns, ip, permitted, excluded, host)
        case = (dns, ip, permitted, excluded, at_root, host)
        assert {item.kind for item in found.fatal} == wanted, case
        assert {item.position for item in found.fatal} <= {"leaf"}, case
        assert found.ok is found.oracle.ok is found.explorer_ok is (not wanted), case
        count, trusted = count + 1, trusted + found.ok
    print(
        f"\nname constraints: {count} combinations, {trusted} of them trusted, every one as worked out by hand"
    )
    assert trusted > 0


def _constrained(
    permitted: str, excluded: str, *, at_root: bool
) -> tuple[ck.CertificateAuthority, ck.CertificateAuthority]:
    """Return two CAs, one above the other, of which one is constrained; the upper one is the anchor."""
    trees = (_subtrees(permitted, good=True) or None, _subtrees(excluded, good=False) or None)
    limits = [(x509.NameConstraints(*trees), True)] if any(trees) else []
    top = ck.CertificateAuthority("Above", at=AT).intermediate("Top", add=limits if at_root else [])
    return top, top.intermediate("Low", add=[] if at_root else limits)


# Path building -------------------------------------------------------------------------------------------

_EXPIRED = {"not_before": AT - timedelta(days=900), "not_after": AT - timedelta(days=1)}
DEFECTS: dict[str, dict[str, object]] = {
    "expired-intermediate": _EXPIRED,
    "not-yet-valid-intermediate": {
        "not_before": AT + timedelta(days=1),
        "not_after": AT + timedelta(days=90),
    },
    "ca-flag-missing": {"add": [(x509.BasicConstraints(False, None), True)]},
    "basic-constraints-missing": {"without": [x509.BasicConstraints]},
    "wrong-eku": {"add": [(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False)]},
    "name-constraints": {"add": [(x509.NameConstraints(None, [x509.DNSName("example.test")]), True)]},
    "unknown-critical-extension": {
        "add": [(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)]
    },
    "extension-wrong-criticality": {"add": [(x509.BasicConstraints(True, None), False)]},
    "missing-extension": {"without": [x509.KeyUsage]},
}


def _twins(defects: tuple[str, ...], good_at: int, levels: int) -> tuple[Verification, Verification]:
    """Return the verdicts on a CA with one certificate for each defect, with and without a good one among them."""
    root = ck.CertificateAuthority("Root", at=AT)
    key = ck.generate_key("p256", seed="twin")
    made = [root.intermediate("Twin", key=key, **DEFECTS[kind]).certificate for kind in defects]  # type: ignore[arg-type]
    good = root.intermediate("Twin", key=key)
    issuing = good
    above: list[Certificate] = []
    for level in range(levels):
        issuing = issuing.intermediate(f"Level {level}")
        above.insert(0, issuing.certificate)
    leaf = issuing.issue(HOST, usage="server").certificate
    both = [*made[:good_at], good.certificate, *made[good_at:]]
    with_good, without = (
        verify_chain([leaf, *above, *tail], root.trust_store, host=HOST, at=AT) for tail in (both, made)
    )
    return with_good, without


@pytest.mark.parametrize("levels", [0, 2])
@pytest.mark.parametrize(
    "defects", [*((kind,) for kind in DEFECTS), tuple(DEFECTS), tuple(reversed(DEFECTS))]
)
def test_a_good_way_is_found_among_bad_ones_and_the_bad_ones_are_explained(
    defects: tuple[str, ...], levels: int
) -> None:
    for good_at in {0, len(defects) // 2, len(defects)}:
        found, refused = _twins(defects, good_at, levels)
        assert found.ok is found.oracle.ok is found.explorer_ok is True
        assert found.fatal == ()
        assert set(defects) <= {item.kind for item in found.findings}, "the defect of each bad way is shown"
        assert sorted(path.status for path in found.paths) == ["refused"] * len(defects) + ["trusted"]
        assert refused.ok is refused.oracle.ok is refused.explorer_ok is False
        assert set(defects) <= {item.kind for item in refused.fatal}
        for item in refused.fatal:
            assert item.position == ("leaf" if item.kind == "name-constraints" else "intermediate")


def test_two_layers_of_cross_signs_with_one_way_through() -> None:
    """Nine ways up, one of them sound: whoever does not go back misses it."""
    roots = [ck.CertificateAuthority(f"Root {number}", at=AT) for number in range(3)]
    upper, lower = ck.generate_key("p256", seed="upper"), ck.generate_key("p256", seed="lower")
    plan: list[dict[str, object]] = [_EXPIRED, DEFECTS["wrong-eku"], {}]
    uppers = [root.intermediate("Upper", key=upper, **how) for root, how in zip(roots, plan, strict=True)]  # type: ignore[arg-type]
    lowers = [uppers[0].intermediate("Lower", key=lower, **how) for how in plan]  # type: ignore[arg-type]
    leaf = lowers[-1].issue(HOST, usage="server").certificate
    anchors = [root.certificate for root in roots]
    for order in itertools.permutations(range(3)):
        tail = [
            item.certificate for group in (lowers, uppers) for item in (group[number] for number in order)
        ]
        found = verify_chain([leaf, *tail], anchors, host=HOST, at=AT)
        assert found.ok is found.oracle.ok is found.explorer_ok is True
        assert len(found.paths) == 9
        assert [path.status for path in found.paths].count("trusted") == 1
        assert found.verified_chain[-1].name == "Root 2"
