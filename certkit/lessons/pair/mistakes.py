"""Mistakes for pair mode: each is one company's, and shows on both sides, in different words."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from certkit.authority import CertificateAuthority, self_signed
from certkit.errors import ArgumentError
from certkit.faults.scenario import CLIENT
from certkit.lessons.fixtures import today
from certkit.lessons.pair.company import ClientCompany, Company, ServerCompany
from certkit.lessons.pair.steps import Step

__all__ = ["MISTAKES", "Mistake", "make"]


@dataclass(frozen=True)
class Mistake:
    """Something that one company did wrong.

    Attributes
    ----------
    name : str
        Its name.
    cause : str
        The cause id that it leads to.
    role : {"client", "server"}
        Whose mistake it is.
    two_way : bool
        Whether it only shows when clients are asked for a certificate.
    told : str
        What its maker is told.
    make : callable
        Makes it, of a company.
    """

    name: str
    cause: str
    role: str
    two_way: bool
    told: str
    make: Callable[[Any], object] = field(repr=False)

    @property
    def mend(self) -> str:
        """What its maker can write to repair it."""
        if self.role == "client":
            return 'me.install("acme-certificate.pem")' if self.two_way else 'me.trust("orders-root-ca.pem")'
        if self.two_way:
            return "me.trust(me.partner_ca.trust_store)"
        return 'me.install(me.ca.issue(me.host, usage="server"))'


MISTAKES: dict[str, Mistake] = {}
"""Every mistake by name."""


def _mistake(
    cause: str, *, two_way: bool = False
) -> Callable[[Callable[[Any], object]], Callable[[Any], object]]:
    def register(make_it: Callable[[Any], object]) -> Callable[[Any], object]:
        role = make_it.__name__.partition("_")[0]
        name = make_it.__name__.removeprefix(f"{role}_").replace("_", "-")
        MISTAKES[name] = Mistake(
            name, cause, role, two_way, " ".join((make_it.__doc__ or "").split()), make_it
        )
        return make_it

    return register


def make(company: Company, name: str | None = None) -> Step:
    """Make a mistake of this company's, any that shows by default."""
    fitting = {key: item for key, item in MISTAKES.items() if _shows(item, company)}
    if not fitting:
        return Step("waiting", "There is nothing yet to do wrong: first make a call that works.")
    if name is None:
        name = random.SystemRandom().choice(
            sorted(key for key, item in fitting.items() if _timely(item, company))
        )
    if name not in fitting:
        raise ArgumentError(
            "this company cannot make that mistake now", on=repr(name)[:60], hint=", ".join(fitting)
        )
    fitting[name].make(company)
    said = "Something went wrong on your side. Say nothing, and let your partner find out."
    return Step("done", said, secret=fitting[name].told)


def _shows(mistake: Mistake, company: Company) -> bool:
    if isinstance(company, ServerCompany):
        return mistake.role == "server" and (company.two_way or not mistake.two_way)
    if isinstance(company, ClientCompany) and mistake.role == "client":
        return company.credential is not None if mistake.two_way else len(company.anchors) > 0
    return False


def _timely(mistake: Mistake, company: Company) -> bool:
    """Return whether a mistake is one of what was just learned: a client's, about its certificate once it has one."""
    return not isinstance(company, ClientCompany) or company.credential is None or mistake.two_way


@_mistake("missing-intermediate")
def server_leaf_alone(orders: ServerCompany) -> object:
    """You renewed the certificate and installed it alone, without the intermediate."""
    return orders.install(orders.credential.with_chain([orders.credential.certificate]))


@_mistake("expired-leaf")
def server_expired(orders: ServerCompany) -> object:
    """You forgot the renewal: the certificate ended at the beginning of today."""
    end = today() - timedelta(seconds=1)
    return orders.install(
        orders.ca.issue(orders.host, usage="server", not_before=end - timedelta(days=90), not_after=end)
    )


@_mistake("hostname-mismatch")
def server_other_name(orders: ServerCompany) -> object:
    """You ordered the new certificate for the web site's name, and the service has another."""
    return orders.install(orders.ca.issue("www.orders.example.test", usage="server"))


@_mistake("self-signed-leaf")
def server_self_signed(orders: ServerCompany) -> object:
    """The new box made a certificate for itself, and you left it at that."""
    return orders.install(self_signed(orders.host, usage="server"))


@_mistake("client-cert-untrusted", two_way=True)
def server_wrong_truststore(orders: ServerCompany) -> object:
    """You have two roots, and put the one above your own certificate into the truststore for clients."""
    return orders.trust(orders.ca.trust_store)


@_mistake("untrusted-root")
def client_old_root(acme: ClientCompany) -> object:
    """You set the client up anew and took the partner's root from an old backup: same name, another key."""
    name = next(iter(acme.anchors)).name
    return acme.trust(CertificateAuthority(name, organization="Orders").trust_store)


@_mistake("client-cert-missing", two_way=True)
def client_no_certificate(acme: ClientCompany) -> object:
    """The certificate was not assigned to this call: the client has nothing to show."""
    acme.credential = None
    return acme


@_mistake("client-cert-untrusted", two_way=True)
def client_certificate_alone(acme: ClientCompany) -> object:
    """You imported the certificate from the file and overlooked that there was a second one in it."""
    assert acme.credential is not None
    return acme.install(acme.credential.with_chain([acme.credential.certificate]))


@_mistake("client-cert-untrusted", two_way=True)
def client_made_by_itself(acme: ClientCompany) -> object:
    """You use the certificate that the platform made by itself, instead of the one that your partner signed."""
    return acme.install(self_signed(CLIENT, usage="client"))
