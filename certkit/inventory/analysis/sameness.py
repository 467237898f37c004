"""The same certificate in several places, and the same key in several certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from certkit.inventory.analysis.overview import certificates_of, leaves, records

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["find_duplicates", "shared_keys"]


def find_duplicates(table: pd.DataFrame, *, cas: bool = False) -> pd.DataFrame:
    """Return every certificate that lies in more than one place, with all its places: one row a place.

    Renewing is one thing; the new certificate has to reach each of these.

    Parameters
    ----------
    table : pandas.DataFrame
        From `scan_inventory`.
    cas : bool
        Whether CA certificates count: roots and intermediates lie in many places by design.

    Returns
    -------
    pandas.DataFrame
        Columns ``subject``, ``places``, ``path``, ``alias``, ``format``, ``kind``, ``not_after``, ``status``, ``sha256``;
        the certificates with the most places first.
    """
    found = certificates_of(table) if cas else leaves(table)
    places = found.groupby("sha256")["path"].transform("size").astype("int64")
    many = found.assign(places=places)[places > 1]
    columns = ["subject", "places", "path", "alias", "format", "kind", "not_after", "status", "sha256"]
    ordered = many.sort_values(["places", "sha256", "path"], ascending=[False, True, True], kind="stable")
    return ordered[columns].reset_index(drop=True)


def shared_keys(table: pd.DataFrame) -> pd.DataFrame:
    """Return keys that are in more than one certificate, and what that means: one row a certificate.

    ``shared key`` is the risk: whoever has the one private key can pose as all of them. ``renewal`` is the same
    name with the same key again, usual and second best. ``cross-sign`` is a CA signed by several others.

    Parameters
    ----------
    table : pandas.DataFrame
        From `scan_inventory`.

    Returns
    -------
    pandas.DataFrame
        Columns ``what``, ``subject``, ``sans``, ``not_before``, ``not_after``, ``places``, ``path``, ``spki_sha256``,
        ``sha256``; shared keys first.
    """
    found = certificates_of(table)
    places = found.groupby("sha256")["path"].transform("size").astype("int64")
    single = found.assign(places=places).drop_duplicates("sha256")
    sizes = single.groupby("spki_sha256")["sha256"].transform("size")
    many = single[sizes > 1]
    meaning: dict[str, str] = {}
    for spki, rows in many.groupby("spki_sha256"):
        meaning[str(spki)] = _meaning(rows)
    columns = [
        "what",
        "subject",
        "sans",
        "not_before",
        "not_after",
        "places",
        "path",
        "spki_sha256",
        "sha256",
    ]
    named = many.assign(what=[meaning[str(spki)] for spki in many["spki_sha256"]])
    order = named["what"].map({"shared key": 0, "renewal": 1, "cross-sign": 2})
    ordered = named.assign(_order=order).sort_values(["_order", "spki_sha256", "not_before"], kind="stable")
    return ordered[columns].reset_index(drop=True)


def _meaning(rows: pd.DataFrame) -> str:
    """Return what certificates with one key have to do with each other."""
    names = {(row.subject, tuple(sorted(row.sans))) for row in records(rows)}
    if rows["role"].isin(["root", "intermediate"]).all() and rows["subject"].nunique() == 1:
        return "cross-sign" if rows["issuer"].nunique() > 1 else "renewal"
    return "renewal" if len(names) == 1 else "shared key"
