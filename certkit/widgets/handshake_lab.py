"""The handshake lab: choose what is wrong, see both ends of the handshake."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import ipywidgets

from certkit._html import Html, badge, details, tag
from certkit.faults import Fault, Scenario, find_fault, good_scenario, list_faults
from certkit.handshakes import Handshake
from certkit.handshakes.ladder import ladder_svg
from certkit.widgets._view import FIT, LAYOUT, STYLE, Lab

__all__ = ["HandshakeLab", "LabState"]

NO_FAULT = "nothing is wrong"


@dataclass(frozen=True)
class LabState:
    """What is set in the lab: everything that the picture depends on.

    Attributes
    ----------
    fault : str or None
        A fault id; None for a good scenario.
    two_way : bool
        Whether the server asks for a client certificate; a fault of the client's implies it.
    tls : {"1.2", "1.3"}
        The TLS version.
    repaired : bool
        Whether the fault's repair has been applied.

    Examples
    --------
    >>> LabState("expired-leaf").handshake.cause
    'expired-leaf'
    >>> LabState("expired-leaf", repaired=True).handshake.ok
    True
    """

    fault: str | None = None
    two_way: bool = False
    tls: str = "1.3"
    repaired: bool = False

    @property
    def chosen(self) -> Fault | None:
        """The fault, or None."""
        return None if self.fault is None else find_fault(self.fault)

    @property
    def scenario(self) -> Scenario:
        """The scenario that these settings mean."""
        fault = self.chosen
        two_way = self.two_way or (fault is not None and fault.two_way)
        scenario = good_scenario(two_way=two_way, tls=self.tls)
        if fault is not None:
            scenario = fault.break_it(scenario)
            scenario = fault.repair(scenario) if self.repaired else scenario
        return scenario

    @cached_property
    def handshake(self) -> Handshake:
        """The handshake, run once for these settings."""
        return self.scenario.run()

    def picture(self, run: int = 0) -> Html:
        """Return the ladder, what both sides say, the story of the fault and its repair."""
        shake, fault = self.handshake, self.chosen
        parts: list[object] = [ladder_svg(shake, run), shake.sides_html()]
        if fault is not None:
            parts.insert(0, tag("p", tag("b", f"{fault.title}. "), _rest(fault.story)))
            words = "Repaired: " if self.repaired else "How to repair it: "
            parts.append(
                tag("p", tag("b", words), fault.remedy, f" It is the {fault.side} that has to change.")
            )
        parts.append(details("The messages as a table", shake.messages_html()))
        # Only the verdict is announced: a screen reader need not read the whole picture at each change.
        parts.insert(0, tag("p", badge("good" if shake.ok else "bad", shake.verdict), role="status"))
        return tag("div", FIT, *parts, class_="ck-picture", data_run=run)


def _rest(story: str) -> str:
    return " ".join(story.partition("\n")[2].split())


class HandshakeLab(Lab):
    """A handshake to play with: what is wrong, one-way or two-way, which TLS version, repaired or not.

    Parameters
    ----------
    two_way : bool
        How it starts: whether the server asks for a client certificate.
    fault : str, optional
        The fault it starts with; none by default.
    tls : {"1.3", "1.2"}
        The TLS version it starts with.
    """

    def __init__(self, *, two_way: bool = False, fault: str | None = None, tls: str = "1.3") -> None:
        self.state = LabState(fault, two_way, tls)
        self._run = 1
        choices = [(NO_FAULT, None)] + [(f"{item.title} ({item.id})", item.id) for item in list_faults()]
        self._fault = ipywidgets.Dropdown(
            options=choices,
            value=fault,
            description="What is wrong",
            style=STYLE,
            layout=ipywidgets.Layout(width="460px"),
        )
        self._two_way = ipywidgets.Dropdown(
            options=[("one-way", False), ("two-way", True)],
            value=self.state.scenario.two_way,
            description="Authentication",
            style=STYLE,
            layout=LAYOUT,
        )
        self._tls = ipywidgets.Dropdown(
            options=["1.3", "1.2"], value=tls, description="TLS version", style=STYLE, layout=LAYOUT
        )
        self._repaired = ipywidgets.Checkbox(
            value=False, description="apply the repair", indent=False, layout=LAYOUT
        )
        controls = [self._fault, self._two_way, self._tls, self._repaired]
        for control, hook in zip(controls, ("fault", "two-way", "tls", "repair"), strict=True):
            control.add_class(f"ck-{hook}")
            control.observe(self._changed, "value")
        super().__init__(controls, ipywidgets.HTML(self.state.picture(self._run)), "ck-handshake-lab")

    @property
    def handshake(self) -> Handshake:
        """The handshake that is shown now."""
        return self.state.handshake

    def _changed(self, change: dict[str, Any]) -> None:
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
        )
        self._run += 1
        self._picture.value = self.state.picture(self._run)
