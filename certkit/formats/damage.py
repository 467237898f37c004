"""What happened to bytes that are no format any more: re-encoded, translated, cut; and how to undo it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from certkit import _der
from certkit._files import Source, read_source
from certkit._html import Html, badge, definitions
from certkit.errors import FormatError, LimitError
from certkit.formats.jks import MAGICS, read_jks
from certkit.formats.pem import bare_base64, looks_like_armor, pem_blocks, text_of
from certkit.formats.strangers import stranger

__all__ = ["Damage", "find_damage", "refuse"]

# Damage is looked for in whole files, copied a few times over; no keystore is larger.
_LARGEST = 8 * 1024 * 1024
_BLANKS = b"\0 \t\r\n"
_REPLACEMENT = b"\xef\xbf\xbd"
_BOM = b"\xef\xbb\xbf"
_LOOSE_ARMOR = re.compile(
    r"[-\u2010-\u2015\u2212]{1,10} ?(BEGIN|END) ([A-Z0-9][A-Z0-9 ]{0,60}?) ?[-\u2010-\u2015\u2212]{1,10}"
)


@dataclass(frozen=True, slots=True)
class Damage:
    """What happened to a file.

    Attributes
    ----------
    kind : str
        The word for it, e.g. ``"crlf-translated"``.
    what, hint : str
        What happened, and what to do.
    repaired : bytes or None
        The bytes as they were, if what happened can be undone; else None.
    """

    kind: str
    what: str
    hint: str
    repaired: bytes | None = field(default=None, repr=False)

    @property
    def error(self) -> FormatError:
        """The error that says so."""
        return FormatError(self.what, hint=self.hint, cause="tampered-or-corrupt", kind=self.kind)

    def _repr_html_(self) -> Html:
        undone = (
            badge("good", "can be undone: .repaired") if self.repaired else badge("bad", "cannot be undone")
        )
        rows = [("what happened", self.what), ("what to do", self.hint), ("the bytes", undone)]
        return definitions(rows, caption=f"Damage: {self.kind}")


def refuse(data: bytes, error: FormatError | None = None, where: str | None = None) -> FormatError:
    """Return the error that says best what these bytes are, or what happened to them.

    Parameters
    ----------
    data : bytes
        The whole file.
    error : FormatError, optional
        What the reader of the format said, if one recognised it; returned when nothing better is found.
    where : str, optional
        What to name in the message.
    """
    damage = find_damage(data)
    if isinstance(error, LimitError) and (damage is None or damage.repaired is None):
        # What was refused for its size was understood; only what can be undone explains it better.
        return error
    found = damage.error if damage is not None else error or stranger(data)
    if error is not None and error.cause is None:
        found.cause = found.cause or "tampered-or-corrupt"
    if where is not None and found.on is None:
        found.on = where
    return found


def find_damage(source: Source) -> Damage | None:
    r"""Return what happened to a file's bytes, or None if nothing is recognised.

    Parameters
    ----------
    source : path, bytes or PEM text
        The whole file.

    Raises
    ------
    FileError
        If it cannot be read.

    Examples
    --------
    >>> find_damage(b"\xef\xbb\xbf\x30\x03\x02\x01\x03").kind
    'byte-order-mark'
    """
    data, _ = read_source(source)
    for check in _CHECKS if len(data) <= _LARGEST else (_empty, _truncated):
        found = check(data)
        if found is not None:
            return found
    return None


def whole(data: bytes) -> bool:
    """Return whether bytes look like a complete file of ours: DER that ends where it says, JKS, or PEM."""
    if data[:4] in MAGICS:
        try:
            read_jks(data)
        except FormatError:
            return False
        return True
    if data[:1] != b"\x30":
        return False
    try:
        return _der.read(data).end == len(data.rstrip(b"\r\n\0")) or _der.read(data).end == len(data)
    except FormatError:
        return False


def _empty(data: bytes) -> Damage | None:
    if data[:64].strip(_BLANKS) or sum(data.count(blank) for blank in _BLANKS) != len(data):
        return None
    what = "this file is empty" if not data else "this file holds nothing but blanks or zeros"
    return Damage("empty", what, "make it again: the program that wrote it failed, or the disk was full")


def _byte_order_mark(data: bytes) -> Damage | None:
    if not data.startswith(_BOM) or (data[3:4] != b"\x30" and data[3:7] not in MAGICS):
        return None
    return Damage(
        "byte-order-mark",
        "a UTF-8 byte order mark (EF BB BF) was put before binary data",
        "remove the first three bytes: tail -c +4 FILE > GOOD",
        data[3:] if whole(data[3:]) else None,
    )


def _blank_first(data: bytes) -> Damage | None:
    stripped = data.lstrip(b" \t\r\n")
    if len(stripped) == len(data) or not whole(stripped):
        return None
    return Damage(
        "blank-line-first",
        f"{len(data) - len(stripped)} blanks or line ends stand before the binary data",
        f"remove them: tail -c +{len(data) - len(stripped) + 1} FILE > GOOD",
        stripped,
    )


def _utf8(data: bytes) -> Damage | None:
    lost = data.count(_REPLACEMENT)
    if lost >= 2:
        return Damage(
            "utf8-replaced",
            f"this binary file was read as UTF-8 text and written again: EF BF BD stands {lost:,} times where "
            "other bytes were, and they are lost",
            "fetch the original again, in binary mode; keep it out of text filtering (Maven, git, editors)",
        )
    # 30 82 becomes 30 C2 82, FE ED becomes C3 BE C3 AD, CE CE becomes C3 8E C3 8E.
    if data[:2] not in {b"\x30\xc2", b"\xc3\xbe", b"\xc3\x8e"} and data[:4] != b"\x30\xe2\x80\x9a":
        return None
    for codec in ("latin-1", "cp1252"):
        try:
            original = data.decode("utf-8").encode(codec)
        except (UnicodeDecodeError, UnicodeEncodeError):
            continue
        if whole(original):
            return Damage(
                "utf8-reencoded",
                f"this binary file was read as text ({codec}) and written as UTF-8: every byte above 7F became two",
                f"undo it: iconv -f UTF-8 -t {codec.replace('cp', 'WINDOWS-')} FILE > GOOD",
                original,
            )
    return None


def _line_ends(data: bytes) -> Damage | None:
    pairs = data.count(b"\r\n")
    if not pairs or data.count(b"\n") != pairs or whole(data):
        return None
    original = data.replace(b"\r\n", b"\n")
    if not whole(original):
        return None
    return Damage(
        "crlf-translated",
        f"this binary file was copied as text: a carriage return was put before each of its {pairs} line feeds",
        "copy it again in binary mode (FTP: binary; git: *.p12 binary in .gitattributes)",
        original,
    )


def _armor(data: bytes) -> Damage | None:
    if not looks_like_armor(data) and b"BEGIN " not in data[:4096]:
        return None
    text = text_of(data).decode("utf-8", "replace")
    found = _LOOSE_ARMOR.search(text)
    if found is None or any(block.error is None for block in pem_blocks(data)):
        return None
    if "\\n" in text and b"-----BEGIN " in data:
        fixed = text.replace("\\r", "").replace("\\n", "\n").strip("\"'")
        kind, what = "escaped-newlines", "the line ends of this PEM are written as a backslash and an n"
        hint = "make them real: printf '%b' \"$TEXT\" > GOOD"
    else:
        fixed = _LOOSE_ARMOR.sub(r"-----\1 \2-----", text)
        kind, what = "pem-wrong-armor", f"the lines around this PEM are not right: {found.group(0)!r}"
        hint = "five hyphens on each side: -----BEGIN CERTIFICATE-----"
    repaired = fixed.encode("utf-8")
    good = any(block.error is None for block in pem_blocks(repaired))
    if not good and kind == "pem-wrong-armor" and b"-----BEGIN " in data:
        return None
    return Damage(kind, what, hint, repaired if good else None)


def _base64(data: bytes) -> Damage | None:
    text = b"".join(text_of(data[:4096]).split())
    # Short words and names are base64, too: a file of ours has at least a few lines.
    if len(text) < 100 or re.fullmatch(rb"[A-Za-z0-9+/]+={0,2}", text) is None:
        return None
    try:
        if bare_base64(data) is not None:
            return None
    except FormatError as error:
        return Damage(str(error.kind), error.what, error.hint, _padded(data))
    rest = b"".join(text_of(data).split())
    if text == text.lower():
        return Damage(
            "base64-lowercased",
            "this base64 was made lower-case: capitals mean other bits, and which were capitals is lost",
            "copy it again from the source",
        )
    restored = _first_letter_back(rest)
    if restored is not None:
        return Damage(
            "base64-cut",
            "the first character of this base64 was lost",
            "put the M back at its start",
            restored,
        )
    return Damage(
        "base64-cut",
        "this is base64 without its beginning: DER in base64 begins with MI, a PEM's lines with -----BEGIN",
        "copy it again, from its first line on",
    )


def _padded(data: bytes) -> bytes | None:
    letters = b"".join(text_of(data).split()).rstrip(b"=")
    try:
        original = bare_base64(letters + b"=" * (-len(letters) % 4))
    except FormatError:
        return None
    return original if original is not None and whole(original) else None


def _first_letter_back(text: bytes) -> bytes | None:
    if not text.startswith((b"II", b"IG", b"IE", b"HH", b"HI")):
        return None
    try:
        original = bare_base64(b"M" + text)
    except FormatError:
        return None
    return original if original is not None and whole(original) else None


def _truncated(data: bytes) -> Damage | None:
    if data[:1] != b"\x30" or len(data) < 4:
        return None
    size = data[1] & 0x7F
    if data[1] < 0x81 or size > 4 or data[2] == 0:
        return None
    announced = 2 + size + int.from_bytes(data[2 : 2 + size])
    # A text that happens to begin with a zero announces anything; a real file was cut, not multiplied.
    if announced <= len(data) or announced > 64 * len(data) + 4096:
        return None
    return Damage(
        "truncated",
        f"this file is cut short: it announces {announced:,} bytes and has {len(data):,}",
        "copy it again, whole, in binary mode",
    )


_CHECKS: tuple[Callable[[bytes], Damage | None], ...] = (
    _empty,
    _byte_order_mark,
    _blank_first,
    _utf8,
    _line_ends,
    _armor,
    _base64,
    _truncated,
)
