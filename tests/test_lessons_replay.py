"""Replays: whole by themselves, labelled as recordings, and true to the handshake."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import pytest

import certkit as ck
from certkit._site import problems_of
from certkit.lessons.replay import replay_html, write_replays

CHOSEN = ("expired-leaf", "client-cert-missing", "proxy-forbidden", "port-closed", "validity-too-long")


@pytest.mark.parametrize("name", CHOSEN)
def test_a_page_tells_both_ends_every_message_the_cause_and_the_fix(name: str) -> None:
    fault = ck.find_fault(name)
    page = unescape(replay_html(fault))
    recording = json.loads(re.search(r'id="recording">(.*?)</script>', page, re.S)[1])  # type: ignore[index]
    assert list(recording) == list(fault.tls)
    for told in recording.values():
        assert told["ok"] is bool(fault.harmless)
        for number, message in enumerate(told["messages"], 1):
            assert f"{number}. {message['name']}, from the {message['from']}" in page
    assert page.count('class="ck-replay"') == len(fault.tls) + 1
    for words in ("Recorded 20", "OpenSSL 3", "Python 3", fault.cause, fault.remedy[:20]):
        assert words in page, words
    assert "PRIVATE KEY" not in page


def test_pages_stand_by_themselves_and_the_index_leads_to_all(tmp_path: Path) -> None:
    faults = [ck.find_fault(name) for name in CHOSEN]
    written = write_replays(tmp_path / "replays", faults)
    assert {path.stem for path in written} == {"index", *CHOSEN}
    assert [problem for path in written for problem in problems_of(path, tmp_path)] == []
    for path in written:
        # A namespace is a name; everything else that begins so would be an address.
        text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r'(?:src|href)="https?:', text), path
