"""Parsers of text: pasted errors, messages about bytes, addresses, and the command line."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import sys
import tempfile
import tomllib
from functools import cache
from pathlib import Path
from unittest import mock

from fuzz.targets import Target, each, utf8
from fuzz.targets_files import good

import certkit as ck
from certkit import _names, _text
from certkit._cli_check import moment
from certkit._cli_explain import _limited
from certkit._cli_inventory import _moment
from certkit.atlas._normal import normal
from certkit.checkup._transport import parse_target
from certkit.cli import main
from certkit.explanation._masking import mask_secrets
from certkit.explanation._pasted import Pasted, fold
from certkit.explanation._transcript import transcript_evidence
from certkit.explanation.timeline import read_timeline
from certkit.formats.byte_decoder import decode_byte
from certkit.inventory.places import utf8 as shown_path
from certkit.stacks.programs import _wget_words

TUNING = Path(__file__).parent.parent / "conformance" / "explain_tuning.toml"


def explain(data: bytes) -> None:
    """Explain a pasted text."""
    for text in (utf8(data), _limited(data, "input")):
        found = ck.explain(text)
        repr(found), found._repr_html_(), found.to_dict(), found.report().encode()


def pieces(data: bytes) -> None:
    """Let each part of the explanation read the text by itself."""
    text = _limited(data, "input")
    each(text, mask_secrets, fold, normal, Pasted.read, _wget_words)
    steps = read_timeline(text)
    list(transcript_evidence(text, steps))


def bytes_named(data: bytes) -> None:
    """Say which byte a message speaks of, and compare it with a file."""
    message, _, file = data.partition(b"\0")
    for source in (None, file):
        found = decode_byte(utf8(message), source)
        repr(found), found._repr_html_(), found.to_dict(), str(found)


def words(data: bytes) -> None:
    """Read addresses, names and times."""
    text = utf8(data)
    each(
        text, parse_target, _names.is_address, _names.is_host_name, _text.visible, shown_path, moment, _moment
    )
    _text.hexdump(data)


def _no_network(*_: object, **__: object) -> None:
    raise socket.gaierror(socket.EAI_NONAME, "there is no network here")


# What starts JupyterLab, measures for minutes, or needs Java is not parsed differently.
_NEVER = {"lab", "measure"}
VERBS = (
    "inspect",
    "convert",
    "chain",
    "explain",
    "decode",
    "bytes",
    "scan",
    "check",
    "handshake",
    "faults",
    "atlas",
)


def command(data: bytes) -> None:
    """Run the certkit command with these arguments, one a line, in a folder of its own, without a network."""
    arguments = [utf8(item) for item in data.split(b"\n")[:12]]
    # Nothing outside the folder is read or written, and no server is measured.
    if any(".." in item or "/" in item.replace("://", "") or item in _NEVER for item in arguments):
        return
    if "\0" in "".join(arguments):  # no system passes such an argument
        return
    if "handshake" not in arguments and "chain" in arguments:
        arguments.append("--no-java")
    with _folder(), mock.patch.object(socket, "getaddrinfo", _no_network), _no_connection():
        out, err = (
            io.TextIOWrapper(io.BytesIO(), "utf-8"),
            io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace"),
        )
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(b""))),
        ):
            try:
                code = main(arguments)
            except SystemExit as end:
                code = end.code
        assert code in {0, 1, 2}, code


def _no_connection() -> contextlib.AbstractContextManager[object]:
    genuine = socket.socket.connect

    def connect(self: socket.socket, address: object) -> None:
        if isinstance(address, tuple) and str(address[0]) not in {"127.0.0.1", "::1"}:
            raise OSError("there is no network here")
        genuine(self, address)  # type: ignore[arg-type]

    return mock.patch.object(socket.socket, "connect", connect)


@contextlib.contextmanager
def _folder():
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        for name, data in _files().items():
            Path(folder, name).write_bytes(data)
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


@cache
def _files() -> dict[str, bytes]:
    names = {
        "a.pem": "pem",
        "b.der": "der",
        "c.p12": "pkcs12-clear",
        "d.jks": "jks",
        "e.crl": "crl",
        "f.csr": "request",
    }
    return {name: good(kind)[0] for name, kind in names.items()} | {"log.txt": b"alert bad certificate\n"}


def _commands() -> list[bytes]:
    lines = (
        "inspect a.pem b.der c.p12 --json",
        "inspect d.jks --explain",
        "convert a.pem out.p7b --force",
        "convert c.p12 out.pem --alias x --json",
        "chain a.pem --host shop.example.test --at 2026-01-01T00:00:00Z --json",
        "explain log.txt --file a.pem --host shop.example.test --json",
        "explain alert_bad_certificate --html page.html",
        "decode not_expected_48 b.der",
        "bytes b.der e.crl --explain --json",
        "scan a.pem f.csr --json --at 2026-01-01T00:00:00Z --workers 1",
        "check localhost:1 --json --seconds 1",
        "check 127.0.0.1:1 --starttls smtp --anchors a.pem",
        "handshake --fault expired-leaf --tls 1.2 --json",
        "faults --json",
        "atlas show --fault expired-leaf --tls 1.3 --json",
        "--version",
    )
    return [line.replace(" ", "\n").replace("_", " ").encode() for line in lines]


def _messages() -> list[bytes]:
    entries = tomllib.loads(TUNING.read_text("utf-8"))
    texts = [
        str(item["text"])
        for group in entries.values()
        if isinstance(group, list)
        for item in group
        if "text" in item
    ]
    return [text.encode() for text in texts[::7]]


TARGETS = (
    Target("explain", explain, _messages, "text"),
    Target("explain-parts", pieces, _messages, "text"),
    Target(
        "byte-message",
        bytes_named,
        lambda: [
            b"DerInputStream.getLength(): lengthTag=109, too big.\0" + good("pkcs12-clear")[0],
            b"DER input, Integer tag error, tag not expected 48\0" + good("der")[0],
            b"Invalid keystore format\0" + good("pem")[0],
        ],
        "text",
    ),
    Target(
        "words",
        words,
        lambda: [b"[::1]:443", b"https://shop.example.test:8443/x", b"2026-01-01T00:00:00Z"],
        "text",
    ),
    Target("command", command, _commands, "text"),
)
