"""Explaining, as ratios in one run: a message, and a log of a megabyte beside reading it word by word."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import certkit as ck

MESSAGE = (
    "javax.net.ssl.SSLHandshakeException: PKIX path building failed:"
    " unable to find valid certification path to requested target"
)
LINE = (
    "2024-01-01 10:00:00,{:03} INFO [main] com.acme.Service - request {} took {} ms, path /api/v1/orders/{}\n"
)


def cpu(work: Callable[[], object], rounds: int) -> float:
    """Return the median of the processor's seconds: a busy machine does not disturb them much."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times)


def test_a_message_and_a_megabyte() -> None:
    log = "".join(LINE.format(number % 1000, number, number % 97, number) for number in range(11_000))
    log = log[:1_000_000] + f"\nCaused by: {MESSAGE}\n"
    ck.explain(MESSAGE)
    words = cpu(lambda: set(log.lower().split()), 5)
    message, megabyte = cpu(lambda: ck.explain(MESSAGE), 20), cpu(lambda: ck.explain(log), 5)
    print(
        f"\nexplain: a message {message * 1000:.1f} ms; 1 MB {megabyte * 1000:.0f} ms, {megabyte / words:.1f} times its words"
    )
    assert message < 0.005
    assert megabyte < 0.2 or megabyte / words < 8
