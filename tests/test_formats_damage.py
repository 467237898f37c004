"""Told apart: each way in which a file is wrong has its own word, its own cause, and something to try."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from pathlib import Path

import pytest

import certkit as ck
from certkit._der import encode, encode_oid
from certkit.causes import cause as find_cause
from certkit.errors import CertkitError
from certkit.formats.damage import find_damage

PASSWORD = "correct horse"


class Stock:
    """Good files, made once."""

    def __init__(self) -> None:
        self.root = ck.CertificateAuthority("Lab Root", seed="damage")
        self.shop = self.root.intermediate("Lab CA").issue("shop.example.test", usage="server", key="rsa2048")
        self.other = self.root.issue("other.example.test", usage="server", key="rsa2048")
        self.p12 = ck.keystore_bytes({"shop": self.shop}, PASSWORD, iterations=100)
        self.jks = ck.keystore_bytes({"shop": self.shop}, PASSWORD, format="jks")
        self.p7b = ck.keystore_bytes(self.shop.chain, format="pkcs7")
        self.pem = self.shop.certificate.pem.encode()
        self.der = self.shop.certificate.der


@pytest.fixture(scope="module")
def stock() -> Stock:
    return Stock()


def refused(data: bytes | Path, password: str | None = PASSWORD) -> CertkitError:
    """Return the error that reading a file gives, wherever in it the error sits."""
    try:
        store = ck.load_keystore(data, password)
    except CertkitError as error:
        return error
    errors = [entry.error for entry in store if getattr(entry, "error", None)]
    assert errors, store
    return errors[0]  # type: ignore[return-value]


def changed(data: bytes, at: int, bit: int = 1) -> bytes:
    return data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]


def without(data: bytes, at: int) -> bytes:
    return data[:at] + data[at + 1 :]


FILES: dict[str, tuple[Callable[[Stock], bytes], str, str]] = {
    # what happened: how, the cause, the kind
    "p12 truncated": (lambda s: s.p12[:-50], "tampered-or-corrupt", "truncated"),
    "p12 cut in half": (lambda s: s.p12[: len(s.p12) // 2], "tampered-or-corrupt", "truncated"),
    "jks truncated": (lambda s: s.jks[:-900], "tampered-or-corrupt", "truncated"),
    "der truncated": (lambda s: s.der[:-1], "tampered-or-corrupt", "truncated"),
    "p7b truncated": (lambda s: s.p7b[:300], "tampered-or-corrupt", "truncated"),
    "p12 utf-8 from latin-1": (
        lambda s: s.p12.decode("latin-1").encode(),
        "tampered-or-corrupt",
        "utf8-reencoded",
    ),
    "jks utf-8 from latin-1": (
        lambda s: s.jks.decode("latin-1").encode(),
        "tampered-or-corrupt",
        "utf8-reencoded",
    ),
    "p12 utf-8 with losses": (
        lambda s: s.p12.decode("utf-8", "replace").encode(),
        "tampered-or-corrupt",
        "utf8-replaced",
    ),
    "jks utf-8 with losses": (
        lambda s: s.jks.decode("utf-8", "replace").encode(),
        "tampered-or-corrupt",
        "utf8-replaced",
    ),
    "der utf-8 with losses": (
        lambda s: s.der.decode("utf-8", "replace").encode(),
        "tampered-or-corrupt",
        "utf8-replaced",
    ),
    "p12 as windows text": (
        lambda s: s.p12.decode("latin-1").encode(),
        "tampered-or-corrupt",
        "utf8-reencoded",
    ),
    "byte order mark": (lambda s: b"\xef\xbb\xbf" + s.p12, "tampered-or-corrupt", "byte-order-mark"),
    "blank line": (lambda s: b"\r\n" + s.p12, "tampered-or-corrupt", "blank-line-first"),
    "base64 cut by one": (
        lambda s: base64.b64encode(s.p12)[:-9],
        "tampered-or-corrupt",
        "base64-padding",
    ),
    "base64 letter lost": (
        lambda s: without(base64.b64encode(s.p12), 500),
        "tampered-or-corrupt",
        "base64-",
    ),
    "base64 without its first letter": (
        lambda s: base64.b64encode(s.p12)[1:],
        "tampered-or-corrupt",
        "base64-cut",
    ),
    "base64 without its first line": (
        lambda s: base64.encodebytes(s.p12).partition(b"\n")[2],
        "tampered-or-corrupt",
        "base64-cut",
    ),
    "base64 in lower case": (
        lambda s: base64.b64encode(s.p12).lower(),
        "tampered-or-corrupt",
        "base64-lowercased",
    ),
    "base64url": (
        lambda s: base64.urlsafe_b64encode(b"\x30\x82\x03\xff" + b"\xff\xef\xbe" * 400),
        "tampered-or-corrupt",
        "base64url",
    ),
    "pem cut": (lambda s: s.pem[:-40], "tampered-or-corrupt", "pem-cut"),
    "pem with other hyphens": (
        lambda s: s.pem.replace(b"-----", "—".encode()),
        "tampered-or-corrupt",
        "pem-wrong-armor",
    ),
    "pem with written line ends": (
        lambda s: s.pem.replace(b"\n", b"\\n"),
        "tampered-or-corrupt",
        "escaped-newlines",
    ),
    "pem with four hyphens": (
        lambda s: s.pem.replace(b"-----END", b"----END"),
        "tampered-or-corrupt",
        "pem-",
    ),
    "p12 changed inside": (lambda s: changed(s.p12, len(s.p12) - 8), "tampered-or-corrupt", "tampered"),
    "empty": (lambda s: b"", "tampered-or-corrupt", "empty"),
    "zeros": (lambda s: bytes(4096), "tampered-or-corrupt", "empty"),
    "a web page": (lambda s: b"<!DOCTYPE html><p>login</p>", "wrong-file-format", "html-page"),
    "json": (lambda s: b'{"error": "not found"}', "wrong-file-format", "json"),
    "bks": (lambda s: b"\0\0\0\2\0\0\0\x14" + bytes(40), "wrong-file-format", "bks"),
    "bks of version 1": (
        lambda s: b"\0\0\0\1\0\0\0\x14" + bytes(24) + b"\1\0\4root",
        "wrong-file-format",
        "bks",
    ),
    "uber": (lambda s: b"\0\0\0\1\0\0\0\x14" + bytes(24) + b"\x8f" * 40, "wrong-file-format", "uber"),
    "bcfks": (
        lambda s: encode(
            0x30, encode(0x30, encode(0x30, encode_oid("1.2.3")), encode(0x04, b"x")), encode(0x30)
        ),
        "wrong-file-format",
        "bcfks",
    ),
    "kdb": (lambda s: b"7H\3\2" + bytes(100), "wrong-file-format", "kdb"),
    "zip": (lambda s: b"PK\3\4" + bytes(100), "wrong-file-format", "zip"),
    "putty": (lambda s: b"PuTTY-User-Key-File-3: ssh-rsa\n", "wrong-file-format", "putty-key"),
    "p12 wrong password": (lambda s: s.p12, "wrong-password", "wrong-password"),
    "jks wrong password": (lambda s: s.jks, "wrong-password", "wrong-password-or-tampered"),
    "jks changed": (
        lambda s: changed(s.jks, len(s.jks) - 30),
        "wrong-password",
        "wrong-password-or-tampered",
    ),
}


@pytest.mark.parametrize("what", FILES)
def test_each_wrong_file_has_its_own_word(what: str, stock: Stock) -> None:
    make, cause, kind = FILES[what]
    error = refused(make(stock), "wrong" if "wrong password" in what else PASSWORD)
    assert error.cause == cause, f"{error.kind}: {error}"
    assert (error.kind or "").startswith(kind), f"{error.kind}: {error}"
    assert error.hint, str(error)
    assert find_cause(error.cause or "").fix
    assert PASSWORD not in str(error)


def test_the_words_differ() -> None:
    """The issue's list of failures, each with a kind of its own."""
    kinds = {kind for _, _, kind in FILES.values()}
    assert {
        "truncated",
        "tampered",
        "utf8-reencoded",
        "utf8-replaced",
        "base64-cut",
        "base64-padding",
    } <= kinds


