"""Which structure are these DER bytes? Told by the tags at its top, as a person would."""

from __future__ import annotations

from certkit import _der
from certkit.errors import FormatError

__all__ = ["STRUCTURES", "structure", "structure_name"]

STRUCTURES = {
    "certificate": "an X.509 certificate",
    "certificate-request": "a certificate signing request (PKCS#10)",
    "crl": "a certificate revocation list (CRL)",
    "pkcs7": "a PKCS#7 file",
    "pkcs12": "a PKCS#12 keystore",
    "pkcs8": "a private key (PKCS#8, not encrypted)",
    "pkcs8-encrypted": "an encrypted private key (PKCS#8)",
    "pkcs1": "an RSA private key (PKCS#1)",
    "sec1": "an EC private key (SEC 1)",
    "dsa": "a DSA private key (OpenSSL's own form)",
    "public-key": "a public key (SubjectPublicKeyInfo)",
    "rsa-public-key": "an RSA public key (PKCS#1)",
    "ocsp-response": "an OCSP response",
    "der": "DER of a kind that certkit does not know",
}
"""The structures that `structure` tells apart, in words."""


def structure_name(kind: str) -> str:
    """Return a structure in words."""
    return STRUCTURES[kind]


def structure(data: bytes) -> str:
    r"""Return which structure the first element of `data` is: a key of `STRUCTURES`.

    Parameters
    ----------
    data : bytes
        DER. Only the tags of the first two levels are looked at, nothing is decoded.

    Raises
    ------
    FormatError
        If these are no DER bytes.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> root = CertificateAuthority("Lab Root")
    >>> structure(root.certificate.der), structure(root.key.to_der())
    ('certificate', 'pkcs8')
    """
    top = _der.read(data)
    if top.tag != _der.SEQUENCE:
        return "der"
    parts = top.children()
    shape = "".join(_LETTERS.get(part.tag, ".") for part in parts[:12])
    if shape == "SSB":
        return _signed(parts[0])
    if shape[:2] == "IS" and shape[:3] != "ISK":
        return "pkcs12" if _first_is_oid(parts[1]) else "der"
    if shape[1:2] == "S" and parts[1].content.startswith(_PKCS7_ARC):
        # A content type where PKCS#12 has one: its version number is damaged, and the reader says so.
        return "pkcs12"
    if shape in {"O", "O0"}:
        # Content type first: PKCS#7's ContentInfo (RFC 2315, section 7).
        return "pkcs7"
    if shape[:3] == "ISK":
        return "pkcs8"
    if shape == "SK":
        return "pkcs8-encrypted" if _first_is_oid(parts[0]) else "der"
    if shape == "SB":
        return "public-key" if _first_is_oid(parts[0]) else "der"
    return _PLAIN.get(shape, "der")


# One letter a tag: Sequence, Integer, Bit string, oKtet string, Oid, Enumerated, [0] and [1].
_LETTERS = {0x30: "S", 0x02: "I", 0x03: "B", 0x04: "K", 0x06: "O", 0x0A: "E", 0xA0: "0", 0xA1: "1"}
# The content types of PKCS#7, 1.2.840.113549.1.7, in a nine-byte object identifier.
_PKCS7_ARC = bytes.fromhex("06092a864886f70d0107")
_PLAIN = {
    "IIIIIIIII": "pkcs1",
    "IIIIII": "dsa",
    "IK": "sec1",
    "IK0": "sec1",
    "IK1": "sec1",
    "IK01": "sec1",
    "II": "rsa-public-key",
    "E0": "ocsp-response",
    "E": "ocsp-response",
}


def _children(element: _der.Element) -> list[_der.Element]:
    try:
        return element.children()
    except FormatError:
        return []


def _first_is_oid(element: _der.Element) -> bool:
    return element.content[:1] == b"\x06"


def _signed(body: _der.Element) -> str:
    shape = "".join(_LETTERS.get(part.tag, ".") for part in _children(body)[:7])
    if shape[:6] in {"0ISSSS", "ISSSSS"} and len(shape) >= 6:
        return "certificate"
    if shape in {"ISS0", "ISS"}:
        return "certificate-request"
    if shape[:3] == "SS." or shape[:4] == "ISS.":
        return "crl"
    return "der"
