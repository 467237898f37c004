"""Begin again: find what the lab wrote for a learner, and take it away when they say so."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from certkit._lab import changed_notebooks, renew_notebooks
from certkit._share import MY_FILES
from certkit._text import count
from certkit.errors import ArgumentError, FileError
from certkit.lessons.game.case import NOTES
from certkit.lessons.progress import current_progress

__all__ = ["Leftovers", "find_leftovers"]

_DEPTH = 4
_COMPANIES = ("server-company", "client-company")


@dataclass(frozen=True)
class Leftovers:
    """What a learner's work left behind, and what `remove` therefore takes away.

    Attributes
    ----------
    folder : Path
        Where it was looked for.
    folders : tuple of Path
        Cases of the game, exchange folders and companies of the pair mode.
    exercises : int
        How many exercises the progress knows.
    notebooks : tuple of str
        Notebooks that the learner changed, and that come back as they were; empty unless asked for.
    kept : tuple of Path
        Other things in the lab's folders: they stay.
    """

    folder: Path
    folders: tuple[Path, ...]
    exercises: int
    notebooks: tuple[str, ...] = ()
    kept: tuple[Path, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to take away."""
        return not (self.folders or self.exercises or self.notebooks)

    @property
    def text(self) -> str:
        """What would go, a line each, and what stays."""
        lines = [f"  {path.relative_to(self.folder)}" for path in self.folders]
        if self.exercises:
            lines.append(f"  your progress: {count(self.exercises, 'exercise')}")
        lines += [f"  your changes in {name}" for name in self.notebooks]
        lines += [
            f"  (stays: {path.relative_to(self.folder)}, which the lab did not write)" for path in self.kept
        ]
        return "\n".join(lines)

    def remove(self) -> None:
        """Take it all away.

        Raises
        ------
        FileError
            If something cannot be removed; what was removed before it is gone.
        """
        for path in self.folders:
            try:
                shutil.rmtree(path)
            except OSError as error:
                raise FileError(
                    f"this folder cannot be removed ({error.strerror or error})",
                    on=path,
                    hint="close what uses it",
                ) from None
        for place in {path.parent for path in self.folders}:
            if not any(place.iterdir()):
                place.rmdir()
        if self.exercises:
            current_progress().reset()
        if self.notebooks:
            renew_notebooks(self.folder, self.notebooks)


def find_leftovers(folder: str | os.PathLike[str], *, notebooks: bool = False) -> Leftovers:
    """Return what could be taken away below a folder; nothing is touched.

    Parameters
    ----------
    folder : path
        The lab's folder, or the one above.
    notebooks : bool
        Whether changed notebooks are to come back as they were.

    Raises
    ------
    ArgumentError
        If there is no such folder, or notebooks are asked for where certkit copied none.
    """
    root = Path(folder).absolute()
    if not root.is_dir():
        raise ArgumentError("there is no such folder", on=root, hint="the one that certkit lab made")
    found: list[Path] = []
    kept: list[Path] = []
    for place in _places(root):
        for path in sorted(place.iterdir()):
            (found if _is_ours(path) else kept).append(path)
    changed = changed_notebooks(root) if notebooks else ()
    return Leftovers(root, tuple(found), len(current_progress().entries), changed, tuple(kept))


def _places(root: Path) -> Iterator[Path]:
    """Yield the folders that the lab writes into; links are not followed."""
    for top, names, _ in os.walk(root):
        here = Path(top)
        if len(here.relative_to(root).parts) >= _DEPTH:
            names.clear()
        if MY_FILES in names:
            names.remove(MY_FILES)
            if not (here / MY_FILES).is_symlink():
                yield here / MY_FILES
        names[:] = sorted(name for name in names if not name.startswith("."))


def _is_ours(path: Path) -> bool:
    if path.is_symlink() or not path.is_dir():
        return False
    if path.name in _COMPANIES:
        return (path / "secret.txt").is_file()
    return (path / NOTES).is_file() or path.name == "exchange"
