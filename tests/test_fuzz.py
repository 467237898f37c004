"""Every parser under hypothesis: made-up bytes and mutated real ones give a value or a `CertkitError`, nothing else.

The same on every run, a few dozen inputs a parser; ``CERTKIT_FUZZ_EXAMPLES=10000`` for more, and ``make fuzz`` for as long
as one likes.
"""

from __future__ import annotations

import ast
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType

import pytest
from fuzz.mutations import mutated
from fuzz.targets import CORPUS, Target, targets
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import certkit
from certkit._der import encode

EXAMPLES = int(os.environ.get("CERTKIT_FUZZ_EXAMPLES", "40"))
HOUSE = Path(certkit.__file__).parent
TAGS = (
    0x01,
    0x02,
    0x03,
    0x04,
    0x05,
    0x06,
    0x0C,
    0x13,
    0x16,
    0x17,
    0x18,
    0x30,
    0x31,
    0x80,
    0x82,
    0xA0,
    0xA1,
    0xA3,
)


def _der() -> st.SearchStrategy[bytes]:
    """Return well-formed DER of any shape, with the object identifiers that make readers look closer."""
    oids = st.sampled_from(
        [
            bytes.fromhex(text)
            for text in ("2a864886f70d010701", "2a864886f70d010702", "2a864886f70d010c0a0102", "551d11")
        ]
    )
    leaves = st.builds(encode, st.sampled_from(TAGS), st.binary(max_size=20)) | oids.map(
        lambda oid: encode(6, oid)
    )
    return st.recursive(
        leaves,
        lambda inner: st.builds(
            lambda tag, parts: encode(tag, *parts),
            st.sampled_from((0x30, 0x31, 0xA0, 0xA1, 0x24)),
            st.lists(inner, max_size=5),
        ),
        max_leaves=20,
    )


def _vector(size: int) -> st.SearchStrategy[bytes]:
    return st.binary(max_size=60).map(lambda data: len(data).to_bytes(size) + data)


def _tls() -> st.SearchStrategy[bytes]:
    """Return records of handshake messages whose lengths are right and whose contents are anything (RFC 8446, 3.4)."""
    content = st.lists(st.one_of(_vector(1), _vector(2), _vector(3), st.binary(max_size=40)), max_size=6).map(
        b"".join
    )
    message = st.builds(
        lambda kind, body: bytes([kind]) + len(body).to_bytes(3) + body,
        st.sampled_from((1, 2, 8, 11, 13, 15, 20, 22)),
        content,
    )
    record = st.builds(
        lambda kind, body: bytes([kind]) + b"\x03\x03" + len(body).to_bytes(2) + body,
        st.sampled_from((20, 21, 22, 23)),
        message | st.binary(max_size=4),
    )
    return message | st.lists(record, min_size=1, max_size=4).map(b"".join)


def _inputs(target: Target) -> st.SearchStrategy[bytes]:
    good = target.seeds()
    broken = st.builds(
        lambda data, number: mutated(data, random.Random(number)),
        st.sampled_from(good),
        st.integers(0, 1 << 32),
    )
    made = {
        "der": _der(),
        "tls": _tls(),
        "text": st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace")),
        "bytes": st.builds(
            bytes.__add__, st.sampled_from([data[:8] for data in good]), st.binary(max_size=80)
        ),
    }[target.kind]
    return st.one_of(st.binary(max_size=300), broken, broken, made)


@pytest.mark.parametrize("name", targets())
def test_a_parser_gives_a_value_or_says_what_is_wrong(name: str) -> None:
    target = targets()[name]

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), report_multiple_bugs=False)
    @given(_inputs(target))
    @example(b"")
    def read(data: bytes) -> None:
        target(data)

    read()


@pytest.mark.parametrize("name", targets())
def test_good_inputs_and_past_findings_are_read(name: str) -> None:
    target = targets()[name]
    assert target.seeds()
    for data in (*target.seeds(), *(path.read_bytes() for path in target.corpus())):
        target(data)


def test_every_folder_of_the_corpus_belongs_to_a_parser() -> None:
    assert {path.name for path in CORPUS.iterdir()} <= set(targets())
    assert all(path.stat().st_size < 20_000 for path in CORPUS.rglob("*") if path.is_file())


