"""BER made DER: indefinite lengths and strings in pieces, as old Windows, NSS and Netscape wrote them."""

from __future__ import annotations

from certkit import _der
from certkit.errors import FormatError
from certkit.formats.limits import MAX_ENTRIES, check_count, check_depth

__all__ = ["definite"]

_OCTETS_IN_PIECES = _der.OCTET_STRING | 0x20


def definite(data: bytes) -> bytes:
    r"""Return the first element of `data` with definite lengths and whole octet strings (X.690, 8.1.3.6, 8.7.3).

    Raises
    ------
    FormatError
        If it is cut short, or not BER either.
    LimitError
        If it is nested or divided more than any real file.

    Examples
    --------
    >>> definite(b"\x30\x80\x02\x01\x05\x00\x00").hex()
    '3003020105'
    """
    budget = [MAX_ENTRIES]
    encoded, _ = _element(data, 0, len(data), 0, budget)
    return encoded


def _element(data: bytes, offset: int, limit: int, depth: int, budget: list[int]) -> tuple[bytes, int]:
    check_depth(depth)
    budget[0] -= 1
    check_count(MAX_ENTRIES - budget[0], "elements")
    if offset + 2 > limit:
        raise FormatError("the BER data ends early", on=f"offset {offset}", kind="truncated")
    tag = data[offset]
    if data[offset + 1] == 0x80:
        if not tag & 0x20:
            raise FormatError("this is no BER length", on=f"offset {offset + 1}", kind="bad-length")
        parts, end = _until_end(data, offset + 2, limit, depth, budget)
        return _rebuilt(tag, parts), end
    element = _der.read(data, offset, limit)
    if not element.constructed:
        return element.encoded, element.end
    parts = []
    position = element.body
    while position < element.end:
        part, position = _element(data, position, element.end, depth + 1, budget)
        parts.append(part)
    return _rebuilt(tag, parts), element.end


def _until_end(
    data: bytes, position: int, limit: int, depth: int, budget: list[int]
) -> tuple[list[bytes], int]:
    parts = []
    while data[position : position + 2] != b"\0\0":
        part, position = _element(data, position, limit, depth + 1, budget)
        parts.append(part)
    return parts, position + 2


def _rebuilt(tag: int, parts: list[bytes]) -> bytes:
    whole = all(part[0] == _der.OCTET_STRING for part in parts)
    if whole and (tag == _OCTETS_IN_PIECES or (tag & 0xE0 == 0xA0 and len(parts) > 1)):
        # An IMPLICIT [0] OCTET STRING in pieces is 0xA0 in BER and 0x80 in DER.
        primitive = tag & ~0x20
        return _der.encode(primitive, *(_der.read(part).content for part in parts))
    return _der.encode(tag, *parts)
