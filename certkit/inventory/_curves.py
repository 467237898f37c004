"""Whether a public point lies on its curve: a library refuses a key that does not (SEC 1, 3.2.2.1)."""

from __future__ import annotations

__all__ = ["on_curve"]

# p and b of y² = x³ - 3x + b (SEC 2, 2.4.2, 2.5.1 and 2.6.1).
_CURVES = {
    256: (
        2**256 - 2**224 + 2**192 + 2**96 - 1,
        0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
        32,
    ),
    384: (
        2**384 - 2**128 - 2**96 + 2**32 - 1,
        int("b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef", 16),
        48,
    ),
    521: (
        2**521 - 1,
        int(
            "0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df88"
            "3d2c34f1ef451fd46b503f00",
            16,
        ),
        66,
    ),
}  # fmt: skip


def on_curve(bits: int, point: bytes) -> bool:
    """Return whether x and y, one after the other, are a point of the NIST curve of that size.

    Examples
    --------
    >>> on_curve(256, bytes(64))
    False
    """
    prime, b, size = _CURVES[bits]
    if len(point) != 2 * size:
        return False
    x, y = int.from_bytes(point[:size], "big"), int.from_bytes(point[size:], "big")
    return x < prime and y < prime and (y * y - (x * x - 3) * x - b) % prime == 0
