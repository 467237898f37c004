"""What the real Java says to files: operations of the worker for KeyStore, CertificateFactory, KeyFactory."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import jpype

from certkit.stacks._java_worker import exception_chain

__all__ = ["OPERATIONS", "certificates_of", "java_bytes", "password_of"]

_SIGNATURES = {
    "RSA": "SHA256withRSA",
    "EC": "SHA256withECDSA",
    "DSA": "SHA256withDSA",
    "EdDSA": "EdDSA",
    "Ed25519": "Ed25519",
    "Ed448": "Ed448",
}


def java_bytes(text: str) -> Any:
    """Return base64 text as a Java byte array."""
    return jpype.JArray(jpype.JByte)(base64.b64decode(text))


def password_of(text: str | None) -> Any:
    """Return a password as a Java char array; None stays null."""
    return None if text is None else jpype.JArray(jpype.JChar)(list(text))


def _encoded(data: Any) -> str:
    return base64.b64encode(bytes(data)).decode("ascii")


def certificates_of(chain: list[str]) -> Any:
    """Return DER certificates as a Java list."""
    factory = jpype.JClass("java.security.cert.CertificateFactory").getInstance("X.509")
    stream = jpype.JClass("java.io.ByteArrayInputStream")
    found = jpype.JClass("java.util.ArrayList")()
    for text in chain:
        found.add(factory.generateCertificate(stream(java_bytes(text))))
    return found


def load_keystore(
    data: str,
    password: str | None,
    kind: str,
    key_password: str | None = None,
    challenge: str | None = None,
) -> dict[str, Any]:
    """Load a keystore and list its entries; with a challenge, sign it with each key that opens."""
    store = jpype.JClass("java.security.KeyStore").getInstance(kind)
    stream = jpype.JClass("java.io.ByteArrayInputStream")(java_bytes(data))
    store.load(stream, password_of(password))
    secret = password if key_password is None else key_password
    aliases = [str(alias) for alias in store.aliases()]
    return {
        "type": str(store.getType()),
        "entries": [_entry(store, alias, secret, challenge) for alias in aliases],
    }


def _entry(store: Any, alias: str, password: str | None, challenge: str | None) -> dict[str, Any]:
    created = store.getCreationDate(alias)
    entry: dict[str, Any] = {
        "alias": alias,
        "kind": "trusted-certificate" if store.isCertificateEntry(alias) else "private-key",
        "created": None if created is None else int(created.getTime()),
        "chain": [],
    }
    if entry["kind"] == "trusted-certificate":
        entry["chain"] = [_encoded(store.getCertificate(alias).getEncoded())]
        return entry
    chain = store.getCertificateChain(alias)
    if chain is None:
        entry["kind"] = "secret-key"
    else:
        entry["chain"] = [_encoded(certificate.getEncoded()) for certificate in chain]
    if challenge is not None and chain is not None:
        try:
            key = store.getKey(alias, password_of(password))
            entry["algorithm"] = str(key.getAlgorithm())
            entry["signature"] = _sign(key, challenge)
        except jpype.JException as error:
            entry["key_exception"] = exception_chain(error)
    return entry


def _sign(key: Any, challenge: str) -> str:
    algorithm = str(key.getAlgorithm())
    signature = jpype.JClass("java.security.Signature").getInstance(_SIGNATURES.get(algorithm, algorithm))
    signature.initSign(key)
    signature.update(java_bytes(challenge))
    return _encoded(signature.sign())


def read_certificate(data: str) -> dict[str, Any]:
    """Return what CertificateFactory makes of some bytes."""
    factory = jpype.JClass("java.security.cert.CertificateFactory").getInstance("X.509")
    stream = jpype.JClass("java.io.ByteArrayInputStream")(java_bytes(data))
    certificate = factory.generateCertificate(stream)
    return {"subject": str(certificate.getSubjectX500Principal().getName())}


def read_private_key(data: str, algorithm: str) -> dict[str, Any]:
    """Return what KeyFactory makes of some bytes taken as PKCS#8."""
    specification = jpype.JClass("java.security.spec.PKCS8EncodedKeySpec")(java_bytes(data))
    factory = jpype.JClass("java.security.KeyFactory").getInstance(algorithm)
    return {"algorithm": str(factory.generatePrivate(specification).getAlgorithm())}


OPERATIONS: dict[str, Callable[..., Any]] = {
    "load_keystore": load_keystore,
    "read_certificate": read_certificate,
    "read_private_key": read_private_key,
}
