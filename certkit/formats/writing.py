"""What is written into a keystore, whatever its format: keys in the clear in memory, sealed on the way out."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Outgoing"]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One entry on its way into a file.

    Attributes
    ----------
    alias : str
        Its name; empty for none.
    certificates : tuple of bytes
        A key's chain, leaf first, or one certificate, as DER.
    key : bytes or None
        The private key as PKCS#8 DER, in the clear; None for an entry without key.
    key_password : str or None
        The key's own password, for formats that allow one; None for the file's.
    trusted : bool
        Whether a certificate is to be marked as a trust anchor.
    created : int or None
        Milliseconds since 1970; None to leave it out, or for now where a format insists.
    """

    alias: str
    certificates: tuple[bytes, ...] = ()
    key: bytes | None = field(default=None, repr=False)
    key_password: str | None = field(default=None, repr=False)
    trusted: bool = False
    created: int | None = None
