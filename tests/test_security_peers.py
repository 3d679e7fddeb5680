"""What was closed in uvicorn, aiohttp, werkzeug, starlette, websockets and h11, and no other test has, tried here."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from attacked import attacked
from programs import environment

from tornado4 import gen, httputil
from tornado4._wire.websocket import encode_frame
from tornado4.iostream import IOStream
from tornado4.web import Application, RequestHandler, StaticFileHandler
from tornado4.websocket import WebSocketHandler

HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: test.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


class Hello(RequestHandler):
    def get(self) -> None:
        self.write("Hello")

    def post(self) -> None:
        self.write("posted")


class Where(RequestHandler):
    def get(self) -> None:
        self.write(self.request.full_url())


class Echo(WebSocketHandler):
    def on_message(self, message: Any) -> None:
        self.write_message(message)


# -- static files ---------------------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path: Path) -> Any:
    """Files in "static", and secrets beside it in a directory whose name begins alike."""
    for folder in ("static", "static1", "static/folder"):
        (tmp_path / folder).mkdir()
    (tmp_path / "static" / "a.txt").write_text("a file")
    (tmp_path / "static1" / "secret.txt").write_text("a secret")
    (tmp_path / "static" / "folder" / "<script>.txt").write_text("")
    with attacked([("/static/(.*)", StaticFileHandler, {"path": str(tmp_path / "static")})]) as server:
        yield server


@pytest.mark.parametrize("way", ["../static1/secret.txt", "..%2fstatic1%2fsecret.txt", "%2e%2e/static1/secret.txt"])
def test_a_directory_whose_name_begins_alike_is_another_one(site: Any, way: str) -> None:
    status, _, body = site.ask(f"/static/{way}")
    assert status == 403 and b"secret" not in body


def test_ways_through_directories_do_not_tell_which_there_are(site: Any) -> None:
    for there, not_there in (("folder/../a.txt", "nothing/../a.txt"), ("../static1/x", "../nothing/x")):
        status, _, body = site.ask(f"/static/{there}")
        assert (status, body) == site.ask(f"/static/{not_there}")[::2]


def test_directories_are_not_listed(site: Any) -> None:
    status, _, body = site.ask("/static/folder/")
    assert status == 403 and b"script" not in body


def test_ranges_without_end_are_the_whole_file(site: Any) -> None:
    status, _, body = site.ask("/static/a.txt", "Range: bytes=" + "0-0," * 4000 + "0-0\r\n")
    assert (status, body) == (200, b"a file")


@pytest.mark.parametrize("digits", ["\xb2-\xb3", "\u0663-\u0664", "1_0-", "+1-"])
def test_digits_of_a_range_are_those_of_ascii(site: Any, digits: str) -> None:
    range_header = f"Range: bytes={digits}\r\n".encode().decode("latin-1")
    assert site.ask("/static/a.txt", range_header)[0] == 200


# -- requests -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "finish", "_execute", "get_argument", "prepare", "__init__", "Get"])
def test_a_method_is_no_name_of_the_handlers(method: str) -> None:
    with attacked([("/", Hello)]) as server:
        assert server.ask("/", method=method)[0] == 405
    assert "Traceback" not in server.log


@pytest.mark.parametrize("target", ["//other.example/a", "/@other.example", "/\\other.example", "/:80@other.example/"])
def test_no_path_changes_the_host_of_the_full_url(target: str) -> None:
    with attacked([("/.*", Where)]) as server:
        assert server.ask(target)[2] == b"http://test.example" + target.encode()


@pytest.mark.parametrize(
    "host", ["test.example/?", "test.example#", "test.example\\", "a@b", "a b", "test.example/a?b"]
)
def test_no_host_changes_the_path_of_the_full_url(host: str) -> None:
    with attacked([("/.*", Where)]) as server:
        assert server.ask("/admin", host=host)[0] == 400


def test_invalid_cookies_are_a_line_at_most() -> None:
    class Reads(RequestHandler):
        def get(self) -> None:
            self.get_cookie("a")
            self.get_secure_cookie("b")

    cookies = "; ".join(["\x01bad=1", "b=\xff", "c", "=", '"=', "d=\\", "e e=1"] * 100)
    with attacked(Application([("/", Reads)], cookie_secret="s")) as server:
        assert server.ask("/", f"Cookie: {cookies}\r\n".replace("\x01", "@"))[0] == 200
    assert len(server.complaints()) <= 1


def test_a_cookie_without_a_name_does_not_stand_in_for_one_with_a_prefix() -> None:
    assert "__Host-a" not in httputil.parse_cookie("=__Host-a=bad")
    assert httputil.parse_cookie("__Host-a=good; =__Host-a=bad")["__Host-a"] == "good"


def test_a_body_that_nobody_reads_is_not_the_next_request() -> None:
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: test.example\r\n\r\n"
    length = b"Content-Length: %d\r\n\r\n" % len(smuggled)
    last = b"GET /last HTTP/1.1\r\nHost: test.example\r\nConnection: close\r\n\r\n"
    refused = HANDSHAKE.replace(b": 13", b": 12")
    for head in (
        b"GET /nothing HTTP/1.1\r\nHost: test.example\r\n",
        b"BREW / HTTP/1.1\r\nHost: test.example\r\n",
        refused,
    ):
        with attacked([("/last", Hello), ("/ws", Echo), ("/", Hello)]) as server:
            answer = server.send(head + length + smuggled + last)
        assert answer.count(b"HTTP/1.1 ") == 2 and answer.endswith(b"Hello")
        assert "/smuggled" not in server.log


def test_a_body_before_the_frames_is_none_of_them() -> None:
    close = encode_frame(True, 8, b"", mask=True)
    with attacked([("/ws", Echo)]) as server:
        body = encode_frame(True, 1, b"body", mask=True)
        frames = encode_frame(True, 1, b"frame", mask=True) + close
        answer = server.send(HANDSHAKE + b"Content-Length: %d\r\n\r\n" % len(body) + body + frames)
    assert answer.startswith(b"HTTP/1.1 101") and answer.endswith(b"\r\n\r\n\x81\x05frame\x88\x00")


@pytest.mark.parametrize("options", ["notupgrade", "upgraded", "keep-alive", "x-upgrade, close"])
def test_an_upgrade_is_one_of_the_options_of_connection(options: str) -> None:
    with attacked([("/ws", Echo)]) as server:
        headers = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        status, _, _ = server.ask("/ws", f"Connection: {options}\r\n{headers}")
    assert status == 400


def test_a_compressed_frame_where_nothing_was_agreed_ends_the_connection() -> None:
    with attacked([("/ws", Echo)]) as server:
        answer = server.send(HANDSHAKE + b"\r\n" + encode_frame(True, 1, b"\xf2H\xcd\xc9\xc9\x07\x00", 0x40, mask=True))
    assert answer.startswith(b"HTTP/1.1 101") and b"Hello" not in answer and not answer.endswith(b"<no end>")


def test_requests_for_what_is_not_there_leave_nothing_behind() -> None:
    with attacked([("/", Hello)]) as server:

        def ask(start: int) -> None:
            head = b" HTTP/1.1\r\nHost: test.example\r\n"
            requests = (b"GET /nothing-%d%bX-%d: a\r\n\r\n" % (n, head, n) for n in range(start, start + 500))
            server.send(b"".join(requests) + b"GET /" + head + b"Connection: close\r\n\r\n")
            server._lines.lines.clear()
            gc.collect()

        ask(0)
        ask(500)  # what is remembered within bounds is full by now
        ask(1000)
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        for start in range(2000, 7000, 500):
            ask(start)
        grown = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
    # 5,000 requests: a path and a name of a header each would be a megabyte. The names are remembered, a thousand of
    # them at most; and so are lines.
    assert grown < 600_000


def test_without_assertions_malformed_forms_end_as_well() -> None:
    program = """
