"""Mutated files of every format: a handful in each run, 10,000 of each with ``CERTKIT_FUZZ=10000``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("mutations.py")
COUNT = int(os.environ.get("CERTKIT_FUZZ", "60"))


@pytest.mark.skipif(sys.platform == "win32", reason="memory is measured by the resource module")
def test_no_mutated_file_hangs_or_crashes() -> None:
    # A process of its own: its memory is what the readers took, and not what pytest holds.
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(COUNT)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    report = json.loads(done.stdout)
    assert len(report["formats"]) == 18
    assert all(counts["read"] + counts["refused"] == COUNT for counts in report["formats"].values())
    assert all(counts["refused"] for counts in report["formats"].values()), report
    assert report["slowest"] < 1, report
    assert report["megabytes"] < 200, report
