"""What a learner takes of a machine: many kernels run a notebook at the same time, measured by ``certkit lab --measure``."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from certkit._minder import minded_folder
from certkit._share import share
from certkit._text import count
from certkit.errors import ArgumentError, CertkitError

# One-way TLS: keys, a keystore read by Java, a service, every client, the lab, the exercises.
NOTEBOOK = "03-one-way-tls.ipynb"
_MOST = 500
_READY_SECONDS = 600.0
_CELL_SECONDS = 300.0
_ALONE = "another kernel failed"
_MIB = 1024 * 1024


@dataclass(frozen=True)
class LearnersMeasured:
    """What so many learners took who ran one notebook at the same time, each in a kernel of their own.

    Attributes
    ----------
    date : str
        When it was measured, UTC.
    certkit, python, system : str
        The versions, and the system.
    cores : int
        Processor cores of the machine.
    machine_gib : float
        Its memory.
    load_before : float
        Processes that already wanted to run (the mean of a minute), so that slow times explain themselves; -1 if unknown.
    notebook : str
        What they ran: every code cell.
    learners, right : int
        How many kernels, and in how many every cell ran to its end, with its assertions.
    ready_s_median, ready_s_slowest : float
        Seconds from the start of all kernels until one answered.
    run_s_median, run_s_slowest : float
        Seconds from the common start until one had run the notebook.
    learner_mib_median, learner_mib_most : float
        Memory of one kernel and what it started (the Java worker), taken when all had finished and none had ended: its
        proportional share where the system tells it (Linux), else its own part.
    together_mib : float
        The sum of all.
    server_mib, server_ready_s : float
        One JupyterLab server: what a learner has beside the kernel on a hub, or a whole machine has once.
    wrong : str
        The first error, if there was one.
    """

    date: str
    certkit: str
    python: str
    system: str
    cores: int
    machine_gib: float
    load_before: float
    notebook: str
    learners: int
    right: int
    ready_s_median: float
    ready_s_slowest: float
    run_s_median: float
    run_s_slowest: float
    learner_mib_median: float
    learner_mib_most: float
    together_mib: float
    server_mib: float
    server_ready_s: float
    wrong: str = ""

    def __str__(self) -> str:
        """Return the figures as sentences."""
        told = f"{self.right} of {self.learners} were right" + (f"; {self.wrong}" if self.wrong else "")
        return (
            f"{count(self.learners, 'learner')} ran {self.notebook} at the same time: {told}\n"
            f"  machine       {self.cores} cores, {self.machine_gib:g} GiB, load before {self.load_before:g}\n"
            f"  kernel ready  {self.ready_s_median:g} s, the slowest {self.ready_s_slowest:g} s\n"
            f"  notebook run  {self.run_s_median:g} s, the slowest {self.run_s_slowest:g} s\n"
            f"  memory        {self.learner_mib_median:g} MiB a learner, the most {self.learner_mib_most:g}; "
            f"together {self.together_mib:g} MiB\n"
            f"  on a hub      and {self.server_mib:g} MiB for each learner's server, "
            f"which takes {self.server_ready_s:g} s to start"
        )


@dataclass(frozen=True)
class _Run:
    ready: float
    ran: float
    memory: float
    wrong: str


def measure_learners(number: int = 20, notebook: Path | None = None) -> LearnersMeasured:
    """Start `number` kernels, let all of them run a notebook at the same moment, and measure.

    Nothing of the user's is read or written: the kernels have a home, a history and a progress file of their own,
    which are gone afterwards.

    Parameters
    ----------
    number : int
        How many learners, 1 to 500.
    notebook : Path, optional
        The notebook; 03 of the series if not given.

    Raises
    ------
    ArgumentError
        If the number is none of these.
    """
    if not 1 <= number <= _MOST:
        raise ArgumentError(
            "this number of learners cannot be measured", on=number, hint=f"give one from 1 to {_MOST}"
        )
    path = share("notebooks") / NOTEBOOK if notebook is None else notebook
    cells = [
        "".join(cell["source"])
        for cell in json.loads(path.read_text("utf-8"))["cells"]
        if cell["cell_type"] == "code"
    ]
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else -1.0
    with minded_folder("certkit-learners-") as home:
        runs = _run_together(cells, number, home)
        server_mib, server_ready = _measure_server(home)
    memory = [run.memory for run in runs]
    return LearnersMeasured(
        date=datetime.now(UTC).strftime("%Y-%m-%d"),
        certkit=version("certkit"),
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        cores=os.cpu_count() or 1,
        machine_gib=round(psutil.virtual_memory().total / 1024**3, 1),
        load_before=round(load, 1),
        notebook=path.name,
        learners=number,
        right=sum(not run.wrong for run in runs),
        ready_s_median=round(statistics.median(run.ready for run in runs), 1),
        ready_s_slowest=round(max(run.ready for run in runs), 1),
        run_s_median=round(statistics.median(run.ran for run in runs), 1),
        run_s_slowest=round(max(run.ran for run in runs), 1),
        learner_mib_median=round(statistics.median(memory)),
        learner_mib_most=round(max(memory)),
        together_mib=round(sum(memory)),
        server_mib=round(server_mib),
        server_ready_s=round(server_ready, 1),
        wrong=min((run.wrong for run in runs if run.wrong), key=lambda said: said == _ALONE, default=""),
    )


def learners_csv(numbers: tuple[int, ...] = (1, 5, 10, 20)) -> str:
    """Return the table of ``data/learners.csv``: a row for each number of learners."""
    stream = io.StringIO()
    table = csv.DictWriter(stream, [each.name for each in fields(LearnersMeasured)], lineterminator="\n")
    table.writeheader()
    table.writerows(asdict(measure_learners(number)) for number in numbers)
    return stream.getvalue()


def _run_together(cells: list[str], number: int, home: Path) -> list[_Run]:
    # Two meetings: all start when all are ready, and none ends before all were weighed.
    meeting = threading.Barrier(number)
    with ThreadPoolExecutor(number) as pool:
        waiting = [pool.submit(_learner, cells, _own_places(home / str(n)), meeting) for n in range(number)]
        return [each.result() for each in waiting]


def _own_places(home: Path) -> dict[str, str]:
    """Make a learner's home and return the environment that leads there."""
    home.mkdir(mode=0o700)
    names = ("CERTKIT_HOME", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")
    return {**os.environ, "HOME": str(home), **{name: str(home / name.lower()) for name in names}}


def _learner(cells: list[str], env: dict[str, str], meeting: threading.Barrier) -> _Run:
    from jupyter_client.kernelspec import KernelSpecManager  # noqa: PLC0415 - only where kernels are wanted
    from jupyter_client.manager import KernelManager  # noqa: PLC0415

    # No folders of kernels: so "python3" is this Python, whatever the user has installed under that name.
    kernel = KernelManager(kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
    client = None
    wrong, ready, ran, memory = "", 0.0, 0.0, 0.0
    start = time.monotonic()
    try:
        kernel.start_kernel(env=env, cwd=env["HOME"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        client = kernel.client()
        client.start_channels()
        client.wait_for_ready(_READY_SECONDS)
        ready = time.monotonic() - start
        meeting.wait()
        start = time.monotonic()
        for cell in cells:
            reply = client.execute(cell, reply=True, timeout=_CELL_SECONDS)["content"]
            if reply["status"] != "ok":
                wrong = f"{reply.get('ename')}: {reply.get('evalue')} in {cell.splitlines()[0]!r}"
                break
        ran = time.monotonic() - start
        meeting.wait()
        memory = _memory(psutil.Process(getattr(kernel.provisioner, "pid", None)))
        meeting.wait()
    except threading.BrokenBarrierError:
        wrong = wrong or _ALONE
    except (RuntimeError, OSError, TimeoutError, psutil.Error) as error:
        meeting.abort()  # the others measure on nothing
        wrong = wrong or f"{type(error).__name__}: {error}"
    finally:
        if client is not None:
            client.stop_channels()
        kernel.shutdown_kernel(now=True)
        kernel.cleanup_resources()
    return _Run(ready, ran, memory, wrong)


def _memory(process: psutil.Process) -> float:
    """Return MiB of a process and its descendants: shared pages counted once among those who share them."""
    total = 0.0
    for each in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            told = each.memory_full_info()
            total += getattr(told, "pss", told.uss)
    return total / _MIB


@contextlib.contextmanager
def _server(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    env = _own_places(home / "server")
    command = [sys.executable, "-m", "certkit._lab", "--no-browser", "--ServerApp.port=0"]
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command, env=env, cwd=env["HOME"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _measure_server(home: Path) -> tuple[float, float]:
    """Return MiB and start-up seconds of one JupyterLab server, without a kernel."""
    start = time.monotonic()
    with _server(home) as process:
        noted = home / "server" / "jupyter_runtime_dir" / f"jpserver-{process.pid}.json"
        while not noted.exists():
            if process.poll() is not None or time.monotonic() - start > _READY_SECONDS:
                raise CertkitError(
                    "JupyterLab did not start", on="certkit lab", hint="start it alone and read what it says"
                )
            time.sleep(0.05)
        return _memory(psutil.Process(process.pid)), time.monotonic() - start
