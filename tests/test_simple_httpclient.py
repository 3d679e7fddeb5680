"""simple_httpclient against raw servers: the bytes it sends, and what it makes of the bytes it gets."""

from __future__ import annotations

import gzip
import logging
import socket
import ssl
from typing import Any

import pytest
from clocks import pass_time
from raw_peers import OK, raw_server

from tornado4 import gen
from tornado4.httpclient import HTTPError, HTTPRequest, HTTPResponse, _RequestProxy
from tornado4.simple_httpclient import SimpleAsyncHTTPClient, _client_ssl_defaults, _HTTPConnection
from tornado4.testing import AsyncHTTPSTestCase


class Bench:
    """A raw server, a client, and `fetch` that returns the response whatever it is."""

    def __init__(self, io_loop: Any, server: Any) -> None:
        self.io_loop, self.server = io_loop, server
        self.client = self.new_client()

    def new_client(self, **kwargs: Any) -> SimpleAsyncHTTPClient:
        return SimpleAsyncHTTPClient(self.io_loop, force_instance=True, **kwargs)  # type: ignore[return-value]

    def fetch(self, path: str = "/", *script: Any, client: Any = None, **kwargs: Any) -> HTTPResponse:
        if script:
            self.server.scripts = [list(script)]
        url = path if "://" in path else self.server.url(path)
        chosen = client or self.client
        fetch = chosen.fetch
        response = self.io_loop.run_sync(lambda: fetch(url, raise_error=False, **kwargs), timeout=120)
        # The server reads the rest of the request, or its end.
        self.io_loop.run_sync(lambda: gen.sleep(0.005))
        return response  # type: ignore[no-any-return]

    @property
    def requests(self) -> list[bytes]:
        return self.server.requests  # type: ignore[no-any-return]

    def headers(self, index: int = -1) -> dict[str, str]:
        lines = self.requests[index].decode().split("\r\n")[1:-2]
        return dict(line.split(": ", 1) for line in lines)


@pytest.fixture
def bench() -> Any:
    with raw_server() as (io_loop, server):
        subject = Bench(io_loop, server)
        yield subject
        subject.client.close()


