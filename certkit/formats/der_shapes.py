"""The names of fields: which part of a DER structure is which, and what it means in plain words."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509

__all__ = ["SHAPES", "Shape", "extension_shape", "oid_name"]


@dataclass(frozen=True, slots=True)
class Shape:
    """What a field is called and what is in it.

    Attributes
    ----------
    name, meaning : str
        As the standard names it; in plain words.
    parts : tuple of Shape
        The fields inside, in order.
    each : Shape or None
        What every element inside is, where they are all alike.
    tag : int or None
        The tag by which an optional field is known; None for a field that is always there.
    secret : bool
        Whether its bytes are never shown.
    """

    name: str
    meaning: str = ""
    parts: tuple[Shape, ...] = ()
    each: Shape | None = None
    tag: int | None = None
    secret: bool = False


def _optional(tag: int, name: str, meaning: str = "", *parts: Shape, each: Shape | None = None) -> Shape:
    return Shape(name, meaning, parts, each, tag)


_ALGORITHM_PARTS = (
    Shape("algorithm", "Which algorithm, as an object identifier."),
    Shape("parameters", "What the algorithm needs besides; NULL for most."),
)
_SIGNED_WITH = Shape("signatureAlgorithm", "How the issuer signed.", _ALGORITHM_PARTS)
_SIGNATURE = Shape("signatureValue", "The signature over every byte of the first part.")
_ATTRIBUTE = Shape(
    "attribute",
    "One part of the name.",
    (Shape("type", "Which part: country, organization, common name …"), Shape("value", "What it says.")),
)
_RDN = Shape("relativeDistinguishedName", "One step of the name.", each=_ATTRIBUTE)


def _name(field: str, meaning: str) -> Shape:
    return Shape(field, meaning, each=_RDN)


_TIME = Shape("time", "A date in UTC.")
_KEY = Shape(
    "subjectPublicKeyInfo",
    "The public key. Its private half is in no certificate and never travels.",
    (
        Shape("algorithm", "What kind of key it is.", _ALGORITHM_PARTS),
        Shape("subjectPublicKey", "The key itself."),
    ),
)
_EXTENSION = Shape(
    "extension",
    "One extension.",
    (
        Shape("extnID", "Which extension."),
        _optional(0x01, "critical", "TRUE: whoever does not know this extension must refuse."),
        Shape("extnValue", "Its content: DER again, inside an OCTET STRING."),
    ),
)
_EXTENSIONS = Shape("extensions", "What version 3 added to certificates.", each=_EXTENSION)
_CERTIFICATE = Shape(
    "Certificate",
    "A certificate: what is certified, how it is signed, and the signature (RFC 5280, 4.1).",
    (
        Shape(
            "tbsCertificate",
            "To be signed: the part that the signature covers.",
            (
                _optional(0xA0, "version", "", Shape("version", "2 means v3, the one with extensions.")),
                Shape("serialNumber", "The issuer's number for this certificate."),
                Shape(
                    "signature", "How it is signed; once more, so that it is covered too.", _ALGORITHM_PARTS
                ),
                _name("issuer", "Who vouches: the name of the certificate above."),
                Shape(
                    "validity",
                    "From when and until when it counts.",
                    (Shape("notBefore", "The first second."), Shape("notAfter", "The last second.")),
                ),
                _name("subject", "Whom it describes: the owner of the key."),
                _KEY,
                _optional(0x81, "issuerUniqueID", "A relic."),
                _optional(0x82, "subjectUniqueID", "A relic."),
                _optional(0xA3, "extensions", "", _EXTENSIONS),
            ),
        ),
        _SIGNED_WITH,
        _SIGNATURE,
    ),
)
_REQUEST = Shape(
    "CertificationRequest",
    "A request for a certificate, signed with its own key (RFC 2986, 4).",
    (
        Shape(
            "certificationRequestInfo",
            "What is asked for; the signature covers it.",
            (
                Shape("version", "0, the only one there is."),
                _name("subject", "The name asked for."),
                _KEY,
                _optional(
                    0xA0,
                    "attributes",
                    "Wishes: above all the extensions to put into the certificate.",
                    each=Shape(
                        "attribute",
                        "",
                        (
                            Shape("type", "1.2.840.113549.1.9.14 asks for extensions."),
                            Shape("values", "", each=_EXTENSIONS),
                        ),
                    ),
                ),
            ),
        ),
        _SIGNED_WITH,
        _SIGNATURE,
    ),
)
_REVOKED = Shape(
    "revokedCertificate",
    "One certificate that was taken back.",
    (
        Shape("userCertificate", "Its serial number."),
        Shape("revocationDate", "When."),
        _optional(0x30, "crlEntryExtensions", "Why, for one.", each=_EXTENSION),
    ),
)
_CRL = Shape(
    "CertificateList",
    "A certificate revocation list (RFC 5280, 5.1).",
    (
        Shape(
            "tbsCertList",
            "The part that the signature covers.",
            (
                _optional(0x02, "version", "1 means v2."),
                Shape("signature", "How it is signed.", _ALGORITHM_PARTS),
                _name("issuer", "The CA whose certificates these are."),
                Shape("thisUpdate", "When the list was made."),
                _optional(0x17, "nextUpdate", "When the next one is due."),
                _optional(0x30, "revokedCertificates", "", each=_REVOKED),
                _optional(0xA0, "crlExtensions", "", _EXTENSIONS),
            ),
        ),
        _SIGNED_WITH,
        _SIGNATURE,
    ),
)
_CONTENT_INFO = (Shape("contentType", "What is inside."), Shape("content", "", (Shape("content", ""),)))
_PKCS7 = Shape(
    "ContentInfo",
    "PKCS#7: a bag of certificates (RFC 2315, 7 and 9.1).",
    (
        Shape("contentType", "signedData, for a bag of certificates."),
        _optional(
            0xA0,
            "content",
            "",
            Shape(
                "SignedData",
                "Made for signatures; a .p7b has none and holds certificates only.",
                (
                    Shape("version", "1."),
                    Shape("digestAlgorithms", "Empty: nothing is signed."),
                    Shape("contentInfo", "Empty: no content.", _CONTENT_INFO),
                    _optional(0xA0, "certificates", "The certificates.", each=_CERTIFICATE),
                    _optional(0xA1, "crls", "Revocation lists.", each=_CRL),
                    Shape("signerInfos", "Empty: nobody signed."),
                ),
            ),
        ),
    ),
)
_BAG = Shape(
    "SafeBag",
    "One thing: a certificate, or a key that is sealed by itself.",
    (
        Shape("bagId", "What kind of thing."),
        Shape("bagValue", "The thing itself."),
        _optional(
            0x31,
            "bagAttributes",
            "Its name (friendlyName), and the number that ties key and certificate (localKeyID).",
            each=Shape(
                "attribute", "", (Shape("type", "Which attribute."), Shape("values", "What it says."))
            ),
        ),
    ),
)
_SAFE = (
    Shape("contentType", "data: in the clear, keys sealed one by one. encryptedData: sealed as a whole."),
    Shape(
        "content",
        "",
        (
            _optional(0x04, "data", "DER again.", Shape("SafeContents", "", each=_BAG)),
            _optional(
                0x30,
                "EncryptedData",
                "",
                Shape("version", "0."),
                Shape(
                    "encryptedContentInfo",
                    "",
                    (
                        Shape("contentType", "data."),
                        Shape(
                            "contentEncryptionAlgorithm", "How the password becomes a key, and the cipher."
                        ),
                        _optional(0x80, "encryptedContent", "Sealed: without the password it is noise."),
                    ),
                ),
            ),
        ),
    ),
)
_PKCS12 = Shape(
    "PFX",
    "A PKCS#12 keystore (RFC 7292, 4).",
    (
        Shape("version", "3, always. Java's message about an INTEGER is about this place."),
        Shape(
            "authSafe",
            "The safes: keys and certificates, sealed or in the clear.",
            (
                Shape("contentType", "data: protected by a password."),
                _optional(
                    0xA0,
                    "content",
                    "",
                    Shape(
                        "safes",
                        "DER again, inside an OCTET STRING: one ContentInfo for each safe.",
                        each=Shape("AuthenticatedSafe", "", each=Shape("safe", "One safe.", _SAFE)),
                    ),
                ),
            ),
        ),
        _optional(
            0x30,
            "macData",
            "The integrity check: with the password it shows that nothing was changed.",
            Shape("mac", "The digest."),
            Shape("macSalt", "Makes the same password give another key in each file."),
            Shape("iterations", "How often the password is stirred."),
        ),
    ),
)
_SECRET = Shape("secret", "Part of the private key: not shown.", secret=True)
_PKCS8 = Shape(
    "PrivateKeyInfo",
    "A private key, not encrypted (RFC 5958, 2).",
    (
        Shape("version", "0, or 1 with the public key in it."),
        Shape("privateKeyAlgorithm", "What kind of key it is.", _ALGORITHM_PARTS),
        Shape("privateKey", "The key itself: not shown.", secret=True),
        _optional(0xA0, "attributes", ""),
        _optional(0xA1, "publicKey", ""),
    ),
)
_SEALED = Shape(
    "EncryptedPrivateKeyInfo",
    "A private key, encrypted (RFC 5958, 3).",
    (
        Shape("encryptionAlgorithm", "How the password becomes a key, and the cipher.", _ALGORITHM_PARTS),
        Shape("encryptedData", "The key, encrypted: without the password it is noise."),
    ),
)

SHAPES: dict[str, Shape] = {
    "certificate": _CERTIFICATE,
    "certificate-request": _REQUEST,
    "crl": _CRL,
    "pkcs7": _PKCS7,
    "pkcs12": _PKCS12,
    "pkcs8": _PKCS8,
    "pkcs8-encrypted": _SEALED,
    "pkcs1": Shape("RSAPrivateKey", "An RSA private key (RFC 8017, A.1.2): not shown.", each=_SECRET),
    "sec1": Shape("ECPrivateKey", "An EC private key (RFC 5915, 3): not shown.", each=_SECRET),
    "dsa": Shape("DSAPrivateKey", "A DSA private key: not shown.", each=_SECRET),
    "public-key": _KEY,
    "rsa-public-key": Shape(
        "RSAPublicKey", "", (Shape("modulus", "The product of two primes."), Shape("publicExponent", ""))
    ),
}
"""The structures by the words of `certkit.formats.der.structure`."""

_GENERAL_NAMES = Shape(
    "GeneralNames",
    "",
    each=Shape("generalName", "[2] is a DNS name, [7] an IP address, [1] a mail address, [6] a URI."),
)
_EXTENSION_SHAPES = {
    "2.5.29.19": Shape(
        "BasicConstraints",
        "Whether this is a CA.",
        (
            _optional(0x01, "cA", "TRUE: it may issue others."),
            _optional(0x02, "pathLenConstraint", "How many CAs may follow below."),
        ),
    ),
    "2.5.29.15": Shape("KeyUsage", "What the key may do, one bit each."),
    "2.5.29.37": Shape("ExtKeyUsageSyntax", "", each=Shape("keyPurposeId", "One purpose.")),
    "2.5.29.17": _GENERAL_NAMES,
    "2.5.29.18": _GENERAL_NAMES,
    "2.5.29.14": Shape("SubjectKeyIdentifier", "A short name for this key."),
    "2.5.29.35": Shape(
        "AuthorityKeyIdentifier",
        "Which key signed.",
        (_optional(0x80, "keyIdentifier", "The short name of the issuer's key."),),
    ),
}


def extension_shape(oid: str) -> Shape | None:
    """Return what is in an extension's value; None if certkit has no words for it."""
    return _EXTENSION_SHAPES.get(oid)


