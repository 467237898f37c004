"""FTPS with Java's and with curl's client: the reader's alert, in each one's words."""

from __future__ import annotations

import shutil

import pytest

import certkit as ck
from certkit.errors import ArgumentError
from certkit.stacks.ftps_clients import fetch_ftps

CLIENTS = [
    pytest.param("java", marks=pytest.mark.skipif(not ck.java_available(), reason="no embedded Java here")),
    pytest.param("curl", marks=pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")),
]
STORY = ck.good_scenario(two_way=True)
STRANGER = STORY.client.with_credential(ck.CertificateAuthority("Stranger").issue("Acme CRM", usage="client"))


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_a_file_comes_two_way(client: str, tls: str) -> None:
    with ck.FtpsService(STORY.server, tls=tls) as service:
        result = fetch_ftps(service, "orders.csv", STORY.client, with_=client)
        assert len([item for item in service.log.handshakes if item.ok]) == 2, "control and data"
    assert result.ok, result.verdict
    assert result.content is not None and result.content.startswith(b"order,")


@pytest.mark.parametrize("client", CLIENTS)
def test_the_readers_alert(client: str) -> None:
    with ck.FtpsService(STORY.server) as service:
        result = fetch_ftps(service, "orders.csv", STRANGER, with_=client)
        assert service.log.handshakes[0].cause == "client-cert-untrusted"
    assert (result.ok, result.cause) == (False, "client-cert-untrusted")
    words = "Received fatal alert: unknown_ca" if client == "java" else "unknown ca"
    assert words in str(result.error)


@pytest.mark.parametrize("client", CLIENTS)
def test_an_untrusted_server(client: str) -> None:
    doubting = STORY.client.with_anchors(ck.CertificateAuthority("Another").trust_store)
    with ck.FtpsService(STORY.server) as service:
        result = fetch_ftps(service, "orders.csv", doubting, with_=client)
    assert (result.ok, result.step, result.cause) == (False, "handshake", "untrusted-root")


@pytest.mark.skipif(not ck.java_available(), reason="no embedded Java here")
def test_java_does_not_resume_for_data_and_a_strict_server_says_so() -> None:
    with ck.FtpsService(STORY.server, require_reuse=True) as service:
        result = fetch_ftps(service, "orders.csv", STORY.client, with_="java")
    assert (result.step, result.cause) == ("data", "tls-session-reuse-required"), result.verdict


def test_no_such_client() -> None:
    with ck.FtpsService(STORY.server) as service, pytest.raises(ArgumentError, match="unknown FTPS client"):
        fetch_ftps(service, "orders.csv", STORY.client, with_="filezilla")
