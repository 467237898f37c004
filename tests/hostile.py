"""Certificates whose text wants to do harm, and every value that shows such text."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

import certkit as ck
from certkit.atlas import Atlas, AtlasRow

SCRIPT = (
    "<script>window.harmed=1</script><img src=x onerror=window.harmed=2>\"' onmouseover='window.harmed=3'"
    " <svg onload=window.harmed=4></svg><iframe src='javascript:parent.harmed=5'></iframe>"
)
CLOSING = (
    "--></style></title></textarea></pre></svg></table></script><script>window.harmed=6</script>]]>&lt;&#60;"
)
BIDI = "gnp.\u202eexe\u2066\u2069\u200b\u200f\ufeff evil"
CONTROLS = "a\x1b[2J\x1b]0;owned\x07\r\nb\x00\x08\x7f\x85\u2028c"
HOSTILE = {
    "script": SCRIPT,
    "closing tags": CLOSING,
    "bidi": BIDI,
    "controls": CONTROLS,
    "64 kB": "<b>&\u202e" * 13_000,
}
# Values of the lab's own making: no text of a peer or of a file can come into them.
OWN_TEXT = {
    *(
        "Cause",
        "Exercise",
        "Quiz",
        "Progress",
        "Clinic",
        "ClinicCase",
        "Fixture",
        "Mystery",
        "Estate",
        "Fault",
    ),
    *("PrivateKey", "ClosedPort", "Stub", "Reproduction", "Tally", "Result", "Damage", "LoopbackServer"),
    *("Case", "Grade", "PlatformRules", "OcspAnswer", "Glossary", "TodayBox", "Way", "GroupOverview"),
}


def named(text: str, *kinds: x509.ObjectIdentifier) -> x509.Name:
    """Return a name with `text` in it, which cryptography warns of where it is longer than the standard allows."""
    with tolerant():
        return x509.Name([x509.NameAttribute(kind, text, _validate=False) for kind in kinds])


def tolerant() -> warnings.catch_warnings[None]:
    return warnings.catch_warnings(action="ignore", category=UserWarning)


def certificate(text: str, issuer: ck.Credential | None = None, *, ca: bool = False) -> ck.Credential:
    """Return a credential whose every name is `text`: subject, alternative names, addresses, policies."""
    key = ck.generate_key(seed="hostile" + ("ca" if ca else "leaf"))
    name = named(text, NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
    ascii_text = text.encode("ascii", "replace").decode()
    uri = x509.UniformResourceIdentifier._init_without_validation(ascii_text)
    dns = x509.DNSName._init_without_validation(ascii_text)
    point = x509.DistributionPoint([uri], None, None, None)
    access = x509.AccessDescription(x509.oid.AuthorityInformationAccessOID.OCSP, uri)
    notice = x509.UserNotice(None, text[:200])
    now = datetime.now(UTC).replace(microsecond=0)
    builder = x509.CertificateBuilder().subject_name(name).public_key(key.raw.public_key())  # type: ignore[arg-type]
    with tolerant():
        builder = builder.issuer_name(name if issuer is None else issuer.certificate.raw.subject)
    builder = (
        builder.serial_number(7).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(9))
    )
    for extension in (
        x509.BasicConstraints(ca, None),
        x509.SubjectAlternativeName([dns, uri, x509.DirectoryName(name)]),
        x509.CRLDistributionPoints([point]),
        x509.AuthorityInformationAccess([access]),
        x509.CertificatePolicies(
            [x509.PolicyInformation(x509.ObjectIdentifier("1.2.3.4"), [notice, ascii_text])]
        ),
    ):
        builder = builder.add_extension(extension, critical=False)
    signer = key if issuer is None else issuer.key
    made = ck.Certificate(builder.sign(signer.raw, hashes.SHA256()))  # type: ignore[arg-type]
    return ck.Credential(key, ck.Chain([made] if issuer is None else [made, *issuer.chain]))


def values(text: str) -> Iterator[object]:
    """Yield every value that shows text of a certificate, of a peer, or of a file."""
    root = certificate(text, ca=True)
    leaf = certificate(text, root)
    anchors = ck.TrustStore([root.certificate])
    yield from (leaf.certificate, leaf.chain, anchors, leaf)
    verdict = ck.verify_chain(leaf.chain, anchors, host="shop.example.test")
    yield from (verdict, *verdict.findings, ck.chain_graph(leaf.chain, anchors))
    yield ck.difference(root.certificate, leaf.certificate)
    yield ck.chain_figure(ck.chain_graph(leaf.chain, anchors))
    alias = text[:1000]
    store = ck.load_keystore(ck.keystore_bytes({alias: leaf}, "changeit", iterations=100), "changeit")
    yield store
    yield from (ck.der_tree(leaf.certificate.der), ck.DerLab(leaf.certificate.der))
    authority = ck.CertificateAuthority("Lab Root")
    request = _request(text)
    yield from (request, authority)
    yield _revocation_list(text)
    server, client = ck.ServerConfig(leaf, client_anchors=anchors), ck.ClientConfig(anchors, leaf)
    yield from (server, client)
    run = ck.handshake(client, server)
    yield from (run, *run.messages, ck.compare_handshakes({text[:500]: run}))
    yield from _services(text, server, client)
    yield from _pair(leaf, root)
    diagnosis = ck.explain(text[:20_000] + "\nPKIX path building failed\n" + leaf.certificate.pem)
    yield from (diagnosis, *diagnosis.causes)
    yield Atlas((AtlasRow("expired-leaf", text, "curl", text, text, "1.3", "refused", text, text, text),))
    yield ck.decode_byte(f"DerInputStream.getLength(): lengthTag=109, too big. {text[:1000]}")
    if ck.java_available():
        yield ck.java_pkix(leaf.chain, anchors, host="shop.example.test")
        yield ck.java_keystore(ck.keystore_bytes({alias: leaf}, "changeit", iterations=100), "changeit")


def _request(text: str) -> ck.CertificateSigningRequest:
    name = named(text, NameOID.COMMON_NAME)
    key = ck.generate_key(seed="hostile request")
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    return ck.CertificateSigningRequest(builder.sign(key.raw, hashes.SHA256()))  # type: ignore[arg-type]


def _revocation_list(text: str) -> ck.RevocationList:
    name = named(text, NameOID.COMMON_NAME)
    builder = x509.CertificateRevocationListBuilder().issuer_name(name)
    now = datetime.now(UTC)
    builder = builder.last_update(now).next_update(now + timedelta(days=1))
    return ck.RevocationList(builder.sign(ck.generate_key(seed="list").raw, hashes.SHA256()))  # type: ignore[arg-type]


def _services(text: str, server: ck.ServerConfig, client: ck.ClientConfig) -> Iterator[object]:
    careless = ck.ClientConfig(client.anchors, client.credential, check_host=False)
    with ck.UserService(server) as service, ck.Wiretap(service) as tap, ck.FtpsService(server) as ftps:
        call = ck.call_update_user(
            tap.url,
            "u-1001" + text[:40].replace("\x1b", "").replace("\x07", "").split("\r")[0],
            "Active",
            careless,
        )
        platform = ck.ClientPlatform(client.anchors, [service.url]) if ck.java_available() else None
        yield from (call, platform or call, service, service.log, tap, tap.conversation())
        yield ck.transfer_ftps(ftps, "orders.csv", careless)
        yield ck.check_server(f"127.0.0.1:{service.port}", anchors=client.anchors, client=client.credential)


def _pair(leaf: ck.Credential, root: ck.Credential) -> Iterator[object]:
    """Yield the two companies of the pair mode, with what a hostile partner sends."""
    with tempfile.TemporaryDirectory() as folder:
        orders = ck.ServerCompany(Path(folder, "exchange"), home=Path(folder, "orders"))
        acme = ck.ClientCompany(Path(folder, "exchange"), home=Path(folder, "acme"))
        exchange = orders.received()
        exchange.send("leaf.der", leaf.certificate.der)
        exchange.send("root.der", root.certificate.der)
        with suppress(OSError):  # not every file system takes such a name
            (exchange.folder / f"{leaf.certificate.name[:40].replace('/', '-')}.pem").write_bytes(
                b"no letter"
            )
        acme.key = leaf.key
        orders.credential, orders.client_anchors, orders.two_way = (
            leaf,
            ck.TrustStore([root.certificate]),
            True,
        )
        yield from (exchange, acme.trust("root.der"), acme.install("leaf.der"), orders, acme)


def pages(text: str, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the reports that a user would send to others: (what, HTML)."""
    leaf = certificate(text, certificate(text, ca=True))
    (folder / "a.pem").write_text(leaf.chain.pem)
    (folder / "a.p12").write_bytes(ck.keystore_bytes({text[:500]: leaf}, "changeit", iterations=100))
    table = ck.scan_inventory(folder, passwords=["changeit"], workers=1)
    yield "the table", table._repr_html_()
    yield "the summary", ck.summarize_inventory(table)._repr_html_()
    for make in (ck.expiry_timeline, ck.expiry_calendar):
        yield make.__name__, make(table)._repr_html_()
    report = ck.inventory_report(table, folder / "report.html", title=text[:200])
    yield "the report", report.read_text()


def html_of(value: object) -> str:
    """Return what a notebook would show of a value."""
    for way in ("static_html", "_repr_html_"):
        if hasattr(value, way):
            return str(getattr(value, way)())
    raise TypeError(type(value).__name__)


@cache
def shown(what: str) -> tuple[tuple[str, str, str], ...]:
    """Return (what, HTML, its line in a terminal) for every value and report made of one kind of hostile text."""
    with tempfile.TemporaryDirectory() as folder:
        found = [(type(value).__name__, html_of(value), repr(value)) for value in values(HOSTILE[what])]
        return (*found, *((name, html, "") for name, html in pages(HOSTILE[what], Path(folder))))
