"""The verb ``check``: look at servers."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from certkit._cli_files import read_password
from certkit._files import read_source, write_file
from certkit._html import Html, tag
from certkit.checkup import STARTTLS, ServerCheck, check_servers, parse_target
from certkit.credentials import Credential
from certkit.errors import ArgumentError
from certkit.keystores import load_keystore

__all__ = ["add_parsers", "moment"]


def add_parsers(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command."""
    check = verbs.add_parser("check", help="look at a server: what it presents, and who would believe it")
    check.add_argument(
        "targets", nargs="*", metavar="HOST:PORT", help="the servers; the port is 443 if not given"
    )
    check.add_argument("--from", dest="listed", metavar="FILE", help="a file with one HOST:PORT a line")
    check.add_argument("--anchors", metavar="FILE", help="whom to believe; the system's roots if not given")
    check.add_argument("--client", metavar="KEYSTORE", help="a client certificate and key to try (two-way)")
    check.add_argument("--name", metavar="HOST", help="the name to ask for, if it is not the host")
    check.add_argument("--starttls", choices=tuple(STARTTLS), help="the protocol to speak first")
    check.add_argument("--proxy", metavar="URL", help="a forward proxy, http://host:port")
    check.add_argument("--at", metavar="TIME", help="judge by this clock, 2026-12-31T00:00:00Z")
    check.add_argument(
        "--step", type=float, default=5.0, metavar="SECONDS", help="what each step may take (5)"
    )
    check.add_argument("--workers", type=int, default=16, metavar="N", help="servers at the same time (16)")
    check.add_argument(
        "--quick", action="store_true", help="do not try each TLS version, nor ask who would accept it"
    )
    check.add_argument(
        "--password-file", metavar="FILE", help="holds the password of the files; or CERTKIT_PASSWORD"
    )
    check.add_argument("--html", metavar="FILE", help="write the report as a page too")
    check.add_argument(
        "--json", action="store_true", help="print one JSON object, or a list for several servers"
    )
    check.set_defaults(verb=_check)


def _check(args: argparse.Namespace) -> int:
    named = [*args.targets, *_listed(args.listed)]
    if not named:
        raise ArgumentError("no server was named", hint="certkit check HOST:PORT")
    # All of them before the first is contacted: a slip in line 900 must not cost what 899 said.
    targets = [parse_target(text, starttls=args.starttls, proxy=args.proxy, name=args.name) for text in named]
    if not 0 < args.step <= 600:
        raise ArgumentError("a step takes more than 0 and at most 600 seconds", on=args.step)
    password = read_password(args)
    results = []
    for result in check_servers(
        targets,
        workers=min(args.workers, len(targets)) if args.workers > 0 else args.workers,
        anchors=load_keystore(Path(args.anchors), password).trust_store() if args.anchors else None,
        client=_client(args.client, password),
        at=moment(args.at),
        step=args.step,
        versions=not args.quick,
        acceptance=not args.quick,
    ):
        results.append(result)
        _show(result, args, len(results), len(targets))
    if args.json:
        facts = [result.to_dict() for result in results]
        print(json.dumps(facts[0] if len(facts) == 1 else facts, indent=2, ensure_ascii=False))
    if args.html:
        write_file(args.html, _page(results))
    return 0 if all(result.ok for result in results) else 1


def _show(result: ServerCheck, args: argparse.Namespace, done: int, total: int) -> None:
    bar = total > 1 and sys.stderr.isatty()
    if bar:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)  # the bar gives way to the line
    if not args.json:
        print(result.text() if total == 1 else result.headline, flush=True)
    if bar:
        filled = 30 * done // total
        words = f"[{'#' * filled}{'.' * (30 - filled)}] {done} of {total}"
        print(words, end="\n" if done == total else "", file=sys.stderr, flush=True)


def _listed(path: str | None) -> list[str]:
    if path is None:
        return []
    data, name = read_source(Path(path))
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ArgumentError("this list is no text in UTF-8", on=name) from None
    return [text for line in lines if (text := line.partition("#")[0].strip())]


def _client(path: str | None, password: str | None) -> Credential | None:
    return None if path is None else load_keystore(Path(path), password).credential(password=password)


def moment(text: str | None) -> datetime | None:
    """Return the time of an option, or None without it.

    Raises
    ------
    ArgumentError
        If it is no time, or has no zone.
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentError("this is no time", on=repr(text[:40]), hint="2026-12-31T00:00:00Z") from None
    if moment.tzinfo is None:
        raise ArgumentError("this time has no zone", on=repr(text[:40]), hint="2026-12-31T00:00:00Z")
    return moment.astimezone(UTC)


def _page(results: list[ServerCheck]) -> bytes:
    body = [tag("h2", str(result.target)) + result._repr_html_() for result in results]
    style = "body{font-family:system-ui,sans-serif;max-width:62em;margin:2em auto;padding:0 1em}td,th{padding:2px 8px}"
    page = tag(
        "html",
        tag("head", Html('<meta charset="utf-8">'), tag("title", "certkit check"), tag("style", style)),
        tag("body", tag("h1", "Server check"), *body),
        lang="en",
    )
    return ("<!doctype html>\n" + page).encode()
