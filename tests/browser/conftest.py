"""One JupyterLab a session and one Chromium a module, and a notebook opened in them.

A test that clicks asks for ``open_notebook``, runs the notebook, and then drives its Playwright page::

    def test_click(open_notebook):
        with open_notebook("03-one-way.ipynb") as notebook:
            notebook.run_all()
            notebook.page.get_by_role("button", name="Run").click()

What makes it solid: ask the app, not the pixels; wait for a state, never for a time; private folders.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

import nbformat
import pytest

from certkit._lab import copy_series, lab_arguments

ROOT = Path(__file__).resolve().parents[2]
SHOTS = ROOT / "build" / "screenshots"
CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FLAGS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync", "--force-color-profile=srgb"]
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none", "autoStartDefaultKernel": True},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
    "@jupyterlab/extensionmanager-extension:plugin": {"enabled": False},
}
# The server runs as certkit starts it; only the address of the port and a handle on the app are added.
SERVE = "import sys; from certkit._lab import _serve; sys.exit(_serve(sys.argv[1:]))"
READY = """() => { const panel = window.jupyterapp?.shell.currentWidget;
    return panel?.sessionContext?.isReady && panel.sessionContext.session?.kernel?.status === 'idle' }"""
ALL_RUN = """() => { const panel = window.jupyterapp.shell.currentWidget;
    const code = [...panel.content.model.cells].filter(cell => cell.type === 'code');
    return code.every(cell => cell.executionCount !== null || !cell.sharedModel.source.trim())
        && panel.sessionContext.session.kernel.status === 'idle' }"""
OUTPUTS = """() => [...window.jupyterapp.shell.currentWidget.content.model.cells]
    .filter(cell => cell.type === 'code').flatMap(cell => cell.sharedModel.toJSON().outputs)"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the browser tests of a session in one worker, so that one server does."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))
            if not CHROMIUM:
                item.add_marker(pytest.mark.skip(reason="no Chromium here; name one in CHROMIUM"))


@dataclass(frozen=True)
class Server:
    """A running JupyterLab: its address, its token, and the folder that it serves."""

    address: str
    token: str
    folder: Path


@pytest.fixture(scope="session")
def lab_server(
    tmp_path_factory: pytest.TempPathFactory, private_jupyter: Callable[[Path], dict[str, str]]
) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("lab")
    folder = copy_series(home / "series").folder
    env = {**os.environ, **private_jupyter(home), "PYTHONUNBUFFERED": "1"}
    settings = home / "config" / "labconfig"
    settings.mkdir(parents=True)
    (settings / "default_setting_overrides.json").write_text(json.dumps(SETTINGS))
    options = ["--no-browser", "--ServerApp.port=0", "--expose-app-in-browser"]
    command = [sys.executable, "-c", SERVE, *lab_arguments(folder, options)]
    with (home / "server.log").open("w+") as log:
        process = subprocess.Popen(
            command, cwd=home, env=env, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            yield wait_for_server(process, home, folder)
        finally:
            stop(process)


def wait_for_server(process: subprocess.Popen[bytes], home: Path, folder: Path) -> Server:
    direct = build_opener(ProxyHandler({}))
    info = home / "runtime" / f"jpserver-{process.pid}.json"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            server = json.loads(info.read_text())
            direct.open(f"http://127.0.0.1:{server['port']}/api", timeout=2).close()
        except (OSError, ValueError):
            time.sleep(0.1)
            continue
        return Server(f"http://127.0.0.1:{server['port']}", server["token"], folder)
    pytest.fail("JupyterLab did not start:\n" + (home / "server.log").read_text()[-3000:])


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop the server and its kernels: they are a process group of their own."""
    if os.name == "nt":
        process.terminate()
        process.wait(15)
        return
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(15)
    except ProcessLookupError:
        process.wait(15)


@pytest.fixture(scope="session")
def shots() -> Path:
    """Return the folder that keeps the screenshots as build output."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    return SHOTS


# Not for the session: while Playwright runs, no other test of this worker can use asyncio.run().
@pytest.fixture(scope="module")
def browser(shots: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    # Chromium refuses its sandbox to root, as in a container.
    as_root = ["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=CHROMIUM,
            headless=True,
            args=[*FLAGS, *as_root],
            viewport={"width": 1280, "height": 900},
            reduced_motion="reduce",
            color_scheme="light",
        )
        yield context
        context.close()


@dataclass
class OpenNotebook:
    """A notebook in JupyterLab; `page` is Playwright's, for clicks."""

    page: Any
    name: str
    console_errors: list[str] = field(default_factory=list)
    foreign_requests: list[str] = field(default_factory=list)

    def run_all(self) -> None:
        """Run every cell and wait until the last one is done."""
        self.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
        try:
            self.page.wait_for_function(ALL_RUN, timeout=120_000)
        except Exception:
            self.screenshot("failed")
            raise

    def outputs(self) -> list[dict[str, Any]]:
        """Return the outputs of all code cells, as the notebook's model has them."""
        return list(self.page.evaluate(OUTPUTS))

    def errors(self) -> list[str]:
        """Return what went wrong in cells: exceptions, and text on stderr."""
        bad = [f"{out['ename']}: {out['evalue']}" for out in self.outputs() if out["output_type"] == "error"]
        return bad + [str(out["text"]) for out in self.outputs() if out.get("name") == "stderr"]

    def screenshot(self, what: str = "") -> Path:
        """Keep a picture of the page in build/screenshots/."""
        path = SHOTS / f"{Path(self.name).stem}{'-' + what if what else ''}.png"
        self.page.screenshot(path=path)
        return path


@pytest.fixture
def write_notebook(lab_server: Server) -> Callable[..., str]:
    """Return a function that puts a notebook with the given cells beside the series, and returns its name."""

    def write(name: str, *cells: str) -> str:
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        )
        folder = lab_server.folder / "notebooks"
        folder.mkdir(exist_ok=True)
        nbformat.write(notebook, folder / name)
        return name

    return write


@pytest.fixture
def open_notebook(lab_server: Server, browser: Any) -> Callable[[str], AbstractContextManager[OpenNotebook]]:
    """Return what opens a notebook of the series by its name, with a kernel that is ready."""

    @contextmanager
    def opened(name: str) -> Iterator[OpenNotebook]:
        page = browser.new_page()
        notebook = OpenNotebook(page, name)
        watch(page, lab_server.address, notebook)
        try:
            # ?reset drops any stored workspace, so that the test sees this notebook alone.
            page.goto(f"{lab_server.address}/lab/tree/notebooks/{name}?token={lab_server.token}&reset")
            page.wait_for_function("() => window.jupyterapp && window.jupyterapp.restored", timeout=60_000)
            page.evaluate("() => window.jupyterapp.restored")
            page.locator(".jp-NotebookPanel .jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)
            page.wait_for_function(READY, timeout=60_000)
            yield notebook
        finally:
            page.evaluate("() => window.jupyterapp?.shell.currentWidget?.sessionContext?.shutdown()")
            page.close()

    return opened


def watch(page: Any, address: str, notebook: OpenNotebook) -> None:
    here = (address, address.replace("http", "ws", 1), "data:", "blob:", "about:")

    def request(event: Any) -> None:
        if not event.url.startswith(here):
            notebook.foreign_requests.append(event.url)

    def console(message: Any) -> None:
        if message.type == "error":
            notebook.console_errors.append(message.text)

    page.on("request", request)
    page.on("console", console)
    page.on("pageerror", lambda error: notebook.console_errors.append(str(error)))
