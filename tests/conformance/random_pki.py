"""Small random PKIs: tangled, half broken, and the same for the same seed."""

from __future__ import annotations

import ipaddress
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from certkit import _der
from certkit.certificates import Certificate
from certkit.keys import PrivateKey, generate_key

AT = datetime(2026, 6, 1, tzinfo=UTC)
DNS = [
    "example.test", "a.example.test", "b.a.example.test", "*.example.test", "*.a.example.test", "other.test",
    "badexample.test", "*.test", "EXAMPLE.test", "test", "x.other.test", "*.other.test",
]  # fmt: skip
ODD_DNS = [
    ".example.test",
    "*",
    "a_b.example.test",
    "f*.example.test",
    "a..test",
    "-a.test",
    "example.test.",
    "10.0.0.1",
]
IPS = ["10.0.0.1", "10.1.0.1", "192.0.2.1", "2001:db8::1"]
NETS = ["10.0.0.0/8", "10.0.0.0/24", "192.0.2.0/24", "2001:db8::/32", "0.0.0.0/0", "10.0.0.1/32"]
MAILS = ["a@example.test", "b@a.example.test", "A@example.test", "a@other.test"]
MAIL_LIMITS = ["example.test", ".example.test", "a@example.test", "other.test", "*@example.test"]
HOSTS = [
    "example.test",
    "a.example.test",
    "b.a.example.test",
    "other.test",
    "x.other.test",
    "10.0.0.1",
    "2001:db8::1",
]


@dataclass(frozen=True)
class Case:
    """One question: what was sent, whom to believe, which host."""

    sent: list[Certificate]
    anchors: list[Certificate]
    host: str | None
    purpose: str
    max_depth: int | None


@cache
def _key(number: int) -> PrivateKey:
    return generate_key(
        ["p256", "p256", "p256", "p384", "ed25519", "rsa2048", "rsa1024"][number % 7], seed=f"random {number}"
    )


def _general_name(pick: random.Random, wild: float) -> x509.GeneralName:
    kind = pick.random()
    if kind < 0.6:
        return x509.DNSName(pick.choice(ODD_DNS if pick.random() < wild else DNS))
    if kind < 0.8:
        return x509.IPAddress(ipaddress.ip_address(pick.choice(IPS)))
    if kind < 0.93:
        return x509.RFC822Name(pick.choice(MAILS))
    if kind < 0.97:
        return x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, pick.choice("AB"))]))
    return x509.UniformResourceIdentifier("https://example.test/")


def _subtree(pick: random.Random, wild: float) -> bytes:
    """Return a GeneralSubtree in DER; cryptography's classes refuse the odd ones that files hold."""
    kind = pick.random()
    if kind < 0.65:
        host = pick.choice(
            ODD_DNS + DNS if pick.random() < wild else [name for name in DNS if "*" not in name]
        )
        name = _der.encode(0x82, host.encode())
    elif kind < 0.85:
        network = ipaddress.ip_network(pick.choice(NETS))
        mask = bytes([255, 0, 255, 0]) if pick.random() < wild / 4 else network.netmask.packed
        name = _der.encode(0x87, network.network_address.packed, mask)
    elif kind < 0.95:
        name = _der.encode(0x81, pick.choice(MAIL_LIMITS).encode())
    elif kind < 0.98:
        name = _der.encode(0xA4, _name(pick.choice("AB")).public_bytes())
    else:
        name = _der.encode(0x86, b"example.test")
    return _der.encode(_der.SEQUENCE, name)


def _constraints(pick: random.Random, wild: float) -> x509.ExtensionType:
    permitted, excluded = (
        [_subtree(pick, wild) for _ in range(pick.randint(0 if pick.random() < wild / 2 else 1, 3))]
        for _ in range(2)
    )
    which = pick.random()
    parts = [_der.encode(0xA0, *permitted)] if which < 0.7 else []
    parts += [_der.encode(0xA1, *excluded)] if which > 0.4 else []
    body = _der.encode(_der.SEQUENCE, *parts)
    if pick.random() < wild / 6:
        body = bytes.fromhex(
            pick.choice(["3000", "3002a000", "300ca00a3008870601020304ffff", "30", "3006a004300282002f"])
        )
    return x509.UnrecognizedExtension(ExtensionOID.NAME_CONSTRAINTS, body)


def _usage(certify: bool, sign: bool = True) -> x509.KeyUsage:
    return x509.KeyUsage(sign, False, False, False, False, certify, certify, False, False)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)] if text else [])


def _sign(
    pick: random.Random, wild: float, subject: str, issuer: str, key: PrivateKey, signer: PrivateKey, ca: bool
) -> Certificate:
    start, end = AT - timedelta(days=pick.randint(1, 900)), AT + timedelta(days=pick.randint(1, 900))
    if pick.random() < wild / 3:
        start, end = pick.choice(
            [(start - timedelta(999), start), (end, end + timedelta(9)), (start, AT), (AT, end)]
        )
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.raw.public_key())
        .serial_number(pick.getrandbits(100) + 1)
        .not_valid_before(start)
        .not_valid_after(end)
    )
    for extension, critical in (_ca if ca else _leaf)(pick, wild, key, signer):
        builder = builder.add_extension(extension, critical)
    raw = signer.raw
    digest = None if signer.algorithm == "Ed25519" else hashes.SHA256()
    deterministic = True if isinstance(raw, ec.EllipticCurvePrivateKey) else None
    return Certificate(builder.sign(raw, digest, ecdsa_deterministic=deterministic))


