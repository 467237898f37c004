"""Keystores written and converted: what was kept, renamed, changed or lost, and the command that does it."""

from __future__ import annotations

import json
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import certkit as ck
from certkit.cli import main
from certkit.errors import ArgumentError, CertkitError, CredentialError, FileError
from certkit.keystores import CertificateEntry, KeyEntry, OtherEntry, TrustedCertificateEntry

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def issuing() -> ck.CertificateAuthority:
    return ck.CertificateAuthority("Lab Root").intermediate("Lab CA")


@pytest.fixture(scope="module")
def shop(issuing: ck.CertificateAuthority) -> ck.Credential:
    return issuing.issue("shop.example.test", usage="server")


@pytest.fixture(scope="module")
def client(issuing: ck.CertificateAuthority) -> ck.Credential:
    return issuing.issue("Acme CRM", usage="client")


WITH_KEYS = ["pem", "pkcs12", "jks"]


@pytest.mark.parametrize("there", WITH_KEYS)
@pytest.mark.parametrize("here", WITH_KEYS)
def test_a_key_and_its_chain_go_through_every_pair_of_formats(
    here: str, there: str, shop: ck.Credential, tmp_path: Path
) -> None:
    first = ck.keystore_bytes({"shop": shop}, PASSWORD, format=here)
    done = ck.convert(first, tmp_path / "new", PASSWORD, format=there)
    assert done.ok, str(done)
    assert (done.source_format, done.format) == (here, there)
    again = ck.load_keystore(tmp_path / "new", PASSWORD)
    assert again.format == there
    assert again.credential().key.spki_sha256 == shop.key.spki_sha256
    assert tuple(again.credential().chain) == tuple(shop.chain)
    assert again.aliases[0] == "shop"
    assert not done.renamed
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600 or sys.platform == "win32"


@pytest.mark.parametrize("target", ["pem", "pkcs7", "pkcs12", "jks"])
@pytest.mark.parametrize("source", ["pem", "pkcs7", "pkcs12", "jks"])
def test_certificates_go_through_every_pair_of_formats(
    source: str, target: str, issuing: ck.CertificateAuthority, tmp_path: Path
) -> None:
    anchors = ck.TrustStore([issuing.root.certificate, issuing.certificate])
    secret = PASSWORD if source in {"pkcs12", "jks"} else None
    data = ck.keystore_bytes(anchors, secret, format=source)
    done = ck.convert(data, tmp_path / "new", secret, new_password=PASSWORD, format=target)
    assert done.ok, str(done)
    assert ck.load_keystore(tmp_path / "new", PASSWORD).certificates == anchors.certificates
    if target == "jks" and source in {"pem", "pkcs7"}:
        assert [fate.fate for fate in done.changed] == ["changed", "changed"]
    if source == "jks" and target in {"pem", "pkcs7"}:
        assert any("trust mark" in fate.what for fate in done.lost)


def test_the_report_names_what_a_jks_cannot_hold(
    shop: ck.Credential, client: ck.Credential, tmp_path: Path
) -> None:
    source = ck.keystore_bytes({"Shop": shop, "CRM": client}, PASSWORD)
    done = ck.convert(source, tmp_path / "new.jks", PASSWORD)
    assert sorted(fate.what for fate in done.renamed) == ["'CRM'", "'Shop'"]
    assert all("lower case" in fate.why for fate in done.renamed)
    assert sorted(done.keystore.aliases) == ["crm", "shop"]
    assert "renamed: 'Shop'" in str(done)
    assert "<script" not in done._repr_html_()


def test_aliases_that_differ_by_capitals_only(
    shop: ck.Credential, client: ck.Credential, tmp_path: Path
) -> None:
    pem = (
        b"Bag Attributes\n    friendlyName: a\n"
        + shop.key.to_pem()
        + shop.chain.pem.encode()
        + b"Bag Attributes\n    friendlyName: A\n"
        + client.key.to_pem()
        + client.certificate.pem.encode()
    )
    done = ck.convert(pem, tmp_path / "new.jks", new_password=PASSWORD)
    assert sorted(done.keystore.aliases) == ["a", "a-2"]
    assert any("capitals do not count" in fate.why for fate in done.renamed)


