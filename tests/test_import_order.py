"""Imports run one way: a module uses only what stands above it in this list."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "certkit"
# One line is one floor of the design, highest first; within a line the order counts too.
_FLOORS = """
    errors _text _html _page _svg causes _share _files _minder _der _signatures _names
    keys _profiles extensions certificates csr revocation chains credentials formats keystores differences authority
    verification handshakes services stacks faults atlas explanation checkup inventory
    plots _report _third_party _learners _minutes samples lessons widgets _lab _hub _apps _reset cli _site __main__
"""
ORDER = _FLOORS.split()
MODULES = sorted(PACKAGE.rglob("*.py"))


def floor_of(path: Path) -> str:
    return of_command(path.relative_to(PACKAGE).parts[0].removesuffix(".py"))


def of_command(name: str) -> str:
    """Return the floor of a module: the command's verbs, ``_cli_…``, stand on the command's own."""
    return "cli" if name.startswith("_cli_") else name


def imports_of(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and module for every import that runs; those for type checkers alone do not."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import; write certkit.…"
            if node.module == "certkit":
                # `from certkit import keys` names a submodule; a name such as __version__ is the root's.
                yield from ((node.lineno, f"certkit.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, node.module or ""
        else:
            yield from imports_of(node)


def wrong_imports(source: str, floor: str) -> list[str]:
    wrong = []
    for line, module in imports_of(ast.parse(source)):
        if module == "certkit":
            wrong.append(f"line {line}: imports the package root")
        if not module.startswith("certkit."):
            continue
        used = of_command(module.split(".")[1])
        if used == "__version__":
            continue
        if used not in ORDER:
            wrong.append(f"line {line}: {used} has no place in the order; give it one in this test")
        elif used == "widgets" and floor != "widgets":
            wrong.append(f"line {line}: imports widgets")
        elif used != floor and ORDER.index(used) > ORDER.index(floor):
            wrong.append(f"line {line}: {floor} imports {used}, which stands below it")
    return wrong


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_one_way(path: Path) -> None:
    floor = floor_of(path)
    if floor == "__init__":
        return  # it imports for type checkers only, which the test of the public names reads
    assert floor in ORDER, "give the new module its place in the order"
    assert wrong_imports(path.read_text("utf-8"), floor) == []


@pytest.mark.parametrize(
    ("source", "floor", "said"),
    [
        ("import certkit", "cli", "package root"),
        ("from certkit.chains import Chain", "keys", "below it"),
        ("def f():\n    from certkit.widgets import Lab", "cli", "imports widgets"),
        ("from certkit.nowhere import x", "cli", "no place"),
    ],
)
def test_a_wrong_import_is_seen(source: str, floor: str, said: str) -> None:
    assert said in " ".join(wrong_imports(source, floor))
