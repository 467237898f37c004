"""The way of a call as a picture: the sentence, the table and what really happens say the same."""

from __future__ import annotations

import pytest

import certkit as ck
from certkit.errors import ArgumentError
from certkit.services import LoopbackServer

STORY = ck.good_scenario(two_way=True)


def test_tls_ends_at_the_reverse_proxy_and_begins_anew() -> None:
    badge = STORY.issue_client("dmz-box")
    upstream = ck.ClientConfig(STORY.client.anchors, badge, host=STORY.client.host)
    service = ck.UserService(STORY.server, front=badge.certificate)
    with service, ck.ReverseProxy(service, STORY.server, upstream=upstream) as box:
        way = ck.draw_way([box, service])
        assert ck.call_update_user(box.url, "u-1001", "Inactive", STORY.client).ok
    assert [(item.tls_before, item.tls_ends) for item in way.boxes] == [(True, True), (True, True)]
    assert "the reverse proxy" in way.sentence and "Client-Cert" in way.boxes[1].caller


def test_a_pass_through_and_a_recorder_leave_it_whole() -> None:
    service = ck.UserService(STORY.server)
    with service, ck.SniRouter({STORY.client.host or "": service}) as box, ck.Wiretap(box) as recorder:
        way = ck.draw_way([recorder, box, service])
        assert ck.call_update_user(f"{recorder.url}/users", "u-1001", "Inactive", STORY.client).ok
        assert not recorder.contains(b"u-1001")
        assert service.log[0].caller == STORY.client.credential.certificate.subject  # type: ignore[union-attr]
    assert [item.tls_ends for item in way.boxes] == [False, False, True]
    assert way.sentence.startswith("The client shakes hands with the service itself")
    assert way.boxes[2].caller == "the client, by its certificate"


def test_plain_http_and_interception() -> None:
    with ck.UserService() as service, ck.Wiretap(service) as tap:
        plain = ck.draw_way([tap, service])
    assert plain.sentence.startswith("No TLS anywhere")
    assert plain.boxes[0].sees == "everything"
    secured = ck.UserService(ck.ServerConfig(STORY.server.credential))
    opened = ck.draw_way([ck.ForwardProxy("intercept", upstream=STORY.client), secured])
    assert [item.tls_ends for item in opened.boxes] == [True, True]
    front = ck.draw_way([ck.TlsFront("http://127.0.0.1:9/users", STORY.server), ck.UserService()])
    assert [item.tls_ends for item in front.boxes] == [True, False]
    assert not front.boxes[1].tls_before


@pytest.mark.parametrize("box", [ck.ForwardProxy("forbidden"), ck.ForwardProxy("hang-up"), ck.SilentPort()])
def test_where_it_ends_nothing_goes_on(box: LoopbackServer) -> None:
    way = ck.draw_way([box, ck.UserService()])
    assert not way.boxes[0].lets_through and "ends at" in way.sentence
    assert way.svg().count("<line") == 1, "one connection, and none behind it"
    assert "never reached" in way.svg() and "the call ends here" in way.svg()


def test_a_tunnel_is_asked_for_in_the_clear_and_carries_tls() -> None:
    tunnel = ck.draw_way([ck.ForwardProxy(), ck.UserService(STORY.server)])
    assert [item.arrives for item in tunnel.boxes] == ["CONNECT, TLS", "TLS"]
    refused = ck.draw_way([ck.ForwardProxy("unavailable"), ck.UserService(STORY.server)])
    assert refused.boxes[0].arrives == "CONNECT"


def test_it_shows_itself() -> None:
    way = ck.draw_way([ck.ForwardProxy(), ck.UserService(STORY.server)])
    shown = way._repr_html_()
    assert "<svg" in shown and "<table" in shown and way.sentence in shown and "<script" not in shown
    assert len(shown) < 10_000
    assert way.to_dict()["sentence"] == way.sentence
    with pytest.raises(ArgumentError, match="at least one box"):
        ck.draw_way([])
