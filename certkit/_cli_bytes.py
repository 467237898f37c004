"""The verbs of the `certkit` command that look at single bytes: decode and bytes."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from certkit._text import visible
from certkit.errors import CertkitError
from certkit.formats.byte_decoder import decode_byte
from certkit.formats.der_tree import DerNode, der_tree

__all__ = ["add_parsers"]


def decode(args: argparse.Namespace) -> int:
    """Say which byte a message speaks of and what the file therefore is; return 0."""
    message = sys.stdin.read(100_000) if args.message == "-" else args.message
    clue = decode_byte(message, None if args.file is None else Path(args.file))
    text = json.dumps(clue.to_dict(), indent=2, ensure_ascii=False) if args.json else str(clue)
    sys.stdout.write(text + "\n")
    return 0


def show_bytes(args: argparse.Namespace) -> int:
    """Print each file as a tree of fields with their places; return 0, or 2 if one is no DER."""
    found, failed = [], False
    for path in args.files:
        try:
            tree = der_tree(Path(path))
        except CertkitError as error:
            sys.stderr.write(f"certkit: {error}\n")
            found.append({"path": path, "kind": None, "tree": None, "error": str(error)})
            failed = True
            continue
        found.append({"path": path, "kind": tree.kind, "tree": _facts(tree.root), "error": None})
        if not args.json:
            sys.stdout.write(f"{visible(path, 200)}: {tree!r} {tree.note}\n offset  size\n")
            for node in tree.nodes:
                meaning = f"    -- {node.meaning}" if args.explain and node.meaning else ""
                sys.stdout.write(f"{node}{meaning}\n")
    if args.json:
        sys.stdout.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    return 2 if failed else 0


def _facts(node: DerNode) -> dict[str, object]:
    return {
        "offset": node.start,
        "header": node.body - node.start,
        "size": node.end - node.start,
        "tag": node.tag,
        "field": node.name or None,
        "value": node.value or None,
        "meaning": node.meaning or None,
        "children": [_facts(child) for child in node.children],
    }


def add_parsers(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verbs decode and bytes to the command."""
    parser = subparsers.add_parser(
        "decode",
        help="say which byte a message such as 'not expected 48' speaks of, and what the file therefore is",
        description="The number in Java's message is a byte of the file, and the byte says what the file is.",
    )
    parser.add_argument("message", metavar="MESSAGE", help="what Java said, in quotes; - reads it from input")
    parser.add_argument("file", nargs="?", metavar="FILE", help="the file it was about: looked at, too")
    parser.add_argument("--json", action="store_true", help="print one object")
    parser.set_defaults(verb=decode)

    parser = subparsers.add_parser(
        "bytes",
        help="print a file's DER as a tree: every field with its offset",
        description="Print DER, or what PEM and base64 stand for, as a tree: offset, size, tag, field, value.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="DER, or PEM or base64 of it")
    parser.add_argument("--explain", action="store_true", help="say each field in plain words")
    parser.add_argument("--json", action="store_true", help="print a list, one object a file")
    parser.set_defaults(verb=show_bytes)
