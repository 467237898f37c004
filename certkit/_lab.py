"""The series in JupyterLab: copied into a folder of the user's, served to this machine alone."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import os
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from certkit._files import write_file
from certkit._share import MY_FILES, share
from certkit._text import count
from certkit.errors import ArgumentError, CertkitError, FileError, MissingToolError

DEFAULT_FOLDER = "certkit-lab"
_MANIFEST = ".certkit.json"
_PARTS = ("notebooks", "data")
# What would take the token away, or make it one that others can know.
_FORBIDDEN = ("token", "allow_unauthenticated_access", "identity_provider_class")


@dataclass(frozen=True)
class SeriesCopy:
    """What `copy_series` did, by path inside the folder.

    Parameters
    ----------
    folder : Path
        Where the series now is.
    new, upgraded, current, kept : tuple of str
        Copied for the first time; replaced by a newer edition; the same already; changed by the
        learner and therefore left alone.
    renewable : tuple of str
        Those of `kept` that have a newer edition waiting.
    """

    folder: Path
    new: tuple[str, ...] = ()
    upgraded: tuple[str, ...] = ()
    current: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    renewable: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return a line of counts, and one for each file that has a newer edition waiting."""
        counts = [(self.new, "new"), (self.upgraded, "upgraded"), (self.kept, "yours, kept")]
        told = [f"{count(len(paths), 'file')} {word}" for paths, word in counts if paths]
        lines = [f"the series is in {self.folder} ({', '.join(told) or 'nothing to do'})"]
        lines += [
            f"{path}: yours is kept; for the new edition, rename yours and start again"
            for path in self.renewable
        ]
        return "\n".join(lines)


def copy_series(folder: str | os.PathLike[str]) -> SeriesCopy:
    """Copy notebooks and data into `folder`; upgrade what is untouched, keep what the learner changed.

    A small manifest in the folder remembers what was copied. A file that still is what was copied
    follows a newer certkit; any other file is the learner's.

    Raises
    ------
    FileError
        If the folder is a file, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first, second = copy_series(folder), copy_series(folder)
    >>> bool(first.new), second.new, second.current == first.new
    (True, (), True)
    """
    target = Path(folder).absolute()
    recorded = _read_manifest(target)
    done: dict[str, list[str]] = {"new": [], "upgraded": [], "current": [], "kept": [], "renewable": []}
    copied = dict(recorded)
    try:
        for name, source in _series().items():
            data = source.read_bytes()
            latest = _digest(data)
            verdict = _judge(target / name, latest, recorded.get(name))
            done[verdict].append(name)
            if verdict == "kept":
                if latest != recorded.get(name):
                    done["renewable"].append(name)
                continue
            if verdict != "current":
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                write_file(target / name, data)
            copied[name] = latest
    except OSError as error:
        if isinstance(error, FileError):
            raise
        reason = error.strerror or str(error)
        raise FileError(
            f"the series cannot be copied here ({reason})", on=target, hint="name another folder"
        ) from None
    if copied != recorded:
        manifest = {"about": "what certkit copied here: name and SHA-256", "files": copied}
        write_file(target / _MANIFEST, json.dumps(manifest, indent=1, sort_keys=True).encode())
    return SeriesCopy(target, **{verdict: tuple(names) for verdict, names in done.items()})


def _series() -> dict[str, Path]:
    """Return name inside the folder -> file, for everything that travels."""
    found = {}
    for part in _PARTS:
        root = share(part)
        for path in sorted(root.rglob("*")):
            inside = path.relative_to(root)
            hidden = any(name.startswith((".", "__")) for name in inside.parts)
            if path.is_file() and not hidden and MY_FILES not in inside.parts:
                found[f"{part}/{inside.as_posix()}"] = path
    return found


def _judge(path: Path, latest: str, copied: str | None) -> str:
    if not path.exists() and not path.is_symlink():
        return "new"
    if not path.is_file():
        return "kept"
    present = _digest(path.read_bytes())
    if present == latest:
        return "current"
    return "upgraded" if present == copied else "kept"


def changed_notebooks(folder: Path) -> tuple[str, ...]:
    """Return the notebooks of a learner's folder that are no longer as they were copied, by path inside it.

    Raises
    ------
    ArgumentError
        If certkit copied none into this folder.
    """
    copied, series = _read_manifest(folder), _series()
    if not copied:
        raise ArgumentError(
            "certkit copied no notebooks into this folder",
            on=folder,
            hint="name the folder that certkit lab made; in a checkout, git restore notebooks",
        )
    found = [name for name in copied if name.endswith(".ipynb") and name in series]
    return tuple(
        sorted(
            name
            for name in found
            if not (folder / name).is_file() or _digest((folder / name).read_bytes()) != copied[name]
        )
    )


