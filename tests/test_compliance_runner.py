"""The compliance runner: its judgement, its two test programs, and the suite where it is built."""

from __future__ import annotations

import importlib
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ws13 import ConnectionType, WSConnection
from ws13.connection import ConnectionState
from ws13.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    Request,
    TextMessage,
)

COMPLIANCE = Path(__file__).resolve().parent.parent / "compliance"
BAD_FRAME = b"\xf1\x00"  # FIN, all reserved bits, text, unmasked, empty


@pytest.fixture(autouse=True)
def compliance_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(COMPLIANCE))


def module(name: str) -> Any:
    return importlib.import_module(name)


# The judgement


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1-3", ["1.*", "2.*", "3.*"]),
        ("10", ["10.*"]),
        ("6.4", ["6.4.*"]),
        ("1-2,10, 7.1.6", ["1.*", "2.*", "10.*", "7.1.6"]),
    ],
)
def test_sections_and_cases_become_the_patterns_of_the_suite(
    text: str, expected: list[str]
) -> None:
    assert module("expectations").case_patterns(text) == expected


@pytest.mark.parametrize("text", ["", "x", "3-1", "1.2.3.4", "1,,2"])
def test_a_case_list_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        module("expectations").case_patterns(text)


def test_worse_better_and_missing_cases_are_all_surprises() -> None:
    e = module("expectations")
    informational = e.Verdict("INFORMATIONAL", "INFORMATIONAL")
    expectations = {"7.1.6": informational, "7.13.1": informational}
    results = {
        "1.1.1": e.Verdict(),
        "1.1.2": e.Verdict("FAILED", "OK"),
        "7.1.6": e.Verdict(),
        "7.13.1": informational,
    }
    cases = ["1.1.1", "1.1.2", "1.1.3", "7.1.6", "7.13.1"]
    assert [str(s) for s in e.find_surprises(cases, results, expectations)] == [
        "case 1.1.2: expected OK, got FAILED, close OK",
        "case 1.1.3: expected OK, got no result",
        "case 7.1.6: expected INFORMATIONAL, got OK",
    ]


def test_every_expectation_in_the_repository_gives_a_reason() -> None:
    assert module("expectations").load_expectations(COMPLIANCE / "expected.json")


def test_an_expectation_without_a_reason_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "expected.json"
    path.write_text('{"1.1.1": {"behavior": "FAILED", "behaviorClose": "OK"}}')
    with pytest.raises(ValueError, match=r"case 1\.1\.1 gives no reason"):
        module("expectations").load_expectations(path)


# The exit status


