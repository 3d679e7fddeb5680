# ruff: noqa: F811  (fixtures are arguments)
"""Streams over real descriptors. `check_iostream` proves what every kind of stream has to do."""

from __future__ import annotations

import collections
import errno
import gc
import logging
import socket
import ssl
import time
from contextlib import suppress

import pytest
from stream_pairs import (  # noqa: F401  (some are fixtures)
    MB,
    certificate,
    closing_all,
    loop,
    pipe_pair,
    plain_pair,
    run_until,
    socket_pair,
    tls_pair,
    turn,
    wait,
)

from tornado4 import gen, stack_context
from tornado4.ioloop import IOLoop
from tornado4.iostream import (
    BaseIOStream,
    IOStream,
    SSLIOStream,
    StreamBufferFullError,
    StreamClosedError,
    UnsatisfiableReadError,
)
from tornado4.netutil import add_accept_handler, ssl_wrap_socket


@pytest.fixture(params=[plain_pair, tls_pair, pipe_pair], ids=["plain", "tls", "pipe"])
def pair(request, loop, certificate):
    left, right = request.param(loop, certificate)
    with closing_all(left, right):
        yield left, right


# -- what every kind of stream does ------------------------------------------------------------------


def test_every_kind_of_stream_passes_the_checker(loop, pair):
    check_iostream(loop, *pair)


