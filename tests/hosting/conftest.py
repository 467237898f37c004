"""The ready-made ways to host, tried for real; `make hosting` makes the environment that they need.

It stands in CERTKIT_HOSTING, apart from the lab's own: nobody who learns alone needs JupyterHub or Voila.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def hosting() -> Path:
    """Return the environment with JupyterHub, its proxy and Voila."""
    if not os.environ.get("CERTKIT_HOSTING"):
        pytest.skip("no environment for hosting here; make hosting")
    return Path(os.environ["CERTKIT_HOSTING"])
