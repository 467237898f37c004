"""What a client stack is asked, what it answers, and how a program is run so that it can do no harm."""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from certkit._minder import minded_group
from certkit._text import visible
from certkit.credentials import Credential

__all__ = ["Answer", "Call", "CannotDo", "Done", "Stack", "run_program"]

SECONDS = 10.0
MAX_OUTPUT = 2_000_000
_MAX_MESSAGE = 600
_FOREIGN = re.compile(
    r"(?i).*proxy.*|NODE_.*|SSL.*|OPENSSL.*|CURL.*|GO.*|REQUESTS_CA_BUNDLE|WGETRC|.*JAVA.*|LD_PRELOAD"
)


class CannotDo(Exception):  # noqa: N818 - an answer of a stack: this is not for me
    """The stack has no way to do what is asked."""


@dataclass(frozen=True)
class Call:
    """One call for a client stack, on loopback.

    Attributes
    ----------
    host : str
        The name, or the address, that stands in the URL: ``localhost`` or ``127.0.0.1``.
    port : int
        Where the server listens.
    folder : Path
        A folder for this call alone, with ``ca.pem`` (whom to trust) and what is named below.
    credential : Credential or None
        What to present if asked; also as ``client.pem`` (chain, then key), ``client.key`` and ``client.p12``.
    file : Path or None
        A keystore file to use in place of these; a fault has been at it.
    file_format : {"pkcs12", "pem"}
        What the client is told that it is.
    password : str or None
        For that file and for ``client.p12``.
    crl : Path or None
        Lists of revoked certificates as PEM, for stacks that can be given some; an empty file where
        revocation must be checked and no list came.
    proxy : str or None
        The web proxy's URL.
    max_tls : str or None
        The newest TLS version to offer; None for the stack's default.
    plain : bool
        Whether to speak HTTP without TLS.
    service : {"https", "ftps"}
        What is called.
    login : (str, str)
        User name and password, for FTPS.
    resumes : bool
        Whether an FTPS client should resume the session for data, if it can choose.
    expected : str
        What the server's good answer contains.
    """

    host: str
    port: int
    folder: Path
    credential: Credential | None = field(default=None, repr=False)
    file: Path | None = None
    file_format: str = "pkcs12"
    password: str | None = field(default=None, repr=False)
    crl: Path | None = None
    proxy: str | None = None
    max_tls: str | None = None
    plain: bool = False
    service: str = "https"
    login: tuple[str, str] = field(default=("", ""), repr=False)
    resumes: bool = True
    expected: str = ""

    @property
    def url(self) -> str:
        """The URL to call."""
        return f"{'http' if self.plain else 'https'}://{self.host}:{self.port}/"

    @property
    def anchors(self) -> Path:
        """The PEM file of the trusted roots; may be empty."""
        return self.folder / "ca.pem"

    @property
    def pkcs12(self) -> Path | None:
        """The PKCS#12 file to present; None if there is nothing to present, or another format is wanted."""
        if self.file is not None:
            return self.file if self.file_format == "pkcs12" else None
        return None if self.credential is None else self.folder / "client.p12"

    @property
    def pem(self) -> Path | None:
        """The PEM file with chain and key to present; None if there is none."""
        if self.file is not None:
            return self.file if self.file_format == "pem" else None
        return None if self.credential is None else self.folder / "client.pem"

    @property
    def has_crl(self) -> bool:
        """Whether there is a list of revoked certificates to give to a stack."""
        return self.crl is not None and self.crl.stat().st_size > 0

    def needs(self, stack: str, *, proxy: bool = True, ftps: bool = False, pkcs12: bool = True) -> None:
        """Raise `CannotDo` unless the stack's abilities, as named, are enough for this call."""
        if self.proxy is not None and not proxy:
            raise CannotDo(f"{stack} cannot be told to use a web proxy")
        if self.service == "ftps" and not ftps:
            raise CannotDo(f"{stack} does not speak FTPS")
        if self.file is not None and self.file_format == "pkcs12" and not pkcs12:
            raise CannotDo(f"{stack} reads no PKCS#12 files")


@dataclass(frozen=True)
class Answer:
    """What a stack made of a call.

    Attributes
    ----------
    outcome : {"accepted", "refused", "timed-out", "not-applicable", "overflowed"}
        ``overflowed``: it printed so much that it was ended.
    message : str
        Its own words, the lines that matter.
    code : str
        Its exit code or verify code; empty if it has none.
    seconds : float
        How long it took.
    """

    outcome: str
    message: str = ""
    code: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Done:
    """How a program ended.

    Attributes
    ----------
    code : int or None
        Its exit code; None if it was ended.
    out, err : str
        What it printed.
    ended : {"", "timed-out", "overflowed"}
        Why it was ended.
    """

    code: int | None
    out: str
    err: str
    ended: str = ""


