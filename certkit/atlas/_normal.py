"""Messages without what differs from run to run: ports, folders, addresses, source lines, times, ids."""

from __future__ import annotations

import re
import tempfile

__all__ = ["normal"]

_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), into)
    for pattern, into in (
        (rf"{re.escape(tempfile.gettempdir())}[\w./-]*", "FOLDER"),
        (r"certkit-[a-z]+-\w+", "FOLDER"),
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?", "TIME"),
        (rf"\w{{3}} {_MONTH} +\d+ \d\d:\d\d:\d\d (?:[A-Z]{{3,4}} )?\d{{4}}", "TIME"),
        (r"(?:[0-9A-Fa-f]{2}:){7,}[0-9A-Fa-f]{2}", "BYTES"),
        (r"0x[0-9a-fA-F]{6,}", "ADDRESS"),
        (r"\b[0-9A-F]{16}:error:", "error:"),
        (r"\b[0-9A-Fa-f]{32,}\b", "HEX"),
        (r"\b[A-Za-z0-9+/]{40,}={0,2}", "BASE64"),
        (r" ?\(_ssl\.c:\d+\)|_ssl\.c:\d+: ", ""),
        (r"\.c(?:c|pp)?:\d+\b", ".c:LINE"),
        (r"(localhost|127\.0\.0\.1|\[::1\])(:|\]:|'?, ?port=|'?, ?|\s+port )\d{4,5}\b", r"\1\2PORT"),
        (r"\bport:? \d{4,5}\b", "port PORT"),
        (r"->\d{4,5}\b", "->PORT"),
        (r":\d{4,5}(?=->|: | |\.\.\.)", ":PORT"),
        (r"\bafter \d+ ms\b", "after MS"),
        (r"\b\d+ milliseconds\b", "MS milliseconds"),
        (r"\bserial `[0-9a-fA-F]+'", "serial `NUMBER'"),
        # wget, refused in TLS 1.3: whether it notices while it writes is a matter of luck.
        (
            r"WARNING: Could not save SSL session data for socket \d+; ?|Failed writing HTTP request: [^;]*; ?",
            "",
        ),
        (r"\[\d+:\d+:\d+/[\d.]+:", "[PROCESS:"),
        (r"\b(pin-sha256:\s*)\S+", r"\1HASH"),
    )
)


def normal(text: str) -> str:
    """Return a message as it is in every run.

    Examples
    --------
    >>> normal("certificate verify failed (_ssl.c:1006) at localhost:40123")
    'certificate verify failed at localhost:PORT'
    """
    for pattern, into in _RULES:
        text = pattern.sub(into, text)
    return " ".join(text.split())
