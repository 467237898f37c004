"""Role, status and risks of a certificate at a moment. The words are those of the causes, where one fits."""

from __future__ import annotations

from functools import lru_cache

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
    is_ca = role in {"root", "intermediate"}
    standing = _standing_risks(
        role,
        fields.key,
        fields.key_bits,
        fields.signature,
        bool(fields.sans),
        fields.not_after - fields.not_before >= _LONGEST_LIFE,
        fields.self_issued and not is_ca,
        fields.version,
        fields.malformed,
    )
    if at > fields.not_after:
        return ("expired-ca" if is_ca else "expired-leaf", *standing)
    if at < fields.not_before:
        return ("not-yet-valid-or-clock", *standing)
    if days_left(fields.not_after, at) < (EXPIRING_CA_DAYS if is_ca else EXPIRING_DAYS):
        return ("expires-soon", *standing)
    return standing


@lru_cache(4096)
def _standing_risks(
    role: str,
    key: str,
    key_bits: int | None,
    signature: str,
    named: bool,
    long: bool,
    self_signed: bool,
    version: int,
    malformed: bool,
) -> tuple[str, ...]:
    """Return the risks that have nothing to do with the clock: the same for most certificates of a CA."""
    found = []
    if key_bits is not None and key_bits < _MIN_BITS.get(key, 0):
        found.append("weak-key")
    # Nobody verifies the signature of a root: it is trusted for being there.
    if role != "root" and any(name in signature.lower() for name in _WEAK_HASHES):
        found.append("weak-signature")
    if role in {"server", "both"}:
        if not named:
            found.append("no-san")
        if long:
            found.append("validity-too-long")
    if self_signed:
        found.append("self-signed-leaf")
    if version == 1:
        found.append("x509-v1-certificate")
    if malformed:
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
