"""The byte decoder against the real Java: its words for each wrong file, decoded to what the file is."""

from __future__ import annotations

import base64
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

import certkit as ck

PASSWORD = "changeit"


def _files() -> dict[str, tuple[bytes, str]]:
    """Return wrong files by name, each with the word for what it is."""
    root = ck.CertificateAuthority("Lab Root", seed="bytes")
    shop = root.intermediate("Lab CA").issue("shop.example.test", usage="server")
    good = ck.keystore_bytes({"shop": shop}, PASSWORD, iterations=100)
    jks = ck.keystore_bytes({"shop": shop}, PASSWORD, format="jks")
    key = shop.key.raw
    traditional = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    changed = bytearray(good)
    changed[4] = 0x04
    return {
        "certificate.der": (shop.certificate.der, "certificate"),
        "certificate.pem": (shop.certificate.pem.encode(), "pem"),
        "chain.p7b": (ck.keystore_bytes(shop.chain, format="pkcs7"), "pkcs7"),
        "certificate.b64": (base64.b64encode(shop.certificate.der), "base64"),
        "good.p12.b64": (base64.encodebytes(good), "base64"),
        "pem.b64": (base64.b64encode(shop.certificate.pem.encode()), "base64-pem"),
        "blank line.p12": (b"\r\n" + good, "blank-line-first"),
        "bom.p12": (b"\xef\xbb\xbf" + good, "byte-order-mark"),
        "replaced.p12": (good.decode("utf-8", "replace").encode(), "utf8-replaced"),
        "reencoded.p12": (good.decode("latin-1").encode(), "utf8-reencoded"),
        "key.p8": (shop.key.to_der(), "private-key"),
        "key.ec": (traditional, "private-key"),
        "changed.p12": (bytes(changed), "changed-byte"),
        "empty.p12": (b"", "empty"),
        "page.html": (b"<!DOCTYPE html><html><body>404</body></html>", "html-page"),
        "bags.pem": (b"Bag Attributes\n    friendlyName: x\n" + shop.certificate.pem.encode(), "pem"),
        "good.jks": (jks, "jks"),
        "jceks": (b"\xce\xce\xce\xce" + jks[4:], "jceks"),
    }


FILES = _files()
# Java opens a JKS given as PKCS12 by itself, unless its compatibility is switched off; EOFException is no clue.
SPEAKING = [name for name in FILES if name not in {"page.html", "good.jks", "jceks"}]


@pytest.mark.java
@pytest.mark.skipif(not ck.java_available(), reason="the extra certkit[java] is not installed")
@pytest.mark.parametrize("name", SPEAKING)
def test_the_message_alone_says_what_the_file_is(name: str) -> None:
    data, kind = FILES[name]
    java = ck.java_keystore(data, PASSWORD)
    assert java.error is not None, f"Java opened {name}"
    clue = ck.decode_byte(str(java.error))
    assert clue.guess.kind == kind, f"{java.error}\n{clue}"
    if clue.byte is not None:
        seen = ck.decode_byte(str(java.error), data)
        assert seen.offset is not None, str(java.error)
        assert data[seen.offset] == clue.byte


