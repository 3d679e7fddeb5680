"""Whatever a peer sends to an application, through a socket: each request gets one answer, and none a traceback."""

from __future__ import annotations

import gzip
import pathlib
import re
import socket
import sys
from typing import Any

import pytest
from budget import cut, examples
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "wire"))
from attacked import attacked
from http1_feeding import feed

from tornado4 import gen
from tornado4._wire.http1 import ResponseReader
from tornado4._wire.websocket import encode_frame
from tornado4.iostream import IOStream, StreamClosedError
from tornado4.web import (
    Application,
    RedirectHandler,
    RequestHandler,
    StaticFileHandler,
    addslash,
    create_signed_value,
    removeslash,
)
from tornado4.websocket import WebSocketHandler
from tornado4.wsgi import WSGIContainer

SECRET = "a secret for a test"


class Form(RequestHandler):
    """Looks at everything that a request can bring along."""

    def get(self, *path: str) -> None:
        self.get_argument("a", "")
        self.get_arguments("b")
        self.write({"a": self.get_query_argument("a", ""), "host": self.request.host, "from": self.request.remote_ip})
        self.get_cookie("a")
        self.get_secure_cookie("signed")
        self.get_browser_locale()
        self.locale.translate("a")
        self.request.full_url()
        self.request.request_time()
        repr(self.request)
        self.set_cookie("seen", "yes")
        self.set_secure_cookie("signed", "value")

    def post(self, *path: str) -> None:
        self.get(*path)
        self.get_body_arguments("a")
        for files in self.request.files.values():
            assert all(isinstance(file.body, bytes) and isinstance(file.filename, str) for file in files)

    put = post


class Guarded(RequestHandler):
    def get(self) -> None:
        self.write(self.xsrf_token)

    def post(self) -> None:
        self.check_xsrf_cookie()
        self.write("well")


class Slashes(RequestHandler):
    @addslash
    def get(self, path: str) -> None:
        self.write("with")

    @removeslash
    def head(self, path: str) -> None:
        pass


class Echo(WebSocketHandler):
    def get_compression_options(self) -> dict[str, Any]:
        return {}

    def select_subprotocol(self, subprotocols: Any) -> Any:
        return subprotocols[0] if subprotocols and subprotocols[0] else None

    def on_message(self, message: str | bytes) -> None:
        self.write_message(message, binary=isinstance(message, bytes))


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Application:
    root = tmp_path_factory.mktemp("static")
    (root / "index.html").write_text("<p>index</p>")
    (root / "a.txt").write_text("0123456789" * 10)
    (root / "folder").mkdir()
    (root / "folder" / "index.html").write_text("<p>folder</p>")
    return Application(
        [
            (r"/form(/.*)?", Form),
            (r"/guarded", Guarded),
            (r"/static/(.*)", StaticFileHandler, {"path": str(root), "default_filename": "index.html"}),
            (r"/to/(.*)", RedirectHandler, {"url": "/form/{0}"}),
            (r"/slash/(.*)", Slashes),
            (r"/ws", Echo),
        ],
        cookie_secret=SECRET,
        compress_response=True,
    )


# -- requests -------------------------------------------------------------------------------------------------

