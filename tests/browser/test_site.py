"""The book as a reader opens it: from disk, on a phone and on a desk, light and dark, with and without JavaScript."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import pytest

from certkit._lab import copy_series
from certkit._site import book, build_site
from certkit._site.notebooks import run_notebook
from certkit.explanation import explain
from certkit.faults import find_fault

pytestmark = pytest.mark.notebook

HERE = Path(__file__).resolve()
SHOTS = HERE.parents[2] / "build" / "screenshots"
# One of each kind of page.
KINDS = (
    "index.html",
    "00-start-here.html",
    "messages.html",
    "messages/elsewhere.html",
    "causes/index.html",
    "causes/expired-leaf.html",
    "replays/index.html",
    "replays/expired-leaf.html",
    "reference/index.html",
    "reference/Handshake.html",
    "commands/index.html",
    "commands/explain.html",
    "atlas.html",
    "glossary.html",
    "guides.html",
    "project/readme.html",
    "guide/instructors-guide.html",
)
# Every run of letters with the colours that it is drawn in: what is transparent lets the next one below through.
COLOURS = """() => {
  const parse = (text) => { const found = text.match(/[\\d.]+/g).map(Number); return found.length < 4 ? [...found, 1] : found; };
  const over = (top, low) => [0, 1, 2].map((at) => top[at] * top[3] + low[at] * (1 - top[3])).concat(1);
  const light = (rgb) => { const [r, g, b] = rgb.map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const found = new Map();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || node.closest("svg, script, style, [hidden]") || !node.checkVisibility()) continue;
    const layers = [];
    for (let at = node; at; at = at.parentElement) layers.push(parse(getComputedStyle(at).backgroundColor));
    let ground = matchMedia("(prefers-color-scheme: dark)").matches ? [0, 0, 0, 1] : [255, 255, 255, 1];
    for (const layer of layers.reverse()) ground = over(layer, ground);
    const ink = over(parse(getComputedStyle(node).color), ground);
    const [low, high] = [light(ink.slice(0, 3)), light(ground.slice(0, 3))].sort((a, b) => a - b);
    const ratio = (high + 0.05) / (low + 0.05);
    const key = `${ink.slice(0, 3).map(Math.round)} on ${ground.slice(0, 3).map(Math.round)}`;
    if (!found.has(key)) found.set(key, { key, ratio, words: walker.currentNode.data.trim().slice(0, 40) });
  }
  return [...found.values()].filter((item) => item.ratio < 4.5);
}"""
WIDER = """() => [...document.querySelectorAll("body *")].filter((node) => {
    if (node.closest(".ck-skip")) return false;
    for (let at = node.parentElement; at; at = at.parentElement)
      if (getComputedStyle(at).overflowX !== "visible") return false;
    return node.getBoundingClientRect().right > innerWidth + 1;
  }).slice(0, 5).map((node) => `${node.tagName} ${node.className} ${node.textContent.slice(0, 60)}`)"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the whole book, but for two things that take their time: one notebook is executed, one fault recorded."""
    source = book.share("notebooks")
    done = run_notebook(
        copy_series(tmp_path_factory.mktemp("copy")).folder / "notebooks" / "00-start-here.ipynb"
    )
    notebooks = {
        path.relative_to(source).with_suffix(".html").as_posix(): nbformat.read(path, as_version=4)
        for path in sorted(source.rglob("[0-9]*.ipynb"))
    }
    folder = tmp_path_factory.mktemp("book")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(book, "_executed", lambda: {**notebooks, "00-start-here.html": done})
        build_site(folder, [find_fault("expired-leaf")])
    return folder


@contextmanager
def opened(browser: Any, page_file: Path, *, scripts: bool = True) -> Iterator[tuple[Any, list[str]]]:
    """Yield a page opened from disk, and what went wrong in it: console errors, exceptions, requests for anything else."""
    page = browser.new_page()
    wrong: list[str] = []
    page.on(
        "console",
        lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "request",
        lambda request: None if request.url.startswith(("file:", "data:")) else wrong.append(request.url),
    )
    try:
        if not scripts:
            page.context.new_cdp_session(page).send("Emulation.setScriptExecutionDisabled", {"value": True})
        page.goto(page_file.as_uri())
        yield page, wrong
    finally:
        page.close()


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_of_page_reads_on_phone_and_desk_in_light_and_dark(
    name: str, browser: Any, site: Path
) -> None:
    with opened(browser, site / name) as (page, wrong):
        assert page.locator("main h1").count() == 1
        for width in (390, 1200):
            page.set_viewport_size({"width": width, "height": 900})
            for theme in ("light", "dark"):
                page.emulate_media(color_scheme=theme)
                shot = f"book-{name.removesuffix('.html').replace('/', '-')}-{width}-{theme}.png"
                page.screenshot(path=SHOTS / shot)
                assert page.evaluate("document.documentElement.scrollWidth") <= width, page.evaluate(WIDER)
                assert page.evaluate(WIDER) == [], (width, theme)
                assert page.evaluate(COLOURS) == [], (width, theme)
        assert wrong == []


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_of_page_is_whole_without_javascript(name: str, browser: Any, site: Path) -> None:
    with opened(browser, site / name, scripts=False) as (page, wrong):
        assert page.locator("main h1").is_visible()
        assert not page.locator("input, textarea, main button").locator("visible=true").count()
        hidden = page.locator("main [data-item], main [data-group]").locator("visible=false").count()
        assert hidden == 0
        assert wrong == []