# What takes bytes or text from outside and is not reached by a target, and why it need not be.
_ELSEWHERE = {
    "certkit._files.read_source": "reads paths; tests/test_survival.py",
    "certkit._html.preformatted": "escapes; tests/test_hostile_text.py",
    "certkit._site.": "our own notebooks, docstrings and pages",
    "certkit.checkup._hello.KeyShare.shared_with": "refused points are a ValueError, which the probe catches: target flight",
    "certkit.checkup._transport.Transport.send": "sends",
    "certkit.checkup._transport.Transport.until": "target before-tls",
    "certkit.faults._openssl_server.ContextServer.receive": "OpenSSL reads",
    "certkit.faults._openssl_server.OpenSslServer.receive": "OpenSSL reads",
    "certkit.faults._sides.SpeaksHttp.receive": "answers the same to everything",
    "certkit.faults._tools.without_mac": "the lab's own files only",
    "certkit.faults.scenario.Scenario.with_file": "keeps bytes, reads nothing",
    "certkit.formats.pbe._Decryptor.update": "a protocol: cryptography's decryptors",
    "certkit.handshakes.peers.Peer.receive": "a protocol: target tiny-server",
    "certkit.keys.PrivateKey.is_in": "looks for a key in bytes",
    "certkit.lessons.clinic_case.ClinicCase.answer": "loads the file first: target keystore",
    "certkit.services.wiretap.Wiretap.contains": "looks for bytes",
    "certkit.stacks._java_keystores.java_bytes": "runs in the Java worker",
    "certkit.stacks._java_keystores.password_of": "runs in the Java worker",
    "certkit.stacks.java_files.java_certificate": "Java reads; tests/test_stacks.py",
    "certkit.stacks.java_files.java_keystore": "Java reads; tests/conformance/test_keystores_java.py",
    "certkit.stacks.java_files.java_private_key": "Java reads; tests/test_stacks.py",
}


def _takes_input(function: ast.FunctionDef) -> bool:
    """Return whether the first thing a function is given is bytes, a file, or a text that somebody else wrote."""
    for argument in function.args.args:
        if argument.arg in {"self", "cls"}:
            continue
        kind = ast.unparse(argument.annotation).partition(" |")[0] if argument.annotation else ""
        return kind in {"bytes", "Source"} or (kind == "str" and argument.arg in {"text", "message"})
    return False


def _parsers() -> Iterator[str]:
    """Yield every public function of the house that takes input from outside, private modules included."""
    for path in sorted(HOUSE.rglob("*.py")):
        module = ".".join((HOUSE.name, *path.relative_to(HOUSE).with_suffix("").parts))
        for node in ast.parse(path.read_text("utf-8")).body:
            for item in node.body if isinstance(node, ast.ClassDef) else (node,):
                if isinstance(item, ast.FunctionDef) and not item.name.startswith("_") and _takes_input(item):
                    yield f"{module}.{node.name}.{item.name}" if item is not node else f"{module}.{item.name}"


def _called() -> set[str]:
    """Return the functions of the house that the targets call, on good inputs."""
    seen: set[CodeType] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            seen.add(frame.f_code)

    for target in targets().values():
        inputs = target.seeds()
        sys.setprofile(note)
        try:
            for data in inputs:
                target(data)
        finally:
            sys.setprofile(None)
    found = set()
    for code in seen:
        path = Path(code.co_filename)
        if path.is_relative_to(HOUSE):
            found.add(
                ".".join((HOUSE.name, *path.relative_to(HOUSE).with_suffix("").parts, code.co_qualname))
            )
    return found


@pytest.mark.skipif(sys.gettrace() is not None, reason="a debugger is looking")
def test_every_parser_has_a_target() -> None:
    """A new function that takes bytes from outside is fuzzed, or it is written down here why not."""
    parsers = set(_parsers())
    assert {"certkit.formats.jks.read_jks", "certkit.handshakes.messages.open_message"} - parsers == {
        "certkit.handshakes.messages.open_message"  # its first argument is who sent it
    }
    missing = {name for name in parsers - _called() if not name.startswith(tuple(_ELSEWHERE))}
    assert not missing, (
        f"no target in tests/fuzz reaches {sorted(missing)}: see targets_files.py, or _ELSEWHERE here"
    )
    gone = [name for name in _ELSEWHERE if not any(parser.startswith(name) for parser in parsers)]
    assert not gone, f"these are no parsers any more: {gone}"
