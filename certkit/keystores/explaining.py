"""What a file and its entries are, field by field, in plain words: requests, CRLs, keys, and the file itself."""

from __future__ import annotations

import warnings

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from certkit._files import iso
from certkit._text import count, visible
from certkit.certificates import Field, name_text
from certkit.csr import CertificateSigningRequest
from certkit.errors import FormatError
from certkit.keys import describe_public_key, spki_sha256
from certkit.keystores.entries import WORDS, Entry, KeyEntry, OtherEntry
from certkit.keystores.keystore import Keystore

__all__ = ["explain_entry", "explain_store", "other_facts"]

_FORMATS = {
    "pem": (
        "base64 text between BEGIN and END lines: certificates and keys, one after the other.",
        "RFC 7468",
    ),
    "der": ("one structure in its bytes, without anything around it.", "X.690"),
    "pkcs7": ("a bag of certificates (.p7b): no private key and no password.", "RFC 2315, 9.1"),
    "pkcs12": ("a keystore (.p12, .pfx): keys with their chains, sealed with a password.", "RFC 7292"),
    "jks": ("Java's own keystore: certificates in the clear, keys sealed, one digest over all.", "Java"),
    "jceks": ("Java's JKS with a stronger seal on keys, and room for secret keys.", "Java"),
}
_INTEGRITY = {
    "verified": "The password proved that nothing was changed since the file was written.",
    "not checked": "The file can prove that it is unchanged, to whoever gives its password; none was given.",
    "none": "This file has nothing that would show whether it was changed.",
}
_KINDS = {
    "private-key": "A private key, with the chain that it presents. What a server or a client proves itself with.",
    "trusted-certificate": "A trust anchor: certificates under it are believed.",
    "certificate": "A certificate; what it is for depends on who reads the file.",
    "certificate-request": "Sent to a CA, which makes a certificate of it. The private key is not in it.",
    "crl": "The certificates that their issuer took back before they expired.",
    "public-key": "The public half of a key pair, without a name on it.",
    "secret-key": "A symmetric key; TLS certificates use none. It was not opened.",
    "other": "Nothing that certkit looks into.",
    "damaged": "It cannot be read; the rest of the file can.",
}


def _damaged(what: str, error: Exception) -> FormatError:
    return FormatError(
        f"{what} ({visible(str(error), 160)})",
        hint="fetch it again, in binary mode",
        cause="tampered-or-corrupt",
        kind="malformed",
    )


def _public_key(data: bytes) -> dict[str, object]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            key = serialization.load_der_public_key(data)
        algorithm, bits = describe_public_key(key)
        return {"key": algorithm, "key_bits": bits, "spki_sha256": spki_sha256(key)}
    except (ValueError, UnsupportedAlgorithm, TypeError) as error:
        raise _damaged("this public key cannot be read", error) from None


def _request(request: CertificateSigningRequest) -> dict[str, object]:
    algorithm, bits = describe_public_key(request.raw.public_key())
    oid = request.raw.signature_algorithm_oid
    name = oid._name
    return {
        "subject": request.subject,
        "sans": list(request.sans),
        "key": algorithm,
        "key_bits": bits,
        "signature": oid.dotted_string if name == "Unknown OID" else name,
        "spki_sha256": request.spki_sha256,
        "proves_possession": request.proves_possession,
    }


def _crl(raw: x509.CertificateRevocationList) -> dict[str, object]:
    oid = raw.signature_algorithm_oid
    name = oid._name
    return {
        "issuer": name_text(lambda: raw.issuer),
        "this_update": iso(raw.last_update_utc),
        "next_update": None if raw.next_update_utc is None else iso(raw.next_update_utc),
        "revoked": len(raw),
        "signature": oid.dotted_string if name == "Unknown OID" else name,
    }


def other_facts(entry: OtherEntry) -> dict[str, object]:
    """Return what is in a request, a CRL or a public key, as `certkit inspect --json` prints it.

    Parameters
    ----------
    entry : OtherEntry
        The entry.

    Returns
    -------
    dict
        ``request``, ``crl`` or ``public_key`` with its fields; empty for any other kind.

    Raises
    ------
    FormatError
        If it is damaged.
    """
    if entry.kind == "certificate-request":
        return {"request": _request(entry.request)}
    if entry.kind == "crl" and entry.data:
        return {"crl": _crl(entry.crl.raw)}
    if entry.kind == "public-key":
        return {"public_key": _public_key(entry.data)}
    return {}


