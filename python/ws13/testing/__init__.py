"""For those who test WebSocket servers, clients and libraries, theirs or others'.

A writer of any frame and any opening handshake, legal or not; ways to cut bytes; a judge of what
a peer sent; two ends joined in memory; a catalogue of cases (`ws13.testing.cases`); strategies for
Hypothesis (`ws13.testing.strategies`, which needs ``pip install 'ws13[testing]'``).

What writes and what judges is made of the standard library alone and shares nothing with ws13's
engine. `import ws13` imports none of it.
"""

from __future__ import annotations

from ws13.testing.blocks import Blocks, BlockWriter, Deflater, Tail, deflate
from ws13.testing.cuts import Cut, at, bytewise, every, scattered, whole
from ws13.testing.findings import Finding
from ws13.testing.frames import (
    Frame,
    Opcode,
    binary,
    close,
    continuation,
    fragments,
    ping,
    pong,
    text,
)
from ws13.testing.handshakes import RequestHead, ResponseHead, accept_for, request, response
from ws13.testing.heads import ReceivedHead, read_head
from ws13.testing.inflating import Inflater, NotDeflateError
from ws13.testing.judge import Judge
from ws13.testing.judge_handshake import judge_request, judge_response
from ws13.testing.memory import Conversation, joined, opened
from ws13.testing.roles import Role

__all__ = [
    "BlockWriter",
    "Blocks",
    "Conversation",
    "Cut",
    "Deflater",
    "Finding",
    "Frame",
    "Inflater",
    "Judge",
    "NotDeflateError",
    "Opcode",
    "ReceivedHead",
    "RequestHead",
    "ResponseHead",
    "Role",
    "Tail",
    "accept_for",
    "at",
    "binary",
    "bytewise",
    "close",
    "continuation",
    "deflate",
    "every",
    "fragments",
    "joined",
    "judge_request",
    "judge_response",
    "opened",
    "ping",
    "pong",
    "read_head",
    "request",
    "response",
    "scattered",
    "text",
    "whole",
]
