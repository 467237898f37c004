"""From what was recognised to causes with probabilities: a weighted geometric mean, and what shifts it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from certkit.explanation._knowledge import Say
from certkit.explanation._pasted import Pasted
from certkit.explanation._scanning import Hit

__all__ = ["Evidence", "Weighed", "server_share", "weigh"]

_DEEPER = 1.2
"""What the innermost of nested exceptions counts for more."""
_SERVER_START, _SERVER_STEP = -1.7, 2.8
_SHOWN = 0.01
_MOST = 8


@dataclass(frozen=True)
class Evidence:
    """What files or a transcript say about a cause, apart from words.

    Attributes
    ----------
    cause : str
        The cause id.
    factor : float
        How much likelier (over 1) or less likely (under 1) it becomes.
    reason : str
        Why, as a sentence.
    """

    cause: str
    factor: float
    reason: str


@dataclass(frozen=True)
class Weighed:
    """A cause with its probability and the reasons for it."""

    cause: str
    score: float
    reasons: tuple[str, ...] = field(default=())


def server_share(hits: Iterable[Hit]) -> float:
    """Return how likely it is that a server reports this."""
    roles = {(hit.say.id, hit.say.role) for hit in hits if hit.say.role}
    balance = sum(1 if role == "server" else -1 for _, role in roles)
    return 1 / (1 + math.exp(-(_SERVER_START + _SERVER_STEP * max(-3, min(3, balance)))))


def weigh(
    hits: Sequence[Hit], evidence: Sequence[Evidence], pasted: Pasted, server: float
) -> tuple[Weighed, ...]:
    """Return the causes, best first; empty if nothing was said that has to do with TLS."""
    telling = [hit for hit in hits if hit.say.client]
    if not telling and not any(item.factor > 1 for item in evidence):
        return ()
    weights = [hit.say.weight * _depth(hit, pasted) for hit in telling]
    shares = [_mix(hit.say, server) for hit in telling]
    # In order, so that of two equal ones the saying's first comes first, today and tomorrow.
    causes = dict.fromkeys(cause for share in shares for cause in share)
    causes |= dict.fromkeys(item.cause for item in evidence if item.factor > 1)
    total = sum(weights) or 1.0
    logs = {
        cause: sum(
            weight * math.log(max(share.get(cause, 0.0), hit.say.floor))
            for hit, weight, share in zip(telling, weights, shares, strict=True)
        )
        / total
        if telling
        else 0.0
        for cause in causes
    }
    for hit in hits:
        for cause, factor in hit.say.boost.items():
            if cause in logs:
                logs[cause] += math.log(factor)
    for item in evidence:
        if item.cause in logs:
            logs[item.cause] += math.log(item.factor)
    top = max(logs.values())
    raw = {cause: math.exp(value - top) for cause, value in logs.items()}
    whole = sum(raw.values())
    ranked = sorted(raw.items(), key=lambda pair: -pair[1])
    return tuple(
        Weighed(cause, round(value / whole, 4), _reasons(cause, hits, telling, shares, weights, evidence))
        for cause, value in ranked[:_MOST]
        if value / whole >= _SHOWN
    )


def _mix(say: Say, server: float) -> Mapping[str, float]:
    """Return the shares of a saying; a bare message is a client's as a rule, a bare alert less surely."""
    share = {"server": 1.0, "client": 0.0}.get(say.role if say.received is not None else "", server)
    if say.received is None and server < 0.5:
        share /= 3
    return {
        cause: (1 - share) * say.client.get(cause, 0.0) + share * say.server.get(cause, 0.0)
        for cause in dict.fromkeys((*say.client, *say.server))
    }


_NESTED = re.compile(r"(?i)^\s{0,40}(?:caused by:?|--->|inner exception|root cause|nested exception)")


def _depth(hit: Hit, pasted: Pasted) -> float:
    last = max(
        (number for number, line in enumerate(pasted.lines[:20_000], 1) if _NESTED.match(line[:80])),
        default=0,
    )
    return _DEEPER if last and hit.line >= last else 1.0


def _reasons(
    cause: str,
    hits: Sequence[Hit],
    telling: Sequence[Hit],
    shares: Sequence[Mapping[str, float]],
    weights: Sequence[float],
    evidence: Sequence[Evidence],
) -> tuple[str, ...]:
    found = [item.reason for item in evidence if item.cause == cause]
    spoken = sorted(
        (
            (weight * share[cause], hit)
            for hit, share, weight in zip(telling, shares, weights, strict=True)
            if share.get(cause, 0) > hit.say.floor
        ),
        key=lambda pair: -pair[0],
    )
    found += [f"line {hit.line}: {hit.say.means}" for _, hit in spoken[:2]]
    found += [
        f"“{hit.words}”: {hit.say.means}"
        for hit in hits
        if hit.say.boost.get(cause, 1) >= 1.4 and not hit.say.client
    ][:2]
    return tuple(dict.fromkeys(found))
