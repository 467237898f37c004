"""The handshake lab as a learner uses it: by keyboard, and by mouse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def test_the_lab_by_keyboard_and_by_mouse(
    write_notebook: Callable[..., str], open_notebook: Callable[[str], Any]
) -> None:
    cells = ["import certkit as ck", "lab = ck.HandshakeLab(fault='expired-leaf')\nlab"]
    name = write_notebook("98-handshake-lab.ipynb", *cells)
    with open_notebook(name) as opened:
        opened.run_all()
        page = opened.page
        lab = page.locator(".ck-handshake-lab")
        _, fault, _, tls, *_ = lab.locator("select").all()
        lab.get_by_text("with the alert certificate_expired.").first.wait_for()

        # In a field of the lab, keys are the field's: an arrow goes to the next choice, not to the next cell.
        fault.focus()
        page.keyboard.press("ArrowDown")
        lab.locator('.ck-picture[data-run="2"]').wait_for()
        assert fault.input_value().endswith("(not-yet-valid)")
        voice = lab.get_by_role("status")
        assert voice.count() == 1
        assert "certificate" in (voice.text_content() or "")
        cells = page.locator(".jp-Notebook .jp-Cell").count()
        lab.get_by_label("apply the repair").focus()
        page.keyboard.press("d")
        page.keyboard.press("d")
        assert page.locator(".jp-Notebook .jp-Cell").count() == cells

        tls.select_option("1.2")
        lab.locator('.ck-picture[data-run="3"]').wait_for()
        lab.get_by_text("apply the repair").click()
        lab.locator('.ck-picture[data-run="4"]').wait_for()
        lab.get_by_text("Both sides are done: TLS 1.2").first.wait_for()

        # Another client stack calls the same server for real; the lab shows what it said.
        stack = lab.locator("select").last
        stack.select_option("openssl-strict")
        answer = lab.locator(".ck-answer")
        answer.wait_for()
        assert "just now: accepted" in " ".join((answer.text_content() or "").split())
        assert opened.errors() == []
        assert opened.console_errors == []
