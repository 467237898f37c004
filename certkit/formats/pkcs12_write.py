"""Writing PKCS#12 (RFC 7292): modern by default, and an old form for readers that know no other.

Written by hand because one file may need several keys, or Java's mark on trust anchors.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from certkit._der import OCTET_STRING, SEQUENCE, SET, encode, encode_integer, encode_oid
from certkit.errors import ArgumentError
from certkit.formats.kdf import bmp_password, pkcs12_kdf
from certkit.formats.limits import MAX_ITERATIONS, Work
from certkit.formats.pbe_write import seal_legacy, seal_modern
from certkit.formats.pkcs7 import DATA, ENCRYPTED_DATA
from certkit.formats.pkcs12 import FRIENDLY_NAME, LOCAL_KEY_ID, TRUSTED_KEY_USAGE, X509_CERTIFICATE
from certkit.formats.writing import Outgoing

__all__ = ["DEFAULT_ITERATIONS", "LEGACY_ITERATIONS", "write_pkcs12"]

DEFAULT_ITERATIONS = 10_000
"""What keytool writes; OpenSSL's default is 2,048. 600,000 is today's advice for files that travel."""

LEGACY_ITERATIONS = 2048
"""What OpenSSL has always written; Java 6 and old Windows read it."""

_BAG = "1.2.840.113549.1.12.10.1."
_SHA1 = "1.3.14.3.2.26"
_SHA256 = "2.16.840.1.101.3.4.2.1"
_ANY_USAGE = "2.5.29.37.0"
_NULL = encode(0x05)


@dataclass(frozen=True, slots=True)
class _Seal:
    """How this file is sealed."""

    password: str
    legacy: bool
    iterations: int

    def encrypt(self, plain: bytes, password: str | None = None) -> tuple[bytes, bytes]:
        """Return the AlgorithmIdentifier and the sealed bytes."""
        secret = self.password if password is None else password
        return (seal_legacy if self.legacy else seal_modern)(plain, secret, self.iterations)


def write_pkcs12(
    entries: Sequence[Outgoing],
    password: str | None,
    *,
    legacy: bool = False,
    iterations: int | None = None,
) -> bytes:
    """Return a PKCS#12 file.

    Parameters
    ----------
    entries : sequence of Outgoing
        Certificates marked as trusted get the attribute that Java asks of a trust anchor.
    password : str or None
        Seals keys and certificates and makes the MAC. None writes certificates in the clear without a
        MAC, as the truststore of a modern JDK does; keys then are refused.
    legacy : bool
        3DES and SHA-1 in place of AES-256 and SHA-256: weak, and readable everywhere.
    iterations : int, optional
        Rounds of key derivation; 10,000 by default, 2,048 for `legacy`.

    Raises
    ------
    ArgumentError
        If a key is to be written without a password, the iterations make no sense, or the password of a
        `legacy` file has letters outside ASCII, which Java garbles.
    """
    rounds = iterations if iterations is not None else (LEGACY_ITERATIONS if legacy else DEFAULT_ITERATIONS)
    # A listing pays for the MAC and the certificates; the older derivation goes round four times for both.
    most = MAX_ITERATIONS // (4 if legacy else 2)
    if not 1 <= rounds <= most:
        raise ArgumentError("this number of iterations makes no sense", on=rounds, hint=f"1 to {most:,}")
    if legacy and password is not None and not password.isascii():
        raise ArgumentError(
            "Java opens a PKCS#12 of the old kind with a password of plain ASCII only",
            hint="leave legacy off, or choose another password",
        )
    seal = None if password is None else _Seal(password, legacy, rounds)
    key_ids = _key_ids(entries)
    certificates = encode(SEQUENCE, *_certificate_bags(entries, key_ids))
    safes = [_data(certificates) if seal is None else _encrypted(certificates, seal)]
    keys = [
        _key_bag(entry, key_ids[index], seal) for index, entry in enumerate(entries) if entry.key is not None
    ]
    if keys:
        safes.append(_data(encode(SEQUENCE, *keys)))
    content = encode(SEQUENCE, *safes)
    parts = [encode_integer(3), _data(content)]
    if seal is not None:
        parts.append(_mac(content, seal))
    return encode(SEQUENCE, *parts)


def _key_ids(entries: Sequence[Outgoing]) -> dict[int, bytes]:
    """Return a localKeyId for each key entry: a date as Java writes it where that is unique, else a digest."""
    dates = [entry.created for entry in entries if entry.key is not None and entry.created is not None]
    found: dict[int, bytes] = {}
    for index, entry in enumerate(entries):
        if entry.key is None:
            continue
        if entry.created is not None and dates.count(entry.created) == 1:
            found[index] = f"Time {entry.created}".encode("ascii")
        else:
            seed = b"".join(entry.certificates[:1]) or index.to_bytes(4)
            found[index] = hashlib.sha1(seed, usedforsecurity=False).digest()
    return found


def _certificate_bags(entries: Sequence[Outgoing], key_ids: dict[int, bytes]) -> list[bytes]:
    bags: list[bytes] = []
    written: set[bytes] = set()
    for index, entry in enumerate(entries):
        if entry.key is None:
            bags += [_certificate_bag(der, entry.alias, None, entry.trusted) for der in entry.certificates]
        elif entry.certificates:
            bags.append(_certificate_bag(entry.certificates[0], entry.alias, key_ids[index]))
    written.update(der for entry in entries for der in entry.certificates[:1])
    for entry in entries:
        for der in entry.certificates[1:] if entry.key is not None else ():
            # An intermediate that several keys share stands in the file once.
            if der not in written:
                written.add(der)
                bags.append(_certificate_bag(der, "", None))
    return bags


def _certificate_bag(der: bytes, alias: str, key_id: bytes | None, trusted: bool = False) -> bytes:
    value = encode(SEQUENCE, encode_oid(X509_CERTIFICATE), encode(0xA0, encode(OCTET_STRING, der)))
    return _bag("3", value, _attributes(alias, key_id, trusted))


def _key_bag(entry: Outgoing, key_id: bytes, seal: _Seal | None) -> bytes:
    if seal is None or entry.key is None:
        raise ArgumentError("a private key is written into PKCS#12 with a password only", hint='password="…"')
    algorithm, sealed = seal.encrypt(entry.key, entry.key_password)
    value = encode(SEQUENCE, algorithm, encode(OCTET_STRING, sealed))
    return _bag("2", value, _attributes(entry.alias, key_id))


def _bag(kind: str, value: bytes, attributes: list[bytes]) -> bytes:
    parts = [encode_oid(_BAG + kind), encode(0xA0, value)]
    if attributes:
        parts.append(encode(SET, *sorted(attributes)))
    return encode(SEQUENCE, *parts)


def _attributes(alias: str, key_id: bytes | None, trusted: bool = False) -> list[bytes]:
    found = []
    if alias:
        name = encode(0x1E, alias.encode("utf-16-be", "surrogatepass"))
        found.append(_attribute(FRIENDLY_NAME, name))
    if key_id is not None:
        found.append(_attribute(LOCAL_KEY_ID, encode(OCTET_STRING, key_id)))
    if trusted:
        found.append(_attribute(TRUSTED_KEY_USAGE, encode_oid(_ANY_USAGE)))
    return found


def _attribute(oid: str, value: bytes) -> bytes:
    return encode(SEQUENCE, encode_oid(oid), encode(SET, value))


def _data(content: bytes) -> bytes:
    return encode(SEQUENCE, encode_oid(DATA), encode(0xA0, encode(OCTET_STRING, content)))


def _encrypted(content: bytes, seal: _Seal) -> bytes:
    algorithm, sealed = seal.encrypt(content)
    info = encode(SEQUENCE, encode_oid(DATA), algorithm, encode(0x80, sealed))
    body = encode(SEQUENCE, encode_integer(0), info)
    return encode(SEQUENCE, encode_oid(ENCRYPTED_DATA), encode(0xA0, body))


def _mac(content: bytes, seal: _Seal) -> bytes:
    name, oid, size = ("sha1", _SHA1, 20) if seal.legacy else ("sha256", _SHA256, 32)
    salt = secrets.token_bytes(size)
    key = pkcs12_kdf(name, bmp_password(seal.password), salt, 3, seal.iterations, size, Work())
    value = hmac.digest(key, content, name)
    info = encode(SEQUENCE, encode(SEQUENCE, encode_oid(oid), _NULL), encode(OCTET_STRING, value))
    return encode(SEQUENCE, info, encode(OCTET_STRING, salt), encode_integer(seal.iterations))
