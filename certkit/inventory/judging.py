"""Role, status and risks of a certificate at a moment. The words are those of the causes, where one fits."""

from __future__ import annotations

from certkit.inventory.fields import Fields

__all__ = ["EXPIRING_DAYS", "STATUSES", "days_left", "risks_of", "role_of", "status_of"]

STATUSES = ("unreadable", "expired", "not-yet-valid", "expiring", "weak", "empty", "valid")
"""What the status column says, the most pressing first: a row has the first one that holds."""

EXPIRING_DAYS = 30
"""From how many days on a leaf counts as expiring; the usual time to get a new one through a company."""

EXPIRING_CA_DAYS = 180
"""The same for a CA: everything below it has to be issued again before it ends."""

DAY = 86_400
_MIN_BITS = {"RSA": 2048, "EC": 256, "DSA": 1 << 30}
_WEAK_HASHES = ("md2", "md4", "md5", "sha1")
# Apple's limit for every server certificate since July 2019, whoever issued it; the limits of public CAs are
# lower, and `forecast_renewals` has them.
_LONGEST_LIFE = 825 * DAY


def days_left(not_after: int, at: int) -> int:
    """Return the whole days until the end of validity; negative once it is over."""
    return (not_after - at) // DAY


def role_of(fields: Fields) -> str:
    """Return ``root``, ``intermediate``, ``server``, ``client``, ``both`` or ``other``."""
    if fields.is_ca or (fields.version == 1 and fields.self_issued):
        return "root" if fields.self_issued else "intermediate"
    usages = fields.usages
    if not usages or "anyExtendedKeyUsage" in usages:
        return "both"
    server, client = "serverAuth" in usages, "clientAuth" in usages
    if server:
        return "both" if client else "server"
    return "client" if client else "other"


def risks_of(fields: Fields, role: str, at: int) -> tuple[str, ...]:
    """Return every risk, the most pressing first: cause ids, and ``expires-soon``."""
    found = []
    is_ca = role in {"root", "intermediate"}
    if at > fields.not_after:
        found.append("expired-ca" if is_ca else "expired-leaf")
    elif at < fields.not_before:
        found.append("not-yet-valid-or-clock")
    elif days_left(fields.not_after, at) < (EXPIRING_CA_DAYS if is_ca else EXPIRING_DAYS):
        found.append("expires-soon")
    if fields.key_bits is not None and fields.key_bits < _MIN_BITS.get(fields.key, 0):
        found.append("weak-key")
    # Nobody verifies the signature of a root: it is trusted for being there.
    if role != "root" and any(name in fields.signature.lower() for name in _WEAK_HASHES):
        found.append("weak-signature")
    if role in {"server", "both"}:
        if not fields.sans:
            found.append("no-san")
        if fields.not_after - fields.not_before >= _LONGEST_LIFE:
            found.append("validity-too-long")
    if fields.self_issued and not is_ca:
        found.append("self-signed-leaf")
    if fields.version == 1:
        found.append("x509-v1-certificate")
    if fields.malformed:
        found.append("malformed-extension")
    return tuple(found)


_STATUS_OF_RISK = {
    "expired-leaf": "expired",
    "expired-ca": "expired",
    "not-yet-valid-or-clock": "not-yet-valid",
    "expires-soon": "expiring",
    "weak-key": "weak",
    "weak-signature": "weak",
}


def status_of(risks: tuple[str, ...]) -> str:
    """Return the one word for a row with these risks: a key of `STATUSES`.

    Examples
    --------
    >>> status_of(("expires-soon", "weak-key")), status_of(("no-san",))
    ('expiring', 'valid')
    """
    for risk in risks:
        if risk in _STATUS_OF_RISK:
            return _STATUS_OF_RISK[risk]
    return "valid"
