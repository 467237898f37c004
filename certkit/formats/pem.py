"""PEM (RFC 7468): base64 between BEGIN and END lines, with any text around; and base64 without them."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from certkit.errors import FormatError, LimitError
from certkit.formats.limits import MAX_BASE64_BYTES, MAX_ENTRIES, check_count

__all__ = ["Block", "bare_base64", "decode_base64", "looks_like_armor", "pem_blocks", "text_of", "write_pem"]

_MARK = re.compile(rb"-----(BEGIN|END) ([A-Z0-9][A-Z0-9 #./_-]{0,60}?)-----", re.ASCII)
_HEADER = re.compile(rb"^[ \t]*([A-Za-z0-9-]{1,64}):[ \t]*(.*?)[ \t\r]*$", re.ASCII)
_FRIENDLY = re.compile(rb"^[ \t]*friendlyName:[ \t]*([^\r\n]{1,500})", re.ASCII | re.MULTILINE)
# How far above its BEGIN line a block's bag attributes may stand.
_ALIAS_REACH = 2000
_SPACES = bytes.maketrans(b"\t\r\n", b"   ")
_NO_LINES = dict.fromkeys((*range(32), 127, 133, 8232, 8233), " ")
_DER_LETTERS = tuple(b"M" + bytes([letter]) for letter in b"ABCDEFGHIJKLMNOP")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]*={0,2}", re.ASCII)
_EITHER_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]*={0,2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Block:
    """One PEM block.

    Attributes
    ----------
    label : str
        Between BEGIN and the hyphens, e.g. ``"CERTIFICATE"``.
    data : bytes
        What the base64 stands for; empty if it cannot be decoded.
    text : bytes
        The block as it stands, from BEGIN to END.
    line : int
        The line of its BEGIN, from 1.
    headers : tuple of (str, str)
        RFC 1421 headers, as in OpenSSL's encrypted keys.
    alias : str or None
        The friendlyName that stands above it, as `openssl pkcs12` prints it; None without.
    error : FormatError or None
        Why the base64 cannot be decoded; else None.
    """

    label: str
    data: bytes = field(repr=False)
    text: bytes = field(repr=False)
    line: int
    headers: tuple[tuple[str, str], ...] = ()
    alias: str | None = None
    error: FormatError | None = None


def text_of(data: bytes) -> bytes:
    r"""Return text in bytes: a byte order mark removed, UTF-16 (a PowerShell habit) made UTF-8.

    Examples
    --------
    >>> text_of(b"\xef\xbb\xbfabc"), text_of("abc".encode("utf-16"))
    (b'abc', b'abc')
    """
    if data.startswith(b"\xef\xbb\xbf"):
        return data[3:]
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace").encode("utf-8", "replace")
    return data


def pem_blocks(data: bytes) -> list[Block]:
    r"""Return every PEM block in order; text around and between them is passed over.

    Parameters
    ----------
    data : bytes
        Text, in any of the usual encodings and line ends.

    Raises
    ------
    LimitError
        If there are more blocks than any real file holds.

    Examples
    --------
    >>> [block.label for block in pem_blocks(b"hello -----BEGIN X-----\nAAAA\n-----END X-----")]
    ['X']
    """
    text = text_of(data)
    # Counted before any is read: a hundred thousand broken ones cost more than they are worth.
    begins = (mark for mark in _MARK.finditer(text) if mark.group(1) == b"BEGIN")
    check_count(sum(1 for _ in islice(begins, MAX_ENTRIES + 1)), "PEM blocks")
    return list(_scan(text))


def _scan(text: bytes) -> Iterator[Block]:
    opened: re.Match[bytes] | None = None
    line, counted, closed = 1, 0, 0
    for mark in _MARK.finditer(text):
        if opened is not None:
            if mark.group(1) == b"END" and mark.group(2) == opened.group(2):
                alias = _alias(text[max(closed, opened.start() - _ALIAS_REACH) : opened.start()])
                yield _block(text, opened, mark, line, alias)
            else:
                yield _unended(opened, mark, line)
        if mark.group(1) == b"END":
            closed = mark.end()
        opened = mark if mark.group(1) == b"BEGIN" else None
        line += text.count(b"\n", counted, mark.start())
        counted = mark.start()
    if opened is not None:
        yield _unended(opened, None, line)


def _alias(before: bytes) -> str | None:
    found = _FRIENDLY.findall(before)
    return found[-1].decode("utf-8", "replace").strip() if found else None


def _unended(opened: re.Match[bytes], mark: re.Match[bytes] | None, line: int) -> Block:
    name = opened.group(2).decode("ascii")
    if mark is not None and mark.group(1) == b"END":
        what = f"a PEM block begins as {name} and ends as {mark.group(2).decode('ascii')}"
        kind, hint = "pem-wrong-armor", "make the END line say the same as the BEGIN line"
    else:
        what = f"a PEM block begins and does not end: END {name} is missing"
        kind, hint = "pem-cut", "copy the whole block, from BEGIN to END, both lines included"
    error = FormatError(what, on=f"line {line}", hint=hint, cause="tampered-or-corrupt", kind=kind)
    return Block(name, b"", b"", line, error=error)


def _block(
    text: bytes, opened: re.Match[bytes], mark: re.Match[bytes], line: int, alias: str | None
) -> Block:
    headers, content = _split_headers(text[opened.end() : mark.start()])
    whole, name = text[opened.start() : mark.end()], opened.group(2).decode("ascii")
    try:
        return Block(name, decode_base64(content), whole, line, headers, alias)
    except FormatError as error:
        placed = FormatError(
            error.what, on=f"PEM block at line {line}", hint=error.hint, cause=error.cause, kind=error.kind
        )
        return Block(name, b"", whole, line, headers, alias, placed)


def _split_headers(body: bytes) -> tuple[tuple[tuple[str, str], ...], bytes]:
    if b":" not in body:
        return (), body
    headers: list[tuple[str, str]] = []
    lines = body.lstrip().splitlines()
    for number, line in enumerate(lines):
        found = _HEADER.match(line)
        if found is not None:
            headers.append((found.group(1).decode("ascii"), found.group(2).decode("latin-1")))
        elif line.strip() and not (headers and line[:1] in b" \t"):
            return tuple(headers), b"\n".join(lines[number:])
    return tuple(headers), b""


def decode_base64(text: bytes) -> bytes:
    r"""Return what base64 text stands for; white space is passed over, nothing else is.

    Raises
    ------
    FormatError
        If a character does not belong, the padding is wrong, or characters are missing.

    Examples
    --------
    >>> decode_base64(b"AQID\nBA==")
    b'\x01\x02\x03\x04'
    """
    packed = text.translate(_SPACES).replace(b" ", b"")
    match = _BASE64.match(packed)
    good = match.end() if match is not None else 0
    if good != len(packed):
        raise _bad_character(packed, good)
    letters = packed.rstrip(b"=")
    if not letters:
        raise FormatError("there is no base64 in it", cause="tampered-or-corrupt", kind="base64-empty")
    if len(letters) % 4 == 1:
        raise FormatError(
            f"the base64 has {len(letters):,} characters: at least one was lost",
            hint="copy it again, whole; four characters stand for three bytes",
            cause="tampered-or-corrupt",
            kind="base64-cut",
        )
    if len(packed) % 4:
        raise FormatError(
            f"the base64 is padded wrongly: {len(packed) - len(letters)} '=' where "
            f"{-len(letters) % 4} belong, or {-len(letters) % 4} characters were lost",
            hint="copy it again, whole, with the = at its end",
            cause="tampered-or-corrupt",
            kind="base64-padding",
        )
    return binascii.a2b_base64(packed)


def _bad_character(packed: bytes, at: int) -> FormatError:
    byte = packed[at]
    if byte in b"-_":
        return FormatError(
            "this is base64url (with - and _), and PEM takes plain base64",
            hint="replace - by + and _ by /",
            cause="tampered-or-corrupt",
            kind="base64url",
        )
    if packed[at : at + 2] in {b"\\n", b"\\r"}:
        return FormatError(
            "the line ends are written as a backslash and a letter",
            hint="printf '%b' \"$TEXT\" > file.pem, to make them real",
            cause="tampered-or-corrupt",
            kind="escaped-newlines",
        )
    if byte == 0x3D:
        return FormatError(
            "a = stands in the middle of the base64",
            hint="the = signs belong to the end; two texts may have been joined",
            cause="tampered-or-corrupt",
            kind="base64-padding",
        )
    shown = chr(byte) if 0x20 < byte < 0x7F else f"byte 0x{byte:02x}"
    return FormatError(
        f"{shown!r} is no base64 character (after {at:,} good ones)",
        hint="copy it again from the source, as plain text",
        cause="tampered-or-corrupt",
        kind="base64-character",
    )


def looks_like_armor(data: bytes) -> bool:
    """Return whether there is something like a BEGIN line, right or wrong."""
    text = text_of(data)
    at = text.find(b"BEGIN ")
    while at >= 0:
        if b"-" in text[max(at - 2, 0) : at]:
            return True
        at = text.find(b"BEGIN ", at + 1)
    return False


def bare_base64(data: bytes) -> bytes | None:
    """Return the DER, keystore or PEM that bare base64 stands for, or None if it is no such base64.

    Raises
    ------
    FormatError
        If it begins as the base64 of one of them and then is cut or padded wrongly.

    Examples
    --------
    >>> bare_base64(b"no base64") is None
    True
    """
    text = text_of(data).strip()
    # 30 82 is MI in base64 (other lengths: MA to MP), FE ED FE ED is /u3+7Q, CE CE CE CE zs7Ozg, "-----" LS0tLS.
    if not text.startswith((*_DER_LETTERS, b"/u3+7", b"zs7Oz", b"LS0tLS1C")):
        return None
    sample = text[:4096].translate(_SPACES).replace(b" ", b"")
    good = _EITHER_BASE64.match(sample)
    if len(sample) < 24 or good is None or good.end() < min(len(sample), 64):
        return None
    if len(text) > MAX_BASE64_BYTES:
        raise LimitError(
            f"{len(text):,} bytes of base64, and at most {MAX_BASE64_BYTES:,} are read",
            hint="decode it first: base64 -d FILE > FILE2",
            kind="too-large",
        )
    return decode_base64(text)


def write_pem(label: str, der: bytes, alias: str = "") -> str:
    """Return one PEM block, 64 characters a line; an alias stands above it as `openssl pkcs12` prints it.

    Examples
    --------
    >>> print(write_pem("X", bytes(3)))
    -----BEGIN X-----
    AAAA
    -----END X-----
    <BLANKLINE>
    """
    text = binascii.b2a_base64(der, newline=False).decode("ascii")
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    shown = alias.translate(_NO_LINES).strip()
    above = ["Bag Attributes", f"    friendlyName: {shown}"] if shown and "-----" not in shown else []
    return "\n".join((*above, f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""))
