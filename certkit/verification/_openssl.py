"""A second opinion: OpenSSL's own verifier, the one that pyOpenSSL brings, asked in this process."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Any

from cryptography import x509
from OpenSSL import SSL, crypto

from certkit._text import visible
from certkit.certificates import Certificate
from certkit.verification._policy import Question
from certkit.verification.result import Opinion

__all__ = ["SIZE_LIMIT", "ask_openssl", "openssl_judge"]

SIZE_LIMIT = 64 * 1024
"""How many bytes of certificates OpenSSL is asked about: it has no limit of its own."""


def openssl_judge() -> str:
    """Return the name and version of the OpenSSL that is asked."""
    return " ".join(SSL.OpenSSL_version(SSL.OPENSSL_VERSION).decode("ascii", "replace").split()[:2])


def ask_openssl(
    sent: Sequence[Certificate],
    anchors: Iterable[Certificate],
    question: Question,
    *,
    crls: Iterable[x509.CertificateRevocationList] = (),
    flags: int = 0,
    any_purpose: bool = False,
) -> Opinion:
    """Return what OpenSSL says, with its default settings: the first error, its code and its depth.

    Parameters
    ----------
    sent : sequence of Certificate
        The chain as sent, leaf first.
    anchors : iterable of Certificate
        The truststore.
    question : Question
        Host, purpose and clock.
    crls : iterable of CertificateRevocationList
        What it should know of revocation; it looks only if `flags` say so.
    flags : int
        More of OpenSSL's ``X509StoreFlags``.
    any_purpose : bool
        Whether to leave host and purpose out, as suites for path validation alone want it.
    """
    judge = openssl_judge()
    if sum(len(item.der) for item in sent) > SIZE_LIMIT:
        return Opinion(judge, None, f"not asked: more than {SIZE_LIMIT // 1024} kB were sent")
    try:
        context = _context(sent, anchors, question, crls, flags, any_purpose)
        chain = context.get_verified_chain()
    except crypto.X509StoreContextError as error:
        code, depth, text = error.errors[0], error.errors[1], visible(str(error.errors[2]), 200)
        return Opinion(judge, False, f"{text} (error {code} at depth {depth})", ((code, depth, text),))
    except (crypto.Error, ValueError, TypeError, OverflowError, AttributeError) as error:
        return Opinion(judge, None, f"cannot judge: {visible(_words(error), 200)}")
    path = tuple(Certificate.from_der(crypto.dump_certificate(crypto.FILETYPE_ASN1, item)) for item in chain)
    return Opinion(judge, True, "a path to an anchor holds", chain=path)


def _words(error: Exception) -> str:
    if isinstance(error, crypto.Error) and error.args and error.args[0]:
        return str(error.args[0][0][-1])
    return str(error) or type(error).__name__


def _context(
    sent: Sequence[Certificate],
    anchors: Iterable[Certificate],
    question: Question,
    crls: Iterable[x509.CertificateRevocationList],
    flags: int,
    any_purpose: bool,
) -> crypto.X509StoreContext:
    store = crypto.X509Store()
    for anchor in anchors:
        store.add_cert(crypto.X509.from_cryptography(anchor.raw))
    for crl in crls:
        store.add_crl(crl)
    if flags:
        store.set_flags(flags)
    if not any_purpose:
        _ask_for(store, question)
    store.set_time(question.at)
    leaf, *others = (crypto.X509.from_cryptography(item.raw) for item in sent)
    return crypto.X509StoreContext(store, leaf, others)


def _ask_for(store: crypto.X509Store, question: Question) -> None:
    """Set host name and purpose, for which pyOpenSSL has no public call."""
    from OpenSSL import _util  # noqa: PLC0415 - private: the one place that uses it

    lib: Any = _util.lib
    ffi: Any = _util.ffi
    pointer = store._store
    parameters = ffi.gc(lib.X509_VERIFY_PARAM_new(), lib.X509_VERIFY_PARAM_free)
    if question.host is not None:
        try:
            packed = ipaddress.ip_address(question.host).packed
            lib.X509_VERIFY_PARAM_set1_ip(parameters, packed, len(packed))
        except ValueError:
            host = question.host.encode()
            lib.X509_VERIFY_PARAM_set1_host(parameters, host, len(host))
    lib.X509_STORE_set1_param(pointer, parameters)
    server = question.purpose == "server"
    lib.X509_STORE_set_purpose(
        pointer, lib.X509_PURPOSE_SSL_SERVER if server else lib.X509_PURPOSE_SSL_CLIENT
    )
