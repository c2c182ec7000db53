"""What both ends say alike: how a close reads, which extensions they know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ws13 import extensions
from ws13.frame_protocol import CloseReason

if TYPE_CHECKING:
    from ws13.extensions import Extension


def supported_extensions() -> list[Extension]:
    """Permessage-deflate, where the library has it; new objects for each connection."""
    deflate: Any = getattr(extensions, "PerMessageDeflate", None)
    return [] if deflate is None else [deflate()]


def close_in_words(code: int, reason: str | None) -> str:
    """``1000 normal closure: goodbye``."""
    try:
        words = f"{int(code)} {CloseReason(code).name.lower().replace('_', ' ')}"
    except ValueError:
        words = str(code)
    return f"{words}: {visible(reason)}" if reason else words


def visible(text: str) -> str:
    """Escape what a terminal would act upon: the peer must not move its cursor."""
    return "".join(
        character if character.isprintable() or character in "\t\n" else ascii(character)[1:-1]
        for character in text
    )
