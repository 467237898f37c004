"""The integrity check of PKCS#12: the MAC of RFC 7292, section 4, or PBMAC1 (RFC 9579)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from certkit import _der
from certkit.errors import FormatError
from certkit.formats.kdf import DIGESTS, PRF_DIGESTS, Derivation, bmp_password, parse_derivation, pkcs12_kdf
from certkit.formats.limits import Work

__all__ = ["Mac", "parse_mac"]

_PBMAC1 = "1.2.840.113549.1.5.14"


@dataclass(frozen=True, slots=True)
class Mac:
    """A PKCS#12 MAC, not yet checked.

    Attributes
    ----------
    digest : str
        The hash under HMAC.
    value, salt : bytes
        What the file says the MAC is, and its salt.
    iterations : int
        Rounds of RFC 7292's derivation.
    derive : Derivation or None
        PBMAC1's derivation; None for the older MAC.
    """

    digest: str
    value: bytes
    salt: bytes
    iterations: int
    derive: Derivation | None = None

    @property
    def words(self) -> str:
        """The check in words."""
        if self.derive is not None:
            return f"PBMAC1, HMAC-{self.digest.upper()}, {self.derive.words}"
        return f"HMAC-{self.digest.upper()}, {self.iterations:,} rounds"

    def matches(self, password: str | None, content: bytes, work: Work) -> bool:
        """Return whether the MAC over `content` is right for this password.

        Raises
        ------
        LimitError
            If it costs too much.
        """
        size = hashlib.new(self.digest, usedforsecurity=False).digest_size
        if self.derive is not None:
            secret = (password or "").encode("utf-8", "surrogatepass")
            key = self.derive.key(secret, self.derive.size or size, work)
        else:
            secret = bmp_password(password)
            key = pkcs12_kdf(self.digest, secret, self.salt, 3, self.iterations, size, work)
        return hmac.compare_digest(hmac.digest(key, content, self.digest), self.value)


def parse_mac(element: _der.Element) -> Mac:
    """Return the MacData of a PFX.

    Raises
    ------
    FormatError
        If it is malformed, or of an algorithm that is not known.
    """
    info, salt, *rest = element.children()
    algorithm, value = info.children()
    name, *parameters = algorithm.children()
    oid = _der.oid_text(name.content)
    iterations = _der.integer(rest[0]) if rest else 1
    if oid == _PBMAC1:
        derivation, prf = parameters[0].children()
        prf_oid = _der.oid_text(prf.children()[0].content)
        if prf_oid not in PRF_DIGESTS:
            raise FormatError(
                f"the MAC algorithm {prf_oid} is not known",
                cause="modern-pkcs12-unsupported",
                kind="unsupported-algorithm",
            )
        return Mac(PRF_DIGESTS[prf_oid], value.content, b"", 1, parse_derivation(derivation))
    if oid not in DIGESTS:
        raise FormatError(
            f"the MAC algorithm {oid} is not known",
            cause="modern-pkcs12-unsupported",
            kind="unsupported-algorithm",
        )
    if iterations < 1:
        raise FormatError("the MAC of this file has less than one round", kind="bad-parameters")
    return Mac(DIGESTS[oid], value.content, salt.content, iterations)
