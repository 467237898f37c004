"""`check_server` and `check_servers`: look at one server, or at many, and never wait too long."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from itertools import islice

from certkit._files import utc
from certkit.causes import Finding, Severity
from certkit.chains import TrustStore
from certkit.checkup._probe import Flight, first_flight
from certkit.checkup._transport import Target, connect, parse_target
from certkit.checkup.acceptance import who_accepts
from certkit.checkup.client_authentication import ClientAuthentication, ask_client_authentication
from certkit.checkup.measured import measured_for
from certkit.checkup.report import ServerCheck, expiry_findings, version_findings
from certkit.credentials import Credential
from certkit.errors import ArgumentError, CertkitError, FormatError
from certkit.keystores.system import system_trust
from certkit.revocation import OcspAnswer
from certkit.verification import check_revocation, verify_chain

__all__ = ["check_server", "check_servers"]

# Servers are waited for side by side, but judged one by one: threads that want the interpreter at the same
# time get less out of it than one.
_JUDGING = threading.Lock()

STEP_SECONDS = 5.0
VERSIONS = ("1.0", "1.1", "1.2", "1.3")
MAX_WORKERS = 64


class _Ended(Exception):  # noqa: N818 - not an error of the program: as far as the server let us come
    def __init__(self, stage: str, error: CertkitError) -> None:
        super().__init__(str(error))
        self.stage, self.error = stage, error


def check_server(
    target: str | Target,
    *,
    anchors: TrustStore | None = None,
    client: Credential | None = None,
    starttls: str | None = None,
    proxy: str | None = None,
    name: str | None = None,
    versions: bool = True,
    acceptance: bool = True,
    at: datetime | None = None,
    step: float = STEP_SECONDS,
) -> ServerCheck:
    """Look at a server: what it presents, whether it would be believed, and what it wants of its clients.

    Contacts the server that is named, or the proxy that is named, and nothing else.

    Parameters
    ----------
    target : str or Target
        ``HOST``, ``HOST:PORT`` or ``[IPv6]:PORT``.
    anchors : TrustStore, optional
        Whom to believe; the system's roots by default.
    client : Credential, optional
        A client certificate to try (two-way).
    starttls : str, optional
        ``"ftp"``, ``"smtp"``, ``"imap"``, ``"pop3"``, ``"ldap"``, ``"postgres"``, ``"mysql"`` or ``"xmpp"``.
    proxy : str, optional
        ``http://host:port`` of a forward proxy to go through.
    name : str, optional
        The name to ask for and to compare with; the host by default.
    versions : bool
        Whether to try each TLS version; four more connections.
    acceptance : bool
        Whether to say who would accept it: computed for this chain (browsers' rules, OpenSSL, Java, the client
        platform), and beside it what the atlas measured for the causes that were found.
    at : datetime, optional
        The clock to judge by; now by default.
    step : float
        Seconds that each step may take.

    Returns
    -------
    ServerCheck
        Also when nothing answers: it says how far it came.

    Raises
    ------
    ArgumentError
        If the target names no host.
    """
    where = (
        target
        if isinstance(target, Target)
        else parse_target(target, starttls=starttls, proxy=proxy, name=name)
    )
    result = _examine(where, anchors, client, versions, acceptance, utc(at), step)
    if not acceptance:
        return result
    verdict, agreed = result.verification, result.flight.version if result.flight else None
    return replace(
        result,
        accepted_by=() if verdict is None else who_accepts(verdict),
        measured=measured_for(result.findings, verdict, agreed),
    )


def _examine(
    where: Target,
    anchors: TrustStore | None,
    client: Credential | None,
    versions: bool,
    second_opinion: bool,
    at: datetime,
    step: float,
) -> ServerCheck:
    """Return what one server showed, as far as it let us come."""
    try:
        flight = _look(where, step)
    except ArgumentError:
        raise
    except _Ended as end:
        return ServerCheck(where, end.stage, at, findings=(_as_finding(end.error),))
    if flight.version is None:
        return ServerCheck(where, "tls", at, flight, findings=(_refused(flight),))
    tried = tuple((version, _try_version(where, version, step)) for version in VERSIONS) if versions else ()
    try:
        clients = ask_client_authentication(where, flight, client, step)
    except CertkitError as error:
        clients = ClientAuthentication("unknown", words=str(error))
    with _JUDGING:
        return _judge(where, flight, tried, clients, anchors, at, second_opinion)


def _look(where: Target, step: float) -> Flight:
    """Return the first flight in the newest version the server has; old servers choke on new hellos."""
    flight = None
    for offer in (("1.3", "1.2"), ("1.2",), ("1.1", "1.0")):
        try:
            transport = connect(where, step)
        except ArgumentError:
            raise
        except CertkitError as error:
            raise _Ended("resolve" if error.kind == "dns" else "connect", error) from None
        try:
            flight = first_flight(transport, where.wanted, offer)
        except CertkitError as error:
            raise _Ended("tls", error) from None
        finally:
            transport.close()
        if flight.version is not None:
            return flight
    assert flight is not None
    return flight


def _try_version(where: Target, version: str, step: float) -> str:
    try:
        transport = connect(where, step)
    except CertkitError:
        return "no answer"
    try:
        flight = first_flight(transport, where.wanted, (version,))
    except CertkitError as error:
        return "refused" if error.kind in {"closed", "reset"} else "no answer"
    finally:
        transport.close()
    return "offered" if flight.version == version else "refused"


def _judge(
    where: Target,
    flight: Flight,
    versions: tuple[tuple[str, str], ...],
    clients: ClientAuthentication,
    anchors: TrustStore | None,
    at: datetime,
    second_opinion: bool,
) -> ServerCheck:
    found = version_findings(versions)
    if clients.accepted is False:
        found.append(_client_refused(clients))
    chain = flight.chain
    if not chain:
        found.insert(0, _no_certificate(flight))
        return ServerCheck(where, "certificate", at, flight, versions, None, clients, tuple(found))
    verification = verify_chain(
        chain,
        anchors if anchors is not None else system_trust(),
        host=where.wanted,
        at=at,
        second_opinion=second_opinion,
    )
    if (answer := _stapled(flight)) is not None:
        verification = check_revocation(verification, answers=[answer])
    found += [*verification.findings, *expiry_findings(chain, at)]
    found.sort(key=lambda finding: not finding.fatal)
    if not verification.ok and not any(finding.fatal for finding in found):
        found.insert(0, _refused_without_reason(verification.oracle))
    return ServerCheck(where, "done", at, flight, versions, verification, clients, tuple(found))


def _as_finding(error: CertkitError) -> Finding:
    text = error.what[:1].upper() + error.what[1:] + (f": {error.on}." if error.on else ".")
    kind, cause = error.kind or "server-closed", error.cause or "server-closed"
    return Finding(kind, cause, Severity.FATAL, text, position="connection", fix=error.hint)


def _refused(flight: Flight) -> Finding:
    causes = {"protocol_version": "protocol-version", "unrecognized_name": "sni-missing"}
    cause = causes.get(flight.alert or "", "no-shared-cipher")
    text = (
        f"The server answered our ClientHello with the alert {flight.alert}."
        if flight.alert
        else "The server ended the handshake."
    )
    return Finding(
        "hello-refused",
        cause if flight.alert else "server-closed",
        Severity.FATAL,
        text,
        position="connection",
        rfc="RFC 8446, 6.2",
        fix="Compare the TLS versions, cipher suites and names that the server is configured for.",
    )


def _stapled(flight: Flight) -> OcspAnswer | None:
    try:
        return None if flight.staple is None else OcspAnswer.from_bytes(flight.staple)
    except FormatError:
        return None  # the report says that it cannot be read


def _client_refused(clients: ClientAuthentication) -> Finding:
    return Finding(
        "client-certificate-refused",
        "client-cert-untrusted",
        Severity.FATAL,
        "The server refused the client certificate that was tried.",
        position="client",
        evidence=(("our library's words", clients.words), ("CAs the server names", clients.authorities)),
        fix="Have the server trust the root above the client certificate, and send the certificate with its intermediates.",
    )


def _no_certificate(flight: Flight) -> Finding:
    if flight.alert is not None:
        return _refused(flight)
    if not {"ServerHelloDone", "Finished"} & {item.name for item in flight.messages}:
        return Finding(
            "closed-early",
            "server-closed",
            Severity.FATAL,
            f"The server closed the connection after its {flight.messages[-1].name}, before its certificate.",
            position="connection",
            fix="Look into the server's log: something ended it in the middle of the handshake.",
        )
    return Finding(
        "no-certificate",
        "plaintext-on-tls-port",
        Severity.FATAL,
        "The server sent no certificate.",
        position="connection",
        fix="Configure a certificate and its key on the server.",
    )


def _refused_without_reason(oracle: object) -> Finding:
    return Finding(
        "oracle-disagrees",
        "search-limit",
        Severity.FATAL,
        "The verifier refuses this chain and the explorer found no reason.",
        evidence=(("verifier", str(oracle)),),
    )


def check_servers(
    targets: Iterable[str | Target],
    *,
    workers: int = MAX_WORKERS,
    progress: Callable[[ServerCheck], None] | None = None,
    **options: object,
) -> Iterator[ServerCheck]:
    """Look at many servers at once, and yield each result in the order of the targets.

    Parameters
    ----------
    targets : iterable of str or Target
        May be long: only a window of it is in work at a time.
    workers : int
        How many at the same time, 1 to 64.
    progress : callable, optional
        Called with each result as it is yielded.
    **options
        As for `check_server`; who would accept each is asked only with ``acceptance=True``.
    """
    if not 1 <= workers <= MAX_WORKERS:
        raise ArgumentError("too many or too few at once", on=workers, hint=f"1 to {MAX_WORKERS}")
    options.setdefault("acceptance", False)
    if options.get("anchors") is None:
        options["anchors"] = system_trust()  # read once, not once a server
    source = iter(targets)
    with ThreadPoolExecutor(workers, thread_name_prefix="certkit-check") as pool:

        def start(target: str | Target) -> Future[ServerCheck]:
            return pool.submit(check_server, target, **options)  # type: ignore[arg-type]

        waiting = [start(target) for target in islice(source, workers * 2)]
        while waiting:
            result = waiting.pop(0).result()
            waiting += [start(target) for target in islice(source, 1)]
            if progress is not None:
                progress(result)
            yield result
