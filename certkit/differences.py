"""`difference`: what is not the same in two certificates, two chains or two stores, and what that means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from certkit._files import iso
from certkit._html import Html, badge, table, tag
from certkit._text import count
from certkit.certificates import Certificate
from certkit.chains import Chain, TrustStore
from certkit.credentials import Credential
from certkit.errors import ArgumentError
from certkit.keystores import Keystore

__all__ = ["Difference", "DifferenceRow", "difference"]

Comparable = Certificate | Credential | Chain | TrustStore | Keystore | Iterable[Certificate]


@dataclass(frozen=True)
class DifferenceRow:
    """One line of a difference.

    Attributes
    ----------
    what : str
        A field of a certificate, or the name of a certificate.
    change : str
        ``"changed"``, ``"only left"``, ``"only right"``, ``"moved"`` or ``"replaced"``.
    left, right : str
        What is on each side; empty if nothing is.
    """

    what: str
    change: str
    left: str = ""
    right: str = ""


@dataclass(frozen=True)
class Difference:
    """What is not the same on two sides.

    Attributes
    ----------
    kind : str
        ``"certificates"``, ``"chains"`` or ``"stores"``.
    sentence : str
        What it means, in a sentence.
    rows : tuple of DifferenceRow
        Everything that differs; empty if nothing does.
    same : int
        How many fields or certificates are the same on both sides.
    """

    kind: str
    sentence: str
    rows: tuple[DifferenceRow, ...] = field(repr=False)
    same: int = 0

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return not self.rows

    def text(self) -> str:
        """Return it for a terminal."""
        lines = [self.sentence]
        for row in self.rows:
            lines += [f"  {row.change}: {row.what}", *(f"    - {row.left}" for _ in row.left[:1])]
            lines += [f"    + {row.right}" for _ in row.right[:1]]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, object]:
        """Return the facts as JSON values."""
        rows = [
            {"what": row.what, "change": row.change, "left": row.left, "right": row.right}
            for row in self.rows
        ]
        return {
            "kind": self.kind,
            "equal": self.equal,
            "sentence": self.sentence,
            "same": self.same,
            "rows": rows,
        }

    def __bool__(self) -> NoReturn:
        raise TypeError("a difference is neither true nor false: ask .equal")

    def __repr__(self) -> str:
        return f"<Difference of two {self.kind}: {self.sentence}>"

    def _repr_html_(self) -> Html:
        status = {"only left": "bad", "only right": "good", "changed": "warning", "replaced": "warning"}
        rows = [
            (row.what, badge(status.get(row.change, "neutral"), row.change), row.left[:300], row.right[:300])
            for row in self.rows
        ]
        shown = table(("what", "change", "left", "right"), rows, limit=15) if rows else ""
        return tag("div", tag("p", tag("strong", self.sentence)), shown)


def difference(left: Comparable, right: Comparable) -> Difference:
    """Return what is not the same in two certificates, two chains or two stores.

    Parameters
    ----------
    left, right : Certificate, Credential, Chain, TrustStore, Keystore or iterable of Certificate
        The older one first, if one is. Two certificates are compared field by field; two chains in order;
        of two stores only what they hold counts.

    Raises
    ------
    ArgumentError
        If one is a certificate and the other is not.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> ca = CertificateAuthority("Lab Root")
    >>> old = ca.issue("shop.example.test", usage="server")
    >>> new = ca.issue("shop.example.test", "cart.example.test", usage="server", key=old.key)
    >>> found = difference(old.certificate, new.certificate)
    >>> found.sentence
    'Two certificates of “shop.example.test” for the same key, from the same issuer: 2 fields differ.'
    >>> found.rows[0].right
    'DNS:shop.example.test, DNS:cart.example.test'
    """
    if isinstance(left, Certificate) is not isinstance(right, Certificate):
        raise ArgumentError(
            "one is a certificate and the other is several",
            on=f"{type(left).__name__} and {type(right).__name__}",
            hint="two certificates, two chains or two stores",
        )
    if isinstance(left, Certificate) and isinstance(right, Certificate):
        return _of_certificates(left, right)
    ones, others = _several(left), _several(right)
    if _is_store(left) or _is_store(right):
        return _of_stores(ones, others)
    return _of_chains(ones, others)


def _is_store(side: Comparable) -> bool:
    return isinstance(side, TrustStore | Keystore)


def _several(side: Comparable) -> tuple[Certificate, ...]:
    if isinstance(side, Credential):
        return side.chain.certificates
    if isinstance(side, Chain | TrustStore | Keystore):
        return tuple(side.certificates)
    assert not isinstance(side, Certificate)
    return Chain(side).certificates


def _fields(certificate: Certificate) -> dict[str, str]:
    found = {
        item.name: item.value + (" (critical)" if item.critical else "") for item in certificate.explain()
    }
    dates = found.pop("validity", None)
    assert dates is not None
    return found | {
        "not before": iso(certificate.not_before),
        "not after": iso(certificate.not_after),
        "public key (SHA-256)": certificate.spki_sha256,
    }


def _of_certificates(left: Certificate, right: Certificate) -> Difference:
    if left == right:
        return Difference(
            "certificates", "It is the same certificate, byte for byte.", (), len(_fields(left))
        )
    ones, others = _fields(left), _fields(right)
    names = [*ones, *(name for name in others if name not in ones)]
    rows = []
    for name in names:
        if ones.get(name) != others.get(name):
            change = "only left" if name not in others else "only right" if name not in ones else "changed"
            rows.append(DifferenceRow(name, change, ones.get(name, ""), others.get(name, "")))
    # Serial number and identifiers differ in every pair: what somebody decided comes first.
    rows.sort(key=lambda row: _LAST.get(row.what, 0))
    same = len(names) - len(rows)
    return Difference("certificates", _relation(left, right, len(rows)), tuple(rows), same)


_LAST = {"serialNumber": 3, "not before": 1, "subjectKeyIdentifier": 2, "authorityKeyIdentifier": 2}


def _relation(left: Certificate, right: Certificate, differing: int) -> str:
    key = "the same key" if left.spki_sha256 == right.spki_sha256 else "two keys"
    issuer = "the same issuer" if left.issuer_der == right.issuer_der else "two issuers"
    if left.subject_der == right.subject_der:
        whose = f"Two certificates of “{left.name}” for {key}, from {issuer}"
        if left.spki_sha256 == right.spki_sha256 and left.issuer_der != right.issuer_der and left.is_ca:
            whose += " (a cross-sign)"
    else:
        whose = f"“{left.name}” and “{right.name}”, with {key}, from {issuer}"
    fields = (
        f"{count(differing, 'field')} differ{'s' if differing == 1 else ''}"
        if differing
        else "only the signature differs"
    )
    return f"{whose}: {fields}."


def _of_chains(left: Sequence[Certificate], right: Sequence[Certificate]) -> Difference:
    rows: list[DifferenceRow] = []
    gone, new = [item for item in left if item not in right], [item for item in right if item not in left]
    rows += _replaced(gone, new)
    rows += [
        DifferenceRow(item.name, "only left", f"position {left.index(item)}: {_brief(item)}") for item in gone
    ]
    rows += [
        DifferenceRow(item.name, "only right", "", f"position {right.index(item)}: {_brief(item)}")
        for item in new
    ]
    kept_left, kept_right = [item for item in left if item in right], [item for item in right if item in left]
    if kept_left != kept_right and set(kept_left) == set(kept_right):
        rows += [
            DifferenceRow(item.name, "moved", f"position {left.index(item)}", f"position {right.index(item)}")
            for item in dict.fromkeys(kept_left)
            if left.index(item) != right.index(item)
        ]
    same = len(set(kept_left))
    sentence = f"Chains of {len(left)} and {len(right)}: " + _counted(rows, same)
    return Difference("chains", sentence, tuple(rows), same)


def _of_stores(left: Sequence[Certificate], right: Sequence[Certificate]) -> Difference:
    ones, others = dict.fromkeys(left), dict.fromkeys(right)
    gone, new = [item for item in ones if item not in others], [item for item in others if item not in ones]
    rows = _replaced(gone, new)
    rows += [DifferenceRow(item.name, "only left", _brief(item)) for item in gone]
    rows += [DifferenceRow(item.name, "only right", "", _brief(item)) for item in new]
    same = sum(item in others for item in ones)
    sentence = f"Stores of {len(ones):,} and {len(others):,}: " + _counted(rows, same)
    return Difference("stores", sentence, tuple(rows), same)


def _replaced(gone: list[Certificate], new: list[Certificate]) -> list[DifferenceRow]:
    """Return those of the same name that took each other's place, and take them out of both lists."""
    by_subject: dict[bytes, list[Certificate]] = {}
    for item in new:
        by_subject.setdefault(item.subject_der, []).append(item)
    rows = []
    for item in list(gone):
        waiting = by_subject.get(item.subject_der)
        if waiting and len(item.subject_der) > _EMPTY_NAME:
            other = waiting.pop(0)
            key = "the same key" if other.spki_sha256 == item.spki_sha256 else "a new key"
            rows.append(DifferenceRow(f"{item.name} ({key})", "replaced", _brief(item), _brief(other)))
            gone.remove(item)
            new.remove(other)
    return rows


_EMPTY_NAME = 2


def _brief(item: Certificate) -> str:
    return f"{item.role}, by {item.issuer}, until {item.not_after:%Y-%m-%d}, SHA-256 {item.sha256[:16]}…"


def _counted(rows: Sequence[DifferenceRow], same: int) -> str:
    if not rows:
        return f"the same {count(same, 'certificate')} on both sides."
    words = ("replaced", "only left", "only right", "moved")
    parts = [f"{number} {word}" for word in words if (number := sum(row.change == word for row in rows))]
    return ", ".join([*parts, f"{same} the same"]) + "."
