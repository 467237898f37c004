"""Every notebook, found by glob, runs in a real kernel, without an error and without a warning."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from certkit._lab import copy_series

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
ALL = sorted(path.relative_to(NOTEBOOKS) for path in NOTEBOOKS.rglob("[0-9]*.ipynb"))
SECONDS = 90
pytestmark = pytest.mark.notebook


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


# One at a time would waste a core, all at once would starve the kernels: the workers share them out.
@pytest.mark.parametrize("name", ALL, ids=lambda name: name.stem)
@pytest.mark.usefixtures("jupyter_home")
def test_notebook_runs(name: Path, tmp_path: Path) -> None:
    copy_series(tmp_path / "series")  # as from a wheel; and the checkout stays as it is
    notebook = execute(tmp_path / "series" / "notebooks" / name)
    assert complaints(notebook) == []


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
