"""Two scans compared: new, gone, renewed, renewed with the same key, moved, and what cannot be read any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from certkit.inventory.analysis.overview import certificates_of, leaves, records

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["compare_inventories"]

_ORDER = (
    "unreadable now",
    "gone",
    "renewed, same key",
    "renewed",
    "new",
    "place gone",
    "new place",
    "readable again",
)


def compare_inventories(old: pd.DataFrame, new: pd.DataFrame, *, cas: bool = False) -> pd.DataFrame:
    """Return what changed from one scan to the next.

    A new certificate with the names of one that is gone from the same place, or of one that it replaces
    everywhere, is a renewal; with the same key it is one that left the key as it was. ``left behind`` is the old
    certificate in a place that the renewal did not reach. A certificate in a file that cannot be read any more is
    not gone: nobody knows.

    Parameters
    ----------
    old, new : pandas.DataFrame
        From `scan_inventory`, of the same paths.
    cas : bool
        Whether CA certificates are compared too.

    Returns
    -------
    pandas.DataFrame
        Columns ``change``, ``subject``, ``path``, ``alias``, ``not_after`` and ``sha256`` (of the new certificate, or of
        the old one that is gone), ``was`` (the old fingerprint, for a renewal) and ``was_until``.
    """
    import pandas as pd  # noqa: PLC0415 - slow to load

    before, after = _places(old, cas), _places(new, cas)
    unread = _unreadable(new)
    was_unread = _unreadable(old)
    had = {row.sha256 for rows in before.values() for row in rows}
    has = {row.sha256 for rows in after.values() for row in rows}
    rows: list[tuple[Any, ...]] = []
    rows += [
        ("unreadable now", None, path, None, None, None, None, None) for path in sorted(unread - was_unread)
    ]
    rows += [
        ("readable again", None, path, None, None, None, None, None) for path in sorted(was_unread - unread)
    ]
    replaced: set[tuple[tuple[str, str | None], str]] = set()
    gone_by_names = _by_names(row for rows in before.values() for row in rows if row.sha256 not in has)
    for place, found in after.items():
        earlier = before.get(place, [])
        for row in found:
            if any(row.sha256 == other.sha256 for other in earlier):
                continue
            here = [other for other in earlier if _names(other) == _names(row)]
            was = here[0] if here else None
            if was is None and row.sha256 not in had:
                was = next(iter(gone_by_names.get(_names(row), ())), None)
            if was is not None:
                replaced.add((place, was.sha256))
                word = "renewed, same key" if was.spki_sha256 == row.spki_sha256 else "renewed"
                rows.append((word, *_facts(row), was.sha256, was.not_after))
            else:
                rows.append(("new place" if row.sha256 in had else "new", *_facts(row), None, None))
    renewed = {sha256 for _, sha256 in replaced}
    for place, found in before.items():
        if place[0].partition("!/")[0] in unread:
            continue
        kept = {row.sha256 for row in after.get(place, ())}
        for row in found:
            if (
                row.sha256 in kept
                or (place, row.sha256) in replaced
                or (row.sha256 in renewed and row.sha256 not in has)
            ):
                continue
            rows.append(("place gone" if row.sha256 in has else "gone", *_facts(row), None, None))
    rows += [
        ("left behind", *_facts(row), None, None)
        for found in after.values()
        for row in found
        if row.sha256 in renewed
    ]
    columns = ["change", "subject", "path", "alias", "not_after", "sha256", "was", "was_until"]
    frame = pd.DataFrame(rows, columns=columns)
    order = frame["change"].map({word: number for number, word in enumerate(_ORDER)})
    ordered = frame.assign(_order=order).sort_values(["_order", "path"], kind="stable")
    return ordered[columns].reset_index(drop=True)


def _places(table: pd.DataFrame, cas: bool) -> dict[tuple[str, str | None], list[Any]]:
    """Return the certificates of each place: a file, and the alias in it."""
    found = certificates_of(table) if cas else leaves(table)
    places: dict[tuple[str, str | None], list[Any]] = {}
    for row in records(found[["path", "alias", "subject", "sans", "not_after", "sha256", "spki_sha256"]]):
        alias = row.alias if isinstance(row.alias, str) else None
        places.setdefault((row.path, alias), []).append(row)
    return places


def _unreadable(table: pd.DataFrame) -> set[str]:
    return {path.partition("!/")[0] for path in table[table["status"] == "unreadable"]["path"]}


def _names(row: Any) -> tuple[str, tuple[str, ...]]:
    return row.subject, tuple(sorted(row.sans))


def _by_names(rows: Any) -> dict[tuple[str, tuple[str, ...]], list[Any]]:
    found: dict[tuple[str, tuple[str, ...]], list[Any]] = {}
    for row in rows:
        found.setdefault(_names(row), []).append(row)
    return found


def _facts(row: Any) -> tuple[Any, ...]:
    return row.subject, row.path, row.alias if isinstance(row.alias, str) else None, row.not_after, row.sha256
