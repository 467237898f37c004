"""What a page links to and fetches, and what is wrong with it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

__all__ = ["problems_in", "problems_of"]

# Tags and attributes that make a browser fetch something when the page is opened.
_FETCHING = {
    "audio": ("src",),
    "body": ("background",),
    "embed": ("src",),
    "feimage": ("href", "xlink:href"),
    "iframe": ("src",),
    "image": ("href", "xlink:href"),
    "img": ("src", "srcset"),
    "input": ("src",),
    "link": ("href", "imagesrcset"),
    "object": ("data",),
    "script": ("src", "href", "xlink:href"),
    "source": ("src", "srcset"),
    "track": ("src",),
    "use": ("href", "xlink:href"),
    "video": ("src", "poster"),
}
_LINKING = {"a": ("href", "xlink:href"), "area": ("href",), "form": ("action",)}
_SEVERAL = {"srcset", "imagesrcset"}
# SVG takes an address in these as CSS does: fill="url(#pattern)".
_STYLED = {
    "style",
    "fill",
    "stroke",
    "filter",
    "mask",
    "clip-path",
    "marker-start",
    "marker-mid",
    "marker-end",
}
# Bounded: a page may hold a text of megabytes.
_QUOTED = r"""(?:"([^"]{1,2000})"|'([^']{1,2000})')"""
_CSS_ADDRESS = re.compile(
    rf"""url\(\s{{0,20}}(?:{_QUOTED}|([^\s"'();]{{1,2000}})(?=\s{{0,20}}\)))|@import\s{{0,20}}{_QUOTED}"""
)
_SCRIPT_ADDRESS = re.compile(
    r"""(?:\bimport\b|\bfrom\b|\bfetch\s?\(|\bimport\s?\()\s{0,9}["'`]([^"'`\n]{1,2000})["'`]"""
)
_REFRESH = re.compile(r"\burl\s*=\s*['\"]?([^'\"]+)", re.I)
# What is there to be run or edited; the book has a page for it.
_RAW = {".ipynb", ".md"}


class _Links(HTMLParser):
    """Collects what a page links to, what it fetches, and the places in it that can be linked to."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.ids: Counter[str] = Counter()
        self.names: set[str] = set()
        self._inside = ""

    @property
    def places(self) -> set[str]:
        """What a fragment can mean: an id, or the name of an anchor."""
        return {*self.ids, *self.names}

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self._inside = name
        given = {key: value or "" for key, value in attributes}
        if given.get("id"):
            self.ids[given["id"]] += 1
        if name == "a" and given.get("name"):
            self.names.add(given["name"])
        if name == "meta" and given.get("http-equiv", "").lower() == "refresh":
            self.links += _REFRESH.findall(given.get("content", ""))
        for key, value in given.items():
            if key in _FETCHING.get(name, ()):
                self.fetched += _several(value) if key in _SEVERAL else [value]
            elif key in _LINKING.get(name, ()):
                self.links.append(value)
            elif key in _STYLED:
                self.fetched += css_addresses(value)

    def handle_startendtag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(name, attributes)
        self._inside = ""

    def handle_endtag(self, name: str) -> None:
        self._inside = ""

    def handle_data(self, text: str) -> None:
        if self._inside == "style":
            self.fetched += css_addresses(text)
        elif self._inside == "script":
            self.fetched += [
                address for address in _SCRIPT_ADDRESS.findall(text) if _is_outside(urlsplit(address))
            ]


def css_addresses(text: str) -> list[str]:
    """Return what a style sheet fetches or points to: url() and @import.

    Examples
    --------
    >>> css_addresses('@import "a.css"; p{background:url(b.png)}')
    ['a.css', 'b.png']
    """
    return ["".join(found) for found in _CSS_ADDRESS.findall(text)]


def _several(value: str) -> list[str]:
    """Return the addresses of a srcset: each may have a width or a density behind it."""
    return [part.split()[0] for part in re.split(r",\s+|,(?=\S+\s)", value) if part.strip()]


def _is_outside(parts: SplitResult) -> bool:
    return parts.scheme in ("http", "https", "ftp", "ws", "wss") or bool(parts.netloc)


def problems_in(pages: Iterable[Path], site: Path) -> list[str]:
    """Return what is wrong with the pages of a site; each file is read once.

    Parameters
    ----------
    pages : iterable of Path
        The pages to look at.
    site : Path
        The folder that all links must stay in.
    """

    @cache
    def read(page: Path) -> _Links:
        links = _Links()
        text = page.read_text("utf-8")
        if page.suffix == ".css":
            links.fetched += css_addresses(text)
        else:
            links.feed(text)
            links.close()
        return links

    top = site.resolve()
    found: list[str] = []
    waiting, seen = [page.resolve() for page in pages], set[Path]()
    while waiting:
        page = waiting.pop(0)
        if page in seen:
            continue
        seen.add(page)
        name = page.relative_to(top).as_posix() if page.is_relative_to(top) else page.name
        links = read(page)
        found += [
            f"{name} has the id {place!r} {times} times" for place, times in links.ids.items() if times > 1
        ]
        found += [f"{name} fetches {address}" for address in links.fetched if _is_outside(urlsplit(address))]
        for address in dict.fromkeys([*links.links, *links.fetched]):
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            if not target.is_file() or not target.is_relative_to(top):
                found.append(f"{name} links to {address}, which is not there")
            elif target.suffix in _RAW:
                found.append(f"{name} links to {address}, which is no page")
            elif parts.fragment and target.suffix == ".html" and not _has(read(target), parts.fragment):
                found.append(f"{name} links to {address}: no such place in it")
            elif target.suffix == ".css":
                # What a style sheet fetches, the page that uses it fetches.
                waiting.append(target)
    return found


def _has(links: _Links, fragment: str) -> bool:
    # A browser looks for the fragment as it stands first, then decoded (HTML, 7.4.2.3.3).
    return not links.places.isdisjoint({fragment, unquote(fragment)})


def problems_of(page: Path, site: Path) -> list[str]:
    """Return what is wrong with one page of a site: links that lead nowhere, things fetched from outside."""
    return problems_in([page], site)
