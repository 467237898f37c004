"""The chain explorer, the clinics and the inspector: pure state first, then the controls that change it."""

from __future__ import annotations

from typing import Any

import pytest

import certkit as ck
from certkit.errors import ArgumentError
from certkit.widgets.chain_lab import ChainState
from certkit.widgets.clinic_lab import ClinicState
from certkit.widgets.error_lab import SAMPLES, ErrorState, sample_text
from certkit.widgets.file_lab import FileState


def control(lab: Any, hook: str) -> Any:
    return next(item for item in lab._controls if f"ck-{hook}" in item._dom_classes)


def test_a_chain_is_taken_apart_and_put_together() -> None:
    lab = ck.ChainLab()
    assert lab.verification.ok
    sent = control(lab, "sent")
    sent.index = 1
    control(lab, "up").click()
    assert lab.verification.cause == "leaf-not-first"
    assert sent.index == 0  # the choice goes with what was moved
    control(lab, "down").click()
    assert lab.verification.ok
    sent.index = 1
    control(lab, "remove").click()
    assert lab.verification.cause == "missing-intermediate"
    control(lab, "pool").value = 1
    control(lab, "add").click()
    assert lab.verification.ok
    assert 'data-run="5"' in lab._picture.value


def test_trust_clock_and_name_change_the_verdict() -> None:
    lab = ck.ChainLab()
    before = control(lab, "anchors").value
    control(lab, "anchors").value = ()
    assert not lab.verification.ok
    control(lab, "anchors").value = before
    control(lab, "days").value = 200
    assert lab.verification.cause == "expired-leaf"
    control(lab, "days").value = 0
    control(lab, "host").value = "other.example.test"
    assert lab.verification.cause == "hostname-mismatch"
    assert "refused: hostname-mismatch" in lab._picture.value


def test_what_is_no_host_name_is_told_in_the_lab() -> None:
    lab = ck.ChainLab()
    control(lab, "host").value = "nothing <b>that</b> anybody knows"
    assert "this is an address or a sentence, not a host name" in lab._picture.value
    assert "<b>that" not in lab._picture.value
    control(lab, "host").value = "orders.example.test"
    assert "trusted" in lab._picture.value


def test_nothing_sent_is_a_state_too() -> None:
    lab = ck.ChainLab()
    for _ in range(3):
        control(lab, "remove").click()
    assert lab.verification is None
    assert "Nothing is sent" in lab._picture.value
    control(lab, "up").click()
    control(lab, "add").click()
    assert lab.verification is not None
    with pytest.raises(ArgumentError, match="no certificate"):
        ChainState.of((), ())


def test_an_error_is_explained_reproduced_and_repaired() -> None:
    lab = ck.ErrorLab()
    assert lab.diagnosis is None
    control(lab, "message").value = "unable to get local issuer certificate (_ssl.c:1006)"
    control(lab, "explain").click()
    assert lab.diagnosis.causes
    control(lab, "reproduce").click()
    assert "Reproduced in the lab" in lab._picture.value
    control(lab, "message").value = "nothing that anybody knows"
    control(lab, "reproduce").click()
    assert "not reproduced" in lab._picture.value


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_made_on_the_spot_and_recognised(name: str) -> None:
    found = ErrorState(sample_text(name)).diagnosis
    assert found is not None
    assert ck.find_fault(name).cause in [item.cause.id for item in found.causes]


def test_an_error_keeps_no_secret() -> None:
    lab = ck.ErrorLab("keystore password=Kastanie7 was incorrect")
    assert "Kastanie7" not in lab.static_html()


def test_a_file_is_looked_at_and_its_password_stays_inside() -> None:
    own = ck.good_scenario(two_way=True).client.credential
    data = ck.keystore_bytes({"acme": own}, "Kastanie7", format="pkcs12")
    lab = ck.FileLab()
    drop = lab._drop
    drop.name, drop.data = "acme.p12", data
    drop.count += 1
    assert "not read" in lab._picture.value
    control(lab, "password").value = "Kastanie7"
    assert "acme" in lab._picture.value
    assert "Acme CRM" in lab._picture.value
    assert "Kastanie7" not in lab.static_html() + repr(lab.state)


@pytest.mark.parametrize("data", [b"", b"\0" * 64, b"<script>alert(1)</script>", b"\xff\xfe-\0-\0"])
def test_any_bytes_are_answered(data: bytes) -> None:
    picture = FileState("<b>x", data).picture()
    assert "not read" in picture
    assert "<script>alert" not in picture
    assert "<b>x" not in picture


def test_a_clinic_case_by_hints_and_by_cure() -> None:
    lab = ck.ClinicLab("byte-order-mark")
    assert "not tried yet" in lab._picture.value
    hints = lab.state.case.patient.hints
    for number, hint in enumerate(hints, 1):
        control(lab, "hint").click()
        assert lab._picture.value.count("<li>") == number, hint
    control(lab, "hint").click()
    assert "The cure, in certkit" in lab._picture.value
    control(lab, "undo").click()
    assert lab.state.result.state == "right"
    lab._drop.data = b"nothing"
    lab._drop.count += 1
    assert lab.state.result.state == "not yet"
    control(lab, "case").value = "pem-named-p12"
    assert lab.state == ClinicState("pem-named-p12")


@pytest.mark.parametrize("lab", ["ChainLab", "ClinicLab", "ErrorLab", "FileLab"])
def test_every_lab_has_a_static_twin(lab: str) -> None:
    bundle = getattr(ck, lab)()._repr_mimebundle_()
    assert "interactive lab" in bundle["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/plain"] == f"<{lab}>"


def test_the_static_twin_names_every_setting_to_the_last() -> None:
    told = ck.HandshakeLab().static_html()
    assert "Client stack: python, both ends in memory.</em>" in told
