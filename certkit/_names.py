"""What certificates name: hosts, addresses, mailboxes, people."""

from __future__ import annotations

import ipaddress
import re

from cryptography import x509

from certkit.errors import ArgumentError

__all__ = ["alternative_name", "is_address", "is_host_name"]

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.IGNORECASE)


def is_address(text: str) -> bool:
    """Return whether `text` is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_host_name(text: str) -> bool:
    """Return whether `text` is a DNS host name (RFC 1123, 2.1), a leading wildcard allowed.

    Examples
    --------
    >>> is_host_name("shop.example.test"), is_host_name("no host name")
    (True, False)
    """
    labels = text.removeprefix("*.").rstrip(".").split(".")
    return len(text) <= 253 and all(_LABEL.fullmatch(label) for label in labels)


def alternative_name(name: str, usage: str) -> x509.GeneralName | None:
    """Return a text as the kind of name that it is (RFC 5280, 4.2.1.6); None for a plain name such as ``"Acme CRM"``.

    Raises
    ------
    ArgumentError
        If it is empty, or meant for a server and no host name.
    """
    if not isinstance(name, str) or not name.strip():
        raise ArgumentError("a name is empty or no text", on=repr(name), hint='"shop.example.test"')
    if is_address(name):
        return x509.IPAddress(ipaddress.ip_address(name))
    if "@" in name and name.isascii() and " " not in name:
        return x509.RFC822Name(name)
    try:
        encoded = name if name.isascii() else name.encode("idna").decode()
    except UnicodeError:
        encoded = name
    if is_host_name(encoded):
        return x509.DNSName(encoded.lower())
    if usage == "server":
        raise ArgumentError(
            "this is no host name",
            on=repr(name[:80]),
            hint='letters, digits and hyphens between dots, no spaces, no https://; for a client, usage="client"',
        )
    return None