def test_passwords_of_keys_are_a_fate(shop: ck.Credential, client: ck.Credential, tmp_path: Path) -> None:
    data = ck.keystore_bytes({"shop": shop, "crm": client}, PASSWORD, format="jks", key_password="own")
    with pytest.raises(CertkitError, match="password"):
        ck.convert(data, tmp_path / "new.p12", PASSWORD)
    assert not list(tmp_path.iterdir())
    done = ck.convert(data, tmp_path / "new.p12", PASSWORD, key_password={"shop": "own", "crm": "own"})
    assert len([fate for fate in done.changed if "password of" in fate.what]) == 2
    plain = ck.convert(data, tmp_path / "new.pem", PASSWORD, new_password=None, key_password="own")
    assert plain.ok


def test_the_key_is_lost_in_a_pkcs7_and_the_report_says_so(shop: ck.Credential, tmp_path: Path) -> None:
    done = ck.convert(ck.keystore_bytes({"shop": shop}, PASSWORD), tmp_path / "chain.p7b", PASSWORD)
    assert not done.ok
    assert [fate.what.split()[0] for fate in done.lost] == ["private", "alias"]
    assert done.keystore.certificates == tuple(shop.chain)
    with pytest.raises(TypeError, match=r"\.ok"):
        bool(done)


def test_one_alias_of_many(shop: ck.Credential, client: ck.Credential, tmp_path: Path) -> None:
    source = ck.keystore_bytes({"shop": shop, "crm": client}, PASSWORD)
    done = ck.convert(source, tmp_path / "crm.pem", PASSWORD, alias="CRM")
    assert done.keystore.aliases[0] == "crm"
    assert len(done.keystore.keys) == 1


def test_dates_are_kept_where_the_format_has_them(
    shop: ck.Credential, issuing: ck.CertificateAuthority, tmp_path: Path
) -> None:
    source = ck.keystore_bytes({"shop": shop, "root": issuing.root.certificate}, PASSWORD, format="jks")
    before = ck.load_keystore(source, PASSWORD)["shop"]
    assert isinstance(before, KeyEntry)
    done = ck.convert(source, tmp_path / "new.p12", PASSWORD)
    after = done.keystore["shop"]
    assert isinstance(after, KeyEntry)
    assert after.created == before.created
    assert any("creation date of certificate 'root'" in fate.what for fate in done.lost)
    assert done.ok


def test_impossible_targets_are_refused_and_leave_nothing(
    shop: ck.Credential, issuing: ck.CertificateAuthority, tmp_path: Path
) -> None:
    for make, error in (
        (lambda: ck.save_keystore(tmp_path / "a.jks", shop), ArgumentError),
        (lambda: ck.save_keystore(tmp_path / "a.p12", shop), ArgumentError),
        (lambda: ck.save_keystore(tmp_path / "a.jks", shop.key, PASSWORD), CredentialError),
        (lambda: ck.save_keystore(tmp_path / "a.p7b", shop), ArgumentError),
        (lambda: ck.save_keystore(tmp_path / "a.der", shop.chain), ArgumentError),
        (lambda: ck.save_keystore(tmp_path / "a.xyz", shop, PASSWORD), ArgumentError),
        (lambda: ck.save_keystore(tmp_path / "a.p12", [], PASSWORD), ArgumentError),
        (lambda: ck.save_keystore(tmp_path / "no" / "a.p12", shop, PASSWORD), FileError),
        (lambda: ck.save_keystore(tmp_path / "a.p12", {"a": shop, "A": shop}, PASSWORD), ArgumentError),
        (lambda: ck.save_keystore(tmp_path / "a.p12", shop, PASSWORD, iterations=10**9), ArgumentError),
        (lambda: ck.save_keystore(tmp_path / "a.p12", shop, PASSWORD, encoding="pem"), ArgumentError),
        (lambda: ck.save_keystore(tmp_path / "a.p7b", shop.chain, encoding="utf"), ArgumentError),
    ):
        with pytest.raises(error):
            make()
    assert not list(tmp_path.iterdir())
    path = ck.save_keystore(tmp_path / "kept.pem", issuing.root.certificate)
    with pytest.raises(FileError, match="there already"):
        ck.convert(shop.certificate.pem, path)


def test_the_kinds_of_entries(shop: ck.Credential, issuing: ck.CertificateAuthority) -> None:
    chain = ck.load_keystore(shop.chain.pem)
    assert {type(entry) for entry in chain} == {CertificateEntry}
    trusted = ck.load_keystore(ck.keystore_bytes(issuing.trust_store, PASSWORD), PASSWORD)
    assert {type(entry) for entry in trusted} == {TrustedCertificateEntry}
    assert trusted.trust_store().certificates == issuing.trust_store.certificates