_REQUEST_WORDS = {
    "subject": ("The name asked for; the CA may write another one into the certificate.", "RFC 2986, 4.1"),
    "sans": ("The host names asked for: in the certificate, only these count.", "RFC 5280, 4.2.1.6"),
    "key": (
        "The public key that will be certified. Its private half stayed with the sender.",
        "RFC 2986, 4.1",
    ),
    "signature": ("How the request is signed: with its own key.", "RFC 2986, 4.2"),
    "proves_possession": (
        "Whether that signature verifies: the sender holds the private key.",
        "RFC 2986, 4.2",
    ),
}
_CRL_WORDS = {
    "issuer": ("The CA whose certificates these are.", "RFC 5280, 5.1.2.3"),
    "this_update": ("When the list was made.", "RFC 5280, 5.1.2.4"),
    "next_update": (
        "When the next one is due: after it, this list is stale and many refuse it.",
        "RFC 5280, 5.1.2.5",
    ),
    "revoked": ("How many certificates it takes back, by serial number.", "RFC 5280, 5.1.2.6"),
    "signature": ("How the CA signed the list: who could change it could hide a theft.", "RFC 5280, 5.1.1.2"),
}
_KEY_WORDS = {
    "key": ("The kind of the key.", "RFC 5280, 4.1.2.7"),
    "spki_sha256": ("Its fingerprint: equal for every certificate of this key pair.", "RFC 7469, 2.4"),
}


def explain_entry(entry: Entry) -> tuple[Field, ...]:
    """Return what an entry is, and for a request, a CRL or a public key its fields; each in plain words.

    Certificates explain themselves (`Certificate.explain`).

    Examples
    --------
    >>> from certkit.csr import create_csr
    >>> from certkit.keys import generate_key
    >>> from certkit.keystores import load_keystore
    >>> csr = create_csr("shop.example.test", key=generate_key())
    >>> fields = explain_entry(load_keystore(csr.pem).entries[0])
    >>> [field.name for field in fields][:3]
    ['entry', 'subject', 'sans']
    """
    fields = [Field("entry", WORDS[entry.kind], _KINDS[entry.kind], "")]
    if isinstance(entry, KeyEntry):
        sealed = entry.sealed
        held = f"encrypted: {sealed.protection or 'yes'}" if sealed.encrypted else "not encrypted"
        meaning = (
            "It takes the password to use it. It was not opened for this list."
            if sealed.encrypted
            else "Whoever has the file has the key. It was not opened for this list."
        )
        fields.append(Field("private key", held, meaning, "RFC 5958" if "pkcs8" in sealed.scheme else ""))
        others = count(len(entry.chain), "certificate")
        meaning = "What is presented with the key: its own certificate first, then issuer after issuer."
        fields.append(Field("chain", others, meaning, "RFC 8446, 4.4.2"))
    if isinstance(entry, OtherEntry) and entry.error is None:
        fields += _other_fields(entry)
    return tuple(fields)


def _other_fields(entry: OtherEntry) -> list[Field]:
    found = next(iter(other_facts(entry).values()), {})
    words = {"certificate-request": _REQUEST_WORDS, "crl": _CRL_WORDS, "public-key": _KEY_WORDS}
    facts = found if isinstance(found, dict) else {}
    return [
        Field(name, _shown(name, facts), *words[entry.kind][name])
        for name in words.get(entry.kind, {})
        if name in facts
    ]


def _shown(name: str, facts: dict[str, object]) -> str:
    value = facts[name]
    if name == "key" and facts.get("key_bits"):
        return f"{value} {facts['key_bits']} bits"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None or value == "" else str(value)


def explain_store(store: Keystore) -> tuple[Field, ...]:
    """Return what the file itself is: its format, its protection and its integrity, in plain words.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> from certkit.keystores import load_keystore
    >>> [field.value for field in explain_store(load_keystore(CertificateAuthority("Lab Root").certificate.der))]
    ['DER', 'none']
    """
    meaning, source = _FORMATS[store.format]
    fields = [Field("format", store.format_name, f"Found by content: {meaning}", source)]
    if store.protection:
        sealed = "What seals it, as the file itself says."
        fields.append(Field("protection", store.protection, sealed, source))
    fields.append(Field("integrity", store.integrity, _INTEGRITY[store.integrity], source))
    return tuple(fields)
