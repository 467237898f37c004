"""Scanning: every certificate and place is a row, and what cannot be read is one too."""

from __future__ import annotations

import argparse
import base64
import importlib
import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

import certkit as ck
from certkit import cli
from certkit.cli import main
from certkit.errors import ArgumentError
from certkit.inventory.table import COLUMNS

AT = datetime(2027, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def ca() -> ck.CertificateAuthority:
    return ck.CertificateAuthority("Lab Root", seed="scan", at=AT).intermediate("Lab Issuing CA")


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> ck.Estate:
    return ck.make_estate(tmp_path_factory.mktemp("estate") / "acme", 50, seed="tests", at=AT)


@pytest.fixture(scope="module")
def table(estate: ck.Estate) -> pd.DataFrame:
    return ck.scan_inventory(estate.folder, passwords=estate.passwords, at=estate.at)


def test_columns_are_named_and_arrow_backed(table: pd.DataFrame) -> None:
    assert list(table.columns) == list(COLUMNS)
    assert all(isinstance(kind, pd.ArrowDtype) for kind in table.dtypes)


def test_rows_are_what_inspect_says(ca: ck.CertificateAuthority, tmp_path: Path) -> None:
    shop = ca.issue("shop.example.test", "127.0.0.1", usage="both")
    path = ck.save_keystore(tmp_path / "shop.p12", {"shop": shop}, "changeit")
    rows = ck.scan_inventory(path, passwords=["wrong", "changeit"], at=AT).to_dict("records")
    assert [(row["alias"], row["kind"], row["role"]) for row in rows] == [
        ("shop", "private-key", "both"),
        ("shop", "chain", "intermediate"),
    ]
    leaf = shop.certificate
    assert rows[0]["format"] == "pkcs12"
    assert rows[0]["integrity"] == "verified"
    for name in ("subject", "issuer", "serial", "key", "key_bits", "signature", "sha256", "spki_sha256"):
        assert rows[0][name] == getattr(leaf, name)
    assert tuple(rows[0]["sans"]) == leaf.sans
    assert rows[0]["not_after"].to_pydatetime() == leaf.not_after
    assert rows[0]["aki"] == rows[1]["ski"]
    assert rows[0]["days_left"] == leaf.days_left(AT) == 90


@pytest.mark.parametrize(
    ("start", "end", "status", "risk"),
    [
        (-100 * DAY, timedelta(seconds=-1), "expired", "expired-leaf"),
        (-100 * DAY, timedelta(0), "expiring", "expires-soon"),
        (-100 * DAY, 30 * DAY - timedelta(seconds=1), "expiring", "expires-soon"),
        (-100 * DAY, 30 * DAY, "valid", None),
        (timedelta(seconds=1), 90 * DAY, "not-yet-valid", "not-yet-valid-or-clock"),
        (timedelta(0), 90 * DAY, "valid", None),
    ],
)
def test_status_at_the_second(
    ca: ck.CertificateAuthority,
    tmp_path: Path,
    start: timedelta,
    end: timedelta,
    status: str,
    risk: str | None,
) -> None:
    leaf = ca.issue("shop.example.test", usage="server", not_before=AT + start, not_after=AT + end)
    path = ck.save_keystore(tmp_path / "shop.pem", leaf.certificate)
    row = ck.scan_inventory(path, at=AT).iloc[0]
    assert row.status == status
    assert list(row.risks) == ([risk] if risk else [])


def test_every_planted_problem_is_found(estate: ck.Estate, table: pd.DataFrame) -> None:
    seen = dict.fromkeys(item.problem for item in estate.planted)
    assert len(seen) >= 13
    path = table["path"].str.replace(f"{estate.folder}/", "", regex=False)
    by_relation = {"duplicate", "shared-key", "shadow-ca", "unknown-issuer", "outlives-issuer"}
    for item in estate.planted:
        for place in item.paths:
            rows = table[path.str.startswith(place)]
            assert len(rows), place
            if item.problem not in by_relation:
                assert any(item.problem in risks for risks in rows["risks"]), (item, rows["risks"].tolist())


def test_nothing_healthy_is_accused(estate: ck.Estate, table: pd.DataFrame) -> None:
    planted = {place for item in estate.planted for place in item.paths}
    bad = table[table["status"].isin(["unreadable", "expired", "not-yet-valid", "weak", "empty"])]
    accused = {path.split("!/")[0].removeprefix(f"{estate.folder}/") for path in bad["path"]}
    assert accused <= planted


def test_the_answer_key_is_on_disk_and_the_estate_the_same_again(estate: ck.Estate, tmp_path: Path) -> None:
    again = ck.make_estate(tmp_path / "acme", 50, seed="tests", at=AT)
    assert again.planted == estate.planted
    key = json.loads((estate.folder / "answers.json").read_text())
    assert len(key["problems"]) == len(estate.planted)
    tables = [ck.scan_inventory(e.folder, passwords=e.passwords, at=AT) for e in (again, estate)]
    assert tables[0]["sha256"].tolist() == tables[1]["sha256"].tolist()


@pytest.mark.parametrize("stores", [9, 100_001, "many", True])
def test_an_estate_has_bounds(stores: object, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="10 to 100,000"):
        ck.make_estate(tmp_path / "acme", stores)  # type: ignore[arg-type]


@pytest.mark.parametrize("stores", [10, 11, 25])
def test_small_estates_have_their_number_of_stores(stores: int, tmp_path: Path) -> None:
    made = ck.make_estate(tmp_path / "acme", stores, at=AT)
    files = [path for path in made.folder.rglob("*") if path.is_file()]
    assert len(files) - 2 == stores


def test_archives_and_secrets_are_looked_into(ca: ck.CertificateAuthority, tmp_path: Path) -> None:
    pem = ca.certificate.pem.encode()
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("WEB-INF/ca.pem", pem)
        archive.writestr("Main.class", b"\xca\xfe\xba\xbe")
    with tarfile.open(tmp_path / "backup.tar.gz", "w:gz") as outer:
        for name, data in (("app.war", inner.getvalue()), ("notes.txt", b"nothing")):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            outer.addfile(entry, io.BytesIO(data))
    secret = {
        "kind": "Secret",
        "metadata": {"name": "shop", "namespace": "prod"},
        "data": {"tls.crt": base64.b64encode(pem).decode(), "bad.crt": "%%%"},
        "stringData": {"ca.crt": pem.decode()},
    }
    (tmp_path / "secret.json").write_text(json.dumps({"kind": "List", "items": [secret]}, indent=1))
    found = ck.scan_inventory(tmp_path)
    paths = {path.removeprefix(f"{tmp_path}/") for path in found["path"]}
    assert paths == {
        "backup.tar.gz!/app.war!/WEB-INF/ca.pem",
        "secret.json!/prod/shop/tls.crt",
        "secret.json!/prod/shop/bad.crt",
        "secret.json!/prod/shop/ca.crt",
    }
    assert found["sha256"].nunique() == 1
    assert found["status"].tolist().count("unreadable") == 1


@pytest.mark.skipif(os.name == "nt", reason="links, pipes and rights as on Unix")
def test_loops_pipes_and_missing_rights_are_rows(ca: ck.CertificateAuthority, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    ck.save_keystore(tmp_path / "a" / "ca.pem", ca.certificate)
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "gone.pem").symlink_to(tmp_path / "nowhere")
    (tmp_path / "self.pem").symlink_to(tmp_path / "self.pem")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / os.fsdecode(b"caf\xe9.pem")).write_bytes(b"")
    with (tmp_path / "huge.jks").open("wb") as stream:
        stream.truncate(10 << 30)
    found = ck.scan_inventory(tmp_path)
    errors = {Path(row["path"]).name: row["error"] for row in found.to_dict("records")}
    assert "link" in errors["gone.pem"]
    assert "link" in errors["self.pem"] or "cannot be read" in errors["self.pem"]
    assert "pipe" in errors["pipe"]
    assert "bytes" in errors["huge.jks"]
    assert errors["caf\\xe9.pem"]
    assert pd.isna(errors["ca.pem"])
    assert len(found) == 6


