"""PKCS#7 (RFC 2315) as a bag of certificates: what .p7b and .p7c files are."""

from __future__ import annotations

from certkit import _der
from certkit.errors import FormatError
from certkit.formats.ber import definite
from certkit.formats.items import Contents, Item
from certkit.formats.limits import check_count

__all__ = ["DATA", "ENCRYPTED_DATA", "SIGNED_DATA", "read_pkcs7", "write_pkcs7"]

DATA = "1.2.840.113549.1.7.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"
ENCRYPTED_DATA = "1.2.840.113549.1.7.6"
_CONTENT_TYPES = {
    DATA: "data",
    "1.2.840.113549.1.7.3": "an encrypted message (enveloped-data)",
    "1.2.840.113549.1.7.4": "a signed and encrypted message",
    "1.2.840.113549.1.7.5": "digested data",
    ENCRYPTED_DATA: "encrypted data",
}


def _damaged(what: str) -> FormatError:
    return FormatError(
        f"this PKCS#7 file is damaged: {what}",
        hint="fetch it again, in binary mode",
        cause="tampered-or-corrupt",
        kind="malformed",
    )


def read_pkcs7(data: bytes) -> Contents:
    """Return the certificates and CRLs of a SignedData; no signature is looked at.

    Parameters
    ----------
    data : bytes
        DER or BER, from the first byte.

    Raises
    ------
    FormatError
        If it is another kind of PKCS#7, or damaged.
    """
    whole = _der.read(definite(data))
    parts = whole.children()
    if not parts or parts[0].tag != _der.OBJECT_IDENTIFIER:
        raise _damaged("it has no content type")
    kind = _der.oid_text(parts[0].content)
    if kind != SIGNED_DATA:
        raise FormatError(
            f"this PKCS#7 file is {_CONTENT_TYPES.get(kind, 'of type ' + kind)}, not a bag of certificates",
            hint="a .p7b from a CA is signed-data: ask for the certificate chain",
            cause="wrong-file-format",
            kind="pkcs7-without-certificates",
        )
    if len(parts) != 2 or parts[1].tag != 0xA0:
        raise _damaged("it has no content")
    inner = parts[1].children()
    if len(inner) != 1 or inner[0].tag != _der.SEQUENCE:
        raise _damaged("its signed-data is no SEQUENCE")
    items = tuple(_items(inner[0]))
    notes = () if items else ("This PKCS#7 file holds no certificate.",)
    return Contents("pkcs7", "binary", items, notes=notes)


def _items(signed: _der.Element) -> list[Item]:
    items: list[Item] = []
    for part in signed.children()[3:]:
        # [0] certificates, [1] CRLs (RFC 2315, 9.1); the signer infos are a SET.
        if part.tag in {0xA0, 0xA1}:
            members = part.children()
            check_count(len(items) + len(members), "certificates")
            kind = "certificate" if part.tag == 0xA0 else "crl"
            items += [Item(kind, member.encoded) for member in members if member.tag == _der.SEQUENCE]
    return items


def write_pkcs7(certificates: list[bytes]) -> bytes:
    """Return a degenerate SignedData: certificates, no content, no signer (RFC 2315, 9.1).

    The certificates keep their order: strictly, DER sorts a SET, but every reader takes them as
    they come, and the order of a chain tells people something.
    """
    version = _der.encode(_der.INTEGER, b"\x01")
    content = _der.encode(_der.SEQUENCE, _der.encode_oid(DATA))
    bag = _der.encode(0xA0, *certificates)
    empty_set = _der.encode(_der.SET)
    signed = _der.encode(_der.SEQUENCE, version, empty_set, content, bag, empty_set)
    return _der.encode(_der.SEQUENCE, _der.encode_oid(SIGNED_DATA), _der.encode(0xA0, signed))
