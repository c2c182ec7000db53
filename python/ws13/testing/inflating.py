"""Inflates messages as strictly as RFC 7692 §7.2.1 says how they are made.

zlib accepts more: it does not tell whether a message ends inside a block, and lets references go
further back than the window as long as the bytes are at hand. Both is found out here.
"""

from __future__ import annotations

import zlib

from ws13.testing.blocks import TAIL

#: A stored block of these bytes comes out as they are at the start of a block, and nowhere else.
_PROBE = bytes.fromhex("9d3c5a07e1b842f6")
_PROBE_BLOCK = b"\x00\x08\x00\xf7\xff" + _PROBE
_PIECE = 4096
_SMALL_PIECE = 64


class NotDeflateError(ValueError):
    """The payload of a message is not what RFC 7692 makes."""

    def __init__(self, section: str, sentence: str, readable: bytes | None = None) -> None:
        super().__init__(sentence)
        #: The section of the rule.
        self.section = section
        #: The message, if there is no doubt about it all the same.
        self.readable = readable


#: Of longer messages, in bytes, nobody looks whether a reference leaves a window that is smaller
#: than zlib's largest, as that takes a microsecond for each byte.
MOST_TRACED = 1 << 18


class Inflater:
    """Inflates the messages of one sender, and keeps its window (RFC 7692 §7.1)."""

    def __init__(
        self,
        window_bits: int = 15,
        *,
        context_takeover: bool = True,
        largest_message: int | None = None,
    ) -> None:
        self.window_bits = window_bits
        #: What inflates to more bytes is not read; None: there is no limit.
        self.largest_message = largest_message
        self.context_takeover = context_takeover
        #: A message could not be inflated, and the later ones may refer to it.
        self.lost = False
        self._history = b""

    def message(self, payload: bytes) -> bytes:
        """Inflate the payload of a message, its fragments joined.

        Raises `NotDeflateError`; behind it, messages that refer to this one cannot be read. Takes
        time in proportion to what goes in and comes out.
        """
        try:
            message = self._inflate(payload)
        except NotDeflateError as error:
            if error.readable is None:
                self.lost = self.context_takeover
            else:
                self._remember(error.readable)
            raise
        self._remember(message)
        return message

    def _inflate(self, payload: bytes) -> bytes:
        message = _Stream(self._history, 15, self.largest_message).run(payload)
        beyond = len(self._history) + len(message) > 1 << self.window_bits < 1 << 15
        if beyond and len(message) <= MOST_TRACED:
            # Only now can a reference leave the window: byte by byte, zlib notices.
            try:
                _Stream(self._history, self.window_bits).run(payload, largest=1)
            except NotDeflateError as error:
                raise NotDeflateError("RFC 7692 §7.1.2", f"window: {error}") from None
        return message

    def _remember(self, message: bytes) -> None:
        if self.context_takeover:
            self._history = (self._history + message)[-(1 << self.window_bits) :]


class _Stream:
    """One message."""

    def __init__(self, history: bytes, bits: int, most: int | None = None) -> None:
        self._bits = bits
        self._most = most
        #: What came out before, and what this message adds.
        self._out = bytearray(history)
        self._start = len(history)
        self._codec = self._new()
        #: Nothing went into the inflater yet.
        self._fresh = True

    def _new(self) -> zlib._Decompress:  # pyright: ignore[reportPrivateUsage]
        """An inflater that has seen all that came out so far."""
        window = bytes(self._out[-(1 << self._bits) :])
        if window:
            return zlib.decompressobj(-self._bits, window)
        return zlib.decompressobj(-self._bits)

    def run(self, payload: bytes, largest: int = 0) -> bytes:
        """Inflate it all, at most so many bytes at once (0: any number)."""
        size = _SMALL_PIECE if largest else _PIECE
        for start in range(0, len(payload), size):
            self._feed(payload[start : start + size], largest)
        end = len(self._out)
        if self._fresh:
            what = "nothing stands behind a block with BFINAL" if payload else "it is empty"
            raise NotDeflateError("RFC 7692 §7.2.1", what, bytes(self._out[self._start :]))
        self._feed(TAIL, largest)
        if len(self._out) > end or not self._at_a_block():
            sentence = "it does not end with the header of an empty stored block"
            raise NotDeflateError("RFC 7692 §7.2.1", sentence)
        return bytes(self._out[self._start :])

    def _feed(self, data: bytes, largest: int) -> None:
        try:
            while True:
                self._fresh = self._fresh and not data
                part = self._codec.decompress(data, largest)
                self._out += part
                if self._most is not None and len(self._out) - self._start > self._most:
                    sentence = f"it inflates to more than {self._most} bytes"
                    raise NotDeflateError("RFC 6455 §10.4", sentence)
                data = self._codec.unconsumed_tail
                if self._codec.eof:  # BFINAL: another stream goes on with the window
                    data = self._codec.unused_data
                    self._codec = self._new()
                    self._fresh = True
                # Of a long match some may still come when all input is used.
                if not data and not (part and largest):
                    break
        except zlib.error as error:
            sentence = str(error).rpartition(": ")[2]
            raise NotDeflateError("RFC 7692 §7.2.1", sentence) from None

    def _at_a_block(self) -> bool:
        """Whether the next bit begins a block: then a stored one comes out as it is."""
        try:
            return self._codec.decompress(_PROBE_BLOCK) == _PROBE
        except zlib.error:
            return False
