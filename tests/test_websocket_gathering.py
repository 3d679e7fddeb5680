"""Answers to messages that came in one read leave in one write; nobody but the kernel can tell."""

from __future__ import annotations

from typing import Any

import pytest
from test_websocket import Recorder, Server, frame, serve

from tornado4 import gen, websocket
from tornado4._wire.websocket import encode_frame
from tornado4.iostream import IOStream
from tornado4.websocket import protocol

SIXTEEN = b"".join(frame(2, b"%02d" % n) for n in range(16))
ANSWERS = b"".join(encode_frame(True, 2, b"%02d" % n) for n in range(16))
BYE = frame(8)
BYE_TOO = encode_frame(True, 8, b"")


@pytest.fixture(autouse=True)
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is, no time passes between two messages."""
    monkeypatch.setattr(protocol, "monotonic", lambda: 0.0)


class Echo(Recorder):
    """Notes what its stream hands to the kernel."""

    sent: list[bytes]

    def open(self, *args: Any, **kwargs: Any) -> None:
        self.sent = []
        to_kernel = self.stream.write_to_fd

        def write_to_fd(data: memoryview) -> int:
            count: int = to_kernel(data)
            self.sent.append(bytes(data[:count]))
            return count

        self.stream.write_to_fd = write_to_fd

    def on_message(self, message: Any) -> Any:
        self.write_message(message, binary=True)


def sent() -> list[bytes]:
    last: Any = Recorder.last
    found: list[bytes] = last.sent
    return found


def talk(server: Server, data: bytes) -> bytes:
    return server.talk(data)[0]


def test_sixteen_answers_and_the_close_leave_in_one_write() -> None:
    with serve(Echo) as server:
        assert talk(server, SIXTEEN + BYE) == ANSWERS + BYE_TOO
        assert sent() == [ANSWERS + BYE_TOO]


def test_a_message_that_came_alone_is_answered_at_once() -> None:
    class AtOnce(Echo):
        def on_message(self, message: Any) -> Any:
            self.write_message(message, binary=True)
            self.log.append(list(self.sent))

    with serve(AtOnce) as server:
        server.talk(frame(2, b"x"), until=[encode_frame(True, 2, b"x")])


def test_its_future_is_done_as_it_is_in_453() -> None:
    class Asks(Echo):
        def on_message(self, message: Any) -> Any:
            future = self.write_message(message, binary=True)
            assert future is not None
            self.log.append(future.done())

    with serve(Asks) as server:
        assert talk(server, SIXTEEN + BYE) == ANSWERS + BYE_TOO
        assert server.log[:16] == [True] * 16


@pytest.mark.parametrize("end", ["close the stream", "raise", "abort"])
def test_answers_given_before_the_end_still_go_out(end: str, caplog: Any) -> None:
    class Ends(Echo):
        def on_message(self, message: Any) -> Any:
            if message != b"05":
                self.write_message(message, binary=True)
            elif end == "close the stream":
                self.stream.close()
            elif end == "abort":
                self.ws_connection._abort()
            else:
                raise ZeroDivisionError

    with serve(Ends) as server:
        assert talk(server, SIXTEEN) == ANSWERS[: 5 * 4]


def test_what_breaks_the_protocol_ends_the_connection_after_the_answers() -> None:
    with serve(Echo) as server:
        assert talk(server, SIXTEEN + b"\xf2\x80abcd") == ANSWERS


def test_what_is_written_past_the_protocol_keeps_its_place() -> None:
    class Past(Echo):
        def on_message(self, message: Any) -> Any:
            self.write_message(message, binary=True)
            if message == b"03":
                self.stream.write(b"RAW")

    with serve(Past) as server:
        assert talk(server, SIXTEEN + BYE) == ANSWERS[:16] + b"RAW" + ANSWERS[16:] + BYE_TOO
        assert sent() == [ANSWERS[:16] + b"RAW", ANSWERS[16:] + BYE_TOO]


def test_pings_are_answered_in_their_place() -> None:
    with serve(Echo) as server:
        wanted = ANSWERS + encode_frame(True, 10, b"p") + ANSWERS + BYE_TOO
        assert talk(server, SIXTEEN + frame(9, b"p") + SIXTEEN + BYE) == wanted
        assert sent() == [wanted]


def test_a_slow_handler_keeps_no_answer_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that gains a second whenever it is asked."""
    clock = iter(range(10_000))
    monkeypatch.setattr(protocol, "monotonic", lambda: next(clock))
    with serve(Echo) as server:
        assert talk(server, SIXTEEN + BYE) == ANSWERS + BYE_TOO
        assert sent() == [*(ANSWERS[at : at + 4] for at in range(0, 64, 4)), BYE_TOO]


