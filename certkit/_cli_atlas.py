"""The verb ``atlas``: measure what client stacks say, and show what was measured."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from certkit.atlas import Atlas

__all__ = ["add_parsers"]


def add_parsers(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command."""
    atlas = verbs.add_parser("atlas", help="what each client stack really says when something is wrong")
    deeds = atlas.add_subparsers(metavar="WHAT", required=True)

    deed = deeds.add_parser("measure", help="run each fault with each stack and TLS version, here")
    deed.add_argument("--fault", action="append", metavar="ID", help="only this fault; may be repeated")
    deed.add_argument("--stack", action="append", metavar="NAME", help="only this stack; may be repeated")
    deed.add_argument("--output", metavar="FILE", help="write the rows as CSV to this file")
    deed.add_argument("--workers", type=int, default=4, metavar="N", help="calls at the same time (4)")
    deed.add_argument("--quiet", action="store_true", help="no progress bar")
    deed.add_argument("--json", action="store_true", help="print a JSON list of rows")
    deed.set_defaults(verb=_measure)

    show = deeds.add_parser("show", help="show measured rows")
    show.add_argument("--fault", metavar="ID", help="a fault, or every fault with this cause")
    show.add_argument("--stack", metavar="NAME", help="a stack")
    show.add_argument("--tls", choices=("1.2", "1.3"), help="a TLS version")
    show.add_argument("--disagreements", action="store_true", help="faults on which stacks disagree")
    show.add_argument("--from", dest="source", metavar="FILE", help="an atlas of your own (CSV)")
    show.add_argument("--json", action="store_true", help="print a JSON list of rows")
    show.set_defaults(verb=_show)


def _measure(arguments: argparse.Namespace) -> int:
    from certkit.atlas import measure_atlas  # noqa: PLC0415 - a verb loads what it needs

    bar = None if arguments.quiet or arguments.json else _bar
    found = measure_atlas(arguments.fault, arguments.stack, progress=bar, workers=max(1, arguments.workers))
    if bar is not None:
        print(file=sys.stderr)
    if arguments.output:
        print(f"{found.save(arguments.output)}: {len(found)} rows", file=sys.stderr)
    _print(found, as_json=arguments.json)
    # The run goes on, and what nobody knows has a row; the caller learns of it all the same.
    return 2 if any(row.outcome == "unknown" for row in found) else 0


def _bar(done: int, total: int) -> None:
    filled = 30 * done // max(total, 1)
    print(f"\r[{'#' * filled}{'.' * (30 - filled)}] {done}/{total}", end="", file=sys.stderr, flush=True)


def _show(arguments: argparse.Namespace) -> int:
    from certkit.atlas import load_atlas  # noqa: PLC0415 - a verb loads what it needs

    atlas = load_atlas(arguments.source)
    if arguments.disagreements:
        atlas = atlas.disagreements()
    if arguments.fault or arguments.stack or arguments.tls:
        atlas = atlas.show(fault=arguments.fault, stack=arguments.stack, tls=arguments.tls)
    if arguments.disagreements and not arguments.json:
        _print_verdicts(atlas)
    else:
        _print(atlas, as_json=arguments.json)
    return 0


def _print(atlas: Atlas, *, as_json: bool) -> None:
    print(
        json.dumps([row.to_dict() for row in atlas], indent=2, ensure_ascii=False)
        if as_json
        else atlas.text()
    )


def _print_verdicts(atlas: Atlas) -> None:
    for fault in atlas.faults:
        print(fault)
        said: dict[str, list[str]] = {}
        for stack in atlas.stacks:
            said.setdefault(atlas.verdict(fault, stack), []).append(stack)
        for verdict, words in (
            ("accepted", "accepted by"),
            ("refused", "refused by"),
            ("differs", "depends on TLS version"),
        ):
            if said.get(verdict):
                print(f"  {words}: {', '.join(said[verdict])}")
