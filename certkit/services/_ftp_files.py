"""The files of the FTPS service, in memory: a kernel that is killed leaves nothing of them on a disk."""

from __future__ import annotations

import errno
import io
import os
import stat
import time
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

with warnings.catch_warnings():
    # Up to Python 3.11 pyftpdlib uses the standard library's asyncore, which announces its end.
    warnings.simplefilter("ignore", DeprecationWarning)
    from pyftpdlib.filesystems import AbstractedFS

if TYPE_CHECKING:
    from certkit.services._ftp_handlers import FtpSession

__all__ = ["HOME", "MemoryFiles", "Shelf"]

HOME = os.sep
"""What pyftpdlib takes for the user's folder; nothing of the real one is ever looked at."""
MAX_FILE_BYTES = 16 * 1024 * 1024


class Shelf:
    """Named files of one folder, in memory, shared by all sessions.

    Parameters
    ----------
    files : mapping of str to bytes
        What is there to begin with.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files: dict[str, tuple[bytes, float]] = {}
        for name, content in files.items():
            self.put(name, content)

    def put(self, name: str, content: bytes) -> None:
        """Store a file, in place of one of the same name."""
        self._files[name] = (content, time.time())

    def get(self, path: str) -> tuple[bytes, float]:
        """Return a file's content and when it was stored.

        Raises
        ------
        FileNotFoundError
            If there is none: as an operating system says it, for pyftpdlib to answer with.
        """
        try:
            return self._files[self.name_of(path)]
        except KeyError:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path) from None

    def take(self, path: str) -> tuple[bytes, float]:
        """Return a file like `get`, and forget it."""
        found = self.get(path)
        self._files.pop(self.name_of(path), None)
        return found

    def name_of(self, path: str) -> str:
        """Return the name in a path of pyftpdlib's; a path below another folder names nothing."""
        folder, name = os.path.split(path)
        return name if folder == HOME else path

    def contents(self) -> dict[str, bytes]:
        """Return all files, sorted by name."""
        return {name: content for name, (content, _) in sorted(self._files.items())}


class _Upload(io.BytesIO):
    """A file that is being written: on the shelf once it is closed."""

    def __init__(self, shelf: Shelf, path: str, before: bytes, at_end: bool) -> None:
        super().__init__(before)
        self.name, self._shelf = path, shelf
        self.seek(0, io.SEEK_END if at_end else io.SEEK_SET)

    def write(self, data: Any) -> int:
        if self.tell() + len(data) > MAX_FILE_BYTES:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), self.name)
        return super().write(data)

    def close(self) -> None:
        if not self.closed:
            self._shelf.put(self._shelf.name_of(self.name), self.getvalue())
        super().close()


class MemoryFiles(AbstractedFS):  # type: ignore[misc]
    """pyftpdlib's view of the shelf: one folder, no links, no rights, nothing of the real disk."""

    def __init__(self, root: str, cmd_channel: Any) -> None:
        super().__init__(root, cmd_channel)
        session: FtpSession = cmd_channel.session
        self.shelf = session.service.shelf

    def open(self, filename: str, mode: str) -> io.BytesIO:
        """Return a file to read or, once closed, to keep."""
        if "r" in mode and "+" not in mode:
            reading = io.BytesIO(self.shelf.get(filename)[0])
            reading.name = filename
            return reading
        if self.shelf.name_of(filename) == filename:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), filename)
        before = self.shelf.get(filename)[0] if "w" not in mode and self.isfile(filename) else b""
        return _Upload(self.shelf, filename, before, "a" in mode)

    def stat(self, path: str) -> os.stat_result:
        """Return what a file system would say."""
        kind, size, when = stat.S_IFDIR | 0o700, 0, time.time()
        if path != HOME:
            content, when = self.shelf.get(path)
            kind, size = stat.S_IFREG | 0o600, len(content)
        return os.stat_result((kind, 0, 0, 1, 0, 0, size, int(when), int(when), int(when)))

    lstat = stat

    def listdir(self, path: str) -> list[str]:
        """Return the names of all files."""
        return list(self.shelf.contents())

    listdirinfo = listdir

    def chdir(self, path: str) -> None:
        """Stay in the one folder there is; the program's own stays as it is, too."""
        if not self.isdir(path):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        self.cwd = "/"

    def remove(self, path: str) -> None:
        """Forget a file."""
        self.shelf.take(path)

    def rename(self, src: str, dst: str) -> None:
        """Give a file another name."""
        self.shelf.put(self.shelf.name_of(dst), self.shelf.take(src)[0])

    def isfile(self, path: str) -> bool:
        """Whether there is such a file."""
        return self.shelf.name_of(path) in self.shelf.contents()

    def isdir(self, path: str) -> bool:
        """Whether this is the one folder."""
        return path == HOME

    def lexists(self, path: str) -> bool:
        """Whether there is anything of this name."""
        return self.isdir(path) or self.isfile(path)

    def islink(self, path: str) -> bool:
        """Whether it is a link: there are none."""
        return False

    def realpath(self, path: str) -> str:
        """Return the path: there are no links."""
        return path

    def getsize(self, path: str) -> int:
        """Return a file's size."""
        return self.stat(path).st_size

    def getmtime(self, path: str) -> float:
        """Return when a file was stored."""
        return self.stat(path).st_mtime

    def get_user_by_uid(self, uid: int) -> str:
        """Return whose the files are."""
        return "lab"

    get_group_by_gid = get_user_by_uid

    def _not_here(self, *_: object, **__: object) -> Any:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    mkdir = rmdir = chmod = utime = readlink = mkstemp = _not_here
