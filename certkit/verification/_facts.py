"""What the checks need to know of one certificate, read once, field by field, whatever is broken."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from cryptography import x509

from certkit import _der
from certkit._text import visible
from certkit.certificates import Certificate
from certkit.errors import FormatError
from certkit.extensions import EKU_NAMES, Extension
from certkit.verification import _names

__all__ = ["Facts"]

SAN, NC, BC = "2.5.29.17", "2.5.29.30", "2.5.29.19"
KU, EKU, AKI, SKI, AIA = "2.5.29.15", "2.5.29.37", "2.5.29.35", "2.5.29.14", "1.3.6.1.5.5.7.1.1"
POLICY_CONSTRAINTS = "2.5.29.36"


@dataclass(eq=False)
class Facts:
    """One certificate as the checks see it.

    Attributes
    ----------
    certificate : Certificate
        The certificate.
    index : int or None
        Its place in the chain as sent; None if it comes from the truststore only.
    trusted : bool
        Whether it is an anchor.
    """

    certificate: Certificate
    index: int | None
    trusted: bool
    _fields: list[_der.Element] = field(init=False, repr=False)
    _outer: list[_der.Element] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._outer = _der.read(self.certificate.der).children()
        fields = self._outer[0].children()
        self.version = 1
        if fields[0].tag == 0xA0:
            self.version = 1 + int.from_bytes(fields[0].content[-1:], "big")
            fields = fields[1:]
        self._fields = fields

    @cached_property
    def name(self) -> str:
        """The name to show."""
        return self.certificate.name

    @property
    def serial(self) -> bytes:
        """The serial number's content octets."""
        return self._fields[0].content

    @property
    def inner_algorithm(self) -> bytes:
        """The signature algorithm inside the signed part, as DER."""
        return self._fields[1].encoded

    @property
    def outer_algorithm(self) -> bytes:
        """The signature algorithm beside the signature, as DER."""
        return self._outer[1].encoded

    @property
    def issuer(self) -> bytes:
        """The issuer's name as DER."""
        return self._fields[2].encoded

    @property
    def subject(self) -> bytes:
        """The subject's name as DER."""
        return self._fields[4].encoded

    @property
    def dates(self) -> list[_der.Element]:
        """The two dates, undecoded: the tag says which kind of time each is."""
        return self._fields[3].children()

    @property
    def key_algorithm(self) -> bytes:
        """The public key's AlgorithmIdentifier as DER."""
        return self._fields[5].children()[0].encoded

    @cached_property
    def key(self) -> bytes:
        """The SubjectPublicKeyInfo as DER."""
        return self._fields[5].encoded

    @property
    def self_issued(self) -> bool:
        """Whether subject and issuer are one name."""
        return self.issuer == self.subject

    @cached_property
    def extensions(self) -> tuple[Extension, ...]:
        """Every extension, each parsed by itself."""
        return self.certificate.extensions

    @cached_property
    def duplicates(self) -> tuple[str, ...]:
        """The names of extensions that are there twice."""
        seen: set[str] = set()
        found = []
        for item in self.extensions:
            if item.oid in seen:
                found.append(item.name)
            seen.add(item.oid)
        return tuple(found)

    def extension(self, oid: str) -> Extension | None:
        """Return the first extension of that OID."""
        return next((item for item in self.extensions if item.oid == oid), None)

    @cached_property
    def san_error(self) -> str | None:
        """Why the alternative names cannot be read; None if they can or are absent."""
        return self._san[1]

    @cached_property
    def sans(self) -> tuple[_names.Name, ...]:
        """The alternative names, undecoded; empty if absent or unreadable."""
        return self._san[0]

    @cached_property
    def _san(self) -> tuple[tuple[_names.Name, ...], str | None]:
        found = self.extension(SAN)
        if found is None:
            return (), None
        try:
            return _names.general_names(found.der), None
        except FormatError as error:
            return (), visible(error.what, 160)

    @cached_property
    def _subtrees(self) -> tuple[tuple[_names.Name, ...], tuple[_names.Name, ...], str | None]:
        found = self.extension(NC)
        if found is None:
            return (), (), None
        try:
            return (*_names.subtrees(found.der), None)
        except FormatError as error:
            return (), (), visible(error.what, 160)

    @property
    def permitted(self) -> tuple[_names.Name, ...]:
        """The names it permits below it; empty for all."""
        return self._subtrees[0]

    @property
    def excluded(self) -> tuple[_names.Name, ...]:
        """The names it excludes below it."""
        return self._subtrees[1]

    @property
    def names_constrained(self) -> tuple[_names.Name, ...]:
        """Every name in its constraints."""
        return self.permitted + self.excluded

    @cached_property
    def must_compare_directories(self) -> bool:
        """Whether its name constraints are critical and constrain distinguished names."""
        found = self.extension(NC)
        directories = any(kind == _names.DIRECTORY for kind, _ in self.names_constrained)
        return found is not None and found.critical and directories

    @property
    def constraints_error(self) -> str | None:
        """Why its name constraints cannot be read; None if they can or are absent."""
        return self._subtrees[2]

    @cached_property
    def constraints(self) -> tuple[_names.Subtrees, _names.Subtrees] | None:
        """Permitted and excluded names, ready to compare; None without the extension."""
        if self.extension(NC) is None:
            return None
        return _names.Subtrees(self.permitted), _names.Subtrees(self.excluded)

    @property
    def basic(self) -> x509.BasicConstraints | None:
        """The basic constraints, if they are there and readable."""
        found = self.extension(BC)
        return found.value if found is not None and isinstance(found.value, x509.BasicConstraints) else None

    @property
    def is_ca(self) -> bool:
        """Whether basicConstraints says CA=true."""
        return self.basic is not None and self.basic.ca

    @property
    def key_usage(self) -> x509.KeyUsage | None:
        """The key usage, if it is there and readable."""
        found = self.extension(KU)
        return found.value if found is not None and isinstance(found.value, x509.KeyUsage) else None

    @cached_property
    def usages(self) -> tuple[str, ...] | None:
        """The extended key usages by name; None without the extension."""
        found = self.extension(EKU)
        if found is None or not isinstance(found.value, x509.ExtendedKeyUsage):
            return None
        return tuple(EKU_NAMES.get(oid.dotted_string, oid.dotted_string) for oid in found.value)

    @cached_property
    def authority_key(self) -> bytes | None:
        """The key identifier that its authorityKeyIdentifier names, if any."""
        found = self.extension(AKI)
        if found is None:
            return None
        try:
            parts = _der.read(found.der).children()
        except FormatError:
            return None
        return next((part.content for part in parts if part.tag == 0x80), None)

    @cached_property
    def subject_key(self) -> bytes | None:
        """Its own key identifier, if it has one."""
        found = self.extension(SKI)
        if found is None or not isinstance(found.value, x509.SubjectKeyIdentifier):
            return None
        return found.value.digest

    def position(self, depth: int | None) -> str:
        """Return the word for its place: leaf, intermediate or root."""
        if depth == 0 or (depth is None and self.index == 0):
            return "leaf"
        return "root" if self.trusted or self.self_issued else "intermediate"

    def describe(self, depth: int | None = None) -> str:
        """Return how a sentence names it."""
        return f"the {self.position(depth)} “{self.name}”"

    @property
    def window(self) -> str:
        """Its validity as text."""
        return f"{self.certificate.not_before:%Y-%m-%d %H:%M:%S} to {self.certificate.not_after:%Y-%m-%d %H:%M:%S} UTC"
