"""`measure_atlas`: every fault with every stack, for real, on loopback."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from certkit._files import iso, write_private
from certkit._minder import minded_folder
from certkit.atlas._normal import normal
from certkit.atlas.table import Atlas, AtlasRow, sorted_rows
from certkit.errors import ArgumentError
from certkit.faults import Fault, Scenario, find_fault, good_scenario, list_faults
from certkit.faults._stage import ANSWER, Stage, set_stage
from certkit.faults.scenario import PASSWORD
from certkit.handshakes import Endpoint
from certkit.keystores import keystore_bytes
from certkit.services.ftps import FIRST_FILES, FtpsService
from certkit.stacks.clients import Answer, Call, Stack, find_stack, list_stacks

__all__ = ["GOOD", "NOT_MEASURED", "ask_stack", "measure_atlas"]

GOOD = ("good", "good-two-way")
"""The scenarios without a fault, measured too: a stack that fails there says nothing by failing elsewhere."""
NOT_MEASURED = {
    "endpoint-not-allowed": "a rule of hosted platforms: no stack here has such a list",
    "key-not-readable": "about the rights of users, the same for every program",
}
WORKERS = 4
_HOST = "localhost"
_NO_TLS = Endpoint("server", "ok")


@dataclass(frozen=True)
class _Job:
    name: str
    cause: str
    tls: str
    stack: Stack


def measure_atlas(
    faults: Iterable[str] | None = None,
    stacks: Iterable[str] | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
    workers: int = WORKERS,
) -> Atlas:
    """Run each fault with each stack and each TLS version, and return what all of them said.

    Parameters
    ----------
    faults, stacks : iterable of str, optional
        Ids; all by default. One that nobody knows, or a stack that is not installed, gets a row that says so.
    progress : callable, optional
        Is told how many calls are done, and of how many.
    workers : int
        How many calls at the same time.

    Examples
    --------
    >>> found = measure_atlas(["expired-leaf"], ["python"])
    >>> {row.outcome for row in found}, found.rows[0].alert
    ({'refused'}, 'certificate_expired')
    """
    names = list(faults) if faults is not None else [*GOOD, *(item.id for item in list_faults())]
    wanted = list(stacks) if stacks is not None else [item.name for item in list_stacks()]
    names, wanted = list(dict.fromkeys(names)), list(dict.fromkeys(wanted))
    rows: list[AtlasRow] = []
    known, jobs = [], []
    for name in wanted:
        try:
            stack = find_stack(name)
        except ArgumentError as error:
            rows += [AtlasRow(fault, "", name, "", "", "", "unknown", str(error)) for fault in names]
            continue
        known.append(stack)
    for name in names:
        try:
            cause, versions = _about(name)
        except ArgumentError as error:
            rows += [AtlasRow(name, "", stack.name, "", "", "", "unknown", str(error)) for stack in known]
            continue
        jobs += [_Job(name, cause, tls, stack) for tls in versions for stack in known]
    rows += _run_all(jobs, progress, workers)
    return Atlas(sorted_rows(rows, names, wanted))


def ask_stack(stack: str, scenario: Scenario, *, fault: str = "", cause: str = "") -> AtlasRow:
    """Let one real client meet the server of a scenario over sockets on loopback, and return what both said.

    Parameters
    ----------
    stack : str
        The client stack's name. One that is not installed here gets a row that says so.
    scenario : Scenario
        Any, made for the host ``"localhost"``: real clients look names up.
    fault, cause : str
        What stands in the row's first two columns.

    Raises
    ------
    ArgumentError
        If there is no such stack.

    Examples
    --------
    >>> ask_stack("python", good_scenario(host="localhost")).outcome
    'accepted'
    """
    return _measure_one(_Job(fault, cause, scenario.tls, find_stack(stack)), scenario)


def _about(name: str) -> tuple[str, tuple[str, ...]]:
    """Return the cause of a fault and the TLS versions to measure it in; none if it is not measured."""
    if name in GOOD:
        return "none", ("1.2", "1.3")
    fault = find_fault(name)
    if fault.id != name:
        raise ArgumentError("unknown fault", on=repr(name), hint=f"{fault.id} has this cause")
    return fault.cause, () if name in NOT_MEASURED else fault.tls


def _run_all(jobs: list[_Job], progress: Callable[[int, int], None] | None, workers: int) -> list[AtlasRow]:
    lock, done = threading.Lock(), 0
    scenes: dict[tuple[str, str], Scenario] = {}

    def one(job: _Job) -> AtlasRow:
        nonlocal done
        with lock:
            key = (job.name, job.tls)
            if key not in scenes:
                scenes[key] = _scenario(job.name, job.tls)
        row = _measure_one(job, scenes[key])
        with lock:
            done += 1
            if progress is not None:
                progress(min(done, len(jobs)), len(jobs))
        return row

    if workers <= 1:
        return [one(job) for job in jobs]
    with ThreadPoolExecutor(max_workers=workers) as pool:
        rows = list(pool.map(one, jobs))
    # On a busy machine a program may be slow rather than silent: it is asked once more, alone.
    return [
        one(job) if row.outcome == "timed-out" and scenes[job.name, job.tls].road.port == "open" else row
        for job, row in zip(jobs, rows, strict=True)
    ]


def _scenario(name: str, tls: str) -> Scenario:
    if name in GOOD:
        return good_scenario(two_way=name == "good-two-way", tls=tls, host=_HOST)
    fault: Fault = find_fault(name)
    return fault.scenario(tls, _HOST)


def _measure_one(job: _Job, scenario: Scenario) -> AtlasRow:
    stack, date = job.stack, iso(datetime.now(UTC))
    version, answer, view = "", Answer("not-installed", f"it comes with {stack.package}"), _NO_TLS
    if job.name in NOT_MEASURED:
        answer = Answer("not-applicable", NOT_MEASURED[job.name])
    elif stack.available():
        version = stack.version()
        with minded_folder("certkit-atlas-") as folder:
            try:
                answer, view = _meet(stack, scenario, folder)
            except Exception as error:
                # One cell that goes wrong must not cost all the others: the row says what happened.
                answer = Answer("unknown", f"the measurement failed: {type(error).__name__}: {error}")
    if view.reason == "UNEXPECTED_EOF_WHILE_READING":
        # OpenSSL writes an alert then, to a client that is gone.
        view = replace(view, alert_sent=None)
    alert = view.alert_sent or view.alert_received or ""
    return AtlasRow(
        job.name,
        job.cause,
        stack.name,
        version,
        stack.api,
        job.tls,
        answer.outcome,
        normal(answer.message),
        answer.code,
        normal(view.error or ""),
        alert,
        "" if not alert else "server" if view.alert_sent else "client",
        round(answer.seconds, 3),
        date,
    )


def _meet(stack: Stack, scenario: Scenario, folder: Path) -> tuple[Answer, Endpoint]:
    call = write_call(scenario, folder)
    if scenario.road.service != "https":
        return _meet_ftps(stack, scenario, call)
    with set_stage(scenario) as stage:
        answer = stack.run(replace(call, port=stage.port, proxy=stage.proxy))
        return answer, _view(stage, answer)


def _view(stage: Stage, answer: Answer) -> Endpoint:
    if stage.server is None or answer.outcome == "not-applicable" or stage.scenario.road.proxy is not None:
        return _NO_TLS
    views = stage.server.views()
    # Some clients try again when they are refused, or open connections in advance: the first refusal with
    # an alert is what they were told.
    refused = sorted((item for item in views if not item.ok), key=_is_silent)
    if answer.outcome == "accepted":
        return next((item for item in views if item.ok), _NO_TLS)
    return refused[0] if refused else views[0] if views else _NO_TLS


def _is_silent(view: Endpoint) -> bool:
    lost = view.reason == "UNEXPECTED_EOF_WHILE_READING"
    return lost or (view.alert_sent is None and view.alert_received is None)


def _meet_ftps(stack: Stack, scenario: Scenario, call: Call) -> tuple[Answer, Endpoint]:
    reuse = scenario.road.service == "ftps-reuse"
    with FtpsService(scenario.met, require_reuse=reuse, tls=scenario.tls) as service:
        first = FIRST_FILES["orders.csv"].decode().partition("\n")[0]
        login = (service.user, service.password)
        answer = stack.run(replace(call, port=service.port, service="ftps", login=login, expected=first))
        ends = [item.endpoint for item in service.log.handshakes if item.endpoint is not None]
    return answer, next((item for item in ends if not item.ok), _NO_TLS)


def write_call(scenario: Scenario, folder: Path) -> Call:
    """Write what a stack is to trust and to present into a folder, and return the call without its port."""
    client = scenario.client
    (folder / "ca.pem").write_text(client.anchors.pem)
    file = None
    if scenario.client_file is not None:
        file = folder / ("given.p12" if scenario.client_file.format == "pkcs12" else "given.pem")
        write_private(file, scenario.client_file.data)
    elif client.credential is not None:
        key, chain = client.credential.key.to_pem(), client.credential.chain.pem.encode()
        write_private(folder / "client.pem", chain + key)
        write_private(folder / "client.key", key)
        write_private(folder / "client.p12", keystore_bytes(client.credential, PASSWORD))
    crl = None
    if client.crls is not None:
        crl = folder / "crl.pem"
        crl.write_bytes(b"".join(client.crls))
    return Call(
        host=client.host or scenario.host,
        port=0,
        folder=folder,
        credential=client.credential,
        file=file,
        file_format="pkcs12" if scenario.client_file is None else scenario.client_file.format,
        password=PASSWORD if scenario.client_file is None else scenario.client_file.password,
        crl=crl,
        max_tls=client.only_tls,
        plain=client.plain,
        resumes=scenario.road.resumes,
        expected=ANSWER,
    )
