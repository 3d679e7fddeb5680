"""How a process that serves comes to its end: what cannot be seen from outside."""

from __future__ import annotations

import contextlib
import socket
import time

import pytest

from tornado4 import web
from tornado4.httpserver import HTTPServer
from tornado4.ioloop import IOLoop
from tornado4.serve.drain import Drain
from tornado4.testing import bind_unused_port

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Main(web.RequestHandler):
    def get(self) -> None:
        self.write("answered")


@pytest.mark.parametrize("asks", [True, False])
def test_a_request_that_the_loop_has_not_read_is_no_silence(asks: bool) -> None:
    """On a busy machine a round of the loop lasts longer than a silent connection may be open."""
    loop = IOLoop()
    server = HTTPServer(web.Application([("/", Main)]), io_loop=loop)
    sock, port = bind_unused_port()
    server.add_sockets([sock])
    client = socket.create_connection(("127.0.0.1", port))
    received: list[bytes] = []

    def read(sock: socket.socket, events: int) -> None:
        piece = sock.recv(65536)
        received.append(piece)
        if not piece or piece.endswith(b"answered"):
            loop.stop()

    loop.add_handler(client, read, loop.READ)
    with contextlib.closing(client):
        client.sendall(REQUEST)
        loop.start()
        drain = Drain(loop, [server], 1000, lambda: None)
        if asks:
            client.sendall(REQUEST)  # it is in the kernel when this returns
        drain._close_silent(time.monotonic() + 10)
        loop.start()
        if asks:
            assert received[-1].endswith(b"answered") and b"Connection: close" in received[-1]
        else:
            assert received[-1] == b""
        drain.give_up()
    loop.remove_handler(client)
    server.stop()
    loop.close(all_fds=True)
