"""Work is linear in the input: four times as much of the same costs at most some four times the operations.

Counted are the instructions that the interpreter executes in Python code, never seconds. What happens within one call
of C (a regular expression, a search) is not seen: the single tests of the parsers are for that.
"""

from __future__ import annotations

import logging
import pathlib
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest
from budget import examples
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "wire"))
from http1_feeding import feed

from tornado4 import escape, httputil
from tornado4._wire.http1 import RequestReader, ResponseReader
from tornado4._wire.websocket import FrameReader
from tornado4._wire.websocket_events import NEED_DATA, ProtocolError
from tornado4.web import decode_signed_value

TIMES = 4
#: What is said once, whatever the size: an error's message, a table that is built at first.
ONCE = 3000


def multipart(data: bytes) -> None:
    body = b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\n" + data + b"\r\n--b--\r\n"
    parse_body("multipart/form-data; boundary=b", body)


def parse_body(content_type: str, body: bytes) -> None:
    arguments: dict[str, Any] = {}
    files: dict[str, Any] = {}
    httputil.parse_body_arguments(content_type, body, arguments, files)


def frames(*pieces: bytes) -> None:
    reader = FrameReader(True, 1_000_000, None)
    for piece in pieces:
        reader.receive(piece)
        while reader.next_event() is not NEED_DATA:
            pass


def in_pieces(data: bytes) -> list[bytes]:
    return [data[at : at + 16] for at in range(0, len(data), 16)]


TARGETS: dict[str, Callable[[bytes], object]] = {
    "requests": lambda data: feed(RequestReader, [data]),
    "requests, piece by piece": lambda data: feed(RequestReader, in_pieces(data)),
    "a head's fields": lambda data: feed(RequestReader, [b"GET / HTTP/1.1\r\nHost: x\r\n" + data + b"\r\n\r\n"]),
    "chunks": lambda data: feed(
        RequestReader, [b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + data]
    ),
    "responses": lambda data: feed(ResponseReader, [data], eof=True),
    "multipart": multipart,
    "urlencoded": lambda data: parse_body("application/x-www-form-urlencoded", data),
    "cookies": lambda data: httputil.parse_cookie(data.decode("latin-1")),
    "header parameters": lambda data: httputil._parse_header(data.decode("latin-1")),
    "ranges": lambda data: httputil._parse_request_range("bytes=" + data.decode("latin-1")),
    "signed values": lambda data: decode_signed_value("s", "n", data),
    "frames": frames,
    "frames, piece by piece": lambda data: frames(*in_pieces(data)),
    "links": lambda data: escape.linkify(data.decode("latin-1")),
    "entities": lambda data: escape.xhtml_unescape(data.decode("latin-1")),
    "escapes": lambda data: escape.url_unescape(data.decode("latin-1")),
}

WORDS = st.sampled_from(
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", b"A: b\r\n",
        b" folded\r\n", b"3\r\nabc\r\n", b"1;e=\"x\r\n", b"--b\r\n", b"--b", b"\r\n\r\n", b"\n", b"\r", b":", b";",
        b"a=1&", b"%41", b"%", b"&", b"a=b; ", b'"', b'\\"', b"=", b"2|1:0|", b"10:", b"http://a.b/", b"(", b"&amp;",
        b"&#x41;", b"www.", b"-", b",", b"\xff", b"\x81\x80abcd", b"\x01\x83abcd123", b"\x80\x80abcd", b"\x89\x80abcd",
    ]
)  # fmt: skip


@pytest.fixture(autouse=True)
def _no_log() -> Iterator[None]:
    """Refusals are logged, each line for itself: what logging does is not ours."""
    logger = logging.getLogger("tornado.general")
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(logging.NOTSET)


def operations(function: Callable[[bytes], object], data: bytes) -> int:
    """How many instructions of Python code a call executes, whether it ends in a value or in an error."""
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function(data)
    except (httputil.HTTPInputError, ProtocolError, ValueError):
        pass
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("name", TARGETS)
@examples(60)
@given(st.lists(WORDS | st.binary(min_size=1, max_size=4), min_size=1, max_size=4).map(b"".join))
def test_four_times_as_much_is_four_times_the_work(name: str, unit: bytes) -> None:
    data = unit * (200 // len(unit) + 1)
    # Python 3.12 and later count the instructions of a function from its second traced call on.
    operations(TARGETS[name], data)
    some = operations(TARGETS[name], data)
    more = operations(TARGETS[name], data * TIMES)
    assert more <= some * TIMES * 1.5 + ONCE, (some, more, unit)


def test_what_is_not_linear_is_seen() -> None:
    def quadratic(data: bytes) -> int:
        return sum(1 for one in data for other in data if one == other)

    data = bytes(200)
    assert operations(quadratic, data * TIMES) > operations(quadratic, data) * TIMES * 1.5 + ONCE
