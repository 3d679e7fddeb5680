"""A server that tests of security ask, in bytes of their own, and what it logs meanwhile."""

from __future__ import annotations

import contextlib
import logging
import socket
from typing import Any

from tornado4 import gen
from tornado4.httpserver import HTTPServer
from tornado4.ioloop import IOLoop
from tornado4.iostream import IOStream, StreamClosedError
from tornado4.netutil import bind_sockets
from tornado4.web import Application

#: Seconds after which an answer that does not end has not come.
PATIENCE = 60


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


class Attacked:
    """One server on a loop of its own. ``log`` has the lines of all of Tornado's loggers, tracebacks included."""

    def __init__(self, loop: IOLoop, port: int, lines: _Lines) -> None:
        self.loop = loop
        self.port = port
        self._lines = lines

    @property
    def log(self) -> str:
        return "\n".join(self._lines.lines)

    def complaints(self) -> list[str]:
        """Log lines, without those of the access log."""
        return [line for line in self._lines.lines if not line.endswith("ms")]

    def send(self, data: bytes, patience: float = PATIENCE) -> bytes:
        """Send ``data`` on a connection of its own; returns all that comes until the server closes it.

        What has come ends in ``<no end>`` if nothing more comes for that many seconds, and the connection is open then.
        """
        received: list[bytes] = []

        @gen.coroutine
        def talk() -> Any:
            stream = IOStream(socket.socket(), io_loop=self.loop)
            yield stream.connect(("127.0.0.1", self.port))
            try:
                yield stream.write(data)
                while True:
                    deadline = self.loop.time() + patience
                    reading = stream.read_bytes(65536, partial=True)
                    received.append((yield gen.with_timeout(deadline, reading, io_loop=self.loop)))
            except StreamClosedError:
                pass
            except gen.TimeoutError:
                received.append(b"<no end>")
            stream.close()

        self.loop.run_sync(talk)
        return b"".join(received)

    def ask(
        self, target: str, headers: str = "", method: str = "GET", body: bytes = b"", host: str = "test.example"
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the answer; status 0 for none, or for one that does not end."""
        head = f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}"
        if body or method == "POST":
            head += f"Content-Length: {len(body)}\r\n"
        return parse(self.send((head + "\r\n").encode("latin-1") + body))


def parse(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    if not answer.startswith(b"HTTP/1.1 ") or answer.endswith(b"<no end>"):
        return 0, {}, answer
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines[1:])
    return int(lines[0].split(" ")[1]), fields, body


@contextlib.contextmanager
def attacked(application: Any, **options: Any) -> Any:
    """Serve ``application`` (or a list of its handlers) and yield an `Attacked`."""
    if isinstance(application, list):
        application = Application(application)
    lines = _Lines()
    logger = logging.getLogger("tornado")
    level, propagates = logger.level, logger.propagate
    logger.addHandler(lines)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    loop = IOLoop()
    loop.make_current()
    (listening,) = bind_sockets(0, "127.0.0.1", family=socket.AF_INET)
    server = HTTPServer(application, io_loop=loop, **options)
    server.add_socket(listening)
    try:
        yield Attacked(loop, listening.getsockname()[1], lines)
    finally:
        server.stop()
        loop.run_sync(server.close_all_connections)
        loop.clear_current()
        loop.close(all_fds=True)
        logger.removeHandler(lines)
        logger.setLevel(level)
        logger.propagate = propagates


@contextlib.contextmanager
def switched(name: str) -> Any:
    """A switch of `tornado4.switches` set for the time of a test, as far as it is asked for anew each time."""
    from tornado4 import switches  # late: the real 4.5.3 has none, and these tests are run there, too

    was_set = set(switches._board._set)
    switches._board._set.add(name)
    try:
        yield
    finally:
        switches._board._set.clear()
        switches._board._set.update(was_set)
