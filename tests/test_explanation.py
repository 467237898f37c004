"""Explaining: what people paste, what stands around it, and the loop from the message to the proof."""

from __future__ import annotations

import io
import json
import random
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

import certkit as ck
from certkit import causes
from certkit.authority import CertificateAuthority
from certkit.cli import main
from certkit.errors import ArgumentError, FileError
from certkit.explanation import Diagnosis, RankedCause, _measured, explain
from certkit.explanation._knowledge import load_says
from certkit.explanation._masking import mask_secrets
from certkit.explanation.explaining import _fault

MESSAGES = tomllib.loads((Path(__file__).parent / "explanation_messages.toml").read_text("utf-8"))["message"]
PKIX = "PKIX path building failed: unable to find valid certification path to requested target"


def first(text: str, **options: object) -> str:
    found = explain(text, **options)  # type: ignore[arg-type]
    return found.causes[0].id if found.causes else ""


# What stacks say


@pytest.mark.parametrize("message", MESSAGES, ids=[item["text"][:60] for item in MESSAGES])
def test_what_a_stack_says(message: dict[str, str]) -> None:
    found = explain(message["text"])
    assert found.causes[0].id in message["causes"]
    assert found.platform == message.get("platform", found.platform)


# Of the others the words alone do not tell: it takes the certificates, the log of the other side, or another stack.
_TELLING = [
    "self-signed-leaf",
    "missing-intermediate",
    "untrusted-root",
    "truststore-empty",
    "expired-leaf",
    "not-yet-valid",
    "client-cert-expired",
    "hostname-mismatch",
    "wildcard-misses",
    "address-instead-of-name",
    "wrong-eku",
    "any-eku-only",
    "issuer-is-no-ca",
    "path-length-exceeded",
    "name-not-permitted",
    "name-excluded",
    "unknown-critical-extension",
    "weak-key",
    "weak-ca-key",
    "sha1-leaf",
    "md5-leaf",
    "revoked",
    "client-cert-revoked",
    "crl-unreachable",
    "crl-expired",
    "client-cert-missing",
    "client-cert-untrusted",
    "client-cert-self-signed",
    "client-intermediate-missing",
    "client-cert-wrong-eku",
    "tampered-certificate",
    "server-too-old",
    "no-shared-cipher",
    "unsafe-renegotiation",
    "weak-dh-params",
    "ftps-client-untrusted",
    "ftps-server-untrusted",
]


@pytest.mark.parametrize(
    ("fault", "tls"),
    [
        pytest.param(item, tls, id=f"{item.id}-{tls}")
        for item in map(ck.find_fault, _TELLING)
        for tls in item.tls
    ],
)
def test_what_both_ends_of_the_lab_say(fault: ck.Fault, tls: str) -> None:
    run = fault.run(tls)
    end = run.client if run.client.outcome == "refused" else run.server
    words = f"{'SSL_accept' if end is run.server else 'SSL_connect'}: {end.error or run.client.error}"
    assert fault.cause in [item.id for item in explain(words).causes[:3]], words


SAID = "x509: cannot validate certificate for <host> because it doesn't contain any IP SANs"
ATLAS = f"""\
fault,cause,stack,version,tls,outcome,client_message,server_message
no-san,no-san,go,1.19,1.3,refused,{SAID},remote error: tls: bad certificate
no-san,no-san,go,1.19,1.2,refused,{SAID},
no-san,no-san,go,1.22,1.3,refused,{SAID},
healthy,none,go,1.19,1.3,accepted,,
"""


def test_what_the_atlas_has_measured_is_evidence_by_its_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "atlas.csv"
    path.write_text(ATLAS)
    messages = _measured.read_atlas(path)
    assert len(messages) == 2  # and the row of a healthy run counts for nothing
    scores = []
    for atlas in ((), messages):
        monkeypatch.setattr(_measured, "_atlas", lambda atlas=atlas: atlas)
        found = explain(SAID.replace("<host>", "10.0.0.7"))
        scores.append(next(item.score for item in found.causes if item.id == "no-san"))
    assert scores[1] > scores[0] + 0.03
    measured = next(item for item in found.recognised if item.source == "measured")
    assert "3 runs on go: no-san 3" in measured.means


# What people really paste


