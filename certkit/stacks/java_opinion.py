"""Java's opinion of a chain, beside the verdict and never merged into it."""

from __future__ import annotations

from certkit.errors import CertkitError
from certkit.stacks.java import java_available, java_pkix
from certkit.verification import Opinion, Verification

__all__ = ["with_java"]

_MOST = 200


def with_java(verification: Verification) -> Verification:
    """Return the verification with the opinions of the real Java beside it.

    Two are asked: the trust manager of every JSSE connection, which builds a path of its own and then
    compares the host name, and CertPathValidator, which takes the chain exactly in the order it was sent.

    Parameters
    ----------
    verification : Verification
        What `verify_chain` returned.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> from certkit.verification import verify_chain
    >>> issuing = CertificateAuthority("Lab Root").intermediate("Lab Issuing CA")
    >>> server = issuing.issue("shop.example.test", usage="server")
    >>> verdict = with_java(verify_chain(server, issuing.trust_store))
    >>> [opinion.word for opinion in verdict.opinions]  # doctest: +SKIP
    ['trusted', 'trusted', 'trusted']
    """
    return verification.with_opinions(
        _ask(verification, "trust-manager", "trust manager"),
        _ask(verification, "validator", "CertPathValidator"),
    )


def _ask(verification: Verification, method: str, word: str) -> Opinion:
    judge = f"Java, {word}"
    if not java_available():
        return Opinion(judge, None, "not installed here: it comes with the extra certkit[java]")
    if len(verification.chain) > _MOST:
        return Opinion(judge, None, f"not asked: more than {_MOST} certificates were sent")
    try:
        verdict = java_pkix(
            verification.chain,
            verification.anchors,
            verification.at,
            verification.purpose,
            host=verification.host,
            method=method,
        )
    except CertkitError as error:
        return Opinion(judge, None, f"cannot judge: {error}")
    return Opinion(f"Java {verdict.java}, {word}", verdict.ok, verdict.text)