METHODS = st.sampled_from([b"GET", b"GET", b"GET", b"HEAD", b"POST", b"POST", b"PUT", b"OPTIONS", b"BREW"])
PATHS = st.sampled_from(
    [
        b"/form", b"/form/x", b"/guarded", b"/static/", b"/static/a.txt", b"/static/folder", b"/to/", b"/slash/a",
        b"/ws", b"/nothing", b"*", b"http://other.example/form", b"//other.example/form",
    ]
)  # fmt: skip
TAILS = st.sampled_from(
    [
        b"", b"", b"/", b"//", b"%2e%2e/", b"../", b"%00", b"%zz", b"%", b"\\", b"\xff", b"\xc3\xa9", b"%C3%A9",
        b"%ff", b"a.txt%20", b":80", b"@", b"CON", b"x" * 300, b";a=b", b"#f", b"{0}", b"%250a", b"%0d%0a",
    ]
)  # fmt: skip
QUERIES = st.sampled_from(
    [
        b"", b"?", b"?a=b", b"?a=%ff", b"?a", b"?a=%u0041", b"?=&&=", b"?b=\xff", b"?a=+%2b", b"?a=b;c=d", b"?v=1",
        b"?" + b"a=b&" * 1100, b"?_xsrf=2|x|y|z",
    ]
)  # fmt: skip
NAMES = st.sampled_from(
    [
        b"Cookie", b"If-None-Match", b"If-Modified-Since", b"If-Range", b"Range", b"Accept-Language",
        b"Accept-Encoding", b"Content-Type", b"Content-Encoding", b"X-Real-Ip", b"X-Forwarded-For", b"X-Scheme",
        b"X-Forwarded-Proto", b"X-Xsrftoken", b"Expect", b"Connection", b"Upgrade", b"Origin", b"Authorization",
        b"Sec-WebSocket-Key", b"Sec-WebSocket-Version", b"Sec-WebSocket-Extensions", b"Sec-WebSocket-Protocol",
        b"Content-Disposition", b"A",
    ]
)  # fmt: skip
VALUES = st.sampled_from(
    [
        b"", b",", b";", b"=", b'"', b"a", b"*", b"*;q=x", b"en;q=1e999,de;q=-1", b"en;q=nan", b"a=b; c=d", b'a="\\',
        b"\xff", b"bytes=0-3", b"bytes=-0", b"bytes=-5", b"bytes=5-1", b"bytes=" + b"9" * 40 + b"-", b"bytes=0-1,2-3",
        b"bytes=x", b"Thu, 01 Jan 1970 00:00:00 GMT", b"Thu, 99 Foo 99999 00:00:00 GMT", b"0", b'W/"a"', b'"a", "b',
        b"Thu, 01 Jan 0001 00:00:00 -2359", b"127.0.0.1", b"::1", b"1.2.3.4, , x", b"a" * 100 + b".example", b"[::1",
        b"https,http", b"ftp", b"gzip", b"GZIP", b"deflate", b"identity", b"100-continue", b"close", b"keep-alive",
        b"upgrade", b"websocket", b"13", b"8", b"-1", b"dGhlIHNhbXBsZSBub25jZQ==", b"permessage-deflate", b"null",
        b"permessage-deflate; server_max_window_bits=x", b"chat, ,super", b"http://[", b"application/json",
        b"permessage-deflate; client_max_window_bits=8; client_max_window_bits=9", b"application/x-www-form-urlencoded",
        b"multipart/form-data", b"multipart/form-data; boundary=", b'multipart/form-data; boundary="x"',
        b"text/html; charset=\xff", b"2|1:0|10:1300000000|1:a|4:YQ==|", b"_xsrf=2|x|y|z", b"signed=2|1:0|99:x",
        b"signed=" + create_signed_value(SECRET, "signed", "value"), b"_xsrf=%", b"a=\\377\\400",
    ]
)  # fmt: skip
FIELDS = st.tuples(NAMES, VALUES | st.binary(max_size=6).map(lambda data: data.translate(None, b"\r\n\0"))).map(
    lambda field: b"%b: %b\r\n" % field
)
BODIES = st.sampled_from(
    [
        b"", b"a=b&a=c", b"%", b"a=%ff&b", b"--x\r\n\r\n--x--", b"{}", b"\x1f\x8b\x08", gzip.compress(b"a=b"),
        b"_xsrf=1",
        b'--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\nContent-Type: \xff\r\n\r\nc\r\n--x--\r\n',
        b"--x\r\nContent-Disposition: form-data; name*=x'%\r\n\r\nc\r\n--x--", gzip.compress(b"a=b")[:-3], b"a" * 5000,
    ]
)  # fmt: skip


def request(method: bytes, target: bytes, fields: list[bytes], body: bytes, chunks: list[int] | None) -> bytes:
    head = b"%b %b HTTP/1.1\r\nHost: test.example\r\n%b" % (method, target, b"".join(fields))
    if chunks is not None:
        pieces = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in cut(body, chunks) if piece)
        return head + b"Transfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n"
    return head + (b"Content-Length: %d\r\n\r\n" % len(body) if body or method != b"GET" else b"\r\n") + body


TARGETS = st.builds(lambda *parts: b"".join(parts), PATHS, TAILS, QUERIES)
PLACES = st.lists(st.integers(0, 10_000), max_size=3)
REQUESTS = st.builds(request, METHODS, TARGETS, st.lists(FIELDS, max_size=5), BODIES, st.none() | PLACES)
HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: test.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
)
FRAMES = st.builds(
    encode_frame,
    st.booleans(),
    st.sampled_from([0, 1, 1, 2, 8, 9, 10, 3]),
    st.sampled_from([b"", b"a", "é".encode(), b"\xff", b"\x03\xe8", b"\x03\xe8bye", b"\x00\x01", b"x" * 200]),
    st.sampled_from([0, 0, 0x40, 0x20]),
    st.sampled_from([True, True, True, False]),
)


@gen.coroutine
def converse(server: Any, pieces: list[bytes]) -> Any:
    """Send each piece, then end our half; all that comes back."""
    stream = IOStream(socket.socket(), io_loop=server.loop)
    yield stream.connect(("127.0.0.1", server.port))
    answer = stream.read_until_close()
    try:
        for piece in pieces:
            yield stream.write(piece)
            yield gen.moment
        if not stream.closed():
            stream.socket.shutdown(socket.SHUT_WR)
    except (StreamClosedError, OSError):
        pass  # it has heard enough
    return (yield answer)


