"""Whether a key signed a certificate, or an answer about one: signature only, names not compared."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from certkit import _der
from certkit.errors import FormatError

_Parameters = padding.PKCS1v15 | padding.PSS | ec.ECDSA | None
_PSS = "1.2.840.113549.1.1.10"
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "1.3.14.3.2.26": hashes.SHA1(),  # noqa: S303 - to verify what others made
    "2.16.840.1.101.3.4.2.1": hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
    "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
}


def signature_is_valid(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Return whether `issuer`'s public key verifies `certificate`'s signature (RFC 5280, 6.1.3 (a)(1))."""
    try:
        return _verifies(
            issuer.public_key(),
            certificate.signature,
            certificate.tbs_certificate_bytes,
            certificate.signature_hash_algorithm,
            certificate.signature_algorithm_parameters,
        )
    except (UnsupportedAlgorithm, ValueError, TypeError):
        return False


def answer_signature_is_valid(answer: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    """Return whether `signer`'s public key verifies the signature of a successful OCSP answer (RFC 6960, 4.2.1)."""
    try:
        key = signer.public_key()
        algorithm, parameters = _algorithm(answer, key)
        return _verifies(key, answer.signature, answer.tbs_response_bytes, algorithm, parameters)
    except (UnsupportedAlgorithm, FormatError, ValueError, TypeError):
        return False


def _verifies(
    key: object,
    signature: bytes,
    signed: bytes,
    algorithm: hashes.HashAlgorithm | None,
    parameters: _Parameters,
) -> bool:
    try:
        match key:
            case rsa.RSAPublicKey() if algorithm and isinstance(parameters, padding.PKCS1v15 | padding.PSS):
                key.verify(signature, signed, parameters, algorithm)
            case ec.EllipticCurvePublicKey() if isinstance(parameters, ec.ECDSA):
                key.verify(signature, signed, parameters)
            case dsa.DSAPublicKey() if algorithm:
                key.verify(signature, signed, algorithm)
            case (
                ed25519.Ed25519PublicKey()
                | ed448.Ed448PublicKey()
                | mldsa.MLDSA44PublicKey()
                | mldsa.MLDSA65PublicKey()
                | mldsa.MLDSA87PublicKey()
            ):
                key.verify(signature, signed)
            case _:
                return False
    except InvalidSignature:
        return False
    return True


def _algorithm(answer: ocsp.OCSPResponse, key: object) -> tuple[hashes.HashAlgorithm | None, _Parameters]:
    """Return hash and parameters of an answer's signature; cryptography has none for PSS and ML-DSA."""
    if answer.signature_algorithm_oid.dotted_string == _PSS:
        return _pss(answer)
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | dsa.DSAPublicKey):
        return None, None
    algorithm = answer.signature_hash_algorithm
    if isinstance(key, ec.EllipticCurvePublicKey) and algorithm is not None:
        return algorithm, ec.ECDSA(algorithm)
    return algorithm, padding.PKCS1v15()


def _pss(answer: ocsp.OCSPResponse) -> tuple[hashes.HashAlgorithm, padding.PSS]:
    """Read the parameters of RSASSA-PSS (RFC 4055, 3.1): hash [0], mask function [1], length of the salt [2]."""
    signed, whole = answer.tbs_response_bytes, answer.public_bytes(Encoding.DER)
    start = whole.index(signed) + len(signed)
    named = {item.tag: item.children()[0] for item in _der.read(whole, start).children()[1].children()}
    digest, salt = named.get(0xA0), named.get(0xA2)
    oid = "1.3.14.3.2.26" if digest is None else _der.oid_text(digest.children()[0].content)
    if oid not in _HASHES:
        raise UnsupportedAlgorithm(f"a hash of PSS: {oid}")
    algorithm = _HASHES[oid]
    length = 20 if salt is None else _der.integer(salt)
    return algorithm, padding.PSS(padding.MGF1(algorithm), length)