@pytest.mark.parametrize(
    "pasted",
    [
        "\x1b[31mERROR\x1b[0m \x1b[1mPKIX path\x1b[0m building failed: unable to find",
        "&lt;faultstring&gt;PKIX path building failed: unable to find&lt;/faultstring&gt; &quot;SSL&quot;",
        "<pre>javax.net.ssl.SSLHandshakeException:<br/>PKIX path<br>building failed</pre>",
        "javax.net.ssl.SSLHandshakeException: sun.security.validator.ValidatorException: PKIX\n    path building\n    failed",
        '{"level":"error","msg":"javax.net.ssl.SSLHandshakeException: PKIX path building failed\\n\\tat a.b.C"}',
        "2024-01-01T10:00:00Z app javax.net.ssl.SSLHandshakeException: PKIX\n2024-01-01T10:00:00Z path building failed",
        "> > SSLHandshakeException: PKIX path\n> > building failed",
        "…idator.ValidatorException: PKIX path building fail"
        + "ed: sun.security.provider.certpath.SunCertPathBu",
        "SSLHandshakeException:\u00a0PKIX\u00a0path\u00a0building\u200b failed",
        "javax.net.ssl.SSLHandshakeException: PKIX path building failed: sun.security.pr\novider.certpath".replace(
            "building failed", "buildi\nng failed"
        ),
    ],
    ids=[
        "ansi",
        "entities",
        "tags",
        "wrapped",
        "json",
        "prefixed",
        "quoted",
        "cut",
        "odd spaces",
        "hard wrap",
    ],
)
def test_what_people_paste(pasted: str) -> None:
    lines = pasted.split("\n")
    if "buildi\nng" in pasted:  # a terminal of 79 columns broke the line within a word
        pasted = lines[0].ljust(0) + "\n" + lines[1]
    assert first(pasted) == "untrusted-root"


def test_the_innermost_of_nested_exceptions_counts_most() -> None:
    text = (
        "javax.ws.rs.ProcessingException: javax.net.ssl.SSLHandshakeException: General SSLEngine problem\n"
        "Caused by: javax.net.ssl.SSLHandshakeException: SSL handshake failed\n"
        "Caused by: java.security.cert.CertificateException: No name matching orders.example found\n"
    )
    found = explain(text)
    assert found.causes[0].id == "hostname-mismatch"
    assert found.recognised[-1].line == 3 and "No name matching" in found.recognised[-1].quote


def test_two_errors_in_one_log_are_both_named() -> None:
    log = (
        "curl: (60) certificate has expired\nlater:\nSSL: hostname mismatch, certificate is not valid for 'a'"
    )
    assert {item.id for item in explain(log).causes[:2]} == {"expired-leaf", "hostname-mismatch"}


def test_a_received_alert_is_the_other_sides_verdict() -> None:
    client = explain("SSL_connect: tlsv1 alert unknown ca: SSL alert number 48")
    server = explain(
        "mosquitto: New connection from 10.0.0.1 on port 8883.\nOpenSSL Error: tlsv1 alert unknown ca"
    )
    assert (client.causes[0].id, client.about, client.verdict_of) == (
        "client-cert-untrusted",
        "the client",
        "the other side",
    )
    assert (server.causes[0].id, server.about, server.reporter) == ("untrusted-root", "the server", "server")
    sent = explain("* TLSv1.3 (OUT), TLS alert, unknown CA (560):\ncurl: (60) SSL certificate problem")
    assert sent.verdict_of == "the reporter" and sent.about == "the server"


def test_it_says_so_where_the_message_cannot_tell() -> None:
    found = explain(f"{PKIX}\n  calling https://orders.example.test:8443/users")
    assert "cannot tell" in found.sentence
    assert found.command in found.sentence and "orders.example.test:8443" in found.command
    assert (
        found.causes[0].score
        < 0.7
        <= explain("hostname mismatch: certificate is not valid for a").causes[0].score
    )


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_nothing_to_explain(text: str) -> None:
    with pytest.raises(ArgumentError, match="nothing to explain"):
        explain(text)


def test_nothing_about_tls() -> None:
    found = explain("the printer is out of paper")
    assert not found.found and found.causes == () and "Nothing here" in found.sentence
    with pytest.raises(TypeError, match=r"ask \.found"):
        bool(found)
    with pytest.raises(ArgumentError, match="no cause to reproduce"):
        found.reproduce()


