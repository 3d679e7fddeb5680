"""`Tornado4`: an application of ours under Tornado 6's server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tornado4 import httputil
from tornado4.concurrent import Future
from tornado4.httpserver import _CallableAdapter
from tornado4.ioloop import IOLoop
from tornado4.migrate.bridge import handing_on, real
from tornado4.migrate.bridge.streams import to_our_stream


class Tornado4:
    """Runs an application of tornado4 as the target of a rule of Tornado 6's routing, or behind its ``HTTPServer``.

    ``application`` is an `.Application`, a router of `tornado4.routing`, or a callable that takes an
    `.HTTPServerRequest`. Callbacks, ``@asynchronous``, ``gen.engine``, streaming both ways and WebSockets work as under
    our own server; limits, time-outs, ``xheaders`` and what is refused are the business of Tornado 6's.

    :raises TypeError: ``application`` is nothing that tornado4 could serve; one of Tornado 6's needs no bridge.
    :raises ImportError: there is no Tornado 6.
    """

    def __new__(cls, application: Any) -> Tornado4:
        """Make it an ``HTTPServerConnectionDelegate`` of Tornado 6, which its routers ask for."""
        ours: Any = cls
        kind: Any = real.derived(ours, "httputil", "HTTPServerConnectionDelegate")
        made: Tornado4 = object.__new__(kind)
        return made

    def __init__(self, application: Any) -> None:
        ours = isinstance(application, httputil.HTTPServerConnectionDelegate)
        if isinstance(application, real.module("httputil").HTTPServerConnectionDelegate):
            raise TypeError(f"{application!r} is Tornado 6's, and needs no bridge: it can be a rule's target as it is")
        if not ours and (not callable(application) or isinstance(application, type)):
            raise TypeError(f"Tornado4() takes an Application of tornado4, not {application!r}")
        self.application = application

    def start_request(self, server_conn: Any, request_conn: Any) -> Any:
        """The delegate of one request."""
        IOLoop.current()  # attached to the loop that runs, for all that the application does
        connection = _Connection(request_conn)
        if isinstance(self.application, httputil.HTTPServerConnectionDelegate):
            return _Message(self.application.start_request(server_conn, connection))
        return _Message(_CallableAdapter(self.application, connection))


class _Message(handing_on.Message):
    """What Tornado 6's server tells of a request goes on to our delegate."""

    def __init__(self, delegate: httputil.HTTPMessageDelegate) -> None:
        super().__init__(delegate, httputil.RequestStartLine, real.to_our_headers)

    def _tell(self, method: Callable[..., Any], *args: Any) -> Any:
        try:
            return method(*args)  # a Future of ours can be awaited there
        except httputil.HTTPInputError as error:
            raise real.to_real_error(error) from error


class _Connection(handing_on.Connection, httputil.HTTPConnection):
    """Tornado 6's connection, as our handlers see it: Futures that call back at once, our errors, our streams."""

    _to_error = staticmethod(real.to_our_error)
    _to_stream = staticmethod(to_our_stream)

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        theirs = real.module("httputil")
        self._line = theirs.ResponseStartLine
        self._output_error = theirs.HTTPOutputError

    def write_headers(
        self, start_line: Any, headers: httputil.HTTPHeaders, chunk: bytes | None = None, callback: Any = None
    ) -> Future:
        """Send a head, with the first piece of the body."""
        line = self._line(*start_line)
        sent = self._ask(self._connection.write_headers, line, real.to_real_headers(headers), chunk)
        return real.to_our_future(sent, callback)

    def write(self, chunk: bytes, callback: Callable[[], Any] | None = None) -> Future:
        """Send a piece of the body."""
        return real.to_our_future(self._ask(self._connection.write, chunk), callback)

    def set_close_callback(self, callback: Callable[[], Any] | None) -> None:
        """Be told when the client has gone before the response was complete."""
        self._connection.set_close_callback(callback)
