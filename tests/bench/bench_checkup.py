"""The checkup's rate beside sslyze's `certificate_info`, on loopback, and a thousand targets with few descriptors.

sslyze and this project's cryptography do not fit into one environment: give the Python of another one, with
sslyze in it, as CERTKIT_SSLYZE; without it, only our own rate is printed.
"""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import subprocess
import time
from pathlib import Path

import certkit as ck

_SSLYZE = """
import sys, time
from sslyze import (Scanner, ScanCommand, ServerNetworkLocation, ServerScanRequest, ServerNetworkConfiguration)
ports, name, roots = [int(p) for p in sys.argv[1].split(",")], sys.argv[2], sys.argv[3]
scanner = Scanner(per_server_concurrent_connections_limit=5, concurrent_server_scans_limit=10)
start = time.perf_counter()
scanner.queue_scans([
    ServerScanRequest(
        server_location=ServerNetworkLocation(hostname=name, port=port, ip_address="127.0.0.1"),
        scan_commands={ScanCommand.CERTIFICATE_INFO},
    )
    for port in ports
])
done = sum(result.scan_result is not None for result in scanner.get_results())
print(done / (time.perf_counter() - start))
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
        ours, theirs = [], []
        for _ in range(3):
            start = time.perf_counter()
            assert all(item.ok for item in ck.check_servers(targets, **options))
            ours.append(len(targets) / (time.perf_counter() - start))
            if other := os.environ.get("CERTKIT_SSLYZE"):
                command = [
                    other,
                    "-c",
                    _SSLYZE,
                    ",".join(item.rpartition(":")[2] for item in targets[:20]),
                    str(scenario.client.host),
                    "",
                ]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                theirs.append(float(done.stdout.split()[-1]))
        ours.sort()
        theirs.sort()
        words = f"\ncheckup of {len(targets)} servers: {ours[1]:.0f} a second"
        if theirs:
            words += f", sslyze certificate_info {theirs[1]:.1f} a second, ratio {ours[1] / theirs[1]:.1f} (goal 8)"
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
