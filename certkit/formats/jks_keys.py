"""How Java seals a private key in JKS (XOR with a SHA-1 stream) and JCEKS (3DES with MD5).

The sealed key is an EncryptedPrivateKeyInfo under an OID of Sun's. Its data is salt (20 bytes), the key
XORed with a stream of SHA-1 digests, and SHA-1 over password and key: weak, and what JKS is.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from certkit import _der
from certkit.errors import FormatError, PasswordError
from certkit.formats.limits import Work

__all__ = ["JKS_KEY_PROTECTOR", "seal_jks", "unseal_jceks", "unseal_jks"]

JKS_KEY_PROTECTOR = "1.3.6.1.4.1.42.2.17.1.1"
_JCEKS_KEY_PROTECTOR = "1.3.6.1.4.1.42.2.19.1"
_SALT_BYTES = 20


def _wrong_password() -> PasswordError:
    return PasswordError(
        "wrong password for this private key, or it was changed: in this format the two look the same",
        hint="a key can have a password of its own, other than the keystore's",
        cause="wrong-password",
        kind="wrong-key-password",
    )


def _split(data: bytes, expected: str) -> tuple[_der.Element, bytes]:
    parts = _der.read(data).children()
    if len(parts) != 2 or not parts[0].children():
        raise FormatError("this sealed key is damaged", cause="tampered-or-corrupt", kind="malformed-key")
    oid = _der.oid_text(parts[0].children()[0].content)
    if oid != expected:
        raise FormatError(
            f"this key is sealed in the way {oid}, which is not known", kind="unsupported-algorithm"
        )
    return parts[0], parts[1].content


def _stream(password: bytes, salt: bytes, size: int) -> bytes:
    stream = bytearray()
    block = salt
    while len(stream) < size:
        block = hashlib.sha1(password + block, usedforsecurity=False).digest()
        stream += block
    return bytes(stream[:size])


def _xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left) ^ int.from_bytes(right)).to_bytes(len(left))


def unseal_jks(data: bytes, password: str) -> bytes:
    """Return the PKCS#8 DER of a key in a JKS.

    Raises
    ------
    PasswordError
        If its digest does not match.
    FormatError
        If it is no such sealed key.
    """
    _, sealed = _split(data, JKS_KEY_PROTECTOR)
    if len(sealed) < 2 * _SALT_BYTES:
        raise FormatError("this sealed key is cut short", cause="tampered-or-corrupt", kind="truncated")
    secret = password.encode("utf-16-be", "surrogatepass")
    salt, body, check = sealed[:_SALT_BYTES], sealed[_SALT_BYTES:-_SALT_BYTES], sealed[-_SALT_BYTES:]
    plain = _xor(body, _stream(secret, salt, len(body)))
    if not hmac.compare_digest(hashlib.sha1(secret + plain, usedforsecurity=False).digest(), check):
        raise _wrong_password()
    return plain


def seal_jks(pkcs8: bytes, password: str, salt: bytes | None = None) -> bytes:
    """Return a PKCS#8 key sealed as JKS does.

    Parameters
    ----------
    pkcs8 : bytes
        The key as PKCS#8 DER, not encrypted.
    salt : bytes, optional
        Twenty bytes; random by default.
    """
    secret = password.encode("utf-16-be", "surrogatepass")
    salt = secrets.token_bytes(_SALT_BYTES) if salt is None else salt
    check = hashlib.sha1(secret + pkcs8, usedforsecurity=False).digest()
    body = salt + _xor(pkcs8, _stream(secret, salt, len(pkcs8))) + check
    algorithm = _der.encode(_der.SEQUENCE, _der.encode_oid(JKS_KEY_PROTECTOR), _der.encode(0x05))
    return _der.encode(_der.SEQUENCE, algorithm, _der.encode(_der.OCTET_STRING, body))


def unseal_jceks(data: bytes, password: str) -> bytes:
    """Return the PKCS#8 DER of a key in a JCEKS: 3DES, its key made by MD5 in a loop.

    Raises
    ------
    PasswordError
        If what comes out is no key.
    FormatError
        If it is no such sealed key.
    LimitError
        If it asks for too many rounds.
    """
    algorithm, sealed = _split(data, _JCEKS_KEY_PROTECTOR)
    salt, rounds = (parameters := algorithm.children()[1].children())[0].content, _der.integer(parameters[1])
    if len(salt) != 8 or rounds < 1 or not sealed or len(sealed) % 8:
        raise FormatError("this sealed key is damaged", cause="tampered-or-corrupt", kind="malformed-key")
    Work().spend(2 * rounds)
    key, iv = _jceks_key(password.encode("utf-8", "replace"), salt, rounds)
    decryptor = Cipher(TripleDES(key), modes.CBC(iv)).decryptor()
    plain = decryptor.update(sealed) + decryptor.finalize()
    padding = plain[-1]
    if not 0 < padding <= 8 or plain[-padding:] != bytes([padding]) * padding or plain[:1] != b"\x30":
        raise _wrong_password()
    return plain[:-padding]


def _jceks_key(password: bytes, salt: bytes, rounds: int) -> tuple[bytes, bytes]:
    first, second = bytearray(salt[:4]), bytearray(salt[4:])
    if first == second:
        # Java means to reverse the first half here and misses: an index of its swap is wrong, and
        # every JCEKS with such a salt depends on it.
        for index in range(2):
            kept = first[index]
            first[index] = first[3 - index]
            first[2] = kept
    output = b""
    for half in (first, second):
        value = bytes(half)
        for _ in range(rounds):
            value = hashlib.md5(value + password, usedforsecurity=False).digest()
        output += value
    return output[:24], output[24:]
