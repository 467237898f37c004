"""Mutated files of every format, read until something breaks: ``python tests/fuzz/mutations.py 10000 [format…]``.

Each file is read without a password and with one, shown, its keys opened, its bytes drawn as a tree. What may come
out is a value or a `CertkitError`; never another exception, more than a second, or 200 MB.
"""

from __future__ import annotations

import base64
import contextlib
import json
import random
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

import certkit as ck
from certkit.errors import CertkitError

PASSWORD = "changeit"
AT = datetime(2026, 1, 1, tzinfo=UTC)
NUMBERS = (b"\x00", b"\xff", b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00", b"\xff\xff\xff\xff", b"\x00" * 4)


def specimens() -> dict[str, bytes]:
    """Return one good file of each format."""
    root = ck.CertificateAuthority("Fuzz Root", seed="fuzz", at=AT)
    shop = root.intermediate("Fuzz CA").issue("shop.example.test", usage="server", key="rsa1024")
    small = root.issue("small.example.test", usage="client")
    everything = {"shop": shop, "small": small, "root": root.certificate}

    def private(form: serialization.PrivateFormat, credential: ck.Credential = small) -> bytes:
        return credential.key.raw.private_bytes(
            serialization.Encoding.DER, form, serialization.NoEncryption()
        )

    return {
        "pem": shop.key.to_pem() + shop.chain.pem.encode(),
        "der": shop.certificate.der,
        "pkcs7": ck.keystore_bytes(shop.chain, format="pkcs7"),
        "pkcs7-pem": ck.keystore_bytes(shop.chain, format="pkcs7", encoding="pem"),
        "pkcs12": ck.keystore_bytes(everything, PASSWORD, iterations=200),
        "pkcs12-legacy": ck.keystore_bytes(everything, PASSWORD, legacy=True, iterations=100),
        "pkcs12-clear": ck.keystore_bytes(root.trust_store),
        "pkcs12-rc2": legacy_rc2(small),
        "jks": ck.keystore_bytes(everything, PASSWORD, format="jks"),
        "jceks": b"\xce\xce\xce\xce" + ck.keystore_bytes(everything, PASSWORD, format="jks")[4:],
        "pkcs8": small.key.to_der(),
        "pkcs8-sealed": small.key.to_der(PASSWORD),
        "pkcs1": private(serialization.PrivateFormat.TraditionalOpenSSL, shop),
        "sec1": private(serialization.PrivateFormat.TraditionalOpenSSL),
        "openssh": small.key.raw.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        ),
        "request": ck.create_csr("shop.example.test", key=small.key).der,
        "crl": revocation_list(root),
        "base64": base64.encodebytes(shop.certificate.der),
    }


