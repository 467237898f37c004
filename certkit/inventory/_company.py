"""The company of a practice estate: its CAs, its services, and how it keeps their certificates."""

from __future__ import annotations

import base64
import io
import random
import tarfile
import zipfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from certkit._files import write_private
from certkit.authority import CertificateAuthority
from certkit.certificates import Certificate
from certkit.credentials import Credential
from certkit.keys import PrivateKey, generate_key
from certkit.keystores import keystore_bytes

__all__ = ["DAY", "ITERATIONS", "PARTNER_DAYS", "PASSWORD", "POOL", "Company", "Planted"]

PASSWORD = "changeit"  # noqa: S105 - the toy password of every practice file
DAY = timedelta(days=1)
_COMPANY = "Acme"
PARTNER_DAYS = 75
_SERVICES = (
    "shop",
    "orders",
    "crm",
    "billing",
    "payroll",
    "wiki",
    "mail",
    "search",
    "stock",
    "partners",
    "api",
    "sso",
)
_PLACES = (
    "prod/web{n}/tomcat",
    "prod/lb{n}/nginx",
    "prod/esb{n}/conf",
    "test/web{n}/tomcat",
    "dmz/proxy{n}",
    "clients/app{n}",
)
# RSA keys of 2048 bits in the shipped pool, less the one that signs with SHA-1: a second certificate with one of
# them would share its key.
POOL = 11
# PKCS#12 with few rounds: a practice estate of thousands is made and read without waiting for key derivation.
ITERATIONS = 1000


@dataclass(frozen=True)
class Planted:
    """One problem, as the answer key has it.

    Attributes
    ----------
    problem : str
        A cause id where one fits, else a word of the inventory: ``"expires-soon"``, ``"duplicate"``,
        ``"shared-key"``, ``"shadow-ca"``, ``"unknown-issuer"``, ``"outlives-issuer"``.
    paths : tuple of str
        The files concerned, relative to the estate's folder.
    sha256 : str
        Fingerprint of the certificate concerned; empty if it is about no certificate.
    says : str
        What was done, in a sentence.
    """

    problem: str
    paths: tuple[str, ...]
    sha256: str
    says: str


