"""Where to look: files and folders in a fixed order, with loops, pipes and devices survived."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from certkit.errors import ArgumentError, CertkitError, FileError, MissingToolError

__all__ = ["KEYSTORE_SUFFIXES", "Place", "file_system", "is_remote", "looks_like_keystore", "utf8", "walk"]

KEYSTORE_SUFFIXES = frozenset({
    ".pem", ".crt", ".cer", ".cert", ".der", ".key", ".p7b", ".p7c", ".p7s", ".spc", ".p12", ".pfx", ".pkcs12",
    ".jks", ".jceks", ".keystore", ".truststore", ".ks", ".bks", ".bcfks", ".kdb",
})  # fmt: skip
"""Names that promise a keystore: such a file is reported even if nothing can be made of it."""

_REMOTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_NAMES = frozenset({"cacerts", "jssecacerts", "keystore", "truststore"})


class Place(NamedTuple):
    """A file to read.

    Attributes
    ----------
    path : str
        As the system calls it; undecodable bytes are kept as surrogates.
    named : bool
        Whether it was named by the caller or promises a keystore by its name: then it is reported in any case.
    size : int
        Bytes, as the folder says; 0 if that is not known.
    error : str
        Why it is not going to be read; empty if it is.
    """

    path: str
    named: bool
    size: int = 0
    error: str = ""


def utf8(text: str) -> str:
    r"""Return a path as text that every file format can hold: undecodable bytes as ``\xff``.

    Examples
    --------
    >>> print(utf8("caf\udce9.pem"))
    caf\xe9.pem
    """
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def looks_like_keystore(path: str) -> bool:
    """Return whether a name promises a certificate or a keystore."""
    name = path[path.rfind("/") + 1 :] if os.sep == "/" else os.path.basename(path)  # noqa: PTH119
    dot = name.rfind(".")
    return (dot > 0 and name[dot:].lower() in KEYSTORE_SUFFIXES) or name.lower() in _NAMES


def walk(paths: Iterable[str | os.PathLike[str]]) -> Iterator[Place]:
    """Yield every file under the paths, folders in the order of their names.

    A folder is entered once, however many links lead to it.

    Raises
    ------
    ArgumentError
        If a path does not exist: that is a mistake in the call, not a finding.
    """
    seen: set[tuple[int, int]] = set()
    for path in paths:
        text = os.fspath(path)
        if isinstance(text, bytes):
            text = os.fsdecode(text)
        if is_remote(text):
            yield from _remote(text)
            continue
        if not os.path.lexists(text):
            raise ArgumentError("there is no such file or folder", on=utf8(text), hint="check the path")
        if Path(text).is_dir():
            yield from _folder(text, seen)
        else:
            yield _file(text, True)


def is_remote(path: str) -> bool:
    """Return whether a path is a place that fsspec reaches, such as ``s3://bucket/folder``.

    Examples
    --------
    >>> is_remote("s3://bucket/folder"), is_remote("C:/keys"), is_remote("./a")
    (True, False, False)
    """
    return _REMOTE.match(path) is not None


def file_system(path: str) -> tuple[Any, str]:
    """Return fsspec's file system for a place, and the place's path within it.

    Raises
    ------
    MissingToolError
        If fsspec, or what it needs for this kind of place, is not installed.
    ArgumentError
        If there is no such kind of place.
    """
    try:
        core: Any = import_module("fsspec.core")
        found: tuple[Any, str] = core.url_to_fs(path)
    except ImportError as error:
        raise MissingToolError(
            f"this place needs a package that is not installed ({error})",
            on=path,
            hint='pip install "certkit[scale]"',
        ) from None
    except (ValueError, OSError) as error:
        raise ArgumentError(f"this place cannot be reached ({error})", on=path) from None
    return found


def _remote(path: str) -> Iterator[Place]:
    system, root = file_system(path)
    try:
        if system.isfile(root):
            yield Place(path, True, int(system.size(root) or 0))
            return
        if not system.exists(root):
            raise ArgumentError("there is no such file or folder", on=path, hint="check the address")
        for _, _, files in system.walk(root, detail=True):
            for name in sorted(files):
                entry = files[name]
                address = system.unstrip_protocol(entry["name"])
                yield Place(address, looks_like_keystore(name), int(entry.get("size") or 0))
    except OSError as error:
        if isinstance(error, CertkitError):
            raise
        raise FileError(f"this place cannot be listed ({error})", on=path) from None


def _file(path: str, named: bool) -> Place:
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError as error:
        return Place(path, named, 0, f"this file cannot be read ({error.strerror or error})")
    if not stat.S_ISREG(found.st_mode):
        return Place(path, True, 0, "this is not a regular file")
    return Place(path, named, found.st_size)


def _folder(path: str, seen: set[tuple[int, int]]) -> Iterator[Place]:
    # A stack, not recursion: a folder can be nested deeper than Python's stack.
    waiting = [path]
    while waiting:
        folder = waiting.pop()
        try:
            found = os.stat(folder)  # noqa: PTH116
            if (found.st_dev, found.st_ino) in seen:
                continue
            seen.add((found.st_dev, found.st_ino))
            with os.scandir(folder) as entries:
                ordered = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            yield Place(folder, True, 0, f"this folder cannot be listed ({error.strerror or error})")
            continue
        below = []
        for entry in ordered:
            try:
                is_folder = entry.is_dir()
            except OSError:
                is_folder = False
            if is_folder:
                below.append(entry.path)
            else:
                yield _entry(entry)
        waiting += reversed(below)


def _entry(entry: os.DirEntry[str]) -> Place:
    named = looks_like_keystore(entry.name)
    try:
        if entry.is_file():
            return Place(entry.path, named, entry.stat().st_size)
    except OSError as error:
        return Place(entry.path, named, 0, f"this file cannot be read ({error.strerror or error})")
    if entry.is_symlink():
        return Place(entry.path, named, 0, "this link leads nowhere, or in a circle")
    return Place(entry.path, True, 0, "this is a pipe, a socket or a device, not a file")
