"""Nothing leaves this machine: the lab runs in a network of its own whose only way out is watched, child processes too."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.notebook,
    pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0 or not (shutil.which("unshare") and shutil.which("ip")),
        reason="needs a network of its own: root on Linux, with unshare and ip",
    ),
]
# Every way out is the loopback device, where it can be seen: a question for a name goes by here as well.
NETWORK = """
ip link set lo up
ip address add 192.0.2.2/32 dev lo
ip route add default dev lo src 192.0.2.2
exec "$@"
"""
WATCH = """
import ipaddress, json, socket, sys, threading
seen = set()
tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
tap.bind(("lo", 0))
def look():
    while True:
        packet = tap.recv(65536)
        start, end = {b"\\x08\\x00": (30, 34), b"\\x86\\xdd": (38, 54)}.get(packet[12:14], (0, 0))
        if end and not ipaddress.ip_address(packet[start:end]).is_loopback:
            seen.add(str(ipaddress.ip_address(packet[start:end])))
threading.Thread(target=look, daemon=True).start()
def work():
WORK
try:
    told = work()
finally:
    import time
    time.sleep(0.5)
    print(json.dumps({"seen": sorted(seen), "told": told}))
"""


def watched(work: str, tmp_path: Path) -> dict[str, object]:
    """Run some lines in that network; return what they return, and the addresses to which packets went."""
    body = "".join(f"    {line}\n" for line in work.strip().splitlines())
    script = tmp_path / "work.py"
    script.write_text(WATCH.replace("WORK\n", body))
    command = ["unshare", "--net", "sh", "-c", NETWORK, "sh", sys.executable, str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    if "unshare failed" in done.stderr or "Operation not permitted" in done.stderr:
        pytest.skip("this machine gives no network of its own: " + done.stderr.strip()[-100:])
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_a_packet_would_be_seen(tmp_path: Path) -> None:
    work = """
import subprocess, sys
code = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('198.51.100.7', 53))"
return subprocess.run([sys.executable, "-c", code]).returncode
"""
    assert watched(work, tmp_path) == {"seen": ["198.51.100.7"], "told": 0}


def test_the_lab_sends_nothing(tmp_path: Path) -> None:
    """A notebook in its kernel with Java, a JupyterLab server, and every client stack that is installed here."""
    work = """
import certkit as ck
from certkit._learners import measure_learners
from certkit.atlas import ask_stack
from certkit.stacks.clients import list_stacks
measured = measure_learners(1)
scenario = ck.good_scenario(two_way=True, host="localhost")
return [measured.right, {item.name: ask_stack(item.name, scenario).outcome for item in list_stacks()}]
"""
    found = watched(work, tmp_path)
    right, outcomes = found["told"]  # type: ignore[misc]
    assert right == 1
    assert outcomes["python"] == "accepted"
    assert set(outcomes.values()) <= {"accepted", "not-installed", "not-applicable"}
    assert found["seen"] == []
