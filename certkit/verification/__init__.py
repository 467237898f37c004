"""Is this chain trusted, by which paths, and why not: the verdict, the explorer and the pictures."""

from __future__ import annotations

from certkit.verification.result import Opinion, Path, Verification
from certkit.verification.verify import verify_chain

__all__ = ["Opinion", "Path", "Verification", "verify_chain"]
