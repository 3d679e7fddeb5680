"""``--health PORT``: whether the server lives and is ready, for whoever runs it.

``/live`` is 200 as long as the process answers at all. ``/ready`` is 200 when requests are accepted, else 503: before
the application is loaded, and while the server drains. ``/`` is as ``/ready``. All have the same JSON:
``{"live": true, "ready": true, "draining": false, "workers": 2, "pid": 7}``.
"""

from __future__ import annotations

import json
import selectors
import socket
from collections.abc import Callable
from typing import Any

from tornado4 import httputil
from tornado4.httpserver import HTTPServer

#: What a server says of itself; ``live`` is added here.
Report = dict[str, Any]

_HEAD_SIZE = 8192
#: Connections of a master's at once; further ones wait.
_AT_ONCE = 32


def answer(path: str, report: Report) -> tuple[int, bytes]:
    """Status and body for a request."""
    path = path.partition("?")[0]
    if path not in ("/", "/live", "/ready"):
        return 404, b'{"error": "there are /live and /ready"}\n'
    status = 200 if path == "/live" or report["ready"] else 503
    return status, json.dumps({"live": True, **report}).encode() + b"\n"


def _head(status: int, body: bytes) -> bytes:
    lines = [
        f"HTTP/1.1 {status} {httputil.responses[status]}", "Content-Type: application/json",
        f"Content-Length: {len(body)}", "Cache-Control: no-store", "Connection: close", "", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


def server(report: Callable[[], Report]) -> HTTPServer:
    """For a process that has a loop: when the loop is blocked, so is the answer, as it should be."""

    def handle(request: httputil.HTTPServerRequest) -> None:
        status, body = answer(request.uri or "", report())
        connection: Any = request.connection
        headers = httputil.HTTPHeaders({"Content-Type": "application/json", "Cache-Control": "no-store"})
        headers["Content-Length"] = str(len(body))
        line = httputil.ResponseStartLine("", status, httputil.responses[status])
        connection.write_headers(line, headers, b"" if request.method == "HEAD" else body)
        connection.finish()

    return HTTPServer(handle, no_keep_alive=True)


class OnSelector:
    """For a master, which has no loop: one small answer for each connection.

    A client that is slow holds nobody up; when there are too many of them, the oldest is dropped.
    """

    def __init__(
        self, selector: selectors.BaseSelector, sockets: list[socket.socket], report: Callable[[], Report]
    ) -> None:
        self._selector = selector
        self._report = report
        self._received: dict[socket.socket, bytes] = {}
        for sock in sockets:
            selector.register(sock, selectors.EVENT_READ, lambda sock=sock: self._accept(sock))

    def close(self) -> None:
        """Drop the connections that are open. In a forked child, which has copies of them."""
        for connection in self._received:
            connection.close()

    def _accept(self, sock: socket.socket) -> None:
        try:
            connection, _ = sock.accept()
        except OSError:
            return
        connection.setblocking(False)
        while len(self._received) >= _AT_ONCE:
            self._drop(next(iter(self._received)))
        self._received[connection] = b""
        self._selector.register(connection, selectors.EVENT_READ, lambda: self._read(connection))

    def _read(self, connection: socket.socket) -> None:
        try:
            data = connection.recv(_HEAD_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        received = self._received[connection] + data
        self._received[connection] = received
        if data and b"\r\n\r\n" not in received and len(received) < _HEAD_SIZE:
            return
        words = received.split(b"\r\n", 1)[0].split(b" ")
        if len(words) == 3:
            status, body = answer(words[1].decode("latin-1"), self._report())
            try:
                connection.send(_head(status, body) + (b"" if words[0] == b"HEAD" else body))
            except OSError:
                pass  # it has gone
        self._drop(connection)

    def _drop(self, connection: socket.socket) -> None:
        self._selector.unregister(connection)
        del self._received[connection]
        connection.close()
