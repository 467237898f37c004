"""Explicit FTPS over the real JSSE: an operation of the worker (the JDK has no FTPS client of its own)."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

import jpype

from certkit.stacks._java_connections import Notes, connected, noting_context, secured
from certkit.stacks._java_keystores import java_bytes
from certkit.stacks._java_worker import exception_chain

__all__ = ["OPERATIONS"]

_MAX_FILE = 1_048_576
_PASSIVE = re.compile(r"\((?:\d+,){4}(\d+),(\d+)\)")


class _Refused(Exception):  # noqa: N818 - the server's reply, which is data
    pass


class _Control:
    """The control connection: a socket, plain and then TLS, and its lines."""

    def __init__(self, socket: Any) -> None:
        self.take(socket)

    def take(self, socket: Any) -> None:
        self.socket = socket
        reader = jpype.JClass("java.io.InputStreamReader")(socket.getInputStream(), "US-ASCII")
        self.lines = jpype.JClass("java.io.BufferedReader")(reader)

    def reply(self, wanted: str) -> str:
        line = self.lines.readLine()
        while line is not None and str(line)[3:4] == "-":
            line = self.lines.readLine()
        if line is None or str(line)[:1] not in wanted:
            raise _Refused("the connection ended" if line is None else str(line))
        return str(line)

    def say(self, command: str, wanted: str = "23") -> str:
        self.socket.getOutputStream().write(java_bytes(base64.b64encode(f"{command}\r\n".encode()).decode()))
        return self.reply(wanted)


def _tls(context: Any, plain: Any, host: str, tls: str | None) -> Any:
    connection = secured(context, plain, host, tls)
    connection.startHandshake()
    return connection


def _fetch(
    name: str, host: str, port: int, login: list[str], context: Any, tls: str | None, ms: int, notes: Notes
) -> None:
    control = _Control(connected(host, port, ms))
    notes["step"] = "welcome"
    control.reply("2")
    notes["step"] = "auth"
    control.say("AUTH TLS")
    notes["step"] = "handshake"
    control.take(_tls(context, control.socket, host, tls))
    notes["version"] = str(control.socket.getSession().getProtocol())
    control.say(f"USER {login[0]}")
    notes["step"] = "login"
    control.say(f"PASS {login[1]}")
    control.say("PBSZ 0")
    control.say("PROT P")
    control.say("TYPE I")
    notes["step"] = "data"
    found = _PASSIVE.search(control.say("PASV"))
    if found is None:
        raise _Refused("no passive port")
    plain = connected(host, int(found[1]) * 256 + int(found[2]), ms)
    try:
        control.say(f"RETR {name}", "1")
        data = _tls(context, plain, host, tls)
        content = bytes(data.getInputStream().readNBytes(_MAX_FILE))
    finally:
        plain.close()
    control.reply("2")
    notes["answer"] = base64.b64encode(content).decode()
    notes["step"] = "done"
    control.socket.close()


def ftps_fetch(
    name: str,
    host: str,
    port: int,
    login: list[str],
    anchors: list[str],
    keystore: str | None = None,
    password: str | None = None,
    tls: str | None = None,
    milliseconds: int = 5_000,
) -> dict[str, Any]:
    """Fetch one file, and say how far it came."""
    notes = Notes()
    try:
        context = noting_context(notes, anchors, keystore, password)
        _fetch(name, host, port, login, context, tls, milliseconds, notes)
    except jpype.JException as error:
        notes["exception"] = exception_chain(error)
    except _Refused as reply:
        notes["exception"] = [["FTP reply", str(reply)]]
    return notes.facts


OPERATIONS: dict[str, Callable[..., Any]] = {"ftps_fetch": ftps_fetch}
