"""TLS handshake messages, opened: from bytes to fields (RFC 8446, 4; RFC 5246, 7.4).

Bytes come from a peer, so nothing is believed: a message that cannot be read keeps its name, its
size and the reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from cryptography import x509

from certkit._html import Html, definitions, details, join, preformatted
from certkit._text import count, hexdump, visible
from certkit.certificates import Certificate
from certkit.errors import FormatError
from certkit.handshakes import _names

__all__ = ["Message", "open_message"]

Fields = tuple[tuple[str, str], ...]
_Opened = tuple[str, Fields, tuple[Certificate, ...]]


@dataclass(frozen=True)
class Message:
    """One message as its sender wrote it, decrypted.

    Attributes
    ----------
    sender : {"client", "server"}
        Who sent it.
    name : str
        Its name in the RFC: ``"ClientHello"``, ``"Certificate"``, ``"Alert"``, …
    body : bytes
        The whole message, decrypted, with its 4-byte header; for application data, empty.
    size : int
        Its size in bytes, decrypted.
    encrypted : bool
        Whether it crossed encrypted.
    tls13 : bool
        Whether TLS 1.3 was agreed on; some messages differ in form.
    note : str
        What is known of a message that has no content to read; empty for all others.
    """

    sender: str
    name: str
    body: bytes = field(repr=False)
    size: int
    encrypted: bool
    tls13: bool = field(default=False, repr=False)
    note: str = field(default="", repr=False)

    @property
    def summary(self) -> str:
        """What it says, in one line."""
        return visible(self._opened[0], 200)

    @property
    def fields(self) -> Fields:
        """What it says, field by field."""
        return self._opened[1]

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """The certificates in it; empty for every message but Certificate."""
        return self._opened[2]

    @cached_property
    def _opened(self) -> _Opened:
        # Opened when first asked for: recording must cost next to nothing.
        if self.note:
            return self.note, (), ()
        try:
            return _alert(self.body) if self.name == "Alert" else _read(self.name, self.body[4:], self.tls13)
        except (FormatError, IndexError) as error:
            return f"cannot be read: {error}", (), ()

    def html(self, number: str = "") -> Html:
        """Return fields and bytes; `number` goes before the name."""
        # Few messages are longer than this; the fields tell of the whole.
        shown = 384
        words = f"Its first {shown} bytes of {self.size}" if len(self.body) > shown else "Its bytes"
        return join(
            [
                definitions(
                    [(name, _without_long_words(text)) for name, text in self.fields]
                    or [("content", self.summary)],
                    caption=f"{number}{self.name} from the {self.sender}",
                ),
                details(f"{words}, decrypted", preformatted(hexdump(self.body, length=shown))),
            ]
        )

    def _repr_html_(self) -> Html:
        return self.html()

    def to_dict(self) -> dict[str, object]:
        """Return the facts as JSON values."""
        return {
            "from": self.sender,
            "name": self.name,
            "size": self.size,
            "encrypted": self.encrypted,
            "summary": self.summary,
        }


def _without_long_words(text: str) -> str:
    """Return text with words that no browser would break cut: signatures and checksums, whole in the bytes."""
    return " ".join(word if len(word) <= 64 else word[:48] + "…" for word in text.split(" "))


class _Cursor:
    """Reads numbers and vectors (RFC 8446, 3.4) off a buffer and never past its end."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        if self.at + size > len(self.data):
            raise FormatError(
                "the message ends early", on=f"byte {self.at} of {len(self.data)}", kind="truncated"
            )
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> bytes:
        return self.take(self.number(size))

    def __bool__(self) -> bool:
        return self.at < len(self.data)


def open_message(sender: str, body: bytes, *, encrypted: bool, tls13: bool) -> Message:
    """Return a handshake message.

    Parameters
    ----------
    sender : {"client", "server"}
        Who sent it.
    body : bytes
        The whole handshake message: type, 3-byte length, content.
    encrypted : bool
        Whether it crossed encrypted.
    tls13 : bool
        Whether TLS 1.3 was agreed on; some messages differ in form.
    """
    name = _names.HANDSHAKE_TYPES.get(body[0], f"handshake type {body[0]}") if body else "empty message"
    return Message(sender, name, body, len(body), encrypted, tls13)


