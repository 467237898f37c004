"""Files made to hurt: refused within a second and 200 MB, before the cost is paid."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import certkit as ck
from certkit._der import encode, encode_integer, encode_oid
from certkit.errors import CertkitError, LimitError

PASSWORD = "changeit"
DATA = encode_oid("1.2.840.113549.1.7.1")
SIGNED = encode_oid("1.2.840.113549.1.7.2")


def content(inner: bytes) -> bytes:
    return encode(0x30, DATA, encode(0xA0, encode(0x04, inner)))


def pfx(iterations: int, safes: bytes = b"") -> bytes:
    """Return a PKCS#12 whose MAC asks for so many rounds."""
    digest = encode(0x30, encode(0x30, encode_oid("1.3.14.3.2.26"), encode(0x05)), encode(0x04, bytes(20)))
    mac = encode(0x30, digest, encode(0x04, bytes(8)), encode_integer(iterations))
    return encode(0x30, encode_integer(3), content(encode(0x30, safes)), mac)


def pbes2(iterations: int) -> bytes:
    """Return PBES2 with AES-256 under PBKDF2 with so many rounds."""
    derivation = encode(0x30, encode(0x04, bytes(8)), encode_integer(iterations))
    return _pbes2(encode(0x30, encode_oid("1.2.840.113549.1.5.12"), derivation))


def _pbes2(derivation: bytes) -> bytes:
    cipher = encode(0x30, encode_oid("2.16.840.1.101.3.4.1.42"), encode(0x04, bytes(16)))
    return encode(0x30, encode_oid("1.2.840.113549.1.5.13"), encode(0x30, derivation, cipher))


def sealed_safe(iterations: int) -> bytes:
    """Return a PKCS#12 without MAC whose safe asks for so many rounds."""
    info = encode(0x30, DATA, pbes2(iterations), encode(0x80, bytes(32)))
    sealed = encode(0x30, encode_integer(0), info)
    safe = encode(0x30, encode_oid("1.2.840.113549.1.7.6"), encode(0xA0, sealed))
    return encode(0x30, encode_integer(3), content(encode(0x30, safe)))


def scrypt_key(cost: int) -> bytes:
    parameters = encode(0x30, encode(0x04, bytes(8)), *(encode_integer(n) for n in (cost, 8, 1)))
    derivation = encode(0x30, encode_oid("1.3.6.1.4.1.11591.4.11"), parameters)
    return encode(0x30, _pbes2(derivation), encode(0x04, bytes(32)))


def jks(count: int, chain: int | None = None) -> bytes:
    head = bytes.fromhex("feedfeed00000002") + count.to_bytes(4)
    entry = b""
    if chain is not None:
        entry = (1).to_bytes(4) + b"\0\1a" + bytes(8) + (4).to_bytes(4) + bytes(4) + chain.to_bytes(4)
    return head + entry + bytes(40)


def nested(times: int, wrap: Callable[[bytes], bytes]) -> bytes:
    data = b""
    for _ in range(times):
        data = wrap(data)
    return data


def nested_bags(depth: int) -> bytes:
    """Return a PKCS#12 with a safe in a safe in a safe …"""
    bag = encode_oid("1.2.840.113549.1.12.10.1.6")
    inner = nested(
        depth, lambda inside: encode(0x30, encode(0x30, bag, encode(0xA0, inside or encode(0x30))))
    )
    return encode(0x30, encode_integer(3), content(encode(0x30, content(inner))))


