"""Scanning what is broken, hostile, endless or gone: rows or one line, never a crash, a hang or half a table."""

from __future__ import annotations

import bz2
import gzip
import importlib
import io
import os
import random
import tarfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import certkit as ck
from certkit.errors import ArgumentError
from certkit.inventory import containers
from certkit.inventory.containers import secret_members
from certkit.inventory.opening import read_file
from certkit.inventory.passwords import Passwords
from certkit.inventory.reading import Reader

AT = datetime(2027, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def ca() -> ck.CertificateAuthority:
    return ck.CertificateAuthority("Lab Root", seed="bad input", at=AT)


@pytest.fixture(scope="module")
def good(ca: ck.CertificateAuthority, tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Return one small file of each kind."""
    folder = tmp_path_factory.mktemp("estate") / "acme"
    ck.make_estate(folder, 90, seed="bad input", at=AT)
    by_kind: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*.*")):
        by_kind.setdefault("".join(path.suffixes[-2:]) + path.stem[-9:-6], path.read_bytes())
    return [data for data in by_kind.values() if 60 < len(data) < 6000]


def mutated(data: bytes, draw: random.Random) -> bytes:
    broken = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 5))):
        at, kind = draw.randrange(max(len(broken), 1)), draw.random()
        if not broken:
            break
        if kind < 0.5:
            broken[at] = draw.randrange(256)
        elif kind < 0.7:
            del broken[at : at + draw.choice((1, 1, 7, 300))]
        elif kind < 0.85:
            broken[at:at] = draw.randbytes(draw.choice((1, 4, 40)))
        else:
            del broken[at:]
    return bytes(broken)


@pytest.mark.parametrize("seed", range(2))
def test_ten_thousand_mutated_files_end_in_rows(good: list[bytes], seed: int) -> None:
    draw = random.Random(seed)
    reader = Reader(AT, Passwords(["changeit"]))
    seen = dict.fromkeys(("valid", "unreadable"), 0)
    for number in range(5000):
        rows = list(reader.content(f"{number}.pem", mutated(draw.choice(good), draw), True))
        for row in rows:
            seen[row.status] = seen.get(row.status, 0) + 1
            assert row.status == "unreadable" or row.sha256 or row.status == "empty"
            assert all(
                isinstance(text, str) and text.encode() is not None for text in row if isinstance(text, str)
            )
    assert seen["valid"] > 200
    assert seen["unreadable"] > 200


def test_a_folder_that_changes_during_the_scan(
    ca: ck.CertificateAuthority, tmp_path: Path, monkeypatch: Any
) -> None:
    for name in ("a", "b", "c"):
        ck.save_keystore(tmp_path / f"{name}.pem", ca.certificate)
    scan = importlib.import_module("certkit.inventory.scan")
    genuine = scan.cut

    def vanishing(paths: Any) -> Any:
        for unit in genuine(paths):
            (tmp_path / "b.pem").unlink()
            (tmp_path / "d.pem").write_text("too late")
            yield unit

    monkeypatch.setattr(scan, "cut", vanishing)
    found = ck.scan_inventory(tmp_path, at=AT)
    assert found["status"].tolist() == ["valid", "unreadable", "valid"]
    assert "No such file" in found["error"][1]


def test_bombs_end_in_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "MAX_UNPACKED", 3_000_000)
    monkeypatch.setattr(containers, "MAX_FILE_BYTES", 1_000_000)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(9):
            archive.writestr(f"{number}.pem", bytes(900_000))
    (tmp_path / "zeros.gz").write_bytes(gzip.compress(bytes(5_000_000)))
    (tmp_path / "zeros.bz2").write_bytes(bz2.compress(bytes(5_000_000)))
    inner = b"end"
    for _ in range(6):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr("again.zip", inner)
        inner = stream.getvalue()
    (tmp_path / "nested.zip").write_bytes(inner)
    found = ck.scan_inventory(tmp_path, at=AT)
    said = " ".join(found[found["status"] == "unreadable"]["error"])
    assert "members" in said
    assert "deep" in said
    assert {Path(path.split("!/")[0]).name for path in found["path"]} >= {"bomb.zip", "nested.zip"}


def test_broken_and_encrypted_archives_are_rows(ca: ck.CertificateAuthority, tmp_path: Path) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        data = ca.certificate.pem.encode() * 50
        entry = tarfile.TarInfo("all.pem")
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
        link = tarfile.TarInfo("../../etc/passwd")
        link.type = tarfile.SYMTYPE
        link.linkname = "/etc/passwd"
        archive.addfile(link)
    (tmp_path / "whole.tgz").write_bytes(stream.getvalue())
    (tmp_path / "cut.tgz").write_bytes(stream.getvalue()[:300])
    (tmp_path / "head.zip").write_bytes(b"PK\x03\x04" + b"\xff" * 100)
    found = ck.scan_inventory(tmp_path, at=AT)
    by_file = {Path(path.split("!/")[0]).name: list(rows["status"]) for path, rows in found.groupby("path")}
    assert by_file["whole.tgz"] == ["valid"] * 50
    assert by_file["cut.tgz"] == ["unreadable"]
    assert by_file["head.zip"] == ["unreadable"]


@pytest.mark.parametrize(
    "text",
    [
        b"kind: Secret\ndata: [1, 2\n",
        b"kind: Secret\ndata: {a: !!python/object/apply:os.system ['true']}\n",
        b"kind: Secret\ndata: 17\nmetadata: nothing\n",
        b"kind: Secret\ndata: {tls.crt: null, 5: 7, x: [a], when: 2026-01-01}\n",
        b"a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nkind: Secret\ndata: {a: *c}\n",
        b"\xff\xfekind: Secret\n",
        b"kind: Secret\n" + b"[" * 5000,
    ],
)
def test_odd_manifests_are_rows(text: bytes, tmp_path: Path) -> None:
    try:
        list(secret_members(text))
    except ck.CertkitError as error:
        assert "YAML" in str(error)
    (tmp_path / "secret.yaml").write_bytes(text)
    assert set(ck.scan_inventory(tmp_path, at=AT)["status"]) <= {"unreadable"}


def test_an_object_store_is_a_place_too(ca: ck.CertificateAuthority) -> None:
    fsspec: Any = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    memory.pipe("/bucket/tls/ca.pem", ca.certificate.pem.encode())
    memory.pipe("/bucket/notes.txt", b"nothing")
    memory.pipe("/bucket/broken.jks", b"\xfe\xed\xfe\xed\0")
    try:
        found = ck.scan_inventory("memory://bucket", at=AT, workers=1)
        paths = sorted(path.replace(":///", "://") for path in found["path"])
        assert paths == ["memory://bucket/broken.jks", "memory://bucket/tls/ca.pem"]
        assert sorted(found["status"]) == ["unreadable", "valid"]
        pd.testing.assert_frame_equal(ck.scan_inventory("memory://bucket", at=AT, workers=2), found)
        assert len(ck.scan_inventory("memory://bucket/tls/ca.pem", at=AT)) == 1
        with pytest.raises(ArgumentError, match="no such file"):
            ck.scan_inventory("memory://elsewhere")
    finally:
        memory.rm("/bucket", recursive=True)
    with pytest.raises(ck.CertkitError, match="cannot be reached"):
        ck.scan_inventory("nonsense://bucket")


@pytest.mark.skipif(os.name == "nt", reason="pipes as on Unix")
def test_a_pipe_that_took_the_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pem")
    with pytest.raises(ck.CertkitError, match="regular file"):
        read_file(str(tmp_path / "pipe.pem"))


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no /dev/zero here")
def test_a_device_is_a_row(tmp_path: Path) -> None:
    (tmp_path / "zero.pem").symlink_to("/dev/zero")
    found = ck.scan_inventory([tmp_path, "/dev/zero"], at=AT)
    assert found["status"].tolist() == ["unreadable"] * 2


@pytest.mark.parametrize("text", ["a\tb\n\n", "one\ntwo\n*.p12\tthree four\n", "\ufeffbom\n"])
def test_password_files(text: str, tmp_path: Path) -> None:
    path = tmp_path / "passwords.txt"
    path.write_text(text, "utf-8")
    found = Passwords.of(path)
    assert "three" not in repr(found)
    assert (
        found.for_path("x/shop.p12")
        == {
            "a\tb\n\n": (),
            "one\ntwo\n*.p12\tthree four\n": ("three four", "one", "two"),
            "\ufeffbom\n": ("bom",),
        }[text]
    )
    with pytest.raises(ArgumentError, match="more than 1,000"):
        Passwords.of([str(number) for number in range(1001)])
