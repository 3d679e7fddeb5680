"""TLS clients that are given a dictionary of options verify whom they talk to, unless told otherwise."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from attacked import attacked, switched

from tornado4 import gen
from tornado4.concurrent import Future
from tornado4.httpserver import HTTPServer
from tornado4.httputil import HTTPHeaders, ResponseStartLine
from tornado4.ioloop import IOLoop
from tornado4.iostream import IOStream, SSLIOStream
from tornado4.netutil import bind_sockets, ssl_options_to_context, ssl_wrap_socket
from tornado4.simple_httpclient import SimpleAsyncHTTPClient
from tornado4.tcpclient import TCPClient
from tornado4.testing import AsyncHTTPSTestCase
from tornado4.web import Application


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: Any) -> Any:
    """Of an authority of its own, for localhost."""
    where = tmp_path_factory.mktemp("tls")
    crt, key = str(where / "test.crt"), str(where / "test.key")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", crt]
    subprocess.run(command, check=True, capture_output=True)
    return {"certfile": crt, "keyfile": key}


def answer(request: Any) -> None:
    request.connection.write_headers(ResponseStartLine("", 200, "OK"), HTTPHeaders({"Content-Length": "2"}), b"hi")
    request.connection.finish()


@pytest.fixture
def server(certificate: Any) -> Any:
    loop = IOLoop()
    loop.make_current()
    (listening,) = bind_sockets(0, "127.0.0.1", family=socket.AF_INET)
    made = HTTPServer(answer, ssl_options=certificate)
    made.add_socket(listening)
    try:
        yield loop, listening.getsockname()[1]
    finally:
        made.stop()
        loop.run_sync(made.close_all_connections)
        loop.clear_current()
        loop.close(all_fds=True)


@gen.coroutine
def by_tcp_client(loop: IOLoop, port: int, options: Any) -> Any:
    client = TCPClient()
    stream = yield client.connect("localhost", port, af=socket.AF_INET, ssl_options=options)
    stream.close()
    client.close()


@gen.coroutine
def by_start_tls(loop: IOLoop, port: int, options: Any) -> Any:
    stream = IOStream(socket.socket())
    yield stream.connect(("127.0.0.1", port))
    stream = yield stream.start_tls(False, options, server_hostname="localhost")
    stream.close()


@gen.coroutine
def by_start_tls_without_name(loop: IOLoop, port: int, options: Any) -> Any:
    stream = IOStream(socket.socket())
    yield stream.connect(("127.0.0.1", port))
    stream = yield stream.start_tls(False, options)
    stream.close()


@gen.coroutine
def by_tls_stream(loop: IOLoop, port: int, options: Any) -> Any:
    stream = SSLIOStream(socket.socket(), ssl_options=options)
    failed = Future()
    stream.set_close_callback(lambda: failed.done() or failed.set_exception(stream.error or ssl.SSLError("closed")))
    stream.connect(("127.0.0.1", port), server_hostname="localhost", callback=lambda: failed.set_result(None))
    yield failed
    stream.set_close_callback(None)
    stream.close()


@gen.coroutine
def by_wrapped_socket(loop: IOLoop, port: int, options: Any) -> Any:
    bare = socket.create_connection(("127.0.0.1", port))
    bare.setblocking(False)
    wrapped = ssl_wrap_socket(bare, options, server_hostname="localhost", do_handshake_on_connect=False)
    try:
        deadline = loop.time() + 120
        while loop.time() < deadline:
            try:
                wrapped.do_handshake()
                return
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                yield gen.moment
        raise AssertionError("the handshake does not end")
    finally:
        wrapped.close()


@gen.coroutine
def by_http_client(loop: IOLoop, port: int, options: Any) -> Any:
    client = SimpleAsyncHTTPClient(loop, force_instance=True)
    try:
        yield client.fetch(f"https://localhost:{port}/", ssl_options=options, allow_ipv6=False)
    finally:
        client.close()


WAYS = [by_tcp_client, by_start_tls, by_start_tls_without_name, by_tls_stream, by_wrapped_socket, by_http_client]
_Way = Callable[[IOLoop, int, Any], Any]


@contextlib.contextmanager
def quiet() -> Any:
    """The lines of ``tornado.general``, which fail no test."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("tornado.general")
    logger.addHandler(handler)
    try:
        yield lines
    finally:
        logger.removeHandler(handler)


def run(server: Any, way: _Way, options: Any) -> None:
    loop, port = server
    loop.run_sync(lambda: way(loop, port, options), timeout=120)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("options", [{}, {"cert_reqs": None}, {"ciphers": "DEFAULT"}])
def test_a_certificate_of_an_unknown_authority_is_refused(server: Any, way: _Way, options: Any) -> None:
    with quiet() as lines, pytest.raises((OSError, ssl.SSLError)) as refused:
        run(server, way, options)
    assert "CERTIFICATE_VERIFY_FAILED" in str(refused.value)
    if way is not by_wrapped_socket:
        assert [line for line in lines if "TORNADO4_ALLOW=unverified-tls" in line]


@pytest.mark.parametrize("way", WAYS)
def test_one_of_a_known_authority_is_taken(server: Any, way: _Way, certificate: Any) -> None:
    run(server, way, {"ca_certs": certificate["certfile"]})


@pytest.mark.parametrize("way", WAYS)
def test_who_says_so_verifies_nothing(server: Any, way: _Way) -> None:
    run(server, way, {"cert_reqs": ssl.CERT_NONE})


@pytest.mark.parametrize("way", WAYS)
def test_the_switch_brings_4_5_3_back(server: Any, way: _Way) -> None:
    with switched("unverified-tls"):
        run(server, way, {})


def test_the_name_is_checked_too(server: Any, certificate: Any) -> None:
    @gen.coroutine
    def other_name(loop: IOLoop, port: int, options: Any) -> Any:
        stream = IOStream(socket.socket())
        yield stream.connect(("127.0.0.1", port))
        yield stream.start_tls(False, options, server_hostname="other.example")

    with quiet() as lines, pytest.raises(OSError):
        run(server, other_name, {"ca_certs": certificate["certfile"]})
    assert "other.example" in lines[0]


def test_servers_ask_for_nothing_as_in_453(certificate: Any) -> None:
    """`ssl_options_to_context` does not know for which side it works, and servers are what needs a certificate."""
    assert ssl_options_to_context(certificate).verify_mode == ssl.CERT_NONE
    left, right = socket.socketpair()
    with contextlib.closing(right):
        wrapped = ssl_wrap_socket(left, certificate, server_side=True, do_handshake_on_connect=False)
        assert wrapped.context.verify_mode == ssl.CERT_NONE
        wrapped.close()


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x00\x05hello",
        b"\x15\x03\x01\x00\x02\x02\x28",
        b"\xff" * 20_000,
        b"\x80\x2e",
    ],
)
def test_what_is_no_tls_is_a_line_a_connection_at_most(data: bytes) -> None:
    """With OpenSSL 3.2 and later, too; no traceback, and the next one is served."""

    @gen.coroutine
    def send(server: Any) -> Any:
        stream = IOStream(socket.socket())
        yield stream.connect(("127.0.0.1", server.port))
        answer = stream.read_until_close()
        yield stream.write(data)
        if not stream.closed():
            stream.socket.shutdown(socket.SHUT_WR)
        yield answer

    with attacked(Application(), ssl_options=AsyncHTTPSTestCase("run").get_ssl_options()) as server:
        for count in range(1, 4):
            server.loop.run_sync(lambda: send(server), timeout=120)
            assert len(server.complaints()) <= count
        assert "Traceback" not in server.log