def check_iostream(loop, left, right):
    """One conversation that touches every read and write. Ends with ``left`` closed by the other side."""
    # Futures, in each way of reading, with more in the buffer than is asked for.
    right.write(b"line\r\nword 1234partial")
    assert wait(loop, left.read_until(b"\r\n")) == b"line\r\n"
    assert wait(loop, left.read_until_regex(rb"\s")) == b"word "
    assert wait(loop, left.read_bytes(4)) == b"1234"
    assert wait(loop, left.read_bytes(100, partial=True)) == b"partial"
    assert wait(loop, left.read_bytes(0)) == b""

    # Callbacks run from the loop, never from within the call.
    got = []
    right.write(b"now", callback=lambda: got.append("written"))
    left.read_bytes(3, callback=got.append)
    assert got == []
    run_until(loop, lambda: len(got) == 2)
    assert set(got) == {"written", b"now"}

    # Streamed pieces, then an empty result; what is beyond the count stays.
    pieces, final = [], []
    left.read_bytes(6, callback=final.append, streaming_callback=pieces.append)
    right.write(b"1234")
    run_until(loop, lambda: pieces)
    right.write(b"5678")
    run_until(loop, lambda: final)
    assert (b"".join(pieces), final) == (b"123456", [b""])
    assert wait(loop, left.read_bytes(2)) == b"78"

    # More than any kernel buffer holds, both directions at once.
    body = bytes(range(256)) * (4 * MB // 256)
    sent = [right.write(body), left.write(body)]
    there, back = left.read_bytes(len(body)), right.read_bytes(len(body))
    assert wait(loop, there) == body and wait(loop, back) == body
    assert [wait(loop, future) for future in sent] == [None, None]
    assert not left.writing() and not right.writing()

    # A pending read is the only one.
    pending = left.read_until(b"never")
    with pytest.raises(AssertionError, match="Already reading"):
        left.read_bytes(1)
    right.write(b"never")
    assert wait(loop, pending) == b"never"

    # The end: what was written before it is read first, then reads fail, then the close callback runs.
    closed = []
    left.set_close_callback(lambda: closed.append(left.closed()))
    right.write(b"last")
    rest = left.read_until_close()
    turn(loop)
    right.close()
    assert wait(loop, rest) == b"last"
    run_until(loop, lambda: closed)
    assert closed == [True]
    for _ in range(2):
        with pytest.raises(StreamClosedError):
            left.read_bytes(1)


def test_a_large_body_arrives_in_linear_time(loop, pair):
    left, right = pair

    def seconds(size):
        body = b"x" * size
        begun = time.process_time()
        right.write(body)
        assert len(wait(loop, left.read_bytes(size))) == size
        return time.process_time() - begun

    seconds(MB)
    small, large = seconds(4 * MB), seconds(32 * MB)
    assert large < 8 * small * 4 + 0.5  # eight times the bytes; quadratic would be sixty-four times the time


def test_small_reads_do_not_fill_a_small_buffer(loop, certificate):
    left, right = socket_pair(loop, max_buffer_size=10 * 1024)
    with closing_all(left, right):
        right.write(b"a" * 1024 * 100)
        for _ in range(100):
            assert wait(loop, left.read_bytes(1024)) == b"a" * 1024


def test_writes_resolve_in_order(loop, pair):
    left, right = pair
    order = []
    for i in range(20):
        right.write(b"x" * 100_000).add_done_callback(lambda f, i=i: order.append(i))
    assert len(wait(loop, left.read_bytes(2_000_000))) == 2_000_000
    run_until(loop, lambda: len(order) == 20)
    assert order == list(range(20))


def test_a_streamed_read_until_close_hands_on_pieces_and_ends_empty(loop, pair):
    left, right = pair
    pieces, final = [], []
    left.read_until_close(callback=final.append, streaming_callback=pieces.append)
    right.write(b"1234")
    run_until(loop, lambda: pieces)
    right.close()
    run_until(loop, lambda: final)
    assert (pieces, final) == ([b"1234"], [b""])


# -- reading ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("read", ["read_until_close", "read_bytes"])
def test_a_peer_that_sends_without_end_lets_others_have_their_turn(loop, read):
    """As quick as we read, that is: in 4.5.3 nobody else ran, and the pieces filled the memory."""
    a, b = (IOStream(end, io_loop=loop) for end in socket.socketpair())
    with closing_all(a, b):
        left = [1000]

        def endless():
            left[0] -= 1
            assert left[0], "nobody else had a turn"
            return b"x" * 65536

        pieces = []
        a.read_from_fd = endless
        arguments = () if read == "read_until_close" else (1 << 40,)
        getattr(a, read)(*arguments, streaming_callback=pieces.append)
        for _ in range(3):
            before = left[0]
            turn(loop)
            # A MiB each time, with what was read before delivered.
            assert 0 < before - left[0] <= 32
            assert pieces
        assert not a.closed()


def test_a_reader_that_never_has_to_wait_lets_others_have_their_turn(loop):
    """A coroutine in 4.5.3 kept everybody waiting for as long as there was something to read."""
    a, b = (IOStream(end, io_loop=loop) for end in socket.socketpair())
    with closing_all(a, b):
        reads = []

        @gen.coroutine
        def read():
            while True:
                reads.append((yield a.read_bytes(2)))

        a.read_from_fd = lambda: b"xy" * 1000
        future = read()
        before = 0
        for _ in range(10):
            assert len(reads) - before <= 257
            before = len(reads)
            assert a._read_buffer_size <= 2000  # and nothing was read ahead meanwhile
            turn(loop)
        assert before > 1000
        del a.read_from_fd
        b.write(b"z")
        b.close()
        run_until(loop, future.done)
        # What had been read is handed on before the end is told.
        assert len(reads) % 1000 == 0 and type(future.exception()) is StreamClosedError


@pytest.mark.parametrize("wrong", ["full", "unsatisfiable", "end"])
def test_errors_of_a_read_that_waits_its_turn_go_into_its_future(loop, wrong):
    x, y = socket.socketpair()
    a, b = IOStream(x, io_loop=loop, max_buffer_size=1000), IOStream(y, io_loop=loop)
    with closing_all(a, b):
        a._reads_at_once = 10_000
        b.write(b"x" * (10 if wrong == "end" else 2000))
        if wrong == "end":
            b.close()
        future = a.read_until(b"\n", max_bytes=100 if wrong == "unsatisfiable" else None)
        assert not future.done()
        run_until(loop, future.done)
        kind = {"full": StreamBufferFullError, "unsatisfiable": StreamClosedError, "end": StreamClosedError}
        assert type(future.exception()) is kind[wrong]
        assert a.closed()


def test_a_read_that_can_be_satisfied_is_done_on_return(loop):
    left, right = socket_pair(loop)
    with closing_all(left, right):
        right.write(b"hello world")
        future = left.read_until(b" ")
        assert future.done() and future.result() == b"hello "
        assert left._read_buffer[left._read_buffer_pos :] == b"world"
        assert left._read_buffer_size == 5


@pytest.mark.parametrize("inline", [True, False])
def test_an_unsatisfiable_read_closes_with_one_line_at_level_info(loop, caplog, inline):
    """As in 4.5.3, whether it is found out at once or later."""
    caplog.set_level(logging.INFO, "tornado.general")
    left, right = socket_pair(loop)
    with closing_all(left, right):
        if inline:
            right.write(b"123456")
        future = left.read_until(b"def", max_bytes=5)
        if not inline:
            right.write(b"123456")
        with pytest.raises(StreamClosedError) as caught:
            wait(loop, future)
        assert isinstance(caught.value.real_error, UnsatisfiableReadError)
        assert left.error is caught.value.real_error
        assert [(r.name, r.levelname, r.getMessage()) for r in caplog.records] == [
            (
                "tornado.general",
                "INFO",
                "Unsatisfiable read, closing connection: delimiter b'def' not found within 5 bytes",
            )
        ]


def test_a_full_read_buffer_raises_inline_and_still_runs_the_close_callback(loop, caplog):
    left, right = socket_pair(loop, max_buffer_size=4)
    closed = []
    with closing_all(left, right):
        left.set_close_callback(lambda: closed.append(1))
        right.write(b"123456")
        with pytest.raises(StreamBufferFullError, match=r"^Reached maximum read buffer size$"):
            left.read_until(b"x")
        run_until(loop, lambda: closed)
        assert left.error is None
    assert [r.getMessage() for r in caplog.records] == ["Reached maximum read buffer size"]


def test_a_full_read_buffer_found_in_an_event_fails_the_read(loop, caplog):
    left, right = socket_pair(loop, max_buffer_size=4)
    with closing_all(left, right):
        future = left.read_until(b"x")
        right.write(b"123456")
        with pytest.raises(StreamClosedError):
            wait(loop, future)
    assert [r.getMessage() for r in caplog.records] == [
        "Reached maximum read buffer size",
        "error on read: Reached maximum read buffer size",
    ]


def test_an_error_of_an_inline_read_is_raised(loop):
    class Broken(IOStream):
        def read_from_fd(self):
            raise OSError(errno.EBADF, "broken")

    left, right = socket.socketpair()
    stream = Broken(left, io_loop=loop)
    with closing_all(stream, right):
        with pytest.raises(OSError, match="broken"):
            stream.read_bytes(1, callback=lambda data: None)
        assert stream.closed() and stream.error.errno == errno.EBADF


def test_a_reset_is_no_log_line_but_the_real_error(loop, caplog):
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    peer, _ = listener.accept()
    stream = IOStream(client, io_loop=loop)
    with closing_all(stream, listener):
        future = stream.read_bytes(1)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close() sends RST
        peer.close()
        with pytest.raises(StreamClosedError) as caught:
            wait(loop, future)
    assert isinstance(caught.value.real_error, ConnectionResetError)
    assert caplog.records == []


def test_wrong_arguments_raise_and_leave_the_stream_usable(loop):
    left, right = socket_pair(loop)
    with closing_all(left, right):
        right.write(b"xyz")
        with pytest.raises(AssertionError):
            left.read_bytes("1")
        with pytest.raises(TypeError):
            left.read_until("y")
        assert not left.reading()
        assert wait(loop, left.read_until(b"y")) == b"xy"


def test_an_error_in_a_read_callback_closes_the_stream_and_reaches_the_loop(loop, caplog):
    left, right = socket_pair(loop)
    with closing_all(left, right):
        left.read_bytes(1, callback=lambda data: 1 / 0)
        right.write(b"secret")
        run_until(loop, left.closed)
        turn(loop)
        assert isinstance(left.error, ZeroDivisionError)
    messages = [(r.name, r.getMessage()) for r in caplog.records]
    assert messages[0] == ("tornado.application", "Uncaught exception, closing connection.")
    assert messages[1][1].startswith("Exception in callback ")
    assert "secret" not in messages[1][1]


def test_the_private_names_of_a_pending_read_have_the_values_of_4_5_3(loop):
    left, right = socket_pair(loop)
    with closing_all(left, right):
        left.read_until(b"\n", callback=print, max_bytes=7)
        assert (left._read_delimiter, left._read_max_bytes, left._read_regex) == (b"\n", 7, None)
        assert left._read_callback is not None and left._read_future is None
        other = right.read_bytes(9, partial=True)
        other.add_done_callback(lambda f: f.exception())
        assert (right._read_bytes, right._read_partial, right._read_until_close) == (9, True, False)
        assert right._read_future is other
        assert type(right._read_buffer) is bytearray and type(right._write_buffer) is bytearray


# -- writing ------------------------------------------------------------------------------------------


def test_write_takes_every_kind_of_bytes_and_refuses_text(loop):
    left, right = socket_pair(loop)
    with closing_all(left, right):
        right.write(b"1")
        right.write(bytearray(b"2"))
        right.write(memoryview(b"xx3xx")[2:3])
        with pytest.raises(TypeError, match="can't concat str to bytearray"):
            right.write("4")
        assert wait(loop, left.read_bytes(3)) == b"123"


def test_what_its_owner_changes_after_write_leaves_as_it_was(loop):
    left, right = socket_pair(loop)
    with closing_all(left, right):
        data = bytearray(b"a" * 3 * MB)
        right.write(data)
        data[:] = b"b" * len(data)
        assert wait(loop, left.read_bytes(len(data))) == b"a" * len(data)


def test_an_empty_write_is_done(loop):
    left, right = socket_pair(loop)
    with closing_all(left, right):
        assert right.write(b"").done()
        done = []
        right.write(b"", callback=lambda: done.append(1))
        run_until(loop, lambda: done)


def test_a_full_write_buffer_refuses_and_stays_open(loop):
    left, right = socket_pair(loop, max_write_buffer_size=4)
    with closing_all(left, right):
        with pytest.raises(StreamBufferFullError, match=r"^Reached maximum write buffer size$"):
            right.write(b"12345")
        assert not right.closed()
        right.write(b"1234")
        assert wait(loop, left.read_bytes(4)) == b"1234"


def test_writing_to_a_peer_that_has_gone_fails_the_future_quietly(loop, caplog):
    gc.collect()  # what is left of other tests tells now
    caplog.clear()
    left, right = socket_pair(loop)
    left.close()
    future = right.write(b"x")
    with pytest.raises(StreamClosedError) as caught:
        future.result()
    assert isinstance(caught.value.real_error, BrokenPipeError)
    del future, caught
    lost = socket_pair(loop)
    waiting = lost[0].write(b"x" * 10 * MB)
    lost[1].close()
    run_until(loop, waiting.done)
    del waiting
    gc.collect()
    assert caplog.records == []


def test_a_close_from_within_a_write_future_is_harmless(loop):
    left, right = socket_pair(loop)
    with closing_all(left, right):
        big = right.write(b"x" * 4 * MB)
        second = right.write(b"y")
        big.add_done_callback(lambda f: right.close())
        left.read_bytes(4 * MB, callback=lambda data: None)
        run_until(loop, right.closed)
        turn(loop)
        assert second.done()


# -- the end ------------------------------------------------------------------------------------------


def test_the_close_callback_waits_for_the_reads_that_are_on_their_way(loop):
    """As in 4.5.3: the buffered byte comes first although the end is known."""
    left, right = socket_pair(loop)
    order = []
    with closing_all(left, right):
        left.set_close_callback(lambda: order.append("closed"))
        right.write(b"12")

        def first(data):
            order.append(data)
            left.read_bytes(1, callback=order.append)
            right.close()

        left.read_bytes(1, callback=first)
        run_until(loop, lambda: "closed" in order)
        assert order == [b"1", b"2", "closed"]


def test_a_close_callback_set_on_a_closed_stream_runs_once(loop):
    left, right = socket_pair(loop)
    with closing_all(right):
        left.close()
        calls = []
        left.set_close_callback(lambda: calls.append(1))
        assert calls == []
        turn(loop)
        left.close()
        turn(loop)
        assert calls == [1]
        left.set_close_callback(None)


def test_a_stream_that_nobody_reads_notices_its_end_only_with_a_close_callback(loop):
    left, right = socket_pair(loop)
    assert left._state is None
    closed = []
    left.set_close_callback(lambda: closed.append(1))
    assert left._state & IOLoop.READ
    right.close()
    run_until(loop, lambda: closed)


def test_at_most_one_chunk_is_read_ahead_and_then_the_descriptor_rests(loop):
    left, right = socket_pair(loop, read_chunk_size=1000)
    with closing_all(left, right):
        left.set_close_callback(lambda: None)
        right.write(b"x" * 100_000)
        turn(loop, 0.01)
        assert left._read_buffer_size == 1000
        assert not left._state & IOLoop.READ
        assert len(wait(loop, left.read_bytes(100_000))) == 100_000


def test_leftovers_can_be_read_after_the_end(loop):
    left, right = socket_pair(loop)
    right.write(b"1234")
    right.close()
    assert wait(loop, left.read_bytes(1)) == b"1"
    left.close()
    assert left.read_until_close().result() == b"234"
    assert left.read_until_close().result() == b""


def test_close_takes_the_exception_that_is_being_handled(loop):
    left, right = socket_pair(loop)
    with closing_all(left, right):
        try:
            raise KeyError("why")
        except KeyError:
            left.close(exc_info=True)
        assert isinstance(left.error, KeyError)
        with pytest.raises(StreamClosedError) as caught:
            left.write(b"x")
        assert caught.value.real_error is left.error
        right.close(exc_info=(ValueError, ValueError("given"), None))
        assert str(right.error) == "given"


def test_a_closed_stream_keeps_nothing_alive(loop):
    left, right = socket_pair(loop)
    right.write(b"x" * 10 * MB)
    right.close()
    assert right._write_buffer_size == 0 and not right._write_futures
    left.close()


def test_events_for_a_closed_stream_are_one_warning(loop, caplog):
    left, right = socket_pair(loop)
    with closing_all(left, right):
        left.close()
        left._handle_events(3, IOLoop.READ)
    assert [r.getMessage() for r in caplog.records] == ["Got events for closed stream 3"]


# -- contexts -------------------------------------------------------------------------------------------


def test_callbacks_run_in_the_stack_context_they_were_given_in(loop):
    left, right = socket_pair(loop)
    caught = []

    def handler(typ, value, tb):
        caught.append(typ)
        return True

    with closing_all(left, right):
        with stack_context.ExceptionStackContext(handler):
            left.read_bytes(1, callback=lambda data: 1 / 0)
        right.write(b"x")
        run_until(loop, lambda: caught)
        assert caught == [ZeroDivisionError]
        assert not left.closed()


# -- subclasses ----------------------------------------------------------------------------------------


class Loopback(BaseIOStream):
    """A user's own stream: bytes in memory, with a pipe so that the loop has something to watch."""

    def __init__(self, *args, **kwargs):
        self.log = []
        self.watched, self.other = socket.socketpair()
        self.watched.setblocking(False)
        self.store = b""
        super().__init__(*args, **kwargs)

    def fileno(self):
        return self.watched

    def close_fd(self):
        self.log.append("close_fd")
        self.watched.close()
        self.other.close()

    def write_to_fd(self, data):
        self.log.append(type(data).__name__)
        taken = bytes(data[:3])
        self.store += taken
        self.other.send(b"!")
        return len(taken)

    def read_from_fd(self):
        if not self.store:
            return None
        with suppress(BlockingIOError):
            self.watched.recv(100)
        chunk, self.store = self.store[:2], self.store[2:]
        return chunk


def test_a_subclass_of_the_base_class_is_asked_for_everything(loop):
    stream = Loopback(io_loop=loop)
    with closing_all(stream):
        stream.write(b"hello world")
        assert wait(loop, stream.read_bytes(11)) == b"hello world"
        assert stream.get_fd_error() is None
    assert set(stream.log) == {"memoryview", "close_fd"}


def test_an_overridden_read_is_never_assumed_to_have_emptied_the_socket(loop):
    class Trickling(IOStream):
        def read_from_fd(self):
            self.read_chunk_size = 2
            return super().read_from_fd()

    left, right = socket.socketpair()
    stream = Trickling(left, io_loop=loop)
    with closing_all(stream, right):
        right.send(b"abcdefgh")
        assert stream.read_bytes(8).result() == b"abcdefgh"


def test_methods_may_be_set_on_a_stream_as_tests_of_453_do(loop):
    left, right = socket.socketpair()
    stream = IOStream(left, io_loop=loop)
    seen = []
    with closing_all(stream, right):
        stream.read_from_fd = lambda: seen.append("read") or IOStream.read_from_fd(stream)
        stream.write_to_fd = lambda data: seen.append(bytes(data)) or IOStream.write_to_fd(stream, data)
        right.send(b"abc")
        assert wait(loop, stream.read_bytes(3)) == b"abc" and "read" in seen
        stream._send(b"one")
        wait(loop, stream.write(b"two"))
        assert seen[-2:] == [b"one", b"two"] and right.recv(9) == b"onetwo"
        del stream.read_from_fd, stream.write_to_fd  # or they would keep it alive


# -- connecting -----------------------------------------------------------------------------------------


@pytest.fixture
def listener():
    sock = socket.create_server(("127.0.0.1", 0))
    sock.setblocking(False)
    yield sock
    sock.close()


def test_connect_gives_the_stream_and_lets_writes_queue_up(loop, listener):
    accepted = []
    add_accept_handler(listener, lambda c, a: accepted.append(IOStream(c, io_loop=loop)), io_loop=loop)
    stream = IOStream(socket.socket(), io_loop=loop)
    connecting = stream.connect(listener.getsockname())
    written = stream.write(b"early")
    assert not written.done()
    assert wait(loop, connecting) is stream
    assert wait(loop, written) is None
    run_until(loop, lambda: accepted)
    with closing_all(stream, *accepted):
        assert wait(loop, accepted[0].read_bytes(5)) == b"early"
    loop.remove_handler(listener)


def refused_address():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()


def test_a_refused_connection_fails_the_future_without_a_log_line(loop, caplog):
    stream = IOStream(socket.socket(), io_loop=loop)
    with pytest.raises(StreamClosedError) as caught:
        wait(loop, stream.connect(refused_address()))
    assert isinstance(caught.value.real_error, ConnectionRefusedError)
    assert caplog.records == []


def test_a_refused_connection_with_a_callback_is_logged_and_told_by_the_close_callback(loop, caplog):
    """As in 4.5.3: the connect callback is not called."""
    calls = []
    stream = IOStream(socket.socket(), io_loop=loop)
    stream.set_close_callback(lambda: calls.append(type(stream.error)))
    assert stream.connect(refused_address(), callback=lambda: calls.append("connected")) is None
    run_until(loop, lambda: calls)
    assert calls == [ConnectionRefusedError]
    assert [r.getMessage().split(": ")[1] for r in caplog.records] == ["ECONNREFUSED"]


def test_nodelay_is_set_on_tcp_and_ignored_elsewhere(loop, listener):
    stream = IOStream(socket.create_connection(listener.getsockname()), io_loop=loop)
    left, right = socket_pair(loop)
    with closing_all(stream, left, right):
        for value in (True, False):
            stream.set_nodelay(value)
            assert bool(stream.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)) is value
        left.set_nodelay(True)
    stream.set_nodelay(True)


