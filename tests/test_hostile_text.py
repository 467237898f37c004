"""Text of certificates and peers that wants to do harm: shown, it is text. What a browser makes of it: tests/browser."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import unicodedata
from html.parser import HTMLParser

import pytest
from hostile import HOSTILE, OWN_TEXT, shown

import certkit
from certkit._text import _HIDDEN

FORBIDDEN = {"script", "iframe", "object", "embed", "link", "meta", "base", "form", "img", "foreignobject"}
VOID = {"br", "hr", "meta", "img", "input", "wbr", "link"}
# The ladder of a whole handshake alone has 12 kB, whatever the names are; the others grow over 10 kB with hostile names.
LARGE, LARGE_BYTES = {"Handshake", "ServerCheck", "Wiretap"}, 20_000
# Matplotlib's drawings and a table of pandas are as long as they have to be; reports are files.
LONG = {"Plot", "the table", "expiry_timeline", "expiry_calendar", "the report", "DerLab"}


class Reader(HTMLParser):
    """Reads a fragment, and says what is wrong with it."""

    def __init__(self, page: bool) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.allowed = {"meta"} if page else set()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in FORBIDDEN - self.allowed:
            self.wrong.append(f"<{tag}>")
        for name, value in attributes:
            if name.startswith("on") or "javascript:" in (value or "").lower():
                self.wrong.append(f"{tag} {name}={value!r:.60}")
            if name in ("href", "src", "xlink:href") and not (value or "").startswith("#"):
                self.wrong.append(f"{tag} {name}={value!r:.60}")
            self.handle_data(value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        hidden = {char for char in data if unicodedata.category(char) in _HIDDEN} - {"\n"}
        if hidden:
            self.wrong.append(f"hidden characters {sorted(hidden)!r}")


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_text_is_text(what: str) -> None:
    """Read every value and report as HTML: no element, attribute or hidden character comes out of a name."""
    for name, html, _ in shown(what):
        reader = Reader(page=name == "the report")
        reader.feed(html)
        reader.close()
        assert reader.wrong == [], name
        assert reader.open == [], name
        assert "<script" not in html, name
        if name not in LONG:
            assert len(html.encode()) < (LARGE_BYTES if name in LARGE else 10_000), name


@pytest.mark.parametrize("what", HOSTILE)
def test_a_terminal_is_safe_too(what: str) -> None:
    for name, _, line in shown(what):
        assert not {char for char in line if unicodedata.category(char) in _HIDDEN}, name
        assert len(line) < 5_000, name


def test_every_value_that_shows_itself_is_looked_at() -> None:
    """A new class with a `_repr_html_` is fed hostile text, or is named as one that no such text can reach."""
    known = {name for name, _, _ in shown("script")} | {
        "InventorySummary",
        "Conversion",
        "PlatformCallout",
    }
    found = set()
    for module in pkgutil.walk_packages(certkit.__path__, "certkit."):
        if any(word in module.name for word in ("_java_", "__main__", "_worker")):
            continue  # programs of their own
        for thing in vars(importlib.import_module(module.name)).values():
            if inspect.isclass(thing) and "_repr_html_" in vars(thing):
                found.add(thing.__name__)
    assert found - known - OWN_TEXT == set()
    assert OWN_TEXT - found == set(), "gone: take it off the list"
