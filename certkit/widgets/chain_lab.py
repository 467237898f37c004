"""The chain explorer: what is sent, what is trusted, which name, what time; and the verdict, as it changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import ipywidgets

from certkit._files import iso, utc
from certkit._html import Html, badge, details, tag
from certkit._text import visible
from certkit.certificates import Certificate
from certkit.chains import Chain, TrustStore
from certkit.credentials import Credential
from certkit.errors import ArgumentError
from certkit.faults import good_scenario
from certkit.verification import Verification, verify_chain
from certkit.widgets._view import FIT, SAID, STYLE, Lab

__all__ = ["ChainLab", "ChainState"]

NOBODY = "Nothing is sent. Add a certificate."
DAYS = 4_000


@dataclass(frozen=True)
class ChainState:
    """What is sent, what is trusted, and the clock.

    Attributes
    ----------
    pool : tuple of Certificate
        What there is to choose from.
    sent : tuple of int
        Numbers in the pool, in the order in which they are sent.
    anchors : frozenset of int
        Numbers in the pool of those that are trusted.
    at : datetime
        When it began, UTC.
    days : int
        How far the clock is moved, days.
    host : str
        The name that is asked for; empty for none.

    Examples
    --------
    >>> state = ChainState.of(good_scenario().server.credential, good_scenario().client.anchors)
    >>> state.verification.ok, state.without(1).verification.cause
    (True, 'missing-intermediate')
    """

    pool: tuple[Certificate, ...]
    sent: tuple[int, ...]
    anchors: frozenset[int]
    at: datetime
    days: int = 0
    host: str = ""

    @classmethod
    def of(
        cls,
        chain: Chain | Credential | Certificate | Iterable[Certificate],
        anchors: TrustStore | Iterable[Certificate],
        more: Iterable[Certificate] = (),
        host: str = "",
        at: datetime | None = None,
    ) -> ChainState:
        """Return the state in which `chain` is sent to somebody who trusts `anchors`; `more` can be added."""
        if isinstance(chain, Credential):
            chain = chain.chain
        sent = (chain,) if isinstance(chain, Certificate) else tuple(chain)
        trusted = tuple(anchors)
        pool = tuple(dict.fromkeys((*sent, *trusted, *more)))
        if not pool:
            raise ArgumentError("there is no certificate to play with", hint="hand over a chain and anchors")
        return cls(
            pool,
            tuple(pool.index(item) for item in sent),
            frozenset(pool.index(item) for item in trusted),
            utc(at),
            host=host,
        )

    def adding(self, number: int) -> ChainState:
        """Return the state with one more certificate at the end of what is sent."""
        return replace(self, sent=(*self.sent, number))

    def without(self, place: int) -> ChainState:
        """Return the state without the certificate at that place of what is sent."""
        return replace(self, sent=self.sent[:place] + self.sent[place + 1 :])

    def moved(self, place: int, step: int) -> ChainState:
        """Return the state with the certificate at that place moved by `step` places, as far as there are any."""
        order = list(self.sent)
        goal = min(max(place + step, 0), len(order) - 1)
        order.insert(goal, order.pop(place))
        return replace(self, sent=tuple(order))

    @property
    def labels(self) -> list[str]:
        """A name for each of the pool; of two with one name also the issuer, which tells a cross-sign apart."""
        names = [item.name for item in self.pool]
        signed = [
            f" (by {visible(item.issuer, 40)})" if names.count(item.name) > 1 else "" for item in self.pool
        ]
        return [f"{n}. {name}{by}" for n, (name, by) in enumerate(zip(names, signed, strict=True), 1)]

    @property
    def clock(self) -> datetime:
        """The moment at which is judged."""
        return self.at + timedelta(days=self.days)

    @cached_property
    def verification(self) -> Verification | None:
        """The verdict; None if nothing is sent."""
        if not self.sent:
            return None
        chain = Chain(self.pool[number] for number in self.sent)
        anchors = TrustStore(self.pool[number] for number in sorted(self.anchors))
        return verify_chain(chain, anchors, self.host or None, at=self.clock)

    def picture(self, run: int = 0) -> Html:
        """Return the verdict, the graph of every path, and the findings."""
        try:
            found, instead = self.verification, NOBODY
        except ArgumentError as error:
            # A field takes whatever is typed: a name that is none is told where its verdict would be.
            found, instead = None, str(error)
        if found is None:
            return tag("div", FIT, tag("p", instead, class_=SAID), class_="ck-picture", data_run=run)
        graph = found.graph()
        word = "trusted" if found.ok else f"refused: {found.cause or 'by the oracle'}"
        return tag(
            "div",
            FIT,
            tag("p", badge("good" if found.ok else "bad", word), f" on {iso(self.clock)}", class_=SAID),
            tag("p", graph.sentence),
            graph.svg(),
            details("The same as a table", graph.table_html()),
            found.views_html(),
            found.findings_html(),
            class_="ck-picture",
            data_run=run,
        )


class ChainLab(Lab):
    """A chain to play with: add, remove and reorder what is sent, choose whom to trust, move the clock.

    Parameters
    ----------
    chain : Chain, Credential, Certificate or iterable of Certificate, optional
        What is sent at first; the story's server by default.
    anchors : TrustStore or iterable of Certificate, optional
        What is trusted at first; the story's root by default.
    more : iterable of Certificate
        What else there is to add or to trust.
    host : str
        The name that is asked for at first.
    at : datetime, optional
        The clock, aware; now by default.
    """

    def __init__(
        self,
        chain: Chain | Credential | Certificate | Iterable[Certificate] | None = None,
        anchors: TrustStore | Iterable[Certificate] = (),
        more: Iterable[Certificate] = (),
        *,
        host: str = "",
        at: datetime | None = None,
    ) -> None:
        if chain is None:
            story = good_scenario()
            chain, anchors, host = story.server.credential, story.client.anchors, host or story.host
            more = (story.client_ca.certificate, *story.client_ca.trust_store, *more)
        self.state = ChainState.of(chain, anchors, more, host, at)
        self._run = 1
        self._labels = self.state.labels
        wide = ipywidgets.Layout(width="480px")
        every = [(words, number) for number, words in enumerate(self._labels)]
        self._sent = ipywidgets.Select(rows=5, description="Sent, in order", style=STYLE, layout=wide)
        self._add = ipywidgets.Dropdown(options=every, description="Certificate", style=STYLE, layout=wide)
        self._anchors = ipywidgets.SelectMultiple(
            options=every,
            value=sorted(self.state.anchors),
            rows=min(6, len(every)),
            description="Trusted",
            style=STYLE,
            layout=wide,
        )
        self._days = ipywidgets.IntSlider(
            value=0,
            min=-DAYS,
            max=DAYS,
            step=1,
            description="Clock, days",
            continuous_update=False,
            style=STYLE,
            layout=wide,
        )
        self._host = ipywidgets.Text(
            value=host, description="Name asked for", continuous_update=False, style=STYLE, layout=wide
        )
        buttons = {
            "add": ("add it at the end", lambda: self.state.adding(self._add.value)),
            "up": ("move up", lambda: self._with_place(lambda place: self.state.moved(place, -1))),
            "down": ("move down", lambda: self._with_place(lambda place: self.state.moved(place, 1))),
            "remove": ("remove", lambda: self._with_place(self.state.without)),
        }
        made = [self._button(hook, *what) for hook, what in buttons.items()]
        for control, hook in (
            (self._sent, "sent"),
            (self._add, "pool"),
            (self._anchors, "anchors"),
            (self._days, "days"),
            (self._host, "host"),
        ):
            control.add_class(f"ck-{hook}")
        self._show_sent(0)
        for control in (self._anchors, self._days, self._host):
            control.observe(self._changed, "value")
        super().__init__(
            [self._sent, *made[1:], self._add, made[0], self._anchors, self._days, self._host],
            ipywidgets.HTML(self.state.picture(self._run)),
            "ck-chain-lab",
        )

    @property
    def verification(self) -> Verification | None:
        """The verdict that is shown now; None if nothing is sent."""
        return self.state.verification

    def _settings_html(self) -> Html:
        sent = ", ".join(self._labels[number] for number in self.state.sent) or "nothing"
        trusted = ", ".join(self._labels[number] for number in sorted(self.state.anchors)) or "nobody"
        words = f"An interactive lab, here as it was last set. Sent: {sent}. Trusted: {trusted}. "
        return tag(
            "p", tag("em", f"{words}Clock: {iso(self.state.clock)}. Name: {self.state.host or 'none'}.")
        )

    def _button(self, hook: str, words: str, change: Any) -> Any:
        button = ipywidgets.Button(description=words, layout=ipywidgets.Layout(width="auto"))
        button.add_class(f"ck-{hook}")
        button.on_click(lambda _: self._set(change()))
        return button

    def _with_place(self, change: Any) -> ChainState:
        place = self._sent.index
        return self.state if place is None else change(place)

    def _changed(self, _: dict[str, Any]) -> None:
        self._set(
            replace(
                self.state,
                anchors=frozenset(self._anchors.value),
                days=self._days.value,
                host=self._host.value.strip(),
            )
        )

    def _set(self, state: ChainState) -> None:
        before, place = self.state, self._sent.index or 0
        self.state = state
        if state.sent != before.sent:
            # The choice goes with the certificate that was moved, so that a second press moves it on.
            moved = len(state.sent) == len(before.sent)
            self._show_sent(_followed(before.sent, state.sent, place) if moved else place)
        self._run += 1
        self._picture.value = state.picture(self._run)

    def _show_sent(self, place: int) -> None:
        options = [(self._labels[number], at) for at, number in enumerate(self.state.sent)]
        self._sent.options = options
        self._sent.index = min(place, len(options) - 1) if options else None


def _followed(before: tuple[int, ...], after: tuple[int, ...], place: int) -> int:
    """Return where what was at `place` is now."""
    for step in (-1, 1):
        goal = place + step
        if 0 <= goal < len(after) and after[goal] == before[place] and after != before:
            return goal
    return place
