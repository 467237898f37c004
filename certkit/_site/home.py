"""The landing page: from a message to its fix at once, then everything else."""

from __future__ import annotations

from collections.abc import Sequence

from certkit._html import Html, join, tag
from certkit._site.frame import Page, Section
from certkit._text import count

__all__ = ["home_page"]


def home_page(lessons: Sequence[Page], sections: Sequence[Section]) -> Page:
    """Return the landing page."""
    form = tag(
        "form",
        tag("label", "Words of the message you have", for_="message"),
        Html('<input type="search" id="message" name="q" autocomplete="off" spellcheck="false"> '),
        tag("button", "Find the cause"),
        action="messages.html",
        method="get",
    )
    parts: list[object] = [
        tag("h1", "certkit"),
        tag(
            "p",
            "Why a TLS connection fails, and what to change: every cause by its name, as real programs say it.",
        ),
        tag("h2", "A call fails right now"),
        form,
        tag(
            "p",
            "Nothing is sent anywhere. Or read the list of ",
            tag("a", "all messages", href="messages.html"),
            " and of ",
            tag("a", "all causes", href="causes/index.html"),
            ".",
        ),
        tag("h2", "Learn it from the start", id="notebooks"),
        tag("p", "The series, executed: what each cell gave when this book was made."),
        tag("ul", *(tag("li", tag("a", page.title, href=page.path)) for page in lessons)),
        tag("h2", "Look it up"),
        tag("ul", *(_entry(section) for section in sections)),
    ]
    return Page("index.html", "certkit", join(parts))


def _entry(section: Section) -> Html:
    pages = f" ({count(len(section.pages), 'page')})" if section.pages else ""
    return tag("li", tag("a", section.index.title, href=section.index.path), pages)
