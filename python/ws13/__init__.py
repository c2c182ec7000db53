"""
WebSocket version 13 without I/O: bytes in, events out; events in, bytes out.

`WSConnection` holds a conversation from the opening handshake to the closing one (RFC 6455); the
caller moves the bytes. The modules carry wsproto's names.
"""

import os

from . import connection, events, extensions, frame_protocol, handshake, typing, utilities
from ._native import VERSION as __version__
from ._native import Config, WSConnection, forget_entropy
from ._wsproto import install_as_wsproto
from .connection import Connection, ConnectionState, ConnectionType
from .handshake import H11Handshake

# A forked child must not repeat the masking keys of its parent (RFC 6455 §10.3).
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget_entropy)

__all__ = [
    "Config",
    "Connection",
    "ConnectionState",
    "ConnectionType",
    "H11Handshake",
    "WSConnection",
    "__version__",
    "connection",
    "events",
    "extensions",
    "frame_protocol",
    "handshake",
    "install_as_wsproto",
    "typing",
    "utilities",
]