# -- TLS ------------------------------------------------------------------------------------------------


NO_CHECK = {"cert_reqs": ssl.CERT_NONE}


def test_start_tls_moves_the_socket_to_a_new_stream_and_the_close_callback_with_it(loop, certificate):
    left, right = socket_pair(loop)
    closed = []
    left.set_close_callback(lambda: closed.append(1))
    future = left.start_tls(True, certificate)
    other = right.start_tls(False, NO_CHECK)
    assert left.socket is None and not left.closed()
    server, client = wait(loop, future), wait(loop, other)
    with closing_all(server, client):
        assert type(server) is SSLIOStream and server.max_buffer_size == left.max_buffer_size
        check_iostream_quickly(loop, server, client)
        client.close()
        run_until(loop, lambda: closed)


def check_iostream_quickly(loop, one, two):
    two.write(b"ping\n")
    assert wait(loop, one.read_until(b"\n")) == b"ping\n"
    one.write(b"pong\n")
    assert wait(loop, two.read_until(b"\n")) == b"pong\n"


def test_start_tls_wants_an_idle_stream(loop, certificate):
    left, right = socket_pair(loop)
    with closing_all(left, right):
        left.read_bytes(1).add_done_callback(lambda f: f.exception())
        with pytest.raises(ValueError, match=r"^IOStream is not idle; cannot convert to SSL$"):
            left.start_tls(True, certificate)


