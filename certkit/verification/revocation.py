"""Revocation of what a chain was trusted by: lists and answers checked, and what is to be thought of none."""

from __future__ import annotations

import http.client
import ipaddress
import time
import urllib.parse
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID

from certkit._text import visible
from certkit.causes import Finding, Severity
from certkit.certificates import Certificate
from certkit.errors import CertkitError
from certkit.revocation import OcspAnswer, RevocationList, ocsp_request
from certkit.verification._facts import Facts
from certkit.verification._kinds import finding
from certkit.verification.result import Path, Verification

__all__ = ["check_revocation"]

_MOST_BYTES = 20 * 1024 * 1024
# Each read may take the time-out; an answer that trickles, so many of them.
_MOST_TIMES = 4
_SKEW = timedelta(minutes=5)
_UNUSABLE = "No usable answer"


def check_revocation(
    verification: Verification,
    *,
    crls: Iterable[RevocationList] = (),
    answers: Iterable[OcspAnswer] = (),
    fetch: bool = False,
    hosts: Collection[str] = (),
    hard_fail: bool = False,
    timeout: float = 3.0,
) -> Verification:
    """Return the verification with revocation looked at: every certificate of every trusted path but the anchor.

    Parameters
    ----------
    verification : Verification
        What `verify_chain` returned.
    crls : iterable of RevocationList
        Lists at hand.
    answers : iterable of OcspAnswer
        OCSP answers at hand, for example stapled ones.
    fetch : bool
        Whether to ask at the addresses in the certificates too: OCSP first, then the list, over plain HTTP.
    hosts : collection of str
        Which hosts may be asked besides this machine; by default none.
    hard_fail : bool
        What no usable answer means. False, soft-fail, is what most clients do: the chain stands, with an advisory
        finding, and whoever can block the answer is believed. True refuses it.
    timeout : float
        Seconds for each question.

    Returns
    -------
    Verification
        Not ok if every trusted path holds a revoked certificate, or with `hard_fail` one nobody speaks for.

    Notes
    -----
    RFC 5280, section 6.3, for lists; RFC 6960 for OCSP.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> from certkit.verification import check_revocation, verify_chain
    >>> ca = CertificateAuthority("Lab Root")
    >>> server = ca.issue("shop.example.test", usage="server")
    >>> found = verify_chain(server, ca.trust_store)
    >>> check_revocation(found, crls=[ca.revoke()]).ok
    True
    >>> check_revocation(found, crls=[ca.revoke(server.certificate)]).cause
    'revoked'
    """
    at_hand = _AtHand(tuple(crls), tuple(answers), fetch, frozenset(hosts), timeout, verification.at)
    said: dict[Certificate, list[Finding]] = {}
    paths = []
    for path in verification.paths:
        found: list[Finding] = []
        if path.ok:
            for depth, (item, issuer) in enumerate(
                zip(path.certificates, path.certificates[1:], strict=False)
            ):
                if item not in said:
                    said[item] = list(
                        _Check(verification, item, issuer, depth, at_hand, hard_fail).findings()
                    )
                found += said[item]
        paths.append(_with(path, found))
    ok = verification.ok and any(path.ok for path in paths)
    new = [item for group in said.values() for item in group]
    if ok:
        new = [replace(item, severity=Severity.ADVISORY) for item in new]
    findings = (
        *(item for item in new if item.fatal),
        *verification.findings,
        *(item for item in new if not item.fatal),
    )
    paths.sort(key=lambda path: not path.ok)
    return replace(verification, ok=ok, paths=tuple(paths), findings=findings)


def _with(path: Path, found: list[Finding]) -> Path:
    broken = any(item.fatal for item in found)
    return replace(path, status="refused" if broken else path.status, findings=(*path.findings, *found))


@dataclass(frozen=True)
class _AtHand:
    """The lists and the answers at hand, and how to get more."""

    crls: tuple[RevocationList, ...]
    answers: tuple[OcspAnswer, ...]
    fetch: bool
    hosts: frozenset[str]
    timeout: float
    at: datetime

    def ask(self, url: str, body: bytes | None) -> bytes | str:
        """Return what is at an address, or why nothing could be had."""
        parts = urllib.parse.urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme != "http":
            return "only plain HTTP is asked: to check a TLS certificate over TLS leads round in a circle"
        if not _is_here(host) and host not in self.hosts:
            return "not asked: it is another machine, and none was named in hosts="
        connection = http.client.HTTPConnection(host, parts.port or 80, timeout=self.timeout)
        try:
            headers = {"Content-Type": "application/ocsp-request"} if body else {}
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST" if body else "GET", target, body, headers)
            answer = connection.getresponse()
            data = _within(answer, time.monotonic() + _MOST_TIMES * self.timeout)
            return (
                data if answer.status == 200 else f"it answered {answer.status} {visible(answer.reason, 40)}"
            )
        except TimeoutError:
            return f"no answer in {self.timeout:g} seconds"
        except (OSError, http.client.HTTPException) as error:
            return visible(getattr(error, "strerror", None) or str(error) or type(error).__name__, 100)
        finally:
            connection.close()


