"""Every bound, gone over: the table in SECURITY.md, the constants, and what is said when one is passed."""

from __future__ import annotations

import ast
import base64
import http.client
import importlib
import io
import re
import socket
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from fuzz.targets_wire import Line
from test_formats_limits import PASSWORD, jks, nested_bags, pfx, scrypt_key

import certkit as ck
from certkit import _cli_explain
from certkit._der import encode, encode_integer, encode_oid
from certkit.checkup import _probe, _transport, check
from certkit.errors import CertkitError
from certkit.explanation import _pasted
from certkit.formats import damage, der_tree, limits, open_key, rc2, serialized
from certkit.inventory import _workbook, containers, reading
from certkit.inventory.passwords import Passwords
from certkit.lessons import group as group_module
from certkit.lessons.group import group_overview
from certkit.lessons.pair import exchange
from certkit.services import (
    _ftp_files,
    _head,
    _relay,
    _server,
    callout,
    ftps_client,
    log,
    reverse_proxy,
    soap,
    stub,
    tls_front,
    users,
    wiretap,
)
from certkit.services import revocation as responder
from certkit.stacks import _worker_process, call
from certkit.verification import _constraints, _graph_build
from certkit.verification import revocation as asking

ROOT = Path(__file__).resolve().parent.parent
AT = datetime(2026, 1, 1, tzinfo=UTC)
CA = ck.CertificateAuthority("Limit Root", seed="limits", at=AT)
LIVE = ck.CertificateAuthority("Live Root")
SHOP = CA.issue("shop.example.test", usage="server")
_ROW = re.compile(r"^\| ([^|]+) \| ([\d,]+) \| `(certkit[\w.]*)\.(\w+)` \| ([^|]+) \|$", re.M)
TABLE = {
    f"{module}.{name}": (int(value.replace(",", "")), what)
    for what, value, module, name, _ in _ROW.findall((ROOT / "SECURITY.md").read_text("utf-8"))
}

# What only shortens a picture, a table or a line, waits for our own threads, or is no bound of ours at all.
_NO_BOUND_OF_INPUT = {
    "certkit._html.MAX_PICTURE_BYTES": "of a drawing of ours",
    "certkit._learners.": "a measurement of ours",
    "certkit._site.": "our own notebooks",
    "certkit.checkup.measured._MOST_FAULTS": "rows shown",
    "certkit.inventory.fast.": "caches",
    "certkit.services._server.MAX_FAILURES": "failures of our own that are remembered",
    "certkit.widgets.file_lab.LARGEST": "in the browser's half of the lab; in the kernel the bound of a file counts",
    "certkit._report._MOST_ROWS": "rows shown; the data are whole",
    "certkit.atlas.picture._MOST": "faults shown",
    "certkit.explanation._weighing._MOST": "causes shown",
    "certkit.explanation.timeline._MOST": "steps shown",
    "certkit.handshakes.ladder.MAX_MESSAGES": "messages drawn; the table has all",
    "certkit.inventory._workbook._MOST_CHARACTERS": "of a cell, by the format",
    "certkit.stacks._java_callout._MAX_ANSWER": "the lab's own service answers",
    "certkit.stacks._java_ftps._MAX_FILE": "the lab's own service answers",
    "certkit.stacks.call._MAX_MESSAGE": "of a message shown",
    "certkit.stacks.java_opinion._MOST": "certificates that Java is asked about; said in the opinion",
    "certkit.verification._constraints._DIRECTORY_LIMIT": "explanations only: the judge decides",
    "certkit.verification._constraints._NAME_LIMIT": "explanations only: the judge decides",
    "certkit.verification.revocation._MOST_TIMES": "of the time-out that a caller gives",
    "certkit.verification.verify._MAX_FINDINGS": "findings kept; their number is said",
}


