"""What a fault costs: in memory, and 25 of them with the real Java; each beside something to compare with."""

from __future__ import annotations

import statistics
import time

import pytest

import certkit as ck
from certkit.atlas import measure_atlas
from certkit.stacks.java import java_available, java_worker


def test_a_fault_in_memory() -> None:
    good = ck.good_scenario()
    faults = [item for item in ck.list_faults() if item.scenario().road.in_memory]
    times, bare = [], []
    for fault in faults:
        for tls in fault.tls:
            scenario = fault.scenario(tls)
            start = time.perf_counter()
            scenario.run()
            middle = time.perf_counter()
            good.run()
            times.append(middle - start)
            bare.append(time.perf_counter() - middle)
    ours, plain = statistics.median(times), statistics.median(bare)
    print(
        f"\n{len(times)} faults in memory: median {ours * 1e3:.1f} ms (goal 10), {ours / plain:.2f} of a good run",
        end="",
    )


@pytest.mark.skipif(not java_available(), reason="needs the java extra")
def test_twenty_five_java_scenarios() -> None:
    names = [item.id for item in ck.list_faults() if not item.two_way and item.scenario().road.in_memory][:13]
    java_worker().close()
    start = time.perf_counter()
    java = measure_atlas(names, ["java-socket"], workers=1)
    middle = time.perf_counter()
    python = measure_atlas(names, ["python"], workers=1)
    took, other = middle - start, time.perf_counter() - middle
    print(
        f"\n{len(java)} Java scenarios: {took:.1f} s, the worker's start included (goal 4 s for 25); "
        f"{len(python)} Python ones: {other:.1f} s",
        end="",
    )
