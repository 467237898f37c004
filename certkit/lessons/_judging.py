"""What the judges of exercises share: answers taken apart, and the things that are done with them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from certkit._text import visible
from certkit.chains import TrustStore
from certkit.credentials import Credential
from certkit.errors import ArgumentError
from certkit.handshakes import ClientConfig, Handshake, ServerConfig, handshake

T = TypeVar("T")


def one_of(answer: object, *choices: str) -> str:
    """Return the choice that was made, whatever its capitals."""
    if isinstance(answer, str):
        for choice in choices:
            if answer.strip().lower() == choice.lower():
                return choice
    raise ArgumentError(
        "that is none of the choices",
        on=visible(str(answer), 40),
        hint=", ".join(f'"{choice}"' for choice in choices),
    )


def wanted(answer: object, kind: type[T], example: str) -> T:
    """Return the answer if it is of the kind that the question asks for."""
    if isinstance(answer, kind):
        return answer
    raise ArgumentError(f"this question asks for a {kind.__name__}", on=type(answer).__name__, hint=example)


def pair_of(answer: object, first: type[T], second: type[object], example: str) -> tuple[T, object]:
    """Return two things of the kinds that the question asks for."""
    if isinstance(answer, tuple) and len(answer) == 2:
        one, two = answer
        if isinstance(one, first) and isinstance(two, second):
            return one, two
    raise ArgumentError("this question asks for two things", on=type(answer).__name__, hint=example)


def words(answer: object, choices: Iterable[str]) -> set[str]:
    """Return a set of choices, from a list, a tuple or a set of words, or from one word."""
    choices = list(choices)
    items = [answer] if isinstance(answer, str) else answer
    if not isinstance(items, list | tuple | set | frozenset) or not items:
        raise ArgumentError(
            "this question asks for a list of names", on=type(answer).__name__, hint=", ".join(choices)
        )
    return {one_of(item, *choices) for item in items}


def meet(
    credential: Credential,
    anchors: TrustStore,
    host: str | None = None,
    *,
    client: Credential | None = None,
    client_anchors: TrustStore | None = None,
    tls: str = "1.3",
) -> Handshake:
    """Let a client meet a server."""
    return handshake(
        ClientConfig(anchors, client, host=host), ServerConfig(credential, client_anchors), tls=tls
    )


def outcome(run: Handshake) -> str:
    """Return what came of a handshake, with its cause, as words for a miss."""
    return run.verdict.rstrip(".") + (f" (cause: {run.cause})" if run.cause else "")
