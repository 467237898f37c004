"""The errors of certkit, in one tree.

::

    CertkitError                a task that cannot be done
    ├── ArgumentError           the call is wrong: a name, a date, an option        (also a ValueError)
    ├── FileError               a file cannot be read or written                    (also an OSError)
    ├── FormatError             the bytes are not what they should be
    │   └── LimitError          too big, too deep, too many: refused before it costs anything
    ├── PasswordError           a password is missing or wrong
    ├── CredentialError         a key, a certificate or a chain that do not belong together
    ├── MissingToolError        a program or an optional package is not installed here
    └── CheckFailed             raised only by ``.raise_if_failed()``: a verdict is a value

Every message has three parts: what happened, on what, and what to try.
"""

from __future__ import annotations

__all__ = [
    "ArgumentError",
    "CertkitError",
    "CheckFailed",
    "CredentialError",
    "FileError",
    "FormatError",
    "LimitError",
    "MissingToolError",
    "PasswordError",
]


class CertkitError(Exception):
    """A task that cannot be done, said in three parts.

    Parameters
    ----------
    what : str
        What happened, without a full stop.
    on : object, optional
        On what: a path, a name, a value. Shown as text; never pass a secret.
    hint : str, optional
        What to try next.
    cause : str, optional
        The cause id of the vocabulary (``certkit.causes``), where one fits.
    kind : str, optional
        A finer word than the cause, e.g. ``"truncated"`` under ``"tampered-or-corrupt"``.

    Examples
    --------
    >>> raise CertkitError("not a certificate", on="notes.txt", hint="give a PEM or DER file")
    Traceback (most recent call last):
    certkit.errors.CertkitError: not a certificate: notes.txt; try: give a PEM or DER file
    """

    def __init__(
        self,
        what: str,
        *,
        on: object = None,
        hint: str = "",
        cause: str | None = None,
        kind: str | None = None,
    ) -> None:
        self.what = _printable(what)
        self.on = None if on is None else _printable(str(on))
        self.hint = _printable(hint)
        self.cause = cause
        self.kind = kind
        super().__init__(self.what)

    def __str__(self) -> str:
        text = self.what
        if self.on is not None:
            text += f": {self.on}"
        if self.hint:
            text += f"; try: {self.hint}"
        return text

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.what, self.on, self.hint, self.cause, self.kind))


def _printable(text: str) -> str:
    """Return text that every stream can take: a file name that is no UTF-8 has halves of surrogate pairs in it."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _rebuild(
    kind_of_error: type[CertkitError],
    what: str,
    on: str | None,
    hint: str,
    cause: str | None,
    kind: str | None,
) -> CertkitError:
    return kind_of_error(what, on=on, hint=hint, cause=cause, kind=kind)


class ArgumentError(CertkitError, ValueError):
    """Raised when the call itself is wrong: an unknown name, a naive date, an impossible option."""


class FileError(CertkitError, OSError):
    """Raised when a file is missing, is a folder, may not be read, or cannot be written."""


class FormatError(CertkitError):
    """Raised when bytes are not what they should be: another format, or a damaged file."""


class LimitError(FormatError):
    """Raised when input is too big, too deep or too expensive, before the cost is paid."""


class PasswordError(CertkitError):
    """Raised when a password is missing or wrong. The password is never in the message."""


class CredentialError(CertkitError):
    """Raised when a key, a certificate and a chain do not belong together."""


class MissingToolError(CertkitError):
    """Raised when a program or an optional package is not installed; says what brings it."""


class CheckFailed(CertkitError):  # noqa: N818 - it is not an error of the program but a verdict
    """Raised by ``.raise_if_failed()`` of a verdict, for callers that want an exception."""
