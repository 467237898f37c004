"""Every notebook, found by glob, opened and run in JupyterLab in a real Chromium."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
ALL = sorted(
    path.relative_to(NOTEBOOKS).as_posix()
    for path in NOTEBOOKS.rglob("[0-9]*.ipynb")
    if ".ipynb_checkpoints" not in path.parts
)


@pytest.mark.parametrize("name", ALL)
def test_notebook_runs_in_the_browser(name: str, open_notebook: Callable[[str], Any]) -> None:
    with open_notebook(name) as notebook:
        notebook.run_all()
        notebook.screenshot()
        assert notebook.errors() == []
        assert notebook.foreign_requests == []
        assert notebook.console_errors == []


def test_an_error_in_a_cell_and_a_click_are_seen(
    write_notebook: Callable[..., str], open_notebook: Callable[[str], Any]
) -> None:
    cells = [
        "import ipywidgets as w\ntext, go = w.HTML('<b data-run=\"0\">not yet</b>'), w.Button(description='Go')",
        "go.on_click(lambda _: setattr(text, 'value', '<b data-run=\"1\">clicked</b>'))\nw.VBox([go, text])",
        "print('only this', file=__import__('sys').stderr)",
    ]
    name = write_notebook("99-small.ipynb", *cells)
    with open_notebook(name) as small:
        small.run_all()
        small.page.get_by_role("button", name="Go").click()
        small.page.locator('[data-run="1"]').wait_for()
        small.screenshot()
        assert small.errors() == ["only this\n"]
        assert small.foreign_requests == []


@pytest.mark.parametrize(("token", "answer"), [("", 403), ("wrong", 403), (None, 200)])
def test_the_server_answers_to_its_token_alone(lab_server: Any, token: str | None, answer: int) -> None:
    known = lab_server.token if token is None else token
    request = Request(f"{lab_server.address}/api/contents", headers={"Authorization": f"token {known}"})
    direct = build_opener(ProxyHandler({}))
    if answer == 200:
        assert direct.open(request, timeout=10).status == 200
        return
    with pytest.raises(HTTPError) as refused:
        direct.open(request, timeout=10)
    with refused.value:
        assert refused.value.code == answer
