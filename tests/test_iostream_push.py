# ruff: noqa: F811  (fixtures are arguments)
"""Push mode: what protocol engines stand on. Every case over a plain and over a TLS stream."""

from __future__ import annotations

import socket

import pytest
from stream_pairs import (  # noqa: F401  (some are fixtures)
    MB,
    certificate,
    closing_all,
    loop,
    plain_pair,
    run_until,
    tls_pair,
    turn,
    wait,
)

from tornado4.ioloop import IOLoop
from tornado4.iostream import IOStream, StreamClosedError


@pytest.fixture(params=[plain_pair, tls_pair], ids=["plain", "tls"])
def pair(request, loop, certificate):
    left, right = request.param(loop, certificate)
    if request.param is tls_pair:
        one, two = left.wait_for_handshake(), right.wait_for_handshake()
        wait(loop, one), wait(loop, two)
    with closing_all(left, right):
        yield left, right


def test_chunks_are_handed_on_as_they_come(loop, pair):
    left, right = pair
    got = []
    left._start_push(got.append)
    right.write(b"one")
    run_until(loop, lambda: got == [b"one"])
    right.write(b"two")
    run_until(loop, lambda: got == [b"one", b"two"])
    assert type(got[0]) is bytes
    assert left._read_buffer_size == 0


def test_what_was_buffered_comes_first_and_before_start_push_returns(loop, pair):
    left, right = pair
    right.write(b"line\nrest")
    assert wait(loop, left.read_until(b"\n")) == b"line\n"
    got = []
    left._start_push(got.append)
    assert got == [b"rest"]


def test_pull_reads_are_already_reading_in_push_mode(loop, pair):
    left, _ = pair
    left._start_push(lambda data: None)
    with pytest.raises(AssertionError, match="Already reading"):
        left.read_bytes(1)
    with pytest.raises(AssertionError, match="Already reading"):
        left._start_push(print)
    left._stop_push()
    pending = left.read_bytes(1)
    pending.add_done_callback(lambda f: f.exception())
    with pytest.raises(AssertionError, match="Already reading"):
        left._start_push(print)


def test_a_paused_stream_holds_one_chunk_and_hands_it_on_at_once_when_resumed(loop, pair):
    left, right = pair
    got = []
    left._start_push(got.append)
    left._pause_push()
    assert not left.reading()
    right.write(b"x" * MB)
    turn(loop, 0.05)
    assert got == []
    held = left._read_buffer_size
    assert 0 < held <= left.read_chunk_size
    assert not left._state & IOLoop.READ
    left._resume_push()
    assert sum(map(len, got)) >= held
    run_until(loop, lambda: sum(map(len, got)) == MB)


def test_an_engine_may_pause_in_the_middle_of_everything_and_loses_nothing(loop, pair):
    left, right = pair
    body = bytes(range(256)) * 4096
    got = bytearray()

    def received(chunk):
        got.extend(chunk)
        left._pause_push()
        loop.add_callback(left._resume_push)

    left._start_push(received)
    right.write(body)
    run_until(loop, lambda: len(got) == len(body))
    assert got == body


def test_resume_within_data_received_does_not_pause(loop, pair):
    left, right = pair
    got = []

    def received(chunk):
        got.append(chunk)
        left._pause_push()
        left._resume_push()

    left._start_push(received)
    for word in (b"a", b"b", b"c"):
        right.write(word)
        run_until(loop, lambda word=word: got and got[-1] == word)


def test_the_end_is_noticed_while_paused_and_the_held_chunk_is_still_handed_on(loop, pair):
    left, right = pair
    got, closed = [], []
    left.set_close_callback(lambda: closed.append(1))
    left._start_push(got.append)
    left._pause_push()
    right.close()
    run_until(loop, lambda: closed)
    assert got == []


def test_a_held_chunk_survives_the_end(loop):
    left, right = plain_pair(loop, None)
    got = []
    left._start_push(got.append)
    left._pause_push()
    right.write(b"held")
    run_until(loop, lambda: left._read_buffer_size)
    left.close()
    left._resume_push()
    assert got == [b"held"]
    right.close()


def test_stop_push_puts_the_unread_bytes_in_front(loop, pair):
    left, right = pair

    def received(chunk):
        left._stop_push(chunk[4:])

    left._start_push(received)
    right.write(b"headbody")
    run_until(loop, lambda: left._push is None)
    right.write(b" and more")
    assert wait(loop, left.read_bytes(13)) == b"body and more"


def test_stop_push_while_a_chunk_is_held_keeps_the_order(loop, pair):
    left, right = pair
    left._start_push(lambda data: None)
    left._pause_push()
    right.write(b"world")
    run_until(loop, lambda: left._read_buffer_size == 5)
    left._stop_push(b"hello ")
    assert wait(loop, left.read_bytes(11)) == b"hello world"