@pytest.mark.parametrize(
    ("message", "byte", "character", "kind"),
    [
        ("java.io.IOException: DerValue.getBigIntegerInternal, not expected 48", 0x30, "0", "certificate"),
        ("DerValue.getBigIntegerInternal, not expected 6", 0x06, "", "pkcs7"),
        ("java.io.IOException: toDerInputStream rejects tag type 45", 0x2D, "-", "pem"),
        ("toDerInputStream rejects tag type 77", 0x4D, "M", "base64"),
        ("toDerInputStream rejects tag type 13", 0x0D, "carriage return", "blank-line-first"),
        ("toDerInputStream rejects tag type -102", 0x9A, "", "garbage"),
        ("toDerInputStream rejects tag type 60", 0x3C, "<", "html-page"),
        ("DerInputStream.getLength(): lengthTag=109, too big.", 0xED, "", "jks"),
        ("DerInputStream.getLength(): lengthTag=78, too big.", 0xCE, "", "jceks"),
        ("DerInputStream.getLength(): lengthTag=59, too big.", 0xBB, "", "byte-order-mark"),
        ("DerInputStream.getLength(): lengthTag=111, too big.", 0xEF, "", "utf8-replaced"),
        ("DerInputStream.getLength(): lengthTag=66, too big.", 0xC2, "", "utf8-reencoded"),
        ("System.CalloutException: IO Exception: DER input, Integer tag error", None, "", "unknown"),
        ("java.io.IOException: PKCS12 keystore not in version 3 format", None, "", "private-key"),
        ("java.io.IOException: Invalid keystore format", None, "", "not-jks"),
        ("java.io.IOException: Tag number over 30 is not supported", None, "", "empty"),
        ("java.io.EOFException: null", None, "", "truncated"),
        ("java.io.IOException: Invalid lenByte", None, "", "crlf-translated"),
        (
            "asn1: structure error: tags don't match (16 vs {class:0 tag:13 length:45 isCompound:true}) {}",
            0x2D,
            "-",
            "pem",
        ),
    ],
)
def test_the_messages_of_the_reference(message: str, byte: int | None, character: str, kind: str) -> None:
    clue = ck.decode_byte(f"Exception in thread main\n\t{message}\n\tat com.example.Main(Main.java:1)")
    assert (clue.byte, clue.character, clue.guess.kind) == (byte, character, kind)
    assert clue.message == message
    assert clue.commands
    assert "<script" not in clue._repr_html_()


@pytest.mark.parametrize("name", ["certificate.der", "chain.p7b", "changed.p12"])
def test_the_words_of_2012_with_the_file_tell_which_byte(name: str) -> None:
    data, kind = FILES[name]
    clue = ck.decode_byte("IO Exception: DER input, Integer tag error", data)
    assert (clue.offset, clue.byte) == (4, data[4])
    assert clue.guess.kind == (kind if name != "changed.p12" else "not-an-integer")
    assert clue.cause == ("tampered-or-corrupt" if name == "changed.p12" else "wrong-file-format")


def test_an_explanation_carries_the_byte() -> None:
    found = ck.explain(
        "Caused by: java.io.IOException: toDerInputStream rejects tag type 45\n\tat sun.security"
    )
    assert found.byte is not None
    assert found.byte.guess.kind == "pem"
    assert "PEM text: it begins with" in found.report()
    assert "PEM text: it begins with" in found._repr_html_()
    assert found.to_dict()["byte"]["byte"] == 45  # type: ignore[index]
    assert ck.explain("java.io.EOFException: null").byte is None


def test_a_text_without_such_a_message_is_refused() -> None:
    with pytest.raises(ck.CertkitError, match="no message about a byte"):
        ck.decode_byte("it does not work")


def shell(command: str, folder: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, f"{command}\n{done.stderr}"


# The message for each file whose commands can run here; keytool is asked in test_keystores_java.py.
REPAIRED = {
    "certificate.der": "DerValue.getBigIntegerInternal, not expected 48",
    "chain.p7b": "DerValue.getBigIntegerInternal, not expected 6",
    "certificate.pem": "toDerInputStream rejects tag type 45",
    "bags.pem": "toDerInputStream rejects tag type 66",
    "good.p12.b64": "toDerInputStream rejects tag type 77",
    "bom.p12": "lengthTag=59, too big",
    "reencoded.p12": "lengthTag=66, too big",
    "key.p8": "PKCS12 keystore not in version 3 format",
}


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
@pytest.mark.parametrize("name", REPAIRED)
def test_the_commands_make_the_right_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", PASSWORD)
    key = ck.load_private_key(FILES["key.p8"][0])
    chain = ck.load_certificates(FILES["chain.p7b"][0])
    (tmp_path / "FILE").write_bytes(FILES[name][0])
    (tmp_path / "KEY.pem").write_bytes(key.to_pem())
    (tmp_path / "CERT.pem").write_text(chain[0].pem)
    (tmp_path / "CHAIN.pem").write_text(chain[1].pem)
    for command in ck.decode_byte(REPAIRED[name]).commands:
        if not command.startswith(("keytool", "certkit")):
            # openssl would ask for the new password at the terminal.
            shell(f"{command} -passout env:SECRET" if "pkcs12 -export" in command else command, tmp_path)
    store = ck.load_keystore(tmp_path / "NEW.p12", PASSWORD)
    assert store.credential().key.spki_sha256 == key.spki_sha256
