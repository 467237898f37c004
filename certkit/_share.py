"""Where the notebooks and the data are: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from pathlib import Path

from certkit.errors import FileError

MY_FILES = "my-files"
"""The folder, below the one that a learner works in, for what the lab writes: cases, exchange folders."""


def share(name: str) -> Path:
    """Return the folder ``notebooks`` or ``data`` that belongs to this certkit."""
    package = Path(__file__).parent
    for folder in (package / "_share" / name, package.parent / name):
        if folder.is_dir():
            return folder
    raise FileError(f"certkit's folder {name} is missing", on=package, hint="install certkit again")
