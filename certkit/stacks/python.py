"""Client stacks inside this Python: its own ``ssl``, and requests."""

from __future__ import annotations

import ftplib
import platform
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    pkcs12,
)

from certkit._files import write_private
from certkit.stacks.call import Answer, Call, CannotDo, Stack

__all__ = ["PythonRequests", "PythonSsl"]

_SECONDS = 8.0
_REQUEST = "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"


def client_pem(call: Call) -> tuple[Path, str] | None:
    """Return a PEM file and its password to present, made from a PKCS#12 file where one is given.

    Raises
    ------
    ValueError
        In the words of the cryptography library, if the file does not open.
    """
    if call.file is None or call.file_format == "pem":
        return None if call.pem is None else (call.pem, call.password or "")
    key, leaf, others = pkcs12.load_key_and_certificates(
        call.file.read_bytes(), (call.password or "").encode()
    )
    if key is None or leaf is None:
        raise ValueError("no private key in this PKCS#12 file")
    path = call.folder / "unpacked.pem"
    secret = BestAvailableEncryption((call.password or "changeit").encode())
    data = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, secret)
    write_private(path, data + b"".join(item.public_bytes(Encoding.PEM) for item in (leaf, *others)))
    return path, call.password or "changeit"


class PythonSsl(Stack):
    """Python's ``ssl`` with the default context, as http.client and urllib use it."""

    name = "python"
    api = "ssl.create_default_context(cafile='ca.pem')"
    package = "Python itself"

    def available(self) -> bool:
        """Return True: it is what certkit runs on."""
        return True

    def version(self) -> str:
        """Return the version of Python and of its OpenSSL."""
        return f"{platform.python_version()} {' '.join(ssl.OPENSSL_VERSION.split()[:2])}"

    def talk(self, call: Call) -> Answer:
        """Make the call."""
        call.needs(self.name, ftps=True)
        try:
            answer = self._ftps(call) if call.service == "ftps" else self._https(call)
        except TimeoutError as error:
            return Answer("timed-out", str(error))
        except (OSError, ValueError, EOFError, ftplib.Error) as error:
            code = getattr(error, "verify_code", None)
            said = f"{type(error).__name__}: {error}"
            return Answer("refused", said, f"verify {code}" if code else "")
        return Answer(
            "accepted" if call.expected.encode() in answer else "refused", "" if answer else "no answer"
        )

    def _context(self, call: Call) -> ssl.SSLContext:
        anchors = call.anchors.read_text()
        context = (
            ssl.create_default_context(cafile=None, cadata=anchors)
            if anchors
            else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        )
        if call.max_tls == "1.2":
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        if call.crl is not None:
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
            if call.crl.stat().st_size:
                context.load_verify_locations(call.crl)
        if (pem := client_pem(call)) is not None:
            context.load_cert_chain(pem[0], password=pem[1])
        return context

    def _https(self, call: Call) -> bytes:
        request = _REQUEST.format(host=call.host).encode()
        with self._connect(call) as plain:
            if call.plain:
                plain.sendall(request)
                return _rest(plain)
            with self._context(call).wrap_socket(plain, server_hostname=call.host) as secured:
                secured.sendall(request)
                return _rest(secured)

    @contextmanager
    def _connect(self, call: Call) -> Iterator[socket.socket]:
        import http.client  # noqa: PLC0415 - for the proxy only

        if call.proxy is None:
            with socket.create_connection(("127.0.0.1", call.port), timeout=_SECONDS) as plain:
                yield plain
            return
        way = urlsplit(call.proxy)
        proxy = http.client.HTTPConnection(way.hostname or "", way.port, timeout=_SECONDS)
        proxy.set_tunnel(call.host, call.port)
        try:
            proxy.connect()
            yield proxy.sock
        finally:
            proxy.close()

    def _ftps(self, call: Call) -> bytes:
        found: list[bytes] = []
        with ftplib.FTP_TLS(context=self._context(call), timeout=_SECONDS) as ftp:  # noqa: S321 - over TLS
            ftp.connect(call.host, call.port)
            ftp.login(*call.login)
            ftp.prot_p()
            ftp.retrbinary("RETR orders.csv", found.append)
        return b"".join(found)


def _rest(connection: socket.socket) -> bytes:
    data = b""
    while piece := connection.recv(65_536):
        data += piece
        if len(data) > 1_000_000 or b"certkit says yes" in data:
            break
    return data


class PythonRequests(Stack):
    """requests, over urllib3."""

    name = "requests"
    api = "requests.get(url, verify='ca.pem')"
    package = "requests"

    def available(self) -> bool:
        """Return whether requests is installed."""
        try:
            version("requests")
        except PackageNotFoundError:
            return False
        return True

    def version(self) -> str:
        """Return the versions of requests and urllib3, and of Python's OpenSSL."""
        return (
            f"{version('requests')} urllib3/{version('urllib3')} {' '.join(ssl.OPENSSL_VERSION.split()[:2])}"
        )

    def talk(self, call: Call) -> Answer:
        """Make the call."""
        import requests  # noqa: PLC0415 - a third of a second, and only here

        call.needs(self.name)
        if call.max_tls is not None:
            raise CannotDo("requests has no option for the newest TLS version")
        try:
            pem = client_pem(call)
            with requests.Session() as session:
                session.trust_env = False
                if pem is not None:
                    session.cert = str(_opened(call, *pem))
                proxies = {"https": call.proxy} if call.proxy is not None else {}
                answer = session.get(call.url, verify=str(call.anchors), proxies=proxies, timeout=_SECONDS)
        except requests.Timeout as error:
            return Answer("timed-out", f"{type(error).__name__}: {error}")
        except (OSError, ValueError) as error:
            return Answer("refused", f"{type(error).__name__}: {error}")
        good = call.expected in answer.text
        return Answer("accepted" if good else "refused", "" if good else f"HTTP {answer.status_code}")


def _opened(call: Call, pem: Path, password: str) -> Path:
    """Return the PEM with its key unencrypted: requests takes no password. For the folder of this call alone."""
    from certkit.keystores import load_credential  # noqa: PLC0415

    if call.file is None:
        return pem
    if call.file_format == "pem" and not password:
        if b"ENCRYPTED" in pem.read_bytes():
            raise CannotDo("requests takes no passphrase: OpenSSL would ask for it on the terminal")
        return pem
    credential = load_credential(pem, password=password)
    return write_private(call.folder / "opened.pem", credential.key.to_pem() + credential.chain.pem.encode())
