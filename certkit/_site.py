"""The rendered book: every notebook executed, and every fault's handshake recorded, as HTML that needs nothing from outside.

Run as ``python -m certkit._site FOLDER``; ``make site`` does.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote, urlsplit

from certkit._files import write_file
from certkit._html import tag
from certkit._lab import copy_series
from certkit._share import MY_FILES, share
from certkit._text import count
from certkit.errors import CertkitError, FileError, MissingToolError
from certkit.faults import Fault
from certkit.lessons.replay import write_replays

_WIDGET = "application/vnd.jupyter.widget-view+json"
_SECONDS_A_CELL = 90
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
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}"
    "li{margin:.4rem 0}@media(prefers-color-scheme:dark){body{background:#111;color:#eee}a{color:#8cf}}"
)


def build_site(folder: str | os.PathLike[str], faults: Iterable[Fault] | None = None) -> list[Path]:
    """Execute every notebook and write it, a replay of each fault, and an index of all, as HTML into `folder`.

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
    source = share("notebooks")
    names = [path.relative_to(source) for path in sorted(source.rglob("[0-9]*.ipynb"))]
    try:
        shutil.copytree(source, target, dirs_exist_ok=True, ignore=_not_for_the_site)
    except (OSError, shutil.Error) as error:
        raise FileError(f"the site cannot be written ({error})", on=target) from None
    # Executed in a copy: what a lesson writes does not land in the checkout.
    with TemporaryDirectory() as copy, ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 2)) as pool:
        copied = copy_series(copy).folder / "notebooks"
        pages = list(pool.map(lambda name: _render(copied / name, target / name), names))
    titles = [(page.relative_to(target).as_posix(), title) for page, title in pages]
    index = write_file(target / "index.html", index_html(titles).encode())
    written = [index, *(page for page, _ in pages), *write_replays(target / "replays", faults)]
    wrong = [problem for page in written for problem in problems_of(page, target)]
    if wrong:
        raise CertkitError("the rendered pages are not whole", on="; ".join(wrong[:10]))
    return written


def _not_for_the_site(_: str, names: list[str]) -> set[str]:
    return {
        name
        for name in names
        if name.startswith(".") or name.endswith((".ipynb", ".pyc")) or name == MY_FILES
    }


def _render(source: Path, target: Path) -> tuple[Path, str]:
    """Execute one notebook where it is, and write it as HTML; return page and title."""
    try:
        import nbformat  # noqa: PLC0415 - only `make site` needs these
        from nbclient import NotebookClient  # noqa: PLC0415
        from nbclient.exceptions import CellExecutionError, CellTimeoutError  # noqa: PLC0415
        from traitlets.config import Config  # noqa: PLC0415
    except ImportError:
        raise MissingToolError("rendering needs nbclient and nbconvert", hint="make setup") from None
    notebook: Any = nbformat.read(source, as_version=4)  # type: ignore[no-untyped-call]
    place = {"metadata": {"path": str(source.parent)}}
    # The kernel's ports are on loopback, and readable to others there unless encrypted; it warns of that.
    config = Config({"KernelManager": {"transport_encryption": "auto"}})
    client = NotebookClient(
        notebook, timeout=_SECONDS_A_CELL, kernel_name="python3", resources=place, config=config
    )
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError) as error:
        raise CertkitError(f"a cell failed: {str(error).strip().splitlines()[-1]}", on=source.name) from None
    make_static(notebook)
    title = title_of(notebook, source.stem)
    page = target.with_suffix(".html")
    page.parent.mkdir(parents=True, exist_ok=True)
    write_file(page, to_html(notebook, title).encode())
    return page, title


def make_static(notebook: Any) -> None:
    """Leave what shows without a kernel: a widget's static twin instead of the widget; pages for notebooks."""
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"(\]\([^)\s:#]+)\.ipynb(#[^)\s]*)?\)", r"\1.html\2)", cell.source)
        kept = []
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if data.pop(_WIDGET, None) is None or set(data) - {"text/plain"}:
                kept.append(output)
        if "outputs" in cell:
            cell.outputs = kept


def title_of(notebook: Any, fallback: str) -> str:
    """Return the first heading of a notebook."""
    for cell in notebook.cells:
        found = re.search(r"^# +(.+)$", cell.source, re.M) if cell.cell_type == "markdown" else None
        if found:
            return found.group(1).strip()
    return fallback


def to_html(notebook: Any, title: str) -> str:
    """Return a page that stands by itself: no script and no font from elsewhere."""
    from nbconvert import HTMLExporter  # noqa: PLC0415
    from traitlets.config import Config  # noqa: PLC0415

    notebook.metadata["title"] = title
    exporter = HTMLExporter(config=Config(), template_name="lab")  # type: ignore[no-untyped-call]
    for option in ("require_js_url", "mathjax_url", "jquery_url", "mermaid_js_url", "mermaid_layout_elk_url"):
        if exporter.has_trait(option):
            setattr(exporter, option, "")
    page, _ = exporter.from_notebook_node(notebook)
    return without_outside_scripts(page)


def without_outside_scripts(page: str) -> str:
    """Return the page without the loaders whose address is empty now: MathJax, require.js, mermaid."""
    page = re.sub(r'<script src="">\s*</script>', "", page)
    page = re.sub(r'<script type="text/x-mathjax-config">.*?</script>', "", page, flags=re.S)
    return re.sub(r'<script type="module">(?:(?!</script>).)*mermaid.*?</script>', "", page, flags=re.S)


def index_html(pages: Sequence[tuple[str, str]]) -> str:
    """Return the table of contents."""
    items = [tag("li", tag("a", title, href=path)) for path, title in pages]
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
    replays = tag("a", "Replays", href="replays/index.html")
    about = ": every fault's handshake as it was recorded, message by message, with the cause and the repair."
    body = f"<h1>certkit</h1><p>The series, executed and rendered.</p>{tag('ol', *items)}{tag('p', replays, about)}"
    return (
        f'<!DOCTYPE html><html lang="en"><head><title>certkit</title>{head}</head><body>{body}</body></html>'
    )


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


def main(arguments: Sequence[str]) -> int:
    """Build the site into the folder named; exit code 2 if that cannot be done."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m certkit._site FOLDER\n")
        return 2
    try:
        written = build_site(arguments[0])
    except CertkitError as error:
        sys.stderr.write(f"certkit: {error}\n")
        return 2
    sys.stdout.write(f"{count(len(written), 'page')} in {arguments[0]}, start with index.html\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
