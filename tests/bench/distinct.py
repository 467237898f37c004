"""Any number of different certificates in a moment, from two real ones: other names, keys, serial numbers.

Nobody's signature fits them any more. A scan does not look at signatures, and every other byte is as a CA writes it, so
they cost what real ones cost. All have the nine extensions of a public CA's, four names, and one issuer.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import certkit as ck
from certkit.inventory.fields import careful_fields

__all__ = ["PUBLIC", "distinct", "pem_of"]

PUBLIC: list[tuple[x509.ExtensionType, bool]] = [
    (x509.AuthorityInformationAccess([
        x509.AccessDescription(x509.AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier("http://ocsp.example.test")),
        x509.AccessDescription(x509.AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier("http://ca.example.test/ca.der")),
    ]), False),
    (x509.CRLDistributionPoints([
        x509.DistributionPoint([x509.UniformResourceIdentifier("http://crl.example.test/ca.crl")], None, None, None)
    ]), False),
    (x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("2.23.140.1.2.1"), None)]), False),
]  # fmt: skip
"""What certificates of public CAs have besides: nine extensions in all."""

_HOST = "host000000.example.test"
_POINT_AT, _MODULUS_AT = 27, 33
_KINDS = ("p256", "rsa2048")


def distinct(number: int, seed: int = 1) -> Iterator[bytes]:
    """Yield so many different certificates as DER, every other one with an RSA key."""
    ca = ck.CertificateAuthority("Bench Root CA", organization="Bench").intermediate("Bench Issuing CA")
    names = (_HOST, f"www.{_HOST}", f"api.{_HOST}", "127.0.0.1")
    models = [ca.issue(*names, usage="server", key=kind, add=PUBLIC).certificate for kind in _KINDS]
    parts = [_parts(model) for model in models]
    draw = random.Random(seed)
    for index in range(number):
        spki, serial, ski = parts[index % 2]
        own_serial = bytes([serial[0] & 0x3F | 0x40]) + draw.randbytes(len(serial) - 1)
        yield (
            models[index % 2]
            .der.replace(spki, _other_key(spki, draw, index % 2 == 1))
            .replace(serial, own_serial)
            .replace(ski, draw.randbytes(len(ski)))
            .replace(b"host000000", b"host%06d" % index)
        )


def _parts(certificate: ck.Certificate) -> tuple[bytes, bytes, bytes]:
    """Return what is a certificate's own: public key, serial number, key identifier."""
    number = certificate.raw.serial_number
    return (
        certificate.raw.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        number.to_bytes(number.bit_length() // 8 + 1).lstrip(b"\0"),
        bytes.fromhex(careful_fields(certificate.der).ski),
    )


def _other_key(spki: bytes, draw: random.Random, rsa: bool) -> bytes:
    if rsa:
        modulus = draw.getrandbits(2048) | 1 << 2047 | 1
        return spki[:_MODULUS_AT] + modulus.to_bytes(256) + spki[_MODULUS_AT + 256 :]
    public: Any = ec.generate_private_key(ec.SECP256R1()).public_key()
    return spki[:_POINT_AT] + public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]


def pem_of(der: bytes) -> str:
    """Return a certificate as PEM."""
    body = base64.encodebytes(der).decode("ascii")
    return f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n"
