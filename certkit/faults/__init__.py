"""Faults: each a small function from a good scenario to a broken one, with one cause."""

from __future__ import annotations

import difflib

from certkit.errors import ArgumentError

# Importing a family registers its faults.
from certkit.faults import (
    client_authentication,
    files,
    identity,
    network,
    path,
    protocol,
    revocation,
    strength,
    trust,
    usage,
    validity,
)
from certkit.faults.registry import CATALOGUE, Fault
from certkit.faults.scenario import Scenario, good_scenario

__all__ = ["CATALOGUE", "Fault", "Scenario", "find_fault", "good_scenario", "list_faults"]

FAMILIES = (
    trust,
    validity,
    identity,
    usage,
    path,
    strength,
    revocation,
    client_authentication,
    files,
    protocol,
    network,
)
"""The families, in the order in which they are taught."""


def list_faults() -> tuple[Fault, ...]:
    """Return every fault, family by family.

    Examples
    --------
    >>> len(list_faults()) >= 55
    True
    """
    order = [family.__name__.rpartition(".")[2] for family in FAMILIES]
    return tuple(sorted(CATALOGUE.values(), key=lambda item: order.index(item.family)))


def find_fault(name: str) -> Fault:
    """Return the fault of that id; a cause id stands for the first fault with that cause.

    Raises
    ------
    ArgumentError
        If there is no such fault; names the nearest ones.

    Examples
    --------
    >>> find_fault("missing-intermediate").side
    'server'
    """
    if name in CATALOGUE:
        return CATALOGUE[name]
    # One that fails here shows more than one that only other stacks refuse.
    for item in sorted(list_faults(), key=lambda item: bool(item.harmless)):
        if item.cause == name:
            return item
    near = difflib.get_close_matches(str(name), CATALOGUE, n=3)
    raise ArgumentError(
        "unknown fault",
        on=repr(str(name)[:80]),
        hint=", ".join(near) if near else "certkit faults, for the list",
    )
