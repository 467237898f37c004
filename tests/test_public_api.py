"""What ``import certkit as ck`` offers: one list, kept in three places, each name explained."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import certkit

PACKAGE = Path(certkit.__file__).parent
LAZY = {name: module for module, names in certkit._HOMES.items() for name in names}


def for_type_checkers() -> dict[str, str]:
    tree = ast.parse((PACKAGE / "__init__.py").read_text("utf-8"))
    blocks = [n for n in tree.body if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING"]
    lines = [line for block in blocks for line in block.body if isinstance(line, ast.ImportFrom)]
    return {alias.name: str(line.module) for line in lines for alias in line.names}


def test_one_list_in_three_places() -> None:
    assert certkit.__all__ == sorted(certkit.__all__)
    assert len(certkit.__all__) == len(set(certkit.__all__))
    assert set(certkit.__all__) == set(LAZY)
    assert for_type_checkers() == LAZY


def test_dir_shows_the_list() -> None:
    assert set(dir(certkit)) == {*certkit.__all__, "__version__"}


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = certkit.no_such_name


def test_no_name_is_also_a_module() -> None:
    modules = {path.name.removesuffix(".py") for path in PACKAGE.iterdir()}
    assert modules & set(certkit.__all__) == set()


@pytest.mark.parametrize("name", certkit.__all__)
def test_every_name_loads_and_explains_itself(name: str) -> None:
    value = getattr(certkit, name)
    if not (inspect.isclass(value) or callable(value)):
        return  # a constant: its module explains it
    assert value.__doc__, f"{name} has no docstring"
    assert value.__module__.startswith("certkit"), f"{name} is not ours: {value.__module__}"
    if inspect.isclass(value):
        silent = [member for member, thing in public_members(value) if not explained(thing)]
        assert silent == [], f"{name}: members without a docstring"


def public_members(kind: type) -> list[tuple[str, object]]:
    return [(name, thing) for name, thing in vars(kind).items() if not name.startswith("_")]


def explained(thing: object) -> bool:
    """Say whether a method or property has its words; plain fields are explained under Parameters."""
    if isinstance(thing, staticmethod | classmethod):
        thing = thing.__func__
    if inspect.isfunction(thing) or isinstance(thing, property) or hasattr(thing, "attrname"):
        return bool(getattr(thing, "__doc__", ""))
    return True


def test_import_is_light() -> None:
    heavy = "pandas matplotlib ipywidgets anywidget jupyterlab networkx numpy cryptography"
    code = f"import sys, certkit; print(*[name for name in {heavy.split()!r} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []


def test_the_core_stays_light() -> None:
    heavy = "pandas matplotlib ipywidgets anywidget jupyterlab"
    names = "CertificateAuthority Certificate TrustStore handshake list_faults"
    code = (
        f"import sys, certkit as ck; [getattr(ck, name) for name in {names.split()!r}];"
        f"print(*[name for name in {heavy.split()!r} if name in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []
