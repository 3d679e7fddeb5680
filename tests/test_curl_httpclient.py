"""curl_httpclient on the real libcurl: what it is told, what arrives, what comes back."""

from __future__ import annotations

import copy
import logging
import pickle
from typing import Any

import pytest
from raw_peers import OK, raw_server

from tornado4 import gen
from tornado4.httpclient import HTTPResponse

pycurl = pytest.importorskip("pycurl", reason="pycurl is not installed")

from tornado4.curl_httpclient import CurlAsyncHTTPClient, CurlError  # noqa: E402


class Bench:
    def __init__(self, io_loop: Any, server: Any) -> None:
        self.io_loop, self.server = io_loop, server
        self.client: Any = CurlAsyncHTTPClient(io_loop, force_instance=True, max_clients=2)

    def fetch(self, path: str = "/", *script: Any, **kwargs: Any) -> HTTPResponse:
        if script:
            self.server.scripts = [list(script)]
        url = path if "://" in path else self.server.url(path)
        # A connection each: the raw server answers but once.
        kwargs["headers"] = {**kwargs.get("headers", {}), "Connection": "close"}
        response = self.io_loop.run_sync(
            lambda: self.client.fetch(url, raise_error=False, **kwargs), timeout=5
        )
        for stream in self.server.streams:
            stream.close()
        self.io_loop.run_sync(lambda: gen.sleep(0.005))
        return response  # type: ignore[no-any-return]

    def head(self, index: int = -1) -> list[str]:
        return self.server.requests[index].decode().split("\r\n")  # type: ignore[no-any-return]


@pytest.fixture
def bench() -> Any:
    with raw_server() as (io_loop, server):
        subject = Bench(io_loop, server)
        yield subject
        subject.client.close()


def read_body(size: int, received: list[bytes]) -> Any:
    @gen.coroutine
    def step(stream: Any) -> Any:
        received.append((yield stream.read_bytes(size)))

    return step


def test_get(bench: Bench) -> None:
    response = bench.fetch("/x?y#z")
    assert (response.code, response.reason, response.body) == (200, "OK", b"hi")
    assert response.headers["X-Http-Reason"] == "OK"
    head = bench.head()
    assert head[0] == "GET /x?y HTTP/1.1"
    assert "User-Agent: Mozilla/5.0 (compatible; pycurl)" in head
    assert "Accept-Encoding: gzip,deflate" in head
    assert not [line for line in head if line.startswith(("Expect", "Pragma"))]
    assert sorted(response.time_info) == [
        "connect",
        "namelookup",
        "pretransfer",
        "queue",
        "redirect",
        "starttransfer",
        "total",
    ]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_methods_with_a_body(bench: Bench, method: str) -> None:
    received: list[bytes] = []
    assert bench.fetch("/", read_body(3, received), OK, method=method, body="abc").code == 200
    assert received == [b"abc"]
    assert bench.head()[0] == f"{method} / HTTP/1.1"
    assert "Content-Length: 3" in bench.head()


@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS", "HEAD"])
def test_methods_without(bench: Bench, method: str) -> None:
    answer = OK[:-2] if method == "HEAD" else OK
    assert bench.fetch("/", answer, method=method).code == 200
    assert bench.head()[0] == f"{method} / HTTP/1.1"


def test_a_handle_forgets_the_last_request(bench: Bench) -> None:
    received: list[bytes] = []
    bench.client.close()
    bench.client = CurlAsyncHTTPClient(bench.io_loop, force_instance=True, max_clients=1)
    bench.fetch("/", read_body(1, received), OK, method="PUT", body="a", auth_username="u", user_agent="me")
    bench.fetch("/", OK)
    assert bench.head()[0] == "GET / HTTP/1.1"
    assert not [
        line for line in bench.head() if line.startswith(("Authorization", "User-Agent: me", "Content"))
    ]


def test_certificates_do_not_stay_with_a_handle(bench: Bench, tmp_path: Any) -> None:
    before = list(bench.client._curls)
    bench.fetch("/", client_cert=str(tmp_path / "cert"), client_key=str(tmp_path / "key"))
    assert len(bench.client._curls) == len(bench.client._free_list) == 2
    assert len([curl for curl in bench.client._curls if curl in before]) == 1


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"method": "FOO"}, KeyError, "'unknown method FOO'"),
        ({"method": "POST"}, ValueError, "Body must not be None for method POST"),
        ({"body": "x"}, ValueError, "Body must be None for method GET (unless"),
        ({"body": "x", "allow_nonstandard_methods": True}, ValueError, "Body must be None for GET request"),
        ({"auth_username": "u", "auth_mode": "zz"}, ValueError, "Unsupported auth_mode zz"),
        (
            {"proxy_host": "x", "proxy_port": 1, "proxy_auth_mode": "zz"},
            ValueError,
            "Unsupported proxy_auth_mode zz",
        ),
        ({"headers": {"X": "a\r\nY: b"}}, ValueError, "Illegal characters"),
        ({"user_agent": "a\r\nY: b"}, ValueError, "Illegal characters"),
        ({"method": "A\r\nB", "allow_nonstandard_methods": True}, ValueError, "Invalid method"),
    ],
)
def test_refusals(bench: Bench, arguments: dict[str, Any], error: type, text: str) -> None:
    response = bench.fetch("/", **arguments)
    assert (response.code, type(response.error)) == (599, error)
    assert text in str(response.error)
    assert bench.server.requests == []
    # The handle is free again.
    assert bench.fetch("/", OK).code == 200


