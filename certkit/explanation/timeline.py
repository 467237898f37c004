"""From a debug log to what happened in the handshake: javax.net.debug, ``openssl s_client``, ``curl -v``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from certkit._html import Html, table
from certkit._text import visible

__all__ = ["Step", "read_timeline", "timeline_html"]

_MOST = 80


@dataclass(frozen=True)
class Step:
    """One thing that happened, as a debug log tells it.

    Attributes
    ----------
    line : int
        The line of the log, from 1.
    who : str
        Who acted: ``"client"``, ``"server"``, ``"this side"``, ``"the other side"``.
    what : str
        The message or the event.
    detail : str
        What the log says of it; empty if nothing.
    """

    line: int
    who: str
    what: str
    detail: str = ""

    def to_dict(self) -> dict[str, object]:
        """Return the facts as JSON values."""
        return {"line": self.line, "who": self.who, "what": self.what, "detail": self.detail or None}


def timeline_html(steps: tuple[Step, ...]) -> Html:
    """Return the steps as a table."""
    rows = [(step.line, step.who, step.what, step.detail) for step in steps]
    return table(("line", "who", "what", "detail"), rows, caption="What the log tells of the handshake")


Reader = Callable[[re.Match[str]], tuple[str, str, str]]
_BY_CLIENT = {"clienthello", "clientkeyexchange", "certificateverify", "client_hello", "client_key_exchange"}


def _jsse_old(match: re.Match[str]) -> tuple[str, str, str]:
    name = match[1].strip().removesuffix(" chain")
    low = name.lower().replace(" ", "")
    return (
        "client" if low.startswith("client") or low in _BY_CLIENT else "server",
        name,
        match[2].strip(" ,"),
    )


def _jsse_new(match: re.Match[str]) -> tuple[str, str, str]:
    name = match[2].strip()
    low = name.lower()
    if "hello" in low or low.startswith(("client ", "server ")):
        who = "client" if low.startswith("client") else "server"
    else:
        who = "this side" if match[1] == "Produced" else "the other side"
    return who, name.removeprefix("client ").removeprefix("server "), ""


def _jsse_alert(match: re.Match[str]) -> tuple[str, str, str]:
    return ("this side" if match[1].upper() == "SEND" else "the other side"), "Alert", match[2].strip(" ,")


def _openssl_msg(match: re.Match[str]) -> tuple[str, str, str]:
    who = "this side" if match[1] == ">>>" else "the other side"
    return who, (match[3] or match[2]).strip(" ,"), match[2].strip() if match[3] else ""


def _curl(match: re.Match[str]) -> tuple[str, str, str]:
    return ("client" if match[2] == "OUT" else "server"), match[4].strip(), match[3].strip()


def _plain(who: str, what: str) -> Reader:
    return lambda match: (who, what, match[1].strip() if match.re.groups else "")


# The word that must stand in a line before its pattern is tried, the pattern, and what it means.
_READERS: tuple[tuple[str, re.Pattern[str], Reader], ...] = (
    (
        "***",
        re.compile(
            r"\*\*\* ?(ClientHello|ServerHelloDone|ServerHello|Certificate chain|CertificateRequest|ECDH \w{1,20}"
            r"|ClientKeyExchange|CertificateVerify|Finished|Diffie-Hellman ServerKeyExchange|HelloRequest)([^*\n]{0,60})"
        ),
        _jsse_old,
    ),
    (
        "handshake message",
        re.compile(r"(Produced|Consuming) ((?:client |server )?[A-Za-z]{3,24}(?: [A-Za-z]{3,12})?) handshake message"),
        _jsse_new,
    ),
    (
        "ALERT",
        re.compile(
            r"\b(SEND|RECV) [A-Za-z0-9.]{3,10} ALERT:? {1,3}(?:fatal|warning),? ?(?:description = )?([\w ,]{1,40})"
        ),
        _jsse_alert,
    ),
    ("alert", re.compile(r"Received fatal alert: ([\w ]{3,40})"), _plain("the other side", "Alert")),
    ("Received alert message", re.compile(r"Received alert message"), _plain("the other side", "Alert")),
    ("Fatal (", re.compile(r"Fatal \(([A-Z_]{3,40})\)"), _plain("this side", "Alert sent")),
    ("SSL alert number", re.compile(r"SSL alert number (\d{1,3})"), _plain("the other side", "Alert")),
    (
        "No X.509",
        re.compile(r"(No X\.509 certificate for client authentication|No X\.509 cert selected)"),
        _plain("client", "no certificate to send"),
    ),
    ("no suitable certificate", re.compile(r"no suitable certificate found"), _plain("client", "no certificate to send")),
    ("<empty list>", re.compile(r"Certificates: <empty list>"), _plain("client", "an empty Certificate")),
    ("<Empty>", re.compile(r"Cert Authorities: {0,2}\n? ?<Empty>"), _plain("server", "names no CA")),
    (
        "TLS",
        re.compile(
            r"(>>>|<<<) (?:\?{3} ?)?(?:TLS|SSL)[ v0-9.]{0,6}, ([A-Za-z ]{3,30}) ?\[(?:length )?[0-9a-f]{4}\]"
            r"(?:, ([A-Za-z_ ]{3,40}))?"
        ),
        _openssl_msg,
    ),
    (
        "TLS",
        re.compile(r"\* (TLS|SSL)v?[0-9. x]{0,6} \((IN|OUT)\), TLS ([a-z ]{5,20}), ([A-Za-z_ ]{3,40}) \(\d{1,4}\)"),
        _curl,
    ),
    ("CONNECTED(", re.compile(r"CONNECTED\("), _plain("client", "connected")),
    ("verify error", re.compile(r"verify error:num=([^\n]{3,80})"), _plain("client", "found fault")),
    ("Verify return code", re.compile(r"Verify return code: ([^\n]{3,80})"), _plain("client", "verdict")),
    ("Verification", re.compile(r"^Verification(?: error)?: ([^\n]{2,80})"), _plain("client", "verdict")),
    ("Acceptable client", re.compile(r"Acceptable client certificate CA names"), _plain("server", "names CAs")),
    ("No client certificate CA", re.compile(r"No client certificate CA names sent"), _plain("server", "names no CA")),
    ("Remote host", re.compile(r"Remote host (?:closed connection|terminated)"), _plain("the other side", "closed")),
    ("errno", re.compile(r"(?:read|write):errno=(\d{1,4})"), _plain("the other side", "closed")),
    ("SSL_connect:", re.compile(r"SSL_connect:([^\n]{3,60})"), _plain("client", "state")),
    ("SSL_accept:", re.compile(r"SSL_accept:([^\n]{3,60})"), _plain("server", "state")),
)  # fmt: skip


def read_timeline(text: str) -> tuple[Step, ...]:
    r"""Return the steps that a debug log tells, in order; fewer than two make no timeline and give none.

    Examples
    --------
    >>> log = "*** ClientHello, TLSv1.2\n*** ServerHello, TLSv1.2\n*** CertificateRequest"
    >>> [step.what for step in read_timeline(log)]
    ['ClientHello', 'ServerHello', 'CertificateRequest']
    """
    steps = list(_steps(text))
    if len(steps) < 2 or not any(step.what not in ("Alert", "Alert sent", "closed") for step in steps):
        return ()
    return tuple(steps[:_MOST])


def _steps(text: str) -> Iterator[Step]:
    """Yield the steps; after ServerHelloDone, the old JSSE log's Certificate is the client's."""
    last, turned = None, False
    for number, line in enumerate(text.split("\n"), 1):
        for word, pattern, reader in _READERS:
            if word not in line:
                continue
            match = pattern.search(line[:600])
            if match is None:
                continue
            who, what, detail = reader(match)
            turned = what == "ServerHelloDone" or (turned and what != "ClientHello")
            if turned and what == "Certificate" and reader is _jsse_old:
                who = "client"
            if what in ("RecordHeader", "InnerContent"):
                break
            step = Step(number, who, visible(what, 60), visible(detail, 90))
            if (who, what, detail) != last:
                yield step
            last = (who, what, detail)
            break
