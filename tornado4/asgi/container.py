"""`ASGIContainer`: an ASGI application as the target of a rule, or behind an `.HTTPServer`."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import time
from collections import deque
from typing import Any
from urllib.parse import unquote_to_bytes

from tornado4 import httputil, web
from tornado4._core.tasks import end_task, start_task
from tornado4.asgi.relay import Relay
from tornado4.asgi.types import HOP_BY_HOP, ASGIApplication, ClientDisconnected, Message, Scope, caused_by_disconnect
from tornado4.concurrent import Future
from tornado4.escape import utf8
from tornado4.httputil.uris import split_absolute
from tornado4.iostream import StreamClosedError
from tornado4.log import access_log, app_log

#: The version of the specification that is spoken.
ASGI = {"version": "3.0", "spec_version": "2.4"}

#: Pieces that may be sent without a wait before others get their turn.
_SENT_AT_A_STRETCH = 16


class ASGIContainer(httputil.HTTPServerConnectionDelegate):
    """Runs an ASGI 3 application under our server: http, websocket, lifespan, without blocking the loop.

    It is a rule's target, as `.WSGIContainer` is, or the application of an `.HTTPServer`::

        RuleRouter([Rule(PathMatches("/api.*"), ASGIContainer(api)), Rule(AnyMatches(), legacy_application)])

    ``root_path`` is the path under which it is mounted; the application sees it in its scope. The lifespan begins
    before the first request (or with `startup`), and ends with `shutdown`, to be awaited before the loop stops.
    An application that does not know the lifespan is run without.
    """

    def __init__(self, application: ASGIApplication, *, root_path: str = "") -> None:
        if isinstance(application, httputil.HTTPServerConnectionDelegate):
            raise TypeError(f"{application!r} is no ASGI application: it can be a rule's target as it is")
        self.application = application
        self.root_path = root_path
        self.state: dict[str, Any] = {}
        self._lifespan: _Lifespan | None = None
        self._starting: asyncio.Future[None] | None = None
        relay = (r".*", Relay, {"container": self})
        self._sockets = web.Application([relay])

    # -- what servers and routers call

    def start_request(self, server_conn: Any, request_conn: Any) -> httputil.HTTPMessageDelegate:
        """The delegate of one request."""
        return _Chooser(self, server_conn, request_conn)

    def __call__(self, request: httputil.HTTPServerRequest) -> None:
        """Answer a request that is there as a whole, as `.FallbackHandler` calls it."""
        exchange = _Request(self, request.connection)
        assert request.method is not None
        start_line = httputil.RequestStartLine(request.method, request.uri, request.version)
        exchange.headers_received(start_line, request.headers)
        if request.body:
            exchange.data_received(utf8(request.body))
        exchange.finish()

    # -- lifespan

    @property
    def started(self) -> bool:
        """Whether the lifespan has begun, or there is none."""
        starting = self._starting
        return starting is not None and starting.done() and starting.exception() is None

    async def startup(self) -> None:
        """Begin the application's lifespan, once. RuntimeError with its message when it says that it failed."""
        if self._starting is None:
            self._starting = asyncio.get_running_loop().create_future()
            self._lifespan = _Lifespan(self)
            try:
                await self._lifespan.startup()
            except BaseException as error:
                self._starting.set_exception(error)
                self._starting.exception()  # told to those who wait; nobody has to
                raise
            self._starting.set_result(None)
        else:
            await asyncio.shield(self._starting)

    async def shutdown(self) -> None:
        """End the application's lifespan."""
        if self._lifespan is not None:
            lifespan, self._lifespan = self._lifespan, None
            self._starting = None
            await lifespan.shutdown()

    # -- scopes

    def scope(self, kind: str, start_line: Any, headers: httputil.HTTPHeaders, connection: Any) -> Scope:
        """The scope of a connection that has just come."""
        path, _, query = start_line.path.partition("?")
        host = headers.get("Host", "")
        pairs = [(_name(name), value.encode("latin-1", "replace")) for name, value in headers.get_all()]
        absolute = None if path[:1] == "/" else split_absolute(start_line.path)
        if absolute is not None:
            # All of the URL: then it is the target that names the host (RFC 9112, 3.2.2).
            host, path, query = absolute
            pairs = [(b"host", host.encode("latin-1", "replace")), *(pair for pair in pairs if pair[0] != b"host")]
        raw_path = path.encode("latin-1", "replace")
        context = connection.context
        address = getattr(context, "address", None)
        client = [context.remote_ip, address[1] if isinstance(address, tuple) and len(address) > 1 else 0]
        return {
            "type": kind,
            "asgi": ASGI,
            "http_version": start_line.version.partition("/")[2],
            "scheme": {"http": "ws", "https": "wss"}[context.protocol] if kind == "websocket" else context.protocol,
            "method": start_line.method,
            "path": path if "%" not in path and path.isascii() else _decoded(raw_path),
            "raw_path": raw_path,
            "query_string": query.encode("latin-1", "replace"),
            "root_path": self.root_path,
            "headers": pairs,
            "client": client,
            "server": _server_of(host, context.protocol),
            "state": {},
            "extensions": {},
        }


