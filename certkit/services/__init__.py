"""Services on loopback: the story's user service, what calls it, and what stands in between."""

from certkit.services._server import LoopbackServer, running_services, stop_services
from certkit.services.callout import Callout, call_update_user
from certkit.services.log import ServiceLog, ServiceRecord
from certkit.services.soap import SoapFault
from certkit.services.users import UserService
from certkit.services.wiretap import Chunk, Conversation, Wiretap

__all__ = [
    "Callout",
    "Chunk",
    "Conversation",
    "LoopbackServer",
    "ServiceLog",
    "ServiceRecord",
    "SoapFault",
    "UserService",
    "Wiretap",
    "call_update_user",
    "running_services",
    "stop_services",
]
