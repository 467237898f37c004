"""Replays: what a real handshake of each fault said, recorded, as pages that need no kernel and no server."""

from __future__ import annotations

import json
import platform
import ssl
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from certkit import __version__, causes
from certkit._files import iso, utc, write_file
from certkit._html import Html, badge, details, join, tag, whole
from certkit._page import FILTER, filter_bar, page_html
from certkit.errors import ArgumentError
from certkit.faults import Fault, list_faults
from certkit.handshakes import Handshake
from certkit.handshakes.ladder import ladder_svg

__all__ = ["REPLAY_SCRIPT", "recorded_with", "replay_body", "replay_html", "replay_list", "write_replays"]

# Without it the page is whole: every message is there, and the buttons stay hidden.
REPLAY_SCRIPT = """
for (const part of document.querySelectorAll(".ck-replay")) {
  const arrows = [...part.querySelectorAll(".ck-ladder g.msg")];
  if (!arrows.length) continue;
  const bar = part.querySelector(".ck-steps"), said = part.querySelector(".ck-said");
  const folds = [...part.querySelectorAll(".ck-opened details > summary")].map((item) => item.parentElement)
    .filter((item) => item.parentElement.classList.contains("ck-opened"));
  let now = arrows.length;
  function show(step) {
    now = Math.max(1, Math.min(arrows.length, step));
    const whole = step > arrows.length;
    arrows.forEach((item, at) => {
      item.classList.toggle("ck-later", !whole && at >= now);
      item.classList.toggle("ck-now", !whole && at === now - 1);
    });
    folds.forEach((item, at) => { item.open = !whole && at === now - 1; });
    said.textContent = whole ? "all messages" : arrows[now - 1].getAttribute("aria-label");
  }
  bar.hidden = false;
  const ways = { first: () => show(1), back: () => show(now - 1), next: () => show(now + 1 > arrows.length ? now : now + 1),
    all: () => show(arrows.length + 1) };
  for (const button of bar.querySelectorAll("button")) button.addEventListener("click", ways[button.dataset.way]);
  bar.addEventListener("keydown", (event) => {
    if (event.key === "ArrowRight") ways.next();
    if (event.key === "ArrowLeft") ways.back();
  });
}
"""
_WAYS = (("first", "from the first message"), ("back", "back"), ("next", "next"), ("all", "all at once"))


def recorded_with(at: datetime) -> str:
    """Return when and with what a recording was made."""
    return (
        f"Recorded {iso(at)} with Python {platform.python_version()}, {ssl.OPENSSL_VERSION}, "
        f"certkit {__version__}, both ends on one machine."
    )


def replay_html(fault: Fault, at: datetime | None = None) -> str:
    """Return a page that replays the fault: both ends, every message, the cause, the fix, and the handshake after it.

    Parameters
    ----------
    fault : Fault
        What goes wrong; it is run now, once for each TLS version in which it makes a difference.
    at : datetime, optional
        What the label says of when; now by default.

    Examples
    --------
    >>> from certkit.faults import find_fault
    >>> page = replay_html(find_fault("expired-leaf"))
    >>> "Recorded" in page, "http" in page.partition("<body>")[0]
    (True, False)
    """
    body = join([tag("p", tag("a", "All replays", href="index.html")), replay_body(fault, at)])
    return page_html(f"{fault.title} · certkit", body, script=REPLAY_SCRIPT)


def replay_body(fault: Fault, at: datetime | None = None) -> Html:
    """Return what `replay_html` puts into its page; it comes to life with `REPLAY_SCRIPT`."""
    stamp = utc(at)
    runs = [(tls, fault.run(tls)) for tls in fault.tls]
    mended = fault.repair(fault.scenario(fault.tls[-1])).run()
    parts: list[object] = [
        tag("h1", fault.title),
        tag("p", tag("b", "A recording, not a simulation. "), recorded_with(stamp), class_="ck-note"),
        tag("p", whole(" ".join(fault.story.partition("\n")[2].split()))),
    ]
    if fault.harmless:
        parts.append(tag("p", tag("b", "This client accepts it. "), whole(fault.harmless)))
    parts += [_replay(f"TLS {tls}", run) for tls, run in runs]
    found = causes.cause(fault.cause)
    parts += [
        tag("h2", f"The cause: {found.title}"),
        found._repr_html_(),
        tag("h2", "Repaired"),
        tag("p", whole(fault.remedy), f" It is the {fault.side} that has to change."),
        _replay(f"TLS {fault.tls[-1]}, after the repair", mended),
    ]
    recording = json.dumps({tls: run.to_dict() for tls, run in runs}).replace("<", "\\u003c")
    data = Html(f'<script type="application/json" id="recording">{recording}</script>')
    return join([*parts, data])


def _replay(title: str, run: Handshake) -> Html:
    buttons = [tag("button", words, type="button", data_way=way) for way, words in _WAYS]
    said = tag("p", "", class_="ck-said", role="status")
    bar = tag("div", *buttons, said, class_="ck-steps", role="group", aria_label="step through", hidden="")
    return tag(
        "section",
        tag("h2", title),
        tag("p", badge("good" if run.ok else "bad", run.verdict)),
        bar,
        ladder_svg(run),
        run.opened_html(),
        run.sides_html(),
        details("The messages as a table", run.messages_html()),
        class_="ck-replay",
    )


def write_replays(folder: Path, faults: Iterable[Fault] | None = None) -> list[Path]:
    """Write a page for every fault into `folder`, and ``index.html`` that leads to them; return the files.

    Raises
    ------
    ArgumentError
        If the folder cannot be made.
    FileError
        If a page cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArgumentError("this folder cannot be made", on=folder, hint=str(error)) from None
    chosen, now = tuple(faults or list_faults()), utc(None)
    index = page_html("Replays · certkit", replay_list(chosen, now), script=FILTER)
    pages = {"index": index, **{item.id: replay_html(item, now) for item in chosen}}
    return [write_file(folder / f"{name}.html", page.encode()) for name, page in pages.items()]


def replay_list(faults: Sequence[Fault], at: datetime) -> Html:
    """Return the list that leads to the pages of these faults, family by family, and how they were recorded."""
    parts: list[object] = [
        tag("h1", "Replays"),
        tag("p", "Real handshakes of every fault, recorded. Each page can be saved and opened from disk."),
        tag("p", recorded_with(at), class_="ck-note"),
        filter_bar("Narrow the list"),
    ]
    for family in dict.fromkeys(item.family for item in faults):
        links = [
            tag("li", tag("a", item.title, href=f"{item.id}.html"), f" ({item.cause})", data_item="")
            for item in faults
            if item.family == family
        ]
        name = tag("h2", family.replace("_", " ").capitalize())
        parts.append(tag("section", name, tag("ul", *links), data_group=""))
    return join(parts)