def _within(answer: http.client.HTTPResponse, end: float) -> bytes:
    """Return the body of an answer, if it is not too long and does not trickle."""
    data = bytearray()
    while piece := answer.read1(65_536):
        data += piece
        if len(data) > _MOST_BYTES:
            raise http.client.HTTPException(f"an answer of more than {_MOST_BYTES:,} bytes")
        if time.monotonic() > end:
            raise TimeoutError
    if answer.length:
        raise http.client.IncompleteRead(bytes(data), answer.length)
    return bytes(data)


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class _Check:
    """One certificate, its issuer, and everything that somebody says of it."""

    verification: Verification
    certificate: Certificate
    issuer: Certificate
    depth: int
    at_hand: _AtHand
    hard_fail: bool

    def findings(self) -> Iterator[Finding]:
        """Yield what is wrong; nothing if somebody entitled says that it is good."""
        problems: list[Finding] = []
        good = False
        for word in (*self._answers(problems), *self._lists(problems)):
            if word is None:
                good = True
            else:
                yield word
                return
        if good:
            return
        if problems:
            yield from problems
        else:
            yield self._say(
                "revocation-unreachable", f"{_UNUSABLE}: no list, no answer and no address at hand."
            )

    def _answers(self, problems: list[Finding]) -> Iterator[Finding | None]:
        """Yield what OCSP says: None for good, a finding for revoked; put what is unusable into `problems`."""
        for answer in self.at_hand.answers:
            if answer.is_about(self.certificate, self.issuer):
                yield from self._judge_answer(answer, problems)
        for url in self._addresses("ocsp") if self.at_hand.fetch else ():
            got = self.at_hand.ask(url, ocsp_request(self.certificate, self.issuer))
            try:
                found = _read(OcspAnswer, got)
            except CertkitError as error:
                problems.append(self._unreachable("The OCSP responder", url, error.what))
            else:
                yield from self._judge_answer(found, problems)

    def _judge_answer(self, answer: OcspAnswer, problems: list[Finding]) -> Iterator[Finding | None]:
        if not answer.successful or not answer.is_about(self.certificate, self.issuer):
            words = answer.status if not answer.successful else "it speaks of another certificate"
            problems.append(
                self._say(
                    "revocation-unknown", f"The OCSP responder gave no answer about {self._who}: {words}."
                )
            )
        elif answer.signer(self.issuer, self.at_hand.at) is None:
            text = f"The OCSP answer about {self._who} is signed by nobody entitled to: neither its issuer nor a responder of it."
            problems.append(self._say("crl-signature-bad", text))
        elif not _is_current(answer.last_update, answer.next_update, self.at_hand.at):
            problems.append(self._stale("OCSP answer", answer.last_update, answer.next_update))
        elif answer.status == "revoked" and answer.revoked_at is not None:
            yield self._revoked(answer.revoked_at, str(answer.raw.revocation_reason or ""), "an OCSP answer")
        elif answer.status == "good":
            yield None
        else:
            text = f"The OCSP responder does not know {self._who}: it may be another CA's, or never have been issued."
            problems.append(self._say("revocation-unknown", text))

    def _lists(self, problems: list[Finding]) -> Iterator[Finding | None]:
        """Yield what lists say, as `_answers` does."""
        for crl in self.at_hand.crls:
            if crl.issuer_der == self.certificate.issuer_der:
                yield from self._judge_list(crl, problems)
        for url in self._addresses("crl") if self.at_hand.fetch else ():
            got = self.at_hand.ask(url, None)
            try:
                found = _read(RevocationList, got)
            except CertkitError as error:
                problems.append(self._unreachable("The revocation list", url, error.what))
            else:
                yield from self._judge_list(found, problems)

    def _judge_list(self, crl: RevocationList, problems: list[Finding]) -> Iterator[Finding | None]:
        signer = self._signer(crl)
        usage = None if signer is None else Facts(signer, None, True).key_usage
        malformed = _malformed(crl)
        entry = crl.raw.get_revoked_certificate_by_serial_number(self.certificate.raw.serial_number)
        if signer is None:
            text = f"The list that names “{self.issuer.name}” as its issuer is not signed with its key."
            problems.append(self._say("crl-signature-bad", text, position="crl"))
        elif usage is not None and not usage.crl_sign:
            text = f"“{self.issuer.name}” signed a list, and its key usage does not let it (cRLSign)."
            problems.append(self._say("crl-issuer-not-authorized", text, about=signer))
        elif malformed:
            problems.append(
                self._say("crl-malformed", f"The list of “{self.issuer.name}” {malformed}.", position="crl")
            )
        elif not _covers(crl, self.certificate):
            text = f"The list of “{self.issuer.name}” does not cover certificates such as {self._who}."
            problems.append(self._say("revocation-unknown", text, position="crl"))
        elif entry is not None and not _is_removed(entry):
            # A stale list's word that a certificate is revoked still stands: revocation is not taken back.
            yield self._revoked(entry.revocation_date_utc, _reason(entry), "a list")
        elif not _is_current(crl.last_update, crl.next_update, self.at_hand.at):
            problems.append(self._stale("list", crl.last_update, crl.next_update))
        else:
            yield None

    def _signer(self, crl: RevocationList) -> Certificate | None:
        """Return whose key signed a list: the issuer's, or another of its name (RFC 5280, 6.3.3 (f))."""
        if crl.is_signed_by(self.issuer):
            return self.issuer
        paths = {item for path in self.verification.paths if path.ok for item in path.certificates}
        above = [
            item for item in paths if item.subject_der in (self.issuer.issuer_der, self.issuer.subject_der)
        ]
        known: list[Certificate] = [*self.verification.chain, *self.verification.anchors]
        for item in known:
            namesake = (
                item.subject_der == self.issuer.subject_der and item.validity(self.at_hand.at) == "valid"
            )
            if namesake and crl.is_signed_by(item) and (item in paths or self._stands_by(above, item)):
                return item
        return None

    def _stands_by(self, above: list[Certificate], item: Certificate) -> bool:
        """Whether a CA on the path signed this certificate, and no list of its at hand takes it back."""
        issuers = [one for one in above if item.is_signed_by(one)]
        taken_back = any(
            crl.lists(item) and crl.is_signed_by(one) for crl in self.at_hand.crls for one in issuers
        )
        return bool(issuers) and not taken_back

    def _addresses(self, kind: str) -> list[str]:
        found = []
        for item in self.certificate.extensions:
            if kind == "ocsp" and isinstance(item.value, x509.AuthorityInformationAccess):
                found += [
                    one.access_location
                    for one in item.value
                    if one.access_method == AuthorityInformationAccessOID.OCSP
                ]
            elif kind == "crl" and isinstance(item.value, x509.CRLDistributionPoints):
                found += [name for point in item.value for name in point.full_name or ()]
        return [name.value for name in found if isinstance(name, x509.UniformResourceIdentifier)][:4]

    @property
    def _who(self) -> str:
        return f"“{self.certificate.name}”"

    def _facts(self, certificate: Certificate) -> Facts:
        sent = self.verification.chain.certificates
        index = sent.index(certificate) if certificate in sent else None
        return Facts(certificate, index, certificate in self.verification.anchors)

    def _say(
        self,
        kind: str,
        text: str,
        evidence: tuple[tuple[str, str], ...] = (),
        *,
        about: Certificate | None = None,
        position: str = "",
    ) -> Finding:
        hard = Severity.FATAL if self.hard_fail else Severity.ADVISORY
        mode = "Hard-fail: so it is refused." if self.hard_fail else "Soft-fail: so it is let pass."
        depth = self.depth if about is None else self.depth + 1
        return finding(
            kind,
            f"{text} {mode}",
            self._facts(self.certificate if about is None else about),
            depth=depth,
            position=position,
            severity=hard,
            evidence=evidence,
        )

    def _revoked(self, moment: datetime, reason: str, by: str) -> Finding:
        why = f" ({reason.rpartition('.')[2].replace('_', ' ')})" if reason else ""
        return finding(
            "revoked",
            f"“{self.issuer.name}” has revoked {self._who} on {moment:%Y-%m-%d}{why}: {by} says so.",
            self._facts(self.certificate),
            depth=self.depth,
            evidence=(
                ("serial number", self.certificate.serial),
                ("revoked", f"{moment:%Y-%m-%d %H:%M:%S} UTC"),
            ),
        )

    def _stale(self, what: str, start: datetime, end: datetime | None) -> Finding:
        until = "without end" if end is None else f"until {end:%Y-%m-%d %H:%M:%S} UTC"
        return self._say(
            "crl-expired",
            f"The {what} about {self._who} is out of date: it speaks {until}, so it says nothing of this moment.",
            (
                (f"{what} from", f"{start:%Y-%m-%d %H:%M:%S} UTC"),
                ("until", until),
                ("clock", f"{self.at_hand.at} UTC"),
            ),
        )

    def _unreachable(self, what: str, url: str, why: str) -> Finding:
        text = f"{what} for {self._who} could not be had: {why}."
        return self._say(
            "revocation-unreachable", text, (("address", visible(url, 200)), ("what happened", why))
        )