@pytest.mark.parametrize("kind", ["pkcs12", "jks", "pkcs7", "der"])
def test_line_ends_translated(kind: str, stock: Stock) -> None:
    """Some of the random files have a line feed in them, and no line end of Windows by chance."""
    for number in range(200):
        leaf = stock.root.issue(f"a{number}.example.test", usage="server")
        if kind == "der":
            data = leaf.certificate.der
        elif kind == "pkcs7":
            data = ck.keystore_bytes(leaf.chain, format=kind)
        else:
            data = ck.keystore_bytes(
                {"a": leaf}, PASSWORD, format=kind, iterations=10 if kind == "pkcs12" else None
            )
        if b"\n" in data and b"\r\n" not in data:
            break
    error = refused(data.replace(b"\n", b"\r\n"))
    assert (error.cause, error.kind) == ("tampered-or-corrupt", "crlf-translated"), str(error)
    damage = find_damage(data.replace(b"\n", b"\r\n"))
    assert damage is not None
    assert damage.repaired == data


UNDONE = ["byte order mark", "blank line", "p12 utf-8 from latin-1", "jks utf-8 from latin-1"]


@pytest.mark.parametrize("what", [*UNDONE, "base64 without its first letter", "pem with other hyphens"])
def test_what_can_be_undone_is_undone(what: str, stock: Stock) -> None:
    damage = find_damage(FILES[what][0](stock))
    assert damage is not None
    assert damage.repaired is not None
    assert ck.load_keystore(damage.repaired, PASSWORD).certificates[0] == stock.shop.certificate


