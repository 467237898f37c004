"""The client platform: every documented rule, over a real JSSE client where there is one, and over the stand-in."""

from __future__ import annotations

import base64
import tomllib
from pathlib import Path

import pytest

import certkit as ck
from certkit.causes import load as load_causes
from certkit.errors import ArgumentError, CheckFailed
from certkit.services import running_services
from certkit.stacks import platform_rules as rules_module

ENGINES = [
    pytest.param("java", marks=pytest.mark.skipif(not ck.java_available(), reason="no embedded Java here")),
    "python",
]
ORDERS = (
    ck.CertificateAuthority("Orders Root").intermediate("Orders Issuing A").intermediate("Orders Issuing B")
)
SERVER = ORDERS.issue("orders.example.test", usage="server")
ACME = ck.CertificateAuthority("Acme Root").intermediate("Acme Issuing")
CRM = ACME.issue("Acme CRM", usage="client")
OWN = ck.self_signed("Acme CRM", usage="client")
ONE_WAY = ck.ServerConfig(SERVER)
TWO_WAY = ONE_WAY.with_client_anchors(ACME.trust_store)
SITE = "https://orders.example.test:{port}"


def call(
    server: ck.ServerConfig | ck.UserService | ck.TlsFront, engine: str, **options: object
) -> ck.PlatformCallout:
    """Make one call of a service that runs for it alone."""
    if isinstance(server, ck.ServerConfig):
        with ck.UserService(server) as service:
            return call(service, engine, **options)
    port = server.port
    platform = options.pop("platform", None) or ck.ClientPlatform(ORDERS.trust_store)
    assert isinstance(platform, ck.ClientPlatform)
    platform = platform.with_remote_site(SITE.format(port=port))
    return platform.update_user(
        SITE.format(port=port) + "/users", "u-1001", "Inactive", engine=engine, **options
    )  # type: ignore[arg-type]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_a_good_call_one_way_and_two_way(engine: str, tls: str) -> None:
    one = call(ONE_WAY, engine, tls=tls)
    platform = ck.ClientPlatform(ORDERS.trust_store, certificates={"acme_crm": CRM})
    two = call(TWO_WAY, engine, tls=tls, platform=platform, certificate="acme_crm")
    assert (one.ok, one.asked, one.certificate_sent, one.callout.tls_version) == (True, False, False, tls)
    assert (two.ok, two.asked, two.certificate_sent, two.authorities) == (True, True, True, ())
    assert [item.name for item in two.callout.server_chain] == [item.name for item in SERVER.chain]
    assert ("Java" in two.engine) and (("stand-in" in two.engine) is (engine == "python"))


def test_the_allow_list_comes_before_any_connection() -> None:
    platform = ck.ClientPlatform(ORDERS.trust_store, ["https://orders.example.test:1"])
    with ck.UserService(ONE_WAY) as service:
        stopped = platform.update_user(
            f"https://orders.example.test:{service.port}/users", "u-1001", "Active"
        )
        assert len(service.log) == 0
    assert (stopped.rule, stopped.cause, stopped.callout.step) == (
        "allow-list",
        "endpoint-not-allowed",
        "allow-list",
    )


def test_the_list_of_trusted_cas_takes_roots_only() -> None:
    for wrong in (ORDERS.certificate, SERVER.certificate, OWN.certificate):
        with pytest.raises(ArgumentError, match="takes roots only"):
            ck.ClientPlatform([wrong])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("sent", "rule", "cause"),
    [
        ((0, 1), "all-intermediates", "missing-intermediate"),
        ((0, 2), "all-intermediates", "missing-intermediate"),
        ((0, 2, 1), "in-order", "chain-out-of-order"),
        ((0, 1, 2, 1), "in-order", "chain-out-of-order"),
    ],
)
def test_all_intermediates_and_in_order(engine: str, sent: tuple[int, ...], rule: str, cause: str) -> None:
    with ck.UserService(
        ck.ServerConfig(SERVER.with_chain([SERVER.chain[index] for index in sent]))
    ) as service:
        result = call(service, engine)
        assert service.rows[0].revision == 0
    assert (result.ok, result.rule, result.cause) == (False, rule, cause)
    with pytest.raises(CheckFailed):
        result.raise_if_failed()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_root_at_the_end_is_too_much_and_not_refused(engine: str) -> None:
    chain = [*SERVER.chain, ORDERS.root.certificate]
    assert call(ck.ServerConfig(SERVER.with_chain(chain)), engine).ok