def test_the_format_is_found_whatever_the_name(shop: ck.Credential, tmp_path: Path) -> None:
    wrong = tmp_path / "shop.txt.jpg"
    for name in ("pem", "pkcs12", "jks"):
        wrong.write_bytes(ck.keystore_bytes({"shop": shop}, PASSWORD, format=name))
        assert ck.load_keystore(wrong, PASSWORD).format == name


MIXED = [
    ("crlf", lambda text: text.replace("\n", "\r\n").encode()),
    ("bom", lambda text: b"\xef\xbb\xbf" + text.encode()),
    ("utf-16", lambda text: text.encode("utf-16")),
    ("text around", lambda text: ("subject=CN = x\nblah 100 % ß ü\n" + text + "\nbye").encode()),
    ("indented", lambda text: "".join(f"    {line}\n" for line in text.splitlines()).encode()),
    ("one line", lambda text: text.replace("\n", "").replace("-----BEGIN", "\n-----BEGIN").encode()),
    ("old macintosh", lambda text: text.replace("\n", "\r").encode()),
]


@pytest.mark.parametrize("how", [how for _, how in MIXED], ids=[name for name, _ in MIXED])
def test_pem_in_every_disguise(how: object, shop: ck.Credential, client: ck.Credential) -> None:
    text = shop.chain.pem + client.key.to_pem().decode() + ck.create_csr("x.example.test", key=client.key).pem
    store = ck.load_keystore(how(text))  # type: ignore[operator]
    assert [entry.kind for entry in store] == [
        "certificate",
        "certificate",
        "private-key",
        "certificate-request",
    ]
    assert store.certificates == tuple(shop.chain)


def test_requests_and_lists_are_values(issuing: ck.CertificateAuthority, client: ck.Credential) -> None:
    csr = ck.create_csr("x.example.test", key=client.key)
    crl = issuing.revoke(client.certificate)
    request, revoked = ck.load_keystore(csr.pem + crl.pem)
    assert isinstance(request, OtherEntry)
    assert isinstance(revoked, OtherEntry)
    assert request.request == csr
    assert revoked.crl.lists(client.certificate)
    with pytest.raises(CertkitError, match="no certificate revocation list"):
        _ = request.crl
    broken = csr.der[:60] + bytes([csr.der[60] ^ 0xFF]) + csr.der[61:]
    assert ck.load_keystore(broken).entries[0].kind in {"certificate-request", "damaged", "other"}


@pytest.mark.parametrize("letter", ["a", "é", "\u202e", "<"])
def test_a_keystore_shows_itself_in_ten_kilobytes(letter: str, shop: ck.Credential) -> None:
    contents = {letter * 900 + str(number): shop.certificate for number in range(60)}
    store = ck.load_keystore(ck.keystore_bytes(contents, PASSWORD, iterations=1), PASSWORD)
    shown = store._repr_html_()
    assert len(shown.encode()) < 10_000
    assert "more" in shown
    assert "\u202e" not in shown


def test_no_repr_shows_a_password(shop: ck.Credential, tmp_path: Path) -> None:
    store = ck.load_keystore(ck.keystore_bytes({"shop": shop}, PASSWORD), PASSWORD)
    done = ck.convert(ck.keystore_bytes({"shop": shop}, PASSWORD), tmp_path / "x.jks", PASSWORD)
    for value in (store, done, store.entries, vars(store)):
        assert PASSWORD not in repr(value)
        assert PASSWORD not in str(value)
    assert PASSWORD not in store._repr_html_() + done._repr_html_()


CERTIFICATE_FIELDS = (
    "subject issuer serial not_before not_after sans key key_bits signature is_ca sha256 spki_sha256"
)


@pytest.fixture
def folder(shop: ck.Credential, tmp_path: Path) -> Path:
    ck.save_keystore(tmp_path / "shop.p12", {"shop": shop}, PASSWORD)
    (tmp_path / "secret").write_text(PASSWORD + "\n")
    return tmp_path


@dataclass(frozen=True)
class Done:
    """What the command answered."""

    returncode: int
    stdout: str
    stderr: str


Command = Callable[..., Done]


