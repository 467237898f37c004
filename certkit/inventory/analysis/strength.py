"""Weak keys and hashes, and rules that a certificate breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from certkit.causes import cause
from certkit.inventory.analysis.overview import certificates_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["broken_rules", "weak_certificates"]

_RULES = (
    "weak-signature",
    "no-san",
    "validity-too-long",
    "self-signed-leaf",
    "x509-v1-certificate",
    "malformed-extension",
)
_WEAK = ("weak-key", "weak-signature")


def weak_certificates(table: pd.DataFrame) -> pd.DataFrame:
    """Return certificates with a weak key (RSA under 2048 bits, EC under 256, DSA) or signed with a broken hash.

    The signature of a root does not count: nobody verifies it.

    Parameters
    ----------
    table : pandas.DataFrame
        From `scan_inventory`.

    Returns
    -------
    pandas.DataFrame
        Columns ``risk``, ``subject``, ``role``, ``key``, ``key_bits``, ``signature``, ``not_after``, ``places``, ``path``,
        ``sha256``; what lives longest first, because it will not go away by itself.
    """
    columns = [
        "risk",
        "subject",
        "role",
        "key",
        "key_bits",
        "signature",
        "not_after",
        "places",
        "path",
        "sha256",
    ]
    found = _by_risk(table, _WEAK).sort_values("not_after", ascending=False, kind="stable")
    return found[columns].reset_index(drop=True)


def broken_rules(table: pd.DataFrame) -> pd.DataFrame:
    """Return which certificate breaks which rule: SHA-1, no alternative name, too long a life, and others.

    Parameters
    ----------
    table : pandas.DataFrame
        From `scan_inventory`.

    Returns
    -------
    pandas.DataFrame
        One row per certificate and rule: ``risk`` (a cause id), ``rule`` (in words), ``subject``, ``role``,
        ``lifetime`` (days), ``signature``, ``places``, ``path``, ``sha256``.
    """
    found = _by_risk(table, _RULES)
    lifetime = (found["not_after"] - found["not_before"]).dt.days + 1
    named = found.assign(rule=[cause(str(risk)).title for risk in found["risk"]], lifetime=lifetime)
    columns = ["risk", "rule", "subject", "role", "lifetime", "signature", "places", "path", "sha256"]
    return named.sort_values(["risk", "subject"], kind="stable")[columns].reset_index(drop=True)


def _by_risk(table: pd.DataFrame, risks: tuple[str, ...]) -> pd.DataFrame:
    """Return one row per certificate and risk, with the number of its places."""
    found = certificates_of(table)
    places = found.groupby("sha256")["path"].transform("size").astype("int64")
    single = found.assign(places=places).drop_duplicates("sha256")
    # Exploding a hundred thousand healthy certificates for the sake of a few would take its time.
    single = single[single["risks"].list.len() > 0]
    exploded = single.assign(risk=single["risks"]).explode("risk")
    chosen: pd.DataFrame = exploded[exploded["risk"].isin(risks)].astype({"risk": "str"})
    return chosen
