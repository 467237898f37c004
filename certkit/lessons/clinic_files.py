"""The patients of the format clinic: broken files, made afresh each time, and what lies on the desk beside them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from certkit.authority import CertificateAuthority
from certkit.chains import TrustStore
from certkit.credentials import Credential
from certkit.formats.pkcs12_write import write_pkcs12
from certkit.formats.writing import Outgoing
from certkit.keys import generate_key
from certkit.keystores import keystore_bytes
from certkit.lessons.fixtures import company

__all__ = ["PASSWORD", "PATIENTS", "Desk", "Patient", "Stock", "stock"]

PASSWORD = "open sesame"  # noqa: S105 - a toy, printed in the notebook
# Few rounds: a toy that is made a dozen times a minute.
_ROUNDS = 1000


@dataclass(frozen=True)
class Stock:
    """The company's good files, from which the broken ones are made.

    Attributes
    ----------
    authority : CertificateAuthority
        The issuing CA, below a root.
    client, renewed, stranger : Credential
        The client's credential; the one after its renewal; somebody else's.
    """

    authority: CertificateAuthority
    client: Credential
    renewed: Credential
    stranger: Credential

    @property
    def anchors(self) -> TrustStore:
        """What a truststore has to hold."""
        return self.authority.trust_store

    def p12(self, credential: Credential | None = None, **options: object) -> bytes:
        """Return a good PKCS#12."""
        return keystore_bytes({"client": credential or self.client}, PASSWORD, iterations=_ROUNDS, **options)  # type: ignore[arg-type]

    def jks(self, **options: object) -> bytes:
        """Return a good JKS."""
        return keystore_bytes({"client": self.client}, PASSWORD, format="jks", **options)  # type: ignore[arg-type]


def stock() -> Stock:
    """Return the good files of today."""
    authority = company("Orders", "clinic")
    issue = authority.issue
    return Stock(
        authority,
        issue("Acme CRM", usage="client", key=generate_key(seed="clinic client")),
        issue("Acme CRM", usage="client", key=generate_key(seed="clinic renewed")),
        issue("Blue Bakery", usage="client", key=generate_key(seed="clinic stranger")),
    )


@dataclass(frozen=True)
class Desk:
    """One broken file and what lies beside it.

    Attributes
    ----------
    data : bytes
        The broken file.
    files : mapping of str to bytes
        What else is at hand.
    """

    data: bytes
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Patient:
    """A case of the clinic.

    Attributes
    ----------
    name, file_name, story : str
        What the case is called, what the file is called, and how it came.
    cause : str
        The cause id.
    wanted : {"keystore", "truststore"}
        The role that the file is to play.
    formats : tuple of str
        The formats that the program takes.
    hints : tuple of str
        What to look at; then almost the line.
    solution : str
        A cure, as one expression over ``case``.
    make : callable
        From the stock to the desk.
    demand : {"", "modern", "one password"}
        What the program asks of the file besides.
    """

    name: str
    file_name: str
    story: str
    cause: str
    wanted: str
    formats: tuple[str, ...]
    hints: tuple[str, ...]
    solution: str
    make: Callable[[Stock], Desk]
    demand: str = ""


PATIENTS: dict[str, Patient] = {}
"""Every case by name, the easier ones first."""

_DAMAGED = "tampered-or-corrupt"
_REPAIRED = "ck.find_damage(case.data).repaired"
_REPAIR_HINTS = (
    "ck.find_damage(case.data) says what happened to the bytes",
    "what it found may carry the bytes as they were: .repaired",
)


def _patient(
    name: str,
    file_name: str,
    cause: str,
    solution: str,
    *hints: str,
    wanted: str = "keystore",
    formats: tuple[str, ...] = ("pkcs12",),
    demand: str = "",
) -> Callable[[Callable[[Stock], Desk]], Callable[[Stock], Desk]]:
    """Put a maker into the clinic; its docstring is the story."""

    def register(make: Callable[[Stock], Desk]) -> Callable[[Stock], Desk]:
        story = " ".join((make.__doc__ or "").split())
        PATIENTS[name] = Patient(
            name, file_name, story, cause, wanted, formats, hints, solution, make, demand
        )
        return make

    return register


@_patient(
    *("pem-named-p12", "client.p12", "wrong-file-format"),
    "ck.keystore_bytes(ck.load_credential(case.data), case.password)",
    "ck.load_keystore(case.data) tells the format by content; the name tells nothing",
    "ck.load_credential takes key and chain out of the text, ck.keystore_bytes writes them as PKCS#12",
)
def _(stock: Stock) -> Desk:
    """Somebody exported key and chain as text and named the file client.p12, because the form asked for one."""
    return Desk(stock.client.key.to_pem() + stock.client.chain.pem.encode())


@_patient(
    *("certificate-named-p12", "client.p12", "wrong-file-format"),
    'ck.keystore_bytes(ck.load_credential(case.files["chain.pem"], case.files["client.key"]), case.password)',
    "Java's number, 48, is a byte of the file: ck.decode_byte(case.java_says, case.data)",
    "a certificate alone proves nothing: key and chain lie on the desk, case.files",
)
def _(stock: Stock) -> Desk:
    """The CA's mail had a certificate attached. It was renamed to client.p12 and uploaded."""
    chain, key = stock.client.chain.pem.encode(), stock.client.key.to_pem()
    return Desk(stock.client.certificate.der, {"chain.pem": chain, "client.key": key})


