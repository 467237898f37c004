"""Finds secrets in what was shown: every private key made meanwhile, and the passwords used, in every spelling.

``Watch`` notes each `PrivateKey` that is made. A secret is cut into pieces of eight bytes (for text, of 16 hexadecimal
or decimal digits, or 10 characters of base64), so that half a key is found as well as a whole one, and one pass over
the text finds them all, however many keys there are.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass

from certkit.keys import PrivateKey

_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")
_BETWEEN_DIGITS = re.compile(r"[\s:,._|]|\\x|\\n|0x|&#10;")
# An underscore, and the letters 0x, are base64 themselves.
_BETWEEN_LETTERS = re.compile(r"[\s:,.|]|\\n|&#10;")
# What a value has to show itself, beside str and repr; each is called without arguments.
SHOWS = (
    *(
        "_repr_html_",
        "_repr_svg_",
        "_repr_markdown_",
        "_repr_mimebundle_",
        "to_dict",
        "to_frame",
        "to_html",
        "to_csv",
    ),
    *("text", "explain", "lines", "conversation", "facts", "overview", "summary", "sentence"),
)


class Watch:
    """Notes every private key made while it is on, by wrapping `PrivateKey`; `passwords` are added by hand."""

    def __init__(self, *passwords: str) -> None:
        self.keys: list[PrivateKey] = []
        self.passwords = list(passwords)
        self._genuine = PrivateKey.__init__

    def __enter__(self) -> Watch:
        genuine, keys = self._genuine, self.keys

        def noted(key: PrivateKey, *args: object, **named: object) -> None:
            genuine(key, *args, **named)  # type: ignore[arg-type]
            keys.append(key)

        PrivateKey.__init__ = noted  # type: ignore[method-assign,assignment]
        return self

    def __exit__(self, *_: object) -> None:
        PrivateKey.__init__ = self._genuine  # type: ignore[method-assign]

    def leaks(self, *shown: str | bytes) -> list[str]:
        """Return which secrets are in what was shown: in which spelling, and where."""
        return find(shown, {secret for key in self.keys for secret in key._secrets()}, self.passwords)


def find(shown: Iterable[str | bytes], secrets: Iterable[bytes], passwords: Iterable[str]) -> list[str]:
    """Return which secrets are in what was shown; a description never holds the secret."""
    known = set(secrets)
    raw: set[object] = {secret[at : at + 8] for secret in known for at in range(0, len(secret) - 7, 8)}
    raw = {piece for piece in raw if len(set(piece)) > 2}  # type: ignore[arg-type]
    digits: set[object] = {form for secret in known for form in _digits(secret)}
    letters: set[object] = {form for secret in known for form in _base64(secret)}
    words = list(_password_forms(passwords))
    found = []
    for item in dict.fromkeys(shown):
        data = item.encode("utf-8", "surrogatepass") if isinstance(item, str) else item
        start = data[:40]
        found += [f"password {n} as {how} in {start!r}" for n, how, form in words if form in data]
        text = data.decode("latin-1")
        places = [f"key as raw bytes at {at}" for at in _places(data, raw, 8)]
        if b"\\x" in data:
            plain = _ESCAPED.sub(lambda match: bytes.fromhex(match[1].decode()), data)
            places += [f"key as escaped bytes at {at}" for at in _places(plain, raw, 8)]
        places += [
            f"key as digits at {at}" for at in _places(_BETWEEN_DIGITS.sub("", text).lower(), digits, 16)
        ]
        places += [f"key as base64 at {at}" for at in _places(_BETWEEN_LETTERS.sub("", text), letters, 10)]
        found += [f"{place} in {start!r}" for place in places[:3]]
    return found


def _places(text: str | bytes, pieces: set[object], size: int) -> list[int]:
    return [at for at in range(len(text) - size + 1) if text[at : at + size] in pieces]


def _digits(secret: bytes) -> Iterator[str]:
    for whole in (secret.hex(), str(int.from_bytes(secret, "big"))):
        for at in range(0, len(whole) - 15, 16):
            if len(set(whole[at : at + 16])) > 2:
                yield whole[at : at + 16]


def _base64(secret: bytes) -> Iterator[str]:
    for shift in range(3):
        whole = base64.b64encode(bytes(shift) + secret).decode()[4:-4]
        for alphabet in (whole, whole.replace("+", "-").replace("/", "_")):
            for at in range(0, len(alphabet) - 9, 10):
                if len(set(alphabet[at : at + 10])) > 2:
                    yield alphabet[at : at + 10]


def _password_forms(passwords: Iterable[str]) -> Iterator[tuple[int, str, bytes]]:
    for number, password in enumerate(passwords):
        plain = password.encode()
        forms = {
            "text": plain,
            "HTML": html.escape(password).encode(),
            "JSON": json.dumps(password)[1:-1].encode(),
            "UTF-16": password.encode("utf-16-be"),
            "hexadecimal": plain.hex().encode(),
        }
        for how, form in forms.items():
            yield number, how, form
        for shift in range(3):
            # The letters that depend on this password alone, wherever it stands in what was encoded.
            inner = base64.b64encode(bytes(shift) + plain)[4:-4]
            yield number, "base64", inner[: len(inner) // 4 * 4]


def show(value: object, depth: int = 3, seen: set[int] | None = None) -> Iterator[tuple[str, str]]:
    """Yield everything that a value shows of itself, and of the certkit values in it: (what, text)."""
    seen = set() if seen is None else seen
    if id(value) in seen:
        return
    seen.add(id(value))
    name = type(value).__name__
    yield f"repr of {name}", repr(value)
    yield f"str of {name}", str(value)
    for way in SHOWS:
        shown = getattr(value, way, None)
        if shown is None:
            continue
        if callable(shown):
            try:
                shown = shown()
            except TypeError:  # it takes arguments: not a way to show itself
                continue
        yield f"{name}.{way}", shown if isinstance(shown, str) else json.dumps(shown, default=str)
    if depth:
        for inner in _inside(value):
            yield from show(inner, depth - 1, seen)


def _inside(value: object) -> Iterator[object]:
    if isinstance(value, str | bytes):
        return
    if isinstance(value, dict):
        inner: Iterable[object] = value.values()
    elif isinstance(value, tuple | list | set | frozenset):
        inner = value
    elif is_dataclass(value):
        inner = (getattr(value, field.name, None) for field in fields(value))
    else:
        return
    for item in inner:
        if type(item).__module__.startswith("certkit") or isinstance(item, tuple | list | dict):
            yield item
