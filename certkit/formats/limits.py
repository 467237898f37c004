"""Every bound of the readers, in one place: what is over it is refused before it costs anything."""

from __future__ import annotations

from certkit.errors import LimitError

__all__ = [
    "MAX_BASE64_BYTES",
    "MAX_DEPTH",
    "MAX_ENTRIES",
    "MAX_ITERATIONS",
    "MAX_KEY_BYTES",
    "MAX_RC2_BYTES",
    "MAX_SALT_BYTES",
    "MAX_SCRYPT_BYTES",
    "Work",
    "check_count",
    "check_depth",
]

MAX_ITERATIONS = 2_000_000
"""Rounds of key derivation for one file, all derivations together: a second of work or less. Files that
travel have up to 600,000; Java refuses a single derivation above five million."""

MAX_ENTRIES = 100_000
"""Entries of one file; 64 MiB, the most that is read, hold about 80,000 certificates."""

MAX_DEPTH = 24
"""Levels of nesting in DER, and of containers within containers; PKCS#12 needs about twelve."""

MAX_KEY_BYTES = 32 * 1024
"""Bytes of one private key: RSA with 16,384 bits has under 10 kB."""

MAX_SALT_BYTES = 4096
"""Bytes of a salt; eight to twenty are usual."""

MAX_SCRYPT_BYTES = 64 * 1024 * 1024
"""Memory that a scrypt derivation may ask for."""

MAX_BASE64_BYTES = 16 * 1024 * 1024
"""Bytes of one base64 text: a keystore pasted into code has some thousands."""

MAX_RC2_BYTES = 256 * 1024
"""Bytes of RC2 with a 40-bit key: decrypted here in Python, about half a second for the most."""


class Work:
    """The rounds of key derivation that one file may still cost.

    Examples
    --------
    >>> work = Work()
    >>> work.spend(2048)
    >>> work.spend(2**31)
    Traceback (most recent call last):
    certkit.errors.LimitError: this file asks for 2,147,483,648 rounds of key derivation and at most ...
    """

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MAX_ITERATIONS

    def spend(self, iterations: int) -> None:
        """Take `iterations` from what is left.

        Raises
        ------
        LimitError
            If the file asks for more than it may cost.
        """
        if iterations > self.left:
            raise LimitError(
                f"this file asks for {iterations:,} rounds of key derivation and at most "
                f"{MAX_ITERATIONS:,} are done for one file",
                hint="make it again with fewer, e.g. openssl pkcs12 -export -iter 600000",
                kind="too-many-iterations",
            )
        self.left -= max(iterations, 0)


def check_count(count: int, what: str = "entries") -> None:
    """Refuse more than `MAX_ENTRIES`."""
    if count > MAX_ENTRIES:
        raise LimitError(
            f"this file claims {count:,} {what} and at most {MAX_ENTRIES:,} are read",
            hint="split it; if it is a usual file, it is damaged",
            kind="too-many-entries",
        )


def check_depth(depth: int) -> None:
    """Refuse nesting deeper than `MAX_DEPTH`."""
    if depth > MAX_DEPTH:
        raise LimitError(
            f"this is nested more than {MAX_DEPTH} levels deep",
            hint="no certificate or keystore is; give the file inside it",
            kind="too-deep",
        )
