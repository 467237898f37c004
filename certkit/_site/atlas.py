"""The atlas at a glance: who accepts and who refuses each fault, family by family."""

from __future__ import annotations

from collections.abc import Sequence

from certkit import causes
from certkit._html import Html, join, tag, whole
from certkit._site.frame import Page, Section
from certkit._text import count
from certkit.atlas import Atlas
from certkit.faults import Fault

__all__ = ["atlas_section"]


def atlas_section(atlas: Atlas, faults: Sequence[Fault]) -> Section:
    """Return the page of the atlas: a picture and a table for each family, and the faults that divide the stacks."""
    known = {item.id: item for item in faults if item.id in set(atlas.faults)}
    versions = dict.fromkeys((row.stack, row.version) for row in atlas)
    parts: list[object] = [
        tag("h1", "The atlas"),
        tag(
            "p",
            f"{count(len(atlas), 'connection')}: {count(len(known), 'fault')} and the good case, called by "
            f"{count(len(atlas.stacks), 'client stack')} in each TLS version "
            "that matters, measured on one machine. Each cause's page has the words that were said.",
        ),
        tag(
            "p",
            "Measured with ",
            whole(", ".join(f"{stack} {version}" for stack, version in versions)),
            ".",
            class_="ck-note",
        ),
        tag("h2", "Where they disagree", id="disagree"),
        tag("p", "Some accept these, others refuse them, in the same TLS version:"),
        tag("ul", *(_item(known[name]) for name in atlas.disagreements().faults if name in known)),
    ]
    for family, name in causes.FAMILIES.items():
        names = {item.id for item in known.values() if causes.cause(item.cause).family == family}
        rows = tuple(row for row in atlas if row.fault in names)
        if rows:
            items = [_item(item) for item in known.values() if item.id in names]
            parts += [tag("h2", name, id=family), Html(Atlas(rows).heat_map()), tag("ul", *items)]
    return Section("Atlas", Page("atlas.html", "The atlas", join(parts)))


def _item(fault: Fault) -> Html:
    link = tag("a", fault.title, href=f"causes/{fault.cause}.html#{fault.id}")
    return tag(
        "li",
        link,
        " ",
        tag("code", fault.id),
        whole(f" · {fault.harmless}" if fault.harmless else ""),
    )
