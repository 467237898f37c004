"""Explicit FTPS with other clients than Python's: the real Java, and curl."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace

from certkit._files import write_private
from certkit._minder import minded_folder
from certkit._text import visible
from certkit.certificates import Certificate
from certkit.chains import Chain
from certkit.errors import ArgumentError, MissingToolError
from certkit.handshakes import ClientConfig
from certkit.keystores import keystore_bytes
from certkit.services import FtpsService, FtpsTransfer
from certkit.stacks.java import JavaError, java_available, java_worker

__all__ = ["FTPS_CLIENTS", "fetch_ftps"]

_RECEIVED = "Received fatal alert: "


def fetch_ftps(
    service: FtpsService, name: str, client: ClientConfig, *, with_: str, tls: str | None = None
) -> FtpsTransfer:
    """Fetch a file over explicit FTPS with another client than Python's.

    Parameters
    ----------
    service : FtpsService
        The lab's server, running.
    name : str
        The file.
    client : ClientConfig
        Whom the client believes and what it can present.
    with_ : {"java", "curl"}
        The client: JSSE sockets of the embedded Java, or curl as it is installed here.
    tls : {"1.2", "1.3"}, optional
        Exactly this version.

    Returns
    -------
    FtpsTransfer
        With the client's own words; the views of both ends of the control connection are in the service's log.

    Raises
    ------
    MissingToolError
        If that client is not installed here.
    ArgumentError
        If there is no such client.

    Examples
    --------
    >>> from certkit.faults import good_scenario
    >>> story = good_scenario()
    >>> with FtpsService(story.server) as service:  # doctest: +SKIP
    ...     fetch_ftps(service, "orders.csv", story.client, with_="java").ok
    True
    """
    if with_ not in FTPS_CLIENTS:
        raise ArgumentError("unknown FTPS client", on=repr(with_), hint=", ".join(FTPS_CLIENTS))
    return FTPS_CLIENTS[with_](service, name, client, tls)


def _by_java(service: FtpsService, name: str, client: ClientConfig, tls: str | None) -> FtpsTransfer:
    if not java_available():
        raise MissingToolError("the real Java is not installed here", on="FTPS", hint="certkit[java]")
    keystore = None
    if client.credential is not None:
        keystore = keystore_bytes({"client": client.credential}, "changeit", format="jks")
    facts = java_worker().call(
        "ftps_fetch",
        name=name,
        host=client.host or service.host,
        port=service.port,
        login=[service.user, service.password],
        anchors=[item.der for item in client.anchors],
        keystore=keystore,
        password="changeit",  # noqa: S106 - of a keystore that lives for this one call
        tls=tls,
    )
    chain = Chain(tuple(Certificate.from_der(base64.b64decode(item)) for item in facts["chain"]))
    version = facts["version"]
    result = FtpsTransfer(
        name,
        facts["step"],
        tls_version=version.removeprefix("TLSv") if version else None,
        server_chain=chain,
    )
    if facts["exception"] is None:
        return replace(result, content=base64.b64decode(facts["answer"]))
    error = JavaError(tuple((kind, text) for kind, text in facts["exception"]))
    return replace(result, error=visible(str(error), 600), cause=_cause(str(error)))


def _cause(words: str) -> str | None:
    """Return the cause that an FTPS client's words name; the server's own log says more."""
    for mark, cause in (
        ("522 ", "tls-session-reuse-required"),
        (_RECEIVED + "unknown_ca", "client-cert-untrusted"),
        ("alert unknown ca", "client-cert-untrusted"),
        ("certificate_required", "client-cert-missing"),
        ("alert certificate required", "client-cert-missing"),
        ("PKIX path building failed", "untrusted-root"),
        ("unable to get local issuer", "untrusted-root"),
        ("self-signed certificate in certificate chain", "untrusted-root"),
    ):
        if mark in words:
            return cause
    return None


def _by_curl(service: FtpsService, name: str, client: ClientConfig, tls: str | None) -> FtpsTransfer:
    program = shutil.which("curl")
    if program is None:
        raise MissingToolError("curl is not installed here", on="FTPS", hint="your system's package curl")
    with minded_folder("certkit-curl-") as folder:
        (folder / "ca.pem").write_text(client.anchors.pem)
        host = client.host or service.host
        # Options from a file: on the command line the password would stand in the list of processes.
        lines = [
            f'url = "ftp://{host}:{service.port}/{name}"',
            f'user = "{service.user}:{service.password}"',
            f'cacert = "{folder / "ca.pem"}"',
            f'resolve = "{host}:{service.port}:127.0.0.1"',
            'noproxy = "*"',
            "ssl-reqd",
            "silent",
            "show-error",
            "max-time = 10",
        ]
        if client.credential is not None:
            both = client.credential.chain.pem.encode() + client.credential.key.to_pem()
            pem = write_private(folder / "client.pem", both)
            lines.append(f'cert = "{pem}"')
        if tls is not None:
            lines += [f"tlsv{tls}", f'tls-max = "{tls}"']
        config = write_private(folder / "curlrc", ("\n".join(lines) + "\n").encode())
        environment = {**os.environ, "HOME": str(folder), "LC_ALL": "C.UTF-8"}
        done = subprocess.run(  # noqa: S603 - curl, with a file of our own making
            [program, "-q", "--config", str(config)],
            capture_output=True,
            env=environment,
            check=False,
            timeout=20,
        )
    if done.returncode == 0:
        return FtpsTransfer(name, "done", done.stdout)
    words = done.stderr.decode("utf-8", "replace").strip()
    step = {67: "login", 35: "handshake", 60: "handshake", 56: "handshake", 7: "connect"}
    return FtpsTransfer(
        name, step.get(done.returncode, "data"), error=visible(words, 600), cause=_cause(words)
    )


FTPS_CLIENTS: dict[str, Callable[[FtpsService, str, ClientConfig, str | None], FtpsTransfer]] = {
    "java": _by_java,
    "curl": _by_curl,
}
"""The clients that `fetch_ftps` knows."""