class Stack(ABC):
    """A client stack: one program or library, called in one way.

    Attributes
    ----------
    name : str
        Its id.
    api : str
        How it is called, as a user would write it.
    package : str
        What brings it, if it is missing.
    """

    name: ClassVar[str]
    api: ClassVar[str]
    package: ClassVar[str]

    @abstractmethod
    def available(self) -> bool:
        """Return whether it is installed here."""

    @abstractmethod
    def version(self) -> str:
        """Return its version, and that of its TLS library where that is another."""

    @abstractmethod
    def talk(self, call: Call) -> Answer:
        """Make the call; raise `CannotDo` if it has no way to."""

    def run(self, call: Call) -> Answer:
        """Make a call and return what came of it, whatever happens."""
        start = time.monotonic()
        try:
            found = self.talk(call)
        except CannotDo as reason:
            return Answer("not-applicable", str(reason))
        message = visible(" ".join(found.message.split()), _MAX_MESSAGE)
        return Answer(found.outcome, message, found.code, time.monotonic() - start)

    def judge(self, call: Call, done: Done, message: str, code: str | None = None) -> Answer:
        """Return the answer of a program: accepted if the server's good answer is in what it printed."""
        if done.ended:
            words = {
                "timed-out": f"no answer within {SECONDS:g} seconds: its process group was ended",
                "overflowed": f"more than {MAX_OUTPUT:,} bytes of output: its process group was ended",
            }
            return Answer(done.ended, words[done.ended])
        said = f"exit {done.code}" if code is None else code
        if call.expected in done.out:
            # Its exit code says nothing then: some wait on, and are ended when they have their answer.
            return Answer("accepted")
        return Answer("refused", message or _last_line(done), said)

    def __repr__(self) -> str:
        return f"<Stack {self.name}: {self.api}>"


def _last_line(done: Done) -> str:
    lines = [line for line in (done.err or done.out).splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return the environment for a program: the user's own, without settings of TLS and with another home."""
    kept = {name: value for name, value in os.environ.items() if not _FOREIGN.fullmatch(name)}
    return {**kept, "HOME": str(home), "LC_ALL": "C.UTF-8", **more}


def run_program(
    command: Sequence[str | os.PathLike[str]],
    *,
    home: Path,
    send: bytes = b"",
    seconds: float = SECONDS,
    env: Mapping[str, str] | None = None,
    until: str = "",
) -> Done:
    """Run a program in a process group of its own, for a limited time and with limited output.

    Parameters
    ----------
    command : sequence of str
        The program and its arguments.
    home : Path
        Its home folder: nothing of the user's own is read or written.
    send : bytes
        For its standard input, which then stays open until the program ends: some stop at its end.
    seconds : float
        The limit; then the whole group is ended.
    env : mapping, optional
        More variables.
    until : str
        Once it has printed this there is nothing more to wait for; it is ended.
    """
    process = subprocess.Popen(  # noqa: S603 - programs of our own choice
        [os.fspath(item) for item in command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(home, **(env or {})),
        cwd=home,
        start_new_session=sys.platform != "win32",
    )
    with minded_group(process):
        try:
            if process.stdin is not None:
                with contextlib.suppress(OSError):
                    process.stdin.write(send)
                    process.stdin.flush()
                    if not send:
                        process.stdin.close()
            out, err, ended = _read(process, seconds, until.encode())
            if not ended and not (until and until.encode() in out):
                try:
                    process.wait(1.0)
                except subprocess.TimeoutExpired:
                    ended = "timed-out"
        finally:
            _end_group(process)
    code = None if ended else process.returncode
    return Done(code, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"), ended)


def _read(process: subprocess.Popen[bytes], seconds: float, until: bytes) -> tuple[bytes, bytes, str]:
    kept = {"out": b"", "err": b""}
    total, end = 0, time.monotonic() + seconds
    with selectors.DefaultSelector() as ready:
        for stream, name in ((process.stdout, "out"), (process.stderr, "err")):
            if stream is not None:
                ready.register(stream, selectors.EVENT_READ, name)
        while ready.get_map():
            left = end - time.monotonic()
            if left <= 0:
                return kept["out"], kept["err"], "timed-out"
            for key, _ in ready.select(min(left, 0.5)):
                piece = os.read(key.fd, 65_536)
                if not piece:
                    ready.unregister(key.fileobj)
                kept[key.data] += piece
                total += len(piece)
            if total > MAX_OUTPUT:
                return kept["out"], kept["err"], "overflowed"
            if until and until in kept["out"]:
                break
            if process.poll() is not None and not ready.select(0):
                break
    return kept["out"], kept["err"], ""


def _end_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            process.kill()
        else:
            # Of its own session: whatever it started goes with it.
            os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
