"""Break it, fix it: every case fails as handed over, and is solved by mending its files with any tool."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

import certkit as ck
from certkit.errors import ArgumentError, CheckFailed, FormatError
from certkit.faults import find_fault
from certkit.lessons.game import LEVELS, Case, Grade, java, list_cases
from certkit.lessons.game.desk import (
    CHAIN,
    CLIENTS,
    KEY,
    KEYSTORE,
    TRUST,
    Desk,
    Files,
    read_desk,
    seeded_scenario,
)
from certkit.lessons.game.java import tried_in_java
from certkit.lessons.game.sides import as_programs_do
from certkit.lessons.game.stories import _TOLD, all_stories
from certkit.lessons.pictures import write_pictures
from certkit.lessons.progress import Progress

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
SEED = 5
STORIES = list_cases()


@pytest.fixture
def book() -> Progress:
    return Progress()


def test_there_are_enough_of_each_kind() -> None:
    assert len(STORIES) >= 20
    assert len({item.cause for item in all_stories().values()}) >= 15
    for level in LEVELS:
        assert len(list_cases(level)) >= 5
    assert any(item.two_way for item in all_stories().values())


@pytest.mark.parametrize("name", STORIES)
def test_a_case_fails_as_it_is_handed_over_and_is_solved_by_good_files(
    name: str, tmp_path: Path, book: Progress
) -> None:
    case = ck.new_case(SEED, story=name)
    folder = case.write(tmp_path / "case")
    check_what_shows(case, folder, name)
    mail, log = (folder / "mail.txt").read_text(), (folder / "failure.log").read_text()
    assert case.mail.splitlines()[0] in mail
    assert log.count("\n") >= 1
    cause = all_stories()[name].cause
    texts = [
        path.read_text() for path in (folder / "mail.txt", folder / "case.toml", folder / "settings.toml")
    ]
    assert not any(cause in text for text in texts), "the handed-over files name the cause"
    bad = case.grade(folder, progress=book)
    assert (bad.ok, bad.state, book.entries) == (False, "not tried yet", {})
    assert bad.cause is None
    assert "Where to look: " in bad.text
    assert not book.solved(f"case.{name}")
    mended(case, name).write(folder)
    good = case.grade(folder, progress=book)
    assert good.ok, good.text
    assert good.cause == cause
    assert cause in good.text
    assert book.solved(f"case.{name}")
    check_who_was_asked(case, good)
    for shortcut, said in SHORTCUTS.items():
        mended(case, name).write(folder)
        if said(case, folder):
            graded = case.grade(folder, progress=Progress())
            assert not graded.ok, shortcut
            assert said(case, None) in graded.text, graded.text


def check_who_was_asked(case: Case, grade: Grade) -> None:
    tried = [item.tested for item in grade.findings]
    for tls in ("1.2", "1.3"):
        assert any(f"handshake in TLS {tls}, Python" in item for item in tried)
        if ck.java_available():
            assert any(item.startswith("a call by Java ") and f"TLS {tls}" in item for item in tried)
    if ck.java_available():
        assert grade.untried == ""
        assert "Not tried" not in grade.text
        assert any("loading client/client.p12" in item for item in tried) == case.two_way


def believe_the_leaf(_: Case, folder: Path | None) -> str:
    if folder is not None:
        (folder / "client/trust.pem").write_text(ck.load_certificate(folder / CHAIN).pem)
    return "the next renewal breaks it again"


def bring_a_ca_of_ones_own(_: Case, folder: Path | None) -> str:
    if folder is not None:
        own = ck.CertificateAuthority("Mine")
        made = own.issue("orders.example.test", usage="server")
        (folder / CHAIN).write_text(made.chain.pem)
        (folder / KEY).write_bytes(made.key.to_pem())
        (folder / "client/trust.pem").write_text(own.certificate.pem)
    return "a CA of neither company"


def let_in_the_one_client(case: Case, folder: Path | None) -> str:
    if not case.two_way:
        return ""
    if folder is not None:
        client = ck.load_keystore(folder / "client/client.p12", "changeit").credential()
        (folder / "server/clients.pem").write_text(client.certificate.pem)
    return "the next renewal breaks it again"


def show_a_server_certificate_as_client(case: Case, folder: Path | None) -> str:
    if not case.two_way:
        return ""
    if folder is not None:
        web = seeded_scenario(SEED, two_way=True).client_ca.issue("www.acme.example.test", usage="server")
        (folder / "client/client.p12").write_bytes(ck.keystore_bytes(web, "changeit", format="pkcs12"))
    return "unsuitable certificate purpose"


# Repairs that make the failure go away, or move it, in every case: none of them counts.
SHORTCUTS = {
    made.__name__: made
    for made in (
        believe_the_leaf,
        bring_a_ca_of_ones_own,
        let_in_the_one_client,
        show_a_server_certificate_as_client,
    )
}


def check_what_shows(case: Case, folder: Path, name: str) -> None:
    run, cause = case._run(folder), all_stories()[name].cause
    if run is None:
        log = (folder / "failure.log").read_text()
        assert "cannot start" in log or "client.p12: " in log
    elif cause in {"wrong-file-format", "private-key-missing"}:
        assert run.cause == "client-cert-missing"
    else:
        assert run.cause == cause


def mended(case: Case, name: str) -> Desk:
    """Return the desk with the fault's own repair where there is one, else the good files."""
    if name in _TOLD:
        return Desk.of(seeded_scenario(SEED, two_way=case.two_way))
    return Desk.of(find_fault(name).repair(case._broken))


