"""Servers for client tests that send exactly the bytes a test names, and remember what they got."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tornado4 import gen
from tornado4.ioloop import IOLoop
from tornado4.iostream import IOStream, StreamClosedError
from tornado4.netutil import bind_sockets
from tornado4.tcpserver import TCPServer

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

#: Bytes to send, None to hang up, or a function of the stream that may return a Future.
Step = bytes | None | Callable[[IOStream], Any]


class RawServer(TCPServer):
    """Answers each connection with the next script, or the last one again; keeps the heads of requests."""

    def __init__(self, io_loop: IOLoop) -> None:
        super().__init__(io_loop=io_loop)
        self.requests: list[bytes] = []
        self.scripts: list[Sequence[Step]] = [[OK]]
        self.streams: list[IOStream] = []
        (self.socket,) = bind_sockets(0, "127.0.0.1", family=socket.AF_INET)
        self.port: int = self.socket.getsockname()[1]
        self.add_socket(self.socket)

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    @gen.coroutine
    def handle_stream(self, stream: IOStream, address: Any) -> Any:
        self.streams.append(stream)
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        try:
            head = yield stream.read_until(b"\r\n\r\n")
            self.requests.append(head.replace(b"%d" % self.port, b"PORT"))
            for step in script:
                if step is None:
                    stream.close()
                elif isinstance(step, bytes):
                    yield stream.write(step)
                else:
                    result = step(stream)
                    if result is not None:
                        yield result
            rest = yield stream.read_until_close()
            if rest:
                self.requests.append(rest)
        except StreamClosedError:
            pass


@contextlib.contextmanager
def raw_server() -> Iterator[tuple[IOLoop, RawServer]]:
    """A loop, current while the test runs, with a server on it; all closed afterwards."""
    io_loop = IOLoop()
    io_loop.make_current()
    server = RawServer(io_loop)
    try:
        yield io_loop, server
    finally:
        server.stop()
        for stream in server.streams:
            stream.close()
        # Let close callbacks run that were put off.
        io_loop.run_sync(lambda: gen.moment)
        io_loop.clear_current()
        io_loop.close(all_fds=True)
