"""Connections, their ends and their states (RFC 6455 §4 to §8)."""

from enum import Enum

from ._native import Connection, WSConnection

__all__ = [
    "CLIENT",
    "SERVER",
    "Connection",
    "ConnectionState",
    "ConnectionType",
    "WSConnection",
]


class ConnectionState(Enum):
    """Where a connection stands (RFC 6455 §4 and §7)."""

    #: The opening handshake is under way.
    CONNECTING = 0
    #: Both ends may send.
    OPEN = 1
    #: The peer has sent its Close frame, we have not sent ours.
    REMOTE_CLOSING = 2
    #: We have sent our Close frame, the peer's has not come.
    LOCAL_CLOSING = 3
    #: Nothing can be sent or received any more.
    CLOSED = 4
    #: The handshake ends in a rejection whose body is under way.
    REJECTING = 5


class ConnectionType(Enum):
    """Which end of a connection this is."""

    #: The end that opens the connection.
    CLIENT = 1
    #: The end that accepts it.
    SERVER = 2


CLIENT = ConnectionType.CLIENT
SERVER = ConnectionType.SERVER
