"""The verbs ``scan`` and ``estate``: an inventory of keystores, and a practice one."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from certkit._files import iso
from certkit._text import visible
from certkit.errors import ArgumentError
from certkit.inventory.engine import ENGINES
from certkit.inventory.scan import scan_inventory, scan_to_parquet, scan_to_tally
from certkit.inventory.tally import Tally

__all__ = ["add_parsers"]


def add_parsers(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verbs to the command."""
    scan = verbs.add_parser(
        "scan",
        help="tabulate every certificate in files and folders, soonest end first",
        description="Tabulate every certificate in files and folders. Keys are never opened.",
    )
    scan.add_argument("paths", nargs="+", metavar="PATH", help="files and folders; the content decides")
    scan.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="write the whole table: .parquet, .csv, .xlsx, .json, .ics or .html; FOLDER/ for partitions",
    )
    scan.add_argument(
        "--passwords", metavar="FILE", help="one password a line, or a path pattern, a tab and a password"
    )
    scan.add_argument("--engine", choices=ENGINES, default="local", help="this machine, or a Dask cluster")
    scan.add_argument("--scheduler", metavar="ADDRESS", help="the cluster's; without it one is started here")
    scan.add_argument("--workers", type=int, metavar="N", help="processes; one a core if not given")
    scan.add_argument(
        "--resume", action="store_true", help="go on with an unfinished scan into the same FILE"
    )
    scan.add_argument("--at", metavar="TIME", help="count days by this clock, 2026-12-31T00:00:00Z")
    scan.add_argument("--json", action="store_true", help="print the headline as JSON")
    scan.set_defaults(verb=_scan)

    estate = verbs.add_parser("estate", help="make a practice estate: keystores with planted problems")
    estate.add_argument("folder", metavar="DIR", help="a new or empty folder")
    estate.add_argument("--stores", type=int, default=40, metavar="N", help="how many files (40)")
    estate.add_argument("--seed", default="1", metavar="S", help="the same seed, the same estate (1)")
    estate.set_defaults(verb=_estate)


def _scan(args: argparse.Namespace) -> int:
    options: dict[str, Any] = {
        "passwords": None if args.passwords is None else Path(args.passwords),
        "at": _moment(args.at),
        "engine": args.engine,
        "scheduler": args.scheduler,
        "workers": args.workers,
    }
    if args.resume and not args.output:
        raise ArgumentError("only a scan into a file can be resumed", hint="-o inventory.parquet")
    if args.output:
        tally = _scan_into(args, options)
    else:
        tally = scan_to_tally(args.paths, **options)
    if args.json:
        print(
            json.dumps(
                {**tally.summary.to_dict(), "other_files": tally.other_files, "output": args.output}, indent=2
            )
        )
    else:
        _print(tally)
    return 0


def _scan_into(args: argparse.Namespace, options: dict[str, Any]) -> Tally:
    """Write the table in the form that the output's suffix asks for; only Parquet is a stream."""
    from certkit.inventory.export import EXPORT_FORMATS, export_inventory  # noqa: PLC0415 - a verb loads what it needs

    suffix = Path(args.output).suffix.lower()
    if args.output.endswith((".parquet", "/")):
        return scan_to_parquet(args.paths, args.output, resume=args.resume, **options)
    if suffix not in {*EXPORT_FORMATS, ".html"}:
        raise ArgumentError(
            "the suffix does not say in which form to write",
            on=args.output,
            hint="one of " + ", ".join((*EXPORT_FORMATS, ".html")),
        )
    found = scan_inventory(args.paths, resume=args.resume, **options)
    if suffix == ".html":
        from certkit._report import inventory_report  # noqa: PLC0415

        inventory_report(found, args.output)
    else:
        export_inventory(found, args.output)
    return Tally.of(found)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentError("this is no time", on=repr(text[:40]), hint="2026-12-31T00:00:00Z") from None


def _print(tally: Tally) -> None:
    for item in tally.soonest:
        subject = visible(item.subject, 60)
        print(
            f"{item.days_left:>7,} days  {item.not_after:%Y-%m-%d}  {item.status:<13}  {subject:<60}  "
            f"{visible(item.path, 300)}"
        )
    for path, error in tally.unreadable:
        print(f"not read: {visible(path, 300)}: {error}", file=sys.stderr)
    summary = tally.summary
    if summary.unreadable > len(tally.unreadable):
        print(f"… and {summary.unreadable - len(tally.unreadable):,} more not read", file=sys.stderr)
    print(summary.text)


def _estate(args: argparse.Namespace) -> int:
    from certkit.inventory.estate import make_estate  # noqa: PLC0415

    made = make_estate(args.folder, args.stores, args.seed)
    print(f"{made!r} at {iso(made.at)}")
    print(f"the answer key: {made.folder / 'answers.json'}; its passwords: {made.passwords}")
    return 0
