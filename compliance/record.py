"""Run the Autobahn test suite as run.py does, and keep each case as data in ``tests/vectors``.

Cases that are run replace those in the file, the others stay. Exit status: that of run.py.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import run
from expectations import Verdict
from recording import Entry, Recording, answers, load, save, to_entry
from relay import Conversation, Relay
from wire import CLOSE, Frame, read, write

FILE = run.HERE.parent / "tests" / "vectors" / "autobahn.jsonl.xz"
NO_VERDICT = Verdict("", "")
#: Of each case, whole messages until there is more than this: hundreds of short ones, one long one.
BYTES_KEPT = 8192


class Recorder(run.Observer):
    """Stands between the suite and ws13."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._relay: Relay | None = None
        self._unnamed: dict[int, Recording] = {}
        self._errors: list[Exception] = []

    def through(self, direction: str, port: int) -> int:
        self._unnamed.clear()
        self._relay = Relay(port, lambda conversation: self._keep(direction, conversation))
        return self._relay.port

    def ended(self, direction: str, cases: list[str], reports: Path) -> None:
        """Give the recordings the names and the verdicts of the suite, and write them."""
        assert self._relay is not None
        self._relay.close()
        if self._errors:
            raise self._errors[0]
        entries = {(entry["case"], entry["role"]): entry for entry in load(self._file)}
        report = json.loads((reports / "index.json").read_text(encoding="utf-8"))[run.AGENT]
        for index, case in enumerate(cases):
            if case in report:
                entries[case, direction] = judged(self._unnamed[index], case, report[case])
        save(self._file, entries.values())
        size = self._file.stat().st_size
        print(f"{len(entries)} recordings in {self._file.name}, {size} bytes", flush=True)

    def _keep(self, direction: str, conversation: Conversation) -> None:
        try:
            index = case_index(direction, conversation)
            if index is not None:
                self._unnamed[index] = recorded(direction, conversation)
        except Exception as error:  # shown by the main thread, when the suite is through
            self._errors.append(error)


def case_index(direction: str, conversation: Conversation) -> int | None:
    """Which case it is, from 0: the fuzzing client takes one after the other, our client asks."""
    if direction == "server":
        return conversation.number
    target = bytes(conversation.from_client[:1000]).split()[1].decode()
    _, asks_for_case, query = target.partition("/runCase?case=")
    return int(query.partition("&")[0]) - 1 if asks_for_case else None


def recorded(role: str, conversation: Conversation) -> Recording:
    """Take the handshake off, the frames apart, and only as much as the file will hold."""
    offer, request = behind_head(conversation.from_client)
    accepted, response = behind_head(conversation.from_server)
    suite, ours = (request, response) if role == "server" else (response, request)
    frames, messages = first_frames(suite)
    echoed = first_messages(ours, sum(frame.ends_message for frame in frames))
    return Recording(
        case="",
        role=role,
        verdict=NO_VERDICT,
        close_code=None,
        offer=offer,
        accepted=accepted,
        messages=messages,
        frames=tuple(frames),
        answers=tuple(answers(echoed, accepted, role)),
    )


def behind_head(stream: bytearray) -> tuple[str | None, memoryview]:
    """Return the field Sec-WebSocket-Extensions of a head, and what stands behind the head."""
    end = stream.index(b"\r\n\r\n")
    extensions = None
    for line in stream[:end].decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() == "sec-websocket-extensions":
            extensions = value.strip()
    return extensions, memoryview(stream)[end + 4 :]


def first_frames(stream: memoryview) -> tuple[list[Frame], int]:
    """Return what is kept of a stream, its first messages and how it ends; how many it has."""
    frames: list[Frame] = []
    messages = size = 0
    gap: int | None = None  # how many frames stand before what is left out
    for frame in read(stream):
        if gap is None or frame.opcode >= CLOSE:
            if not frames or frames[-1] != frame:  # what is repeated takes no room
                size += len(frame.payload)
            frames.append(frame)
        messages += frame.ends_message
        if gap is None and frame.ends_message and size > BYTES_KEPT:
            gap = len(frames)
    made_again = write(frames[:gap])
    if stream[: len(made_again)] != made_again:
        raise ValueError("the bytes of the suite cannot be made again from its frames")
    return frames, messages


def first_messages(stream: memoryview, count: int) -> list[Frame]:
    """Return so many messages, and the control frames."""
    frames: list[Frame] = []
    messages = 0
    for frame in read(stream):
        if messages < count or frame.opcode >= CLOSE:
            frames.append(frame)
        messages += frame.ends_message
    return frames


def judged(recording: Recording, case: str, report: Entry) -> Entry:
    """Add what the suite says of it."""
    verdict = Verdict(report["behavior"], report["behaviorClose"])
    close_code = report["remoteCloseCode"]
    return to_entry(replace(recording, case=case, verdict=verdict, close_code=close_code))


def main() -> int:
    parser = run.parser()
    parser.description = "Run the Autobahn test suite against ws13, and record it."
    parser.add_argument("--file", type=Path, default=FILE, help="default: %(default)s")
    options = parser.parse_args()
    return run.run(options, Recorder(options.file))


if __name__ == "__main__":
    run.end_on_sigterm()
    sys.exit(main())
