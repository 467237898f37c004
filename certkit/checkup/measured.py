"""What real clients were measured to say to what was found: rows of the atlas, beside what is computed."""

from __future__ import annotations

import re
from functools import cache

from certkit._html import Html, join, tag
from certkit._html import table as html_table
from certkit._names import is_address
from certkit._text import visible
from certkit.atlas import Atlas, AtlasRow, load_atlas
from certkit.causes import Finding
from certkit.faults import find_fault, list_faults
from certkit.verification import Verification, verify_chain

__all__ = ["measured_for", "measured_html", "measured_text"]

_MOST_FAULTS = 3
_SPOKEN = ("accepted", "refused", "timed-out")
_ON_THE_WAY = {
    "refused": "port-closed",
    "closed": "closed-at-hello",
    "reset": "reset-at-hello",
    "no-tls": "http-on-tls-port",
    "no-current-protocol": "server-too-old",
    "client-certificate-refused": "client-cert-untrusted",
    "proxy-403": "proxy-forbidden",
    "proxy-404": "proxy-not-found",
    "proxy-405": "proxy-is-a-web-server",
    "proxy-407": "proxy-wants-login",
    "proxy-503": "proxy-unavailable",
}
"""Findings that are not about the chain, and the fault that shows the same."""

Marks = frozenset[tuple[object, ...]]
_shipped = cache(load_atlas)


def measured_for(
    findings: tuple[Finding, ...], verification: Verification | None = None, tls: str | None = None
) -> tuple[AtlasRow, ...]:
    """Return what each client stack was measured to say to the faults that show the same findings.

    The chain's findings are covered by the faults whose own chain gives nothing else, the one that covers most
    first; a fatal finding that no fault gives just so is covered by the fault that is named as its cause.

    Parameters
    ----------
    findings : tuple of Finding
        What a checkup found.
    verification : Verification, optional
        The verdict on the chain, if there was one.
    tls : str, optional
        The TLS version agreed on; rows of this version, if there are any, else of the newest measured.

    Returns
    -------
    tuple of AtlasRow
        By fault; stacks that could not be asked are left out. Empty if nothing like it was measured.

    Examples
    --------
    >>> expired = find_fault("expired-leaf").scenario()
    >>> chain, client = expired.server.credential.chain, expired.client
    >>> verdict = verify_chain(chain, client.anchors, host=client.host)
    >>> {row.fault for row in measured_for(verdict.findings, verdict, "1.3")}
    {'expired-leaf'}
    """
    faults = [fault for item in findings if (fault := _on_the_way(item)) is not None]
    if verification is not None:
        faults += _covering(verification)
    rows: list[AtlasRow] = []
    for fault in list(dict.fromkeys(faults))[:_MOST_FAULTS]:
        found = [row for row in _shipped() if row.fault == fault]
        versions = {row.tls_version for row in found}
        wanted = tls if tls in versions else max(versions, default="")
        rows += [row for row in found if row.tls_version == wanted and row.outcome in _SPOKEN]
    return tuple(rows)


def _on_the_way(finding: Finding) -> str | None:
    status = re.search(r"HTTP/\S+ (\d{3})", finding.text) if finding.kind == "proxy" else None
    return _ON_THE_WAY.get(finding.kind if status is None else f"proxy-{status[1]}")


def _covering(verification: Verification) -> list[str]:
    """Return the faults that together show a chain's findings, each finding once."""
    left, chosen = marks(verification), []
    causes = {item.cause for item in verification.findings}
    known = {fault: _marks_of(fault) for fault in _candidates(frozenset(causes))}
    while best := max(known, key=lambda fault: _cover(known[fault], left), default=""):
        if not _cover(known[best], left):
            break
        chosen.append(best)
        left -= known.pop(best)
    bare = [item for item in verification.findings if item.fatal and _mark(item) in left]
    return chosen + [fault for item in bare if (fault := _named(item.cause)) is not None]


def _cover(marks: Marks, left: Marks) -> int:
    return len(marks) if marks <= left else 0


def marks(verification: Verification) -> Marks:
    """Return what a verdict can be compared by: its findings, and whether an address was asked for."""
    found: set[tuple[object, ...]] = {_mark(item) for item in verification.findings}
    if found and verification.host is not None and is_address(verification.host):
        found.add(("address",))
    return frozenset(found)


def _mark(finding: Finding) -> tuple[object, ...]:
    return finding.kind, finding.position, finding.fatal


@cache
def _candidates(causes: frozenset[str]) -> tuple[str, ...]:
    """Return the faults with one of these causes, those that are called like their cause first."""
    faults = [item for item in list_faults() if item.cause in causes and item.id in _shipped().faults]
    return tuple(item.id for item in sorted(faults, key=lambda item: item.id != item.cause))


@cache
def _marks_of(fault: str) -> Marks:
    scenario = find_fault(fault).scenario()
    host = scenario.client.host or scenario.host
    return marks(verify_chain(scenario.server.credential.chain, scenario.client.anchors, host=host))


def _named(cause: str) -> str | None:
    return next(iter(_candidates(frozenset({cause}))), None)


def measured_text(rows: tuple[AtlasRow, ...]) -> list[str]:
    """Return the rows as lines of text, under a line for each fault."""
    lines: list[str] = []
    for fault, part in _by_fault(rows):
        lines += ["", _heading(fault, part)]
        lines += [f"  {row.outcome:<11}{row.stack} {row.version}: {_words(row, 160)}" for row in part]
    return lines


def measured_html(rows: tuple[AtlasRow, ...]) -> Html:
    """Return the rows as tables, one for each fault; the words only with the first, to stay readable."""
    return join(
        html_table(
            ("outcome", "client stacks"), _by_outcome(part, words=number == 0), caption=_heading(fault, part)
        )
        for number, (fault, part) in enumerate(_by_fault(rows))
    )


def _by_outcome(rows: list[AtlasRow], *, words: bool) -> list[tuple[Html, Html]]:
    """Return a line for each outcome, with every stack that had it."""
    shown = []
    for outcome in dict.fromkeys(row.outcome for row in rows):
        mine = [row for row in rows if row.outcome == outcome]
        said = [tag("div", f"{row.stack} {row.version}: {_words(row, 90)}") for row in mine]
        names = ", ".join(row.stack for row in mine)
        shown.append((mine[0].badge(), join(said) if words else tag("div", names)))
    return shown


def _words(row: AtlasRow, limit: int) -> str:
    return visible(row.client_message or "no message", limit)


def _by_fault(rows: tuple[AtlasRow, ...]) -> list[tuple[str, list[AtlasRow]]]:
    return [(fault, [row for row in rows if row.fault == fault]) for fault in Atlas(rows).faults]


def _heading(fault: str, rows: list[AtlasRow]) -> str:
    title = find_fault(fault).title
    return (
        f"measured, not asked now: the cause {rows[0].cause} as the lab's fault {fault} ({title}), "
        f"TLS {rows[0].tls_version}, {rows[0].date[:10]}"
    )