def open_alert(sender: str, body: bytes, *, encrypted: bool) -> Message:
    """Return an alert (RFC 8446, 6): two bytes, level and description."""
    return Message(sender, "Alert", body, len(body), encrypted)


def _alert(body: bytes) -> _Opened:
    if len(body) != 2:
        return "an alert of the wrong size", (), ()
    level = {1: "warning", 2: "fatal"}.get(body[0], f"level {body[0]}")
    word = _names.alert_name(body[1])
    return f"{level}: {word}", (("level", f"{level} ({body[0]})"), ("description", f"{word} ({body[1]})")), ()


def _read(name: str, content: bytes, tls13: bool) -> _Opened:
    cursor = _Cursor(content)
    match name:
        case "ClientHello":
            return (*_client_hello(cursor), ())
        case "ServerHello":
            return (*_server_hello(cursor), ())
        case "EncryptedExtensions":
            names = [_names.EXTENSIONS.get(kind, str(kind)) for kind, _ in _extensions(cursor)]
            return (
                ", ".join(names) or "no further extensions",
                (("extensions", ", ".join(names) or "none"),),
                (),
            )
        case "Certificate":
            return _certificate(cursor, tls13)
        case "CertificateRequest":
            return (*_certificate_request(cursor, tls13), ())
        case "CertificateVerify":
            return (*_certificate_verify(cursor), ())
        case "ServerKeyExchange":
            return (*_server_key_exchange(cursor), ())
        case "ClientKeyExchange":
            return "the client's half of the key exchange", (("public value", f"{len(content)} bytes"),), ()
        case "Finished":
            words = "a checksum over everything said so far, made with the new keys"
            return words, (("verify_data", content.hex()),), ()
        case "NewSessionTicket":
            words = "a ticket with which this client may resume without a full handshake"
            return words, (("lifetime", f"{cursor.number(4)} s"),), ()
        case "ServerHelloDone":
            return "the server has said all for now", (), ()
    return f"{len(content)} bytes", (), ()


def _extensions(cursor: _Cursor) -> list[tuple[int, bytes]]:
    inner = _Cursor(cursor.vector(2))
    found = []
    while inner:
        found.append((inner.number(2), inner.vector(2)))
    return found


def _numbers(data: bytes, names: dict[int, str]) -> str:
    values = [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data) - 1, 2)]
    return ", ".join(names.get(value, f"0x{value:04x}") for value in values)


def _extension_text(kind: int, data: bytes) -> str:
    cursor = _Cursor(data)
    match kind:
        case 0 if data:
            names = _Cursor(cursor.vector(2))
            names.number(1)
            return names.vector(2).decode("ascii", "backslashreplace")
        case 10:
            return _numbers(cursor.vector(2), _names.GROUPS)
        case 13 | 50:
            return _numbers(cursor.vector(2), _names.SIGNATURE_SCHEMES)
        case 16:
            protocols, inner = [], _Cursor(cursor.vector(2))
            while inner:
                protocols.append(inner.vector(1).decode("ascii", "backslashreplace"))
            return ", ".join(protocols)
        case 43:
            return _numbers(data if len(data) == 2 else cursor.vector(1), _names.VERSIONS)
        case 51 if len(data) > 2:
            return _key_shares(data)
    return f"{len(data)} bytes"


def _key_shares(data: bytes) -> str:
    cursor = _Cursor(data)
    if len(data) == int.from_bytes(data[:2], "big") + 2:  # the client's list
        cursor = _Cursor(cursor.vector(2))
    groups = []
    while cursor:
        group = cursor.number(2)
        cursor.vector(2)
        groups.append(_names.GROUPS.get(group, f"0x{group:04x}"))
    return ", ".join(groups)


def _client_hello(cursor: _Cursor) -> tuple[str, Fields]:
    version = cursor.number(2)
    random = cursor.take(32)
    cursor.vector(1)
    suites = cursor.vector(2)
    ciphers = [
        _names.cipher_name(int.from_bytes(suites[at : at + 2], "big")) for at in range(0, len(suites), 2)
    ]
    cursor.vector(1)
    extensions = {kind: _extension_text(kind, data) for kind, data in _extensions(cursor)} if cursor else {}
    versions = extensions.get(43, _names.VERSIONS.get(version, hex(version)))
    wanted = f"I want {extensions[0]}" if 0 in extensions else "no server name"
    fields = (
        ("random", random.hex()),
        ("cipher suites", ", ".join(ciphers)),
        *(
            (_names.EXTENSIONS.get(kind, f"extension {kind}"), visible(text, 600))
            for kind, text in extensions.items()
        ),
    )
    return f"{wanted}; {versions}; {count(len(ciphers), 'cipher suite')}", fields


