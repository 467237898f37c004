"""Whether a server asks for a client certificate, whether it insists, and whether it takes yours."""

from __future__ import annotations

import ssl
import warnings
from dataclasses import dataclass

from certkit.checkup._probe import Flight
from certkit.checkup._transport import Target, connect
from certkit.credentials import Credential
from certkit.handshakes.configs import load_credential

__all__ = ["ClientAuthentication", "ask_client_authentication"]

_REFUSAL_WAIT = 0.5


@dataclass(frozen=True)
class ClientAuthentication:
    """What a server wants of its clients.

    Attributes
    ----------
    demand : {"not asked", "requested", "required", "unknown"}
        ``requested``: asked for, and served without. ``unknown``: it did not come to that.
    authorities : str
        The CAs it names as acceptable issuers; a word if it names none; empty if it does not ask.
    accepted : bool or None
        Whether it took the certificate that was tried; None if none was tried.
    words : str
        What our library said when it was refused; empty if it was not.
    """

    demand: str
    authorities: str = ""
    accepted: bool | None = None
    words: str = ""

    def to_dict(self) -> dict[str, object]:
        """Return the facts as JSON values."""
        return {
            "demand": self.demand,
            "authorities": self.authorities,
            "accepted": self.accepted,
            "words": self.words or None,
        }


def ask_client_authentication(
    target: Target, flight: Flight, credential: Credential | None, step: float
) -> ClientAuthentication:
    """Return what a server wants of its clients, from its flight and from one or two real handshakes.

    Parameters
    ----------
    target : Target
        The server.
    flight : Flight
        What it sent; says whether it asks.
    credential : Credential or None
        A client certificate to try.
    step : float
        Seconds that each step may take.
    """
    asked = flight.request is not None
    authorities = (
        dict(flight.request.fields).get("certificate authorities", "") if flight.request is not None else ""
    )
    demand = "not asked"
    if asked:
        refused = _refusal(target, flight, None, step)
        demand = "required" if refused else "requested"
    if credential is None:
        return ClientAuthentication(demand, authorities)
    refused = _refusal(target, flight, credential, step)
    return ClientAuthentication(demand, authorities, accepted=not refused, words=refused)


def _refusal(target: Target, flight: Flight, credential: Credential | None, step: float) -> str:
    """Return the library's words if the server refuses us, else an empty string."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # The server's own certificate is judged elsewhere; here only its verdict on us counts.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # old versions are deprecated, and just what an old server has
        context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("ALL:@SECLEVEL=0")
    if flight.version == "1.2":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    if credential is not None:
        load_credential(context, credential)
    transport = connect(target, step)
    try:
        transport.socket.settimeout(step)
        with context.wrap_socket(transport.socket, server_hostname=target.wanted) as tls:
            # In TLS 1.3 a refusal comes after our Finished: listen for a moment.
            tls.settimeout(min(step, _REFUSAL_WAIT))
            tls.recv(1)
    except TimeoutError:
        return ""
    except (ssl.SSLError, OSError, ValueError) as error:
        return str(error) or type(error).__name__
    finally:
        transport.close()
    return ""
