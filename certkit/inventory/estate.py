"""A practice estate: a company's folders of keystores in every format, with planted problems and an answer key."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from certkit._files import iso, utc, write_private
from certkit._html import Html, table
from certkit._text import count
from certkit.errors import ArgumentError, FileError
from certkit.inventory._company import PASSWORD, Company, Planted
from certkit.inventory._problems import PROBLEMS

__all__ = ["ANSWERS", "PASSWORDS", "Estate", "Planted", "make_estate"]

ANSWERS = "answers.json"
PASSWORDS = "passwords.txt"


@dataclass(frozen=True)
class Estate:
    """A practice estate on disk.

    Attributes
    ----------
    folder : Path
        Where it is.
    stores : int
        How many files hold keys or certificates.
    at : datetime
        Its clock: problems such as "expires soon" hold at this time.
    planted : tuple of Planted
        The answer key; also in ``answers.json``.
    """

    folder: Path
    stores: int
    at: datetime
    planted: tuple[Planted, ...] = field(repr=False)

    @property
    def passwords(self) -> Path:
        """The file with its passwords, for `scan_inventory`."""
        return self.folder / PASSWORDS

    def __repr__(self) -> str:
        problems = count(len(self.planted), "planted problem")
        return f"<Estate {self.folder.name}: {count(self.stores, 'store')}, {problems}>"

    def _repr_html_(self) -> Html:
        kinds = [item.problem for item in self.planted]
        rows = [(kind, kinds.count(kind)) for kind in dict.fromkeys(kinds)]
        return table(("planted problem", "times"), rows, caption=repr(self)[1:-1])


def make_estate(
    folder: str | os.PathLike[str], stores: int = 40, seed: str | int = "1", *, at: datetime | None = None
) -> Estate:
    """Write a practice estate: keystores of every format as a company would have them, with planted problems.

    Parameters
    ----------
    folder : path
        A new or empty folder.
    stores : int
        How many files; 10 to 100,000.
    seed : str or int
        The same seed and clock give the same certificates and the same problems. All keys are toys.
    at : datetime, optional
        The clock, aware; the start of this day by default.

    Returns
    -------
    Estate
        The folder holds ``answers.json``, the answer key, and ``passwords.txt``.

    Raises
    ------
    ArgumentError
        If the number is out of bounds.
    FileError
        If the folder is not empty or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     estate = make_estate(f"{parent}/acme", 12, seed="docs")
    >>> estate.stores, len(estate.planted) >= 8
    (12, True)
    """
    if not isinstance(stores, int) or not 10 <= stores <= 100_000:
        raise ArgumentError("an estate has 10 to 100,000 stores", on=stores)
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
        if any(target.iterdir()):
            raise FileError("this folder is not empty", on=target, hint="name a new folder")
        clock = utc(None).replace(hour=0, minute=0, second=0) if at is None else utc(at)
        company = Company(target, f"estate {seed}", clock)
        _build(company, stores)
        planted = tuple(company.planted)
        write_private(target / PASSWORDS, f"{PASSWORD}\n".encode())
        (target / ANSWERS).write_text(_answers(stores, seed, clock, planted), "utf-8")
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"this estate cannot be written ({error.strerror})", on=target) from None
    return Estate(target, stores, clock, planted)


def _answers(stores: int, seed: str | int, at: datetime, planted: tuple[Planted, ...]) -> str:
    problems = [
        {"problem": item.problem, "paths": list(item.paths), "sha256": item.sha256 or None, "says": item.says}
        for item in planted
    ]
    facts = {"seed": str(seed), "stores": stores, "at": iso(at), "problems": problems}
    return json.dumps(facts, indent=2, ensure_ascii=False) + "\n"


def _build(company: Company, stores: int) -> None:
    """Write so many stores: first what is planted, shuffled over the folders, then what is well."""
    company.truststore()
    # Small estates have each problem once; every 60 further stores bring a second set.
    sets = 1 + max(0, stores - 40) // 60
    for _ in range(sets):
        for plant in company.random.sample(PROBLEMS, len(PROBLEMS)):
            if company.written + 2 > stores:
                break
            plant(company)
    while company.written < stores:
        company.healthy()
