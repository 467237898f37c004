"""What goes wrong in a practice estate, one function a problem: each writes its stores and notes what is in them."""

from __future__ import annotations

from collections.abc import Callable

from cryptography.x509 import SubjectAlternativeName

from certkit.authority import CertificateAuthority
from certkit.inventory._company import DAY, ITERATIONS, PARTNER_DAYS, PASSWORD, POOL, Company
from certkit.inventory._weak import short_rsa, with_sha1
from certkit.keys import generate_key
from certkit.keystores import keystore_bytes

__all__ = ["PROBLEMS"]


def expired(company: Company) -> None:
    """An expired leaf."""
    end = company.at - company.random.randrange(2, 90) * DAY
    leaf = company.leaf(not_before=end - 365 * DAY, not_after=end)
    company.plant("expired-leaf", (company.store(leaf),), leaf.certificate, f"It ended on {end:%Y-%m-%d}.")


def soon(company: Company) -> None:
    """A leaf that ends within a month."""
    end = company.at + company.random.randrange(3, 28) * DAY
    leaf = company.leaf(not_before=end - 365 * DAY, not_after=end)
    company.plant("expires-soon", (company.store(leaf),), leaf.certificate, f"It ends on {end:%Y-%m-%d}.")


def not_yet(company: Company) -> None:
    """A leaf that begins later."""
    start = company.at + company.random.randrange(5, 40) * DAY
    leaf = company.leaf(not_before=start, not_after=start + 365 * DAY)
    company.plant(
        "not-yet-valid-or-clock",
        (company.store(leaf),),
        leaf.certificate,
        f"It begins on {start:%Y-%m-%d}.",
    )


def weak_key(company: Company) -> None:
    """A key that is too short."""
    leaf = company.leaf(key=short_rsa(f"{company.seed} {company.written}"))
    company.plant("weak-key", (company.store(leaf),), leaf.certificate, "RSA with 1024 bits.")


def weak_signature(company: Company) -> None:
    """A signature with SHA-1."""
    certificate = with_sha1(company.leaf().certificate, generate_key("rsa2048", number=POOL))
    path = company.write(f"legacy/erp{company.written}/erp.cer", certificate.der)
    company.plant("weak-signature", (path,), certificate, "Signed with SHA-1.")


def no_san(company: Company) -> None:
    """No alternative name."""
    leaf = company.leaf(without=(SubjectAlternativeName,))
    company.plant(
        "no-san", (company.store(leaf),), leaf.certificate, "A server certificate with a common name only."
    )


def too_long(company: Company) -> None:
    """A life over what clients accept."""
    leaf = company.leaf(not_before=company.at - 100 * DAY, not_after=company.at + 1000 * DAY)
    company.plant(
        "validity-too-long",
        (company.store(leaf),),
        leaf.certificate,
        "A server certificate for 1,100 days.",
    )


def duplicate(company: Company) -> None:
    """One certificate in two places."""
    leaf = company.leaf()
    paths = (company.store(leaf, "pkcs12"), company.store(leaf, "pem"))
    company.plant("duplicate", paths, leaf.certificate, "One certificate in two places.")


def shared_key(company: Company) -> None:
    """One key in two certificates."""
    first = company.leaf(key=generate_key(seed=f"{company.seed} shared {company.written}"))
    second = company.leaf(key=first.key)
    paths = (company.store(first), company.store(second))
    company.plant("shared-key", paths, first.certificate, "Two services with one private key.")


def outlives_issuer(company: Company) -> None:
    """A leaf that ends after its CA."""
    end = company.at + (PARTNER_DAYS + company.random.randrange(20, 200)) * DAY
    leaf = company.leaf(company.partner, not_before=end - 365 * DAY, not_after=end)
    says = f"It ends on {end:%Y-%m-%d}, its CA on {company.partner.certificate.not_after:%Y-%m-%d}."
    company.plant("outlives-issuer", (company.store(leaf, "jks"),), leaf.certificate, says)


def other_password(company: Company) -> None:
    """A store whose password nobody has."""
    leaf = company.leaf()
    service = leaf.certificate.name.split(".")[0]
    data = keystore_bytes({service: leaf}, "not that one", format="pkcs12", iterations=ITERATIONS)
    path = company.write(f"prod/hr{company.written}/{service}.p12", data, secret=True)
    company.plant("wrong-password", (path,), None, "Its password is not in the list.")


def truncated(company: Company) -> None:
    """Half a file."""
    leaf = company.leaf()
    service = leaf.certificate.name.split(".")[0]
    data = keystore_bytes({service: leaf}, PASSWORD, format="jks")
    path = company.write(f"prod/esb{company.written}/{service}.jks", data[: len(data) * 2 // 3], secret=True)
    company.plant("tampered-or-corrupt", (path,), None, "The copy stopped in the middle.")


def web_page(company: Company) -> None:
    """A web page instead of a certificate."""
    page = b"<!DOCTYPE html><html><body><h1>Please sign in</h1></body></html>\n"
    path = company.write(f"dmz/proxy{company.written}/partner.crt", page)
    company.plant("wrong-file-format", (path,), None, "A sign-in page, saved as a certificate.")


def shadow_ca(company: Company) -> None:
    """Two CAs of one name."""
    leaf = company.leaf(company.shadow)
    data = keystore_bytes({"acme-root": company.shadow.certificate}, PASSWORD, format="jks")
    paths = (company.write(f"test/web{company.written}/truststore.jks", data), company.store(leaf, "pem"))
    company.plant("shadow-ca", paths, company.shadow.certificate, "A second Acme Root CA, with another key.")


def unknown_issuer(company: Company) -> None:
    """An issuer that is in no store."""
    orphan = CertificateAuthority(
        "Initech Root CA", seed=f"{company.seed} {company.written}", at=company.at - 90 * DAY
    )
    leaf = company.leaf(orphan.intermediate("Initech Issuing CA"))
    bare = leaf.with_chain([leaf.certificate])
    company.plant(
        "unknown-issuer", (company.store(bare, "pem"),), leaf.certificate, "Its issuer is in no store."
    )


PROBLEMS: list[Callable[[Company], None]] = [
    expired, soon, weak_key, other_password, truncated, no_san,
    duplicate, shared_key, weak_signature, too_long, web_page,
    not_yet, shadow_ca, unknown_issuer, outlives_issuer,
]  # fmt: skip
