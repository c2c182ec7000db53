"""ws13 inside a running interpreter: processes, threads, subinterpreters, its end, and memory."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from support import frames, http, strategies
from support.frames import Frame
from support.model import connection_type, opened
from ws13 import WSConnection
from ws13.events import BytesMessage, Message, Ping, Request, TextMessage
from ws13.utilities import LocalProtocolError

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
needs_proc = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")


def masking_key(sent: bytes) -> bytes:
    """The key of a short masked frame."""
    return sent[2:6]


def nonce() -> str:
    client = WSConnection(connection_type("client"))
    sent = client.send(Request(host="example.com", target="/"))
    return http.parse(sent).all("Sec-WebSocket-Key")[0]


def in_a_child(work: Callable[[], str]) -> str:
    """What the work returns in a forked child."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, work().encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_parent_and_children_never_use_the_same_keys() -> None:
    connection = opened("client")
    connection.send(Ping())  # whatever is kept in stock is there now

    def keys() -> str:
        sent = [masking_key(connection.send(Ping())).hex() for _ in range(50)]
        return " ".join([*sent, *(nonce() for _ in range(5))])

    children = [in_a_child(keys) for _ in range(2)]
    drawn = [key for said in (*children, keys()) for key in said.split()]
    assert len(drawn) == 3 * 55
    assert len(set(drawn)) >= len(drawn) - 1  # two keys of 32 bits may be alike by chance


def test_keys_and_nonces_are_fresh() -> None:
    connection = opened("client")
    keys = [masking_key(connection.send(Ping())) for _ in range(2000)]
    assert len(set(keys)) >= len(keys) - 2
    ones = sum(int.from_bytes(key, "big").bit_count() for key in keys)
    assert 31_000 < ones < 33_000  # of 64,000 bits; further off once in 10^14 runs
    assert len({nonce() for _ in range(500)}) == 500


