# ruff: noqa: F811  (fixtures are arguments)
"""Whoever is slow holds back who is quick: memory stays flat, however much there is to send.

What is counted is what Python has allocated; the kernel's buffers are its own.
"""

from __future__ import annotations

import os
import socket
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from stream_pairs import certificate, loop, wait  # noqa: F401  (some are fixtures)

from tornado4 import gen
from tornado4.httpserver import HTTPServer
from tornado4.ioloop import IOLoop
from tornado4.iostream import IOStream, SSLIOStream
from tornado4.netutil import bind_sockets
from tornado4.simple_httpclient import SimpleAsyncHTTPClient
from tornado4.web import Application, RequestHandler, StaticFileHandler, stream_request_body

MB = 1024 * 1024
GB = 1024 * MB
FLAT = 4 * MB


class Plain(StaticFileHandler):
    """Leaves by sendfile."""

    @classmethod
    def get_content_version(cls, abspath: str) -> str:
        return "1"  # a hash would read the file, which is not what is looked at here


class LongWay(Plain):
    @classmethod
    def get_content(cls, abspath: str, start: int | None = None, end: int | None = None) -> Any:
        return super().get_content(abspath, start, end)


class Streams(RequestHandler):
    @gen.coroutine
    def get(self) -> Any:
        for _ in range(1024):
            self.write(b"x" * MB)
            yield self.flush()


@stream_request_body
class Counts(RequestHandler):
    """Takes its body slowly: each piece when the test says so."""

    gates: list[Any] = []
    taken = 0

    def data_received(self, chunk: bytes) -> Any:
        Counts.taken += len(chunk)
        gate: Any = gen.Future()
        Counts.gates.append(gate)
        return gate

    def put(self) -> None:
        self.write("thanks")


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def held(loop: IOLoop, rounds: int = 50) -> int:
    """The most that was allocated during some rounds of the loop."""
    tracemalloc.reset_peak()
    for _ in range(rounds):
        wait(loop, gen.sleep(0.001))
    return tracemalloc.get_traced_memory()[1]


@pytest.mark.parametrize("path", ["/plain/big", "/long/big", "/streams", "tls:/plain/big", "tls:/streams"])
def test_a_slow_reader_of_a_gigabyte(loop: Any, certificate: Any, tmp_path: Path, traced: None, path: str) -> None:
    with open(tmp_path / "big", "wb") as file:
        os.truncate(file.fileno(), GB)  # with holes: it takes no room
    files = {"path": str(tmp_path)}
    app = Application([("/plain/(.*)", Plain, files), ("/long/(.*)", LongWay, files), ("/streams", Streams)])
    tls = path.startswith("tls:")
    server = HTTPServer(app, io_loop=loop, ssl_options=certificate if tls else None)
    (listening,) = bind_sockets(0, "127.0.0.1", family=socket.AF_INET)
    server.add_socket(listening)
    sock = socket.socket()
    stream: Any = SSLIOStream(sock, ssl_options={"cert_reqs": 0}) if tls else IOStream(sock)
    try:
        wait(loop, stream.connect(listening.getsockname()))
        asked = f"GET {path.removeprefix('tls:')} HTTP/1.1\r\nHost: a\r\n\r\n"
        stream.write(asked.encode())
        head = wait(loop, stream.read_until(b"\r\n\r\n"))
        assert head.startswith(b"HTTP/1.1 200")
        before = tracemalloc.get_traced_memory()[0]
        assert held(loop) - before < FLAT  # nobody reads
        for _ in range(64):
            wait(loop, stream.read_bytes(MB))
        assert held(loop, 5) - before < FLAT + MB  # somebody did, and stopped
        assert not stream.closed()
    finally:
        stream.close()
        server.stop()
        wait(loop, gen.sleep(0.01))


def test_a_slow_reader_of_an_upload(loop: Any, traced: None) -> None:
    Counts.gates.clear()
    Counts.taken = 0
    server = HTTPServer(Application([("/", Counts)]), io_loop=loop, max_body_size=GB)
    (listening,) = bind_sockets(0, "127.0.0.1", family=socket.AF_INET)
    server.add_socket(listening)
    client = socket.create_connection(listening.getsockname())
    client.setblocking(False)
    sent = 0
    try:
        client.sendall(b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % GB)
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(200):
            try:
                while True:
                    sent += client.send(b"x" * 65536)
            except BlockingIOError:
                wait(loop, gen.sleep(0.001))
            if Counts.gates:
                Counts.gates.pop().set_result(None)
        assert 0 < Counts.taken < sent < GB
        assert held(loop) - before < FLAT
    finally:
        client.close()
        for gate in Counts.gates:
            gate.set_result(None)
        server.stop()
        wait(loop, gen.sleep(0.01))


def test_a_slow_streaming_callback(loop: Any, traced: None) -> None:
    """The server is in a thread, and as quick as it can be."""
    total = 64 * MB
    listening = socket.create_server(("127.0.0.1", 0))
    sent = 0

    def serve() -> None:
        nonlocal sent
        peer, _ = listening.accept()
        with peer:
            peer.recv(65536)
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % total)
            piece = b"x" * 65536
            while sent < total:
                peer.sendall(piece)
                sent += len(piece)

    thread = threading.Thread(target=serve)
    thread.start()
    got, ahead = 0, []

    def slow(chunk: bytes) -> None:
        nonlocal got
        got += len(chunk)
        if got % (8 * MB) < len(chunk):
            for _ in range(1000):  # the server has its chance to run ahead
                thread.join(0.00001)
            ahead.append(sent - got)

    client = SimpleAsyncHTTPClient(loop, force_instance=True, max_body_size=GB)
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    try:
        port = listening.getsockname()[1]
        response = wait(loop, client.fetch(f"http://127.0.0.1:{port}/", streaming_callback=slow))
        assert (response.code, got, response.body) == (200, total, b"")
        assert tracemalloc.get_traced_memory()[1] - before < FLAT
        assert max(ahead) < total // 2  # what the kernel's buffers hold
    finally:
        client.close()
        listening.close()
        thread.join()
