"""The bytes of one file, here or far away; nothing that could wait for ever is opened."""

from __future__ import annotations

import os
import stat

from certkit._files import MAX_FILE_BYTES
from certkit._text import visible
from certkit.errors import FileError, LimitError
from certkit.inventory.places import file_system, is_remote

__all__ = ["read_file"]

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_CLOEXEC", 0)
_FLAGS |= getattr(os, "O_BINARY", 0)


def read_file(path: str, limit: int = MAX_FILE_BYTES) -> bytes:
    """Return a regular file's bytes; a pipe or a device is never waited for.

    Raises
    ------
    FileError
        If it cannot be read, or is no regular file.
    LimitError
        If it is larger than `limit`.
    """
    if "://" in path and is_remote(path):
        return _read_remote(path, limit)
    try:
        handle = os.open(path, _FLAGS)
    except (OSError, ValueError) as error:
        raise FileError(f"this file cannot be read ({getattr(error, 'strerror', None) or error})") from None
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise FileError("this is not a regular file")
        if found.st_size > limit:
            raise LimitError(
                f"this file has {found.st_size:,} bytes and at most {limit:,} are read",
                hint="split it",
                kind="too-large",
            )
        parts = []
        left = limit + 1
        # One byte more than there is, to see that it has not grown; what the system calls empty may not be.
        piece = found.st_size + 1 if found.st_size else 65_536
        while left > 0 and (part := os.read(handle, min(left, piece))):
            parts.append(part)
            left -= len(part)
            if len(part) == found.st_size:
                break
        return parts[0] if len(parts) == 1 else b"".join(parts)
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"this file cannot be read ({error.strerror or error})") from None
    finally:
        os.close(handle)


def _read_remote(path: str, limit: int) -> bytes:
    system, place = file_system(path)
    try:
        with system.open(place, "rb") as stream:
            data: bytes = stream.read(limit + 1)
    except Exception as error:
        raise FileError(f"this file cannot be read ({visible(str(error), 120)})") from None
    if len(data) > limit:
        raise LimitError(
            f"more than {limit:,} bytes, and at most that many are read", hint="split it", kind="too-large"
        )
    return data
