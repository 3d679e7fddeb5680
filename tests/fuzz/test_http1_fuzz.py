"""Whatever arrives: the readers end in events or in an `HTTPInputError`, and the cutting does not matter."""

from __future__ import annotations

import pathlib
import sys

from budget import cut, examples
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "wire"))
from http1_feeding import feed

from tornado4 import httputil
from tornado4._wire.http1 import RequestReader, ResponseReader

WORDS = st.sampled_from(
    [
        b"GET / HTTP/1.1\r\n", b"POST /a HTTP/1.0\r\n", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 204 \r\n",
        b"Host: x\r\n", b"Connection: close\r\n", b"A: b\r\n", b" folded\r\n",
        b"Content-Length: 3\r\n", b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n",
        b"3\r\nabc\r\n", b"0\r\n\r\n", b"1;e\r\nx\r\n", b"abc",
        b"\r\n", b"\n", b"\r", b"\x00", b":", b" ", b"\xff", b"-1", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    ]
)  # fmt: skip
STREAMS = st.lists(WORDS | st.binary(max_size=8), max_size=30).map(b"".join)


@examples(300)
@given(STREAMS, st.lists(st.integers(0, 10_000), max_size=8))
def test_requests_read_the_same_however_they_are_cut(data: bytes, places: list[int]) -> None:
    whole = feed(RequestReader, [data])
    parts = feed(RequestReader, cut(data, places))
    assert parts.messages == whole.messages
    assert parts.status == whole.status


@examples(300)
@given(STREAMS, st.lists(st.integers(0, 10_000), max_size=8))
def test_responses_read_the_same_however_they_are_cut(data: bytes, places: list[int]) -> None:
    whole = feed(ResponseReader, [data], eof=True)
    parts = feed(ResponseReader, cut(data, places), eof=True)
    assert parts.messages == whole.messages
    assert parts.status == whole.status


@examples(200)
@given(
    st.binary(max_size=200) | STREAMS,
    st.sampled_from(["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]),
)
def test_bodies_end_in_arguments_or_in_an_input_error(data: bytes, content_type: str) -> None:
    try:
        httputil.parse_body_arguments(content_type, b"--x\r\n" + data + b"\r\n--x--", {}, {})
    except httputil.HTTPInputError:
        pass


@examples(200)
@given(st.text(alphabet='ab=;,"\\ 0137%\t', max_size=60))
def test_small_parsers_take_any_text(text: str) -> None:
    httputil.parse_cookie(text)
    httputil._parse_header(text)
    httputil._parse_request_range("bytes=" + text)
    httputil.split_host_and_port(text)