from tornado4 import httputil
form = b'--x\\r\\nContent-Disposition: form-data; name="a"; filename="b"\\r\\nContent-Type: c'
form += b"\\r\\n\\r\\nd\\r\\n--x--\\r\\n"
for start in range(0, len(form), 3):
    for gone in (1, 2, 9, len(form)):
        for new in (b"", b"--x", b"\\r\\n", b"--x--"):
            try:
                httputil.parse_multipart_form_data(b"x", form[:start] + new + form[start + gone:], {}, {})
            except httputil.HTTPInputError:
                pass
print("ended")
"""
    command = [sys.executable, "-O", "-c", program]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=300)
    assert done.stdout == "ended\n", done.stderr


# -- an error that is no Exception ----------------------------------------------------------------------------


class Cancelled(WebSocketHandler):
    """`asyncio.CancelledError` out of whatever it is told to."""

    def open(self, where: str) -> None:
        self.where = where
        if where == "open":
            raise asyncio.CancelledError

    def on_message(self, message: Any) -> Any:
        if message == "again":
            self.write_message("still here")
        elif self.where == "message":
            raise asyncio.CancelledError
        elif self.where == "coroutine":
            return self.later()
        elif self.where == "native":
            return self.native()
        return None

    def on_close(self) -> None:
        if self.where == "close":
            raise asyncio.CancelledError

    @gen.coroutine
    def later(self) -> Any:
        yield gen.moment
        raise asyncio.CancelledError

    async def native(self) -> None:
        raise asyncio.CancelledError


@pytest.mark.parametrize("where", ["open", "message", "coroutine", "native", "close"])
def test_a_cancellation_in_a_websocket_ends_neither_the_server_nor_in_a_hung_connection(where: str) -> None:
    frames = encode_frame(True, 1, b"first", mask=True) + encode_frame(True, 1, b"again", mask=True)
    with attacked([("/ws/(.*)", Cancelled), ("/", Hello)]) as server:
        handshake = HANDSHAKE.replace(b"/ws", b"/ws/" + where.encode()) + b"\r\n"
        answer = server.send(handshake + frames + encode_frame(True, 8, b"", mask=True))
        assert answer.startswith(b"HTTP/1.1 101") and not answer.endswith(b"<no end>")
        # As any other error: of a coroutine it is logged, and the connection goes on; else it ends.
        assert (b"still here" in answer) is (where in ("coroutine", "native", "close"))
        assert server.ask("/")[0] == 200
    assert server.log.count("CancelledError") >= 1


def test_a_cancellation_in_a_callback_is_logged_and_the_loop_goes_on() -> None:
    with attacked([("/", Hello)]) as server:

        def cancelled(*ignored: Any) -> None:
            raise asyncio.CancelledError

        server.loop.add_callback(cancelled)
        server.loop.call_later(0, cancelled)
        future: Any = gen.sleep(0)
        future.add_done_callback(cancelled)
        assert server.ask("/")[0] == 200
    assert server.log.count("Exception in callback") == 3


def test_a_cancellation_in_the_callback_of_a_stream_closes_it() -> None:
    with attacked([("/", Hello)]) as server:
        closed: list[bool] = []

        def cancelled(data: bytes) -> None:
            raise asyncio.CancelledError

        @gen.coroutine
        def talk() -> Any:
            import socket

            stream = IOStream(socket.socket())
            yield stream.connect(("127.0.0.1", server.port))
            ended = gen.Future()
            stream.set_close_callback(lambda: ended.set_result(None))
            stream.write(b"GET / HTTP/1.1\r\nHost: test.example\r\n\r\n")
            stream.read_until(b"\r\n\r\n", callback=cancelled)
            yield gen.with_timeout(server.loop.time() + 120, ended)
            closed.append(stream.closed())

        server.loop.run_sync(talk)
    assert closed == [True]
