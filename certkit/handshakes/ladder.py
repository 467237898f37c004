"""The ladder: a handshake drawn as messages between two lifelines, as SVG."""

from __future__ import annotations

from typing import TYPE_CHECKING

from certkit._html import STATUS_ICONS, Html, join, tag

if TYPE_CHECKING:
    from certkit.handshakes.messages import Message
    from certkit.handshakes.result import Handshake

__all__ = ["ladder_svg"]

WIDTH = 760
LEFT, RIGHT = 90, WIDTH - 90
TOP, ROW = 86, 44

# Colours are custom properties with a light default; JupyterLab's dark theme and a dark page replace
# them. Every pair of text and background keeps 4.5:1, every line 3:1.
_STYLE = """
.ck-ladder{--bg:#ffffff;--ink:#1b2430;--soft:#566072;--plain:#0b5cad;--locked:#0a6b55;--alert:#b3182b;--alertbg:#fdecee;
--good:#0f5132;--goodbg:#e3f4ea;font-family:system-ui,'DejaVu Sans',sans-serif;max-width:100%;height:auto}
body[data-jp-theme-light=false] .ck-ladder{--bg:#17202b;--ink:#eef2f7;--soft:#aab4c3;--plain:#7db8f5;--locked:#5fd0b1;
--alert:#ff9aa5;--alertbg:#45161d;--good:#a5e3be;--goodbg:#123524}
@media (prefers-color-scheme:dark){body:not([data-jp-theme-light]) .ck-ladder{--bg:#17202b;--ink:#eef2f7;--soft:#aab4c3;
--plain:#7db8f5;--locked:#5fd0b1;--alert:#ff9aa5;--alertbg:#45161d;--good:#a5e3be;--goodbg:#123524}}
.ck-ladder text{font-size:13px;text-anchor:middle;fill:var(--ink)}
.ck-ladder .s{font-size:10.5px;fill:var(--soft)}
.ck-ladder .plain{--c:var(--plain)}.ck-ladder .locked{--c:var(--locked)}
.ck-ladder .quiet{--c:var(--soft)}.ck-ladder .alert{--c:var(--alert)}
.ck-ladder .msg path,.ck-ladder .msg .n{fill:var(--c)}
.ck-ladder .msg line{stroke:var(--c);stroke-width:2}
.ck-ladder .quiet line{stroke-dasharray:3 4}
.ck-ladder .halo{fill:transparent}.ck-ladder .alert .halo{fill:var(--alertbg);stroke:var(--alert)}
.ck-ladder .alert line{stroke-width:3}.ck-ladder .alert .n{font-weight:bold}
.ck-ladder g.msg:focus rect.halo{stroke:var(--plain);stroke-width:2}
"""
_LOCK = "M2 6V4.5a3 3 0 0 1 6 0V6h1v6H1V6zm1.5 0h3V4.5a1.5 1.5 0 0 0-3 0z"
_QUIET = {"ChangeCipherSpec"}
MAX_MESSAGES = 40


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
    title = f"TLS handshake, {len(handshake.messages)} messages: {handshake.verdict}"
    return tag(
        "svg",
        tag("title", title),
        tag("style", Html(_STYLE)),
        tag(
            "rect",
            x=0.5,
            y=0.5,
            width=WIDTH - 1,
            height=height - 1,
            rx=10,
            fill="var(--bg)",
            stroke="var(--soft)",
        ),
        _head(LEFT, "Client", _client_note(handshake), bottom),
        _head(RIGHT, "Server", _server_note(handshake), bottom),
        *(_arrow(number, item) for number, item in enumerate(shown)),
        _foot(handshake, bottom),
        class_="ck-ladder",
        role="img",
        viewBox=f"0 0 {WIDTH} {height}",
        width=WIDTH,
        height=height,
        xmlns="http://www.w3.org/2000/svg",
        data_run=run,
    )


def _client_note(handshake: Handshake) -> str:
    credential = handshake.client_config.credential
    return "no certificate" if credential is None else credential.certificate.name


def _server_note(handshake: Handshake) -> str:
    return handshake.server_config.credential.certificate.name


def _text(x: float, y: float, words: object, **style: object) -> Html:
    return tag("text", words, x=f"{x:g}", y=y, **style)


def _short(words: str, limit: int) -> str:
    return words if len(words) <= limit else words[: limit - 1] + "…"


def _head(x: int, name: str, note: str, bottom: int) -> Html:
    return join(
        [
            tag("line", x1=x, y1=60, x2=x, y2=bottom + 6, stroke="var(--soft)", stroke_width=2),
            tag("rect", x=x - 55, y=14, width=110, height=28, rx=6, fill="var(--ink)"),
            _text(x, 33, name, style="font-weight:bold;fill:var(--bg)"),
            _text(x, 57, _short(note, 24), class_="s"),
        ]
    )


def _arrow(number: int, message: Message) -> Html:
    y = TOP + ROW * number + 22
    away, alert = message.sender == "client", message.name == "Alert"
    start, end = (LEFT + 3, RIGHT - 3) if away else (RIGHT - 3, LEFT + 3)
    name = f"Alert · {message.summary}" if alert else message.name
    way = "encrypted" if message.encrypted else "readable"
    label = (
        f"{number + 1}. {message.sender}: {name}, {message.size} bytes, {way} on the wire. {message.summary}"
    )
    lock_at = WIDTH / 2 - 4.1 * len(name) - 18
    return tag(
        "g",
        tag("rect", class_="halo", x=LEFT - 8, y=y - 24, width=RIGHT - LEFT + 16, height=ROW - 2, rx=6),
        tag("line", x1=start, y1=y, x2=end, y2=y),
        tag("path", d=f"M{end} {y}l{-10 if away else 10} -5v10z"),
        tag("path", d=_LOCK, transform=f"translate({lock_at:.0f},{y - 18})") if message.encrypted else "",
        _text(WIDTH / 2, y - 7, name, class_="n"),
        "" if alert else _text(WIDTH / 2, y + 12, _short(message.summary, 88), class_="s"),
        class_=f"msg {_look(message)}",
        tabindex=0,
        role="img",
        aria_label=label,
    )


def _look(message: Message) -> str:
    if message.name == "Alert":
        return "alert"
    if message.name in _QUIET:
        return "quiet"
    return "locked" if message.encrypted else "plain"


def _foot(handshake: Handshake, bottom: int) -> Html:
    good = handshake.ok
    colour, background = ("var(--good)", "var(--goodbg)") if good else ("var(--alert)", "var(--alertbg)")
    mark = STATUS_ICONS["good" if good else "bad"]
    words = handshake.verdict
    if handshake.cause:
        words += f" Cause: {handshake.cause}"
    legend = "blue: readable by anybody in between · green with a lock: encrypted · red frame: alert"
    if handshake.recording != "messages":
        legend += " · this Python shows records only"
    return join(
        [
            tag("rect", x=20, y=bottom + 16, width=WIDTH - 40, height=34, rx=6, fill=background),
            tag(
                "path",
                d=mark,
                transform=f"translate(30,{bottom + 25})",
                style=f"fill:none;stroke:{colour};stroke-width:2",
            ),
            _text(
                54, bottom + 38, _short(words, 100), style=f"text-anchor:start;font-weight:bold;fill:{colour}"
            ),
            _text(WIDTH / 2, bottom + 74, legend, class_="s"),
        ]
    )
