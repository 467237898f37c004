"""The glossary of five worlds, and the dates of today with their sources."""

from __future__ import annotations

import html
import re
import subprocess
import tomllib
from datetime import date
from pathlib import Path

import pytest

import certkit as ck
from certkit.errors import ArgumentError
from certkit.lessons import glossary as module
from certkit.lessons.glossary import UNVERIFIED

WORLDS = {"word", "java", "openssl", "salesforce", "castiron", "windows"}


def test_every_row_has_a_word_in_every_world() -> None:
    rows = ck.glossary().rows
    assert len(rows) >= 12
    assert all(set(row) == WORLDS and all(row.values()) for row in rows)
    assert len({row["word"] for row in rows}) == len(rows)
    shown = ck.glossary()._repr_html_()
    assert all(name in shown for name in ("Java", "OpenSSL", "Salesforce", "Cast Iron", "Windows"))
    assert len(shown) < 10_000


def test_every_word_has_its_source_or_says_that_it_has_none() -> None:
    found = ck.glossary()
    for row, sources in zip(found.rows, found.sources, strict=True):
        assert set(sources) == WORLDS - {"word"}
        for world, source in sources.items():
            assert bool(source) == (row[world] not in {"\N{EN DASH}", UNVERIFIED}), (row["word"], world)
            assert not source or "(read 20" in source
    facts = tomllib.loads(Path(module.__file__).with_suffix(".toml").read_text("utf-8"))
    used = {name for entry in facts["entry"] for name in entry["from"].values()}
    assert used == set(facts["source"])
    assert all(
        f"<li>{html.escape(source)}</li>" in found._repr_html_() for source in sources.values() if source
    )


def test_what_is_said_to_be_measured_is_in_the_atlas() -> None:
    said = " ".join(row.client_message for row in ck.load_atlas())
    found = ck.glossary()
    for row, sources in zip(found.rows, found.sources, strict=True):
        for world, source in sources.items():
            if source.startswith("measured"):
                assert row[world].partition(" (")[0] in said, row[world]


def test_what_is_said_to_be_run_here_is_an_option_of_the_program() -> None:
    """OpenSSL's and curl's options, as their own help lists them."""
    helps = {
        name: subprocess.run(command, capture_output=True, text=True, check=False)
        for name, command in {
            "s_server": ["openssl", "s_server", "-help"],
            "s_client": ["openssl", "s_client", "-help"],
            "req": ["openssl", "req", "-help"],
            "base64": ["openssl", "base64", "-help"],
            "curl": ["curl", "--help", "all"],
        }.items()
    }
    text = " ".join(item.stdout + item.stderr for item in helps.values())
    found = ck.glossary()
    options = {
        option
        for row, sources in zip(found.rows, found.sources, strict=True)
        for option in re.findall(r"(?<!\w)--?[A-Za-z_]+", row["openssl"])
        if sources["openssl"].startswith("run here")
    }
    assert options >= {"-Verify", "-cert_chain", "--proxy"}
    assert [option for option in sorted(options) if not re.search(rf"(?<![\w-]){option}\b", text)] == []


def test_a_word_is_looked_up_in_any_world() -> None:
    assert [row["word"] for row in ck.glossary("cacerts").rows] == ["truststore: whom a side believes"]
    assert len(ck.glossary("KEYSTORE")) >= 2
    with pytest.raises(ArgumentError, match="not in the glossary"):
        ck.glossary("flux capacitor")


def test_today_has_dates_with_sources() -> None:
    box = ck.today_box()
    assert [row[0] for row in box.rows] == sorted(row[0] for row in box.rows)
    assert all(date.fromisoformat(row[0]) and "read 20" in row[2] for row in box.rows)
    words = " ".join(row[1] for row in box.rows)
    assert "47 days" in words and "client authentication" in words
    assert "private CA" in box.sentence and box.sentence in box._repr_html_()
