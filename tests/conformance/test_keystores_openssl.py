"""What openssl writes is read by certkit with the same entries; what certkit writes is read by openssl."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import certkit as ck

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")
PASSWORDS = {"plain": "changeit", "umlaut": "Schlüssel & café"}


def openssl(*arguments: object, password: str = "", check: bool = True, data: bytes = b"") -> bytes:
    """Run openssl; a password goes in by the environment as ``env:SECRET``."""
    done = subprocess.run(
        [str(OPENSSL), *map(str, arguments)],
        input=data,
        capture_output=True,
        check=False,
        timeout=30,
        env={"SECRET": password, "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    )
    if check:
        assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
    return done.stdout


@pytest.fixture(scope="module")
def issuing() -> ck.CertificateAuthority:
    return ck.CertificateAuthority("Lab Root").intermediate("Lab Issuing CA")


@pytest.fixture(scope="module", params=["p256", "rsa2048", "ed25519"])
def shop(request: pytest.FixtureRequest, issuing: ck.CertificateAuthority) -> ck.Credential:
    return issuing.issue("shop.example.test", usage="server", key=request.param)


def write_parts(folder: Path, credential: ck.Credential) -> list[object]:
    (folder / "leaf.pem").write_text(credential.certificate.pem)
    (folder / "rest.pem").write_text("".join(item.pem for item in credential.chain.others))
    (folder / "key.pem").write_bytes(credential.key.to_pem())
    return ["-in", folder / "leaf.pem", "-inkey", folder / "key.pem", "-certfile", folder / "rest.pem"]


SEALS: dict[str, list[str]] = {
    "modern": [],
    "legacy": ["-legacy"],
    "descert": ["-legacy", "-descert"],
    "no certificate encryption": ["-certpbe", "NONE"],
    "no encryption": ["-certpbe", "NONE", "-keypbe", "NONE"],
    "no mac": ["-nomac"],
    "sha512": ["-macalg", "sha512"],
    "one round": ["-noiter"],
    "aes128": ["-certpbe", "AES-128-CBC", "-keypbe", "AES-192-CBC"],
    "rc4": ["-legacy", "-certpbe", "PBE-SHA1-RC4-128", "-keypbe", "PBE-SHA1-RC4-40"],
    "rc2": ["-legacy", "-certpbe", "PBE-SHA1-RC2-128", "-keypbe", "PBE-SHA1-RC2-40"],
    "2des": ["-legacy", "-certpbe", "PBE-SHA1-2DES", "-keypbe", "PBE-SHA1-2DES"],
}


@pytest.mark.parametrize("seal", SEALS)
@pytest.mark.parametrize("password", PASSWORDS.values(), ids=PASSWORDS)
def test_a_pkcs12_of_openssl(seal: str, password: str, shop: ck.Credential, tmp_path: Path) -> None:
    path = tmp_path / "shop.p12"
    openssl(
        *("pkcs12", "-export", "-out", path, "-name", "the shop", "-passout", "env:SECRET"),
        *write_parts(tmp_path, shop),
        *SEALS[seal],
        password=password,
    )
    store = ck.load_keystore(path, password)
    assert store.format == "pkcs12"
    assert store.integrity == ("none" if seal == "no mac" else "verified")
    assert store.credential("the shop").key.spki_sha256 == shop.key.spki_sha256
    assert tuple(store.credential().chain) == tuple(shop.chain)
    assert [entry.kind for entry in store] == ["private-key"]


@pytest.mark.parametrize("legacy", [[], ["-legacy"]], ids=["modern", "legacy"])
def test_an_empty_password_is_found(legacy: list[str], shop: ck.Credential, tmp_path: Path) -> None:
    path = tmp_path / "empty.p12"
    openssl(
        *("pkcs12", "-export", "-out", path, "-passout", "env:SECRET", *write_parts(tmp_path, shop), *legacy)
    )
    store = ck.load_keystore(path)
    assert store.credential().certificate == shop.certificate
    assert any("empty password" in note for note in store.notes)


@pytest.mark.parametrize("password", PASSWORDS.values(), ids=PASSWORDS)
def test_openssl_opens_a_pkcs12_of_ours(password: str, shop: ck.Credential, tmp_path: Path) -> None:
    for legacy in (False, True) if password.isascii() else (False,):
        path = tmp_path / f"{legacy}.p12"
        ck.save_keystore(path, {"shop": shop}, password, legacy=legacy)
        found = openssl(
            *("pkcs12", "-in", path, "-nodes", "-passin", "env:SECRET", *(["-legacy"] if legacy else [])),
            password=password,
        )
        again = ck.load_keystore(found)
        assert again.credential().key.spki_sha256 == shop.key.spki_sha256
        assert set(again.certificates) == set(shop.chain)
        assert "shop" in again.aliases


def test_openssl_opens_what_several_keys_and_anchors_share(
    issuing: ck.CertificateAuthority, tmp_path: Path
) -> None:
    keys = {name: issuing.issue(f"{name}.example.test", usage="server") for name in "abc"}
    ck.save_keystore(tmp_path / "all.p12", {**keys, "root": issuing.root.certificate}, "changeit")
    found = openssl(
        "pkcs12", "-in", tmp_path / "all.p12", "-nodes", "-passin", "env:SECRET", password="changeit"
    )
    assert found.count(b"BEGIN PRIVATE KEY") == 3
    assert found.count(b"BEGIN CERTIFICATE") == 5


@pytest.mark.parametrize("encoding", ["PEM", "DER"])
def test_pkcs7_both_ways(
    encoding: str, shop: ck.Credential, issuing: ck.CertificateAuthority, tmp_path: Path
) -> None:
    chain = ck.Chain((*shop.chain, issuing.root.certificate))
    (tmp_path / "chain.pem").write_text(chain.pem)
    theirs = tmp_path / "theirs.p7b"
    openssl(
        *("crl2pkcs7", "-nocrl", "-certfile", tmp_path / "chain.pem"),
        *("-out", theirs, "-outform", encoding),
    )
    store = ck.load_keystore(theirs)
    assert (store.format, store.encoding) == ("pkcs7", "PEM" if encoding == "PEM" else "binary")
    assert store.certificates == tuple(chain)
    ours = ck.save_keystore(tmp_path / "ours.p7b", chain, encoding="pem" if encoding == "PEM" else "der")
    text = openssl("pkcs7", "-in", ours, "-inform", encoding, "-print_certs")
    assert ck.load_certificates(text) == tuple(chain)
    assert ck.load_keystore(ours).encoding == store.encoding


KEYS: dict[str, list[str]] = {
    "pkcs8": ["pkcs8", "-topk8", "-nocrypt"],
    "pkcs8 der": ["pkcs8", "-topk8", "-nocrypt", "-outform", "DER"],
    "pkcs8 sealed": ["pkcs8", "-topk8", "-passout", "env:SECRET"],
    "pkcs8 sealed der": ["pkcs8", "-topk8", "-passout", "env:SECRET", "-outform", "DER"],
    "pkcs8 scrypt": ["pkcs8", "-topk8", "-passout", "env:SECRET", "-scrypt"],
    "pkcs8 3des": ["pkcs8", "-topk8", "-passout", "env:SECRET", "-v1", "PBE-SHA1-3DES"],
    "traditional": ["pkey", "-traditional"],
    "traditional der": ["pkey", "-traditional", "-outform", "DER"],
    "traditional sealed": ["pkey", "-traditional", "-aes256", "-passout", "env:SECRET"],
}


@pytest.mark.parametrize("form", KEYS)
def test_every_form_of_a_private_key(form: str, shop: ck.Credential, tmp_path: Path) -> None:
    if "traditional" in form and shop.key.algorithm == "Ed25519":
        return  # there is no older form of such a key
    (tmp_path / "key.pem").write_bytes(shop.key.to_pem())
    data = openssl(*KEYS[form], "-in", tmp_path / "key.pem", password="changeit")
    key = ck.load_private_key(data, "changeit")
    assert key.spki_sha256 == shop.key.spki_sha256
    assert ck.load_keystore(data).summary == "1 private key"


def test_openssl_opens_keys_of_ours(shop: ck.Credential, tmp_path: Path) -> None:
    for name, password in (("plain.pem", None), ("sealed.pem", "changeit"), ("sealed.der", "changeit")):
        ck.save_keystore(tmp_path / name, shop.key, password)
        form = "DER" if name.endswith("der") else "PEM"
        public = openssl(
            *("pkey", "-in", tmp_path / name, "-inform", form, "-pubout", "-passin", "env:SECRET"),
            password="changeit",
        )
        assert ck.load_keystore(public).summary == "1 public key"


def test_a_cms_of_openssl_with_indefinite_lengths(shop: ck.Credential, tmp_path: Path) -> None:
    parts = write_parts(tmp_path, shop)
    (tmp_path / "text").write_text("hello")
    data = openssl(
        *("smime", "-sign", "-stream", "-indef", "-nodetach", "-outform", "DER", "-in", tmp_path / "text"),
        *("-signer", parts[1], "-inkey", parts[3], "-certfile", parts[5]),
        check=False,
    )
    if not data:
        pytest.skip("openssl signs no message with this key")
    assert data[1:2] == b"\x80"
    assert set(ck.load_certificates(data)) == set(shop.chain)