def test_roles_are_told_apart(stock: Stock, tmp_path: Path) -> None:
    def cause_of(make: Callable[[], object]) -> tuple[str | None, str | None]:
        with pytest.raises(CertkitError) as refusal:
            make()
        assert refusal.value.hint
        return refusal.value.cause, refusal.value.kind

    key = stock.shop.key
    sealed = key.to_pem(PASSWORD) + stock.pem
    truststore = ck.keystore_bytes(stock.root.trust_store, PASSWORD, format="jks")
    assert cause_of(lambda: ck.load_credential(stock.pem)) == (
        "private-key-missing",
        "certificate-without-key",
    )
    assert cause_of(lambda: ck.load_credential(key.to_pem())) == ("missing-intermediate", "key-without-chain")
    assert cause_of(lambda: ck.load_credential(truststore, password=PASSWORD)) == (
        "private-key-missing",
        "truststore-not-keystore",
    )
    assert cause_of(lambda: ck.load_keystore(stock.p12, PASSWORD).trust_store()) == (
        "truststore-missing-or-empty",
        "keystore-not-truststore",
    )
    mismatch = ("key-cert-mismatch", "key-cert-mismatch")
    assert cause_of(lambda: ck.load_credential(stock.other.key.to_pem() + stock.pem)) == mismatch
    assert cause_of(lambda: ck.load_credential(stock.pem, stock.other.key.to_pem())) == mismatch
    missing = ("encrypted-key-no-passphrase", "encrypted-key-no-passphrase")
    assert cause_of(lambda: ck.load_credential(sealed)) == missing
    assert cause_of(lambda: ck.load_private_key(sealed, "wrong"))[0] == "wrong-password"
    assert cause_of(lambda: ck.load_keystore(stock.p12)) == ("wrong-password", "password-needed")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.touch(mode=0o000)
    error = refused(path)
    assert (error.cause, error.kind) == ("permission-on-key", "unreadable")


def test_a_file_that_the_system_keeps_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "key.pem"
    path.touch()
    monkeypatch.setattr(Path, "open", denied)
    error = refused(path)
    assert (error.cause, error.kind) == ("permission-on-key", "unreadable")
