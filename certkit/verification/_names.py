"""Names as X.509 compares them: host patterns, addresses, mailboxes, and the subtrees of name constraints.

Certificates may carry thousands of names and constraints to make a verifier compare each with each. Here
constraints are indexed: one name is compared with all of them in the time its labels take, and yet the
number of comparisons that a pairwise verifier would make is known exactly, because its limit decides
its verdict.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from certkit import _der
from certkit._text import visible
from certkit.errors import FormatError

__all__ = ["Name", "Outcome", "Subtrees", "general_names", "host_name", "matches_host", "subtrees", "text"]

Name = tuple[int, bytes]
"""A GeneralName: its number in RFC 5280's CHOICE, and its content octets."""

OTHER, MAIL, DNS, X400, DIRECTORY, EDI, URI, ADDRESS, REGISTERED = range(9)
_KINDS = ("otherName", "email", "DNS", "x400Address", "DirName", "ediPartyName", "URI", "IP", "RID")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_ATOM = r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")


def _general_name(element: _der.Element) -> Name:
    number = element.tag & 0x1F
    if element.tag >> 6 != 2 or number > REGISTERED:
        raise FormatError("a name of no known kind", on=f"tag 0x{element.tag:02x}", kind="bad-name")
    if bool(element.tag & 0x20) != (number in {OTHER, X400, DIRECTORY, EDI}):
        raise FormatError("a name with the wrong tag", on=f"tag 0x{element.tag:02x}", kind="bad-name")
    content = element.content
    if number in {MAIL, DNS, URI}:
        try:
            content.decode("utf-8")
        except UnicodeDecodeError:
            raise FormatError("a name that is no text", on=content[:20].hex(), kind="bad-name") from None
    if number == DIRECTORY:
        _der.read(content).children()
    return number, content


def _sequence(der: bytes) -> _der.Element:
    element = _der.read(der)
    if element.tag != _der.SEQUENCE or element.end != len(der):
        raise FormatError("this is no SEQUENCE", on=der[:16].hex(), kind="bad-name")
    return element


def general_names(der: bytes) -> tuple[Name, ...]:
    """Return the names of a GeneralNames sequence (RFC 5280, 4.2.1.6).

    Raises
    ------
    FormatError
        If it is no such sequence.
    """
    names = tuple(_general_name(element) for element in _sequence(der).children())
    if not names:
        raise FormatError("no name at all", on="an empty sequence", kind="bad-name")
    return names


def subtrees(der: bytes) -> tuple[tuple[Name, ...], tuple[Name, ...]]:
    """Return the permitted and the excluded names of a NameConstraints value (RFC 5280, 4.2.1.10).

    Raises
    ------
    FormatError
        If it is no such value.
    """
    lists: dict[int, tuple[Name, ...]] = {}
    for part in _sequence(der).children():
        if part.tag not in (0xA0, 0xA1) or part.tag in lists:
            raise FormatError("not permitted nor excluded names", on=f"tag 0x{part.tag:02x}", kind="bad-name")
        lists[part.tag] = tuple(_subtree(element) for element in part.children())
    return lists.get(0xA0, ()), lists.get(0xA1, ())


def _subtree(element: _der.Element) -> Name:
    parts = element.children()
    if not parts:
        raise FormatError("a subtree without a name", on=element.encoded.hex(), kind="bad-name")
    return _general_name(parts[0])


def text(name: Name) -> str:
    """Return a name with its kind in front, hidden characters escaped.

    Examples
    --------
    >>> text((DNS, b"shop.example.test")), text((ADDRESS, bytes([10, 0, 0, 0, 255, 0, 0, 0])))
    ('DNS:shop.example.test', 'IP:10.0.0.0/8')
    """
    kind, content = name
    if kind in (MAIL, DNS, URI):
        return f"{_KINDS[kind]}:{visible(content.decode('utf-8', 'replace'), 120)}"
    if kind == ADDRESS:
        return f"IP:{_address_text(content)}"
    if kind == DIRECTORY:
        return f"DirName:{_directory_text(content)}"
    return f"{_KINDS[kind]}:{content[:24].hex()}"


def _address_text(content: bytes) -> str:
    if len(content) in (4, 16):
        return str(ipaddress.ip_address(content))
    half = len(content) // 2
    if len(content) in (8, 32):
        prefix = _prefix(content[half:])
        mask = str(ipaddress.ip_address(content[half:])) if prefix is None else str(prefix)
        return f"{ipaddress.ip_address(content[:half])}/{mask}"
    return content.hex()


