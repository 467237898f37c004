"""What transcripts prove beyond their words: the chain that s_client lists, the order of what a debug log tells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from certkit.explanation._weighing import Evidence
from certkit.explanation.timeline import Step

__all__ = ["transcript_evidence"]

_ENTRY = re.compile(r"^ {0,4}(\d{1,2}) s: ?(.{1,400})$")
_ISSUER = re.compile(r"^ {0,8}i: ?(.{1,400})$")
_DEPTH_ERROR = re.compile(r"verify error:num=(\d{1,3})")
_DEPTH = re.compile(r"^depth=(\d{1,2}) ")
_SNI = re.compile(r"-servername\b|-noservername\b")


@dataclass(frozen=True)
class _Listed:
    subject: str
    issuer: str


def transcript_evidence(text: str, steps: Sequence[Step]) -> Iterator[Evidence]:
    """Yield what a transcript shows for or against causes."""
    if "\n" not in text:
        return
    chain = _chain(text)
    if chain:
        yield from _about_chain(chain, text)
    yield from _about_steps(steps)


def _chain(text: str) -> list[_Listed]:
    found: list[_Listed] = []
    subject = ""
    start = text.find("Certificate chain")
    if start < 0:
        return []
    for line in text[start : start + 60_000].split("\n")[1:200]:
        if match := _ENTRY.match(line):
            subject = _name(match[2])
        elif subject and (match := _ISSUER.match(line)):
            found.append(_Listed(subject, _name(match[1])))
            subject = ""
    return found


def _name(text: str) -> str:
    return re.sub(r"\s{0,3}=\s{0,3}", "=", text.strip()).lower()


def _about_chain(chain: list[_Listed], text: str) -> Iterator[Evidence]:
    leaf, top = chain[0], chain[-1]
    subjects = [item.subject for item in chain]
    # The path from the leaf, whatever the order in which it was sent.
    reached, at = {leaf.subject}, leaf
    while at.issuer != at.subject and at.issuer in subjects and at.issuer not in reached:
        reached.add(at.issuer)
        at = chain[subjects.index(at.issuer)]
    if "Verify return code: 0 (ok)" in text or "Verification: OK" in text:
        for cause in (
            "untrusted-root",
            "missing-intermediate",
            "self-signed-leaf",
            "expired-leaf",
            "truststore-missing-or-empty",
        ):
            yield Evidence(cause, 0.15, "the transcript's own verdict is ok")
        return
    failed = any(code in {"2", "18", "19", "20", "21", "27"} for code in _DEPTH_ERROR.findall(text[:200_000]))
    if leaf.subject == leaf.issuer and len(chain) == 1:
        if failed:
            yield Evidence("self-signed-leaf", 6, "the one certificate that was sent is issued by itself")
        return
    if (
        leaf.subject in {item.issuer for item in chain[1:]}
        and len(chain) > 1
        and leaf.issuer not in subjects[1:]
    ):
        yield Evidence(
            "leaf-not-first", 8, "the first certificate that was sent is the issuer of another one"
        )
    if len(chain) == 1 and failed:
        yield Evidence(
            "missing-intermediate", 5, f"only the leaf was sent; its issuer {leaf.issuer[:80]} was not"
        )
        yield Evidence("tls-interception", 0.6, "")
    elif len(chain) > 1 and at.issuer == at.subject and failed:
        yield Evidence(
            "untrusted-root",
            4,
            f"the chain is whole up to the root {at.subject[:80]}, which is not trusted here",
        )
        yield Evidence("missing-intermediate", 0.1, "the chain is whole")
    elif len(chain) > 1 and failed:
        yield Evidence(
            "untrusted-root", 2.5, f"the chain stops below {at.issuer[:80]}, which is not trusted here"
        )
    broken = [low for low, high in pairwise(chain) if low.issuer != high.subject]
    if broken and leaf.issuer in subjects and top.subject != leaf.issuer:
        yield Evidence(
            "chain-out-of-order",
            3,
            "the certificates do not follow in the order in which each certifies the one before",
        )


def _about_steps(steps: Sequence[Step]) -> Iterator[Evidence]:
    names = [step.what.lower().replace(" ", "") for step in steps]
    empty = any(step.what in ("no certificate to send", "an empty Certificate") for step in steps)
    asked = any(name.startswith("certificaterequest") or name == "requestcert" for name in names)
    hello = any(name in ("serverhello",) for name in names)
    alert = any(step.what == "Alert" and step.who in ("the other side", "server") for step in steps)
    closed = any(step.what == "closed" for step in steps)
    if not any(name == "clienthello" for name in names):
        return
    if (alert or closed) and not hello:
        for cause, factor in (
            ("no-shared-cipher", 1.8),
            ("protocol-version", 1.8),
            ("sni-missing", 1.3),
            ("client-cert-missing", 0.05),
            ("client-cert-untrusted", 0.05),
            ("ca-hint-list", 0.05),
        ):
            yield Evidence(
                cause, factor, "it ended after the ClientHello, before any ServerHello" if factor > 1 else ""
            )
    if (alert or closed) and hello and asked:
        yield Evidence("no-shared-cipher", 0.1, "")
        yield Evidence("protocol-version", 0.1, "")
        if empty:
            yield Evidence(
                "client-cert-missing",
                6,
                "the server asked for a certificate, and the client sent an empty list",
            )
            yield Evidence(
                "ca-hint-list", 5, "the server asked for a certificate, and the client had none that fits"
            )
            yield Evidence("client-cert-untrusted", 0.15, "")
        else:
            yield Evidence(
                "client-cert-untrusted", 1.6, "the server asked for a certificate and refused after that"
            )
            yield Evidence(
                "client-cert-missing", 1.3, "the server asked for a certificate and refused after that"
            )
