"""From what both ends reported to one cause id, judged by codes and by the certificates that crossed."""

from __future__ import annotations

import warnings
from datetime import datetime
from typing import TYPE_CHECKING

from cryptography import x509

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
    "UNSAFE_LEGACY_RENEGOTIATION_DISABLED": "renegotiation",
    "TLSV1_UNRECOGNIZED_NAME": "sni-missing",
    "NO_SUITABLE_KEY_SHARE": "no-shared-cipher",
    "NO_SUITABLE_GROUPS": "no-shared-cipher",
    "NO_SHARED_GROUPS": "no-shared-cipher",
    "WRONG_CERTIFICATE_TYPE": "wrong-key-usage",
    "BAD_ECC_CERT": "wrong-key-usage",
    "ASN1_LIB": "tampered-or-corrupt",
    "KEY_VALUES_MISMATCH": "key-cert-mismatch",
    "BAD_SIGNATURE": "key-cert-mismatch",
}
_NAME_CODES = {62, 63, 64}
_TRUST_CODES = {2, 18, 19, 20, 21, 27}
_CA_CODES = {24, 32, 79}
_NEED_THE_CHAIN = {10, 26, *_NAME_CODES}


def find_cause(handshake: Handshake) -> str | None:
    """Return the cause id of a failed handshake, or None if it succeeded or no code tells."""
    if handshake.ok:
        return None
    for side, chain, anchors in (
        (handshake.client, _presented(handshake, "server"), handshake.client_config.anchors),
        (
            handshake.server,
            _presented(handshake, "client"),
            handshake.server_config.client_anchors or TrustStore(),
        ),
    ):
        cause = cause_seen_by(side, chain, anchors, handshake.at)
        if cause is not None or side.verify_code is not None:
            return cause
    return None


def _presented(handshake: Handshake, side: str) -> Chain:
    """Return the chain that a side presented; where it crossed unseen, the one that it was given to present."""
    config = handshake.server_config if side == "server" else handshake.client_config
    seen = handshake.server_chain if side == "server" else handshake.client_chain
    given = config.credential
    if seen or given is None or handshake.recording != "records":
        return seen
    # A server of the lab may present other bytes than its own; what they are stays its secret.
    return seen if hasattr(config, "presents") and config.presents else given.chain


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
    if side.name == "server" and side.reason == "CERTIFICATE_VERIFY_FAILED" and chain:
        # A path, and no complaint about it: refused by a rule of the server's own.
        return "client-cert-rejected"
    if (
        side.name == "client"
        and side.reason is None
        and side.alert_sent in {"bad_certificate", "decode_error"}
    ):
        # Not even a verdict: what came as a certificate could not be read.
        return "tampered-or-corrupt"
    return _BY_REASON.get(side.reason or "")


def _by_certificate(code: int, chain: Chain, anchors: TrustStore, verifier: str, at: datetime) -> str | None:
    if not chain and (code in _NEED_THE_CHAIN or (code in _TRUST_CODES and len(anchors))):
        # Refused for a certificate that nobody saw (no message callback): it could be one cause or another.
        return "client-cert-untrusted" if verifier == "server" and code in _TRUST_CODES else None
    if code == 10:
        return "expired-leaf" if chain and chain.leaf.validity(at) == "expired" else "expired-ca"
    if code in _NAME_CODES:
        if chain and chain.leaf.is_ca and any(not item.is_ca for item in chain.others):
            return "leaf-not-first"
        return "hostname-mismatch" if chain and chain.leaf.sans else "no-san"
    if code == 26:
        if not chain or not all(_purpose_fits(item, verifier) for item in chain):
            return "wrong-eku"
        return "not-a-ca" if _may_do_tls(chain.leaf) else "wrong-key-usage"
    if code == 7 and chain:
        top = _climb(chain)
        same = [item for item in anchors if item.subject_der == top.issuer_der]
        if len(same) > 1 and any(top.is_signed_by(item) for item in same):
            return "root-store-polluted"
    if code in _CA_CODES and any(item.raw.version is x509.Version.v1 for item in chain.others):
        return "x509-v1-certificate"
    if code in _TRUST_CODES:
        if chain and not _is_readable(chain.leaf):
            # OpenSSL finds no issuer for a certificate whose extensions it cannot read.
            return "malformed-extension"
        if chain and _names_another_key(chain):
            return "akid-mismatch"
        return "client-cert-untrusted" if verifier == "server" else _untrusted(chain, anchors)
    return _BY_VERIFY_CODE.get(code)


def _purpose_fits(certificate: Certificate, verifier: str) -> bool:
    """Whether a certificate's extended key usage is good for its side: a CA's limits those below it, too."""
    wanted = "serverAuth" if verifier == "client" else "clientAuth"
    usages = certificate.usages
    return not usages or wanted in usages


def _may_do_tls(certificate: Certificate) -> bool:
    """Whether the key usage, if there is one, allows what a handshake needs."""
    try:
        usage = certificate.raw.extensions.get_extension_for_class(x509.KeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        return True
    return usage.digital_signature or usage.key_encipherment or usage.key_agreement


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


def _is_readable(certificate: Certificate) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a name longer than the standard allows is read all the same
            return len(certificate.raw.extensions) >= 0
    except ValueError:
        return False


def _names_another_key(chain: Chain) -> bool:
    """Whether the leaf's issuer was sent, by name, and the leaf's authority key identifier names another key."""
    above = [item for item in chain.others if item.subject_der == chain.leaf.issuer_der]
    wanted = key_identifier(chain.leaf, x509.AuthorityKeyIdentifier)
    if wanted is None or not above:
        return False
    return all(key_identifier(item, x509.SubjectKeyIdentifier) not in {None, wanted} for item in above)


def key_identifier(certificate: Certificate, kind: type[x509.ExtensionType]) -> bytes | None:
    """Return the bytes of a subject or authority key identifier, or None if there is none that can be read."""
    try:
        value = certificate.raw.extensions.get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, ValueError):
        return None
    if isinstance(value, x509.SubjectKeyIdentifier):
        return value.digest
    return value.key_identifier if isinstance(value, x509.AuthorityKeyIdentifier) else None


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
