"""The oracle of the webpki policy: cryptography's own verifier, asked as it is."""

from __future__ import annotations

import ipaddress
import warnings

import cryptography
from cryptography import x509
from cryptography.x509 import verification

from certkit._text import visible
from certkit.certificates import Certificate
from certkit.verification._facts import Facts
from certkit.verification._policy import Question
from certkit.verification._rules_leaf import usable_host
from certkit.verification._search import Bag
from certkit.verification.result import Opinion

__all__ = ["ask_cryptography"]

JUDGE = f"cryptography {cryptography.__version__}"


def ask_cryptography(bag: Bag, question: Question, anchors: tuple[Certificate, ...]) -> Opinion:
    """Return the verdict of cryptography's verifier.

    Two questions are put to it in a way of our own. Without a host it is asked for a name that the
    certificate covers, since it demands one. For a client it is told that subjectAltName may be
    absent: its default demands it, no TLS server does, and a client seldom has one.
    """
    if not anchors:
        return Opinion(JUDGE, None, "not asked: the truststore is empty")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            builder = verification.PolicyBuilder().time(question.at).max_chain_depth(question.max_depth)
            builder = builder.store(verification.Store([anchor.raw for anchor in anchors]))
            return _ask(builder, bag, question)
    except (ValueError, OverflowError, TypeError) as error:
        return Opinion(JUDGE, None, f"cannot judge: {visible(str(error), 300)}")


def _ask(builder: verification.PolicyBuilder, bag: Bag, question: Question) -> Opinion:
    leaf, others = bag.sent[0].raw, [item.raw for item in bag.sent[1:]]
    try:
        if question.purpose == "client":
            ee = verification.ExtensionPolicy.webpki_defaults_ee().may_be_present(
                x509.SubjectAlternativeName, verification.Criticality.AGNOSTIC, None
            )
            ca = verification.ExtensionPolicy.webpki_defaults_ca()
            client = builder.extension_policies(ca_policy=ca, ee_policy=ee).build_client_verifier()
            chain = client.verify(leaf, others).chain
        else:
            subject = _subject(question.host or _any_host(bag.leaf))
            chain = builder.build_server_verifier(subject).verify(leaf, others)
    except verification.VerificationError as error:
        return Opinion(JUDGE, False, visible(str(error), 500))
    return Opinion(JUDGE, True, "a path to an anchor holds", chain=tuple(Certificate(item) for item in chain))


def _subject(host: str) -> x509.DNSName | x509.IPAddress:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _any_host(leaf: Facts) -> str:
    hosts = (usable_host(name) for name in leaf.sans)
    return next((host for host in hosts if host is not None), "host.invalid")
