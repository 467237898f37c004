"""The checkup: look at a server from outside, and say what it presents and who would believe it."""

from certkit.checkup._transport import STARTTLS, Target, parse_target
from certkit.checkup.check import check_server, check_servers
from certkit.checkup.client_authentication import ClientAuthentication
from certkit.checkup.report import ServerCheck

__all__ = [
    "STARTTLS",
    "ClientAuthentication",
    "ServerCheck",
    "Target",
    "check_server",
    "check_servers",
    "parse_target",
]