def said(do: Callable[[], object]) -> str:
    """Return a refusal's words, which have three parts: what, on what, what to try."""
    with pytest.raises(CertkitError) as caught:
        do()
    error = caught.value
    assert error.what
    assert error.on or error.hint, error
    assert error.hint, f"nothing to try: {error}"
    return str(error)


def sparse(path: Path, size: int) -> Path:
    with path.open("wb") as stream:
        stream.truncate(size)
    return path


@contextmanager
def answering(reply: bytes, pause: float = 0.0, times: int = 1) -> Iterator[int]:
    """Serve one connection on loopback: read a request, send `reply` so many times; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            try:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65_536)
                    for _ in range(times):
                        connection.sendall(reply)
                        time.sleep(pause)
            except OSError:
                return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
    thread.join(10)


def http_answer(size: int) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % size + bytes(size)


def key_of(size: int) -> bytes:
    algorithm = encode(0x30, encode_oid("1.2.840.113549.1.1.1"), encode(0x05))
    return encode(0x30, encode_integer(0), algorithm, encode(0x04, bytes(size)))


def sealed_with_salt(size: int) -> bytes:
    derivation = encode(0x30, encode(0x04, bytes(size)), encode_integer(1))
    scheme = encode(0x30, encode_oid("1.2.840.113549.1.5.12"), derivation)
    cipher = encode(0x30, encode_oid("2.16.840.1.101.3.4.1.42"), encode(0x04, bytes(16)))
    pbes2 = encode(0x30, encode_oid("1.2.840.113549.1.5.13"), encode(0x30, scheme, cipher))
    return encode(0x30, pbes2, encode(0x04, bytes(32)))


def openssh(rounds: int) -> bytes:
    pytest.importorskip("bcrypt", reason="bcrypt is not installed here yet: run the set-up again")
    builder = serialization.PrivateFormat.OpenSSH.encryption_builder().kdf_rounds(rounds)
    return SHOP.key.raw.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, builder.build(PASSWORD.encode())
    )


def java_object(strings: int) -> bytes:
    """Return a serialized object whose class is annotated with so many texts."""
    head = b"\x73\x72\x00\x01A" + bytes(8) + b"\x02\x00\x00"
    return b"\xac\xed\x00\x05" + head + b"\x74\x00\x01x" * strings + b"\x78\x70"


def zipped(inner: bytes, name: str, times: int) -> bytes:
    for _ in range(times):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr(name, inner)
        inner, name = stream.getvalue(), "inner.zip"
    return inner


def two_members() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.pem", "x")
        archive.writestr("b.pem", "x")
    return stream.getvalue()


def row_of(data: bytes) -> str:
    rows = list(reading.Reader(AT).content("file", data, True))
    return " ".join(row.error or "" for row in rows)


def many_names(patch: pytest.MonkeyPatch) -> str:
    """Compare many names with many constraints."""
    patch.setattr(_constraints, "COMPARISON_LIMIT", 100)
    names = [x509.DNSName(f"h{number}.example.test") for number in range(20)]
    limited = ck.CertificateAuthority("Limited", at=AT).intermediate(
        "Low", add=[(x509.NameConstraints(names, None), True)]
    )
    leaf = limited.issue(*(f"h{number}.example.test" for number in range(20)), usage="server")
    found = ck.verify_chain(leaf.chain, limited.trust_store, host="h1.example.test", at=AT)
    return " ".join(f"{item.kind} {item.text}" for item in found.findings)


def many_signatures(_: pytest.MonkeyPatch) -> str:
    copies = [CA.cross_sign(CA) for _ in range(150)]
    found = ck.verify_chain([*SHOP.chain, *copies], CA.trust_store, host="shop.example.test", at=AT)
    return " ".join(f"{item.kind} {item.text}" for item in found.findings)


def fifo_of_connections() -> str:
    """Open more connections than a service takes; say which came to an end at once."""
    with ck.SilentPort() as port:
        held = [
            socket.create_connection(port.address, timeout=10) for _ in range(_server.MAX_CONNECTIONS + 2)
        ]
        try:
            return "closed" if held[-1].recv(1) == b"" else "held"
        except ConnectionError:
            return "closed"
        finally:
            for connection in held:
                connection.close()


def service_refuses(length: int) -> int:
    with ck.UserService() as service:
        talk = http.client.HTTPConnection(*service.address, timeout=10)
        talk.putrequest("POST", "/users")
        talk.putheader("Content-Length", str(length))
        talk.endheaders()
        status = talk.getresponse().status
        talk.close()
        return status


def proxy_refuses() -> int:
    with answering(http_answer(reverse_proxy.MAX_BODY_BYTES + 1)) as port:
        here = LIVE.issue("127.0.0.1", usage="server")
        way = reverse_proxy.ReverseProxy(f"http://127.0.0.1:{port}", ck.ServerConfig(here))
        with way:
            trusting = ck.ClientConfig(LIVE.trust_store).context()
            talk = http.client.HTTPSConnection(*way.address, timeout=10, context=trusting)
            talk.request("GET", "/")
            status = talk.getresponse().status
            talk.close()
            return status


def head_of(size: int) -> str:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        threading.Thread(target=lambda: ours.sendall(b"GET /" + b"a" * size), daemon=True).start()
        return said(lambda: _head.read_head(theirs, 5.0))


def wsdl_of(size: int) -> str:
    with answering(http_answer(size)) as port:
        return said(lambda: ck.generate_stub(f"http://127.0.0.1:{port}/users?wsdl"))


def crl_of(size: int) -> str:
    with answering(http_answer(size)) as port:
        hand = asking._AtHand((), (), True, frozenset(), 5.0, AT)
        return str(hand.ask(f"http://127.0.0.1:{port}/crl", None))


def program(code: str, seconds: float, home: Path) -> str:
    return call.run_program([sys.executable, "-c", code], home=home, seconds=seconds).ended


def slow_worker(folder: Path, patch: pytest.MonkeyPatch) -> str:
    (folder / "sleeper.py").write_text("import time\ntime.sleep(60)\n")
    patch.setenv("PYTHONPATH", str(folder))
    patch.setattr(_worker_process, "_STARTUP_SECONDS", 0.2)
    return said(lambda: _worker_process.WorkerProcess("sleeper"))


def stored_over(patch: pytest.MonkeyPatch) -> str:
    patch.setattr(ftps_client, "MAX_FILE_BYTES", 100)
    security = ck.ServerConfig(LIVE.issue("127.0.0.1", usage="server"))
    with ck.FtpsService(security, files={"big.csv": bytes(200)}) as service:
        return ck.transfer_ftps(service, "big.csv", ck.ClientConfig(LIVE.trust_store)).error or ""


def sent_over(patch: pytest.MonkeyPatch) -> str:
    patch.setattr(_ftp_files, "MAX_FILE_BYTES", 100)
    security = ck.ServerConfig(LIVE.issue("127.0.0.1", usage="server"))
    with ck.FtpsService(security) as service:
        result = ck.transfer_ftps(service, "big.csv", ck.ClientConfig(LIVE.trust_store), store=bytes(200))
        return f"{result.ok} {result.error}"


def group(folder: Path, *, files: int = 1, size: int = 2) -> str:
    for number in range(files):
        sparse(folder / f"{number}.json", size)
    return repr(group_overview([folder]).unread)


def request_through_front() -> int:
    """Return how much of an endless request is read: the connection stands for one that never ends it."""
    endless = SimpleNamespace(recv=lambda size: b"a" * size)
    return len(tls_front._read_request(endless))  # type: ignore[arg-type]


def dropped_lines() -> str:
    notes = log.Notes()
    for number in range(log.MAX_RECORDS + 1):
        notes.add(number, "request", "answered", ok=True, caller=None, detail="")
    return f"{len(notes.log())} from {notes.log()[0].connection}"


def silent_relay(patch: pytest.MonkeyPatch) -> str:
    patch.setattr(_relay, "IDLE_SECONDS", 0.2)
    (a, b), (c, d) = socket.socketpair(), socket.socketpair()
    with a, b, c, d:
        return repr(_relay.relay(b, c))


def silent_client(patch: pytest.MonkeyPatch) -> str:
    """Connect to a service and say nothing."""
    patch.setattr(_server, "STEP_SECONDS", 0.3)
    with ck.UserService() as service, socket.create_connection(service.address, timeout=30) as client:
        return repr(client.recv(100)[:12])


def long_hello() -> str:
    with ck.SniRouter({"a.test": ("127.0.0.1", 9)}) as router:
        with socket.create_connection(router.address, timeout=10) as client:
            record = b"\x16\x03\x01\x40\x00" + b"\x01\xff\xff\xff" + bytes(0x3FFC)
            for _ in range(6):
                try:
                    client.sendall(record)
                except OSError:
                    break
            with suppress(OSError):
                client.recv(10)
        return router.log[0].detail or ""


def asked_long() -> int:
    with ck.RevocationService(CA) as service:
        talk = http.client.HTTPConnection(*service.address, timeout=10)
        talk.putrequest("POST", "/ocsp")
        talk.putheader("Content-Length", str(responder._MAX_REQUEST + 1))
        talk.endheaders()
        status = talk.getresponse().status
        talk.close()
        return status


def long_answer() -> str:
    with answering(http_answer(callout.MAX_ANSWER_BYTES + 1)) as port:
        result = ck.call_update_user(f"http://127.0.0.1:{port}/users", "u-1001", "Active")
        return f"{result.ok} {result.error}"


def long_flight() -> str:
    record = b"\x16\x03\x03\x40\x00" + b"\x02\xff\xff\xff" + bytes(0x3FFC)
    data = record * (_probe.MAX_FLIGHT_BYTES // len(record) + 2)
    return said(lambda: _probe.first_flight(Line(data), "shop.example.test"))


def silent_server() -> str:
    with ck.SilentPort() as port:
        result = ck.check_server(f"127.0.0.1:{port.port}", step=0.3, anchors=CA.trust_store)
        return result.text()


def explained(path: Path) -> str:
    return said(lambda: _cli_explain._text([str(sparse(path, _cli_explain._MOST_BYTES + 1))], False))


def long_paste() -> str:
    found = ck.explain("handshake_failure\n" + "x" * _pasted.LIMIT)
    return " ".join(found.notes)


def crowded() -> str:
    graph = ck.chain_graph(_crowd(_graph_build._MOST + 5))
    return graph.text()


def _crowd(number: int) -> list[ck.Certificate]:
    """Return many different certificates, made from one: another serial number each, and a signature that fits none."""
    template = SHOP.certificate.der
    at = template.find(b"\xa0\x03\x02\x01\x02\x02") + 8
    return [
        ck.Certificate.from_der(template[:at] + value.to_bytes(4) + template[at + 4 :])
        for value in range(number)
    ]


def unasked() -> str:
    found = ck.verify_chain([*SHOP.chain, *_crowd(200)], CA.trust_store, host="shop.example.test", at=AT)
    return " ".join(opinion.text for opinion in found.opinions if opinion.ok is None)


OVER: dict[str, Callable[[Path, pytest.MonkeyPatch], tuple[object, str]]] = {
    "certkit._files.MAX_FILE_BYTES": lambda tmp, _: (
        said(lambda: ck.load_keystore(sparse(tmp / "big.p12", 64 * 1024 * 1024 + 1))),
        "67,108,865 bytes and at most 67,108,864",
    ),
    "certkit.formats.limits.MAX_ITERATIONS": lambda *_: (
        said(lambda: ck.load_keystore(pfx(limits.MAX_ITERATIONS + 1), PASSWORD)),
        "2,000,001 rounds",
    ),
    "certkit.formats.limits.MAX_ENTRIES": lambda *_: (
        said(lambda: ck.load_keystore(jks(limits.MAX_ENTRIES + 1))),
        "100,001 entries",
    ),
    "certkit.formats.limits.MAX_DEPTH": lambda *_: (
        said(lambda: ck.load_keystore(nested_bags(limits.MAX_DEPTH + 1))),
        "more than 24 levels",
    ),
    "certkit.formats.limits.MAX_KEY_BYTES": lambda *_: (
        said(lambda: ck.load_keystore(key_of(limits.MAX_KEY_BYTES + 1))),
        "at most 32,768",
    ),
    "certkit.formats.limits.MAX_SALT_BYTES": lambda *_: (
        said(lambda: ck.load_private_key(sealed_with_salt(limits.MAX_SALT_BYTES + 1), PASSWORD)),
        "a salt of 4,097 bytes",
    ),
    "certkit.formats.limits.MAX_SCRYPT_BYTES": lambda *_: (
        said(lambda: ck.load_private_key(scrypt_key(2**16), PASSWORD)),
        "at most 67,108,864 are given",
    ),
    "certkit.formats.limits.MAX_BASE64_BYTES": lambda *_: (
        said(lambda: ck.load_keystore(base64.b64encode(b"0\x82" + bytes(limits.MAX_BASE64_BYTES)))),
        "at most 16,777,216",
    ),
    "certkit.formats.limits.MAX_RC2_BYTES": lambda *_: (
        said(lambda: rc2.decrypt_cbc(bytes(5), bytes(8), bytes(limits.MAX_RC2_BYTES + 8))),
        "at most 262,144",
    ),
    "certkit.formats.open_key._MAX_BCRYPT_ROUNDS": lambda *_: (
        said(lambda: ck.load_private_key(openssh(open_key._MAX_BCRYPT_ROUNDS + 1), PASSWORD)),
        "101 rounds of bcrypt",
    ),
    "certkit.formats.serialized._MOST_HANDLES": lambda *_: (
        said(lambda: serialized.skip_object(data := java_object(serialized._MOST_HANDLES), 0, len(data))),
        "too many parts",
    ),
    "certkit.formats.der_tree._MOST_NODES": lambda *_: (
        said(lambda: ck.der_tree(encode(0x30, b"\x05\x00" * der_tree._MOST_NODES))),
        "more than 5,000 elements",
    ),
    "certkit.formats.damage._LARGEST": lambda *_: (
        (
            ck.find_damage(b"\xef\xbb\xbf" + SHOP.certificate.der),
            ck.find_damage(b"\xef\xbb\xbf" + SHOP.certificate.der + bytes(damage._LARGEST)),
        ),
        "byte order mark",
    ),
    "certkit.inventory.containers.MAX_MEMBERS": lambda _, patch: (
        patch.setattr(containers, "MAX_MEMBERS", 0) or row_of(zipped(b"x", "a.pem", 1)),
        "more than 0 members",
    ),
    "certkit.inventory.containers.MAX_UNPACKED": lambda _, patch: (
        patch.setattr(containers, "MAX_UNPACKED", 0) or row_of(two_members()),
        "members or 0 bytes",
    ),
    "certkit.inventory.containers.MAX_YAML_DEPTH": lambda *_: (
        row_of(b"kind: Secret\nx: " + b"[" * (containers.MAX_YAML_DEPTH + 1)),
        "more than 64 levels",
    ),
    "certkit.inventory.reading.MAX_NESTING": lambda *_: (
        row_of(zipped(SHOP.chain.pem.encode(), "a.pem", reading.MAX_NESTING + 1)),
        "more than 3 deep",
    ),
    "certkit.inventory.passwords._MOST": lambda *_: (
        said(lambda: Passwords(map(str, range(1001)))),
        "more than 1,000 passwords",
    ),
    "certkit.inventory._workbook._MOST_ROWS": lambda tmp, _: (
        said(lambda: _workbook.write_workbook(tmp / "a.xlsx", (), (), str, count=_workbook._MOST_ROWS + 1)),
        "1,048,575 rows, and these are 1,048,576",
    ),
    "certkit.verification._search.SIGNATURE_LIMIT": lambda _, patch: (many_signatures(patch), "search-limit"),
    "certkit.verification._openssl.SIZE_LIMIT": lambda *_: (unasked(), "more than 64 kB"),
    "certkit.verification._constraints.COMPARISON_LIMIT": lambda _, patch: (
        many_names(patch),
        "search-limit",
    ),
    "certkit.verification._graph_build._MOST": lambda *_: (crowded(), "more"),
    "certkit.verification.revocation._MOST_BYTES": lambda *_: (
        crl_of(asking._MOST_BYTES + 1),
        "more than 20,971,520 bytes",
    ),
    "certkit.explanation._pasted.LIMIT": lambda *_: (long_paste(), "the middle was not"),
    "certkit._cli_explain._MOST_BYTES": lambda tmp, _: (explained(tmp / "big.log"), "over 64 MB"),
    "certkit.checkup.check.STEP_SECONDS": lambda *_: (silent_server(), "No answer within 0.3 s"),
    "certkit.checkup.check.MAX_WORKERS": lambda *_: (
        said(lambda: list(ck.check_servers([], workers=check.MAX_WORKERS + 1))),
        "1 to 64",
    ),
    "certkit.checkup._probe.MAX_FLIGHT_BYTES": lambda *_: (long_flight(), "sends without end"),
    "certkit.checkup._transport.MAX_PLAIN_BYTES": lambda *_: (
        said(lambda: _transport.STARTTLS["smtp"](Line(b"2" * 70_000), "shop.example.test")),
        "more than 65,536 bytes before TLS",
    ),
    "certkit.services._server.MAX_CONNECTIONS": lambda *_: (fifo_of_connections(), "closed"),
    "certkit.services._server.STEP_SECONDS": lambda _, patch: (silent_client(patch), "b''"),
    "certkit.services._relay.IDLE_SECONDS": lambda _, patch: (silent_relay(patch), "None"),
    "certkit.services._head.MAX_HEAD_BYTES": lambda *_: (head_of(40_000), "at most 16,384"),
    "certkit.services.users.MAX_BODY_BYTES": lambda *_: (service_refuses(users.MAX_BODY_BYTES + 1), "413"),
    "certkit.services.soap.MAX_DEPTH": lambda *_: (
        said(lambda: soap.parse_envelope(b"<a>" * (soap.MAX_DEPTH + 1))),
        "at level 33",
    ),
    "certkit.services.soap.MAX_ELEMENTS": lambda *_: (
        said(lambda: soap.parse_envelope(b"<a>" + b"<b/>" * soap.MAX_ELEMENTS + b"</a>")),
        "element 2,001",
    ),
    "certkit.services.reverse_proxy.MAX_BODY_BYTES": lambda *_: (proxy_refuses(), "502"),
    "certkit.services.tls_front.MAX_REQUEST_BYTES": lambda *_: (request_through_front(), "1048576"),
    "certkit.services.callout.MAX_ANSWER_BYTES": lambda *_: (long_answer(), "False"),
    "certkit.services.stub.MAX_BYTES": lambda *_: (wsdl_of(stub.MAX_BYTES + 1), "more than 1,048,576 bytes"),
    "certkit.services.ftps_client.MAX_FILE_BYTES": lambda _, patch: (
        stored_over(patch),
        "more than 100 bytes",
    ),
    "certkit.services._ftp_files.MAX_FILE_BYTES": lambda _, patch: (sent_over(patch), "False"),
    "certkit.lessons.group.MAX_FILES": lambda tmp, _: (
        said(lambda: group(tmp, files=group_module.MAX_FILES + 1)),
        "1,000 files at most",
    ),
    "certkit.lessons.group.MAX_BYTES": lambda tmp, _: (
        group(tmp, size=group_module.MAX_BYTES + 1),
        "at most 1,048,576",
    ),
    "certkit.formats.jks_write._LONGEST_ALIAS": lambda *_: (
        said(lambda: ck.keystore_bytes({"a" * 65_536: SHOP}, PASSWORD, format="jks")),
        "at most 65,535",
    ),
    "certkit.services.wiretap.MAX_KEPT_BYTES": lambda *_: (_tapped(), "4 dropped"),
    "certkit.services.log.MAX_RECORDS": lambda *_: (dropped_lines(), "10000 from 1"),
    "certkit.services.revocation._MAX_REQUEST": lambda *_: (asked_long(), "400"),
    "certkit.services.sni._MAX_HELLO_BYTES": lambda *_: (long_hello(), "no ClientHello came"),
    "certkit.lessons.pair.exchange.MAX_BYTES": lambda tmp, _: (
        sparse(tmp / "big.pem", exchange.MAX_BYTES + 1) and exchange.Exchange.at(tmp).letters()[0].refused,
        "1,048,577 bytes and at most 1,048,576",
    ),
    "certkit.stacks.call.SECONDS": lambda tmp, _: (
        program("import time; time.sleep(60)", 0.5, tmp),
        "timed-out",
    ),
    "certkit.stacks.call.MAX_OUTPUT": lambda tmp, _: (
        program("while True: print('x' * 10000)", 30, tmp),
        "overflowed",
    ),
    "certkit.stacks._worker_process._STARTUP_SECONDS": lambda tmp, patch: (
        slow_worker(tmp, patch),
        "did not answer within 0.2 seconds",
    ),
}


def _tapped() -> str:
    tap = wiretap.Wiretap(("127.0.0.1", 9))
    tap._note(1, "client", bytes(wiretap.MAX_KEPT_BYTES))
    tap._note(1, "client", b"more")
    return f"{tap.conversation().dropped} dropped"


@pytest.mark.parametrize("name", TABLE)
def test_the_table_tells_the_truth(name: str) -> None:
    module, _, constant = name.rpartition(".")
    assert getattr(importlib.import_module(module), constant) == TABLE[name][0]


@pytest.mark.parametrize("name", OVER)
def test_what_is_over_a_limit_is_told_so(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, words = OVER[name](tmp_path, monkeypatch)
    assert words in str(seen)
    if name.endswith("damage._LARGEST"):
        assert seen[1] is None  # type: ignore[index]


def test_each_limit_is_gone_over() -> None:
    assert set(OVER) == set(TABLE)


def _bounds() -> Iterator[str]:
    """Yield each number of the house that is called a bound."""
    for path in sorted((ROOT / "certkit").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.parse(path.read_text("utf-8")).body:
            target = node.targets[0] if isinstance(node, ast.Assign) else None
            if isinstance(target, ast.Name) and isinstance(node.value, ast.Constant | ast.BinOp):
                words = set(target.id.strip("_").split("_"))
                if words & {"MAX", "MOST", "LIMIT", "LARGEST"} or f"{module}.{target.id}" in TABLE:
                    yield f"{module}.{target.id}"


def test_no_bound_is_missing_from_the_table() -> None:
    found = set(_bounds())
    assert set(TABLE) <= found, "the table names what is no constant"
    others = tuple(_NO_BOUND_OF_INPUT)
    new = {name for name in found - set(TABLE) if not name.startswith(others)}
    assert not new, f"give these a row in SECURITY.md, or say in _NO_BOUND_OF_INPUT why not: {sorted(new)}"
    assert [name for name in others if not any(item.startswith(name) for item in found)] == [], (
        "these are gone"
    )
