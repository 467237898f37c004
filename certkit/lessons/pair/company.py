"""The two companies: each has its own keys and its own view, and knows of the other what was sent."""

from __future__ import annotations

import ipaddress
import os
import secrets
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self
from urllib.parse import urlsplit

from certkit._files import make_folder, read_source, write_file
from certkit._html import Html, definitions
from certkit._share import MY_FILES
from certkit._text import count
from certkit.chains import Chain, TrustStore
from certkit.credentials import Credential
from certkit.csr import create_csr
from certkit.errors import ArgumentError, FormatError
from certkit.faults.scenario import CLIENT, HOST
from certkit.handshakes import ClientConfig, ServerConfig
from certkit.keys import generate_key
from certkit.keystores import OtherEntry, load_certificates, load_keystore
from certkit.lessons.fixtures import company
from certkit.lessons.pair.exchange import Exchange
from certkit.lessons.pair.steps import Step
from certkit.services import ServiceLog, UserService, call_update_user
from certkit.services.soap import parse_envelope, wsdl

if TYPE_CHECKING:
    from types import EllipsisType

__all__ = ["ClientCompany", "Company", "ServerCompany"]

ROOT, SERVICE = "orders-root-ca.pem", "orders-users.wsdl"
REQUEST, CERTIFICATE = "acme-request.csr", "acme-certificate.pem"
_NOT_TRIED = Step("not tried yet", "Replace the dots, and run it again.")


def _waiting(name: str) -> Step:
    return Step("waiting", f"There is no {name} in the exchange folder yet. Run this again when there is.")


