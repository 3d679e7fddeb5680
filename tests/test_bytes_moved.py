# ruff: noqa: F811  (fixtures are arguments)
"""How often bulk data is copied on its way between the kernel and the application: once at most.

Identity tells: what is the very object that the kernel filled, or a view of what the application gave, was not copied.
"""

from __future__ import annotations

import gzip
import os
import socket
from itertools import accumulate
from unittest import mock

from clocks import pass_time
from raw_peers import RawServer
from stream_pairs import closing_all, loop, run_until, socket_pair, wait  # noqa: F401  (some are fixtures)

from tornado4 import gen, httputil
from tornado4._core import memory
from tornado4._wire import http1
from tornado4.httpclient import HTTPError
from tornado4.httpserver import HTTPServer
from tornado4.httputil import parse_body_arguments
from tornado4.iostream import StreamClosedError
from tornado4.simple_httpclient import SimpleAsyncHTTPClient
from tornado4.testing import AsyncTestCase, gen_test
from tornado4.web import Application, RequestHandler, stream_request_body
from tornado4.web.application import _HandlerDelegate

CHUNK = 65536


class Watched:
    """A socket that notes what is asked of it, and keeps what it gave."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.asked: list[int] = []
        self.given: list[bytes] = []

    def __getattr__(self, name: str):
        return getattr(self._sock, name)

    def recv(self, size: int) -> bytes:
        self.asked.append(size)
        self.given.append(self._sock.recv(size))
        return self.given[-1]


def watched_pair(loop, **kwargs):
    left, right = socket_pair(loop, **kwargs)
    left.socket = watched = Watched(left.socket)
    return left, right, watched


def test_a_large_read_asks_for_what_is_missing_and_hands_on_aligned_chunks(loop):
    left, right, watched = watched_pair(loop)
    with closing_all(left, right):
        first = left.read_bytes(CHUNK)
        right.write(b"a" * 40_000)
        run_until(loop, lambda: left._read_buffer_size == 40_000)
        right.write(b"a" * (CHUNK - 40_000) + b"b" * CHUNK)
        assert wait(loop, first) == b"a" * CHUNK
        assert CHUNK - 40_000 in watched.asked  # and not a byte of the next one
        second = wait(loop, left.read_bytes(CHUNK))
        assert second == b"b" * CHUNK
        assert max(watched.asked) == CHUNK
        last = [piece for piece in watched.given if piece][-1]
        if len(last) == CHUNK:  # else the kernel gave it in two
            assert second is last


def test_a_small_read_still_reads_ahead(loop):
    left, right, watched = watched_pair(loop)
    with closing_all(left, right):
        right.write(b"abc" * 1000)
        assert wait(loop, left.read_bytes(3)) == b"abc"
        calls = len(watched.asked)
        for _ in range(100):
            assert wait(loop, left.read_bytes(3)) == b"abc"
        assert len(watched.asked) == calls
        assert set(watched.asked) == {CHUNK}


def test_a_socket_found_empty_is_not_asked_again_in_that_round(loop):
    left, right, watched = watched_pair(loop)

    @gen.coroutine
    def echo():
        for _ in range(10):
            line = yield left.read_until(b"\n")
            left.write(line)

    @gen.coroutine
    def ask():
        for n in range(10):
            right.write(b"%d\n" % n)
            assert (yield right.read_until(b"\n")) == b"%d\n" % n

    with closing_all(left, right):
        loop.run_sync(lambda: gen.multi([echo(), ask()]))
        # one for each line, and the look before the first; what the system splits or joins is its own
        assert len(watched.asked) <= 11
        late = left.read_until(b"\n")  # in another round: the socket is looked at
        assert len(watched.asked) <= 12
        right.write(b"last\n")
        assert wait(loop, late) == b"last\n"


def test_where_the_other_side_writes_between_reads_no_round_is_waited_for(loop):
    left, right, watched = watched_pair(loop)

    @gen.coroutine
    def both():
        right.write(b"first\n")
        yield left.read_until(b"\n")
        rounds = loop._round
        for _ in range(100):
            right.write(b"line\n")
            assert (yield left.read_until(b"\n")) == b"line\n"
        return loop._round - rounds

    with closing_all(left, right):
        assert loop.run_sync(both) == 0
        assert len(watched.asked) <= 102


def test_chunks_that_are_there_are_handed_on_at_once_and_uncut(loop):
    left, right, watched = watched_pair(loop)

    @gen.coroutine
    def chunks():
        right.write(b"1" + b"a" * (CHUNK - 1))
        yield left.read_bytes(CHUNK)
        for n in range(100):
            right.write(bytes([n]) * CHUNK)
            chunk = yield left.read_bytes(CHUNK)
            assert chunk == bytes([n]) * CHUNK
            if len(watched.given[-1]) == CHUNK:
                assert chunk is watched.given[-1]
            assert left._read_buffer_size == 0
        right.write(b"short")
        assert (yield left.read_bytes(2 * CHUNK, partial=True)) == b"short"
        right.write(b"b" * (CHUNK - 1))
        late = left.read_bytes(CHUNK)
        assert not late.done()
        right.write(b"cdef")
        assert (yield late) == b"b" * (CHUNK - 1) + b"c"
        assert (yield left.read_bytes(2)) == b"de"
        assert (yield left.read_bytes(1)) == b"f"

    with closing_all(left, right):
        loop.run_sync(chunks)


def test_an_end_that_a_chunk_finds_fails_its_read_before_the_close_callback(loop):
    for partial in (False, True):
        left, right = socket_pair(loop)
        told: list[str] = []

        @gen.coroutine
        def chunks(left=left, right=right, told=told, partial=partial):
            left.set_close_callback(lambda: told.append("closed"))
            right.write(b"a" * CHUNK)
            yield left.read_bytes(CHUNK)
            right.close()
            failing = left.read_bytes(CHUNK + partial, partial=partial)
            assert left.closed()
            try:
                yield failing
            except StreamClosedError:
                told.append("failed")

        with closing_all(left, right):
            loop.run_sync(chunks)
            run_until(loop, lambda told=told: len(told) == 2)
            assert told == ["failed", "closed"]


def test_a_read_far_larger_than_a_chunk_is_joined_once(loop):
    left, right, watched = watched_pair(loop)
    with closing_all(left, right):
        size = 20 * CHUNK + 17
        reading = left.read_bytes(size)
        right.write(b"x" * size + b"rest")
        assert wait(loop, reading) == b"x" * size
        assert size in accumulate(map(len, watched.given))  # no chunk was cut
        assert wait(loop, left.read_bytes(4)) == b"rest"


def test_pieces_that_the_kernel_does_not_take_are_views_of_what_was_given(loop):
    left, right = socket_pair(loop)
    with closing_all(left, right):
        body = b"y" * (8 * 1024 * 1024)
        assert not left._send_pieces((b"head", body, b"tail"))
        pieces = list(left._outgoing._pieces)
        assert type(pieces[0]) is memoryview
        assert pieces[0].obj is body
        assert sum(map(len, pieces)) == left._outgoing.size < len(body)
        whole = wait(loop, right.read_bytes(len(body) + 8))
        assert whole == b"head" + body + b"tail"
        assert left._total_write_done_index == len(whole)


def test_pieces_behind_others_and_with_a_limit_leave_in_order(loop):
    for limit in (None, 32 * 1024 * 1024):
        left, right = socket_pair(loop)
        left.max_write_buffer_size = limit
        with closing_all(left, right):
            left.write(b"z" * 4_000_000)
            left._send_pieces((b"1", b"2" * CHUNK))
            left._send_pieces((b"3",))
            whole = wait(loop, right.read_bytes(4_000_000 + CHUNK + 2))
            assert whole[4_000_000:] == b"1" + b"2" * CHUNK + b"3"


def test_pieces_for_a_peer_that_has_gone_close_the_stream(loop):
    left, right = socket_pair(loop)
    with closing_all(left, right):
        right.close()
        while not left.closed():
            assert left._send_pieces((b"a" * CHUNK, b"b")) in (True, False)
        assert isinstance(left.error, OSError)


def test_an_uploaded_file_is_copied_once_out_of_the_body():
    class Counting(bytes):
        copied = 0

        def __getitem__(self, key):
            piece = super().__getitem__(key)
            Counting.copied += len(piece)
            return piece

    content = b"c" * 1_000_000
    body = Counting(
        b'--x\r\nContent-Disposition: form-data; name="f"; filename="n"\r\n\r\n' + content + b"\r\n--x--\r\n"
    )
    files: dict = {}
    parse_body_arguments("multipart/form-data; boundary=x", body, {}, files)
    assert files["f"][0].body == content
    assert Counting.copied < len(content) + 200


class Uploads(RequestHandler):
    def put(self) -> None:
        self.write(
            httputil.url_concat(self.request.path, {"size": len(self.request.body), "end": self.request.body[-3:]})
        )


@stream_request_body
class Streamed(RequestHandler):
    pieces: list[int] = []

    def data_received(self, chunk: bytes) -> None:
        Streamed.pieces.append(len(chunk))

    def put(self) -> None:
        self.write(str(sum(Streamed.pieces)))


def served(loop, body: bytes, path: str, coding: bytes = b"", size: int | None = None, **options):
    """A request with ``body`` and a small one behind it: what was answered, and the server's socket."""
    left, right, watched = watched_pair(loop, max_buffer_size=size)
    app = Application([("/whole", Uploads), ("/streamed", Streamed)])
    HTTPServer(app, io_loop=loop, **options).handle_stream(left, ("127.0.0.1", 1))
    framing = coding or b"Content-Length: %d" % len(body)
    right.write(b"PUT %b HTTP/1.1\r\nHost: x\r\n%b\r\n\r\n%b" % (path.encode(), framing, body))
    right.write(b"PUT %b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nend" % path.encode())
    with closing_all(left, right):
        return wait(loop, right.read_until_close()), watched


