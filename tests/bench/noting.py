"""Measured numbers, printed, and kept in a CSV file if `CERTKIT_BENCH_CSV` names one."""

from __future__ import annotations

import csv
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

__all__ = ["COLUMNS", "note"]

COLUMNS = ("date", "certkit", "python", "system", "cores", "load_before", "what", "measured", "unit", "goal")


def note(what: str, measured: float, unit: str, goal: str = "") -> None:
    """Print a number; write it down too if a file is named.

    Parameters
    ----------
    what : str
        What was measured, with what it was compared to.
    measured : float
        The number.
    unit : str
        Its unit; ``times`` for a ratio of two measurements in one run.
    goal : str
        What `design.md` asks for, e.g. ``>= 6``; empty for a number that only informs.
    """
    digits = 1 if abs(measured) < 100 else 0
    shown = f"{measured:,.{digits}f}"
    print(f"{what}: {shown} {unit}" + (f" (goal {goal})" if goal else ""))
    target = os.environ.get("CERTKIT_BENCH_CSV")
    if not target:
        return
    path = Path(target)
    new = not path.exists()
    with path.open("a", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        if new:
            rows.writerow(COLUMNS)
        system = f"{platform.system()} {platform.machine()}"
        load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
        rows.writerow([
            f"{datetime.now(UTC):%Y-%m-%d}", version("certkit"), platform.python_version(), system,
            os.cpu_count(), load, what, f"{measured:.{digits}f}", unit, goal,
        ])  # fmt: skip
