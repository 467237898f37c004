"""What both sides of a case bring to a call, out of its files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from certkit.chains import TrustStore
from certkit.credentials import Credential
from certkit.faults.scenario import HOST
from certkit.handshakes import ClientConfig, Handshake, ServerConfig, handshake
from certkit.keystores import load_credential, load_keystore
from certkit.lessons.game.desk import CHAIN, CLIENTS, KEY, KEYSTORE, TRUST, Files

__all__ = ["Sides", "as_programs_do", "load_sides"]


@dataclass(frozen=True)
class Sides:
    """What both sides bring, out of the files."""

    server: Credential
    trust: TrustStore
    client_anchors: TrustStore | None = None
    client: Credential | None = None

    def meet(self, tls: str = "1.3", *, client: Credential | None = None) -> Handshake:
        """Let them shake hands; the client calls the name that the case is about."""
        return handshake(
            ClientConfig(self.trust, client, host=HOST), ServerConfig(self.server, self.client_anchors), tls
        )


def as_programs_do(files: Files) -> Sides:
    """Return what both sides bring to a call when nobody looks closely: an empty truststore trusts nobody.

    Raises
    ------
    CertkitError
        If a side cannot even start.
    """
    folder = files.folder
    server = load_credential(folder / CHAIN, folder / KEY, files.key_password)
    trust = _trusted(folder / TRUST)
    if not files.two_way:
        return Sides(server, trust)
    store = load_keystore(folder / KEYSTORE, files.keystore_password)
    return Sides(server, trust, _trusted(folder / CLIENTS), store.credential() if store.keys else None)


def _trusted(path: Path) -> TrustStore:
    return load_keystore(path).trust_store() if path.stat().st_size else TrustStore()


def load_sides(files: Files) -> Sides:
    """Return what both sides bring.

    Raises
    ------
    CertkitError
        If a file cannot be read, or does not hold what its side needs.
    """
    folder = files.folder
    server = load_credential(folder / CHAIN, folder / KEY, files.key_password)
    trust = load_keystore(folder / TRUST).trust_store("the client's roots")
    if not files.two_way:
        return Sides(server, trust)
    anchors = load_keystore(folder / CLIENTS).trust_store("the server's roots for clients")
    store = load_keystore(folder / KEYSTORE, files.keystore_password)
    return Sides(server, trust, anchors, store.credential())
