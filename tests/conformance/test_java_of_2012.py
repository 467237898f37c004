"""The words of 2012, verbatim, where a Java 11 is at hand: ``CERTKIT_JAVA_HOME`` names its folder (see README.md)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import certkit as ck
from certkit.stacks._java_worker import _release


def _offered() -> bool:
    home = os.environ.get("CERTKIT_JAVA_HOME")
    return bool(home) and _release(Path(str(home))) <= 11 and ck.java_available()


@pytest.mark.java
@pytest.mark.skipif(not _offered(), reason="no Java 11 is offered: CERTKIT_JAVA_HOME, as README.md describes")
@pytest.mark.parametrize("name", ["certificate-named-p12"])
def test_der_input_integer_tag_error(name: str) -> None:
    case = ck.clinic(name)
    assert isinstance(case, ck.ClinicCase)
    assert case.java_says == "java.io.IOException: DER input, Integer tag error"
    clue = ck.decode_byte(case.java_says, case.data)
    assert (clue.byte, clue.offset, clue.guess.kind) == (0x30, 4, "certificate")


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ('JAVA_VERSION="11.0.13"\n', 11),
        ('IMPLEMENTOR="x"\nJAVA_VERSION="1.8.0_392"\n', 8),
        ('JAVA_VERSION="25.0.2"\n', 25),
        ('JAVA_VERSION="26-ea"\n', 26),
        ("", 17),
    ],
)
def test_the_release_of_a_java_is_read_from_its_folder(text: str, release: int, tmp_path: Path) -> None:
    (tmp_path / "release").write_text(text)
    assert _release(tmp_path) == release
