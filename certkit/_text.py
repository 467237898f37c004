"""Text that comes from certificates and peers, made safe to show.

A subject may hold control characters, bidirectional overrides or 64 kB of text: shown raw, it can
rewrite a terminal or fake another name. Here such characters become visible escapes.
"""

from __future__ import annotations

import unicodedata

# Cc control, Cf format (bidirectional marks, zero width), Cs surrogates, Co private, Cn unassigned,
# Zl and Zp line separators: none of them shows, all of them can mislead.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(text: str, limit: int = 300) -> str:
    r"""Return `text` with every hidden character escaped, cut at `limit` characters.

    Examples
    --------
    >>> print(visible("evil\u202egnp.exe"))
    evil\u202egnp.exe
    >>> visible("a" * 400, limit=10)
    'aaaaaaaaa…'
    """
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(char) if unicodedata.category(char) in _HIDDEN else char for char in text)


def _escape(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def hexdump(data: bytes, *, start: int = 0, length: int = 256) -> str:
    r"""Return `data` as offset, hexadecimal and characters, 16 bytes a line.

    Examples
    --------
    >>> print(hexdump(b"POST /users HTTP/1.1\r\n"))
    0000  50 4f 53 54 20 2f 75 73 65 72 73 20 48 54 54 50  POST /users HTTP
    0010  2f 31 2e 31 0d 0a                                /1.1..
    """
    lines = []
    part = data[start : start + length]
    for offset in range(0, len(part), 16):
        row = part[offset : offset + 16]
        characters = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)
        lines.append(f"{start + offset:04x}  {row.hex(' '):<47}  {characters}")
    if start + length < len(data):
        lines.append(f"      … {len(data) - start - length} more bytes")
    return "\n".join(lines)


def count(number: int, noun: str, plural: str = "") -> str:
    """Return number and noun, in singular or plural.

    Examples
    --------
    >>> count(1, "certificate"), count(2, "certificate"), count(0, "entry", "entries")
    ('1 certificate', '2 certificates', '0 entries')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
