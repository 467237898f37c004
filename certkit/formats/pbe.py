"""Password-based encryption as PKCS#12 and PKCS#8 use it: PBES2 and PBES1 (RFC 8018), PKCS#12's own (RFC 7292, C)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4, RC2, TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from certkit import _der
from certkit.errors import FormatError, PasswordError
from certkit.formats import rc2
from certkit.formats.kdf import Derivation, bmp_password, parse_derivation, pbkdf1, pkcs12_kdf
from certkit.formats.limits import Work

__all__ = ["Scheme", "parse_scheme"]

_PBES2 = "1.2.840.113549.1.5.13"

# PKCS#12's own schemes, 1.2.840.113549.1.12.1.x (RFC 7292, C): cipher, key bytes, IV bytes.
_PKCS12_SCHEMES = {
    "1.2.840.113549.1.12.1.1": ("RC4-128", 16, 0),
    "1.2.840.113549.1.12.1.2": ("RC4-40", 5, 0),
    "1.2.840.113549.1.12.1.3": ("3DES", 24, 8),
    "1.2.840.113549.1.12.1.4": ("3DES with two keys", 16, 8),
    "1.2.840.113549.1.12.1.5": ("RC2-128", 16, 8),
    "1.2.840.113549.1.12.1.6": ("RC2-40", 5, 8),
}
# PBES1 (RFC 8018, A.3): digest and cipher.
_PBES1_SCHEMES = {
    "1.2.840.113549.1.5.3": ("md5", "DES"),
    "1.2.840.113549.1.5.10": ("sha1", "DES"),
}
# PBES2's ciphers (RFC 8018, B.2; NIST's AES arc): name and key bytes.
_PBES2_CIPHERS = {
    "2.16.840.1.101.3.4.1.2": ("AES-128", 16),
    "2.16.840.1.101.3.4.1.22": ("AES-192", 24),
    "2.16.840.1.101.3.4.1.42": ("AES-256", 32),
    "1.2.840.113549.3.7": ("3DES", 24),
    "1.3.14.3.2.7": ("DES", 8),
}
_WEAK = ("RC", "3DES", "DES")


class _Decryptor(Protocol):
    def update(self, data: bytes) -> bytes: ...
    def finalize(self) -> bytes: ...


@dataclass(frozen=True)
class Scheme:
    """One way of sealing bytes with a password.

    Attributes
    ----------
    words : str
        Cipher and derivation in words.
    legacy : bool
        Whether modern libraries refuse it unless told otherwise.
    """

    words: str
    legacy: bool
    _open: Callable[[str | None, bytes, Work], bytes]

    def decrypt(self, password: str | None, data: bytes, work: Work) -> bytes:
        """Return the plain bytes, padding removed.

        Parameters
        ----------
        password : str or None
            None is not the empty password: PKCS#12's own schemes tell the two apart.
        work : Work
            What the file may still cost.

        Raises
        ------
        PasswordError
            If the padding is wrong: a wrong password, most of the time, or changed bytes.
        LimitError
            If it costs too much.
        """
        try:
            return self._open(password, data, work)
        except ValueError:
            raise PasswordError(
                "wrong password, or the file was changed: what comes out makes no sense",
                hint="try the password again",
                cause="wrong-password",
                kind="wrong-password",
            ) from None


def parse_scheme(algorithm: _der.Element) -> Scheme:
    """Return the scheme that an AlgorithmIdentifier names.

    Raises
    ------
    FormatError
        If it is not known, or malformed.
    """
    parts = algorithm.children()
    if not parts or parts[0].tag != _der.OBJECT_IDENTIFIER:
        raise FormatError("an encryption algorithm has no name", kind="malformed")
    oid = _der.oid_text(parts[0].content)
    fields = parts[1].children() if len(parts) > 1 else []
    if len(fields) == 2:
        if oid == _PBES2:
            return _pbes2(*fields)
        if oid in _PKCS12_SCHEMES:
            return _pkcs12(oid, fields[0].content, _der.integer(fields[1]))
        if oid in _PBES1_SCHEMES:
            return _pbes1(oid, fields[0].content, _der.integer(fields[1]))
    raise FormatError(
        f"the encryption {oid} is not known",
        hint="openssl pkcs12 -in FILE -info -noout, to see what made it",
        cause="modern-pkcs12-unsupported",
        kind="unsupported-algorithm",
    )


def _pbes2(derivation: _der.Element, encryption: _der.Element) -> Scheme:
    derive = parse_derivation(derivation)
    name, *parameters = encryption.children()
    oid = _der.oid_text(name.content)
    if oid not in _PBES2_CIPHERS or not parameters:
        raise FormatError(
            f"the cipher {oid} is not known", cause="modern-pkcs12-unsupported", kind="unsupported-algorithm"
        )
    cipher, size = _PBES2_CIPHERS[oid]
    if derive.size not in {None, size}:
        raise FormatError("the key length does not fit the cipher", kind="bad-parameters")
    return Scheme(
        f"{cipher} (PBES2, {derive.words})",
        cipher.startswith(_WEAK),
        partial(_open_pbes2, derive, cipher, size, parameters[0].content),
    )


def _open_pbes2(
    derive: Derivation, cipher: str, size: int, iv: bytes, password: str | None, data: bytes, work: Work
) -> bytes:
    key = derive.key((password or "").encode("utf-8", "surrogatepass"), size, work)
    return _decrypt(cipher, key, iv, data)


def _pkcs12(oid: str, salt: bytes, iterations: int) -> Scheme:
    cipher, size, iv_size = _PKCS12_SCHEMES[oid]
    return Scheme(
        f"{cipher} (PKCS#12's own derivation, SHA-1, {iterations:,} rounds)",
        True,
        partial(_open_pkcs12, cipher, size, iv_size, salt, iterations),
    )


def _open_pkcs12(
    cipher: str,
    size: int,
    iv_size: int,
    salt: bytes,
    iterations: int,
    password: str | None,
    data: bytes,
    work: Work,
) -> bytes:
    def attempt(text: str | None) -> bytes:
        secret = bmp_password(text)
        key = pkcs12_kdf("sha1", secret, salt, 1, iterations, size, work)
        iv = pkcs12_kdf("sha1", secret, salt, 2, iterations, iv_size, work) if iv_size else b""
        return _decrypt(cipher, key, iv, data)

    if password is None or password.isascii():
        return attempt(password)
    try:
        return attempt(password)
    except ValueError:
        # Java seals with the password's UTF-8 bytes, the high bit of each cut off, and nobody else does.
        mangled = "".join(chr(byte & 0x7F) for byte in password.encode("utf-8", "surrogatepass"))
        return attempt(mangled)


def _pbes1(oid: str, salt: bytes, iterations: int) -> Scheme:
    digest, cipher = _PBES1_SCHEMES[oid]
    return Scheme(
        f"{cipher} (PBES1, {digest.upper()}, {iterations:,} rounds)",
        True,
        partial(_open_pbes1, digest, cipher, salt, iterations),
    )


def _open_pbes1(
    digest: str, cipher: str, salt: bytes, iterations: int, password: str | None, data: bytes, work: Work
) -> bytes:
    material = pbkdf1(digest, (password or "").encode("utf-8"), salt, iterations, 16, work)
    return _decrypt(cipher, material[:8], material[8:], data)


def _decrypt(cipher: str, key: bytes, iv: bytes, data: bytes) -> bytes:
    if cipher.startswith("RC4"):
        stream = Cipher(ARC4(key), None).decryptor()
        return stream.update(data) + stream.finalize()
    block = 16 if cipher.startswith("AES") else 8
    if not data or len(data) % block:
        raise ValueError("not whole blocks")
    if cipher == "RC2-40":
        plain = rc2.decrypt_cbc(key, iv, data)
    else:
        decryptor = _decryptor(cipher, key, iv)
        plain = decryptor.update(data) + decryptor.finalize()
    padding = plain[-1]
    if not 0 < padding <= block or plain[-padding:] != bytes([padding]) * padding:
        raise ValueError("no PKCS#7 padding")
    return plain[:-padding]


def _decryptor(cipher: str, key: bytes, iv: bytes) -> _Decryptor:
    if cipher.startswith("AES"):
        return Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    if cipher == "RC2-128":
        return Cipher(RC2(key), modes.CBC(iv)).decryptor()
    # DES is 3DES with one key three times; with two keys the first comes again.
    whole = {8: key * 3, 16: key + key[:8], 24: key}[len(key)]
    return Cipher(TripleDES(whole), modes.CBC(iv)).decryptor()
