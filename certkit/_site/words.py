"""The glossary as a page: each word of ours, and what five worlds call it."""

from __future__ import annotations

from certkit._html import Html, definitions, join, tag, whole
from certkit._page import FILTER, filter_bar
from certkit._site.frame import Page, Section
from certkit.lessons.glossary import WORLDS, glossary, today_box

__all__ = ["glossary_section"]


def glossary_section() -> Section:
    """Return the page of the glossary, with what has changed since the articles were written."""
    words = glossary()
    entries = [
        tag(
            "section",
            definitions(
                [(name, _with_source(row[world], source[world])) for world, name in WORLDS.items()],
                caption=row["word"],
            ),
            data_item="",
        )
        for row, source in zip(words.rows, words.sources, strict=True)
    ]
    body = [
        tag("h1", "Glossary"),
        tag("p", "The same thing in five worlds. A dash: that world has no such thing in the story."),
        filter_bar("A word of any of them"),
        *entries,
        tag("h2", "What has changed since 2012", id="today"),
        Html(today_box()._repr_html_()),
    ]
    return Section("Glossary", Page("glossary.html", "Glossary", join(body), script=FILTER))


def _with_source(word: str, source: str) -> Html:
    return join([whole(word), Html("<br>"), tag("small", whole(source))]) if source else whole(word)