def test_a_path_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="no such file"):
        ck.scan_inventory(tmp_path / "nowhere")
    with pytest.raises(ArgumentError, match="no path"):
        ck.scan_inventory([])


def test_jks_is_listed_without_its_password_and_says_so(ca: ck.CertificateAuthority, tmp_path: Path) -> None:
    path = ck.save_keystore(tmp_path / "trust.jks", {"ca": ca.certificate}, "secret-word")
    assert ck.scan_inventory(path).iloc[0].integrity == "not checked"
    assert ck.scan_inventory(path, passwords={"*.jks": "secret-word"}).iloc[0].integrity == "verified"
    refused = ck.scan_inventory(path, passwords=["other"], at=AT).iloc[0]
    assert (refused.status, refused.integrity) == ("valid", "not checked")
    assert "wrong password" in refused.error


def test_no_password_and_no_key_byte_is_in_the_table(ca: ck.CertificateAuthority, tmp_path: Path) -> None:
    shop = ca.issue("shop.example.test", usage="server")
    ck.save_keystore(tmp_path / "shop.jks", {"shop": shop}, "secret-word")
    ck.save_keystore(tmp_path / "shop.pem", shop)
    ck.save_keystore(tmp_path / "shop.p12", {"shop": shop}, "secret-word")
    found = ck.scan_inventory(tmp_path, passwords=["secret-word", "wrong-word"])
    assert len(found) == 6
    text = found.to_csv().encode()
    assert b"-word" not in text
    assert not shop.key.is_in(text)
    secret = base64.b64encode(shop.key.to_der())[40:80]
    assert secret not in text
    assert shop.key.to_der().hex()[80:140].encode() not in text


