"""The vocabulary of what goes wrong: `Cause`, `Finding`, `Severity`, and one .toml file a family.

One cause has one id, used by the checks that find it, the faults that reproduce it, the entry that
explains it and the tests that cover it.
"""

from __future__ import annotations

import difflib
import tomllib
from functools import cache
from pathlib import Path

from certkit.causes._cause import SIDES, Cause
from certkit.causes._finding import Finding, Severity
from certkit.errors import ArgumentError

__all__ = ["FAMILIES", "SIDES", "Cause", "Finding", "Severity", "cause", "load"]

FAMILIES: dict[str, str] = {
    "trust": "Trust",
    "path": "Path",
    "validity": "Validity",
    "identity": "Identity",
    "usage": "Usage",
    "strength": "Strength",
    "revocation": "Revocation",
    "files_and_keys": "Files and keys",
    "client_authentication": "Client authentication",
    "protocol": "Protocol",
    "network": "Network",
}
"""The families in the order in which they are taught: name of the file, title to show."""

_HOME = Path(__file__).parent


@cache
def load() -> dict[str, Cause]:
    """Return every cause by id, family by family.

    Examples
    --------
    >>> load()["missing-intermediate"].title
    'The sender left out an intermediate'
    """
    found: dict[str, Cause] = {}
    for family in FAMILIES:
        text = (_HOME / f"{family}.toml").read_text("utf-8")
        for key, entry in tomllib.loads(text).items():
            if key in found:
                raise ArgumentError("two causes have the same id", on=key)
            found[key] = Cause.from_entry(key, family, entry)
    return found


def cause(name: str) -> Cause:
    """Return the cause of that id.

    Raises
    ------
    ArgumentError
        If there is no such cause; names the nearest ones.

    Examples
    --------
    >>> cause("hostname-mismatch").family
    'identity'
    """
    found = load()
    if name in found:
        return found[name]
    near = difflib.get_close_matches(str(name), found, n=3)
    raise ArgumentError(
        "unknown cause", on=repr(str(name)[:80]), hint=", ".join(near) or "certkit.causes.load(), for all"
    )
