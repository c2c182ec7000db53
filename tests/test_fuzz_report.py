"""What ``fuzz`` takes on the command line, and the reports that it writes."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from ws13.__main__ import main
from ws13._cli.address import parse_url
from ws13._cli.fuzz import report as reports
from ws13._cli.fuzz import run, words
from ws13._cli.fuzz.options import FuzzOptions, is_loopback, parse_listen
from ws13._cli.fuzz.progress import Progress
from ws13._cli.fuzz.results import Report, Result
from ws13._cli.fuzz.verdict import Opinion, Verdict
from ws13.testing import Frame, Role, close, ping, text
from ws13.testing.cases import Case, Drops, cases

CASE = Case(
    id="here/<case>",
    section="RFC 6455 §5.2",
    title="A <b>title</b> & more.",
    roles=frozenset(Role),
    sends=(text("Hello"), b"\x00\xff"),
    allowed=(Drops(),),
)


def result(verdict: Verdict, name: str = "here/case", sentence: str = "it came") -> Result:
    opinion = Opinion(verdict, "RFC 6455 §5.2", sentence)
    head = b"GET / HTTP/1.1\r\nHost: <me>\r\n\r\n"
    case = replace(CASE, id=name)
    return Result(case, Role.SERVER, (opinion,), head + b"\x81\x00", b"\x88\x00", 0.25)


def report(*verdicts: Verdict) -> Report:
    made = Report("ws://127.0.0.1:1/<path>", Role.SERVER, 7, echoes=True, seconds=1.5)
    made.results = [result(verdict, f"here/{i}") for i, verdict in enumerate(verdicts)]
    return made


ALL = tuple(Verdict)


@pytest.mark.parametrize(
    ("verdicts", "stopped", "status"),
    [
        ((), None, 0),
        ((Verdict.RIGHT, Verdict.ALLOWED, Verdict.REMARK, Verdict.SKIPPED), None, 0),
        (ALL, None, 1),
        ((Verdict.RIGHT,), "interrupted", 2),
        (ALL, "the server is not alive any more", 1),
    ],
)
def test_the_exit_status_says_whether_there_are_violations(
    verdicts: tuple[Verdict, ...], stopped: str | None, status: int
) -> None:
    made = report(*verdicts)
    made.stopped = stopped
    assert made.status == status


def test_violations_are_told_first() -> None:
    found = report(Verdict.REMARK, Verdict.RIGHT, Verdict.VIOLATION).found
    assert [one.verdict for one in found] == [Verdict.VIOLATION, Verdict.REMARK]


def test_a_line_has_all_that_is_needed_to_look_into_it() -> None:
    (line,) = result(Verdict.VIOLATION).lines()
    assert line == (
        "VIOLATION here/case (RFC 6455 §5.2): A <b>title</b> & more. "
        'Sent: TEXT fin, 5 bytes "Hello"; 2 bytes 00 ff. Came: it came.'
    )
    assert result(Verdict.RIGHT).lines() == []


def test_json_has_everything() -> None:
    made = json.loads(reports.as_json(report(*ALL)))
    assert made["counts"] == dict.fromkeys((verdict.value for verdict in Verdict), 1)
    assert made["seed"] == 7
    case = made["cases"][0]
    assert case["sent"].endswith("8100")
    assert (case["sent_bytes"], case["received"], case["seconds"]) == (32, "8800", 0.25)
    assert case["opinions"] == [
        {"verdict": "right", "section": "RFC 6455 §5.2", "sentence": "it came"}
    ]


def test_junit_has_a_test_case_for_each_case_and_fails_for_violations() -> None:
    made = report(*ALL)
    made.results.append(result(Verdict.VIOLATION, "here/x", "control \x00\x1b characters"))
    made.stopped = "interrupted"
    suite = ElementTree.fromstring(reports.as_junit(made))
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("6", "2", "1")
    assert [case.get("name") for case in suite.findall("testcase[failure]")] == [
        result.case.id for result in made.results if result.verdict is Verdict.VIOLATION
    ]
    assert len(suite.findall("testcase/skipped")) == 1
    assert len(suite.findall("testcase/system-out")) == 1
    assert "control" in (suite.findall("testcase/failure")[1].text or "")


def test_the_page_escapes_what_comes_from_the_endpoint() -> None:
    made = report(Verdict.VIOLATION)
    made.results.append(result(Verdict.REMARK, "here/<i>", '<script>alert("x")</script>'))
    page = reports.as_html(made)
    for text_ in ("<script>", "<b>title", "<path>", "<me>", "here/<i>"):
        assert text_ not in page
    assert "&lt;script&gt;" in page
    assert "Host: &lt;me&gt;" in page
    assert "Found: 2" in page
    assert page.count("<tr>") == 2 + 1 + 1


def test_heads_are_legible_and_the_rest_is_hexadecimal() -> None:
    assert words.legible(b"HTTP/1.1 101 \r\nA: \x1b\xff\r\n\r\n\x81\x01a", 99) == (
        "HTTP/1.1 101 \nA: \\x1b\xff\n\n81 01 61"
    )
    assert words.legible(b"\x81\x01a" * 9, 4) == "81 01 61 81 ... (27 bytes)"


def test_frames_are_told_in_words() -> None:
    sends = (
        close(1002, "é\x1b"),
        close(),
        Frame(8, b"\x03", rsv1=True, fin=False),
        bytes(ping(b"a").masked(b"1234")) + b"\x81",
        text("y"),
    )
    case = replace(CASE, sends=sends, eof=True, extension="permessage-deflate")
    assert words.sent(case, Role.SERVER) == (
        "a handshake with permessage-deflate; Close 1002 c3 a9 1b; Close (empty); "
        'Close rsv1 without FIN 03; PING fin masked, 1 bytes "a"; 2 more; the end of TCP'
    )


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.255.0.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("169.254.0.1", False),
        ("fe80::1%lo", False),
        ("localhost", False),  # addresses are looked at, not names
    ],
)
def test_only_addresses_of_this_machine_are_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) == loopback


@pytest.mark.parametrize("url", ["ws://10.255.255.1/", "ws://0.0.0.0:1/", "wss://192.0.2.1/"])
def test_an_endpoint_elsewhere_is_refused(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fuzz", url]) == 2
    assert "is not on this machine; if you may test it, give --allow-remote" in (
        capsys.readouterr().err
    )
    with pytest.raises(ValueError, match="allow-remote"):
        run.refuse_remote(FuzzOptions(None, ("0.0.0.0", 0)))
    run.refuse_remote(FuzzOptions(parse_url(url), allow_remote=True))
    run.refuse_remote(FuzzOptions(parse_url("ws://localhost/")))


@pytest.mark.parametrize(
    ("text_", "parsed"),
    [
        ("9001", ("127.0.0.1", 9001)),
        (":9001", ("127.0.0.1", 9001)),
        ("localhost:0", ("localhost", 0)),
        ("[::1]:80", ("::1", 80)),
    ],
)
def test_where_to_listen_is_a_port_or_host_and_port(text_: str, parsed: tuple[str, int]) -> None:
    assert parse_listen(text_) == parsed


@pytest.mark.parametrize("text_", ["", "x", "1:x", "65536", "-1", "٣"])
def test_what_is_no_port_is_refused(text_: str) -> None:
    with pytest.raises(ValueError, match="is no port"):
        parse_listen(text_)


@pytest.mark.parametrize(
    ("arguments", "words_"),
    [
        ([], "needs the URL of a server, or --listen"),
        (["ws://127.0.0.1/", "--listen", "1"], "needs the URL of a server, or --listen"),
        (["http://127.0.0.1/"], "does not begin with ws://"),
        (["ws://127.0.0.1/", "--rate", "0"], "--rate"),
        (["ws://127.0.0.1/", "--connections", "0"], "--connections"),
        (["ws://127.0.0.1/", "--random", "-1"], "--random"),
        (["ws://127.0.0.1/", "--cut", "odd"], "--cut"),
    ],
)
def test_what_makes_no_sense_is_refused(
    arguments: list[str], words_: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["fuzz", *arguments])
    assert ended.value.code == 2
    assert words_ in capsys.readouterr().err


@pytest.mark.parametrize("name", ["frames/nothing", "nothing/", "frames", "responses/status-200"])
def test_a_case_that_does_not_exist_or_fit_is_refused(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fuzz", "ws://127.0.0.1:1/", "--case", name]) == 2
    assert name in capsys.readouterr().err


def test_all_cases_can_be_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fuzz", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[::2]] == [case.id for case in cases()]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_is_shown_on_a_terminal_and_nowhere_else(capsys: pytest.CaptureFixture[str]) -> None:
    for stream, shown in ((Terminal(), True), (io.StringIO(), False)):
        progress = Progress(4, stream)
        progress.step("here/one")
        progress.tell("a finding")
        progress.step("here/two")
        assert ("] 2/4, 0 found  here/two" in stream.getvalue()) == shown
        assert bool(stream.getvalue()) == shown
        assert capsys.readouterr().out == "a finding\n"
