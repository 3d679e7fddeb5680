"""`HTTPServer`: adapters, proxies' headers, sockets of other kinds, options that reach the connection."""

from __future__ import annotations

import pathlib
import socket
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from tornado4 import gen, httpserver, httputil, netutil
from tornado4.httpserver import HTTPServer, _HTTPRequestContext, _ProxyAdapter, _ServerRequestAdapter
from tornado4.httputil import HTTPHeaders, HTTPServerRequest
from tornado4.ioloop import IOLoop
from tornado4.iostream import IOStream
from tornado4.testing import bind_unused_port


@pytest.fixture
def io_loop() -> Iterator[IOLoop]:
    loop = IOLoop()
    loop.make_current()
    yield loop
    loop.clear_current()
    loop.close(all_fds=True)


def reply(request: HTTPServerRequest, body: bytes = b"hello") -> None:
    headers = HTTPHeaders({"Content-Length": str(len(body))})
    request.connection.write_headers(httputil.ResponseStartLine("", 200, "OK"), headers, body)
    request.connection.finish()


def fetch(io_loop: IOLoop, server: HTTPServer, data: bytes, sock: socket.socket | None = None) -> bytes:
    """Send ``data`` to ``server`` and read to the end of the connection."""

    @gen.coroutine
    def conversation() -> Generator[Any, Any, bytes]:
        if sock is None:
            listening, port = bind_unused_port()
            client, address = IOStream(socket.socket()), ("127.0.0.1", port)
        else:
            listening, client, address = sock, IOStream(socket.socket(socket.AF_UNIX)), sock.getsockname()
        server.add_socket(listening)
        yield client.connect(address)
        yield client.write(data)
        answer = yield client.read_until_close()
        client.close()
        server.stop()
        yield server.close_all_connections()
        return answer

    answer: bytes = io_loop.run_sync(conversation, timeout=120)
    return answer


GET = b"GET /a?b=c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def test_callable_gets_the_request(io_loop: IOLoop) -> None:
    seen: list[HTTPServerRequest] = []
    server = HTTPServer(lambda request: (seen.append(request), reply(request)))
    head = b"POST /a?b=c HTTP/1.0\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    data = head + b"Content-Length: 3\r\n\r\nd=e"
    assert fetch(io_loop, server, data).endswith(b"\r\n\r\nhello")
    (request,) = seen
    assert request.arguments == {"b": [b"c"], "d": [b"e"]}
    assert (request.body, request.remote_ip, request.protocol) == (b"d=e", "127.0.0.1", "http")


def test_callable_may_write_raw_bytes_as_in_453(io_loop: IOLoop) -> None:
    def handle(request: HTTPServerRequest) -> None:
        request.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        request.write(b"hello")
        request.finish()

    assert fetch(io_loop, HTTPServer(handle), GET) == b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def test_too_many_form_arguments_are_answered_with_400(io_loop: IOLoop) -> None:
    server = HTTPServer(reply)
    body = b"a=b&" * 1001
    head = b"POST / HTTP/1.0\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n"
    assert fetch(io_loop, server, head % len(body) + body).startswith(b"HTTP/1.1 400 ")


def test_unix_socket(io_loop: IOLoop, tmp_path: pathlib.Path) -> None:
    seen: list[HTTPServerRequest] = []
    server = HTTPServer(lambda request: (seen.append(request), reply(request)))
    sock = netutil.bind_unix_socket(str(tmp_path / "s"))
    assert fetch(io_loop, server, GET, sock).endswith(b"hello")
    assert seen[0].remote_ip == "0.0.0.0"


def test_protocol_option(io_loop: IOLoop) -> None:
    server = HTTPServer(lambda request: reply(request, request.protocol.encode()), protocol="https")
    assert fetch(io_loop, server, GET).endswith(b"https")


def test_no_keep_alive_option(io_loop: IOLoop) -> None:
    server = HTTPServer(reply, no_keep_alive=True)
    assert fetch(io_loop, server, GET.replace(b"Connection: close\r\n", b"") * 2).count(b"hello") == 1


def test_options_reach_the_connections() -> None:
    server = HTTPServer(
        reply, decompress_request=True, chunk_size=1, max_header_size=2, max_body_size=3, body_timeout=4
    )
    params = server.conn_params
    assert vars(params) == {
        "no_keep_alive": False,
        "chunk_size": 1,
        "max_header_size": 2,
        "max_body_size": 3,
        "body_timeout": 4,
        "header_timeout": 3600,
        "decompress": True,
    }
    assert HTTPServer(reply, idle_connection_timeout=5).conn_params.header_timeout == 5


def test_connections_are_kept_and_forgotten(io_loop: IOLoop) -> None:
    seen: list[int] = []
    server = HTTPServer(lambda request: (seen.append(len(server._connections)), reply(request)))
    fetch(io_loop, server, GET)
    assert seen == [1] and server._connections == set()


