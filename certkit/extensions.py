"""The extensions of a certificate, each parsed by itself and said in plain words.

cryptography parses the extensions of a certificate together and fails on all if one is bad. A
broken certificate is just the one somebody needs to read, so here each stands alone: a malformed
one carries its error, the others are read.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.x509 import oid as oids

from certkit import _der
from certkit._text import visible
from certkit.errors import FormatError

__all__ = ["Extension", "general_name", "parse_extensions"]

# OID: (name in RFC 5280's spelling, what it means in plain words, where it is defined)
WORDS: dict[str, tuple[str, str, str]] = {
    "2.5.29.9": (
        "subjectDirectoryAttributes", "Further facts about the subject. Not used by TLS.", "RFC 5280, 4.2.1.8",
    ),
    "2.5.29.14": (
        "subjectKeyIdentifier",
        "A short name for this certificate's key, usually a hash of it. Certificates issued by this one repeat it as "
        "their authority key identifier, so that the two can be matched quickly.",
        "RFC 5280, 4.2.1.2",
    ),
    "2.5.29.15": (
        "keyUsage",
        "What the key may do at all: sign handshakes (digitalSignature), receive encrypted keys (keyEncipherment), "
        "sign certificates (keyCertSign), sign revocation lists (cRLSign).",
        "RFC 5280, 4.2.1.3",
    ),
    "2.5.29.17": (
        "subjectAltName",
        "The names this certificate is good for. A TLS client compares the host it wanted with these, and with "
        "nothing else: the common name does not count any more.",
        "RFC 5280, 4.2.1.6; RFC 9525",
    ),
    "2.5.29.18": ("issuerAltName", "Other names of the issuer. TLS ignores it.", "RFC 5280, 4.2.1.7"),
    "2.5.29.19": (
        "basicConstraints",
        "Whether this is a CA certificate. Only CA=true may issue others; the path length says how many further "
        "intermediates may follow below it.",
        "RFC 5280, 4.2.1.9",
    ),
    "2.5.29.30": (
        "nameConstraints",
        "On a CA: the names that certificates below it may or may not carry.",
        "RFC 5280, 4.2.1.10",
    ),
    "2.5.29.31": (
        "cRLDistributionPoints",
        "Where the issuer publishes its list of revoked certificates (CRL).",
        "RFC 5280, 4.2.1.13",
    ),
    "2.5.29.32": (
        "certificatePolicies", "Under which rules the CA issued it, as registered numbers.", "RFC 5280, 4.2.1.4",
    ),
    "2.5.29.33": ("policyMappings", "How one CA's policies correspond to another's.", "RFC 5280, 4.2.1.5"),
    "2.5.29.35": (
        "authorityKeyIdentifier",
        "Which key signed this certificate: the subject key identifier of the issuer. It tells two issuers of the "
        "same name apart.",
        "RFC 5280, 4.2.1.1",
    ),
    "2.5.29.36": ("policyConstraints", "On a CA: how strictly policies apply below it.", "RFC 5280, 4.2.1.11"),
    "2.5.29.37": (
        "extKeyUsage",
        "The purposes the certificate is for: serverAuth to be a TLS server, clientAuth to be a TLS client. A "
        "certificate for one is refused as the other.",
        "RFC 5280, 4.2.1.12",
    ),
    "2.5.29.46": ("freshestCRL", "Where small, frequent updates to the CRL are.", "RFC 5280, 4.2.1.15"),
    "2.5.29.54": ("inhibitAnyPolicy", "On a CA: whether the any-policy is still allowed below.", "RFC 5280, 4.2.1.14"),
    "1.3.6.1.5.5.7.1.1": (
        "authorityInfoAccess",
        "Where to fetch the issuer's certificate and where to ask about revocation (OCSP). Browsers fetch a missing "
        "intermediate from here; Java, OpenSSL and most integration platforms do not.",
        "RFC 5280, 4.2.2.1",
    ),
    "1.3.6.1.5.5.7.1.11": ("subjectInfoAccess", "On a CA: where its repository is.", "RFC 5280, 4.2.2.2"),
    "1.3.6.1.5.5.7.1.24": (
        "tlsFeature", "The server promises to staple a fresh OCSP answer (must-staple).", "RFC 7633",
    ),
    "1.3.6.1.4.1.11129.2.4.2": (
        "signedCertificateTimestamps",
        "Receipts from public certificate transparency logs. Browsers ask for them, private CAs have none.",
        "RFC 6962, 3.3",
    ),
    "1.3.6.1.4.1.11129.2.4.3": (
        "precertificatePoison", "Marks a draft sent to the logs before the real certificate was issued.",
        "RFC 6962, 3.1",
    ),
    "1.3.6.1.5.5.7.48.1.5": (
        "ocspNoCheck", "On a responder's certificate: do not ask about its own revocation.", "RFC 6960, 4.2.2.2.1",
    ),
    "2.16.840.1.113730.1.1": ("netscapeCertType", "Purposes, as Netscape wrote them in the 1990s.", "historic"),
    "2.16.840.1.113730.1.13": ("netscapeComment", "A free comment.", "historic"),
    "1.3.6.1.4.1.311.20.2": ("microsoftTemplateName", "The template of a Microsoft CA.", "MS-WCCE"),
    "1.3.6.1.4.1.311.21.7": ("microsoftTemplate", "The template of a Microsoft CA, with version.", "MS-WCCE"),
}  # fmt: skip

_KEY_USAGES = {
    "digital_signature": "digitalSignature",
    "content_commitment": "contentCommitment",
    "key_encipherment": "keyEncipherment",
    "data_encipherment": "dataEncipherment",
    "key_agreement": "keyAgreement",
    "key_cert_sign": "keyCertSign",
    "crl_sign": "cRLSign",
}

EKU_NAMES: dict[str, str] = {
    "1.3.6.1.5.5.7.3.1": "serverAuth",
    "1.3.6.1.5.5.7.3.2": "clientAuth",
    "1.3.6.1.5.5.7.3.3": "codeSigning",
    "1.3.6.1.5.5.7.3.4": "emailProtection",
    "1.3.6.1.5.5.7.3.8": "timeStamping",
    "1.3.6.1.5.5.7.3.9": "OCSPSigning",
    "2.5.29.37.0": "anyExtendedKeyUsage",
}


@dataclass(frozen=True)
class Extension:
    """One extension, as found.

    Attributes
    ----------
    oid : str
        Its object identifier in dotted numbers.
    critical : bool
        Whether a program that does not know it must refuse the certificate (RFC 5280, 4.2).
    der : bytes
        The value, undecoded.
    value : cryptography's ExtensionType or None
        The decoded value; None if it is malformed (see `error`).
    error : str or None
        Why it could not be decoded; None if it could.
    """

    oid: str
    critical: bool
    der: bytes = field(repr=False)
    value: x509.ExtensionType | None = None
    error: str | None = None

    @property
    def name(self) -> str:
        """The name in RFC 5280's spelling, or the OID where there is none."""
        return WORDS[self.oid][0] if self.oid in WORDS else self.oid

    @property
    def meaning(self) -> str:
        """What the extension is for, in plain words."""
        if self.oid in WORDS:
            return WORDS[self.oid][1]
        return "An extension without a public name: only those who defined it know what it means."

    @property
    def source(self) -> str:
        """Where the extension is defined."""
        return WORDS[self.oid][2] if self.oid in WORDS else "private"

    @property
    def text(self) -> str:
        """The value as text, one line."""
        if self.value is None:
            return f"malformed ({self.error})"
        return visible(_render(self.value), 2000)