_Said = TypeVar("_Said", OcspAnswer, RevocationList)


def _read(kind: type[_Said], got: bytes | str) -> _Said:
    """Return what came as a list or an answer; raise with what happened instead."""
    if isinstance(got, str):
        raise CertkitError(got)
    return kind.from_bytes(got)


def _is_current(start: datetime, end: datetime | None, at: datetime) -> bool:
    # What was made just now, on a machine whose clock is a little ahead, is not from the future.
    return start <= at + _SKEW and (end is None or at <= end)


def _extensions(crl: RevocationList) -> x509.Extensions | None:
    try:
        return crl.raw.extensions
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return None


_LIST_EXTENSIONS = {
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER, ExtensionOID.CRL_NUMBER, ExtensionOID.ISSUING_DISTRIBUTION_POINT,
    ExtensionOID.ISSUER_ALTERNATIVE_NAME, ExtensionOID.FRESHEST_CRL,
}  # fmt: skip


def _malformed(crl: RevocationList) -> str:
    """Return what is wrong with the form of a list (RFC 5280, 5.2); empty if nothing is."""
    extensions = _extensions(crl)
    if extensions is None:
        return "has extensions that cannot be decoded"
    number = next((item for item in extensions if item.oid == ExtensionOID.CRL_NUMBER), None)
    if number is None:
        return "has no number (cRLNumber), which every list must have"
    if number.critical:
        return "marks its number (cRLNumber) as critical, which it must not be"
    unknown = [
        item.oid.dotted_string for item in extensions if item.critical and item.oid not in _LIST_EXTENSIONS
    ]
    return f"marks an extension as critical that nobody here knows: {unknown[0]}" if unknown else ""


