"""A hub from `jupyterhub_config.py`: two accounts of this machine, a lab each, and nothing of one for the other."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import stat
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from serving import answers, free_port, running, wait_for

CONFIG = Path(__file__).resolve().parents[2] / "jupyterhub_config.py"
GROUP = "certkit-learners"
LEARNERS = ("certkit-ada", "certkit-bob")
STRANGER = "certkit-eve"
# Only ports and the place of the proxy are the test's; everything else is the file itself.
AROUND = """
load_subconfig({config!r})
c.JupyterHub.hub_port = {hub}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.ConfigurableHTTPProxy.command = [{proxy!r}]
"""
NEEDS_ROOT = pytest.mark.skipif(
    getattr(os, "geteuid", lambda: 1)() != 0 or not os.environ.get("CERTKIT_TEST_ACCOUNTS"),
    reason="makes three accounts on this machine for a moment: only as root, with CERTKIT_TEST_ACCOUNTS=1",
)


@dataclass
class Learner:
    """One who logs in with a browser's means: a form, cookies, and a kernel's websocket."""

    hub: str
    name: str
    password: str

    def __post_init__(self) -> None:
        self.session = requests.Session()
        self.session.trust_env = False
        self.home = f"{self.hub}/user/{self.name}"

    def log_in(self, password: str = "") -> requests.Response:
        page = self.session.get(f"{self.hub}/hub/login")
        form = {
            "username": self.name,
            "password": password or self.password,
            "_xsrf": self.session.cookies["_xsrf"],
        }
        assert page.status_code == 200
        return self.session.post(f"{self.hub}/hub/login", data=form, allow_redirects=False)

    def start(self, log: Path) -> None:
        self.session.get(f"{self.hub}/hub/spawn/{self.name}")
        # The page, not the API: a visit to it brings the cookies that every later call needs.
        wait_for(lambda: "jupyter-config-data" in self.session.get(f"{self.home}/lab").text, log)

    def call(self, verb: str, path: str, **named: Any) -> requests.Response:
        token = next(each.value for each in self.session.cookies if each.path == f"/user/{self.name}/"
                     and each.name == "_xsrf")  # fmt: skip
        return self.session.request(
            verb, f"{self.home}{path}", headers={"X-XSRFToken": token or "", "Referer": self.home}, **named
        )

    def run(self, *cells: str) -> list[dict[str, Any]]:
        """Run cells in a new kernel over its websocket; return what each replied, with what it printed."""
        import websocket

        kernel = self.call("POST", "/api/kernels", json={"name": "python3"})
        assert kernel.status_code == 201, kernel.text
        at = f"/api/kernels/{kernel.json()['id']}"
        cookies = "; ".join(f"{each.name}={each.value}" for each in self.session.cookies
                            if f"/user/{self.name}/".startswith(each.path))  # fmt: skip
        address = f"ws://{urlsplit(self.hub).netloc}/user/{self.name}{at}/channels"
        line = websocket.create_connection(address, cookie=cookies, origin=self.hub, timeout=120)
        try:
            return [self._run(line, cell) for cell in cells]
        finally:
            line.close()
            self.call("DELETE", at)

    def _run(self, line: Any, cell: str) -> dict[str, Any]:
        header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "username": "", "session": "x",
                  "version": "5.3"}  # fmt: skip
        content = {"code": cell, "silent": False, "store_history": True, "allow_stdin": False}
        line.send(json.dumps({"header": header, "parent_header": {}, "metadata": {}, "content": content,
                              "channel": "shell", "buffers": []}))  # fmt: skip
        reply: dict[str, Any] = {}
        printed, idle = "", False
        while not (reply and idle):
            message = json.loads(line.recv())
            if message["parent_header"].get("msg_id") != header["msg_id"]:
                continue
            if message["msg_type"] == "execute_reply":
                reply = message["content"]
            elif message["msg_type"] == "stream":
                printed += message["content"]["text"]
            elif message["msg_type"] == "status":
                idle = message["content"]["execution_state"] == "idle"
        return {**reply, "printed": printed}


@pytest.fixture(scope="module")
def accounts() -> Iterator[dict[str, str]]:
    """Return name -> password of three accounts of this machine, two of them learners; they are gone afterwards."""
    made = {name: secrets.token_urlsafe(12) for name in (*LEARNERS, STRANGER)}
    subprocess.run(["groupadd", "-f", GROUP], check=True)
    try:
        for name, password in made.items():
            groups = ["-G", GROUP] if name in LEARNERS else []
            subprocess.run(["useradd", "-m", "-s", "/bin/sh", *groups, name], check=True)
            subprocess.run(["chpasswd"], input=f"{name}:{password}\n".encode(), check=True)
        yield made
    finally:
        for name in made:
            subprocess.run(["userdel", "-r", "-f", name], check=False, capture_output=True)
        subprocess.run(["groupdel", GROUP], check=False, capture_output=True)


@pytest.fixture(scope="module")
def hub(
    hosting: Path, accounts: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path]]:
    proxy = shutil.which("configurable-http-proxy") or str(
        hosting / "node_modules/.bin/configurable-http-proxy"
    )
    if not Path(proxy).exists():
        pytest.skip("no configurable-http-proxy here; it comes from npm")
    probe = ["su", LEARNERS[0], "-c", f"{hosting}/bin/python -c 'import certkit'"]
    if subprocess.run(probe, capture_output=True, check=False, cwd="/").returncode:
        pytest.skip(f"other accounts cannot read {hosting}; put it where they can")
    folder = tmp_path_factory.mktemp("hub")
    folder.chmod(0o700)
    ports = [free_port() for _ in range(3)]
    around = folder / "config.py"
    around.write_text(AROUND.format(config=str(CONFIG), hub=ports[0], api=ports[1], proxy=proxy))
    url = f"http://127.0.0.1:{ports[2]}"
    env = {**os.environ, "CERTKIT_HUB_URL": url, "CERTKIT_HUB_GROUP": GROUP}
    env["PATH"] = os.pathsep.join([str(hosting / "bin"), env["PATH"]])
    log = folder / "hub.log"
    command = [str(hosting / "bin" / "jupyterhub"), "-f", str(around)]
    with running(command, lambda: answers(f"{url}/hub/health"), log, cwd=folder, env=env):
        yield url, log


@pytest.fixture(scope="module")
def learners(hub: tuple[str, Path], accounts: dict[str, str]) -> list[Learner]:
    found = [Learner(hub[0], name, accounts[name]) for name in LEARNERS]
    for learner in found:
        assert learner.log_in().status_code == 302
        learner.start(hub[1])
    return found


@NEEDS_ROOT
def test_a_wrong_password_and_a_stranger_stay_outside(
    hub: tuple[str, Path], accounts: dict[str, str]
) -> None:
    ada = Learner(hub[0], LEARNERS[0], accounts[LEARNERS[0]])
    assert ada.log_in("wrong").status_code in (401, 403)
    eve = Learner(hub[0], STRANGER, accounts[STRANGER])
    assert eve.log_in().status_code in (401, 403)


@NEEDS_ROOT
def test_each_learner_runs_notebook_03(learners: list[Learner]) -> None:
    for learner in learners:
        stored = learner.call("GET", "/api/contents/notebooks/03-one-way-tls.ipynb")
        assert stored.status_code == 200, stored.text
        cells = [each["source"] for each in stored.json()["content"]["cells"] if each["cell_type"] == "code"]
        assert sum("ck.handshake(" in cell for cell in cells) > 3
        replies = learner.run(*cells, "import getpass, os; print(getpass.getuser(), os.umask(0o077))")
        assert [each for each in replies if each["status"] != "ok"] == []
        assert replies[-1]["printed"] == f"{learner.name} {0o077}\n"


@NEEDS_ROOT
def test_no_learner_reads_anothers(learners: list[Learner], hub: tuple[str, Path]) -> None:
    ada, bob = learners
    (written,) = bob.run(
        "open('my-answers.txt', 'w').write('mine'); import os; print(os.getcwd(), os.getpid())"
    )
    assert written["status"] == "ok"
    place = Path(written["printed"].split()[0])
    assert (place / "my-answers.txt").read_text() == "mine"
    assert stat.S_IMODE((place / "my-answers.txt").stat().st_mode) == 0o600
    home = Path(f"~{bob.name}").expanduser()
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    for attempt in (
        f"open({str(place / 'my-answers.txt')!r}).read()",
        f"import os; os.listdir({str(home)!r})",
        f"open({str(home / 'x')!r}, 'w')",
    ):
        (reply,) = ada.run(attempt)
        assert (reply["status"], reply["ename"]) == ("error", "PermissionError"), attempt
    # Nor does the hub let one into another's server, neither through the proxy nor past it.
    assert ada.session.get(f"{bob.home}/api/contents").status_code in (403, 404)
    assert requests.get(f"{bob.home}/api/contents", timeout=10).status_code == 403


@NEEDS_ROOT
def test_everything_listens_on_loopback(learners: list[Learner], hub: tuple[str, Path]) -> None:
    import psutil

    (ours,) = [each for each in psutil.Process().children() if "jupyterhub" in " ".join(each.cmdline())]
    family = [ours, *ours.children(recursive=True)]
    assert len(family) >= 4  # the hub, the proxy, two servers
    listening = [
        each.laddr.ip
        for process in family
        for each in process.net_connections("inet")
        if each.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 5
    assert set(listening) <= {"127.0.0.1", "::1"}


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({"CERTKIT_HUB_URL": "http://0.0.0.0:8000"}, True),
        ({"CERTKIT_HUB_URL": "https://0.0.0.0:8000"}, True),
        ({"CERTKIT_HUB_URL": "http://:8000"}, True),
        (
            {"CERTKIT_HUB_URL": "http://hub.example:8000", "CERTKIT_HUB_CERT": "c", "CERTKIT_HUB_KEY": "k"},
            True,
        ),
        ({"CERTKIT_HUB_URL": "https://0.0.0.0", "CERTKIT_HUB_CERT": "c", "CERTKIT_HUB_KEY": "k"}, False),
        ({"CERTKIT_HUB_URL": "http://[::1]:8000"}, False),
        ({}, False),
    ],
)
def test_passwords_never_go_out_unencrypted(
    given: dict[str, str], refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("URL", "CERT", "KEY", "GROUP"):
        monkeypatch.delenv(f"CERTKIT_HUB_{name}", raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    from traitlets.config import Config

    config = Config()
    run = compile(CONFIG.read_text("utf-8"), str(CONFIG), "exec")
    if refused:
        with pytest.raises(SystemExit, match="unencrypted"):
            exec(run, {"get_config": lambda: config})
        return
    exec(run, {"get_config": lambda: config})
    assert config.JupyterHub.bind_url == given.get("CERTKIT_HUB_URL", "http://127.0.0.1:8000")
    assert config.Spawner.ip == config.JupyterHub.hub_ip == "127.0.0.1"
