"""Who issued what, by names and key identifiers: unknown issuers, shadow CAs, and paths to a root.

The table has no signatures: a path here is one that names and key identifiers allow (RFC 5280, 4.2.1.1). To have
one verified, load the files: `verify_chain`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, NamedTuple

from certkit.inventory.analysis.overview import CA_ROLES, certificates_of, chosen, records

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Authority", "Forest", "shadow_cas", "unknown_issuers"]


class Authority(NamedTuple):
    """A CA certificate, as far as paths need it."""

    sha256: str
    subject: str
    issuer: str
    ski: str
    aki: str
    not_after: int
    root: bool


class Forest:
    """The CA certificates of an inventory, and who stands above whom.

    Parameters
    ----------
    authorities : iterable of Authority
        CA certificates, each once.
    """

    def __init__(self, authorities: Iterable[Authority]) -> None:
        self.authorities = tuple(authorities)
        self._by_name: dict[str, list[Authority]] = {}
        for item in self.authorities:
            self._by_name.setdefault(item.subject, []).append(item)
        self._best: dict[str, tuple[int, tuple[Authority, ...]]] = {}

    @classmethod
    def of(cls, table: pd.DataFrame) -> Forest:
        """Return the CA certificates of an inventory."""
        found = certificates_of(table)
        cas = found[found["role"].isin(CA_ROLES)].drop_duplicates("sha256")
        return cls(
            Authority(
                row.sha256,
                row.subject,
                row.issuer,
                row.ski,
                row.aki,
                int(row.not_after.timestamp()),
                row.role == "root",
            )
            for row in records(cas)
        )

    def without(self, gone: Collection[str]) -> Forest:
        """Return what is left when the certificates with these fingerprints have expired or are distrusted."""
        return Forest(item for item in self.authorities if item.sha256 not in gone)

    def issuers(self, issuer: str, aki: str) -> list[Authority]:
        """Return the CA certificates that can have signed what names this issuer and this key identifier."""
        return [item for item in self._by_name.get(issuer, ()) if not aki or not item.ski or item.ski == aki]

    def best_path(self, issuer: str, aki: str) -> tuple[int, tuple[Authority, ...]]:
        """Return until when the longest-lived path to a root holds, and its members; (-1, ()) without a path.

        The end of a path is that of its first member to end.
        """
        return max(
            (self._path_from(item, frozenset()) for item in self.issuers(issuer, aki)),
            key=lambda path: path[0],
            default=(-1, ()),
        )

    def _path_from(self, item: Authority, below: frozenset[str]) -> tuple[int, tuple[Authority, ...]]:
        known = self._best.get(item.sha256)
        if known is not None:
            return known
        found: tuple[int, tuple[Authority, ...]]
        if item.root:
            found = (item.not_after, (item,))
        elif item.sha256 in below:
            return -1, ()
        else:
            below |= {item.sha256}
            above = [
                self._path_from(parent, below)
                for parent in self.issuers(item.issuer, item.aki)
                if parent != item
            ]
            end, path = max(above, key=lambda path: path[0], default=(-1, ()))
            found = (min(end, item.not_after), (item, *path)) if path else (-1, ())
        # What was cut short by a circle below is not the last word about this one.
        if len(below) <= 1 or found[1]:
            self._best[item.sha256] = found
        return found


def unknown_issuers(table: pd.DataFrame) -> pd.DataFrame:
    """Return issuers that are in no store of the inventory: nobody here could build a path over them.

    Parameters
    ----------
    table : pandas.DataFrame
        From `scan_inventory`. Scan the truststores too, e.g. ``ck.system_stores()``, or public CAs look unknown.

    Returns
    -------
    pandas.DataFrame
        One row an issuer: ``issuer``, ``certificates``, ``places``, ``soonest`` (the first end), ``path`` (an example).
    """
    found = certificates_of(table)
    found = found[found["role"] != "root"]
    forest = Forest.of(table)
    pairs = found[["issuer", "aki"]].drop_duplicates()
    unknown = {(row.issuer, row.aki) for row in records(pairs) if not forest.issuers(row.issuer, row.aki)}
    # A self-signed leaf has an issuer: itself.
    lost = chosen(found, (pair in unknown for pair in zip(found["issuer"], found["aki"], strict=True)))
    lost = lost[lost["issuer"] != lost["subject"]]
    grouped = lost.groupby("issuer").agg(
        certificates=("sha256", "nunique"),
        places=("sha256", "size"),
        soonest=("not_after", "min"),
        path=("path", "first"),
    )
    return grouped.sort_values(["certificates"], ascending=False, kind="stable").reset_index()


def shadow_cas(table: pd.DataFrame) -> pd.DataFrame:
    """Return CAs of one name with different keys: a CA that changed its key, or one that only claims the name.

    Parameters
    ----------
    table : pandas.DataFrame
        From `scan_inventory`.

    Returns
    -------
    pandas.DataFrame
        One row a certificate: ``subject``, ``keys`` (how many under that name), ``role``, ``not_before``, ``not_after``,
        ``below`` (certificates in the inventory that this key signed, by its identifier), ``places``, ``path``,
        ``spki_sha256``, ``sha256``.
    """
    found = certificates_of(table)
    cas = found[found["role"].isin(CA_ROLES)]
    places = cas.groupby("sha256")["path"].transform("size").astype("int64")
    single = cas.assign(places=places).drop_duplicates("sha256")
    keys = single.groupby("subject")["spki_sha256"].transform("nunique").astype("int64")
    shadows = single.assign(keys=keys)[keys > 1]
    below = found.drop_duplicates("sha256").groupby(["issuer", "aki"]).size().to_dict()
    counts = [
        below.get((row.subject, row.ski), 0) - (row.role == "root" and row.aki == row.ski)
        for row in records(shadows)
    ]
    columns = [
        "subject",
        "keys",
        "role",
        "not_before",
        "not_after",
        "below",
        "places",
        "path",
        "spki_sha256",
        "sha256",
    ]
    ordered = shadows.assign(below=counts).sort_values(["subject", "not_before"], kind="stable")
    return ordered[columns].reset_index(drop=True)
