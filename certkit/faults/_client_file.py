"""A client that loads its credential from a file, with the library that reads it in production."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import pkcs12

from certkit._files import write_private
from certkit.certificates import Certificate
from certkit.chains import Chain
from certkit.credentials import Credential
from certkit.errors import CertkitError
from certkit.keys import PrivateKey
from certkit.keystores import load_credential, load_keystore

if TYPE_CHECKING:
    from certkit.faults.scenario import ClientFile

__all__ = ["FileRefused", "open_file"]

_NOBODY = 65_534
_PKCS7_DATA = bytes.fromhex("06092a864886f70d010701")


class FileRefused(Exception):  # noqa: N818 - what the library said, as data
    """The client could not load its file.

    Attributes
    ----------
    words : str
        What the library said.
    cause : str or None
        The cause id, found by reading the file with certkit's own eyes.
    """

    def __init__(self, words: str, cause: str | None) -> None:
        super().__init__(words)
        self.words, self.cause = words, cause


def open_file(file: ClientFile) -> Credential:
    """Return the credential of a client's file.

    PKCS#12 is opened by the cryptography library (OpenSSL's rules), PEM by Python's ``ssl``.

    Raises
    ------
    FileRefused
        With the library's words.
    """
    _permitted(file)
    return _open_pkcs12(file) if file.format == "pkcs12" else _open_pem(file)


def _permitted(file: ClientFile) -> None:
    """Read a file of another user's, as an ordinary user: root may read everything, which would hide the fault."""
    if file.readable or sys.platform == "win32":
        return
    with tempfile.TemporaryDirectory(prefix="certkit-") as folder:
        Path(folder).chmod(0o711)
        path = Path(folder) / "client.p12"
        write_private(path, file.data)
        root = os.geteuid() == 0
        path.chmod(0o600 if root else 0o000)
        who: dict[str, Any] = {"user": _NOBODY, "group": _NOBODY} if root else {}
        done = subprocess.run(["/bin/cat", path], capture_output=True, check=False, timeout=10, **who)  # noqa: S603
    if done.returncode:
        raise FileRefused(f"[Errno 13] Permission denied: '{path.name}'", "permission-on-key")


def _open_pkcs12(file: ClientFile) -> Credential:
    password = None if file.password is None else file.password.encode()
    try:
        key, leaf, others = pkcs12.load_key_and_certificates(file.data, password)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise FileRefused(str(error), _diagnose(file)) from None
    if key is None or leaf is None:
        raise FileRefused("no private key in this PKCS#12 file", _diagnose(file))
    try:
        chain = Chain([Certificate(leaf), *(Certificate(item) for item in others)])
        return Credential(PrivateKey(key), chain)  # type: ignore[arg-type]
    except CertkitError as error:
        raise FileRefused(str(error), error.cause) from None


def _open_pem(file: ClientFile) -> Credential:
    with tempfile.TemporaryDirectory(prefix="certkit-") as folder:
        path = Path(folder) / "client.pem"
        write_private(path, file.data)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            # Without a password OpenSSL would ask on the terminal.
            context.load_cert_chain(path, password=file.password or "")
        except (OSError, ValueError) as error:
            raise FileRefused(str(error), _diagnose(file)) from None
    return load_credential(file.data, password=file.password)


def _diagnose(file: ClientFile) -> str | None:
    """Return the cause id by certkit's own reading of the file."""
    try:
        store = load_keystore(file.data, file.password)
        if file.format == "pkcs12" and store.format != "pkcs12":
            # The content type of every PKCS#12 file: if it is there, something else was changed.
            return "tampered-or-corrupt" if _PKCS7_DATA in file.data[:64] else "wrong-file-format"
        if not store.keys:
            return "private-key-missing"
        load_credential(file.data, password=file.password)
    except CertkitError as error:
        if error.cause in {None, "wrong-password"} and file.password is None:
            return "encrypted-key-no-passphrase"
        return error.cause or "tampered-or-corrupt"
    return "pkcs12-mac-absent" if "no MAC" in store.protection else "legacy-pkcs12-encryption"
