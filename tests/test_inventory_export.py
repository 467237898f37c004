"""The table out: exactly what was filtered, dates as dates, nothing that runs, nothing half written."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import icalendar
import openpyxl
import pandas as pd
import pytest

import certkit as ck
from certkit.cli import main
from certkit.errors import ArgumentError, FileError, LimitError
from certkit.inventory import _workbook

AT = datetime(2027, 3, 1, tzinfo=UTC)
EVIL = "=HYPERLINK(1)"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    made = ck.make_estate(tmp_path_factory.mktemp("estate") / "acme", 40, seed="export", at=AT)
    ca = ck.CertificateAuthority(EVIL, at=AT)
    leaf = ca.issue("<script>alert(1)</script>", usage="client")
    ck.save_keystore(made.folder / "evil.jks", {"+cmd|' /c calc'!a0": leaf}, "changeit")
    return ck.scan_inventory(made.folder, passwords=made.passwords, at=AT)


@pytest.fixture(scope="module")
def filtered(table: pd.DataFrame) -> pd.DataFrame:
    chosen = table[table["role"].isin(["server", "client"]) & (table["days_left"] < 300)]
    return chosen[["subject", "sans", "not_after", "days_left", "path", "alias", "sha256"]]


def test_csv_holds_what_was_filtered(filtered: pd.DataFrame, tmp_path: Path) -> None:
    with ck.export_inventory(filtered, tmp_path / "some.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["sha256"] for row in rows] == filtered["sha256"].tolist()
    assert list(rows[0]) == list(filtered.columns)
    assert all(row["not_after"].endswith("Z") for row in rows)
    assert min(int(row["days_left"]) for row in rows) < 0


def test_csv_text_does_not_run(table: pd.DataFrame, tmp_path: Path) -> None:
    text = ck.export_inventory(table, tmp_path / "all.csv").read_text("utf-8")
    with (tmp_path / "all.csv").open(encoding="utf-8", newline="") as stream:
        cells = [cell for row in csv.reader(stream) for cell in row]
    assert "'+cmd|' /c calc'!a0" in cells
    assert not [cell for cell in cells if cell[:1] in "=+@\t" and cell]
    assert "alert(1)" in text


def test_workbook_has_dates_filters_and_no_formula(table: pd.DataFrame, tmp_path: Path) -> None:
    path = ck.export_inventory(table, tmp_path / "all.xlsx")
    sheet = openpyxl.load_workbook(path)["inventory"]
    names = [cell.value for cell in sheet[1]]
    assert names == list(table.columns)
    assert sheet.max_row == len(table) + 1
    assert sheet.auto_filter.ref is not None
    assert sheet.auto_filter.ref.endswith(str(len(table) + 1))
    kinds = {cell.data_type for row in sheet.iter_rows(min_row=2) for cell in row if cell.value is not None}
    assert kinds == {"s", "n", "d"}
    first = {name: sheet.cell(2, number).value for number, name in enumerate(names, 1)}
    wanted = table.iloc[0]
    if pd.notna(wanted["not_after"]):
        assert first["not_after"] == wanted["not_after"].to_pydatetime().replace(tzinfo=None)
    texts = [cell.value for row in sheet.iter_rows() for cell in row]
    assert "+cmd|' /c calc'!a0" in texts
    assert [item.name for item in tmp_path.iterdir()] == ["all.xlsx"]


def test_a_sheet_has_a_last_row(
    filtered: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_workbook, "_MOST_ROWS", 3)
    with pytest.raises(LimitError, match="a sheet holds 3 rows"):
        ck.export_inventory(filtered, tmp_path / "all.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_json_and_parquet(table: pd.DataFrame, filtered: pd.DataFrame, tmp_path: Path) -> None:
    rows = json.loads(ck.export_inventory(table, tmp_path / "all.json").read_text("utf-8"))
    assert len(rows) == len(table)
    leaf = next(row for row in rows if row["role"] == "server")
    assert isinstance(leaf["sans"], list)
    assert leaf["not_after"].endswith("Z")
    assert next(row for row in rows if row["status"] == "unreadable")["sha256"] is None
    pd.testing.assert_frame_equal(
        ck.read_inventory(ck.export_inventory(table, tmp_path / "all.parquet")), table
    )
    some = pd.read_parquet(ck.export_inventory(filtered, tmp_path / "some.parquet"))
    assert some["sha256"].tolist() == filtered["sha256"].tolist()


def events(path: Path) -> list[Any]:
    return list(icalendar.Calendar.from_ical(path.read_bytes()).walk("VEVENT"))


def test_calendar_entries_are_all_day_with_alarms_and_keep_their_uid(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    leaves = table[table["role"] == "server"]
    found = events(ck.export_inventory(leaves, tmp_path / "ends.ics"))
    assert len(found) == leaves["sha256"].nunique()
    ends = dict(zip(leaves["sha256"], leaves["not_after"], strict=True))
    for event in found:
        sha256 = str(event["uid"]).removesuffix("@certkit")
        day = event["dtstart"].dt
        assert type(day) is date
        assert day == ends[sha256].to_pydatetime().date()
        assert [alarm["trigger"].dt for alarm in event.walk("VALARM")] == [
            timedelta(days=-30),
            timedelta(days=-7),
        ]
    again = events(ck.export_inventory(leaves, tmp_path / "again.ics"))
    assert [str(event["uid"]) for event in again] == [str(event["uid"]) for event in found]
    text = (tmp_path / "ends.ics").read_bytes()
    assert all(len(line) <= 75 for line in text.split(b"\r\n"))
    with pytest.raises(ArgumentError, match="a calendar needs"):
        ck.export_inventory(table[["subject"]], tmp_path / "no.ics")


def test_the_report_is_one_page_without_script(table: pd.DataFrame, tmp_path: Path) -> None:
    page = ck.inventory_report(table, tmp_path / "report.html").read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "<script" not in page
    assert "&lt;script" in page
    assert "Not read: 3 places" in page
    assert page.count("<svg") >= 2
    outside = [word for word in ("src=", 'href="http', "@import", "url(http") if word in page]
    assert outside == []


@pytest.mark.parametrize("name", ["all.docx", "all", "all.parquet.gz"])
def test_an_unknown_suffix_is_refused(table: pd.DataFrame, tmp_path: Path, name: str) -> None:
    with pytest.raises(ArgumentError, match="suffix"):
        ck.export_inventory(table, tmp_path / name)


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "json", "parquet", "ics"])
def test_what_cannot_be_written_leaves_nothing(filtered: pd.DataFrame, tmp_path: Path, suffix: str) -> None:
    with pytest.raises(FileError):
        ck.export_inventory(filtered, tmp_path / "nowhere" / f"all.{suffix}")
    (tmp_path / f"all.{suffix}").mkdir()
    with pytest.raises(FileError):
        ck.export_inventory(filtered, tmp_path / f"all.{suffix}")
    assert [path.name for path in tmp_path.iterdir()] == [f"all.{suffix}"]


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "json", "ics", "html"])
def test_the_command_writes_each(tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]) -> None:
    ck.save_keystore(tmp_path / "ca.pem", ck.CertificateAuthority("Lab Root").certificate)
    output = tmp_path / "out" / f"all.{suffix}"
    output.parent.mkdir()
    assert main(["scan", str(tmp_path), "-o", str(output)]) == 0
    assert output.stat().st_size > 100
    assert "1 certificate" in capsys.readouterr().out
