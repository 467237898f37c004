"""Keystores: what a file of keys and certificates holds, and how it becomes another file.

Keystore and truststore are roles, not formats: the same file can be either. What one side presents comes
from `Keystore.credential`, what it believes from `Keystore.trust_store`.
"""

from __future__ import annotations

from certkit.keystores.conversion import Conversion, Fate, convert
from certkit.keystores.entries import CertificateEntry, Entry, KeyEntry, OtherEntry, TrustedCertificateEntry
from certkit.keystores.keystore import Keystore
from certkit.keystores.loading import (
    load_certificate,
    load_certificates,
    load_credential,
    load_keystore,
    load_private_key,
)
from certkit.keystores.saving import keystore_bytes, save_keystore

__all__ = [
    "CertificateEntry",
    "Conversion",
    "Entry",
    "Fate",
    "KeyEntry",
    "Keystore",
    "OtherEntry",
    "TrustedCertificateEntry",
    "convert",
    "keystore_bytes",
    "load_certificate",
    "load_certificates",
    "load_credential",
    "load_keystore",
    "load_private_key",
    "save_keystore",
]
