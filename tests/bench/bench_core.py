"""Ratios measured in one run: handshakes, imports, issuing, a click in the lab. `make bench` prints them."""

from __future__ import annotations

import ssl
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from unittest import mock

import certkit as ck
from certkit.handshakes import run as handshake_run
from certkit.handshakes._recording import Recorder


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def paired(first: Callable[[], object], second: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Return the medians of two pieces of work, run in turn so that a busy machine disturbs both."""
    for work in (first, second):
        work()
    pairs = [(seconds(first), seconds(second)) for _ in range(rounds)]
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)


class _Deaf(Recorder):
    """Hears nothing: what the handshake costs without recording."""

    def attach(self, context: ssl.SSLContext, side: str, *, alone: bool = False) -> None:
        pass


def runner(scenario: ck.Scenario, recorder: type[Recorder]) -> Callable[[], object]:
    """Return the handshake of a scenario with contexts built beforehand, so that only the handshake is timed."""
    contexts = {side: getattr(scenario, side).context(scenario.tls) for side in ("client", "server")}

    def shake() -> None:
        with (
            mock.patch.object(handshake_run, "Recorder", recorder),
            mock.patch.object(ck.ClientConfig, "context", lambda *_: contexts["client"]),
            mock.patch.object(ck.ServerConfig, "context", lambda *_: contexts["server"]),
        ):
            ck.handshake(scenario.client, scenario.server, scenario.tls)

    return shake


def test_recording_a_handshake() -> None:
    for tls in ("1.2", "1.3"):
        for two_way in (False, True):
            scenario = ck.good_scenario(two_way=two_way, tls=tls)
            recorded, without = paired(runner(scenario, Recorder), runner(scenario, _Deaf), 80)
            way = "two-way" if two_way else "one-way"
            print(
                f"\nhandshake TLS {tls} {way}: recorded {recorded * 1e3:.2f} ms, bare {without * 1e3:.2f} ms, "
                f"ratio {recorded / without:.2f} (goal 1.3)",
                end="",
            )


def test_importing_certkit() -> None:
    def started(module: str) -> None:
        subprocess.run([sys.executable, "-c", f"import {module}"], check=True)

    ours, theirs = paired(lambda: started("certkit"), lambda: started("cryptography.x509"), 9)
    print(
        f"\nimport certkit {ours * 1e3:.0f} ms, cryptography.x509 {theirs * 1e3:.0f} ms, ratio {ours / theirs:.2f} (goal 1.3)"
    )


def test_issuing_a_thousand_leaves() -> None:
    def issue() -> None:
        ca = ck.CertificateAuthority("Root").intermediate("Issuing")
        for number in range(1000):
            ca.issue(f"host{number}.example.test", usage="server")

    issue()
    start = time.process_time()
    issue()
    print(f"\n1,000 leaves, P-256: {time.process_time() - start:.2f} s of CPU (goal 0.5)")


def test_a_click_in_the_lab() -> None:
    lab = ck.HandshakeLab(two_way=True)
    fault = next(control for control in lab._controls if "ck-fault" in control._dom_classes)
    names = [item.id for item in ck.list_faults()]
    times = [seconds(lambda name=name: setattr(fault, "value", name)) for name in names * 5]
    print(
        f"\nhandshake lab, from choice to new picture in the kernel: median {statistics.median(times) * 1e3:.1f} ms (goal 200)"
    )


def test_a_change_in_the_other_labs() -> None:
    chain = ck.ChainLab()
    days = next(control for control in chain._controls if "ck-days" in control._dom_classes)
    moved = [seconds(lambda day=day: setattr(days, "value", day)) for day in range(1, 40)]
    error = ck.ErrorLab()
    text = next(control for control in error._controls if "ck-message" in control._dom_classes)

    def paste(number: int) -> None:
        text.value = f"certificate verify failed: certificate has expired (_ssl.c:{number})"
        error._explain()

    pasted = [seconds(lambda number=number: paste(number)) for number in range(1000, 1040)]
    chains, errors = (statistics.median(times) * 1e3 for times in (moved, pasted))
    print(f"\nchain lab {chains:.1f} ms, error lab {errors:.1f} ms, medians (goal 200)")
