"""What a CA would never do: change a certificate's body and sign it again, weak hashes, CRLs of any date."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from certkit import _der
from certkit._files import utc
from certkit._profiles import hash_for
from certkit.authority import CertificateAuthority
from certkit.certificates import Certificate
from certkit.errors import ArgumentError

Body = list[bytes]
"""The encoded fields of a TBSCertificate (RFC 5280, 4.1), in order."""

VERSION_FIELD, EXTENSIONS_FIELD = 0xA0, 0xA3
# Whole AlgorithmIdentifiers (RFC 3279, 2.2.1 and RFC 8017), because the libraries refuse to write these.
_RSA = {"sha256": "300d06092a864886f70d01010b0500", "sha1": "300d06092a864886f70d0101050500",
        "md5": "300d06092a864886f70d0101040500"}  # fmt: skip
_ECDSA = {"sha256": "300a06082a8648ce3d040302", "sha1": "300906072a8648ce3d0401"}
_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256,
    "sha1": hashes.SHA1,
    "md5": hashes.MD5,
}


def resign(
    certificate: Certificate,
    issuer: CertificateAuthority,
    *,
    digest: str = "sha256",
    change: Callable[[Body], Body] = list,
) -> Certificate:
    """Return the certificate with its body changed, signed again by `issuer`'s key with any hash.

    The cryptography library refuses to sign with SHA-1 and MD5 and to write version 1: so the body is taken
    apart as DER, changed, and signed as bytes.
    """
    body = [item.encoded for item in _der.read(certificate.raw.tbs_certificate_bytes).children()]
    key = issuer.key.raw
    algorithms = _RSA if isinstance(key, rsa.RSAPrivateKey) else _ECDSA
    if digest not in algorithms:
        raise ArgumentError("this key does not sign with this hash", on=digest, hint="an RSA key")
    algorithm = bytes.fromhex(algorithms[digest])
    at = 2 if body[0][0] == VERSION_FIELD else 1
    body[at] = algorithm
    tbs = _der.encode(_der.SEQUENCE, *change(body))
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(tbs, padding.PKCS1v15(), _HASHES[digest]())
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        signature = key.sign(tbs, ec.ECDSA(_HASHES[digest]()))
    else:
        raise ArgumentError("only RSA and EC keys sign here", on=issuer.key.algorithm)
    bits = _der.encode(_der.BIT_STRING, b"\x00" + signature)
    return Certificate.from_der(_der.encode(_der.SEQUENCE, tbs, algorithm, bits))


def to_version_1(body: Body) -> Body:
    """Return the body as X.509 version 1: no version field, no extensions."""
    return [item for item in body if item[0] not in {VERSION_FIELD, EXTENSIONS_FIELD}]


def with_serial(number: int) -> Callable[[Body], Body]:
    """Return a change of the serial number."""

    def change(body: Body) -> Body:
        encoded = number.to_bytes(number.bit_length() // 8 + 1, "big")
        return [body[0], _der.encode(_der.INTEGER, encoded), *body[2:]]

    return change


def tampered(certificate: Certificate) -> Certificate:
    """Return the certificate with one bit of its signature turned over."""
    der = bytearray(certificate.der)
    der[-1] ^= 1
    return Certificate.from_der(bytes(der))


def make_crl(
    ca: CertificateAuthority, revoked: Iterable[Certificate] = (), *, until: datetime | None = None
) -> bytes:
    """Return a CRL (RFC 5280, 5) of `ca` as PEM, good until `until`, in a week by default."""
    end = utc(None) + timedelta(days=7) if until is None else until
    start = min(utc(None), end) - timedelta(days=1)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(ca.certificate.raw.subject)
        .last_update(start)
        .next_update(end)
        .add_extension(x509.CRLNumber(1), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.raw.public_key()), critical=False
        )
    )
    for item in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(item.raw.serial_number).revocation_date(start)
        builder = builder.add_revoked_certificate(entry.build())
    signed = builder.sign(ca.key.raw, hash_for(ca.key.raw))
    return signed.public_bytes(serialization.Encoding.PEM)


def with_dates(
    certificate: Certificate, issuer: CertificateAuthority, start: datetime, end: datetime
) -> Certificate:
    """Return the certificate with other dates, signed again."""

    def change(body: Body) -> Body:
        times = [_der.encode(0x17, f"{moment:%y%m%d%H%M%S}Z".encode()) for moment in (start, end)]
        return [*body[:4], _der.encode(_der.SEQUENCE, *times), *body[5:]]

    return resign(certificate, issuer, change=change)


def without_mac(pkcs12: bytes) -> bytes:
    """Return a PKCS#12 file without its MAC (RFC 7292, 4: macData is optional)."""
    return _der.encode(_der.SEQUENCE, *(item.encoded for item in _der.read(pkcs12).children()[:2]))


# The second Oakley group (RFC 2409, 6.2): 1024 bits, generator 2, shared by servers all over the world.
_OAKLEY_2 = bytes.fromhex(
    "00ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd"
    "ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed"
    "ee386bfb5a899fa5ae9f24117c4b1fe649286651ece65381ffffffffffffffff"
)


def weak_dh_parameters() -> str:
    """Return Diffie-Hellman parameters of 1024 bits as PEM (PKCS#3)."""
    der = _der.encode(_der.SEQUENCE, _der.encode(_der.INTEGER, _OAKLEY_2), _der.encode(_der.INTEGER, b"\x02"))
    return f"-----BEGIN DH PARAMETERS-----\n{base64.encodebytes(der).decode()}-----END DH PARAMETERS-----\n"
