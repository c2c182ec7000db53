"""Which end of a connection is meant."""

from __future__ import annotations

from enum import Enum


class Role(Enum):
    """An end of a connection (RFC 6455 §1.3)."""

    CLIENT = "client"
    SERVER = "server"

    @property
    def other(self) -> Role:
        """The end that this one speaks with."""
        return Role.SERVER if self is Role.CLIENT else Role.CLIENT
