"""The header fields in which a TLS-terminating proxy tells who the client was (RFC 9440)."""

from __future__ import annotations

import base64
import binascii

from certkit.certificates import Certificate
from certkit.chains import Chain
from certkit.errors import FormatError

__all__ = ["CLIENT_CERT_FIELDS", "client_cert_fields", "read_client_cert"]

CLIENT_CERT_FIELDS = ("Client-Cert", "Client-Cert-Chain")


def client_cert_fields(chain: Chain) -> dict[str, str]:
    """Return the fields for the chain of a client: its leaf, and the others if there are any.

    Examples
    --------
    >>> client_cert_fields(Chain(()))
    {}
    """
    if not chain:
        return {}
    fields = {"Client-Cert": _bytes(chain.leaf)}
    if chain.others:
        fields["Client-Cert-Chain"] = ", ".join(_bytes(item) for item in chain.others)
    return fields


def _bytes(certificate: Certificate) -> str:
    # A byte sequence of structured fields (RFC 8941, 3.3.5): base64 between colons.
    return f":{base64.b64encode(certificate.der).decode()}:"


def read_client_cert(value: str) -> Certificate:
    """Return the certificate in a Client-Cert field.

    Raises
    ------
    FormatError
        If it is no byte sequence with one certificate.
    """
    text = value.strip()
    try:
        if len(text) < 2 or text[0] != ":" or text[-1] != ":":
            raise ValueError("no colons")
        der = base64.b64decode(text[1:-1], validate=True)
    except (ValueError, binascii.Error):
        raise FormatError(
            "a Client-Cert field holds base64 between colons",
            on=f"{len(value)} characters",
            hint="RFC 9440, 2.1",
            kind="not-a-byte-sequence",
        ) from None
    return Certificate.from_der(der)
