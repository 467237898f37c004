"""A practice estate: a company's folders of keystores in every format, with planted problems and an answer key."""

from __future__ import annotations

import base64
import io
import json
import os
import random
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.x509 import SubjectAlternativeName

from certkit._files import iso, utc
from certkit._html import Html, table
from certkit._text import count
from certkit.authority import CertificateAuthority
from certkit.certificates import Certificate
from certkit.credentials import Credential
from certkit.errors import ArgumentError, FileError
from certkit.inventory._weak import short_rsa, with_sha1
from certkit.keys import PrivateKey, generate_key
from certkit.keystores import keystore_bytes

__all__ = ["ANSWERS", "PASSWORDS", "Estate", "Planted", "make_estate"]

ANSWERS = "answers.json"
PASSWORDS = "passwords.txt"
_PASSWORD = "changeit"  # noqa: S105 - the toy password of every practice file
_DAY = timedelta(days=1)
_COMPANY = "Acme"
_PARTNER_DAYS = 75
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
_POOL = 11
# PKCS#12 with few rounds: a practice estate of thousands is made and read without waiting for key derivation.
_ITERATIONS = 1000


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


@dataclass(frozen=True)
class Estate:
    """A practice estate on disk.

    Attributes
    ----------
    folder : Path
        Where it is.
    stores : int
        How many files hold keys or certificates.
    at : datetime
        Its clock: problems such as "expires soon" hold at this time.
    planted : tuple of Planted
        The answer key; also in ``answers.json``.
    """

    folder: Path
    stores: int
    at: datetime
    planted: tuple[Planted, ...] = field(repr=False)

    @property
    def passwords(self) -> Path:
        """The file with its passwords, for `scan_inventory`."""
        return self.folder / PASSWORDS

    def __repr__(self) -> str:
        problems = count(len(self.planted), "planted problem")
        return f"<Estate {self.folder.name}: {count(self.stores, 'store')}, {problems}>"

    def _repr_html_(self) -> Html:
        kinds = [item.problem for item in self.planted]
        rows = [(kind, kinds.count(kind)) for kind in dict.fromkeys(kinds)]
        return table(("planted problem", "times"), rows, caption=repr(self)[1:-1])


def make_estate(
    folder: str | os.PathLike[str], stores: int = 40, seed: str | int = "1", *, at: datetime | None = None
) -> Estate:
    """Write a practice estate: keystores of every format as a company would have them, with planted problems.

    Parameters
    ----------
    folder : path
        A new or empty folder.
    stores : int
        How many files; 10 to 100,000.
    seed : str or int
        The same seed and clock give the same certificates and the same problems. All keys are toys.
    at : datetime, optional
        The clock, aware; the start of this day by default.

    Returns
    -------
    Estate
        The folder holds ``answers.json``, the answer key, and ``passwords.txt``.

    Raises
    ------
    ArgumentError
        If the number is out of bounds.
    FileError
        If the folder is not empty or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     estate = make_estate(f"{parent}/acme", 12, seed="docs")
    >>> estate.stores, len(estate.planted) >= 8
    (12, True)
    """
    if not isinstance(stores, int) or not 10 <= stores <= 100_000:
        raise ArgumentError("an estate has 10 to 100,000 stores", on=stores)
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
        if any(target.iterdir()):
            raise FileError("this folder is not empty", on=target, hint="name a new folder")
        clock = utc(None).replace(hour=0, minute=0, second=0) if at is None else utc(at)
        builder = _Builder(target, f"estate {seed}", clock)
        builder.build(stores)
        planted = tuple(builder.planted)
        (target / PASSWORDS).write_text(f"{_PASSWORD}\n")
        (target / ANSWERS).write_text(_answers(stores, seed, clock, planted), "utf-8")
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"this estate cannot be written ({error.strerror})", on=target) from None
    return Estate(target, stores, clock, planted)


def _answers(stores: int, seed: str | int, at: datetime, planted: tuple[Planted, ...]) -> str:
    problems = [
        {"problem": item.problem, "paths": list(item.paths), "sha256": item.sha256 or None, "says": item.says}
        for item in planted
    ]
    facts = {"seed": str(seed), "stores": stores, "at": iso(at), "problems": problems}
    return json.dumps(facts, indent=2, ensure_ascii=False) + "\n"


