"""How a process that serves comes to its end: what cannot be seen from outside."""

from __future__ import annotations

import contextlib
import socket
import time

import pytest

from tornado4 import serve, stack_context, web
from tornado4.httpserver import HTTPServer
from tornado4.ioloop import IOLoop
from tornado4.serve.drain import Drain
from tornado4.testing import bind_unused_port


@pytest.fixture(autouse=True)
def not_draining(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that runs the tests goes on."""
    monkeypatch.setattr(serve, "_draining", False)
    monkeypatch.setattr(serve, "_callbacks", {})


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


def told(loop: IOLoop) -> None:
    """What was put off until the next round has run."""
    loop.add_callback(loop.stop)
    loop.start()


def test_callbacks_are_called_once_and_in_their_order_and_may_be_taken_back() -> None:
    loop = IOLoop()
    called: list[str] = []
    serve.when_draining(lambda: called.append("first"))
    forget = serve.when_draining(lambda: called.append("taken back"))
    forget_itself = serve.when_draining(lambda: (called.append("second"), forget_late()))  # type: ignore[func-returns-value]
    forget_late = serve.when_draining(lambda: called.append("taken back by another"))
    forget()
    forget()
    assert not serve.is_draining()
    serve._begin_to_drain(loop)
    assert serve.is_draining() and called == []
    told(loop)
    forget_itself()
    told(loop)
    assert called == ["first", "second"] and serve._callbacks == {}
    loop.close()


def test_a_callback_that_comes_late_is_called_in_the_next_round() -> None:
    loop = IOLoop()
    loop.make_current()
    serve._begin_to_drain(loop)
    called: list[bool] = []
    serve.when_draining(lambda: called.append(serve.is_draining()))
    assert called == []
    told(loop)
    assert called == [True]
    IOLoop.clear_current()
    loop.close()


def test_a_callback_runs_in_the_stack_context_that_registered_it() -> None:
    loop = IOLoop()
    caught: list[object] = []

    def handle(kind: object, error: object, traceback: object) -> bool:
        caught.append(kind)
        return True

    with stack_context.ExceptionStackContext(handle):
        serve.when_draining(lambda: 1 / 0)
    serve._begin_to_drain(loop)
    told(loop)
    assert caught == [ZeroDivisionError]
    loop.close()


def test_polls_by_the_million_leave_nothing_behind() -> None:
    for _ in range(1000):
        serve.when_draining(lambda: None)()
    assert serve._callbacks == {}
