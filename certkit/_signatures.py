"""Whether one certificate's key signed another certificate: signature only, names not compared."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, mldsa, padding, rsa


def signature_is_valid(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Return whether `issuer`'s public key verifies `certificate`'s signature (RFC 5280, 6.1.3 (a)(1))."""
    try:
        key = issuer.public_key()
        algorithm = certificate.signature_hash_algorithm
        signed, signature = certificate.tbs_certificate_bytes, certificate.signature
        match key:
            case rsa.RSAPublicKey():
                parameters = certificate.signature_algorithm_parameters
                if algorithm is None or not isinstance(parameters, padding.PKCS1v15 | padding.PSS):
                    return False
                key.verify(signature, signed, parameters, algorithm)
            case ec.EllipticCurvePublicKey():
                parameters = certificate.signature_algorithm_parameters
                if not isinstance(parameters, ec.ECDSA):
                    return False
                key.verify(signature, signed, parameters)
            case dsa.DSAPublicKey():
                if algorithm is None:
                    return False
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
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def raw_signature_is_valid(
    key: object, signature: bytes, signed: bytes, algorithm: hashes.HashAlgorithm | None
) -> bool:
    """Return whether `key` made a signature over bytes that are no certificate, such as an OCSP answer."""
    try:
        match key:
            case rsa.RSAPublicKey() if algorithm is not None:
                key.verify(signature, signed, padding.PKCS1v15(), algorithm)
            case ec.EllipticCurvePublicKey() if algorithm is not None:
                key.verify(signature, signed, ec.ECDSA(algorithm))
            case ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey():
                key.verify(signature, signed)
            case _:
                return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True
