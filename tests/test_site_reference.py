"""The reference pages: no public name, member, verb or option is missing, and every docstring is there whole."""

from __future__ import annotations

import argparse
import functools
import inspect
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from pygments.styles import get_style_by_name
from pygments.token import Whitespace

import certkit as ck
from certkit import cli
from certkit._html import Html, tag
from certkit._page import PAGE_STYLE
from certkit._site.code import CODE_STYLES
from certkit._site.commands import command_section
from certkit._site.docstrings import docstring_html
from certkit._site.frame import Section
from certkit._site.guides import guide_section
from certkit._site.prose import prose
from certkit._site.reference import reference_section
from certkit._site.words import glossary_section

DOCSTRING = """Say something about ``2 * 3`` and a_b *stars* [x] <y> of `Chain`.

A second paragraph:

- one
- two

Parameters
----------
first, second : int
    Two of `Keystore.entries`.
*rest : str
    And so on.

Returns
-------
str
    The words.

Raises
------
ArgumentError
    If it must.

Notes
-----
RFC 5280, 6.1.

Examples
--------
Words before.

>>> "<b>"
'<b>'
"""


def words(html: str) -> str:
    return "".join(unescape(re.sub(r"<[^>]+>", "", html)).split())


@pytest.fixture(scope="module")
def reference() -> Section:
    return reference_section()


def test_no_public_name_is_missing(reference: Section) -> None:
    assert [page.path for page in reference.pages] == [f"reference/{name}.html" for name in ck.__all__]
    for name, page in zip(ck.__all__, reference.pages, strict=True):
        assert f'href="{name}.html"' in reference.index.body
        summary = (inspect.getdoc(getattr(ck, name)) or "").partition("\n\n")[0]
        assert re.sub(r"[`\s]", "", summary) in words(page.body).replace("`", ""), name


def test_every_word_of_a_docstring_is_on_its_page(reference: Section) -> None:
    """Marks aside: underlines, backticks, and the colon between a name and its type."""
    for name, page in zip(ck.__all__, reference.pages, strict=True):
        told = re.sub(r"[`:]", "", words(page.body))
        # What is optional has its default in the signature; choices stand without their braces.
        for part in re.sub(r", optional\b", "", inspect.getdoc(getattr(ck, name)) or "").split():
            plain = re.sub(r"[`:]", "", part)
            assert set(plain) == {"-"} or plain.strip(",{}") in told, (name, part)


def test_no_member_is_missing(reference: Section) -> None:
    for name, page in zip(ck.__all__, reference.pages, strict=True):
        kind = getattr(ck, name)
        if not inspect.isclass(kind):
            continue
        for base in kind.__mro__:
            if not base.__module__.startswith("certkit"):
                continue
            for member, thing in vars(base).items():
                plain = thing.__func__ if isinstance(thing, staticmethod | classmethod) else thing
                if not member.startswith("_") and (
                    inspect.isfunction(plain) or isinstance(plain, property | functools.cached_property)
                ):
                    assert f'<h3 id="{member}">' in page.body, f"{name}.{member}"


def test_signatures_read_as_one_writes_them(reference: Section) -> None:
    pages = {page.title: words(page.body) for page in reference.pages}
    assert "handshake(client:ClientConfig,server:ServerConfig,tls:str='1.3',*," in pages["ck.handshake"]
    for title, told in pages.items():
        assert not re.search(r"objectat0x|<factory>|certkit\.\w+(\.\w+)*\.[A-Z]\w*[=|,)]", told), title


def test_each_section_of_a_docstring_has_its_form() -> None:
    def word(text: str) -> Html | None:
        return tag("a", text, href="there") if text.startswith("Chain") else None

    html = docstring_html(inspect.cleandoc(DOCSTRING), word, 3)
    assert "<code>2 * 3</code> and a_b *stars* [x] &lt;y&gt; of " in html
    assert '<a href="there">Chain</a>' in html
    assert "<li>one</li>" in html
    for heading in ("Parameters", "Returns", "Raises", "Notes", "Examples"):
        assert f"<h3>{heading}</h3>" in html
    for said in (
        "firstint",
        "secondint",
        "int",
        "Twoof",
        "*rest",
        "Thewords.",
        "ArgumentError",
        "RFC5280,6.1.",
        "Wordsbefore.",
    ):
        assert said in words(html)
    assert words(html).endswith(""">>>"<b>"'<b>'""")
    assert "<b>" not in html


