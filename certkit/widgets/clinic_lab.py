"""The format clinic: a broken file, what each program says to it, hints, and your cure tried for real."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import ipywidgets

from certkit._html import Html, preformatted, tag
from certkit._text import hexdump
from certkit.formats.damage import find_damage
from certkit.lessons.clinic_case import Clinic, ClinicCase, clinic
from certkit.lessons.exercise import Result
from certkit.widgets._view import FIT, SAID, STYLE, Lab
from certkit.widgets.file_lab import DropZone

__all__ = ["ClinicLab", "ClinicState"]


@dataclass(frozen=True)
class ClinicState:
    """A case, how many of its hints are shown, and the cure that was handed in.

    Attributes
    ----------
    name : str
        The case's name.
    hints : int
        How many hints are shown; one more than there are shows the cure.
    cure : bytes or None
        The repaired file; None if none was handed in.

    Examples
    --------
    >>> state = ClinicState("byte-order-mark")
    >>> state.result.state, state.undone().result.state
    ('not tried yet', 'right')
    """

    name: str
    hints: int = 0
    cure: bytes | None = field(default=None, repr=False)

    @cached_property
    def case(self) -> ClinicCase:
        """The case, made afresh."""
        found = clinic(self.name)
        assert isinstance(found, ClinicCase)
        return found

    @cached_property
    def result(self) -> Result:
        """What came of the cure."""
        return self.case.answer(self.cure)

    def undone(self) -> ClinicState:
        """Return the state in which the damage that certkit recognises is undone; the same if it recognises none."""
        damage = find_damage(self.case.data)
        return self if damage is None or damage.repaired is None else replace(self, cure=damage.repaired)

    def picture(self, run: int = 0) -> Html:
        """Return the case, its bytes, the hints so far, and what came of the cure."""
        patient = self.case.patient
        hints = [tag("li", hint) for hint in patient.hints[: self.hints]]
        parts: list[object] = [
            tag("p", tag("b", self.result.state), ". ", self.result.text, class_=SAID),
            self.case._repr_html_(),
        ]
        if hints:
            parts += [tag("p", tag("b", "Hints")), tag("ol", *hints)]
        if self.hints > len(patient.hints):
            parts += [tag("p", tag("b", "The cure, in certkit")), preformatted(patient.solution)]
        if self.cure is not None:
            parts += [tag("p", "Your file begins with:"), preformatted(hexdump(self.cure, length=32))]
        return tag("div", FIT, *parts, class_="ck-picture", data_run=run)


class ClinicLab(Lab):
    """Broken files to cure: read what each program says, take a hint, hand in the file that you made.

    Parameters
    ----------
    case : str, optional
        The case it starts with; the easiest by default.
    """

    def __init__(self, case: str | None = None) -> None:
        names = Clinic().names
        self.state = ClinicState(names[0] if case is None else case)
        self._run = 1
        options = [(f"{number}. {name}", name) for number, name in enumerate(names, 1)]
        self._case = ipywidgets.Dropdown(
            options=options, value=self.state.name, description="Case", style=STYLE
        )
        self._case.add_class("ck-case")
        self._case.observe(lambda change: self._set(ClinicState(change["new"])), "value")
        self._drop = DropZone()
        self._drop.description = "Your cure"
        self._drop.observe(lambda _: self._set(replace(self.state, cure=bytes(self._drop.data))), "count")
        controls = [
            self._case,
            self._button("hint", "one more hint", lambda: replace(self.state, hints=self.state.hints + 1)),
            self._button(
                "undo", "undo the damage that is recognised", lambda: ClinicState.undone(self.state)
            ),
            self._drop,
        ]
        super().__init__(controls, ipywidgets.HTML(self.state.picture(self._run)), "ck-clinic-lab")

    def _settings_html(self) -> Html:
        return tag("p", tag("em", f"An interactive lab, here as it was last set. Case: {self.state.name}."))

    def _button(self, hook: str, words: str, change: Any) -> Any:
        button = ipywidgets.Button(description=words, layout=ipywidgets.Layout(width="auto"))
        button.add_class(f"ck-{hook}")
        button.on_click(lambda _: self._set(change()))
        return button

    def _set(self, state: ClinicState) -> None:
        self.state = state
        self._run += 1
        self._picture.value = state.picture(self._run)