class Company:
    """A made-up company with its CAs. It writes one store after the other into its folders, and notes what was planted."""

    def __init__(self, folder: Path, seed: str, at: datetime) -> None:
        self.folder, self.seed, self.at = folder, seed, at
        self.random = random.Random(seed)  # noqa: S311 - the same estate for the same seed
        self.planted: list[Planted] = []
        self.written = 0
        self._rsa = self._hosts = 0
        root = CertificateAuthority(
            f"{_COMPANY} Root CA", seed=seed, at=at - 700 * DAY, organization=_COMPANY
        )
        self.root = root
        self.web = root.intermediate(f"{_COMPANY} Web CA")
        # It ends before some of the leaves below it: their effective expiry is its own.
        self.partner = root.intermediate(f"{_COMPANY} Partner CA", not_after=at + PARTNER_DAYS * DAY)
        self.shadow = CertificateAuthority(
            f"{_COMPANY} Root CA", seed=f"{seed} shadow", at=at - 200 * DAY, organization=_COMPANY
        )
        self.elsewhere = CertificateAuthority(
            "Globex Root CA", seed=f"{seed} other", at=at - 200 * DAY, organization="Globex"
        ).intermediate("Globex Issuing CA")

    def truststore(self) -> None:
        """Write the truststore of the company."""
        anchors = {"acme-root": self.root.certificate, "globex-root": self.elsewhere.root.certificate}
        self.write("prod/common/truststore.jks", keystore_bytes(anchors, PASSWORD, format="jks"))

    def healthy(self) -> None:
        """Write a store with nothing wrong with it."""
        life = self.random.choice((200, 365, 365, 397))
        used = self.random.randrange(5, life - 45)
        start = self.at - used * DAY
        end = start + life * DAY
        ca = self.partner if end < self.at + PARTNER_DAYS * DAY else self.web
        usage = "client" if self.random.random() < 0.2 else "server"
        self.store(self.leaf(ca, usage=usage, not_before=start, not_after=end))

    def leaf(
        self,
        ca: CertificateAuthority | None = None,
        *,
        usage: str = "server",
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        key: str | PrivateKey | None = None,
        **more: object,
    ) -> Credential:
        """Return a new credential of some service."""
        self._hosts += 1
        host = f"{self.random.choice(_SERVICES)}{self._hosts}.acme.example.test"
        if key is None:
            key = self._next_key()
        before = self.at - 30 * DAY if not_before is None else not_before
        after = before + 365 * DAY if not_after is None else not_after
        name = host if usage == "server" else f"{host.partition('.')[0]} client"
        return (ca or self.web).issue(name, usage=usage, key=key, not_before=before, not_after=after, **more)  # type: ignore[arg-type]

    def _next_key(self) -> PrivateKey:
        """Return a key that nothing else in the estate has: the toys of RSA's pool first, then EC and Ed25519."""
        kind = self.random.choice(("rsa2048", "p256", "p256", "p384", "ed25519"))
        if kind == "rsa2048" and self._rsa < POOL:
            self._rsa += 1
            return generate_key(kind, number=self._rsa - 1)
        kind = "p256" if kind == "rsa2048" else kind
        return generate_key(kind, seed=f"{self.seed} {self._hosts}")

    def store(self, leaf: Credential, kind: str | None = None) -> str:
        """Write a credential in some format and return the path, relative to the estate."""
        kind = kind or self.random.choice(
            ("jks", "pkcs12", "pem", "pem-key", "der", "pkcs7", "yaml", "zip", "tar")
        )
        service = leaf.certificate.name.split(".")[0].replace(" ", "-")
        place = self.random.choice(_PLACES).format(n=self.random.randrange(1, 40))
        path, data = self._encoded(kind, service, leaf)
        return self.write(f"{place}/{path}", data, secret=kind in {"pem-key", "yaml", "jks", "pkcs12"})

    def _encoded(self, kind: str, service: str, leaf: Credential) -> tuple[str, bytes]:
        chain = leaf.chain.pem.encode()
        if kind == "jks":
            return f"{service}.jks", keystore_bytes({service: leaf}, PASSWORD, format="jks")
        if kind == "pkcs12":
            data = keystore_bytes({service: leaf}, PASSWORD, format="pkcs12", iterations=ITERATIONS)
            return f"{service}.p12", data
        if kind == "pem-key":
            return f"{service}-key-and-chain.pem", leaf.key.to_pem() + chain
        if kind == "der":
            return f"{service}.cer", leaf.certificate.der
        if kind == "pkcs7":
            return f"{service}.p7b", keystore_bytes(leaf.chain, format="pkcs7")
        if kind == "yaml":
            return f"{service}-secret.yaml", _secret(service, leaf)
        if kind == "zip":
            return f"{service}-backup.zip", _zip({f"conf/{service}.pem": chain})
        if kind == "tar":
            return f"{service}-backup.tar.gz", _tar({f"etc/ssl/{service}.pem": chain}, self.at)
        return f"{service}.pem", chain

    def write(self, path: str, data: bytes, *, secret: bool = False) -> str:
        """Write a file and return its path, relative to the estate; a taken name gets a number."""
        target = self.folder / path
        stem, suffix = target.stem, target.suffix
        while target.exists():
            target = target.with_name(f"{stem}-{self.written}{suffix}")
        target.parent.mkdir(parents=True, exist_ok=True)
        (write_private if secret else Path.write_bytes)(target, data)
        self.written += 1
        return target.relative_to(self.folder).as_posix()

    def plant(self, problem: str, paths: tuple[str, ...], certificate: Certificate | None, says: str) -> None:
        """Note a problem for the answer key."""
        self.planted.append(Planted(problem, paths, "" if certificate is None else certificate.sha256, says))


def _secret(service: str, leaf: Credential) -> bytes:
    """Return a kubernetes.io/tls Secret as a manifest."""
    crt, key = (base64.b64encode(data).decode() for data in (leaf.chain.pem.encode(), leaf.key.to_pem()))
    return (
        "apiVersion: v1\nkind: Secret\nmetadata:\n"
        f"  name: {service}-tls\n  namespace: {_COMPANY.lower()}\ntype: kubernetes.io/tls\n"
        f"data:\n  tls.crt: {crt}\n  tls.key: {key}\n"
    ).encode()


def _zip(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return stream.getvalue()


def _tar(members: dict[str, bytes], at: datetime) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=1) as archive:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(data), int(at.timestamp())
            archive.addfile(entry, io.BytesIO(data))
    return stream.getvalue()
