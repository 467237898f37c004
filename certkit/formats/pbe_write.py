"""Sealing bytes with a password: PBES2 for today's readers, PKCS#12's 3DES for old ones."""

from __future__ import annotations

import hashlib
import secrets

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from certkit._der import OCTET_STRING, SEQUENCE, encode, encode_integer, encode_oid
from certkit.formats.kdf import bmp_password, pkcs12_kdf
from certkit.formats.limits import Work

__all__ = ["seal_legacy", "seal_modern", "seal_pkcs8"]

_PBE_3DES = "1.2.840.113549.1.12.1.3"
_PBES2 = "1.2.840.113549.1.5.13"
_PBKDF2 = "1.2.840.113549.1.5.12"
_HMAC_SHA256 = "1.2.840.113549.2.9"
_AES_256 = "2.16.840.1.101.3.4.1.42"
_NULL = encode(0x05)


def _padded(plain: bytes, block: int) -> bytes:
    size = block - len(plain) % block
    return plain + bytes([size]) * size


def seal_modern(plain: bytes, password: str, iterations: int) -> tuple[bytes, bytes]:
    """Return AlgorithmIdentifier and bytes: AES-256 under PBKDF2 with HMAC-SHA256 (PBES2)."""
    salt, iv = secrets.token_bytes(16), secrets.token_bytes(16)
    key = hashlib.pbkdf2_hmac("sha256", password.encode("utf-8", "surrogatepass"), salt, iterations, 32)
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    sealed = encryptor.update(_padded(plain, 16)) + encryptor.finalize()
    prf = encode(SEQUENCE, encode_oid(_HMAC_SHA256), _NULL)
    derivation = encode(SEQUENCE, encode(OCTET_STRING, salt), encode_integer(iterations), prf)
    parameters = encode(
        SEQUENCE,
        encode(SEQUENCE, encode_oid(_PBKDF2), derivation),
        encode(SEQUENCE, encode_oid(_AES_256), encode(OCTET_STRING, iv)),
    )
    return encode(SEQUENCE, encode_oid(_PBES2), parameters), sealed


def seal_legacy(plain: bytes, password: str, iterations: int) -> tuple[bytes, bytes]:
    """Return AlgorithmIdentifier and bytes: 3DES under PKCS#12's own derivation with SHA-1."""
    salt, secret, work = secrets.token_bytes(8), bmp_password(password), Work()
    key = pkcs12_kdf("sha1", secret, salt, 1, iterations, 24, work)
    iv = pkcs12_kdf("sha1", secret, salt, 2, iterations, 8, work)
    encryptor = Cipher(TripleDES(key), modes.CBC(iv)).encryptor()
    sealed = encryptor.update(_padded(plain, 8)) + encryptor.finalize()
    parameters = encode(SEQUENCE, encode(OCTET_STRING, salt), encode_integer(iterations))
    return encode(SEQUENCE, encode_oid(_PBE_3DES), parameters), sealed


def seal_pkcs8(pkcs8: bytes, password: str, iterations: int = 10_000) -> bytes:
    """Return a PKCS#8 key sealed as EncryptedPrivateKeyInfo (RFC 5958, section 3).

    Examples
    --------
    >>> from certkit.formats.der import structure
    >>> structure(seal_pkcs8(b"0", "secret"))
    'pkcs8-encrypted'
    """
    algorithm, sealed = seal_modern(pkcs8, password, iterations)
    return encode(SEQUENCE, algorithm, encode(OCTET_STRING, sealed))
