"""No private key byte and no password in anything that a run shows: values, tables, files, logs, errors, commands."""

from __future__ import annotations

import base64
import json
import logging
import stat
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from secrecy import Watch, find, show

import certkit as ck
from certkit.causes import Finding
from certkit.cli import main
from certkit.errors import CertkitError
from certkit.revocation import ocsp_request
from certkit.services import RevocationService

STORE, OWN, WRONG = 'Sesame<&"7>store-pw', "Sesame'8-key-pw-ö", "Sesame 9 wrong pw"
PASTED = "Sesame10pasted-pw"
PASSWORDS = (STORE, OWN, WRONG, PASTED)
HOST = "orders.example.test"


class Shown(list[tuple[str, str | bytes]]):
    """What was shown so far: (what, text)."""

    def value(self, *values: object) -> None:
        for value in values:
            self.extend(show(value))

    def failing(self, call: Callable[[], object]) -> None:
        with pytest.raises((CertkitError, ValueError, TypeError)) as caught:
            call()
        self.append(("exception", "".join(traceback.format_exception(caught.value))))
        self.append(("exception repr", f"{caught.value!r} {caught.value.__reduce__()}"))

    def file(self, path: Path) -> None:
        self.append((path.name, path.read_bytes()))


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note the command line of every process: every user of a machine can read those."""
    noted: list[str] = []
    genuine = subprocess.Popen.__init__

    def spy(self: object, args: object, *rest: object, **named: object) -> None:
        noted.append(repr(args))
        genuine(self, args, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(subprocess.Popen, "__init__", spy)
    return noted


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[tuple[Path, int]]]:
    """Note every temporary folder with its mode, those of child processes too: all are below a folder of our own.

    What a child makes is seen by looking, again and again; what it leaves, when all is done.
    """
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    made: list[tuple[Path, int]] = []
    genuine = tempfile.mkdtemp

    def spy(*args: object, **named: object) -> str:
        path = Path(genuine(*args, **named))  # type: ignore[call-overload]
        made.append((path, stat.S_IMODE(path.stat().st_mode)))
        return str(path)

    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setattr(tempfile, "mkdtemp", spy)
    with looking(folder, made):
        yield made
    assert [path for path in folder.rglob("*") if not _others(path)] == []


@contextmanager
def looking(folder: Path, made: list[tuple[Path, int]]) -> Iterator[None]:
    """Note what appears in a folder while the block runs, whoever makes it."""
    done = threading.Event()

    def look() -> None:
        known: set[str] = set()
        while not done.wait(0.005):
            for name in {path.name for path in folder.iterdir()} - known:
                known.add(name)
                with suppress(FileNotFoundError):
                    if not _others(folder / name):
                        made.append((folder / name, stat.S_IMODE((folder / name).lstat().st_mode)))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _others(path: Path) -> bool:
    """Say whether something is of a program's own making: Java's counters are no lab's, and hold nothing of it."""
    return any(part.startswith("hsperfdata_") for part in path.parts)