def revocation_list(issuer: ck.CertificateAuthority) -> bytes:
    """Return a CRL with three certificates on it."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.raw.subject)
    builder = builder.last_update(AT).next_update(AT + timedelta(days=7))
    for number in range(1, 4):
        entry = x509.RevokedCertificateBuilder().serial_number(number).revocation_date(AT)
        builder = builder.add_revoked_certificate(entry.build())
    signed = builder.sign(issuer.key.raw, hashes.SHA256())  # type: ignore[arg-type]
    return signed.public_bytes(serialization.Encoding.DER)


def legacy_rc2(credential: ck.Credential) -> bytes:
    """Return a PKCS#12 with 40-bit RC2 as openssl writes it; without openssl, one with 3DES."""
    try:
        done = subprocess.run(
            ["openssl", "pkcs12", "-export", "-legacy", "-passout", f"pass:{PASSWORD}"],
            input=credential.key.to_pem() + credential.chain.pem.encode(),
            capture_output=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return ck.keystore_bytes(credential, PASSWORD, legacy=True)
    return done.stdout


def mutated(data: bytes, dice: random.Random) -> bytes:
    """Return `data` with one to four changes of the kinds that files meet, and that attackers make."""
    changed = bytearray(data)
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        at = dice.randrange(len(changed) or 1)
        dice.choice(_CHANGES)(changed, at, dice)
    return bytes(changed)


def _flip(data: bytearray, at: int, dice: random.Random) -> None:
    if data:
        data[at] ^= 1 << dice.randrange(8)


def _set(data: bytearray, at: int, dice: random.Random) -> None:
    number = dice.choice(NUMBERS)
    data[at : at + len(number)] = number


def _tag(data: bytearray, at: int, dice: random.Random) -> None:
    if data:
        data[at] = dice.choice((0x02, 0x03, 0x04, 0x05, 0x06, 0x0C, 0x24, 0x30, 0x31, 0x80, 0xA0, 0xA1, 0xFF))


def _length(data: bytearray, at: int, dice: random.Random) -> None:
    where = data.find(dice.choice((b"\x30\x82", b"\x04\x82", b"\x02\x02", b"\xa0\x82", b"\x02\x03")), at)
    if where >= 0:
        data[where + 1 : where + 4] = dice.randbytes(3)


def _cut(data: bytearray, at: int, dice: random.Random) -> None:
    del data[at : at + dice.choice((1, 3, 64, 10_000_000))]


def _insert(data: bytearray, at: int, dice: random.Random) -> None:
    data[at:at] = dice.choice((b"\r", b"\xef\xbf\xbd", b"\0", b"\xc2", b"-", b"\n\n", dice.randbytes(8)))


def _double(data: bytearray, at: int, dice: random.Random) -> None:
    data[at:at] = data[at : at + dice.choice((4, 60, 2000))] * dice.choice((1, 3))


def _translate(data: bytearray, at: int, dice: random.Random) -> None:
    way = dice.randrange(3)
    if way == 0:
        data[:] = bytes(data).replace(b"\n", b"\r\n")
    elif way == 1:
        data[:] = bytes(data).decode("latin-1").encode("utf-8")
    else:
        data[:] = bytes(data).decode("utf-8", "replace").encode("utf-8")


_CHANGES: tuple[Callable[[bytearray, int, random.Random], None], ...] = (
    *(_flip, _flip, _set, _tag, _length, _length, _cut, _insert, _double, _translate),
)


def use(data: bytes) -> str:
    """Read a file as a user would; return what came of it."""
    outcome = "refused"
    for password in (None, PASSWORD):
        try:
            store = ck.load_keystore(data, password)
            outcome = "read"
            repr(store), store._repr_html_()
            for entry in store.keys[:3]:
                entry.open(password)
        except CertkitError as error:
            assert error.what
            assert PASSWORD not in str(error)
    with contextlib.suppress(CertkitError):
        str(ck.der_tree(data))
    return outcome


def peak() -> int:
    """Return the most memory this process has held, in megabytes."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would answer for the parent, too, which may be pytest
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main(count: int, formats: list[str]) -> dict[str, object]:
    """Read `count` mutated files of each format and return what was seen."""
    warnings.simplefilter("error")
    report: dict[str, object] = {}
    worst, memory = 0.0, 0
    for name, good in specimens().items():
        if formats and name not in formats:
            continue
        assert use(good) == "read", name
        dice = random.Random(f"certkit {name}")
        outcomes = {"read": 0, "refused": 0}
        slowest = 0.0
        for number in range(count):
            data = mutated(good, dice)
            started = time.process_time()
            try:
                outcomes[use(data)] += 1
            except Exception as error:
                raise AssertionError(f"{name} {number}: {data.hex()}") from error
            slowest = max(slowest, time.process_time() - started)
        memory = peak()
        worst = max(worst, slowest)
        report[name] = {**outcomes, "slowest": round(slowest, 3)}
        if len(sys.argv) > 1 and __name__ == "__main__":
            print(name, report[name], f"{memory} MB", file=sys.stderr, flush=True)
    return {"formats": report, "slowest": worst, "megabytes": memory}


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), sys.argv[2:])))
