"""The error clinic: paste an error, see its causes, reproduce the likeliest one, see it repaired."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import ipywidgets

from certkit._html import Html, badge, tag
from certkit.errors import CertkitError
from certkit.explanation import Diagnosis, explain
from certkit.faults import find_fault
from certkit.widgets._view import FIT, SAID, STYLE, Lab

__all__ = ["SAMPLES", "ErrorLab", "ErrorState"]

SAMPLES = (
    "missing-intermediate",
    "untrusted-root",
    "expired-leaf",
    "hostname-mismatch",
    "client-cert-missing",
    "client-cert-untrusted",
    "wrong-eku",
    "http-on-tls-port",
)
"""Faults whose message the lab offers to paste: it is made on the spot, by a real handshake."""
OWN = "a message of your own"


@dataclass(frozen=True)
class ErrorState:
    """A pasted text, and whether its likeliest cause is reproduced.

    Examples
    --------
    >>> state = ErrorState("certificate verify failed: certificate has expired (_ssl.c:1002)")
    >>> state.diagnosis.causes[0].cause.id
    'expired-leaf'
    """

    text: str = ""
    reproduced: bool = False

    @cached_property
    def diagnosis(self) -> Diagnosis | None:
        """What the text means; None if there is none."""
        return explain(self.text) if self.text.strip() else None

    def picture(self, run: int = 0) -> Html:
        """Return the diagnosis and, if asked for, the cause built, run, repaired and run again."""
        found = self.diagnosis
        if found is None:
            parts: list[object] = [
                tag("p", "Paste an error, or choose one, and press “explain”.", class_=SAID)
            ]
        else:
            parts = [tag("p", found.sentence_html(), class_=SAID), found.details_html()]
        if found is not None and self.reproduced:
            parts.append(_reproduced(found))
        return tag("div", FIT, *parts, class_="ck-picture", data_run=run)


def _reproduced(found: Diagnosis) -> Html:
    try:
        again = found.reproduce()
    except CertkitError as error:
        return tag("p", badge("neutral", "not reproduced"), f" {error}")
    return tag("section", tag("p", tag("b", "Reproduced in the lab, and repaired")), again._repr_html_())


def sample_text(name: str) -> str:
    """Return what the side that lost says when that fault strikes, from a handshake that is run now."""
    run = find_fault(name).run()
    sides = (run.client, run.server)
    return next(
        (f"{side.error}" for side in sides if side.outcome in ("refused", "failed") and side.error), ""
    )


class ErrorLab(Lab):
    """Paste an error of any stack, or take one that is made on the spot; diagnose it, reproduce it, see the fix.

    Parameters
    ----------
    text : str
        What is pasted at first.
    """

    def __init__(self, text: str = "") -> None:
        self.state = ErrorState(text)
        self._run = 1
        self._sample = ipywidgets.Dropdown(
            options=[(OWN, OWN), *((f"case {number}", name) for number, name in enumerate(SAMPLES, 1))],
            description="Take",
            style=STYLE,
        )
        self._text = ipywidgets.Textarea(
            value=text,
            placeholder="javax.net.ssl.SSLHandshakeException: …",
            description="Message",
            rows=4,
            style=STYLE,
            layout=ipywidgets.Layout(width="640px"),
        )
        explain_it = self._button("explain", "explain", self._explain)
        reproduce_it = self._button("reproduce", "reproduce and repair", self._reproduce)
        self._sample.add_class("ck-sample")
        self._text.add_class("ck-message")
        self._sample.observe(self._taken, "value")
        super().__init__(
            [self._sample, self._text, explain_it, reproduce_it],
            ipywidgets.HTML(self.state.picture(self._run)),
            "ck-error-lab",
        )

    @property
    def diagnosis(self) -> Diagnosis | None:
        """The diagnosis that is shown now; None if nothing was pasted."""
        return self.state.diagnosis

    def _settings_html(self) -> Html:
        # The masked text is in the diagnosis; what was pasted is not repeated as it came.
        return tag("p", tag("em", "An interactive lab, here as it was last set."))

    def _button(self, hook: str, words: str, action: Any) -> Any:
        button = ipywidgets.Button(description=words, layout=ipywidgets.Layout(width="auto"))
        button.add_class(f"ck-{hook}")
        button.on_click(lambda _: action())
        return button

    def _taken(self, change: dict[str, Any]) -> None:
        if change["new"] != OWN:
            self._text.value = sample_text(change["new"])
            self._explain()

    def _explain(self) -> None:
        self._set(ErrorState(self._text.value))

    def _reproduce(self) -> None:
        same = self.state.text == self._text.value
        state = self.state if same else ErrorState(self._text.value)
        self._set(replace(state, reproduced=True))

    def _set(self, state: ErrorState) -> None:
        self.state = state
        self._run += 1
        self._picture.value = state.picture(self._run)
