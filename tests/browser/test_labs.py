"""The other labs as a learner uses them: the chain by keyboard and mouse, a file chosen, an error explained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import certkit as ck


def test_chain_file_and_error_labs(
    write_notebook: Callable[..., str], open_notebook: Callable[[str], Any], tmp_path: Any
) -> None:
    cells = ["import certkit as ck", "ck.ChainLab()", "ck.FileLab()", "ck.ErrorLab()", "ck.ClinicLab()"]
    name = write_notebook("97-labs.ipynb", *cells)
    own = ck.good_scenario().server.credential
    file = tmp_path / "chain.pem"
    file.write_text(own.chain.pem)
    with open_notebook(name) as opened:
        opened.run_all()
        page = opened.page

        chain = page.locator(".ck-chain-lab")
        chain.locator('.ck-picture[data-run="1"]').get_by_text("trusted").first.wait_for()
        chain.locator(".ck-sent select").select_option(index=1)
        chain.locator("button.ck-remove").focus()
        page.keyboard.press("Enter")
        chain.locator('.ck-picture[data-run="2"]').get_by_text("refused: missing-intermediate").wait_for()
        chain.locator(".ck-pool select").select_option(index=1)
        chain.locator("button.ck-add").click()
        chain.locator('.ck-picture[data-run="3"]').get_by_text("trusted").first.wait_for()

        drop = page.locator(".ck-file-lab")
        drop.locator('input[type="file"]').set_input_files(str(file))
        drop.get_by_text("chain.pem,").first.wait_for()
        drop.get_by_text("Orders Issuing CA").first.wait_for()

        error = page.locator(".ck-error-lab")
        error.locator("textarea").fill("certificate verify failed: certificate has expired (_ssl.c:1002)")
        error.locator("button.ck-explain").click()
        error.get_by_text("expired-leaf").first.wait_for()

        clinic = page.locator(".ck-clinic-lab")
        clinic.locator("button.ck-hint").focus()
        page.keyboard.press("Space")
        clinic.get_by_text("Hints", exact=True).wait_for()
        assert opened.errors() == []
        assert opened.console_errors == []
