"""CONTRIBUTING's recipes, done: each is short, fits today's code, and passes the tests that it names."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.packaging
ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## How to add, shown")[2]
RECIPES = {
    title: (block, command)
    for title, block, command in re.findall(
        r"^### (.+?)\n.*?^```diff\n(.*?)^```\n.*?Run:\s`pytest ([^`]+)`", TEXT, re.M | re.S
    )
}


def apply(block: str, root: Path) -> None:
    """Change the files as the block says: `` `` stands there, ``-`` goes, ``+`` comes; bare ``+`` at the end."""
    for path, body in re.findall(r"^(\w\S*)\n((?:[ +-].*\n|\+\n)+)", block, re.M):
        file = root / path
        text = file.read_text("utf-8") if file.exists() else ""
        for hunk in re.findall(r"(?:^[ -].*\n)*(?:^\+.*\n)+", body, re.M):
            lines = hunk.splitlines(keepends=True)
            old = "".join(line[1:] for line in lines if line[0] in " -")
            new = "".join(line[1:] for line in lines if line[0] in " +")
            if old:
                assert text.count(old) == 1, f"{path} has these lines {text.count(old)} times: {old}"
            text = text.replace(old, new) if old else text + new
        file.write_text(text, "utf-8")


def test_the_five_things_are_shown() -> None:
    assert list(RECIPES) == ["A cause", "A fault", "A client stack", "A format", "An exercise"]


@pytest.mark.parametrize("title", RECIPES)
def test_a_recipe_is_short(title: str) -> None:
    changed = re.findall(r"^[+-]", RECIPES[title][0], re.M)
    assert 5 < len(changed) < 30


def test_all_recipes_work_at_once(tmp_path: Path) -> None:
    for name in ("certkit", "data", "notebooks", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for block, _ in RECIPES.values():
        apply(block, tmp_path)
    for lint in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *lint, "."],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
    for title, (_, command) in RECIPES.items():
        # Not the checkout's certkit: -m puts the folder that it is run in first.
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *shlex.split(command)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{title}: pytest {command}\n{done.stdout[-3000:]}{done.stderr[-1000:]}"
        assert re.search(r"\d+ passed", done.stdout)
