"""Markdown as HTML: guides, and the paragraphs of docstrings."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from certkit._html import Html, escape, tag
from certkit._site.code import coloured
from certkit._site.places import Places
from certkit.errors import MissingToolError

__all__ = ["Resolve", "first_heading", "prose", "slug"]

Resolve = Callable[[str], str | None]
"""From an address in the text to the one in the book; None if it is not in the book."""


def prose(text: str, resolve: Resolve, word: Callable[[str], Html | None] = lambda _: None) -> Html:
    """Return Markdown as HTML; raw HTML in it is shown as text.

    Parameters
    ----------
    text : str
        The Markdown, with tables.
    resolve : callable
        Where a link leads in the book.
    word : callable
        What stands for a word in backticks, or None for code.

    Raises
    ------
    MissingToolError
        If mistune is not installed.
    """
    try:
        import mistune  # noqa: PLC0415 - only `make site` needs it
    except ImportError:
        raise MissingToolError("rendering needs mistune", hint="make setup") from None

    places = Places()

    class Renderer(mistune.HTMLRenderer):
        """HTML with places to link to, and links that lead into the book."""

        def heading(self, text: str, level: int, **_: Any) -> str:
            name = places.take(slug(re.sub(r"<[^>]+>", "", text)))
            return f"{tag(f'h{level}', Html(text), id=name)}\n"

        def link(self, text: str, url: str, title: str | None = None) -> str:
            address = _safe(resolve(url))
            return text if address is None else tag("a", Html(text), href=address, title=title)

        def image(self, text: str, url: str, title: str | None = None) -> str:
            address = _safe(resolve(url))
            return (
                escape(text, 2000)
                if address is None
                else f'<img src="{escape(address)}" alt="{escape(text, 2000)}">'
            )

        def block_code(self, code: str, info: str | None = None) -> str:
            return coloured(code.rstrip("\n"), (info or "").strip())

        def codespan(self, text: str) -> str:
            return word(text) or f"<code>{text}</code>"

    # mistune has escaped what the renderer is given, except addresses and blocks of code.
    read = mistune.create_markdown(escape=True, renderer=Renderer(escape=True), plugins=["table"])
    return Html(read(text))


def _safe(address: str | None) -> str | None:
    """Return the address if a click on it runs nothing."""
    scheme = urlsplit(address or "").scheme.lower()
    return address if scheme in ("", "http", "https", "mailto") else None


def slug(heading: str) -> str:
    """Return the place of a heading as forges make it.

    Examples
    --------
    >>> slug("What &quot;never&quot; happens, here")
    'what-never-happens-here'
    """
    text = html.unescape(heading).lower().strip()
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", text))


def first_heading(text: str, fallback: str) -> str:
    """Return the first heading of the first level."""
    return next((line[2:].strip() for line in text.split("\n") if line.startswith("# ")), fallback)
