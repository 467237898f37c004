"""The handshake lab: pure state, a thin view, and a static twin."""

import pytest

import certkit as ck
from certkit.widgets.handshake_lab import LabState


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
