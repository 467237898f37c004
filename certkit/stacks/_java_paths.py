"""What the real Java says to a chain: operations of the worker for CertPath and the JSSE trust manager."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jpype

from certkit.stacks._java_keystores import certificates_of

__all__ = ["OPERATIONS"]


def _anchors(anchors: list[str]) -> Any:
    found = jpype.JClass("java.util.HashSet")()
    trust_anchor = jpype.JClass("java.security.cert.TrustAnchor")
    for certificate in certificates_of(anchors):
        found.add(trust_anchor(certificate, None))
    return found


def _date(milliseconds: int) -> Any:
    return jpype.JClass("java.util.Date")(jpype.JLong(milliseconds))


def _builder_parameters(chain: Any, anchors: list[str], at: int) -> Any:
    selector = jpype.JClass("java.security.cert.X509CertSelector")()
    if chain.size():
        selector.setCertificate(chain.get(0))
    parameters = jpype.JClass("java.security.cert.PKIXBuilderParameters")(_anchors(anchors), selector)
    store = jpype.JClass("java.security.cert.CertStore")
    collection = jpype.JClass("java.security.cert.CollectionCertStoreParameters")(chain)
    parameters.addCertStore(store.getInstance("Collection", collection))
    parameters.setRevocationEnabled(False)
    parameters.setDate(_date(at))
    return parameters


def validate(chain: list[str], anchors: list[str], at: int) -> dict[str, Any]:
    """Put the chain to CertPathValidator exactly as it is: wrong order, wrong verdict."""
    path = jpype.JClass("java.security.cert.CertificateFactory").getInstance("X.509")
    parameters = jpype.JClass("java.security.cert.PKIXParameters")(_anchors(anchors))
    parameters.setRevocationEnabled(False)
    parameters.setDate(_date(at))
    validator = jpype.JClass("java.security.cert.CertPathValidator").getInstance("PKIX")
    result = validator.validate(path.generateCertPath(certificates_of(chain)), parameters)
    return {"anchor": _subject(result.getTrustAnchor().getTrustedCert())}


def build(chain: list[str], anchors: list[str], at: int) -> dict[str, Any]:
    """Let CertPathBuilder find a path from the first certificate, with the others to choose from."""
    certificates = certificates_of(chain)
    builder = jpype.JClass("java.security.cert.CertPathBuilder").getInstance("PKIX")
    result = builder.build(_builder_parameters(certificates, anchors, at))
    path = [_subject(certificate) for certificate in result.getCertPath().getCertificates()]
    return {"path": path, "anchor": _subject(result.getTrustAnchor().getTrustedCert())}


def trust(chain: list[str], anchors: list[str], at: int, purpose: str, host: str | None) -> dict[str, Any]:
    """Ask the trust manager that every JSSE connection asks, then the host name check it does after."""
    certificates = certificates_of(chain)
    parameters = jpype.JClass("java.security.cert.PKIXBuilderParameters")(
        _anchors(anchors), jpype.JClass("java.security.cert.X509CertSelector")()
    )
    parameters.setRevocationEnabled(False)
    parameters.setDate(_date(at))
    factory = jpype.JClass("javax.net.ssl.TrustManagerFactory").getInstance("PKIX")
    factory.init(jpype.JClass("javax.net.ssl.CertPathTrustManagerParameters")(parameters))
    manager = factory.getTrustManagers()[0]
    array = jpype.JArray(jpype.JClass("java.security.cert.X509Certificate"))(list(certificates))
    # TLS 1.3 names no key exchange with the certificate: JSSE itself passes UNKNOWN then.
    if purpose == "client":
        manager.checkClientTrusted(array, "UNKNOWN")
    else:
        manager.checkServerTrusted(array, "UNKNOWN")
    if host is not None:
        checker = jpype.JClass("sun.security.util.HostnameChecker")
        checker.getInstance(checker.TYPE_TLS).match(host, certificates.get(0))
    return {}


def _subject(certificate: Any) -> str | None:
    return None if certificate is None else str(certificate.getSubjectX500Principal().getName())


OPERATIONS: dict[str, Callable[..., Any]] = {"validate": validate, "build": build, "trust": trust}