def test_much_of_it_leaves_in_between() -> None:
    class Long(Echo):
        def on_message(self, message: Any) -> Any:
            self.write_message(message * 10_000, binary=True)

    with serve(Long) as server:
        wanted = b"".join(encode_frame(True, 2, b"%02d" % n * 10_000) for n in range(16))
        assert talk(server, SIXTEEN + BYE) == wanted + BYE_TOO
        assert 5 <= len(sent()) < 16


def test_a_limited_write_buffer_is_not_filled_by_it() -> None:
    class Limited(Echo):
        def open(self, *args: Any, **kwargs: Any) -> None:
            super().open(*args, **kwargs)
            self.stream.max_write_buffer_size = 4

    with serve(Limited) as server:
        assert talk(server, SIXTEEN + BYE) == ANSWERS + BYE_TOO


def test_a_waiting_handler_gets_its_answer_out_before_the_next_message() -> None:
    class Waits(Echo):
        @gen.coroutine
        def on_message(self, message: Any) -> Any:
            self.write_message(message, binary=True)
            yield gen.moment

    with serve(Waits) as server:
        assert talk(server, SIXTEEN + BYE) == ANSWERS + BYE_TOO
        assert sent() == [*(ANSWERS[at : at + 4] for at in range(0, 64, 4)), BYE_TOO]


def test_a_client_with_a_callback_gathers_as_well() -> None:
    """The server sends sixteen messages in one write; the client answers each, masked."""

    class Sends(Echo):
        def open(self, *args: Any, **kwargs: Any) -> None:
            super().open(*args, **kwargs)
            self.stream.write(ANSWERS)

        def on_message(self, message: Any) -> Any:
            self.log.append(message)

    with serve(Sends) as server:
        counts: list[int] = []

        @gen.coroutine
        def go() -> Any:
            def answer(message: Any) -> None:
                if message is not None:
                    connections[0].write_message(message, binary=True)

            url = f"ws://127.0.0.1:{server.port}/ws"
            connections = [(yield websocket.websocket_connect(url, on_message_callback=answer))]
            stream: IOStream = connections[0].stream
            to_kernel = stream.write_to_fd

            def write_to_fd(data: memoryview) -> int:
                counts.append(len(data))
                return to_kernel(data)

            stream.write_to_fd = write_to_fd  # type: ignore[method-assign]
            while len(server.log) < 16:
                yield gen.sleep(0.001)
            stream.close()

        server.run(go)
        assert server.log[:16] == [b"%02d" % n for n in range(16)]
        assert counts == [16 * (2 + 4 + 2)]


def test_large_messages_come_in_one_read_once_one_has_come_and_nothing_of_them_is_held() -> None:
    class Large(Echo):
        def open(self, *args: Any, **kwargs: Any) -> None:
            self.protocol = self.ws_connection

        def on_message(self, message: Any) -> Any:
            self.log.append(len(message))

    with serve(Large) as server:
        whole = frame(2, b"x" * 65_536)
        server.talk(whole, until=65_536)
        last: Any = Recorder.last
        assert last.protocol.stream._ask == len(whole) + 1
        assert last.protocol._reader._buffer == b""
