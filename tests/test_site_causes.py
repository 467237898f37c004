"""The pages of causes and messages: everything that the knowledge base and the atlas hold, and ways that lead on."""

from __future__ import annotations

import re
from html import unescape

import nbformat
import pytest

import certkit as ck
from certkit import causes
from certkit._site.atlas import atlas_section
from certkit._site.causes import cause_section
from certkit._site.frame import Section
from certkit._site.messages import message_section, messages_of
from certkit._site.notebooks import sections_of
from certkit.atlas import AtlasRow

LESSON = ("03-one-way.html#What-the-client-checks", "03 · One-way: What the client checks")


@pytest.fixture(scope="module")
def section() -> Section:
    recorded = [item.id for item in ck.list_faults() if item.id != "expired-root"]
    return cause_section(ck.load_atlas(), ck.list_faults(), {"expired-leaf": [LESSON]}, recorded)


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_every_cause_has_its_page_and_its_line_in_the_index(section: Section) -> None:
    known = causes.load()
    assert [page.path for page in section.pages] == [f"causes/{name}.html" for name in known]
    for page, cause in zip(section.pages, known.values(), strict=True):
        assert f'href="{cause.id}.html"' in section.index.body
        told = words(page.body)
        for text in (
            cause.title,
            cause.meaning,
            cause.where,
            *cause.fix,
            *cause.confirm,
            *cause.wrong_fixes,
            cause.rfc,
        ):
            assert " ".join(text.split()) in told, (cause.id, text)
        for platform, step in cause.platforms:
            assert platform in told
            assert " ".join(step.split()) in told
    for name in causes.FAMILIES.values():
        assert f">{name}</h2>" in section.index.body


def test_every_measured_word_is_on_the_page_of_its_cause(section: Section) -> None:
    pages = {page.path[len("causes/") : -len(".html")]: words(page.body) for page in section.pages}
    rows = [row for row in ck.load_atlas() if row.cause != "none"]
    for row in rows:
        for said in (row.stack, row.version, row.client_message, row.server_message, row.alert):
            assert " ".join(said.split()) in pages[row.cause], (row.fault, row.stack)
    assert "No client stack was measured" not in pages["expired-leaf"]
    unmeasured = set(pages) - {row.cause for row in rows}
    assert unmeasured
    assert all("No client stack was measured" in pages[name] for name in unmeasured)


def test_a_cause_leads_to_its_recordings_and_lessons(section: Section) -> None:
    pages = {page.path: page.body for page in section.pages}
    for fault in ck.list_faults():
        link = f'href="../replays/{fault.id}.html"'
        assert (link in pages[f"causes/{fault.cause}.html"]) is (fault.id != "expired-root"), fault.id
    assert "no recording in this book" in pages["causes/expired-ca.html"]
    assert f'href="../{LESSON[0]}"' in pages["causes/expired-leaf.html"]
    assert 'id="lessons"' not in pages["causes/weak-key.html"]


def test_every_message_of_a_refusal_leads_to_each_of_its_causes() -> None:
    section = message_section(ck.load_atlas())
    lines = {words(line): line for line in re.findall(r"<li data-item.*?</li>", section.index.body)}
    for row in ck.load_atlas():
        if row.outcome not in ("refused", "timed-out") or row.cause == "none":
            continue
        for said in filter(None, (row.client_message, row.server_message)):
            start = " ".join(said.split())
            assert any(
                start in told and f'href="causes/{row.cause}.html"' in line for told, line in lines.items()
            ), row


def test_the_atlas_shows_every_fault_and_names_what_divides_the_stacks() -> None:
    atlas = ck.load_atlas()
    page = atlas_section(atlas, ck.list_faults()).index
    divided, maps = page.body.split('<h2 id="trust">')
    told = words(page.body)
    for fault in ck.list_faults():
        link = f'href="causes/{fault.cause}.html#{fault.id}"'
        assert (link in maps) is (fault.id in atlas.faults), fault.id
        assert (link in divided) is (fault.id in atlas.disagreements().faults), fault.id
    assert all(f"{row.stack} {row.version}" in told for row in atlas)
    drawn = sum(int(number) for number in re.findall(r"<title>(\d+) faults? by", maps))
    assert drawn == len(set(atlas.faults) & {fault.id for fault in ck.list_faults()})


def test_messages_are_counted_once_a_role_and_the_likeliest_cause_comes_first() -> None:
    def row(cause: str, stack: str, said: str, outcome: str = "refused") -> AtlasRow:
        return AtlasRow("x", cause, stack, "1", "", "1.3", outcome, said, server_message="no <certificate>")

    rows = [row("weak-key", "curl", "bad"), row("no-san", "go", "bad"), row("no-san", "go", "bad")]
    rows += [row("no-san", "go", "fine", "accepted"), row("none", "go", "good")]
    client, server = messages_of(rows)
    assert (client.words, client.stacks) == ("bad", ("curl", "go"))
    assert client.causes == server.causes == (("no-san", 2), ("weak-key", 1))
    assert server.words == "no <certificate>"
    assert "no &lt;certificate&gt;" in message_section(ck.load_atlas().__class__(tuple(rows))).index.body


def test_a_lesson_is_found_under_the_heading_that_the_page_has() -> None:
    cells = [
        nbformat.v4.new_markdown_cell(
            '# 09 · Odd, "quoted"\n\nNothing.\n\n## Why `it` broke?\n\nThe cause is `expired-leaf`.'
        ),
        nbformat.v4.new_code_cell('ck.find_fault("leaf-gone"), "expired-leaf"'),
        nbformat.v4.new_markdown_cell(
            "expired-leaf as plain words, `other-thing`\n\n## Why `it` broke?\n\n`leaf-gone`"
        ),
    ]
    names = {"expired-leaf": "expired-leaf", "leaf-gone": "expired-leaf"}
    found = list(sections_of(nbformat.v4.new_notebook(cells=cells), "guide/09-odd.html", names))
    addresses = [f"guide/09-odd.html#{place}" for place in ("Why-it-broke?", "Why-it-broke?-1")]
    assert {(cause, address) for cause, address, _ in found} == {("expired-leaf", to) for to in addresses}
    assert {heading for _, _, heading in found} == {"Why it broke?"}
    assert len(found) == 4
