"""DER, the bytes under every certificate: tag, length, value (X.690, sections 8 and 10).

`read` takes one element, `children` walks a constructed one, `tag_name` says what a tag byte means.
Nothing here recurses by itself: the caller decides how deep to go.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from certkit.errors import FormatError

UNIVERSAL_TAGS = {
    0x01: "BOOLEAN",
    0x02: "INTEGER",
    0x03: "BIT STRING",
    0x04: "OCTET STRING",
    0x05: "NULL",
    0x06: "OBJECT IDENTIFIER",
    0x0A: "ENUMERATED",
    0x0C: "UTF8String",
    0x10: "SEQUENCE",
    0x11: "SET",
    0x12: "NumericString",
    0x13: "PrintableString",
    0x14: "TeletexString",
    0x16: "IA5String",
    0x17: "UTCTime",
    0x18: "GeneralizedTime",
    0x1A: "VisibleString",
    0x1C: "UniversalString",
    0x1E: "BMPString",
}

SEQUENCE = 0x30
SET = 0x31
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
OBJECT_IDENTIFIER = 0x06


@dataclass(frozen=True, slots=True)
class Element:
    """One tag-length-value element and where it stands in its buffer.

    Attributes
    ----------
    data : bytes
        The whole buffer.
    tag : int
        The identifier octet, e.g. 0x30 for a SEQUENCE. High tag numbers (31 and more) are refused:
        no X.509 or PKCS structure uses them.
    start, body, end : int
        Offsets of the identifier octet, of the first content byte, and one past the last.
    """

    data: bytes
    tag: int
    start: int
    body: int
    end: int

    @property
    def content(self) -> bytes:
        """The value, without tag and length."""
        return self.data[self.body : self.end]

    @property
    def encoded(self) -> bytes:
        """The whole element: tag, length and value."""
        return self.data[self.start : self.end]

    @property
    def constructed(self) -> bool:
        """Whether the value is itself made of elements."""
        return bool(self.tag & 0x20)

    def children(self) -> list[Element]:
        """Return the elements inside a constructed one.

        Raises
        ------
        FormatError
            If an inner element runs past the end of this one.
        """
        return list(walk(self.data, self.body, self.end))


def read(data: bytes, offset: int = 0, limit: int | None = None) -> Element:
    r"""Read the element at `offset`.

    Parameters
    ----------
    data : bytes
        The buffer.
    offset : int
        Where the identifier octet stands.
    limit : int, optional
        One past the last byte that may be used; the end of `data` by default.

    Raises
    ------
    FormatError
        If the element is cut short, its length is not definite (BER), or the tag number is over 30.

    Examples
    --------
    >>> element = read(b"\x30\x03\x02\x01\x05")
    >>> tag_name(element.tag), [tag_name(child.tag) for child in element.children()]
    ('SEQUENCE', ['INTEGER'])
    """
    end = len(data) if limit is None else limit
    if offset + 2 > end:
        raise FormatError(
            "the DER data ends in the middle of an element", on=f"offset {offset}", kind="truncated"
        )
    tag = data[offset]
    if tag & 0x1F == 0x1F:
        raise FormatError("this DER tag number is over 30", on=f"offset {offset}", kind="bad-tag")
    first = data[offset + 1]
    body = offset + 2
    if first < 0x80:
        length = first
    else:
        size = first & 0x7F
        if size == 0 or size > 4:
            raise FormatError(
                "this is no definite DER length",
                on=f"offset {offset + 1}, byte 0x{first:02x}",
                kind="bad-length",
            )
        if body + size > end:
            raise FormatError(
                "the DER data ends in the middle of a length", on=f"offset {offset + 1}", kind="truncated"
            )
        length = int.from_bytes(data[body : body + size], "big")
        body += size
    if body + length > end:
        raise FormatError(
            f"the DER data ends early: {length:,} bytes announced, {end - body:,} there",
            on=f"offset {offset}",
            kind="truncated",
        )
    return Element(data, tag, offset, body, body + length)


def walk(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Element]:
    """Yield the elements that follow each other from `start` to `end`."""
    stop = len(data) if end is None else end
    while start < stop:
        element = read(data, start, stop)
        yield element
        start = element.end


def tag_name(tag: int) -> str:
    """Return the name of an identifier octet (X.690, 8.1.2).

    Examples
    --------
    >>> tag_name(0x30), tag_name(0x02), tag_name(0xA3)
    ('SEQUENCE', 'INTEGER', '[3]')
    """
    number = tag & 0x1F
    family = tag >> 6
    if family == 0:
        return UNIVERSAL_TAGS.get(number, f"UNIVERSAL {number}")
    return ("", "[APPLICATION {}]", "[{}]", "[PRIVATE {}]")[family].format(number)


def encode(tag: int, *contents: bytes) -> bytes:
    """Return an element with definite length.

    Examples
    --------
    >>> encode(INTEGER, bytes([5])).hex()
    '020105'
    """
    body = b"".join(contents)
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def oid_text(content: bytes) -> str:
    """Return an OBJECT IDENTIFIER's content as dotted numbers (X.690, 8.19).

    Examples
    --------
    >>> oid_text(bytes.fromhex("551d11"))
    '2.5.29.17'
    """
    arcs: list[int] = []
    value = 0
    for byte in content:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(value)
            value = 0
    if not arcs or content[-1] & 0x80:
        raise FormatError("this object identifier is cut short", on=content.hex(), kind="bad-oid")
    first = min(arcs[0] // 40, 2)
    return ".".join(str(arc) for arc in (first, arcs[0] - 40 * first, *arcs[1:]))


def encode_oid(dotted: str) -> bytes:
    """Return an OBJECT IDENTIFIER element.

    Examples
    --------
    >>> encode_oid("2.5.29.17").hex()
    '0603551d11'
    """
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    body = bytearray()
    for arc in (first * 40 + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        body += bytes(reversed(groups))
    return encode(OBJECT_IDENTIFIER, bytes(body))


def integer(element: Element) -> int:
    r"""Return the value of an INTEGER element.

    Raises
    ------
    FormatError
        If it is no INTEGER, is empty, or is longer than any number in a keystore.

    Examples
    --------
    >>> integer(read(b"\x02\x02\x08\x00"))
    2048
    """
    if element.tag != INTEGER or not 0 < element.end - element.body <= 4096:
        raise FormatError(
            f"an INTEGER is expected and {tag_name(element.tag)} is there",
            on=f"offset {element.start}",
            kind="not-an-integer",
        )
    return int.from_bytes(element.content, "big", signed=True)


def encode_integer(value: int) -> bytes:
    """Return an INTEGER element.

    Examples
    --------
    >>> encode_integer(2048).hex(), encode_integer(200).hex()
    ('02020800', '020200c8')
    """
    return encode(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))
