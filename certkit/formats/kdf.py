"""Passwords made keys: PBKDF1 and PBKDF2 (RFC 8018), the PKCS#12 derivation (RFC 7292, B.2), scrypt."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from certkit import _der
from certkit.errors import FormatError, LimitError
from certkit.formats.limits import MAX_SALT_BYTES, MAX_SCRYPT_BYTES, Work

__all__ = ["DIGESTS", "PRF_DIGESTS", "Derivation", "bmp_password", "parse_derivation", "pbkdf1", "pkcs12_kdf"]

DIGESTS = {
    "1.2.840.113549.2.5": "md5",
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.4": "sha224",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
"""Digest algorithms by OID."""

PRF_DIGESTS = {
    "1.2.840.113549.2.7": "sha1",
    "1.2.840.113549.2.8": "sha224",
    "1.2.840.113549.2.9": "sha256",
    "1.2.840.113549.2.10": "sha384",
    "1.2.840.113549.2.11": "sha512",
}
"""HMAC algorithms by OID (RFC 8018, B.1)."""

_PBKDF2 = "1.2.840.113549.1.5.12"
_SCRYPT = "1.3.6.1.4.1.11591.4.11"


def bmp_password(password: str | None) -> bytes:
    """Return a password as PKCS#12 wants it: UTF-16BE with two zero bytes; None is no bytes at all."""
    return b"" if password is None else password.encode("utf-16-be", "surrogatepass") + b"\0\0"


def _check_salt(salt: bytes) -> None:
    if len(salt) > MAX_SALT_BYTES:
        raise LimitError(
            f"a salt of {len(salt):,} bytes, and at most {MAX_SALT_BYTES:,} are read",
            hint="if it is a usual file, it is damaged: ask for it again",
            kind="too-large",
        )


