"""What no library makes any more: an RSA key of 1024 bits from a seed, a signature with SHA-1. Toys for an estate."""

from __future__ import annotations

import hashlib
import random

from cryptography.hazmat.primitives.asymmetric import rsa

from certkit import _der
from certkit.certificates import Certificate
from certkit.keys import PrivateKey

__all__ = ["short_rsa", "with_sha1"]

_SMALL_PRIMES = [
    number for number in range(3, 2000, 2) if all(number % low for low in range(3, int(number**0.5) + 1, 2))
]


def short_rsa(seed: str) -> PrivateKey:
    """Return an RSA key of 1024 bits from a seed: a toy, weak on purpose."""
    draw = random.Random(f"rsa {seed}")  # noqa: S311 - the same estate for the same seed
    exponent = 65_537
    while True:
        p, q = _prime(draw), _prime(draw)
        if p != q and (p - 1) % exponent and (q - 1) % exponent:
            break
    d = pow(exponent, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(exponent, p * q)
    numbers = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public)
    return PrivateKey(numbers.private_key(unsafe_skip_rsa_key_validation=True), toy=True)


def _prime(draw: random.Random) -> int:
    """Return a probable prime of 512 bits with its two highest bits set."""
    while True:
        number = draw.getrandbits(512) | 3 << 510 | 1
        if all(number % small for small in _SMALL_PRIMES) and all(
            pow(base, number - 1, number) == 1 for base in (2, 3, 5)
        ):
            return number


_SHA1_RSA = _der.encode(_der.SEQUENCE, _der.encode_oid("1.2.840.113549.1.1.5"), b"\x05\x00")
_SHA1_PREFIX = bytes.fromhex("3021300906052b0e03021a05000414")


def _private(value: int, numbers: rsa.RSAPrivateNumbers) -> int:
    """Return RSA's private operation by way of its primes (RFC 8017, 5.1.2): four times faster than without."""
    first, second = pow(value, numbers.dmp1, numbers.p), pow(value, numbers.dmq1, numbers.q)
    return second + numbers.q * ((first - second) * numbers.iqmp % numbers.p)


def with_sha1(certificate: Certificate, key: PrivateKey) -> Certificate:
    """Return the certificate signed again with SHA-1 and RSA, which cryptography does not do any more."""
    parts = _der.read(certificate.raw.tbs_certificate_bytes).children()
    body = _der.encode(
        _der.SEQUENCE, *(_SHA1_RSA if index == 2 else part.encoded for index, part in enumerate(parts))
    )
    digest = _SHA1_PREFIX + hashlib.sha1(body, usedforsecurity=False).digest()
    assert isinstance(key.raw, rsa.RSAPrivateKey)
    numbers = key.raw.private_numbers()
    size = key.raw.key_size // 8
    # EMSA-PKCS1-v1_5 (RFC 8017, 9.2), on a toy key.
    padded = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
    signature = _private(int.from_bytes(padded), numbers).to_bytes(size)
    whole = _der.encode(_der.SEQUENCE, body, _SHA1_RSA, _der.encode(_der.BIT_STRING, b"\x00", signature))
    return Certificate.from_der(whole)
