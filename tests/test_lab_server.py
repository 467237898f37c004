"""The lab as a server, started for real: on loopback, closed without its token, whatever the user's settings say."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import requests
from serving import running

CONFIG = {
    # Everything in somebody's own settings that would open the door.
    "ServerApp": {
        "ip": "0.0.0.0",
        "token": "",
        "password": "",
        "allow_origin": "*",
        "open_browser": True,
        "allow_unauthenticated_access": True,
    },
    "IdentityProvider": {"token": ""},
    "PasswordIdentityProvider": {"hashed_password": "", "password_required": False},
}


@pytest.fixture
def lab(
    tmp_path: Path, private_jupyter: Callable[[Path], dict[str, str]]
) -> Iterator[Callable[[str], dict[str, object]]]:
    """Return what starts the lab with the given settings of the user's, and tells what it is."""
    from contextlib import ExitStack

    with ExitStack() as open_until_done:

        def start(name: str) -> dict[str, object]:
            home = tmp_path / name
            env = {**os.environ, **private_jupyter(home), "JUPYTER_TOKEN": "fixed"}
            (home / "config").mkdir(parents=True)
            (home / "config" / "jupyter_server_config.json").write_text(json.dumps(CONFIG))
            command = [sys.executable, "-m", "certkit._lab", "--no-browser", "--ServerApp.port=0"]
            found = home / "runtime"
            process = open_until_done.enter_context(
                running(
                    command,
                    lambda: bool(list(found.glob("jpserver-*.json"))),
                    home / "log",
                    cwd=home,
                    env=env,
                )
            )
            (written,) = found.glob("jpserver-*.json")
            server = json.loads(written.read_text())
            return {**server, "process": psutil.Process(process.pid), "mode": written.stat().st_mode & 0o777}

        yield start


@pytest.mark.notebook
def test_the_lab_is_closed(lab: Callable[[str], dict[str, object]]) -> None:
    first, second = lab("first"), lab("second")
    for server in (first, second):
        process = server["process"]
        assert isinstance(process, psutil.Process)
        token = str(server["token"])
        listening = [
            each.laddr.ip for each in process.net_connections("inet") if each.status == psutil.CONN_LISTEN
        ]
        assert listening
        assert set(listening) <= {"127.0.0.1", "::1"}
        assert len(token) >= 43
        assert token != "fixed"
        assert token not in " ".join(process.cmdline())
        assert server["mode"] == 0o600
        address = f"http://127.0.0.1:{server['port']}"
        for path in ("/api/contents", "/api/kernels", "/api/terminals", "/files/README.md", "/lab"):
            wait_until_up(address)
            for wrong in ({}, {"Authorization": "token "}, {"Authorization": "token fixed"}):
                answer = requests.get(address + path, headers=wrong, timeout=30, allow_redirects=False)
                assert answer.status_code in (302, 403), (path, wrong, answer.status_code)
                assert "/login" in answer.headers.get("location", "/login")
        made = requests.post(f"{address}/api/kernels", json={"name": "python3"}, timeout=30)
        assert made.status_code == 403
        right = {"Authorization": f"token {token}"}
        assert requests.get(f"{address}/api/contents", headers=right, timeout=30).status_code == 200
    assert first["token"] != second["token"]
    assert first["port"] != second["port"]  # two labs at once


def wait_until_up(address: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            requests.get(f"{address}/api", timeout=5)
            return
        except requests.RequestException:
            assert time.monotonic() < deadline
            time.sleep(0.1)
