"""`Chain` (leaf first, as received) and `TrustStore` (the anchors one side believes)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from certkit._html import Html, table
from certkit._text import count
from certkit.certificates import Certificate
from certkit.errors import ArgumentError

__all__ = ["Chain", "TrustStore"]


def _certificates(values: Iterable[Certificate], owner: str) -> tuple[Certificate, ...]:
    found = tuple(values)
    for value in found:
        if not isinstance(value, Certificate):
            raise ArgumentError(
                f"a {owner} holds certificates", on=type(value).__name__, hint="ck.load_certificates(path)"
            )
    return found


@dataclass(frozen=True)
class Chain:
    """Certificates in the order in which they were sent or stored, leaf first; never re-ordered.

    Attributes
    ----------
    certificates : tuple of Certificate
        As received: the first one counts as the leaf, whatever it is.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> issuing = CertificateAuthority("Lab Root").intermediate("Lab Issuing CA")
    >>> chain = issuing.issue("shop.example.test", usage="server").chain
    >>> [certificate.name for certificate in chain]
    ['shop.example.test', 'Lab Issuing CA']
    """

    certificates: tuple[Certificate, ...]

    def __init__(self, certificates: Iterable[Certificate]) -> None:
        object.__setattr__(self, "certificates", _certificates(certificates, "chain"))

    @property
    def leaf(self) -> Certificate:
        """The first certificate.

        Raises
        ------
        ArgumentError
            If the chain is empty.
        """
        if not self.certificates:
            raise ArgumentError("this chain is empty", hint="a chain begins with the leaf")
        return self.certificates[0]

    @property
    def others(self) -> tuple[Certificate, ...]:
        """Every certificate but the first."""
        return self.certificates[1:]

    @property
    def in_order(self) -> bool:
        """Whether each certificate names the next one as its issuer (RFC 5246, 7.4.2)."""
        pairs = zip(self.certificates, self.certificates[1:], strict=False)
        return all(below.issuer_der == above.subject_der for below, above in pairs)

    @property
    def pem(self) -> str:
        """All certificates as PEM text, in this order: what a server's chain file holds."""
        return "".join(certificate.pem for certificate in self.certificates)

    def __iter__(self) -> Iterator[Certificate]:
        return iter(self.certificates)

    def __len__(self) -> int:
        return len(self.certificates)

    def __getitem__(self, index: int) -> Certificate:
        return self.certificates[index]

    def __contains__(self, certificate: object) -> bool:
        return certificate in self.certificates

    def __repr__(self) -> str:
        return f"<Chain {' ← '.join(item.name for item in self.certificates[:8]) or 'empty'}{' …' if len(self) > 8 else ''}>"

    def _repr_html_(self) -> Html:
        return table(
            ("position", "subject", "issuer", "role", "validity"),
            [
                (number, item.name, item.issuer, item.role, item.validity_badge())
                for number, item in enumerate(self.certificates)
            ],
            caption=f"Chain of {count(len(self), 'certificate')}, as sent: leaf first",
            limit=20,
        )


@dataclass(frozen=True)
class TrustStore:
    """The trust anchors of one side: whatever chains up to one of them is believed.

    Attributes
    ----------
    certificates : tuple of Certificate
        The anchors.
    label : str
        What this store is called where it is shown, e.g. ``"the client's roots"``.
    """

    certificates: tuple[Certificate, ...]
    label: str = ""

    def __init__(self, certificates: Iterable[Certificate] = (), label: str = "") -> None:
        object.__setattr__(self, "certificates", _certificates(certificates, "truststore"))
        object.__setattr__(self, "label", label)

    @property
    def pem(self) -> str:
        """All anchors as PEM text: what a CA bundle holds."""
        return "".join(certificate.pem for certificate in self.certificates)

    def __add__(self, other: TrustStore) -> TrustStore:
        new = [certificate for certificate in other if certificate not in self.certificates]
        return TrustStore((*self.certificates, *new), self.label)

    def __iter__(self) -> Iterator[Certificate]:
        return iter(self.certificates)

    def __len__(self) -> int:
        return len(self.certificates)

    def __contains__(self, certificate: object) -> bool:
        return certificate in self.certificates

    def __repr__(self) -> str:
        names = ", ".join(item.name for item in self.certificates[:3])
        more = f", … {len(self) - 3} more" if len(self) > 3 else ""
        return f"<TrustStore {self.label + ': ' if self.label else ''}{names or 'empty'}{more}>"

    def _repr_html_(self) -> Html:
        return table(
            ("anchor", "role", "validity", "SHA-256"),
            [
                (item.name, item.role, item.validity_badge(), item.sha256[:16] + "…")
                for item in self.certificates
            ],
            caption=f"{self.label or 'Truststore'}: {count(len(self), 'anchor')}",
            limit=20,
        )
