"""A deck as a speaker uses it: from disk, by keyboard and by mouse, on a phone, without scripts, and printed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from certkit._site.slides import slide_deck

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


@pytest.fixture
def deck(tmp_path: Path) -> Path:
    source = nbformat.read(NOTEBOOKS / "01-scenario-and-x509.ipynb", as_version=4)
    for cell in source.cells:
        if cell.cell_type == "code":
            cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text="what the cell says")]
    page = tmp_path / "deck.html"
    page.write_text(slide_deck(source, NOTEBOOKS, "deck"), "utf-8")
    return page


def go_on(page: Any, key: str, wanted: str) -> None:
    """Press a key until the slide has what is wanted."""
    for _ in range(page.locator(".ck-slide").count() * 2):
        if page.locator(f".ck-slide:not([hidden]) {wanted}").count():
            return
        page.keyboard.press(key)
    raise AssertionError(f"no slide has {wanted}")


@pytest.mark.parametrize("width", [390, 1280])
def test_a_deck_is_stepped_through(width: int, deck: Path, browser: Any, shots: Path) -> None:
    page = browser.new_page()
    page.set_viewport_size({"width": width, "height": 800})
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    try:
        page.goto(deck.as_uri())
        shown, place = page.locator(".ck-slide:visible"), page.locator(".ck-place")
        total = page.locator(".ck-slide").count()
        assert shown.count() == 1
        assert place.inner_text() == f"1 of {total}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.keyboard.press("ArrowRight")
        assert place.inner_text() == f"2 of {total}"
        page.get_by_role("button", name="Back").click()
        assert place.inner_text() == f"1 of {total}"
        # Code comes first, and what it says with the next key: there is time to predict.
        page.keyboard.press("End")
        page.keyboard.press("Home")
        go_on(page, "]", ".ck-step")
        answer = page.locator(".ck-slide:visible .ck-step").first
        assert not answer.is_visible()
        before = place.inner_text()
        page.keyboard.press("PageDown")
        assert answer.is_visible()
        assert place.inner_text() == before
        page.screenshot(path=str(shots / f"slides-{width}.png"))
        # Notes are for the speaker.
        page.evaluate("location.hash = '#1'")
        go_on(page, "ArrowRight", ".ck-notes")
        notes = page.locator(".ck-slide:not([hidden]) .ck-notes").first
        assert not notes.is_visible()
        page.keyboard.press("n")
        assert notes.is_visible()
        assert page.get_by_role("button", name="Notes").get_attribute("aria-pressed") == "true"
        assert {address.partition("#")[0] for address in asked if not address.startswith("data:")} == {
            deck.as_uri()
        }
        assert said == []
    finally:
        page.close()


def test_without_scripts_and_on_paper_everything_is_there(deck: Path, browser: Any) -> None:
    page = browser.new_page()
    try:
        page.goto(deck.as_uri())
        page.emulate_media(media="print")
        assert page.locator(".ck-slide:visible").count() == page.locator(".ck-slide").count()
        assert not page.locator(".ck-bar").is_visible()
        text = deck.read_text("utf-8")
        deck.write_text(re.sub(r"<script>.*?</script>", "", text, flags=re.S), "utf-8")
        page.emulate_media(media="screen")
        page.goto(deck.as_uri())
        assert page.locator(".ck-slide:visible").count() == page.locator(".ck-slide").count()
        assert page.locator(".ck-step:visible").count() == page.locator(".ck-step").count()
        assert page.locator(".ck-notes").first.is_visible()
    finally:
        page.close()
