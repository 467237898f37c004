"""Parsers of files: keystores, keys, certificates, lists, archives, tables."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import tempfile
import warnings
import zipfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from fuzz.mutations import specimens
from fuzz.targets import PASSWORD, Target, each, quiet

import certkit as ck
from certkit import _der
from certkit.certificates import Certificate, certificate_of
from certkit.explanation.files import look_at
from certkit.explanation.files import text_of as log_text
from certkit.formats import (
    ber,
    damage,
    der,
    jks,
    jks_keys,
    pem,
    pkcs7,
    pkcs12,
    pkcs12_links,
    serialized,
    sniff,
    strangers,
)
from certkit.inventory.containers import is_secret, secret_members
from certkit.inventory.fields import careful_fields, read_fields
from certkit.inventory.passwords import Passwords
from certkit.inventory.places import Place
from certkit.inventory.reading import Reader
from certkit.keystores.explaining import explain_entry, explain_store
from certkit.lessons.pair.company import _address
from certkit.lessons.pair.exchange import kind_of_letter
from certkit.lessons.progress import Progress
from certkit.revocation import OcspAnswer, RevocationList
from certkit.services import soap
from certkit.verification import _names, _search

AT = datetime(2026, 1, 1, tzinfo=UTC)


@cache
def root() -> ck.CertificateAuthority:
    """Return the CA whose files are mutated."""
    return ck.CertificateAuthority("Fuzz Root", seed="fuzz", at=AT)


@cache
def good(*names: str) -> list[bytes]:
    """Return good files of these formats; of all without names."""
    files = specimens()
    return [files[name] for name in names] if names else list(files.values())


@cache
def good_chain() -> ck.Chain:
    """Return a chain that is trusted, and whose certificates a list may revoke."""
    return root().issue("shop.example.test", usage="server").chain


def keystore(data: bytes) -> None:
    """Open, show and explain a store, and open its keys."""
    for password in (None, PASSWORD):
        with quiet:
            store = ck.load_keystore(data, password)
            repr(store), store._repr_html_(), explain_store(store)
            for entry in store.keys[:3]:
                each(password, entry.open)
        each(
            data,
            lambda data, password=password: ck.load_certificates(data, password),
            lambda data, password=password: ck.load_certificate(data, password),
            lambda data, password=password: ck.load_private_key(data, password),
            lambda data, password=password: ck.load_credential(data, None, password),
            lambda data, password=password: sniff.read_contents(data, password),
        )


def convert(data: bytes) -> None:
    """Convert a store to every format."""
    with tempfile.TemporaryDirectory() as folder:

        def to(name: str, **options: object) -> None:
            ck.convert(data, Path(folder, name), PASSWORD, overwrite=True, **options)._repr_html_()

        each(
            "out.p12",
            lambda name: to(name, iterations=1000),
            lambda name: to(name, legacy=True, iterations=1000),
        )
        for name in ("out.jks", "out.pem", "out.p7b"):
            each(name, to)


def tree(data: bytes) -> None:
    """Draw bytes as a tree of fields."""
    found = ck.der_tree(data)
    str(found), repr(found), found._repr_html_(), found.nodes


def elements(data: bytes) -> None:
    """Walk over DER and BER by hand."""

    def walk(data: bytes) -> None:
        for element in _der.walk(data):
            each(element.content, _der.oid_text)
            each(element, _der.integer, _der.Element.children)

    each(data, walk, _der.read, der.structure, ber.definite, damage.whole)
    each(data, pkcs12_links.issuer_and_subject, strangers.is_bcfks, strangers.stranger)


def armor(data: bytes) -> None:
    """Read PEM and base64."""
    each(data, pem.text_of, pem.pem_blocks, pem.looks_like_armor, pem.bare_base64, pem.decode_base64)


def damaged(data: bytes) -> None:
    """Ask what happened to a file."""
    found = ck.find_damage(data)
    if found is not None:
        repr(found), found._repr_html_()
    damage.refuse(data)


def java(data: bytes) -> None:
    """Read JKS and JCEKS by themselves, and what is sealed in them."""
    each(
        data,
        lambda data: jks.read_jks(data, PASSWORD),
        jks.read_jks,
        jks.modified_utf8,
        lambda data: jks_keys.unseal_jks(data, PASSWORD),
        lambda data: jks_keys.unseal_jceks(data, PASSWORD),
        lambda data: serialized.skip_object(data, 0, len(data)),
    )


def pkcs(data: bytes) -> None:
    """Read PKCS#12 and PKCS#7 by themselves."""
    each(data, lambda data: pkcs12.read_pkcs12(data, PASSWORD), pkcs12.read_pkcs12, pkcs7.read_pkcs7)


