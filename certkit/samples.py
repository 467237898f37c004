"""The files in ``data/``, made again: ``python -m certkit.samples NAME``.

Each specimen has a row in ``data/MANIFEST.csv`` that says what it is, what made it and who uses it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from certkit._files import write_file
from certkit._share import share
from certkit.errors import ArgumentError, CertkitError

__all__ = ["make_sample", "make_toy_rsa_keys"]

# How many of each size: enough that a root, an intermediate and both leaves differ. 1024 bits are
# below what any verifier accepts today, which is what they are for (`weak-key`).
_POOL = {1024: 2, 2048: 12, 3072: 3, 4096: 3}
_WARNING = (
    "# Toy RSA keys. They are public: anybody can have them. "
    "For practice on one machine, never for a real service.\n"
    "# Made by: python -m certkit.samples toy-rsa-keys   (each run makes others)\n"
)


def make_toy_rsa_keys(folder: Path) -> Path:
    """Write a fresh pool of RSA keys, marked as toys; takes seconds, because primes must be found.

    The pool is public by design, so the file is readable by everybody.
    """
    text = _WARNING
    for bits, number in _POOL.items():
        for index in range(number):
            key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
            pem = key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            text += f"# toy RSA {bits} number {index}\n{pem.decode()}"
    return write_file(folder / "toy-rsa-keys.pem", text.encode())


def make_atlas(folder: Path) -> Path:
    """Measure every fault with every client stack that is installed here, in minutes; see `certkit.atlas`."""
    from certkit.atlas import measure_atlas  # noqa: PLC0415 - it loads every stack

    return measure_atlas().save(folder / "atlas.csv")


def make_third_party(folder: Path) -> Path:
    """Write which packages certkit needs and their licences, as the installed packages state them."""
    from certkit._third_party import third_party_csv  # noqa: PLC0415 - it needs packaging, which JupyterLab brings

    return write_file(folder / "third-party.csv", third_party_csv().encode())


def make_learners(folder: Path) -> Path:
    """Measure 1 to 20 learners at once on this machine, in minutes; see ``certkit lab --measure``."""
    from certkit._learners import learners_csv  # noqa: PLC0415 - it needs a Jupyter

    return write_file(folder / "learners.csv", learners_csv().encode())


def make_minutes(folder: Path) -> Path:
    """Count and run every notebook on this machine, in minutes; see ``certkit course minutes``."""
    from certkit._minutes import measure_minutes, minutes_csv  # noqa: PLC0415 - it needs a Jupyter

    return write_file(folder / "minutes.csv", minutes_csv(measure_minutes()).encode())


_MAKERS: dict[str, Callable[[Path], Path]] = {
    "atlas": make_atlas,
    "learners": make_learners,
    "minutes": make_minutes,
    "third-party": make_third_party,
    "toy-rsa-keys": make_toy_rsa_keys,
}


def make_sample(name: str, folder: Path | None = None) -> Path:
    """Make the file or folder called `name` again, in ``data/`` or in `folder`; return where it is.

    Raises
    ------
    ArgumentError
        If there is no sample of that name.

    Examples
    --------
    >>> make_sample("everything")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    certkit.errors.ArgumentError: there is no such sample: 'everything'; try: one of: atlas, ...
    """
    if name not in _MAKERS:
        raise ArgumentError(
            "there is no such sample", on=repr(name), hint=f"one of: {', '.join(sorted(_MAKERS))}"
        )
    return _MAKERS[name](share("data") if folder is None else folder)


def main(arguments: Sequence[str]) -> int:
    """Make each named sample; exit code 2 for a name that is none."""
    try:
        for name in arguments or [""]:
            sys.stdout.write(f"{make_sample(name)}\n")
    except CertkitError as error:
        sys.stderr.write(f"certkit: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
