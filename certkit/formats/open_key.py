"""Opening a private key that a file holds: only when asked, and only the one asked for."""

from __future__ import annotations

import warnings
from collections.abc import Callable

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

from certkit import _der
from certkit._text import visible
from certkit.errors import CertkitError, FormatError, LimitError, MissingToolError, PasswordError
from certkit.formats.items import SealedKey
from certkit.formats.jks_keys import unseal_jceks, unseal_jks
from certkit.formats.limits import MAX_KEY_BYTES, Work
from certkit.formats.pbe import parse_scheme
from certkit.formats.pem import pem_blocks
from certkit.keys import PrivateKey

__all__ = ["open_key", "plain_pkcs8"]

_OURS = (
    rsa.RSAPrivateKey,
    ec.EllipticCurvePrivateKey,
    dsa.DSAPrivateKey,
    ed25519.Ed25519PrivateKey,
    ed448.Ed448PrivateKey,
    mldsa.MLDSA44PrivateKey,
    mldsa.MLDSA65PrivateKey,
    mldsa.MLDSA87PrivateKey,
)
# OpenSSH's default is 16 or 24; each round costs about five milliseconds.
_MAX_BCRYPT_ROUNDS = 100


def open_key(sealed: SealedKey, password: str | None = None, *, check: bool = True) -> PrivateKey:
    """Return the private key.

    Parameters
    ----------
    sealed : SealedKey
        As a format read it.
    password : str, optional
        The key's own password, if it is encrypted.
    check : bool
        Whether to check an RSA key's primes, which takes a tenth of a second.

    Raises
    ------
    PasswordError
        If it is encrypted and the password is missing or wrong.
    FormatError
        If what comes out is no private key.
    LimitError
        If it is longer than any key, or costs too much to open.
    MissingToolError
        If it is an encrypted OpenSSH key and the package bcrypt is not installed.
    """
    if len(sealed.data) > 2 * MAX_KEY_BYTES:
        raise LimitError(
            f"a private key of {len(sealed.data):,} bytes, and at most {2 * MAX_KEY_BYTES:,} are read",
            kind="too-large",
        )
    if sealed.encrypted and password is None:
        raise PasswordError(
            "this private key is encrypted, and no password was given",
            hint="give its password",
            cause="encrypted-key-no-passphrase",
            kind="encrypted-key-no-passphrase",
        )
    return PrivateKey(_guarded(lambda: _load(sealed, password or "", check)))


def plain_pkcs8(sealed: SealedKey, password: str | None = None) -> bytes:
    """Return the private key as PKCS#8 DER, in the clear: to seal it again elsewhere.

    Raises
    ------
    CertkitError
        As `open_key`.
    """
    return open_key(sealed, password, check=False).to_der()


def _guarded(load: Callable[[], object]) -> CertificateIssuerPrivateKeyTypes:
    try:
        with warnings.catch_warnings():
            # Old kinds of keys are read, and named by their kind: a deprecation is nothing to a reader.
            warnings.simplefilter("ignore")
            key = load()
    except CertkitError:
        raise
    except UnsupportedAlgorithm as error:
        if "bcrypt" in str(error):
            raise MissingToolError(
                "an encrypted OpenSSH key needs the package bcrypt",
                hint="pip install bcrypt, or on a copy of the key: ssh-keygen -p -m PKCS8 -f COPY",
            ) from None
        raise FormatError(
            f"this kind of private key is not known ({visible(str(error), 100)})",
            hint="give an RSA, EC, Ed25519 or ML-DSA key",
            cause="wrong-file-format",
            kind="unsupported-algorithm",
        ) from None
    except InvalidTag:
        raise _wrong_password() from None
    except (ValueError, TypeError, OverflowError, IndexError, NotImplementedError) as error:
        raise _refusal(error) from None
    if not isinstance(key, _OURS):
        raise FormatError(
            f"a key of the kind {type(key).__name__.strip('_').removesuffix('PrivateKey')} signs no certificate",
            hint="give an RSA, EC, Ed25519 or ML-DSA key",
            cause="wrong-file-format",
            kind="unsupported-algorithm",
        )
    return key


def _refusal(error: Exception) -> CertkitError:
    text = str(error).lower()
    # OpenSSH has a checksum of its own for a wrong passphrase.
    if any(word in text for word in ("password", "decrypt", "padding", "checksum")):
        return _wrong_password()
    return FormatError(
        "this private key is damaged: its numbers do not fit together",
        hint="fetch it again from where it was made",
        cause="tampered-or-corrupt",
        kind="malformed-key",
    )


def _wrong_password() -> PasswordError:
    return PasswordError(
        "wrong password for this private key, or it was changed",
        hint="try the password again; a key can have a password of its own, other than the keystore's",
        cause="wrong-password",
        kind="wrong-key-password",
    )


def _load(sealed: SealedKey, password: str, check: bool) -> object:
    if sealed.scheme == "openssh":
        return _openssh(sealed.data, password)
    if sealed.scheme == "pem-encrypted":
        return serialization.load_pem_private_key(
            sealed.data, password.encode("utf-8", "surrogatepass"), unsafe_skip_rsa_key_validation=not check
        )
    plain = _UNSEAL[sealed.scheme](sealed.data, password)
    return serialization.load_der_private_key(plain, None, unsafe_skip_rsa_key_validation=not check)


def _pkcs8_encrypted(data: bytes, password: str) -> bytes:
    algorithm, sealed = _der.read(data).children()[:2]
    scheme, work = parse_scheme(algorithm), Work()
    # The empty password is written in two ways: two zero bytes, or no bytes at all.
    for candidate in (password,) if password else ("", None):
        try:
            plain = scheme.decrypt(candidate, sealed.content, work)
            _der.read(plain).children()
        except (PasswordError, FormatError) as error:
            if isinstance(error, LimitError):
                raise
            continue
        return plain
    raise _wrong_password()


def _openssh(text: bytes, password: str) -> object:
    rounds = _bcrypt_rounds(pem_blocks(text)[0].data)
    if rounds > _MAX_BCRYPT_ROUNDS:
        raise LimitError(
            f"this OpenSSH key asks for {rounds:,} rounds of bcrypt and at most {_MAX_BCRYPT_ROUNDS} are done",
            hint="ssh-keygen -p -a 16 -f FILE",
            kind="too-many-iterations",
        )
    return serialization.load_ssh_private_key(text, password.encode() if password else None)


def _bcrypt_rounds(data: bytes) -> int:
    """Return the rounds in an OpenSSH key's KDF options (openssh PROTOCOL.key), 0 without."""
    at, parts = len(b"openssh-key-v1\0"), []
    for _ in range(3):
        size = int.from_bytes(data[at : at + 4])
        parts.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    options = parts[2]
    salt = int.from_bytes(options[:4])
    return int.from_bytes(options[4 + salt : 8 + salt])


def _as_is(data: bytes, password: str) -> bytes:
    return data


_UNSEAL: dict[str, Callable[[bytes, str], bytes]] = {
    "pkcs8": _as_is,
    "pkcs1": _as_is,
    "sec1": _as_is,
    "dsa": _as_is,
    "pkcs8-encrypted": _pkcs8_encrypted,
    "jks": unseal_jks,
    "jceks": unseal_jceks,
}
