"""The rendered book, whole: what is in it, in which order, and that nothing in it leads nowhere."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from certkit import causes
from certkit._files import utc
from certkit._html import Html, join, tag
from certkit._lab import copy_series
from certkit._page import FILTER
from certkit._share import share
from certkit._site.atlas import atlas_section
from certkit._site.causes import Lesson, cause_section
from certkit._site.commands import command_section
from certkit._site.frame import Page, Section, write_pages
from certkit._site.guides import guide_section
from certkit._site.home import home_page
from certkit._site.links import problems_in
from certkit._site.messages import message_section
from certkit._site.notebooks import notebook_page, run_notebook, sections_of
from certkit._site.reference import reference_section
from certkit._site.words import glossary_section
from certkit.atlas import load_atlas
from certkit.errors import CertkitError, FileError
from certkit.faults import Fault, list_faults
from certkit.lessons.replay import REPLAY_SCRIPT, replay_body, replay_list

__all__ = ["build_site"]


def build_site(folder: str | os.PathLike[str], faults: Iterable[Fault] | None = None) -> list[Path]:
    """Write the book into `folder`: the notebooks executed, the causes, the messages, a replay of each fault.

    Parameters
    ----------
    folder : path
        Where to; what is there already is written over.
    faults : iterable of Fault, optional
        Whose handshakes to record; every fault's by default.

    Raises
    ------
    CertkitError
        If a cell fails, a link leads nowhere, or a page would fetch something from outside.
    """
    target = Path(folder)
    try:
        shutil.copytree(share("notebooks"), target, dirs_exist_ok=True, ignore=_not_for_the_site)
    except (OSError, shutil.Error) as error:
        raise FileError(f"the site cannot be written ({error})", on=target) from None
    notebooks = _executed()
    catalogue = list_faults()
    recorded = catalogue if faults is None else tuple(faults)
    atlas = load_atlas()
    named = {**{item.id: item.cause for item in catalogue}, **{name: name for name in causes.load()}}
    lessons = [notebook_page(notebook, path) for path, notebook in notebooks.items()]
    sections = [
        message_section(atlas),
        cause_section(atlas, catalogue, _places(notebooks, named, lessons), [item.id for item in recorded]),
        atlas_section(atlas, catalogue),
        _replays(recorded),
        reference_section(),
        command_section(),
        glossary_section(),
        guide_section(share("notebooks").parent),
    ]
    home = home_page(lessons, sections)
    written = write_pages(target, home, [Section("Notebooks", home, tuple(lessons)), *sections])
    wrong = problems_in(written, target)
    if wrong:
        raise CertkitError("the rendered pages are not whole", on="; ".join(wrong[:10]))
    return written


def _not_for_the_site(_: str, names: list[str]) -> set[str]:
    return {name for name in names if name.startswith(".") or name.endswith((".ipynb", ".pyc", ".md"))}


def _executed() -> dict[str, Any]:
    """Return the notebooks, executed, by the paths of their pages."""
    source = share("notebooks")
    names = [path.relative_to(source) for path in sorted(source.rglob("[0-9]*.ipynb"))]
    # In a copy: what a lesson writes does not land in the checkout.
    with TemporaryDirectory() as copy, ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 2)) as pool:
        copied = copy_series(copy).folder / "notebooks"
        done = list(pool.map(lambda name: run_notebook(copied / name), names))
    return {
        name.with_suffix(".html").as_posix(): notebook for name, notebook in zip(names, done, strict=True)
    }


def _places(
    notebooks: dict[str, Any], named: dict[str, str], pages: Sequence[Page]
) -> dict[str, list[Lesson]]:
    """Return, for each cause, the sections of the notebooks that name it."""
    titles = {page.path: page.title for page in pages}
    found: dict[str, dict[str, str]] = {}
    for path, notebook in notebooks.items():
        for cause, address, heading in sections_of(notebook, path, named):
            words = heading if heading == titles[path] else f"{titles[path]}: {heading}"
            found.setdefault(cause, {}).setdefault(address, words)
    return {cause: list(places.items()) for cause, places in found.items()}


def _replays(faults: Sequence[Fault]) -> Section:
    now = utc(None)
    pages = tuple(
        Page(f"replays/{item.id}.html", item.title, _replay(item, now), script=REPLAY_SCRIPT)
        for item in faults
    )
    index = replay_list(faults, now)
    return Section("Replays", Page("replays/index.html", "Replays", index, script=FILTER), pages)


def _replay(fault: Fault, at: datetime) -> Html:
    """Return the recording, and the way to all that is known of its cause."""
    words = f"{causes.cause(fault.cause).title}: what each client stack said, and where the notebooks show it"
    return join([replay_body(fault, at), tag("p", tag("a", words, href=f"../causes/{fault.cause}.html"))])
