"""The byte decoder: the number in Java's message is a byte of the file, and the byte says what the file is."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from certkit import _der
from certkit._files import Source, read_source
from certkit._html import Html, badge, definitions, tag
from certkit._text import visible
from certkit.errors import ArgumentError, CertkitError
from certkit.formats.byte_guesses import CHANGED, FIRST, GARBAGE, INSIDE, SECOND, WORDS_OF, Guess
from certkit.formats.damage import find_damage
from certkit.formats.items import FORMAT_NAMES
from certkit.formats.sniff import read_contents

__all__ = ["ByteClue", "decode_byte"]

_FIRST = "the first byte of the file"
_INSIDE = "the first byte inside the outer SEQUENCE (byte 5 of most files), where a PKCS#12 has its version"
_LENGTH = "a byte where a length is read: the second of the file, or one further in"


@dataclass(frozen=True)
class ByteClue:
    """What a message about a byte says: which byte, what it means, and what the file therefore is.

    Attributes
    ----------
    message : str
        The part of the message that was decoded.
    number : int or None
        The number in the message as it stands; None where the message has none.
    byte : int or None
        The byte of the file, 0 to 255; None where the message does not tell it.
    place : str
        Where in the file the byte stands.
    wanted : str
        What the reader looked for there.
    guess : Guess
        What the file therefore is, with the commands that make the right one.
    seen : str
        What the file itself showed, if it was given; else empty.
    offset : int or None
        Where the byte stands in the file given; None without a file, or if it is not there.
    """

    message: str
    number: int | None
    byte: int | None
    place: str
    wanted: str
    guess: Guess
    seen: str = ""
    offset: int | None = None

    @property
    def asn1(self) -> str:
        """What the byte is as an ASN.1 tag, or as a length; empty without a byte."""
        if self.byte is None:
            return ""
        if self.place is _LENGTH:
            if self.byte == 0x80:
                return "an indefinite length, of BER and not of DER"
            return f"a length of {self.byte & 0x7F} further bytes, and no file is that long"
        # Tag number 31 is DER's escape for larger numbers.
        name = "a tag over 30" if self.byte & 0x1F == 0x1F else _der.tag_name(self.byte)
        return f"{name}{', constructed' if self.byte & 0x20 and self.byte not in {0x30, 0x31} else ''}"

    @property
    def character(self) -> str:
        """What the byte is as a character, e.g. ``"-"``; empty if it is none that prints, or is unknown."""
        if self.byte is None:
            return ""
        return _CONTROL.get(self.byte) or (chr(self.byte) if 0x21 <= self.byte < 0x7F else "")

    @property
    def cause(self) -> str:
        """The cause id."""
        return self.guess.cause

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands that make the right file; FILE stands for the file at hand."""
        return self.guess.commands

    def __str__(self) -> str:
        lines = [f"the file is {self.guess.what}"] if self.guess.kind != "unknown" else [self.guess.what]
        if self.byte is not None:
            shown = f" ({self.character!r} as a character)" if self.character else ""
            said = "" if self.number == self.byte else f"; Java says {self.number}"
            lines.append(f"byte {self.byte} = 0x{self.byte:02X}{shown}{said}: {self.asn1}")
        lines.append(f"where: {self.place}; wanted there: {self.wanted}")
        if self.seen:
            lines.append(f"in the file: {self.seen}")
        lines += [f"try: {command}" for command in self.commands]
        return "\n".join(lines)

    def __repr__(self) -> str:
        byte = "no byte" if self.byte is None else f"0x{self.byte:02X}"
        return f"<ByteClue {byte}: {self.guess.kind}>"

    def to_dict(self) -> dict[str, object]:
        """Return it as plain values, for JSON."""
        return {
            "message": self.message,
            "number": self.number,
            "byte": self.byte,
            "character": self.character or None,
            "asn1": self.asn1 or None,
            "place": self.place,
            "wanted": self.wanted,
            "file_is": self.guess.kind,
            "what": self.guess.what,
            "cause": self.cause,
            "commands": list(self.commands),
            "seen": self.seen or None,
            "offset": self.offset,
        }

    def _repr_html_(self) -> Html:
        rows: list[tuple[object, object]] = [("the message", tag("code", self.message))]
        if self.byte is not None:
            shown = f"0x{self.byte:02X}, decimal {self.byte}"
            if self.number != self.byte:
                shown += f" (Java says {self.number})"
            rows += [("the byte", shown), ("as ASN.1", self.asn1)]
            rows.append(("as a character", self.character or "none that prints"))
        where = self.place if self.offset is None else f"{self.place}; in this file at offset {self.offset}"
        rows += [("where", where), ("wanted there", self.wanted)]
        if self.seen:
            rows.append(("in the file", self.seen))
        rows.append(("the file is", tag("span", badge("bad", self.cause), " ", self.guess.what)))
        commands = tag("ul", *(tag("li", tag("code", command)) for command in self.commands))
        rows.append(("try", commands))
        return definitions(rows, caption="The number is a byte of the file")


