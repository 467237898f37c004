"""The reference: a page for every public name, from its docstring and signature."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from functools import cache, cached_property
from importlib import import_module

from certkit._html import Html, join, tag, whole
from certkit._page import FILTER, filter_bar
from certkit._site.code import code_style, coloured
from certkit._site.docstrings import Word, docstring_html
from certkit._site.frame import Page, Section
from certkit._text import count

__all__ = ["reference_section"]

_LINE = 76


@cache
def reference_section() -> Section:
    """Return a page for every name that ``import certkit as ck`` offers, and the list of them by module."""
    root = import_module("certkit")
    values = {name: getattr(root, name) for name in root.__all__}
    word = _linker(set(values))
    pages = tuple(
        Page(f"reference/{name}.html", f"ck.{name}", join(_told(name, value, word)), style=code_style())
        for name, value in values.items()
    )
    by_module: dict[str, list[str]] = {}
    for name in values:
        by_module.setdefault(root._HOME_OF[name].split(".")[1].strip("_"), []).append(name)
    parts: list[object] = [
        tag("h1", "Reference"),
        tag(
            "p", f"{count(len(values), 'name')}, all of them after ", tag("code", "import certkit as ck"), "."
        ),
        filter_bar("Narrow the list"),
    ]
    for module, names in by_module.items():
        items = [
            tag(
                "li",
                tag("a", tag("code", f"ck.{name}"), href=f"{name}.html"),
                whole(f": {_first_sentence(values[name])}"),
                data_item="",
            )
            for name in names
        ]
        parts.append(
            tag("section", tag("h2", module.capitalize(), id=module), tag("ul", *items), data_group="")
        )
    return Section("Reference", Page("reference/index.html", "Reference", join(parts), script=FILTER), pages)


def _linker(names: set[str]) -> Word:
    def word(text: str) -> Html | None:
        name, _, member = text.removeprefix("ck.").removesuffix("()").partition(".")
        if name not in names:
            return None
        return tag("a", tag("code", text), href=f"{name}.html" + (f"#{member}" if member else ""))

    return word


def _first_sentence(value: object) -> str:
    text = inspect.getdoc(value) or ""
    return " ".join(text.partition("\n\n")[0].split())


def _told(name: str, value: object, word: Word) -> Iterator[Html]:
    module = getattr(value, "__module__", "certkit")
    yield tag("h1", tag("code", f"ck.{name}"))
    kind = "class" if inspect.isclass(value) else "function" if callable(value) else "value"
    yield tag("p", f"A {kind} of ", tag("code", module), ".", class_="ck-soft")
    if callable(value):
        yield coloured(_signature(name, value), "python")
    yield docstring_html(inspect.getdoc(value) or "", word, 2)
    if inspect.isclass(value):
        members = list(_members(value))
        if members:
            yield tag("h2", "Members", id="members")
        for member, thing in members:
            yield from _member(member, thing, word)


def _members(kind: type) -> Iterator[tuple[str, object]]:
    """Yield the public members with words of their own, inherited ones of ours too; fields are under the attributes."""
    ours = [base for base in kind.__mro__ if base.__module__.startswith("certkit")]
    names = dict.fromkeys(name for base in ours for name in vars(base) if not name.startswith("_"))
    for name in names:
        thing = inspect.getattr_static(kind, name)
        if isinstance(thing, staticmethod | classmethod):
            thing = thing.__func__
        if inspect.isfunction(thing) or isinstance(thing, property | cached_property):
            yield name, thing


def _member(name: str, thing: object, word: Word) -> Iterator[Html]:
    yield tag("h3", tag("code", f".{name}" + ("()" if inspect.isfunction(thing) else "")), id=name)
    if inspect.isfunction(thing):
        yield coloured(_signature(name, thing), "python")
    yield docstring_html(inspect.getdoc(thing) or "", word, 4)


def _signature(name: str, value: object) -> str:
    """Return the signature as one would write the call, a parameter a line if it is long."""
    try:
        signature = inspect.signature(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return name
    parts: list[str] = []
    star = False
    for item in signature.parameters.values():
        if item.name in ("self", "cls"):
            continue
        if item.kind is item.KEYWORD_ONLY and not star:
            parts.append("*")
        star = star or item.kind in (item.KEYWORD_ONLY, item.VAR_POSITIONAL)
        parts.append(_plain(str(item)))
    back = signature.return_annotation
    end = (
        ""
        if back is signature.empty
        else f" -> {_plain(back if isinstance(back, str) else inspect.formatannotation(back))}"
    )
    line = f"{name}({', '.join(parts)}){end}"
    if len(line) <= _LINE or not parts:
        return line
    return f"{name}(\n" + "".join(f"    {part},\n" for part in parts) + f"){end}"


def _plain(text: str) -> str:
    """Return a parameter without the modules of its types, and without the quotes of late annotations."""
    text = re.sub(r"^(\*{0,2}\w+): '([^']*)'", r"\1: \2", text)
    text = re.sub(r"\b(?:certkit|collections\.abc|typing|datetime|os|pathlib)(?:\.\w+)*\.(?=[A-Z])", "", text)
    return re.sub(r"<factory>|<object object at 0x[0-9a-f]+>", "…", text)
