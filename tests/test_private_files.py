"""Who writes what: every place that writes a file is named here, and what holds a key or a password is its owner's alone."""

from __future__ import annotations

import ast
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import certkit as ck
from certkit import _files
from certkit.atlas import ask_stack
from certkit.errors import CertkitError
from certkit.formats.sniff import read_contents
from certkit.lessons.fixtures import _MATERIAL
from certkit.lessons.game.desk import SETTINGS

PACKAGE = Path(__file__).resolve().parent.parent / "certkit"
# What holds neither a key nor a password, by place. Everything else goes through write_private or write_file(secret=).
PUBLIC = {
    "pages about what was found": "_cli_check._check _cli_explain._explain _report.inventory_report",
    "notebooks and data": "_lab.copy_series _lab.renew_notebooks lessons.editions._write",
    "the book": "_site.frame.write_pages _site.slides.write_slides lessons.replay.write_replays",
    "pictures": "lessons.pictures.write_pictures",
    "what stacks said": "atlas.table.save",
    "roots and revocation lists": "atlas.measuring.write_call stacks.nss.make_database stacks.ftps_clients._by_curl "
    "lessons.game.java._called",
    "a program's text, a worker's output": "stacks.go._binary stacks._java_worker.main",
    "dates, the answer key of an estate": "inventory._calendar.write_calendar inventory.estate.make_estate",
    "tables": "inventory.export._write_csv inventory.export._write_json samples.make_third_party "
    "samples.make_learners samples.make_minutes",
    "rows of a table, and paths": "inventory.journal._open inventory.journal._only_one inventory.journal.plan "
    "inventory.journal._repair inventory.journal.keep",
    "the colleague's mail, and a log": "lessons.game.case.write",
    "what one company shows to another": "lessons.pair.exchange.send",
    "which exercises were done": "lessons.progress.export lessons.progress._save",
    "keys that are public, and say so": "samples.make_toy_rsa_keys",
}
WAYS = ("write_bytes", "write_text", "touch")