def test_proxy_and_its_authentication(bench: Bench) -> None:
    where = {"proxy_host": "127.0.0.1", "proxy_port": bench.server.port}
    bench.fetch("http://elsewhere.example/x", proxy_username="u", proxy_password="p", **where)
    assert bench.head()[0] == "GET http://elsewhere.example/x HTTP/1.1"
    assert "Proxy-Authorization: Basic dTpw" in bench.head()


def test_curl_errors(bench: Bench) -> None:
    response = bench.fetch("/", None)
    assert isinstance(response.error, CurlError)
    assert (response.code, response.error.code, response.error.errno) == (599, 599, pycurl.E_GOT_NOTHING)
    disabled = bench.fetch("ftp://127.0.0.1/")
    assert disabled.error.errno == pycurl.E_UNSUPPORTED_PROTOCOL  # type: ignore[union-attr]
    timed_out = bench.fetch("/", b"", request_timeout=0.05)
    assert timed_out.error.errno == pycurl.E_OPERATION_TIMEDOUT  # type: ignore[union-attr]


def test_errors_can_be_copied() -> None:
    error = CurlError(7, "no luck")
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert (twin.errno, twin.code, str(twin)) == (7, 599, "HTTP 599: no luck")


def test_heads_before_the_last_are_dropped(bench: Bench) -> None:
    lines: list[str] = []
    answer = (
        b"HTTP/1.1 100 Continue\r\nX-A: 0\r\n\r\n"
        b"HTTP/1.1 404 Gone Away\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 0\r\n\r\n"
    )
    response = bench.fetch("/", answer, header_callback=lines.append)
    assert response.headers.get_list("X-A") == ["1", "2"]
    assert str(response.error) == "HTTP 404: Gone Away"
    assert lines[0] == "HTTP/1.1 100 Continue\r\n"
    assert lines[-1] == "\r\n"


def test_streaming_and_its_errors(bench: Bench, caplog: Any) -> None:
    chunks: list[bytes] = []
    assert bench.fetch("/", OK, streaming_callback=chunks.append).body == b""
    assert chunks == [b"hi"]
    # On the loop, so that libcurl does not suffer (as in 4.5.3).
    assert bench.fetch("/", OK, streaming_callback=lambda chunk: 1 / 0).code == 200
    assert "ZeroDivisionError" in caplog.text


def test_prepare_curl_callback(bench: Bench) -> None:
    bench.fetch("/", OK, prepare_curl_callback=lambda curl: curl.setopt(pycurl.USERAGENT, "prepared"))
    assert "User-Agent: prepared" in bench.head()


def test_subclasses_take_part(bench: Bench) -> None:
    class Client(CurlAsyncHTTPClient):
        def _curl_setup_request(self, curl: Any, request: Any, buffer: Any, headers: Any) -> None:
            super()._curl_setup_request(curl, request, buffer, headers)
            curl.setopt(pycurl.USERAGENT, "sub")

    bench.client.close()
    bench.client = Client(bench.io_loop, force_instance=True)
    bench.fetch("/", OK)
    assert "User-Agent: sub" in bench.head()


def test_more_requests_than_handles(bench: Bench) -> None:
    @gen.coroutine
    def run() -> Any:
        bench.server.scripts = [
            [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", None]
        ]
        responses = yield [bench.client.fetch(bench.server.url()) for _ in range(7)]
        return [response.body for response in responses]

    assert bench.io_loop.run_sync(run, timeout=120) == [b"hi"] * 7


def test_commentary_at_debug_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "tornado.curl_httpclient")
    with raw_server() as (io_loop, server):
        bench = Bench(io_loop, server)
        bench.fetch("/", OK, auth_username="u")
        bench.client.close()
    messages = [
        record.getMessage() for record in caplog.records if record.name == "tornado.curl_httpclient"
    ]
    assert messages[0] == f"GET {server.url()} (username: 'u')"
    assert "> GET / HTTP/1.1" in messages
    assert "< HTTP/1.1 200 OK" in messages