def _directory_text(content: bytes) -> str:
    parts = []
    for _, oid, value in _attributes(content):
        parts.append(f"{_SHORT.get(oid, oid)}={visible(value, 60)}")
    return ",".join(parts) or "empty"


_SHORT = {"2.5.4.3": "CN", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.10": "O", "2.5.4.11": "OU"}


def _attributes(content: bytes) -> list[tuple[int, str, str]]:
    found = []
    try:
        for number, rdn in enumerate(_der.read(content).children()):
            for attribute in rdn.children():
                oid, value = attribute.children()[:2]
                encoding = "utf-16-be" if value.tag == 0x1E else "utf-8"
                found.append(
                    (number, _der.oid_text(oid.content), value.content.decode(encoding, "backslashreplace"))
                )
    except (FormatError, ValueError):
        return found
    return found


def attribute_count(name: bytes) -> int:
    """Return how many attributes a distinguished name has."""
    try:
        return sum(len(rdn.children()) for rdn in _der.read(name).children())
    except FormatError:
        return 0


def canonical(name: bytes) -> tuple[frozenset[tuple[str, str]], ...]:
    """Return a distinguished name for comparison: case folded, white space collapsed (RFC 5280, 7.1).

    Examples
    --------
    >>> from cryptography import x509
    >>> one, two = (x509.Name.from_rfc4514_string(text).public_bytes() for text in ("CN=A  b", "CN=a B"))
    >>> canonical(one) == canonical(two)
    True
    """
    rdns: dict[int, set[tuple[str, str]]] = {}
    for number, oid, value in _attributes(name):
        rdns.setdefault(number, set()).add((oid, " ".join(value.split()).casefold()))
    return tuple(frozenset(values) for values in rdns.values())


def host_name(value: str) -> str | None:
    """Return a host name in lower case, or None if it is none (RFC 1034, 3.5; RFC 1123, 2.1).

    Examples
    --------
    >>> host_name("Shop.Example.test"), host_name("a_b.example.test"), host_name("example.test.")
    ('shop.example.test', None, None)
    """
    return value.lower() if len(value) <= 253 and _HOST.fullmatch(value) else None


@dataclass(frozen=True)
class Pattern:
    """A DNS name of a certificate: exact, or a wildcard for one label."""

    base: str
    wildcard: bool

    @classmethod
    def read(cls, content: bytes) -> Pattern | None:
        """Return the pattern, or None if it is malformed."""
        value = content.decode("utf-8", "replace")
        wildcard = value.startswith("*.")
        base = host_name(value[2:] if wildcard else value)
        return None if base is None else cls(base, wildcard)

    def covers(self, host: str) -> bool:
        """Return whether it covers a host name in lower case (RFC 9525, 6.3)."""
        return host.partition(".")[2] == self.base if self.wildcard else host == self.base


def matches_host(names: Iterable[Name], host: str) -> bool:
    """Return whether one of the names covers a host: a DNS name in lower case, or an IP address."""
    try:
        address = ipaddress.ip_address(host).packed
    except ValueError:
        patterns = (Pattern.read(content) for kind, content in names if kind == DNS)
        return any(pattern is not None and pattern.covers(host) for pattern in patterns)
    return any(kind == ADDRESS and content == address for kind, content in names)


def mailbox(value: str) -> tuple[str, str] | None:
    """Return local part and domain (in lower case) of a mail address, or None (RFC 5321, 4.1.2)."""
    local, at, domain = value.partition("@")
    host = host_name(domain)
    if not at or host is None or not _LOCAL.fullmatch(local):
        return None
    return local, host


def _prefix(mask: bytes) -> int | None:
    bits = int.from_bytes(mask, "big")
    size = len(mask) * 8
    length = bits.bit_count()
    return length if bits == ((1 << length) - 1) << (size - length) else None


@dataclass(frozen=True)
class Outcome:
    """What came of comparing one name with a list of constraints.

    Attributes
    ----------
    result : str
        ``"skipped"`` (no constraint of this kind), ``"match"``, ``"no-match"``, ``"malformed-name"``,
        ``"malformed-constraint"`` or ``"unsupported"``.
    comparisons : int
        How many a verifier makes that goes through the list until it knows.
    constraint : Name or None
        The constraint that decided, if one did.
    """

    result: str
    comparisons: int
    constraint: Name | None = None


class Subtrees:
    """A list of name constraints, indexed."""

    def __init__(self, names: tuple[Name, ...]) -> None:
        self.names = names
        self.first: dict[int, int] = {}
        self.bad: dict[int, int] = {}
        self.dns: dict[str, int] = {}
        self.dns_parents: dict[str, int] = {}
        self.networks: dict[tuple[int, int, int], int] = {}
        self.mail: dict[tuple[str, str], int] = {}
        for number, (kind, content) in enumerate(names):
            self.first.setdefault(kind, number)
            if not self._add(number, kind, content):
                self.bad.setdefault(kind, number)

    def __len__(self) -> int:
        return len(self.names)

    def _add(self, number: int, kind: int, content: bytes) -> bool:
        if kind == DNS:
            host = host_name(content.decode("utf-8", "replace"))
            if host is None:
                return False
            self.dns.setdefault(host, number)
            if "." in host:
                self.dns_parents.setdefault(host.partition(".")[2], number)
        elif kind == ADDRESS:
            half = len(content) // 2
            prefix = _prefix(content[half:]) if len(content) in (8, 32) else None
            if prefix is None:
                return False
            shift = half * 8 - prefix
            network = int.from_bytes(content[:half], "big") >> shift
            self.networks.setdefault((half, shift, network), number)
        elif kind == MAIL:
            return self._add_mail(number, content.decode("utf-8", "replace"))
        return True

    def _add_mail(self, number: int, value: str) -> bool:
        inside = value.startswith(".")
        box = None if inside else mailbox(value)
        host = box[1] if box else host_name(value[1:] if inside else value)
        if host is None:
            return False
        # "." cannot be a local part, nor can "": they mark "in this domain" and "on this host".
        self.mail.setdefault((box[0] if box else "." if inside else "", host), number)
        return True

    @cached_property
    def shifts(self) -> set[tuple[int, int]]:
        """The address sizes and prefix lengths in use."""
        return {(half, shift) for half, shift, _ in self.networks}

    def compare(self, name: Name, *, excluded: bool) -> Outcome:
        """Compare one name with the list, as a verifier does that stops at the first match or error."""
        kind, content = name
        first = self.first.get(kind)
        if first is None:
            return Outcome("skipped", len(self))
        if kind not in (DNS, ADDRESS, MAIL):
            return Outcome("unsupported", first + 1, self.names[first])
        hits = self._hits(kind, content, excluded)
        if hits is None:
            return Outcome("malformed-name", first + 1, self.names[first])
        hit = min(hits, default=None)
        bad = self.bad.get(kind)
        if bad is not None and (hit is None or bad < hit):
            return Outcome("malformed-constraint", bad + 1, self.names[bad])
        if hit is not None:
            return Outcome("match", hit + 1, self.names[hit])
        return Outcome("no-match", len(self))

    def _hits(self, kind: int, content: bytes, excluded: bool) -> list[int] | None:
        """Return the numbers of the constraints that match, or None if the name is malformed."""
        if kind == DNS:
            return self._dns_hits(content, excluded)
        if kind == ADDRESS:
            if len(content) not in (4, 16):
                return None
            value = int.from_bytes(content, "big")
            keys = ((half, shift, value >> shift) for half, shift in self.shifts if half == len(content))
            return [self.networks[key] for key in keys if key in self.networks]
        box = mailbox(content.decode("utf-8", "replace"))
        if box is None:
            return None
        above = [(".", host) for host in _suffixes(box[1])[1:]]
        return [self.mail[key] for key in (box, ("", box[1]), *above) if key in self.mail]

    def _dns_hits(self, content: bytes, excluded: bool) -> list[int] | None:
        pattern = Pattern.read(content)
        if pattern is None:
            return None
        hits = [self.dns[host] for host in _suffixes(pattern.base) if host in self.dns]
        # *.example.test covers a.example.test: excluding the one name excludes the pattern.
        if excluded and pattern.wildcard and pattern.base in self.dns_parents:
            hits.append(self.dns_parents[pattern.base])
        return hits


def _suffixes(host: str) -> list[str]:
    labels = host.split(".")
    return [".".join(labels[start:]) for start in range(len(labels))]
