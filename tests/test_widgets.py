"""The handshake lab: pure state, a thin view, and a static twin."""

from dataclasses import replace

import pytest

import certkit as ck
from certkit.widgets.handshake_state import AS_IS, CHOICES, LabState


def control(lab: ck.HandshakeLab, hook: str):  # type: ignore[no-untyped-def]
    return next(item for item in lab._controls if f"ck-{hook}" in item._dom_classes)


def test_choosing_a_fault_shows_it_and_repair_mends_it() -> None:
    lab = ck.HandshakeLab()
    before = lab._picture.value
    control(lab, "fault").value = "expired-leaf"
    assert lab.handshake.cause == "expired-leaf"
    assert "certificate_expired" in lab._picture.value
    assert lab._picture.value != before
    control(lab, "repair").value = True
    assert lab.handshake.ok
    control(lab, "tls").value = "1.2"
    assert lab.handshake.tls_version == "1.2"
    assert lab.handshake.ok


def test_a_fault_of_the_client_needs_a_server_that_asks() -> None:
    lab = ck.HandshakeLab()
    control(lab, "fault").value = "client-cert-missing"
    assert control(lab, "two-way").value is True
    assert lab.handshake.cause == "client-cert-missing"
    control(lab, "two-way").value = False
    assert control(lab, "fault").value is None
    assert lab.handshake.ok


def test_another_fault_starts_unrepaired() -> None:
    lab = ck.HandshakeLab(fault="expired-leaf")
    control(lab, "repair").value = True
    control(lab, "fault").value = "wrong-eku"
    assert control(lab, "repair").value is False
    assert lab.handshake.cause == "wrong-eku"


@pytest.mark.parametrize("fault", [None, *[item.id for item in ck.list_faults()]])
def test_every_state_has_a_static_twin(fault: str | None) -> None:
    lab = ck.HandshakeLab(fault=fault)
    bundle = lab._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    twin = bundle["text/html"]
    assert 'class="ck-ladder"' in twin
    assert "What each side says" in twin
    assert bundle["text/plain"] == "<HandshakeLab>"
    assert LabState(fault).handshake.ok is (fault is None or bool(ck.find_fault(fault).harmless))


def test_every_change_draws_again_with_a_new_run_number() -> None:
    lab = ck.HandshakeLab()
    for number, fault in enumerate(("expired-leaf", "wrong-eku", "expired-leaf"), 2):
        control(lab, "fault").value = fault
        assert f'data-run="{number}"' in lab._picture.value


def test_who_presents_and_who_trusts_can_be_set() -> None:
    lab = ck.HandshakeLab()
    assert control(lab, "client-presents").disabled
    control(lab, "client-trusts").value = "its own company's root"
    assert lab.handshake.cause == "untrusted-root"
    control(lab, "client-trusts").value = AS_IS
    control(lab, "server-presents").value = "a self-signed certificate"
    assert lab.handshake.cause == "self-signed-leaf"
    control(lab, "server-presents").value = AS_IS
    control(lab, "two-way").value = True
    assert not control(lab, "client-presents").disabled
    control(lab, "client-presents").value = "nothing"
    assert lab.handshake.cause == "client-cert-missing"
    control(lab, "client-presents").value = "a certificate from the other company's CA"
    assert lab.handshake.cause == "client-cert-untrusted"
    control(lab, "server-trusts").value = "its own company's root"
    assert lab.handshake.ok


@pytest.mark.parametrize("name", CHOICES)
def test_every_choice_runs_in_both_versions(name: str) -> None:
    for choice in CHOICES[name]:
        for tls in ("1.2", "1.3"):
            state = LabState(two_way=True, tls=tls, **{name: choice})
            assert state.handshake.ok is (state.handshake.cause is None)


def test_every_message_opens_to_fields_and_bytes_and_the_cause_is_told() -> None:
    picture = LabState("missing-intermediate").picture(3)
    run = LabState("missing-intermediate").handshake
    for number, message in enumerate(run.messages, 1):
        assert f"{number}. {message.name}, from the {message.sender}" in picture
    assert "supported_versions" in picture
    assert "Cause: missing-intermediate" in picture
    assert "no fix" in picture


def test_a_family_narrows_the_choice_and_keeps_what_fits() -> None:
    lab = ck.HandshakeLab(fault="expired-leaf")
    control(lab, "family").value = "validity"
    fault = control(lab, "fault")
    assert fault.value == "expired-leaf"
    assert len(fault.options) < len(ck.list_faults())
    control(lab, "family").value = "trust"
    assert fault.value is None
    assert lab.handshake.ok
    control(lab, "family").value = "every family"
    assert len(fault.options) == len(ck.list_faults()) + 1


def test_faults_that_need_sockets_run_in_the_lab() -> None:
    for name in ("proxy-forbidden", "http-on-tls-port"):
        state = LabState(name)
        assert state.handshake.cause == ck.find_fault(name).cause
        assert ck.find_fault(name).title in state.picture()


def test_another_stack_calls_the_same_server() -> None:
    state = LabState("expired-leaf", stack="openssl-strict")
    waiting = state.picture()
    assert "openssl-strict is calling" in waiting and "running" in waiting
    row = state.ask()
    assert (row.fault, row.cause, row.outcome) == ("expired-leaf", "expired-leaf", "refused")
    answered = state.picture(0, row)
    assert "certificate has expired" in answered and "just now" in answered
    repaired = replace(state, repaired=True)
    assert repaired.ask().outcome == "accepted"
    assert "not measured in advance" in repaired.picture()


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_what_other_stacks_say_is_the_atlas(tls: str) -> None:
    rows = [row for row in ck.load_atlas() if (row.fault, row.tls_version) == ("expired-leaf", tls)]
    picture = LabState("expired-leaf", tls=tls).picture()
    assert rows
    assert all(row.version in picture for row in rows if row.outcome == "refused")
    assert "Measured, not run now" in picture