def test_a_pasted_message_leads_to_its_fix(browser: Any, site: Path) -> None:
    with opened(browser, site / "index.html") as (page, wrong):
        field, answers = page.get_by_label("Paste the message"), page.locator(".ck-finder li")
        field.fill("javax.net.ssl.SSLHandshakeException: PKIX path validation failed: validity check failed")
        answers.first.wait_for()
        assert "The certificate has expired" in answers.first.inner_text()
        assert "Fix: Renew it" in answers.first.inner_text()
        page.screenshot(path=SHOTS / "book-finder.png")
        field.fill("disk full on /dev/sda1")
        assert answers.count() == 0
        assert "Nothing in it is known" in page.locator(".ck-finder").get_by_role("status").inner_text()
        field.fill("<img src=x onerror=alert(1)> certificate has expired")
        assert page.locator(".ck-finder img").count() == 0
        answers.first.get_by_role("link").first.press("Enter")
        page.wait_for_url((site / "causes" / "expired-leaf.html").as_uri())
        assert wrong == []


def test_the_page_answers_as_explain_does(browser: Any, site: Path) -> None:
    """On every real report: the page leaves out files, transcripts, log prefixes and broken lines, and nothing else."""
    found = HERE.parents[1] / "conformance"
    texts = [
        report["text"]
        for half in ("tuning", "test")
        for report in tomllib.loads((found / f"explain_{half}.toml").read_text("utf-8"))["report"]
    ]
    with opened(browser, site / "index.html") as (page, _):
        answers = page.evaluate("texts => texts.map((text) => explain(text)[0]?.id ?? null)", texts)
    expected = [(explain(text).causes or [None])[0] for text in texts]
    same = [answer == (first and first.id) for answer, first in zip(answers, expected, strict=True)]
    print(f"\nthe page's first cause is explain's in {sum(same)} of {len(same)} reports")
    assert sum(same) / len(same) >= 0.97


def test_lists_are_narrowed_by_words_and_by_the_address(browser: Any, site: Path) -> None:
    with opened(browser, site / "causes" / "index.html") as (page, wrong):
        items, groups = (
            page.locator(f"main [data-{kind}]").locator("visible=true") for kind in ("item", "group")
        )
        every = items.count()
        page.get_by_label("Narrow the list").fill("EXPIRED certificate")
        assert 0 < items.count() < every
        assert 0 < groups.count() < 11
        assert page.get_by_role("status").inner_text() == f"{items.count()} of {every}"
        page.get_by_label("Narrow the list").fill("")
        assert items.count() == every
        page.goto((site / "messages.html").as_uri() + "?q=unknown+ca")
        assert 0 < items.count() < 100
        assert "unknown" in items.first.inner_text()
        assert wrong == []


def test_every_page_leads_home_up_and_on_by_keyboard(browser: Any, site: Path) -> None:
    with opened(browser, site / "replays" / "expired-leaf.html") as (page, wrong):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "To the text"
        page.locator("nav a[rel=up]").first.press("Enter")
        page.wait_for_url((site / "replays" / "index.html").as_uri())
        page.get_by_role("link", name="Causes", exact=True).press("Enter")
        page.locator("nav a[rel=next]").first.press("Enter")
        page.locator("nav a[rel=next]").first.press("Enter")
        page.locator("nav a[rel=prev]").first.press("Enter")
        page.locator("nav a[rel=prev]").first.wait_for(state="detached")
        page.get_by_role("navigation", name="the book").get_by_role("link", name="certkit").press("Enter")
        page.wait_for_url((site / "index.html").as_uri())
        assert wrong == []


def test_on_paper_there_is_no_navigation_and_no_field(browser: Any, site: Path) -> None:
    with opened(browser, site / "causes" / "index.html") as (page, _):
        page.emulate_media(media="print")
        assert page.locator("nav, .ck-filter").locator("visible=true").count() == 0
        assert page.locator("main h1").is_visible()
