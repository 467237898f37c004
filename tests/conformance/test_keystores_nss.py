"""What NSS's pk12util writes is read by certkit, and the other way round."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import certkit as ck

pytestmark = pytest.mark.skipif(
    not (shutil.which("pk12util") and shutil.which("certutil")), reason="NSS's tools are not installed"
)
PASSWORD = "changeit"


def run(*command: object) -> str:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def shop() -> ck.Credential:
    authority = ck.CertificateAuthority("Lab Root").intermediate("Lab Issuing CA")
    return authority.issue("shop.example.test", usage="server", key="rsa2048")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Return a new NSS database, and the password of files beside it."""
    (tmp_path / "password").write_text(PASSWORD)
    folder = tmp_path / "nss"
    folder.mkdir()
    run("certutil", "-N", "-d", f"sql:{folder}", "--empty-password")
    return folder


@pytest.mark.parametrize("legacy", [False, True])
def test_there_and_back_through_nss(
    legacy: bool, shop: ck.Credential, database: Path, tmp_path: Path
) -> None:
    ours = ck.save_keystore(tmp_path / "ours.p12", {"shop": shop}, PASSWORD, legacy=legacy)
    run("pk12util", "-i", ours, "-d", f"sql:{database}", "-w", tmp_path / "password")
    theirs = tmp_path / "theirs.p12"
    run("pk12util", "-o", theirs, "-n", "shop", "-d", f"sql:{database}", "-w", tmp_path / "password")
    store = ck.load_keystore(theirs, PASSWORD)
    assert store.credential().key.spki_sha256 == shop.key.spki_sha256
    assert store.credential().certificate == shop.certificate
    assert store.integrity == "verified"


@pytest.mark.parametrize(
    ("key_cipher", "certificate_cipher"),
    [
        (
            "PKCS #12 V2 PBE With SHA-1 And 3KEY Triple DES-CBC",
            "PKCS #12 V2 PBE With SHA-1 And 40 Bit RC2 CBC",
        ),
        ("AES-256-CBC", "AES-128-CBC"),
        ("AES-256-CBC", "NONE"),
    ],
    ids=["rc2", "aes", "certificates in the clear"],
)
def test_each_way_that_nss_seals(
    key_cipher: str, certificate_cipher: str, shop: ck.Credential, database: Path, tmp_path: Path
) -> None:
    ours = ck.save_keystore(tmp_path / "ours.p12", {"shop": shop}, PASSWORD)
    run("pk12util", "-i", ours, "-d", f"sql:{database}", "-w", tmp_path / "password")
    theirs = tmp_path / "theirs.p12"
    run(
        *("pk12util", "-o", theirs, "-n", "shop", "-d", f"sql:{database}", "-w", tmp_path / "password"),
        *("-c", key_cipher, "-C", certificate_cipher),
    )
    store = ck.load_keystore(theirs, PASSWORD)
    assert store.credential().key.spki_sha256 == shop.key.spki_sha256
    assert set(store.certificates) == set(shop.chain)
