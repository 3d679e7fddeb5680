"""One exchange under an ASGI server: what the application writes, in order, as messages of ASGI."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import Any

from tornado4 import httputil
from tornado4._core.futures import resolved
from tornado4.asgi.types import Message, Scope, Send, to_pairs
from tornado4.concurrent import Future

_DONE = resolved(None)

#: What is asked of `Exchange` and cannot be done: the server owns the connection.
_OURS = "the connection belongs to the ASGI server: {} is not to be had; serve with HTTPServer where it is needed"


_HTTP_SCHEMES = {"ws": "http", "wss": "https"}


class Context:
    """Whom the connection is with, as the server says: behind a proxy it reads the proxy's headers, not we."""

    def __init__(self, scope: Scope) -> None:
        client = scope.get("client")
        self.address = tuple(client) if client else None
        self.remote_ip: str = (client and client[0]) or "0.0.0.0"
        scheme: str = scope.get("scheme", "http")
        self.protocol: str = _HTTP_SCHEMES.get(scheme, scheme)

    def __str__(self) -> str:
        return self.remote_ip


class Exchange(httputil.HTTPConnection):
    """The `HTTPConnection` of a request that came by ASGI.

    The application writes whenever it likes; `flush`, called by the adapter's task alone, hands on what there is.
    A Future that a write returned is resolved when the server has taken the message: that is the back-pressure.
    """

    #: ``request.connection.no_keep_alive`` and its like are the server's business.
    no_keep_alive = False
    #: The types of messages that carry a response.
    start_type, body_type = "http.response.start", "http.response.body"

    # What most exchanges leave as it is lies on the class.
    #: Who hears of the body; None when it has ended.
    delegate: httputil.HTTPMessageDelegate | None = None
    finished = False
    closed = False
    lost = False
    max_body_size: int | None = None
    body_timeout: float | None = None
    _head_sent = False
    _bodyless = False
    _expected: int | None = None
    _last_body: Message | None = None
    _close_callback: Callable[[], Any] | None = None
    _waker: asyncio.Future[None] | None = None

    def __init__(self, scope: Scope, send: Send) -> None:
        self.context = Context(scope)
        self.method: str = scope.get("method", "GET")
        self._send = send
        self._outgoing: deque[tuple[Message, Future | None]] = deque()

    # -- what applications call

    def _write_response(self, start_line: Any, headers: httputil.HTTPHeaders, chunk: bytes | None) -> None:
        """`write_headers` for `.RequestHandler`, of a whole response: nobody waits for it, or for the client's end."""
        self._close_callback = None
        message = self._head(start_line, headers)
        if self.closed:
            return
        self._outgoing.append((message, None))
        if chunk and not self._bodyless:
            if self._expected is not None:
                self._count(chunk)
            message = {"type": self.body_type, "body": chunk, "more_body": True}
            self._outgoing.append((message, None))
            self._last_body = message
        if self._waker is not None:
            self._wake()

    def write_headers(
        self, start_line: Any, headers: httputil.HTTPHeaders, chunk: bytes | None = None, callback: Any = None
    ) -> Future:
        """Send status and headers; see `HTTPConnection`."""
        message = self._head(start_line, headers)
        if chunk:
            self._put(message)
            return self.write(chunk, callback)
        return self._put(message, callback, wanted=True)

    def write(self, chunk: bytes, callback: Callable[[], Any] | None = None) -> Future:
        """Send a piece of the body. `HTTPOutputError` for more than Content-Length says."""
        if self._bodyless:
            return self._put(None, callback)
        if self._expected is not None:
            self._count(chunk)
        message = {"type": self.body_type, "body": bytes(chunk), "more_body": True}
        future = self._put(message, callback, wanted=True)
        self._last_body = message
        return future

    def _head(self, start_line: Any, headers: httputil.HTTPHeaders) -> Message:
        pairs = to_pairs(headers)  # before all else: it may have something against them
        status = start_line[1]
        self._head_sent = True
        if self.method == "HEAD" or status in (204, 304) or 100 <= status < 200:
            self._bodyless = True
        else:
            length = headers.get("Content-Length")
            if length is not None:
                self._expected = int(length)
        return {"type": self.start_type, "status": status, "headers": pairs}

    def _count(self, chunk: bytes) -> None:
        assert self._expected is not None
        self._expected -= len(chunk)
        if self._expected < 0:
            self._abort()
            raise httputil.HTTPOutputError("Tried to write more data than Content-Length")

    def finish(self) -> None:
        """The response is complete. `HTTPOutputError` for less than Content-Length says."""
        if self._expected:
            self._abort()
            raise httputil.HTTPOutputError(f"Tried to write {self._expected} bytes less than Content-Length")
        self.finished = True
        if self._last_body is not None and self._outgoing and self._outgoing[-1][0] is self._last_body:
            self._last_body["more_body"] = False
            self._wake()
        else:
            self._put({"type": self.body_type, "body": b"", "more_body": False})

    def set_close_callback(self, callback: Callable[[], Any] | None) -> None:
        """Be told when the client has gone before the response was complete."""
        self._close_callback = callback

    def set_max_body_size(self, max_body_size: int) -> None:
        """Bytes of this request's body; more are answered with 413."""
        self.max_body_size = max_body_size

    def set_body_timeout(self, timeout: float) -> None:
        """Seconds for this request's body to arrive."""
        self.body_timeout = timeout

    def detach(self) -> Any:
        """Not to be had: `RuntimeError`."""
        raise RuntimeError(_OURS.format("detach()"))

    @property
    def stream(self) -> Any:
        """Not to be had: `AttributeError`."""
        raise AttributeError(_OURS.format("its stream"))

    # -- what the adapter calls

    @property
    def has_begun(self) -> bool:
        """Whether a status was written."""
        return self._head_sent

    def answer(self, status: int, reason: str) -> None:
        """Answer with a status alone; where a response has begun, it ends without being complete."""
        if self.has_begun:
            self._abort()
            return
        headers = httputil.HTTPHeaders({"Content-Length": "0"})
        self.write_headers(httputil.ResponseStartLine("HTTP/1.1", status, reason), headers)
        self.finish()

    def connection_lost(self) -> None:
        """The client has gone. What was written and not taken is dropped; its Futures resolve, as 4.5.3's did."""
        if self.closed:
            return
        self.closed = self.lost = True
        pending, self._outgoing = self._outgoing, deque()
        for _, future in pending:
            if future is not None:
                future.set_result(None)
        callback, self._close_callback = self._close_callback, None
        delegate, self.delegate = self.delegate, None
        if delegate is not None:
            delegate.on_connection_close()
        elif callback is not None and not self.finished:
            callback()

    def forget(self) -> None:
        """Let go of the application: the exchange is over."""
        self._close_callback = None

    async def flush(self) -> None:
        """Hand to the server all that was written."""
        while self._outgoing:
            message, future = self._outgoing.popleft()
            try:
                await self._send(message)
            except OSError:  # so a server says that the client has gone, since ASGI 2.4
                self.connection_lost()
            if future is not None:
                future.set_result(None)

    async def flush_until(self, future: Future | asyncio.Future[Any]) -> Any:
        """The result of ``future``; what is written until then is sent, for that may be what it waits for."""
        over = future if isinstance(future, asyncio.Future) else asyncio.ensure_future(until(future))
        await self.flush()
        while not future.done():
            # When all is written, nothing wakes us any more but its end.
            wakers = (over,) if self.finished or self.closed else (over, self.woken())
            await asyncio.wait(wakers, return_when=asyncio.FIRST_COMPLETED)
            await self.flush()
        return future.result()

    def woken(self) -> asyncio.Future[None]:
        """A future for the next time that something is written; done when there is something now."""
        waker = asyncio.get_running_loop().create_future()
        if self._outgoing or self.finished or self.closed:
            waker.set_result(None)
        else:
            self._waker = waker
        return waker

    def _wake(self) -> None:
        waker, self._waker = self._waker, None
        if waker is not None and not waker.done():
            waker.set_result(None)

    def _put(self, message: Message | None, callback: Callable[[], Any] | None = None, wanted: bool = False) -> Future:
        if self.closed or message is None:
            if callback is not None:
                callback()
            return _DONE
        future: Future | None = Future() if wanted or callback is not None else None
        if future is not None and callback is not None:
            then = callback
            future.add_done_callback(lambda _: then())
        self._outgoing.append((message, future))
        self._wake()
        return _DONE if future is None else future

    def _abort(self) -> None:
        """The response can not be completed: no more of it is sent."""
        self._outgoing.clear()
        self.finished = self.closed = True
        self._wake()


async def until(future: Future) -> None:
    """Wait for it, whatever its outcome."""
    with contextlib.suppress(Exception):
        await future
