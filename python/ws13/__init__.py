"""
WebSocket version 13 without I/O: bytes in, events out; events in, bytes out.

`WSConnection` holds a conversation from the opening handshake to the closing one (RFC 6455); the
caller moves the bytes. The modules carry wsproto's names.
"""

import os

from . import connection as connection
from . import events as events
from . import extensions as extensions
from . import frame_protocol as frame_protocol
from . import handshake as handshake
from . import typing as typing
from . import utilities as utilities
from ._native import VERSION as __version__
from ._native import Config, WSConnection, forget_entropy
from ._wsproto import install_as_wsproto
from .connection import Connection, ConnectionState, ConnectionType
from .handshake import H11Handshake

# A forked child must not repeat the masking keys of its parent (RFC 6455 §10.3).
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget_entropy)

# The modules are not among them: `from ws13 import *` must not hide the program's `typing`.
__all__ = [
    "Config",
    "Connection",
    "ConnectionState",
    "ConnectionType",
    "H11Handshake",
    "WSConnection",
    "__version__",
    "install_as_wsproto",
]