def oid_name(dotted: str) -> str:
    """Return the usual name of an object identifier; empty if it has none here.

    Examples
    --------
    >>> oid_name("2.5.29.17"), oid_name("1.2.840.113549.1.7.2")
    ('subjectAltName', 'signedData')
    """
    if dotted in _OIDS:
        return _OIDS[dotted]
    name = x509.ObjectIdentifier(dotted)._name if dotted.startswith(("1.", "2.")) else ""
    return "" if name == "Unknown OID" else name


_OIDS = {
    "1.2.840.113549.1.7.1": "data",
    "1.2.840.113549.1.7.2": "signedData",
    "1.2.840.113549.1.7.3": "envelopedData",
    "1.2.840.113549.1.7.6": "encryptedData",
    "1.2.840.113549.1.12.10.1.1": "keyBag",
    "1.2.840.113549.1.12.10.1.2": "pkcs8ShroudedKeyBag",
    "1.2.840.113549.1.12.10.1.3": "certBag",
    "1.2.840.113549.1.9.20": "friendlyName",
    "1.2.840.113549.1.9.21": "localKeyID",
    "1.2.840.113549.1.9.22.1": "x509Certificate",
    "1.2.840.113549.1.9.14": "extensionRequest",
    "2.16.840.1.113894.746875.1.1": "trustedKeyUsage (Oracle)",
    "1.2.840.113549.1.5.13": "PBES2",
    "1.2.840.113549.1.5.12": "PBKDF2",
    "1.2.840.113549.2.7": "hmacWithSHA1",
    "1.2.840.113549.2.9": "hmacWithSHA256",
    "2.16.840.1.101.3.4.1.42": "aes256-CBC",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "1.3.14.3.2.26": "sha1",
    "1.2.840.113549.1.12.1.3": "pbeWithSHAAnd3-KeyTripleDES-CBC",
    "1.2.840.113549.1.12.1.6": "pbeWithSHAAnd40BitRC2-CBC",
    "1.2.840.10045.2.1": "ecPublicKey",
    "1.2.840.10045.3.1.7": "P-256 (prime256v1)",
    "1.3.132.0.34": "P-384 (secp384r1)",
    "1.3.132.0.35": "P-521 (secp521r1)",
    "1.2.840.113549.1.1.1": "rsaEncryption",
    "1.3.101.112": "Ed25519",
}
