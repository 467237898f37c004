"""What happened to bytes that are no format any more: re-encoded, translated, cut, or something else entirely."""

from __future__ import annotations

from certkit._text import visible
from certkit.errors import FormatError, LimitError

__all__ = ["refuse"]

_REPLACEMENT = b"\xef\xbf\xbd"


def _wrong(what: str, hint: str, kind: str) -> FormatError:
    return FormatError(what, hint=hint, cause="wrong-file-format", kind=kind)


def _damaged(what: str, hint: str, kind: str) -> FormatError:
    return FormatError(what, hint=hint, cause="tampered-or-corrupt", kind=kind)


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
    found = _limit(error) or _damage(data) or error or _stranger(data)
    if where is not None and found.on is None:
        return FormatError(found.what, on=where, hint=found.hint, cause=found.cause, kind=found.kind)
    return found


def _limit(error: FormatError | None) -> FormatError | None:
    # What was refused for its size was understood: no damage explains it better.
    return error if isinstance(error, LimitError) else None


def _damage(data: bytes) -> FormatError | None:
    if not data:
        return _damaged(
            "this file is empty",
            "make it again: the program that wrote it failed, or the disk was full",
            "empty",
        )
    if data[:3] == b"\xef\xbb\xbf" and data[3:4] in {b"\x30", b"\xfe"}:
        return _damaged(
            "a UTF-8 byte order mark was put before binary data",
            "remove the first three bytes: tail -c +4 FILE > GOOD",
            "byte-order-mark",
        )
    if data.count(_REPLACEMENT) >= 2:
        return _damaged(
            f"this binary file was read as UTF-8 text and written again: {data.count(_REPLACEMENT):,} times "
            "EF BF BD stands where other bytes were, and they are lost",
            "fetch the original again, in binary mode; exclude it from text filtering (Maven, git, editors)",
            "utf8-reencoded",
        )
    return None


def _stranger(data: bytes) -> FormatError:
    """Return what a file is that is none of ours."""
    start = data[:512].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head")):
        return _wrong(
            "this is a web page, not a certificate: a download ended on an error or a login page",
            "open it in a browser to read what it says, then fetch the file itself",
            "html-page",
        )
    text = visible(data[:24].decode("latin-1"), 60)
    return _wrong(
        "this is no certificate, key or keystore that certkit knows",
        f"certkit reads PEM, DER, PKCS#7, PKCS#12, JKS and JCEKS; it begins with {text!r}",
        "unknown-format",
    )
