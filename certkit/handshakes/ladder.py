"""The ladder: a handshake drawn as messages between two lifelines, as SVG."""

from __future__ import annotations

from typing import TYPE_CHECKING

from certkit._html import Html, join
from certkit._svg import group, label, line, mark, path, rect, short, svg

if TYPE_CHECKING:
    from certkit.handshakes.messages import Message
    from certkit.handshakes.result import Handshake

__all__ = ["ladder_svg"]

WIDTH = 760
LEFT, RIGHT = 90, WIDTH - 90
TOP, ROW = 86, 44
MAX_MESSAGES = 40

_RULES = """
.ck-ladder text{font-size:13px;text-anchor:middle;fill:var(--ink)}
.ck-ladder .s{font-size:10.5px;fill:var(--soft)}
.ck-ladder .card{fill:var(--bg);stroke:var(--line)}
.ck-ladder .life{stroke:var(--line);stroke-width:2}
.ck-ladder .side{fill:var(--ink)}.ck-ladder .who{font-weight:bold;fill:var(--bg)}
.ck-ladder .plain{--c:var(--accent)}.ck-ladder .locked{--c:var(--good)}
.ck-ladder .quiet{--c:var(--soft)}.ck-ladder .alert{--c:var(--bad)}
.ck-ladder .msg path,.ck-ladder .msg .n{fill:var(--c)}
.ck-ladder .msg line{stroke:var(--c);stroke-width:2}
.ck-ladder .quiet line{stroke-dasharray:3 4}
.ck-ladder .halo{fill:transparent}.ck-ladder .alert .halo{fill:var(--bad-bg);stroke:var(--bad)}
.ck-ladder .alert line{stroke-width:3}.ck-ladder .alert .n{font-weight:bold}
.ck-ladder g.msg:focus .halo{stroke:var(--accent);stroke-width:2}
.ck-ladder .v{text-anchor:start;font-weight:bold}
.ck-ladder .v.good{fill:var(--good)}.ck-ladder .v.bad{fill:var(--bad)}
.ck-ladder rect.good{fill:var(--good-bg)}.ck-ladder rect.bad{fill:var(--bad-bg)}
"""
_LOCK = "M2 6V4.5a3 3 0 0 1 6 0V6h1v6H1V6zm1.5 0h3V4.5a1.5 1.5 0 0 0-3 0z"


def ladder_svg(handshake: Handshake, run: int | None = None) -> Html:
    """Return the handshake as a ladder: time runs down, each arrow is one message.

    Blue arrows cross readable, green ones with a lock cross encrypted, a red frame is an alert. The
    table beside it (`Handshake.messages_html`) holds the same facts.

    Parameters
    ----------
    handshake : Handshake
        What to draw; of more than 40 messages, the first 40.
    run : int, optional
        A number to put into the drawing as ``data-run``, so that a test can wait for it.
    """
    shown = handshake.messages[:MAX_MESSAGES]
    bottom = TOP + ROW * len(shown)
    height = bottom + 92
    return svg(
        "ck-ladder",
        WIDTH,
        height,
        rect(0.5, 0.5, WIDTH - 1, height - 1, rx=10, class_="card"),
        _head(LEFT, "Client", _client_note(handshake), bottom),
        _head(RIGHT, "Server", handshake.server_config.credential.certificate.name, bottom),
        *(_arrow(number, item) for number, item in enumerate(shown)),
        _foot(handshake, bottom),
        title=f"TLS handshake, {len(handshake.messages)} messages: {handshake.verdict}",
        rules=_RULES,
        run=run,
    )


def _client_note(handshake: Handshake) -> str:
    credential = handshake.client_config.credential
    return "no certificate" if credential is None else credential.certificate.name


def _head(x: int, name: str, note: str, bottom: int) -> Html:
    return join(
        [
            line(x, 60, x, bottom + 6, class_="life"),
            rect(x - 55, 14, 110, 28, rx=6, class_="side"),
            label(x, 33, name, class_="who"),
            label(x, 57, short(note, 24), class_="s"),
        ]
    )


def _arrow(number: int, message: Message) -> Html:
    y = TOP + ROW * number + 22
    away, alert = message.sender == "client", message.name == "Alert"
    start, end = (LEFT + 3, RIGHT - 3) if away else (RIGHT - 3, LEFT + 3)
    name = f"Alert · {message.summary}" if alert else message.name
    way = "encrypted" if message.encrypted else "readable"
    words = (
        f"{number + 1}. {message.sender}: {name}, {message.size} bytes, {way} on the wire. {message.summary}"
    )
    lock_at = WIDTH / 2 - 4.1 * len(name) - 18
    return group(
        rect(LEFT - 8, y - 24, RIGHT - LEFT + 16, ROW - 2, rx=6, class_="halo"),
        line(start, y, end, y),
        path(f"M{end} {y}l{-10 if away else 10} -5v10z"),
        path(_LOCK, transform=f"translate({lock_at:.0f},{y - 18})") if message.encrypted else "",
        label(WIDTH / 2, y - 7, name, class_="n"),
        "" if alert else label(WIDTH / 2, y + 12, short(message.summary, 88), class_="s"),
        class_=f"msg {_look(message)}",
        tabindex=0,
        role="img",
        aria_label=words,
    )


def _look(message: Message) -> str:
    if message.name == "Alert":
        return "alert"
    if message.name == "ChangeCipherSpec":
        return "quiet"
    return "locked" if message.encrypted else "plain"


def _foot(handshake: Handshake, bottom: int) -> Html:
    status = "good" if handshake.ok else "bad"
    words = handshake.verdict + (f" Cause: {handshake.cause}" if handshake.cause else "")
    legend = "blue: readable by anybody in between · green with a lock: encrypted · red frame: alert"
    if handshake.recording != "messages":
        legend += " · this Python shows records only"
    return join(
        [
            rect(20, bottom + 16, WIDTH - 40, 34, rx=6, class_=status),
            mark(status, 30, bottom + 25, 16),
            label(54, bottom + 38, short(words, 100), class_=f"v {status}"),
            label(WIDTH / 2, bottom + 74, legend, class_="s"),
        ]
    )
