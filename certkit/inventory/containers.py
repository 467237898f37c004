"""Files within files: zip, jar, tar and compressed files, and kubernetes Secrets. Bounded in size, count and depth."""

from __future__ import annotations

import base64
import binascii
import gzip
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Any

from certkit._files import MAX_FILE_BYTES
from certkit.errors import CertkitError, FileError, FormatError, LimitError, MissingToolError

__all__ = ["Member", "archive_members", "is_archive", "is_secret", "secret_members"]

Member = tuple[str, bytes | CertkitError]
"""A member's name, and its bytes or why they cannot be had."""

MAX_MEMBERS = 200_000
MAX_UNPACKED = 4 * 1024 * 1024 * 1024
"""Bytes that one archive may unpack to, all members together: a zip bomb ends here."""

MAX_YAML_DEPTH = 64
"""Levels of a manifest: a Secret has three. Much deeper, and the YAML reader, written in C, ends the process."""

_TAR_MAGIC = 257
_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")
# What a jar is full of, and what holds no keystore.
_NEVER = (".class", ".png", ".jpg", ".gif", ".svg", ".css", ".html", ".js")
# A Secret by itself, or in a List (kubectl get secrets -o yaml). YAML or JSON; text that is neither has no such line.
_SECRET = re.compile(
    rb"""^[ \t{,-]*["']?kind["']?[ \t]*:[ \t]*["']?(?:Secret|SecretList|List)["']?[ \t\r,}]*$""", re.MULTILINE
)
_BROKEN = (
    zipfile.BadZipFile, tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError, ValueError,
    RuntimeError, KeyError, IndexError,
)  # fmt: skip


def is_archive(head: bytes) -> bool:
    """Return whether a file begins as an archive or a compressed file; 512 bytes of it are enough."""
    return head.startswith((b"PK\x03\x04", *_COMPRESSED)) or head[_TAR_MAGIC : _TAR_MAGIC + 5] == b"ustar"


def archive_members(stream: IO[bytes]) -> Iterator[Member]:
    """Yield the members of an archive that could hold a keystore, in its own order.

    Raises
    ------
    FormatError
        If the archive is damaged.
    LimitError
        If it unpacks to more than any real one.
    """
    head = stream.read(512)
    stream.seek(0)
    try:
        if head.startswith(b"PK"):
            yield from _zip(stream)
        else:
            yield from _tar(stream, head)
    except _BROKEN as error:
        if isinstance(error, CertkitError):
            raise
        raise FormatError(
            f"this archive is damaged ({error or type(error).__name__})",
            cause="tampered-or-corrupt",
            kind="archive",
        ) from None


class _Budget:
    """What may still be unpacked."""

    def __init__(self) -> None:
        self.bytes, self.members = MAX_UNPACKED, MAX_MEMBERS

    def read(self, name: str, stream: IO[bytes] | gzip.GzipFile | None) -> Member:
        """Return a member; an error in its place if it is too large."""
        self.members -= 1
        if self.members < 0 or self.bytes < 0:
            raise LimitError(
                f"this archive has more than {MAX_MEMBERS:,} members or {MAX_UNPACKED:,} bytes",
                hint="unpack it, and scan the folder",
                kind="too-large",
            )
        data = b"" if stream is None else stream.read(min(MAX_FILE_BYTES, self.bytes) + 1)
        self.bytes -= len(data)
        if len(data) > MAX_FILE_BYTES:
            return name, LimitError(
                f"more than {MAX_FILE_BYTES:,} bytes",
                hint="unpack it, and scan the parts that may hold certificates",
                kind="too-large",
            )
        return name, data


def _zip(stream: IO[bytes]) -> Iterator[Member]:
    budget = _Budget()
    with zipfile.ZipFile(stream) as archive:
        for entry in archive.infolist():
            if entry.is_dir() or entry.filename.lower().endswith(_NEVER):
                continue
            if entry.flag_bits & 1:
                yield entry.filename, FileError("this member is encrypted, and is not opened")
                continue
            try:
                with archive.open(entry) as member:
                    yield budget.read(entry.filename, member)
            except _BROKEN as error:
                if isinstance(error, LimitError):
                    raise
                yield (
                    entry.filename,
                    FormatError(f"this member is damaged ({error})", cause="tampered-or-corrupt"),
                )


