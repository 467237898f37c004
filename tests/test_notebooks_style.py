"""How the notebooks are kept: readable names, thin cells, no outputs, no secrets, no paths of a machine."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
ALL = sorted(path for path in NOTEBOOKS.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)
MACHINE_PATH = re.compile(r"(?<![\w/.:])/(?:home|Users|root|work|tmp)/\w|[A-Z]:\\\\?Users")
PRIVATE_KEY = re.compile(r"BEGIN [A-Z ]*PRIVATE KEY")


def sources(notebook: dict, kind: str) -> list[tuple[str, list[str]]]:
    """Return source and tags of each cell of a kind."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == kind]
    return [("".join(cell["source"]), cell["metadata"].get("tags", [])) for cell in cells]


def faults_of(notebook: dict) -> list[str]:
    """Return what is wrong with a notebook, in words."""
    wrong = []
    if "widgets" in notebook["metadata"]:
        wrong.append("widget state is stored")
    if notebook["metadata"].get("kernelspec", {}).get("name") != "python3":
        wrong.append("the kernel is not python3")
    if any(cell.get("outputs") or cell.get("execution_count") for cell in notebook["cells"]):
        wrong.append("outputs are stored")
    code = sources(notebook, "code")
    if not code or code[0][0].strip() != "import certkit as ck":
        wrong.append("the first code cell is not 'import certkit as ck'")
    for source, tags in code:
        wrong += [f"{fault}: {source[:60]!r}" for fault in faults_of_cell(source, tags)]
    exercises = [number for source, _ in code for number in re.findall(r'ck\.check\("(\d+\.\d+)"', source)]
    if [number.partition(".")[2] for number in exercises] != [str(n + 1) for n in range(len(exercises))]:
        wrong.append(f"exercises are not numbered as they are read: {', '.join(exercises)}")
    prose = [source for source, _ in sources(notebook, "markdown")]
    headings = re.findall(
        r"^# ", "\n".join(re.sub(r"```.*?```", "", text, flags=re.S) for text in prose), re.M
    )
    if len(headings) != 1:
        wrong.append(f"{len(headings)} first-level headings, one is wanted")
    text = "\n".join([*prose, *(source for source, _ in code)])
    if MACHINE_PATH.search(text):
        wrong.append("a path of one machine")
    if PRIVATE_KEY.search(text):
        wrong.append("a private key")
    return wrong


def faults_of_cell(source: str, tags: list[str]) -> list[str]:
    wrong = []
    if len(source.strip().splitlines()) > 10:
        wrong.append("more than 10 lines: the package lacks a function")
    if re.search(r"^\s*[%!]", source, re.M):
        wrong.append("a magic or a shell command")
        return wrong
    tree = ast.parse(source)
    definitions = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    if "exercise" not in tags and any(isinstance(node, definitions) for node in ast.walk(tree)):
        wrong.append("def or class: it belongs into the package")
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "certkit":
            wrong.append("another import from certkit than 'import certkit as ck'")
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            wrong.append("a star import")
    return wrong


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_notebook_is_kept_well(path: Path) -> None:
    assert re.fullmatch(r"\d\d-[a-z0-9]+(-[a-z0-9]+)*\.ipynb", path.name), "name it NN-kebab-title.ipynb"
    notebook = json.loads(path.read_text("utf-8"))
    assert notebook["nbformat"] == 4
    assert notebook["nbformat_minor"] >= 5
    assert faults_of(notebook) == []


def test_numbers_are_used_once() -> None:
    numbers = [path.name[:2] for path in ALL if path.parent == NOTEBOOKS]
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_links_between_files_lead_somewhere(path: Path) -> None:
    notebook = json.loads(path.read_text("utf-8"))
    text = "\n".join(source for source, _ in sources(notebook, "markdown"))
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text) + re.findall(r'src="([^"]+)"', text)
    local = [target for target in targets if not re.match(r"(https?|mailto|data|attachment):", target)]
    assert [target for target in local if not (path.parent / target).exists()] == []


def cell(source: str, kind: str = "code", **more: object) -> dict:
    return {"cell_type": kind, "source": source, "metadata": {}, **more}


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (cell("x = 1", outputs=[{"output_type": "stream"}]), "outputs are stored"),
        (cell("\n".join(f"a{n} = {n}" for n in range(11))), "more than 10 lines"),
        (cell("def f():\n    return 1"), "def or class"),
        (cell("%run other.ipynb"), "magic"),
        (cell("from certkit.keys import generate_key"), "another import"),
        (cell("from math import *"), "star import"),
        (cell("# Second title", "markdown"), "2 first-level headings"),
        (cell('ck.check("3.2", ...)'), "exercises are not numbered"),
        (cell("see /home/" + "anna/keys", "markdown"), "a path of one machine"),
        (cell("-----BEGIN " + "PRIVATE KEY-----", "markdown"), "a private key"),
    ],
)
def test_a_bad_notebook_is_seen(extra: dict, said: str) -> None:
    good = [cell("# Title", "markdown"), cell("import certkit as ck")]
    metadata = {"kernelspec": {"name": "python3"}}
    assert faults_of({"cells": good, "metadata": metadata}) == []
    assert said in " ".join(faults_of({"cells": [*good, extra], "metadata": metadata}))


def test_missing_first_import_and_widget_state_are_seen() -> None:
    bad = {"cells": [cell("import certkit")], "metadata": {"widgets": {}}}
    found = " ".join(faults_of(bad))
    assert "first code cell" in found
    assert "widget state" in found
    assert "not python3" in found
