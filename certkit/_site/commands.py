"""The reference of the ``certkit`` command, from its own parsers."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from certkit._html import Html, join, table, tag, whole
from certkit._site.code import code_style, coloured
from certkit._site.frame import Page, Section
from certkit.cli import command_parser

__all__ = ["command_section"]

# What a phone shows in a line.
_WIDTH = 44


def command_section() -> Section:
    """Return a page for every verb, and the list of them."""
    parser = command_parser()
    verbs = dict(_verbs(parser))
    pages = tuple(
        Page(
            f"commands/{name}.html",
            f"certkit {name}",
            join([tag("h1", tag("code", f"certkit {name}")), *_told(verb, words, 2)]),
            style=code_style(),
        )
        for name, (verb, words) in verbs.items()
    )
    items = [
        tag("li", tag("a", tag("code", f"certkit {name}"), href=f"{name}.html"), whole(f": {words}"))
        for name, (_, words) in verbs.items()
    ]
    body = [
        tag("h1", "The command"),
        tag("p", whole(parser.description or "")),
        tag("ul", *items),
        tag(
            "p", "Exit codes: 0 good; 1 the check or the handshake failed; 2 the file or the call was wrong."
        ),
    ]
    return Section("Command", Page("commands/index.html", "The command", join(body)), pages)


def _verbs(parser: argparse.ArgumentParser) -> Iterator[tuple[str, tuple[argparse.ArgumentParser, str]]]:
    """Yield name, parser and help of every verb."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {item.dest: item.help or "" for item in action._choices_actions}
            for name, verb in action.choices.items():
                yield name, (verb, helps.get(name, ""))


def _told(parser: argparse.ArgumentParser, words: str, level: int) -> Iterator[Html]:
    # argparse would colour the text for a terminal that builds the book (Python 3.14).
    parser.color = False  # type: ignore[attr-defined,unused-ignore]
    form = parser._get_formatter()
    form._width = _WIDTH
    form.add_usage(parser.usage, parser._actions, parser._mutually_exclusive_groups, prefix="")
    if words or parser.description:
        yield tag("p", whole(parser.description or f"{words[:1].upper()}{words[1:]}."))
    yield coloured(form.format_help().strip(), "text")
    rows = [row for action in parser._actions if (row := _row(action, parser))]
    if rows:
        yield table(("give", "it means"), rows, limit=len(rows))
    if parser.epilog:
        yield tag("p", whole(parser.epilog))
    for name, (verb, said) in _verbs(parser):
        yield tag(f"h{level}", tag("code", verb.prog), id=name)
        yield from _told(verb, said, level + 1)


def _row(action: argparse.Action, parser: argparse.ArgumentParser) -> tuple[Html, Html] | None:
    if action.help == argparse.SUPPRESS or isinstance(action, argparse._SubParsersAction):
        return None
    form = parser._get_formatter()
    if action.option_strings:
        value = "" if action.nargs == 0 else f" {form._format_args(action, action.dest.upper())}"
        name = ", ".join(action.option_strings) + value
    else:
        name = str(action.metavar or action.dest)
    return tag("code", name), whole(form._expand_help(action) if action.help else "")
