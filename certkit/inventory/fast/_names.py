"""Distinguished names as RFC 4514 text, each computed once."""

from __future__ import annotations

import re

from certkit._der import encode_oid
from certkit.inventory.fast._elements import Unusual, span

__all__ = ["name_text"]

_MOST_CACHED = 50_000
_names: dict[bytes, str] = {}
_parts: dict[bytes, str] = {}
# RFC 4514, section 3, and cryptography's choice of short names; the others show as numbers, and here only those
# that are usual in certificates of companies.
_ATTRIBUTES = {
    encode_oid(oid): name
    for oid, name in {
        "2.5.4.3": "CN", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.9": "STREET", "2.5.4.10": "O",
        "2.5.4.11": "OU", "0.9.2342.19200300.100.1.25": "DC", "0.9.2342.19200300.100.1.1": "UID",
    }.items()
} | {
    encode_oid(oid): oid
    for oid in ("2.5.4.5", "2.5.4.15", "2.5.4.17", "2.5.4.97", "1.2.840.113549.1.9.1", "1.3.6.1.4.1.311.60.2.1.3")
}  # fmt: skip
_SIMPLE = re.compile(r"[\w.*@/:()'-]+(?: [\w.*@/:()'-]+)*", re.ASCII)
_COUNTRIES = frozenset({"C", "1.3.6.1.4.1.311.60.2.1.3"})
_ESCAPED = str.maketrans({character: f"\\{character}" for character in '\\,+"<>;'})
_PLAIN_STRINGS = frozenset({0x0C, 0x13, 0x16})  # UTF8String, PrintableString, IA5String


def name_text(der: bytes) -> str:
    """Return a Name as RFC 4514 text: the last part first."""
    return _names.get(der) or _name(der)


def _name(der: bytes) -> str:
    found = []
    at, end = span(der, 0, len(der))
    while at < end:
        stop = span(der, at, end)[1]
        part = der[at:stop]
        found.append(_parts.get(part) or _part(part))
        at = stop
    text = ",".join(reversed(found))
    if len(text) > 1000:
        raise Unusual
    if len(_names) > _MOST_CACHED:
        _names.clear()
    _names[der] = text
    return text


def _part(der: bytes) -> str:
    """Return one part of a name, e.g. ``CN=shop``: one attribute of a known type in plain characters."""
    size = len(der)
    value_at = 6 + der[5]
    # A set of one sequence of a type and a value, each shorter than 128 bytes and filling the one around it.
    if (
        size >= 0x80
        or der[:4] != bytes((0x31, size - 2, 0x30, size - 4))
        or der[value_at + 1] != size - value_at - 2
    ):
        raise Unusual
    attribute, tag = _ATTRIBUTES.get(der[4:value_at]), der[value_at]
    if attribute is None or tag not in _PLAIN_STRINGS:
        raise Unusual
    value = der[value_at + 2 :].decode("utf-8" if tag == 0x0C else "ascii")
    if not 0 < len(value) <= 64 or (attribute in _COUNTRIES and len(value) != 2):
        raise Unusual
    if _SIMPLE.fullmatch(value):
        text = f"{attribute}={value}"
    # A space or # at an end is escaped in ways of its own, and hidden characters become visible ones: not here.
    elif value.isprintable() and value.strip() == value and not value.startswith("#"):
        text = f"{attribute}={value.translate(_ESCAPED)}"
    else:
        raise Unusual
    if len(_parts) > _MOST_CACHED:
        _parts.clear()
    _parts[der] = text
    return text
