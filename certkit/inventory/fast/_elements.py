"""One element of DER after the other, by position: nothing is copied."""

from __future__ import annotations

__all__ = ["Unusual", "span"]


class Unusual(Exception):  # noqa: N818 - not an error: a certificate for the careful reader
    """Raised, and caught one floor up, for everything that is left to cryptography."""


def span(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Return where the content of the element at `at` begins and ends; only the shortest length form is taken."""
    length = data[at + 1]
    at += 2
    if length >= 0x80:
        if length == 0x81:
            length = data[at]
            at += 1
            if length < 0x80:
                raise Unusual
        elif length == 0x82:
            length = data[at] << 8 | data[at + 1]
            at += 2
            if length < 0x100:
                raise Unusual
        else:
            raise Unusual
    if at + length > end:
        raise Unusual
    return at, at + length
