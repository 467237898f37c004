"""`CertificateSigningRequest`: a name and a public key on their way to a CA, and how one is made."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from certkit._html import Html, badge, definitions
from certkit._names import alternative_name
from certkit._profiles import hash_for
from certkit._text import visible
from certkit.certificates import name_text
from certkit.errors import ArgumentError
from certkit.extensions import general_name
from certkit.keys import PrivateKey, describe_public_key, spki_sha256

__all__ = ["CertificateSigningRequest", "create_csr"]


@dataclass(frozen=True)
class CertificateSigningRequest:
    """A certificate signing request (PKCS#10, RFC 2986): a name and a public key, signed with the key itself.

    Attributes
    ----------
    raw : cryptography.x509.CertificateSigningRequest
        The request itself.
    """

    raw: x509.CertificateSigningRequest = field(repr=False)

    @property
    def der(self) -> bytes:
        """The request's bytes."""
        return self.raw.public_bytes(Encoding.DER)

    @property
    def pem(self) -> str:
        """The request as PEM text."""
        return self.raw.public_bytes(Encoding.PEM).decode()

    @property
    def subject(self) -> str:
        """The name asked for, as RFC 4514 text."""
        return name_text(lambda: self.raw.subject)

    @property
    def sans(self) -> tuple[str, ...]:
        """The alternative names asked for."""
        try:
            value = self.raw.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (
            x509.ExtensionNotFound,
            x509.DuplicateExtension,
            x509.UnsupportedGeneralNameType,
            ValueError,
        ):
            return ()
        return tuple(visible(general_name(name)) for name in value)

    @property
    def spki_sha256(self) -> str:
        """SHA-256 of the SubjectPublicKeyInfo, in hexadecimal."""
        return spki_sha256(self.raw.public_key())

    @property
    def proves_possession(self) -> bool:
        """Whether its signature verifies: the sender holds the private key (RFC 2986, 4.2)."""
        return self.raw.is_signature_valid

    def __repr__(self) -> str:
        return f"<CertificateSigningRequest {self.subject or 'no subject'}, {', '.join(self.sans) or 'no names'}>"

    def _repr_html_(self) -> Html:
        key, bits = describe_public_key(self.raw.public_key())
        possession = (
            badge("good", "signed with its own key")
            if self.proves_possession
            else badge("bad", "signature does not verify")
        )
        return definitions(
            [
                ("subject", self.subject or "empty"),
                ("names", ", ".join(self.sans) or "none"),
                ("key", f"{key} {bits or ''}"),
                ("proof of possession", possession),
            ],
            caption="Certificate signing request: the key stays at home, only this travels",
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CertificateSigningRequest) and self.raw == other.raw

    def __hash__(self) -> int:
        return hash(self.raw)


def create_csr(
    *names: str,
    key: PrivateKey,
    common_name: str | None = None,
    organization: str | None = None,
) -> CertificateSigningRequest:
    """Return a certificate signing request (RFC 2986) for your key and names.

    Parameters
    ----------
    *names : str
        As for `CertificateAuthority.issue`.
    key : PrivateKey
        Your key; it signs the request and is not in it.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> from certkit.credentials import Credential
    >>> from certkit.keys import generate_key
    >>> key = generate_key()
    >>> csr = create_csr("shop.example.test", key=key)
    >>> chain = CertificateAuthority("Lab Root").sign_csr(csr, usage="server")
    >>> Credential(key, chain).certificate.name
    'shop.example.test'
    """
    if not names:
        raise ArgumentError("a request needs a name", hint='create_csr("shop.example.test", key=key)')
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, (common_name or names[0])[:64])]
    if organization:
        attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(attributes))
    found = [name for text in names if (name := alternative_name(text, "client")) is not None]
    if found:
        builder = builder.add_extension(x509.SubjectAlternativeName(found), critical=False)
    return CertificateSigningRequest(builder.sign(key.raw, hash_for(key.raw)))