class Company(ABC):
    """What both companies have: a mailbox that both see, and a folder that only one of them uses.

    Parameters
    ----------
    exchange : path, optional
        The folder that both notebooks can see; ``my-files/exchange`` by default. In a hub, one for each pair.
    home : path, optional
        Where this company keeps what is its own; in ``my-files`` by default. Never inside `exchange`.

    Raises
    ------
    ArgumentError
        If `home` is inside `exchange`, where the other company would read it.
    FileError
        If a folder cannot be made or written.
    """

    role: ClassVar[str]
    name: ClassVar[str]

    def __init__(
        self, exchange: str | os.PathLike[str] | None = None, *, home: str | os.PathLike[str] | None = None
    ) -> None:
        self.exchange = Exchange.at(Path(MY_FILES) / "exchange" if exchange is None else exchange)
        self.home = Path(MY_FILES) / f"{self.role}-company" if home is None else Path(home)
        if self.home.resolve().is_relative_to(self.exchange.folder.resolve()):
            raise ArgumentError(
                "a company's own folder must not lie in the exchange folder",
                on=self.home,
                hint="name two folders side by side",
            )
        self._seed = self._own_secret()
        self._begin()

    def _own_secret(self) -> str:
        """Return what this company's keys are derived from: the same after a restart of the kernel."""
        path = self.home / "secret.txt"
        if not path.exists():
            make_folder(self.home, mode=0o700)
            write_file(path, secrets.token_hex(16).encode(), secret=True)
        return read_source(path, limit=1_000)[0].decode("ascii", "replace").strip()

    @abstractmethod
    def _begin(self) -> None:
        """Make what this company has on its first day."""

    def received(self) -> Exchange:
        """Return what lies in the exchange folder: it shows each file, what it is, and what is refused."""
        return self.exchange

    def _certificates(self, name: str) -> Chain:
        return Chain(load_certificates(self.exchange.take(name)))

    def _trusting(self, what: str | TrustStore) -> TrustStore | Step:
        """Return the roots to believe, from a file in the exchange folder or as they are."""
        if isinstance(what, TrustStore):
            return what
        if not self.exchange.has(what):
            return _waiting(what)
        return TrustStore(self._certificates(what), label=what)

    def make_mistake(self, name: str | None = None) -> Step:
        """Make a mistake that only this side can repair, and that the other side has to live with.

        Parameters
        ----------
        name : str, optional
            Which; any that fits by default. `certkit.lessons.pair.mistakes` has them.

        Raises
        ------
        ArgumentError
            If this company cannot make such a mistake now.
        """
        from certkit.lessons.pair.mistakes import make  # noqa: PLC0415 - it names the companies

        return make(self, name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


class ServerCompany(Company):
    """Orders, which runs the service: it has CAs, a certificate, and decides whom it lets in.

    Attributes
    ----------
    ca : CertificateAuthority
        Issues the service's certificates.
    partner_ca : CertificateAuthority
        Issues certificates for partners' clients, from their requests.
    credential : Credential
        What the service presents.
    client_anchors : TrustStore
        Whom the service believes about clients, when it is two-way.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     orders = ServerCompany(f"{folder}/exchange", home=f"{folder}/orders")
    ...     orders.send_truststore()
    <Step done: Sent orders-root-ca.pem: the root above our certificate, and all that a client needs.>
    """

    role, name, host = "server", "Orders", HOST

    def _begin(self) -> None:
        self.ca = company(self.name, self._seed)
        self.partner_ca = company(f"{self.name} Partner", self._seed)
        self.credential = self.ca.issue(self.host, usage="server")
        self.client_anchors = self.partner_ca.trust_store
        self.two_way = False
        self._service: UserService | None = None

    def send_truststore(self) -> Step:
        """Send the root that clients have to trust, as PEM."""
        self.exchange.send(ROOT, self.ca.trust_store.pem.encode())
        return Step("done", f"Sent {ROOT}: the root above our certificate, and all that a client needs.")

    def open_service(self, *, two_way: bool | None = None) -> Step:
        """Open the service on this machine, or open it anew, and send its description (WSDL), which says where.

        Parameters
        ----------
        two_way : bool, optional
            Whether to ask clients for a certificate; as before by default, and one-way at first.
        """
        self.two_way = self.two_way if two_way is None else two_way
        port = 0
        if self._service is not None and self._service.running:
            port = self._service.port
            self._service.stop()
        security = ServerConfig(self.credential, self.client_anchors if self.two_way else None)
        self._service = UserService(security, port=port).start()
        self.exchange.send(SERVICE, wsdl(self._service.url))
        way = "two-way: clients must show a certificate" if self.two_way else "one-way"
        return Step("done", f"The service runs, {way}. Sent {SERVICE}.")

    def sign_request(self, name: str = REQUEST) -> Step:
        """Issue a client certificate from the partner's request, and send it with the intermediate above it.

        Raises
        ------
        ArgumentError
            If whoever made the request did not prove to hold its key.
        """
        if not self.exchange.has(name):
            return _waiting(name)
        entries = load_keystore(self.exchange.take(name))
        others = (item for item in entries if isinstance(item, OtherEntry))
        requests = [item.request for item in others if item.kind == "certificate-request"]
        if len(requests) != 1:
            raise FormatError(
                f"there are {count(len(requests), 'request')} in this file, and not one", on=name
            )
        request = requests[0]
        chain = self.partner_ca.sign_csr(request, usage="client")
        self.exchange.send(CERTIFICATE, chain.pem.encode())
        return Step("done", f"Signed the request of {request.subject}. Sent {CERTIFICATE}.", request)

    def install(self, credential: Credential | EllipsisType = ...) -> Step:
        """Put key and chain into the service, and open it anew."""
        if not isinstance(credential, Credential):
            return _not_ready(credential, "key and chain, such as me.ca.issue(me.host, usage='server')")
        self.credential = credential
        return self.open_service()

    def trust(self, what: str | TrustStore | EllipsisType = ...) -> Step:
        """Take roots for clients, out of a file in the exchange folder or as they are, and open the service anew."""
        if not isinstance(what, str | TrustStore):
            return _not_ready(what, "a truststore, or the name of a file")
        found = self._trusting(what)
        if isinstance(found, Step):
            return found
        self.client_anchors = found
        return self.open_service()

    @property
    def log(self) -> ServiceLog:
        """What the service noted since it was opened: this side's half, and nothing of the client's."""
        return ServiceLog(()) if self._service is None else self._service.log

    def close(self) -> Step:
        """Close the service."""
        if self._service is not None:
            self._service.stop()
        return Step("done", "The service is closed.")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _repr_html_(self) -> Html:
        lets_in = f"clients below {_names(self.client_anchors)}" if self.two_way else "everybody: one-way"
        rows: list[tuple[object, object]] = [
            ("answers to the name", self.host),
            ("presents", " ← ".join(item.name for item in self.credential.chain)),
            ("lets in", lets_in),
        ]
        return definitions(rows, caption=f"{self.name}, the server company")


class ClientCompany(Company):
    """Acme, which calls: it has a key, takes in what it is sent, and sees what its own library says.

    Attributes
    ----------
    key : PrivateKey
        Made here; it never leaves.
    anchors : TrustStore
        Whom it believes about servers.
    credential : Credential or None
        What it can show to a server that asks; None before it has a certificate.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     acme = ClientCompany(f"{folder}/exchange", home=f"{folder}/acme")
    ...     acme.call()
    <Step waiting: There is no orders-users.wsdl in the exchange folder yet. Run this again when there is.>
    """

    role, name, host = "client", "Acme", HOST

    def _begin(self) -> None:
        self.key = generate_key(seed=f"pair {self._seed}")
        self.anchors = TrustStore()
        self.credential: Credential | None = None

    def send_request(self) -> Step:
        """Send a request for a certificate (PKCS#10), signed with our key, which is not in it."""
        request = create_csr(CLIENT, key=self.key, organization=self.name)
        self.exchange.send(REQUEST, request.pem.encode())
        return Step("done", f"Sent {REQUEST}. The key stays here.", request)

    def trust(self, what: str | TrustStore | EllipsisType = ...) -> Step:
        """Take roots to believe, out of a file in the exchange folder or as they are."""
        if not isinstance(what, str | TrustStore):
            return _not_ready(what, "a truststore, or the name of a file")
        found = self._trusting(what)
        if isinstance(found, Step):
            return found
        self.anchors = found
        return Step("done", f"We believe {_names(found)} about servers, and nobody else.", found)

    def install(self, what: str | Credential | EllipsisType = ...) -> Step:
        """Put the certificate that came back to our key, out of a file in the exchange folder.

        Raises
        ------
        CredentialError
            If the certificate is not for our key.
        """
        if not isinstance(what, str | Credential):
            return _not_ready(what, "the name of a file, or key and chain")
        if isinstance(what, str):
            if not self.exchange.has(what):
                return _waiting(what)
            what = Credential(self.key, self._certificates(what))
        self.credential = what
        names = " ← ".join(item.name for item in what.chain)
        return Step("done", f"We can show {names}.", what)

    def call(self, user_id: str = "u-1001", status: str = "Inactive") -> Step:
        """Call the service where its description says, and return what our own library says to it.

        Raises
        ------
        ArgumentError
            If the description leads to another machine.
        """
        if not self.exchange.has(SERVICE):
            return _waiting(SERVICE)
        url = _address(self.exchange.take(SERVICE))
        called = call_update_user(
            url, user_id, status, ClientConfig(self.anchors, self.credential, host=self.host)
        )
        return Step("done" if called.ok else "failed", called.verdict, called)

    def _repr_html_(self) -> Html:
        shows = None if self.credential is None else " ← ".join(item.name for item in self.credential.chain)
        rows: list[tuple[object, object]] = [
            ("calls", self.host),
            ("believes", _names(self.anchors) or "nobody yet"),
            ("can show", shows or "no certificate"),
        ]
        return definitions(rows, caption=f"{self.name}, the client company")


def _names(store: TrustStore) -> str:
    return ", ".join(item.name for item in store)


def _not_ready(value: object, wanted: str) -> Step:
    if value is ...:
        return _NOT_TRIED
    raise ArgumentError("that cannot be put in here", on=type(value).__name__, hint=wanted)


def _address(description: bytes) -> str:
    """Return where a WSDL says that the service is; only this machine is called."""
    waiting = [parse_envelope(description)]
    places = []
    while waiting:
        element = waiting.pop()
        waiting += element.children
        if element.local == "address":
            places.append(element.attributes.get("location", ""))
    if len(places) != 1:
        raise FormatError("this description does not say where the service is", on=SERVICE)
    host = ""
    try:
        host = urlsplit(places[0]).hostname or ""
        here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        here = host == "localhost"
    if not here:
        raise ArgumentError(
            "this description leads to another machine, and pair mode stays on this one",
            on=host[:80],
            hint="ask your partner to open the service again",
        )
    return places[0]