def pkcs12_kdf(
    digest: str, password: bytes, salt: bytes, purpose: int, iterations: int, size: int, work: Work
) -> bytes:
    """Return `size` bytes of key material (RFC 7292, appendix B.2).

    Parameters
    ----------
    digest : str
        A name that hashlib knows.
    password : bytes
        From `bmp_password`.
    purpose : int
        1 for a key, 2 for an IV, 3 for a MAC key (B.3).
    work : Work
        What the file may still cost.

    Examples
    --------
    >>> salt = bytes.fromhex("0a58cf64530d823f")
    >>> pkcs12_kdf("sha1", bmp_password("smeg"), salt, 1, 1, 24, Work()).hex()
    '8aaae6297b6cb04642ab5b077851284eb7128f1a2a7fbca3'
    """
    _check_salt(salt)
    make = getattr(hashlib, digest)
    block = make().block_size
    rounds = -(-size // make().digest_size)
    work.spend(max(iterations, 1) * rounds)
    diversifier = bytes([purpose]) * block
    state = _filled(salt, block) + _filled(password, block)
    output = b""
    while True:
        value: bytes = make(diversifier + state).digest()
        for _ in range(iterations - 1):
            value = make(value).digest()
        output += value
        if len(output) >= size:
            return output[:size]
        addend = int.from_bytes(_filled(value, block)[:block]) + 1
        state = b"".join(
            ((int.from_bytes(state[at : at + block]) + addend) % (1 << 8 * block)).to_bytes(block)
            for at in range(0, len(state), block)
        )


def _filled(data: bytes, block: int) -> bytes:
    size = -(-len(data) // block) * block
    return (data * (size // len(data) + 1))[:size] if data else b""


def pbkdf1(digest: str, password: bytes, salt: bytes, iterations: int, size: int, work: Work) -> bytes:
    """Return `size` bytes, at most one digest (RFC 8018, 5.1)."""
    _check_salt(salt)
    work.spend(max(iterations, 1))
    make = getattr(hashlib, digest)
    value: bytes = make(password + salt).digest()
    for _ in range(iterations - 1):
        value = make(value).digest()
    return value[:size]


@dataclass(frozen=True, slots=True)
class Derivation:
    """A key derivation with its parameters, not yet paid for.

    Attributes
    ----------
    name : str
        ``"PBKDF2"`` or ``"scrypt"``.
    salt : bytes
        The salt.
    cost : int
        Iterations of PBKDF2; N of scrypt.
    digest : str
        The hash under PBKDF2's HMAC; empty for scrypt.
    size : int or None
        The key length that the parameters ask for; None if they leave it to the cipher.
    block, lanes : int
        r and p of scrypt.
    """

    name: str
    salt: bytes
    cost: int
    digest: str = ""
    size: int | None = None
    block: int = 0
    lanes: int = 0

    def key(self, password: bytes, size: int, work: Work) -> bytes:
        """Return the key for a password in UTF-8.

        Raises
        ------
        LimitError
            If it costs more rounds or memory than one file may.
        """
        _check_salt(self.salt)
        if self.name == "PBKDF2":
            blocks = -(-size // hashlib.new(self.digest, usedforsecurity=False).digest_size)
            work.spend(self.cost * blocks)
            return hashlib.pbkdf2_hmac(self.digest, password, self.salt, self.cost, size)
        memory = 128 * self.block * (self.cost + self.lanes)
        if memory > MAX_SCRYPT_BYTES or self.lanes > 16:
            raise LimitError(
                f"this file asks for {memory:,} bytes of memory to derive its key (scrypt), "
                f"and at most {MAX_SCRYPT_BYTES:,} are given",
                hint="write it again with PBKDF2: openssl pkcs8 -topk8 -in FILE -out FILE2",
                kind="too-much-memory",
            )
        # One salsa20/8 block of scrypt costs about as much as one round of PBKDF2.
        work.spend(self.cost * self.block * self.lanes * 4)
        try:
            return hashlib.scrypt(
                password,
                salt=self.salt,
                n=self.cost,
                r=self.block,
                p=self.lanes,
                maxmem=2 * MAX_SCRYPT_BYTES,
                dklen=size,
            )
        except (ValueError, OverflowError):
            raise FormatError(
                "this file's scrypt parameters are not possible", kind="bad-parameters"
            ) from None

    @property
    def words(self) -> str:
        """The derivation in words."""
        if self.name == "PBKDF2":
            return f"PBKDF2 with HMAC-{self.digest.upper()}, {self.cost:,} rounds"
        return f"scrypt, N={self.cost:,}"


def parse_derivation(algorithm: _der.Element) -> Derivation:
    """Return the derivation that an AlgorithmIdentifier names (RFC 8018, A.2; RFC 7914, section 7).

    Raises
    ------
    FormatError
        If it is not known, or malformed.
    """
    name, *parameters = algorithm.children()
    oid = _der.oid_text(name.content)
    fields = parameters[0].children() if parameters else []
    if oid == _SCRYPT and len(fields) >= 4:
        cost, block, lanes = (_der.integer(field) for field in fields[1:4])
        if min(cost, block, lanes) < 1:
            raise FormatError("this file's scrypt parameters are not possible", kind="bad-parameters")
        return Derivation("scrypt", fields[0].content, cost, block=block, lanes=lanes)
    if oid != _PBKDF2 or len(fields) < 2 or fields[0].tag != _der.OCTET_STRING:
        raise FormatError(
            f"the key derivation {oid} is not known",
            hint="openssl pkcs12 -in FILE -info -noout, to see what made it",
            cause="modern-pkcs12-unsupported",
            kind="unsupported-algorithm",
        )
    digest, size = "sha1", None
    for field in fields[2:]:
        if field.tag == _der.INTEGER:
            size = _der.integer(field)
        else:
            prf = _der.oid_text(field.children()[0].content) if field.children() else ""
            if prf not in PRF_DIGESTS:
                raise FormatError(
                    f"the key derivation's hash {prf or '(none)'} is not known",
                    cause="modern-pkcs12-unsupported",
                    kind="unsupported-algorithm",
                )
            digest = PRF_DIGESTS[prf]
    cost = _der.integer(fields[1])
    if cost < 1 or (size is not None and not 0 < size <= 64):
        raise FormatError("this file's PBKDF2 parameters are not possible", kind="bad-parameters")
    return Derivation("PBKDF2", fields[0].content, cost, digest, size)
