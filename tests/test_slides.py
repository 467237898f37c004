"""Slides from the notebooks: a rule says what is shown, the page stands by itself, and nothing is stored in a notebook."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from certkit import _lab
from certkit._site import slides
from certkit._site.links import problems_of
from certkit._site.slide_rule import MOST_WORDS, with_slides
from certkit._site.slides import main, slide_deck, write_slides
from certkit.errors import ArgumentError, CertkitError

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
ALL = sorted(path for path in NOTEBOOKS.rglob("[0-9]*.ipynb") if "my-files" not in path.parts)
LONG = (
    "It is a sentence of some length that says what this paragraph is about. "
    + "And more of it follows. " * 12
)
PROSE = f"""# A deck

{LONG}

- one
- two

**Predict:** which of the two?

## The second part

Neither. That one word would say little alone, so its neighbour stays with it. The third does not. {LONG}

| a | b |
|---|---|
| 1 | 2 |

See [notebook 03](03-one-way-tls.ipynb#there), [a place here](#here) and [the web](https://example.test/).
"""


def notebook(*cells: str) -> Any:
    made = [nbformat.v4.new_markdown_cell(PROSE)]
    made += [nbformat.v4.new_code_cell(cell) for cell in cells]
    return nbformat.v4.new_notebook(cells=made)


def kinds(deck: Any) -> list[tuple[str, str]]:
    return [
        (cell.metadata["slideshow"]["slide_type"], cell.source.split("\n")[0][:24]) for cell in deck.cells
    ]


def test_the_rule() -> None:
    given = notebook("import certkit as ck", "1 + 1", "2 + 2")
    before = copy.deepcopy(given)
    deck = with_slides(given)
    assert given == before
    assert kinds(deck) == [
        ("slide", "# A deck"),
        ("-", "It is a sentence of some"),
        ("notes", "It is a sentence of some"),
        ("-", "- one"),
        ("-", "**Predict:** which of th"),
        ("slide", "## The second part"),
        ("-", "Neither. That one word w"),
        ("notes", "Neither. That one word w"),
        ("-", "| a | b |"),
        ("-", "See [notebook 03](03-one"),
        ("skip", "import certkit as ck"),
        ("-", "1 + 1"),
        ("subslide", "2 + 2"),
    ]
    lead = deck.cells[6].source
    assert lead.endswith("stays with it.")
    links = deck.cells[9].source
    assert "[notebook 03](03-one-way-tls.html)" in links
    assert "a place here and" in links
    assert "https://example.test/" in links


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_every_notebook_makes_a_deck_and_stores_nothing_of_it(path: Path) -> None:
    stored = json.loads(path.read_text("utf-8"))
    assert not [cell for cell in stored["cells"] if "slideshow" in cell["metadata"]]
    source = nbformat.read(path, as_version=4)
    deck = with_slides(source)
    shown = [cell for cell in deck.cells if cell.metadata["slideshow"]["slide_type"] not in {"notes", "skip"}]
    # Nothing of the code is lost, and all the prose is there, as a slide or as a note.
    assert [cell.source for cell in deck.cells if cell.cell_type == "code"] == [
        cell.source for cell in source.cells if cell.cell_type == "code"
    ]
    told = " ".join(cell.source for cell in deck.cells)
    for cell in source.cells:
        if cell.cell_type == "markdown":
            heading = re.search(r"^#+ .*$", cell.source, re.M)
            assert heading is None or heading[0] in told
    begins = [cell.metadata["slideshow"]["slide_type"] in {"slide", "subslide"} for cell in shown]
    assert begins[0]
    assert sum(begins) >= 5
    # No slide begins with nothing but a heading of the third level, and none is a wall of text.
    words = [
        len(cell.source.split()) for cell in shown if cell.cell_type == "markdown" and "|" not in cell.source
    ]
    assert sorted(words)[len(words) // 2] <= MOST_WORDS // 2


def test_a_deck_stands_by_itself(tmp_path: Path) -> None:
    path = NOTEBOOKS / "01-scenario-and-x509.ipynb"
    (tmp_path / "deck.html").write_text(
        slide_deck(nbformat.read(path, as_version=4), path.parent, "x"), "utf-8"
    )
    page = (tmp_path / "deck.html").read_text("utf-8")
    assert [
        problem for problem in problems_of(tmp_path / "deck.html", tmp_path) if "fetches" in problem
    ] == []
    assert 'src="data:image/svg+xml;base64,' in page
    assert not re.search(r'src="(?!data:)', page)
    assert "reveal.js" not in page
    assert page.count('<section class="ck-slide"') == page.count("</section>") > 10


@pytest.fixture
def series(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "share" / "notebooks"
    (folder / "pair").mkdir(parents=True)
    (tmp_path / "share" / "data").mkdir()
    nbformat.write(notebook("'a' + 'b'"), folder / "03-one-way-tls.ipynb")
    nbformat.write(notebook("1 / 0"), folder / "04-fails.ipynb")
    nbformat.write(notebook("'<script>alert(1)</script>'"), folder / "pair" / "03-two.ipynb")
    for module in (_lab, slides):
        monkeypatch.setattr(module, "share", lambda name: tmp_path / "share" / name)
    return folder


@pytest.mark.notebook
@pytest.mark.usefixtures("jupyter_home", "series")
def test_the_notebooks_are_run_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "slides"
    assert main([str(folder), "03", "pair/03"]) == 0
    assert "2 decks" in capsys.readouterr().out
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*.html")} == {
        "index.html",
        "03-one-way-tls.html",
        "pair/03-two.html",
    }
    assert "ab" in (folder / "03-one-way-tls.html").read_text("utf-8")
    assert "<script>alert" not in (folder / "pair/03-two.html").read_text("utf-8")
    assert problems_of(folder / "index.html", folder) == []
    with pytest.raises(CertkitError, match="a cell failed"):
        write_slides(folder, ["04"])


@pytest.mark.usefixtures("series")
def test_wrong_calls(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert main([str(tmp_path / "slides"), "99"]) == 2
    assert "no notebook of this number" in capsys.readouterr().err
    with pytest.raises(ArgumentError):
        write_slides(tmp_path, ["0"])