def test_garbage_instead_of_a_handshake_fails_start_tls_and_is_one_warning(loop, certificate, caplog):
    left, right = socket_pair(loop)
    future = left.start_tls(True, certificate)
    right.write(b"GET / HTTP/1.0\r\n\r\n")
    with closing_all(right), pytest.raises(ssl.SSLError):
        wait(loop, future)
    assert [r.getMessage().split(" ")[:3] for r in caplog.records] == [["SSL", "Error", "on"]]


def test_a_peer_that_leaves_during_the_handshake_is_no_log_line(loop, certificate, caplog):
    left, right = socket_pair(loop)
    future = left.start_tls(True, certificate)
    right.close()
    with pytest.raises(OSError):
        wait(loop, future)
    assert caplog.records == []


def tls_server(loop, listener, certificate):
    streams = []

    def accepted(connection, address):
        wrapped = ssl_wrap_socket(connection, certificate, server_side=True, do_handshake_on_connect=False)
        streams.append(SSLIOStream(wrapped, io_loop=loop))

    add_accept_handler(listener, accepted, io_loop=loop)
    return streams


def test_connect_with_tls_resolves_after_the_handshake(loop, listener, certificate):
    streams = tls_server(loop, listener, certificate)
    client = SSLIOStream(socket.socket(), io_loop=loop, ssl_options=NO_CHECK)
    connecting = client.connect(listener.getsockname())
    early = client.write(b"early\n")
    pending = client.read_until(b"\n")
    assert wait(loop, connecting) is client
    assert client.socket.cipher() is not None
    assert wait(loop, early) is None
    with closing_all(client, *streams):
        assert wait(loop, streams[0].read_until(b"\n")) == b"early\n"
        streams[0].write(b"late\n")
        assert wait(loop, pending) == b"late\n"


