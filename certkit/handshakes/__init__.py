"""Handshakes: two real TLS endpoints in memory, one-way and two-way, recorded from both sides."""

from certkit.handshakes.configs import ClientConfig, ServerConfig
from certkit.handshakes.messages import Message
from certkit.handshakes.result import Endpoint, Handshake
from certkit.handshakes.run import handshake

__all__ = ["ClientConfig", "Endpoint", "Handshake", "Message", "ServerConfig", "handshake"]