def _tar(stream: IO[bytes], head: bytes) -> Iterator[Member]:
    budget = _Budget()
    try:
        archive = tarfile.open(fileobj=stream, mode="r|*")  # noqa: SIM115 - closed below
    except tarfile.ReadError:
        yield from _single(stream, head, budget)
        return
    with archive:
        for entry in archive:
            # Links are read where they lead; devices and pipes in an archive are nothing.
            if entry.isfile() and not entry.name.lower().endswith(_NEVER):
                yield budget.read(entry.name, archive.extractfile(entry))


def _single(stream: IO[bytes], head: bytes, budget: _Budget) -> Iterator[Member]:
    stream.seek(0)
    if not head.startswith(b"\x1f\x8b"):
        raise FormatError("this archive is damaged", cause="tampered-or-corrupt", kind="archive")
    with gzip.GzipFile(fileobj=stream) as unpacked:
        yield budget.read("", unpacked)


def is_secret(data: bytes) -> bool:
    """Return whether a file looks like a kubernetes manifest with a Secret in it."""
    return b"Secret" in data and _SECRET.search(data) is not None


def secret_members(data: bytes) -> Iterator[Member]:
    """Yield the values of every Secret in a manifest: ``namespace/name/key`` and the bytes.

    Raises
    ------
    FormatError
        If it is no YAML.
    MissingToolError
        If PyYAML is not installed.
    """
    try:
        import yaml  # noqa: PLC0415 - an optional package
    except ImportError:
        raise MissingToolError(
            "a kubernetes Secret needs the package PyYAML", hint='pip install "certkit[scale]"'
        ) from None
    # The base loader makes texts only: no numbers that are too long to print, no merged maps that multiply.
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        _check_depth(yaml.parse(data, loader))
        documents = list(yaml.load_all(data, loader))
    except (yaml.YAMLError, ValueError, RecursionError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FormatError(
            f"this manifest is no YAML ({reason})", cause="tampered-or-corrupt", kind="yaml"
        ) from None
    for document in documents:
        for item in _objects(document):
            yield from _values(item)


def _check_depth(events: Iterator[Any]) -> None:
    depth = 0
    for event in events:
        name = type(event).__name__
        depth += name in {"MappingStartEvent", "SequenceStartEvent"}
        depth -= name in {"MappingEndEvent", "SequenceEndEvent"}
        if depth > MAX_YAML_DEPTH:
            raise LimitError(
                f"this manifest is nested more than {MAX_YAML_DEPTH} levels deep",
                hint="give the Secret itself: kubectl get secret NAME -o yaml",
                kind="too-deep",
            )


def _objects(document: Any) -> Iterator[dict[Any, Any]]:
    if not isinstance(document, dict):
        return
    if document.get("kind") == "Secret":
        yield document
    items = document.get("items")
    if isinstance(items, list):
        yield from (
            item for item in items if isinstance(item, dict) and item.get("kind", "Secret") == "Secret"
        )


def _values(secret: dict[Any, Any]) -> Iterator[Member]:
    meta = secret.get("metadata")
    meta = meta if isinstance(meta, dict) else {}
    place = "/".join(part for part in (meta.get("namespace"), meta.get("name")) if isinstance(part, str))
    for field in ("data", "stringData"):
        values = secret.get(field)
        for key, value in values.items() if isinstance(values, dict) else ():
            yield f"{place}/{key}".lstrip("/"), _decoded(value, field == "data")


def _decoded(value: Any, encoded: bool) -> bytes | CertkitError:
    if not isinstance(value, str):  # a list or a map: what it refers to may be endless
        return FormatError("this value of a Secret is no text", cause="tampered-or-corrupt", kind="yaml")
    if value in {"~", "null"}:
        return b""
    if not encoded:
        return value.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        return FormatError(
            "this value of a Secret is no base64", cause="tampered-or-corrupt", kind="base64-character"
        )
