"""What the files around an error say: keystores, chains, truststores are read, and causes ruled in or out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from certkit._files import utc
from certkit.chains import Chain, TrustStore
from certkit.errors import CertkitError, FormatError, PasswordError
from certkit.explanation._weighing import Evidence
from certkit.keystores import Keystore, load_keystore
from certkit.verification import Verification, verify_chain

__all__ = ["Looked", "look_at", "text_of"]

_TEXT = frozenset({".log", ".txt", ".out", ".err", ".trace"})
_STORES = frozenset(
    {
        ".crt",
        ".cer",
        ".pem",
        ".der",
        ".p12",
        ".pfx",
        ".jks",
        ".jceks",
        ".p7b",
        ".p7c",
        ".key",
        ".ks",
        ".keystore",
    }
)
_RULED_IN, _RULED_OUT = 200.0, 0.04
_TRUST = (
    "untrusted-root",
    "missing-intermediate",
    "self-signed-leaf",
    "truststore-missing-or-empty",
    "chain-out-of-order",
    "leaf-not-first",
)
_DATES = ("expired-leaf", "expired-ca", "not-yet-valid-or-clock")
_NAMES = ("hostname-mismatch", "no-san")


@dataclass(frozen=True)
class Looked:
    """What was looked at, and what it shows.

    Attributes
    ----------
    sentences : tuple of str
        What was looked at and found, as sentences.
    evidence : tuple of Evidence
        Causes ruled in and out.
    verification : Verification or None
        The chain check, if there was a chain and something to check it against.
    """

    sentences: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = field(default=(), repr=False)
    verification: Verification | None = field(default=None, repr=False)


def text_of(path: Path) -> str | None:
    """Return a file's text if it is a log or other plain text without certificates, else None."""
    try:
        data = path.read_bytes()[:8_000_000]
    except OSError:
        return None
    if b"\0" in data[:4096] or b"-----BEGIN " in data[:200_000]:
        return None
    suffix = path.suffix.lower()
    if suffix in _STORES or (suffix not in _TEXT and data.count(b" ") * 25 < len(data)):
        return None
    return data.decode("utf-8", "replace")


def look_at(
    files: Sequence[Path],
    pem_text: str = "",
    *,
    host: str | None = None,
    anchors: TrustStore | None = None,
    password: str | None = None,
    at: datetime | None = None,
    of_client: bool = False,
) -> Looked:
    """Return what the files show.

    Parameters
    ----------
    files : sequence of Path
        Certificates, chains, keystores, truststores.
    pem_text : str
        PEM blocks that stood in the pasted text.
    host : str, optional
        The name that was asked for.
    anchors : TrustStore, optional
        Whom the side that refused believes.
    password : str, optional
        Of the keystores.
    at : datetime, optional
        The clock, aware; now by default.
    of_client : bool
        Whether the certificate is a client's, which a server judged.
    """
    said: list[str] = []
    evidence: list[Evidence] = []
    stores = list(_load(files, pem_text, password, said, evidence))
    chain, trust = _sort_out(stores, anchors, said)
    for store in stores:
        evidence += _of_keys(store, chain, password, said)
    verification = None
    if chain is not None:
        said += _describe(chain, host, utc(at))
        verification = verify_chain(
            chain, trust or TrustStore(), host=host, purpose="client" if of_client else "server", at=at
        )
        evidence += _from_verification(verification, trust, of_client)
        if trust is not None:
            said += _same_name(chain, trust)
    elif trust is not None and not len(trust):
        said.append("The truststore holds no certificate.")
        evidence.append(
            Evidence("truststore-missing-or-empty", _RULED_IN, "the truststore that was given is empty")
        )
    return Looked(tuple(said), tuple(evidence), verification)


def _load(
    files: Sequence[Path], pem: str, password: str | None, said: list[str], evidence: list[Evidence]
) -> Iterator[Keystore]:
    sources: Iterable[Path | bytes] = [*files, *([pem.encode()] if pem else [])]
    for source in sources:
        name = source.name if isinstance(source, Path) else "the text"
        try:
            store = load_keystore(source, password)
        except PasswordError as error:
            given = "the password given does not open it" if password else "it needs a password"
            said.append(f"{name}: {error.what}; {given}.")
            if password:
                evidence.append(
                    Evidence("wrong-password", 20, f"{name} does not open with the password given")
                )
            continue
        except FormatError as error:
            said.append(f"{name}: {error.what}.")
            cause = error.cause or "wrong-file-format"
            evidence.append(Evidence(cause, 40, f"{name}: {error.what}"))
            continue
        except CertkitError as error:
            said.append(f"{name}: {error}")
            continue
        said.append(f"{name} was read: {store.format_name}, {store.summary}.")
        yield store


def _sort_out(
    stores: Sequence[Keystore], anchors: TrustStore | None, said: list[str]
) -> tuple[Chain | None, TrustStore | None]:
    """Return the chain to judge, and whom to believe: a store with only CAs or trusted entries is a truststore."""
    chain, trusted = None, anchors
    for store in stores:
        certificates = store.certificates
        if store.keys:
            chain = chain or next((Chain(key.chain) for key in store.keys if key.chain), None)
        elif not certificates or all(item.is_ca or item.is_self_issued for item in certificates):
            if anchors is None:
                trusted = (trusted or TrustStore()) + TrustStore(certificates)
        elif chain is None:
            chain = Chain(certificates)
    if chain is None and trusted is not None and anchors is None and len(trusted):
        only = trusted.certificates[0]
        if len(trusted) == 1 and not only.is_ca:
            chain, trusted = Chain((only,)), None
    return chain, trusted


