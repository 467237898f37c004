"""A process of our own that answers JSON lines: started when asked, ended with everything it started."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from typing import Any

from certkit._text import visible
from certkit.errors import CertkitError, MissingToolError

__all__ = ["WorkerProcess"]

_STARTUP_SECONDS = 60.0
_KEPT_STDERR = 4000
_LAST_WORDS_SECONDS = 1.0
# What a user's shell may set for their own Java: another JVM's options, printed warnings, a class path.
_FOREIGN_VARIABLES = ("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH", "JAVA_HOME")


class WorkerProcess:
    """One running worker: a request goes in as a line, its answer comes back as a line.

    Parameters
    ----------
    module : str
        The module to run with ``python -m``; its first line of output says that it is ready.
    *arguments : str
        What it is given on its command line.
    """

    def __init__(self, module: str, *arguments: str) -> None:
        self.owner = os.getpid()
        self._number = 0
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=_environment(),
                **_own_group(),
            )
        except OSError as error:
            raise MissingToolError(
                f"the Java worker cannot be started ({error.strerror or error})",
                on=sys.executable or "no Python",
                hint="free memory and processes, and a Python that may be run",
            ) from None
        self._answers: queue.Queue[bytes | None] = queue.Queue()
        self._complaints = bytearray()
        self._readers = [
            threading.Thread(target=target, name=f"certkit {module}", daemon=True)
            for target in (self._read_answers, self._read_complaints)
        ]
        for reader in self._readers:
            reader.start()
        self._finalizer = weakref.finalize(self, _end, self._process, self.owner)
        self.ready = self._answer(_STARTUP_SECONDS, "start")

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it still runs, and is this process's own (not one of before a fork)."""
        return self.owner == os.getpid() and self._process.poll() is None

    def ask(self, operation: str, parameters: dict[str, Any], timeout: float) -> dict[str, Any]:
        """Send one request and return its answer.

        Raises
        ------
        CertkitError
            If the process ended, or did not answer within `timeout` seconds; it is ended then.
        """
        self._number += 1
        request = json.dumps({"id": self._number, "operation": operation, "parameters": parameters})
        pipe = self._process.stdin
        try:
            if pipe is None:
                raise self._died(operation)
            pipe.write(request.encode("ascii") + b"\n")
            pipe.flush()
            answer = self._answer(timeout, operation)
        except (OSError, ValueError):
            self.close()
            raise self._died(operation) from None
        except BaseException:
            # A half-read answer must not be taken for the next one's.
            self.close()
            raise
        return answer

    def _answer(self, timeout: float, operation: str) -> dict[str, Any]:
        try:
            line = self._answers.get(timeout=timeout)
        except queue.Empty:
            self.close()
            raise CertkitError(
                f"the Java worker did not answer within {timeout:g} seconds and was ended",
                on=operation,
                hint="call it again: a new one starts by itself",
                kind="worker-timeout",
            ) from None
        if line is None:
            raise self._died(operation)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _died(self, operation: str) -> CertkitError:
        # Its last words may still be on their way: they come before the end of the pipe that they come through.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_LAST_WORDS_SECONDS)
            self._readers[-1].join(_LAST_WORDS_SECONDS)
        code = self._process.poll()
        self.close()
        words = visible(self._complaints.decode("utf-8", "replace").strip()[-300:], 300)
        if "ModuleNotFoundError" in words or "ImportError" in words:
            return MissingToolError(
                f"the Java worker cannot start ({words.splitlines()[-1][-160:]})",
                hint="install certkit with its extra: certkit[java]",
            )
        said = f" and said: {words}" if words else ""
        how = f"was ended from outside (signal {-code})" if code is not None and code < 0 else "ended"
        return CertkitError(
            f"the Java worker {how}{said}",
            on=operation,
            hint="call it again: a new one starts by itself",
            kind="worker-died",
        )

    def _read_answers(self) -> None:
        stream = self._process.stdout
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                for line in stream:
                    self._answers.put(line)
        self._answers.put(None)

    def _read_complaints(self) -> None:
        stream = self._process.stderr
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                for line in stream:
                    self._complaints += line
                    del self._complaints[:-_KEPT_STDERR]

    def close(self) -> None:
        """End the process and whatever it started; safe to repeat."""
        self._finalizer()


def _environment() -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if name not in _FOREIGN_VARIABLES}
    home = str(Path(__file__).parents[2])
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (home, environment.get("PYTHONPATH"))))
    environment["PYTHONWARNINGS"] = "ignore"
    return environment


def _own_group() -> dict[str, Any]:
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    # Of its own session: Ctrl-C in a notebook is for the kernel, and the group can be ended as a whole.
    return {"start_new_session": True}


def _end(process: subprocess.Popen[bytes], owner: int) -> None:
    if os.getpid() != owner:
        return
    if process.stdin is not None:
        # Closing its input is the polite way to end it.
        with contextlib.suppress(OSError):
            process.stdin.close()
    with contextlib.suppress(OSError, ProcessLookupError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5)
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                stream.close()
