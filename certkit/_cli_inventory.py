"""The verbs ``scan`` and ``estate``: an inventory of keystores, and a practice one."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from certkit._files import iso
from certkit._text import visible
from certkit.errors import ArgumentError
from certkit.inventory.analysis.overview import records, soonest_first, summarize_inventory
from certkit.inventory.estate import make_estate
from certkit.inventory.scan import scan_inventory
from certkit.inventory.storage import write_parquet

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["add_parsers"]

_SHOWN = 20


def add_parsers(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verbs to the command."""
    scan = verbs.add_parser(
        "scan",
        help="tabulate every certificate in files and folders, soonest end first",
        description="Tabulate every certificate in files and folders. Keys are never opened.",
    )
    scan.add_argument("paths", nargs="+", metavar="PATH", help="files and folders; the content decides")
    scan.add_argument("-o", "--output", metavar="FILE.parquet", help="write the whole table")
    scan.add_argument(
        "--passwords", metavar="FILE", help="one password a line, or a path pattern, a tab and a password"
    )
    scan.add_argument("--json", action="store_true", help="print the headline as JSON")
    scan.set_defaults(verb=_scan)

    estate = verbs.add_parser("estate", help="make a practice estate: keystores with planted problems")
    estate.add_argument("folder", metavar="DIR", help="a new or empty folder")
    estate.add_argument("--stores", type=int, default=40, metavar="N", help="how many files (40)")
    estate.add_argument("--seed", default="1", metavar="S", help="the same seed, the same estate (1)")
    estate.set_defaults(verb=_estate)


def _scan(args: argparse.Namespace) -> int:
    table = scan_inventory(args.paths, passwords=None if args.passwords is None else Path(args.passwords))
    if args.output:
        _write(table, args.output)
    summary = summarize_inventory(table)
    if args.json:
        print(json.dumps({**summary.to_dict(), "output": args.output}, indent=2))
    else:
        _print(table)
    return 0


def _write(table: pd.DataFrame, path: str) -> None:
    if not path.endswith(".parquet"):
        raise ArgumentError("the table is written as Parquet", on=path, hint="-o inventory.parquet")
    write_parquet(table, path)


def _print(table: pd.DataFrame) -> None:
    found = soonest_first(table)
    for row in records(found.head(_SHOWN)):
        days = f"{row.days_left:>7,} days"
        print(
            f"{days}  {row.not_after:%Y-%m-%d}  {row.status:<13}  {visible(row.subject, 60):<60}  {visible(row.path, 300)}"
        )
    if len(found) > _SHOWN:
        print(f"… and {len(found) - _SHOWN:,} more")
    for row in records(table[table["status"] == "unreadable"].head(_SHOWN)):
        print(f"not read: {visible(row.path, 300)}: {row.error}", file=sys.stderr)
    print(summarize_inventory(table).text)


def _estate(args: argparse.Namespace) -> int:
    made = make_estate(args.folder, args.stores, args.seed)
    print(f"{made!r} at {iso(made.at)}")
    print(f"the answer key: {made.folder / 'answers.json'}; its passwords: {made.passwords}")
    return 0
