"""The Markdown pages: what stands beside the package, and the guides beside the notebooks."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from certkit._files import read_source
from certkit._html import Html, join, tag
from certkit._site.code import code_style
from certkit._site.frame import Page, Section
from certkit._site.prose import first_heading, prose

__all__ = ["guide_section"]

_NAMES = {
    "readme": "Start here, and the command",
    "contributing": "How it is built, and how to add to it",
    "security": "What it promises, and what it does not",
    "changelog": "What is new",
    "third-party": "What is other people's",
}


def guide_section(root: Path) -> Section:
    """Return the guides as pages.

    Parameters
    ----------
    root : Path
        The folder that holds ``notebooks``; in a checkout it holds the README as well.
    """
    notebooks = root / "notebooks"
    found = {path: f"project/{path.stem.lower()}.html" for path in sorted(root.glob("*.md"))}
    beside = {
        path: path.relative_to(notebooks).with_suffix(".html") for path in sorted(notebooks.rglob("*.md"))
    }
    found.update({path: name.as_posix() for path, name in beside.items()})
    pages = tuple(_page(path, name, root, found) for path, name in found.items())
    items = [
        tag(
            "li",
            tag("a", page.title, href=page.path),
            Html("<br>"),
            tag("span", _NAMES.get(Path(page.path).stem, ""), class_="ck-soft"),
        )
        for page in pages
    ]
    about = tag("p", "The texts that come with certkit.") if items else tag("p", "None came with this copy.")
    body = join([tag("h1", "Guides"), about, tag("ul", *items)])
    return Section("Guides", Page("guides.html", "Guides", body), pages)


def _page(path: Path, name: str, root: Path, known: Mapping[Path, str]) -> Page:
    text = read_source(path)[0].decode("utf-8")

    def resolve(address: str) -> str | None:
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            return address
        if not parts.path:
            return address
        place = _in_the_book((path.parent / unquote(parts.path)).resolve(), root.resolve(), known)
        if place is None:
            return None
        start = posixpath.dirname(name) or "."
        file, _, fragment = place.partition("#")
        fragment = parts.fragment or fragment
        return posixpath.relpath(file, start) + (f"#{fragment}" if fragment else "")

    body = prose(text, resolve)
    return Page(name, first_heading(text, path.stem), body, style=code_style())


def _in_the_book(target: Path, root: Path, known: Mapping[Path, str]) -> str | None:
    """Return where a file of the checkout is in the book; None if it is not there."""
    for path, name in known.items():
        if path.resolve() == target:
            return name
    notebooks = root / "notebooks"
    if target == notebooks:
        return "index.html#notebooks"
    if not target.is_relative_to(notebooks) or not target.is_file():
        return None
    inside = target.relative_to(notebooks)
    return (inside.with_suffix(".html") if inside.suffix == ".ipynb" else inside).as_posix()
