"""Policies: which rules are fatal, and who is the judge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from certkit.causes import Severity
from certkit.errors import ArgumentError

__all__ = ["POLICIES", "Policy", "Question", "find_policy"]

# AlgorithmIdentifiers in DER, compared as bytes: the profile allows exactly these encodings.
_KEYS = (
    "300d06092a864886f70d0101010500",  # rsaEncryption, NULL
    "301306072a8648ce3d020106082a8648ce3d030107",  # P-256
    "301006072a8648ce3d020106052b81040022",  # P-384
    "301006072a8648ce3d020106052b81040023",  # P-521
    "300b0609608648016503040311",  # ML-DSA-44
    "300b0609608648016503040312",  # ML-DSA-65
    "300b0609608648016503040313",  # ML-DSA-87
)
_SIGNATURES = (
    "300d06092a864886f70d01010b0500",  # RSA PKCS#1, SHA-256
    "300d06092a864886f70d01010c0500",  # SHA-384
    "300d06092a864886f70d01010d0500",  # SHA-512
    "304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d010108"
    "300d06096086480165030402010500a203020120",  # RSA-PSS, SHA-256, salt 32
    "304106092a864886f70d01010a3034a00f300d06096086480165030402020500a11c301a06092a864886f70d010108"
    "300d06096086480165030402020500a203020130",  # SHA-384, salt 48
    "304106092a864886f70d01010a3034a00f300d06096086480165030402030500a11c301a06092a864886f70d010108"
    "300d06096086480165030402030500a203020140",  # SHA-512, salt 64
    "300a06082a8648ce3d040302",  # ECDSA, SHA-256
    "300a06082a8648ce3d040303",  # SHA-384
    "300a06082a8648ce3d040304",  # SHA-512
    *_KEYS[4:],
)

# Rules that the webpki judge does not enforce: "kind" or "kind/case".
_LAX = frozenset(
    {
        "missing-extension/ca-aki", "missing-extension/ca-ski", "missing-extension/leaf-eku",
        "bad-serial-number/zero", "extension-wrong-criticality/name-constraints",
        "extension-wrong-criticality/policy-constraints", "aki-profile/fields", "aki-ski-mismatch",
        "eku-any-forbidden", "extension-not-allowed/root-eku", "common-name-not-in-san", "wildcard-public-suffix",
        "forbidden-key-algorithm/leaf", "weak-key/leaf", "nonstandard-key-size", "malformed-san/unused",
        "malformed-name-constraint/unused", "malformed-extension/unused", "name-constraints/directory",
        "validity-too-long", "wrong-key-usage", "malformed-name", "search-limit/subject",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Policy:
    """Which rules are fatal, which are advisory, and who decides.

    Attributes
    ----------
    name : str
        ``"webpki"`` or ``"pedantic"``.
    about : str
        What it stands for, in a sentence.
    advisory : frozenset of str
        The rules that do not refuse a path; every other is fatal.
    max_depth : int
        How many intermediates a path may have.
    """

    name: str
    about: str
    advisory: frozenset[str]
    max_depth: int = 8
    keys: frozenset[bytes] = frozenset(bytes.fromhex(item) for item in _KEYS)
    signatures: frozenset[bytes] = frozenset(bytes.fromhex(item) for item in _SIGNATURES)
    minimum_rsa: int = 2048

    def severity(self, rule: str) -> Severity:
        """Return what a broken rule weighs."""
        return Severity.ADVISORY if rule in self.advisory else Severity.FATAL


POLICIES: dict[str, Policy] = {
    "webpki": Policy(
        "webpki",
        "What cryptography's verifier enforces: RFC 5280 and the CA/Browser Forum profile as clients apply them.",
        _LAX,
    ),
    "pedantic": Policy(
        "pedantic",
        "webpki, and every rule of RFC 5280 and of the CA/Browser Forum profile that clients let pass.",
        frozenset({"validity-too-long", "malformed-extension/unused", "malformed-name", "wrong-key-usage"}),
    ),
}


def find_policy(name: str) -> Policy:
    """Return the policy of that name.

    Raises
    ------
    ArgumentError
        If there is none.
    """
    if name not in POLICIES:
        raise ArgumentError("unknown policy", on=repr(str(name)[:40]), hint="one of " + ", ".join(POLICIES))
    return POLICIES[name]


@dataclass(frozen=True)
class Question:
    """What is asked about a chain.

    Attributes
    ----------
    host : str or None
        The host name in lower case, or the IP address; None if no name is asked for.
    purpose : {"server", "client"}
        What the certificate is used as.
    at : datetime
        The clock, UTC, whole seconds.
    policy : Policy
        Which rules are fatal.
    max_depth : int
        How many intermediates a path may have.
    host_valid : bool
        Whether the host is a host name or an IP address at all.
    """

    host: str | None
    purpose: str
    at: datetime
    policy: Policy
    max_depth: int
    host_valid: bool = True

    @property
    def usage(self) -> str:
        """The extended key usage that is needed."""
        return "serverAuth" if self.purpose == "server" else "clientAuth"
