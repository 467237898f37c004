"""Client stacks: found or skipped by name, ended when they hang or overflow, nothing of the user's touched."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from certkit.errors import ArgumentError
from certkit.faults import find_fault, good_scenario
from certkit.faults._stage import set_stage
from certkit.stacks.call import MAX_OUTPUT, Answer, Call, Done, Stack, run_program
from certkit.stacks.clients import find_stack, list_stacks

PYTHON = sys.executable
INSTALLED = [
    pytest.param(item, marks=pytest.mark.java if item.name.startswith("java") else ())
    for item in list_stacks()
]


def call_of(tmp_path: Path, **changes: object) -> Call:
    return Call("localhost", 9, tmp_path, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("stack", INSTALLED, ids=lambda item: item.name)
def test_the_good_server_is_accepted_and_the_stranger_is_not(stack: Stack, tmp_path: Path) -> None:
    if not stack.available():
        pytest.skip(f"{stack.name} is not installed: it comes with {stack.package}")
    from dataclasses import replace

    from certkit.atlas.measuring import write_call

    found = []
    for number, scenario in enumerate(
        (good_scenario(host="localhost"), find_fault("untrusted-root").scenario(host="localhost"))
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        with set_stage(scenario) as stage:
            found.append(stack.run(replace(write_call(scenario, folder), port=stage.port)))
    assert found[0].outcome == "accepted", found[0]
    # openssl as people type it carries on, and says so.
    assert found[1].outcome == ("accepted" if stack.name == "openssl" else "refused")
    assert stack.name == "openssl" or found[1].message
    assert stack.version() and stack.api and stack.package


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX")
def test_what_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    child = (
        "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "print(p.pid, flush=True); p.wait()"
    )
    start = time.monotonic()
    done = run_program([PYTHON, "-c", child], home=tmp_path, seconds=1.0)
    assert done.ended == "timed-out" and done.code is None
    assert time.monotonic() - start < 8
    pid = int(done.out.split()[0])
    time.sleep(0.1)
    state = Path(f"/proc/{pid}/stat")
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"


def test_megabytes_and_binary(tmp_path: Path) -> None:
    flood = "import sys\nwhile True: sys.stdout.buffer.write(bytes(range(256)) * 400)"
    done = run_program([PYTHON, "-c", flood], home=tmp_path)
    assert done.ended == "overflowed"
    assert len(done.out) < 2 * MAX_OUTPUT
    binary = run_program([PYTHON, "-c", "import os; os.write(1, bytes(range(256)))"], home=tmp_path)
    assert binary.code == 0 and "\ufffd" in binary.out


class _Noisy(Stack):
    name, api, package = "noisy", "noisy", "nobody"

    def __init__(self, program: str) -> None:
        self.program = program

    def available(self) -> bool:
        return True

    def version(self) -> str:
        return "1"

    def talk(self, call: Call) -> Answer:
        done = run_program([PYTHON, "-c", self.program], home=call.folder, seconds=2)
        return self.judge(call, done, done.out)


@pytest.mark.parametrize(
    ("program", "outcome"),
    [
        ("import time; time.sleep(60)", "timed-out"),
        ("while True: print('x' * 10000)", "overflowed"),
        ("import os; os.write(1, bytes(range(256)) * 20); raise SystemExit(3)", "refused"),
        ("raise SystemExit(1)", "refused"),
    ],
)
def test_a_row_says_so(program: str, outcome: str, tmp_path: Path) -> None:
    found = _Noisy(program).run(call_of(tmp_path, expected="never said"))
    assert found.outcome == outcome
    assert found.message and len(found.message) < 3000
    assert "\x00" not in found.message


def test_settings_of_the_user_are_not_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "SSLKEYLOGFILE", "JAVA_TOOL_OPTIONS"):
        monkeypatch.setenv(name, "http://proxy.example.test:3128")
    show = "import os; print(*sorted(os.environ)); print(os.environ['HOME'])"
    done = run_program([PYTHON, "-c", show], home=tmp_path)
    assert not {
        "https_proxy",
        "SSL_CERT_FILE",
        "NODE_EXTRA_CA_CERTS",
        "SSLKEYLOGFILE",
        "JAVA_TOOL_OPTIONS",
    } & {*done.out.split()}
    assert done.out.splitlines()[-1] == str(tmp_path)


def test_unknown_stack_names_the_nearest() -> None:
    with pytest.raises(ArgumentError, match="curl"):
        find_stack("crul")


def test_nothing_is_listening_for_the_user() -> None:
    assert (
        subprocess.run(
            [PYTHON, "-c", "import certkit.stacks.clients"], check=False, env={**os.environ}
        ).returncode
        == 0
    )
    assert Done(0, "", "").ended == ""
