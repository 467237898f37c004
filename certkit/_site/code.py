"""Code with its words coloured, in light and dark."""

from __future__ import annotations

from functools import cache

from certkit._html import Html, preformatted, tag
from certkit.errors import MissingToolError

__all__ = ["CODE_STYLES", "code_style", "coloured"]

CODE_STYLES = ("default", "github-dark")
"""Pygments' styles for light and dark; every colour of both keeps 4.5:1 on the page's code background."""


def coloured(text: str, language: str) -> Html:
    """Return code as a block; in a language that is not known, without colours.

    Raises
    ------
    MissingToolError
        If Pygments is not installed.
    """
    try:
        from pygments import highlight  # noqa: PLC0415 - only `make site` needs it
        from pygments.formatters import HtmlFormatter  # noqa: PLC0415
        from pygments.lexers import get_lexer_by_name  # noqa: PLC0415
        from pygments.util import ClassNotFound  # noqa: PLC0415
    except ImportError:
        raise MissingToolError("rendering needs pygments", hint="make setup") from None
    try:
        lexer = get_lexer_by_name(language or "text")
    except ClassNotFound:
        return preformatted(text)
    inner = highlight(text, lexer, HtmlFormatter(nowrap=True)).rstrip("\n")
    return tag("div", tag("pre", Html(inner)), class_="highlight")


@cache
def code_style() -> str:
    """Return the rules that colour code, for both themes."""
    from pygments.formatters import HtmlFormatter  # noqa: PLC0415

    light, dark = (HtmlFormatter(style=name) for name in CODE_STYLES)
    rules = [
        "\n".join(
            line for line in form.get_style_defs(".highlight").split("\n") if line.startswith(".highlight .")
        )
        for form in (light, dark)
    ]
    return f"{rules[0]}\n@media(prefers-color-scheme:dark){{{rules[1]}}}\n"
