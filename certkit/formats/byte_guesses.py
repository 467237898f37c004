"""What a byte at a certain place says about the file: the table behind `certkit.formats.byte_decoder`.

Measured on Java 11, 17, 21 and 25; `tests/conformance/test_byte_decoder.py` puts the same files to the real Java.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FIRST", "INSIDE", "SECOND", "WORDS_OF", "Guess"]


@dataclass(frozen=True, slots=True)
class Guess:
    """What a file is, judged from one byte of it.

    Attributes
    ----------
    kind : str
        The word for it: a structure (``"certificate"``), a format (``"jks"``) or a damage (``"utf8-replaced"``).
    what : str
        The same in a sentence.
    cause : str
        The cause id.
    commands : tuple of str
        What makes the right file of it; FILE stands for the file at hand.
    """

    kind: str
    what: str
    cause: str
    commands: tuple[str, ...]


_EXPORT = "openssl pkcs12 -export -in {} -inkey KEY.pem -certfile CHAIN.pem -out NEW.p12"
_FROM_KEY = "openssl pkcs12 -export -inkey {} -in CERT.pem -certfile CHAIN.pem -out NEW.p12"
_TRUST = "keytool -importcert -file {} -alias NAME -keystore NEW.p12 -storetype PKCS12"


def _wrong(kind: str, what: str, *commands: str) -> Guess:
    return Guess(kind, what, "wrong-file-format", commands)


def _damaged(kind: str, what: str, *commands: str) -> Guess:
    return Guess(kind, what, "tampered-or-corrupt", commands)


_CERTIFICATE = _wrong(
    "certificate",
    "one DER certificate: its first part is a SEQUENCE, where a PKCS#12 has its version number",
    "openssl x509 -inform DER -in FILE -out CERT.pem",
    _EXPORT.format("CERT.pem"),
    _TRUST.format("FILE"),
)
_PKCS7 = _wrong(
    "pkcs7",
    "a PKCS#7 (.p7b): it begins with an object identifier, and holds certificates without a key",
    "openssl pkcs7 -inform DER -in FILE -print_certs -out CERTS.pem",
    _EXPORT.format("CERTS.pem").replace(" -certfile CHAIN.pem", ""),
)
_PEM = _wrong(
    "pem",
    "PEM text: it begins with -----BEGIN",
    "certkit inspect FILE",
    _EXPORT.format("FILE"),
    _TRUST.format("FILE"),
)
_BASE64 = _wrong(
    "base64",
    "base64 without BEGIN and END lines: MI is how the bytes 30 82 look in base64",
    "base64 -d FILE > NEW.p12",
)
_JKS = _wrong(
    "jks",
    "a JKS keystore: it begins with FE ED FE ED",
    "keytool -importkeystore -srckeystore FILE -srcstoretype JKS -destkeystore NEW.p12 -deststoretype PKCS12",
    "certkit convert FILE NEW.p12",
)
_JCEKS = _wrong(
    "jceks",
    "a JCEKS keystore: it begins with CE CE CE CE",
    "keytool -importkeystore -srckeystore FILE -srcstoretype JCEKS -destkeystore NEW.p12 -deststoretype PKCS12",
    "certkit convert FILE NEW.p12",
)
_BOM = _damaged(
    "byte-order-mark",
    "a byte order mark (EF BB BF) was put before it: it was saved by a text editor",
    "tail -c +4 FILE > NEW.p12",
)
_REPLACED = _damaged(
    "utf8-replaced",
    "it was read as UTF-8 text and written again: EF BF BD stands where other bytes were, and they are lost",
    "fetch the original again in binary mode; keep it out of text filtering (Maven, git, editors)",
)
_REENCODED = _damaged(
    "utf8-reencoded",
    "it was read as Latin-1 and written as UTF-8: 82 became C2 82",
    "iconv -f UTF-8 -t LATIN1 FILE > NEW.p12",
)
_BLANK = _damaged(
    "blank-line-first",
    "a blank or an empty line stands before the data",
    "certkit inspect FILE, which says how many bytes to remove with tail -c",
)
_HTML = _wrong(
    "html-page",
    "a web page or XML: the download ended on an error or a login page",
    "head -c 300 FILE, to read what it says; then fetch the file itself",
)
_CHANGED = _damaged(
    "changed-byte",
    "a PKCS#12 of which this byte was changed: there should stand 02 01 03, version 3",
    "fetch the file again, in binary mode, and compare checksums: sha256sum FILE",
)
_GARBAGE = _damaged(
    "garbage",
    "no file begins so: base64 that lost a character, changed case or was decoded twice, or random bytes",
    "fetch the file again, in binary mode; decode base64 once: base64 -d",
)
_KEY = _wrong(
    "private-key",
    "a private key in DER: its version is 0 (PKCS#8, PKCS#1) or 1 (EC), and a PKCS#12 says 3",
    "openssl pkey -inform DER -in FILE -out KEY.pem",
    _FROM_KEY.format("KEY.pem"),
)
_EMPTY = _damaged(
    "empty", "it is empty", "make it again: the program that wrote it failed, or the disk was full"
)
_CUT = _damaged(
    "truncated", "it is cut short, or it is no DER at all", "ls -l FILE, then fetch it again, whole"
)
_CRLF = _damaged(
    "crlf-translated",
    "a length inside is wrong: copied as text, each line feed became two bytes; or bytes were changed",
    "fetch the file again, in binary mode (FTP: binary)",
)

FIRST: dict[int, Guess] = {
    0x2D: _PEM,
    ord("M"): _BASE64,
    ord("L"): _wrong(
        "base64-pem",
        "base64 of a PEM file, as in a Kubernetes secret: LS0t is ----- in base64",
        "base64 -d FILE > NEW.pem",
    ),
    ord("/"): _wrong(
        "base64-jks", "base64 of a JKS keystore: /u3+7Q is FE ED FE ED", "base64 -d FILE > NEW.jks"
    ),
    ord("B"): _wrong(
        "pem", "PEM text as openssl pkcs12 prints it: it begins with Bag Attributes", _EXPORT.format("FILE")
    ),
    ord("C"): _wrong(
        "certificate-text",
        "the text of a certificate as openssl x509 -text prints it: it begins with Certificate:",
        "openssl x509 -in FILE -out CERT.pem, if the PEM block stands below the text",
    ),
    ord("K"): _wrong(
        "pem", "PEM text as openssl prints it: it begins with Key Attributes", _EXPORT.format("FILE")
    ),
    ord("<"): _HTML,
    ord("{"): _wrong("json", "JSON: the answer of a service, or its error", "head -c 300 FILE, to read it"),
    ord("P"): _wrong("zip", "a ZIP archive: it begins with PK", "unzip FILE"),
    ord("s"): _wrong("ssh-public-key", "an SSH public key, not a keystore", "ssh-keygen -e -m PKCS8 -f FILE"),
    ord("#"): _wrong("text", "a text or script with a comment in its first line", "head -3 FILE, to read it"),
    0x0A: _BLANK,
    0x0D: _BLANK,
    0x20: _BLANK,
    0x09: _BLANK,
    0xEF: _BOM,
    0xFE: _JKS,
    0xCE: _JCEKS,
    0x1F: _wrong("gzip", "a gzip archive: it begins with 1F 8B", "gunzip < FILE > NEW.p12"),
    0xFF: _wrong(
        "utf-16",
        "text in UTF-16, as PowerShell writes it: it begins with FF FE",
        "iconv -f UTF-16 -t UTF-8 FILE > NEW.pem",
    ),
    0x00: _GARBAGE,
}
"""By the first byte of the file."""

SECOND: dict[int, Guess] = {
    0xED: _JKS,
    0xCE: _JCEKS,
    0xBB: _BOM,
    0xEF: _REPLACED,
    0xC2: _REENCODED,
    0xC3: _REENCODED,
    0xFE: FIRST[0xFF],
    0xBF: _REPLACED,
}
"""By the byte where a length is looked for: the second one, or one further in."""

INSIDE: dict[int, Guess] = {
    0x30: _CERTIFICATE,
    0x06: _PKCS7,
    0x0A: _wrong("ocsp-response", "an OCSP response", "openssl ocsp -respin FILE -text -noverify"),
    0xA0: _CERTIFICATE,
}
"""By the first byte inside the outer SEQUENCE, where a PKCS#12 has 02: an INTEGER, its version."""

WORDS_OF: dict[str, Guess] = {
    "not in version 3 format": _KEY,
    "Tag number over 30": _EMPTY,
    "Short read of DER length": _EMPTY,
    "Invalid lenByte": _CRLF,
    "EOFException": _CUT,
    "not enough content": _CUT,
    "Invalid keystore format": _wrong(
        "not-jks",
        "no JKS: that would begin with FE ED FE ED",
        "certkit inspect FILE, to see what it is; then certkit convert FILE NEW.jks",
    ),
    "algid parse error, not a sequence": _wrong(
        "pkcs1",
        "a private key in PKCS#1 (or SEC 1) where PKCS#8 is wanted",
        "openssl pkcs8 -topk8 -nocrypt -inform DER -in FILE -outform DER -out NEW.key",
    ),
}
"""By words, where the message has no number."""

CHANGED, GARBAGE = _CHANGED, _GARBAGE
"""What is left: a byte that no known file has there."""
