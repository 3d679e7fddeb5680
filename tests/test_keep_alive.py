# ruff: noqa: F811  (fixtures are arguments)
"""`SimpleAsyncHTTPClient` with ``keep_alive``: what is used again, what is not, and what happens to the dead."""

from __future__ import annotations

import socket
import ssl
from typing import Any

import pytest
from clocks import pass_time, passing_time  # noqa: F401  (one is a fixture)
from stream_pairs import certificate, loop, run_until, wait  # noqa: F401  (some are fixtures)

from tornado4 import gen
from tornado4._http1.idle_pool import IdlePool
from tornado4.httpclient import AsyncHTTPClient, HTTPError, HTTPRequest
from tornado4.httpserver import HTTPServer
from tornado4.iostream import IOStream, StreamClosedError
from tornado4.netutil import bind_sockets
from tornado4.simple_httpclient import SimpleAsyncHTTPClient, _HTTPConnection
from tornado4.tcpserver import TCPServer
from tornado4.testing import AsyncTestCase, gen_test
from tornado4.web import Application, RequestHandler
from tornado4.websocket import WebSocketHandler, websocket_connect

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


class Server(TCPServer):
    """Answers request after request on a connection by ``answer(head)``; None is a close without an answer."""

    def __init__(self, io_loop: Any) -> None:
        super().__init__(io_loop=io_loop)
        self.streams: list[IOStream] = []
        self.heads: list[bytes] = []
        self.answer: Any = lambda head: OK
        (sock,) = bind_sockets(0, "127.0.0.1", family=socket.AF_INET)
        self.port = sock.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self.add_socket(sock)

    @gen.coroutine
    def handle_stream(self, stream: IOStream, address: Any) -> Any:
        self.streams.append(stream)
        try:
            while True:
                head = yield stream.read_until(b"\r\n\r\n")
                self.heads.append(head)
                if b"Content-Length: " in head:
                    yield stream.read_bytes(int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0]))
                answer = self.answer(head)
                if answer is None:
                    stream.close()
                    return
                yield stream.write(answer)
        except StreamClosedError:
            pass


