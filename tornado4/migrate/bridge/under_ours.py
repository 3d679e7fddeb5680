"""`Tornado6`: an application of the real Tornado 6 under our server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tornado4 import httputil
from tornado4.escape import utf8
from tornado4.migrate.bridge import handing_on, real
from tornado4.migrate.bridge.loops import look_for_two_loops
from tornado4.migrate.bridge.streams import to_real_stream


class Tornado6(httputil.HTTPServerConnectionDelegate):
    """Runs an application of the real Tornado 6 as the target of a rule, or behind an `.HTTPServer` of ours.

    ``application`` is a ``tornado.web.Application``, a router of ``tornado.routing``, or whatever else Tornado 6's
    ``HTTPServer`` takes. All that it does works as under that server: streaming both ways, static files, WebSockets,
    detached streams. Address and protocol of the client are what our server has found out (``xheaders``). The line in
    the access log is the application's.

    :raises TypeError: ``application`` is nothing that Tornado 6 could serve; one of tornado4's needs no bridge.
    :raises ImportError: there is no Tornado 6.
    """

    def __init__(self, application: Any) -> None:
        theirs = real.module("httputil").HTTPServerConnectionDelegate
        if isinstance(application, httputil.HTTPServerConnectionDelegate):
            raise TypeError(f"{application!r} is tornado4's, and needs no bridge: it can be a rule's target as it is")
        if isinstance(application, theirs):
            self._target = application
        elif callable(application) and not isinstance(application, type):
            self._target = real.module("routing").RuleRouter([(r"(?s).*", application)])
        else:
            raise TypeError(f"Tornado6() takes an Application of the real Tornado 6, not {application!r}")
        self.application = application
        self._connection: Any = real.derived(_Connection, "httputil", "HTTPConnection")
        self._request_line = real.module("httputil").RequestStartLine
        self._input_error = real.module("httputil").HTTPInputError
        self._looked = False
        look_for_two_loops()

    def start_request(self, server_conn: Any, request_conn: Any) -> httputil.HTTPMessageDelegate:
        """The delegate of one request."""
        if not self._looked:
            self._looked = True
            look_for_two_loops()
        return _Message(self, server_conn, request_conn)

    def __call__(self, request: httputil.HTTPServerRequest) -> None:
        """Answer a request that is there as a whole, as `.FallbackHandler` calls it."""
        message = _Message(self, request.server_connection, request.connection)
        assert request.method is not None
        message.headers_received((request.method, request.uri, request.version), request.headers)
        if request.body:
            message.data_received(utf8(request.body))
        message.finish()


class _Message(handing_on.Message, httputil.HTTPMessageDelegate):
    """What our server tells of a request goes on to Tornado 6's delegate."""

    def __init__(self, bridge: Tornado6, server_conn: Any, request_conn: Any) -> None:
        delegate = bridge._target.start_request(server_conn, bridge._connection(request_conn))
        super().__init__(delegate, bridge._request_line, real.to_real_headers)
        self._input_error = bridge._input_error

    def _tell(self, method: Callable[..., Any], *args: Any) -> Any:
        try:
            waiting = method(*args)
        except self._input_error as error:
            raise httputil.HTTPInputError(str(error)) from error
        return None if waiting is None else self._translated(waiting)

    async def _translated(self, waiting: Awaitable[Any]) -> None:
        try:
            await waiting
        except self._input_error as error:
            raise httputil.HTTPInputError(str(error)) from error


class _Connection(handing_on.Connection):
    """Our connection, as Tornado 6's handlers see it: asyncio's futures, its errors, its streams."""

    _output_error = httputil.HTTPOutputError
    _to_error = staticmethod(real.to_real_error)
    _to_stream = staticmethod(to_real_stream)

    def write_headers(self, start_line: Any, headers: Any, chunk: bytes | None = None) -> asyncio.Future[None]:
        """Send a head, with the first piece of the body."""
        connection = self._connection
        line = httputil.ResponseStartLine(*start_line)
        ours = real.to_our_headers(headers)
        if getattr(connection, "_disconnect_on_finish", False) and start_line.code >= 200:
            # As Tornado 6 does. For a client of HTTP/1.0 it goes without saying.
            request_line = connection._request_start_line
            if request_line is not None and request_line.version == "HTTP/1.1":
                ours["Connection"] = "close"
        return real.to_real_future(self._ask(connection.write_headers, line, ours, chunk))

    def write(self, chunk: bytes) -> asyncio.Future[None]:
        """Send a piece of the body."""
        return real.to_real_future(self._ask(self._connection.write, chunk))

    def detach(self) -> Any:
        """The connection's stream, as an ``IOStream`` of Tornado 6: HTTP is over. RuntimeError where ASGI has none."""
        try:
            return super().detach()
        except RuntimeError:
            self._connection.answer(500, "Internal Server Error")  # Tornado 6 counts the request as answered by now
            raise