def _covers(crl: RevocationList, certificate: Certificate) -> bool:
    """Return whether a list speaks of certificates of this kind, from this place (RFC 5280, 6.3.3 (b))."""
    scope = next(
        (
            item.value
            for item in _extensions(crl) or ()
            if isinstance(item.value, x509.IssuingDistributionPoint)
        ),
        None,
    )
    if scope is None:
        return True
    if scope.indirect_crl or scope.only_contains_attribute_certs or scope.only_some_reasons:
        return False
    if scope.only_contains_user_certs if certificate.is_ca else scope.only_contains_ca_certs:
        return False
    place = _names_of(scope.full_name, scope.relative_name, crl.raw.issuer)
    return not place or bool(place & _places(certificate))


def _places(certificate: Certificate) -> set[x509.GeneralName]:
    """Return the names under which a certificate says that its list is found."""
    found = certificate.extension("cRLDistributionPoints")
    points = found.value if found is not None and isinstance(found.value, x509.CRLDistributionPoints) else ()
    names: set[x509.GeneralName] = set()
    for point in points:
        names |= _names_of(point.full_name, point.relative_name, certificate.raw.issuer)
    return names


def _names_of(
    full: list[x509.GeneralName] | None, relative: x509.RelativeDistinguishedName | None, issuer: x509.Name
) -> set[x509.GeneralName]:
    found = set(full or ())
    if relative is not None:
        found.add(x509.DirectoryName(x509.Name([*issuer.rdns, relative])))
    return found


def _reason(entry: x509.RevokedCertificate) -> str:
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value
    except (x509.ExtensionNotFound, ValueError):
        return ""


def _is_removed(entry: x509.RevokedCertificate) -> bool:
    return _reason(entry) == x509.ReasonFlags.remove_from_crl.value
