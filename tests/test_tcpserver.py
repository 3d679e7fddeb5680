"""TCP servers: from a bound port to a stream in `handle_stream`."""

# ruff: noqa: F811  (fixtures are arguments)
from __future__ import annotations

import os
import signal
import socket
import ssl
import struct
import sys

import pytest
from stream_pairs import certificate, closing_all, loop, run_until, turn, wait  # noqa: F401

from tornado4 import gen
from tornado4.iostream import IOStream, SSLIOStream
from tornado4.netutil import bind_sockets
from tornado4.tcpserver import TCPServer


class Collecting(TCPServer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.got = []

    def handle_stream(self, stream, address):
        self.got.append((stream, address))


def listening(server):
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    return sockets[0].getsockname()


def connected(loop, address):
    stream = IOStream(socket.socket(), io_loop=loop)
    wait(loop, stream.connect(address))
    return stream


def test_a_connection_becomes_a_stream_with_the_servers_limits(loop):
    server = Collecting(io_loop=loop, max_buffer_size=1000, read_chunk_size=100)
    client = connected(loop, listening(server))
    run_until(loop, lambda: server.got)
    [(stream, address)] = server.got
    with closing_all(client, stream):
        assert type(stream) is IOStream
        assert (stream.max_buffer_size, stream.read_chunk_size) == (1000, 100)
        assert address == client.socket.getsockname()
        assert stream.io_loop is loop
    server.stop()


def test_the_current_loop_is_taken_when_sockets_are_added(loop):
    server = Collecting()
    assert server.io_loop is None
    listening(server)
    assert server.io_loop is loop
    server.stop()


@pytest.mark.parametrize("kind", ["generator", "native"])
def test_handle_stream_may_be_a_coroutine_of_either_kind(loop, kind):
    class Generator(TCPServer):
        @gen.coroutine
        def handle_stream(self, stream, address):
            yield stream.write(b"hello")
            stream.close()

    class Native(TCPServer):
        async def handle_stream(self, stream, address):
            await stream.write(b"hello")
            stream.close()

    server = Generator() if kind == "generator" else Native()
    client = connected(loop, listening(server))
    assert wait(loop, client.read_until_close()) == b"hello"
    server.stop()


def test_an_error_in_handle_stream_is_logged_and_the_server_goes_on(loop, caplog):
    class Broken(TCPServer):
        calls = 0

        def handle_stream(self, stream, address):
            Broken.calls += 1
            stream.close()
            raise ZeroDivisionError

    server = Broken()
    address = listening(server)
    with closing_all(connected(loop, address), connected(loop, address)):
        run_until(loop, lambda: Broken.calls == 2)
    server.stop()
    assert [(r.name, r.getMessage()) for r in caplog.records] == [
        ("tornado.application", "Error in connection callback")
    ] * 2


def test_an_error_in_a_coroutine_is_logged_by_the_loop(loop, caplog):
    class Broken(TCPServer):
        @gen.coroutine
        def handle_stream(self, stream, address):
            stream.close()
            yield gen.moment
            raise ZeroDivisionError

    server = Broken()
    with closing_all(connected(loop, listening(server))):
        run_until(loop, lambda: caplog.records)
    server.stop()
    [record] = caplog.records
    assert record.name == "tornado.application" and record.getMessage().startswith("Exception in callback ")


def test_bound_sockets_are_served_from_start_on(loop):
    server = Collecting()
    server.bind(0, "127.0.0.1")
    assert len(server._pending_sockets) == 1 and not server._sockets
    address = server._pending_sockets[0].getsockname()
    server.start()
    server.bind(0, "127.0.0.1")
    assert len(server._sockets) == 2 and not server._pending_sockets
    with pytest.raises(AssertionError):
        server.start()
    client = connected(loop, address)
    run_until(loop, lambda: server.got)
    with closing_all(client, server.got[0][0]):
        server.stop()


def test_stop_closes_the_listeners_leaves_the_streams_and_may_be_repeated(loop):
    server = Collecting()
    address = listening(server)
    client = connected(loop, address)
    run_until(loop, lambda: server.got)
    server.stop()
    server.stop()
    with socket.socket() as late:
        assert late.connect_ex(address) != 0
    stream = server.got[0][0]
    with closing_all(client, stream):
        stream.write(b"still here")
        assert wait(loop, client.read_bytes(10)) == b"still here"


def test_a_tls_server_hands_over_the_stream_before_the_handshake(loop, certificate):
    server = Collecting(ssl_options=certificate)
    client = SSLIOStream(socket.socket(), io_loop=loop, ssl_options={"cert_reqs": ssl.CERT_NONE})
    future = client.connect(listening(server))
    run_until(loop, lambda: server.got)
    stream = server.got[0][0]
    assert type(stream) is SSLIOStream
    written = stream.write(b"as soon as possible")
    wait(loop, future)
    assert wait(loop, client.read_bytes(19)) == b"as soon as possible"
    wait(loop, written)
    with closing_all(client, stream):
        server.stop()


def test_a_tls_connection_that_cannot_be_wrapped_is_closed_and_logged(loop, certificate, caplog):
    server = Collecting(ssl_options=certificate)
    address = listening(server)
    server.ssl_options = {"certfile": "/does/not/exist"}
    client = connected(loop, address)
    assert wait(loop, client.read_until_close()) == b""
    server.stop()
    assert caplog.records[0].getMessage().startswith("Exception in callback ")
    assert not server.got


@pytest.mark.parametrize("sent", [b"", b"x"], ids=["silent", "after a byte"])
def test_a_tls_client_that_resets_before_it_is_accepted_is_no_log_line(loop, certificate, caplog, sent):
    server = Collecting(ssl_options=certificate)
    address = listening(server)
    hasty = socket.create_connection(address)
    hasty.sendall(sent)
    hasty.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    hasty.close()
    client = connected(loop, address)
    run_until(loop, lambda: any(peer == client.socket.getsockname() for _, peer in server.got))
    with closing_all(client, *(stream for stream, _ in server.got)):
        server.stop()
    assert not caplog.records


def test_certificate_files_are_looked_for_when_the_server_is_made(certificate):
    with pytest.raises(KeyError, match='missing key "certfile" in ssl_options'):
        TCPServer(ssl_options={})
    with pytest.raises(ValueError, match=r'^certfile "/none" does not exist$'):
        TCPServer(ssl_options={"certfile": "/none"})
    with pytest.raises(ValueError, match=r'^keyfile "/none" does not exist$'):
        TCPServer(ssl_options={"certfile": certificate["certfile"], "keyfile": "/none"})
    TCPServer(ssl_options=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))


FORKING = """
import os, sys
from tornado4.ioloop import IOLoop
from tornado4.tcpserver import TCPServer

class Pids(TCPServer):
    def handle_stream(self, stream, address):
        stream.write(str(os.getpid()).encode())
        stream.close()

server = Pids()
server.bind(0, "127.0.0.1")
print(server._pending_sockets[0].getsockname()[1], os.getpid(), flush=True)
server.start(2)
IOLoop.current().start()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_start_forks_after_bind(tmp_path):
    import subprocess

    script = tmp_path / "forking.py"
    script.write_text(FORKING)
    env = {**os.environ, "PYTHONPATH": os.getcwd()}
    parent = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=env,
        start_new_session=True,
    )
    try:
        port, pid = map(int, parent.stdout.readline().split())
        with socket.create_connection(("127.0.0.1", port), timeout=120) as client:
            answered = int(client.makefile("rb").read())
        assert answered != pid
    finally:
        os.killpg(parent.pid, signal.SIGKILL)  # its own session: parent and children
        parent.wait()
        parent.stdout.close()