@pytest.fixture
def command(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Return what runs the command in the folder, with or without the variable for the password."""
    monkeypatch.chdir(folder)

    def run(*arguments: str, password: str | None = None) -> Done:
        if password is None:
            monkeypatch.delenv("CERTKIT_PASSWORD", raising=False)
        else:
            monkeypatch.setenv("CERTKIT_PASSWORD", password)
        try:
            code = main(arguments)
        except SystemExit as stop:
            code = int(stop.code or 0)
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    return run


def test_inspect_prints_the_promised_json(folder: Path, command: Command, shop: ck.Credential) -> None:
    done = command("inspect", "--json", "shop.p12", "--password-file", "secret")
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)
    assert found["path"] == "shop.p12"
    assert found["format"] == "pkcs12"
    assert found["error"] is None
    (entry,) = found["entries"]
    assert (entry["alias"], entry["kind"]) == ("shop", "private-key")
    assert set(entry["certificate"]) == set(CERTIFICATE_FIELDS.split())
    assert entry["certificate"]["sha256"] == shop.certificate.sha256
    assert entry["certificate"]["spki_sha256"] == shop.key.spki_sha256


def test_the_password_comes_by_variable_or_file_and_never_by_argument(folder: Path, command: Command) -> None:
    assert command("inspect", "shop.p12", password=PASSWORD).returncode == 0
    without = command("inspect", "shop.p12")
    assert without.returncode == 2
    assert "--password-file" in without.stderr
    wrong = command("inspect", "shop.p12", password="no")
    assert wrong.returncode == 2
    assert "wrong password" in wrong.stderr
    for verb in ("inspect", "convert"):
        refused = command(verb, "shop.p12", "x.jks", "--password", PASSWORD)
        assert refused.returncode == 2
        assert not (folder / "x.jks").exists()


def test_one_bad_file_among_good_ones(folder: Path, command: Command) -> None:
    (folder / "bad.p12").write_bytes(b"<html>")
    done = command("inspect", "--json", "shop.p12", "bad.p12", "absent", password=PASSWORD)
    assert done.returncode == 2
    found = json.loads(done.stdout)
    assert [item["format"] for item in found] == ["pkcs12", None, None]
    assert [bool(item["error"]) for item in found] == [False, True, True]
    assert found[1]["cause"] == "wrong-file-format"


def test_explain_says_each_field(folder: Path, command: Command) -> None:
    done = command("inspect", "--explain", "shop.p12", password=PASSWORD)
    assert done.returncode == 0
    for word in (
        "Found by content",
        "serialNumber",
        "subjectAltName",
        "It was not opened",
        "Whom it describes",
    ):
        assert word in done.stdout
    found = json.loads(command("inspect", "--explain", "--json", "shop.p12", password=PASSWORD).stdout)
    fields = found[0]["explanation"]["entries"][0]["certificates"][0]
    assert {"name", "value", "meaning", "source", "critical"} == set(fields[0])


def test_convert_reports_and_proves(folder: Path, command: Command, shop: ck.Credential) -> None:
    done = command("convert", "shop.p12", "shop.jks", "--json", "--password-file", "secret")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["ok"], found["from"], found["to"]) == (True, "pkcs12", "jks")
    assert [item["what"] for item in found["kept"]] == ["private key 'shop' with its chain of 2"]
    assert (found["renamed"], found["lost"]) == ([], [])
    assert ck.load_keystore(folder / "shop.jks", PASSWORD).credential().certificate == shop.certificate
    again = command("convert", "shop.p12", "shop.jks", "--password-file", "secret")
    assert again.returncode == 2
    assert "there already" in again.stderr
    assert command("convert", "shop.p12", "shop.jks", "--force", password=PASSWORD).returncode == 0
    (folder / "new").write_text("another")
    other = command(
        *("convert", "shop.p12", "b.jks", "--password-file", "secret", "--new-password-file", "new"),
    )
    assert other.returncode == 0
    assert "another" not in other.stdout + other.stderr
    assert ck.load_keystore(folder / "b.jks", "another").keys


def test_convert_to_pem_pkcs7_and_without_a_key(folder: Path, command: Command) -> None:
    done = command("convert", "shop.p12", "shop.p7b", "--pem", password=PASSWORD)
    assert done.returncode == 0, done.stderr
    assert "lost: private key" in done.stdout
    assert (folder / "shop.p7b").read_text().startswith("-----BEGIN PKCS7-----")


def test_the_prompt_hides_what_is_typed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.delenv("CERTKIT_PASSWORD", raising=False)
    for stream in (sys.stdin, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    asked: list[str] = []
    monkeypatch.setattr("getpass.getpass", lambda prompt, stream=None: asked.append(prompt) or PASSWORD)
    assert main(["inspect", "shop.p12"]) == 0
    assert asked == ["Password of shop.p12: "]
    assert PASSWORD not in "".join(capsys.readouterr())
