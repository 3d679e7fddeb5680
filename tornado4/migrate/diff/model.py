"""What a comparison is made of: the requests, the answers, the findings, the run. Plain values, no I/O.

    traffic    reads recorded requests into `Step` lists, one `Sequence` a connection or browser session
    sides      sends them, and gives an `Answer` a step
    compare    turns the answers to one step into a `Verdict`
    report     shows a `Run`: on the terminal, as JSON, JUnit XML or HTML

Every value here can be written as JSON and read back (`to_json`, `from_json` in ``report``).
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field


class Kind(enum.Enum):
    """What sort of thing differs; the value is its name in reports and in rules."""

    STATUS = "status"
    REASON = "reason"
    HEADER = "header"
    HEADER_ORDER = "header order"
    HEADER_CASE = "header case"
    BODY = "body"
    FRAMING = "framing"
    CONNECTION = "connection"
    LOG = "log"
    EXCEPTION = "exception"
    WEBSOCKET_FRAME = "websocket frame"
    CLOSE_CODE = "close code"
    FAILURE = "failure"  # a side crashed, hung or did not answer


@dataclass(frozen=True)
class Send:
    """Bytes for the connection; for a WebSocket transcript, one frame as (opcode, payload) instead."""

    data: bytes
    opcode: int | None = None  # None: raw bytes; 1 text, 2 binary, 8 close, 9 ping, 10 pong


@dataclass(frozen=True)
class Step:
    """One request, or one exchange of frames, and where it came from."""

    name: str  # "GET /items?page=2", for people
    send: tuple[Send, ...]
    origin: str = ""  # "session.har, entry 12"
    new_connection: bool = False  # do not reuse the sequence's connection
    unsafe: bool = False  # a method other than GET, HEAD, OPTIONS, TRACE
    websocket: bool = False
    raw: bool = False  # bytes as they are, perhaps several requests, perhaps none: read until the side is silent
    expect_frames: int = 0  # how many frames to wait for (a WebSocket transcript says so)
    expect_payload: bytes | None = None  # wait until a frame with this payload has come
    expect_close: bool = False  # wait until the side has closed the connection

    @property
    def frames(self) -> bool:
        """Frames on the WebSocket that an earlier step of the sequence opened (a handshake opens its connection)."""
        return self.websocket and not self.new_connection


@dataclass(frozen=True)
class Sequence:
    """Steps in order which share cookies and, while it stays open, a connection."""

    name: str
    steps: tuple[Step, ...]
    keep_cookies: bool = True  # send the Set-Cookie of each side back to that side
    until_failure: bool = False  # a side that failed once is not sent the rest: a made-up route that hangs


@dataclass(frozen=True)
class LogRecord:
    """One record of the tornado loggers (or any other) that a step caused."""

    logger: str
    level: str
    message: str
    exception: str = ""  # "ZeroDivisionError: division by zero", or nothing


@dataclass(frozen=True)
class Frame:
    """A WebSocket frame as received; ``close_code`` for opcode 8."""

    opcode: int
    payload: bytes
    compressed: bool = False
    close_code: int | None = None


@dataclass(frozen=True)
class Answer:
    """What one side did in answer to a step."""

    raw: bytes  # as on the wire
    closed: bool  # the side closed the connection
    log: tuple[LogRecord, ...] = ()
    frames: tuple[Frame, ...] = ()
    failure: str = ""  # "crashed with exit code 1", "no answer within 10 s", ... ; empty: none
    seconds: float = 0.0
    sent: bytes = b""  # what this side was really sent: its own cookies, its own XSRF token
    port: int = 0  # where this side listens; its number in an answer is no difference


@dataclass(frozen=True)
class Difference:
    """One point in which two answers differ."""

    kind: Kind
    where: str  # a header's name, a JSON path, a line number, a logger
    old: str
    new: str
    rule: str = ""  # the rule by which it is ignored, or the id of a deviation; empty: it counts
    explained: str = ""  # the rule of the way to Tornado 6 that explains it; it counts all the same


class Outcome(enum.Enum):
    """A step's four possible ends; never mixed."""

    SAME = "same"
    IGNORED = "differs but ignored"
    DIFFERENT = "different"
    UNTESTED = "untested"  # it failed alike on both sides: nothing was compared that was meant to be


@dataclass(frozen=True)
class Verdict:
    """One step, answered by each side, and how the answers compare."""

    number: int  # 1 is the run's first step
    sequence: str
    step: Step
    answers: dict[str, Answer]  # by side name: "4.5.3", "4.5.3 again", "tornado4"
    differences: tuple[Difference, ...] = ()

    @property
    def outcome(self) -> Outcome:
        if any(not d.rule for d in self.differences):
            return Outcome.DIFFERENT
        if self.untested:
            return Outcome.UNTESTED
        return Outcome.IGNORED if self.differences else Outcome.SAME

    @property
    def untested(self) -> str:
        """Why this step says nothing about what it was made for; empty: it does."""
        failure = next((answer.failure for answer in self.answers.values() if answer.failure), "")
        opens = self.step.websocket and not self.step.frames
        if not failure and opens and self.answers and not any(map(_upgraded, self.answers.values())):
            return "the WebSocket did not open"
        return failure

    @property
    def status(self) -> str:
        """The final status of the old side's answer and of the new one's: ``200``, ``403 -> 200``; empty: none."""
        answers = list(self.answers.values())
        codes = [_final_status(answer.raw) for answer in answers[:1] + answers[-1:]]
        return " -> ".join(code or "none" for code in dict.fromkeys(codes)) if any(codes) else ""


_STATUS_LINE = re.compile(rb"HTTP/1\.\d (\d{3})")


def _final_status(raw: bytes) -> str:
    """Of the first response that is none in between."""
    while (line := _STATUS_LINE.match(raw)) and line[1].startswith(b"1") and line[1] != b"101":
        raw = raw.partition(b"\r\n\r\n")[2]
    return line[1].decode("ascii") if line else ""


def _upgraded(answer: Answer) -> bool:
    return _final_status(answer.raw) == "101"


@dataclass
class Run:
    """A whole comparison."""

    app: str
    old: str  # "tornado 4.5.3 on Python 3.9.18"
    new: str  # "tornado4 4.5.3.1 on Python 3.13.0"
    sides: list[str] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    rules: dict[str, str] = field(default_factory=dict)  # rule or deviation id -> what it means
    seconds: float = 0.0
    skipped: int = 0  # steps with unsafe methods, without --unsafe
    notes: list[str] = field(default_factory=list)  # "session.har: 12 entries of other hosts were left out", restarts
    redacted: bool = False  # secrets were replaced by hashes: its requests cannot be sent again
    slower: float = 0.0  # steps that take so many times longer on the new side are listed; 0: none

    def count(self, outcome: Outcome) -> int:
        """How many steps ended so."""
        return sum(verdict.outcome is outcome for verdict in self.verdicts)