CHEAP = encode(0x30, encode(0x30))
BOMBS: dict[str, Callable[[], bytes]] = {
    "2^31 rounds for the MAC": lambda: pfx(2**31),
    "2^62 rounds for the MAC": lambda: pfx(2**62),
    "2^31 rounds for a safe": lambda: sealed_safe(2**31),
    "a negative number of rounds": lambda: pfx(-5),
    "just over the limit": lambda: pfx(2_000_001),
    "a JKS of 2^31 entries": lambda: jks(2**31),
    "a JKS of 2^32 - 1 entries": lambda: jks(2**32 - 1),
    "a JKS chain of 2^31 certificates": lambda: jks(1, 2**31),
    "a nested PKCS#7": lambda: nested(2000, lambda inside: encode(0x30, SIGNED, encode(0xA0, inside))),
    "a nested PKCS#7 of BER": lambda: b"\x30\x80" * 100_000,
    "octet strings in octet strings": lambda: b"\x30\x80" + SIGNED + b"\xa0\x80" + b"\x24\x80" * 100_000,
    "a PKCS#7 of a million empty certificates": lambda: encode(
        0x30,
        SIGNED,
        encode(
            0xA0,
            encode(
                0x30,
                encode_integer(1),
                encode(0x31),
                encode(0x30, DATA),
                encode(0xA0, CHEAP * 1_000_000),
                encode(0x31),
            ),
        ),
    ),
    "safes in safes": lambda: nested_bags(1000),
    "a million PEM blocks": lambda: b"-----BEGIN X-----\nAA==\n-----END X-----\n" * 1_000_000,
    "a PEM that never ends": lambda: b"-----BEGIN CERTIFICATE-----\n" + b"A" * 50_000_000,
    "beginnings only": lambda: b"-----BEGIN CERTIFICATE-----\n" * 1_000_000,
    "hyphens only": lambda: b"-" * 60_000_000,
    "60 MB of base64": lambda: b"MIID" + b"A" * 60_000_000,
    "60 MB of line ends": lambda: b"\x30\x84\x7f\xff\xff\xff" + b"\r\n" * 30_000_000,
    "60 MB of zeros": lambda: bytes(60_000_000),
    "60 MB of replaced characters": lambda: b"\x30\x82" + b"\xef\xbf\xbd" * 20_000_000,
    "60 MB in two-byte characters": lambda: b"\x30\xc2\x82" + b"\xc2\x80" * 30_000_000,
    "a length of 4 GB": lambda: b"\x30\x84\xff\xff\xff\xff" + bytes(100),
    "an integer of a megabyte": lambda: encode(0x30, encode(0x02, b"\x01" * 1_000_000), content(b"")),
}


@pytest.mark.parametrize("what", BOMBS)
def test_a_bomb_is_refused_at_once(what: str) -> None:
    data = BOMBS[what]()
    started = time.process_time()
    try:
        store = ck.load_keystore(data, PASSWORD)
        # The damaged parts of a bundle are values, each with its error.
        assert all(entry.kind in {"damaged", "other"} for entry in store), store
    except CertkitError as error:
        assert error.what
    assert time.process_time() - started < 1, what


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
import certkit as ck
import test_formats_limits as limits

for make in limits.BOMBS.values():
    data = make()
    before = limits.peak()
    try:
        ck.load_keystore(data, "x")
    except ck.CertkitError:
        pass
    print(max(limits.peak() - before, 0))
"""


def peak() -> int:
    """Return the most memory this process has held, in megabytes; the number of its parent does not count."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_memory_stays_below_200_mb() -> None:
    """Read all of them in one process: how much did each raise what the process holds at most?"""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    rises = dict(zip(BOMBS, map(int, done.stdout.split()), strict=True))
    assert max(rises.values()) < 200, rises


@pytest.mark.parametrize("cost", [2**20, 2**40])
def test_a_key_that_asks_for_much_memory_is_refused(cost: int) -> None:
    with pytest.raises(LimitError, match=r"memory|rounds"):
        ck.load_private_key(scrypt_key(cost), PASSWORD)


def test_a_listing_neither_opens_nor_pays_for_a_key() -> None:
    key = encode(0x30, pbes2(2**31), encode(0x04, bytes(64)))
    bag = encode(0x30, encode_oid("1.2.840.113549.1.12.10.1.2"), encode(0xA0, key))
    data = encode(0x30, encode_integer(3), content(encode(0x30, content(encode(0x30, bag)))))
    entry = ck.load_keystore(data).keys[0]
    assert "2,147,483,648 rounds" in entry.sealed.protection
    with pytest.raises(LimitError, match="rounds"):
        entry.open(PASSWORD)


def test_an_ordinary_strong_file_is_opened() -> None:
    shop = ck.CertificateAuthority("Lab Root").issue("shop.example.test", usage="server")
    strong = ck.keystore_bytes({"shop": shop}, PASSWORD, iterations=600_000)
    started = time.process_time()
    assert ck.load_keystore(strong, PASSWORD).integrity == "verified"
    assert time.process_time() - started < 2
