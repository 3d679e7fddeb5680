"""HTTP/1.x over a stream, for servers and clients.

`HTTP1ServerConnection` serves one connection; for each request it makes an `HTTP1Connection`, on which the
answer is written, and asks its delegate for an `.HTTPMessageDelegate`, which is told what is read. A client
makes an `HTTP1Connection` itself and calls `HTTP1Connection.read_response`.

What the bytes mean is decided in ``_wire.http1``. Its drivers, and the rest, are rooms of ``_http1``:
``parameters`` / ``exchange`` (state and writing) / ``client_pump`` and ``pump`` (reading by being pushed: clients and
servers) / ``pulling`` (reading where methods are overridden) / ``connection`` (who reads) / ``decompress`` /
``idle_pool`` (a client's connections between requests).

.. versionadded:: 4.0
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

from tornado4 import gen, httputil, iostream, stack_context
from tornado4._http1.connection import HTTP1Connection, reading_is_overridden
from tornado4._http1.decompress import _GzipMessageDelegate
from tornado4._http1.parameters import HTTP1ConnectionParameters, _ExceptionLoggingContext, _QuietException
from tornado4._http1.pump import RequestPump
from tornado4.concurrent import Future
from tornado4.escape import native_str, utf8
from tornado4.log import app_log, gen_log
from tornado4.util import PY3, GzipDecompressor, set_public_module

__all__ = [
    "PY3",
    "Future",
    "GzipDecompressor",
    "HTTP1Connection",
    "HTTP1ConnectionParameters",
    "HTTP1ServerConnection",
    "_ExceptionLoggingContext",
    "_GzipMessageDelegate",
    "_QuietException",
    "app_log",
    "gen",
    "gen_log",
    "httputil",
    "iostream",
    "native_str",
    "re",
    "stack_context",
    "utf8",
]


class HTTP1ServerConnection:
    """Serves HTTP/1.x on a stream, request after request.

    ``params`` are `HTTP1ConnectionParameters`, ``context`` is handed to each `HTTP1Connection`.
    """

    def __init__(
        self, stream: Any, params: HTTP1ConnectionParameters | None = None, context: Any = None
    ) -> None:
        self.stream = stream
        self.params = HTTP1ConnectionParameters() if params is None else params
        self.context = context
        self._serving_future: Future | None = None
        self._pump: RequestPump | None = None

    @gen.coroutine
    def close(self) -> Generator[Any, Any, None]:
        """Close the connection. The `.Future` resolves when no delegate is at work any more."""
        self.stream.close()
        if self._serving_future is not None:
            try:
                yield self._serving_future
            except Exception:
                pass  # has been raised where it was waited for before

    def start_serving(self, delegate: httputil.HTTPServerConnectionDelegate) -> None:
        """Begin to answer requests; ``delegate`` is asked for each and told when the connection is gone."""
        assert isinstance(delegate, httputil.HTTPServerConnectionDelegate)
        serving = self._server_request_loop(delegate)
        if serving is None:
            return
        self._serving_future = serving
        if stack_context._active():
            self._watch(serving)  # in the contexts of whoever made the server
        else:
            serving.add_done_callback(self._watch)

    def _watch(self, serving: Future) -> None:
        """Have the loop log with what ``serving`` fails."""
        if not serving.done() or serving.exception() is not None:
            self.stream.io_loop.add_future(serving, lambda future: future.result())

    def _server_request_loop(self, delegate: httputil.HTTPServerConnectionDelegate) -> Future:
        """Serve until the connection is closed or detached. May be overridden.

        This one calls no method of `HTTP1Connection` that starts with ``_read``, except where they are
        replaced.
        """
        if reading_is_overridden():
            return self._pulling_request_loop(delegate)
        pump = self._pump = RequestPump(self, delegate)

        def over(_: Future) -> None:
            self._pump = None  # each holds the other
            delegate.on_close(self)

        pump.done.add_done_callback(over)
        return pump.start()

    @gen.coroutine
    def _pulling_request_loop(
        self, delegate: httputil.HTTPServerConnectionDelegate
    ) -> Generator[Any, Any, None]:
        try:
            while True:
                conn = HTTP1Connection(self.stream, False, self.params, self.context)
                message = delegate.start_request(self, conn)
                try:
                    reusable = yield conn.read_response(message)
                except (iostream.StreamClosedError, iostream.UnsatisfiableReadError):
                    return
                except Exception as error:
                    if not isinstance(error, _QuietException):
                        gen_log.error("Uncaught exception", exc_info=True)
                    conn.close()
                    return
                if not reusable:
                    return
                yield gen.moment
        finally:
            delegate.on_close(self)


set_public_module(globals(), __name__, rooms="tornado4._http1")
