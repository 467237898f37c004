"""Long use, compressed: work repeated, and what a process holds before and after."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import ipywidgets
import psutil

import certkit as ck


@dataclass(frozen=True)
class Held:
    """What a process holds: memory that is its own (KiB), Python objects, threads, descriptors, children."""

    memory: int
    objects: int
    threads: int
    descriptors: int
    children: int

    @classmethod
    def now(cls) -> Held:
        for _ in range(3):
            gc.collect()
        _give_back()
        process = psutil.Process()
        descriptors = process.num_fds() if hasattr(process, "num_fds") else process.num_handles()
        memory = process.memory_full_info().uss // 1024
        children = len(process.children(recursive=True))
        return cls(memory, len(gc.get_objects()), threading.active_count(), descriptors, children)


def _give_back() -> None:
    """Let the allocator of Linux give back what is free in it, else the memory of a moment counts for ever."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


class Work:
    """Something that is done again and again; `settled` waits until nothing of it is on its way."""

    def __init__(self, again: Callable[[int], object], settled: Callable[[], object] = bool) -> None:
        self.again, self.settled = again, settled

    def soak(self, rounds: int, warm: int) -> list[str]:
        """Do it `warm` times, so that caches are full and modules loaded, then `rounds` more; return what grew."""
        for n in range(warm):
            self.again(n)
        self.settled()
        before = Held.now()
        for n in range(rounds):
            self.again(warm + n)
        self.settled()
        after = Held.now()
        print(f"{rounds} rounds: {before} -> {after}")
        return growth(before, after, rounds)


# ipykernel opens a channel for each thread that shows something, and closes it when the collector finds it.
ALLOWED = {"threads": 0, "descriptors": 16, "children": 0}


def growth(before: Held, after: Held, rounds: int) -> list[str]:
    """Return what grew: a thread or child more, more descriptors than the kernel uses, objects or memory a round."""
    grew = [
        f"{name}: {getattr(before, name)} -> {getattr(after, name)}"
        for name, more in ALLOWED.items()
        if getattr(after, name) > getattr(before, name) + more
    ]
    # One object a round is a leak; a few in all are a cache that was not full yet.
    if after.objects - before.objects > max(200, rounds // 2):
        grew.append(f"objects: {before.objects} -> {after.objects} in {rounds} rounds")
    # Pages are freed as a whole or not at all: 4 MiB in all, and a KiB a round.
    if after.memory - before.memory > 4096 + rounds:
        grew.append(f"memory: {before.memory} -> {after.memory} KiB in {rounds} rounds")
    return grew


def handshakes() -> Work:
    """Return work that shakes hands in every way in turn: good and broken, new certificates each time."""
    ca = ck.CertificateAuthority("Soak Root CA").intermediate("Soak Issuing CA")
    faults = [ck.find_fault(name) for name in ("expired-leaf", "untrusted-root", "client-cert-missing")]

    def work(n: int) -> object:
        tls = ("1.2", "1.3")[n % 2]
        if n % 5 == 4:
            return repr(faults[n // 5 % len(faults)].run(tls)._repr_html_())
        server, client = (
            ca.issue("shop.example.test", usage="server"),
            ca.issue("Acme CRM", usage="client", key="p256"),
        )
        security = ck.ServerConfig(server, client_anchors=ca.trust_store if n % 2 else None)
        run = ck.handshake(ck.ClientConfig(ca.trust_store, client, host="shop.example.test"), security, tls)
        assert run.ok
        return run._repr_html_()

    return Work(work)


def callouts() -> Work:
    """Return work over real sockets: a service started, called through a wiretap and a proxy, and stopped."""
    scenario = ck.good_scenario(two_way=True)

    def work(n: int) -> object:
        with (
            ck.UserService(scenario.server) as service,
            ck.Wiretap(service) as tap,
            ck.ForwardProxy() as proxy,
        ):
            caller = scenario.client if n % 3 else scenario.client.with_credential(None)
            result = ck.call_update_user(tap.url, "u-1001", "Inactive", caller)
            ck.call_update_user(service.url, "u-1001", "Active", caller, proxy=proxy.url)
            return (result._repr_html_(), tap.conversation()._repr_html_(), service.log._repr_html_())

    return Work(work)


def controls(widget: Any) -> Iterator[Any]:
    """Yield every control in a lab, as it is now: a change may bring others."""
    for child in getattr(widget, "children", ()):
        yield from controls(child)
    if isinstance(
        widget,
        ipywidgets.Dropdown
        | ipywidgets.Select
        | ipywidgets.ToggleButtons
        | ipywidgets.Checkbox
        | ipywidgets.Button
        | ipywidgets.Textarea
        | ipywidgets.Text
        | ipywidgets.SelectionSlider
        | ipywidgets.IntSlider,
    ):
        yield widget


MESSAGES = (
    "certificate verify failed: certificate has expired (_ssl.c:1002)",
    "Received fatal alert: unknown_ca",
    "DerInputStream.getLength(): lengthTag=109, too big.",
    "nothing that anybody knows",
)


def use(lab: Any, n: int, choose: random.Random) -> None:
    """Change the n-th control of a lab, as somebody would who tries each in turn."""
    found = [each for each in controls(lab) if not getattr(each, "disabled", False)]
    control = found[n % len(found)]
    if isinstance(control, ipywidgets.Button):
        control.click()
    elif isinstance(control, ipywidgets.Checkbox):
        control.value = not control.value
    elif isinstance(control, ipywidgets.Textarea | ipywidgets.Text):
        control.value = choose.choice(MESSAGES)
    elif isinstance(control, ipywidgets.IntSlider):
        control.value = choose.randint(control.min, control.max)
    elif len(control.options):
        control.index = choose.randrange(len(control.options))


def labs(stacks: bool = True) -> Work:
    """Return work that uses every lab through every control, in turn, with choices drawn from a seed.

    Without `stacks`, no other client stack is chosen in the handshake lab: their programs take seconds.
    """
    choose = random.Random("labs")
    shake = ck.HandshakeLab()
    every = [shake, ck.ChainLab(), ck.ErrorLab(), ck.ClinicLab(), ck.FileLab()]

    def settled() -> None:
        while shake._busy:
            assert shake._asking is not None
            shake._asking.join()

    # The Java worker stays once it was asked: so it is asked before anything is counted.
    shake._stack.value = "java-socket" if stacks else "python"
    shake._stack.disabled = not stacks
    settled()
    return Work(lambda n: use(every[n % len(every)], n // len(every), choose), settled)