# What must not be shown


SECRETS = """\
keytool -list -storepass s3cretA -keypass s3cretB -keystore a.jks
ssl.keystore.password=s3cretC
{"password": "s3cretD", "keyPassword":"s3cretE"}
curl -H 'Authorization: Bearer s3cretF.abc' https://user:s3cretG@host.example/
openssl pkcs12 -in a.p12 -passin pass:s3cretH
ldapsearch -x -H ldaps://ldap.example -D cn=admin -w s3cretI -b dc=x
PASS s3cretJ
Set-Cookie: sid=s3cretL; -Djavax.net.ssl.keyStorePassword=s3cretM {"pass": "s3cretN"} AWS_SECRET_ACCESS_KEY=s3cretO
    Master-Key: 0123456789ABCDEF0123456789ABCDEF
-----BEGIN PRIVATE KEY-----
MIIs3cretKMIIs3cretKMIIs3cretKMIIs3cretKMIIs3cretKMIIs3cretKMIIs3
-----END PRIVATE KEY-----
-----BEGIN RSA PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,0123456789ABCDEF0123456789ABCDEF

MIIs3cretKMIIs3cretKMIIs3cretKMIIs3cretKMIIs3cretKMIIs3cretKMIIs3
s3cretP=
certificate verify failed: certificate has expired
"""


def test_secrets_are_masked_before_anything_is_kept() -> None:
    found = explain(SECRETS)
    everything = repr(found) + found.report() + found._repr_html_() + json.dumps(found.to_dict()) + found.text
    assert "s3cret" not in everything and "0123456789ABCDEF" not in everything
    assert found.causes[0].id == "expired-leaf" and found.recognised[-1].line == 19
    assert "masked" in found.notes[0]


def test_base64_of_a_keystore_is_masked_and_a_certificate_is_not() -> None:
    ca = CertificateAuthority("Lab Root")
    pem = ca.issue("a.example.test", usage="server").certificate.pem
    p12 = "MIIJ" + "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5z" * 4
    text, masked = mask_secrets(f"{pem}\n{p12}")
    assert pem.strip() in text and p12 not in text and masked == 1


def test_a_quote_shows_what_would_not_show() -> None:
    found = explain("certificate has expired \u202e<script>alert(1)</script> for CN=\x07evil")
    page = found._repr_html_()
    assert "<script>" not in page and "\u202e" not in page and "\x07" not in page
    assert len(page) < 10_000


# Hostile and long


def test_no_character_makes_it_slow() -> None:
    """Long runs of each character that patterns use; the limit is a hundred times what it takes."""
    used = {char for say in load_says() for phrase in say.phrases for part in phrase.parts for char in part}
    for char in sorted(used | set("=:-'\"<>[](){}\\&;*@/.|#+_0aA\x1b\n\t")):
        start = time.process_time()
        explain(char * 30_000 + " ssl certificate verify failed")
        assert time.process_time() - start < 3, repr(char)