@_patient(
    *("base64-of-p12", "client.p12", "wrong-file-format"),
    "ck.keystore_bytes(ck.load_credential(case.data, password=case.password), case.password)",
    "the first byte is the letter M: MI is how 30 82 looks in base64",
    "certkit reads it as it is and writes it as it should be; base64.b64decode does as well",
)
def _(stock: Stock) -> Desk:
    """The keystore travelled in a web form as base64, and was saved as it came."""
    return Desk(base64.encodebytes(stock.p12()))


@_patient(
    *("base64-first-letter-lost", "client.p12.txt", _DAMAGED, _REPAIRED, *_REPAIR_HINTS),
)
def _(stock: Stock) -> Desk:
    """It was pasted from a chat window, and the first letter stayed behind."""
    return Desk(base64.b64encode(stock.p12())[1:])


@_patient(*("byte-order-mark", "client.p12", _DAMAGED, _REPAIRED, *_REPAIR_HINTS))
def _(stock: Stock) -> Desk:
    """Somebody opened the keystore in a text editor to see what is inside, and saved it."""
    return Desk(b"\xef\xbb\xbf" + stock.p12())


@_patient(*("text-mode-transfer", "client.p12", _DAMAGED, _REPAIRED, *_REPAIR_HINTS))
def _(stock: Stock) -> Desk:
    """It came by FTP in text mode: each line feed, which is a byte like any other here, became two bytes."""
    while True:  # Salts are random; about one file in a hundred has no line feed at all.
        good = stock.p12()
        if b"\n" in good and b"\r\n" not in good:
            return Desk(good.replace(b"\n", b"\r\n"))


@_patient(*("saved-as-utf-8", "client.p12", _DAMAGED, _REPAIRED, *_REPAIR_HINTS))
def _(stock: Stock) -> Desk:
    """A script read the keystore as text in Latin-1 and wrote it as UTF-8: every byte above 7F became two."""
    return Desk(stock.p12().decode("latin-1").encode())


