"""RC2 (RFC 2268) with 40 effective bits: what `openssl pkcs12 -legacy` seals certificates with.

Kept only to read old files: 40 bits are broken in seconds. cryptography has RC2 with 128 bits only.
"""

from __future__ import annotations

import struct

from certkit.errors import LimitError
from certkit.formats.limits import MAX_RC2_BYTES

__all__ = ["decrypt_cbc"]

# RFC 2268, section 2: a permutation made from the digits of pi.
_PI = bytes.fromhex(
    "d978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2"
    "179a59f587b34f1361456d8d09817d32bd8f40eb86b77b0bf09521225c6b4e82"
    "54d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626"
    "6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed7"
    "08e8eade8052eef784aa72ac354d6a2a961ad2715a1549744b9fd05e0418a4ec"
    "c2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731"
    "2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a9"
    "0d38341bab33ffb0bb480c5fb9b1cd2ec5f3db47e5a59c770aa62068fe7fc1ad"
)


def _schedule(key: bytes, bits: int) -> tuple[int, ...]:
    expanded = bytearray(key)
    while len(expanded) < 128:
        expanded.append(_PI[(expanded[-1] + expanded[-len(key)]) & 0xFF])
    size = (bits + 7) // 8
    mask = 0xFF >> (8 * size - bits)
    expanded[128 - size] = _PI[expanded[128 - size] & mask]
    for index in range(127 - size, -1, -1):
        expanded[index] = _PI[expanded[index + 1] ^ expanded[index + size]]
    return struct.unpack("<64H", expanded)


def _decrypt_block(words: tuple[int, ...], block: bytes) -> bytes:
    state = list(struct.unpack("<4H", block))
    index = 63
    for round_number in range(16):
        if round_number in {5, 11}:
            for place in (3, 2, 1, 0):
                state[place] = (state[place] - words[state[place - 1] & 63]) & 0xFFFF
        for place, shift in ((3, 5), (2, 3), (1, 2), (0, 1)):
            value = state[place]
            value = (value >> shift | value << (16 - shift)) & 0xFFFF
            before, middle, after = state[place - 1], state[place - 2], state[place - 3]
            state[place] = (value - words[index] - (before & middle) - (~before & after)) & 0xFFFF
            index -= 1
    return struct.pack("<4H", *state)


def decrypt_cbc(key: bytes, iv: bytes, data: bytes, *, bits: int = 40) -> bytes:
    """Return RC2-CBC decrypted, padding still on.

    Raises
    ------
    LimitError
        If there is more than this slow road should carry.

    Examples
    --------
    >>> decrypt_cbc(bytes(8), bytes(8), bytes.fromhex("ebb773f993278eff"), bits=63).hex()
    '0000000000000000'
    """
    if len(data) > MAX_RC2_BYTES:
        raise LimitError(
            f"{len(data):,} bytes are sealed with RC2 and at most {MAX_RC2_BYTES:,} are opened",
            hint="openssl pkcs12 -legacy -in FILE -nokeys",
            kind="too-large",
        )
    words = _schedule(key, bits)
    plain = bytearray()
    previous = iv
    for offset in range(0, len(data), 8):
        block = data[offset : offset + 8]
        plain += bytes(a ^ b for a, b in zip(_decrypt_block(words, block), previous, strict=True))
        previous = block
    return bytes(plain)
