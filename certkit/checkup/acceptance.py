"""Who would accept what a server sends: browsers, OpenSSL, the real Java, and the client platform of the story."""

from __future__ import annotations

from certkit.chains import TrustStore
from certkit.stacks.java_opinion import with_java
from certkit.stacks.platform import ClientPlatform
from certkit.verification import Opinion, Verification

__all__ = ["who_accepts"]


def who_accepts(verification: Verification) -> tuple[Opinion, ...]:
    """Return what each kind of client would say of the chain that was judged, given the same roots.

    Computed for this very chain; what was measured for its causes stands beside it (`measured_for`). Browsers
    are not run: theirs are the rules of the web PKI, as the verification's oracle holds them. OpenSSL
    and Java are asked for real. The platform trusts roots only, so what is no root among the anchors is left out.

    Parameters
    ----------
    verification : Verification
        The verdict on the chain as sent.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> from certkit.verification import verify_chain
    >>> ca = CertificateAuthority("Lab Root")
    >>> server = ca.issue("shop.example.test", usage="server")
    >>> [item.ok for item in who_accepts(verify_chain(server, ca.trust_store))][0]
    True
    """
    headline = verification.headline
    words = "every rule holds" if verification.ok or headline is None else headline.text
    browsers = Opinion("browsers, by the rules of the web PKI", verification.ok, words)
    roots = TrustStore(item for item in verification.anchors if item.is_ca and item.is_self_signed)
    platform = ClientPlatform(roots).judge(verification.chain, verification.host, verification.at)
    return (browsers, *with_java(verification).opinions[:-1], platform)
