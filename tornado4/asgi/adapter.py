"""`ASGIAdapter`: an application of ours as an ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from tornado4 import httputil
from tornado4._core.yielded import convert_yielded
from tornado4._http1.parameters import HTTP1ConnectionParameters
from tornado4._masking import printable
from tornado4._wire import http1_grammar
from tornado4.asgi.exchange import Exchange
from tornado4.asgi.sockets import SocketExchange
from tornado4.asgi.types import Message, Receive, Scope, Send, to_headers
from tornado4.httpserver import _CallableAdapter
from tornado4.ioloop import IOLoop
from tornado4.log import app_log, gen_log

#: Bytes of a request's body, as of `.HTTPServer`.
MAX_BODY_SIZE = 100 * 1024 * 1024


class ASGIAdapter:
    """Makes an application an ASGI 3 application: http, websocket, lifespan.

    ``application`` is an `.Application`, another `.HTTPServerConnectionDelegate`, or a callable that takes an
    `.HTTPServerRequest`. Callbacks, ``gen.engine`` and ``@asynchronous`` work as under our own server: the
    IOLoop is attached to the server's asyncio loop. Streaming has the back-pressure of the server.

    An application that wants its loop when it is made (``io_loop``, a `.PeriodicCallback`, a client) is given by a
    ``factory`` instead, a function without arguments, called once, on the server's loop: when the lifespan begins, or
    before the first request of a server that knows none.

    ``max_body_size`` is in bytes, 100 MiB by default. A proxy's headers (``xheaders``) are the server's business.
    ``request.connection`` has no ``stream``, and a ``detach`` for WebSockets only: a stream of their frames.
    """

    def __init__(
        self,
        application: Any = None,
        *,
        factory: Callable[[], Any] | None = None,
        max_body_size: int = MAX_BODY_SIZE,
    ) -> None:
        if (application is None) is (factory is None):
            raise TypeError("ASGIAdapter() takes an application, or a factory that makes one: either of them")
        if isinstance(application, type):
            raise TypeError(f"{application!r} is a class: ASGIAdapter(factory=...) makes an application of it")
        self.application = application
        self._factory = factory
        self._loop: asyncio.AbstractEventLoop | None = None
        self._shortcut: Any = None
        self._last_host: Any = None  # it was good, and most requests are for the same
        self.max_body_size = max_body_size

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection. ValueError for a type of scope that is not known."""
        kind = scope["type"]
        if kind == "http":
            await self._serve(scope, receive, Exchange(scope, send))
        elif kind == "websocket":
            await SocketExchange(scope, receive, send).serve(self._delegate)
        elif kind == "lifespan":
            await self._lifespan(receive, send)
        else:
            raise ValueError(f"an ASGI scope of type {kind!r} is not known here: http, websocket, lifespan")

    def _make(self) -> Any:
        """The application, made on the loop that runs if that has not been done."""
        if self.application is None:
            assert self._factory is not None
            self.application = self._factory()
        return self.application

    def _attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Before the first request on a loop: the IOLoop is attached, for all that the application does."""
        IOLoop.current()
        find_shortcut = getattr(self._make(), "_find_shortcut", None)
        self._shortcut = None if find_shortcut is None else find_shortcut()
        self._loop = loop

    # -- http

    def _delegate(self, exchange: Exchange) -> httputil.HTTPMessageDelegate:
        application = self._make()
        if isinstance(application, httputil.HTTPServerConnectionDelegate):
            return application.start_request(exchange, exchange)
        return _CallableAdapter(application, exchange)

    async def _serve(self, scope: Scope, receive: Receive, exchange: Exchange) -> None:
        exchange.max_body_size = self.max_body_size
        try:
            try:
                loop = asyncio.get_running_loop()
                if loop is not self._loop:
                    self._attach(loop)
                start_line, headers = start_line_of(scope), to_headers(scope["headers"])
                host = headers._values.get("Host")
                if host is None or host != self._last_host:
                    check_host(scope, headers)
                    self._last_host = host
                first: Message | None = None
                if self._shortcut is not None and _has_no_body(scope, headers):
                    first = await receive()
                    whole = first["type"] == "http.request" and not first.get("body") and not first.get("more_body")
                if first is None or not whole or not self._shortcut(exchange, exchange, start_line, headers):
                    await self._run(start_line, headers, receive, exchange, first)
            except Exception as error:
                _explain(error, exchange)
            if exchange.finished:
                await exchange.flush()  # the usual case: the handler did not have to wait
            else:
                await _attend(exchange, receive)
        except BaseException:  # it was cancelled: a server that stops does not say so
            exchange.connection_lost()
            raise
        exchange.forget()
        if exchange._expected and not exchange.lost:
            raise RuntimeError("the response ended before its Content-Length")

    async def _run(
        self, start_line: Any, headers: Any, receive: Receive, exchange: Exchange, first: Message | None
    ) -> None:
        """What `_shortcut` does for requests without a body, for all requests."""
        delegate = exchange.delegate = self._delegate(exchange)
        waiting = delegate.headers_received(start_line, headers)
        if waiting is not None:
            await exchange.flush_until(convert_yielded(waiting))
        length = headers.get("Content-Length", "")
        most = exchange.max_body_size
        if most is not None and not exchange.finished and length.isdecimal() and int(length) > most:
            raise _TooLarge
        await self._read_body(delegate, receive, exchange, first)

    async def _read_body(self, delegate: Any, receive: Receive, exchange: Exchange, first: Message | None) -> None:
        """Hand the body to the delegate, piece by piece; what is written meanwhile goes out."""
        size = 0
        deadline: float | None = None
        message: Message | None = first if first is not None else await receive()
        while True:
            if message is None or message["type"] == "http.disconnect":
                exchange.connection_lost()
                return
            body = message.get("body", b"")
            if body:
                size += len(body)
                if exchange.max_body_size is not None and size > exchange.max_body_size:
                    raise _TooLarge
                waiting = delegate.data_received(body)
                if waiting is not None:
                    await exchange.flush_until(convert_yielded(waiting))
            if not message.get("more_body", False):
                exchange.delegate = None
                delegate.finish()
                return
            if exchange.finished:
                return  # answered already: the rest of the body is the server's to drop
            if deadline is None and exchange.body_timeout is not None:
                deadline = asyncio.get_running_loop().time() + exchange.body_timeout
            message = await self._next(receive, exchange, deadline)

    async def _next(self, receive: Receive, exchange: Exchange, deadline: float | None) -> Message | None:
        """The next message; None when the time is over. What the application writes meanwhile is sent."""
        receiving = asyncio.ensure_future(receive())
        try:
            async with asyncio.timeout_at(deadline):
                await exchange.flush_until(receiving)
            return receiving.result()
        except TimeoutError:
            gen_log.info("Timeout reading body from %s", exchange.context)
            return None
        finally:
            receiving.cancel()

    # -- lifespan

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        """The loop is attached, so that callbacks can be added; and the application made, where it is to be."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                IOLoop.current()
                try:
                    self._make()
                except Exception as error:
                    app_log.error("The application could not be made", exc_info=True)
                    await send({"type": "lifespan.startup.failed", "message": f"{type(error).__name__}: {error}"})
                    return
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await send({"type": "lifespan.shutdown.complete"})
                return