@pytest.fixture
def fake_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Run ``run.py`` with a suite that hands out the given verdicts."""

    def start(verdicts: dict[str, str], *arguments: str) -> int:
        def fake_test(python: str, cases: list[str], outdir: Path, through: Any) -> list[str]:
            del python, cases
            assert through(8642) == 8642
            outdir.mkdir(parents=True)
            report = {c: {"behavior": v, "behaviorClose": v} for c, v in verdicts.items()}
            (outdir / "index.json").write_text(json.dumps({"ws13": report}))
            return ["1.1.1", "7.1.6"]

        run = module("run")
        monkeypatch.setattr(run, "prepare", lambda _: "python")
        monkeypatch.setattr(run, "test_server", fake_test)
        monkeypatch.setattr(run, "test_client", fake_test)
        monkeypatch.setattr(sys, "argv", ["run.py", "--reports", str(tmp_path), *arguments])
        return int(run.main())

    return start


def test_a_run_as_expected_exits_with_0(fake_run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert fake_run({"1.1.1": "OK", "7.1.6": "INFORMATIONAL"}) == 0
    out = capsys.readouterr().out
    assert "server" in out
    assert "client" in out


@pytest.mark.parametrize(
    "verdicts",
    [
        {"1.1.1": "FAILED", "7.1.6": "INFORMATIONAL"},
        {"1.1.1": "OK", "7.1.6": "OK"},
        {"7.1.6": "INFORMATIONAL"},
    ],
    ids=["worse", "better", "missing"],
)
def test_a_surprise_exits_with_1(fake_run: Any, verdicts: dict[str, str]) -> None:
    assert fake_run(verdicts) == 1


def test_the_summary_counts_sections_and_names_the_cases_that_are_not_plain_ok(
    fake_run: Any, tmp_path: Path
) -> None:
    path = tmp_path / "summary.md"
    fake_run({"1.1.1": "OK", "1.1.2": "FAILED", "7.1.6": "INFORMATIONAL"}, "--summary", str(path))
    lines = path.read_text(encoding="utf-8").splitlines()
    assert "## ws13 as a server" in lines
    assert "## ws13 as a client" in lines
    assert lines.count("| Section | Cases | OK | FAILED | INFORMATIONAL |") == 2
    assert lines.count("| 1 framing | 2 | 1 | 1 | 0 |") == 2
    assert lines.count("| all | 3 | 1 | 1 | 1 |") == 2
    assert "- 1.1.2 (server, client): FAILED. Not expected." in lines
    assert any(line.startswith("- 7.1.6 (server, client): INFORMATIONAL. ") for line in lines)


def test_without_python_27_the_runner_says_what_to_do_and_exits_with_2(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wstest, run = module("wstest"), module("run")
    monkeypatch.setattr(wstest, "CACHE", tmp_path / "nothing")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["run.py"])
    assert run.main() == 2
    assert "pyenv install 2.7.18" in capsys.readouterr().err


# The two test programs, without the suite


class End:
    """One end of a WebSocket connection over a blocking socket."""

    def __init__(self, kind: ConnectionType, sock: socket.socket) -> None:
        sock.settimeout(20)
        self.ws = WSConnection(kind)
        self.sock = sock

    def send(self, event: Event) -> None:
        self.sock.sendall(self.ws.send(event))

    def next(self) -> Event:
        while True:
            for event in self.ws.events():
                return event
            self.ws.receive_data(self.sock.recv(65536) or None)


@pytest.fixture
def server_port() -> Iterator[int]:
    command = [sys.executable, str(COMPLIANCE / "test_server.py"), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline().split()[-1])
        finally:
            process.kill()


def open_client(port: int) -> End:
    client = End(ConnectionType.CLIENT, socket.create_connection(("127.0.0.1", port)))
    client.send(Request(host="127.0.0.1", target="/"))
    assert isinstance(client.next(), AcceptConnection)
    return client


def test_server_program_echoes_whole_messages_and_answers_ping_and_close(server_port: int) -> None:
    client = open_client(server_port)
    with client.sock as sock:
        client.send(TextMessage("h\u00e9", message_finished=False))
        client.send(Ping(b"now"))
        client.send(TextMessage("llo"))
        client.send(BytesMessage(b"\x00"))
        assert client.next() == Pong(b"now")
        assert client.next() == TextMessage("h\u00e9llo")
        assert client.next() == BytesMessage(b"\x00")
        client.send(CloseConnection(3000, "bye"))
        assert client.next() == CloseConnection(3000, "bye")
        assert sock.recv(1) == b""


def test_server_program_closes_with_the_code_of_the_violation(server_port: int) -> None:
    client = open_client(server_port)
    with client.sock as sock:
        sock.sendall(BAD_FRAME)
        close = client.next()
        assert isinstance(close, CloseConnection)
        assert close.code == 1002
        assert sock.recv(1) == b""


def test_server_program_gives_up_on_a_client_that_leaves_before_the_handshake(
    server_port: int,
) -> None:
    with socket.create_connection(("127.0.0.1", server_port), timeout=20) as sock:
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(1) == b""


def test_client_program_runs_every_case_and_asks_for_the_report() -> None:
    targets: list[str] = []
    answers: list[Event] = []
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(20)

    def fuzz() -> None:
        while not targets or not targets[-1].startswith("/updateReports"):
            end = End(ConnectionType.SERVER, listener.accept()[0])
            with end.sock:
                request = end.next()
                assert isinstance(request, Request)
                targets.append(request.target)
                end.send(AcceptConnection())
                if request.target == "/getCaseCount":
                    end.send(TextMessage("2"))
                elif "case=1" in request.target:
                    end.send(TextMessage("a", message_finished=False))
                    end.send(TextMessage("b"))
                    answers.append(end.next())
                elif "case=2" in request.target:
                    end.sock.sendall(BAD_FRAME)
                    answers.append(end.next())
                    continue
                end.send(CloseConnection(1000))
                end.next()
                assert end.ws.state is ConnectionState.CLOSED

    fuzzer = threading.Thread(target=fuzz, daemon=True)
    fuzzer.start()
    url = f"ws://127.0.0.1:{listener.getsockname()[1]}"
    done = subprocess.run(
        [sys.executable, str(COMPLIANCE / "test_client.py"), "--url", url], timeout=30
    )
    fuzzer.join(timeout=20)
    listener.close()
    assert done.returncode == 0
    assert targets == [
        "/getCaseCount",
        "/runCase?case=1&agent=ws13",
        "/runCase?case=2&agent=ws13",
        "/updateReports?agent=ws13",
    ]
    assert answers[0] == TextMessage("ab")
    assert isinstance(answers[1], CloseConnection)
    assert answers[1].code == 1002


# The suite itself


@pytest.mark.skipif(
    not (COMPLIANCE / ".wstest" / "built-from").exists(),
    reason="the suite's environment is built by running compliance/run.py",
)
def test_the_suite_runs_in_both_directions(tmp_path: Path) -> None:
    arguments = ["--cases", "1.1.1,4.1.1,7.1.6", "--reports", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, str(COMPLIANCE / "run.py"), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "server: case 3 of 3" in done.stdout
    assert "client: case 3 of 3" in done.stdout
