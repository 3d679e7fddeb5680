"""A request run through an application with no socket and no loop: what the tests of tornado4.web share."""

from __future__ import annotations

from typing import Any

from tornado4.concurrent import Future
from tornado4.httputil import HTTPHeaders, RequestStartLine
from tornado4.web import Application


class FakeContext:
    remote_ip = "1.2.3.4"
    protocol = "http"


class FakeConnection:
    """Records what a handler sends."""

    def __init__(self) -> None:
        self.context = FakeContext()
        self.status = 0
        self.reason = ""
        self.headers: HTTPHeaders = HTTPHeaders()
        self.pieces: list[bytes | None] = []
        self.finished = False
        self.close_callback: Any = None

    def set_close_callback(self, callback: Any) -> None:
        self.close_callback = callback

    def write_headers(
        self, start_line: Any, headers: HTTPHeaders, chunk: bytes | None = None, callback: Any = None
    ) -> Future:
        self.status, self.reason = start_line.code, start_line.reason
        self.headers = headers
        return self.write(chunk, callback)

    def write(self, chunk: bytes | None, callback: Any = None) -> Future:
        self.pieces.append(chunk)
        if callback is not None:
            callback()
        sent: Future = Future()
        sent.set_result(None)
        return sent

    def finish(self) -> None:
        self.finished = True

    @property
    def body(self) -> bytes:
        return b"".join(piece for piece in self.pieces if piece)

    def names(self) -> list[str]:
        return [name for name, _ in self.headers.get_all()]


def begin(
    app: Any, method: str = "GET", path: str = "/", headers: dict[str, str] | None = None
) -> tuple[Any, FakeConnection]:
    """Send the head of a request; returns the delegate, for the rest, and the connection."""
    connection = FakeConnection()
    delegate = app.start_request(object(), connection)
    fields = HTTPHeaders({"Host": "example.com"})
    for name, value in (headers or {}).items():
        fields[name] = value
    delegate.headers_received(RequestStartLine(method, path, "HTTP/1.1"), fields)
    return delegate, connection


def fetch(
    app: Any,
    method: str = "GET",
    path: str = "/",
    headers: dict[str, str] | None = None,
    body: bytes = b"",
) -> FakeConnection:
    """Send a whole request."""
    delegate, connection = begin(app, method, path, headers)
    if body:
        delegate.data_received(body)
    delegate.finish()
    return connection


def serve(handler: Any, pattern: str = "/.*", kwargs: Any = None, **settings: Any) -> Application:
    """An application of one handler."""
    return Application([(pattern, handler, kwargs or {})], **settings)