@pytest.mark.parametrize("engine", ENGINES)
def test_a_self_signed_server_and_an_unknown_root(engine: str) -> None:
    homemade = call(ck.ServerConfig(ck.self_signed("orders.example.test", usage="server")), engine)
    assert (homemade.rule, homemade.cause) == ("no-self-signed-server", "self-signed-leaf")
    stranger = call(ONE_WAY, engine, platform=ck.ClientPlatform(ACME.trust_store))
    assert (stranger.rule, stranger.cause) == ("roots-only", "untrusted-root")
    if engine == "java":
        assert "PKIX path building failed" in str(stranger.error)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_the_servers_list_of_cas_decides_whether_the_certificate_is_sent(engine: str, tls: str) -> None:
    platform = ck.ClientPlatform(ORDERS.trust_store, certificates={"acme_crm": CRM})
    options = {"platform": platform, "certificate": "acme_crm", "tls": tls}
    anchors = ACME.trust_store
    stranger = ck.CertificateAuthority("Somebody Else").certificate
    with (
        ck.UserService() as service,
        ck.TlsFront(service, TWO_WAY, tls=tls) as empty,
        ck.TlsFront(service, TWO_WAY, [stranger, *anchors], tls=tls) as named,
        ck.TlsFront(service, TWO_WAY, [stranger], tls=tls) as others,
    ):
        results = [call(front, engine, **options) for front in (empty, named, others)]
        assert {item.cause for item in others.log.handshakes if not item.ok} == {"client-cert-missing"}
    assert [item.ok for item in results] == [True, True, False]
    assert [item.certificate_sent for item in results] == [True, True, False]
    assert [len(item.authorities) for item in results] == [0, 2, 1]
    assert (results[2].cause, results[2].rule) == ("ca-hint-list", "ca-hints")


@pytest.mark.parametrize("engine", ENGINES)
def test_its_own_certificate_may_be_self_signed_if_the_server_holds_it(engine: str) -> None:
    platform = ck.ClientPlatform(ORDERS.trust_store, certificates={"own": OWN})
    options = {"platform": platform, "certificate": "own"}
    assert call(ONE_WAY.with_client_anchors([OWN.certificate]), engine, **options).ok
    refused = call(TWO_WAY, engine, **options)
    assert (refused.cause, refused.rule, refused.certificate_sent) == (
        "client-cert-untrusted",
        "self-signed-client",
        True,
    )
    missing = call(TWO_WAY, engine)
    assert (missing.cause, missing.certificate_sent) == ("client-cert-missing", False)


@pytest.mark.parametrize("engine", ENGINES)
def test_pkcs12_as_text_with_its_password(engine: str) -> None:
    text = base64.b64encode(ck.keystore_bytes(CRM, "changeit", format="pkcs12")).decode()
    assert call(TWO_WAY, engine, pkcs12=text, password="changeit").ok
    wrong = call(TWO_WAY, engine, pkcs12=text, password="another")
    assert (wrong.cause, wrong.callout.step) == ("wrong-password", "keystore")
    der = base64.b64encode(CRM.certificate.der).decode()
    confused = call(TWO_WAY, engine, pkcs12=der, password="changeit")
    assert (confused.cause, confused.rule) == ("wrong-file-format", "keystore")
    with pytest.raises(ArgumentError, match="no base64"):
        call(ONE_WAY, engine, pkcs12="-----BEGIN", password="changeit")


