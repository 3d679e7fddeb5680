"""Sends the steps of one sequence to one side, and says what came back.

An answer's end is known by its framing, told by our own sans-I/O reader; then the side is asked once for its log,
which also makes its loop turn, and what arrived meanwhile (a close, surplus bytes) is read. Only where framing cannot
tell, after raw bytes and broken answers, the side is asked again until it has nothing more to say. Nothing here
sleeps.
"""

from __future__ import annotations

import selectors
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field

from tornado4._wire.http1 import END, NEED_DATA, Head, ResponseReader
from tornado4._wire.websocket import CLOSE, PING, PONG, encode_frame
from tornado4.httputil import HTTPInputError, ResponseStartLine
from tornado4.migrate.diff.cookies import CookieJar
from tornado4.migrate.diff.frames import FrameSplitter
from tornado4.migrate.diff.message import responses
from tornado4.migrate.diff.model import Answer, Frame, LogRecord, Send, Step
from tornado4.migrate.diff.served import Gone, Served

_PIECE = 1 << 20
#: For one descriptor, of whatever number; Windows has no poll, and no such limit.
_Selector: type[selectors.BaseSelector] = getattr(selectors, "PollSelector", selectors.SelectSelector)
# Asked for its log so many times in a row, a side that still sends is one that never stops.
_MOST_ROUNDS = 1000


class _NoAnswer(Exception):
    """The side kept its connection open, and did not say what was waited for in time."""


class _Link:
    """A connection: everything received is kept in ``received`` until it is taken."""

    def __init__(self, port: int, seconds: float) -> None:
        self.received = bytearray()
        self.closed = False
        self.deadline = 0.0
        self._sock = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock.setblocking(False)

    def send(self, data: bytes) -> None:
        """Send all of it, reading meanwhile: a side that waits for its answer to be read must not stop us."""
        rest = memoryview(data)
        while rest and not self.closed:
            try:
                rest = rest[self._sock.send(rest) :]
            except BlockingIOError:
                self._wait(writing=True)
                self.poll()
            except OSError:  # it has closed: what it said before can still be read
                self.poll()
                return

    def receive(self) -> bytes:
        """The next piece; nothing when the side has closed. :raises _NoAnswer: nothing came until the deadline."""
        while not self.closed:
            before = len(self.received)
            if self.poll():
                return bytes(self.received[before:])
            if not self.closed:
                self._wait(writing=False)
        return b""

    def poll(self) -> bool:
        """Take what has arrived; True when that was something."""
        before = len(self.received)
        while not self.closed:
            try:
                piece = self._sock.recv(_PIECE)
            except BlockingIOError:
                break
            except OSError:
                piece = b""
            self.received += piece
            self.closed = not piece
        return len(self.received) > before

    def close(self) -> None:
        self._sock.close()

    def _wait(self, writing: bool) -> None:
        left = self.deadline - time.monotonic()
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if writing else 0)
        with _Selector() as selector:
            selector.register(self._sock, events)
            if left <= 0 or not selector.select(left):
                raise _NoAnswer


@dataclass
class _Collected:
    """An answer in the making."""

    log: list[LogRecord] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    raw: bytes = b""
    sent: bytes = b""
    closed: bool = False
    failure: str = ""