def is_quiet(server: Any) -> bool:
    """No traceback, and no error that is not the peer's; then forget the lines."""
    log = server.log
    server._lines.lines.clear()
    return (
        "Traceback" not in log and "Uncaught" not in log and not any(line.startswith("5") for line in log.split("\n"))
    )


OPTIONS: dict[str, Any] = {
    "xheaders": True,
    "decompress_request": True,
    "max_body_size": 4000,
    "max_header_size": 10_000,
}


def test_each_request_of_a_connection_is_answered_once_or_the_last_answer_is_a_refusal(
    application: Application,
) -> None:
    with attacked(application, **OPTIONS) as server:

        @examples(40)
        @given(st.lists(REQUESTS, min_size=1, max_size=4), PLACES)
        def property_holds(requests: list[bytes], places: list[int]) -> None:
            data = b"".join(requests)
            answer = server.loop.run_sync(lambda: converse(server, cut(data, places)), timeout=120)
            assert is_quiet(server)
            read = answers(answer, requests)
            assert 1 <= len(read) <= len(requests) and all(message.complete for message in read)
            assert not any(message.start_line.code >= 500 for message in read)
            if len(read) < len(requests):
                last = read[-1]
                # What is asked to be the last one is answered as any other, as in 4.5.3, and then it is.
                asked_for = re.search(rb"\r\nConnection:[^\r]*close", requests[len(read) - 1], re.IGNORECASE)
                assert last.start_line.code in (400, 413, 431, 101) or not last.keep_alive or asked_for

        property_holds()


def answers(answer: bytes, requests: list[bytes]) -> list[Any]:
    """The final responses in ``answer``; what was asked by HEAD has no body."""
    read: list[Any] = []
    methods = [one.partition(b" ")[0].decode() for one in requests]
    rest = answer
    while rest:
        method = methods[len(read)] if len(read) < len(methods) else "GET"

        def reader(method: str = method) -> ResponseReader:
            made = ResponseReader()
            made.expect(method)
            return made

        head, _, _ = rest.partition(b"\r\n\r\n")
        if head.startswith(b"HTTP/1.1 100"):
            rest = rest[len(head) + 4 :]
            continue
        outcome = feed(reader, [rest], eof=True)
        assert outcome.error is None or outcome.messages, (outcome.error, rest[:200])
        first = outcome.messages[0]
        read.append(first)
        if first.start_line.code == 101:
            break
        size = int(dict(first.headers).get("Content-Length", 0))
        bodiless = method == "HEAD" or first.start_line.code in (204, 304)
        rest = rest[len(head) + 4 + (0 if bodiless else size) :]
    return read


def test_whatever_is_damaged_nothing_is_logged_but_refusals(application: Application) -> None:
    damages = st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 30), st.binary(max_size=4)), max_size=3)
    with attacked(application, **OPTIONS) as server:

        @examples(40)
        @given(st.lists(REQUESTS, min_size=1, max_size=3), damages, PLACES)
        def property_holds(requests: list[bytes], changes: list[tuple[int, int, bytes]], places: list[int]) -> None:
            data = b"".join(requests)
            for at, gone, new in changes:
                at %= len(data) + 1
                data = data[:at] + new + data[at + gone :]
            server.loop.run_sync(lambda: converse(server, cut(data, places)), timeout=120)
            assert is_quiet(server)
            # Whoever comes next is served.
            assert server.ask("/form")[0] == 200

        property_holds()


def test_whatever_frames_come_nothing_is_logged_but_refusals(application: Application) -> None:
    with attacked(application, **OPTIONS) as server:

        @examples(40)
        @given(st.lists(FRAMES | st.binary(max_size=5), max_size=6).map(b"".join), PLACES)
        def property_holds(frames: bytes, places: list[int]) -> None:
            pieces = [HANDSHAKE, *cut(frames, places)]
            answer = server.loop.run_sync(lambda: converse(server, pieces), timeout=120)
            assert answer.startswith(b"HTTP/1.1 101") and is_quiet(server)

        property_holds()


def test_whatever_is_sent_to_a_wsgi_application_nothing_is_logged_but_refusals() -> None:
    def mirror(environ: Any, start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"].read()
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["PATH_INFO"].encode("latin-1"), environ["QUERY_STRING"].encode("latin-1"), body]

    with attacked(WSGIContainer(mirror), **OPTIONS) as server:

        @examples(40)
        @given(st.lists(REQUESTS, min_size=1, max_size=3), PLACES)
        def property_holds(requests: list[bytes], places: list[int]) -> None:
            answer = server.loop.run_sync(lambda: converse(server, cut(b"".join(requests), places)), timeout=120)
            assert is_quiet(server)
            assert answers(answer, requests)

        property_holds()
