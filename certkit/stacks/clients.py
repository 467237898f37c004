"""The client stacks: which there are, which are installed here, and which package brings the others."""

from __future__ import annotations

import difflib

from certkit.errors import ArgumentError
from certkit.stacks.call import Answer, Call, Stack
from certkit.stacks.go import Go
from certkit.stacks.java_clients import JavaSession, JavaSocket, JavaUrl
from certkit.stacks.nss import Chromium, Nss
from certkit.stacks.programs import Curl, GnuTls, Node, OpenSsl, OpenSslStrict, Wget
from certkit.stacks.python import PythonRequests, PythonSsl

__all__ = ["Answer", "Call", "Stack", "find_stack", "list_stacks"]

_STACKS: tuple[Stack, ...] = (
    PythonSsl(),
    PythonRequests(),
    OpenSsl(),
    OpenSslStrict(),
    Curl(),
    Node(),
    JavaSocket(),
    JavaSession(),
    JavaUrl(),
    Wget(),
    GnuTls(),
    Go(),
    Nss(),
    Chromium(),
)


def list_stacks() -> tuple[Stack, ...]:
    """Return every client stack that the lab knows, installed or not.

    Examples
    --------
    >>> [item.name for item in list_stacks()][:2]
    ['python', 'requests']
    """
    return _STACKS


def find_stack(name: str) -> Stack:
    """Return the stack of that name.

    Raises
    ------
    ArgumentError
        If there is none; names the nearest ones.

    Examples
    --------
    >>> find_stack("curl").package
    'curl'
    """
    for item in _STACKS:
        if item.name == name:
            return item
    names = [item.name for item in _STACKS]
    near = difflib.get_close_matches(str(name), names, n=3)
    raise ArgumentError("unknown stack", on=repr(str(name)[:80]), hint=", ".join(near or names))