def certificate(data: bytes) -> None:
    """Read a certificate in every way, and look at all of it; the two readers of its fields have to agree."""
    each(
        data,
        _names.general_names,
        _names.subtrees,
        _names.canonical,
        _names.attribute_count,
    )
    each(data, read_fields, careful_fields)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as it asks its callers to
        each(data, certificate_of)
    found = Certificate.from_der(data)
    _search.subject_of(data)
    for name in dir(found):
        if not name.startswith("_") and name != "raw":  # cryptography's repr does not bear every name
            value = getattr(found, name)
            if not callable(value):
                repr(value)
    repr(found), found._repr_html_(), found.explain(), found.validity(AT), found.days_left(AT)
    found.names_host("shop.example.test"), found.is_signed_by(found)
    for extension in found.extensions:
        repr(extension), extension.text, extension.meaning
    assert read_fields(data) == careful_fields(data)


def chain(data: bytes) -> None:
    """Judge, draw and compare a chain."""
    found = ck.Chain(ck.load_certificates(data))
    for anchors in (root().trust_store, ck.TrustStore(found)):
        verdict = ck.verify_chain(found, anchors, host="shop.example.test", at=AT)
        repr(verdict), verdict._repr_html_()
    ck.chain_graph(found, anchors)._repr_html_()
    ck.difference(found[0], found[-1])._repr_html_()


def request(data: bytes) -> None:
    """Read a request for a certificate, and sign it."""
    for entry in ck.load_keystore(data):
        if entry.kind == "certificate-request":
            each(entry, explain_entry)
            root().sign_csr(entry.request, usage="server")


def revocation(data: bytes) -> None:
    """Read a list and an answer of OCSP."""

    def crl(data: bytes) -> None:
        found = RevocationList.from_bytes(data)
        (
            repr(found),
            found._repr_html_(),
            found.lists(root().certificate),
            found.is_signed_by(root().certificate),
        )

    def answer(data: bytes) -> None:
        found = OcspAnswer.from_bytes(data)
        repr(found), found._repr_html_(), found.revoked_at, found.der
        found.is_about(root().certificate, root().certificate), found.signer(root().certificate, AT)

    each(data, crl, answer)
    shop = good_chain()
    verdict = ck.verify_chain(shop, root().trust_store, host="shop.example.test", at=AT)
    assert verdict.ok
    with quiet:
        ck.check_revocation(verdict, crls=[RevocationList.from_bytes(data)])._repr_html_()
    with quiet:
        ck.check_revocation(verdict, answers=[OcspAnswer.from_bytes(data)])._repr_html_()


def letter(data: bytes) -> None:
    """Say what a file is that one company sends to another."""
    each(data, kind_of_letter, _address)


def files(data: bytes) -> None:
    """Look at a file beside an error message."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("file.p12", "file.txt", "file"):
            path = Path(folder, name)
            path.write_bytes(data)
            log_text(path)
            each([path], lambda paths: look_at(paths, password=PASSWORD, at=AT))


def inventory(data: bytes) -> None:
    """Make rows of a file, of an archive, of a Secret: a failure is a row."""
    for password in ([], [PASSWORD]):
        for row in Reader(AT, Passwords(password)).content("file", data, True):
            assert row.path
    with tempfile.NamedTemporaryFile() as bundle:  # a large one is read in spans
        bundle.write(data)
        bundle.flush()
        for start, end in ((0, len(data) // 2), (len(data) // 2, len(data))):
            for row in Reader(AT).span(Place(bundle.name, True), start, end):
                assert row.path
    each(data, is_secret, lambda data: list(secret_members(data)))


def tables(data: bytes) -> None:
    """Read the files that certkit itself writes: the atlas, progress, an inventory, passwords."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file.json")
        path.write_bytes(data)
        each(data, lambda data: ck.load_atlas(data)._repr_html_())
        progress = Progress.load(path)
        progress._repr_html_()
        each(path, lambda path: Progress().merge(path), Passwords.from_file)
        path = path.rename(Path(folder, "file.parquet"))
        each(path, ck.read_inventory)