def parse_extensions(
    raw: x509.Certificate | x509.CertificateSigningRequest, body: bytes
) -> tuple[Extension, ...]:
    """Return the extensions in order, each parsed by itself.

    Parameters
    ----------
    raw : cryptography certificate or request
        Asked first: when all extensions are well formed, it answers for all.
    body : bytes
        The DER of the Extensions sequence (RFC 5280, 4.1); empty for none.
    """
    if not body:
        return ()
    parts = [_split(element) for element in _der.read(body).children()]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # cryptography speaks of a zero serial number here too
            parsed = {extension.oid.dotted_string: extension.value for extension in raw.extensions}
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, TypeError):
        return tuple(_alone(*part) for part in parts)
    return tuple(Extension(oid, critical, der, parsed[oid]) for oid, critical, der in parts)


def _split(element: _der.Element) -> tuple[str, bool, bytes]:
    children = element.children()
    if len(children) < 2:
        raise FormatError("an extension has no value", on=element.encoded[:16].hex())
    critical = len(children) > 2 and children[1].tag == 0x01 and children[1].content != b"\x00"
    return _der.oid_text(children[0].content), critical, children[-1].content


def _alone(oid: str, critical: bool, der: bytes) -> Extension:
    # cryptography has no parser for one extension: put it into a certificate that holds nothing else.
    flag = b"\x01\x01\xff" if critical else b""
    dotted = x509.ObjectIdentifier(oid)
    element = _der.encode(_der.SEQUENCE, _encode_oid(dotted), flag, _der.encode(_der.OCTET_STRING, der))
    try:
        value = (
            x509.load_der_x509_certificate(_carrier(element)).extensions.get_extension_for_oid(dotted).value
        )
    except (ValueError, x509.UnsupportedGeneralNameType, TypeError, x509.ExtensionNotFound) as error:
        return Extension(oid, critical, der, None, visible(str(error) or type(error).__name__, 200))
    return Extension(oid, critical, der, value)


def _encode_oid(oid: x509.ObjectIdentifier) -> bytes:
    arcs = [int(arc) for arc in oid.dotted_string.split(".")]
    content = b""
    for value in (arcs[0] * 40 + arcs[1], *arcs[2:]):
        septets = [value & 0x7F]
        while value := value >> 7:
            septets.append(value & 0x7F | 0x80)
        content += bytes(reversed(septets))
    return _der.encode(_der.OBJECT_IDENTIFIER, content)


# Ed25519 (RFC 8410): the shortest algorithm identifier and key there are; nothing checks the signature.
_ED25519 = _der.encode(_der.SEQUENCE, _der.encode(_der.OBJECT_IDENTIFIER, bytes.fromhex("2b6570")))


