"""Mysteries and comparisons: ten cases, each told from every other by what is shown."""

from __future__ import annotations

import pytest

import certkit as ck
from certkit.lessons.mysteries import _CASES


@pytest.mark.parametrize("number", range(1, 11))
def test_the_right_cause_is_right_and_others_are_not(number: int) -> None:
    case = ck.mystery(number)
    assert case.run.ok is False
    assert case.run.cause == case.fault.cause
    assert case.answer(case.fault.cause).ok
    other = "wrong-eku" if case.fault.cause != "wrong-eku" else "expired-leaf"
    refused = case.answer(other)
    assert refused.state == "not yet"
    assert case.fault.cause not in refused.text


def test_ten_different_faults_then_the_first_again() -> None:
    assert len(set(_CASES)) == 10
    assert ck.mystery(11).fault.id == ck.mystery(1).fault.id


def test_untouched_and_unknown_answers() -> None:
    assert ck.mystery(1).answer().state == "not tried yet"
    unknown = ck.mystery(1).answer("the moon")
    assert unknown.state == "not yet"
    assert "unknown fault" in unknown.text


def test_a_case_does_not_show_its_answer() -> None:
    for number in range(1, 11):
        case = ck.mystery(number)
        shown = case._repr_html_() + repr(case)
        assert case.fault.cause not in shown
        assert case.fault.id not in shown
        assert case.fault.title not in shown


def test_the_same_words_from_the_other_side_are_told_apart() -> None:
    assert "other side" in ck.mystery(3).answer("untrusted-root").text
    assert "other certificates" in ck.mystery(2).answer("untrusted-root").text


def test_comparison_shows_both_ends() -> None:
    runs = {tls: ck.find_fault("client-cert-missing").run(tls) for tls in ("1.2", "1.3")}
    found = ck.compare_handshakes(runs)
    assert found.alerts == {"1.2": "handshake_failure", "1.3": "certificate_required"}
    assert set(found.causes.values()) == {"client-cert-missing"}
    assert (len(found), list(found), found["1.2"]) == (2, ["1.2", "1.3"], runs["1.2"])
    html = found._repr_html_()
    assert "peer did not return a certificate" in html
    assert "_ssl.c" not in html


@pytest.mark.parametrize("bad", [{}, [], {"a": "no handshake"}])
def test_comparison_of_nothing(bad: object) -> None:
    with pytest.raises(ck.CertkitError, match=r"nothing to compare|no handshake"):
        ck.compare_handshakes(bad)


@pytest.mark.parametrize("kind", ["p256", "p521", "ed25519", "mldsa44", "rsa2048"])
def test_a_key_finds_itself_and_nobody_else(kind: str) -> None:
    key, other = ck.generate_key(kind), ck.generate_key(kind, number=1)
    assert key.is_in(key.to_der())
    assert not other.is_in(key.to_der())
    assert not key.is_in(key.to_pem())  # base64 is another form


def test_no_message_of_a_two_way_handshake_holds_a_key() -> None:
    for tls in ("1.2", "1.3"):
        scenario = ck.good_scenario(two_way=True, tls=tls)
        run = scenario.shake() if hasattr(scenario, "shake") else scenario.run()
        for owner in (run.client_config.credential, run.server_config.credential):
            assert owner is not None
            assert not any(owner.key.is_in(item.body) for item in run.messages)