def _archives() -> list[bytes]:
    inner = good("pem", "der", "pkcs12-clear", "jks")
    packed, rolled = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, data in enumerate(inner):
            archive.writestr(f"store{number}.p12", data)
    with tarfile.open(fileobj=rolled, mode="w:gz") as tar:
        info = tarfile.TarInfo("store.pem")
        info.size = len(inner[0])
        tar.addfile(info, io.BytesIO(inner[0]))
    secret = (
        b"apiVersion: v1\nkind: Secret\nmetadata:\n  name: shop\n  namespace: web\ndata:\n  tls.crt: "
        b"LS0tLS1CRUdJTg==\nstringData:\n  note: |\n    hello\n"
    )
    return [packed.getvalue(), rolled.getvalue(), gzip.compress(inner[1]), secret, *inner]


def _ocsp() -> list[bytes]:
    service = ck.RevocationService(root())
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import ocsp

    leaf = root().issue("ocsp.example.test", usage="server").certificate
    asked = ocsp.OCSPRequestBuilder().add_certificate(leaf.raw, root().certificate.raw, hashes.SHA1()).build()
    return [service.answer(asked.public_bytes(Encoding.DER)).der, asked.public_bytes(Encoding.DER)]


def ocsp_request(data: bytes) -> None:
    """Answer a question of OCSP."""
    ck.RevocationService(root()).answer(data)


def _tables() -> list[bytes]:
    header = ",".join(ck.load_atlas().rows[0].__dataclass_fields__)
    row = ",".join(str(value) for value in vars(ck.load_atlas().rows[0]).values())
    progress = {
        "certkit_progress": 1,
        "exercises": {"1.1": {"tries": 2, "hints": 1, "solved": "2026-01-31T00:00:00Z"}},
    }
    return [f"{header}\n{row}\n".encode(), json.dumps(progress).encode(), b"changeit\n*.p12\tsecret\n"]


def _chains() -> list[bytes]:
    issuing = root().intermediate("Fuzz CA", path_length=0)
    shop = issuing.issue("shop.example.test", usage="server")
    return [shop.chain.pem.encode(), *good("pkcs7", "der")]


TARGETS = (
    Target("keystore", keystore, good, "der"),
    Target("convert", convert, lambda: good("pem", "pkcs12", "jks", "pkcs12-clear"), "der"),
    Target("der-tree", tree, good, "der"),
    Target("der", elements, good, "der"),
    Target("pem", armor, lambda: good("pem", "base64", "pkcs7-pem", "openssh"), "text"),
    Target("damage", damaged, good, "bytes"),
    Target("jks", java, lambda: good("jks", "jceks")),
    Target(
        "pkcs", pkcs, lambda: good("pkcs12", "pkcs12-legacy", "pkcs12-clear", "pkcs12-rc2", "pkcs7"), "der"
    ),
    Target("certificate", certificate, lambda: [root().certificate.der, *good("der")], "der"),
    Target("chain", chain, _chains, "der"),
    Target("request", request, lambda: good("request"), "der"),
    Target("revocation", revocation, lambda: [*good("crl"), *_ocsp()], "der"),
    Target("ocsp-request", ocsp_request, _ocsp, "der"),
    Target(
        "letter",
        letter,
        lambda: [*good("pkcs7", "der", "request", "crl"), soap.wsdl("https://shop.example.test/")],
    ),
    Target("files", files, lambda: [*good("pem", "pkcs12-clear"), b"12:00 SSLHandshakeException: no\n"]),
    Target("inventory", inventory, _archives),
    Target("tables", tables, _tables, "text"),
)