def noting(pieces: list[bytes]):
    really_receive = _HandlerDelegate.data_received

    def receive(delegate: _HandlerDelegate, data: bytes) -> None:
        pieces.append(data)
        really_receive(delegate, data)

    return receive


def test_a_large_upload_comes_in_few_pieces_that_are_joined_once(loop):
    body = os.urandom(1_000_000) + b"abc"
    for coding, content in (
        (b"", body),
        (
            b"Transfer-Encoding: chunked",
            b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in (body[:9], body[9:])) + b"0\r\n\r\n",
        ),
    ):
        for options in ({}, {"xheaders": True}):
            joined: list[bytes] = []
            with mock.patch.object(_HandlerDelegate, "data_received", noting(joined)):
                answer, watched = served(loop, content, "/whole", coding, **options)
            assert b"size=1000003" in answer
            assert b"end=abc" in answer
            assert b"size=3" in answer
            assert max(watched.asked) == 4 * CHUNK
            assert watched.asked[0] == CHUNK
            if not coding:
                cut = [piece for piece in joined if not any(piece is given for given in watched.given)]
                assert len(cut) <= 3  # behind the head, before the next head, and the small one


def test_who_looks_at_the_pieces_gets_them_as_small_as_was_promised(loop):
    Streamed.pieces = []
    answer, watched = served(loop, b"x" * 1_000_000, "/streamed", chunk_size=10_000)
    assert b"1000000" in answer
    assert max(Streamed.pieces) == 10_000
    assert max(watched.asked) == CHUNK


