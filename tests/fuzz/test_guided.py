"""The guided fuzzer runs, goes on after a finding, keeps it and says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("atheris", reason="make fuzz installs it, where there is one")
SCRIPT = Path(__file__).with_name("guided.py")

# A parser that was made to fail: guidance has to find the four bytes, which chance would not.
PLANTED = """
import sys
sys.path[:0] = sys.argv[1:3]
from pathlib import Path
from fuzz import guided, targets
from fuzz.targets import Target
guided.WORK, guided.FINDINGS = Path(sys.argv[3]), Path(sys.argv[3]) / "findings"
import planted
targets.targets = lambda: {"planted": Target("planted", planted.read, lambda: [b"seed", b"0123"])}
guided.fuzz("planted", 60, 100_000)
"""
PARSER = """
def read(data):
    if data[:1] == b"f":
        if data[1:2] == b"u":
            if data[2:3] == b"z":
                raise ZeroDivisionError
"""


def test_it_finds_what_was_planted_and_goes_on(tmp_path: Path) -> None:
    (tmp_path / "planted.py").write_text(PARSER)
    code = PLANTED.replace(
        "import planted", "import atheris\nwith atheris.instrument_imports():\n    import planted"
    )
    paths = [str(SCRIPT.parent.parent), str(tmp_path), str(tmp_path / "work")]
    done = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    (found,) = (tmp_path / "work" / "findings" / "planted").iterdir()
    assert found.name == "ZeroDivisionError-at-planted.py-6"
    assert found.read_bytes().startswith(b"fuz")
    assert "number_of_executed_units: 100000" in done.stderr


def test_a_real_parser_is_fuzzed_by_its_name() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "no-such"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "no such target: no-such; there are keystore, convert" in done.stderr
