"""The algorithm and the size of a public key, for the kinds that are usual."""

from __future__ import annotations

from certkit._der import encode_oid
from certkit.inventory._curves import on_curve
from certkit.inventory.fast._elements import Unusual, span

__all__ = ["key_of"]

_NULL = b"\x05\x00"
_RSA = encode_oid("1.2.840.113549.1.1.1") + _NULL
_ED25519 = encode_oid("1.3.101.112")
_EC = {
    encode_oid("1.2.840.10045.2.1") + encode_oid(curve): bits
    for curve, bits in (("1.2.840.10045.3.1.7", 256), ("1.3.132.0.34", 384), ("1.3.132.0.35", 521))
}
_P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
_RSA_2048 = bytes.fromhex("30820122300d06092a864886f70d01010105000382010f003082010a0282010100")
_EXPONENT = b"\x02\x03\x01\x00\x01"  # 65537


def key_of(spki: bytes) -> tuple[str, int | None]:
    """Return algorithm and bits of a SubjectPublicKeyInfo."""
    # The two commonest kinds have one fixed form each; whatever differs takes the longer way.
    if spki.startswith(_P256) and len(spki) == len(_P256) + 64:
        if not on_curve(256, spki[len(_P256) :]):
            raise Unusual
        return "EC", 256
    if spki.startswith(_RSA_2048) and len(spki) == len(_RSA_2048) + 261 and spki.endswith(_EXPONENT):
        if spki[33] < 0x80 or not spki[288] & 1:
            raise Unusual
        return "RSA", 2048
    at, end = span(spki, 0, len(spki))
    if spki[0] != 0x30 or spki[at] != 0x30:
        raise Unusual
    start, at = span(spki, at, end)
    algorithm = spki[start:at]
    start, stop = span(spki, at, end)
    if spki[at] != 0x03 or stop != end or spki[start] != 0:
        raise Unusual
    start += 1
    if algorithm == _RSA:
        return "RSA", _rsa_bits(spki, start, stop)
    curve = _EC.get(algorithm)
    if curve is not None:
        if spki[start] != 0x04 or not on_curve(curve, spki[start + 1 : stop]):
            raise Unusual
        return "EC", curve
    if algorithm == _ED25519 and stop - start == 32:
        return "Ed25519", 256
    raise Unusual


def _rsa_bits(spki: bytes, at: int, end: int) -> int:
    """Return the size of an RSA modulus (RFC 8017, A.1.1); only keys that every library loads."""
    if spki[at] != 0x30:
        raise Unusual
    at, stop = span(spki, at, end)
    start, after = span(spki, at, stop)
    modulus = spki[start:after]
    if spki[at] != 0x02 or stop != end or modulus[0] >= 0x80 or not modulus[-1] & 1:
        raise Unusual
    if modulus[0] == 0:
        modulus = modulus[1:]
        if modulus[0] < 0x80:
            raise Unusual
    if spki[after:stop] != _EXPONENT:
        raise Unusual
    bits = len(modulus) * 8 - 8 + modulus[0].bit_length()
    if not 1024 <= bits <= 8192:
        raise Unusual
    return bits