def renew_notebooks(folder: Path, names: Sequence[str]) -> None:
    """Put notebooks back as certkit has them; what the learner wrote into them is gone.

    Raises
    ------
    FileError
        If one cannot be written.
    """
    series, copied = _series(), _read_manifest(folder)
    for name in names:
        data = series[name].read_bytes()
        write_file(folder / name, data)
        copied[name] = _digest(data)
    manifest = {"about": "what certkit copied here: name and SHA-256", "files": copied}
    write_file(folder / _MANIFEST, json.dumps(manifest, indent=1, sort_keys=True).encode())


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _read_manifest(folder: Path) -> dict[str, str]:
    """Return what was copied before; a manifest that cannot be read means that all is the learner's."""
    try:
        files = json.loads((folder / _MANIFEST).read_text("utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {str(name): str(digest) for name, digest in files.items()} if isinstance(files, dict) else {}


def start_lab(
    folder: str | os.PathLike[str] | None = None,
    *,
    browser: bool = True,
    port: int = 8888,
    arguments: Sequence[str] = (),
    allow_remote: bool = False,
) -> int:
    """Open JupyterLab at the first notebook, on this machine alone, with a fresh token; wait for its end.

    Parameters
    ----------
    folder : path, optional
        The learner's folder; the series is copied there first. Without it: the checkout that certkit
        runs from, or ``certkit-lab`` in the current folder where it was installed from a wheel.
    browser : bool
        Open the browser; otherwise the address is only printed.
    port : int
        The port to try first; the next free one is taken where it is in use.
    arguments : sequence of str
        Passed on to JupyterLab, e.g. ``["--debug"]``; they win over the above.
    allow_remote : bool
        Let `arguments` name another address than loopback. Whoever has the token can then run
        programs on this machine, and the token travels unencrypted.

    Raises
    ------
    ArgumentError
        If an address outside loopback is named, or the token would be fixed or switched off.
    MissingToolError
        If JupyterLab is not installed.
    """
    _check_port(port)
    _check_arguments(arguments, allow_remote=allow_remote)
    checkout = share("notebooks").parent
    if folder is None and checkout.name != "_share":
        root = checkout
    else:
        report = copy_series(folder if folder is not None else DEFAULT_FOLDER)
        print(report)  # noqa: T201 - the learner must know where the files are, before the server's log
        root = report.folder
    quietly = [] if browser or "--no-browser" in arguments else ["--no-browser"]
    return _serve(lab_arguments(root, [*quietly, *arguments], port=port))


def _check_port(port: int) -> None:
    if not 0 <= port <= 65535:
        raise ArgumentError("there is no such port", on=port, hint="give a number from 1024 to 65535")


def _check_arguments(arguments: Sequence[str], *, allow_remote: bool) -> None:
    for argument, following in pairwise([*arguments, ""]):
        name, equals, value = argument.partition("=")
        trait = _trait(argument)
        if trait in _FORBIDDEN:
            raise ArgumentError(
                "the lab makes its own token at each start", on=name, hint="leave this option out"
            )
        address = value if equals else following
        if trait == "ip" and not allow_remote and not _is_loopback(address):
            raise ArgumentError(
                "the lab serves this machine only, and this address is open to others",
                on=repr(address),
                hint="leave it out; or, if you know who else is on that network, certkit lab --address IP --allow-remote",
            )


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.strip("\"'[]")).is_loopback
    except ValueError:
        return address == "localhost"


def _trait(argument: str) -> str:
    """Return the option that an argument sets, by its last name: ``port`` for ``--ServerApp.port=9999``."""
    return argument.partition("=")[0].lstrip("-").rpartition(".")[2] if argument.startswith("-") else ""


def lab_arguments(root: Path, arguments: Sequence[str] = (), *, port: int = 8888) -> list[str]:
    """Return JupyterLab's arguments, without the token; those given win, since none may come twice."""
    first = next(iter(sorted(root.glob("notebooks/00-*.ipynb"))), None)
    place = f"/tree/{first.relative_to(root).as_posix()}" if first else ""
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    ours = [
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        f"--ServerApp.root_dir={root}",
        f"--LabApp.default_url=/lab{place}",
        # Nothing phones home: no news, no update check, no list of extensions.
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
        # What goes between the lab and its kernels is readable to other users of this machine otherwise.
        "--KernelManager.transport_encryption=auto",
        *(["--allow-root"] if as_root else []),
    ]
    given = {_trait(argument) for argument in arguments}
    return [*(argument for argument in ours if _trait(argument) not in given), *arguments]


def _serve(arguments: list[str]) -> int:
    """Run JupyterLab in this process: so the token stands in no list of processes."""
    try:
        from jupyterlab.labapp import LabApp  # noqa: PLC0415 - it takes a second to load
    except ImportError:
        raise MissingToolError("JupyterLab is not installed", hint="pip install jupyterlab") from None
    _prefer_own_files(os.environ)
    # Given as an option it overrides an empty or fixed one in the user's own configuration.
    token = f"--IdentityProvider.token={secrets.token_urlsafe(32)}"
    server = LabApp.initialize_server(argv=[*arguments, token])
    # JupyterLab prints the address with its token only if it believes that it made the token itself.
    server.identity_provider.token_generated = True
    server.start()
    return 0


def _prefer_own_files(environment: os._Environ[str] | dict[str, str]) -> None:
    """Put this Python's kernel and the lab's settings first; the user's own settings still count."""
    own = {
        "JUPYTER_PATH": Path(sys.prefix) / "share" / "jupyter",
        "JUPYTER_CONFIG_PATH": Path(__file__).parent / "_labconfig",
    }
    for name, path in own.items():
        others = environment.get(name, "")
        environment[name] = os.pathsep.join([str(path), *([others] if others else [])])
    for name in ("JUPYTER_TOKEN", "JUPYTER_TOKEN_FILE"):
        environment.pop(name, None)


def main(arguments: Sequence[str] | None = None) -> int:
    """Start the lab from the checkout: what ``lab.py`` calls."""
    try:
        return start_lab(arguments=sys.argv[1:] if arguments is None else arguments)
    except CertkitError as error:
        sys.stderr.write(f"certkit: {error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