def test_a_childs_folder_is_seen(temporary: list[tuple[Path, int]]) -> None:
    code = (
        "import os, pathlib, tempfile, time; os.umask(0)\n"
        "folder = pathlib.Path(tempfile.gettempdir(), 'open'); folder.mkdir(); time.sleep(0.5); folder.rmdir()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert [(path.name, mode) for path, mode in temporary] == [("open", 0o777)]


def credentials(shown: Shown) -> tuple[ck.Credential, ck.Credential, ck.TrustStore]:
    ca = ck.CertificateAuthority("Secret Root CA").intermediate("Secret Issuing CA")
    server, client = ca.issue(HOST, usage="server"), ca.issue("Acme CRM", usage="client", key="ed25519")
    for kind in ("p384", "p521", "ed25519", "mldsa65", "rsa2048"):
        shown.value(ck.generate_key(kind))
    key = ck.generate_key()
    shown.value(key, ca, server, client, ck.create_csr(HOST, key=key), ck.self_signed(HOST, usage="server"))
    shown.value(ca.revoke(server.certificate))
    with RevocationService(ca) as responder:
        checked = ca.issue(HOST, usage="server", add=responder.pointers())
        verdict = ck.verify_chain(checked, ca.trust_store, host=HOST)
        asked = ocsp_request(checked.certificate, checked.chain[1])
        shown.value(responder, responder.answer(asked), responder.crl, asked)
        shown.value(ck.check_revocation(verdict, fetch=True, crls=[ca.root.revoke()]))
    return server, client, ca.trust_store


def keystores(shown: Shown, folder: Path, client: ck.Credential) -> None:
    for name, options in {
        "a.p12": {},
        "legacy.p12": {"legacy": True},
        "a.jks": {"key_password": OWN},
        "a.pem": {},
    }.items():
        path = ck.save_keystore(folder / name, {"client": client}, STORE, **options)  # type: ignore[arg-type]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        store = ck.load_keystore(path, STORE)
        own = OWN if name == "a.jks" else STORE
        shown.value(store, store.credential(password=own), *store.keys, store.keys[0].open(own))
        shown.failing(lambda store=store: store.credential(password=WRONG))
        if name != "a.pem":
            shown.failing(lambda path=path: ck.load_keystore(path, WRONG))
        shown.value(ck.find_damage(path.read_bytes()))
        if name != "a.jks":
            shown.value(ck.der_tree(path.read_bytes()))
    for kind in ("p256", "ed25519", "rsa2048", "mldsa65"):
        bare = ck.generate_key(kind)
        shown.value(ck.der_tree(bare.to_der()), ck.der_tree(bare.to_pem()), ck.DerLab(bare.to_der()))
        shown.value(ck.load_keystore(bare.to_der()), ck.find_damage(bare.to_pem()[:-40]))
        shown.failing(lambda bare=bare: ck.load_private_key(bare.to_der()[:-3]))
    shown.failing(lambda: ck.load_private_key(client.key.to_pem(STORE), WRONG))
    shown.failing(lambda: ck.Credential(ck.generate_key(), client.chain))
    done = ck.convert(folder / "a.p12", folder / "b.jks", STORE, new_password=OWN)
    assert stat.S_IMODE((folder / "b.jks").stat().st_mode) == 0o600
    shown.value(done)
    if ck.java_available():
        data = (folder / "b.jks").read_bytes()
        shown.value(ck.java_keystore(data, OWN, type="JKS"), ck.java_keystore(data, WRONG, type="JKS"))
        shown.append(
            ("keytool", ck.keytool("-list", "-keystore", folder / "b.jks", passwords={"-storepass": OWN}))
        )
        shown.failing(
            lambda: ck.keytool("-list", "-keystore", folder / "b.jks", passwords={"-storepass": WRONG})
        )


def handshakes(shown: Shown, server: ck.Credential, client: ck.Credential, anchors: ck.TrustStore) -> None:
    security = ck.ServerConfig(server, client_anchors=anchors)
    caller = ck.ClientConfig(anchors, client, host=HOST)
    runs = {tls: ck.handshake(caller, security, tls) for tls in ("1.2", "1.3")}
    for run in runs.values():
        shown.value(run, *run.messages)
        shown.append(("transcript", run.transcript))
    shown.value(security, caller, ck.compare_handshakes(runs), ck.HandshakeLab(fault="expired-leaf"))
    shown.value(ck.verify_chain(server.chain, anchors, host=HOST), ck.chain_graph(server.chain, anchors))
    for fault in (
        "client-cert-missing",
        "key-of-another-certificate",
        "key-without-passphrase",
        "wrong-password",
    ):
        found = ck.find_fault(fault)
        assert found.id == fault
        shown.value(found, found.scenario(), found.run())
    with (
        ck.UserService(security) as service,
        ck.Wiretap(service) as tap,
        ck.ForwardProxy("login") as proxy,
        ck.ReverseProxy(service, security, upstream=caller) as box,
        ck.FtpsService(security) as ftps,
    ):
        shown.value(ck.call_update_user(tap.url, "u-1001", "Inactive", caller))
        shown.value(ck.call_update_user(box.url, "u-1001", "Inactive", caller))
        for login, through in ((proxy.credentials, True), (("lab", WRONG), False)):
            call = ck.call_update_user(
                service.url, "u-1002", "Active", caller, proxy=proxy.url, proxy_credentials=login
            )
            assert call.ok is through
            shown.value(call)
        shown.value(ck.transfer_ftps(ftps, "orders.csv", caller))
        shown.value(ck.transfer_ftps(ftps, "orders.csv", caller, credentials=("lab", WRONG)))
        target = f"127.0.0.1:{service.port}"
        check = ck.check_server(target, name=HOST, anchors=anchors, client=client)
        shown.value(check, check.flight, service, tap, proxy, box, ftps, tap.conversation())
        for each in (service, proxy, box, ftps):
            shown.value(each.log, *each.log)
            shown.append(("log as a table", each.log.frame().to_csv()))
        lab_passwords = [ftps.password, proxy.credentials[1]]
    assert find([text for _, text in shown], (), lab_passwords) == []


def explanations(shown: Shown, folder: Path, client: ck.Credential, anchors: ck.TrustStore) -> None:
    text = "\n".join(
        [
            f"java -Djavax.net.ssl.keyStorePassword={PASTED} -jar callout.jar",
            f"keytool -list -storepass {PASTED} -keystore a.jks",
            f"curl -u lab:{PASTED} https://lab:{PASTED}@{HOST}/",
            "Proxy-Authorization: Basic " + base64.b64encode(f"lab:{PASTED}".encode()).decode(),
            client.key.to_pem().decode(),
            "javax.net.ssl.SSLHandshakeException: Received fatal alert: unknown_ca",
        ]
    )
    for extra in ({}, {"files": [folder / "a.p12", folder / "a.jks"], "password": STORE, "anchors": anchors}):
        diagnosis = ck.explain(text, **extra)  # type: ignore[arg-type]
        shown.value(diagnosis, *diagnosis.causes, diagnosis.text)
    shown.value(ck.explain(text).reproduce())


def inventory(shown: Shown, folder: Path, reports: Path) -> None:
    table = ck.scan_inventory(
        folder, passwords=[WRONG, STORE], output=reports / "all.parquet", workers=2, resume=False
    )
    assert "valid" in set(table["status"])
    shown.append(("attributes", repr(table.attrs)))
    shown.append(("table", table.to_csv() + table.to_html() + repr(table)))
    shown.value(ck.summarize_inventory(table), ck.expiry_timeline(table))
    for name in ("all.csv", "all.xlsx", "all.json", "all.ics"):
        ck.export_inventory(table, reports / name)
    ck.inventory_report(table, reports / "all.html")
    for path in reports.rglob("*"):
        if path.is_file():
            shown.file(path)


def estate(shown: Shown, folder: Path) -> None:
    """A practice estate: its keys are the lab's, and its one password is for its own file of passwords alone."""
    made = ck.make_estate(folder, stores=60, seed="secrets")
    shown.value(made)
    told = [text for _, text in show(made)] + [(made.folder / "answers.json").read_bytes()]
    table = ck.scan_inventory(made.folder, passwords=made.passwords)
    told += [
        table.to_csv(),
        table.to_html(),
        repr(table),
        repr(table.attrs),
        repr(ck.summarize_inventory(table)),
    ]
    password = made.passwords.read_text().strip()
    assert find(told, (), [password]) == []
    assert find([made.passwords.read_bytes()], (), [password])
    shown += [("estate", text) for text in told]


def command_line(
    shown: Shown, folder: Path, reports: Path, capfd: pytest.CaptureFixture[str], service: ck.UserService
) -> None:
    files = {name: reports / f"{name}.txt" for name in ("store", "wrong")}
    files["store"].write_text(STORE + "\n")
    files["wrong"].write_text(WRONG + "\n")
    right, wrong = (["--password-file", str(path)] for path in files.values())
    p12, jks = str(folder / "a.p12"), str(folder / "a.jks")
    calls = [
        ["inspect", p12, jks, *right],
        ["inspect", "--explain", "--json", p12, jks, *right],
        ["inspect", p12, *wrong],
        ["convert", p12, str(folder / "c.jks"), *right],
        ["convert", p12, str(folder / "d.jks"), *wrong],
        ["convert", p12, str(folder / "e.pem"), "--json", *right],
        ["bytes", p12],
        ["bytes", str(folder / "a.pem")],
        ["decode", "DerInputStream.getLength(): lengthTag=109, too big.", p12],
        ["scan", str(folder), "--output", str(reports / "cli.csv")],
        ["check", f"127.0.0.1:{service.port}", "--client", p12, *right, "--json"],
        ["check", f"127.0.0.1:{service.port}", "--client", p12, *wrong],
        ["explain", "keystore password was incorrect", "--file", p12, *right, "--json"],
        [
            "explain",
            f"-storepass {PASTED} keystore password was incorrect",
            "--html",
            str(reports / "e.html"),
        ],
        ["handshake", "--two-way", "--json"],
    ]
    for arguments in calls:
        capfd.readouterr()
        try:
            main(arguments)
        except SystemExit as gone:
            assert gone.code == 0, arguments
        told = capfd.readouterr()
        assert told.out + told.err, arguments
        shown.append((f"certkit {arguments[0]}", told.out + told.err))
    for path in (folder / "c.jks", folder / "e.pem"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    for name in ("cli.csv", "e.html"):
        shown.file(reports / name)
    for path in files.values():
        path.unlink()


def test_no_secret_is_shown(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    commands: list[str],
    temporary: list[tuple[Path, int]],
) -> None:
    """Do what the lab does with fresh keys and passwords of our own, and look through everything that came out."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("matplotlib").setLevel(logging.INFO)  # it tells of each font
    folder, reports = tmp_path / "stores", tmp_path / "reports"
    folder.mkdir()
    reports.mkdir()
    shown = Shown()
    with Watch(*PASSWORDS) as watch:
        server, client, anchors = credentials(shown)
        keystores(shown, folder, client)
        handshakes(shown, server, client, anchors)
        explanations(shown, folder, client, anchors)
        inventory(shown, folder, reports)
        estate(shown, tmp_path / "estate")
        with ck.UserService(ck.ServerConfig(server, client_anchors=anchors)) as service:
            command_line(shown, folder, reports, capfd, service)
        shown += [("log line", record.getMessage()) for record in caplog.records]
        shown += [("command line", command) for command in commands]
        shown.append(("output", "".join(capfd.readouterr())))
        assert len(watch.keys) > 30
        assert len(shown) > 500
        assert watch.leaks(*(text for _, text in shown)) == []
    assert temporary or not commands
    assert {mode for _, mode in temporary} <= {0o700}
    assert [path for path, _ in temporary if path.exists()] == []


def test_a_list_opens_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every format with a key, listed by value, table, scan and command: no key is opened on the way."""
    own = ck.CertificateAuthority("Lab Root CA").issue(HOST, usage="server")
    paths = [ck.save_keystore(tmp_path / f"a{end}", {"own": own}, STORE) for end in (".p12", ".jks", ".pem")]
    (tmp_path / "plain.pem").write_bytes(own.key.to_pem() + own.chain.pem.encode())
    (tmp_path / "plain.der").write_bytes(own.key.to_der())
    word = tmp_path / "word.txt"
    word.write_text(STORE + "\n")
    opened: list[object] = []

    def spy(*given: object, **_: object) -> object:
        opened.append(given)
        raise AssertionError("a key was opened")

    for module in list(sys.modules.values()):
        ours = getattr(module, "__name__", "").startswith("certkit.")
        if ours and callable(vars(module).get("open_key")):
            monkeypatch.setattr(module, "open_key", spy)
    for name in ("unseal_jks", "unseal_jceks"):
        monkeypatch.setattr(f"certkit.formats.jks_keys.{name}", spy)
        monkeypatch.setattr(f"certkit.formats.open_key.{name}", spy)
    with Watch() as watch:
        for path in (*paths, tmp_path / "plain.pem", tmp_path / "plain.der"):
            store = ck.load_keystore(path, STORE)
            assert len(store.keys) == 1
            assert list(show(store))
            assert main(["inspect", "--explain", str(path), "--password-file", str(word)]) == 0
        assert len(ck.scan_inventory(tmp_path, passwords=[STORE])) >= 4
        assert watch.keys == []
        assert opened == []
        with pytest.raises(AssertionError, match="a key was opened"):
            ck.load_keystore(paths[0], STORE).keys[0].open(STORE)


@pytest.mark.parametrize("kind", ["p256", "p384", "ed25519", "mldsa65", "rsa2048"])
def test_a_leak_would_be_found(kind: str) -> None:
    """Prove the search itself: in whichever way a key or a password is shown, it is found."""
    with Watch(STORE) as watch:
        key = ck.generate_key(kind)
    assert watch.keys == [key]
    pem, der, secret = key.to_pem(), key.to_der(), next(iter(key._secrets()))
    columns = "\n".join(f"{at:04x}  {der[at : at + 16].hex(' ')}" for at in range(0, len(der), 16))
    for shown in (
        pem,
        der,
        der.hex(),
        json.dumps(pem.decode()),
        columns,
        secret.hex(":").upper(),
        str(int.from_bytes(secret, "big")),
        base64.urlsafe_b64encode(der).decode(),
        secret[5:25],
        repr(der),
        key.to_pem().replace(b"\n", b"&#10;"),
    ):
        assert watch.leaks(b"some text " + (shown if isinstance(shown, bytes) else shown.encode())), shown
    public = ck.create_csr("shop.example.test", key=key).der
    assert watch.leaks(public) == []
    assert watch.leaks(public.hex()) == []
    for shown in (STORE, json.dumps(STORE), base64.b64encode(f"lab:{STORE}".encode()).decode()):
        assert watch.leaks(f"-storepass {shown}"), shown
    assert watch.leaks(Finding.__doc__ or "") == []
