"""Every parser of certkit behind one door: bytes in; a value or a `CertkitError` out, whatever the bytes are.

`TARGETS` is used three times: by hypothesis (``tests/test_fuzz.py``), by the coverage-guided fuzzer (``make fuzz``) and to replay
what they ever found (``tests/fuzz/corpus/NAME/``). A target that lets another exception through has found something.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from certkit.errors import CertkitError

CORPUS = Path(__file__).with_name("corpus")
PASSWORD = "changeit"


@dataclass(frozen=True)
class Target:
    """One parser, or several that read the same bytes.

    Attributes
    ----------
    name : str
        Also the name of its folder in the corpus.
    read : callable
        Reads bytes in every way that there is; raises nothing but CertkitError.
    seeds : callable
        Returns good inputs to start from.
    kind : {"der", "bytes", "tls", "text"}
        What made-up inputs should look like.
    """

    name: str
    read: Callable[[bytes], object]
    seeds: Callable[[], list[bytes]]
    kind: str = "bytes"

    def __call__(self, data: bytes) -> None:
        """Read `data`; a refusal has to say what happened."""
        try:
            self.read(data)
        except CertkitError as error:
            refused(error)

    def corpus(self) -> list[Path]:
        """Return the inputs that once went wrong."""
        return sorted((CORPUS / self.name).glob("*"))


def refused(error: CertkitError) -> None:
    """Look at a refusal as a user would."""
    assert error.what, repr(error)
    text = str(error)
    assert PASSWORD not in text
    text.encode()  # it can be printed: no half of a surrogate pair


def each(data: object, *readers: Callable[..., object]) -> None:
    """Let every reader have the data, whatever the others say."""
    for read in readers:
        try:
            read(data)
        except CertkitError as error:
            refused(error)


@cache
def targets() -> dict[str, Target]:
    """Return all targets by name."""
    from fuzz import targets_files, targets_text, targets_wire

    found = (*targets_files.TARGETS, *targets_wire.TARGETS, *targets_text.TARGETS)
    assert len({target.name for target in found}) == len(found)
    return {target.name: target for target in found}


def utf8(data: bytes) -> str:
    """Return bytes as a command line or a file would give them: what is no UTF-8 becomes lone surrogates."""
    return data.decode("utf-8", "surrogateescape")


quiet = suppress(CertkitError)
