"""Every service, used and stopped, or killed with its program: no thread, process, port, descriptor or file stays."""

from __future__ import annotations

import ast
import gc
import importlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest

import certkit.services
from certkit.faults import good_scenario
from certkit.faults._stage import ScenarioServer
from certkit.services import (
    PROXY_BEHAVIOURS,
    ClosedPort,
    ForwardProxy,
    FtpsService,
    LoopbackServer,
    ReverseProxy,
    RevocationService,
    SilentPort,
    SniRouter,
    TlsFront,
    UserService,
    Wiretap,
    call_update_user,
    transfer_ftps,
)

PACKAGE = Path(certkit.services.__file__).parent.parent
STORY = good_scenario(two_way=True)
WITHOUT = STORY.with_client(credential=None).client
Service = LoopbackServer | ClosedPort


def users(stack: ExitStack) -> list[Service]:
    service = stack.enter_context(UserService(STORY.server))
    assert call(service.url)
    assert not call_update_user(service.url, "u-1001", "Active", WITHOUT).ok
    return [service]


def recorder(stack: ExitStack) -> list[Service]:
    (service,) = users(stack)
    tap = stack.enter_context(Wiretap(service))  # type: ignore[arg-type]
    assert call(tap.url)
    return [service, tap]


def proxies(stack: ExitStack) -> list[Service]:
    (service,) = users(stack)
    made = [stack.enter_context(ForwardProxy(item, upstream=STORY.client)) for item in PROXY_BEHAVIOURS]
    answers = [
        call_update_user(service.url, "u-1001", "Active", STORY.client, proxy=proxy.url).ok for proxy in made
    ]
    assert answers == [behaviour == "tunnel" for behaviour in PROXY_BEHAVIOURS]
    return [service, *made]


def reverse_proxy(stack: ExitStack) -> list[Service]:
    plain = stack.enter_context(UserService())
    box = stack.enter_context(ReverseProxy(plain, STORY.server))
    assert call(box.url)
    return [plain, box]


def router(stack: ExitStack) -> list[Service]:
    (service,) = users(stack)
    box = stack.enter_context(SniRouter({STORY.host: service}))  # type: ignore[dict-item]
    assert call(f"https://127.0.0.1:{box.port}/users")
    return [service, box]


def front(stack: ExitStack) -> list[Service]:
    plain = stack.enter_context(UserService())
    box = stack.enter_context(TlsFront(plain, STORY.server, STORY.client_ca.trust_store))
    assert call(box.url)
    assert not call_update_user(box.url, "u-1001", "Active", WITHOUT).ok
    return [plain, box]


def ftps(stack: ExitStack) -> list[Service]:
    service = stack.enter_context(FtpsService(STORY.server))
    assert transfer_ftps(service, "orders.csv", STORY.client).ok
    assert transfer_ftps(service, "new.csv", STORY.client, store=b"x").ok
    assert not transfer_ftps(service, "orders.csv", WITHOUT).ok
    return [service]


def revocation(stack: ExitStack) -> list[Service]:
    service = stack.enter_context(RevocationService(STORY.server_ca))
    with urllib.request.urlopen(service.crl_url, timeout=5) as answer:
        assert answer.read()
    return [service]


def silent(stack: ExitStack) -> list[Service]:
    return [stack.enter_context(SilentPort())]


def closed(stack: ExitStack) -> list[Service]:
    return [stack.enter_context(ClosedPort())]


def stage(stack: ExitStack) -> list[Service]:
    server = stack.enter_context(ScenarioServer(STORY))
    context = STORY.client.context(STORY.tls)
    with (
        socket.create_connection(server.address, timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=STORY.host) as tls,
    ):
        tls.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert tls.recv(4096)
    return [server]


def call(url: str) -> bool:
    return call_update_user(url, "u-1001", "Active", STORY.client).ok


EVERY: dict[type, Callable[[ExitStack], list[Service]]] = {
    ClosedPort: closed,
    ForwardProxy: proxies,
    FtpsService: ftps,
    ReverseProxy: reverse_proxy,
    RevocationService: revocation,
    ScenarioServer: stage,
    SilentPort: silent,
    SniRouter: router,
    TlsFront: front,
    UserService: users,
    Wiretap: recorder,
}
"""Each service, started in a stack and used well and badly."""


def test_every_service_has_its_place_here() -> None:
    public = [getattr(certkit.services, name) for name in certkit.services.__all__]
    services = {item for item in public if isinstance(item, type) and hasattr(item, "stop")}
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and "LoopbackServer" in {
                ast.unparse(item) for item in node.bases
            }:
                name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
                services.add(getattr(importlib.import_module(name), node.name))
    assert services - {LoopbackServer} == set(EVERY)


@contextmanager
def stuck(services: list[Service]) -> Iterator[None]:
    """Hold a connection to each that says nothing more and does not end."""
    with ExitStack() as held:
        for item in services:
            if isinstance(item, LoopbackServer):
                held.enter_context(socket.create_connection(item.address, timeout=5)).sendall(b"\x16")
        yield


def descriptors() -> int:
    gc.collect()
    process = psutil.Process()
    return process.num_fds() if sys.platform != "win32" else len(process.net_connections(kind="inet"))


def is_closed(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(5)
        return client.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize("service", EVERY, ids=lambda kind: kind.__name__)
def test_nothing_is_left(
    service: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with ExitStack() as stack:
        EVERY[service](stack)  # once before, so that what is loaded only once is loaded
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    threads, before = set(threading.enumerate()), descriptors()
    children = psutil.Process().children(recursive=True)
    with ExitStack() as stack:
        running = EVERY[service](stack)
        ports = [item.port for item in running]
        assert any(isinstance(item, service) for item in running)
        assert list(tmp_path.iterdir()) == []
        with stuck(running):
            stack.close()
    assert set(threading.enumerate()) <= threads
    assert descriptors() <= before
    assert psutil.Process().children(recursive=True) == children
    assert list(tmp_path.iterdir()) == []
    assert all(is_closed(port) for port in ports)
    assert capfd.readouterr() == ("", "")


def test_a_kernel_that_is_killed_leaves_nothing(tmp_path: Path) -> None:
    """A process that gets no chance to tidy up: nothing of a service may be on a disk even while it runs."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    environment |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
    code = f"import {Path(__file__).stem} as mine; mine.run_until_killed()"
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout is not None and child.stderr is not None
        line = child.stdout.readline()
        offspring = psutil.Process(child.pid).children(recursive=True)
        child.kill()
        errors = child.stderr.read().decode()
    assert errors == ""
    ports = json.loads(line)
    assert len(ports) >= len(EVERY)
    assert list(folder.iterdir()) == []
    assert not any(process.is_running() for process in offspring)
    assert all(is_closed(port) for port in ports)


def run_until_killed() -> None:
    """Start and use every service, tell the ports, and wait; what the test above kills."""
    with ExitStack() as stack:
        running = [item for start in EVERY.values() for item in start(stack)]
        print(json.dumps([item.port for item in running]), flush=True)
        with stuck(running):
            time.sleep(600)
