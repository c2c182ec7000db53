"""`PerMessageDeflate` objects in more than one handshake, and classes below it that read the texts
themselves."""

from __future__ import annotations

import pytest

from support import heads
from support.frames import decode
from support.negotiation import FIELD, NAME, response
from ws13 import Config, WSConnection
from ws13.connection import CLIENT, SERVER
from ws13.events import AcceptConnection, Request, TextMessage
from ws13.extensions import Extension, PerMessageDeflate
from ws13.utilities import RemoteProtocolError


def accepted(offer: str | None, *extensions: Extension) -> tuple[bytes, WSConnection]:
    """What a server with `extensions` answers to an offer."""
    server = WSConnection(SERVER)
    lines = [f"{FIELD}: {offer}"] if offer else []
    server.receive_data(heads.head([*heads.REQUEST, *lines]))
    assert len(list(server.events())) == 1
    return server.send(AcceptConnection(extensions=list(extensions))), server


def offered(extension: PerMessageDeflate, answer: str) -> tuple[bytes, WSConnection]:
    """What a client offers, and its connection behind the answer."""
    client = WSConnection(CLIENT)
    sent = client.send(Request(host="example.com", target="/", extensions=[extension]))
    client.receive_data(response(sent, answer))
    return sent, client


def test_an_extension_of_an_earlier_handshake_is_not_in_use_where_nobody_offered_it() -> None:
    deflate = PerMessageDeflate()
    accepted(f"{NAME}; server_no_context_takeover", deflate)
    answer, server = accepted(None, deflate)
    assert NAME.encode() not in answer
    (frame,) = decode(server.send(TextMessage("a" * 32)))
    assert (frame.rsv, frame.payload) == (0, b"a" * 32)


def test_what_one_client_has_asked_for_is_not_asked_of_the_next() -> None:
    deflate = PerMessageDeflate(server_max_window_bits=12)
    accepted(f"{NAME}; server_no_context_takeover; client_max_window_bits=9", deflate)
    assert deflate.client_max_window_bits == 9
    answer, _ = accepted(f"{NAME}; client_max_window_bits", deflate)
    assert (
        f"{FIELD}: {NAME}; client_max_window_bits=15; server_max_window_bits=12" in answer.decode()
    )


def test_a_client_offers_what_it_wants_again() -> None:
    deflate = PerMessageDeflate()
    first, _ = offered(deflate, f"{NAME}; server_no_context_takeover; server_max_window_bits=9")
    again, client = offered(deflate, NAME)
    line = f"{FIELD}: {NAME}; client_max_window_bits\r\n".encode()
    assert line in first
    assert line in again
    assert client.connection is not None
    assert deflate.server_max_window_bits == 15


def test_a_wish_that_changes_behind_a_handshake_is_kept() -> None:
    deflate = PerMessageDeflate()
    accepted(NAME, deflate)
    deflate.server_max_window_bits = 10
    answer, _ = accepted(NAME, deflate)
    assert b"server_max_window_bits=10" in answer


class Reading(PerMessageDeflate):
    """Reads the texts by itself, and leaves the rest to the class above."""

    def accept(self, offer: str) -> bool | str | None:
        return super().accept(offer)

    def finalize(self, offer: str) -> None:
        super().finalize(offer)


@pytest.mark.parametrize("bits", ["client_max_window_bits=8", 'server_max_window_bits="12"'])
def test_a_subclass_that_finalizes_takes_what_is_valid(bits: str) -> None:
    deflate = Reading()
    _, client = offered(deflate, f"{NAME}; {bits}")
    assert client.connection is not None
    assert deflate.enabled()
    assert 15 in (deflate.client_max_window_bits, deflate.server_max_window_bits)
    assert {8, 12} & {deflate.client_max_window_bits, deflate.server_max_window_bits}


def test_a_subclass_that_finalizes_is_not_asked_about_what_is_invalid() -> None:
    with pytest.raises(RemoteProtocolError):
        offered(Reading(), f"{NAME}; server_max_window_bits=7")


def test_an_offer_that_a_subclass_declines_leaves_no_trace() -> None:
    answer, _ = accepted(
        f"{NAME}; server_no_context_takeover; client_max_window_bits=8, {NAME}", Reading()
    )
    assert f"{FIELD}: {NAME}\r\n".encode() in answer


def test_a_subclass_that_accepts_reads_quoted_values() -> None:
    answer, _ = accepted(f'{NAME}; client_max_window_bits="10"', Reading())
    assert b"client_max_window_bits=10" in answer


def test_a_threshold_that_nothing_reaches_is_never() -> None:
    _, server = accepted(NAME, PerMessageDeflate(threshold=2**80))
    (frame,) = decode(server.send(TextMessage("a" * 1000)))
    assert frame.rsv == 0


def test_attributes_of_other_extensions_are_theirs() -> None:
    class Other(Extension):
        name = "x-other"
        _offer = "not to be called"

        def offer(self) -> bool | str:
            return "a=1"

    client = WSConnection(CLIENT)
    sent = client.send(Request(host="example.com", target="/", extensions=[Other()]))
    assert f"{FIELD}: x-other; a=1".encode() in sent


def test_a_limit_is_what_its_digits_say() -> None:
    class Sly(int):
        def __le__(self, other: object) -> bool:
            return False

    with pytest.raises(ValueError, match="at least 1"):
        Config(max_message_size=Sly(-5))