def verbs(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                yield verb
                yield from verbs(verb)


def test_no_verb_and_no_option_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # as in a terminal, on Python 3.14
    section = command_section()
    told = {page.title: words(page.body) for page in section.pages}
    every = list(verbs(cli.command_parser()))
    assert len(every) > 10
    for verb in every:
        page = told[" ".join(verb.prog.split()[:2])]
        assert verb.prog.replace(" ", "") in page
        assert "\x1b" not in page
        assert "\\x1b" not in page
        for action in verb._actions:
            names = [*action.option_strings] or [str(action.metavar or action.dest)]
            if action.help != argparse.SUPPRESS and not isinstance(action, argparse._SubParsersAction):
                assert all(name in page for name in names), (verb.prog, names)
    for page in section.pages:
        assert f'href="{page.path.removeprefix("commands/")}"' in section.index.body


def test_every_word_of_the_glossary_is_there() -> None:
    told = words(glossary_section().index.body)
    for row in ck.glossary().rows:
        assert all("".join(text.split()) in told for text in row.values()), row["word"]
    assert ck.today_box().rows[0][0] in told


def test_guides_link_into_the_book_and_what_is_not_in_it_is_no_link(tmp_path: Path) -> None:
    guide = tmp_path / "notebooks" / "guide"
    guide.mkdir(parents=True)
    (tmp_path / "notebooks" / "00-start.ipynb").write_text("{}")
    (tmp_path / "notebooks" / "lab.png").write_bytes(b"")
    (guide / "host.md").write_text(
        "# Hosting\n\n## The host\n\n## The host\n\n[back](../../README.md#start) <script>x</script>"
    )
    (tmp_path / "README.md").write_text(
        "# Read me\n\n## Start\n\n[all](notebooks), [first](notebooks/00-start.ipynb#x), [host](notebooks/guide/host.md), "
        "[code](certkit/cli.py), [out](https://example.com/), [here](#start)\n\n![A lab](notebooks/lab.png)\n\n"
        "| a | b |\n|---|---|\n| `make lab` | 2 |\n\n```\nmake <lab>\n```\n"
    )
    section = guide_section(tmp_path)
    pages = {page.path: page.body for page in section.pages}
    readme, host = pages["project/readme.html"], pages["guide/host.html"]
    for address in (
        "../index.html#notebooks",
        "../00-start.html#x",
        "../guide/host.html",
        "https://example.com/",
        "#start",
    ):
        assert f'href="{address}"' in readme
    assert 'src="../lab.png" alt="A lab"' in readme
    assert "cli.py" not in readme
    assert 'href="../project/readme.html#start"' in host
    assert 'id="the-host"' in host
    assert 'id="the-host-1"' in host
    assert "<script>" not in host
    assert "<td><code>make lab</code></td>" in readme
    assert "make &lt;lab&gt;" in readme
    assert [page.title for page in section.pages] == ["Read me", "Hosting"]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_every_colour_of_code_can_be_read(theme: int) -> None:
    """Not only of the code that is in the book today."""
    paper = re.findall(r"--code-paper:(#[0-9a-f]{6})", PAGE_STYLE)[theme]
    # White space has a colour that nobody sees.
    names = {
        item["color"]
        for token, item in get_style_by_name(CODE_STYLES[theme])
        if item["color"] and not item["bgcolor"] and token is not Whitespace
    }
    assert len(names) > 5
    assert {name: contrast(f"#{name}", paper) for name in names if contrast(f"#{name}", paper) < 4.5} == {}


def contrast(one: str, other: str) -> float:
    """Return the ratio of WCAG 2.2, 1.4.3."""

    def light(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


def test_prose_keeps_no_script_in_an_address() -> None:
    html = prose('[x](javascript:alert(1)) ![y](a.png "t")', lambda address: address)
    assert "javascript:" not in html
