"""What real client stacks say in the handshake lab: the one that was asked now, and all that the atlas measured."""

from __future__ import annotations

from functools import cache

from certkit._html import Html, badge, details, table, tag
from certkit._text import count
from certkit.atlas import AtlasRow, load_atlas
from certkit.stacks.clients import find_stack, list_stacks

__all__ = ["PYTHON", "answer_html", "measured_html", "running_html", "stack_options"]

PYTHON = "python"
"""The client of the ladder: both ends run in this process, so that every message can be opened."""
_measured = cache(load_atlas)


def stack_options() -> list[tuple[str, str]]:
    """Return what there is to choose from: words and a stack's name; one that is missing here says so."""
    options = [("python, both ends in memory", PYTHON)]
    for item in list_stacks():
        if item.name != PYTHON:
            missing = "" if item.available() else f" (not installed here: comes with {item.package})"
            options.append((f"{item.name}{missing}", item.name))
    return options


def running_html(stack: str) -> Html:
    """Return what is shown while a real client is on its way."""
    return tag("p", badge("neutral", "running"), f" {stack} is calling the server of this lab over a socket.")


def answer_html(row: AtlasRow) -> Html:
    """Return what a real client said just now, and what the server said about it."""
    parts: list[object] = [tag("b", f"{row.stack} {row.version}".strip()), ", just now: ", row.badge()]
    if row.client_message:
        parts += [" ", tag("q", row.client_message)]
    if row.code:
        parts.append(f" ({row.code})")
    told = f"The server: {row.server_message}. " if row.server_message else ""
    alert = f"The alert {row.alert} came from the {row.alert_from}. " if row.alert else ""
    asked = f"Called as {find_stack(row.stack).api}; it took {row.duration:.1f} s. {told}{alert}"
    return tag("section", tag("p", *parts), tag("p", asked), class_="ck-answer")


def measured_html(fault: str, tls: str) -> Html:
    """Return what every stack said to this case when it was measured, from the atlas that comes with certkit."""
    rows = [row for row in _measured() if row.fault == fault and row.tls_version == tls]
    if not rows:
        return tag("p", f"What other stacks say: the atlas has no measurement of {fault} with TLS {tls}.")
    spoken = {word: sum(row.outcome == word for row in rows) for word in ("accepted", "refused")}
    words = f"{count(spoken['accepted'], 'stack')} accepted, {count(spoken['refused'], 'stack')} refused"
    return details(f"What other stacks say: {words} (measured, {_days(rows)})", _told(rows))


def _told(rows: list[AtlasRow]) -> Html:
    heads = ("stack", "version", "outcome", "its own words")
    shown = [(row.stack, row.version, row.badge(), row.client_message[:200]) for row in rows]
    return table(heads, shown, caption=f"Measured, not run now; TLS {rows[0].tls_version}")


def _days(rows: list[AtlasRow]) -> str:
    days = sorted({row.date[:10] for row in rows})
    return days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