class _Builder:
    """Writes one store after the other; the first ones are the planted ones, shuffled over the folders."""

    def __init__(self, folder: Path, seed: str, at: datetime) -> None:
        self.folder, self.seed, self.at = folder, seed, at
        self.random = random.Random(seed)  # noqa: S311 - the same estate for the same seed
        self.planted: list[Planted] = []
        self.written = 0
        self._rsa = self._hosts = 0
        root = CertificateAuthority(
            f"{_COMPANY} Root CA", seed=seed, at=at - 700 * _DAY, organization=_COMPANY
        )
        self.root = root
        self.web = root.intermediate(f"{_COMPANY} Web CA")
        # It ends before some of the leaves below it: their effective expiry is its own.
        self.partner = root.intermediate(f"{_COMPANY} Partner CA", not_after=at + _PARTNER_DAYS * _DAY)
        self.shadow = CertificateAuthority(
            f"{_COMPANY} Root CA", seed=f"{seed} shadow", at=at - 200 * _DAY, organization=_COMPANY
        )
        self.elsewhere = CertificateAuthority(
            "Globex Root CA", seed=f"{seed} other", at=at - 200 * _DAY, organization="Globex"
        ).intermediate("Globex Issuing CA")

    def build(self, stores: int) -> None:
        self._truststore()
        # Small estates have each problem once; every 60 further stores bring a second set.
        sets = 1 + max(0, stores - 40) // 60
        for _ in range(sets):
            for plant in self.random.sample(_PROBLEMS, len(_PROBLEMS)):
                if self.written + 2 > stores:
                    break
                plant(self)
        while self.written < stores:
            self._healthy()

    # -- stores

    def _truststore(self) -> None:
        anchors = {"acme-root": self.root.certificate, "globex-root": self.elsewhere.root.certificate}
        self._write("prod/common/truststore.jks", keystore_bytes(anchors, _PASSWORD, format="jks"))

    def _healthy(self) -> None:
        life = self.random.choice((200, 365, 365, 397))
        used = self.random.randrange(5, life - 45)
        start = self.at - used * _DAY
        end = start + life * _DAY
        ca = self.partner if end < self.at + _PARTNER_DAYS * _DAY else self.web
        usage = "client" if self.random.random() < 0.2 else "server"
        self._store(self._leaf(ca, usage=usage, not_before=start, not_after=end))

    def _leaf(
        self,
        ca: CertificateAuthority | None = None,
        *,
        usage: str = "server",
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        key: str | PrivateKey | None = None,
        **more: object,
    ) -> Credential:
        self._hosts += 1
        host = f"{self.random.choice(_SERVICES)}{self._hosts}.acme.example.test"
        if key is None:
            key = self._next_key()
        before = self.at - 30 * _DAY if not_before is None else not_before
        after = before + 365 * _DAY if not_after is None else not_after
        name = host if usage == "server" else f"{host.partition('.')[0]} client"
        return (ca or self.web).issue(name, usage=usage, key=key, not_before=before, not_after=after, **more)  # type: ignore[arg-type]

    def _next_key(self) -> PrivateKey:
        """Return a key that nothing else in the estate has: the toys of RSA's pool first, then EC and Ed25519."""
        kind = self.random.choice(("rsa2048", "p256", "p256", "p384", "ed25519"))
        if kind == "rsa2048" and self._rsa < _POOL:
            self._rsa += 1
            return generate_key(kind, number=self._rsa - 1)
        kind = "p256" if kind == "rsa2048" else kind
        return generate_key(kind, seed=f"{self.seed} {self._hosts}")

    def _store(self, leaf: Credential, kind: str | None = None) -> str:
        """Write a credential in some format and return the path, relative to the estate."""
        kind = kind or self.random.choice(
            ("jks", "pkcs12", "pem", "pem-key", "der", "pkcs7", "yaml", "zip", "tar")
        )
        service = leaf.certificate.name.split(".")[0].replace(" ", "-")
        place = self.random.choice(_PLACES).format(n=self.random.randrange(1, 40))
        path, data = self._encoded(kind, service, leaf)
        return self._write(f"{place}/{path}", data, secret=kind in {"pem-key", "yaml", "jks", "pkcs12"})

    def _encoded(self, kind: str, service: str, leaf: Credential) -> tuple[str, bytes]:
        chain = leaf.chain.pem.encode()
        if kind == "jks":
            return f"{service}.jks", keystore_bytes({service: leaf}, _PASSWORD, format="jks")
        if kind == "pkcs12":
            data = keystore_bytes({service: leaf}, _PASSWORD, format="pkcs12", iterations=_ITERATIONS)
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

    def _write(self, path: str, data: bytes, *, secret: bool = False) -> str:
        target = self.folder / path
        stem, suffix = target.stem, target.suffix
        while target.exists():
            target = target.with_name(f"{stem}-{self.written}{suffix}")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        if secret:
            target.chmod(0o600)
        self.written += 1
        return target.relative_to(self.folder).as_posix()

    def _plant(
        self, problem: str, paths: tuple[str, ...], certificate: Certificate | None, says: str
    ) -> None:
        self.planted.append(Planted(problem, paths, "" if certificate is None else certificate.sha256, says))

    # -- problems

    def expired(self) -> None:
        end = self.at - self.random.randrange(2, 90) * _DAY
        leaf = self._leaf(not_before=end - 365 * _DAY, not_after=end)
        self._plant("expired-leaf", (self._store(leaf),), leaf.certificate, f"It ended on {end:%Y-%m-%d}.")

    def soon(self) -> None:
        end = self.at + self.random.randrange(3, 28) * _DAY
        leaf = self._leaf(not_before=end - 365 * _DAY, not_after=end)
        self._plant("expires-soon", (self._store(leaf),), leaf.certificate, f"It ends on {end:%Y-%m-%d}.")

    def not_yet(self) -> None:
        start = self.at + self.random.randrange(5, 40) * _DAY
        leaf = self._leaf(not_before=start, not_after=start + 365 * _DAY)
        self._plant(
            "not-yet-valid-or-clock",
            (self._store(leaf),),
            leaf.certificate,
            f"It begins on {start:%Y-%m-%d}.",
        )

    def weak_key(self) -> None:
        leaf = self._leaf(key=short_rsa(f"{self.seed} {self.written}"))
        self._plant("weak-key", (self._store(leaf),), leaf.certificate, "RSA with 1024 bits.")

    def weak_signature(self) -> None:
        certificate = with_sha1(self._leaf().certificate, generate_key("rsa2048", number=_POOL))
        path = self._write(f"legacy/erp{self.written}/erp.cer", certificate.der)
        self._plant("weak-signature", (path,), certificate, "Signed with SHA-1.")

    def no_san(self) -> None:
        leaf = self._leaf(without=(SubjectAlternativeName,))
        self._plant(
            "no-san", (self._store(leaf),), leaf.certificate, "A server certificate with a common name only."
        )

    def too_long(self) -> None:
        leaf = self._leaf(not_before=self.at - 100 * _DAY, not_after=self.at + 1000 * _DAY)
        self._plant(
            "validity-too-long",
            (self._store(leaf),),
            leaf.certificate,
            "A server certificate for 1,100 days.",
        )

    def duplicate(self) -> None:
        leaf = self._leaf()
        paths = (self._store(leaf, "pkcs12"), self._store(leaf, "pem"))
        self._plant("duplicate", paths, leaf.certificate, "One certificate in two places.")

    def shared_key(self) -> None:
        first = self._leaf(key=generate_key(seed=f"{self.seed} shared {self.written}"))
        second = self._leaf(key=first.key)
        paths = (self._store(first), self._store(second))
        self._plant("shared-key", paths, first.certificate, "Two services with one private key.")

    def outlives_issuer(self) -> None:
        end = self.at + (_PARTNER_DAYS + self.random.randrange(20, 200)) * _DAY
        leaf = self._leaf(self.partner, not_before=end - 365 * _DAY, not_after=end)
        says = f"It ends on {end:%Y-%m-%d}, its CA on {self.partner.certificate.not_after:%Y-%m-%d}."
        self._plant("outlives-issuer", (self._store(leaf, "jks"),), leaf.certificate, says)

    def other_password(self) -> None:
        leaf = self._leaf()
        service = leaf.certificate.name.split(".")[0]
        data = keystore_bytes({service: leaf}, "not that one", format="pkcs12", iterations=_ITERATIONS)
        path = self._write(f"prod/hr{self.written}/{service}.p12", data)
        self._plant("wrong-password", (path,), None, "Its password is not in the list.")

    def truncated(self) -> None:
        leaf = self._leaf()
        service = leaf.certificate.name.split(".")[0]
        data = keystore_bytes({service: leaf}, _PASSWORD, format="jks")
        path = self._write(f"prod/esb{self.written}/{service}.jks", data[: len(data) * 2 // 3])
        self._plant("tampered-or-corrupt", (path,), None, "The copy stopped in the middle.")

    def web_page(self) -> None:
        page = b"<!DOCTYPE html><html><body><h1>Please sign in</h1></body></html>\n"
        path = self._write(f"dmz/proxy{self.written}/partner.crt", page)
        self._plant("wrong-file-format", (path,), None, "A sign-in page, saved as a certificate.")

    def shadow_ca(self) -> None:
        leaf = self._leaf(self.shadow)
        data = keystore_bytes({"acme-root": self.shadow.certificate}, _PASSWORD, format="jks")
        paths = (self._write(f"test/web{self.written}/truststore.jks", data), self._store(leaf, "pem"))
        self._plant("shadow-ca", paths, self.shadow.certificate, "A second Acme Root CA, with another key.")

    def unknown_issuer(self) -> None:
        orphan = CertificateAuthority(
            "Initech Root CA", seed=f"{self.seed} {self.written}", at=self.at - 90 * _DAY
        )
        leaf = self._leaf(orphan.intermediate("Initech Issuing CA"))
        bare = leaf.with_chain([leaf.certificate])
        self._plant(
            "unknown-issuer", (self._store(bare, "pem"),), leaf.certificate, "Its issuer is in no store."
        )


_PROBLEMS: list[Callable[[_Builder], None]] = [
    _Builder.expired, _Builder.soon, _Builder.weak_key, _Builder.other_password, _Builder.truncated, _Builder.no_san,
    _Builder.duplicate, _Builder.shared_key, _Builder.weak_signature, _Builder.too_long, _Builder.web_page,
    _Builder.not_yet, _Builder.shadow_ca, _Builder.unknown_issuer, _Builder.outlives_issuer,
]  # fmt: skip


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
