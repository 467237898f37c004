"""The checkup's rate beside sslyze's `certificate_info`, on loopback, and a thousand targets with few descriptors.

sslyze and this project's cryptography do not fit into one environment: give the Python of another one, with
sslyze in it, as CERTKIT_SSLYZE; without it, only our own rate is printed. On a machine that does other things
too, the rates differ from round to round; the processor time that each needs for a server hardly does.

Both get the same list and their own defaults: sixteen servers at once for the checkup, ten for sslyze, which makes
several connections to each.
"""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import subprocess
import time
from pathlib import Path
from statistics import median

import certkit as ck

_SSLYZE = """
import sys, time
from sslyze import Scanner, ScanCommand, ServerNetworkLocation, ServerScanRequest
ports, name, roots = [int(p) for p in sys.argv[1].split(",")], sys.argv[2], sys.argv[3]
scanner = Scanner()
start, used = time.perf_counter(), time.process_time()
scanner.queue_scans([
    ServerScanRequest(
        server_location=ServerNetworkLocation(hostname=name, port=port, ip_address="127.0.0.1"),
        scan_commands={ScanCommand.CERTIFICATE_INFO},
    )
    for port in ports
])
done = sum(result.scan_result is not None for result in scanner.get_results())
print(done / (time.perf_counter() - start), (time.process_time() - used) / done)
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def wait_for(port: int) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)


def test_the_rate_beside_sslyze(tmp_path: Path) -> None:
    scenario = ck.good_scenario()
    pem = tmp_path / "server.pem"
    pem.write_bytes(scenario.server.credential.key.to_pem() + scenario.server.credential.chain.pem.encode())
    pem.chmod(0o600)
    (tmp_path / "roots.pem").write_text(scenario.client.anchors.pem)
    # OpenSSL's own servers, in C: neither of the two clients shall wait for Python on the other side.
    quiet = subprocess.DEVNULL
    ports = [free_port() for _ in range(4)]
    command = ["openssl", "s_server", "-quiet", "-cert", str(pem), "-cert_chain", str(pem), "-accept"]
    servers = [
        subprocess.Popen(
            [*command, f"127.0.0.1:{port}"],
            stdin=subprocess.PIPE,
            stdout=quiet,
            stderr=quiet,
        )
        for port in ports
    ]
    try:
        for port in ports:
            wait_for(port)
        targets = [f"127.0.0.1:{ports[number % 4]}" for number in range(60)]
        options = {
            "anchors": scenario.client.anchors,
            "name": scenario.client.host,
            "versions": False,
            "workers": 16,
        }
        list(ck.check_servers(targets[:4], **options))
        ours: list[tuple[float, float]] = []
        theirs: list[tuple[float, float]] = []
        for _ in range(5):
            start, used = time.perf_counter(), time.process_time()
            assert all(item.ok for item in ck.check_servers(targets, **options))
            rate = len(targets) / (time.perf_counter() - start)
            ours.append((rate, (time.process_time() - used) / len(targets)))
            if other := os.environ.get("CERTKIT_SSLYZE"):
                ports_asked = ",".join(item.rpartition(":")[2] for item in targets)
                command = [other, "-c", _SSLYZE, ports_asked, str(scenario.client.host), ""]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                rate, cost = (float(number) for number in done.stdout.split()[-2:])
                theirs.append((rate, cost))
        rate, cost = (median(numbers) for numbers in zip(*ours, strict=True))
        words = f"\ncheckup of {len(targets)} servers: {rate:.0f} a second, {cost * 1000:.1f} ms of processor each"
        if theirs:
            pairs = list(zip(ours, theirs, strict=True))
            words += (
                f"; sslyze certificate_info {median(item[0] for item in theirs):.1f} a second,"
                f" {median(item[1] for item in theirs) * 1000:.0f} ms;"
                f" ratio {median(a[0] / b[0] for a, b in pairs):.1f} in rate (goal 8),"
                f" {median(b[1] / a[1] for a, b in pairs):.1f} in processor time"
            )
        print(words, end="")
    finally:
        for server in servers:
            server.kill()
            server.communicate()


def test_a_thousand_targets() -> None:
    scenario = ck.good_scenario()
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ck.UserService(scenario.server) as service:
        options = {"anchors": scenario.client.anchors, "name": scenario.client.host, "versions": False}
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        try:
            start = time.perf_counter()
            good = sum(
                item.ok
                for item in ck.check_servers([f"127.0.0.1:{service.port}"] * 1000, workers=32, **options)
            )
            seconds = time.perf_counter() - start
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    assert good == 1000
    print(
        f"\n1,000 targets with 256 descriptors, client and server in one process: {seconds:.1f} s, {memory} MB",
        end="",
    )