def writes(call: ast.Call) -> bool:
    """Say whether a call writes a file that everybody may be able to read."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name == "write_file":
        return not any(each.arg == "secret" for each in call.keywords)
    modes = [
        each.value for each in call.args if isinstance(each, ast.Constant) and isinstance(each.value, str)
    ]
    opened = name in ("open", "fdopen") and any(
        set(mode) <= set("rwaxbt+") and set(mode) & set("wax+") for mode in modes
    )
    return opened or name in WAYS


def writers() -> set[str]:
    found = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(function, ast.FunctionDef) and any(
                isinstance(each, ast.Call) and writes(each) for each in ast.walk(function)
            ):
                found.add(f"{module}.{function.name}")
    return found - {"_files.write_file", "_files.write_private"}


def test_every_writer_is_known() -> None:
    assert writers() == {name for names in PUBLIC.values() for name in names.split()}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("path.write_bytes(b'')", True),
        ("path.open('w')", True),
        ("open(path, 'ab')", True),
        ("write_file(path, data)", True),
        ("write_file(path, data, secret=key)", False),
        ("write_private(path, data)", False),
        ("path.open('rb')", False),
        ("path.open()", False),
    ],
)
def test_a_new_writer_would_be_seen(source: str, found: bool) -> None:
    call = ast.parse(source, mode="eval").body
    assert isinstance(call, ast.Call)
    assert writes(call) is found


# What the files are in truth -----------------------------------------------------------------------


def private(path: Path) -> bool:
    """Say whether a file holds a private key."""
    data = path.read_bytes()
    if b"PRIVATE KEY" in data:
        return True
    try:
        return any(item.kind in {"private-key", "secret-key"} for item in read_contents(data).items)
    except CertkitError:
        return path.suffix in {".p12", ".jks"}  # locked, or broken: it was meant to hold one


@pytest.fixture
def wide_open() -> Iterator[None]:
    """A umask that leaves every file open to all, unless its writer says otherwise."""
    before = os.umask(0)
    yield
    os.umask(before)


class Seen(dict[str, int]):
    """The temporary folders as they are just before they go: name of each private file -> its mode."""

    folders: set[int]


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch, wide_open: None) -> Seen:
    seen = Seen()
    seen.folders = set()
    genuine = tempfile.TemporaryDirectory._rmtree  # type: ignore[attr-defined]

    def look(cls: type, name: str, *rest: object, **named: object) -> None:
        seen.folders.add(stat.S_IMODE(Path(name).stat().st_mode))
        for path in Path(name).rglob("*"):
            if path.is_file() and private(path):
                seen[path.name] = seen.get(path.name, 0) | stat.S_IMODE(path.stat().st_mode)
        genuine(name, *rest, **named)

    monkeypatch.setattr(tempfile.TemporaryDirectory, "_rmtree", classmethod(look))
    return seen


posix = pytest.mark.skipif(sys.platform == "win32", reason="modes of files are POSIX's")


@posix
def test_temporary_keys_are_the_owners(temporary: Seen) -> None:
    two_way = ck.good_scenario(two_way=True, host="localhost")
    ck.handshake(two_way.client, two_way.server)
    for name in ("requests", "openssl", "curl", "wget", "gnutls-cli", "nss", "node"):
        ask_stack(name, two_way)
    for fault in ("wrong-password", "key-without-passphrase", "permission-on-key"):
        found = ck.find_fault(fault)
        found.run()
        ask_stack("requests", found.scenario("1.3", "localhost"))
    with ck.FtpsService(two_way.server) as service:
        ck.fetch_ftps(service, "orders.csv", two_way.client, with_="curl")
    assert {"credential.pem", "client.pem", "client.key", "client.p12"} <= set(temporary)
    assert set(temporary.values()) == {0o600}
    # One is open to "nobody" for the fault of a key that its reader may not read: to enter, not to list.
    assert temporary.folders <= {0o700, 0o711}


@posix
@pytest.mark.usefixtures("wide_open")
def test_files_for_the_user_are_the_owners(tmp_path: Path) -> None:
    own = ck.good_scenario(two_way=True).server.credential
    for name in ("a.p12", "a.jks", "a.pem"):
        ck.save_keystore(tmp_path / name, {"own": own}, "changeit")
    ck.convert(tmp_path / "a.p12", tmp_path / "b.jks", "changeit")
    ck.convert(tmp_path / "a.jks", tmp_path / "b.pem", "changeit")
    (tmp_path / "old.pem").write_bytes(b"open to all before")
    ck.save_keystore(tmp_path / "old.pem", {"own": own}, "changeit")
    estate = ck.make_estate(tmp_path / "estate", stores=80, seed="modes")
    case = ck.new_case(3, "easy").write(tmp_path / "case")
    # These two hold no key, but the password of one.
    assert [stat.S_IMODE(path.stat().st_mode) for path in (estate.passwords, case / SETTINGS)] == [0o600] * 2
    for number in _MATERIAL:
        ck.fixture(number).write(tmp_path / "fixtures" / number)
    keys = [path for path in tmp_path.rglob("*") if path.is_file() and private(path)]
    assert len(keys) > 40
    wrong = {str(path.relative_to(tmp_path)): oct(path.stat().st_mode) for path in keys
             if stat.S_IMODE(path.stat().st_mode) != 0o600}  # fmt: skip
    assert wrong == {}


@posix
@pytest.mark.usefixtures("wide_open")
def test_private_from_its_first_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither writer makes a file that is open to all and closed later."""
    modes = []
    genuine = os.fdopen

    def look(handle: int, *rest: object) -> object:
        modes.append(stat.S_IMODE(os.fstat(handle).st_mode))
        return genuine(handle, *rest)

    monkeypatch.setattr(_files.os, "fdopen", look)
    _files.write_private(tmp_path / "a", b"a key")
    _files.write_file(tmp_path / "b", b"a key", secret=True)
    _files.write_file(tmp_path / "c", b"no key")
    assert modes == [0o600, 0o600, 0o600]
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in "abc"] == [0o600, 0o600, 0o666]