@pytest.mark.parametrize(
    "piece",
    [
        "password=", "-storepass ", "<br ", "&#", "\x1b[", "-----BEGIN PRIVATE KEY-----", "https://", "x@", "*** ClientHello",
        "Certificate chain\n 0 s:", "verify error:num=", "2024-01-01 00:00:00 ", "unable to ", "hostname ", "Caused by: ",
    ],
)  # fmt: skip
def test_no_beginning_of_a_pattern_makes_it_slow(piece: str) -> None:
    start = time.process_time()
    explain(piece * (200_000 // len(piece)) + " ssl certificate verify failed")
    assert time.process_time() - start < 8


def test_anything_can_be_pasted() -> None:
    """Pieces of everything in any order: always a diagnosis, never an error, never a page too long."""
    dice = random.Random(6)
    phrases = [
        " ".join(part.strip() for part in phrase.parts) for say in load_says() for phrase in say.phrases
    ]
    odd = "aA0 \n\t:;<>&\"'\\/()[]{}|=+-_*#\x1b\x00\u202e\u00a0éß漢İ🙂"
    whole = [
        "Certificate chain\n 0 s:CN=a\n   i:CN=b\n",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    ]
    for _ in range(150):
        noise = "".join(dice.choices(odd, k=dice.randrange(60)))
        pieces = dice.choices(
            [dice.choice(phrases), dice.choice(phrases), noise, *whole, "verify error:num=20:"], k=7
        )
        found = explain(dice.choice(" \n").join(["TLS", *pieces]))
        assert len(found._repr_html_()) < 10_000
        assert len(repr(found)) < 300 and json.dumps(found.to_dict()) and found.report()
        assert sum(item.score for item in found.causes) <= 1.001


def test_ten_megabytes_are_cut_with_a_word() -> None:
    noise = "2024-01-01 INFO all is well with request 4711\n" * 230_000
    found = explain(noise + "Caused by: javax.net.ssl.SSLHandshakeException: PKIX path building failed\n")
    assert found.causes[0].id == "untrusted-root"
    assert "11 MB" in found.notes[0] and "middle was not" in found.notes[0]


# Debug logs


OLD_DEBUG = """\
*** ClientHello, TLSv1.2
main, WRITE: TLSv1.2 Handshake, length = 187
*** ServerHello, TLSv1.2
*** Certificate chain
*** CertificateRequest
Cert Authorities:
*** ServerHelloDone
Warning: no suitable certificate found - continuing without client authentication
*** Certificate chain
<Empty>
*** ClientKeyExchange, RSA PreMasterSecret, TLSv1.2
main, READ: TLSv1.2 Alert, length = 2
main, RECV TLSv1.2 ALERT:  fatal, handshake_failure
"""
NEW_DEBUG = """\
javax.net.ssl|DEBUG|10|main|2024-01-01 10:00:00.001 UTC|ClientHello.java:640|Produced ClientHello handshake message (
javax.net.ssl|DEBUG|10|main|2024-01-01 10:00:00.101 UTC|Alert.java:238|Received alert message (
"Alert": {
  "level"      : "fatal",
  "description": "handshake_failure"
}
javax.net.ssl|ERROR|10|main|2024-01-01 10:00:00.102 UTC|TransportContext.java:352|Fatal (HANDSHAKE_FAILURE): Received
"""


def test_a_debug_log_gives_a_timeline() -> None:
    found = explain(OLD_DEBUG)
    assert [step.what for step in found.timeline][:5] == [
        "ClientHello", "ServerHello", "Certificate", "CertificateRequest", "ServerHelloDone"
    ]  # fmt: skip
    assert found.timeline[-1].who == "the other side"
    assert {item.id for item in found.causes[:2]} == {"client-cert-missing", "ca-hint-list"}
    assert any("asked for a certificate" in reason for reason in found.causes[0].reasons)


def test_a_handshake_that_ended_at_once_is_no_matter_of_client_certificates() -> None:
    found = explain(NEW_DEBUG)
    assert {item.id for item in found.causes[:2]} == {"no-shared-cipher", "protocol-version"}
    assert found.timeline[0].what == "ClientHello"


def s_client(server: ck.ServerConfig, *options: str) -> str:
    with ck.UserService(server) as service:
        command = [
            "openssl",
            "s_client",
            "-connect",
            f"127.0.0.1:{service.port}",
            "-servername",
            "orders.example.test",
        ]
        done = subprocess.run([*command, *options], input=b"", capture_output=True, timeout=20, check=False)
    return (done.stdout + done.stderr).decode("utf-8", "replace")


def test_a_transcript_of_openssl_tells_a_missing_intermediate_from_an_unknown_root(tmp_path: Path) -> None:
    roots = tmp_path / "roots.pem"
    roots.write_text(ck.good_scenario().client.anchors.pem)
    short = explain(
        s_client(ck.find_fault("missing-intermediate").scenario().server, "-CAfile", str(roots), "-msg")
    )
    assert short.causes[0].id == "missing-intermediate" and short.causes[0].score > 0.6
    assert any("only the leaf was sent" in reason for reason in short.causes[0].reasons)
    assert {"ClientHello", "ServerHello"} <= {step.what for step in short.timeline}
    roots.write_text(CertificateAuthority("Another Root").trust_store.pem)
    unknown = explain(s_client(ck.good_scenario().server, "-CAfile", str(roots)))
    assert unknown.causes[0].id == "untrusted-root"


# Evidence from files


@pytest.fixture
def issuing() -> CertificateAuthority:
    return CertificateAuthority("Orders Root CA").intermediate("Orders Issuing CA")


def pem(path: Path, *certificates: ck.Certificate) -> Path:
    path.write_text("".join(item.pem for item in certificates))
    return path


def test_files_rule_causes_in_and_out(issuing: CertificateAuthority, tmp_path: Path) -> None:
    server = issuing.issue("orders.example.test", usage="server")
    roots = pem(tmp_path / "roots.pem", *issuing.trust_store)
    lone = explain(PKIX, files=pem(tmp_path / "server.pem", server.certificate), anchors=roots)
    assert lone.causes[0].id == "missing-intermediate" and lone.causes[0].score > 0.9
    assert any("Orders Issuing CA" in said for said in lone.looked_at)
    whole = explain(
        PKIX, files=pem(tmp_path / "chain.pem", *server.chain), anchors=roots, host="orders.example.test"
    )
    assert whole.verification is not None and whole.verification.ok
    assert all(
        "ruled out" in " ".join(item.reasons)
        for item in whole.causes
        if item.id in ("untrusted-root", "expired-leaf")
    )


def test_a_truststore_with_the_name_and_another_key(issuing: CertificateAuthority, tmp_path: Path) -> None:
    server = issuing.issue("orders.example.test", usage="server")
    again = CertificateAuthority("Orders Root CA")
    store = tmp_path / "trust.p12"
    store.write_bytes(ck.keystore_bytes(again.trust_store, "changeit", format="pkcs12"))
    found = explain(PKIX, files=[pem(tmp_path / "chain.pem", *server.chain), store], password="changeit")
    assert found.causes[0].id == "untrusted-root"
    assert any("Orders Root CA" in said and "another key" in said for said in found.looked_at)
    assert "changeit" not in found.report() + repr(found)


def test_the_name_and_the_dates_of_a_certificate(issuing: CertificateAuthority, tmp_path: Path) -> None:
    chain = pem(tmp_path / "chain.pem", *issuing.issue("shop.example.test", usage="server").chain)
    found = explain(
        "SSL certificate problem", files=chain, anchors=issuing.trust_store, host="orders.example.test"
    )
    assert found.causes[0].id == "hostname-mismatch"
    assert any("shop.example.test" in said and "serverAuth" in said for said in found.looked_at)


def test_a_key_that_belongs_to_another_certificate(issuing: CertificateAuthority, tmp_path: Path) -> None:
    one, other = (issuing.issue("orders.example.test", usage="server") for _ in range(2))
    key = tmp_path / "server.key"
    key.write_bytes(other.key.to_pem())
    words = "nginx: [emerg] SSL_CTX_use_PrivateKey_file() failed (SSL: key values mismatch)"
    found = explain(words, files=[pem(tmp_path / "chain.pem", *one.chain), key])
    assert found.causes[0].id == "key-cert-mismatch" and found.causes[0].score > 0.9
    key.write_bytes(one.key.to_pem())
    upside_down = explain(words, files=[pem(tmp_path / "chain.pem", *reversed(one.chain.certificates)), key])
    assert upside_down.causes[0].id == "leaf-not-first"


def test_files_that_are_not_what_they_should_be(tmp_path: Path) -> None:
    page, store = tmp_path / "server.crt", tmp_path / "keys.p12"
    page.write_bytes(b"<html><body>404 Not Found</body></html>" * 3)
    assert first("could not load the certificate", files=page) == "wrong-file-format"
    credential = CertificateAuthority("Lab Root").issue("a.example.test", usage="server")
    store.write_bytes(ck.keystore_bytes(credential, "right", format="pkcs12"))
    found = explain("keystore password was incorrect", files=store, password="wrong")
    assert found.causes[0].id == "wrong-password" and found.causes[0].score > 0.9
    with pytest.raises(FileError, match="no such file"):
        explain("x", files=tmp_path / "nowhere.pem")


def test_logs_among_the_files_are_read(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_text(
        "INFO start\nERROR http: TLS handshake error: x509: certificate is valid for a.example, not b.example\n"
    )
    found = explain(files=log)
    assert found.causes[0].id == "hostname-mismatch" and found.looked_at == ("server.log was read as a log.",)


# The loop


@pytest.mark.parametrize(
    "text",
    [
        "certificate verify failed: certificate has expired",
        "x509: certificate is valid for a.example, not b.example",
        "SSL_connect: tlsv13 alert certificate required",
        "Error: unable to verify the first certificate",
        "DEPTH_ZERO_SELF_SIGNED_CERT",
    ],
)
def test_the_loop_closes(text: str) -> None:
    again = explain(text).reproduce()
    assert again.ok and again.same
    assert "passes" in again.report() and "passes" in again._repr_html_()


def test_every_cause_that_has_a_fault_is_repaired_and_proved() -> None:
    """A cause that OpenSSL lets pass is refused by the check of the chain, or said to be accepted."""
    for name in sorted({fault.cause for fault in ck.list_faults()}):
        cause = causes.cause(name)
        again = Diagnosis((RankedCause(name, 1.0, cause, fault=_fault(name, "unknown")),)).reproduce()
        assert again.repaired.ok, name
        assert again.ok or "accepts it all the same" in again.report(), name


@pytest.mark.skipif(not ck.java_available(), reason="no Java here")
def test_the_same_words_from_the_real_java() -> None:
    found = explain(
        "javax.net.ssl.SSLHandshakeException: PKIX path building failed: unable to find valid certification path"
    )
    words = dict(found.reproduce().words)
    assert any(who.startswith("Java") and "PKIX path building failed" in said for who, said in words.items())


def test_a_cause_without_a_fault_says_so() -> None:
    with pytest.raises(ArgumentError, match="no fault reproduces"):
        explain("Algorithm HmacPBESHA256 not available").reproduce()


# The command


def test_the_command_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--json", "certificate has expired"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["causes"][0]["id"] == "expired-leaf" and 0 < facts["causes"][0]["score"] <= 1
    assert [item["score"] for item in facts["causes"]] == sorted(
        (item["score"] for item in facts["causes"]), reverse=True
    )
    assert {"recognised", "reporter", "platform"} <= facts.keys()
    assert all(item["id"] in causes.load() for item in facts["causes"])


def test_the_command_reads_standard_input() -> None:
    command = [sys.executable, "-m", "certkit", "explain"]
    piped = subprocess.run(command, input=f"{PKIX}\n", text=True, capture_output=True, check=False)
    assert piped.returncode == 0 and "untrusted-root" in piped.stdout


@pytest.mark.parametrize(("text", "code"), [("all is well", 1), ("", 2)])
def test_the_command_answers_by_its_exit_code(text: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert main(["explain"]) == code


def test_the_command_reads_logs_and_keystores(
    tmp_path: Path, issuing: CertificateAuthority, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "error.log"
    log.write_text(PKIX)
    leaf = pem(tmp_path / "server.pem", issuing.issue("orders.example.test", usage="server").certificate)
    roots = pem(tmp_path / "roots.pem", *issuing.trust_store)
    page = tmp_path / "diagnosis.html"
    options = [
        "--file",
        str(leaf),
        "--anchors",
        str(roots),
        "--host",
        "orders.example.test",
        "--html",
        str(page),
    ]
    assert main(["explain", str(log), "--reproduce", *options]) == 0
    said = capsys.readouterr().out
    assert "missing-intermediate" in said.split("\n")[0] and "Proved: the handshake passes" in said
    assert "missing-intermediate" in page.read_text("utf-8")


# The knowledge


def test_every_cause_can_be_arrived_at() -> None:
    said = {cause for say in load_says() for cause in {*say.client, *say.server}}
    assert set(causes.load()) - said == set()


def test_every_saying_is_whole() -> None:
    for say in load_says():
        assert say.means and say.phrases and 0 < say.weight <= 1
        assert say.client or say.boost or say.flags or say.platform or say.role, say.id
        assert all(phrase.parts for phrase in say.phrases), say.id
    assert len({say.id for say in load_says()}) == len(load_says())


def test_what_a_saying_needs_can_be_there() -> None:
    shown = {flag for say in load_says() for flag in say.flags}
    assert {say.needs for say in load_says() if say.needs} <= shown
