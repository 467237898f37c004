"""Text that wants to do harm, shown in a real browser: nothing runs, nothing is fetched, all of it can be read."""

from __future__ import annotations

from typing import Any

import pytest
from hostile import HOSTILE, shown

TAGS = "() => [...new Set([...document.querySelectorAll('*')].map(item => item.tagName.toLowerCase()))]"
TOUCH = """() => document.querySelectorAll('*').forEach(item => {
    if (item.tagName === 'DETAILS') item.open = true;
    for (const kind of ['mouseover', 'focus', 'click', 'load', 'error'])
        item.dispatchEvent(new Event(kind, {bubbles: false})) })"""


@pytest.mark.parametrize("what", HOSTILE)
def test_nothing_runs_and_nothing_is_fetched(what: str, browser: Any) -> None:
    page = browser.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    try:
        for name, html, _ in shown(what):
            page.set_content(html)
            page.evaluate(TOUCH)
            assert page.evaluate("window.harmed") is None, name
            assert not set(page.evaluate(TAGS)) & {"script", "iframe", "img", "object", "embed", "form"}, name
            if name == "Certificate" and what == "script":
                assert "<script>window.harmed=1</script>" in page.inner_text("body")
        assert [url for url in asked if not url.startswith(("about:", "data:"))] == []
        assert said == []
        # The proof that this page would notice: the same text, not escaped.
        page.set_content(HOSTILE["script"])
        page.wait_for_function("window.harmed !== undefined")
    finally:
        page.close()
