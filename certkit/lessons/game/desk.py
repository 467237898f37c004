"""The desk of a case: two companies' files as bytes, the folder they lie in, and what real programs say to them."""

from __future__ import annotations

import hashlib
import ssl
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from cryptography.hazmat.primitives.serialization import pkcs12

from certkit._files import iso, read_source, utc, write_file
from certkit._text import visible
from certkit.authority import CertificateAuthority
from certkit.errors import ArgumentError, FormatError
from certkit.faults import Scenario, good_scenario
from certkit.faults.scenario import CLIENT, HOST
from certkit.handshakes import Handshake
from certkit.keystores import keystore_bytes
from certkit.lessons.fixtures import company

__all__ = ["PASSWORD", "Desk", "Files", "digest_of", "log_of", "read_desk", "seeded_scenario"]

PASSWORD = "changeit"  # noqa: S105 - the toy password of every practice file
CHAIN, KEY, CLIENTS = "server/chain.pem", "server/key.pem", "server/clients.pem"
TRUST, KEYSTORE, SETTINGS = "client/trust.pem", "client/client.p12", "settings.toml"


def _companies(seed: int) -> tuple[CertificateAuthority, CertificateAuthority]:
    return company("Orders", f"case {seed}"), company("Acme", f"case {seed}")


def seeded_scenario(seed: int, *, two_way: bool) -> Scenario:
    """Return a good scenario whose two companies have keys of their own for this seed."""
    ours, theirs = _companies(seed)
    scenario = replace(good_scenario(two_way=two_way), server_ca=ours, client_ca=theirs)
    scenario = scenario.with_server(
        credential=ours.issue(HOST, usage="server"), client_anchors=theirs.trust_store if two_way else None
    )
    client = theirs.issue(CLIENT, usage="client") if two_way else None
    return scenario.with_client(anchors=ours.trust_store, credential=client)


@dataclass(frozen=True)
class Desk:
    """The files of one case by their names, and the passwords in its settings.

    Attributes
    ----------
    files : mapping of str to bytes
        What lies there, by path inside the folder.
    two_way : bool
        Whether the server asks for a client certificate.
    key_password : str
        What the server is told to open its key with; empty for none.
    keystore_password : str
        What the client is told to open its keystore with.
    """

    files: Mapping[str, bytes] = field(repr=False)
    two_way: bool
    key_password: str = field(default="", repr=False)
    keystore_password: str = field(default=PASSWORD, repr=False)

    @classmethod
    def of(cls, scenario: Scenario) -> Desk:
        """Return the desk that a scenario makes: its configurations as files."""
        server, client = scenario.server, scenario.client
        files = {CHAIN: server.credential.chain.pem.encode(), KEY: server.credential.key.to_pem()}
        files[TRUST] = client.anchors.pem.encode()
        if server.client_anchors is not None:
            files[CLIENTS] = server.client_anchors.pem.encode()
            if client.credential is not None:
                files[KEYSTORE] = keystore_bytes({"acme": client.credential}, PASSWORD, format="pkcs12")
        for ca in (scenario.server_ca, scenario.client_ca):
            folder = ca.name.partition(" ")[0].lower()
            files[f"ca/{folder}-issuing-ca.pem"] = ca.certificate.pem.encode()
            files[f"ca/{folder}-issuing-ca.key"] = ca.key.to_pem()
            files[f"ca/{folder}-root-ca.pem"] = ca.root.certificate.pem.encode()
        return cls(files, scenario.two_way)

    def put(self, **files: bytes | None) -> Desk:
        """Return this desk with files replaced, added or (None) taken away; names are constants of this module."""
        found = {**self.files, **files}
        return replace(self, files={name: data for name, data in found.items() if data is not None})

    def settings(self) -> str:
        """Return the settings file."""
        return (
            f'host = "{HOST}"            # the name that clients call\n'
            f"two_way = {str(self.two_way).lower()}\n\n"
            f'[server]\nkey_password = "{self.key_password}"   # empty: the key is not encrypted\n\n'
            f'[client]\nkeystore_password = "{self.keystore_password}"\n'
        )

    def write(self, folder: Path) -> None:
        """Write everything into `folder`, over what is there."""
        for name, data in {**self.files, SETTINGS: self.settings().encode()}.items():
            target = folder / name
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ArgumentError("this folder cannot be made", on=target.parent, hint=str(error)) from None
            # The settings name the keystore's password.
            write_file(
                target, data, secret=name.endswith(".p12") or name == SETTINGS or b"PRIVATE KEY" in data
            )


@dataclass(frozen=True)
class Files:
    """A desk as it lies in a folder now.

    Attributes
    ----------
    folder : Path
        Where.
    two_way : bool
        Whether the server asks for a client certificate.
    key_password, keystore_password : str or None
        As the settings say; None for none.
    """

    folder: Path
    two_way: bool
    key_password: str | None = field(repr=False)
    keystore_password: str | None = field(repr=False)


def read_desk(folder: Path, *, two_way: bool) -> Files:
    """Return the settings of a folder.

    Raises
    ------
    FormatError
        If the settings are no TOML, or lack something.
    """
    data, name = read_source(folder / SETTINGS)
    try:
        settings = tomllib.loads(data.decode())
        key, store = settings["server"]["key_password"], settings["client"]["keystore_password"]
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(
            "the settings cannot be read",
            on=f"{name} ({visible(str(error), 120)})",
            hint="write the case again",
        ) from None
    return Files(folder, two_way, str(key) or None, str(store) or None)


def digest_of(folder: Path) -> str:
    """Return a digest of the files of both sides and the settings: it changes when somebody mends something."""
    found = hashlib.sha256()
    places = [folder / SETTINGS, *(folder / "server").rglob("*"), *(folder / "client").rglob("*")]
    for path in sorted(path for path in places if path.is_file()):
        found.update(f"{path.relative_to(folder).as_posix()}\0".encode())
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def log_of(files: Files, run: Handshake | None, *, sides: tuple[str, ...]) -> str:
    """Return a log of starting both sides and letting them meet, in the words of Python's own libraries."""
    lines = [*_started(files)]
    if run is not None:
        for side in (run.client, run.server):
            if side.name in sides:
                lines.append(f"{side.name:<7} {visible(side.error or 'done', 300)}")
                lines += (
                    [f"{side.name:<7} alert received: {side.alert_received}"] if side.alert_received else []
                )
                lines += [f"{side.name:<7} alert sent: {side.alert_sent}"] if side.alert_sent else []
    stamp = iso(utc(None))
    return "".join(f"{stamp} {line}\n" for line in lines)


def _started(files: Files) -> list[str]:
    """Return what each side says while it starts: Python's ``ssl`` for the server, cryptography for the client's keystore."""
    lines = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # A callback: without it, OpenSSL would ask the terminal for the password.
    password = files.key_password or ""
    try:
        context.load_cert_chain(files.folder / CHAIN, files.folder / KEY, password=lambda: password)
        lines.append(f"server  started with {CHAIN} and {KEY}")
    except (OSError, ValueError) as error:
        lines.append(f"server  cannot start: {type(error).__name__}: {visible(str(error), 200)}")
    if files.two_way:
        try:
            data = (files.folder / KEYSTORE).read_bytes()
            found = pkcs12.load_pkcs12(data, (files.keystore_password or "").encode())
            key = "a private key" if found.key is not None else "no private key"
            lines.append(f"client  loaded {KEYSTORE}: {key}")
        except (OSError, ValueError) as error:
            lines.append(
                f"client  {KEYSTORE}: {type(error).__name__}: {visible(getattr(error, 'strerror', None) or str(error), 200)}"
            )
    return lines