def _of_keys(
    store: Keystore, chain: Chain | None, password: str | None, said: list[str]
) -> Iterator[Evidence]:
    """Compare each key that opens with the certificates: its own, or the chain of another file."""
    for entry in store.keys:
        certificates = list(entry.chain or chain or ())
        if not certificates:
            said.append(f"{store.source or 'the text'}: the key “{entry.alias}” has no certificate with it.")
            continue
        try:
            key = entry.open(password)
        except PasswordError as error:
            said.append(f"The key “{entry.alias}” was not compared with its certificate: {error.what}.")
            continue
        except CertkitError as error:
            said.append(f"The key “{entry.alias}”: {error.what}.")
            continue
        fits = [item.spki_sha256 == key.spki_sha256 for item in certificates]
        if fits[0]:
            said.append(f"The key “{entry.alias}” belongs to the certificate “{certificates[0].name}”.")
            yield Evidence("key-cert-mismatch", _RULED_OUT, "ruled out: key and certificate belong together")
        elif any(fits):
            said.append(
                f"The key belongs to “{certificates[fits.index(True)].name}”, which is not the first certificate."
            )
            yield Evidence(
                "leaf-not-first",
                _RULED_IN,
                "the files show it: the key fits a certificate that is not the first",
            )
        else:
            said.append(f"The key “{entry.alias}” belongs to none of the certificates.")
            yield Evidence(
                "key-cert-mismatch", _RULED_IN, "the files show it: the key fits none of the certificates"
            )


def _describe(chain: Chain, host: str | None, at: datetime) -> Iterator[str]:
    leaf = chain.leaf
    names = ", ".join(leaf.sans[:6]) or "none"
    usage = ", ".join(leaf.usages) or "no extended key usage"
    yield (
        f"The certificate is “{leaf.name}” (names: {names}; {usage}), valid from {leaf.not_before:%Y-%m-%d} to"
        f" {leaf.not_after:%Y-%m-%d}: {leaf.validity(at)}."
    )
    others = ", ".join(f"“{item.name}”" for item in chain.others) or "nothing else"
    if leaf.is_self_issued:
        yield f"It is issued by itself; with it came {others}."
    else:
        yield f"It was issued by “{_cn(leaf.issuer)}”; with it came {others}."
    if host and not leaf.names_host(host):
        yield f"It does not name {host}."


def _cn(name: str) -> str:
    return next((part.partition("=")[2] for part in name.split(",") if part.strip().startswith("CN=")), name)


def _same_name(chain: Chain, trust: TrustStore) -> Iterator[str]:
    """Say whether the truststore holds the issuer, or another key under its name."""
    top = chain.certificates[-1]
    # Climb as far as the sent certificates lead.
    seen = {certificate.subject_der: certificate for certificate in chain}
    at, steps = chain.leaf, 0
    while not at.is_self_issued and at.issuer_der in seen and steps < len(chain):
        at, steps = seen[at.issuer_der], steps + 1
    top = at
    wanted = top if top.is_self_issued else None
    issuer = top.issuer_der
    same = [anchor for anchor in trust if anchor.subject_der == issuer]
    name = _cn(top.issuer)
    if wanted is not None and wanted in trust:
        yield f"The truststore holds “{wanted.name}”."
    elif not same:
        yield f"The truststore ({len(trust)} certificates) holds none with the name “{name}”."
    elif any(top.is_signed_by(anchor) for anchor in same):
        yield f"The truststore holds “{name}”, and its key fits."
    else:
        yield (
            f"The truststore holds a certificate of the name “{name}”, but with another key: the CA was made again,"
            " or it is another CA."
        )


def _from_verification(result: Verification, trust: TrustStore | None, of_client: bool) -> Iterator[Evidence]:
    found = [item for item in result.findings if item.fatal]
    causes = list(dict.fromkeys(item.cause for item in found))
    if trust is None:
        # Without a truststore, only what does not depend on trust can be said; a lone leaf is a sign, no proof.
        if (
            "missing-intermediate" in causes
            and len(result.chain) == 1
            and not result.chain.leaf.is_self_issued
        ):
            yield Evidence("missing-intermediate", 2, "only the leaf is at hand, without its issuer")
        trust_causes = ("untrusted-root", "truststore-missing-or-empty", "missing-intermediate")
        causes = [cause for cause in causes if cause not in trust_causes]
        if result.chain.leaf.is_self_issued and not result.chain.leaf.is_ca:
            causes = [*causes, "self-signed-leaf"]
    texts = {item.cause: item.text for item in reversed(found)}
    for place, cause in enumerate(causes[:4]):
        told = texts.get(cause, "the certificates show it")
        yield Evidence(
            _for_side(cause, of_client), _RULED_IN / (1 + place * 40), f"the files show it: {told}"
        )
    if trust is not None and result.ok:
        for cause in _TRUST + _DATES:
            yield Evidence(cause, _RULED_OUT, "ruled out: the chain was checked and is trusted")
    if not any(cause in _DATES for cause in causes):
        for cause in _DATES:
            yield Evidence(cause, _RULED_OUT, "ruled out: every date was checked")
    if result.host and not any(cause in _NAMES for cause in causes):
        for cause in _NAMES:
            yield Evidence(cause, _RULED_OUT, "ruled out: the name is on the certificate")


def _for_side(cause: str, of_client: bool) -> str:
    return "client-cert-untrusted" if of_client and cause in _TRUST else cause
