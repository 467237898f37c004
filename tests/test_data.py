"""Every file in data/ has papers, and every paper has its file."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from certkit import samples
from certkit.errors import ArgumentError

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"
COLUMNS = ["file", "what", "made_how", "version", "used_where"]


def rows() -> list[dict[str, str]]:
    with (DATA / "MANIFEST.csv").open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        found = list(reader)
    assert reader.fieldnames == COLUMNS
    return found


def test_manifest_is_the_folder() -> None:
    listed = [row["file"] for row in rows()]
    present = sorted(
        path.relative_to(DATA).as_posix()
        for path in DATA.rglob("*")
        if path.is_file() and path.name != "MANIFEST.csv" and not path.name.startswith(".")
    )
    assert sorted(listed) == present
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["file"])
def test_every_row_is_filled_in(row: dict[str, str]) -> None:
    assert all(row[column].strip() for column in COLUMNS)
    # The first place named must exist: "certkit/keys.py (generate_key), tests/test_keys.py".
    first = row["used_where"].split(",")[0].split(" ")[0]
    assert (ROOT / first).exists(), f"{row['file']} is used in {first}, which is not there"


def test_every_maker_is_named_in_the_manifest() -> None:
    commands = " ".join(row["made_how"] for row in rows())
    for name in samples._MAKERS:
        assert f"python -m certkit.samples {name}" in commands


def test_every_command_names_a_maker() -> None:
    for row in rows():
        if row["made_how"].startswith("python -m certkit.samples "):
            assert row["made_how"].split()[3] in samples._MAKERS


def test_toy_keys_are_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "_POOL", {1024: 1})
    made = samples.make_sample("toy-rsa-keys", tmp_path)
    text = made.read_bytes()
    assert text.startswith(b"# Toy RSA keys. They are public")
    key = load_pem_private_key(text[text.index(b"-----BEGIN") :], None)
    assert key.key_size == 1024  # type: ignore[union-attr]


def test_shipped_pool_is_what_the_maker_makes() -> None:
    text = (DATA / "toy-rsa-keys.pem").read_text()
    assert text.startswith(samples._WARNING)
    counts = {bits: text.count(f"# toy RSA {bits} number") for bits in samples._POOL}
    assert counts == samples._POOL


def test_unknown_sample_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ArgumentError, match="no such sample"):
        samples.make_sample("nothing")
    assert samples.main(["nothing"]) == 2
    assert "certkit: there is no such sample" in capsys.readouterr().err
