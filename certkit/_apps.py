"""The labs as a page of their own, without cells, served by Voila: ``certkit lab --apps``."""

from __future__ import annotations

import os
import secrets
from typing import Any

from certkit._lab import _check_port, _prefer_own_files
from certkit._share import share
from certkit.errors import MissingToolError

NOTEBOOK = "guide/08-labs-alone.ipynb"
# Voila's pages ask a CDN for icons that the labs do not use: the browser is told to ask nobody but this server.
_POLICY = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'self'"


def start_apps(*, browser: bool = True, port: int = 8866) -> int:
    """Serve the labs to this machine alone, with a fresh token; wait for the end.

    Every visitor of the page gets a kernel, which ends some minutes after the page was closed.

    Parameters
    ----------
    browser : bool
        Open the browser; otherwise the address is only printed.
    port : int
        The port to try first; the next free one is taken where it is in use.

    Raises
    ------
    ArgumentError
        If there is no such port.
    MissingToolError
        If Voila is not installed.
    """
    _check_port(port)
    notebooks = share("notebooks")
    _prefer_own_files(os.environ)
    app = _voila_with_token()
    app.initialize(
        [
            str(notebooks / NOTEBOOK),
            "--Voila.ip=127.0.0.1",
            f"--Voila.port={port}",
            # Files beside the notebook are served without the token: none of them, then, and of no other folder.
            f"--Voila.root_dir={notebooks}",
            "--VoilaConfiguration.file_denylist=['.*']",
            "--MappingKernelManager.cull_idle_timeout=600",
            "--MappingKernelManager.cull_interval=60",
            "--KernelManager.transport_encryption=auto",
            *([] if browser else ["--no-browser"]),
        ]
    )
    app.start()
    return 0


def _voila_with_token() -> Any:
    try:
        from voila.app import Voila  # noqa: PLC0415 - only where it is wanted, and installed
    except ImportError:
        raise MissingToolError("Voila is not installed", hint="pip install voila") from None

    class LabApps(Voila):  # type: ignore[misc]
        """Voila without its open door: by default it asks for no token."""

        def init_settings(self) -> Any:
            settings = super().init_settings()
            # It prints the address with its token only if it believes that it made the token itself.
            self.identity_provider.token_generated = True
            return settings

    # Given here, it stands in no list of processes, and wins over an empty one in the user's configuration.
    app = LabApps.instance(token=secrets.token_urlsafe(32))
    app.tornado_settings = {"headers": {"Content-Security-Policy": _POLICY}}
    return app
