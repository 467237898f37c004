"""Certificate profiles: which extensions a certificate gets for what it is to be used for (RFC 5280, 4.2.1)."""

from __future__ import annotations

from collections.abc import Iterable

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID

from certkit.keys import PrivateKey

__all__ = [
    "USAGES",
    "ExtraExtension",
    "authority_key_identifier",
    "ca_extensions",
    "changed",
    "hash_for",
    "key_usage",
    "leaf_extensions",
]

USAGES: dict[str, tuple[x509.ObjectIdentifier, ...]] = {
    "server": (ExtendedKeyUsageOID.SERVER_AUTH,),
    "client": (ExtendedKeyUsageOID.CLIENT_AUTH,),
    "both": (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH),
    "ocsp": (ExtendedKeyUsageOID.OCSP_SIGNING,),
    "email": (ExtendedKeyUsageOID.EMAIL_PROTECTION,),
    "code": (ExtendedKeyUsageOID.CODE_SIGNING,),
}
"""What ``usage=`` takes, and the extended key usages (RFC 5280, 4.2.1.12) it stands for."""

ExtraExtension = tuple[x509.ExtensionType, bool]
"""An extension and whether it is critical."""


def hash_for(key: object) -> hashes.SHA256 | hashes.SHA384 | None:
    if isinstance(key, rsa.RSAPrivateKey):
        return hashes.SHA256()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return hashes.SHA256() if key.key_size <= 256 else hashes.SHA384()
    return None


def ca_extensions(
    key: PrivateKey, issuer: PrivateKey | None, path_length: int | None = None
) -> list[ExtraExtension]:
    found: list[ExtraExtension] = [
        (x509.BasicConstraints(ca=True, path_length=path_length), True),
        (key_usage("key_cert_sign", "crl_sign", "digital_signature"), True),
        (x509.SubjectKeyIdentifier.from_public_key(key.raw.public_key()), False),
    ]
    if issuer is not None:
        found.append((authority_key_identifier(issuer), False))
    return found


def leaf_extensions(
    public_key: CertificatePublicKeyTypes, issuer: PrivateKey, usage: str
) -> list[ExtraExtension]:
    usages = ["digital_signature"]
    if isinstance(public_key, rsa.RSAPublicKey):
        usages.append("key_encipherment")  # TLS 1.2's RSA key exchange
    return [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (key_usage(*usages), True),
        (x509.ExtendedKeyUsage(USAGES[usage]), False),
        (x509.SubjectKeyIdentifier.from_public_key(public_key), False),
        (authority_key_identifier(issuer), False),
    ]


def authority_key_identifier(issuer: PrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.raw.public_key())


def key_usage(*allowed: str) -> x509.KeyUsage:
    """Return a key usage extension with these bits (cryptography's names), and no other."""
    names = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: name in allowed for name in names})


def changed(
    extensions: list[ExtraExtension],
    add: Iterable[ExtraExtension],
    without: Iterable[type[x509.ExtensionType]],
) -> list[ExtraExtension]:
    added = list(add)
    dropped = (*without, *(type(extension) for extension, _ in added))
    return [item for item in extensions if not isinstance(item[0], dropped)] + added