def _flip(pick: random.Random, wild: float, value: bool) -> bool:
    return value is not (pick.random() < wild / 4)


def _shared(
    pick: random.Random, wild: float, key: PrivateKey, signer: PrivateKey
) -> list[tuple[x509.ExtensionType, bool]]:
    found: list[tuple[x509.ExtensionType, bool]] = []
    if _flip(pick, wild, True):
        found.append(
            (
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.raw.public_key()),
                _flip(pick, wild, False),
            )
        )
    if _flip(pick, wild, True):
        found.append(
            (x509.SubjectKeyIdentifier.from_public_key(key.raw.public_key()), _flip(pick, wild, False))
        )
    if pick.random() < wild / 4:
        oid = x509.ObjectIdentifier(pick.choice(["1.2.3.4", "2.5.29.36", "2.5.29.32"]))
        found.append((x509.UnrecognizedExtension(oid, b"\x30\x00"), pick.random() < 0.5))
    if pick.random() < wild / 8:
        aia = x509.UnrecognizedExtension(ExtensionOID.AUTHORITY_INFORMATION_ACCESS, _der.encode(0x30))
        found.append((aia, pick.random() < 0.3))
    usages = [
        ExtendedKeyUsageOID.SERVER_AUTH,
        ExtendedKeyUsageOID.CLIENT_AUTH,
        ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    ]
    if pick.random() < 0.4:
        chosen = pick.sample(usages, pick.randint(1, 2)) if pick.random() < wild else usages[:2]
        found.append((x509.ExtendedKeyUsage(chosen), _flip(pick, wild, False)))
    return found


def _ca(
    pick: random.Random, wild: float, key: PrivateKey, signer: PrivateKey
) -> list[tuple[x509.ExtensionType, bool]]:
    found = _shared(pick, wild, key, signer)
    if _flip(pick, wild, True):
        certify = _flip(pick, wild, True)
        length = pick.choice([None, None, None, 0, 1, 2]) if certify else None
        found.append((x509.BasicConstraints(certify, length), _flip(pick, wild, True)))
    if _flip(pick, wild, True):
        found.append((_usage(_flip(pick, wild, True)), pick.random() < 0.8))
    if pick.random() < 0.35:
        found.append((_constraints(pick, wild), pick.random() < 0.8))
    if pick.random() < wild / 2:
        names = [_general_name(pick, wild) for _ in range(pick.randint(1, 3))]
        found.append((x509.SubjectAlternativeName(names), pick.random() < 0.2))
    return found


def _leaf(
    pick: random.Random, wild: float, key: PrivateKey, signer: PrivateKey
) -> list[tuple[x509.ExtensionType, bool]]:
    found = _shared(pick, wild, key, signer)
    if pick.random() < 0.7:
        found.append((x509.BasicConstraints(not _flip(pick, wild, True), None), pick.random() < 0.6))
    if pick.random() < 0.7:
        found.append((_usage(not _flip(pick, wild, True)), pick.random() < 0.6))
    if _flip(pick, wild / 2, True):
        names = [_general_name(pick, wild) for _ in range(pick.randint(1, 5))]
        found.append((x509.SubjectAlternativeName(names), _flip(pick, wild, False)))
    if pick.random() < wild / 10:
        found.append((_constraints(pick, wild), True))
    return found


def random_case(seed: int, wild: float = 0.3) -> Case:
    """Return the case of a seed; `wild` is how much of it is broken, 0 to 1."""
    pick = random.Random(seed)
    size = pick.randint(2, 7)
    names = [f"CA {letter}" for letter in "ABCDEFG"[:size]]
    good = 6 if pick.random() < 0.3 else 4
    keys = {name: _key(pick.randrange(good)) for name in names}
    certificates = []
    for number, name in enumerate(names):
        for _ in range(pick.choice([1, 1, 1, 2])):
            above = names[pick.randrange(max(number, 1))] if pick.random() < 0.75 else pick.choice(names)
            signer = keys[above] if pick.random() > wild / 4 else _key(pick.randrange(7))
            own = keys[name] if pick.random() > wild / 4 else _key(pick.randrange(7))
            certificates.append(_sign(pick, wild, name, above, own, signer, ca=True))
    issuer = pick.choice(names[-2:])
    subject = issuer if pick.random() < wild / 10 else pick.choice(["leaf", "leaf", ""])
    leaf = _sign(pick, wild, subject, issuer, _key(3), keys[issuer], ca=False)
    anchors = [item for item in certificates if pick.random() < 0.25] or certificates[:1]
    if pick.random() < wild / 20:
        anchors.append(leaf)
    sent = [item for item in certificates if pick.random() < 0.9]
    pick.shuffle(sent)
    purpose = "client" if pick.random() < 0.2 else "server"
    host = None if pick.random() < 0.2 else _covered(pick, leaf)
    return Case([leaf, *sent], anchors, host, purpose, pick.choice([None, None, None, 0, 1, 2]))


def _covered(pick: random.Random, leaf: Certificate) -> str:
    """Return a host, as a rule one that the leaf covers, so that the question reaches the path."""
    fitting = [host for host in HOSTS if leaf.names_host(host)]
    return pick.choice(fitting) if fitting and pick.random() < 0.8 else pick.choice(HOSTS)
