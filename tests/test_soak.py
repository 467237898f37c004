"""Nothing grows: handshakes, callouts and labs, again and again in one kernel; `make soak` does a day's worth."""

from __future__ import annotations

import gc
import multiprocessing
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from soaking import Work

import certkit as ck

# A thousand is the whole count, which `make soak` asks for.
COUNT = int(os.environ.get("CERTKIT_SOAK", "30"))
WHOLE = COUNT >= 1000
ROUNDS = {
    "handshakes()": (COUNT, 30),
    "callouts()": (max(10, COUNT * 3 // 10), 10),
    # A change each half minute, day and night: 2,880 of them. What comes before fills what the labs keep, and
    # loads what they rarely need.
    f"labs(stacks={WHOLE})": (max(100, COUNT * 288 // 100), 1500 if WHOLE else 300),
}


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """Let the collector complain of what nbclient leaves to it while a test runs that overlooks it."""
    yield
    gc.collect()


@pytest.mark.notebook
@pytest.mark.usefixtures("jupyter_home")
def test_nothing_grows_in_one_kernel(tmp_path: Path) -> None:
    cells = [f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import soaking"]
    for name, (rounds, warm) in ROUNDS.items():
        cells.append(
            f"grew = soaking.{name}.soak({rounds}, {warm}); print({name!r}, grew); assert not grew, grew"
        )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=3600, kernel_name="python3", resources=resources).execute()
    for cell in notebook.cells[1:]:
        print(cell.outputs[0]["text"], end="")
    assert "handshakes() []" in notebook.cells[1].outputs[0]["text"]


KEPT: list[object] = []


def leak_objects(_: int) -> None:
    KEPT.extend([[] for _ in range(3)])


def leak_memory(_: int) -> None:
    KEPT.append(os.urandom(64 * 1024))


def leak_threads(_: int) -> None:
    KEPT.append(stop := threading.Event())
    threading.Thread(target=stop.wait, daemon=True).start()


def leak_descriptors(_: int) -> None:
    KEPT.append(tempfile.TemporaryFile())  # noqa: SIM115 - left open on purpose


def leak_nothing(_: int) -> None: ...


def _grew(work: Callable[[int], object]) -> list[str]:
    return Work(work).soak(200, 5)


@pytest.mark.parametrize(
    ("work", "told"),
    [
        (leak_objects, "objects"),
        (leak_memory, "memory"),
        (leak_threads, "threads"),
        (leak_descriptors, "descriptors"),
        (leak_nothing, ""),
    ],
)
def test_what_grows_is_seen(work: Callable[[int], object], told: str) -> None:
    """In a process of its own: what other tests left to free would hide the leak."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as alone:
        grew = " ".join(alone.submit(_grew, work).result(120))
    assert told in grew
    assert bool(told) is bool(grew)


def test_the_stack_chosen_last_is_asked_and_not_all_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrow keys through the list of stacks start one program after the other, not fourteen at once."""
    from certkit.widgets.handshake_state import LabState

    lab, asked, going, first = ck.HandshakeLab(), [], threading.Event(), threading.Event()
    genuine = LabState.ask

    def slowly(state: LabState) -> object:
        asked.append(state.stack)
        first.set()
        assert going.wait(60)
        return genuine(LabState(state.fault, state.two_way, state.tls, stack="python"))

    monkeypatch.setattr(LabState, "ask", slowly)
    lab._stack.value = "openssl"
    assert first.wait(60)
    for name in ("requests", "curl", "openssl-strict"):
        lab._stack.value = name
    going.set()
    assert lab._asking is not None
    lab._asking.join(60)
    assert asked == ["openssl", "openssl-strict"]
    assert "just now" in lab._picture.value
