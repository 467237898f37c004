"""The coverage-guided fuzzer: ``make fuzz``, ``make fuzz TIME=600``, ``make fuzz ARGS="keystore explain" TIME=3600``.

Each target of `fuzz.targets` gets a process of its own with libFuzzer (atheris) in it, starts from good files, from past
findings and from what earlier runs reached (``build/fuzz/NAME``), and goes on after a finding, so that one run shows all
there is. A finding is an exception that is no CertkitError, or an input that takes more than five seconds of processor
time. It is kept in ``build/fuzz/findings/NAME``: mend it, and move the smallest input into ``tests/fuzz/corpus/NAME``,
which every run of the tests replays.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import time
import traceback
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "fuzz"
FINDINGS = WORK / "findings"
SLOW_SECONDS = 5.0


def fuzz(name: str, seconds: int, runs: int) -> None:
    """Fuzz one target in this process; libFuzzer ends it."""
    import atheris

    with atheris.instrument_imports(include=["certkit"]):
        from fuzz.targets import targets

        target = targets()[name]
    warnings.simplefilter("error")
    reached = WORK / name
    reached.mkdir(parents=True, exist_ok=True)
    for data in (*target.seeds(), *(path.read_bytes() for path in target.corpus())):
        (reached / hashlib.sha1(data).hexdigest()).write_bytes(data)
    known: set[str] = set()

    def one(data: bytes) -> None:
        before = time.process_time()
        try:
            target(data)
        except Exception as error:
            keep(name, data, f"{type(error).__name__} at {_place(error)}", known)
        if time.process_time() - before > SLOW_SECONDS:
            keep(name, data, "slow", known)

    options = [
        f"-max_total_time={seconds}",
        f"-runs={runs}",
        "-timeout=60",
        "-rss_limit_mb=3000",
        "-max_len=20000",
    ]
    options += [f"-artifact_prefix={_folder(name)}/", "-print_final_stats=1", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *options, str(reached)], one)
    atheris.Fuzz()


def _place(error: Exception) -> str:
    """Return the innermost place of the house that an exception passed: one finding a place."""
    frames = [
        item for item in traceback.extract_tb(error.__traceback__) if "certkit" in Path(item.filename).parts
    ]
    frames = frames or traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}"


def _folder(name: str) -> Path:
    folder = FINDINGS / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def keep(name: str, data: bytes, what: str, known: set[str]) -> None:
    """Write a finding down, once a place; the smallest input wins."""
    path = _folder(name) / what.replace(" ", "-").replace(":", "-")
    if path.exists() and path.stat().st_size <= len(data):
        return
    path.write_bytes(data)
    if what not in known:
        known.add(what)
        print(f"FOUND {name}: {what}, {len(data)} bytes", flush=True)
        traceback.print_exc()


def main(arguments: list[str]) -> int:
    """Fuzz the targets named, or all, some at a time; return 1 if there are findings."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", help="targets; all of them without names")
    parser.add_argument(
        "--time", type=int, default=int(os.environ.get("TIME", "60")), help="seconds a target (60)"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="targets at the same time")
    parser.add_argument(
        "--runs", type=int, default=-1, help="inputs a target; no bound but the time by default"
    )
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    sys.path.insert(0, str(ROOT / "tests"))
    if asked.one:
        fuzz(asked.names[0], asked.time, asked.runs)
        return 0
    from fuzz.targets import targets

    waiting = asked.names or list(targets())
    unknown = set(waiting) - set(targets())
    if unknown:
        parser.error(f"no such target: {', '.join(sorted(unknown))}; there are {', '.join(targets())}")
    running: dict[str, subprocess.Popen[str]] = {}
    print(f"fuzzing {len(waiting)} parsers, {asked.time} s each, {asked.jobs} at a time", flush=True)
    while waiting or running:
        while waiting and len(running) < asked.jobs:
            name = waiting.pop(0)
            log = _folder(name).parent.parent / f"{name}.log"
            with log.open("w") as stream:
                command = [
                    sys.executable,
                    __file__,
                    name,
                    "--one",
                    "--time",
                    str(asked.time),
                    "--runs",
                    str(asked.runs),
                ]
                running[name] = subprocess.Popen(command, stdout=stream, stderr=stream, text=True)
        time.sleep(0.5)
        for name, process in list(running.items()):
            if process.poll() is not None:
                del running[name]
                _report(name, process.returncode)
    found = [path for path in FINDINGS.rglob("*") if path.is_file()]
    print(f"{len(found)} findings" + "".join(f"\n  {path.relative_to(ROOT)}" for path in found))
    return 1 if found else 0


def _report(name: str, code: int) -> None:
    log = (WORK / f"{name}.log").read_text("utf-8", "replace")
    facts = dict(
        line.removeprefix("stat::").split(":", 1) for line in log.splitlines() if line.startswith("stat::")
    )
    units = facts.get("number_of_executed_units", "?").strip()
    found = sorted(path.name for path in _folder(name).iterdir())
    state = "ended early, see the log" if code else "done"
    print(f"{name:15} {units:>9} inputs, {state}; {len(found)} findings {', '.join(found)}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
