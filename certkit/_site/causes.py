"""A page for every cause: what it means, what stacks said, the fix, the recordings and the lessons that show it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from certkit import causes
from certkit._html import Html, join, table, tag, whole
from certkit._page import FILTER, filter_bar
from certkit._site.frame import Page, Section
from certkit._text import count
from certkit.atlas import Atlas, AtlasRow
from certkit.causes import Cause
from certkit.faults import Fault

__all__ = ["Lesson", "cause_section"]

Lesson = tuple[str, str]
"""A place in the notebooks: its address from the site's folder, and what it is called."""

_CHANGES = {
    "client": "the client, the side that calls",
    "server": "the server, the side that is called",
    "either": "client or server, as the case may be",
    "network": "whoever runs the network between the two",
}
_SIDES = {
    "client": "the client, the side that calls",
    "server": "the server, the side that is called",
    "either": "whichever side checks, client or server",
    "network": "the network between the two",
}


def cause_section(
    atlas: Atlas, faults: Sequence[Fault], lessons: Mapping[str, Sequence[Lesson]], recorded: Iterable[str]
) -> Section:
    """Return the pages of all causes, and their index by family.

    Parameters
    ----------
    atlas : Atlas
        What the stacks were measured to say.
    faults : sequence of Fault
        The whole catalogue.
    lessons : mapping of str to sequence of Lesson
        For each cause, where the notebooks speak of it.
    recorded : iterable of str
        The faults that have a replay page in this book.
    """
    kept = set(recorded)
    pages = tuple(
        Page(
            f"causes/{found.id}.html",
            found.title,
            join(
                [
                    *_told(found),
                    *_shown(found, [item for item in faults if item.cause == found.id], kept),
                    *_said([row for row in atlas if row.cause == found.id], faults, kept),
                    *_taught(lessons.get(found.id, ())),
                ]
            ),
        )
        for found in causes.load().values()
    )
    return Section("Causes", Page("causes/index.html", "Causes", _index(), script=FILTER), pages)


def _index() -> Html:
    parts: list[object] = [
        tag("h1", "Causes"),
        tag(
            "p",
            f"{count(len(causes.load()), 'reason')} why a connection or a keystore fails. Each has one name here, used by "
            "every check, message and lesson.",
        ),
        filter_bar("Narrow the list"),
    ]
    for family, name in causes.FAMILIES.items():
        items = [
            tag(
                "li",
                tag("a", found.title, href=f"{found.id}.html"),
                Html(" "),
                tag("code", found.id),
                Html("<br>"),
                tag("span", whole(found.meaning), class_="ck-soft"),
                data_item="",
            )
            for found in causes.load().values()
            if found.family == family
        ]
        parts.append(tag("section", tag("h2", name, id=family), tag("ul", *items), data_group=""))
    return join(parts)


def _told(found: Cause) -> list[object]:
    """Return the entry of the knowledge base."""
    parts: list[object] = [
        tag("h1", found.title),
        tag(
            "p",
            tag("code", found.id),
            " · ",
            tag("a", causes.FAMILIES[found.family], href=f"index.html#{found.family}"),
        ),
        tag("p", whole(found.meaning)),
        tag("h2", "The fix", id="fix"),
        tag(
            "p",
            "Who must change something: ",
            tag("b", _CHANGES[found.change]),
            whole(f". Where: {found.where}."),
        ),
        tag("ol", *(tag("li", whole(line)) for line in found.fix)),
    ]
    if found.platforms:
        steps = [(name, whole(step)) for name, step in found.platforms]
        parts += [tag("h3", "On your platform", id="platforms"), table(("on", "do"), steps)]
    if found.wrong_fixes:
        parts.append(tag("h3", "What looks like a fix and is none", id="no-fix"))
        parts.append(tag("ul", *(tag("li", whole(line)) for line in found.wrong_fixes)))
    parts.append(tag("h2", "How to recognise it", id="confirm"))
    parts.append(
        tag(
            "p",
            f"It is seen by {_SIDES[found.found_by]}. To confirm it; words in capitals are yours to replace:",
        )
    )
    parts += [tag("pre", tag("code", whole(line))) for line in found.confirm]
    parts.append(
        tag("p", "Source: ", found.rfc or "practice, no standard speaks of it", ".", class_="ck-soft")
    )
    return parts


def _shown(found: Cause, faults: Sequence[Fault], recorded: set[str]) -> list[object]:
    """Return how it comes about: the faults that build it, with their recordings."""
    parts: list[object] = [tag("h2", "How it comes about", id="faults")]
    if not faults:
        return [
            *parts,
            tag("p", "No fault of the catalogue builds this cause, so there is no recording of it."),
        ]
    items = []
    for item in faults:
        story = " ".join(item.story.partition("\n")[2].split())
        replay = (
            tag("a", "watch the handshake", href=f"../replays/{item.id}.html")
            if item.id in recorded
            else "no recording in this book"
        )
        items.append(tag("li", tag("b", f"{item.title}. "), whole(f"{story} "), "(", replay, ")"))
    return [*parts, tag("ul", *items)]


def _said(rows: Sequence[AtlasRow], faults: Sequence[Fault], recorded: set[str]) -> list[object]:
    """Return the atlas: each fault's stacks, versions and words."""
    parts: list[object] = [tag("h2", "What each stack says", id="atlas")]
    if not rows:
        return [*parts, tag("p", "No client stack was measured with this cause.")]
    dates = sorted(row.date[:10] for row in rows)
    spoken = sum(row.outcome == "refused" for row in rows)
    when = dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
    parts.append(
        tag(
            "p",
            f"Measured {when} on loopback, real client against real server: {count(len(rows), 'connection')}, {spoken} refused. "
            "Ports, folders and times are replaced by words in capitals.",
        )
    )
    titles = {item.id: item.title for item in faults}
    for fault in dict.fromkeys(row.fault for row in rows):
        title = titles.get(fault, fault)
        words = tag("a", title, href=f"../replays/{fault}.html") if fault in recorded else title
        lines = _merged([row for row in rows if row.fault == fault])
        parts += [tag("h3", words, id=fault), table(("stack", "what came of it"), lines, limit=len(lines))]
    return parts


def _merged(rows: Sequence[AtlasRow]) -> list[tuple[Html, Html]]:
    """Return the rows as cells, one line for the TLS versions in which a stack said the same."""
    same: dict[tuple[str, str, Html], list[str]] = {}
    for row in rows:
        same.setdefault((row.stack, row.version, _outcome(row)), []).append(row.tls_version)
    return [
        (
            join(
                [
                    tag("b", stack),
                    Html("<br>"),
                    tag("span", f"{version}, TLS {' and '.join(versions)}", class_="ck-soft"),
                ]
            ),
            outcome,
        )
        for (stack, version, outcome), versions in same.items()
    ]


def _outcome(row: AtlasRow) -> Html:
    """Return what came of a call: the verdict, both sides' own words, the alert."""
    lines = [tag("div", row.badge())]
    for side, said in (("client", row.client_message), ("server", row.server_message)):
        if said:
            lines.append(tag("div", f"{side}: ", tag("code", whole(said))))
    if row.alert:
        lines.append(tag("div", f"alert: {row.alert}, from the {row.alert_from}"))
    return join(lines)


def _taught(lessons: Sequence[Lesson]) -> list[object]:
    if not lessons:
        return []
    items = [tag("li", tag("a", words, href=f"../{address}")) for address, words in lessons]
    return [tag("h2", "In the notebooks", id="lessons"), tag("ul", *items)]