def test_buckets_are_cut_at_the_second(ca: ck.CertificateAuthority, tmp_path: Path) -> None:
    for number, left in enumerate(
        (timedelta(seconds=-1), timedelta(0), 7 * DAY - timedelta(seconds=1), 7 * DAY, 90 * DAY)
    ):
        leaf = ca.issue("shop.example.test", usage="server", not_before=AT - 99 * DAY, not_after=AT + left)
        ck.save_keystore(tmp_path / f"{number}.pem", leaf.certificate)
    found = ck.expiry_buckets(ck.scan_inventory(tmp_path, at=AT))
    leaf = found[found["kind"] == "leaf"].set_index("bucket")["certificates"]
    assert leaf.to_dict() == {
        "expired": 1,
        "under 7 days": 2,
        "7 to 14 days": 1,
        "14 to 30 days": 0,
        "30 to 60 days": 0,
        "60 to 90 days": 0,
        "90 days and more": 1,
    }
    with pytest.raises(ArgumentError, match="rising"):
        ck.expiry_buckets(ck.scan_inventory(tmp_path, at=AT), days=(30, 7))


def test_soonest_first_counts_places(table: pd.DataFrame, estate: ck.Estate) -> None:
    found = ck.soonest_first(table)
    assert found["not_after"].is_monotonic_increasing
    assert found["sha256"].is_unique
    twice = next(item for item in estate.planted if item.problem == "duplicate")
    assert found.set_index("sha256").loc[twice.sha256, "places"] == 2


def test_timeline_says_what_it_shows(table: pd.DataFrame) -> None:
    plot = ck.expiry_timeline(table, limit=12)
    assert plot.sentence.startswith("The 12 that end first of ")
    assert len(plot.rows) == 12
    page = plot._repr_html_()
    assert "<script" not in page
    assert page.count("<svg") == 1
    assert plot.rows[0][0] in page


def test_nothing_at_all_is_an_empty_table(tmp_path: Path) -> None:
    found = ck.scan_inventory(tmp_path)
    assert found.empty
    assert list(found.columns) == list(COLUMNS)
    assert ck.summarize_inventory(found).certificates == 0
    assert ck.soonest_first(found).empty
    assert ck.expiry_buckets(found)["certificates"].sum() == 0
    assert ck.expiry_timeline(found).rows == ()


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estate", str(tmp_path / "acme"), "--stores", "20", "--seed", "7"]) == 0
    words = ["--passwords", str(tmp_path / "acme" / "passwords.txt")]
    output = tmp_path / "all.parquet"
    assert main(["scan", str(tmp_path / "acme"), *words, "-o", str(output)]) == 0
    said = capsys.readouterr()
    assert "could not be read" in said.out
    assert len(pd.read_parquet(output)) == len(ck.read_inventory(output)) >= 20
    assert main(["scan", str(tmp_path / "acme"), *words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["stores"] == 20
    assert main(["estate", str(tmp_path / "acme")]) == 2
    assert main(["scan", str(tmp_path / "nowhere")]) == 2
    assert main(["scan", str(tmp_path), "-o", "table.docx"]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 3


def test_a_table_comes_back_as_it_was(table: pd.DataFrame, tmp_path: Path) -> None:
    from certkit.inventory.storage import write_parquet

    back = ck.read_inventory(write_parquet(table, tmp_path / "all.parquet"))
    pd.testing.assert_frame_equal(back, table)
    assert back.attrs["at"] == table.attrs["at"]
    assert [path.name for path in tmp_path.iterdir()] == ["all.parquet"]
    with pytest.raises(ck.CertkitError, match="no such file"):
        ck.read_inventory(tmp_path / "none.parquet")
    (tmp_path / "text.parquet").write_text("no table")
    with pytest.raises(ck.CertkitError, match="no inventory"):
        ck.read_inventory(tmp_path / "text.parquet")


def test_the_command_stays_light() -> None:
    heavy = "{'pandas', 'matplotlib', 'pyarrow'} & {*sys.modules}"
    code = f"import sys, certkit.cli; certkit.cli.command_parser(); print({heavy})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "set()"


def test_a_verb_loads_no_other_verb_and_a_scan_no_pandas(tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_text(ck.CertificateAuthority("Lab Root").certificate.pem)
    unwanted = (
        "{'pandas', 'matplotlib', 'certkit.checkup', 'certkit.plots', 'certkit._report'} & {*sys.modules}"
    )
    code = f"import sys; from certkit.cli import main; code = main(sys.argv[1:]); print(code, {unwanted})"
    for more in ([], ["-o", str(tmp_path / "all.parquet")]):
        words = [sys.executable, "-c", code, "scan", str(tmp_path / "root.pem"), *more]
        said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        assert said.splitlines()[-1] == "0 set()"


def test_the_table_of_verbs_is_right() -> None:
    for module, names in cli._VERB_MODULES.items():
        verbs = argparse.ArgumentParser().add_subparsers()
        importlib.import_module(module).add_parsers(verbs)
        assert tuple(verbs.choices) == names