def in_threads(work: Callable[[int], None], count: int = 8) -> None:
    """Run the work in threads and raise what one of them raised."""
    errors: list[BaseException] = []
    start = threading.Barrier(count)

    def run(number: int) -> None:
        try:
            start.wait()
            work(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_many_threads_with_a_connection_each_do_not_disturb_each_other() -> None:
    def work(number: int) -> None:
        client, server = opened("client"), opened("server")
        for i in range(300):
            text = f"{number} {i} €" * (i % 5)
            server.receive_data(client.send(TextMessage(text)))
            assert list(server.events()) == [TextMessage(text)]
            client.receive_data(server.send(BytesMessage(text.encode())))
            assert list(client.events()) == [BytesMessage(text.encode())]

    in_threads(work)


@pytest.mark.parametrize("role", ["client", "server"])
def test_threads_that_send_on_one_connection_send_whole_frames(role: str) -> None:
    connection = opened(role)
    sent: list[bytes] = []

    def work(number: int) -> None:
        texts = [f"{number} {i}".encode() for i in range(200)]
        sent.extend(connection.send(BytesMessage(text)) for text in texts)

    in_threads(work)
    found = frames.decode(b"".join(sent))
    wanted = {f"{number} {i}".encode() for number in range(8) for i in range(200)}
    assert len(found) == len(wanted)
    assert {frame.payload for frame in found} == wanted


@pytest.mark.parametrize("role", ["client", "server"])
def test_threads_that_receive_and_take_on_one_connection_lose_nothing(role: str) -> None:
    """Whole frames go in from some threads, and come out once, in any thread."""
    connection = opened(role)
    seen: list[bytes] = []

    def work(number: int) -> None:
        for i in range(200):
            if number % 2:
                frame = Frame(9, f"{number} {i}".encode())
                connection.receive_data(strategies.written([frame], role))
            for event in connection.events():
                assert isinstance(event, Ping)
                seen.append(event.payload)

    in_threads(work)
    seen += [event.payload for event in connection.events() if isinstance(event, Ping)]
    assert sorted(seen) == sorted(f"{n} {i}".encode() for n in (1, 3, 5, 7) for i in range(200))


def run(code: str, *options: str, argument: str = "") -> str:
    done = subprocess.run(
        [sys.executable, *options, "-c", code, argument],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("first", ["main", "sub"])
def test_a_subinterpreter_imports_the_package_or_gets_an_import_error(first: str) -> None:
    """And whichever of the two used it first, the other is not disturbed."""
    code = """
import sys
try:
    import _interpreters as interpreters
    make = lambda: interpreters.create("isolated")
except ImportError:
    import _xxsubinterpreters as interpreters
    make = interpreters.create
if sys.argv[1] == "main":
    import ws13
inner = '''
try:
    import ws13
    from ws13.connection import CLIENT, Connection, ConnectionState
    from ws13.events import Ping
    ours = Connection(CLIENT)
    print("masked" if len(ours.send(Ping())) == 6 else "not masked")
    assert ours.state is ConnectionState.OPEN
    try:
        ours.send(ws13.events.RejectData(b""))
    except ws13.utilities.LocalProtocolError:
        pass
except ImportError as error:
    print("masked" if str(error) else "no reason")
'''
one = make()
if sys.argv[1] == "sub":
    interpreters.run_string(one, inner)
exec(inner)
interpreters.run_string(one, inner)
interpreters.destroy(one)
exec(inner)
print("alive", flush=True)
"""
    count = 3 + (first == "sub")
    assert run(code, argument=first).split() == ["masked"] * count + ["alive"]


@pytest.mark.parametrize("arguments", [(), ("-X", "dev")], ids=["plain", "dev mode"])
def test_the_interpreter_ends_with_live_connections_without_a_sound(
    arguments: tuple[str, ...],
) -> None:
    code = """
import atexit, ws13
from ws13.events import Ping, Request
ends = [ws13.Connection(kind) for kind in ws13.ConnectionType]
ends[0].receive_data(b"\\x89\\x05hello\\x89\\x05he")
ends[0].iterator = ends[0].events()
ends[0].event = next(ends[0].iterator)
ends[0].itself = ends[0]
client = ws13.WSConnection(ws13.ConnectionType.CLIENT)
client.send(Request("example.com", "/"))
class Last:
    def __del__(self):
        try:
            ends[0].send(Ping())
        except (AttributeError, TypeError, ws13.utilities.ProtocolError):
            pass
ends[1].last = Last()
atexit.register(lambda: ends[0].send(Ping()))
print("ended", flush=True)
"""
    assert run(code, *arguments) == "ended"


def resident() -> int:
    """Memory of this process in bytes."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def grown(work: Callable[[], None], warm_up: int, times: int) -> int:
    """By how many bytes the process grows over so many calls."""
    for _ in range(warm_up):
        work()
    before = resident()
    for _ in range(times):
        work()
    return resident() - before


@needs_proc
@pytest.mark.parametrize("role", ["client", "server"])
def test_connections_that_are_dropped_leave_no_memory_behind(role: str) -> None:
    stream = strategies.written([Frame(1, b"text"), Frame(9, b"ping"), Frame(2, b"cut")], role)

    def work() -> None:
        connection = opened(role)
        connection.receive_data(stream[:-1])
        for event in connection.events():
            if isinstance(event, Message) and event.message_finished:
                connection.send(event)

    assert grown(work, 10_000, 100_000) < 2**20


@needs_proc
def test_connections_that_know_themselves_are_collected() -> None:
    """As when a program replaces a method of one object by a wrapper around the old one."""

    def work() -> None:
        for connection in (opened("client"), WSConnection(connection_type("client"))):
            connection.__dict__["send"] = connection.send

    assert grown(work, 5_000, 10_000) < 2**20


@needs_proc
@pytest.mark.parametrize("role", ["client", "server"])
@pytest.mark.parametrize("fault", [b"\xff", b"\x8f\x00"])
def test_nothing_that_comes_behind_a_failure_is_kept(role: str, fault: bytes) -> None:
    connection = opened(role)
    connection.receive_data(fault + b"x" * 2**20)
    assert len(list(connection.events())) == 1
    late = b"y" * 2**20

    def work() -> None:
        connection.receive_data(late)

    assert grown(work, 4, 100) < 2**20
    with pytest.raises(LocalProtocolError):
        connection.send(Ping())


@needs_proc
def test_a_large_message_in_small_pieces_is_not_kept() -> None:
    connection = opened("client")
    connection.receive_data(b"\x82\x7f" + (2**40).to_bytes(8, "big"))
    piece = b"z" * 65536

    def work() -> None:
        connection.receive_data(piece)
        (event,) = connection.events()
        assert isinstance(event, BytesMessage)
        assert len(event.data) == len(piece)

    assert grown(work, 20, 1000) < 2**20
