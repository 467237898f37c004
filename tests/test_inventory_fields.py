"""The fast field reader says what cryptography says, on every certificate, or leaves it to cryptography."""

from __future__ import annotations

import random
from pathlib import Path

import cryptography_vectors
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

import certkit as ck
from certkit.errors import CertkitError
from certkit.formats.pem import pem_blocks
from certkit.inventory._curves import on_curve
from certkit.inventory.fast import Unusual, usual_fields
from certkit.inventory.fields import Fields, careful_fields, read_fields
from certkit.keys import KEY_KINDS

VECTORS = Path(cryptography_vectors.__file__).parent / "x509"


def vectors() -> list[bytes]:
    found: dict[bytes, None] = {}
    for path in sorted(VECTORS.rglob("*")):
        if path.suffix in {".pem", ".crt", ".der", ".cer"} and path.stat().st_size < 200_000:
            data = path.read_bytes()
            ders = [data] if data[:1] == b"\x30" else [block.data for block in pem_blocks(data)]
            found |= dict.fromkeys(der for der in ders if der)
    return list(found)


def roots() -> list[bytes]:
    return [item.der for path in ck.system_stores() for item in ck.load_certificates(path)]


def own() -> list[bytes]:
    ca = ck.CertificateAuthority("Lab Root", organization="Lab").intermediate("Lab CA", path_length=3)
    names = ("shop.example.test", "127.0.0.1", "*.example.test")
    leaves = [
        ca.issue(*names, usage=usage, key=key) for key in KEY_KINDS for usage in ("server", "client", "both")
    ]
    odd = [ca.issue("shop.example.test", "::1", usage="server"), ca.issue("a@example.test", usage="email")]
    return [ca.certificate.der, ca.root.certificate.der, *(item.certificate.der for item in leaves + odd)]


@pytest.fixture(scope="module")
def corpus() -> list[bytes]:
    return [*vectors(), *roots(), *own()]


def agrees(der: bytes) -> bool:
    """Return whether the fast reader took it, having compared."""
    try:
        fast = Fields._make(usual_fields(der))
    except Unusual:
        return False
    assert fast == careful_fields(der)
    return True


def test_equal_on_vectors_real_roots_and_our_own(corpus: list[bytes]) -> None:
    taken = [agrees(der) for der in corpus]
    assert len(taken) > 600
    assert sum(taken) > len(taken) / 2


def test_the_usual_certificates_take_the_fast_way() -> None:
    ca = ck.CertificateAuthority("Lab Root", organization="Lab").intermediate("Lab CA")
    for key in ("p256", "p384", "p521", "ed25519", "rsa1024", "rsa2048", "rsa4096"):
        assert agrees(ca.issue("shop.example.test", "127.0.0.1", usage="both", key=key).certificate.der)


DECOYS = {
    "a key identifier": bytes.fromhex("301d0603551d0e04160414") + bytes(20),
    "names": bytes.fromhex("30160603551d11040f300d820b") + b"evil.example",
    "half a key identifier": bytes.fromhex("301d0603551d0e04160414"),
}


@pytest.mark.parametrize("decoy", DECOYS)
def test_bytes_in_an_extension_that_look_like_another(decoy: str) -> None:
    ca = ck.CertificateAuthority("Lab Root")
    odd = x509.UnrecognizedExtension(
        x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x04\x40" + DECOYS[decoy]
    )
    for without in ([], [x509.SubjectKeyIdentifier], [x509.SubjectAlternativeName]):
        der = ca.issue(
            "shop.example.test", usage="server", add=[(odd, False)], without=without
        ).certificate.der
        assert read_fields(der) == careful_fields(der)


def test_the_order_of_extensions_does_not_matter() -> None:
    ca = ck.CertificateAuthority("Lab Root")
    leaf = ca.issue("shop.example.test", "10.0.0.1", usage="both").certificate
    there = [(item.value, item.critical) for item in leaf.raw.extensions]
    key = ck.generate_key("p256").raw
    taken = 0
    for order in (
        there,
        there[::-1],
        there[2:] + there[:2],
        there[1::2] + there[::2],
        there[3:],
        there[:2],
        [],
    ):
        builder = x509.CertificateBuilder(
            issuer_name=leaf.raw.issuer,
            subject_name=leaf.raw.subject,
            public_key=leaf.raw.public_key(),
            serial_number=7,
            not_valid_before=leaf.not_before,
            not_valid_after=leaf.not_after,
        )
        for value, critical in order:
            builder = builder.add_extension(value, critical)
        taken += agrees(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))  # type: ignore[arg-type]
    assert taken == 5  # the last two are so short that the fast reader leaves them alone


@pytest.mark.parametrize("seed", range(4))
def test_equal_on_mutations(corpus: list[bytes], seed: int) -> None:
    draw = random.Random(seed)
    small = [der for der in corpus if len(der) < 1600]
    taken = 0
    for _ in range(4000):
        der = bytearray(draw.choice(small))
        for _ in range(draw.choice((1, 1, 1, 2, 3))):
            at, kind = draw.randrange(len(der)), draw.random()
            if kind < 0.6:
                der[at] = draw.randrange(256)
            elif kind < 0.8:
                der[at] ^= 1 << draw.randrange(8)
            elif kind < 0.9:
                del der[at]
            else:
                der.insert(at, draw.randrange(256))
        taken += agrees(bytes(der))
    assert taken > 500


def test_what_is_refused_is_refused_by_both(corpus: list[bytes]) -> None:
    for der in corpus:
        for bad in (der[:-1], der + b"\0", der[:40]):
            with pytest.raises(CertkitError):
                read_fields(bad)


@pytest.mark.parametrize("kind", ["p256", "p384", "p521"])
def test_a_point_beside_its_curve_is_seen(kind: str) -> None:
    key = ck.generate_key(kind).raw.public_key().public_numbers()  # type: ignore[union-attr]
    bits = key.curve.key_size  # type: ignore[union-attr]
    size = (bits + 7) // 8
    x, y = key.x, key.y  # type: ignore[union-attr]
    assert on_curve(bits, x.to_bytes(size) + y.to_bytes(size))
    assert not on_curve(bits, x.to_bytes(size) + (y ^ 1).to_bytes(size))
    assert not on_curve(bits, x.to_bytes(size))
