"""Files in and out: read with a limit and a clear error, written whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from certkit.errors import ArgumentError, FileError, LimitError

Source = str | os.PathLike[str] | bytes

# A truststore of every root on earth has under 1 MB; 64 MiB leaves room for the largest bundles
# that certkit was measured on, and a refusal for a disk image given by mistake.
MAX_FILE_BYTES = 64 * 1024 * 1024


def read_source(source: Source, *, limit: int = MAX_FILE_BYTES) -> tuple[bytes, str]:
    """Return the bytes of a path, of PEM text or of bytes, and a name for messages.

    Parameters
    ----------
    source : str, path or bytes
        A path; or the bytes themselves; or text that holds a PEM block.
    limit : int
        The most bytes that will be read.

    Raises
    ------
    FileError
        If there is no such file, it is a folder or a device, or it may not be read.
    LimitError
        If it is larger than `limit`.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return _within(bytes(source), "the bytes given", limit), "the bytes given"
    if isinstance(source, str) and "-----BEGIN " in source:
        return _within(source.encode("utf-8", "surrogateescape"), "the text given", limit), "the text given"
    if not isinstance(source, str | os.PathLike):
        raise ArgumentError(
            "a path or bytes are needed", on=type(source).__name__, hint="give a file name, a Path or bytes"
        )
    path = Path(source)
    try:
        mode = path.stat()
        if stat.S_ISDIR(mode.st_mode):
            raise FileError("this is a folder, not a file", on=path, hint="name a file in it")
        if not stat.S_ISREG(mode.st_mode):
            raise FileError("this is not a regular file", on=path, hint="give a file, not a pipe or a device")
        if mode.st_size > limit:
            raise LimitError(
                f"this file has {mode.st_size:,} bytes and at most {limit:,} are read",
                on=path,
                hint="give the certificate or keystore itself",
                kind="too-large",
            )
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
    except FileNotFoundError:
        raise FileError(
            "there is no such file", on=path, hint="check the path and the folder you are in"
        ) from None
    except PermissionError:
        raise FileError(
            "this file may not be read",
            on=path,
            hint="ask its owner, or run as a user that may",
            cause="permission-on-key",
            kind="unreadable",
        ) from None
    except (ValueError, OSError) as error:
        if isinstance(error, FileError):
            raise
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise FileError(
            f"this file cannot be read ({reason})", on=repr(str(path)), hint="check the path"
        ) from None
    return _within(data, str(path), limit), str(path)


def _within(data: bytes, name: str, limit: int) -> bytes:
    if len(data) > limit:
        raise LimitError(
            f"more than {limit:,} bytes",
            on=name,
            hint="give the certificate or keystore itself",
            kind="too-large",
        )
    return data


def write_file(
    path: str | os.PathLike[str], data: bytes, *, secret: bool = False, overwrite: bool = True
) -> Path:
    """Write `data` to `path`, whole or not at all; with `secret`, readable by the owner only (0600).

    Raises
    ------
    FileError
        If the folder is missing, the disk is full or writing is not allowed; nothing is left behind.
    """
    target = Path(path)
    temporary = ""
    try:
        if not overwrite and target.exists():
            raise FileError(
                "this file is there already", on=target, hint="choose another name, or remove it first"
            )
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if not secret:
            umask = os.umask(0)
            os.umask(umask)
            Path(temporary).chmod(0o666 & ~umask)
        Path(temporary).replace(target)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        if isinstance(error, FileError):
            raise
        raise FileError(
            f"this file cannot be written ({error.strerror or error})",
            on=target,
            hint="check the folder, the free space and your rights",
        ) from None
    return target


def make_folder(path: Path, *, mode: int = 0o777, hint: str = "name another") -> Path:
    """Make a folder, and those above it, where there is none.

    Raises
    ------
    FileError
        If it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=mode)
    except OSError as error:
        raise FileError(
            f"this folder cannot be made ({error.strerror or error})", on=path, hint=hint
        ) from None
    return path


def write_private(path: Path, data: bytes) -> Path:
    """Write a new file that its owner alone can read, from its first moment on: for temporary folders."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
    return path


def utc(moment: datetime | None, name: str = "at") -> datetime:
    """Return `moment` in UTC, whole seconds; now if None.

    Raises
    ------
    ArgumentError
        If `moment` has no time zone: a date without one means a different instant on every machine.

    Examples
    --------
    >>> from datetime import datetime, timezone
    >>> utc(datetime(2026, 1, 1, tzinfo=timezone.utc)).isoformat()
    '2026-01-01T00:00:00+00:00'
    """
    if moment is None:
        return datetime.now(UTC).replace(microsecond=0)
    if not isinstance(moment, datetime):
        raise ArgumentError(
            f"{name} must be a datetime", on=repr(moment), hint="datetime(2026, 1, 31, tzinfo=timezone.utc)"
        )
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise ArgumentError(
            f"{name} has no time zone",
            on=moment.isoformat(),
            hint="datetime(2026, 1, 31, tzinfo=timezone.utc)",
        )
    return moment.astimezone(UTC).replace(microsecond=0)


def iso(moment: datetime) -> str:
    """Return a UTC instant as ``2026-01-31T00:00:00Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
