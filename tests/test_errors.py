"""The error tree: drawn, small, in three parts, picklable."""

import pickle
from pathlib import Path

import pytest

from certkit import errors
from certkit._files import read_source, write_file
from certkit.errors import CertkitError


def every_class() -> list[type[CertkitError]]:
    return [getattr(errors, name) for name in errors.__all__]


def test_the_tree_is_drawn_in_the_docstring() -> None:
    drawn = errors.__doc__ or ""
    assert len(errors.__all__) <= 10
    for kind in every_class():
        assert kind.__name__ in drawn
        assert issubclass(kind, CertkitError)


@pytest.mark.parametrize("kind", every_class())
def test_an_error_has_three_parts_and_survives_a_process_boundary(kind: type[CertkitError]) -> None:
    error = kind("it broke", on="here", hint="mend it", cause="wrong-password", kind="empty")
    assert str(error) == "it broke: here; try: mend it"
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert (str(copy), copy.cause, copy.kind) == (str(error), "wrong-password", "empty")


def test_bad_files_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(errors.FileError, match="no such file"):
        read_source(tmp_path / "absent.pem")
    with pytest.raises(errors.FileError, match="folder"):
        read_source(tmp_path)
    with pytest.raises(errors.FileError, match="not a regular file"):
        read_source("/dev/null")
    with pytest.raises(errors.FileError, match="cannot be read"):
        read_source("bad\0name")
    with pytest.raises(errors.ArgumentError, match="a path or bytes"):
        read_source(42)  # type: ignore[arg-type]


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    huge = tmp_path / "huge.bin"
    with huge.open("wb") as stream:
        stream.truncate(1 << 30)
    with pytest.raises(errors.LimitError, match="1,073,741,824 bytes"):
        read_source(huge)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    secret = write_file(tmp_path / "key.pem", b"x", secret=True)
    assert secret.stat().st_mode & 0o777 == 0o600
    with pytest.raises(errors.FileError, match="there already"):
        write_file(secret, b"y", overwrite=False)
    assert secret.read_bytes() == b"x"
    with pytest.raises(errors.FileError, match="cannot be written"):
        write_file(tmp_path / "absent" / "key.pem", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["key.pem"]


def test_every_message_can_be_printed_and_stored() -> None:
    # What a command line in another encoding gives: halves of surrogate pairs, which UTF-8 cannot write.
    error = errors.FileError("there is no such file: caf\udce9", on="caf\udce9.pem", hint="caf\udce9")
    assert str(error).encode() == rb"there is no such file: caf\udce9: caf\udce9.pem; try: caf\udce9"
