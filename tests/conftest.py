"""What every test shares: no network outside this machine, no files left behind, one hypothesis profile."""

from __future__ import annotations

import gc
import ipaddress
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from certkit.services import LoopbackServer

ROOT = Path(__file__).resolve().parent.parent
PROFILE = hypothesis.settings(deadline=None, database=None, derandomize=True)
hypothesis.settings.register_profile("certkit", PROFILE)
hypothesis.settings.load_profile("certkit")


JUPYTER_NOISE = (
    # jupyter_client and nbclient open sockets and loops that the collector closes, later, in any test.
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
    # They still ask the event loop policy, which Python 3.14 deprecates.
    "ignore::DeprecationWarning:jupyter_client",
    "ignore::DeprecationWarning:nbclient",
    "ignore::DeprecationWarning:zmq",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let tests that start a kernel overlook what Jupyter's own libraries are warned of."""
    for item in items:
        if item.get_closest_marker("notebook"):
            for noise in JUPYTER_NOISE:
                item.add_marker(pytest.mark.filterwarnings(noise))


def _outside(address: object) -> bool:
    if not isinstance(address, tuple) or not isinstance(address[0], str):
        return False  # a Unix socket, or bytes of some other family
    host = address[0]
    try:
        return not ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host not in ("", "localhost")


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test that opens a connection to another machine."""
    for name in ("connect", "connect_ex"):
        genuine = getattr(socket.socket, name)

        def guarded(self: socket.socket, address: object, genuine: object = genuine) -> object:
            if _outside(address):
                pytest.fail(f"a test tried to reach {address!r}")
            return genuine(self, address)  # type: ignore[operator]

        monkeypatch.setattr(socket.socket, name, guarded)


@pytest.fixture
def failures_are_meant() -> None:
    """Let a test break a service on purpose: ask for it where a failure inside is the point."""


@pytest.fixture(autouse=True)
def _no_failure_inside(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test in which a service failed by itself: services keep such errors, and print nothing."""
    noted: list[str] = []
    genuine = LoopbackServer.note_failure

    def note(self: LoopbackServer, error: BaseException) -> None:
        genuine(self, error)
        noted.append(self.failures[-1])

    monkeypatch.setattr(LoopbackServer, "note_failure", note)
    yield
    assert "failures_are_meant" in request.fixturenames or noted == []


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the folder of the checkout."""
    return ROOT


PRIVATE_FOLDERS = {
    "JUPYTER_CONFIG_DIR": "config",
    "JUPYTER_DATA_DIR": "data",
    "JUPYTER_RUNTIME_DIR": "runtime",
    "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    "JUPYTERLAB_SETTINGS_DIR": "settings",
    "IPYTHONDIR": "ipython",
}
# PYTHONWARNINGS cannot name a package with its submodules; a filter can.
STARTUP = """
import warnings
warnings.filterwarnings("error", module=r"certkit(\\.|$)")
warnings.filterwarnings("error", module=r"__main__$")
"""


@pytest.fixture(scope="session")
def private_jupyter() -> Callable[[Path], dict[str, str]]:
    """Return what makes a folder the home of a private Jupyter, and the variables that point there."""

    def prepare(home: Path) -> dict[str, str]:
        startup = home / "ipython" / "profile_default" / "startup"
        startup.mkdir(parents=True)
        startup.joinpath("00-warnings.py").write_text(STARTUP)
        return {name: str(home / folder) for name, folder in PRIVATE_FOLDERS.items()}

    return prepare


@pytest.fixture
def jupyter_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, private_jupyter: Callable[[Path], dict[str, str]]
) -> Iterator[Path]:
    """Give Jupyter and IPython folders of their own, and make warnings of our code errors in kernels."""
    for name, value in private_jupyter(tmp_path / "jupyter").items():
        monkeypatch.setenv(name, value)
    yield tmp_path / "jupyter"
    # jupyter_client and nbclient leave sockets and event loops to the collector, which complains about
    # them: let it do so now, while the test that used them says that it does not mind.
    gc.collect()
