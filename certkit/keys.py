"""Private keys: made, described, written; never shown.

`PrivateKey` wraps cryptography's key so that no repr, table or log can hold its bytes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cache, cached_property

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificateIssuerPrivateKeyTypes,
    PublicKeyTypes,
)

from certkit._html import Html, badge, join
from certkit._share import share
from certkit.errors import ArgumentError

__all__ = ["KEY_KINDS", "PrivateKey", "describe_public_key", "generate_key", "spki_sha256"]

_CURVES: dict[str, type[ec.EllipticCurve]] = {
    "p256": ec.SECP256R1,
    "p384": ec.SECP384R1,
    "p521": ec.SECP521R1,
}
_MLDSA: dict[str, type[mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey]] = {
    "mldsa44": mldsa.MLDSA44PrivateKey,
    "mldsa65": mldsa.MLDSA65PrivateKey,
    "mldsa87": mldsa.MLDSA87PrivateKey,
}
_RSA_SIZES = {"rsa1024": 1024, "rsa2048": 2048, "rsa3072": 3072, "rsa4096": 4096}

KEY_KINDS: tuple[str, ...] = (*_CURVES, "ed25519", *_MLDSA, *_RSA_SIZES)
"""The names that ``key=`` takes, also as standards write them (``"P-256"``): P-256 is the default everywhere."""
_OTHER_NAMES = {
    "ec": "p256",
    "secp256r1": "p256",
    "prime256v1": "p256",
    "secp384r1": "p384",
    "secp521r1": "p521",
    "mldsa": "mldsa65",
    "rsa": "rsa2048",
}


@dataclass(frozen=True)
class PrivateKey:
    """A private key that never shows itself.

    Its repr and its HTML say the algorithm and the SHA-256 of the *public* key, nothing else.

    Attributes
    ----------
    raw : cryptography private key
        The key itself, for what certkit has no word for.
    toy : bool
        True for a key that anybody can have: derived from a seed, or out of the shipped RSA pool.

    Examples
    --------
    >>> key = generate_key("p256", seed="docs")
    >>> key
    <PrivateKey EC 256 bits, toy, public key 1f92ce94…>
    """

    raw: CertificateIssuerPrivateKeyTypes = field(repr=False)
    toy: bool = False

    @property
    def algorithm(self) -> str:
        """The algorithm: ``"RSA"``, ``"EC"``, ``"Ed25519"``, ``"ML-DSA-65"``, …"""
        return describe_public_key(self.raw.public_key())[0]

    @property
    def bits(self) -> int | None:
        """The key size in bits; None for algorithms that have just one size."""
        return describe_public_key(self.raw.public_key())[1]

    @cached_property
    def spki_sha256(self) -> str:
        """SHA-256 of the SubjectPublicKeyInfo (RFC 5280, 4.1.2.7), in hexadecimal: the id of the key pair."""
        return spki_sha256(self.raw.public_key())

    def to_pem(self, password: str | None = None) -> bytes:
        """Return the key as PKCS#8 PEM (RFC 5208), encrypted if a password is given.

        Parameters
        ----------
        password : str, optional
            Encrypts the key with the library's best available scheme.
        """
        return self._pkcs8(serialization.Encoding.PEM, password)

    def to_der(self, password: str | None = None) -> bytes:
        """Return the key as PKCS#8 DER (RFC 5208), encrypted if a password is given."""
        return self._pkcs8(serialization.Encoding.DER, password)

    def _pkcs8(self, encoding: serialization.Encoding, password: str | None) -> bytes:
        protection: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if password is not None:
            protection = serialization.BestAvailableEncryption(password.encode())
        return self.raw.private_bytes(encoding, serialization.PrivateFormat.PKCS8, protection)

    def is_in(self, data: bytes) -> bool:
        """Return whether this key's secret bytes are in `data`: a message, a record, a file.

        For EC that is the private number, for Ed25519, Ed448 and ML-DSA the seed, for RSA the private
        exponent or either prime; in the form in which files and messages hold numbers.

        Examples
        --------
        >>> key = generate_key(seed="docs")
        >>> key.is_in(key.to_der()), key.is_in(b"a message")
        (True, False)
        """
        return any(secret in data for secret in self._secrets())

    def _secrets(self) -> tuple[bytes, ...]:
        raw = self.raw
        if isinstance(raw, ec.EllipticCurvePrivateKey):
            return (raw.private_numbers().private_value.to_bytes((raw.key_size + 7) // 8, "big"),)
        if isinstance(raw, rsa.RSAPrivateKey):
            numbers = raw.private_numbers()
            secrets = (numbers.d, numbers.p, numbers.q)
            return tuple(value.to_bytes((value.bit_length() + 7) // 8, "big") for value in secrets)
        if isinstance(raw, dsa.DSAPrivateKey):
            secret = raw.private_numbers().x
            return (secret.to_bytes((secret.bit_length() + 7) // 8, "big"),)
        return (raw.private_bytes_raw(),)

    def __repr__(self) -> str:
        bits = f" {self.bits} bits" if self.bits else ""
        toy = ", toy" if self.toy else ""
        return f"<PrivateKey {self.algorithm}{bits}{toy}, public key {self.spki_sha256[:8]}…>"

    def _repr_html_(self) -> Html:
        mark = badge("warning", "toy key, for practice only") if self.toy else badge("neutral", "private key")
        return join(
            [mark, f" {self.algorithm} {self.bits or ''} · public key SHA-256 {self.spki_sha256[:16]}…"]
        )


def generate_key(kind: str = "p256", *, seed: str | None = None, number: int = 0) -> PrivateKey:
    """Return a new private key.

    Parameters
    ----------
    kind : str
        One of `KEY_KINDS`: ``"p256"`` (default), ``"p384"``, ``"ed25519"``, ``"mldsa65"``, ``"rsa2048"``, …
        As standards and tools write it will do too: ``"P-256"``, ``"prime256v1"``, ``"ML-DSA-65"``, ``"RSA"``.
    seed : str, optional
        The same seed gives the same key, a toy by definition. Without it the key is fresh, except for
        RSA: those come from a pool of shipped toys, so that no lesson waits for prime numbers.
    number : int
        Which key of the RSA pool; used modulo its size, so keys repeat in large RSA experiments.

    Raises
    ------
    ArgumentError
        If `kind` is not in `KEY_KINDS`.

    Examples
    --------
    >>> generate_key("ed25519").algorithm
    'Ed25519'
    >>> generate_key("p256", seed="a").spki_sha256 == generate_key("p256", seed="a").spki_sha256
    True
    """
    given, kind = kind, _plain_kind(kind)
    if kind in _RSA_SIZES:
        pool = _rsa_pool(_RSA_SIZES[kind])
        return PrivateKey(pool[number % len(pool)], toy=True)
    if kind in _CURVES:
        curve = _CURVES[kind]()
        if seed is None:
            return PrivateKey(ec.generate_private_key(curve))
        # One more than the field's size, reduced into 1 … order - 1, close to uniform.
        secret = int.from_bytes(_expand(seed, kind, 72)) % (_ORDERS[kind] - 1) + 1
        return PrivateKey(ec.derive_private_key(secret, curve), toy=True)
    if kind == "ed25519":
        if seed is None:
            return PrivateKey(ed25519.Ed25519PrivateKey.generate())
        return PrivateKey(ed25519.Ed25519PrivateKey.from_private_bytes(_expand(seed, kind, 32)), toy=True)
    if kind in _MLDSA:
        family = _MLDSA[kind]
        if seed is None:
            return PrivateKey(family.generate())
        return PrivateKey(family.from_seed_bytes(_expand(seed, kind, 32)), toy=True)
    raise ArgumentError("unknown kind of key", on=repr(given), hint="one of " + ", ".join(KEY_KINDS))


def _plain_kind(kind: str) -> str:
    plain = str(kind).lower().translate(str.maketrans("", "", "-_ "))
    return _OTHER_NAMES.get(plain, plain)


# Group orders (SEC 2, sections 2.4.2, 2.5.1 and 2.6.1).
_ORDERS = {
    "p256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "p384": int(
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973", 16
    ),
    "p521": int(
        "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa"
        "51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
        16,
    ),
}


def _expand(seed: str, kind: str, size: int) -> bytes:
    return hashlib.shake_256(f"certkit key {kind} {seed}".encode()).digest(size)


@cache
def _rsa_pool(bits: int) -> list[rsa.RSAPrivateKey]:
    text = (share("data") / "toy-rsa-keys.pem").read_bytes()
    marker = b"-----END PRIVATE KEY-----"
    blocks = [block[block.index(b"-----BEGIN") :] + marker for block in text.split(marker)[:-1]]
    keys = []
    for block in blocks:
        # The pool is ours: checking its primes again would cost 95 ms a key.
        key = serialization.load_pem_private_key(block, None, unsafe_skip_rsa_key_validation=True)
        if isinstance(key, rsa.RSAPrivateKey) and key.key_size == bits:
            keys.append(key)
    return keys


def describe_public_key(key: PublicKeyTypes) -> tuple[str, int | None]:
    """Return algorithm and size in bits of a public key; the size is None where there is only one."""
    if isinstance(key, rsa.RSAPublicKey):
        return "RSA", key.key_size
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "EC", key.key_size
    if isinstance(key, dsa.DSAPublicKey):
        return "DSA", key.key_size
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "Ed25519", 256
    if isinstance(key, ed448.Ed448PublicKey):
        return "Ed448", 456
    for family, name in (
        (mldsa.MLDSA44PublicKey, "ML-DSA-44"),
        (mldsa.MLDSA65PublicKey, "ML-DSA-65"),
        (mldsa.MLDSA87PublicKey, "ML-DSA-87"),
    ):
        if isinstance(key, family):
            return name, None
    return type(key).__name__.removesuffix("PublicKey"), None


def spki_sha256(key: PublicKeyTypes) -> str:
    """Return SHA-256 of the key's SubjectPublicKeyInfo, in hexadecimal."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()