def test_a_large_body_is_read_in_parts_of_what_the_stream_may_hold(loop):
    answer, watched = served(loop, b"x" * 150_000, "/whole", size=200_000)
    assert b"size=150000" in answer
    assert max(watched.asked) <= 100_000


def test_the_library_is_told_of_large_blocks_once(monkeypatch):
    made: list[int] = []
    monkeypatch.setattr(memory, "bytes", made.append, raising=False)
    monkeypatch.setattr(memory, "_known", False)
    memory.keep_large_blocks()
    memory.keep_large_blocks()
    assert made == [memory._LARGE]


class LargeBodies(AsyncTestCase):
    """What a client does with a body whose size it is told."""

    def setUp(self) -> None:
        super().setUp()
        self.server = RawServer(self.io_loop)
        self.client = SimpleAsyncHTTPClient(self.io_loop, force_instance=True)
        self.filled: list[int] = []
        really_skip = http1.MessageReader.skip
        patch = mock.patch.object(
            http1.MessageReader, "skip", lambda reader, count: (self.filled.append(count), really_skip(reader, count))
        )
        patch.start()
        self.addCleanup(patch.stop)

    def tearDown(self) -> None:
        self.client.close()
        self.server.stop()
        for stream in self.server.streams:
            stream.close()
        super().tearDown()

    def answer(self, body: bytes, extra: bytes = b"", length: int | None = None) -> None:
        size = len(body) if length is None else length
        self.server.scripts = [[b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n" % (extra, size), body]]

    @gen_test
    def test_the_kernel_writes_it_to_where_it_stays(self):
        body = bytes(range(256)) * 8000
        self.answer(body)
        response = yield self.client.fetch(self.server.url())
        assert response.body == body
        assert response.buffer.read(3) == body[:3]  # it stands at its beginning
        assert sum(self.filled) > len(body) - 2 * CHUNK

    @gen_test
    def test_a_body_that_ends_too_early_is_an_error(self):
        self.answer(b"x" * 1_000_000, length=1_000_001)
        self.server.scripts[0] = [*self.server.scripts[0], None]
        with self.assertRaises(HTTPError) as caught:
            yield self.client.fetch(self.server.url())
        assert caught.exception.code == 599
        assert self.filled

    @gen_test
    def test_bytes_behind_it_do_not_get_into_it(self):
        self.answer(b"x" * 300_000 + b"more", length=300_000)
        response = yield self.client.fetch(self.server.url())
        assert response.body == b"x" * 300_000

    @gen_test
    def test_what_others_want_to_see_goes_through_their_hands(self):
        for kwargs, size in (
            ({"streaming_callback": (pieces := []).append}, 300_000),
            ({}, 9 * 1024 * 1024),  # a server has to send as much before it gets the room
            ({}, 1000),
        ):
            self.answer(b"y" * size)
            response = yield self.client.fetch(self.server.url(), **kwargs)
            assert response.body or b"".join(pieces) == b"y" * size
        assert len(response.body) == 1000
        self.answer(gzip.compress(os.urandom(400_000)), b"Content-Encoding: gzip\r\n")
        response = yield self.client.fetch(self.server.url())
        assert len(response.body) == 400_000
        assert not self.filled

    @gen_test
    def test_a_time_out_within_it_ends_the_request(self):
        self.answer(b"z" * 200_000, length=400_000)
        self.server.scripts[0].append(lambda stream: pass_time(self.io_loop, 40))
        with self.assertRaises(HTTPError) as caught:
            yield self.client.fetch(self.server.url(), request_timeout=30)
        assert "Timeout during request" in str(caught.exception)