@functools.lru_cache(100)
def _start_line(status: int) -> httputil.ResponseStartLine:
    return httputil.ResponseStartLine("HTTP/1.1", status, httputil.responses.get(status, "Unknown"))


def _decoded(raw_path: bytes) -> str:
    return unquote_to_bytes(raw_path).decode("utf-8", "replace")


@functools.lru_cache(1000)
def _name(name: str) -> bytes:
    return name.lower().encode("latin-1")


@functools.lru_cache(100)
def _server_of(host: str, protocol: str) -> tuple[str, int]:
    name, port = httputil.split_host_and_port(host)
    return name, port if port is not None else 443 if protocol == "https" else 80


class _Chooser(httputil.HTTPMessageDelegate):
    """Finds out from its head whether a request is a WebSocket's."""

    def __init__(self, container: ASGIContainer, server_conn: Any, request_conn: Any) -> None:
        self._make = (container, server_conn, request_conn)

    def headers_received(self, start_line: Any, headers: httputil.HTTPHeaders) -> Any:
        container, server_conn, request_conn = self._make
        delegate: httputil.HTTPMessageDelegate
        if headers.get("Upgrade", "").lower() == "websocket" and start_line.method == "GET":
            delegate = container._sockets.start_request(server_conn, request_conn)
        else:
            delegate = _Request(container, request_conn)
        self.data_received = delegate.data_received  # type: ignore[method-assign]
        self.finish = delegate.finish  # type: ignore[method-assign]
        self.on_connection_close = delegate.on_connection_close  # type: ignore[method-assign]
        return delegate.headers_received(start_line, headers)


