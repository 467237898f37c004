"""Exercises of notebook 06 on a whole practice estate, graded against its answer key."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from certkit.errors import ArgumentError
from certkit.inventory.estate import Planted, make_estate
from certkit.inventory.scan import scan_inventory
from certkit.lessons._judging import one_of, wanted, words
from certkit.lessons.exercise import Finding, exercise, miss, passed
from certkit.lessons.exercises.inventory import CLOCK
from certkit.lessons.fixtures import material

if TYPE_CHECKING:
    import pandas as pd

_FILE_CAUSES = ("wrong-password", "tampered-or-corrupt", "wrong-file-format")
_CERTIFICATE_CAUSES = (
    "expired-leaf",
    "not-yet-valid-or-clock",
    "weak-key",
    "weak-signature",
    "no-san",
    "validity-too-long",
)


@cache
def _scanned(seed: str, stores: int) -> tuple[pd.DataFrame, tuple[Planted, ...]]:
    """Return an estate's inventory, with paths as seen from its folder, and its answer key."""
    with tempfile.TemporaryDirectory() as folder:
        made = make_estate(Path(folder, "acme"), stores, seed, at=CLOCK)
        table = scan_inventory(made.folder, passwords=made.passwords, at=CLOCK, workers=1)
        inside = table["path"].str.slice(len(str(made.folder)) + 1)
        return table.assign(path=inside), made.planted


def _paths(planted: tuple[Planted, ...], problem: str) -> set[str]:
    return {path for item in planted if item.problem == problem for path in item.paths}


def _files(table: pd.DataFrame) -> list[str]:
    return sorted({path.partition("!/")[0] for path in table["path"]})


@material("6.7")
def _duplicates() -> Mapping[str, object]:
    """The inventory of an estate of 60 stores on 2027-03-01."""
    return {"table": _scanned("lesson 6.7", 60)[0]}


@exercise(
    "6.7",
    title="forgotten copies",
    level="change",
    hints=(
        "A certificate in one place needs one visit. Which need more?",
        "`ck.find_duplicates(table)` has one row for each place of such a certificate.",
        'Its column `path`, as a list: `list(ck.find_duplicates(ck.fixture("6.7").table)["path"])`.',
    ),
    answer="""
    table = ck.fixture("6.7").table
    ck.check("6.7", list(ck.find_duplicates(table)["path"]))
    # CA certificates lie in many places by design and are left out.
    """,
)
def forgotten_copies(answer: object) -> Finding:
    """In which files of the estate ck.fixture("6.7") lies a leaf certificate that lies in another file too?

    Hand over a list of paths.
    """
    table, planted = _scanned("lesson 6.7", 60)
    chosen = {str(path).partition("!/")[0] for path in words(answer, [*_files(table), *table["path"]])}
    right = _paths(planted, "duplicate")
    tested = "your paths, against the estate's answer key"
    if chosen == right:
        return passed(tested, "every copy is in your list, and nothing else")
    extra = len(chosen - right)
    found = (
        f"{extra} of them hold no such certificate"
        if extra
        else f"{len(right - chosen)} places are not in it"
    )
    return miss(tested, found, "the same sha256 in two rows, leaves only")


@material("6.8")
def _early_ends() -> Mapping[str, object]:
    """The inventory of an estate of 120 stores on 2027-03-01."""
    return {"table": _scanned("lesson 6.8", 120)[0]}


@exercise(
    "6.8",
    title="ends before its end",
    level="change",
    hints=(
        "What else on the path can end?",
        "`ck.effective_expiry(table)` compares a leaf's own end with that of its best path.",
        "The rows with `days_lost` over 0: `effective[effective.days_lost > 0].subject`.",
    ),
    answer="""
    effective = ck.effective_expiry(ck.fixture("6.8").table)
    ck.check("6.8", list(effective[effective["days_lost"] > 0]["subject"]))
    """,
)
def ends_early(answer: object) -> Finding:
    """Which leaves of the estate ck.fixture("6.8") stop before their own last day, because a CA above them ends first?

    Hand over a list of subjects.
    """
    table, planted = _scanned("lesson 6.8", 120)
    leaves = table[table["role"].isin(["server", "client", "both"])]
    chosen = words(answer, leaves["subject"].unique())
    keys = {item.sha256 for item in planted if item.problem == "outlives-issuer"}
    right = set(leaves[leaves["sha256"].isin(list(keys))]["subject"])
    tested = "your subjects, against the estate's answer key"
    if chosen == right:
        return passed(tested, "each of them outlives its CA, and no other does")
    extra = len(chosen - right)
    found = f"{extra} of them live as long as they say" if extra else f"{len(right - chosen)} more stop early"
    return miss(tested, found, "the end of every CA on the path, and the leaf's own")


@material("6.9")
def _everything() -> Mapping[str, object]:
    """The inventory of an estate of 160 stores on 2027-03-01."""
    return {"table": _scanned("lesson 6.9", 160)[0]}


@exercise(
    "6.9",
    title="the whole estate",
    level="case",
    hints=(
        "Which column names what is wrong with a row, and does a row about a file have it too?",
        '`table["risks"].explode().value_counts()` shows which causes there are.',
        "For each cause: the rows whose `risks` contain it, and the file that each lies in, without what follows `!/`.",
    ),
    answer="""
    table = ck.fixture("6.9").table.explode("risks")
    table["file"] = table["path"].str.replace("!/.*", "", regex=True)
    found = table[~table["risks"].isin(["expires-soon"])].groupby("risks")["file"].unique()
    ck.check("6.9", {cause: list(files) for cause, files in found.items()})
    """,
)
def the_whole_estate(answer: object) -> Finding:
    """What is wrong with the estate ck.fixture("6.9"), and where? What merely ends soon does not count.

    Hand over a dict from cause, e.g. "weak-key", to a list of files.
    """
    table, planted = _scanned("lesson 6.9", 160)
    given = wanted(answer, dict, '{"weak-key": ["test/web1/shop.jks"]}')
    causes = (*_FILE_CAUSES, *_CERTIFICATE_CAUSES)
    said = {one_of(cause, *causes): words(list(files), _files(table)) for cause, files in given.items()}
    if not said:
        raise ArgumentError("this dict is empty", hint='{"weak-key": ["test/web1/shop.jks"]}')
    tested = "your files, cause by cause, against the estate's answer key"
    for cause, files in said.items():
        right = _paths(planted, cause)
        if files - right:
            return miss(
                tested,
                f"{len(files - right)} files under {cause} do not have it",
                "the risks of each row, once more",
            )
        if right - files:
            return miss(
                tested,
                f"{len(right - files)} more files have {cause}",
                "rows about files as well as certificates",
            )
    missing = [cause for cause in causes if cause not in said and _paths(planted, cause)]
    if missing:
        return miss(
            tested,
            f"what you name is right, and {len(missing)} causes are not in it yet",
            "every value in `risks`",
        )
    return passed(tested, f"all {len(said)} causes, each with every file")
