"""Grading: the files of a case, loaded and put to use: in Python, and in Java where it is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from certkit._html import Html, badge, table, tag
from certkit.errors import CertkitError, CheckFailed
from certkit.faults.scenario import HOST
from certkit.handshakes import Handshake
from certkit.keystores import Keystore, load_credential, load_keystore
from certkit.lessons.exercise import Finding, miss, passed
from certkit.lessons.game.desk import CHAIN, CLIENTS, KEY, KEYSTORE, TRUST, Files
from certkit.lessons.game.java import tried_in_java
from certkit.lessons.game.sides import Sides, load_sides

__all__ = ["Grade", "grade_files"]

T = TypeVar("T")


@dataclass(frozen=True)
class Grade:
    """What came of the repaired files.

    Attributes
    ----------
    findings : tuple of Finding
        Each thing that was tried, in order, with what was tested and found; the first that fails ends the list.
    handshake : Handshake or None
        The last handshake in Python; None if it did not come to that.
    title : str
        Which case, and how hard.
    cause : str or None
        The cause behind the case, told once it is solved.
    untried : str
        What could not be tried on this machine, and why; empty if everything was.
    untouched : bool
        Whether the files are still as they were handed over: nothing was tried yet.
    """

    findings: tuple[Finding, ...]
    handshake: Handshake | None
    title: str
    cause: str | None = None
    untried: str = ""
    untouched: bool = False

    @property
    def ok(self) -> bool:
        """Whether everything that was tried went well."""
        return bool(self.findings) and all(item.ok for item in self.findings)

    @property
    def state(self) -> str:
        """``"solved"``, ``"not yet"``, or ``"not tried yet"`` while the files are as they were handed over."""
        return "solved" if self.ok else "not tried yet" if self.untouched else "not yet"

    @property
    def text(self) -> str:
        """What to read: the first thing that failed, or that it is solved."""
        for item in self.findings:
            if not item.ok:
                before = "The files are as they were handed over. " if self.untouched else ""
                return f"{before}Tested: {item.tested}. Found: {item.found}. Where to look: {item.look}."
        solved = f"Solved: {len(self.findings)} things were tried, all went well. The cause was {self.cause}."
        return f"{solved} Not tried: {self.untried}." if self.untried else solved

    def __bool__(self) -> NoReturn:
        raise TypeError("a grade is neither true nor false: ask .ok")

    def raise_if_failed(self) -> None:
        """Raise `CheckFailed` with what was found, unless the case is solved."""
        if not self.ok:
            raise CheckFailed("the case is not solved yet", on=self.text)

    def __repr__(self) -> str:
        return f"<Grade {self.state}. {self.text}>"

    def _repr_html_(self) -> Html:
        rows = [
            (
                badge("good" if item.ok else "bad", "good" if item.ok else "not yet"),
                item.tested,
                item.found,
                item.look,
            )
            for item in self.findings
        ]
        if self.untried:
            rows.append((badge("neutral", "not tried"), self.untried, "", ""))
        head = badge("good" if self.ok else "neutral" if self.untouched else "bad", self.state)
        return tag(
            "div",
            tag("p", head, f" {self.title}. ", self.text, role="status"),
            table(("", "tested", "found", "where to look"), rows, caption="What was tried with your files"),
        )


def grade_files(
    files: Files, roots: dict[str, str], known: tuple[str, ...] = ()
) -> tuple[tuple[Finding, ...], Handshake | None]:
    """Return what was tried with the files, up to the first failure, and the last handshake.

    Parameters
    ----------
    files : Files
        The repaired desk.
    roots : dict
        SHA-256 of the public keys of the roots of both companies, ``{"server": …, "client": …}``.
    known : tuple of str
        The same of other CAs that a truststore held when the case was handed over: they may stay.
    """
    found: list[Finding] = []
    last: Handshake | None = None
    for item in _tried(files, roots, known):
        found.append(item)
        if isinstance(item.evidence, Handshake):
            last = item.evidence
        if not item.ok:
            break
    return tuple(found), last


def _tried(files: Files, roots: dict[str, str], known: tuple[str, ...]) -> Iterator[Finding]:
    for name, load in _loads(files):
        finding = _loaded(name, load)
        yield finding
        if not finding.ok:
            return
    sides = load_sides(files)
    yield from _fair(sides, roots, known)
    for tls in ("1.2", "1.3"):
        yield _met(sides, tls)
    if sides.client_anchors is not None:
        run = sides.meet()
        tested = "a call without a client certificate"
        if run.ok:
            yield miss(tested, "it was let in", "two-way must stay two-way", run)
        else:
            yield passed(tested, "it was refused, as it should be")
    yield from tried_in_java(files, sides)


def _loads(files: Files) -> list[tuple[str, Callable[[], object]]]:
    folder = files.folder
    loads: list[tuple[str, Callable[[], object]]] = [
        (f"{CHAIN} with {KEY}", lambda: load_credential(folder / CHAIN, folder / KEY, files.key_password)),
        (TRUST, lambda: load_keystore(folder / TRUST).trust_store()),
    ]
    if files.two_way:
        loads += [
            (CLIENTS, lambda: load_keystore(folder / CLIENTS).trust_store()),
            (f"{KEYSTORE} with the password in the settings", lambda: _pkcs12(files).credential()),
        ]
    return loads


def _pkcs12(files: Files) -> Keystore:
    store = load_keystore(files.folder / KEYSTORE, files.keystore_password)
    if store.format != "pkcs12":
        raise CertkitError(
            f"the platform takes PKCS#12, and this is {store.format_name}",
            on=KEYSTORE,
            cause="wrong-file-format",
        )
    return store


def _loaded(name: str, load: Callable[[], object]) -> Finding:
    try:
        return passed(f"loading {name}", repr(load())[1:-1])
    except CertkitError as error:
        where = error.on or ""
        found = error.what + (f" ({where.rpartition('/')[2]})" if where else "")
        return miss(f"loading {name}", found, error.hint or "what the file holds")


def _fair(sides: Sides, roots: dict[str, str], known: tuple[str, ...]) -> Iterator[Finding]:
    """Yield whether each side still believes only whom it should: a repair that trusts everybody is none."""
    stores = {"client": (sides.trust, roots["server"]), "server": (sides.client_anchors, roots["client"])}
    for name, (store, right) in stores.items():
        if store is None:
            continue
        tested = f"whom the {name} believes"
        strangers = [item for item in store if not item.is_ca]
        if strangers:
            found = f"“{strangers[0].name}”, which is no CA: the next renewal breaks it again"
            yield miss(tested, found, "who vouches for the other side, today and next year")
            return
        foreign = [item for item in store if item.spki_sha256 not in {*roots.values(), *known}]
        if foreign:
            yield miss(
                tested,
                f"“{foreign[0].name}”, which is a CA of neither company",
                "the roots in the folder ca",
            )
            return
        own = any(item.spki_sha256 == right for item in store)
        yield (
            passed(tested, "the root above the other side")
            if own
            else miss(tested, "the root above the other side is not among them", "the roots in the folder ca")
        )


def _met(sides: Sides, tls: str) -> Finding:
    try:
        run = sides.meet(tls, client=sides.client)
    except CertkitError as error:
        return miss(f"a handshake in TLS {tls}", error.what, error.hint or "what the message names")
    tested = f"a handshake in TLS {tls}, Python on both sides, for {HOST}"
    if run.ok:
        return passed(tested, "both sides are done", run)
    says = next((end.error for end in (run.client, run.server) if end.outcome == "refused"), None)
    return miss(tested, f"{run.verdict} {says or ''}".strip().rstrip("."), "what that side says", run)
