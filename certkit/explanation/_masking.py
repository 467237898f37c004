"""What must not be shown or kept is masked before anything else looks at the text."""

from __future__ import annotations

import re

__all__ = ["MASK", "mask_secrets"]

MASK = "•••"

_KEY_BEGINS = re.compile(r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY-----")
_KEY_LINE = re.compile(r"(?:[A-Za-z0-9+/=]{1,200}|[A-Za-z-]{3,20}: .{0,100})?\s{0,10}")
_KEY_LONGEST = 20_000
_PUBLIC_BLOCK = re.compile(
    r"-----BEGIN (?:TRUSTED |X509 )?(?:CERTIFICATE|CERTIFICATE REQUEST|PUBLIC KEY|PKCS7)-----[^-]{0,60000}-----END"
)
# Every quantifier is bounded and no two neighbours can match the same text, so that time stays linear.
_NAMED = re.compile(
    r"(?i)(?<![a-z])((?:[a-z0-9_.-]{0,30}(?:password|passwd|passphrase|pass phrase|secret[a-z_]{0,20}|api[_-]?key|storepass"
    r"|keypass|bindpw|(?:access|refresh|id|auth|session|api)[_-]?token|private[_-]?key[_-]?pass)|pwd|pin|pass)"
    r"(?:\"|')?(?: is)?[ \t]{0,3}[:=][ \t]{0,3})"
    r"(\"[^\"\n]{1,200}\"|'[^'\n]{1,200}'|[^\s,;&\"')<>]{1,200})"
)
_OPTION = re.compile(
    r"(?i)(?<![\w-])(-{1,2}(?:storepass|keypass|srcstorepass|deststorepass|srckeypass|destkeypass|passin|passout"
    r"|password|keystore-password|key-pass|pass|passwd)[ =]{1,2})(\"[^\"\n]{1,200}\"|[^\s\"]{1,200})"
)
_USER = re.compile(
    r"(?i)((?:(?<![\w-])-[uU]|--(?:proxy-)?user)[ =]{0,2}[\"']?[^\s:\"']{1,80}:)([^\s\"']{1,200})"
)
_LDAP = re.compile(r"(?i)(\bldap[a-z]{2,12}\b[^\n]{0,300}? -w )([^\s]{1,200})")
_USERINFO = re.compile(r"(?i)\b([a-z][a-z0-9+.-]{1,15}://[^\s/@:]{1,80}:)([^\s/@]{1,120})(?=@)")
_HEADER = re.compile(
    r"(?i)((?:proxy-)?authorization[\"']?[ \t]{0,3}[:=][ \t]{0,3}[\"']?(?:basic|bearer|digest|token|negotiate)?[ \t]{1,3})"
    r"([^\s\"']{4,4000})"
)
_COOKIE = re.compile(r"(?i)((?:set-)?cookie[\"']?[ \t]{0,3}:[ \t]{0,3}[\"']?)([^\n\"']{4,4000})")
_FTP = re.compile(r"(?m)^((?:Command: {0,8}|> {0,4}|--> {0,4})?PASS )(\S{1,200})")
_SESSION = re.compile(
    r"(?i)((?:master-key|master secret|pre[- ]?master[- ]?secret|resumption psk|session-id|client_traffic_secret_0"
    r"|CLIENT_RANDOM [0-9a-f]{64})[ \t]{0,3}[:=]?[ \t]{0,3})([0-9A-Fa-f]{16,200})"
)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{60,}={0,2}")
# The words without which a pattern cannot match: lines without them are left alone, which keeps a long log cheap.
_TRIGGERS: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = (
    (
        (
            "passw", "passphrase", "pass phrase", "secret", "api_key", "api-key", "apikey", "storepass", "keypass", "bindpw",
            "token", "pwd", "pin:", "pin=", "pin ", "key_pass", "key-pass", "pass:", "pass=", "pass\"",
        ),
        _NAMED,
    ),
    (("-pass", "-storepass", "-keypass", "-srcstorepass", "-deststorepass", "-keystore-password"), _OPTION),
    (("curl",), _USER),
    (("ldap",), _LDAP),
    (("://",), _USERINFO),
    (("authorization",), _HEADER),
    (("cookie",), _COOKIE),
    (("pass ",), _FTP),
    (("master-key", "master secret", "premaster", "pre-master", "psk", "session-id", "traffic_secret"), _SESSION),
)  # fmt: skip


def mask_secrets(text: str) -> tuple[str, int]:
    """Return the text with passwords, tokens and private keys masked, and how many there were.

    Certificates are public and stay. Lines keep their numbers.

    Examples
    --------
    >>> mask_secrets("keytool -list -storepass changeit -keystore a.jks")
    ('keytool -list -storepass ••• -keystore a.jks', 1)
    """
    found = 0

    def second(match: re.Match[str]) -> str:
        nonlocal found
        if match[2].strip("\"'*.") == "" or match[2].startswith(MASK):
            return match[0]
        found += 1
        return match[1] + MASK

    if "PRIVATE KEY-----" in text:
        text, found = _mask_keys(text)
    lines = text.split("\n")
    low = text.lower()
    if low.count("\n") == text.count("\n"):
        for number, patterns in _lines_with_triggers(low).items():
            for pattern in patterns:
                lines[number] = pattern.sub(second, lines[number])
    text, blocks = _mask_base64("\n".join(lines))
    return text, found + blocks


def _mask_keys(text: str) -> tuple[str, int]:
    """Mask private keys: to their end line, or as far as lines look like one where the end was cut off."""
    pieces: list[str] = []
    at = found = 0
    for match in _KEY_BEGINS.finditer(text):
        if match.start() < at:
            continue
        end = text.find("-----END", match.end(), match.end() + _KEY_LONGEST)
        if end >= 0:
            closing = text.find("-----", end + 8, end + 80)
            end = closing + 5 if closing >= 0 else end + 8
        else:
            end = match.end()
            for line in text[end : end + _KEY_LONGEST].splitlines(keepends=True):
                if _KEY_LINE.fullmatch(line) is None:
                    break
                end += len(line)
        found += 1
        pieces += [
            text[at : match.start()],
            f"{MASK} (a private key)",
            "\n" * text.count("\n", match.start(), end),
        ]
        at = end
    return "".join([*pieces, text[at:]]), found


def _lines_with_triggers(low: str) -> dict[int, list[re.Pattern[str]]]:
    found: dict[int, list[re.Pattern[str]]] = {}
    for words, pattern in _TRIGGERS:
        if not any(word in low for word in words):
            continue
        for number, line in enumerate(low.split("\n")):
            if any(word in line for word in words):
                found.setdefault(number, []).append(pattern)
    return found


def _mask_base64(text: str) -> tuple[str, int]:
    """Mask long base64 that is no certificate: it may be a key or a PKCS#12."""
    if max(map(len, text.split()), default=0) < 60:
        return text, 0
    found = 0

    def long(match: re.Match[str]) -> str:
        nonlocal found
        # Fingerprints and dashes are not base64 of keys: those have letters of both cases and digits.
        if len(set(match[0])) < 20 or match[0].lower() == match[0]:
            return match[0]
        found += 1
        return MASK

    pieces, at = [], 0
    for match in _PUBLIC_BLOCK.finditer(text) if "-----BEGIN" in text else ():
        pieces += [_BASE64.sub(long, text[at : match.start()]), match[0]]
        at = match.end()
    pieces.append(_BASE64.sub(long, text[at:]))
    return "".join(pieces), found
