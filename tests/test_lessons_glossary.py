"""The glossary of five worlds, and the dates of today with their sources."""

from __future__ import annotations

from datetime import date

import pytest

import certkit as ck
from certkit.errors import ArgumentError

WORLDS = {"word", "java", "openssl", "salesforce", "castiron", "windows"}


def test_every_row_has_a_word_in_every_world() -> None:
    rows = ck.glossary().rows
    assert len(rows) >= 12
    assert all(set(row) == WORLDS and all(row.values()) for row in rows)
    assert len({row["word"] for row in rows}) == len(rows)
    shown = ck.glossary()._repr_html_()
    assert all(name in shown for name in ("Java", "OpenSSL", "Salesforce", "Cast Iron", "Windows"))
    assert len(shown) < 10_000


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