class Socket:
    family = socket.AF_INET


class Stream:
    socket = Socket


def context(**headers: str) -> _HTTPRequestContext:
    made = _HTTPRequestContext(Stream, ("1.2.3.4", 5), None, ["5.5.5.5"])
    made._apply_xheaders(HTTPHeaders(headers))
    return made


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({}, "1.2.3.4"),
        ({"X-Real-Ip": "4.4.4.4"}, "4.4.4.4"),
        ({"X-Real-Ip": "2620:0:1cfe:face:b00c::3"}, "2620:0:1cfe:face:b00c::3"),
        ({"X-Forwarded-For": "127.0.0.1, 4.4.4.4"}, "4.4.4.4"),
        ({"X-Forwarded-For": "127.0.0.1, 4.4.4.4, 5.5.5.5"}, "4.4.4.4"),
        ({"X-Forwarded-For": "4.4.4.4", "X-Real-Ip": "6.6.6.6"}, "6.6.6.6"),
        ({"X-Real-Ip": "4.4.4.4<script>"}, "1.2.3.4"),
        ({"X-Real-Ip": "www.google.com"}, "1.2.3.4"),
        ({"X-Forwarded-For": ""}, "1.2.3.4"),
    ],
)
def test_address_from_a_proxy(headers: dict[str, str], address: str) -> None:
    made = context(**headers)
    assert made.remote_ip == address and made._orig_remote_ip == "1.2.3.4"
    made._unapply_xheaders()
    assert made.remote_ip == "1.2.3.4"


@pytest.mark.parametrize(
    ("headers", "protocol"),
    [
        ({"X-Scheme": "https"}, "https"),
        ({"X-Forwarded-Proto": "https"}, "https"),
        ({"X-Forwarded-Proto": "https", "X-Scheme": "http"}, "http"),
        ({"X-Scheme": "gopher"}, "http"),
        ({"X-Forwarded-Proto": "https, http"}, "http"),
        ({"X-Forwarded-Proto": "http, https"}, "https"),
    ],
)
def test_protocol_from_a_proxy(headers: dict[str, str], protocol: str) -> None:
    assert context(**headers).protocol == protocol


def test_proxy_headers_hold_for_one_request(io_loop: IOLoop) -> None:
    def application(request: HTTPServerRequest) -> None:
        reply(request, str(request.remote_ip).encode())

    server = HTTPServer(application, xheaders=True)
    first = b"GET / HTTP/1.1\r\nHost: x\r\nX-Real-Ip: 4.4.4.4\r\n\r\n"
    answer = fetch(io_loop, server, first + GET)
    assert [part.partition(b"\r\n\r\n")[2] for part in answer.split(b"HTTP/1.1")[1:]] == [
        b"4.4.4.4",
        b"127.0.0.1",
    ]


@pytest.mark.parametrize(("address", "shown"), [("", ""), (b"ab", "ab"), (None, "None")])
def test_name_of_a_unix_peer_as_in_453(address: Any, shown: str) -> None:
    class Unix:
        class socket:
            family = socket.AF_UNIX

    assert str(_HTTPRequestContext(Unix, address, None)) == shown


def test_old_adapter_applies_xheaders() -> None:
    """Until 4.4 `start_request` returned it; OctoPrint and others make one."""

    class Connection:
        context = _HTTPRequestContext(Stream, ("1.2.3.4", 5), None)

    seen: list[HTTPServerRequest] = []
    server = HTTPServer(seen.append, xheaders=True)
    adapter = _ServerRequestAdapter(server, None, Connection)
    assert isinstance(adapter, _ProxyAdapter)
    adapter.headers_received(
        httputil.RequestStartLine("GET", "/", "HTTP/1.1"), HTTPHeaders({"X-Real-Ip": "4.4.4.4"})
    )
    adapter.data_received(b"ab")
    adapter.data_received(b"cd")
    assert adapter.request is not None and adapter.request.remote_ip == "4.4.4.4"
    adapter.finish()
    assert seen == [adapter.request] and seen[0].body == b"abcd"
    assert Connection.context.remote_ip == "1.2.3.4"


def test_request_class_has_its_old_name() -> None:
    assert httpserver.HTTPRequest is HTTPServerRequest


def test_a_start_request_that_raises_costs_that_connection_only(
    io_loop: IOLoop, caplog: pytest.LogCaptureFixture
) -> None:
    """The loop logs it and the server forgets the connection, as in 4.5.3: `close_all_connections` ends."""

    class OldStyle(httputil.HTTPServerConnectionDelegate):
        def start_request(self, connection: object) -> None:  # type: ignore[override]
            """The signature of 4.0."""

    server = HTTPServer(OldStyle())
    assert fetch(io_loop, server, b"") == b""
    assert not server._connections
    assert [record.name for record in caplog.records] == ["tornado.application"]
