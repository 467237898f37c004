"""A kernel that is killed leaves nothing: no folder, no program that it had started, no worker, no minder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from certkit._minder import minded_folder
from certkit.stacks.call import run_program

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="process groups")


def eventually(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def marked(mark: str) -> list[psutil.Process]:
    """Return the processes that have `mark` in their environment: the killed one's whole offspring."""
    found = []
    for each in psutil.process_iter():
        try:
            if each.environ().get("CERTKIT_MARK") == mark and each.status() != psutil.STATUS_ZOMBIE:
                found.append(each)
        except (psutil.Error, OSError):
            continue
    return found


def start(code: str, tmp_path: Path, **more: str) -> subprocess.Popen[bytes]:
    """Run code in a process of its own, which finds its temporary folders in `tmp_path`/t."""
    (tmp_path / "t").mkdir(exist_ok=True)
    env = {**os.environ, "TMPDIR": str(tmp_path / "t"), "CERTKIT_MARK": str(tmp_path), **more}
    return subprocess.Popen([sys.executable, "-c", code], env=env, start_new_session=True)


def left(tmp_path: Path) -> list[str]:
    # The Java and the interpreter itself may keep a file of their own there; the lab's have its name.
    return [path.name for path in (tmp_path / "t").iterdir() if path.name.startswith("certkit-")]


def check_killed(
    code: str, tmp_path: Path, running: int, sent: signal.Signals, ready: str = "ready", **more: str
) -> None:
    """Kill a process once it has a folder and so many programs, and see them all go."""
    process = start(code, tmp_path, **more)
    try:
        place = tmp_path / "t"
        eventually(lambda: any(place.glob(f"certkit-*/{ready}")), "it did not come so far")
        eventually(lambda: len(marked(str(tmp_path))) >= running, "not all of it was started")
    finally:
        # As Jupyter ends a kernel: its whole process group.
        os.killpg(process.pid, sent)
        process.wait()
    eventually(lambda: not left(tmp_path), f"left: {left(tmp_path)}")
    eventually(lambda: not marked(str(tmp_path)), f"still there: {marked(str(tmp_path))}")


HANGS = """
import sys
from certkit._minder import minded_folder
from certkit.stacks.call import run_program
with minded_folder("certkit-hangs-") as folder:
    (folder / "ready").write_text("a key")
    run_program(["sh", "-c", "sleep 600 & sleep 600"], home=folder, seconds=500)
"""


# The process itself, its minder, the shell and its two sleeps.
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
def test_a_program_that_hangs_and_its_keys_go_with_the_kernel(tmp_path: Path, sent: signal.Signals) -> None:
    check_killed(HANGS, tmp_path, 5, sent)


def test_go_that_is_being_built_goes_too(tmp_path: Path) -> None:
    fake = tmp_path / "bin" / "go"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\nsleep 600\n")
    fake.chmod(0o755)
    code = "from certkit.stacks.go import _binary; _binary()"
    path = f"{fake.parent}{os.pathsep}{os.environ['PATH']}"
    check_killed(code, tmp_path, 4, signal.SIGKILL, ready="main.go", PATH=path)


@pytest.mark.java
def test_the_java_worker_goes_with_the_kernel(tmp_path: Path) -> None:
    pytest.importorskip("jpype")
    code = """
import time
from certkit._minder import minded_folder
from certkit.stacks import java
import certkit as ck
ck.java_pkix(ck.good_scenario().server.credential.chain, ck.good_scenario().client.anchors)
with minded_folder("certkit-there-") as folder:
    (folder / "ready").touch()
    time.sleep(600)
"""
    check_killed(code, tmp_path, 3, signal.SIGKILL)


def test_who_ends_as_it_should_leaves_nothing_and_waits_for_nobody(tmp_path: Path) -> None:
    code = """
from certkit._minder import minded_folder
with minded_folder("certkit-short-") as folder:
    print(folder, flush=True)
"""
    process = start(code, tmp_path)
    assert process.wait(60) == 0
    assert left(tmp_path) == []
    eventually(lambda: not marked(str(tmp_path)), "the minder stays")


def test_a_fork_has_a_minder_of_its_own(tmp_path: Path) -> None:
    code = """
import os, sys, time
from certkit._minder import minded_folder
with minded_folder("certkit-parent-") as folder:
    child = os.fork()
    if child == 0:
        with minded_folder("certkit-child-") as other:
            os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    until = time.monotonic() + 60
    while any(name.startswith("certkit-child-") for name in os.listdir(folder.parent)):
        assert time.monotonic() < until
        time.sleep(0.05)
    assert folder.exists()
"""
    assert start(code, tmp_path).wait(90) == 0
    assert left(tmp_path) == []


def test_the_minder_is_nobodys_child(tmp_path: Path) -> None:
    before = psutil.Process().children(recursive=True)
    with minded_folder("certkit-child-"):
        assert psutil.Process().children(recursive=True) == before


def test_a_program_that_ended_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("certkit._minder._minder.tell", lambda line="": told.append(line))
    assert run_program(["sh", "-c", "echo done"], home=tmp_path).out == "done\n"
    with pytest.raises(ZeroDivisionError), minded_folder("certkit-x-"):
        1 / 0  # noqa: B018
    told = [line for line in told if line]
    assert [line[0] for line in told] == ["+", "-", "+", "-"]
    assert told[0][1:] == told[1][1:]
    assert told[2][1:] == told[3][1:]


def test_without_a_minder_the_work_is_done_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process can be started, no descriptor is left: the folder is still made, and removed with its block."""
    from certkit import _minder

    monkeypatch.setattr(_minder, "_minder", _minder._Minder())
    monkeypatch.setattr(
        subprocess, "Popen", lambda *_, **__: (_ for _ in ()).throw(OSError("no more processes"))
    )
    with minded_folder("certkit-alone-") as folder:
        assert folder.is_dir()
    assert not folder.exists()
