"""Since 8u111 Java sends no Basic password to a proxy that it wants to tunnel through, unless a JVM option allows it."""

from __future__ import annotations

import pytest

import certkit as ck

ENGINES = [
    pytest.param("java", marks=pytest.mark.skipif(not ck.java_available(), reason="no embedded Java here")),
    "python",
]


def call_through(
    proxy: ck.ForwardProxy, engine: str, scenario: ck.Scenario, **options: object
) -> ck.PlatformCallout:
    with ck.UserService(scenario.server) as service:
        site = f"https://{scenario.host}:{service.port}"
        platform = ck.ClientPlatform(scenario.client.anchors, [site], {"crm": scenario.client.credential})
        return platform.update_user(
            f"{site}/users", "u-1001", "Inactive", proxy=proxy.url, engine=engine, **options
        )  # type: ignore[arg-type]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_rule_of_8u111(engine: str) -> None:
    scenario = ck.good_scenario()
    with ck.ForwardProxy("login") as proxy:
        call = call_through(proxy, engine, scenario, proxy_credentials=proxy.credentials)
    assert (call.ok, call.callout.step, call.cause) == (False, "proxy", "proxy-refused")
    assert "407" in (call.error or "")
    assert {item.outcome for item in proxy.log} == {"407 Proxy Authentication Required"}
    assert (engine == "java") == call.engine.startswith("Java ")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_without_the_rule_the_password_opens_the_tunnel(engine: str, tls: str) -> None:
    """The stand-in looks first, so its server sees two connections; the certificate is sent end to end."""
    scenario = ck.good_scenario(two_way=True, tls=tls)
    with ck.ForwardProxy("login") as proxy:
        options = {"proxy_credentials": proxy.credentials, "basic_in_tunnel": True, "certificate": "crm"}
        call = call_through(proxy, engine, scenario, tls=tls, **options)
    assert call.ok, call.error
    assert (call.certificate_sent, call.callout.tls_version) == (True, tls)
    assert len(call.callout.server_chain) == 2
    assert proxy.log[-1].outcome == "200"
    assert proxy.credentials[1] not in repr(call) + str(call.to_dict()) + call._repr_html_()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_a_missing_client_certificate_is_named_behind_a_proxy_too(engine: str, tls: str) -> None:
    scenario = ck.good_scenario(two_way=True, tls=tls)
    with ck.ForwardProxy("login") as proxy:
        login: dict[str, object] = {"proxy_credentials": proxy.credentials, "basic_in_tunnel": True}
        call = call_through(proxy, engine, scenario, tls=tls, **login)
    assert (call.cause, call.asked, call.certificate_sent) == ("client-cert-missing", True, False)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_wrong_password_and_a_proxy_that_wants_none(engine: str) -> None:
    scenario = ck.good_scenario()
    login: dict[str, object] = {"proxy_credentials": ("lab", "wrong"), "basic_in_tunnel": True}
    with ck.ForwardProxy("login") as strict, ck.ForwardProxy() as open_one:
        refused = call_through(strict, engine, scenario, **login)
        let_through = call_through(open_one, engine, scenario, **login)
    assert refused.cause == "proxy-refused" and "407" in (refused.error or "")
    assert let_through.ok, let_through.error


@pytest.mark.parametrize("engine", ENGINES)
def test_what_fails_behind_the_proxy_is_not_the_proxys(engine: str) -> None:
    scenario = ck.find_fault("missing-intermediate").scenario()
    with ck.ForwardProxy("login") as proxy:
        login = {"proxy_credentials": proxy.credentials, "basic_in_tunnel": True}
        call = call_through(proxy, engine, scenario, **login)
    assert (call.callout.step, call.cause, call.rule) == (
        "handshake",
        "missing-intermediate",
        "all-intermediates",
    )
    with ck.ClosedPort() as nobody, ck.UserService(scenario.server) as service:
        site = f"https://{scenario.host}:{service.port}"
        platform = ck.ClientPlatform(scenario.client.anchors, [site])
        way = {"proxy": nobody.url, "proxy_credentials": ("lab", "any"), "engine": engine}
        unreached = platform.update_user(f"{site}/users", "u-1001", "Inactive", **way)  # type: ignore[arg-type]
    assert (unreached.callout.step, unreached.cause) == ("proxy", "dns-or-network")