class _Request(httputil.HTTPMessageDelegate):
    """One request: its body is what the application receives, what it sends is written to the connection."""

    def __init__(self, container: ASGIContainer, connection: Any) -> None:
        self.container = container
        self.connection = connection
        self._started = time.monotonic()
        self._body: deque[bytes] = deque()
        self._body_ended = False
        self._waits_for_end = True
        self._end_was_said = False
        self._disconnected = False
        self._wanted: asyncio.Future[None] | None = None
        self._room: Future | None = None
        self._status: int | None = None
        self._headers: httputil.HTTPHeaders | None = httputil.HTTPHeaders()
        self._finished = False
        self._bodiless = False
        self._unwaited = 0

    # -- from the connection

    def headers_received(self, start_line: Any, headers: httputil.HTTPHeaders) -> None:
        self._line = start_line
        self._head = headers
        set_callback = getattr(self.connection, "set_close_callback", None)
        if set_callback is not None:
            set_callback(self.on_connection_close)
        if "Content-Length" in headers or "Transfer-Encoding" in headers:
            # Not at once: an answer before the end of its request would cost the connection.
            self._waits_for_end = False
            asyncio.get_running_loop().call_soon(lambda: start_task(self._run(), None))

    def data_received(self, chunk: bytes) -> Future | None:
        self._body.append(chunk)
        self._wake()
        if len(self._body) < 2:
            return None
        # The application has not taken the last piece: nothing more is read until it has.
        self._room = Future()
        return self._room

    def finish(self) -> None:
        self._body_ended = True
        if self._waits_for_end:
            start_task(self._run(), None)
        else:
            self._wake()

    def on_connection_close(self) -> None:
        self._disconnected = True
        self._make_room()
        self._wake()

    # -- the application

    async def _run(self) -> None:
        scope = self.container.scope("http", self._line, self._head, self.connection)
        try:
            if not self.container.started:
                await self.container.startup()
            scope["state"] = dict(self.container.state)
            await self.container.application(scope, self._receive, self._send)
            if not self._finished and not self._disconnected:
                raise RuntimeError("the ASGI application ended without completing its response")
        except Exception as error:
            if not (self._disconnected and caused_by_disconnect(error)):
                app_log.error("Exception in ASGI application", exc_info=True)
            await self._fail()
        except asyncio.CancelledError:
            await self._fail()
            raise
        finally:
            self._make_room()
            self._log()
            end_task()

    async def _receive(self) -> Message:
        while not (self._body or self._body_ended or self._disconnected):
            self._wanted = asyncio.get_running_loop().create_future()
            await self._wanted
        if self._disconnected:
            return {"type": "http.disconnect"}
        if self._body:
            body = self._body.popleft()
            self._make_room()
            self._end_was_said = self._body_ended and not self._body
            return {"type": "http.request", "body": body, "more_body": not self._end_was_said}
        if not self._end_was_said:
            self._end_was_said = True
            return {"type": "http.request", "body": b"", "more_body": False}
        # All of the body was given: the next thing to happen is that the client goes, or that we are done.
        while not (self._disconnected or self._finished):
            self._wanted = asyncio.get_running_loop().create_future()
            await self._wanted
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            if self._status is not None:
                raise RuntimeError("http.response.start was sent twice")
            self._status = message["status"]
            assert self._headers is not None
            self._bodiless = self._line.method == "HEAD" or self._status in (204, 304)
            for name, value in message.get("headers", ()):
                key = bytes(name).lower()
                if key in HOP_BY_HOP:
                    self._heed(key, bytes(value))
                else:
                    self._headers.add(key.decode("latin-1"), bytes(value).decode("latin-1"))
        elif kind == "http.response.body":
            await self._send_body(message.get("body", b""), message.get("more_body", False))
        else:
            raise ValueError(f"an ASGI message of type {kind!r} is not known here")

    def _heed(self, name: bytes, value: bytes) -> None:
        """A header about the hop, which is our connection's: only a wish to close that counts."""
        if name == b"connection" and value.strip().lower() == b"close":
            assert self._headers is not None
            self._headers["Connection"] = "close"
            self.connection._disconnect_on_finish = True

    async def _send_body(self, body: bytes, more: bool) -> None:
        if self._status is None:
            raise RuntimeError("http.response.body was sent before http.response.start")
        if self._finished:
            raise RuntimeError("http.response.body was sent after the response was complete")
        if self._disconnected:
            raise ClientDisconnected("the client has gone")
        waiting = None
        headers = self._headers
        if headers is not None:
            if not more and self._status not in (204, 304):
                headers.setdefault("Content-Length", str(len(body)))
            chunk = bytes(body) if body and not self._bodiless else None
            whole = None if more else getattr(self.connection, "_write_response", None)
            if whole is not None:
                whole(_start_line(self._status), headers, chunk)
            else:
                waiting = self.connection.write_headers(_start_line(self._status), headers, chunk=chunk)
            self._headers = None
        elif body and not self._bodiless:
            waiting = self.connection.write(bytes(body))
        if not more:
            self._finished = True
            self.connection.finish()
            self._wake()
        elif waiting is not None:
            await self._room_for_more(waiting)

    async def _room_for_more(self, sent: Future) -> None:
        """Wait until it has left; and for the others' turn, now and then, where it leaves at once."""
        if not sent.done():
            self._unwaited = 0
            with contextlib.suppress(StreamClosedError):  # the next one is told
                await sent
            return
        self._unwaited += 1
        if self._unwaited == _SENT_AT_A_STRETCH:
            self._unwaited = 0
            await asyncio.sleep(0)

    async def _fail(self) -> None:
        """Answer 500 where nothing was sent; else end the connection, so that nobody takes it for complete."""
        if self._disconnected or self._finished:
            return
        if self._headers is not None:
            self._status, self._headers = 500, httputil.HTTPHeaders({"Content-Type": "text/plain; charset=utf-8"})
            await self._send_body(b"Internal Server Error", False)
            return
        self._finished = True
        stream = getattr(self.connection, "stream", None)
        if stream is not None:
            stream.close()

    # -- inside

    def _wake(self) -> None:
        wanted, self._wanted = self._wanted, None
        if wanted is not None and not wanted.done():
            wanted.set_result(None)

    def _make_room(self) -> None:
        room, self._room = self._room, None
        if room is not None:
            room.set_result(None)

    def _log(self) -> None:
        """One access line a request, as of a handler."""
        status = self._status or 500
        level = logging.INFO if status < 400 else logging.WARNING if status < 500 else logging.ERROR
        if not access_log.isEnabledFor(level):
            return
        took = 1000.0 * (time.monotonic() - self._started)
        summary = f"{self._line.method} {self._line.path} ({self.connection.context.remote_ip})"
        access_log.log(level, "%d %s %.2fms", status, summary, took)


class _Lifespan:
    """The task in which an application lives from start to end."""

    def __init__(self, container: ASGIContainer) -> None:
        self.container = container
        self._events: asyncio.Queue[Message] = asyncio.Queue()
        self._answer: asyncio.Future[Message | None] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[None] | None = None

    async def startup(self) -> None:
        self._task = asyncio.ensure_future(self._run())
        await self._ask({"type": "lifespan.startup"})

    async def shutdown(self) -> None:
        if self._task is not None and not self._task.done():
            self._answer = asyncio.get_running_loop().create_future()
            await self._ask({"type": "lifespan.shutdown"})
            await self._task

    async def _ask(self, event: Message) -> None:
        self._events.put_nowait(event)
        answer = await self._answer
        if answer is not None and answer["type"].endswith(".failed"):
            kind = event["type"]
            raise RuntimeError(f"the ASGI application's {kind} failed: {answer.get('message', '')}")

    async def _run(self) -> None:
        scope: Scope = {"type": "lifespan", "asgi": ASGI, "state": self.container.state}
        try:
            await self.container.application(scope, self._events.get, self._send)
        except Exception:
            if self._answer.done():
                app_log.error("Exception in the lifespan of an ASGI application", exc_info=True)
            # before it: one that does not know the lifespan, which the specification allows
        finally:
            if not self._answer.done():
                self._answer.set_result(None)

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind.partition(".")[0] != "lifespan":
            # It takes this for a request: one that does not look at the type of its scope.
            raise ValueError(f"an ASGI message of type {kind!r} is not known in the lifespan")
        if not self._answer.done():
            self._answer.set_result(message)
