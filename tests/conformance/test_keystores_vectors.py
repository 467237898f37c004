"""The PKCS#12 and PKCS#7 files of cryptography's test vectors: opened, or refused for the right reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

import certkit as ck
from certkit.errors import CertkitError

vectors = pytest.importorskip("cryptography_vectors", reason="cryptography-vectors is not installed")
FOLDER = Path(vectors.__file__).parent
PASSWORDS = (None, "cryptography", "password")


def opened(path: Path) -> ck.Keystore | CertkitError:
    found: ck.Keystore | CertkitError | None = None
    for password in PASSWORDS:
        try:
            return ck.load_keystore(path, password)
        except CertkitError as error:
            found = error
            if error.cause != "wrong-password":
                break
    assert found is not None
    return found


# What each is said to hold by cryptography's own documentation: keys, certificates beside them, names.
PKCS12 = {
    "cert-aes256cbc-no-key.p12": (0, 1),
    "cert-key-aes256cbc.p12": (1, 1),
    "cert-none-key-none.p12": (1, 1),
    "cert-rc2-key-3des.p12": (1, 1),
    "java-truststore.p12": (0, 2),
    "no-cert-key-aes256cbc.p12": (1, 0),
    "no-password.p12": (1, 1),
}
FILES = sorted(path.name for path in (FOLDER / "pkcs12").glob("*.p12"))


@pytest.mark.parametrize("name", FILES)
def test_a_pkcs12_vector(name: str) -> None:
    store = opened(FOLDER / "pkcs12" / name)
    assert isinstance(store, ck.Keystore), store
    assert store.format == "pkcs12"
    # The files called name-… are two certificates with or without a key and its own.
    keyless = name.startswith("no-cert-n")
    expected = PKCS12.get(name, (0, 2) if keyless else (1, 3))
    assert (len(store.keys), len(store.certificates)) == expected
    if "name" in name:
        shown = sum(bool(alias) for alias in store.aliases)
        tag = name.removeprefix("no-cert-").removesuffix(".p12").removesuffix("-pwd").removesuffix("-no")
        assert shown == {"name-1": 1, "name-2": 1, "name-3": 1, "name-2-3": 2, "no-name": 0}.get(
            tag, 2 if keyless else 3
        )
    for entry in store.keys:
        if entry.sealed.encrypted and store.password is None:
            with pytest.raises(CertkitError) as refusal:
                entry.open()
            assert refusal.value.cause == "encrypted-key-no-passphrase"
            assert entry.open("cryptography").algorithm == "EC"
        elif entry.chain:
            assert store.credential(entry.alias or None).certificate == entry.chain.leaf


def test_the_names_outside_ascii() -> None:
    store = opened(FOLDER / "pkcs12" / "name-unicode-pwd.p12")
    assert isinstance(store, ck.Keystore)
    assert set(store.aliases) == {"\u00e4", "\u00e7", "\u263a"}


PKCS7 = {
    "amazon-roots.der": 2,
    "amazon-roots.p7b": 2,
    "authenticode.der": 1,
    "isrg.pem": 1,
    "enveloped-no-content.der": "pkcs7-without-certificates",
    "enveloped-rsa-oaep.pem": "pkcs7-without-certificates",
    "enveloped-triple-des.pem": "pkcs7-without-certificates",
    "enveloped.pem": "pkcs7-without-certificates",
    # Not PKCS#7, whatever the folder says.
    "ascii-san.pem": 1,
    "non-ascii-san.pem": 1,
}


def test_every_pkcs7_vector_is_known_here() -> None:
    assert {path.name for path in (FOLDER / "pkcs7").iterdir()} == set(PKCS7)


@pytest.mark.parametrize("name", PKCS7)
def test_a_pkcs7_vector(name: str) -> None:
    found = opened(FOLDER / "pkcs7" / name)
    if isinstance(PKCS7[name], int):
        assert isinstance(found, ck.Keystore), found
        assert len(found.certificates) == PKCS7[name]
        assert found.format == ("pem" if "san" in name else "pkcs7")
    else:
        assert isinstance(found, CertkitError)
        assert (found.cause, found.kind) == ("wrong-file-format", PKCS7[name])


# Two of PKITS inherit DSA parameters from their issuer, which cryptography does not read.
UNREADABLE = {"DSAParametersInheritedCACert.p12", "ValidDSAParameterInheritanceTest5EE.p12"}


def test_every_pkcs12_of_pkits() -> None:
    files = sorted((FOLDER / "x509" / "PKITS_data" / "pkcs12").glob("*.p12"))
    assert len(files) > 300
    odd = {}
    for path in files:
        store = ck.load_keystore(path, "password")
        if store.summary == "1 private key":
            assert store.integrity == "verified"
        else:
            odd[path.name] = store.summary
    assert set(odd) == UNREADABLE, odd


KEY_PASSWORDS = {
    "PKCS8/ed25519-scrypt.pem": "hunter42",
    "PKCS8/enc-rsa-pkcs8.pem": "foobar",
    "PKCS8/rsa-aes-192-cbc.pem": "PolarSSLTest",
    "PKCS8/rsa-pbewithmd5anddescbc.pem": "hunter2",
    "PKCS8/rsa_pkcs8_pbes2_pbkdf2_2048_3des_sha224.pem": "PolarSSLTest",
    "PKCS8/rsa_pkcs8_pbes2_pbkdf2_2048_3des_sha384.pem": "PolarSSLTest",
    "PKCS8/rsa_pkcs8_pbes2_pbkdf2_2048_3des_sha512.pem": "PolarSSLTest",
    "DER_Serialization/enc-rsa-pkcs8.der": "foobar",
    "Traditional_OpenSSL_Serialization/key1.pem": "123456",
    "Traditional_OpenSSL_Serialization/key2.pem": "a123456",
}


@pytest.mark.parametrize("name", KEY_PASSWORDS)
def test_a_sealed_key_vector(name: str) -> None:
    path = FOLDER / "asymmetric" / name
    assert ck.load_private_key(path, KEY_PASSWORDS[name]).algorithm in {"RSA", "Ed25519"}
    with pytest.raises(CertkitError) as refusal:
        ck.load_private_key(path, "not the password")
    assert refusal.value.cause == "wrong-password"
    with pytest.raises(CertkitError) as refusal:
        ck.load_private_key(path)
    assert refusal.value.cause == "encrypted-key-no-passphrase"


@pytest.mark.parametrize("name", ["ecdsa-psw", "ed25519-psw", "ed25519-aesgcm-psw", "rsa-psw"])
def test_an_encrypted_openssh_key(name: str) -> None:
    pytest.importorskip("bcrypt", reason="bcrypt is not installed here yet: run the set-up again")
    path = FOLDER / "asymmetric" / "OpenSSH" / f"{name}.key"
    public = serialization.load_ssh_public_key(path.with_name(f"{name}.key.pub").read_bytes())
    assert ck.load_private_key(path, "password").raw.public_key() == public
    for password, cause in ((None, "encrypted-key-no-passphrase"), ("wrong", "wrong-password")):
        with pytest.raises(CertkitError) as refusal:
            ck.load_private_key(path, password)
        assert refusal.value.cause == cause, str(refusal.value)


def test_an_encryption_of_the_future_is_no_damage() -> None:
    unknown = FOLDER / "asymmetric" / "PKCS8" / "enc-unknown-algorithm.pem"
    with pytest.raises(CertkitError) as refusal:
        ck.load_private_key(unknown, "foobar")
    assert (refusal.value.cause, refusal.value.kind) == ("modern-pkcs12-unsupported", "unsupported-algorithm")


def test_every_vector_is_read_or_refused_in_three_parts() -> None:
    for path in sorted((FOLDER / "x509").rglob("*")):
        if not path.is_file() or "PKITS_data" in str(path):
            continue
        try:
            ck.load_keystore(path)
        except CertkitError as error:
            assert error.cause, f"{path.name}: {error}"
            assert error.hint, f"{path.name}: {error}"
