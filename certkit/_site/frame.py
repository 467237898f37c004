"""`Page` and `Section`, and what stands around every page: home, up, previous, next."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from certkit._files import write_file
from certkit._html import Html, join, tag
from certkit._page import page_html
from certkit.errors import ArgumentError

__all__ = ["Page", "Section", "write_pages"]


@dataclass(frozen=True)
class Page:
    """One page of the book.

    Attributes
    ----------
    path : str
        Where in the site, with slashes.
    title : str
        Its name in lists and in the browser.
    body : Html
        What its main element holds.
    script, style : str
        Its own; most have none.
    """

    path: str
    title: str
    body: Html = field(repr=False)
    script: str = field(default="", repr=False)
    style: str = field(default="", repr=False)


@dataclass(frozen=True)
class Section:
    """A list page and the pages that it leads to, in their order.

    Attributes
    ----------
    name : str
        What the line at the top of every page calls it.
    index : Page
        The list.
    pages : tuple of Page
        What it leads to; may be none.
    """

    name: str
    index: Page
    pages: tuple[Page, ...] = ()


def write_pages(folder: Path, home: Page, sections: Sequence[Section]) -> list[Path]:
    """Write the pages, each with its ways to the others; return the files, the home page first.

    Raises
    ------
    ArgumentError
        If two pages have the same path, or a folder cannot be made.
    FileError
        If a page cannot be written.
    """
    written: dict[str, Path] = {}
    for page, up, previous, following in _walk(home, sections):
        if page.path in written:
            raise ArgumentError("two pages have the same path", on=page.path)
        target = folder / page.path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ArgumentError("this folder cannot be made", on=target.parent, hint=str(error)) from None
        ways = _ways(page, up, previous, following)
        text = page_html(
            page.title if page is home else f"{page.title} · certkit",
            page.body,
            before=_head(page, home, sections) + ways,
            after=ways,
            script=page.script,
            style=page.style,
        )
        written[page.path] = write_file(target, text.encode())
    return list(written.values())


_Place = tuple[Page, Page | None, Page | None, Page | None]


def _walk(home: Page, sections: Sequence[Section]) -> list[_Place]:
    """Return every page with what is above, before and after it."""
    places: list[_Place] = [(home, None, None, None)]
    for section in sections:
        if section.index is not home:
            places.append((section.index, home, None, section.pages[0] if section.pages else None))
        line = (None, *section.pages, None)
        places += [
            (page, section.index, before, after)
            for before, page, after in zip(line, section.pages, line[2:], strict=False)
        ]
    return places


def link(start: Page, to: Page, words: object = None, *, place: str = "", **attributes: object) -> Html:
    """Return a link from one page to another, or to a place in it."""
    address = posixpath.relpath(to.path, posixpath.dirname(start.path) or ".") + place
    return tag("a", to.title if words is None else words, href=address, **attributes)


def _head(page: Page, home: Page, sections: Sequence[Section]) -> Html:
    ways = [link(page, home, Html("<b>certkit</b>"), aria_current="page" if page is home else None)]
    for item in sections:
        if item.index is home:
            ways.append(link(page, home, item.name, place=f"#{item.name.lower()}"))
        else:
            ways.append(
                link(page, item.index, item.name, aria_current="page" if item.index is page else None)
            )
    items = [tag("li", way) for way in ways]
    skip = tag("a", "To the text", href="#main", class_="ck-skip")
    return skip + tag("nav", tag("ul", *items), class_="ck-nav", aria_label="the book")


def _ways(page: Page, up: Page | None, previous: Page | None, following: Page | None) -> Html:
    ways = (("Up", up, "up"), ("Previous", previous, "prev"), ("Next", following, "next"))
    items = [tag("li", f"{words}: ", link(page, to, rel=rel)) for words, to, rel in ways if to is not None]
    if not items:
        return Html()
    return tag("nav", join([tag("ul", *items)]), class_="ck-nav", aria_label="near this page")
