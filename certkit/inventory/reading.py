"""One file in, its rows out: certificates, or the reason why it could not be read."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, repeat
from typing import IO, Any

from certkit._files import utc
from certkit._text import visible
from certkit.errors import CertkitError, FileError, FormatError, LimitError, PasswordError
from certkit.formats.items import Contents, Item
from certkit.formats.sniff import read_contents
from certkit.inventory.containers import Member, archive_members, is_archive, is_secret, secret_members
from certkit.inventory.fields import Fields, read_fields
from certkit.inventory.judging import days_left, risks_of, role_of, status_of
from certkit.inventory.opening import read_file
from certkit.inventory.passwords import Passwords
from certkit.inventory.places import Place, is_remote, looks_like_keystore, utf8
from certkit.inventory.plain_pem import END, all_begins, plain_certificates
from certkit.inventory.table import Row

__all__ = ["Reader", "read_file"]

_KEPT = 10_000
MAX_NESTING = 3
"""How deep archives within archives are opened."""

Judged = tuple[Any, ...]
"""The columns of a row from role to risks."""


# The first bytes of DER, JKS, JCEKS, base64 of those, and text in UTF-16.
_STARTS = (
    b"\x30",
    b"\xfe\xed\xfe\xed",
    b"\xce\xce\xce\xce",
    b"M",
    b"/u3+7Q",
    b"zs7Ozg",
    b"\xff\xfe",
    b"\xfe\xff",
)


_LONGEST_LINE = 64
# How far past its span a certificate that begins in it may reach.
_BEYOND = 1 << 20


def _may_be_keystore(data: bytes) -> bool:
    """Return whether it is worth a closer look: most files of a machine are not."""
    return data.startswith(_STARTS) or b"BEGIN " in data


def _holds_certificate(contents: Contents) -> bool:
    """Return whether a file that promised nothing by its name has more than fragments, e.g. in a source code."""
    return contents.format not in {"pem", "der"} or any(
        item.kind in {"certificate", "trusted-certificate"} or item.chain for item in contents.items
    )


@dataclass
class Reader:
    """Reads files one after the other, with the clock and the passwords of one scan.

    Attributes
    ----------
    at : datetime
        The clock.
    passwords : Passwords
        What to try on sealed stores.
    others : int
        Files so far that are no keystore and do not look like one.
    """

    at: datetime
    passwords: Passwords = field(default_factory=Passwords)
    others: int = 0
    _judged: dict[bytes, Judged] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._now = int(utc(self.at).timestamp())

    def rows(self, place: Place) -> Iterator[Row]:
        """Yield the rows of a file; nothing is raised, a failure is a row."""
        name = utf8(place.path)
        if place.error:
            yield from self._failed(name, place.named, FileError(place.error))
            return
        try:
            data = read_file(place.path)
        except LimitError as error:
            yield from self._large(name, place, error)
            return
        except CertkitError as error:
            yield Row.unreadable(name, error)
            return
        yield from self.content(name, data, place.named)

    def span(self, place: Place, start: int, end: int) -> Iterator[Row]:
        """Yield the rows of the certificates that begin within a span of a large PEM bundle."""
        name = utf8(place.path)
        try:
            with open(place.path, "rb") as stream:  # noqa: PTH123
                stream.seek(max(start - _LONGEST_LINE, 0))
                data = stream.read(end - stream.tell() + _BEYOND)
        except OSError as error:
            yield Row.unreadable(name, FileError(f"this file cannot be read ({error.strerror or error})"))
            return
        offset = max(start - _LONGEST_LINE, 0)
        begins = [at for at in all_begins(data) if start <= at + offset < end]
        if not begins:
            return
        last = data.find(END, begins[-1])
        text = data[begins[0] : last + len(END) if last >= 0 else len(data)]
        plain = plain_certificates(text)
        if plain is not None and (rows := self._usual(name, plain)) is not None:
            yield from rows
            return
        try:
            items = tuple(
                item for item in read_contents(text).items if item.kind in {"certificate", "damaged"}
            )
        except CertkitError as error:  # all that is in this span is damaged
            yield Row.unreadable(name, error, "pem")
            return
        contents = Contents("pem", "PEM", items)
        for item in items:
            yield from self._item(name, contents, item)

    def _large(self, name: str, place: Place, error: LimitError) -> Iterator[Row]:
        """Yield the rows of a file that is not read as a whole: an archive, or the reason why not."""
        if is_remote(place.path):
            yield Row.unreadable(name, error)
            return
        try:
            with open(place.path, "rb") as stream:  # noqa: PTH123
                head = stream.read(4096)
                stream.seek(0)
                if is_archive(head):
                    yield from self._archive(name, stream, 0)
                else:
                    yield from self._failed(name, place.named or _may_be_keystore(head), error)
        except OSError as failure:
            yield Row.unreadable(name, FileError(f"this file cannot be read ({failure.strerror or failure})"))

    def content(self, name: str, data: bytes, named: bool, depth: int = 0) -> Iterator[Row]:
        """Yield the rows of a file's bytes.

        Parameters
        ----------
        name : str
            What the path column says.
        data : bytes
            All of it.
        named : bool
            Whether it is reported even if it is no keystore at all.
        depth : int
            How many archives it lies in.
        """
        if is_archive(data[:512]):
            yield from self._archive(name, io.BytesIO(data), depth)
            return
        if is_secret(data) and not data.startswith(b"0"):
            yield from self._members(name, secret_members(data), depth)
            return
        plain = plain_certificates(data)
        if plain is not None and (rows := self._usual(name, plain)) is not None:
            yield from rows
            return
        if not named and not _may_be_keystore(data):
            self.others += 1
            return
        try:
            contents, error = self._contents(name, data)
        except CertkitError as failure:
            yield from self._failed(name, named or not isinstance(failure, FormatError), failure)
            return
        if not named and not _holds_certificate(contents):
            self.others += 1
            return
        yield from self._store(name, contents, error)

    def _usual(self, name: str, ders: list[bytes]) -> list[Row] | None:
        """Return the rows of certificates without anything around them; None if one of them is none."""
        found = []
        for der in ders:
            judged = self._judged.get(der)
            if judged is None:
                try:
                    judged = self._remember(der)
                except FormatError:
                    return None
            found.append(Row._make((name, "pem", None, "certificate", *judged, "none", None)))
        return found

    def _archive(self, name: str, stream: IO[bytes], depth: int) -> Iterator[Row]:
        yield from self._members(name, archive_members(stream), depth)

    def _members(self, name: str, members: Iterator[Member], depth: int) -> Iterator[Row]:
        if depth >= MAX_NESTING:
            yield Row.unreadable(
                name,
                LimitError(
                    f"archives within archives, more than {MAX_NESTING} deep",
                    hint="unpack the outer one, and scan the folder",
                    kind="too-deep",
                ),
            )
            return
        try:
            for member, data in members:
                inside = f"{name}!/{utf8(member)}" if member else name
                if isinstance(data, CertkitError):
                    yield from self._failed(inside, looks_like_keystore(member), data)
                else:
                    yield from self.content(inside, data, looks_like_keystore(member), depth + 1)
        except CertkitError as error:
            yield Row.unreadable(name, error)

    def _contents(self, name: str, data: bytes) -> tuple[Contents, PasswordError | None]:
        """Return what is in a store: with the first password that opens it, or without one.

        The second value is the refusal of every password, for stores that list their entries all the same.
        """
        refused: PasswordError | None = None
        for password in self.passwords.for_path(name):
            try:
                contents = read_contents(data, password)
            except PasswordError as error:
                refused = error
                continue
            return contents, None
        try:
            return read_contents(data), refused
        except PasswordError as error:
            raise refused or error from None

    def _store(self, name: str, contents: Contents, refused: PasswordError | None) -> Iterator[Row]:
        # Listed all the same, because its certificates lie in the clear; the refusal stands beside each.
        unproved = None if refused is None or contents.integrity != "not checked" else visible(refused.what)
        empty = True
        for item in contents.items:
            for row in self._item(name, contents, item):
                empty = False
                yield row if unproved is None or row.error is not None else row._replace(error=unproved)
        if empty and contents.format in {"jks", "jceks", "pkcs12", "pkcs7"}:
            risks = ("truststore-missing-or-empty",)
            words = unproved or "there is no certificate in it"
            yield Row.about(
                name, "empty", words, format=contents.format, risks=risks, integrity=contents.integrity
            )
        elif empty:
            self.others += 1

    def _item(self, name: str, contents: Contents, item: Item) -> list[Row]:
        alias = visible(item.alias) if item.alias else None
        if item.error is not None:
            return [Row.unreadable(name, item.error, contents.format, alias)]
        if item.kind in {"certificate", "trusted-certificate"}:
            return [self._certificate(name, contents, item.data, alias, item.kind)]
        if item.kind != "private-key":
            return []
        kinds = chain(["private-key"], repeat("chain"))
        return [
            self._certificate(name, contents, der, alias, kind)
            for der, kind in zip(item.chain, kinds, strict=False)
        ]

    def _certificate(self, name: str, contents: Contents, der: bytes, alias: str | None, kind: str) -> Row:
        judged = self._judged.get(der)
        if judged is None:
            try:
                judged = self._remember(der)
            except FormatError as error:
                return Row.unreadable(name, error, contents.format, alias)
        return Row._make((name, contents.format, alias, kind, *judged, contents.integrity, None))

    def _remember(self, der: bytes) -> Judged:
        judged = self._judge(read_fields(der))
        if len(self._judged) >= _KEPT:
            self._judged.clear()
        self._judged[der] = judged
        return judged

    def _judge(self, fields: Fields) -> Judged:
        role = role_of(fields)
        risks = risks_of(fields, role, self._now)
        left = days_left(fields.not_after, self._now)
        # From subject to not_after, and from key to aki, the columns are the fields.
        return (role, *fields[:6], left, *fields[6:13], status_of(risks), risks)

    def _failed(self, name: str, named: bool, error: CertkitError) -> Iterator[Row]:
        if named:
            yield Row.unreadable(name, error)
        else:
            self.others += 1
