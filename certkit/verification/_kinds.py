"""Every kind of finding of a chain check: the cause it belongs to, where the rule stands, what to do."""

from __future__ import annotations

from dataclasses import dataclass

from certkit.causes import Finding, Severity, cause
from certkit.verification._facts import Facts

__all__ = ["KINDS", "Kind", "finding"]


@dataclass(frozen=True)
class Kind:
    """One kind of finding.

    Attributes
    ----------
    cause : str
        The cause id it belongs to.
    rfc : str
        Where the rule stands.
    severity : Severity
        What it weighs under the ``webpki`` policy.
    fix : str
        What to do; empty for the first fix of the cause's entry.
    """

    cause: str
    rfc: str
    severity: Severity = Severity.FATAL
    fix: str = ""


_FATAL, _ADVISORY = Severity.FATAL, Severity.ADVISORY
_REISSUE = "Have it issued again by a CA that follows the profile."

KINDS: dict[str, Kind] = {
    # trust
    "truststore-missing-or-empty": Kind("truststore-missing-or-empty", "RFC 5280, 6.1.1 (d)"),
    "missing-intermediate": Kind("missing-intermediate", "RFC 8446, 4.4.2"),
    "untrusted-root": Kind("untrusted-root", "RFC 5280, 6.1"),
    "self-signed-leaf": Kind("self-signed-leaf", "RFC 5280, 3.2"),
    "cycle": Kind("untrusted-root", "RFC 5280, 6.1", _ADVISORY, "Send the path that leads to a root, not the loop."),
    "chain-out-of-order": Kind("chain-out-of-order", "RFC 5246, 7.4.2; RFC 8446, 4.4.2", _ADVISORY),
    "leaf-not-first": Kind("leaf-not-first", "RFC 8446, 4.4.2"),
    "root-included": Kind(
        "chain-out-of-order", "RFC 8446, 4.4.2", _ADVISORY,
        "Leave the root out: the other side has it or does not trust it, and it costs about 1 kB a handshake.",
    ),
    "stranger-in-chain": Kind(
        "chain-out-of-order", "RFC 8446, 4.4.2", _ADVISORY, "Take it out of the sender's certificate file."
    ),
    "duplicate-in-chain": Kind(
        "chain-out-of-order", "RFC 8446, 4.4.2", _ADVISORY, "Keep one copy in the sender's certificate file."
    ),
    "anchor-is-leaf": Kind("root-store-polluted", "RFC 5280, 6.1.1 (d)", _ADVISORY),
    # path
    "signature-bad": Kind("tampered-or-corrupt", "RFC 5280, 6.1.3 (a)(1)"),
    "signature-algorithm-mismatch": Kind("tampered-or-corrupt", "RFC 5280, 4.1.1.2"),
    "malformed-public-key": Kind("tampered-or-corrupt", "RFC 5280, 4.1.2.7"),
    "aki-ski-mismatch": Kind("akid-mismatch", "RFC 5280, 4.2.1.1", _ADVISORY),
    "aki-profile": Kind("akid-missing", "RFC 5280, 4.2.1.1; CA/Browser Forum BR, 7.1.2.11.1"),
    "ca-flag-missing": Kind("not-a-ca", "RFC 5280, 4.2.1.9"),
    "basic-constraints-missing": Kind("not-a-ca", "RFC 5280, 4.2.1.9"),
    "key-usage-no-certsign": Kind("not-a-ca", "RFC 5280, 4.2.1.3"),
    "leaf-is-ca": Kind("ca-cert-as-leaf", "CA/Browser Forum BR, 7.1.2.7.8"),
    "leaf-has-certsign": Kind("ca-cert-as-leaf", "RFC 5280, 4.2.1.3"),
    "path-length-exceeded": Kind("path-length-exceeded", "RFC 5280, 4.2.1.9"),
    "max-depth-exceeded": Kind("verify-depth-exceeded", "RFC 5280, 6.1"),
    "name-constraints": Kind("name-constraints", "RFC 5280, 4.2.1.10"),
    "malformed-name-constraint": Kind("name-constraints", "RFC 5280, 4.2.1.10", fix=_REISSUE),
    "unsupported-name-constraint": Kind("name-constraints", "RFC 5280, 4.2.1.10"),
    "not-v3": Kind("x509-v1-certificate", "RFC 5280, 4.1.2.1"),
    "unknown-critical-extension": Kind("unknown-critical-extension", "RFC 5280, 4.2"),
    "malformed-extension": Kind("malformed-extension", "RFC 5280, 4.2"),
    "duplicate-extension": Kind("malformed-extension", "RFC 5280, 4.2"),
    "malformed-san": Kind("malformed-extension", "RFC 5280, 4.2.1.6"),
    "extension-wrong-criticality": Kind("certificate-profile", "RFC 5280, 4.2.1"),
    "extension-not-allowed": Kind("certificate-profile", "RFC 5280, 4.2.1"),
    "missing-extension": Kind("certificate-profile", "RFC 5280, 4.2.1", fix=_REISSUE),
    "bad-serial-number": Kind("certificate-profile", "RFC 5280, 4.1.2.2"),
    "duplicate-serial": Kind("duplicate-serial", "RFC 5280, 4.1.2.2", _ADVISORY),
    "empty-issuer": Kind("certificate-profile", "RFC 5280, 4.1.2.4"),
    "empty-subject": Kind("certificate-profile", "RFC 5280, 4.1.2.6"),
    "malformed-name": Kind("certificate-profile", "RFC 5280, 4.1.2.4", _ADVISORY),
    "date-encoding": Kind("certificate-profile", "RFC 5280, 4.1.2.5"),
    "search-limit": Kind("search-limit", ""),
    "certificate-policy": Kind("certificate-policy", "RFC 5280, 6.1.5"),
    # validity
    "expired-leaf": Kind("expired-leaf", "RFC 5280, 4.1.2.5"),
    "expired-intermediate": Kind("expired-ca", "RFC 5280, 6.1.3 (a)(2)"),
    "expired-root": Kind("expired-ca", "RFC 5280, 6.1.3 (a)(2)"),
    "not-yet-valid-leaf": Kind("not-yet-valid-or-clock", "RFC 5280, 4.1.2.5"),
    "not-yet-valid-intermediate": Kind("not-yet-valid-or-clock", "RFC 5280, 6.1.3 (a)(2)"),
    "not-yet-valid-root": Kind("not-yet-valid-or-clock", "RFC 5280, 6.1.3 (a)(2)"),
    "validity-too-long": Kind("validity-too-long", "CA/Browser Forum BR, 6.3.2", _ADVISORY),
    # identity
    "hostname-mismatch": Kind("hostname-mismatch", "RFC 9525, 6"),
    "hostname-invalid": Kind("hostname-mismatch", "RFC 9525, 6.2; RFC 1123, 2.1"),
    "no-san": Kind("no-san", "RFC 9525, 6.1; RFC 5280, 4.2.1.6"),
    "common-name-not-in-san": Kind("hostname-mismatch", "CA/Browser Forum BR, 7.1.4.3", _ADVISORY),
    "wildcard-public-suffix": Kind("hostname-mismatch", "CA/Browser Forum BR, 3.2.2.6", _ADVISORY),
    # usage
    "wrong-eku": Kind("wrong-eku", "RFC 5280, 4.2.1.12"),
    "eku-any-forbidden": Kind("wrong-eku", "CA/Browser Forum BR, 7.1.2.7.10", _ADVISORY),
    "wrong-key-usage": Kind("wrong-key-usage", "RFC 5280, 4.2.1.3; RFC 8446, 4.4.2.2", _ADVISORY),
    # strength
    "forbidden-key-algorithm": Kind("weak-key", "CA/Browser Forum BR, 7.1.3.1"),
    "weak-key": Kind("weak-key", "CA/Browser Forum BR, 6.1.5"),
    "nonstandard-key-size": Kind("weak-key", "CA/Browser Forum BR, 6.1.5", _ADVISORY),
    "weak-signature": Kind("weak-signature", "CA/Browser Forum BR, 7.1.3.2"),
    # revocation
    "revoked": Kind("revoked", "RFC 5280, 6.3; RFC 6960"),
    "crl-expired": Kind("crl-expired", "RFC 5280, 5.1.2.5"),
    "crl-malformed": Kind("revocation-unreachable", "RFC 5280, 5.2"),
    "crl-signature-bad": Kind("revocation-unreachable", "RFC 5280, 6.3.3 (g)"),
    "crl-issuer-not-authorized": Kind("revocation-unreachable", "RFC 5280, 6.3.3 (f)"),
    "revocation-unreachable": Kind("revocation-unreachable", "RFC 5280, 6.3.3", _ADVISORY),
    "revocation-unknown": Kind("revocation-unreachable", "RFC 6960, 2.2", _ADVISORY),
    # the judges
    "oracle-disagrees": Kind("search-limit", "", fix="Tell the maintainers of certkit: the explanation missed a reason."),
}  # fmt: skip


def finding(
    kind: str,
    text: str,
    facts: Facts | None = None,
    *,
    position: str = "",
    depth: int | None = None,
    severity: Severity | None = None,
    evidence: tuple[tuple[str, str], ...] = (),
    cause_id: str = "",
    fix: str = "",
) -> Finding:
    """Return a finding of that kind, filled from `KINDS` and from the certificate it sits on."""
    entry = KINDS[kind]
    named = cause_id or entry.cause
    return Finding(
        kind=kind,
        cause=named,
        severity=entry.severity if severity is None else severity,
        text=text,
        position=position or ("chain" if facts is None else facts.position(depth)),
        index=None if facts is None else facts.index,
        depth=depth,
        certificate="" if facts is None else facts.name,
        sha256="" if facts is None else facts.certificate.sha256,
        evidence=evidence,
        rfc=entry.rfc,
        fix=fix or entry.fix or cause(named).fix[0],
    )