def test_jks_export_holds_everything_under_its_name() -> None:
    platform = ck.ClientPlatform(ORDERS.trust_store, certificates={"acme_crm": CRM, "own": OWN})
    data = platform.export_jks("changeit")
    assert data[:4].hex() == "feedfeed"
    opened = ck.load_keystore(data, "changeit")
    assert sorted(entry.alias for entry in opened.keys) == ["acme_crm", "own"]
    with pytest.raises(ArgumentError, match="no certificate to export"):
        ck.ClientPlatform(ORDERS.trust_store).export_jks("changeit")


@pytest.mark.parametrize("engine", ENGINES)
def test_proxies_and_nobody_there(engine: str) -> None:
    with ck.ForwardProxy() as good, ck.ForwardProxy("unavailable") as bad:
        assert call(ONE_WAY, engine, proxy=good.url).ok
        refused = call(ONE_WAY, engine, proxy=bad.url)
    assert refused.cause == "proxy-refused" and "503 Service unavailable" in str(refused.error)
    with ck.ClosedPort() as port:
        platform = ck.ClientPlatform(ORDERS.trust_store, [SITE.format(port=port.port)])
        result = platform.update_user(SITE.format(port=port.port), "u-1001", "Active", engine=engine)
    assert result.cause == "dns-or-network"
    with ck.SilentPort() as silent:
        platform = ck.ClientPlatform(ORDERS.trust_store, [SITE.format(port=silent.port)])
        result = platform.update_user(
            SITE.format(port=silent.port), "u", "Active", engine=engine, timeout=0.3
        )
    assert not result.ok and result.callout.step == "handshake"


def test_wrong_calls_and_what_shows() -> None:
    platform = ck.ClientPlatform(ORDERS.trust_store, ["https://orders.example.test"], {"own": OWN})
    with pytest.raises(ArgumentError, match="this machine only"):
        platform.update_user("https://orders.example.com/", "u", "Active")
    with pytest.raises(ArgumentError, match="no such certificate"):
        platform.update_user("https://orders.example.test/", "u", "Active", certificate="other")
    with pytest.raises(ArgumentError, match="one certificate a call"):
        platform.update_user("https://orders.example.test/", "u", "Active", certificate="own", pkcs12="AAAA")
    with pytest.raises(ArgumentError, match="no such engine"):
        platform.update_user("https://orders.example.test/", "u", "Active", engine="cobol")
    with pytest.raises(ArgumentError, match="no unique name"):
        platform.with_certificate("two words", OWN)
    stopped = platform.update_user("http://orders.example.test/<b>", "u", "Active")
    shown = stopped._repr_html_() + platform._repr_html_() + repr(stopped) + repr(platform)
    assert "<b>" not in shown and "<script" not in shown and len(shown) < 10_000
    with pytest.raises(TypeError, match=r"\.ok"):
        bool(stopped)
    assert not running_services()


def test_by_the_rules_alone() -> None:
    platform = ck.ClientPlatform(ORDERS.trust_store)
    leaf, upper, lower = SERVER.chain
    assert platform.judge(SERVER.chain, "orders.example.test").ok
    assert platform.judge(ck.Chain([leaf, lower, upper])).ok is False
    assert platform.judge(ck.Chain([leaf])).ok is False


def test_each_rule_has_its_article_and_its_cause() -> None:
    rules = ck.platform_rules()
    raw = tomllib.loads(Path(rules_module.__file__).with_suffix(".toml").read_text("utf-8"))
    assert len(rules) == len(raw["rule"]) == len({item.id for item in rules})
    assert {item.cause for item in rules} <= set(load_causes())
    text = " ".join(item.article for item in rules)
    assert all(number in text for number in ("000383872", "000385468", "000386138", "000007225"))
    assert "000386138" in rules._repr_html_()
