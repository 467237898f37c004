"""The bytes lab as a learner uses it: a field is chosen with the arrow keys, and its bytes light up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def test_a_field_and_its_bytes_light_up_together(
    write_notebook: Callable[..., str], open_notebook: Callable[[str], Any]
) -> None:
    cells = [
        "import certkit as ck",
        "ck.DerLab(ck.CertificateAuthority('Lab Root').certificate.der, 'serialNumber')",
        "ck.der_tree(ck.CertificateAuthority('Lab Root').certificate.der)",
    ]
    name = write_notebook("97-der-lab.ipynb", *cells)
    with open_notebook(name) as opened:
        opened.run_all()
        page = opened.page
        lab = page.locator(".ck-der-lab")
        lab.get_by_text("The issuer's number for this certificate.").wait_for()
        assert lab.locator(".ck-picture .c").count() > 10

        lab.locator("select").select_option(label=lab.locator("option", has_text="notAfter").inner_text())
        lab.locator('.ck-picture[data-run="2"]').wait_for()
        lab.get_by_text("The last second.").wait_for()
        marked = "".join(lab.locator(".ck-picture pre .h").all_inner_texts())
        assert marked.split() == ["[17", "0d"]
        assert lab.locator(".ck-picture pre .c").count() == 13

        tree = page.locator(".ck-der details", has_text="tbsCertificate").last
        validity = tree.locator("details", has_text="validity").last
        validity.locator("summary").first.click()
        validity.get_by_text("The first second.").wait_for()
        opened.screenshot()
        assert opened.errors() == []
        assert opened.console_errors == []