_CONTROL = {0x0A: "line feed", 0x0D: "carriage return", 0x20: "space", 0x09: "tab"}
_UNKNOWN = Guess(
    "unknown",
    "the message does not tell the byte: usually a bare certificate or a PKCS#7 where a PKCS#12 is wanted",
    "wrong-file-format",
    ("certkit inspect FILE, to see what it is", *INSIDE[0x30].commands[1:]),
)


def _inside(number: int) -> ByteClue:
    byte = number & 0xFF
    return ByteClue("", number, byte, _INSIDE, "02, an INTEGER: version 3", INSIDE.get(byte, CHANGED))


def _first(number: int) -> ByteClue:
    byte = number & 0xFF
    return ByteClue("", number, byte, _FIRST, "30, a SEQUENCE", FIRST.get(byte, GARBAGE))


def _length(number: int) -> ByteClue:
    byte = number | 0x80
    return ByteClue("", number, byte, _LENGTH, "a length of at most four bytes", SECOND.get(byte, GARBAGE))


def _go(tag_class: int, number: int, length: int, compound: str) -> ByteClue:
    byte = tag_class << 6 | (0x20 if compound == "true" else 0) | number
    return replace(_first(byte), wanted="30, a SEQUENCE (Go writes the byte in pieces: class, tag, compound)")


def _words(words: str) -> Callable[[], ByteClue]:
    def clue() -> ByteClue:
        wanted = {
            "not in version 3 format": "02 01 03, the version of a PKCS#12",
            "Invalid keystore format": "FE ED FE ED, a JKS",
            "algid parse error, not a sequence": "an AlgorithmIdentifier, as PKCS#8 has it",
        }.get(words, "the next element of DER")
        place = (
            _FIRST
            if words.startswith(("Invalid keystore", "Tag number", "Short read"))
            else "inside the file"
        )
        return ByteClue("", None, None, place, wanted, WORDS_OF[words])

    return clue


def _old_integer() -> ByteClue:
    return ByteClue("", None, None, _INSIDE, "02, an INTEGER: version 3", _UNKNOWN)


# What Java (and Go) say, the most telling first; groups are decimal numbers, signed as Java prints a byte.
_MESSAGES: tuple[tuple[str, Callable[..., ByteClue]], ...] = (
    (r"rejects tag type (-?\d+)", _first),
    (r"lengthTag=(-?\d+)", _length),
    (r"getBigInteger(?:Internal)?, not expected (-?\d+)", _inside),
    (r"DerValue\.get\w+, (?:not|expected)[^\d\n]{0,40}?(-?\d+)", _inside),
    (r"DerInput(?:Stream)?\.get\w+, not[^\d\n]{0,40}?(-?\d+)", _inside),
    (r"class:(\d) tag:(\d+) length:(\d+) isCompound:(true|false)", _go),
    (r"DER input, Integer tag error", _old_integer),
    *((re.escape(words), _words(words)) for words in WORDS_OF),
)


