"""Compressed bodies end where they say, on both sides, and limits hold for what comes out."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from attacked import attacked, switched
from raw_peers import raw_server

from tornado4.httpclient import HTTPResponse
from tornado4.simple_httpclient import SimpleAsyncHTTPClient
from tornado4.web import Application, RequestHandler, stream_request_body

WHOLE = gzip.compress(b"hello" * 20)
GOOD = {"whole": WHOLE, "no body": b"", "two members": WHOLE + WHOLE, "an empty member": gzip.compress(b"") + WHOLE}
BAD = {
    "a byte short": WHOLE[:-1],
    "no trailer": WHOLE[:-8],
    "half": WHOLE[: len(WHOLE) // 2],
    "within its head": WHOLE[:5],
    "a byte more": WHOLE + b"x",
    "garbage": WHOLE + b"trailing garbage",
    "half a member more": WHOLE + WHOLE[:9],
    "zeros": WHOLE + bytes(100),
    "wrong sum": WHOLE[:-8] + bytes(8),
    "no gzip": b"hello",
}


class Echo(RequestHandler):
    def post(self) -> None:
        self.write(self.request.body)


@stream_request_body
class Pieces(RequestHandler):
    pieces: list[bytes] = []
    ends: list[str] = []

    def prepare(self) -> None:
        self.body: list[bytes] = []

    def data_received(self, chunk: bytes) -> None:
        self.body.append(chunk)

    def post(self) -> None:
        self.write(b"".join(self.body))

    def on_connection_close(self) -> None:
        self.ends.append("closed")


@pytest.fixture(scope="module")
def server() -> Any:
    with attacked(Application([("/", Echo), ("/pieces", Pieces)]), decompress_request=True, chunk_size=16) as made:
        yield made


@pytest.mark.parametrize("path", ["/", "/pieces"])
@pytest.mark.parametrize("kind", GOOD)
def test_servers_take_whole_bodies(server: Any, kind: str, path: str) -> None:
    status, _, body = server.ask(path, "Content-Encoding: gzip\r\n", "POST", GOOD[kind])
    assert (status, body) == (200, gzip.decompress(GOOD[kind]) if GOOD[kind] else b"")


@pytest.mark.parametrize("path", ["/", "/pieces"])
@pytest.mark.parametrize("kind", BAD)
def test_servers_refuse_broken_ones(server: Any, kind: str, path: str) -> None:
    Pieces.ends.clear()
    assert server.ask(path, "Content-Encoding: gzip\r\n", "POST", BAD[kind])[0] == 400
    assert "Invalid gzip body" in server.complaints()[-1]
    assert Pieces.ends == (["closed"] if path == "/pieces" else [])


def test_the_switch_takes_what_4_5_3_took(server: Any) -> None:
    with switched("broken-gzip"):
        for kind in ("a byte short", "no trailer", "a byte more", "garbage"):
            status, _, body = server.ask("/", "Content-Encoding: gzip\r\n", "POST", BAD[kind])
            assert (status, body) == (200, b"hello" * 20)


def fetch(client_class: Any, body: bytes, pieces: int = 1, **options: Any) -> HTTPResponse:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    size = -(-len(body) // pieces) or 1
    with raw_server() as (loop, server):
        server.scripts = [[head, *(body[at : at + size] for at in range(0, len(body), size)), None]]
        client = client_class(loop, force_instance=True, **options)
        try:
            response: HTTPResponse = loop.run_sync(lambda: client.fetch(server.url(), raise_error=False), timeout=120)
        finally:
            client.close()
    return response


@pytest.mark.parametrize("kind", GOOD)
def test_clients_take_whole_bodies(kind: str) -> None:
    response = fetch(SimpleAsyncHTTPClient, GOOD[kind])
    assert (response.code, response.body) == (200, gzip.decompress(GOOD[kind]) if GOOD[kind] else b"")


@pytest.mark.parametrize("pieces", [1, 7])
@pytest.mark.parametrize("kind", BAD)
def test_clients_fail_with_broken_ones(kind: str, pieces: int) -> None:
    assert fetch(SimpleAsyncHTTPClient, BAD[kind], pieces).code == 599


@pytest.mark.parametrize(("size", "code"), [(1000, 200), (1001, 599)])
def test_limits_hold_for_what_comes_out(size: int, code: int) -> None:
    assert fetch(SimpleAsyncHTTPClient, gzip.compress(b"x" * size), max_body_size=1000).code == code


@pytest.mark.parametrize(("size", "code"), [(1000, 200), (1001, 599), (10**6, 599)])
@pytest.mark.parametrize("streamed", [False, True])
def test_curl_has_a_limit_too(size: int, code: int, streamed: bool) -> None:
    pytest.importorskip("pycurl", reason="pycurl is not installed")
    from tornado4.curl_httpclient import CurlAsyncHTTPClient

    pieces: list[bytes] = []
    options: dict[str, Any] = {"defaults": {"streaming_callback": pieces.append}} if streamed else {}
    response = fetch(CurlAsyncHTTPClient, gzip.compress(b"x" * size), max_body_size=1000, **options)
    assert response.code == code
    assert sum(map(len, pieces)) <= 1000


def test_curls_limit_is_100_mb_unless_told_otherwise() -> None:
    pytest.importorskip("pycurl", reason="pycurl is not installed")
    from tornado4.curl_httpclient import CurlAsyncHTTPClient

    body = gzip.compress(bytes(101 << 20), 1)
    assert fetch(CurlAsyncHTTPClient, body).code == 599
    with switched("unbounded-curl"):
        assert len(fetch(CurlAsyncHTTPClient, body).body) == 101 << 20