@_patient(
    *("bytes-replaced", "client.p12", _DAMAGED, 'case.files["client.p12 on the build server"]'),
    "ck.find_damage(case.data) says what is lost, and what is lost comes back from nowhere",
    "three copies lie on the desk: which one loads with the password, and is Acme CRM's?",
)
def _(stock: Stock) -> Desk:
    """Maven filtered the resources, keystores included. Bytes that are no UTF-8 were replaced and are gone."""
    good = stock.p12()
    broken = good.decode("utf-8", "replace").encode()
    return Desk(
        broken,
        {
            "client.p12 in the mail": good[: len(good) // 2],
            "client.p12 of the bakery": stock.p12(stock.stranger),
            "client.p12 on the build server": good,
        },
    )


@_patient(
    *("truncated", "client.p12", _DAMAGED, 'case.files["client.p12, downloaded again"]'),
    "how many bytes does the file announce, and how many has it? ck.find_damage(case.data)",
    "what was cut off cannot be computed: the whole file lies on the desk",
)
def _(stock: Stock) -> Desk:
    """The disk was full when it was copied."""
    good = stock.p12()
    return Desk(good[:-200], {"client.p12, downloaded again": good})


@_patient(
    *("wrong-password", "client.p12", "wrong-password"),
    'ck.keystore_bytes(ck.load_credential(case.data, password="Open Sesame"), case.password)',
    "the file is whole; the note on the desk holds three tries, and a line end is a character too",
    'ck.load_keystore(case.data, "…") with each of them',
)
def _(stock: Stock) -> Desk:
    """The colleague who made it has left. The program asks for the company's usual password."""
    data = keystore_bytes({"client": stock.client}, "Open Sesame", iterations=_ROUNDS)
    return Desk(data, {"note.txt": b"open sesame?\nOpen Sesame\nopen_sesame1\n"})


@_patient(
    *("certificate-without-key", "client.p12", "private-key-missing"),
    'ck.keystore_bytes(ck.load_credential(case.files["reply.p7b"], case.files["request.key"]), case.password)',
    "ck.load_keystore(case.data, case.password) lists the entries: of which kind are they?",
    "the key stayed where the request was made: request.key; the CA's reply is a PKCS#7",
)
def _(stock: Stock) -> Desk:
    """The CA's reply was imported as a trusted certificate, and the program says that there is no key."""
    trusted = keystore_bytes({"client": stock.client.certificate}, PASSWORD, iterations=_ROUNDS)
    reply = keystore_bytes(stock.client.chain, format="pkcs7")
    return Desk(trusted, {"reply.p7b": reply, "request.key": stock.client.key.to_pem()})


@_patient(
    *("leaf-alone", "client.p12", "missing-intermediate"),
    'ck.keystore_bytes(ck.load_credential(case.files["chain.p7b"], case.data, case.password), case.password)',
    "how long is the chain of the key entry?",
    "ck.load_credential(certificates, key, password) takes the chain from one file and the key from another",
)
def _(stock: Stock) -> Desk:
    """The server says unknown_ca, although it trusts the root: the client sends its leaf and nothing else."""
    alone = stock.client.with_chain((stock.client.certificate,))
    chain = keystore_bytes(stock.client.chain, format="pkcs7", encoding="pem")
    return Desk(stock.p12(alone), {"chain.p7b": chain})


@_patient(
    *("key-of-another", "client.pem", "key-cert-mismatch"),
    'ck.keystore_bytes(ck.load_credential(case.files["chain.pem"], case.files["2026.key"]), case.password)',
    "a certificate and its key have the same spki_sha256",
    'ck.load_private_key(case.files["2026.key"]).spki_sha256, beside that of the certificate',
)
def _(stock: Stock) -> Desk:
    """After the renewal, the new certificate was put beside the old key."""
    chain = stock.client.chain.pem.encode()
    keys = {"2025.key": stock.renewed.key.to_pem(), "2026.key": stock.client.key.to_pem()}
    return Desk(keys["2025.key"] + chain, {"chain.pem": chain, **keys})


@_patient(
    *("truststore-for-keystore", "client.jks", "private-key-missing", 'case.files["server-trust.jks"]'),
    "ck.load_keystore(case.data, case.password) has no private key: which role is this file for?",
    "names say nothing: look into the other one",
    formats=("jks", "pkcs12"),
)
def _(stock: Stock) -> Desk:
    """Keystore and truststore were mixed up in the settings, and both have the name of the other."""
    trust = keystore_bytes({"root": next(iter(stock.anchors))}, PASSWORD, format="jks")
    return Desk(trust, {"server-trust.jks": stock.jks()})


@_patient(
    *("encrypted-key", "client.pem", "encrypted-key-no-passphrase"),
    'ck.keystore_bytes(ck.load_credential(case.data, password="a longer passphrase"), case.password)',
    "the label of its first block says ENCRYPTED; the passphrase is in the note",
    'ck.load_credential(case.data, password="…"), then ck.keystore_bytes',
)
def _(stock: Stock) -> Desk:
    """The program starts unattended and knows one password; the key in this file has another."""
    phrase = "a longer passphrase"
    data = stock.client.key.to_pem(phrase) + stock.client.chain.pem.encode()
    return Desk(data, {"note.txt": phrase.encode()})


@_patient(
    *("two-passwords", "client.jks", "wrong-password"),
    'ck.keystore_bytes(ck.load_keystore(case.data, case.password).credential(password="for the key"), '
    'case.password, format="jks")',
    "the list loads with the password of the store; the key does not open with it",
    'load_keystore(…).credential(password="…") takes the key\'s own password',
    formats=("jks", "pkcs12"),
    demand="one password",
)
def _(stock: Stock) -> Desk:
    """The key in this JKS has a password of its own. The program knows one password only."""
    own = "for the key"
    return Desk(stock.jks(key_password=own), {"note.txt": b"key: for the key"})


@_patient(
    *("old-encryption", "client.p12", "legacy-pkcs12-encryption"),
    "ck.keystore_bytes(ck.load_credential(case.data, password=case.password), case.password)",
    "ck.load_keystore(case.data, case.password).protection names the cipher",
    "written again, it is modern by default",
    demand="modern",
)
def _(stock: Stock) -> Desk:
    """OpenSSL 3 says: unsupported. The file is from 2012 and sealed with triple DES and SHA-1."""
    return Desk(keystore_bytes({"client": stock.client}, PASSWORD, legacy=True))


@_patient(
    *("unmarked-truststore", "trust.p12", "truststore-missing-or-empty"),
    "ck.keystore_bytes(ck.TrustStore(ck.load_certificates(case.data, case.password)), case.password)",
    "the notes of ck.load_keystore(case.data, case.password) say what Java misses",
    "a TrustStore, written with ck.keystore_bytes, carries the mark",
    wanted="truststore",
    formats=("pkcs12", "jks"),
)
def _(stock: Stock) -> Desk:
    """Made with openssl pkcs12 -export -nokeys. OpenSSL lists its certificate; Java says that the store is empty."""
    anchor = next(iter(stock.anchors))
    return Desk(write_pkcs12([Outgoing("root", (anchor.der,))], PASSWORD, iterations=_ROUNDS))


@_patient(
    *("p7b-named-jks", "trust.jks", "wrong-file-format"),
    "ck.keystore_bytes(ck.TrustStore(ck.load_certificates(case.data)), case.password, format='jks')",
    "ck.load_keystore(case.data) tells what it is by content",
    "a PKCS#7 is a bag of certificates; as a TrustStore they go into a JKS",
    wanted="truststore",
    formats=("jks", "pkcs12"),
)
def _(stock: Stock) -> Desk:
    """The CA's bundle of certificates, renamed to trust.jks. Java says: Invalid keystore format."""
    return Desk(keystore_bytes(stock.anchors, format="pkcs7"))
