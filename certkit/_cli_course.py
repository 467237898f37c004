"""The verb ``course``: what a learner and an instructor do around the notebooks."""

from __future__ import annotations

import argparse
import json
import sys

__all__ = ["add_parsers"]


def add_parsers(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command."""
    course = verbs.add_parser(
        "course", help="around the notebooks: a group's overview, editions, minutes, begin again"
    )
    deeds = course.add_subparsers(metavar="WHAT", required=True)

    group = deeds.add_parser(
        "overview", help="which exercise gives a group most trouble, from exported progress; no names"
    )
    group.add_argument(
        "files", nargs="+", metavar="FILE", help="exported progress files, or folders with some"
    )
    group.add_argument("--json", action="store_true", help="print one JSON object")
    group.set_defaults(verb=_overview)

    reset = deeds.add_parser(
        "reset",
        help="begin again: take away what the lab wrote for you, and your progress; asks first",
        description="Exit code 0: done, or nothing to do; 1: you said no; 2: it could not ask, or not remove.",
    )
    reset.add_argument("folder", nargs="?", default=".", help="the lab's folder (this one)")
    reset.add_argument(
        "--notebooks", action="store_true", help="also put changed notebooks back as they were"
    )
    reset.add_argument("--yes", action="store_true", help="do not ask")
    reset.set_defaults(verb=_reset)

    both = deeds.add_parser(
        "editions", help="write the learner's and the instructor's edition of the notebooks into a folder"
    )
    both.add_argument("folder", help="a new folder; learner/ and instructor/ are made in it")
    both.set_defaults(verb=_editions)

    minutes = deeds.add_parser(
        "minutes", help="how long each part takes: words read at 200 a minute, and cells run"
    )
    minutes.add_argument("--measure", action="store_true", help="run every notebook now, on this machine")
    minutes.add_argument("--markdown", action="store_true", help="print tables for a guide")
    minutes.add_argument("--json", action="store_true", help="print a JSON list of parts")
    minutes.set_defaults(verb=_minutes)


def _overview(arguments: argparse.Namespace) -> int:
    from certkit.lessons.group import group_overview  # noqa: PLC0415 - a verb loads what it needs

    found = group_overview(arguments.files)
    if arguments.json:
        print(json.dumps(found.to_dict(), indent=2, ensure_ascii=False))
    else:
        print(found.text())
    if found.unread and arguments.json:
        print("\n".join(found.notes), file=sys.stderr)
    # The others were counted; the caller learns of it all the same.
    return 2 if found.unread else 0


def _reset(arguments: argparse.Namespace) -> int:
    from certkit._reset import find_leftovers  # noqa: PLC0415

    found = find_leftovers(arguments.folder, notebooks=arguments.notebooks)
    if found.empty:
        print(f"there is nothing to take away in {found.folder}")
        return 0
    print(f"This goes, for good, from {found.folder}:\n{found.text}")
    if not arguments.yes:
        if not sys.stdin.isatty():
            print("certkit: nobody is there to ask; try: --yes", file=sys.stderr)
            return 2
        if input("Take it away? [y/N] ").strip().lower() not in {"y", "yes"}:
            print("nothing was changed")
            return 1
    found.remove()
    print("done")
    return 0


def _editions(arguments: argparse.Namespace) -> int:
    from certkit.lessons.editions import write_editions  # noqa: PLC0415

    made = write_editions(arguments.folder)
    print(f"{made.learner}: {made.notebooks} notebooks")
    print(f"{made.instructor}: the same, with {made.solutions} solutions")
    return 0


def _minutes(arguments: argparse.Namespace) -> int:
    from certkit import _minutes as measured  # noqa: PLC0415

    parts = measured.measure_minutes() if arguments.measure else measured.read_minutes()
    if arguments.json:
        print(measured.to_json(parts))
    elif arguments.markdown:
        print(measured.minutes_markdown(parts))
    else:
        print(measured.minutes_text(parts))
    return 0
