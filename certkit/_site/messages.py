"""From message to fix: every message that the atlas has measured, and the causes behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from certkit import causes
from certkit._html import Html, join, tag, whole
from certkit._page import FILTER, filter_bar
from certkit._site.frame import Page, Section
from certkit._text import count
from certkit.atlas import Atlas, AtlasRow
from certkit.explanation._knowledge import Say, load_says

__all__ = ["Message", "message_section", "messages_of"]

_FIRST = 4


@dataclass(frozen=True)
class Message:
    """What was said, by whom, and in how many connections of which cause.

    Attributes
    ----------
    words : str
        The message.
    role : str
        ``"client"`` or ``"server"``, whoever said it.
    stacks : tuple of str
        The client stacks of the connections.
    causes : tuple of (str, int)
        Cause ids with the number of connections, the most frequent first.
    """

    words: str
    role: str
    stacks: tuple[str, ...] = field(repr=False)
    causes: tuple[tuple[str, int], ...]


def messages_of(rows: Iterable[AtlasRow]) -> list[Message]:
    """Return every message of a refusal, each once a role: the client's first, stack by stack."""
    stacks: dict[tuple[str, str], list[str]] = {}
    counted: dict[tuple[str, str], Counter[str]] = {}
    for row in rows:
        if row.outcome not in ("refused", "timed-out") or row.cause == "none":
            continue
        for role, words in (("client", row.client_message), ("server", row.server_message)):
            if words:
                stacks.setdefault((role, words), []).append(row.stack)
                counted.setdefault((role, words), Counter())[row.cause] += 1
    found = [
        Message(words, role, tuple(dict.fromkeys(names)), tuple(counted[role, words].most_common()))
        for (role, words), names in stacks.items()
    ]
    return sorted(found, key=lambda item: (item.role, item.stacks[0], item.words.lower()))


def message_section(atlas: Atlas) -> Section:
    """Return the page that leads from each measured message to its causes."""
    found = messages_of(atlas)
    parts: list[object] = [
        tag("h1", "From message to fix"),
        tag(
            "p",
            f"{count(len(found), 'message')} that real clients and servers gave, each under the program that said it, "
            "with the causes that were behind it here and in how many connections. The cause's page has the fix.",
        ),
        tag(
            "p",
            "A message with many causes tells little by itself: look at the other side's words too, or paste both into ",
            tag("code", "certkit explain"),
            ", which weighs them. Ports, folders and times stand as words in capitals.",
            class_="ck-note",
        ),
        tag(
            "p",
            "Other products' words, Salesforce's and .NET's for example, are under ",
            tag("a", "said elsewhere", href="messages/elsewhere.html"),
            ".",
        ),
        filter_bar("Words of your message"),
    ]
    groups: dict[str, list[Message]] = {}
    for item in found:
        name = "What the servers say" if item.role == "server" else f"What {item.stacks[0]} says"
        groups.setdefault(name, []).append(item)
    for name, items in groups.items():
        lines = [_line(item) for item in items]
        parts.append(tag("section", tag("h2", name), tag("ul", *lines), data_group=""))
    index = Page("messages.html", "From message to fix", join(parts), script=FILTER)
    return Section("Messages", index, (_reported(),))


def _reported() -> Page:
    """Return the page of what is known to be said elsewhere: by products and versions that were not measured here."""
    parts: list[object] = [
        tag("h1", "Said elsewhere"),
        tag(
            "p",
            whole(
                "What products say that the lab cannot run, and older versions of those that it can: known from reports and "
                "documentation, not measured here. Case, punctuation and line breaks do not count; … stands for words between. "
                "The share says how often a cause was behind it, as far as is known, when a client said it."
            ),
            class_="ck-note",
        ),
        filter_bar("Words of your message"),
    ]
    groups: dict[str, list[Html]] = {}
    for say in load_says():
        if say.client and say.received is None:
            groups.setdefault(say.platform, []).append(_say(say))
    for name, lines in sorted(groups.items(), key=lambda pair: (not pair[0], pair[0])):
        parts.append(tag("section", tag("h2", name or "Said by many"), tag("ul", *lines), data_group=""))
    return Page("messages/elsewhere.html", "Said elsewhere", join(parts), script=FILTER)


def _say(say: Say) -> Html:
    told = dict.fromkeys(" … ".join(part.strip() for part in item.parts) for item in say.phrases)
    phrases = [tag("code", words) for words in told]
    likely = sorted(say.client.items(), key=lambda pair: -pair[1])[:_FIRST]
    links = [
        join([tag("a", causes.cause(name).title, href=f"../causes/{name}.html"), f" ({share * 100:.0f} %)"])
        for name, share in likely
    ]
    return tag(
        "li", join(phrases, " · "), Html("<br>"), whole(f"{say.means} → "), join(links, ", "), data_item=""
    )


def _line(item: Message) -> Html:
    behind = [_cause(*pair) for pair in item.causes]
    shown = join(behind[:_FIRST], ", ")
    if len(behind) > _FIRST:
        rest = tag(
            "details",
            tag("summary", f"and {count(len(behind) - _FIRST, 'cause')} more"),
            join(behind[_FIRST:], ", "),
        )
        shown = join([shown, rest])
    also = f" (also {', '.join(item.stacks[1:])})" if item.role == "client" and item.stacks[1:] else ""
    return tag(
        "li",
        tag("code", whole(item.words)),
        tag("span", also, class_="ck-soft"),
        Html("<br>→ "),
        shown,
        data_item="",
    )


def _cause(name: str, number: int) -> Html:
    link = tag("a", causes.cause(name).title, href=f"causes/{name}.html")
    return join([link, f" ({number})"])