def test_another_engine_can_take_over(loop, pair):
    left, right = pair
    first, second = [], []

    def upgrade(chunk):
        first.append(chunk)
        left._stop_push(b"tail")
        left._start_push(second.append)

    left._start_push(upgrade)
    right.write(b"upgrade")
    run_until(loop, lambda: second)
    right.write(b"frame")
    run_until(loop, lambda: len(second) == 2)
    assert (first, second) == ([b"upgrade"], [b"tail", b"frame"])


def test_the_end_runs_the_close_callback_and_closes(loop, pair):
    left, right = pair
    order = []
    left.set_close_callback(lambda: order.append("closed"))
    left._start_push(order.append)
    right.write(b"last")
    run_until(loop, lambda: order)
    right.close()
    run_until(loop, lambda: len(order) == 2)
    assert order == [b"last", "closed"] and left.closed()


def test_an_exception_is_logged_as_a_read_callbacks_and_closes(loop, pair, caplog):
    left, right = pair
    left._start_push(lambda data: 1 / 0)
    right.write(b"x")
    run_until(loop, left.closed)
    assert isinstance(left.error, ZeroDivisionError)
    assert (caplog.records[0].name, caplog.records[0].getMessage()) == (
        "tornado.application",
        "Uncaught exception, closing connection.",
    )
    assert caplog.records[1].name == "tornado.application"  # the loop logs what the handler raises


def test_a_reset_is_no_log_line(loop, caplog):
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    peer, _ = listener.accept()
    stream, closed = IOStream(client, io_loop=loop), []
    stream.set_close_callback(lambda: closed.append(stream.error))
    stream._start_push(lambda data: None)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close() sends RST
    peer.close()
    run_until(loop, lambda: closed)
    listener.close()
    assert isinstance(closed[0], ConnectionResetError)
    assert caplog.records == []


def test_push_may_begin_before_the_handshake_and_before_the_connection(loop, certificate):
    server, client = tls_pair(loop, certificate)
    got = []
    with closing_all(server, client):
        server._start_push(got.append)
        client._send(b"early")
        run_until(loop, lambda: got == [b"early"])

    listener = socket.create_server(("127.0.0.1", 0))
    stream = IOStream(socket.socket(), io_loop=loop)
    connecting = stream.connect(listener.getsockname())
    stream._start_push(got.append)
    assert not stream._send(b"queued")
    wait(loop, connecting)
    peer, _ = listener.accept()
    with closing_all(stream, listener, peer):
        assert peer.recv(100) == b"queued"
        peer.send(b"plain")
        run_until(loop, lambda: got == [b"early", b"plain"])


# -- sending ---------------------------------------------------------------------------------------------


def test_send_is_true_when_nothing_is_left(loop, pair):
    left, right = pair
    assert right._send(b"hello") is True
    assert right._send(b"") is True
    drained = []
    right._on_drain(lambda: drained.append(1))
    assert drained == [1]
    assert wait(loop, left.read_bytes(5)) == b"hello"


def test_send_is_false_when_the_peer_does_not_read_and_drain_tells_when_it_has(loop, pair):
    left, right = pair
    drained = []
    assert right._send(b"x" * 20 * MB) is False
    right._on_drain(lambda: drained.append(right._write_buffer_size))
    turn(loop, 0.02)
    assert drained == []
    assert len(wait(loop, left.read_bytes(20 * MB))) == 20 * MB
    run_until(loop, lambda: drained)
    assert drained == [0]
    assert not right._state & IOLoop.WRITE


def test_sends_and_writes_keep_their_order(loop, pair):
    left, right = pair
    right._send(b"a" * 5 * MB)
    written = right.write(b"b")
    right._send(b"c")
    assert wait(loop, left.read_bytes(5 * MB + 2))[-3:] == b"abc"
    assert wait(loop, written) is None


def test_send_on_a_closed_stream_raises_and_a_drain_callback_is_dropped(loop):
    left, right = plain_pair(loop, None)
    drained = []
    right._send(b"x" * 20 * MB)
    right._on_drain(lambda: drained.append(1))
    left.close()
    run_until(loop, right.closed)
    turn(loop)
    assert drained == []
    right._on_drain(lambda: drained.append(1))
    assert drained == []
    with pytest.raises(StreamClosedError):
        right._send(b"x")


def test_one_chunk_is_one_system_call(loop):
    class Counting(IOStream):
        calls = 0

        def read_from_fd(self):
            Counting.calls += 1
            return super().read_from_fd()

    left, right = socket.socketpair()
    stream, got = Counting(left, io_loop=loop), []
    with closing_all(stream, right):
        stream._start_push(got.append)
        for i in range(10):
            right.send(b"x")
            run_until(loop, lambda i=i: len(got) == i + 1)
    assert Counting.calls == 10
