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


def test_the_inventory_explorer(
    write_notebook: Callable[..., str], open_notebook: Callable[[str], Any]
) -> None:
    """Filter by typing, choose a certificate with the arrows, a CA by mouse: each change is seen."""
    first = "import certkit as ck\nck.make_estate('explored', stores=12, seed=3)"
    second = "ck.InventoryExplorer(ck.scan_inventory('explored', passwords=['changeit']))"
    with open_notebook(write_notebook("95-explorer.ipynb", first, second)) as opened:
        opened.run_all()
        page = opened.page
        lab = page.locator(".ck-inventory-explorer")
        picture, choices = lab.locator(".ck-picture"), lab.locator(".ck-choose select option")
        assert choices.count() > 3
        word = choices.first.inner_text().partition("CN=")[2].partition(".")[0]

        lab.locator(".ck-search input").focus()
        page.keyboard.type(word)
        page.wait_for_function(
            "word => [...document.querySelectorAll('.ck-inventory-explorer .ck-choose option')]"
            ".every(option => option.innerText.includes(word))",
            arg=word,
        )
        lab.locator(".ck-choose select").focus()
        page.keyboard.press("ArrowDown")
        picture.get_by_text("Where it lies:").wait_for()
        picture.get_by_text("Its best path:").wait_for()

        lab.locator(".ck-search input").fill("")
        lab.locator(".ck-role select").select_option(label="CAs")
        page.wait_for_function(
            "() => document.querySelector('.ck-inventory-explorer .ck-choose option')?.innerText.includes('CA')"
        )
        lab.locator(".ck-choose select").select_option(index=0)
        picture.get_by_text("If this CA went:").wait_for()
        assert opened.errors() == []
        assert opened.console_errors == []