class TestBytesOnTheWire:
    """Byte for byte as 4.5.3 sends them."""

    def test_get(self, bench: Bench) -> None:
        bench.fetch("/x?y=1#fragment")
        (request,) = bench.requests
        assert request == (
            b"GET /x?y=1 HTTP/1.1\r\nConnection: close\r\n"
            b"Host: 127.0.0.1:PORT\r\nAccept-Encoding: gzip\r\n\r\n"
        )

    def test_post(self, bench: Bench) -> None:
        bench.fetch("/", method="POST", body="abc")
        assert bench.requests == [
            (b"POST / HTTP/1.1\r\nConnection: close\r\nHost: 127.0.0.1:PORT\r\nContent-Length: 3\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\nAccept-Encoding: gzip\r\n\r\n"),
            b"abc",
        ]

    def test_headers_given_win_and_come_first(self, bench: Bench) -> None:
        headers = {"X-A": "b", "Host": "foo", "Connection": "keep-alive"}
        bench.fetch("/", headers=headers, user_agent="ua", decompress_response=False)
        assert bench.requests == [
            b"GET / HTTP/1.1\r\nX-A: b\r\nHost: foo\r\nConnection: keep-alive\r\nUser-Agent: ua\r\n\r\n"
        ]

    def test_path_is_never_empty(self, bench: Bench) -> None:
        bench.fetch(f"http://127.0.0.1:{bench.server.port}?a=b")
        assert bench.requests[0].startswith(b"GET /?a=b HTTP/1.1\r\n")

    def test_chunked_and_sized_body_producers(self, bench: Bench) -> None:
        bench.fetch("/", method="POST", body_producer=lambda write: write(b"abc"))
        assert bench.requests[0].endswith(b"Transfer-Encoding: chunked\r\n\r\n")
        assert bench.requests[1] == b"3\r\nabc\r\n0\r\n\r\n"

        async def produce(write: Any) -> None:
            await write(b"ab")
            await gen.sleep(0)
            await write(b"c")

        bench.fetch("/", method="POST", body_producer=produce, headers={"Content-Length": "3"})
        assert b"Transfer-Encoding" not in bench.requests[2]
        assert bench.requests[3] == b"abc"

    @pytest.mark.parametrize(
        ("userinfo", "arguments", "expected"),
        [
            ("", {"auth_username": "u", "auth_password": "p"}, "Basic dTpw"),
            ("", {"auth_username": "u"}, "Basic dTo="),
            ("", {"auth_username": "é", "auth_password": "\u1234"}, "Basic w6k64Yi0"),
            ("a%40b:c@", {}, "Basic YSU0MGI6Yw=="),
            ("a:b@", {"auth_username": "u", "auth_password": "p"}, "Basic YTpi"),
        ],
    )
    def test_basic_authentication(
        self, bench: Bench, userinfo: str, arguments: dict[str, str], expected: str
    ) -> None:
        bench.fetch(f"http://{userinfo}127.0.0.1:{bench.server.port}/", **arguments)
        assert bench.headers()["Authorization"] == expected
        assert bench.headers()["Host"] == "127.0.0.1:PORT"

    def test_head_has_no_body(self, bench: Bench) -> None:
        response = bench.fetch("/", b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n", method="HEAD")
        assert (response.code, response.body, response.headers["Content-Length"]) == (200, b"", "20")

    def test_expect_100_continue_sends_the_body_on_request(self, bench: Bench) -> None:
        got: list[bytes] = []

        @gen.coroutine
        def read_body(stream: Any) -> Any:
            got.append((yield stream.read_bytes(3)))

        script = (b"HTTP/1.1 100 Continue\r\n\r\n", read_body, OK)
        response = bench.fetch("/", *script, method="POST", body="abc", expect_100_continue=True)
        assert (response.body, got) == (b"hi", [b"abc"])
        assert bench.headers()["Expect"] == "100-continue"
        # An answer at once means that the body is not wanted.
        assert bench.fetch("/", OK, method="POST", body="abc", expect_100_continue=True).body == b"hi"
        assert bench.requests[-1].endswith(b"\r\n\r\n")

    def test_the_announced_body_is_sent_once(self, bench: Bench) -> None:
        """However often the server says 100 (RFC 9110, section 15.2); 4.5.3 broke the framing."""
        script = (b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + OK,)
        response = bench.fetch("/", *script, method="POST", body="abc", expect_100_continue=True)
        assert (response.code, response.body) == (200, b"hi")
        assert bench.requests[1:] == [b"abc"]

    def test_interim_responses_without_end_are_a_599(self, bench: Bench) -> None:
        assert bench.fetch("/", b"HTTP/1.1 102 Wait\r\n\r\n" * 90 + OK).body == b"hi"
        response = bench.fetch("/", b"HTTP/1.1 102 Wait\r\n\r\n" * 5000)
        assert (response.code, str(response.error)) == (599, "HTTP 599: Connection closed")

    def test_urls_go_out_as_utf_8_as_in_453(self, bench: Bench) -> None:
        bench.fetch("/é?€=é")
        assert bench.requests[0].startswith("GET /é?€=é HTTP/1.1\r\n".encode())


class TestRefusals:
    @pytest.mark.parametrize(
        ("arguments", "error", "text"),
        [
            ({"method": "FOO"}, KeyError, "'unknown method FOO'"),
            ({"method": "get"}, KeyError, "'unknown method get'"),
            (
                {"method": "POST"},
                ValueError,
                "Body must not be None for method POST (unless allow_nonstandard_methods is true)",
            ),
            (
                {"body": "x"},
                ValueError,
                "Body must be None for method GET (unless allow_nonstandard_methods is true)",
            ),
            (
                {"auth_username": "u", "auth_mode": "digest"},
                ValueError,
                "('unsupported auth_mode %s', 'digest')",
            ),
            ({"network_interface": "127.0.0.1"}, NotImplementedError, "network_interface not supported"),
            ({"proxy_host": "x", "proxy_port": 3}, NotImplementedError, "proxy_host not supported"),
            ({"proxy_password": "x"}, NotImplementedError, "proxy_password not supported"),
        ],
    )
    def test_errors_as_in_453(
        self, bench: Bench, arguments: dict[str, Any], error: type, text: str
    ) -> None:
        response = bench.fetch("/", **arguments)
        assert (response.code, type(response.error), str(response.error)) == (599, error, text)
        assert bench.requests == []

    def test_nonstandard_methods_on_demand(self, bench: Bench) -> None:
        assert bench.fetch("/", method="FOO", allow_nonstandard_methods=True).code == 200
        assert bench.fetch("/", body="x", allow_nonstandard_methods=True).code == 200
        assert bench.requests[0].startswith(b"FOO / ")

    def test_unsupported_scheme(self, bench: Bench) -> None:
        assert str(bench.fetch("ftp://x/").error) == "Unsupported url scheme: ftp://x/"

    @pytest.mark.parametrize(
        "arguments",
        [
            {"path": "http://127.0.0.1:1/a\r\nX: y"},
            {"path": "http://127.0.0.1:1/a\0b"},
            {"method": "GET / HTTP/1.1\r\nX: y\r\n\r\nGET", "allow_nonstandard_methods": True},
            {"headers": {"X": "a\r\nY: b"}},
            {"headers": {"X\r\nY": "b"}},
            {"user_agent": "a\r\nY: b"},
        ],
    )
    def test_nothing_can_be_smuggled_into_the_head(self, bench: Bench, arguments: dict[str, Any]) -> None:
        response = bench.fetch(**arguments)
        assert response.code == 599
        assert isinstance(response.error, (ValueError, HTTPError)) and "refused" not in str(response.error)
        assert bench.requests == []


class TestFailures:
    """599, with the texts of 4.5.3."""

    def test_closed_before_and_within_the_response(self, bench: Bench) -> None:
        assert str(bench.fetch("/", None).error) == "HTTP 599: Stream closed"
        cut = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"
        assert str(bench.fetch("/", cut, None).error) == "HTTP 599: Connection closed"

    def test_time_outs_name_their_phase(self, bench: Bench) -> None:
        response = bench.fetch("/", lambda stream: pass_time(bench.io_loop, 40), request_timeout=30)
        assert (response.code, str(response.error)) == (599, "HTTP 599: Timeout during request")
        assert response.request_time is not None and response.request_time >= 40

        from tornado4.concurrent import Future
        from tornado4.netutil import Resolver

        class Never(Resolver):
            def resolve(self, *args: Any, **kwargs: Any) -> Any:
                return Future()

        slow = bench.new_client(resolver=Never())
        response = bench.fetch("/", client=slow, connect_timeout=0.03)
        assert str(response.error) == "HTTP 599: Timeout while connecting"
        slow.close()

    def test_a_connection_that_is_waited_for_no_longer_is_closed(self, bench: Bench, caplog: Any) -> None:
        """A server that never shakes hands kept a descriptor of 4.5.3's for good."""
        response = bench.fetch(f"https://127.0.0.1:{bench.server.port}/", connect_timeout=0.02)
        assert str(response.error) == "HTTP 599: Timeout while connecting"

        @gen.coroutine
        def until_closed() -> Any:
            while not bench.server.streams or not bench.server.streams[0].closed():
                yield gen.moment

        bench.io_loop.run_sync(until_closed, timeout=120)
        assert not caplog.records

    def test_time_out_in_the_queue(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG, "tornado.general")
        single = bench.new_client(max_clients=1)

        @gen.coroutine
        def run() -> Any:
            bench.server.scripts = [[]]
            first = single.fetch(bench.server.url(), request_timeout=30, raise_error=False)
            assert (len(single.active), len(single.queue)) == (1, 0)
            second = single.fetch(bench.server.url(), connect_timeout=0.02, raise_error=False)
            assert (len(single.active), len(single.queue), len(single.waiting)) == (1, 1, 1)
            response = yield second
            assert str(response.error) == "HTTP 599: Timeout in request queue"
            assert (len(single.queue), len(single.waiting)) == (0, 0)
            pass_time(bench.io_loop, 40)
            yield first

        bench.io_loop.run_sync(run, timeout=120)
        assert "max_clients limit reached, request queued. 1 active, 1 queued requests." in caplog.text
        single.close()

    def test_refused_connection_is_the_os_error(self, bench: Bench) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            response = bench.fetch(f"http://127.0.0.1:{unused.getsockname()[1]}/")
        assert response.code == 599
        assert isinstance(response.error, ConnectionRefusedError)

    def test_garbage_fails_at_once(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        """4.5.3 left its caller to the time-out here."""
        caplog.set_level(logging.INFO, "tornado.general")
        response = bench.fetch("/", b"garbage\r\n\r\n")
        assert str(response.error) == "HTTP 599: Connection closed"
        assert "Malformed HTTP message from None" in caplog.text

    def test_body_producer_errors(self, bench: Bench) -> None:
        def fail(write: Any) -> None:
            raise ZeroDivisionError

        async def fail_later(write: Any) -> None:
            await gen.sleep(0)
            raise ZeroDivisionError

        for producer in (fail, fail_later):
            response = bench.fetch("/", method="POST", body_producer=producer)
            assert isinstance(response.error, ZeroDivisionError)

    def test_an_error_in_a_callback_ends_the_request(self, bench: Bench, caplog: Any) -> None:
        response = bench.fetch("/", OK, streaming_callback=lambda chunk: 1 / 0)
        assert str(response.error) == "HTTP 599: Connection closed"
        assert "ZeroDivisionError" in caplog.text


class TestLimits:
    def test_bodies(self, bench: Bench, caplog: Any) -> None:
        small = bench.new_client(max_body_size=100)
        body = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
        assert bench.fetch("/", body % 100 + b"x" * 100, client=small).body == b"x" * 100
        assert bench.fetch("/", body % 101 + b"x" * 101, client=small).code == 599
        small.close()

    def test_decompressed_bodies_count_as_what_they_become(self, bench: Bench, caplog: Any) -> None:
        small = bench.new_client(max_body_size=1000)
        for size, code in ((1000, 200), (100_000, 599)):
            packed = gzip.compress(b"x" * size)
            head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
            response = bench.fetch("/", head + packed, client=small)
            assert response.code == code
        small.close()

    def test_headers(self, bench: Bench, caplog: Any) -> None:
        small = bench.new_client(max_header_size=1000)
        head = b"HTTP/1.1 200 OK\r\nX: %s\r\nContent-Length: 0\r\n\r\n"
        assert bench.fetch("/", head % (b"x" * 800), client=small).code == 200
        assert bench.fetch("/", head % (b"x" * 2000), client=small).code == 599
        small.close()


class TestRedirects:
    def go(self, bench: Bench, code: int, location: str = "/next", **kwargs: Any) -> HTTPResponse:
        redirect = b"HTTP/1.1 %d Moved\r\nLocation: %s\r\nContent-Length: 4\r\n\r\nskip" % (
            code,
            location.encode(),
        )
        bench.server.scripts = [[redirect], [OK]]
        return bench.fetch("/", **kwargs)

    @pytest.mark.parametrize("location", [b"/next", b"http://["])
    def test_nobody_follows_one_that_came_too_late(
        self, bench: Bench, location: bytes, monkeypatch: pytest.MonkeyPatch, caplog: Any
    ) -> None:
        """The end of the stream, which the time-out closes, is the end of the redirect's body as well."""
        received = _HTTPConnection.headers_received

        def then_time_passes(connection: Any, *args: Any) -> None:
            received(connection, *args)
            pass_time(bench.io_loop, 40)

        monkeypatch.setattr(_HTTPConnection, "headers_received", then_time_passes)
        head = b"HTTP/1.1 302 Found\r\nLocation: %s\r\n\r\nsome of the body" % location
        response = bench.fetch("/", head, request_timeout=30)
        assert (response.code, str(response.error)) == (599, "HTTP 599: Timeout during request")
        bench.io_loop.run_sync(lambda: gen.sleep(0.05))
        assert len(bench.requests) == 1 and not caplog.records

    @pytest.mark.parametrize("location", ["http://[", "http://x:y/", "http://\xe9\x00/", "//", "javascript:x"])
    def test_to_what_is_no_url_is_an_error_without_a_traceback(self, bench: Bench, location: str, caplog: Any) -> None:
        assert self.go(bench, 302, location).code in (200, 599)
        assert not caplog.records and not bench.client.active

    @pytest.mark.parametrize("code", [301, 307, 308])
    def test_that_keep_the_method(self, bench: Bench, code: int) -> None:
        response = self.go(bench, code, method="POST", body="abc")
        assert response.body == b"hi"
        assert [request.split(b" ")[0] for request in bench.requests if b"HTTP" in request] == [
            b"POST",
            b"POST",
        ]
        assert bench.requests.count(b"abc") == 2
        assert response.effective_url == bench.server.url("/next")
        assert response.request.url == bench.server.url("/")

    @pytest.mark.parametrize("code", [302, 303])
    def test_that_become_a_get(self, bench: Bench, code: int) -> None:
        self.go(bench, code, method="POST", body="abc", headers={"X-Y": "z"})
        assert bench.requests[2] == (
            b"GET /next HTTP/1.1\r\nX-Y: z\r\nConnection: close\r\n"
            b"Accept-Encoding: gzip\r\nHost: 127.0.0.1:PORT\r\n\r\n"
        )

    def test_limits(self, bench: Bench) -> None:
        loop = b"HTTP/1.1 302 Found\r\nLocation: /q\r\nContent-Length: 0\r\n\r\n"
        response = bench.fetch("/", loop, max_redirects=2)
        assert (response.code, len(bench.requests)) == (302, 3)
        assert bench.fetch("/", loop, follow_redirects=False).code == 302
        assert bench.fetch("/", loop, max_redirects=0).code == 302

    def test_to_nowhere_is_a_response(self, bench: Bench) -> None:
        response = bench.fetch("/", b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n")
        assert str(response.error) == "HTTP 302: Found"

    def test_callbacks_see_the_final_response_only(self, bench: Bench) -> None:
        lines: list[str] = []
        chunks: list[bytes] = []
        self.go(bench, 302, header_callback=lines.append, streaming_callback=chunks.append)
        assert lines == ["HTTP/1.1 200 OK\r\n", "Content-Length: 2\r\n", "\r\n"]
        assert chunks == [b"hi"]

    def test_with_one_client_as_in_453(self, bench: Bench) -> None:
        single = bench.new_client(max_clients=1)
        assert self.go(bench, 302, client=single).body == b"hi"
        single.close()

    def test_credentials_stay_with_their_origin(self, bench: Bench) -> None:
        secret = {"Authorization": "Bearer s", "Cookie": "c=s", "X-Y": "z"}
        self.go(bench, 302, headers=secret)
        assert bench.headers()["Authorization"] == "Bearer s"
        assert bench.headers()["Cookie"] == "c=s"
        elsewhere = f"http://localhost:{bench.server.port}/next"
        response = self.go(bench, 302, elsewhere, headers=secret)
        assert response.body == b"hi"
        assert bench.headers()["X-Y"] == "z"
        assert not {"Authorization", "Cookie"} & set(bench.headers())
        assert response.request.headers["Authorization"] == "Bearer s"
        self.go(bench, 302, elsewhere, auth_username="u", auth_password="p")
        assert "Authorization" not in bench.headers()

    def test_credentials_may_be_forwarded_as_in_453(self, bench: Bench) -> None:
        class Trusting(SimpleAsyncHTTPClient):
            forward_credentials = True

        client = Trusting(bench.io_loop, force_instance=True)
        elsewhere = f"http://localhost:{bench.server.port}/next"
        self.go(bench, 302, elsewhere, client=client, headers={"Cookie": "c=s"})
        assert bench.headers()["Cookie"] == "c=s"
        client.close()


class TestHooks:
    """Names that other packages override (4.5.3's private ones)."""

    def test_connection_class_and_the_order_of_its_methods(self, bench: Bench) -> None:
        calls: list[str] = []

        class Connection(_HTTPConnection):
            def _on_connect(self, stream: Any) -> None:
                calls.append("_on_connect")
                super()._on_connect(stream)

            def _create_connection(self, stream: Any) -> Any:
                calls.append("_create_connection")
                connection = super()._create_connection(stream)
                assert (connection.params.no_keep_alive, connection.params.decompress) == (True, True)
                return connection

            def _run_callback(self, response: HTTPResponse) -> None:
                calls.append("_run_callback")
                super()._run_callback(response)

            def _release(self) -> None:
                calls.append("_release")
                super()._release()

            def _on_end_request(self) -> None:
                calls.append("_on_end_request")
                super()._on_end_request()

        class Client(SimpleAsyncHTTPClient):
            def _connection_class(self) -> type[_HTTPConnection]:
                return Connection

        client = Client(bench.io_loop, force_instance=True)
        assert bench.fetch("/", client=client).body == b"hi"
        assert calls == [
            "_on_connect",
            "_create_connection",
            "_run_callback",
            "_release",
            "_on_end_request",
        ]
        client.close()

    def test_callbacks_of_an_overridden_on_connect_fail_the_request(self, bench: Bench) -> None:
        class Tunnel(_HTTPConnection):
            def _on_connect(self, stream: Any) -> None:
                self.stream = stream
                self.io_loop.add_callback(lambda: 1 / 0)

        class Client(SimpleAsyncHTTPClient):
            def _connection_class(self) -> type[_HTTPConnection]:
                return Tunnel

        client = Client(bench.io_loop, force_instance=True)
        assert isinstance(bench.fetch("/", client=client).error, ZeroDivisionError)
        client.close()


class TestTls:
    def options(self, scheme: str = "https", **kwargs: Any) -> Any:
        subject: Any = _HTTPConnection.__new__(_HTTPConnection)
        subject.request = _RequestProxy(HTTPRequest("https://x", **kwargs), HTTPRequest._DEFAULTS)
        return subject._get_ssl_options(scheme)

    def test_shared_context_by_default(self) -> None:
        assert self.options("http") is None
        assert self.options() is _client_ssl_defaults
        assert _client_ssl_defaults.check_hostname

    def test_own_options_as_given(self) -> None:
        assert self.options(ssl_options={}) == {}

    def test_validation_covers_chain_and_name(self, tmp_path: Any) -> None:
        paths = ssl.get_default_verify_paths()
        assert paths is not None
        unchecked = self.options(validate_cert=False)
        assert (unchecked.verify_mode, unchecked.check_hostname) == (ssl.CERT_NONE, False)
        empty = tmp_path / "empty.pem"
        empty.write_text("")
        with pytest.raises(OSError):
            self.options(ca_certs=str(empty))

    def test_client_certificate_alone_trusts_the_systems_certificates(self) -> None:
        """4.5.3 trusted none then, so that no server was good enough."""
        own = AsyncHTTPSTestCase().get_ssl_options()
        context = self.options(client_cert=own["certfile"], client_key=own["keyfile"])
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
        assert context.cert_store_stats() == ssl.create_default_context().cert_store_stats()

    def test_hostname_mapping_and_ipv6_literals(self, bench: Bench) -> None:
        mapped = bench.new_client(hostname_mapping={"www.example.com": "127.0.0.1"})
        assert bench.fetch(f"http://www.example.com:{bench.server.port}/", client=mapped).body == b"hi"
        assert bench.headers()["Host"] == "www.example.com:PORT"
        mapped.close()
        response = bench.fetch(f"http://[::1]:{bench.server.port}/")
        assert isinstance(response.error, OSError)
        assert bench.fetch("http://[::1]:1/", allow_ipv6=False).code == 599