def test_wait_for_handshake_is_for_one_at_a_time_and_at_once_when_done(loop, certificate):
    server, client = tls_pair(loop, certificate)
    with closing_all(server, client):
        waiting = server.wait_for_handshake()
        with pytest.raises(RuntimeError, match=r"^Already waiting$"):
            server.wait_for_handshake()
        assert wait(loop, waiting) is server
        done = []
        server.wait_for_handshake(lambda: done.append(server.socket.cipher()))
        run_until(loop, lambda: done)
        assert done[0] is not None


def test_the_default_options_refuse_a_certificate_that_nobody_signed(loop, listener, certificate, caplog):
    streams = tls_server(loop, listener, certificate)
    client = SSLIOStream(socket.socket(), io_loop=loop)
    with pytest.raises(StreamClosedError) as caught:
        wait(loop, client.connect(listener.getsockname(), server_hostname="foo.example.com"))
    assert isinstance(caught.value.real_error, ssl.SSLCertVerificationError)
    run_until(loop, lambda: streams and streams[0].closed())
    assert caplog.records[0].getMessage().startswith("SSL Error on ")


@pytest.mark.parametrize(("name", "good"), [("foo.example.com", True), ("bar.example.com", False)])
def test_a_dictionary_that_asks_for_a_certificate_has_the_name_checked(
    loop, listener, certificate, caplog, name, good
):
    tls_server(loop, listener, certificate)
    options = {"cert_reqs": ssl.CERT_REQUIRED, "ca_certs": certificate["certfile"]}
    client = SSLIOStream(socket.socket(), io_loop=loop, ssl_options=options)
    future = client.connect(listener.getsockname(), server_hostname=name)
    if good:
        assert wait(loop, future) is client
        client.close()
        return
    with pytest.raises(StreamClosedError):
        wait(loop, future)
    [line] = [r.getMessage() for r in caplog.records]
    assert line.startswith("Invalid SSL certificate: ") and "bar.example.com" in line


