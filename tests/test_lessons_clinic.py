"""The format clinic: every broken file is refused as it is, and its cure is proved by loading it."""

from __future__ import annotations

import pytest

import certkit as ck
from certkit.causes import load as load_causes
from certkit.errors import ArgumentError, CertkitError
from certkit.lessons.clinic_files import PATIENTS

NAMES = list(PATIENTS)


def cured(case: ck.ClinicCase) -> bytes:
    """Run the solution as a learner would type it."""
    return eval(case.patient.solution, {"ck": ck, "case": case})


def case_of(name: str) -> ck.ClinicCase:
    found = ck.clinic(name)
    assert isinstance(found, ck.ClinicCase)
    return found


def test_there_are_at_least_twelve_and_a_list_of_them() -> None:
    waiting = ck.clinic()
    assert isinstance(waiting, ck.Clinic)
    assert len(waiting) == len(NAMES) >= 12
    assert len(waiting._repr_html_()) < 10_000
    assert {patient.cause for patient in PATIENTS.values()} <= set(load_causes())
    assert len({patient.cause for patient in PATIENTS.values()}) >= 8


@pytest.mark.parametrize("name", NAMES)
def test_every_case_is_broken_and_can_be_cured(name: str) -> None:
    case = case_of(name)
    as_it_came = case.answer(case.data)
    assert as_it_came.state == "not yet", as_it_came.text
    result = case.answer(cured(case))
    assert result.state == "right", result.text
    assert ("Java" in result.text) == ck.java_available()
    assert result.finding is not None
    assert result.finding.evidence is not None
    assert case.answer().state == "not tried yet"
    waiting = ck.clinic()
    assert isinstance(waiting, ck.Clinic)
    assert name in waiting.cured


@pytest.mark.parametrize("name", NAMES)
def test_every_case_shows_itself_without_its_answer(name: str) -> None:
    case = case_of(name)
    shown = case._repr_html_() + repr(case)
    assert len(shown.encode()) < 10_000
    assert "<script" not in shown
    assert case.patient.solution not in shown
    assert case.patient.story.split(".")[0] in shown.replace("&#x27;", "'")
    key = case._stock.client.key
    assert not key.is_in(shown.encode())


@pytest.mark.parametrize("name", NAMES)
def test_plausible_wrong_answers_are_refused(name: str) -> None:
    case = case_of(name)
    good = cured(case)
    stranger = case._stock.stranger
    wrong: list[bytes] = [
        b"",
        good[:-40],
        ck.keystore_bytes({"client": stranger}, case.password, iterations=100),
        ck.keystore_bytes(stranger.certificate, case.password, iterations=100),
        ck.keystore_bytes(case._stock.client, "another password", iterations=100),
        case._stock.client.key.to_pem() + case._stock.client.chain.pem.encode(),
    ]
    for number, answer in enumerate(wrong):
        result = case.answer(answer)
        assert result.state == "not yet", f"{number}: {result.text}"
        assert "Where to look" in result.text
    for data in case.files.values():
        if data != good:
            assert case.answer(data).state == "not yet"


def test_a_cure_may_be_a_path(tmp_path: object) -> None:
    case = case_of("two-passwords")
    path = f"{tmp_path}/cured.p12"
    ck.convert(case.data, path, case.password, key_password="for the key")
    assert case.answer(path).state == "right"
    with pytest.raises(CertkitError):
        case.answer(path).raise_if_failed() or case.answer(case.data).raise_if_failed()


def test_no_such_case() -> None:
    for wrong in (0, 99, "fever"):
        with pytest.raises(ArgumentError, match="no such case"):
            ck.clinic(wrong)


def test_the_bytes_decoder_explains_what_java_says_to_a_patient() -> None:
    if not ck.java_available():
        pytest.skip("the extra certkit[java] is not installed")
    case = case_of("certificate-named-p12")
    assert "not expected 48" in case.java_says or "Integer tag error" in case.java_says
    assert ck.decode_byte(case.java_says, case.data).guess.kind == "certificate"
