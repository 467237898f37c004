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

        # An arrow on a closed field is JupyterLab's: it opens with Space, as the notebooks say.
        fault.focus()
        for key in ("Space", "ArrowDown", "Enter"):
            page.keyboard.press(key)
        lab.locator('.ck-picture[data-run="2"]').wait_for()
        assert fault.input_value().endswith("(not-yet-valid)")

        tls.select_option("1.2")
        lab.locator('.ck-picture[data-run="3"]').wait_for()
        lab.get_by_text("apply the repair").click()
        lab.locator('.ck-picture[data-run="4"]').wait_for()
        lab.get_by_text("Both sides are done: TLS 1.2").first.wait_for()
        assert opened.errors() == []
        assert opened.console_errors == []