def test_start_tls_has_the_name_checked_as_well(loop, certificate, caplog):
    """Not in 4.5.3, which forgot the name here when ssl_options was a dictionary."""
    left, right = socket_pair(loop)
    options = {"cert_reqs": ssl.CERT_REQUIRED, "ca_certs": certificate["certfile"]}
    server = left.start_tls(True, certificate)
    client = right.start_tls(False, options, server_hostname="bar.example.com")
    with pytest.raises(OSError):
        wait(loop, client)
    wait(loop, server).close()
    assert caplog.records[0].getMessage().startswith("Invalid SSL certificate: ")


def test_a_context_is_taken_as_it_is(loop, certificate):
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(certificate["certfile"], certificate["keyfile"])
    client_context = ssl.create_default_context(cafile=certificate["certfile"])
    left, right = socket_pair(loop)
    futures = [
        left.start_tls(True, server_context),
        right.start_tls(False, client_context, server_hostname="foo.example.com"),
    ]
    server, client = (wait(loop, future) for future in futures)
    with closing_all(server, client):
        check_iostream_quickly(loop, server, client)


def test_what_an_idle_stream_holds_is_small(loop):
    """Most connections of a server are idle; a deque alone takes more than 600 bytes."""
    left, right = socket_pair(loop)
    with closing_all(left, right):
        right.write(b"x" * MB)  # what is clogged, and then is not any more
        assert wait(loop, left.read_bytes(MB)) == b"x" * MB
        run_until(loop, lambda: not right.writing())
        for stream in (left, right):
            held = [stream._incoming, stream._outgoing, *vars(stream).values()]
            parts = [getattr(thing, slot, None) for thing in held for slot in getattr(type(thing), "__slots__", ())]
            deques = [thing for thing in [*held, *parts] if isinstance(thing, collections.deque)]
            assert all(thing.maxlen == 0 for thing in deques)  # shared, for nothing
            assert stream._waiting_writes is None
            assert len(vars(stream)) < 20


def test_the_futures_of_writes_are_those_that_wait(loop):
    left, right = socket_pair(loop)
    with closing_all(left, right):
        assert not left._write_futures
        future = left.write(b"x" * 16 * MB)
        assert [waiting for _, waiting in left._write_futures] == [future]
        wait(loop, right.read_bytes(16 * MB))
        run_until(loop, future.done)
        assert not left._write_futures
