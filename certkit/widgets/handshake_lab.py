"""The handshake lab: choose what is wrong, who presents what and who trusts whom; see both ends of the handshake."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import ipywidgets

from certkit._text import count
from certkit.faults import Fault, find_fault, list_faults
from certkit.handshakes import Handshake
from certkit.widgets._view import LAYOUT, STYLE, Lab
from certkit.widgets.handshake_state import AS_IS, CHOICES, LabState
from certkit.widgets.stack_answers import PYTHON, stack_options

__all__ = ["HandshakeLab", "LabState"]

NO_FAULT = "nothing is wrong"
EVERY_FAMILY = "every family"


class HandshakeLab(Lab):
    """A handshake to play with: what is wrong, who presents what, who trusts whom, TLS version, client stack.

    The ladder is Python's: both ends in memory, every message to open. Another client stack calls the same
    server for real, over a socket; until it has answered, the lab says that it is running, and can be used.

    Parameters
    ----------
    two_way : bool
        How it starts: whether the server asks for a client certificate.
    fault : str, optional
        The fault it starts with; none by default.
    tls : {"1.3", "1.2"}
        The TLS version it starts with.
    stack : str
        The client stack it starts with, e.g. ``"curl"``; see ``certkit.stacks.clients``.
    """

    def __init__(
        self, *, two_way: bool = False, fault: str | None = None, tls: str = "1.3", stack: str = PYTHON
    ) -> None:
        self.state = LabState(fault, two_way, tls, stack=stack)
        self._run = 1
        self._asking: threading.Thread | None = None
        self._lock = threading.Lock()
        self._next: tuple[LabState, int] | None = None
        self._busy = False
        faults = list_faults()
        self._family = _dropdown("Show", _families(faults), EVERY_FAMILY)
        self._fault = _dropdown("What is wrong", _options(faults), fault, width="460px")
        self._two_way = _dropdown("Authentication", [("one-way", False), ("two-way", True)], self.state.asks)
        self._tls = _dropdown("TLS version", [("1.3", "1.3"), ("1.2", "1.2")], tls)
        self._sides = {
            name: _dropdown(
                name.replace("_", " ").capitalize(), [(word, word) for word in (AS_IS, *choices)], AS_IS
            )
            for name, choices in CHOICES.items()
        }
        self._repaired = ipywidgets.Checkbox(
            value=False, description="apply the repair", indent=False, layout=LAYOUT
        )
        self._stack = _dropdown("Client stack", stack_options(), stack)
        controls = {
            "family": self._family,
            "fault": self._fault,
            "two-way": self._two_way,
            "tls": self._tls,
            **{name.replace("_", "-"): control for name, control in self._sides.items()},
            "repair": self._repaired,
            "stack": self._stack,
        }
        self._disable()
        for hook, control in controls.items():
            control.add_class(f"ck-{hook}")
            control.observe(self._changed, "value")
        super().__init__(
            list(controls.values()), ipywidgets.HTML(self.state.picture(self._run)), "ck-handshake-lab"
        )
        self._ask()

    @property
    def handshake(self) -> Handshake:
        """The handshake that is shown now."""
        return self.state.handshake

    def _changed(self, change: dict[str, Any]) -> None:
        if change["owner"] is self._family:
            self._show_family()
            return
        fault = self._fault.value
        # Another fault starts unrepaired, and without a fault there is nothing to repair.
        if self._repaired.value and (fault is None or change["owner"] is self._fault):
            self._repaired.value = False
            return
        if fault is not None and find_fault(fault).two_way and not self._two_way.value:
            if change["owner"] is self._fault:
                self._two_way.value = True
            else:
                self._fault.value = None
            return
        self.state = replace(
            self.state,
            fault=fault,
            two_way=self._two_way.value,
            tls=self._tls.value,
            repaired=self._repaired.value,
            stack=self._stack.value,
            **{name: control.value for name, control in self._sides.items()},
        )
        self._disable()
        self._run += 1
        self._picture.value = self.state.picture(self._run)
        self._ask()

    def _ask(self) -> None:
        """Send the chosen stack on its way; what it says is shown if nothing was changed in the meantime.

        One at a time: who goes through the list of stacks by arrow keys starts the last one, not all of them.
        """
        with self._lock:
            self._next = None if self.state.stack == PYTHON else (self.state, self._run)
            if self._next is None or self._busy:
                return
            self._busy = True
        self._asking = threading.Thread(target=self._answer, daemon=True)
        self._asking.start()

    def _answer(self) -> None:
        while True:
            with self._lock:
                wanted, self._next = self._next, None
                self._busy = wanted is not None
            if wanted is None:
                return
            state, run = wanted
            try:
                answer = state.ask()
                if self.state is state:
                    self._picture.value = state.picture(run, answer)
            except BaseException:
                self._busy = False  # the next choice finds nobody waiting for this one
                raise

    def _show_family(self) -> None:
        """Offer the faults of the family alone; the one that is chosen stays if it is among them."""
        chosen = self._fault.value
        faults = [item for item in list_faults() if self._family.value in (EVERY_FAMILY, item.family)]
        keep = chosen is None or chosen in {item.id for item in faults}
        # New options put the choice back to the first; nothing is drawn until it is what it shall be.
        self._fault.unobserve(self._changed, "value")
        self._fault.options = _options(faults)
        self._fault.value = chosen if keep else None
        self._fault.observe(self._changed, "value")
        if not keep:
            self._changed({"owner": self._fault})

    def _disable(self) -> None:
        for name in ("client_presents", "server_trusts"):
            self._sides[name].disabled = not self.state.asks


def _dropdown(name: str, options: list[tuple[str, Any]], value: object, width: str = "auto") -> Any:
    layout = LAYOUT if width == "auto" else ipywidgets.Layout(width=width)
    return ipywidgets.Dropdown(options=options, value=value, description=name, style=STYLE, layout=layout)


def _options(faults: Any) -> list[tuple[str, Any]]:
    return [(NO_FAULT, None)] + [(f"{item.title} ({item.id})", item.id) for item in faults]


def _families(faults: tuple[Fault, ...]) -> list[tuple[str, Any]]:
    names = dict.fromkeys(item.family for item in faults)
    sizes = {name: sum(item.family == name for item in faults) for name in names}
    return [(f"{EVERY_FAMILY}: {count(len(faults), 'fault')}", EVERY_FAMILY)] + [
        (f"{name.replace('_', ' ')}: {size}", name) for name, size in sizes.items()
    ]
