"""`python -m ws13 fuzz URL` against servers over TCP: good ones, wrong ones, and none."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from support import servers
from support.lenient import echo, good_head, lenient
from support.serving import serving
from ws13._cli.address import parse_url
from ws13._cli.fuzz import run
from ws13._cli.fuzz.options import FuzzOptions
from ws13.testing import Frame, Opcode, ReceivedHead, close


def options(url: str, *cases: str, **others: Any) -> FuzzOptions:
    made = FuzzOptions(parse_url(url), cases=cases, random=20, timeout=5.0, seed=1)
    return replace(made, **others)


def fuzz(folder: Path, url: str, *cases: str, **others: Any) -> tuple[int, dict[str, Any]]:
    """The exit status and the report."""
    report = folder / "report.json"
    status = run.run(replace(options(url, *cases, **others), json=str(report)))
    told: dict[str, Any] = json.loads(report.read_text())
    return status, told


def verdicts(report: dict[str, Any]) -> dict[str, str]:
    return {case["id"]: case["verdict"] for case in report["cases"]}


@pytest.mark.parametrize("cut", ["whole", "random"])
def test_it_finds_nothing_in_ws13_serve(tmp_path: Path, cut: str) -> None:
    with serving() as server:
        assert server.process.stdout is not None
        # A line for each connection, which somebody has to read.
        threading.Thread(target=server.process.stdout.read, daemon=True).start()
        # Patient, as the machine may be busy.
        status, report = fuzz(tmp_path, server.url, cut=cut, random=300, timeout=30.0)
    counts = report["counts"]
    assert (status, counts["violation"], counts["remark"]) == (0, 0, 0)
    assert counts["right"] > 800
    assert report["stopped"] is None
    assert report["echoes"] is True


def test_it_finds_what_is_wrong_with_wsproto(tmp_path: Path) -> None:
    """In uvicorn on wsproto, as it is: what a peer on the network can see of the matrix."""
    pytest.importorskip("uvicorn")
    with servers.started("uvicorn", tmp_path, as_wsproto=False) as server:
        assert server.under() == "wsproto.events"
        chapters = ("frames/", "compression/", "negotiation/", "requests/")
        status, report = fuzz(tmp_path, server.url, *chapters)
    assert status == 1
    told = verdicts(report)
    for name in (
        "compression/ping-between-fragments",
        "compression/zlib-final",
        "negotiation/decline-server-bits-abc",
        "negotiation/decline-server-bits-plus",
        "negotiation/decline-duplicate-server-bits",
        "negotiation/decline-unknown-parameter",
        "negotiation/offer-quoted-server-bits",
        "requests/version-1.0",
        "requests/body-behind-the-answer",
    ):
        assert told[name] == "violation", name
    assert told["frames/text"] == "right"
    # Of this the RFC says two things.
    assert told["requests/key-5-bytes"] == "remark"


Answers = Callable[[Frame], "list[Frame | None]"]


def changed(frame: Frame) -> list[Frame | None]:
    """An echo of other text, if it is short."""
    if len(frame.payload) == 1:
        return [Frame(frame.opcode, b"?")]
    return echo(frame)


def masked(frame: Frame) -> list[Frame | None]:
    return [one and one.masked(b"abcd") for one in echo(frame)]


def goes_on(frame: Frame) -> list[Frame | None]:
    """Data behind the Close frame."""
    if frame.opcode == Opcode.CLOSE:
        return [Frame(8, frame.payload), Frame(1, b"more"), None]
    return echo(frame)


@pytest.mark.parametrize(
    ("answers", "case", "section", "words"),
    [
        (echo, "frames/reserved-bit-2-text", "RFC 6455 §5.2", "the connection stays open"),
        (echo, "frames/reserved-opcode-3", "RFC 6455 §5.2", "the connection stays open"),
        (echo, "masking/unmasked-text", "RFC 6455 §5.1", 'messages "Hello"'),
        (echo, "text/invalid-byte-ff", "RFC 6455 §8.1", "the connection stays open"),
        (changed, "frames/many-messages", "RFC 6455 §5.6", 'messages "?", "?", "?", "?"'),
        (masked, "frames/text", "RFC 6455 §5.1", "from a server is masked"),
        (goes_on, "closing/code-1000", "RFC 6455 §5.5.1", "behind a Close frame"),
    ],
)
def test_a_fault_is_told_with_its_section(
    answers: Answers,
    case: str,
    section: str,
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with lenient(answers) as server:
        status, _ = fuzz(tmp_path, server.url, case)
    assert status == 1
    line = next(line for line in capsys.readouterr().out.splitlines() if "VIOLATION" in line)
    assert line.startswith(f"VIOLATION {case} ({section}): ")
    assert words in line
    assert "Sent: " in line


def test_random_cases_find_the_same_and_are_told_as_small_as_they_can_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with lenient() as server:
        status, report = fuzz(tmp_path, server.url, "random/", random=40)
        assert status == 1
        found = [case for case in report["cases"] if case["verdict"] == "violation"]
        assert len(found) > 5
        small = [case for case in found if case["sent_bytes"] < 220]  # the request is 180
        assert len(small) > len(found) // 2
        name = found[0]["id"]
        assert name.startswith("random/1-")
        capsys.readouterr()
        status, report = fuzz(tmp_path, server.url, name, seed=99)
    assert status == 1
    assert verdicts(report) == {name: "violation"}


def test_of_a_server_that_does_not_echo_messages_are_not_compared(tmp_path: Path) -> None:
    def silent(frame: Frame) -> list[Frame | None]:
        return [one for one in echo(frame) if one is None or one.iscontrol]

    with lenient(silent) as server:
        status, report = fuzz(tmp_path, server.url, "frames/text", "frames/reserved-bit-3-text")
    assert status == 1
    assert report["echoes"] is False
    assert verdicts(report) == {"frames/text": "right", "frames/reserved-bit-3-text": "violation"}


def test_an_answer_that_does_not_come_in_time_is_told(tmp_path: Path) -> None:
    def deaf(frame: Frame) -> list[Frame | None]:
        """Silent from the first reserved bit on."""
        heard.append(frame.rsv1)
        return [] if any(heard) else echo(frame)

    heard: list[bool] = []
    with lenient(deaf) as server:
        status, report = fuzz(tmp_path, server.url, "frames/reserved-bit-1-text", timeout=0.5)
    assert status == 1
    assert "nothing more in time" in report["cases"][0]["opinions"][0]["sentence"]


def test_a_server_that_never_stops_talking_is_left_alone_in_the_end(tmp_path: Path) -> None:
    def drip(frame: Frame) -> list[Frame | None]:
        """A Close frame, and then data as long as anybody listens."""
        if frame.opcode == Opcode.CLOSE:
            return [Frame(8, frame.payload), *(Frame(2, bytes(10_000)) for _ in range(100_000))]
        return echo(frame)

    with lenient(drip) as server:
        status, report = fuzz(tmp_path, server.url, "closing/code-1000", timeout=1.0)
    assert status == 1
    assert report["seconds"] < 30


def test_binary_data_may_be_refused_as_such(tmp_path: Path) -> None:
    def text_only(frame: Frame) -> list[Frame | None]:
        if frame.opcode == Opcode.BINARY:
            return [close(1003), None]
        return echo(frame)

    with lenient(text_only) as server:
        status, report = fuzz(tmp_path, server.url, "frames/binary", "frames/text")
    assert status == 0
    assert verdicts(report) == {"frames/binary": "allowed", "frames/text": "right"}


def test_the_same_seed_sends_the_same_bytes(tmp_path: Path) -> None:
    sent = []
    with lenient() as server:
        for seed in (5, 5, 6):
            _, report = fuzz(tmp_path, server.url, "frames/text", "random/5-1", seed=seed)
            sent.append({case["id"]: case["sent"] for case in report["cases"]})
    assert sent[0] == sent[1]
    assert sent[0]["frames/text"] != sent[2]["frames/text"]
    assert sent[0]["random/5-1"] == sent[2]["random/5-1"]


def test_what_an_endpoint_says_does_not_act_on_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def head(asked: ReceivedHead) -> bytes:
        wrong = b"Sec-WebSocket-Extensions: x-\x1b[2J\x9b; a\r\n\r\n"
        good = good_head(asked)
        return good if not asked.values("sec-websocket-extensions") else good[:-2] + wrong

    with lenient(head=head) as server:
        junit = tmp_path / "junit"
        status, _ = fuzz(tmp_path, server.url, "negotiation/", junit=str(junit))
    assert status == 1
    out = capsys.readouterr().out
    assert not set(out) & {"\x1b", "\x9b", "\r"}
    ElementTree.parse(junit)


def test_a_server_that_dies_is_found_dead(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def dies(frame: Frame) -> list[Frame | None]:
        if frame.rsv3:
            server.stop()
        return echo(frame)

    with lenient(dies) as server:
        status, report = fuzz(tmp_path, server.url, "frames/", connections=1, timeout=1.0)
    assert status == 1
    assert report["cases"][-1]["id"] == "alive"
    assert report["stopped"] == "the server is not alive any more"
    assert "a good connection fails behind frames/" in capsys.readouterr().out


@pytest.mark.parametrize("status_line", ["HTTP/1.1 200 OK", "HTTP/1.1 503 ", "220 mail ESMTP"])
def test_what_is_no_websocket_server_cannot_be_tested(
    status_line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def head(asked: ReceivedHead) -> bytes:
        return f"{status_line}\r\nContent-Length: 0\r\n\r\n".encode()

    with lenient(head=head) as server:
        status, report = fuzz(tmp_path, server.url, "frames/text", timeout=0.5)
    assert status == 2
    assert "a good opening handshake fails" in report["stopped"]
    assert "stopped: " in capsys.readouterr().err


def test_no_server_at_all_cannot_be_tested(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"ws://127.0.0.1:{servers.free_port()}/"
    status, report = fuzz(tmp_path, url, "frames/text")
    assert status == 2
    assert "cannot connect to" in report["stopped"]
    assert report["not_begun"] == 1


def test_a_wrong_answer_to_a_good_request_is_told(tmp_path: Path) -> None:
    wrong: list[str] = []

    def head(asked: ReceivedHead) -> bytes:
        """Good, but for the second connection on."""
        good = good_head(asked)
        wrong.append("")
        return good if len(wrong) == 1 else good.replace(b"Accept: ", b"Accept: x")

    with lenient(head=head) as server:
        status, report = fuzz(tmp_path, server.url, "requests/good")
    assert status == 1
    assert report["cases"][0]["opinions"][0]["section"].startswith("RFC 6455 §4.2.2")


def test_no_more_connections_are_opened_than_the_rate_allows(tmp_path: Path) -> None:
    with lenient() as server:
        _, report = fuzz(tmp_path, server.url, "frames/text", *["frames/binary"] * 9, rate=20.0)
    assert report["seconds"] >= 10 / 20
    assert server.connections == 12  # with the first and the last one, which are good ones


def test_when_the_time_is_over_no_case_is_begun(tmp_path: Path) -> None:
    with lenient() as server:
        status, report = fuzz(tmp_path, server.url, *["frames/text"] * 60, duration=1e-9)
    assert status == 2
    assert report["not_begun"] == 60
    assert "the time of" in report["stopped"]


def test_reports_are_written_and_the_status_is_that_of_the_run(tmp_path: Path) -> None:
    with serving() as server:
        command = [sys.executable, "-m", "ws13", "fuzz", server.url, "--seed", "5"]
        command += ["--case", "closing/", "--case", "random/", "--random", "3"]
        for kind in ("json", "junit", "html"):
            command += [f"--{kind}", str(tmp_path / kind)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(" (seed 5)\n")
    assert "random/5-2" in (tmp_path / "html").read_text()
    assert "<testsuite" in (tmp_path / "junit").read_text()
    assert json.loads((tmp_path / "json").read_text())["seed"] == 5


def test_a_report_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with lenient() as server:
        path = str(tmp_path / "missing" / "report")
        assert run.run(options(server.url, "frames/text", html=path)) == 2
