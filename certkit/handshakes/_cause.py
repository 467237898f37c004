"""From what both ends reported to one cause id, judged by codes and by the certificates that crossed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from certkit.certificates import Certificate
from certkit.chains import Chain, TrustStore

if TYPE_CHECKING:
    from certkit.handshakes.result import Endpoint, Handshake

# X509_V_ERR_* (OpenSSL, x509_vfy.h) to cause ids. 2, 10, 18, 19, 20, 21 and 26 need a second look.
_BY_VERIFY_CODE = {
    3: "revocation-unreachable",
    7: "tampered-or-corrupt",
    9: "not-yet-valid-or-clock",
    12: "crl-expired",
    22: "verify-depth-exceeded",
    23: "revoked",
    24: "not-a-ca",
    25: "path-length-exceeded",
    28: "wrong-eku",
    30: "akid-mismatch",
    32: "not-a-ca",
    34: "unknown-critical-extension",
    41: "malformed-extension",
    43: "certificate-policy",
    47: "name-constraints",
    48: "name-constraints",
    51: "name-constraints",
    66: "weak-key",
    67: "weak-key",
    68: "weak-signature",
    79: "not-a-ca",
}
_BY_REASON = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "client-cert-missing",
    "UNSUPPORTED_PROTOCOL": "protocol-version",
    "VERSION_TOO_LOW": "protocol-version",
    "NO_PROTOCOLS_AVAILABLE": "protocol-version",
    "NO_SHARED_CIPHER": "no-shared-cipher",
    "NO_SHARED_SIGNATURE_ALGORITHMS": "no-shared-cipher",
    "WRONG_VERSION_NUMBER": "plaintext-on-tls-port",
    "HTTP_REQUEST": "plaintext-on-tls-port",
    "UNEXPECTED_EOF_WHILE_READING": "server-closed",
    "DH_KEY_TOO_SMALL": "weak-dh-params",
}
_NAME_CODES = {62, 63, 64}
_TRUST_CODES = {2, 18, 19, 20, 21, 27}


def find_cause(handshake: Handshake) -> str | None:
    """Return the cause id of a failed handshake, or None if it succeeded or no code tells."""
    if handshake.ok:
        return None
    for side, chain, anchors in (
        (handshake.client, handshake.server_chain, handshake.client_config.anchors),
        (handshake.server, handshake.client_chain, handshake.server_config.client_anchors or TrustStore()),
    ):
        cause = cause_seen_by(side, chain, anchors, handshake.at)
        if cause is not None or side.verify_code is not None:
            return cause
    return None


def cause_seen_by(side: Endpoint, chain: Chain, anchors: TrustStore, at: datetime) -> str | None:
    """Return the cause id as far as one side alone can tell, from its own refusal.

    Parameters
    ----------
    side : Endpoint
        What that side's library reported.
    chain : Chain
        What the other side presented; empty if it did not come to that.
    anchors : TrustStore
        Whom this side believes.
    at : datetime
        The clock by which it judged.
    """
    if side.verify_code is not None:
        return _by_certificate(side.verify_code, chain, anchors, side.name, at)
    return _BY_REASON.get(side.reason or "")


def _by_certificate(code: int, chain: Chain, anchors: TrustStore, verifier: str, at: datetime) -> str | None:
    if code == 10:
        return "expired-leaf" if chain and chain.leaf.validity(at) == "expired" else "expired-ca"
    if code in _NAME_CODES:
        return "hostname-mismatch" if chain and chain.leaf.sans else "no-san"
    if code == 26:
        return "not-a-ca" if chain and _purpose_fits(chain, verifier) else "wrong-eku"
    if code in _TRUST_CODES:
        return "client-cert-untrusted" if verifier == "server" else _untrusted(chain, anchors)
    return _BY_VERIFY_CODE.get(code)


def _purpose_fits(chain: Chain, verifier: str) -> bool:
    """Whether the leaf itself is good for its side, so that code 26 is about a CA above it."""
    wanted = "serverAuth" if verifier == "client" else "clientAuth"
    usages = chain.leaf.usages
    return not usages or wanted in usages or "anyExtendedKeyUsage" in usages


def _untrusted(chain: Chain, anchors: TrustStore) -> str:
    if not len(anchors):
        return "truststore-missing-or-empty"
    if not chain:
        return "untrusted-root"
    if chain.leaf.is_self_signed:
        return "self-signed-leaf"
    top = _climb(chain)
    if top.is_self_issued:
        return "untrusted-root"
    # The path stops below a root. If a CA was sent at all, the sender did its part as a rule and the
    # root is what this side lacks; a lone leaf under a name that no anchor has, lacks its intermediate.
    # An anchor with the issuer's name and another key is another CA.
    if any(anchor.subject_der == top.issuer_der for anchor in anchors):
        return "untrusted-root"
    return "missing-intermediate" if top == chain.leaf else "untrusted-root"


def _climb(chain: Chain) -> Certificate:
    """Return the highest certificate that the sent ones lead to from the leaf, whatever their order."""
    top, left = chain.leaf, list(chain.others)
    while not top.is_self_issued:
        above = next((item for item in left if item.subject_der == top.issuer_der), None)
        if above is None:
            break
        left.remove(above)
        top = above
    return top
