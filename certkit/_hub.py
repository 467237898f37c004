"""A learner's server on a JupyterHub: the series copied into their home, then JupyterLab as the hub wants it.

``jupyterhub_config.py`` names this module as the command to spawn. It runs as the learner, never as root.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from certkit._lab import DEFAULT_FOLDER, _prefer_own_files, copy_series, lab_arguments
from certkit.errors import CertkitError, MissingToolError

# Where a server listens, who may come in and as whom it runs is the hub's to say, and it has said so by environment.
_THE_HUBS = ("ip", "port", "allow-root")


def hub_arguments(root: Path, arguments: Sequence[str] = ()) -> list[str]:
    """Return the lab's own arguments, without those that the hub decides.

    Examples
    --------
    >>> [each for each in hub_arguments(Path("lab"), ["--debug"]) if "ip" in each or "debug" in each]
    ['--debug']
    """
    names = tuple(f"--ServerApp.{name}=" for name in _THE_HUBS)
    kept = (each for each in lab_arguments(root) if not each.startswith(names) and each != "--allow-root")
    return [*kept, *arguments]


def main(arguments: Sequence[str]) -> int:
    """Copy the series into the learner's home and become their server; return only if that fails."""
    try:
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            raise CertkitError(
                "a learner's server does not run as root", hint="let the hub spawn it as the learner"
            )
        server = Path(sys.executable).with_name("jupyterhub-singleuser")
        if not server.exists():
            raise MissingToolError(
                "JupyterHub is not in this environment", on=sys.prefix, hint="pip install jupyterhub"
            )
        # A new file is the learner's alone, a key file written by any tool as well.
        os.umask(0o077)
        report = copy_series(Path.home() / DEFAULT_FOLDER)
        _prefer_own_files(os.environ)
        sys.stderr.write(f"{report}\n")
        os.execv(server, [str(server), *hub_arguments(report.folder, arguments)])  # noqa: S606 - no shell
    except CertkitError as error:
        sys.stderr.write(f"certkit: {error}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
