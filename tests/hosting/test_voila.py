"""The labs as a page: `certkit lab --apps` under Voila, opened in Chromium, used, and closed to everybody else."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from serving import free_port, running

CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
ADDRESS = re.compile(r"http://\S+\?token=\S{40,}")


@pytest.fixture(scope="module")
def apps(hosting: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of the page, with its token, as it was printed."""
    folder = tmp_path_factory.mktemp("apps")
    log = folder / "voila.log"
    command = [str(hosting / "bin" / "certkit"), "lab", "--apps", "--no-browser", "--port", str(free_port())]
    env = {**os.environ, "PYTHONUNBUFFERED": "1", "JUPYTER_CONFIG_DIR": str(folder), "JUPYTER_TOKEN": ""}
    # An open door in the user's own configuration does not open this one.
    (folder / "jupyter_config.json").write_text('{"IdentityProvider": {"token": ""}, "Voila": {"token": ""}}')
    with running(command, lambda: bool(ADDRESS.search(log.read_text())), log, cwd=folder, env=env):
        (found,) = set(ADDRESS.findall(log.read_text()))
        yield found


def test_nobody_comes_in_without_the_token(apps: str) -> None:
    assert apps.startswith("http://127.0.0.1:")
    bare = apps.partition("?")[0]
    for address in (bare, f"{bare}?token=wrong", f"{bare}api/kernels", f"{bare}voila/files/images/lab.png"):
        answer = requests.get(address, timeout=30, allow_redirects=False)
        assert answer.status_code in (302, 403), address
        assert "/login" in answer.headers.get("location", "/login")
    assert requests.get(apps, timeout=60).status_code == 200


def test_the_token_is_in_no_list_of_processes(apps: str) -> None:
    import psutil

    token = apps.rpartition("=")[2]
    family = [psutil.Process(), *psutil.Process().children(recursive=True)]
    assert any("--apps" in each.cmdline() for each in family)
    assert [each for each in family if token in " ".join(each.cmdline())] == []


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium here; name one in CHROMIUM")
def test_a_lab_is_used_on_the_page(apps: str, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    as_root = ["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--disable-gpu", *as_root])
        page = browser.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
        asked: list[str] = []
        page.on("requestfinished", lambda request: asked.append(request.url))
        page.goto(apps)
        lab = page.locator(".ck-handshake-lab")
        lab.locator('.ck-picture[data-run="1"]').wait_for(timeout=120_000)
        fault = lab.locator("select").nth(1)
        fault.select_option(index=3)
        lab.locator('.ck-picture[data-run="2"]').get_by_text("unknown_ca").first.wait_for()
        error = page.locator(".ck-error-lab")
        error.locator("textarea").fill("Received fatal alert: unknown_ca")
        error.locator("button.ck-explain").focus()
        page.keyboard.press("Enter")
        error.get_by_text("untrusted-root").first.wait_for()
        shots = Path(__file__).resolve().parents[2] / "build" / "screenshots"
        shots.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=shots / "voila-apps.png")
        browser.close()
    here = apps.partition("?")[0]
    assert asked
    assert [each for each in asked if not each.startswith((here, "data:", "blob:"))] == []
