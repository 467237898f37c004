"""`new_case`: a case to repair."""

from __future__ import annotations

import json
import os
import random
import shutil
import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from certkit._files import read_source, write_file
from certkit._html import Html, definitions, join, tag, whole
from certkit._share import MY_FILES
from certkit.errors import ArgumentError, CertkitError
from certkit.faults import Scenario
from certkit.handshakes import Handshake
from certkit.keystores import load_certificates
from certkit.lessons.game.desk import CLIENTS, TRUST, Desk, digest_of, log_of, read_desk, seeded_scenario
from certkit.lessons.game.grading import Grade, grade_files
from certkit.lessons.game.java import untried_in_java
from certkit.lessons.game.sides import as_programs_do
from certkit.lessons.game.stories import LEVELS, Story, all_stories
from certkit.lessons.progress import Progress, current_progress

__all__ = ["Case", "list_cases", "new_case"]

NOTES = "case.toml"


@dataclass(frozen=True)
class Case:
    """Something that does not work, as a colleague hands it over. Repair the files, with any tool, and grade it.

    Attributes
    ----------
    seed : int
        The same seed and level give the same case.
    level : {"easy", "medium", "hard"}
        How hard.
    """

    seed: int
    level: str
    _story: Story = field(repr=False)

    @property
    def mail(self) -> str:
        """What the colleague writes."""
        return self._story.mail

    @property
    def two_way(self) -> bool:
        """Whether the server asks for a client certificate."""
        return self._story.two_way

    @cached_property
    def _broken(self) -> Scenario:
        return self._story.break_scenario(seeded_scenario(self.seed, two_way=self._story.two_way))

    @cached_property
    def _desk(self) -> Desk:
        return self._story.break_files(Desk.of(self._broken), self._broken)

    @property
    def folder(self) -> Path:
        """Where the case lies unless you name another place: ``my-files/case-7-easy``."""
        return Path(MY_FILES) / f"case-{self.seed}-{self.level}"

    def write(self, folder: str | os.PathLike[str] | None = None, *, anew: bool = False) -> Path:
        """Write the case into `folder`: the mail, the log, the files of both sides, and what the CA desk has.

        Parameters
        ----------
        folder : path, optional
            A folder for this case alone, made if need be; `folder` by default. If this case lies there
            already it stays as it is, half mended or not.
        anew : bool
            True hands it over again and throws away what was mended.

        Returns
        -------
        Path
            The folder. Read ``mail.txt`` first.

        Raises
        ------
        ArgumentError
            If the folder holds something else, or another case.
        FileError
            If it cannot be written.
        """
        target = self.folder if folder is None else Path(folder)
        if target.exists() and (
            not target.is_dir() or (any(target.iterdir()) and not (target / NOTES).exists())
        ):
            raise ArgumentError(
                "this folder holds other things", on=target, hint="give each case a new, empty folder"
            )
        if (target / NOTES).exists():
            self._own_notes(target)
            if not anew:
                return target
            for name in ("server", "client", "ca"):
                shutil.rmtree(target / name, ignore_errors=True)
        self._desk.write(target)
        files = read_desk(target, two_way=self.two_way)
        log = log_of(files, self._run(target), sides=self._story.sides)
        for name, text in (
            ("mail.txt", self._mail_text()),
            ("failure.log", log),
            (NOTES, self._notes(digest_of(target))),
        ):
            write_file(target / name, text.encode())
        return target

    def _run(self, folder: Path) -> Handshake | None:
        files = read_desk(folder, two_way=self.two_way)
        try:
            sides = as_programs_do(files)
            return sides.meet(client=sides.client)
        except CertkitError:
            return None

    def _mail_text(self) -> str:
        way = "two-way" if self.two_way else "one-way"
        places = (
            "server/    what the server loads: chain.pem, key.pem"
            + (", clients.pem" if self.two_way else ""),
            "client/    what the client loads: trust.pem" + (", client.p12" if self.two_way else ""),
            "ca/        what the CA desks of both companies have: certificates and keys (toys)",
            "settings.toml, failure.log",
        )
        lines = [
            f"Subject: the {way} call does not work",
            "",
            self.mail,
            "",
            "Attached:",
            *(f"  {place}" for place in places),
            "",
            "The names of the files must stay; what is in them is yours to mend. Thank you!",
        ]
        return "\n".join(lines) + "\n"

    def _notes(self, handed_over: str) -> str:
        scenario = seeded_scenario(self.seed, two_way=self.two_way)
        return (
            "# For the grading. Nothing in here helps to solve the case.\n"
            f'seed = {self.seed}\nlevel = "{self.level}"\nknown = {json.dumps(self._known())}\n'
            f'handed_over = "{handed_over}"\n\n[roots]\n'
            f'server = "{scenario.server_ca.root.certificate.spki_sha256}"\n'
            f'client = "{scenario.client_ca.root.certificate.spki_sha256}"\n'
        )

    def _own_notes(self, folder: Path) -> dict[str, Any]:
        """Return what was noted for the grading; raises if the folder is of another case."""
        notes = tomllib.loads(read_source(folder / NOTES)[0].decode())
        if (notes.get("seed"), notes.get("level")) != (self.seed, self.level):
            raise ArgumentError(
                "this folder is of another case",
                on=f"{folder}: seed {notes.get('seed')}, {notes.get('level')}",
                hint=f'ck.new_case(seed={notes.get("seed")}, level="{notes.get("level")}")',
            )
        return notes

    def _known(self) -> list[str]:
        found = []
        for name in (TRUST, CLIENTS):
            if data := self._desk.files.get(name):
                found += [item.spki_sha256 for item in load_certificates(data) if item.is_ca]
        return found

    def grade(
        self, folder: str | os.PathLike[str] | None = None, *, progress: Progress | None = None
    ) -> Grade:
        """Load the files in `folder` and put them to use, for real.

        Python shakes hands with them in TLS 1.2 and 1.3, and then Java does: it loads the client's files and
        calls the server. Where Java is not installed, the grade says that this part was not tried. A repair
        that makes a side believe everybody is none.

        Parameters
        ----------
        folder : path, optional
            Where the case was written to; `folder` by default.
        progress : Progress, optional
            Where the try is counted; your own by default. Files as they were handed over are no try.

        Raises
        ------
        ArgumentError
            If the folder is not this case's.
        FileError, FormatError
            If its notes or settings cannot be read.
        """
        target = self.folder if folder is None else Path(folder)
        notes = self._own_notes(target)
        findings, run = grade_files(
            read_desk(target, two_way=self.two_way), dict(notes["roots"]), tuple(notes["known"])
        )
        solved = all(item.ok for item in findings)
        untouched = notes.get("handed_over") == digest_of(target)
        if not untouched:
            book = progress or current_progress()
            book.record(f"case.{self._story.id}", right=solved)
        cause = self._story.cause if solved else None
        return Grade(findings, run, str(self), cause, untried_in_java(), untouched)

    def __str__(self) -> str:
        return f"case {self.seed}, {self.level}"

    def __repr__(self) -> str:
        return f"<Case {self.seed}, {self.level}: {'two-way' if self.two_way else 'one-way'}>"

    def _repr_html_(self) -> Html:
        paragraphs = (" ".join(part.split()) for part in self.mail.split("\n\n"))
        rows: list[tuple[object, object]] = [
            ("level", f"{self.level}: {LEVELS[self.level]}"),
            ("a colleague writes", join(tag("p", whole(text)) for text in paragraphs)),
            ("then", tag("code", "case.write(), mend the files, case.grade()")),
        ]
        return definitions(rows, caption=f"Case {self.seed}")


