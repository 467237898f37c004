"""The rendered pages: whole, static, and in need of nothing from outside."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from certkit import _lab, _site
from certkit._site import __main__, book
from certkit.errors import CertkitError
from certkit.faults import find_fault

pytestmark = pytest.mark.notebook

CELLS = [
    nbformat.v4.new_markdown_cell(
        "# First <b>light</b>\n\nSee `expired-leaf`, [the next](01-next.ipynb#there), $x^2$."
    ),
    nbformat.v4.new_code_cell("import ipywidgets as w\nfrom IPython.display import HTML\nw.IntSlider()"),
    nbformat.v4.new_code_cell("HTML('<p>the static twin</p>')"),
]
# nbconvert links every heading to itself, in its own way of encoding what is no letter.
NEXT = [nbformat.v4.new_markdown_cell('# 01 · "Next", and on?\n\n## there')]


@pytest.fixture
def series(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "share" / "notebooks"
    folder.mkdir(parents=True)
    (tmp_path / "share" / "data").mkdir()
    for name, cells in {"00-start.ipynb": CELLS, "01-next.ipynb": NEXT}.items():
        nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / name)
    for module in (_lab, book):
        monkeypatch.setattr(module, "share", lambda name: tmp_path / "share" / name)
    return folder


@pytest.mark.usefixtures("series", "jupyter_home")
def test_site_is_static_and_linked(tmp_path: Path) -> None:
    site = tmp_path / "site"
    written = _site.build_site(site, [find_fault("expired-leaf")])
    names = {page.relative_to(site).as_posix() for page in written}
    assert names == {page.relative_to(site).as_posix() for page in site.rglob("*.html")}
    assert {"index.html", "00-start.html", "01-next.html", "messages.html", "causes/index.html"} <= names
    assert {"replays/index.html", "replays/expired-leaf.html"} == {
        name for name in names if name.startswith("replays/")
    }
    assert 'href="replays/index.html"' in written[0].read_text("utf-8")
    assert 'href="../causes/expired-leaf.html"' in (site / "replays" / "expired-leaf.html").read_text("utf-8")
    assert 'href="../00-start.html#First-light"' in (site / "causes" / "expired-leaf.html").read_text("utf-8")
    page = written[1].read_text("utf-8")
    assert "the static twin" in page
    assert 'href="01-next.html#there"' in page
    assert "vnd.jupyter.widget" not in page
    for outside in ("cdnjs.cloudflare.com", "unpkg.com", "jsdelivr"):
        assert outside not in page
    assert "First &lt;b&gt;light" in written[0].read_text("utf-8")


@pytest.mark.usefixtures("jupyter_home")
def test_broken_link_and_failing_cell_are_refused(series: Path, tmp_path: Path) -> None:
    nbformat.write(nbformat.v4.new_notebook(cells=[]), series / "01-next.ipynb")
    with pytest.raises(CertkitError, match="no such place"):
        _site.build_site(tmp_path / "site", [find_fault("expired-leaf")])
    bad = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")])
    nbformat.write(bad, series / "00-start.ipynb")
    with pytest.raises(CertkitError, match=r"ZeroDivisionError.*00-start"):
        _site.build_site(tmp_path / "site", [find_fault("expired-leaf")])


def test_wrong_call(capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main([]) == 2
    assert "usage:" in capsys.readouterr().err
