"""What a page links to and fetches, and what is wrong with it."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

__all__ = ["problems_of"]

# Tags and attributes that make a browser fetch something when the page is opened.
_FETCHING = {
    "script": ("src",),
    "link": ("href",),
    "img": ("src", "srcset"),
    "iframe": ("src",),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
    "audio": ("src",),
    "embed": ("src",),
    "object": ("data",),
}


class _Links(HTMLParser):
    """Collects what a page links to, what it fetches, and the places in it that can be linked to."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.places: set[str] = set()

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        for key, value in attributes:
            if key in ("id", "name") and value:
                self.places.add(value)
            if key in _FETCHING.get(name, ()):
                self.fetched.append(value or "")
            elif name == "a" and key == "href":
                self.links.append(value or "")


def _read_links(page: Path) -> _Links:
    links = _Links()
    links.feed(page.read_text("utf-8"))
    return links


def problems_of(page: Path, site: Path) -> list[str]:
    """Return what is wrong with a page: links that lead nowhere, things fetched from outside."""
    links = _read_links(page)
    outside = [address for address in links.fetched if urlsplit(address).scheme in ("http", "https")]
    outside += [address for address in links.fetched if address.startswith("//")]
    problems = [f"{page.name} fetches {address}" for address in outside]
    for address in [*links.links, *links.fetched]:
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            continue
        target = (page.parent / unquote(parts.path)).resolve() if parts.path else page.resolve()
        if not target.exists() or not target.is_relative_to(site.resolve()):
            problems.append(f"{page.name} links to {address}, which is not there")
        elif parts.fragment and target.suffix == ".html":
            places = links.places if target == page.resolve() else _read_links(target).places
            # A browser looks for the fragment as it stands first, then decoded (HTML, 7.4.2.3.3).
            if places.isdisjoint({parts.fragment, unquote(parts.fragment)}):
                problems.append(f"{page.name} links to {address}: no such place in it")
    return problems