def list_cases(level: str | None = None) -> tuple[str, ...]:
    """Return the names of all stories that a case can tell, or those of a level: for instructors.

    Examples
    --------
    >>> len(list_cases()) >= 20
    True
    """
    return tuple(name for name, item in all_stories().items() if level in (None, item.level))


def new_case(seed: int | None = None, level: str = "easy", *, story: str | None = None) -> Case:
    """Return a case to repair.

    Parameters
    ----------
    seed : int, optional
        The same seed gives the same case; by default, any.
    level : {"easy", "medium", "hard"}
        How hard.
    story : str, optional
        For instructors: the name of a story out of `list_cases`, which then sets the level.

    Raises
    ------
    ArgumentError
        If level or story is unknown, or the seed is no number.

    Examples
    --------
    >>> new_case(seed=7).mail == new_case(seed=7).mail
    True
    """
    stories = all_stories()
    if seed is None:
        seed = random.SystemRandom().randrange(1, 10_000)
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise ArgumentError("a seed is a whole number", on=repr(seed)[:40])
    if story is not None:
        if story not in stories:
            raise ArgumentError("there is no such story", on=repr(story)[:60], hint=", ".join(stories))
        return Case(seed, stories[story].level, stories[story])
    if level not in LEVELS:
        raise ArgumentError("unknown level", on=repr(level)[:40], hint=", ".join(LEVELS))
    names = sorted(name for name, item in stories.items() if item.level == level)
    chosen = random.Random(f"case {seed} {level}").choice(names)  # noqa: S311 - a game, no secret
    return Case(seed, level, stories[chosen])
