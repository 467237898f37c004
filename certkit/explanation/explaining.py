"""`explain`: from a pasted error, and the files around it, to a diagnosis."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from certkit import causes
from certkit.chains import TrustStore
from certkit.errors import ArgumentError, FileError
from certkit.explanation import files as _files
from certkit.explanation._measured import measured_hits
from certkit.explanation._pasted import Pasted
from certkit.explanation._scanning import Hit, scan
from certkit.explanation._transcript import transcript_evidence
from certkit.explanation._weighing import Weighed, server_share, weigh
from certkit.explanation.diagnosis import Diagnosis, RankedCause, Recognised
from certkit.explanation.timeline import read_timeline
from certkit.faults import list_faults
from certkit.keystores import Keystore, load_keystore

__all__ = ["explain"]

Anchors = TrustStore | Keystore | str | os.PathLike[str]
# The stack that is named is the most particular one: Salesforce speaks Java, Kafka too.
_PARTICULAR = [
    "salesforce",
    "castiron",
    "datapower",
    "mq",
    "sap",
    "websphere",
    "gskit",
    "kafka",
    "ldap",
    "iis",
    "wcf",
    "sqlserver",
    "android",
    "postgresql",
    "mysql",
    "mongodb",
    "oracle",
    "ftps",
    "mail",
    "mqtt",
    "openvpn",
    "kubernetes",
    "docker",
    "git",
    "bouncycastle",
    "electron",
    "chromium",
    "firefox",
    "apple",
    "nginx",
    "apache",
    "haproxy",
    "envoy",
    "erlang",
    "rust",
    "mbedtls",
    "wolfssl",
    "stunnel",
    "php",
    "ruby",
    "python",
    "node",
    "curl",
    "wget",
    "gnutls",
    "nss",
    "go",
    "dotnet",
    "windows",
    "java",
    "openssl",
]
_CLIENT_AUTH = frozenset(
    {"client-cert-missing", "client-cert-untrusted", "client-cert-rejected", "ca-hint-list"}
)
_TARGETS = (
    re.compile(r"HTTPSConnectionPool\(host='([^'\s]{1,200})', port=(\d{1,5})"),
    re.compile(r"(?:https|wss|ldaps|mqtts|amqps|ftps)://([A-Za-z0-9.-]{1,200})(?::(\d{1,5}))?"),
    re.compile(r"-connect ([A-Za-z0-9.-]{1,200}):(\d{1,5})"),
    re.compile(r"(?:connect(?:ion|ing)?|handshake) (?:to|with) ([A-Za-z0-9-]{1,60}(?:\.[A-Za-z0-9-]{1,60}){1,8}):(\d{1,5})"),
)  # fmt: skip
_NOT_TARGETS = ("curl.se", "curl.haxx.se", "github.com", "golang.org", "nodejs.org", "docs.")
_LESSONS = {
    "client_authentication": "notebook 04, two-way TLS",
    "network": "notebook 05, troubleshooting",
    "files_and_keys": "notebook 05, troubleshooting",
    "validity": "notebook 06, inventory",
}
_PEM = re.compile(
    r"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[A-Za-z0-9+/=\s]{40,40000}?-----END (?:TRUSTED |X509 )?CERTIFICATE-----"
)


def explain(
    text: str = "",
    files: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] = (),
    *,
    host: str | None = None,
    anchors: Anchors | None = None,
    password: str | None = None,
    at: datetime | None = None,
) -> Diagnosis:
    """Return what a pasted error means: causes with probabilities, how to confirm and how to fix each.

    Nothing is sent anywhere; no connection is opened. Passwords and private keys in the text are masked first.

    Parameters
    ----------
    text : str
        The error, as pasted: a message, a stack trace, a log, a debug log, an s_client transcript. Over 4 million
        characters the middle is left out, and a note says so.
    files : path or iterable of paths
        Certificates, chains, keystores, truststores and logs around it. A store with only CAs counts as truststore.
    host : str, optional
        The name that the client asked for.
    anchors : TrustStore, Keystore or path, optional
        What the side that refused believes.
    password : str, optional
        Of the keystores.
    at : datetime, optional
        The clock to judge by, aware; now by default.

    Raises
    ------
    ArgumentError
        If there is neither text nor a file.
    FileError
        If a file is not there.

    Examples
    --------
    >>> found = explain("x509: certificate is valid for a.example, not b.example")
    >>> found.causes[0].id, found.causes[0].score > 0.5, found.platform
    ('hostname-mismatch', True, 'go')
    >>> explain("disk full on /dev/sda1").causes
    ()
    """
    paths = _paths(files)
    logs = {path: content for path in paths if (content := _files.text_of(path)) is not None}
    certificates = [path for path in paths if path not in logs]
    whole = "\n".join([text, *logs.values()]).strip("\n") if logs else text
    if not whole.strip() and not certificates:
        raise ArgumentError("there is nothing to explain", hint="give the error's text, or a file")
    pem = "\n".join(_PEM.findall(whole[:500_000])) if "-----BEGIN" in whole else ""
    pasted = Pasted.read(whole)
    hits = scan(pasted)
    share = server_share(hits)
    # What was measured supports what is known, and speaks alone only where TLS is spoken of: the lab's every
    # connection was TLS, so "connection refused" would always be.
    if any(hit.say.client or "tls" in hit.say.flags for hit in hits):
        hits = (*hits, *measured_hits(pasted.folded, share))
    steps = read_timeline(pasted.text)
    of_client = share > 0.6 or any(
        hit.say.received and hit.say.role != "server" and share < 0.4 for hit in hits
    )
    looked = _files.look_at(
        certificates,
        pem,
        host=host,
        anchors=_store(anchors, password),
        password=password,
        at=at,
        of_client=of_client,
    )
    evidence = [*looked.evidence, *transcript_evidence(pasted.text, steps)]
    ranked = weigh(hits, evidence, pasted, share)
    platform = _platform(hits)
    reporter = "server" if share > 0.6 else "client" if share < 0.1 else "unknown"
    received = any(hit.say.received for hit in hits)
    target = _target(pasted.text, host)
    return Diagnosis(
        causes=tuple(_ranked(item, platform, target, reporter) for item in ranked),
        recognised=_recognised(hits),
        reporter=_reporter(reporter, ranked, received),
        verdict_of="the other side" if received else "the reporter",
        about=_about(ranked),
        platform=platform,
        timeline=steps,
        looked_at=(*(f"{path.name} was read as a log." for path in logs), *looked.sentences),
        verification=looked.verification,
        notes=pasted.notes,
        text=pasted.text,
    )


def _recognised(hits: Sequence[Hit]) -> tuple[Recognised, ...]:
    """Return what tells something, with where it is known from; what only says that TLS failed if there is no more."""
    telling = [hit for hit in hits if hit.say.client]
    loud = [hit for hit in telling if hit.say.weight > 0.1] or telling
    return tuple(
        Recognised.from_hit(hit, "measured" if hit.say.id.startswith("measured ") else "documented")
        for hit in loud
    )


def _paths(files: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[Path]:
    given = [files] if isinstance(files, str | os.PathLike) else list(files)
    paths = [Path(item) for item in given]
    for path in paths:
        if not path.is_file():
            raise FileError("there is no such file", on=path)
    return paths


def _store(anchors: Anchors | None, password: str | None) -> TrustStore | None:
    if anchors is None or isinstance(anchors, TrustStore):
        return anchors
    store = anchors if isinstance(anchors, Keystore) else load_keystore(Path(anchors), password)
    return store.trust_store()


def _platform(hits: Sequence[Hit]) -> str:
    named = {hit.say.platform for hit in hits if hit.say.platform}
    return next((name for name in _PARTICULAR if name in named), "unknown")


def _about(ranked: Sequence[Weighed]) -> str:
    if not ranked:
        return "unknown"
    if ranked[0].cause in _CLIENT_AUTH:
        return "the client"
    family = causes.cause(ranked[0].cause).family
    return (
        "the server"
        if family in ("trust", "path", "validity", "identity", "usage", "strength")
        else "unknown"
    )


def _reporter(reporter: str, ranked: Sequence[Weighed], received: bool) -> str:
    """Return who reports; a verdict on the client's certificate that was received was received by the client."""
    if reporter == "unknown" and received and ranked:
        return "client" if ranked[0].cause in _CLIENT_AUTH else reporter
    return reporter


