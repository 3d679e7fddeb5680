"""Recorded requests become steps: HAR, .http files, raw bytes, WebSocket transcripts, routes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tornado4.migrate.diff.cookies import CookieJar
from tornado4.migrate.diff.frames import FrameSplitter
from tornado4.migrate.diff.message import responses
from tornado4.migrate.diff.traffic import (
    Route,
    TrafficError,
    crawl,
    read_har,
    read_http_file,
    read_raw,
    read_websocket,
)
from tornado4.migrate.diff.traffic.crawl import example_path


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def entry(method: str = "GET", url: str = "http://shop.test/", **more: Any) -> dict[str, Any]:
    headers = [{"name": name, "value": value} for name, value in more.pop("headers", ())]
    extra = more.pop("extra", {})
    return {"request": {"method": method, "url": url, "headers": headers, **more}, **extra}


def har(folder: Path, *entries: dict[str, Any]) -> Path:
    return write(folder, "session.har", json.dumps({"log": {"version": "1.2", "entries": list(entries)}}))


# -- HAR ---------------------------------------------------------------------------------------------------


def test_har_entries_become_the_bytes_of_requests(tmp_path: Path) -> None:
    first = entry(url="http://shop.test/a%20b?q=1", headers=[("Accept", "*/*"), ("Cookie", "a=1")])
    (sequence,), notes = read_har(har(tmp_path, first))
    (step,) = sequence.steps
    assert step.send[0].data == (
        b"GET /a%20b?q=1 HTTP/1.1\r\nHost: shop.test\r\nAccept: */*\r\nCookie: a=1\r\n\r\n"
    )
    assert step.name == "GET /a%20b?q=1" and step.origin == "session.har, entry 1"
    assert not step.unsafe and sequence.keep_cookies and notes == []


def test_har_http2_fields_are_dropped_and_lengths_counted_afresh(tmp_path: Path) -> None:
    headers = [(":authority", "shop.test"), (":path", "/"), ("content-length", "99"), ("content-type", "text/plain")]
    (sequence,), _ = read_har(har(tmp_path, entry("POST", headers=headers, postData={"mimeType": "", "text": "é"})))
    (step,) = sequence.steps
    assert step.unsafe
    assert step.send[0].data == (
        b"POST / HTTP/1.1\r\nHost: shop.test\r\ncontent-type: text/plain\r\nContent-Length: 2\r\n\r\n\xc3\xa9"
    )


def test_har_params_are_encoded_as_a_form_or_as_parts(tmp_path: Path) -> None:
    params = [{"name": "a", "value": "1 2"}, {"name": "f", "value": "text", "fileName": "f.txt"}]
    form = {"mimeType": "application/x-www-form-urlencoded", "params": params[:1]}
    parts = {"mimeType": "multipart/form-data; boundary=lost", "params": params}
    (sequence,), _ = read_har(har(tmp_path, entry("POST", postData=form), entry("POST", postData=parts)))
    one, other = (step.send[0].data for step in sequence.steps)
    assert one.endswith(b"\r\n\r\na=1+2")
    assert b'Content-Disposition: form-data; name="f"; filename="f.txt"' in other and b"lost" not in other


def test_har_entries_of_other_hosts_are_left_out_with_a_note(tmp_path: Path) -> None:
    (sequence,), notes = read_har(har(tmp_path, entry(), entry(url="https://cdn.test/x.js"), entry(url="data:,x")))
    assert len(sequence.steps) == 1
    assert notes == ["session.har: 1 entries of other hosts than shop.test left out"]


def test_har_websocket_messages_become_a_sequence_of_frames(tmp_path: Path) -> None:
    messages = [
        {"type": "receive", "opcode": 1, "data": "welcome"},
        {"type": "send", "opcode": 1, "data": "hello"},
        {"type": "send", "opcode": 2, "data": "AP8="},
        {"type": "receive", "opcode": 1, "data": "echo"},
        {"type": "send", "opcode": 8, "data": "A+g="},
    ]
    (sequence,), _ = read_har(har(tmp_path, entry(url="ws://shop.test/ws", extra={"_webSocketMessages": messages})))
    handshake, *exchanges = sequence.steps
    assert handshake.websocket and handshake.new_connection and not handshake.frames
    sends = [(send.opcode, send.data) for step in exchanges for send in step.send]
    assert sends == [(1, b"hello"), (2, b"\x00\xff"), (8, b"\x03\xe8")]
    assert [step.expect_frames for step in exchanges] == [1, 1, 0]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "not a HAR file"),
        ("[]", "no 'log'"),
        ('{"log": {}}', "no 'entries'"),
        ('{"log": {"entries": [{}]}}', "entry 1: not HAR 1.2: no 'request'"),
        ('{"log": {"entries": [{"request": {"url": "http://x/", "headers": []}}]}}', "no 'method'"),
        ('{"log": {"entries": [{"request": {"url": "http://x/", "headers": [], "method": "A B"}}]}}', "request line"),
        (b"\xff\xfe", "not UTF-8 at byte 0"),
        ("[" * 100_000, "nested too deep"),
    ],
)
def test_a_broken_har_is_named_with_what_is_wrong(tmp_path: Path, content: str | bytes, complaint: str) -> None:
    path = write(tmp_path, "bad.har", content)
    with pytest.raises(TrafficError, match=complaint) as caught:
        read_har(path)
    assert "bad.har" in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrafficError, match=r"none\.har: No such file"):
        read_har(tmp_path / "none.har")


# -- .http files -------------------------------------------------------------------------------------------


def test_http_file_with_all_that_it_may_hold(tmp_path: Path) -> None:
    write(tmp_path, "picture.png", b"\x89PNG")
    path = write(
        tmp_path,
        "requests.http",
        "@id = 42\n\n### the item\nGET /items/{{id}}\n  ?page=2\n  &size=1 HTTP/1.0\nAccept: text/html\n# no header\n\n"
        "### \n// @name create\nPOST http://shop.test:80/items HTTP/1.1\nContent-Type: text/plain\n\n"
        "line 1\n\nline 2\n\n"
        "###\n# @new-connection\nPUT /picture\n< ./picture.png\n###\n/plain\n",
    )
    item, create, picture, plain = read_http_file(path).steps
    assert item.send[0].data == b"GET /items/42?page=2&size=1 HTTP/1.0\r\nHost: localhost\r\nAccept: text/html\r\n\r\n"
    assert (item.name, item.origin) == ("the item: GET /items/42?page=2&size=1", "requests.http, line 4")
    assert create.name == "create: POST /items" and create.unsafe
    assert create.send[0].data.startswith(b"POST /items HTTP/1.1\r\nHost: shop.test:80\r\n")
    assert create.send[0].data.endswith(b"Content-Length: 14\r\n\r\nline 1\n\nline 2")
    assert picture.new_connection and picture.send[0].data.endswith(b"\r\n\r\n\x89PNG")
    assert plain.send[0].data.startswith(b"GET /plain HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "no request in it"),
        ("GET /{{id}}", "line 1: the variable 'id' has no value"),
        ("GET /\nno header", "line 2: 'no header' is no header"),
        ("\nwhat is this", "line 2: 'what is this' is no request line"),
        ("POST /\n\n> {% test %}", "line 3: scripts are not run"),
        ("POST /\n< ./none", "No such file"),
    ],
)
def test_a_broken_http_file_is_named_with_the_line(tmp_path: Path, content: str, complaint: str) -> None:
    with pytest.raises(TrafficError, match=complaint):
        read_http_file(write(tmp_path, "bad.http", content))


# -- raw bytes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "unsafe"),
    [
        (b"GET / HTTP/1.1\r\n\r\nHEAD / HTTP/1.1\r\n\r\n", False),
        (b"GET / HTTP/1.1\r\n\r\nPOST / HTTP/1.1\r\n\r\n", True),
        (b"\r\n\r\ndelete  /x  HTTP/1.1\n\n", True),
        (b"\x00\xffgarbage", False),
    ],
)
def test_raw_bytes_stay_as_they_are_and_unsafe_ones_are_noticed(tmp_path: Path, data: bytes, unsafe: bool) -> None:
    sequence = read_raw(write(tmp_path, "x.bin", data))
    (step,) = sequence.steps
    assert step.send[0].data == data and step.raw and step.new_connection
    assert step.unsafe is unsafe and not sequence.keep_cookies


def test_an_empty_raw_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrafficError, match="empty"):
        read_raw(write(tmp_path, "x.bin", b""))


# -- WebSocket transcripts ---------------------------------------------------------------------------------


def test_a_websocket_transcript_is_a_handshake_and_exchanges(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "chat.ws",
        "# a comment\nheader Origin: http://x\nconnect /chat?room=1\nexpect\nsend hello you\n"
        'send "a\\nb"\nexpect 2\n'
        "send-binary 00 ff\nping p\nraw 81 00\nexpect text done\nclose 1000 bye\nexpect close\n",
    )
    handshake, texts, mixed, closing = read_websocket(path).steps
    assert handshake.send[0].data.startswith(b"GET /chat?room=1 HTTP/1.1\r\nHost: localhost\r\nOrigin: http://x\r\n")
    assert handshake.expect_frames == 1 and not handshake.frames
    assert [(send.opcode, send.data) for send in texts.send] == [(1, b"hello you"), (1, b"a\nb")]
    assert texts.frames and texts.expect_frames == 2
    assert [(send.opcode, send.data) for send in mixed.send] == [(2, b"\x00\xff"), (9, b"p"), (None, b"\x81\x00")]
    assert mixed.expect_payload == b"done"
    assert closing.send[0].data == b"\x03\xe8bye" and closing.expect_close


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "no 'connect' in it"),
        ("send x", "line 1: 'send' before 'connect'"),
        ("connect /\nconnect /", "line 2: 'connect' after 'connect'"),
        ("connect chat", "wants a path"),
        ("connect /\nshout x", "'shout' is none of"),
        ("connect /\nsend-binary xx", "not hexadecimal"),
        ("connect /\nclose soon", "no close code"),
        ("connect /\nexpect all", "'expect all'"),
        ('connect /\nsend "x', "not a JSON string"),
        ("header x\nconnect /", "'name: value'"),
    ],
)
def test_a_broken_transcript_is_named_with_the_line(tmp_path: Path, content: str, complaint: str) -> None:
    with pytest.raises(TrafficError, match=complaint):
        read_websocket(write(tmp_path, "bad.ws", content))


def test_frames_are_split_as_they_came_whole_and_byte_by_byte() -> None:
    ((handshake,), _) = responses(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")
    data = b"\x01\x02ab\x80\x01c\x82\x7e\x00\x80" + b"x" * 128 + b"\x88\x05\x03\xe8bye"
    whole = FrameSplitter(handshake).feed(data)
    splitter = FrameSplitter(handshake)
    assert [frame for n in range(len(data)) for frame in splitter.feed(data[n : n + 1])] == whole
    assert [(frame.opcode, frame.close_code) for frame in whole] == [(1, None), (0, None), (2, None), (8, 1000)]


# -- crawl -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/$", "/"),
        (r"/items/(\d+)$", "/items/1"),
        (r"/(?P<user>[a-z]+)/(?P<year>\d{4})\.html$", "/abc/2016.html"),
        (r"/static/(.*)$", "/static/1"),
        (r"/about/?$", "/about"),
        (r"/(robots\.txt)$", "/robots.txt"),
        (r"/as/(xml|json)$", "/as/xml"),
        ("/[a-z]+$", "/abc"),
        (r"/x(", None),
        (r"relative$", None),
    ],
)
def test_a_path_is_made_up_for_a_pattern(pattern: str, path: str | None) -> None:
    assert example_path(pattern) == path


def test_crawl_asks_each_route_for_each_method_and_variations() -> None:
    routes = [
        Route("/form$", ("GET", "POST"), "app.Form"),
        Route("/ws$", ("GET",), "app.Chat", websocket=True),
        Route(r"/static/(.*)$", ("GET", "HEAD"), "tornado.web.StaticFileHandler", files=("a.css", "b/c.js")),
        Route("(", ("GET",), "app.Lost"),
    ]
    sequences, notes = crawl(routes)
    names = [[step.name for step in sequence.steps] for sequence in sequences]
    assert names[0][:4] == ["GET /form", "HEAD /form", "OPTIONS /form", "POST /form"]
    assert "GET /form HTTP/1.0" in names[0] and "GET /form as gzip" in names[0]
    assert names[1][0] == "WebSocket /ws"
    assert {"GET /static/a.css", "GET /static/b/c.js"} <= set(names[2])
    assert names[3] == ["GET /no/such/page.tornado4-diff"]
    assert notes == ["no path found for the route '(' (app.Lost)"]


# -- cookies -----------------------------------------------------------------------------------------------


def jar_with(*cookies: str) -> CookieJar:
    jar = CookieJar()
    fields = "".join(f"Set-Cookie: {cookie}\r\n" for cookie in cookies)
    jar.learn(responses(f"HTTP/1.1 200 OK\r\n{fields}Content-Length: 0\r\n\r\n".encode())[0][0])
    return jar


def test_a_side_is_sent_its_own_cookies_in_place_of_the_recorded_ones() -> None:
    jar = jar_with("id=new; Path=/", "deep=1; Path=/deep", "gone=; expires=Mon, 01 Jan 2001 00:00:00 GMT")
    sent = jar.personalise(b"GET /x HTTP/1.1\r\nHost: x\r\nCookie: id=old; gone=1; kept=2\r\n\r\n")
    assert sent == b"GET /x HTTP/1.1\r\nHost: x\r\nCookie: id=new; kept=2\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "body", "expected"),
    [
        ("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 11\r\n", "a=1&_xsrf=o", "a=1&_xsrf=2%7Ct"),
        ("Content-Type: multipart/form-data\r\n", 'name="_xsrf"\r\n\r\nold\r\n', 'name="_xsrf"\r\n\r\n2|t\r\n'),
    ],
)
def test_a_side_is_sent_its_own_xsrf_token_in_a_body(head: str, body: str, expected: str) -> None:
    sent = jar_with("_xsrf=2|t; Path=/").personalise(f"POST / HTTP/1.1\r\n{head}\r\n{body}".encode())
    assert sent.endswith(f"\r\n\r\n{expected}".encode())
    if "Content-Length" in head:
        assert f"Content-Length: {len(expected)}\r\n".encode() in sent


def test_a_side_is_sent_its_own_xsrf_token_in_query_and_header() -> None:
    sent = jar_with("_xsrf=t; Path=/").personalise(b"POST /?_xsrf=old&b=1 HTTP/1.1\r\nX-XSRFToken: old\r\n\r\n")
    assert sent == b"POST /?_xsrf=t&b=1 HTTP/1.1\r\nX-XSRFToken: t\r\nCookie: _xsrf=t\r\n\r\n"
    assert jar_with("_xsrf=t").personalise(b"GET /?_xsrf=o HTTP/1.1\r\n\r\n").startswith(b"GET /?_xsrf=t HTTP/1.1\r\n")


def test_a_multipart_body_has_crlf_and_the_bytes_of_files(tmp_path: Path) -> None:
    write(tmp_path, "raw.bin", b"a\nb\x00")
    text = (
        "POST /up\nContent-Type: multipart/form-data; boundary=B\n\n--B\n"
        'Content-Disposition: form-data; name="f"; filename="raw.bin"\n\n< raw.bin\n--B--\n\n'
    )
    (step,) = read_http_file(write(tmp_path, "up.http", text)).steps
    body = step.send[0].data.partition(b"\r\n\r\n")[2]
    head = b'--B\r\nContent-Disposition: form-data; name="f"; filename="raw.bin"\r\n\r\n'
    assert body == head + b"a\nb\x00\r\n--B--\r\n"
