"""The notebooks, executed, as pages; and where in them a cause is spoken of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import unescape
from pathlib import Path
from typing import Any

from certkit._site.code import code_style
from certkit._site.frame import Page
from certkit._site.places import Places, unique_ids
from certkit.errors import CertkitError, MissingToolError

__all__ = ["make_static", "notebook_page", "run_notebook", "sections_of", "title_of"]

_WIDGET = "application/vnd.jupyter.widget-view+json"
_SECONDS_A_CELL = 90
_HEADING = re.compile(r'<h([1-6]) id="([^"]*)">(.*?)<a class="anchor-link"')
_CODE = re.compile(r"<code>([a-z0-9-]+)</code>")
_QUOTED = re.compile(r"""["']([a-z0-9-]+)["']""")
_STYLE = """
.prompt{display:none}.cell{margin:1rem 0}.anchor-link{margin-left:.4rem;text-decoration:none;color:var(--soft-text)}
.input_area pre{border-left:4px solid var(--edge)}.output_area{margin:.3rem 0;overflow-x:auto;max-width:100%}
.output_text pre,.output_stream pre{background:none;padding:.2rem 0}
.output_error pre,.output_stderr pre{border-left:4px solid #c0392b}
.output_png img{background:#fff}blockquote{border-left:4px solid var(--hair);margin-left:0;padding-left:1rem}
@media print{.anchor-link{display:none}}
"""


def run_notebook(source: Path) -> Any:
    """Execute one notebook where it is, and return it.

    Raises
    ------
    CertkitError
        If a cell fails, or takes longer than a minute and a half.
    MissingToolError
        If what executes notebooks is not installed.
    """
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
    return notebook


def notebook_page(notebook: Any, path: str) -> Page:
    """Return an executed notebook as a page that needs no kernel."""
    from nbconvert import HTMLExporter  # noqa: PLC0415

    make_static(notebook)
    exporter = HTMLExporter(template_name="basic")  # type: ignore[no-untyped-call]
    body, _ = exporter.from_notebook_node(notebook)
    return Page(path, title_of(notebook, Path(path).stem), unique_ids(body), style=_STYLE + code_style())


def make_static(notebook: Any) -> None:
    """Leave what shows without a kernel: a widget's static twin instead of the widget; pages for notebooks."""
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"(\]\([^)\s:#]+)\.(?:ipynb|md)(#[^)\s]*)?\)", r"\1.html\2)", cell.source)
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


def sections_of(notebook: Any, path: str, causes: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield cause id, address and heading for every section that names a cause or a fault of it.

    Parameters
    ----------
    notebook : NotebookNode
        Executed or not; only what is written in its cells counts, never what they print.
    path : str
        Its page in the site.
    causes : mapping of str to str
        Cause ids by the names that stand for them: causes and faults.
    """
    from nbconvert.filters.markdown_mistune import markdown2html_mistune  # noqa: PLC0415

    anchor, heading, places = "", title_of(notebook, Path(path).stem), Places()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            pieces = [("", "", cell.source)]
            names = _QUOTED
        else:
            pieces = list(_pieces(markdown2html_mistune(cell.source)))
            names = _CODE
        for found, title, text in pieces:
            if title:
                anchor, heading = f"#{places.take(found)}", title
            for name in dict.fromkeys(names.findall(text)):
                if name in causes:
                    yield causes[name], path + anchor, heading


def _pieces(html: str) -> Iterator[tuple[str, str, str]]:
    """Yield anchor, heading and what follows it; the first piece has neither."""
    anchor = title = ""
    at = 0
    for match in _HEADING.finditer(html):
        yield anchor, title, html[at : match.start()]
        anchor, title, at = match[2], unescape(re.sub(r"<[^>]+>", "", match[3])), match.end()
    yield anchor, title, html[at:]
