"""Runs a scenario: in memory where that shows it, else with a real client and server on loopback."""

from __future__ import annotations

import socket
import ssl
from dataclasses import replace

from certkit._files import utc
from certkit.faults._client_file import FileRefused, open_file
from certkit.faults._stage import Stage, set_stage
from certkit.faults.scenario import Scenario
from certkit.handshakes import Endpoint, Handshake, _names
from certkit.handshakes._recording import Recorder
from certkit.handshakes.run import REQUEST
from certkit.services._dial import ProxyRefused, Target, connect, network_cause, parse_url, tunnel
from certkit.services.ftps import FtpsService
from certkit.services.ftps_client import transfer_ftps

__all__ = ["run"]

SECONDS = 5.0
SILENT_SECONDS = 0.3


def run(scenario: Scenario) -> Handshake:
    """Let client and server of a scenario meet."""
    road = scenario.road
    host = scenario.client.host or scenario.host
    if road.allowed is not None and host not in road.allowed:
        words = f"Unauthorized endpoint: {host} is not on the allow-list (a stand-in for the platform's rule)"
        return _not_begun(scenario, words, "endpoint-not-allowed")
    if scenario.client_file is not None:
        try:
            scenario = scenario.with_client(credential=open_file(scenario.client_file))
        except FileRefused as refused:
            return _not_begun(scenario, refused.words, refused.cause)
    if road.service != "https":
        result = _transfer(scenario)
    elif road.in_memory and not scenario.client.plain:
        result = scenario.shake()
    else:
        with set_stage(scenario) as stage:
            result = _call(stage)
    return result if result.ok else replace(result, known_cause=_scene(scenario, result))


def _scene(scenario: Scenario, result: Handshake) -> str | None:
    """Return the cause where it lies in the scene and not in what the ends can see."""
    if result.known_cause is not None:
        return result.known_cause
    if scenario.box is not None:
        return "tls-interception"
    unnamed = any(dict(item.fields).get("server_name") is None for item in result.said("ClientHello"))
    return "sni-missing" if scenario.server.by_name and unnamed else None


def _not_begun(scenario: Scenario, words: str, cause: str | None) -> Handshake:
    client = Endpoint("client", "failed", error=words)
    return _result(scenario, client, Endpoint("server", "failed", error="nobody called"), None, cause)


def _result(
    scenario: Scenario, client: Endpoint, server: Endpoint, recorder: Recorder | None, cause: str | None
) -> Handshake:
    messages = () if recorder is None else tuple(recorder.messages)
    hello = next((dict(item.fields) for item in messages if item.name == "ServerHello"), {})
    settled = "1.3" if recorder is not None and recorder.tls13 else "1.2" if hello else None
    return Handshake(
        client=client,
        server=server,
        messages=messages,
        records=(),
        tls_version=settled,
        cipher=hello.get("cipher suite"),
        group=hello.get("key_share"),
        client_config=scenario.client,
        server_config=scenario.met,
        at=utc(None),
        recording="messages" if recorder is None or recorder.calls_back else "records",
        known_cause=cause,
    )


def _call(stage: Stage) -> Handshake:
    scenario = stage.scenario
    recorder = Recorder()
    target = Target("https", "127.0.0.1", stage.port, "/")
    seconds = SILENT_SECONDS if scenario.road.port == "silent" else SECONDS
    error: OSError | None = None
    done = False
    try:
        if stage.proxy is None:
            plain = connect(target.host, target.port, seconds)
        else:
            plain = tunnel(parse_url(stage.proxy), target, seconds)
        with plain:
            if scenario.client.plain:
                error = _speak_http(plain)
            else:
                context = scenario.client.context(scenario.tls)
                recorder.attach(context, "client", alone=True)
                host = scenario.client.host or scenario.host
                with context.wrap_socket(
                    plain, server_hostname=host, do_handshake_on_connect=False
                ) as secured:
                    secured.do_handshake()
                    done = True
                    secured.sendall(REQUEST)
                    if not secured.recv(65_536):
                        raise ssl.SSLEOFError(ssl.SSL_ERROR_EOF, "the server closed without an answer")
    except OSError as failure:
        error = failure
    server = _server_view(stage, error)
    client = _client_view(recorder, error, done)
    cause = "proxy-refused" if isinstance(error, ProxyRefused) else network_cause(error)
    if isinstance(error, ssl.SSLEOFError):
        cause = "server-closed"
    if isinstance(error, _NoHttp):
        cause = "plaintext-on-tls-port"
    return _result(scenario, client, server, recorder, cause)


class _NoHttp(OSError):  # noqa: N818 - what the client read, as data
    """The answer to a plain HTTP request is no HTTP."""


def _speak_http(plain: socket.socket) -> OSError | None:
    plain.sendall(REQUEST)
    answer = plain.recv(4096)
    return None if answer.startswith(b"HTTP/") else _NoHttp(f"this is no HTTP answer: {answer[:16]!r}")


def _server_view(stage: Stage, error: OSError | None) -> Endpoint:
    views = stage.server.views() if stage.server is not None and not isinstance(error, ProxyRefused) else ()
    nobody = Endpoint("server", "failed", error="no connection arrived")
    return next((item for item in views if not item.ok), views[0] if views else nobody)


def _client_view(recorder: Recorder, error: OSError | None, done: bool) -> Endpoint:
    alerts = (recorder.alerts.get(("client", way)) for way in ("sent", "received"))
    # 0 is close_notify, which is no refusal.
    sent, received = (_names.alert_name(alert) if alert else None for alert in alerts)
    return Endpoint.of("client", error, sent=sent, received=received, done=done)


def _transfer(scenario: Scenario) -> Handshake:
    road = scenario.road
    with FtpsService(scenario.met, require_reuse=road.service == "ftps-reuse", tls=scenario.tls) as service:
        carried = transfer_ftps(service, "orders.csv", scenario.client, resume=road.resumes, tls=scenario.tls)
        noted = [item.endpoint for item in service.log.handshakes if item.endpoint is not None]
    nobody = Endpoint("server", "failed", error="no connection arrived")
    server = next((item for item in noted if not item.ok), noted[0] if noted else nobody)
    client = carried.data if carried.step == "data" and carried.data is not None else carried.control
    if client is None:
        client = Endpoint("client", "failed", error=carried.error)
    if not carried.ok and client.ok:
        # TLS itself went well: it is the server's reply that ends it.
        client = replace(client, outcome="failed", error=carried.error)
    result = _result(scenario, client, server, None, carried.cause)
    return replace(result, tls_version=carried.tls_version)