class KeepAliveTest(AsyncTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.server = Server(self.io_loop)
        self.client = self.make()

    def make(self, **kwargs: Any) -> Any:
        kwargs.setdefault("keep_alive", True)
        client = SimpleAsyncHTTPClient(self.io_loop, force_instance=True, **kwargs)
        self.addCleanup(client.close)
        return client

    def tearDown(self) -> None:
        self.server.stop()
        for stream in self.server.streams:
            stream.close()
        super().tearDown()

    @gen.coroutine
    def until(self, condition: Any) -> Any:
        while not condition():
            yield gen.moment

    @gen_test
    def test_requests_to_an_origin_share_a_connection(self) -> Any:
        for _ in range(5):
            response = yield self.client.fetch(self.server.url)
            assert response.body == b"hi"
        assert len(self.server.streams) == 1
        assert all(b"Connection: keep-alive\r\n" in head for head in self.server.heads)
        assert len(self.client._idle_pool) == 1

    @gen_test
    def test_without_it_each_request_says_close(self) -> Any:
        client = self.make(keep_alive=False)
        for _ in range(2):
            yield client.fetch(self.server.url)
        assert len(self.server.streams) == 2
        assert all(b"Connection: close\r\n" in head for head in self.server.heads)
        assert client._idle_pool is None

    @gen_test
    def test_configure_turns_it_on(self) -> Any:
        saved = AsyncHTTPClient._save_configuration()
        try:
            AsyncHTTPClient.configure(None, keep_alive=True)
            client = AsyncHTTPClient(self.io_loop, force_instance=True)
        finally:
            AsyncHTTPClient._restore_configuration(saved)
        for _ in range(2):
            yield client.fetch(self.server.url)
        client.close()
        assert len(self.server.streams) == 1

    @gen_test
    def test_requests_at_the_same_time_have_connections_of_their_own(self) -> Any:
        yield [self.client.fetch(self.server.url) for _ in range(3)]
        assert len(self.server.streams) == 3
        yield [self.client.fetch(self.server.url) for _ in range(3)]
        assert len(self.server.streams) == 3

    @gen_test
    def test_a_queued_request_gets_the_connection_that_was_waited_for(self) -> Any:
        client = self.make(max_clients=1)
        yield [client.fetch(self.server.url) for _ in range(3)]
        assert len(self.server.streams) == 1
        assert not client.active

    @gen_test
    def test_redirects_within_an_origin_stay_on_the_connection(self) -> Any:
        self.server.answer = lambda head: (
            OK if b"GET /x" in head else b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"
        )
        response = yield self.client.fetch(self.server.url)
        assert response.body == b"hi"
        assert response.effective_url.endswith("/x")
        assert len(self.server.streams) == 1

    @gen_test
    def test_bodies_of_every_framing_leave_the_connection_at_its_next_message(self) -> Any:
        answers = [
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nA: b\r\n\r\n",
            b"HTTP/1.1 204 No Content\r\n\r\n",
            b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
            b"HTTP/1.1 103 Early\r\n\r\n" + OK,
            OK,
        ]
        self.server.answer = lambda head: answers.pop(0)
        codes = []
        for _ in range(5):
            response = yield self.client.fetch(self.server.url, raise_error=False)
            codes.append((response.code, response.body))
        assert codes == [(200, b"hi"), (204, b""), (304, b""), (200, b"hi"), (200, b"hi")]
        assert len(self.server.streams) == 1

    @gen_test
    def test_a_head_and_a_post_share_it_too(self) -> Any:
        self.server.answer = lambda head: OK[:-2] if head.startswith(b"HEAD") else OK
        yield self.client.fetch(self.server.url, method="HEAD")
        response = yield self.client.fetch(self.server.url, method="POST", body=b"x" * 300_000)
        assert response.body == b"hi"
        assert len(self.server.streams) == 1

    @gen_test
    def test_what_says_close_is_closed(self) -> Any:
        answers = [
            OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
            OK.replace(b"HTTP/1.1", b"HTTP/1.0"),
            OK + b"and more",
        ]
        for number in range(3):
            self.server.answer = lambda head, number=number: answers[number]
            yield self.client.fetch(self.server.url)
            yield self.until(lambda: self.server.streams[-1].closed() or not self.client._idle_pool)
            assert len(self.server.streams) == number + 1
        self.server.answer = lambda head: OK
        yield self.client.fetch(self.server.url, headers={"Connection": "close"})
        assert len(self.client._idle_pool) == 0

    @gen_test
    def test_a_connection_that_was_closed_meanwhile_is_not_used(self) -> Any:
        yield self.client.fetch(self.server.url)
        self.server.streams[0].close()
        yield self.client.fetch(self.server.url, method="POST", body="")
        assert len(self.server.streams) == 2

    @gen_test
    def test_a_connection_that_is_closed_on_the_request_is_replaced_once_where_that_is_harmless(self) -> Any:
        for method, body in (("GET", None), ("PUT", b"b"), ("DELETE", None)):
            self.server.answer = lambda head: OK
            yield self.client.fetch(self.server.url)
            before, first = len(self.server.streams), [None]
            self.server.answer = lambda head, first=first: first.pop() if first else OK
            response = yield self.client.fetch(self.server.url, method=method, body=body)
            assert response.body == b"hi"
            assert len(self.server.streams) == before + 1

    @gen_test
    def test_a_post_is_not_sent_twice(self) -> Any:
        yield self.client.fetch(self.server.url)
        self.server.answer = lambda head: None
        with self.assertRaises(HTTPError) as caught:
            yield self.client.fetch(self.server.url, method="POST", body=b"once")
        assert caught.exception.code == 599
        assert sum(head.startswith(b"POST") for head in self.server.heads) == 1
        assert not self.client.active

    @gen_test
    def test_nothing_is_sent_a_third_time(self) -> Any:
        yield self.client.fetch(self.server.url)
        self.server.answer = lambda head: None
        with self.assertRaises(HTTPError):
            yield self.client.fetch(self.server.url)
        assert len(self.server.heads) == 3
        assert not self.client.active

    @gen_test
    def test_an_answer_that_has_begun_is_not_asked_for_again(self) -> Any:
        yield self.client.fetch(self.server.url)
        self.server.answer = lambda head: (self.server.streams[0].write(OK[:-1]), None)[1]
        with self.assertRaises(HTTPError):
            yield self.client.fetch(self.server.url)
        assert len(self.server.heads) == 2

    @gen_test
    def test_no_more_than_so_many_are_kept(self) -> Any:
        client = self.make(max_clients=5, max_idle_connections=2)
        yield [client.fetch(self.server.url) for _ in range(5)]
        assert len(client._idle_pool) == 2
        none = self.make(max_idle_connections=0)
        yield none.fetch(self.server.url)
        assert len(none._idle_pool) == 0

    @pytest.mark.usefixtures("passing_time")
    @gen_test
    def test_and_not_for_longer_than_that(self) -> Any:
        client = self.make(idle_timeout=30)
        yield client.fetch(self.server.url)
        assert len(client._idle_pool) == 1
        pass_time(self.io_loop, 40)
        yield self.until(lambda: not len(client._idle_pool))
        yield self.until(lambda: self.server.streams[0].closed() or self.server.streams[0].reading())
        assert client._idle_pool._timer is None

    @gen_test
    def test_a_closed_client_keeps_nothing(self) -> Any:
        client = self.make()
        yield client.fetch(self.server.url)
        client.close()
        assert len(client._idle_pool) == 0
        assert client._idle_pool._timer is None

    @gen_test
    def test_tls_options_and_hosts_are_part_of_the_key(self) -> Any:
        keys = set()
        contexts = [ssl.create_default_context(), ssl.create_default_context()]

        class Keys(IdlePool):
            def take(self, key: Any) -> None:
                keys.add(key)

        self.client._idle_pool = Keys(self.io_loop, 1, 1)
        requests = [HTTPRequest("https://a.test/", ssl_options=context) for context in contexts]
        requests += [
            HTTPRequest(url, **kwargs)
            for url in ("http://a.test/", "https://a.test/", "https://a.test:444/", "https://b.test/")
            for kwargs in ({}, {"validate_cert": False}, {"allow_ipv6": False})
        ]
        for request in requests:
            request.connect_timeout = request.request_timeout = 5
            request = type("R", (), {"__getattr__": lambda self, name, r=request: getattr(r, name)})()
            connection = _HTTPConnection.__new__(_HTTPConnection)
            connection.client, connection.request, connection.tcp_client = self.client, request, self.client.tcp_client
            scheme, host = request.url.split("://")
            assert not connection._reuse((scheme, host, request.allow_ipv6))
        assert len(keys) == 2 + 3 * 3 + 2  # of plain HTTP the TLS options do not matter

    @gen_test
    def test_a_websocket_is_none_of_its_business(self) -> Any:
        class Echo(WebSocketHandler):
            def on_message(self, message: Any) -> None:
                self.write_message(message)

        class Hello(RequestHandler):
            def get(self) -> None:
                self.write("hi")

        (sock,) = bind_sockets(0, "127.0.0.1", family=socket.AF_INET)
        server = HTTPServer(Application([("/ws", Echo), ("/", Hello)]), io_loop=self.io_loop)
        server.add_socket(sock)
        address = f"127.0.0.1:{sock.getsockname()[1]}"
        yield self.client.fetch(f"http://{address}/")
        conn = yield websocket_connect(f"ws://{address}/ws", io_loop=self.io_loop)
        conn.write_message("a")
        assert (yield conn.read_message()) == "a"
        conn.close()
        assert len(self.client._idle_pool) == 1
        server.stop()


def test_tls_connections_are_kept_as_well(loop, certificate):
    class Address(RequestHandler):
        def get(self) -> None:
            self.write(str(self.request.connection.context.address[1]))

    (sock,) = bind_sockets(0, "127.0.0.1", family=socket.AF_INET)
    server = HTTPServer(Application([("/", Address)]), io_loop=loop, ssl_options=certificate)
    server.add_socket(sock)
    client = SimpleAsyncHTTPClient(loop, force_instance=True, keep_alive=True)
    url = f"https://127.0.0.1:{sock.getsockname()[1]}/"
    ports = [wait(loop, client.fetch(url, validate_cert=False)).body for _ in range(3)]
    assert len(set(ports)) == 1
    strict = ssl.create_default_context()
    with pytest.raises(ssl.SSLError):
        wait(loop, client.fetch(url, ssl_options=strict))
    server.stop()
    wait(loop, server.close_all_connections())
    run_until(loop, lambda: not len(client._idle_pool))
    client.close()


def test_what_lies_behind_a_response_over_tls_is_no_answer_to_the_next_request(loop, certificate):
    class Talkative(Server):
        @gen.coroutine
        def handle_stream(self, stream, address):
            self.streams.append(stream)
            try:
                while True:
                    self.heads.append((yield stream.read_until(b"\r\n\r\n")))
                    stream.write(OK)
                    stream.write(OK.replace(b"hi", b"no"))  # a record of its own, which lies in the kernel
            except StreamClosedError:
                pass

    server = Talkative(loop)
    server.ssl_options = certificate
    client = SimpleAsyncHTTPClient(loop, force_instance=True, keep_alive=True, max_clients=1)
    url = server.url.replace("http:", "https:")
    # The second has been waiting, and starts at the very end of the first.
    fetches = [client.fetch(url, validate_cert=False) for _ in range(3)]
    assert [wait(loop, fetch).body for fetch in fetches] == [b"hi"] * 3
    assert len(server.streams) == 3
    client.close()
    server.stop()
    for stream in server.streams:
        stream.close()
