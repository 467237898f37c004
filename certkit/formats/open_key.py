"""Opening a private key that a file holds: only when asked, and only the one asked for."""

from __future__ import annotations

from collections.abc import Callable

from cryptography.exceptions import UnsupportedAlgorithm
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
from certkit.keys import PrivateKey

__all__ = ["open_key"]

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
_MAX_BCRYPT_ROUNDS = 400


def open_key(sealed: SealedKey, password: str | None = None) -> PrivateKey:
    """Return the private key.

    Parameters
    ----------
    sealed : SealedKey
        As a format read it.
    password : str, optional
        The key's own password, if it is encrypted.

    Raises
    ------
    PasswordError
        If it is encrypted and the password is missing or wrong.
    FormatError
        If what comes out is no private key.
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
    return PrivateKey(_checked(lambda: _OPENERS[sealed.scheme](sealed.data, password or "")))


def _checked(load: Callable[[], object]) -> CertificateIssuerPrivateKeyTypes:
    try:
        key = load()
    except CertkitError:
        raise
    except UnsupportedAlgorithm as error:
        if "bcrypt" in str(error):
            raise MissingToolError(
                "an encrypted OpenSSH key needs the package bcrypt",
                hint="pip install bcrypt, or: ssh-keygen -p -m PKCS8 -f a copy of it",
            ) from None
        raise FormatError(
            f"this kind of private key is not known ({visible(str(error), 100)})",
            kind="unsupported-algorithm",
        ) from None
    except (ValueError, TypeError, OverflowError) as error:
        raise _refusal(error) from None
    if not isinstance(key, _OURS):
        raise FormatError(
            f"a key of the kind {type(key).__name__.removesuffix('PrivateKey')} signs no certificate",
            hint="give an RSA, EC, Ed25519 or ML-DSA key",
            cause="wrong-file-format",
            kind="unsupported-algorithm",
        )
    return key


def _refusal(error: Exception) -> CertkitError:
    text = str(error).lower()
    if "password" in text or "decrypt" in text or "padding" in text:
        return PasswordError(
            "wrong password for this private key, or it was changed",
            hint="try the password again",
            cause="wrong-password",
            kind="wrong-password",
        )
    return FormatError(
        "this private key is damaged: its numbers do not fit together",
        hint="fetch it again from where it was made",
        cause="tampered-or-corrupt",
        kind="malformed-key",
    )


def _plain(data: bytes, password: str) -> object:
    return serialization.load_der_private_key(data, None)


def _pkcs8_encrypted(data: bytes, password: str) -> object:
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
        return serialization.load_der_private_key(plain, None)
    raise PasswordError(
        "wrong password for this private key, or it was changed",
        hint="try the password again; a key can have a password of its own",
        cause="wrong-password",
        kind="wrong-password",
    )


def _pem(text: bytes, password: str) -> object:
    return serialization.load_pem_private_key(text, password.encode("utf-8", "surrogatepass"))


def _openssh(text: bytes, password: str) -> object:
    from certkit.formats.pem import pem_blocks  # noqa: PLC0415 - needed for this one scheme only

    data = pem_blocks(text)[0].data
    rounds = _bcrypt_rounds(data)
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


def _jks(data: bytes, password: str) -> object:
    return serialization.load_der_private_key(unseal_jks(data, password), None)


def _jceks(data: bytes, password: str) -> object:
    return serialization.load_der_private_key(unseal_jceks(data, password), None)


_OPENERS: dict[str, Callable[[bytes, str], object]] = {
    "pkcs8": _plain,
    "pkcs1": _plain,
    "sec1": _plain,
    "dsa": _plain,
    "pkcs8-encrypted": _pkcs8_encrypted,
    "pem-encrypted": _pem,
    "openssh": _openssh,
    "jks": _jks,
    "jceks": _jceks,
}
