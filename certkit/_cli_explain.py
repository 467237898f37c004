"""The verb ``explain``: from a pasted error to its cause, the fix, and the proof."""

from __future__ import annotations

import argparse
import json
import select
import sys
from pathlib import Path

from certkit._cli_files import read_password
from certkit._files import write_file
from certkit._html import Html, tag
from certkit.errors import ArgumentError, FileError, LimitError
from certkit.explanation import explain

__all__ = ["add_parsers"]

_MOST_BYTES = 64_000_000
_LOGS = frozenset({".log", ".txt", ".out", ".trace"})


def add_parsers(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command."""
    parser = verbs.add_parser(
        "explain", help="say what an error means: the causes, how to confirm and how to fix each"
    )
    parser.add_argument(
        "text",
        nargs="*",
        help="the error's text, or the file that holds it; standard input if left out, or -",
    )
    parser.add_argument(
        "--file",
        action="append",
        default=[],
        metavar="FILE",
        help="a certificate, keystore, truststore or log around it; may be given several times",
    )
    parser.add_argument("--host", metavar="NAME", help="the name that the client asked for")
    parser.add_argument("--anchors", metavar="FILE", help="what the side that refused believes")
    parser.add_argument(
        "--password-file", metavar="FILE", help="holds the password of the files; or CERTKIT_PASSWORD"
    )
    parser.add_argument(
        "--reproduce", action="store_true", help="build the top cause here, repair it, prove it"
    )
    parser.add_argument("--html", metavar="FILE", help="write the diagnosis as a page too")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(verb=_explain)


def _explain(args: argparse.Namespace) -> int:
    found = explain(
        _text(args.text, bool(args.file)),
        args.file,
        host=args.host,
        anchors=args.anchors,
        password=read_password(args),
    )
    again = found.reproduce() if args.reproduce and found.found else None
    if args.json:
        facts = found.to_dict()
        if again is not None:
            facts["reproduced"] = {"fault": again.fault.id, "same": again.same, "ok": again.ok}
        print(json.dumps(facts, indent=2, ensure_ascii=False))
    else:
        print(found.report())
        if again is not None:
            print(f"\n{again.report()}")
    if args.html:
        page = tag(
            "html",
            tag("head", Html('<meta charset="utf-8">'), tag("title", "certkit explain")),
            tag("body", tag("h1", "Diagnosis"), found._repr_html_()),
            lang="en",
        )
        write_file(args.html, ("<!doctype html>\n" + page).encode())
    return 0 if found.found else 1


def _text(words: list[str], has_files: bool) -> str:
    if words == ["-"] or (not words and not sys.stdin.isatty() and _is_ready(wait=not has_files)):
        try:
            return _limited(sys.stdin.buffer.read(_MOST_BYTES + 1), "standard input")
        except OSError:
            raise FileError("standard input cannot be read", hint="give the text or a file") from None
    if not words:
        if has_files:
            return ""
        raise ArgumentError("there is nothing to explain", hint="certkit explain 'the message', or < log.txt")
    if len(words) == 1 and len(words[0]) < 1000 and "\n" not in words[0] and Path(words[0]).is_file():
        path = Path(words[0])
        with path.open("rb") as source:
            return _limited(source.read(_MOST_BYTES + 1), str(path))
    if len(words) == 1 and Path(words[0]).suffix in _LOGS and " " not in words[0]:
        raise FileError("there is no such file", on=words[0])
    return " ".join(words)


def _is_ready(*, wait: bool) -> bool:
    """Whether to read standard input: beside files, only if something comes down the pipe at once."""
    if wait:
        return True
    try:
        return bool(select.select([sys.stdin], [], [], 0.2)[0])
    except (OSError, ValueError):  # no pipe, or a system where pipes cannot be asked
        return False


def _limited(data: bytes, name: str) -> str:
    if len(data) > _MOST_BYTES:
        raise LimitError("this text is over 64 MB", on=name, hint="give the part around the error")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    return data.decode("utf-8-sig", "replace")