class Client:
    """One browser or one connection, on one side.

    :arg seconds: the most that an answer may take, and a turn of the side's loop.
    """

    def __init__(self, side: Served, keep_cookies: bool = True, seconds: float = 10.0) -> None:
        self.side, self.seconds = side, seconds
        self.gone = False  # the side must be started again
        self._jar = CookieJar() if keep_cookies else None
        self._link: _Link | None = None
        self._splitter: FrameSplitter | None = None
        self._close_sent = False  # on this WebSocket
        # Frames beyond those that a step waits for belong to the next one, or chance would decide.
        self._surplus: list[Frame] = []

    def perform(self, step: Step, last: bool = False) -> Answer:
        """Send a step, and wait for all of its answer.

        ``last``: close the connection behind it, so that what the side logs about that belongs to this step, and
        every frame that has come.
        """
        started = time.perf_counter()
        answer = _Collected()
        try:
            self._exchange(step, answer)
            if last:
                self._end(answer)
                answer.log += self.side.log(self.seconds)
        except Gone as error:
            self.gone = True
            answer.log += error.log
            answer.failure = str(error)
            self.disconnect()
        return Answer(
            answer.raw,
            answer.closed,
            tuple(answer.log),
            tuple(answer.frames),
            answer.failure,
            time.perf_counter() - started,
            answer.sent,
            self.side.port,
        )

    def disconnect(self) -> None:
        """Close the connection; cookies stay."""
        link, self._link, self._splitter = self._link, None, None
        self._close_sent = False
        self._surplus = []
        if link is not None:
            link.close()

    def _end(self, answer: _Collected) -> None:
        """Close the connection; a side that sent a close frame ends it first, or chance would decide who does."""
        if self._link is not None and any(frame.opcode == CLOSE for frame in [*answer.frames, *self._surplus]):
            with suppress(_NoAnswer):  # it leaves the connection to us, which the answer tells
                while self._link.receive():
                    continue  # nothing counts behind a close (RFC 6455, 5.5.1)
            answer.closed = self._link.closed
        answer.frames += self._surplus
        self.disconnect()

    def _exchange(self, step: Step, answer: _Collected) -> None:
        if step.frames and self._splitter is None:
            answer.failure = "there is no WebSocket to send frames on"
            answer.log += self.side.log(self.seconds)
            return
        if self._link is not None and not step.frames and (step.new_connection or self._splitter is not None):
            self.disconnect()
            answer.log += self.side.log(self.seconds)  # what it says to that comes before all else, on every side
        try:
            link = self._link or self._connect()
            link.deadline = time.monotonic() + self.seconds
            self._send_and_wait(step, link, answer)
        except _NoAnswer:
            answer.failure = f"no answer within {self.seconds:g} s"
        except OSError as error:
            answer.failure = f"no connection: {error.strerror or error}"
        answer.log += self.side.log(self.seconds)
        if self._link is not None:
            self._settle(step, self._link, answer)

    def _connect(self) -> _Link:
        self._link = _Link(self.side.port, self.seconds)
        return self._link

    def _send_and_wait(self, step: Step, link: _Link, answer: _Collected) -> None:
        if step.frames:
            self._send_frames(step.send, link, answer)
            self._await_frames(step, link, answer, bytes(link.received))
            return
        data = b"".join(send.data for send in step.send)
        answer.sent = self._jar.personalise(data) if self._jar is not None and not step.raw else data
        link.send(answer.sent)
        if step.raw:
            self._until_silent(link, answer)
        else:
            self._await_response(data[: data.find(b" ")].decode("latin1"), link, answer)
            self._learn(step, link, answer)

    # -- HTTP

    def _await_response(self, method: str, link: _Link, answer: _Collected) -> None:
        end = _ResponseEnd(method)
        try:
            # What came while the request was being sent, then piece by piece.
            over = bool(link.received) and end.feed(bytes(link.received))
            while not over and (piece := link.receive()):
                over = end.feed(piece)
        except HTTPInputError:  # not what the standard allows; then silence has to tell
            self._until_silent(link, answer)

    def _until_silent(self, link: _Link, answer: _Collected) -> None:
        for _ in range(_MOST_ROUNDS):
            answer.log += self.side.log(self.seconds)
            if not link.poll() or link.closed:
                return
        raise _NoAnswer

    # -- WebSocket

    def _send_frames(self, sends: tuple[Send, ...], link: _Link, answer: _Collected) -> None:
        # Raw bytes may be a close as well: then the side's own is not answered, which a second one would be.
        self._close_sent = self._close_sent or any(send.opcode in (None, CLOSE) for send in sends)
        answer.sent = b"".join(map(_on_the_wire, sends))
        link.send(answer.sent)

    def _await_frames(self, step: Step, link: _Link, answer: _Collected, piece: bytes) -> None:
        """``piece``: what came already, behind a handshake or while sending."""
        assert self._splitter is not None
        self._take_frames(piece, link)
        while not self._came(step, answer.frames):
            if self._surplus:
                answer.frames.append(self._surplus.pop(0))
                continue
            if link.closed:
                return
            try:
                self._take_frames(link.receive(), link)
            except _NoAnswer:
                waited = "the close" if step.expect_close else f"frame {len(answer.frames) + 1}"
                answer.failure = f"{waited} did not come within {self.seconds:g} s"
                return

    def _take_frames(self, piece: bytes, link: _Link) -> None:
        """Keep the frames of a piece; answer pings, and the first close unless ours went before (RFC 6455, 5.5)."""
        assert self._splitter is not None
        for frame in self._splitter.feed(piece):
            self._surplus.append(frame)
            if frame.opcode == PING:
                link.send(encode_frame(True, PONG, frame.payload, mask=True))
            elif frame.opcode == CLOSE and not self._close_sent:
                self._close_sent = True
                link.send(encode_frame(True, CLOSE, frame.payload[:2], mask=True))

    @staticmethod
    def _came(step: Step, frames: list[Frame]) -> bool:
        """Whether all that the step waits for is there; a close is not told by frames."""
        payload = step.expect_payload
        wanted = payload is None or any(frame.payload == payload for frame in frames)
        return wanted and len(frames) >= step.expect_frames and not step.expect_close

    # -- Behind the answer

    def _settle(self, step: Step, link: _Link, answer: _Collected) -> None:
        """Its loop has turned: read what came meanwhile, and see whether the connection lives on."""
        seen = len(link.received)
        link.poll()
        answer.raw, answer.closed = bytes(link.received), link.closed
        link.received.clear()
        if self._splitter is not None:
            self._take_frames(answer.raw[seen:], link)
            if link.closed:
                answer.frames += self._surplus
        if link.closed or answer.failure or step.raw:
            self.disconnect()
        if answer.failure and not step.raw:
            # What the side still does for this request must not be taken for the next one's.
            answer.log += self.side.log(self.seconds)

    def _learn(self, step: Step, link: _Link, answer: _Collected) -> None:
        """Take the cookies; after a 101, wait for the frames that the step wants."""
        found, rest = responses(bytes(link.received))
        for response in found:
            if self._jar is not None:
                self._jar.learn(response)
            if response.status == 101:
                self._splitter = FrameSplitter(response)
                self._await_frames(step, link, answer, rest)


def _on_the_wire(send: Send) -> bytes:
    return send.data if send.opcode is None else encode_frame(True, send.opcode, send.data, mask=True)


class _ResponseEnd:
    """Knows when the final response to a request, or a 101, is complete (1xx go before it: RFC 9110, 15.2)."""

    def __init__(self, method: str) -> None:
        self._method, self._code = method, 0
        self._reader = ResponseReader()
        self._reader.expect(method)

    def feed(self, data: bytes) -> bool:
        """Take what has arrived; True once all is there. :raises HTTPInputError: it is not what the standard allows."""
        self._reader.feed(data)
        while (event := self._reader.next_event()) is not NEED_DATA:
            if isinstance(event, Head):
                assert isinstance(event.start_line, ResponseStartLine)
                self._code = event.start_line.code
            elif event is END:
                if self._code == 101 or self._code >= 200:
                    return True
                self._reader.expect(self._method)
        return False