def test_the_same_seed_is_the_same_case() -> None:
    first, again = ck.new_case(11, "hard"), ck.new_case(11, "hard")
    assert first == again
    assert first._desk.files[CHAIN] == again._desk.files[CHAIN]
    assert len({ck.new_case(seed, "medium").mail for seed in range(30)}) >= 5
    assert ck.new_case().level == "easy"
    assert "case" in repr(first).lower()
    assert first.mail.splitlines()[0][:30] in first._repr_html_()
    assert not any("\\x0a" in ck.new_case(seed)._repr_html_() for seed in range(30)), "a mail has paragraphs"


def test_repaired_with_openssl_alone(tmp_path: Path, book: Progress) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl here")
    case = ck.new_case(SEED, story="wrong-file-format")
    folder = case.write(tmp_path / "case")
    command = [openssl, "pkcs12", "-export", "-in", "client/from-the-ca.pem", "-inkey", "client/acme.key"]
    command += ["-out", "client/client.p12", "-passout", "pass:changeit"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    grade = case.grade(folder, progress=book)
    assert grade.ok, grade.text


@pytest.mark.skipif(not ck.java_available(), reason="no Java here")
def test_repaired_with_keytool_alone(tmp_path: Path, book: Progress) -> None:
    case = ck.new_case(SEED, story="wrong-password")
    folder = case.write(tmp_path / "case")
    store = folder / "client/client.p12"
    given = store.rename(folder / "client/as-given.p12")
    ck.keytool(
        *(
            "-importkeystore",
            "-noprompt",
            "-srckeystore",
            given,
            "-destkeystore",
            store,
            "-deststoretype",
            "PKCS12",
        ),
        passwords={"-srcstorepass": "Sommer-2012", "-deststorepass": "changeit"},
    )
    grade = case.grade(folder, progress=book)
    assert grade.ok, grade.text


def test_repaired_with_the_ca_desk(tmp_path: Path, book: Progress) -> None:
    case = ck.new_case(SEED, story="hostname-mismatch")
    folder = case.write(tmp_path / "case")
    chain, ca = (
        ck.load_certificates(folder / CHAIN),
        ck.load_credential(folder / "ca/orders-issuing-ca.pem", folder / "ca/orders-issuing-ca.key"),
    )
    assert ca.certificate == chain[1]
    good = seeded_scenario(SEED, two_way=False).issue_server()
    (folder / CHAIN).write_text(good.chain.pem)
    assert "key of this certificate" in case.grade(folder, progress=book).text
    (folder / KEY).write_bytes(good.key.to_pem())
    assert case.grade(folder, progress=book).ok


def test_repaired_by_what_notebook_05_says(tmp_path: Path, book: Progress) -> None:
    """The commands for the CA desk, as they stand there; and its pattern for a keystore, with this case's names."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here")
    notebook = json.loads((NOTEBOOKS / "05-troubleshooting.ipynb").read_text("utf-8"))
    text = next("".join(cell["source"]) for cell in notebook["cells"] if cell["id"] == "4b36e215")
    case = ck.new_case(SEED, story="wildcard-misses")
    folder = case.write(tmp_path / "names")
    subprocess.run(
        ["sh", "-ec", text.partition("```\n")[2].partition("```")[0]],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    assert case.grade(folder, progress=book).ok
    case = ck.new_case(SEED, story="private-key-missing")
    folder = case.write(tmp_path / "key")
    patterns = {line.split("`")[1] for line in text.splitlines() if line.startswith("| ") and "`" in line}
    lines = [line for line in patterns if "mine" in line]
    known = {
        "ck": ck,
        "folder": folder,
        "issuing": ck.load_certificates(folder / "ca/acme-issuing-ca.pem")[0],
    }
    for start in ("mine = ck.", "mine = mine.", "(folder"):
        line = next(line for line in lines if line.startswith(start))
        line = line.replace("CERT.pem", "client/acme-certificate.pem").replace(
            "FILE.key", "client/acme-request.key"
        )
        exec(line, known)
    assert case.grade(folder, progress=book).ok


@pytest.mark.parametrize(
    ("name", "mend", "left"),
    [
        ("two-at-once", {CHAIN}, "certificate has expired"),
        ("two-at-once", {KEYSTORE}, "unable to get local issuer certificate"),
        ("spare-from-the-drawer", {TRUST}, "unable to get local issuer certificate"),
        ("leaf-not-first", {KEY}, "this key is not the key of this certificate"),
        ("private-key-missing", {CLIENTS}, "no private key"),
    ],
)
def test_half_a_repair_is_none(name: str, mend: set[str], left: str, tmp_path: Path, book: Progress) -> None:
    case = ck.new_case(SEED, story=name)
    folder = case.write(tmp_path / "case")
    good = mended(case, name)
    for path in mend:
        (folder / path).write_bytes(good.files[path])
    grade = case.grade(folder, progress=book)
    assert not grade.ok
    assert left in grade.text


def handed_over(name: str, tmp_path: Path) -> tuple[Case, Files]:
    case = ck.new_case(SEED, story=name)
    return case, read_desk(case.write(tmp_path / "case"), two_way=case.two_way)


@pytest.mark.skipif(not ck.java_available(), reason="no Java here")
@pytest.mark.parametrize(
    ("name", "words", "server"),
    [
        ("expired-leaf", "PKIX path validation failed", "CERTIFICATE_EXPIRED"),
        ("untrusted-root", "PKIX path building failed", "CERTIFICATE_UNKNOWN"),
        ("hostname-mismatch", "No subject alternative DNS name matching", "CERTIFICATE_UNKNOWN"),
        ("client-leaf-alone", "unknown_ca", "unable to get local issuer"),
        ("client-cert-expired", "certificate_expired", "certificate has expired"),
        ("private-key-missing", "certificate_required", "peer did not return a certificate"),
    ],
)
def test_java_shakes_hands_for_itself(name: str, words: str, server: str, tmp_path: Path) -> None:
    _, files = handed_over(name, tmp_path)
    tried = list(tried_in_java(files, as_programs_do(files)))
    calls = [item for item in tried if item.tested.startswith("a call by Java")]
    assert [item.ok for item in calls] == [False, False]
    assert words in calls[1].found
    assert server in calls[1].found


@pytest.mark.skipif(not ck.java_available(), reason="no Java here")
def test_a_repair_that_only_python_believes_is_none(tmp_path: Path, book: Progress) -> None:
    case, folder = case_in(tmp_path, "expired-leaf")
    scenario = find_fault("policy-required").break_it(seeded_scenario(SEED, two_way=False))
    (folder / CHAIN).write_text(scenario.server.credential.chain.pem)
    (folder / KEY).write_bytes(scenario.server.credential.key.to_pem())
    grade = case.grade(folder, progress=book)
    assert grade.handshake is not None
    assert grade.handshake.ok, "Python is content"
    assert not grade.ok
    assert "a call by Java" in grade.text


def test_where_java_is_missing_the_grade_says_so(
    tmp_path: Path, book: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(java, "java_available", lambda: False)
    case, folder = case_in(tmp_path, "client-cert-expired")
    grade = case.grade(folder, progress=book)
    assert grade.ok
    assert not any("Java" in item.tested for item in grade.findings)
    assert "Not tried: the same calls by the real Java, which is not installed here" in grade.text
    assert "not tried" in grade._repr_html_()
    assert "certkit[java]" in repr(grade)


def case_in(tmp_path: Path, name: str) -> tuple[Case, Path]:
    case = ck.new_case(SEED, story=name)
    folder = case.write(tmp_path / "case")
    mended(case, name).write(folder)
    return case, folder


def test_a_repair_that_believes_the_leaf_is_none(tmp_path: Path, book: Progress) -> None:
    case, folder = case_in(tmp_path, "expired-leaf")
    (folder / "client/trust.pem").write_text(ck.load_certificate(folder / CHAIN).pem)
    assert "the next renewal breaks it again" in case.grade(folder, progress=book).text


def test_a_repair_that_believes_a_stranger_is_none(tmp_path: Path, book: Progress) -> None:
    case, folder = case_in(tmp_path, "expired-leaf")
    stranger = ck.CertificateAuthority("Mine")
    (folder / "client/trust.pem").write_text(stranger.certificate.pem)
    assert "a CA of neither company" in case.grade(folder, progress=book).text


def test_a_two_way_server_that_believes_the_wrong_company_is_none(tmp_path: Path, book: Progress) -> None:
    case, folder = case_in(tmp_path, "client-cert-untrusted")
    shutil.copy(folder / "ca/orders-root-ca.pem", folder / "server/clients.pem")
    assert "the root above the other side is not among them" in case.grade(folder, progress=book).text


def test_the_platform_takes_pkcs12_only(tmp_path: Path, book: Progress) -> None:
    case, folder = case_in(tmp_path, "client-cert-expired")
    good = ck.load_keystore(folder / "client/client.p12", "changeit").credential()
    (folder / "client/client.p12").write_bytes(ck.keystore_bytes(good, "changeit", format="jks"))
    assert "the platform takes PKCS#12, and this is JKS" in case.grade(folder, progress=book).text


def test_private_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    folder = ck.new_case(SEED, story="key-cert-mismatch").write(tmp_path / "case")
    for path in folder.rglob("*"):
        if path.is_file() and b"PRIVATE KEY" in path.read_bytes():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_folders_and_settings_that_are_not_the_case(tmp_path: Path, book: Progress) -> None:
    (tmp_path / "mine.txt").touch()
    case = ck.new_case(SEED, story="expired-leaf")
    with pytest.raises(ArgumentError, match="other things"):
        case.write(tmp_path)
    folder = case.write(tmp_path / "case")
    with pytest.raises(ArgumentError, match="another case"):
        ck.new_case(SEED + 1, story="expired-leaf").write(folder)
    with pytest.raises(ArgumentError, match="another case"):
        ck.new_case(SEED + 1, story="expired-leaf").grade(folder, progress=book)
    (folder / "settings.toml").write_text("host =")
    with pytest.raises(FormatError, match="settings"):
        case.grade(folder, progress=book)


def test_errors_and_verdicts(tmp_path: Path, book: Progress) -> None:
    with pytest.raises(ArgumentError, match="unknown level"):
        ck.new_case(1, "nightmare")
    with pytest.raises(ArgumentError, match="no such story"):
        ck.new_case(1, story="nothing")
    with pytest.raises(ArgumentError, match="whole number"):
        ck.new_case("7")  # type: ignore[arg-type]
    case = ck.new_case(SEED, story="expired-leaf")
    grade = case.grade(case.write(tmp_path / "case"), progress=book)
    with pytest.raises(TypeError, match=r"ask \.ok"):
        bool(grade)
    with pytest.raises(CheckFailed, match="not solved yet"):
        grade.raise_if_failed()
    assert "not tried yet" in grade._repr_html_()
    (tmp_path / "case/client/trust.pem").write_text(ck.CertificateAuthority("Mine").certificate.pem)
    tried = case.grade(tmp_path / "case", progress=book)
    assert (tried.state, book.tries("case.expired-leaf")) == ("not yet", 1)
    assert "not yet" in tried._repr_html_()


def test_what_was_mended_stays_unless_it_is_wanted_anew(tmp_path: Path, book: Progress) -> None:
    case, folder = case_in(tmp_path, "key-cert-mismatch")
    (folder / "server/mine.txt").touch()
    case.write(folder)
    assert case.grade(folder, progress=book).ok
    case.write(folder, anew=True)
    assert case.grade(folder, progress=book).state == "not tried yet"
    assert not (folder / "server/mine.txt").exists()


def test_without_a_folder_it_lies_among_the_learners_own_files(
    tmp_path: Path, book: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    case = ck.new_case(9)
    assert case.write() == case.folder == Path("my-files/case-9-easy")
    assert case.grade(progress=book).state == "not tried yet"
    assert (tmp_path / "my-files/case-9-easy/mail.txt").exists()


def test_the_drawings_are_as_the_module_draws_them(tmp_path: Path) -> None:
    images = Path(__file__).parent.parent / "notebooks" / "images"
    for made in write_pictures(tmp_path):
        assert made.read_text() == (images / made.name).read_text(), (
            "python -m certkit.lessons.pictures notebooks/images"
        )
