"""The view of the bytes: every byte in one place, every field with its name, no key shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

import certkit as ck
from certkit import _der
from certkit.cli import main
from certkit.errors import CertkitError
from certkit.widgets.der_lab import DerLab

PASSWORD = "changeit"


@pytest.fixture(scope="module")
def shop() -> ck.Credential:
    return (
        ck.CertificateAuthority("Lab Root").intermediate("Lab CA").issue("shop.example.test", usage="server")
    )


@pytest.fixture(scope="module")
def files(shop: ck.Credential) -> dict[str, bytes]:
    def key(form: serialization.PrivateFormat) -> bytes:
        none = serialization.NoEncryption()
        return shop.key.raw.private_bytes(serialization.Encoding.DER, form, none)

    rsa = ck.generate_key("rsa2048").raw.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return {
        "certificate": shop.certificate.der,
        "certificate-request": ck.create_csr("shop.example.test", key=shop.key).der,
        "pkcs7": ck.keystore_bytes(shop.chain, format="pkcs7"),
        "pkcs12": ck.keystore_bytes({"shop": shop}, PASSWORD, iterations=10),
        "pkcs8": shop.key.to_der(),
        "pkcs8-encrypted": shop.key.to_der(PASSWORD),
        "sec1": key(serialization.PrivateFormat.TraditionalOpenSSL),
        "pkcs1": rsa,
    }


KINDS = ["certificate", "certificate-request", "pkcs7", "pkcs12", "pkcs8", "pkcs8-encrypted", "sec1", "pkcs1"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_byte_belongs_to_one_field(kind: str, files: dict[str, bytes]) -> None:
    data = files[kind]
    tree = ck.der_tree(data)
    assert tree.kind == kind
    assert (tree.root.start, tree.root.end) == (0, len(data))
    for node in tree.nodes:
        assert node.start < node.body <= node.end
        for child in node.children:
            assert node.body <= child.start < child.end <= node.end
        starts = [child.start for child in node.children]
        assert starts == sorted(starts)
    owners = [tree.at(offset) for offset in range(len(data))]
    assert all(owner.start <= offset < owner.end for offset, owner in enumerate(owners))
    shown = tree._repr_html_()
    assert len(shown.encode()) < 10_000
    assert "<script" not in shown
    assert all(node.meaning or node.name or node.depth > 2 for node in tree.nodes)


def test_the_fields_of_a_certificate(shop: ck.Credential) -> None:
    tree = ck.der_tree(shop.certificate.pem)
    raw = shop.certificate.raw
    assert "decoded CERTIFICATE" in tree.note
    signature = tree.find("signatureValue")
    assert _der.read(tree.data, signature.start).content[1:] == raw.signature
    body = tree.find("tbsCertificate")
    assert tree.data[body.start : body.end] == raw.tbs_certificate_bytes
    serial = tree.find("serialNumber")
    assert int.from_bytes(tree.data[serial.body : serial.end]) == raw.serial_number
    assert "shop.example.test" in tree.find("generalName").value
    assert tree.find("notAfter").value.endswith("Z")
    assert tree.find("KeyUsage").value == "digitalSignature"
    assert {item.name for item in shop.certificate.extensions} <= {
        word for node in tree.nodes if node.name == "extnID" for word in _words(node.value)
    } | {"extKeyUsage"}


def _words(value: str) -> list[str]:
    return value.replace("(", " ").replace(")", " ").split()


def test_a_damaged_part_is_named_where_it_is(shop: ck.Credential) -> None:
    good = ck.der_tree(shop.certificate.der)
    extensions = good.find("extensions")
    data = bytearray(shop.certificate.der)
    inner = extensions.children[0]
    data[inner.children[1].start + 1] = 0x7F
    damaged = [node for node in ck.der_tree(bytes(data)).nodes if "damaged" in node.value]
    assert [node.start for node in damaged] == [inner.start]


@pytest.mark.parametrize("kind", ["pkcs8", "sec1", "pkcs12", "pem"])
def test_no_view_shows_a_private_key(kind: str, files: dict[str, bytes], shop: ck.Credential) -> None:
    data = shop.key.to_pem() if kind == "pem" else files[kind]
    tree = ck.der_tree(data)
    lab = DerLab(data)
    pictures = [tree.html(), tree._repr_html_(), str(tree), lab.static_html()]
    pictures += [tree.hex(node, 10_000) for node in tree.nodes]
    for number in range(len(tree.nodes)):
        lab._field.value = number
        pictures.append(lab._picture.value)
    numbers = shop.key.raw.private_numbers().private_value.to_bytes(32)  # type: ignore[union-attr]
    for picture in pictures:
        text = "".join(char for char in picture.lower() if char in "0123456789abcdef")
        assert not shop.key.is_in(picture.encode())
        assert numbers[4:12].hex() not in text


def test_a_key_in_the_clear_inside_a_pkcs12_is_not_shown(shop: ck.Credential) -> None:
    key = shop.key.to_der()
    bag = _der.encode(0x30, _der.encode_oid("1.2.840.113549.1.12.10.1.1"), _der.encode(0xA0, key))
    safe = _der.encode(0x30, bag)
    data = _der.encode_oid("1.2.840.113549.1.7.1")
    info = _der.encode(0x30, data, _der.encode(0xA0, _der.encode(0x04, safe)))
    whole = _der.encode(0x30, data, _der.encode(0xA0, _der.encode(0x04, _der.encode(0x30, info))))
    pfx = _der.encode(0x30, _der.encode_integer(3), whole)
    assert ck.load_keystore(pfx).keys[0].open().spki_sha256 == shop.key.spki_sha256
    tree = ck.der_tree(pfx)
    assert any(node.secret for node in tree.nodes)
    assert not shop.key.is_in(tree.html().replace(" ", "").encode())
    secret = next(node for node in tree.nodes if node.secret)
    assert tree.data[secret.body : secret.end].hex(" ")[:30] not in tree.html()


def test_the_lab_marks_the_bytes_of_the_chosen_field(shop: ck.Credential) -> None:
    lab = DerLab(shop.certificate.der, "serialNumber")
    assert lab.state.node.name == "serialNumber"
    run = lab._run
    lab._field.value = next(i for i, node in enumerate(lab.state.tree.nodes) if node.name == "notBefore")
    assert lab._run == run + 1
    assert "notBefore" in lab._picture.value
    first = shop.certificate.der[lab.state.node.start]
    assert f"[{first:02x}" in lab._picture.value
    assert "serialNumber" in lab.static_html()


def test_what_is_no_der_is_refused_with_what_it_is(shop: ck.Credential) -> None:
    for data, kind in (
        (ck.keystore_bytes({"a": shop}, PASSWORD, format="jks"), "not-der"),
        (b"<html>", "html-page"),
        (b"", "empty"),
        (shop.certificate.der[:100], "truncated"),
        (b"\x30\x80" * 60, None),
    ):
        with pytest.raises(CertkitError) as refusal:
            ck.der_tree(data)
        assert kind is None or refusal.value.kind == kind


def test_a_bomb_of_nested_sequences_is_bounded() -> None:
    deep = b""
    for _ in range(4000):
        deep = _der.encode(0x30, deep)
    tree = ck.der_tree(deep)
    assert any("deeper than any" in node.value for node in tree.nodes)
    with pytest.raises(CertkitError, match="elements"):
        ck.der_tree(_der.encode(0x30, b"\x05\x00" * 100_000))


def test_the_verbs_bytes_and_decode(
    shop: ck.Credential, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "shop.crt"
    path.write_text(shop.certificate.pem)
    assert main(["bytes", "--explain", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "serialNumber" in shown
    assert "The issuer's number" in shown
    assert main(["bytes", "--json", str(path), str(tmp_path / "absent")]) == 2
    found = json.loads(capsys.readouterr().out)
    assert [item["kind"] for item in found] == ["certificate", None]
    assert found[0]["tree"]["children"][0]["field"] == "tbsCertificate"
    assert main(["decode", "rejects tag type 45", str(path), "--json"]) == 0
    clue = json.loads(capsys.readouterr().out)
    assert (clue["byte"], clue["character"], clue["file_is"], clue["offset"]) == (45, "-", "pem", 0)
    assert main(["decode", "nothing of that kind"]) == 2


def test_strings_of_every_kind_are_shown_safely() -> None:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "<b>\u202eevil")])
    tree = ck.der_tree(_der.encode(0x30, name.public_bytes()))
    assert "<b>" not in tree.html().replace("</b>", "").replace("<b> ", "")
    assert "\\u202e" in tree.html()
