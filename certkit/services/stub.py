"""`generate_stub`: a client made from a service's WSDL, as a platform makes it when it imports one."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from certkit._html import Html, definitions
from certkit._text import visible
from certkit.errors import ArgumentError, CertkitError, FormatError, LimitError
from certkit.handshakes import ClientConfig
from certkit.services._dial import connect, network_cause, parse_url, secure, watchdog
from certkit.services._server import authority
from certkit.services._tls import Hearing

if TYPE_CHECKING:
    import zeep
    from requests import Response

__all__ = ["Stub", "generate_stub"]

MAX_BYTES = 1_048_576


@dataclass(frozen=True)
class Stub:
    """A client generated from a WSDL: each operation is a method of it.

    Attributes
    ----------
    service : str
        The service's name in the WSDL.
    address : str
        Where calls go, as the WSDL says.
    operations : mapping of str to str
        Each operation's name, and what it takes and gives.
    """

    service: str
    address: str
    operations: Mapping[str, str]
    _call: Callable[[str, tuple[object, ...], dict[str, object]], dict[str, object]] = field(repr=False)

    def __getattr__(self, name: str) -> Callable[..., dict[str, object]]:
        if name.startswith("_") or name not in self.operations:
            has = ", ".join(self.operations)
            raise AttributeError(f"the WSDL of {self.service} has no operation {name!r}; it has {has}")
        return lambda *args, **kwargs: self._call(name, args, kwargs)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.operations]

    def __repr__(self) -> str:
        return f"<Stub of {self.service}: {'; '.join(self.operations.values())}>"

    def _repr_html_(self) -> Html:
        facts: list[tuple[object, object]] = [("service", self.service), ("address", self.address)]
        facts += [("operation", words) for words in self.operations.values()]
        return definitions(facts, caption="A stub, generated from the WSDL")


def generate_stub(wsdl_url: str, client: ClientConfig | None = None, *, timeout: float = 5.0) -> Stub:
    """Fetch a WSDL and return a client for the service that it describes.

    Parameters
    ----------
    wsdl_url : str
        Where the description is, ``http`` or ``https``.
    client : ClientConfig, optional
        Whom to believe and what to present, for ``https``: for the description and for each call. Its ``host``
        is the name that the server has to prove; that name is reached where the WSDL was.
    timeout : float
        Seconds for each step.

    Returns
    -------
    Stub
        Its methods are the operations. They return the fields of the answer; a SOAP fault, and a service that
        cannot be reached or is not believed, raise `CertkitError`, with the cause as far as the client can tell.

    Raises
    ------
    ArgumentError
        If the URL is none, or ``https`` comes without `client`.
    FormatError
        If what is there is no WSDL.
    CertkitError
        If it cannot be fetched.

    Examples
    --------
    >>> from certkit.services import UserService
    >>> with UserService() as service:
    ...     stub = generate_stub(service.wsdl_url)
    ...     answer = stub.updateUser(userId="u-1001", status="Inactive")
    >>> answer
    {'result': 'updated', 'revision': 1}
    """
    import zeep  # noqa: PLC0415 - it takes longer to load than the whole of certkit
    from zeep.exceptions import Error  # noqa: PLC0415

    line = _Line(client, timeout, parse_url(wsdl_url).host)
    try:
        made = zeep.Client(wsdl_url, transport=_transport(line))  # type: ignore[no-untyped-call]
        port = made.service
    except (Error, OSError, ValueError, SyntaxError) as error:
        if isinstance(error, CertkitError):
            raise
        raise FormatError(
            f"this is no WSDL ({visible(str(error), 120)})", on=wsdl_url, hint="the URL often ends in ?wsdl"
        ) from None
    binding = port._binding
    operations = {
        name: f"{name}({operation.input.signature()}) → {operation.output.signature()}"
        for name, operation in sorted(binding._operations.items())
    }
    service = next(iter(made.wsdl.services))
    return Stub(service, port._binding_options["address"], operations, _caller(port))


def _caller(port: zeep.proxy.ServiceProxy) -> Callable[..., dict[str, object]]:
    from zeep.exceptions import Error, Fault, ValidationError  # noqa: PLC0415
    from zeep.helpers import serialize_object  # noqa: PLC0415

    def call(name: str, args: tuple[object, ...], kwargs: dict[str, object]) -> dict[str, object]:
        try:
            answer = getattr(port, name)(*args, **kwargs)
        except Fault as fault:
            said = visible(f"{fault.code}: {fault.message}")
            raise CertkitError("the service answered with a fault", on=said) from None
        except (TypeError, ValidationError) as error:
            raise ArgumentError(
                "the operation takes other values",
                on=visible(str(error)),
                hint="show the stub: it lists them",
            ) from None
        except Error as error:
            raise FormatError("this is no answer of the service", on=visible(str(error))) from None
        found = serialize_object(answer, dict)  # type: ignore[no-untyped-call]
        return found if isinstance(found, dict) else {"result": found}

    return call


@dataclass(frozen=True)
class _Line:
    """How the stub reaches the service: one connection for each message."""

    client: ClientConfig | None
    timeout: float
    home: str
    """The host that the WSDL came from."""

    def _where(self, host: str) -> str:
        # The service may call itself by the name that it has to prove, which a lab's DNS does not know.
        return self.home if self.client is not None and host == self.client.host else host

    def exchange(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        """Send one message and return status, headers and content of the answer."""
        target = parse_url(url)
        if target.scheme == "https" and self.client is None:
            raise ArgumentError(
                "an https service needs a client configuration: whom to trust",
                on=target.host,
                hint="client=ck.ClientConfig(truststore)",
            )
        hearing: Hearing | None = None
        try:
            connection = connect(self._where(target.host), target.port, self.timeout)
            host = target.host
            if self.client is not None and target.scheme == "https":
                host = self.client.host or host
                connection, hearing = secure(connection, self.client, host, None)
            with connection, watchdog(connection, 4 * self.timeout):
                if hearing is not None:
                    connection.do_handshake()  # type: ignore[attr-defined]
                    hearing.done = True
                talk = http.client.HTTPConnection(target.host, target.port, timeout=self.timeout)
                talk.sock = connection
                talk.auto_open = 0
                named = {"Host": authority(host, target.port), "Connection": "close"}
                talk.request(method, target.path, body, {**headers, **named})
                with talk.getresponse() as response:
                    content = response.read(MAX_BYTES + 1)
                    if len(content) > MAX_BYTES:
                        raise LimitError(
                            f"an answer of more than {MAX_BYTES:,} bytes",
                            on=url,
                            hint="ask for less at once",
                            kind="too-large",
                        )
                    return response.status, dict(response.getheaders()), content
        except (OSError, http.client.HTTPException) as error:
            raise CertkitError(
                "the service cannot be reached", on=visible(str(error) or type(error).__name__),
                hint="ck.check_server says why", cause=self._cause(error, hearing),
            ) from None  # fmt: skip

    def _cause(self, error: OSError | http.client.HTTPException, hearing: Hearing | None) -> str | None:
        if hearing is None or self.client is None:
            return network_cause(error)
        end = hearing.endpoint(error if isinstance(error, OSError) else None)
        return hearing.cause(end, self.client.anchors, datetime.now(UTC)) or network_cause(error)


def _transport(line: _Line) -> zeep.transports.Transport:
    """Return zeep's transport over `line`: no proxy of the environment, no other roots than the client's."""
    from requests import Response  # noqa: PLC0415
    from requests.structures import CaseInsensitiveDict  # noqa: PLC0415
    from zeep.transports import Transport  # noqa: PLC0415

    def as_response(status: int, headers: dict[str, str], content: bytes) -> Response:
        response = Response()
        response.status_code, response._content = status, content
        response.headers = CaseInsensitiveDict(headers)
        return response

    class LineTransport(Transport):
        def _load_remote_data(self, url: str) -> bytes:
            status, _, content = line.exchange("GET", url, None, {})
            if status != http.client.OK:
                raise FormatError("there is no WSDL", on=f"{url}: HTTP {status}", hint="often it is at ?wsdl")
            return content

        def post(self, address: str, message: Any, headers: dict[str, str]) -> Response:
            return as_response(*line.exchange("POST", address, message, headers))

    return LineTransport()  # type: ignore[no-untyped-call]
