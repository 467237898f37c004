"""The link checker: what a browser would fetch or follow, and what nobody could."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from certkit._site.links import css_addresses, problems_in, problems_of
from certkit._site.places import unique_ids

# What is in the page, and what is told about it.
WRONG = {
    '<script src="https://example.com/x.js"></script>': "fetches https://example.com/x.js",
    '<link rel="stylesheet" href="//example.com/x.css">': "fetches //example.com/x.css",
    "<style>@import 'https://example.com/a.css';</style>": "fetches https://example.com/a.css",
    "<style>@import url(https://example.com/b.css);</style>": "fetches https://example.com/b.css",
    '<style>p{background:url( "https://example.com/c.png" )}</style>': "fetches https://example.com/c.png",
    '<p style="background:url(https://example.com/d.png)">x</p>': "fetches https://example.com/d.png",
    "<p style=\"background:url('gone.png')\">x</p>": "gone.png, which is not there",
    '<svg><image href="https://example.com/e.png"/></svg>': "fetches https://example.com/e.png",
    '<svg><image xlink:href="https://example.com/f.png"></image></svg>': "fetches https://example.com/f.png",
    '<svg><use href="https://example.com/g.svg#a"/></svg>': "fetches https://example.com/g.svg#a",
    '<svg><rect fill="url(#gone)"/></svg>': "#gone: no such place",
    '<svg><a xlink:href="gone.html">x</a></svg>': "gone.html, which is not there",
    '<img srcset="here.png 1x, https://example.com/h.png 2x">': "fetches https://example.com/h.png",
    '<script type="module">import x from "https://example.com/i.js"</script>': "fetches https://example.com/i.js",
    "<script>fetch('https://example.com/j')</script>": "fetches https://example.com/j",
    '<meta http-equiv="refresh" content="0; url=gone.html">': "gone.html, which is not there",
    '<form action="gone.html"></form>': "gone.html, which is not there",
    '<meta name="viewport" content="x"><a href="#viewport">x</a>': "#viewport: no such place",
    '<input name="q"><a href="#q">x</a>': "#q: no such place",
    '<p id="twice"></p><svg><g id="twice"/></svg>': "has the id 'twice' 2 times",
    '<a href="guide.md">x</a>': "guide.md, which is no page",
    '<a href="00-start.ipynb">x</a>': "00-start.ipynb, which is no page",
    '<a href="gone.html">x</a>': "gone.html, which is not there",
    '<a href="#no">y</a>': "#no: no such place",
    '<a href="other.html#no">y</a>': "other.html#no: no such place",
    '<a href="../outside.html">y</a>': "outside.html, which is not there",
    '<a href="folder">y</a>': "folder, which is not there",
    '<link rel="stylesheet" href="style.css">': "style.css fetches https://example.com/font.woff",
}
RIGHT = (
    '<a href="https://example.com/">a link out is fetched by nobody</a>',
    '<a name="here"></a><a href="#here">x</a><a href="other.html#caf%C3%A9">y</a>',
    '<a href="other.html#two words">x</a><a href="other.html#two%20words">x</a>',
    '<a href="mailto:a@example.com">x</a><img src="data:image/png;base64,AA==">',
    "<style>p{background:url(data:image/png;base64,AA==)}</style><p>url(https://example.com/) in words</p>",
    '<svg id="a"><rect fill="url(#a)"/><use href="#a"/></svg>',
    '<pre>&lt;script src="https://example.com/x.js"&gt; and from "https://example.com"</pre>',
    '<script>const told = "see https://example.com/";</script><form action="other.html"></form>',
    '<script type="application/json">{"url": "https://example.com/"}</script>',
)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    (folder / "folder").mkdir(parents=True)
    (tmp_path / "outside.html").write_text("")
    (folder / "other.html").write_text('<p id="café"></p><p id="two words"></p>')
    (folder / "style.css").write_text("@font-face{src:url(https://example.com/font.woff)}")
    for name in ("guide.md", "00-start.ipynb", "here.png"):
        (folder / name).write_text("")
    return folder


@pytest.mark.parametrize("markup", WRONG)
def test_what_is_wrong_is_told(markup: str, site: Path) -> None:
    page = site / "page.html"
    page.write_text(markup)
    (told,) = problems_of(page, site)
    assert WRONG[markup] in told


@pytest.mark.parametrize("markup", RIGHT)
def test_what_is_right_is_left_alone(markup: str, site: Path) -> None:
    page = site / "page.html"
    page.write_text(markup, "utf-8")
    assert problems_of(page, site) == []


def test_each_file_is_read_once(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    genuine = Path.read_text

    def counted(self: Path, *args: str) -> str:
        read.append(self.name)
        return genuine(self, *args)

    pages = [site / f"{number}.html" for number in range(5)]
    for page in pages:
        page.write_text('<a href="other.html#caf%C3%A9">x</a><a href="0.html">y</a>', "utf-8")
    monkeypatch.setattr(Path, "read_text", counted)
    assert problems_in(pages, site) == []
    assert sorted(read) == ["0.html", "1.html", "2.html", "3.html", "4.html", "other.html"]


def test_css_without_an_end_costs_no_time() -> None:
    assert css_addresses("url(" * 100_000 + "url( a" * 100_000) == []


def test_ids_of_drawings_and_headings_become_unique_and_are_followed() -> None:
    drawing = '<svg aria-labelledby="t d">'
    drawing += '<title id="t">x</title><g id="a"/><use href="#a"/><rect fill="url(#a)"/><p id="ab"/></svg>'
    heading = '<h2 id="Your-turn">Your turn<a href="#Your-turn">¶</a></h2>'
    html = unique_ids(drawing + heading + drawing + heading)
    ids = re.findall(r'id="([^"]+)"', html.replace("aria-labelledby", "x"))
    assert ids == ["t", "a", "ab", "Your-turn", "t-1", "a-1", "ab-1", "Your-turn-1"]
    assert html.startswith(drawing + heading)
    for followed in ('labelledby="t-1 d"', 'use href="#a-1"', 'fill="url(#a-1)"', 'href="#Your-turn-1"'):
        assert html.count(followed) == 1
