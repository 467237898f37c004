"""`Credential`: a private key with the chain that belongs to it; what one side presents."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from certkit._html import Html, tag
from certkit.certificates import Certificate
from certkit.chains import Chain
from certkit.errors import CredentialError
from certkit.keys import PrivateKey

__all__ = ["Credential"]


@dataclass(frozen=True)
class Credential:
    """A private key and its chain, leaf first.

    Attributes
    ----------
    key : PrivateKey
        The private key. It stays here: no message, file or output of certkit holds it unless asked.
    chain : Chain
        What is sent to the other side: the leaf and, usually, every intermediate, without the root.

    Raises
    ------
    CredentialError
        If the chain is empty, or its leaf is for another key.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> CertificateAuthority("Lab Root").issue("shop.example.test", usage="server")
    <Credential shop.example.test, EC 256 bits, chain of 1>
    """

    key: PrivateKey = field(repr=False)
    chain: Chain

    def __post_init__(self) -> None:
        if not self.chain:
            raise CredentialError(
                "a credential needs a certificate for its key", hint="give the leaf, then the intermediates"
            )
        if self.key.spki_sha256 != self.chain.leaf.spki_sha256:
            raise CredentialError(
                "this key is not the key of this certificate",
                on=f"public keys {self.key.spki_sha256[:8]}… and {self.chain.leaf.spki_sha256[:8]}…",
                hint="find the key that the request was made with; the leaf must come first in the chain",
                cause="key-cert-mismatch",
                kind="key-cert-mismatch",
            )

    @property
    def certificate(self) -> Certificate:
        """The leaf."""
        return self.chain.leaf

    def with_chain(self, certificates: Iterable[Certificate]) -> Credential:
        """Return the same key with another chain, e.g. without its intermediate."""
        return replace(self, chain=Chain(certificates))

    def __repr__(self) -> str:
        bits = f" {self.key.bits} bits" if self.key.bits else ""
        return f"<Credential {self.certificate.name}, {self.key.algorithm}{bits}, chain of {len(self.chain)}>"

    def _repr_html_(self) -> Html:
        return tag("div", self.key._repr_html_(), self.chain._repr_html_())
