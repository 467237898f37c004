"""A replay page as a reader opens it: from disk, without a kernel, by mouse and by keyboard, on a phone too."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from certkit.faults import find_fault
from certkit.lessons.replay import write_replays


@pytest.mark.parametrize("width", [390, 1200])
def test_a_replay_is_stepped_through_from_disk(width: int, browser: Any, shots: Path, tmp_path: Path) -> None:
    index, page_file = write_replays(tmp_path, [find_fault("client-cert-missing")])
    page = browser.new_page()
    page.set_viewport_size({"width": width, "height": 800})
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    try:
        page.goto(index.as_uri())
        page.get_by_role("link", name="client").first.click()
        assert page.url == page_file.as_uri()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        replay = page.locator(".ck-replay").first
        status, later = replay.get_by_role("status"), replay.locator(".ck-ladder g.msg.ck-later")
        arrows = replay.locator(".ck-ladder g.msg").count()

        replay.get_by_role("button", name="from the first message").click()
        assert "ClientHello" in status.inner_text()
        assert later.count() == arrows - 1
        page.keyboard.press("ArrowRight")
        assert "ServerHello" in status.inner_text()
        replay.get_by_role("button", name="next").click()
        page.keyboard.press("ArrowLeft")
        assert "ServerHello" in status.inner_text()
        replay.get_by_role("button", name="all at once").press("Enter")
        assert later.count() == 0
        page.screenshot(path=str(shots / f"replay-{width}.png"), full_page=True)
        assert asked == [index.as_uri(), page_file.as_uri()]
        assert said == []
    finally:
        page.close()


def test_a_replay_is_whole_without_scripts(browser: Any, tmp_path: Path) -> None:
    _, page_file = write_replays(tmp_path, [find_fault("expired-leaf")])
    text = page_file.read_text("utf-8")
    page_file.write_text(re.sub(r"<script>.*?</script>", "", text, flags=re.S), "utf-8")
    page = browser.new_page()
    try:
        page.goto(page_file.as_uri())
        assert page.get_by_role("button").count() == 0
        assert page.get_by_text("certificate_expired").first.is_visible()
        assert page.get_by_text("A recording, not a simulation.").is_visible()
    finally:
        page.close()
