"""The knowledge: what each stack says and what that can mean, read from ``patterns/*.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from certkit import causes
from certkit.errors import ArgumentError
from certkit.explanation._phrases import Phrase

__all__ = ["Say", "by_word", "flags", "load_says", "mixtures"]

_HOME = Path(__file__).parent / "patterns"
_KEYS = {
    "match",
    "means",
    "platform",
    "role",
    "client",
    "server",
    "weight",
    "needs",
    "unless",
    "boost",
    "received",
}
Parts = Mapping[str, float]


@dataclass(frozen=True)
class Say:
    """One thing that stacks say, and what it can mean.

    Attributes
    ----------
    id : str
        The file and its first phrase.
    phrases : tuple of Phrase
        Any of which is it.
    means : str
        What it means, in one sentence.
    platform : str
        Who speaks so; empty if many do.
    role : str
        ``"client"`` or ``"server"`` if only that side says it.
    client, server : mapping of str to float
        Causes and their shares if a client reports it, if a server does; empty if it is only a hint.
    weight : float
        How much it tells beside other evidence: 1 names the cause, 0.05 only that TLS failed.
    needs : str
        A flag that must be near.
    unless : tuple of Phrase
        What must not be near.
    boost : mapping of str to float
        By how much a cause becomes likelier.
    flags : frozenset of str
        What it shows to be spoken of.
    floor : float
        The share of a cause that is not named: unlikely, not impossible.
    received : bool or None
        True for an alert that came from the other side, False for one that this side sent, None for neither.
    """

    id: str
    phrases: tuple[Phrase, ...] = field(repr=False)
    means: str
    platform: str = ""
    role: str = ""
    client: Parts = field(default_factory=dict, repr=False)
    server: Parts = field(default_factory=dict, repr=False)
    weight: float = 1.0
    needs: str = ""
    unless: tuple[Phrase, ...] = field(default=(), repr=False)
    boost: Parts = field(default_factory=dict, repr=False)
    flags: frozenset[str] = frozenset()
    received: bool | None = None
    floor: float = 0.004


@cache
def mixtures() -> dict[str, Parts]:
    """Return the named mixtures of causes."""
    return {name: _shares(parts, name) for name, parts in _read("mixtures").items()}


@cache
def load_says() -> tuple[Say, ...]:
    """Return everything that is known, alerts included.

    Raises
    ------
    ArgumentError
        If an entry names an unknown cause, mixture or key.
    """
    found = [*_alerts()]
    for path in sorted(_HOME.glob("*.toml")):
        if path.stem in ("mixtures", "alerts"):
            continue
        names: set[str] = set()
        for entry in _read(path.stem)["say"]:
            say = _say(path.stem, entry)
            # One phrase may stand in two sayings, a broad one and a narrow one.
            found.append(replace(say, id=f"{say.id} again") if say.id in names else say)
            names.add(found[-1].id)
    return tuple(found)


@cache
def by_word() -> dict[str, tuple[tuple[Say, Phrase], ...]]:
    """Return sayings and their phrases by the longest word of each, ``""`` for those without spaces between words."""
    found: dict[str, list[tuple[Say, Phrase]]] = {}
    for say in load_says():
        for phrase in say.phrases:
            found.setdefault(max(sorted(phrase.needed), key=len, default=""), []).append((say, phrase))
    return {word: tuple(pairs) for word, pairs in found.items()}


@cache
def flags() -> dict[str, tuple[Phrase, ...]]:
    """Return the phrases that show each flag."""
    found: dict[str, list[Phrase]] = {}
    for say in load_says():
        for flag in say.flags:
            found.setdefault(flag, []).extend(say.phrases)
    return {flag: tuple(phrases) for flag, phrases in found.items()}


def _read(stem: str) -> dict[str, Any]:
    return tomllib.loads((_HOME / f"{stem}.toml").read_text("utf-8"))


def _say(stem: str, entry: Mapping[str, Any]) -> Say:
    name = f"{stem}: {entry['match'][0]}"
    client = _mixture(entry.get("client", {}), name)
    return Say(
        id=name,
        phrases=tuple(Phrase.parse(text) for text in entry["match"]),
        means=entry["means"],
        platform=entry.get("platform", ""),
        role=entry.get("role", ""),
        client=client,
        server=_mixture(entry["server"], name) if "server" in entry else client,
        weight=float(entry.get("weight", 1.0)),
        needs=entry.get("needs", ""),
        unless=tuple(Phrase.parse(text) for text in entry.get("unless", ())),
        boost=_known(entry.get("boost", {}), name),
        flags=frozenset(key for key, value in entry.items() if key not in _KEYS and value is True),
        received=entry.get("received"),
    )


def _mixture(value: str | Parts, name: str) -> Parts:
    if isinstance(value, str):
        if value not in mixtures():
            raise ArgumentError("unknown mixture", on=f"{value!r} in {name}")
        return mixtures()[value]
    return _shares(value, name)


def _shares(parts: Parts, name: str) -> Parts:
    total = sum(_known(parts, name).values())
    return {cause: value / total for cause, value in parts.items()}


def _known(parts: Parts, name: str) -> Parts:
    unknown = parts.keys() - causes.load().keys()
    if unknown:
        raise ArgumentError("unknown cause", on=f"{', '.join(sorted(unknown))} in {name}")
    return parts


# Where an alert's name stands tells who sent it. {n} is its name, {c} the same in one word, {N} its number, {g} Go's name.
_RECEIVED = (
    "received fatal alert {n}", "received fatal alert {c}", "received alert {n}", "received alert fatal {n}",
    "received alert {N}", "fatal alert received {n}", "tlsv1 alert {n}", "tlsv13 alert {n}", "sslv3 alert {n}",
    "ssl tls alert {n}", "tls alert {n}", "ssl alert {n}", "remote error tls {n}", "remote error tls {g}", "ssl alert number {N}",
    "alert fatal {n}", "level fatal description {n}", "description {c}", "tlsfatalalertreceived {n}", "in tls alert {n}",
    "ssl error {n} alert", "fatal alert code is {N}", "alert received {n}", "alert received {c}",
    "fatal alert received {c}", "fatal tls {n} alert message", "fatal tlsv1 {n} alert message", "fatal ssl {n} alert message",
    "fatal alert was received {N}", "peer sent alert {n}",
    "alertreceived {c}", "received a fatal alert {n}", "fatal alert {n}", "fatal alert {c}", "tlsv1 3 alert {n}", "alert {N} {n}",
    "tls alert read fatal {n}", "remote end reported an error fatal {n}", "alert read fatal {n}", "received tls alert {n}",
    "fatal tls alert {c}", "fatal tls alert {n}", "peer alert {n}", "alert description {n}",
)  # fmt: skip
_RECEIVED_BY = {
    "server": ("received client alert fatal {n}",),
    "client": ("received server alert fatal {n}",),
}
_SENT = (
    "alert fatal description {n}", "transportcontext java * fatal {n}", "out tls alert {n}", "tlsfatalalert {n}",
    "fatal error code is {N}", "fatal alert was generated {N}",
    "sending fatal alert {n}", "send alert fatal {n}", "sent alert {n}",
    "tls alert write fatal {n}", "local ssl3 detected an error fatal {n}", "alert write fatal {n}",
)  # fmt: skip
_SENT_BY = {
    "server": ("generated server alert fatal {n}",),
    "client": ("generated client alert fatal {n}",),
}


def _alerts() -> Iterator[Say]:
    for name, entry in _read("alerts").items():
        by_client, by_server = (_mixture(entry[side], name) for side in ("client", "server"))
        means = f"the alert {name} ({entry['number']}): {entry['means']}"
        for received, role, templates in (
            (True, "", _RECEIVED),
            *((True, role, some) for role, some in _RECEIVED_BY.items()),
            (False, "", _SENT),
            *((False, role, some) for role, some in _SENT_BY.items()),
        ):
            yield Say(
                id=f"alert {name} {'received' if received else 'sent'} {role}".rstrip(),
                phrases=tuple(_spellings(name, entry, templates)),
                means=means
                + (", received: the other side's verdict on us" if received else ", sent by this side"),
                role=role,
                client=by_server if received else by_client,
                server=by_client if received else by_server,
                weight=float(entry.get("weight", 1.0)),
                flags=frozenset({"tls"}),
                received=received,
            )


def _spellings(name: str, entry: Mapping[str, Any], templates: tuple[str, ...]) -> Iterator[Phrase]:
    number = str(entry["number"])
    for spelled in (name, *entry.get("also", ())):
        plain = spelled.replace("_", " ")
        for template in templates:
            if "{g}" in template and "go" not in entry:
                continue
            yield Phrase.parse(
                template.format(n=plain, c=plain.replace(" ", ""), N=number, g=entry.get("go", ""))
            )
