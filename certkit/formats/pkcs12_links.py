"""Which certificates belong to which key of a PKCS#12 file: the file holds bags, not chains."""

from __future__ import annotations

from dataclasses import dataclass, field

from certkit import _der
from certkit.errors import FormatError

__all__ = ["Bag", "issuer_and_subject", "link"]

_LONGEST_CHAIN = 100


@dataclass(frozen=True, slots=True)
class Bag:
    """One bag of a PKCS#12 safe.

    Attributes
    ----------
    kind : str
        ``"key"``, ``"shrouded-key"``, ``"certificate"``, ``"crl"``, ``"secret"`` or ``"other"``.
    data : bytes
        Its DER; empty for a certificate that is not X.509.
    name : str or None
        The friendlyName; None if it has none.
    key_id : bytes or None
        The localKeyId that ties a key to its certificate; None if it has none.
    attributes : tuple of (str, bytes)
        All attributes, OID and DER.
    """

    kind: str
    data: bytes = field(repr=False)
    name: str | None
    key_id: bytes | None
    attributes: tuple[tuple[str, bytes], ...]


def issuer_and_subject(der: bytes) -> tuple[bytes, bytes] | None:
    """Return issuer and subject of a certificate as DER; None for bytes that are no certificate."""
    try:
        parts = _der.read(der).children()[0].children()
    except (FormatError, IndexError):
        return None
    if parts and parts[0].tag == 0xA0:
        parts = parts[1:]
    return (parts[2].encoded, parts[4].encoded) if len(parts) > 5 else None


def link(bags: list[Bag], notes: list[str]) -> tuple[dict[int, list[Bag]], set[int]]:
    """Return the chain of each key, leaf first, and which certificates are in one; both by ``id`` of the bag.

    The leaf is found by localKeyId, the rest issuer after issuer by name, as Java does.
    """
    certificates = [bag for bag in bags if bag.kind == "certificate" and bag.data]
    keys = [bag for bag in bags if bag.kind in {"key", "shrouded-key"}]
    if not keys:
        return {}, set()
    names = {id(bag): issuer_and_subject(bag.data) for bag in certificates}
    by_subject: dict[bytes, Bag] = {}
    for bag in certificates:
        found = names[id(bag)]
        if found is not None:
            by_subject.setdefault(found[1], bag)
    leaves = _leaves(keys, certificates, names, notes)
    chains = {id(key): _climb(leaves.get(id(key)), by_subject, names) for key in keys}
    claimed = {id(member) for chain in chains.values() for member in chain}
    return chains, claimed


def _climb(
    leaf: Bag | None, by_subject: dict[bytes, Bag], names: dict[int, tuple[bytes, bytes] | None]
) -> list[Bag]:
    chain: list[Bag] = []
    seen: set[int] = set()
    while leaf is not None and id(leaf) not in seen and len(chain) < _LONGEST_CHAIN:
        chain.append(leaf)
        seen.add(id(leaf))
        found = names[id(leaf)]
        leaf = None if found is None or found[0] == found[1] else by_subject.get(found[0])
    return chain


def _leaves(
    keys: list[Bag],
    certificates: list[Bag],
    names: dict[int, tuple[bytes, bytes] | None],
    notes: list[str],
) -> dict[int, Bag]:
    by_id: dict[bytes, Bag] = {}
    by_name: dict[str, Bag] = {}
    for bag in certificates:
        if bag.key_id is not None:
            by_id.setdefault(bag.key_id, bag)
        elif bag.name is not None:
            by_name.setdefault(bag.name, bag)
    found: dict[int, Bag] = {}
    for key in keys:
        if key.key_id is not None and key.key_id in by_id:
            found[id(key)] = by_id[key.key_id]
        elif key.name is not None and key.name in by_name:
            found[id(key)] = by_name[key.name]
            notes.append("Key and certificate are tied by their name only; a localKeyId would be safer.")
    if not found and len(keys) == 1:
        only = _only_leaf(certificates, names)
        if only is not None:
            found[id(keys[0])] = only
            notes.append(
                "Nothing in the file ties key and certificate together (no localKeyId): Java finds no chain "
                "for this key."
            )
    return found


def _only_leaf(certificates: list[Bag], names: dict[int, tuple[bytes, bytes] | None]) -> Bag | None:
    if len(certificates) == 1:
        return certificates[0]
    issuers = {found[0] for found in names.values() if found is not None}
    leaves = [
        bag for bag in certificates if (found := names[id(bag)]) is not None and found[1] not in issuers
    ]
    return leaves[0] if len(leaves) == 1 else None