def _carrier(extension: bytes) -> bytes:
    name = _der.encode(_der.SEQUENCE)
    moment = _der.encode(0x17, b"260101000000Z")
    body = _der.encode(
        _der.SEQUENCE,
        _der.encode(0xA0, _der.encode(_der.INTEGER, b"\x02")),
        _der.encode(_der.INTEGER, b"\x01"),
        _ED25519,
        name,
        _der.encode(_der.SEQUENCE, moment, moment),
        name,
        _der.encode(_der.SEQUENCE, _ED25519, _der.encode(_der.BIT_STRING, bytes(33))),
        _der.encode(0xA3, _der.encode(_der.SEQUENCE, extension)),
    )
    return _der.encode(_der.SEQUENCE, body, _ED25519, _der.encode(_der.BIT_STRING, bytes(65)))


def general_name(name: x509.GeneralName) -> str:
    """Return a GeneralName (RFC 5280, 4.2.1.6) with its type in front, as OpenSSL writes it.

    Examples
    --------
    >>> general_name(x509.DNSName("shop.example.test"))
    'DNS:shop.example.test'
    """
    if isinstance(name, x509.DNSName):
        return f"DNS:{name.value}"
    if isinstance(name, x509.IPAddress):
        return f"IP:{name.value}"
    if isinstance(name, x509.RFC822Name):
        return f"email:{name.value}"
    if isinstance(name, x509.UniformResourceIdentifier):
        return f"URI:{name.value}"
    if isinstance(name, x509.DirectoryName):
        return f"DirName:{name.value.rfc4514_string()}"
    if isinstance(name, x509.RegisteredID):
        return f"RID:{name.value.dotted_string}"
    if isinstance(name, x509.OtherName):
        return f"otherName:{name.type_id.dotted_string}"
    return str(name)


def _names(names: Iterable[x509.GeneralName] | None) -> str:
    return ", ".join(general_name(name) for name in names or ())


def _render(value: x509.ExtensionType) -> str:
    match value:
        case x509.BasicConstraints():
            limit = "" if value.path_length is None else f", path length {value.path_length}"
            return f"CA={str(value.ca).lower()}{limit}"
        case x509.KeyUsage():
            return ", ".join(word for key, word in _KEY_USAGES.items() if getattr(value, key)) or "nothing"
        case x509.ExtendedKeyUsage():
            return ", ".join(EKU_NAMES.get(oid.dotted_string, oid.dotted_string) for oid in value)
        case x509.SubjectAlternativeName() | x509.IssuerAlternativeName():
            return _names(value)
        case x509.SubjectKeyIdentifier():
            return value.digest.hex()
        case x509.AuthorityKeyIdentifier():
            parts = [value.key_identifier.hex()] if value.key_identifier is not None else []
            if value.authority_cert_issuer:
                parts.append("issuer " + _names(value.authority_cert_issuer))
            if value.authority_cert_serial_number is not None:
                parts.append(f"serial {value.authority_cert_serial_number:x}")
            return "; ".join(parts) or "empty"
        case x509.NameConstraints():
            parts = []
            if value.permitted_subtrees:
                parts.append("only " + _names(value.permitted_subtrees))
            if value.excluded_subtrees:
                parts.append("not " + _names(value.excluded_subtrees))
            return "; ".join(parts)
        case x509.AuthorityInformationAccess() | x509.SubjectInformationAccess():
            words = {
                oids.AuthorityInformationAccessOID.OCSP: "OCSP",
                oids.AuthorityInformationAccessOID.CA_ISSUERS: "issuer",
            }
            return ", ".join(
                f"{words.get(item.access_method, item.access_method.dotted_string)} {general_name(item.access_location)}"
                for item in value
            )
        case x509.CRLDistributionPoints() | x509.FreshestCRL():
            return ", ".join(_names(point.full_name) or "relative name" for point in value)
        case x509.CertificatePolicies():
            return ", ".join(policy.policy_identifier.dotted_string for policy in value)
        case x509.TLSFeature():
            return ", ".join(feature.name for feature in value)
        case x509.PrecertificateSignedCertificateTimestamps() | x509.SignedCertificateTimestamps():
            return f"{len(value)} receipts"
        case x509.PolicyConstraints():
            return f"require {value.require_explicit_policy}, inhibit mapping {value.inhibit_policy_mapping}"
        case x509.InhibitAnyPolicy():
            return f"after {value.skip_certs} certificates"
        case x509.OCSPNoCheck() | x509.PrecertPoison():
            return "set"
        case x509.UnrecognizedExtension():
            return f"{len(value.value)} bytes: {value.value[:24].hex()}{'…' if len(value.value) > 24 else ''}"
    return type(value).__name__


def extension_bytes(certificate: x509.Certificate) -> bytes:
    """Return the DER of the Extensions sequence of a certificate; empty if it has none."""
    for child in _der.read(certificate.tbs_certificate_bytes).children():
        if child.tag == 0xA3:
            return child.content
    return b""
