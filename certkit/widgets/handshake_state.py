"""What is set in the handshake lab, and the picture of it: no widget in here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from certkit import causes
from certkit._html import Html, badge, definitions, details, join, tag
from certkit.atlas import AtlasRow, ask_stack
from certkit.authority import self_signed
from certkit.chains import TrustStore
from certkit.credentials import Credential
from certkit.faults import Fault, Scenario, find_fault, good_scenario
from certkit.faults.scenario import HOST
from certkit.handshakes import Handshake
from certkit.handshakes.ladder import ladder_svg
from certkit.widgets._view import FIT, SAID
from certkit.widgets.stack_answers import PYTHON, answer_html, measured_html, running_html

__all__ = ["AS_IS", "CHOICES", "LabState"]

AS_IS = "as the case has it"
_Change = Callable[[Scenario], Scenario]


def _alone(credential: Credential | None) -> Credential | None:
    return None if credential is None else credential.with_chain([credential.certificate])


def _trusting(name: str, store: Callable[[Scenario], TrustStore]) -> _Change:
    if name == "client":
        return lambda scenario: scenario.with_client(anchors=store(scenario))
    return lambda scenario: scenario.with_server(client_anchors=store(scenario))


# One table for both: what a control offers is what the state can do.
CHOICES: dict[str, dict[str, _Change]] = {
    "server_presents": {
        "its leaf alone": lambda scenario: scenario.with_server(
            credential=_alone(scenario.server.credential)
        ),
        "a self-signed certificate": lambda scenario: scenario.with_server(
            credential=self_signed(scenario.host, usage="server")
        ),
        "a certificate from the other company's CA": lambda scenario: scenario.with_server(
            credential=scenario.client_ca.issue(scenario.host, usage="server")
        ),
    },
    "client_presents": {
        "nothing": lambda scenario: scenario.with_client(credential=None),
        "its certificate and the intermediate": lambda scenario: scenario.with_client(
            credential=scenario.issue_client()
        ),
        "its leaf alone": lambda scenario: scenario.with_client(
            credential=_alone(scenario.client.credential or scenario.issue_client())
        ),
        "a certificate from the other company's CA": lambda scenario: scenario.with_client(
            credential=scenario.server_ca.issue("Acme CRM", usage="client")
        ),
    },
    "client_trusts": {
        "the server company's root": _trusting("client", lambda scenario: scenario.server_ca.trust_store),
        "its own company's root": _trusting("client", lambda scenario: scenario.client_ca.trust_store),
        "nobody": _trusting("client", lambda _: TrustStore()),
    },
    "server_trusts": {
        "the client company's root": _trusting("server", lambda scenario: scenario.client_ca.trust_store),
        "its own company's root": _trusting("server", lambda scenario: scenario.server_ca.trust_store),
    },
}
"""Who presents what and who trusts what: setting, choice, and what the choice does to the scenario."""


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
    server_presents, client_presents, client_trusts, server_trusts : str
        One of `CHOICES`, or `AS_IS`. They are set after the fault and its repair; the last one matters
        only where the server asks for a certificate.

    stack : str
        The client stack. ``"python"`` is the one of the ladder; any other calls the same server over a socket.

    Examples
    --------
    >>> LabState("expired-leaf").handshake.cause
    'expired-leaf'
    >>> LabState("expired-leaf", repaired=True).handshake.ok
    True
    >>> LabState(client_trusts="nobody").handshake.cause
    'truststore-missing-or-empty'
    """

    fault: str | None = None
    two_way: bool = False
    tls: str = "1.3"
    repaired: bool = False
    server_presents: str = AS_IS
    client_presents: str = AS_IS
    client_trusts: str = AS_IS
    server_trusts: str = AS_IS
    stack: str = PYTHON

    @property
    def chosen(self) -> Fault | None:
        """The fault, or None."""
        return None if self.fault is None else find_fault(self.fault)

    @property
    def changed(self) -> dict[str, str]:
        """Who presents and who trusts something else than the case has it: setting to choice."""
        found = {name: getattr(self, name) for name in CHOICES}
        if not self.asks:
            found = {name: found[name] for name in ("server_presents", "client_trusts")}
        return {name: choice for name, choice in found.items() if choice != AS_IS}

    @property
    def asks(self) -> bool:
        """Whether the server asks for a client certificate."""
        fault = self.chosen
        return self.two_way or (fault is not None and fault.two_way)

    @property
    def scenario(self) -> Scenario:
        """The scenario that these settings mean."""
        return self.scenario_at(HOST)

    def scenario_at(self, host: str) -> Scenario:
        """Return the scenario that these settings mean, with a server of that name."""
        fault = self.chosen
        scenario = good_scenario(two_way=self.asks, tls=self.tls, host=host)
        if fault is not None:
            scenario = fault.break_it(scenario)
            scenario = fault.repair(scenario) if self.repaired else scenario
        for name, choice in self.changed.items():
            scenario = CHOICES[name][choice](scenario)
        return scenario

    @cached_property
    def handshake(self) -> Handshake:
        """The handshake, run once for these settings."""
        return self.scenario.run()

    def ask(self) -> AtlasRow:
        """Let the chosen stack call the server of these settings for real; takes up to some seconds."""
        fault, cause = self.fault or "good", self.handshake.cause or "none"
        return ask_stack(self.stack, self.scenario_at("localhost"), fault=fault, cause=cause)

    def picture(self, run: int = 0, answer: AtlasRow | None = None) -> Html:
        """Return the story, the ladder, every message to open, what both sides say, the cause and the repair.

        Parameters
        ----------
        run : int
            Put into the picture as ``data-run``.
        answer : AtlasRow, optional
            What the chosen stack answered; None while it is on its way.
        """
        shake, fault = self.handshake, self.chosen
        # Only the verdict is announced: a screen reader need not read the whole picture at each change.
        parts: list[object] = [
            tag("p", badge("good" if shake.ok else "bad", shake.verdict), self._said(answer), class_=SAID)
        ]
        if self.stack != PYTHON:
            parts.append(running_html(self.stack) if answer is None else answer_html(answer))
        if fault is not None:
            parts.append(tag("p", tag("b", f"{fault.title}. "), " ".join(fault.story.split("\n")[1:])))
        parts += [sides_bring_html(shake), ladder_svg(shake, run), shake.opened_html(), shake.sides_html()]
        if shake.cause is not None:
            parts.append(cause_html(shake.cause))
        if fault is not None:
            words = "Repaired: " if self.repaired else "How to repair it: "
            parts.append(
                tag("p", tag("b", words), fault.remedy, f" It is the {fault.side} that has to change.")
            )
            if fault.harmless and shake.ok and not self.repaired:
                parts.append(tag("p", tag("b", "Accepted here: "), fault.harmless))
        parts += [self._others(), details("The messages as a table", shake.messages_html())]
        return tag("div", FIT, *parts, class_="ck-picture", data_run=run)

    def _said(self, answer: AtlasRow | None) -> str:
        if self.stack == PYTHON:
            return ""
        return f" This is Python. {self.stack}: {'running' if answer is None else answer.outcome_words}."

    def _others(self) -> Html:
        """Return what the atlas has about these settings; it has the cases as they are, and nothing else."""
        if self.repaired or self.changed:
            return tag(
                "p", "What other stacks say to this is not measured in advance: choose one as client stack."
            )
        good = "good-two-way" if self.asks else "good"
        return measured_html(good if self.fault is None else self.fault, self.tls)


def sides_bring_html(run: Handshake) -> Html:
    """Return what each side presents and whom it trusts, as they were configured."""
    client, server = run.client_config, run.server_config
    rows: list[tuple[object, object]] = [
        ("the server presents", _presented(server.credential)),
        ("the client trusts", _anchors(client.anchors)),
    ]
    if server.client_anchors is not None:
        rows += [
            ("the client presents", _presented(client.credential)),
            ("the server trusts", _anchors(server.client_anchors)),
        ]
    return details("Who presents what, and who trusts whom", definitions(rows))


def _presented(credential: Credential | None) -> str:
    return "nothing" if credential is None else ", then ".join(item.name for item in credential.chain)


def _anchors(store: TrustStore) -> str:
    return ", ".join(item.name for item in store) or "nobody"


def cause_html(name: str) -> Html:
    """Return a cause in short: its name, what it means, the first steps of the fix."""
    found = causes.cause(name)
    fold = details("Confirm it, fix it, and what is no fix", found._repr_html_())
    return join([tag("p", tag("b", f"Cause: {found.id}. "), found.meaning), fold])
