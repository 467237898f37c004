"""The last days of certificates as a calendar file (RFC 5545), with reminders and identities that stay."""

from __future__ import annotations

import importlib
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from certkit._text import visible
from certkit.errors import ArgumentError, MissingToolError
from certkit.inventory.analysis.overview import records
from certkit.inventory.table import clock_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["write_calendar"]

_REMINDERS = (30, 7)
_SHOWN = 20


def write_calendar(table: pd.DataFrame, path: Path) -> None:
    """Write an all-day entry for the last day of each certificate of a table.

    Raises
    ------
    ArgumentError
        If the table has no certificates in it.
    MissingToolError
        If icalendar is not installed.
    """
    needed = {"sha256", "subject", "not_after", "path"}
    if not needed <= set(table.columns):
        raise ArgumentError(
            "a calendar needs the columns " + ", ".join(sorted(needed)),
            hint="filter rows, and keep these columns",
        )
    try:
        ical: Any = importlib.import_module("icalendar")
    except ImportError:
        raise MissingToolError(
            "a calendar needs the package icalendar", hint='pip install "certkit[scale]"'
        ) from None
    calendar = ical.Calendar()
    calendar.add("prodid", "-//certkit//inventory//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    stamp = clock_of(table)
    found = table[table["sha256"].notna()]
    places = {str(sha256): list(rows) for sha256, rows in found.groupby("sha256")["path"]}
    for row in records(found.drop_duplicates("sha256").sort_values(["not_after", "sha256"])):
        calendar.add_component(_event(ical, row, places[row.sha256], stamp))
    path.write_bytes(calendar.to_ical())


def _event(ical: Any, row: Any, places: list[str], stamp: Any) -> Any:
    name = visible(row.subject or "(no subject)", 200)
    event = ical.Event()
    # The same certificate has the same UID in every export: imported again, it is updated.
    event.add("uid", f"{row.sha256}@certkit")
    event.add("dtstamp", stamp)
    event.add("summary", f"Certificate ends: {name}")
    event.add("dtstart", row.not_after.to_pydatetime().date())
    event.add("dtend", row.not_after.to_pydatetime().date() + timedelta(days=1))
    event.add("transp", "TRANSPARENT")
    more = [f"and {len(places) - _SHOWN} more places"] if len(places) > _SHOWN else []
    lines = [f"Last second: {row.not_after:%Y-%m-%d %H:%M:%S} UTC", "It lies in:", *places[:_SHOWN], *more]
    event.add("description", "\n".join([*lines, f"SHA-256 {row.sha256}"]))
    for days in _REMINDERS:
        alarm = ical.Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", f"{name} ends in {days} days")
        alarm.add("trigger", timedelta(days=-days))
        event.add_component(alarm)
    return event
