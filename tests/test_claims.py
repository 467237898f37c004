"""What README and notebooks claim in words: each sentence stands there, and is true of what the package has."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import certkit as ck
from certkit.lessons.game import list_cases
from certkit.lessons.mysteries import mystery
from certkit.stacks.clients import list_stacks

ROOT = Path(__file__).resolve().parent.parent
TROUBLE = "notebooks/05-troubleshooting.ipynb"
OPENSSL = {"python", "requests", "openssl", "openssl-strict", "curl", "node"}
JAVA = {"java-socket", "java-session", "java-https"}


def accepting(fault: str) -> set[str]:
    atlas = ck.load_atlas()
    return {stack for stack in atlas.stacks if atlas.verdict(fault, stack) == "accepted"}


def mysteries() -> int:
    """Count them: after the last one they begin again."""
    first = mystery(1).fault.id
    return next(number for number in range(1, 100) if mystery(number + 1).fault.id == first)


CLAIMS: list[tuple[str, str, Callable[[], bool]]] = [
    ("README.md", "what fourteen client stacks said", lambda: len(list_stacks()) == 14),
    (TROUBLE, "was put to fourteen client stacks", lambda: len(ck.load_atlas().stacks) == 14),
    (
        TROUBLE,
        "every fault of the lab was put to",
        lambda: len(ck.load_atlas().faults) >= len(ck.list_faults()),
    ),
    (TROUBLE, "Here are nineteen spoilt ones", lambda: len(ck.clinic().names) == 19),
    (TROUBLE, "The same nineteen as a lab", lambda: len(ck.clinic().names) == 19),
    (TROUBLE, "from 1 to 19", lambda: len(ck.clinic().names) == 19),
    (TROUBLE, "There are ten: `ck.mystery(2)`", lambda: mysteries() == 10),
    (TROUBLE, "There are more than thirty, and nothing in a case", lambda: len(list_cases()) > 30),
    (
        TROUBLE,
        "Java accepts it, in each of its three ways, and `openssl s_client` as people type it, which accepts nearly everything.",
        lambda: accepting("expired-root") == {*JAVA, "openssl"},
    ),
    (
        TROUBLE,
        "requests, Go and browsers refuse; Python's `ssl`, curl, Node and Java accept.",
        lambda: (
            {"python", "curl", "node", *JAVA} <= accepting("no-san")
            and not {"requests", "go", "chromium"} & accepting("no-san")
        ),
    ),
    (
        TROUBLE,
        "Java does not mind SHA-1 below a root of your own, Node does not mind RSA with 1024 bits",
        lambda: accepting("sha1-leaf") >= JAVA and "node" in accepting("weak-key"),
    ),
    (TROUBLE, "minds both.", lambda: "curl" not in accepting("sha1-leaf") | accepting("weak-key")),
    (
        TROUBLE,
        "Java, Go and curl are content until the renewal; Python and Node never are.",
        lambda: accepting("trust-holds-leaf-only") == {*JAVA, "go", "curl", "openssl"},
    ),
    (TROUBLE, "Only wget lets it pass.", lambda: accepting("wrong-eku") == {"wget", "openssl"}),
    (TROUBLE, "everybody looks but OpenSSL.", lambda: accepting("policy-required") == OPENSSL),
    (
        TROUBLE,
        "`chain-out-of-order` is *not* in the picture: everybody accepts it.",
        lambda: accepting("chain-out-of-order") == set(ck.load_atlas().stacks),
    ),
]


def words_of(name: str) -> str:
    text = (ROOT / name).read_text("utf-8")
    if name.endswith(".ipynb"):
        text = "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
    return " ".join(text.split())


@pytest.mark.parametrize(("name", "sentence", "holds"), CLAIMS, ids=[claim[1][:40] for claim in CLAIMS])
def test_a_claim_stands_and_holds(name: str, sentence: str, holds: Callable[[], bool]) -> None:
    assert sentence in words_of(name), "the sentence changed: does the claim?"
    assert holds()
