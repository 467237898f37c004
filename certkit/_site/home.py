"""The landing page: from a message to its fix at once, then everything else."""

from __future__ import annotations

from collections.abc import Sequence

from certkit import causes
from certkit._html import Html, details, join, tag
from certkit._site.finder import FINDER, finder
from certkit._site.frame import Page, Section
from certkit._text import count

__all__ = ["home_page"]


def home_page(lessons: Sequence[Page], sections: Sequence[Section]) -> Page:
    """Return the landing page."""
    parts: list[object] = [
        tag("h1", "certkit"),
        tag(
            "p",
            "Why a TLS connection fails, and what to change: every cause by its name, as real programs say it.",
        ),
        tag("h2", "A call fails right now"),
        finder(),
        tag(
            "p",
            "Nothing you paste leaves this page. Or look it up: ",
            tag("a", "every measured message", href="messages.html"),
            ", ",
            tag("a", "every cause", href="causes/index.html"),
            ". With files around it, a keystore or a log, ",
            tag("a", tag("code", "certkit explain"), href="commands/explain.html"),
            " sees more.",
        ),
        tag("h2", "What it can be"),
        *_causes(),
        tag("h2", "Learn it from the start", id="notebooks"),
        tag("p", "The series, executed: what each cell gave when this book was made."),
        tag("ul", *(tag("li", tag("a", page.title, href=page.path)) for page in lessons)),
        tag("h2", "Look it up"),
        tag("ul", *(_entry(section) for section in sections)),
    ]
    return Page("index.html", "certkit", join(parts), script=FINDER)


def _causes() -> list[Html]:
    """Return every cause by family, a fold each: the whole of it fits on a phone."""
    families: dict[str, list[Html]] = {}
    for found in causes.load().values():
        link = tag("a", found.title, href=f"causes/{found.id}.html")
        families.setdefault(found.family, []).append(tag("li", link))
    return [
        details(f"{causes.FAMILIES[name]} ({len(items)})", tag("ul", *items))
        for name, items in families.items()
    ]


def _entry(section: Section) -> Html:
    pages = f" ({count(len(section.pages), 'page')})" if section.pages else ""
    return tag("li", tag("a", section.index.title, href=section.index.path), pages)
