"""Every notebook, found by glob, runs in a real kernel, without an error and without a warning."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from secrecy import find

from certkit._lab import copy_series

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
ALL = sorted(path.relative_to(NOTEBOOKS) for path in NOTEBOOKS.rglob("[0-9]*.ipynb"))
SECONDS = 90
pytestmark = pytest.mark.notebook
# Each kernel notes the secret numbers of the keys that it makes.
NOTING = """
def _note(path):
    from certkit.keys import PrivateKey
    genuine = PrivateKey.__init__
    def noted(key, *args, **named):
        genuine(key, *args, **named)
        with open(path, "a") as stream:
            stream.writelines(secret.hex() + "\\n" for secret in key._secrets())
    PrivateKey.__init__ = noted
_note({path!r})
del _note
"""
# The password in the notebooks' own code. The clinic's is another: a toy that its cases tell.
PASSWORD = "changeit"


def execute(path: Path) -> nbformat.NotebookNode:
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=SECONDS, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    )
    client.execute()
    return notebook


def complaints(notebook: nbformat.NotebookNode) -> list[str]:
    """Return what a run wrote to stderr: a warning that is none of our modules' lands there."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output["text"] for output in outputs if output.get("name") == "stderr"]


@pytest.fixture
def keys(jupyter_home: Path, tmp_path: Path) -> Path:
    """Return a file in which every kernel notes the secret numbers of its private keys."""
    path = tmp_path / "keys.txt"
    path.touch()
    startup = jupyter_home / "ipython" / "profile_default" / "startup" / "10-keys.py"
    startup.write_text(NOTING.format(path=str(path)))
    return path


def leaks(notebook: nbformat.NotebookNode, keys: Path) -> list[str]:
    """Return the secrets that outputs show: private key bytes, and the password."""
    outputs = {cell.source: json.dumps(cell.get("outputs", [])) for cell in notebook.cells}
    # An exercise that wants a file with this toy as its password has to say so.
    silent = [
        shown for source, shown in outputs.items() if not source.startswith(("ck.check(", "ck.fixture("))
    ]
    secrets = {bytes.fromhex(line) for line in keys.read_text().split()}
    return find(outputs.values(), secrets, []) + find(silent, (), [PASSWORD])


# One at a time would waste a core, all at once would starve the kernels: the workers share them out.
@pytest.mark.parametrize("name", ALL, ids=lambda name: name.stem)
def test_notebook_runs(name: Path, tmp_path: Path, keys: Path) -> None:
    copy_series(tmp_path / "series")  # as from a wheel; and the checkout stays as it is
    notebook = execute(tmp_path / "series" / "notebooks" / name)
    assert complaints(notebook) == []
    assert leaks(notebook, keys) == []


def test_a_key_and_a_password_in_an_output_are_seen(tmp_path: Path, keys: Path) -> None:
    cells = [
        "import certkit as ck\nkey = ck.generate_key()\nkey",
        "key.to_pem()",
        "print(key.raw.private_numbers().private_value)",
        "('changeit',)",
    ]
    found = []
    for shown in (cells[:1], cells[:2], [cells[0], cells[2]], cells[3:]):
        keys.write_text("")
        found.append(bool(leaks(execute(small(tmp_path, *shown)), keys)))
    assert found == [False, True, True, True]


def small(tmp_path: Path, *cells: str) -> Path:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    path = tmp_path / "00-small.ipynb"
    nbformat.write(notebook, path)
    return path


@pytest.mark.usefixtures("jupyter_home")
def test_an_error_and_a_warning_of_ours_are_seen(tmp_path: Path) -> None:
    warns = "import warnings; warnings.warn('old', DeprecationWarning)"
    with pytest.raises(CellExecutionError, match="DeprecationWarning"):
        execute(small(tmp_path, warns))


@pytest.mark.usefixtures("jupyter_home")
def test_kernel_is_this_python_and_stderr_is_seen(tmp_path: Path) -> None:
    notebook = execute(small(tmp_path, "import sys; print(sys.prefix)", "print('oh', file=sys.stderr)"))
    assert notebook.cells[0].outputs[0]["text"].strip() == sys.prefix
    assert complaints(notebook) == ["oh\n"]