def check_host(scope: Scope, headers: httputil.HTTPHeaders) -> None:
    """Refuse what our own server would: HTTPInputError for no Host, for two, for one that is none."""
    version = scope.get("http_version", "1.1")
    required = version == "1.1" and HTTP1ConnectionParameters.require_host
    http1_grammar.check_host(headers._values.get("Host"), f"HTTP/{version}", required)


def _has_no_body(scope: Scope, headers: httputil.HTTPHeaders) -> bool:
    """Whether that can be told by the head (RFC 9112, 6.3); HTTP/2 has bodies without a word about them."""
    values = headers._values
    return scope["http_version"][0] == "1" and "Content-Length" not in values and "Transfer-Encoding" not in values


class _TooLarge(Exception):
    """A body is larger than it may be."""


def start_line_of(scope: Scope) -> httputil.RequestStartLine:
    """The request's first line: the target as it was sent, where the server tells."""
    raw = scope.get("raw_path")
    path = raw.decode("latin-1") if raw else quote(scope["path"])
    query = scope.get("query_string", b"").decode("latin-1")
    uri = f"{path}?{query}" if query else path
    return httputil.RequestStartLine(scope.get("method", "GET"), uri, "HTTP/1.1")


def _explain(error: Exception, exchange: Exchange) -> None:
    """Log what went wrong with a request, and answer with its status."""
    if isinstance(error, httputil.HTTPInputError):
        gen_log.info("Malformed HTTP message from %s: %s", exchange.context, printable(str(error)))
        exchange.answer(400, "Bad Request")
    elif isinstance(error, _TooLarge):
        gen_log.info("Malformed HTTP message from %s: body too large", exchange.context)
        exchange.answer(413, "Request Entity Too Large")
    else:
        app_log.error("Uncaught exception", exc_info=error)
        exchange.answer(500, "Internal Server Error")


async def _attend(exchange: Exchange, receive: Receive) -> None:
    """Until the response is complete: send what is written, and notice when the client goes."""
    receiving = asyncio.ensure_future(receive())
    try:
        while not (exchange.finished or exchange.closed):
            await asyncio.wait((receiving, exchange.woken()), return_when=asyncio.FIRST_COMPLETED)
            if receiving.done():
                message = receiving.result()
                if message["type"] == "http.disconnect":
                    exchange.connection_lost()
                    return
                receiving = asyncio.ensure_future(receive())
            await exchange.flush()
        await exchange.flush()
    finally:
        if not receiving.done():
            receiving.cancel()