def _target(text: str, host: str | None) -> tuple[str, str] | None:
    head = text[:200_000]
    for pattern in _TARGETS:
        for match in pattern.finditer(head):
            name = match[1].strip(".")
            if "." in name and not any(other in name for other in _NOT_TARGETS):
                return host or name, match[2] or "443"
    return (host, "443") if host else None


def _ranked(item: Weighed, platform: str, target: tuple[str, str] | None, reporter: str) -> RankedCause:
    cause = causes.cause(item.cause)
    steps = dict(cause.platforms)
    near = {
        "salesforce": "java",
        "castiron": "java",
        "kafka": "java",
        "websphere": "java",
        "android": "android",
        "wcf": "iis",
        "windows": "iis",
        "dotnet": "iis",
    }
    own = steps.get(platform) or steps.get(near.get(platform, ""), "") or ""
    confirm = cause.confirm
    if target is not None:
        confirm = tuple(
            line.replace("HOST:443", ":".join(target)).replace("HOST", target[0]) for line in confirm
        )
    return RankedCause(
        id=item.cause,
        score=item.score,
        cause=cause,
        reasons=tuple(reason for reason in item.reasons if reason),
        confirm=confirm,
        fix=(*((f"On {_NAMES.get(platform, platform)}: {own}",) if own else ()), *cause.fix),
        fault=_fault(item.cause, reporter),
        lesson=_LESSONS.get(cause.family, "notebook 03, one-way TLS"),
    )


_NAMES = {
    "salesforce": "Salesforce",
    "castiron": "Cast Iron",
    "java": "Java",
    "iis": "IIS",
    "openssl": "OpenSSL",
    "dotnet": ".NET",
    "nginx": "nginx",
}


def _fault(cause: str, reporter: str) -> str | None:
    fits = sorted(
        (item for item in list_faults() if item.cause == cause), key=lambda item: bool(item.harmless)
    )
    # A server that reports judges the client's certificate: the fault on the client's side, where there are two.
    if reporter == "server":
        fits.sort(key=lambda fault: fault.side != "client")
    return fits[0].id if fits else None
