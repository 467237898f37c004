"""`verify_chain`: ask the oracle, explain with the explorer, show both."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from certkit._files import utc
from certkit._text import visible
from certkit.causes import Finding, Severity
from certkit.certificates import Certificate
from certkit.chains import Chain, TrustStore
from certkit.credentials import Credential
from certkit.errors import ArgumentError
from certkit.revocation import RevocationList
from certkit.verification import _names
from certkit.verification._kinds import finding
from certkit.verification._openssl import ask_openssl
from certkit.verification._oracle import ask_cryptography
from certkit.verification._order import chain_findings, truststore_findings
from certkit.verification._paths import Explainer
from certkit.verification._policy import POLICIES, Question, find_policy
from certkit.verification._search import Bag, Judge, explore
from certkit.verification.result import Opinion, Path, Verification
from certkit.verification.revocation import check_revocation

__all__ = ["verify_chain"]

_PURPOSES = ("server", "client")
_MAX_FINDINGS = 200


def verify_chain(
    chain: Chain | Credential | Certificate | Iterable[Certificate],
    anchors: TrustStore | Iterable[Certificate],
    host: str | None = None,
    purpose: str = "server",
    at: datetime | None = None,
    policy: str = "webpki",
    *,
    max_depth: int | None = None,
    crls: Iterable[RevocationList] = (),
    second_opinion: bool = True,
) -> Verification:
    """Return whether a chain is trusted, by which paths, and what exactly is wrong if not.

    The verdict is the oracle's: cryptography's verifier. Beside it, every path is searched and every certificate on
    every path is checked, so that each reason is seen and not only the first.

    Parameters
    ----------
    chain : Chain, Credential, Certificate or iterable of Certificate
        As sent, leaf first. Its order is never repaired: what is wrong with it is a finding.
    anchors : TrustStore or iterable of Certificate
        What the side that checks believes.
    host : str, optional
        The name or address that was asked for. Without it no name is compared. For a client none ever is.
    purpose : {"server", "client"}
        What the certificate is used as.
    at : datetime, optional
        The clock, aware; now by default.
    policy : {"webpki", "pedantic"}
        Which rules are fatal. ``"pedantic"`` adds those that clients let pass.
    max_depth : int, optional
        How many intermediates a path may have; 8 by default.
    crls : iterable of RevocationList, optional
        Revocation lists at hand; see `check_revocation` for OCSP, for asking, and for hard-fail.

    second_opinion : bool
        Whether OpenSSL is asked, too; it takes a third of the time.

    Returns
    -------
    Verification
        Ask ``.ok``; ``.headline`` is the first thing to repair, ``.paths`` and ``.findings`` are everything.

    Raises
    ------
    ArgumentError
        If the chain is empty, or purpose, policy, host or date make no sense.

    See Also
    --------
    certkit.verification.chain_graph : the same as a picture.

    Notes
    -----
    RFC 5280, section 6, is path validation; the profile on top is the CA/Browser Forum's.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> ca = CertificateAuthority("Lab Root")
    >>> server = ca.issue("shop.example.test", usage="server")
    >>> verify_chain(server, ca.trust_store, host="cart.example.test").headline
    <Finding fatal hostname-mismatch on leaf shop.example.test>
    """
    sent, store = _sent(chain), _store(anchors)
    question = _question(host, purpose, at, policy, max_depth)
    bag = Bag(sent.certificates, store)
    oracle = ask_cryptography(bag, question, store.certificates)
    judge = Judge(bag, replace(question, policy=POLICIES["webpki"]))
    judged = judge.run() if bag.anchor_count else False
    explainer = Explainer(bag, question)
    routes, limit = explore(bag, question)
    paths = sorted((explainer.path(route) for route in routes), key=_brokenness)
    found = [*_search_findings(bag, judge, limit, paths), *truststore_findings(bag)]
    found += chain_findings(bag, question.usage)
    ok = judged if oracle.ok is None else oracle.ok
    if not question.host_valid and purpose == "server":
        ok = False
    if policy == "pedantic":
        ok = ok and any(path.ok for path in paths)
    if oracle.ok is not None and oracle.ok != judged:
        found.append(_disagreement(oracle, judged))
    found_out = Verification(
        ok=ok,
        oracle=oracle,
        paths=tuple(paths),
        findings=_merge(paths, found, ok),
        explorer_ok=judged,
        chain=sent,
        anchors=store,
        host=question.host if purpose == "server" else None,
        purpose=purpose,
        at=question.at,
        policy=policy,
        opinions=(ask_openssl(sent.certificates, store.certificates, question),) if second_opinion else (),
    )
    lists = tuple(crls)
    return check_revocation(found_out, crls=lists) if lists else found_out


def _sent(chain: Chain | Credential | Certificate | Iterable[Certificate]) -> Chain:
    if isinstance(chain, Credential):
        chain = chain.chain
    if isinstance(chain, Certificate):
        chain = Chain((chain,))
    sent = chain if isinstance(chain, Chain) else Chain(chain)
    if not sent:
        raise ArgumentError("this chain is empty", hint="a chain begins with the leaf")
    return sent


def _store(anchors: TrustStore | Iterable[Certificate]) -> TrustStore:
    return anchors if isinstance(anchors, TrustStore) else TrustStore(anchors)


def _question(
    host: str | None, purpose: str, at: datetime | None, policy: str, max_depth: int | None
) -> Question:
    if purpose not in _PURPOSES:
        raise ArgumentError("unknown purpose", on=repr(purpose), hint="one of " + ", ".join(_PURPOSES))
    rules = find_policy(policy)
    depth = rules.max_depth if max_depth is None else max_depth
    if not 0 <= depth <= 255:
        raise ArgumentError("max_depth counts intermediates, from 0 to 255", on=depth)
    name, valid = (None, True) if host is None or purpose == "client" else _host(host)
    return Question(name, purpose, utc(at), rules, depth, valid)


def _host(host: str) -> tuple[str, bool]:
    if not isinstance(host, str) or not host.strip():
        raise ArgumentError("a host name is needed", on=repr(host), hint='host="shop.example.test"')
    if any(mark in host for mark in "/ \t\n"):
        raise ArgumentError(
            "this is an address or a sentence, not a host name", on=visible(host, 80), hint="the host alone"
        )
    try:
        return str(ipaddress.ip_address(host.strip("[]"))), True
    except ValueError:
        pass
    name = host.removesuffix(".")
    if not name.isascii():
        try:
            name = name.encode("idna").decode()
        except UnicodeError:
            return host, False
    found = _names.host_name(name)
    return (host, False) if found is None else (found, True)


def _brokenness(path: Path) -> tuple[bool, bool, int, int]:
    return not path.ok, path.end != "anchor", len(path.fatal), len(path)


def _search_findings(bag: Bag, judge: Judge, limit: str, paths: Sequence[Path]) -> Iterable[Finding]:
    judged = bool(judge.path)
    reached = (judge.limit if judge.limit in ("signatures", "name comparisons") else "") or limit
    if reached:
        yield finding(
            "search-limit",
            f"The search was stopped: too many {reached}. What lies beyond was not looked at.",
            position="leaf" if reached == "name comparisons" else "chain",
            severity=Severity.FATAL if judge.limit and not judged else Severity.ADVISORY,
        )
    if bag.anchor_count and not judged and not bag.reaches_anchor_by_name():
        # Where an issuer is missing, nobody knows yet which root it would have led to.
        unknown = any(
            item.kind == "missing-intermediate" and item.fatal for path in paths for item in path.findings
        )
        yield finding(
            "untrusted-root",
            "No chain of names leads from the leaf to any certificate of this truststore.",
            position="chain",
            severity=Severity.ADVISORY if unknown else Severity.FATAL,
        )


def _disagreement(oracle: Opinion, judged: bool) -> Finding:
    return finding(
        "oracle-disagrees",
        f"{oracle.judge} says {oracle.word} ({oracle.text}), and certkit's own search says "
        f"{'trusted' if judged else 'refused'}. The verdict is {oracle.judge}'s; the reasons given here may be incomplete.",
        severity=Severity.FATAL if judged else Severity.ADVISORY,
    )


def _merge(paths: Sequence[Path], found: Iterable[Finding], ok: bool) -> tuple[Finding, ...]:
    """Return every finding once, with the paths it lies on, the most telling first.

    On a chain that is trusted nothing is fatal: what refuses one path is advisory for the whole.
    """
    merged: dict[tuple[str, str, str, tuple[tuple[str, str], ...]], Finding] = {}
    for number, path in enumerate(paths):
        for item in path.findings:
            key = (item.kind, item.sha256, item.position, item.evidence)
            first = merged.get(key)
            if first is None:
                merged[key] = replace(item, paths=(number,))
            else:
                worse = (
                    Severity.FATAL if Severity.FATAL in (first.severity, item.severity) else first.severity
                )
                merged[key] = replace(first, severity=worse, paths=(*first.paths, number))
    for item in found:
        merged.setdefault((item.kind, item.sha256, item.position, item.evidence), item)
    ordered = sorted(merged.values(), key=_rank)
    if ok:
        ordered = [replace(item, severity=Severity.ADVISORY) if item.fatal else item for item in ordered]
    return tuple(ordered[:_MAX_FINDINGS])


_FIRST = ("leaf-not-first", "truststore-missing-or-empty")
_LATE = ("search-limit", "untrusted-root", "missing-intermediate", "max-depth-exceeded")


def _rank(item: Finding) -> tuple[bool, bool, int, bool, int]:
    on_best = 0 if 0 in item.paths else 1
    depth = 99 if item.depth is None else item.depth
    return not item.fatal, item.kind not in _FIRST, on_best, item.kind in _LATE, depth