def _server_hello(cursor: _Cursor) -> tuple[str, Fields]:
    version = cursor.number(2)
    random = cursor.take(32)
    cursor.vector(1)
    cipher = _names.cipher_name(cursor.number(2))
    cursor.number(1)
    extensions = {kind: _extension_text(kind, data) for kind, data in _extensions(cursor)} if cursor else {}
    chosen = extensions.get(43, _names.VERSIONS.get(version, hex(version)))
    group = f", {extensions[51]}" if 51 in extensions else ""
    fields = (
        ("random", random.hex()),
        ("cipher suite", cipher),
        *((_names.EXTENSIONS.get(kind, f"extension {kind}"), text) for kind, text in extensions.items()),
    )
    return f"{chosen}, {cipher}{group}", fields


def _certificate(cursor: _Cursor, tls13: bool) -> _Opened:
    if tls13:
        cursor.vector(1)  # certificate_request_context
    inner = _Cursor(cursor.vector(3))
    certificates: list[Certificate] = []
    fields: list[tuple[str, str]] = []
    while inner:
        der = inner.vector(3)
        try:
            certificates.append(Certificate.from_der(der))
            fields.append((f"certificate {len(fields)}", f"{certificates[-1].subject}, {len(der)} bytes"))
        except FormatError as error:
            fields.append((f"certificate {len(fields)}", str(error)))
        if tls13:
            inner.vector(2)
    names = " ← ".join(item.name for item in certificates)
    summary = names or ("no certificate" if not fields else "certificates that cannot be read")
    return summary, tuple(fields), tuple(certificates)


def _distinguished_names(data: bytes) -> list[str]:
    cursor, found = _Cursor(data), []
    while cursor:
        found.append(_distinguished_name(cursor.vector(2)))
    return found


def _distinguished_name(der: bytes) -> str:
    try:
        return x509.Name.from_bytes(der).rfc4514_string()
    except (ValueError, AttributeError):
        return f"{len(der)} bytes"


def _certificate_request(cursor: _Cursor, tls13: bool) -> tuple[str, Fields]:
    authorities: list[str] = []
    fields: list[tuple[str, str]] = []
    if tls13:
        cursor.vector(1)
        for kind, data in _extensions(cursor):
            if kind == 47:
                authorities = _distinguished_names(_Cursor(data).vector(2))
            else:
                fields.append((_names.EXTENSIONS.get(kind, f"extension {kind}"), _extension_text(kind, data)))
    else:
        kinds = [_names.CLIENT_CERTIFICATE_TYPES.get(kind, str(kind)) for kind in cursor.vector(1)]
        fields.append(("certificate types", ", ".join(kinds)))
        fields.append(("signature algorithms", _numbers(cursor.vector(2), _names.SIGNATURE_SCHEMES)))
        authorities = _distinguished_names(cursor.vector(2))
    fields.append(
        ("certificate authorities", "; ".join(authorities) or "none named: any certificate may be tried")
    )
    return "now show me yours" + (
        f", from {'; '.join(authorities)}" if authorities else ", from any CA"
    ), tuple(fields)


def _certificate_verify(cursor: _Cursor) -> tuple[str, Fields]:
    number = cursor.number(2)
    scheme = _names.SIGNATURE_SCHEMES.get(number, f"0x{number:04x}")
    signature = cursor.vector(2)
    words = f"a signature ({scheme}): I hold the private key of that certificate"
    return words, (("algorithm", scheme), ("signature", f"{len(signature)} bytes: {signature.hex()}"))


def _server_key_exchange(cursor: _Cursor) -> tuple[str, Fields]:
    if cursor.number(1) != 3:
        return "the server's half of the key exchange, signed", ()
    number = cursor.number(2)
    group = _names.GROUPS.get(number, f"0x{number:04x}")
    cursor.vector(1)
    scheme = cursor.number(2)
    algorithm = _names.SIGNATURE_SCHEMES.get(scheme, f"0x{scheme:04x}")
    words = f"the server's half of the key exchange ({group}), signed with its private key ({algorithm})"
    return words, (("group", group), ("algorithm", algorithm))
