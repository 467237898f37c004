"""Client stacks of the real Java: SSLSocket and HttpsURLConnection, in the one worker process."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar
from urllib.parse import urlsplit

from certkit.errors import CertkitError
from certkit.keystores import load_certificates
from certkit.stacks.call import Answer, Call, CannotDo, Stack
from certkit.stacks.java import JavaError, java_available, java_version, java_worker

__all__ = ["JavaSession", "JavaSocket", "JavaUrl"]


class _Java(Stack):
    package = "certkit[java]"
    operation: ClassVar[str]

    def available(self) -> bool:
        """Return whether the embedded Java is installed."""
        return java_available()

    def version(self) -> str:
        """Return the embedded Java's version."""
        return java_version()

    @abstractmethod
    def parameters(self, call: Call) -> dict[str, Any]:
        """Return what this API is told."""

    def talk(self, call: Call) -> Answer:
        """Make the call."""
        text = call.anchors.read_bytes()
        found: dict[str, Any] = {"anchors": [item.der for item in load_certificates(text)] if text else []}
        if call.file is not None and call.file_format != "pkcs12":
            raise CannotDo("Java's KeyStore reads no PEM; what it says to one is another fault")
        if (pkcs12 := call.pkcs12) is not None:
            found |= {"keystore": pkcs12.read_bytes(), "password": call.password}
        try:
            answer = java_worker().call(self.operation, **found, **self.parameters(call))
        except CertkitError as error:
            return Answer("timed-out" if error.kind == "worker-timeout" else "refused", str(error))
        if isinstance(answer, JavaError):
            timed_out = answer.name == "java.net.SocketTimeoutException"
            first = f"{answer.name}: {answer.message}"
            return Answer("timed-out" if timed_out else "refused", first, answer.name.rpartition(".")[2])
        good = call.expected in str(answer["text"])
        return Answer("accepted" if good else "refused", "" if good else "the answer was not the server's")


class JavaSocket(_Java):
    """SSLSocket with endpoint identification, as database drivers and message queues use it."""

    name = "java-socket"
    api = "SSLSocket.startHandshake()"
    operation = "socket_call"

    def parameters(self, call: Call) -> dict[str, Any]:
        """Return what this API is told."""
        call.needs("SSLSocket", proxy=False)
        if call.plain:
            raise CannotDo("an SSLSocket speaks TLS only")
        return {"host": call.host, "port": call.port, "max_tls": call.max_tls}


class JavaSession(JavaSocket):
    """SSLSocket asked for its session at once: the old HTTP libraries' way, which masks every failure."""

    name = "java-session"
    api = "SSLSocket.getSession().getPeerCertificates()"

    def parameters(self, call: Call) -> dict[str, Any]:
        """Return what this API is told."""
        return {**super().parameters(call), "handshake": False}


class JavaUrl(_Java):
    """HttpsURLConnection, as SOAP stacks and integration platforms use it."""

    name = "java-https"
    api = "HttpsURLConnection.getInputStream()"
    operation = "url_call"

    def parameters(self, call: Call) -> dict[str, Any]:
        """Return what this API is told."""
        call.needs("HttpsURLConnection")
        if call.max_tls is not None:
            raise CannotDo("HttpsURLConnection takes its TLS versions from a property of the whole process")
        way = urlsplit(call.proxy or "")
        return {"url": call.url, "proxy": [way.hostname, way.port] if way.hostname else None}
