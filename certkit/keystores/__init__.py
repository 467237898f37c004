"""Keystores: what a file of keys and certificates holds, and how it becomes another file.

Keystore and truststore are roles, not formats: the same file can be either. What one side presents comes
from `Keystore.credential`, what it believes from `Keystore.trust_store`.
"""

from __future__ import annotations

from certkit.keystores.entries import CertificateEntry, Entry, KeyEntry, OtherEntry, TrustedCertificateEntry
from certkit.keystores.keystore import Keystore
from certkit.keystores.loading import (
    load_certificate,
    load_certificates,
    load_credential,
    load_keystore,
    load_private_key,
)

__all__ = [
    "CertificateEntry",
    "Entry",
    "KeyEntry",
    "Keystore",
    "OtherEntry",
    "TrustedCertificateEntry",
    "load_certificate",
    "load_certificates",
    "load_credential",
    "load_keystore",
    "load_private_key",
]
