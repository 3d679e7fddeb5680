"""What the stream tests share: a loop, a certificate, and pairs of connected streams of each kind."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import time
from contextlib import contextmanager

import pytest

from tornado4.ioloop import IOLoop
from tornado4.iostream import IOStream, PipeIOStream, SSLIOStream
from tornado4.netutil import ssl_wrap_socket

MB = 1024 * 1024


@pytest.fixture
def loop():
    loop = IOLoop()
    loop.make_current()
    yield loop
    loop.clear_current()
    loop.close(all_fds=True)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A fresh self-signed certificate for foo.example.com, as an ``ssl_options`` dictionary."""
    where = tmp_path_factory.mktemp("tls")
    crt, key = str(where / "test.crt"), str(where / "test.key")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]  # noqa: RUF005
        + ["-subj", "/CN=foo.example.com", "-keyout", key, "-out", crt],
        check=True,
        capture_output=True,
    )
    return {"certfile": crt, "keyfile": key}


def turn(loop, seconds=0.0):
    """Let the loop run everything that is ready now."""
    loop.call_later(seconds, loop.stop)
    loop.start()


def run_until(loop, condition):
    """Run the loop until ``condition()``; a watchdog of two minutes only ends what hangs."""
    deadline = time.time() + 120
    while not condition():
        assert time.time() < deadline, "timed out"
        turn(loop, 0.001)


def wait(loop, future):
    run_until(loop, future.done)
    return future.result()


def socket_pair(loop, **kwargs):
    left, right = socket.socketpair()
    return IOStream(left, io_loop=loop, **kwargs), IOStream(right, io_loop=loop, **kwargs)


@contextmanager
def closing_all(*streams):
    try:
        yield
    finally:
        for stream in streams:
            stream.close()


def plain_pair(loop, certificate, **kwargs):
    return socket_pair(loop, **kwargs)


def tls_pair(loop, certificate, **kwargs):
    left, right = socket.socketpair()
    server = ssl_wrap_socket(left, certificate, server_side=True, do_handshake_on_connect=False)
    client = ssl_wrap_socket(right, {"cert_reqs": ssl.CERT_NONE}, do_handshake_on_connect=False)
    return SSLIOStream(server, io_loop=loop, **kwargs), SSLIOStream(client, io_loop=loop, **kwargs)


class Duplex:
    """Two pipes that look like the ends of one stream: writes to one, reads from the other."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.read_until = reader.read_until
        self.read_until_regex = reader.read_until_regex
        self.read_bytes = reader.read_bytes
        self.read_until_close = reader.read_until_close
        self.set_close_callback = reader.set_close_callback
        self.closed = reader.closed
        self.write = writer.write
        self.writing = writer.writing

    def close(self):
        self.reader.close()
        self.writer.close()


def pipe_pair(loop, certificate, **kwargs):
    (r1, w1), (r2, w2) = os.pipe(), os.pipe()
    ends = [PipeIOStream(fd, io_loop=loop, **kwargs) for fd in (r1, w1, r2, w2)]
    return Duplex(ends[0], ends[3]), Duplex(ends[2], ends[1])
