"""Processes that die, ports that are taken, two labs at once: what is left can be used, and nothing stays behind."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import requests
from serving import answers, free_port, running

import certkit as ck
from certkit.errors import CertkitError
from certkit.stacks.java import java_worker

JAVA = pytest.mark.skipif(not ck.java_available(), reason="no Java here: the extra java is not installed")
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL there")


@pytest.fixture
def store() -> bytes:
    shop = ck.CertificateAuthority("Lab Root").issue("shop.example.test", usage="server")
    return ck.keystore_bytes({"shop": shop}, "changeit", format="jks")


# A worker -----------------------------------------------------------------------------------------


@JAVA
@POSIX
@pytest.mark.java
@pytest.mark.xdist_group("java")
def test_a_killed_java_worker_is_replaced(store: bytes) -> None:
    """Between two questions: the next one is answered by a new worker, and nobody has to know."""
    assert ck.java_keystore(store, "changeit").ok
    first = java_worker()._running()
    os.kill(first.pid, signal.SIGKILL)
    first._process.wait(20)
    assert ck.java_keystore(store, "changeit").ok
    assert java_worker()._running().pid != first.pid


@JAVA
@POSIX
@pytest.mark.java
@pytest.mark.xdist_group("java")
def test_a_java_worker_that_is_killed_under_way(store: bytes) -> None:
    """During a question: it is asked again of a new worker; the one that died said what became of it."""
    assert ck.java_keystore(store, "changeit").ok
    worker = java_worker()._running()
    os.kill(worker.pid, signal.SIGSTOP)  # it is asked, and does not answer
    threading.Timer(0.5, os.kill, (worker.pid, signal.SIGKILL)).start()
    assert ck.java_keystore(store, "changeit").ok
    assert java_worker().pid != worker.pid
    worker = java_worker()._running()
    os.kill(worker.pid, signal.SIGSTOP)
    threading.Timer(0.5, os.kill, (worker.pid, signal.SIGKILL)).start()
    with pytest.raises(CertkitError, match=r"ended from outside \(signal 9\)") as caught:
        worker.ask("version", {}, 30.0)
    assert caught.value.kind == "worker-died"
    assert "call it again: a new one starts by itself" in str(caught.value)
    assert ck.java_keystore(store, "changeit").ok


def test_the_last_words_of_a_worker_are_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It complains and ends: what it said comes through another pipe, later than its end."""
    from certkit.stacks._worker_process import WorkerProcess

    (tmp_path / "complains.py").write_text(
        "import os, sys, threading, time\n"
        "os.close(1)\n"
        "time.sleep(0.3)\n"
        "sys.stderr.write('no room for the heap'); sys.stderr.flush()\n"
        "os._exit(3)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(CertkitError, match="the Java worker ended and said: no room for the heap"):
        WorkerProcess("complains")


def test_a_python_that_cannot_be_started_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from certkit.stacks._worker_process import WorkerProcess

    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(
        CertkitError, match=r"cannot be started \(No such file or directory\): /no/such/python; try:"
    ):
        WorkerProcess("any")


# A kernel -----------------------------------------------------------------------------------------


@POSIX
@pytest.mark.notebook
def test_a_killed_kernel_leaves_nothing_and_the_next_begins_anew(jupyter_home: Path) -> None:
    """SIGKILL, as when memory runs out: services and Java go with it, and the notebook runs again from the top."""
    from jupyter_client.manager import start_new_kernel

    port = free_port()
    cell = f"""
import os, certkit as ck
from certkit.stacks.java import java_worker
ca = ck.CertificateAuthority("Orders Root CA")
service = ck.UserService(ck.ServerConfig(ca.issue("orders.example.test", usage="server")), port={port}).start()
client = ck.ClientConfig(ca.trust_store, host="orders.example.test")
assert ck.call_update_user(service.url, "u-1001", "Inactive", client).ok
worker = java_worker()._running().pid if ck.java_available() else 0
print(os.getpid(), worker)
"""
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        kernel, worker = _run(client, cell)
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            pass
        os.kill(kernel, signal.SIGKILL)
        _until(lambda: not _alive(kernel))
        _until(lambda: not worker or not _alive(worker))
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        manager.restart_kernel(now=True)
        client.wait_for_ready(timeout=60)
        again, _ = _run(client, cell)  # the same port is free again
        assert again != kernel
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _run(client: object, source: str) -> tuple[int, int]:
    """Run a cell and return the two numbers that it prints."""
    printed: list[str] = []

    def heard(message: dict[str, object]) -> None:
        content = message["content"]
        assert isinstance(content, dict)
        assert message["header"]["msg_type"] != "error", content  # type: ignore[index]
        if message["header"]["msg_type"] == "stream":  # type: ignore[index]
            printed.append(content["text"])

    client.execute_interactive(source, output_hook=heard, timeout=120)  # type: ignore[attr-defined]
    first, second = "".join(printed).split()
    return int(first), int(second)


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _until(true: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)


# Ports --------------------------------------------------------------------------------------------


def test_a_port_that_is_taken() -> None:
    """A service names the port and the way out; nothing is left half started."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        service = ck.UserService(port=port)
        with pytest.raises(CertkitError) as caught:
            service.start()
        assert not service.running
    assert str(caught.value) == (
        f"cannot listen on this port (Address already in use): 127.0.0.1:{port}; try: port=0 takes a free one"
    )
    with service:  # the other one is gone: the same service starts now
        assert service.port == port


@pytest.mark.skipif(sys.platform == "win32", reason="processes are ended by a signal here")
def test_two_labs_at_once(tmp_path: Path, private_jupyter: Callable[[Path], dict[str, str]]) -> None:
    """In the same folder and with the same port wanted: the second takes another port, and a token of its own."""
    port = free_port()
    env = {**os.environ, **private_jupyter(tmp_path / "jupyter")}
    command = [sys.executable, "-m", "certkit.cli", "lab", "series", "--no-browser", "--port", str(port)]
    logs = tmp_path / "first.log", tmp_path / "second.log"
    with (
        running(command, lambda: _address(logs[0]) is not None, logs[0], cwd=tmp_path, env=env),
        running(command, lambda: _address(logs[1]) is not None, logs[1], cwd=tmp_path, env=env),
    ):
        first, second = (urlsplit(str(_address(log))) for log in logs)
        assert first.port == port
        assert second.port != port
        assert first.query.startswith("token=")
        assert first.query != second.query
        for here, other in ((first, second), (second, first)):
            place = f"http://{here.netloc}/api/contents"
            assert answers(f"{place}?{here.query}")
            assert requests.get(f"{place}?{other.query}", timeout=10).status_code == 403
    assert len(list((tmp_path / "series" / "notebooks").glob("0*.ipynb"))) > 5


def _address(log: Path) -> str | None:
    """Return the address that a lab printed, once it has."""
    words = log.read_text("utf-8", "replace").split() if log.exists() else []
    return next((word for word in words if word.startswith("http://127.0.0.1:") and "token=" in word), None)
