"""Services on loopback: the story's user service, what calls it, and what stands in between."""

from certkit.services._server import LoopbackServer, running_services, stop_services
from certkit.services.callout import Callout, call_update_user
from certkit.services.ftps import FtpsService
from certkit.services.ftps_client import FtpsTransfer, transfer_ftps
from certkit.services.log import ServiceLog, ServiceRecord
from certkit.services.ports import ClosedPort, SilentPort
from certkit.services.proxy import PROXY_BEHAVIOURS, ForwardProxy
from certkit.services.reverse_proxy import ReverseProxy
from certkit.services.revocation import RevocationService
from certkit.services.sni import SniRouter
from certkit.services.soap import SoapFault
from certkit.services.stub import Stub, generate_stub
from certkit.services.tls_front import TlsFront
from certkit.services.users import UserService
from certkit.services.way import Way, draw_way
from certkit.services.wiretap import Chunk, Conversation, Wiretap

__all__ = [
    "PROXY_BEHAVIOURS",
    "Callout",
    "Chunk",
    "ClosedPort",
    "Conversation",
    "ForwardProxy",
    "FtpsService",
    "FtpsTransfer",
    "LoopbackServer",
    "ReverseProxy",
    "RevocationService",
    "ServiceLog",
    "ServiceRecord",
    "SilentPort",
    "SniRouter",
    "SoapFault",
    "Stub",
    "TlsFront",
    "UserService",
    "Way",
    "Wiretap",
    "call_update_user",
    "draw_way",
    "generate_stub",
    "running_services",
    "stop_services",
    "transfer_ftps",
]
