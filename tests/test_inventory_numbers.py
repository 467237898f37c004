"""The measured numbers of the inventory, as the benchmark wrote them: whole, with date, version and load."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

from bench.noting import COLUMNS

FILE = Path(__file__).resolve().parent.parent / "data" / "inventory-bench.csv"


def test_the_numbers_are_whole_and_dated() -> None:
    with FILE.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        rows = list(reader)
    assert tuple(reader.fieldnames or ()) == COLUMNS
    for row in rows:
        assert date.fromisoformat(row["date"]) >= date(2026, 1, 1)
        assert float(row["measured"]) > 0
        assert float(row["load_before"]) >= 0
        assert all(row[name] for name in COLUMNS if name != "goal")
    measured = {row["what"]: float(row["measured"]) for row in rows}
    assert len(measured) == len(rows)
    # A million rows take no more memory than a hundred thousand, give or take.
    first = {
        what: value for what, value in measured.items() if "to Parquet, memory of the first process" in what
    }
    assert len(first) == 3
    assert max(first.values()) <= 300