def decode_byte(message: str, source: Source | None = None) -> ByteClue:
    """Return which byte of a file a message speaks of, what it means, and what the file therefore is.

    Parameters
    ----------
    message : str
        What Java said, pasted as it is; a whole stack trace does as well.
    source : path or bytes, optional
        The file that the message was about. With it the answer is not judged from one byte: the file is
        looked at, and its own bytes decide.

    Raises
    ------
    ArgumentError
        If there is no message of that kind in the text.

    Examples
    --------
    >>> clue = decode_byte("java.io.IOException: toDerInputStream rejects tag type 45")
    >>> clue.character, clue.guess.kind
    ('-', 'pem')
    >>> print(decode_byte("DerInputStream.getLength(): lengthTag=109, too big."))
    the file is a JKS keystore: it begins with FE ED FE ED
    byte 237 = 0xED; Java says 109: a length of 109 further bytes, and no file is that long
    where: a byte where a length is read: ...
    """
    text = str(message)[:100_000]
    for pattern, make in _MESSAGES:
        found = re.search(pattern, text)
        if found is None:
            continue
        groups = (int(part) if re.fullmatch(r"-?\d+", part) else part for part in found.groups())
        clue = replace(make(*groups), message=visible(_line(text, found), 300))
        if (
            clue.byte is not None and not 0 <= clue.byte <= 0xFF
        ):  # a number that no byte has: not Java's words
            continue
        return clue if source is None else _checked(clue, source)
    raise ArgumentError(
        "there is no message about a byte in this text",
        on=repr(visible(text.strip(), 80)),
        hint="paste the whole line, e.g. 'DerValue.getBigIntegerInternal, not expected 48'",
    )


def _line(text: str, found: re.Match[str]) -> str:
    start = text.rfind("\n", 0, found.start()) + 1
    end = text.find("\n", found.end())
    return text[start : len(text) if end < 0 else end].strip()


def _checked(clue: ByteClue, source: Source) -> ByteClue:
    data, _ = read_source(source)
    offset = _offset(clue, data)
    head = data[:8].hex(" ")
    try:
        contents = read_contents(data)
        kind = contents.format if contents.format != "der" else contents.items[0].kind
        words = FORMAT_NAMES.get(kind) or f"a {kind.replace('-', ' ')}"
        written = {"PEM": ", as PEM text", "base64": ", as base64 text"}.get(contents.encoding, "")
        seen = f"{words}{written}, beginning with {head}"
        guess = _GUESS_OF.get(kind, clue.guess) if contents.encoding == "binary" else clue.guess
    except CertkitError as error:
        damage = find_damage(data)
        seen = f"{error.what}; it begins with {head}" if data else error.what
        guess = _from_error(clue, error)
        if damage is not None and damage.repaired is not None:
            seen += "; that can be undone"
    return replace(clue, seen=seen, guess=guess, offset=offset, byte=_byte(clue, data, offset))


def _from_error(clue: ByteClue, error: CertkitError) -> Guess:
    if error.kind in {clue.guess.kind, "password-needed"}:
        return clue.guess
    commands = (error.hint,) if error.hint else clue.commands
    return Guess(str(error.kind), error.what, error.cause or clue.cause, commands)


def _byte(clue: ByteClue, data: bytes, offset: int | None) -> int | None:
    return data[offset] if clue.byte is None and offset is not None else clue.byte


def _offset(clue: ByteClue, data: bytes) -> int | None:
    """Return where the byte stands: where the reader looked, if it is there."""
    if clue.place is _FIRST:
        at: int | None = 0
    elif clue.place is _INSIDE:
        at = 2 if len(data) > 1 and data[1] < 0x80 else 2 + (data[1] & 0x7F if len(data) > 1 else 0)
    elif clue.byte is not None:
        at = 1 if data[1:2] == bytes([clue.byte]) else data.find(bytes([clue.byte]), 2)
    else:
        return None
    if at is None or not 0 <= at < len(data):
        return None
    return at if clue.byte is None or data[at] == clue.byte else None


_GUESS_OF = {
    "certificate": INSIDE[0x30],
    "pkcs7": INSIDE[0x06],
    "jks": FIRST[0xFE],
    "jceks": FIRST[0xCE],
    "private-key": WORDS_OF["not in version 3 format"],
}
