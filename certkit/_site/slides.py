"""Slides from the notebooks, executed: one self-contained page a notebook, for a browser and nothing else.

Run as ``python -m certkit._site.slides FOLDER [NUMBER …]``; ``make slides`` does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from certkit._files import make_folder, write_file
from certkit._html import Html, tag
from certkit._lab import copy_series
from certkit._page import page_html
from certkit._share import share
from certkit._site.code import code_style
from certkit._site.notebooks import make_static, run_notebook, title_of
from certkit._site.slide_rule import with_slides
from certkit._text import count
from certkit.errors import ArgumentError, CertkitError

__all__ = ["slide_deck", "write_slides"]

_HERE = Path(__file__).parent
_KEYS = "→ or space: next · ←: back · [ and ]: chapters · n: notes"
_STYLE = """
body{max-width:72rem}.prompt,.anchor-link{display:none}.cell{margin:.8rem 0}
.output_area{margin:.3rem 0;overflow-x:auto;max-width:100%}.input_area pre{border-left:4px solid var(--edge)}
.output_text pre,.output_stream pre{background:none;padding:.2rem 0}.output_png img{background:#fff}
.ck-slide{border-bottom:1px solid var(--hair);padding-bottom:1rem}.ck-notes{border-left:4px solid var(--hair);
padding-left:1rem;color:var(--soft-text);font-size:.9em}.ck-running .ck-notes{display:none}
.ck-speaking .ck-notes{display:block}.ck-running .ck-slide{border:0;min-height:80vh;padding-bottom:4rem;
font-size:clamp(1rem,1.1vw + .55rem,1.6rem)}.ck-running .ck-slide pre{font-size:.8em}
.ck-running .ck-closed{visibility:hidden}.ck-chapter{margin:0;font-size:.7em}
.ck-bar{position:fixed;left:0;right:0;bottom:0;display:flex;gap:.6rem;
align-items:center;flex-wrap:wrap;padding:.4rem 1rem;background:var(--paper);border-top:1px solid var(--hair)}
.ck-bar button{margin:0}.ck-bar .ck-soft{font-size:.85rem}
@media print{.ck-bar{display:none!important}.ck-slide{display:block!important;break-after:page;border:0}
.ck-running .ck-closed{visibility:visible!important}.ck-running .ck-notes{display:none}}
"""


def slide_deck(notebook: Any, folder: Path, fallback: str) -> str:
    """Return a notebook as slides: a page with everything in it, that opens from disk.

    Parameters
    ----------
    notebook : NotebookNode
        Executed, if outputs are to be shown.
    folder : Path
        Where its pictures are: they go into the page.
    fallback : str
        The title, if it has no heading.
    """
    from nbconvert import SlidesExporter  # noqa: PLC0415 - only slides need it

    title = title_of(notebook, fallback)
    deck = with_slides(notebook)
    make_static(deck)
    exporter = SlidesExporter(  # type: ignore[no-untyped-call]
        template_name="certkit-deck", extra_template_basedirs=[str(_HERE / "templates")], embed_images=True
    )
    body, _ = exporter.from_notebook_node(deck, resources={"metadata": {"path": str(folder)}})
    bar = tag(
        "div",
        *(
            tag("button", word, type="button", data_do=deed)
            for deed, word in (("back", "Back"), ("next", "Next"))
        ),
        tag("span", class_="ck-place", role="status"),
        tag("button", "Notes", type="button", data_do="notes", aria_pressed="false"),
        tag("span", _KEYS, class_="ck-soft"),
        class_="ck-bar",
        hidden="",
    )
    return page_html(
        f"{title} · slides",
        tag("div", Html(body), class_="ck-deck"),
        after=bar,
        script=(_HERE / "deck.js").read_text("utf-8"),
        style=_STYLE + code_style(),
    )


def write_slides(folder: str | os.PathLike[str], numbers: Sequence[str] = ()) -> list[Path]:
    """Execute notebooks and write each as a deck of slides into a folder, with a list of them.

    Parameters
    ----------
    folder : path
        Where to; what is there of an earlier time is written over.
    numbers : sequence of str
        Which, by what their names begin with, e.g. ``["03", "pair/01"]``; all by default.

    Returns
    -------
    list of Path
        The list, ``index.html``, then the decks.

    Raises
    ------
    ArgumentError
        If there is no notebook of a number.
    CertkitError
        If a cell fails.
    FileError
        If the folder cannot be written.
    """
    source, target = share("notebooks"), Path(folder)
    names = [path.relative_to(source) for path in sorted(source.rglob("[0-9]*.ipynb"))]
    if missing := [
        number for number in numbers if not any(name.as_posix().startswith(f"{number}-") for name in names)
    ]:
        raise ArgumentError("there is no notebook of this number", on=missing[0][:40], hint="for example 03")
    chosen = [name for name in names if not numbers or name.as_posix().partition("-")[0] in numbers]
    with TemporaryDirectory() as copy, ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 2)) as pool:
        copied = copy_series(copy).folder / "notebooks"
        decks = list(pool.map(lambda name: _deck(copied / name), chosen))
    pages = {name.with_suffix(".html").as_posix(): deck for name, deck in zip(chosen, decks, strict=True)}
    items = [tag("li", tag("a", title, href=path)) for path, (title, _) in pages.items()]
    listed = page_html("certkit · slides", tag("h1", "Slides"), tag("ul", *items))
    written = []
    for path, text in {"index.html": listed, **{path: text for path, (_, text) in pages.items()}}.items():
        make_folder((target / path).parent)
        written.append(write_file(target / path, text.encode()))
    return written


def _deck(path: Path) -> tuple[str, str]:
    notebook = run_notebook(path)
    return title_of(notebook, path.stem), slide_deck(notebook, path.parent, path.stem)


def main(arguments: Sequence[str]) -> int:
    """Write the slides; exit code 2 if that cannot be done."""
    if not arguments or arguments[0].startswith("-"):
        sys.stderr.write("usage: python -m certkit._site.slides FOLDER [NUMBER ...]\n")
        return 2
    try:
        written = write_slides(arguments[0], arguments[1:])
    except CertkitError as error:
        sys.stderr.write(f"certkit: {error}\n")
        return 2
    sys.stdout.write(f"{count(len(written) - 1, 'deck')} in {arguments[0]}, start with index.html\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
