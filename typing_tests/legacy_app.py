"""User code of the Tornado 4 kind, with the annotations that people would write today. Only type checkers read it.

It has to pass ``mypy --strict`` and pyright (strict) as it stands: no ignores, no casts.
"""

from __future__ import annotations

import asyncio
import datetime
import functools
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import tornado4.ioloop
from tornado4 import (
    auth,
    escape,
    gen,
    httpclient,
    httpserver,
    httputil,
    iostream,
    locale,
    locks,
    netutil,
    options,
    process,
    queues,
    stack_context,
    tcpclient,
    tcpserver,
    template,
    testing,
    web,
    websocket,
    wsgi,
)
from tornado4.concurrent import Future, return_future, run_on_executor
from tornado4.ioloop import IOLoop, PeriodicCallback
from tornado4.options import define, parse_command_line

define("port", default=8888, help="run on the given port", type=int)
define("debug", default=False, help="run in debug mode")

# -- handlers in four styles --------------------------------------------------------------------------------


class BaseHandler(web.RequestHandler):
    @property
    def pool(self) -> ThreadPoolExecutor:
        pool: ThreadPoolExecutor = self.application.settings["pool"]
        return pool

    def initialize(self, greeting: str = "hello") -> None:
        self.greeting = greeting

    def prepare(self) -> None:
        if self.request.headers.get("X-Forbidden") is not None:
            raise web.HTTPError(403, "forbidden: %s", self.request.uri)

    def get_current_user(self) -> str | None:
        user = self.get_secure_cookie("user")
        return user.decode() if user is not None else None

    def get_user_locale(self) -> locale.Locale | None:
        return locale.get("de_DE")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.set_header("Content-Type", "text/plain")
        self.finish(f"{status_code}: {self._reason}")

    def on_finish(self) -> None:
        logging.info("%s took %.3f s", self.request.path, self.request.request_time())


class PlainHandler(BaseHandler):
    def get(self, name: str = "world") -> None:
        page = int(self.get_argument("page", "1"))
        tags = self.get_arguments("tag")
        wanted = self.get_query_argument("wanted", None)
        if wanted is not None:
            tags.append(wanted)
        self.set_cookie("seen", "yes", expires_days=1)
        self.set_secure_cookie("user", name)
        self.set_header("X-Page", page)
        self.add_header("X-When", datetime.datetime.now())
        self.set_status(202, "Taken")
        self.write({"greeting": self.greeting, "tags": tags})
        self.write(b"bytes")
        self.write("text")

    @web.authenticated
    def post(self, name: str = "world") -> None:
        body = escape.json_decode(self.request.body)
        upload = self.request.files["file"][0]
        self.write(escape.json_encode({"got": body, "name": upload.filename, "size": len(upload.body)}))

    @web.removeslash
    def head(self) -> None:
        self.redirect(self.reverse_url("plain", "x"), permanent=True)

    @web.addslash
    def delete(self) -> None:
        self.clear_cookie("seen")
        self.send_error(405, reason="no")


class CallbackHandler(BaseHandler):
    @web.asynchronous
    def get(self) -> None:
        http = httpclient.AsyncHTTPClient()
        http.fetch("http://localhost/", callback=self.on_response)

    def on_response(self, response: httpclient.HTTPResponse) -> None:
        if response.error is not None:
            raise web.HTTPError(500)
        self.write(response.body)
        self.finish()

    @web.asynchronous
    @gen.engine
    def post(self) -> Generator[Any, Any, None]:
        response = yield gen.Task(httpclient.AsyncHTTPClient().fetch, "http://localhost/")
        yield gen.Task(IOLoop.current().add_timeout, datetime.timedelta(seconds=1))
        self.finish(response.body)


class CoroutineHandler(BaseHandler):
    @gen.coroutine
    def get(self) -> Generator[Any, Any, None]:
        client = httpclient.AsyncHTTPClient(max_clients=5)
        first, second = yield [client.fetch("http://localhost/1"), client.fetch("http://localhost/2")]
        named = yield {"a": gen.sleep(1), "b": slow_square(3)}
        square = yield slow_square(named["b"])
        yield gen.moment
        try:
            yield gen.with_timeout(datetime.timedelta(seconds=2), slow_square(square))
        except gen.TimeoutError:
            pass
        self.write(first.body + second.body)
        yield self.flush()

    @gen.coroutine
    def post(self) -> Generator[Any, Any, None]:
        result = yield self.pool.submit(pow, 2, 10)
        waiting = gen.WaitIterator(slow_square(1), slow_square(2))
        while not waiting.done():
            value = yield waiting.next()
            self.write(str(value + result))


class NativeHandler(BaseHandler):
    async def get(self) -> None:
        response = await httpclient.AsyncHTTPClient().fetch("http://localhost/", raise_error=False)
        self.write(response.body)
        total = await slow_square(4) + await native_square(5)
        async with asyncio.timeout(5):
            await asyncio.gather(gen.sleep(0.1), slow_square(6))
        await self.flush()
        await self.render_later(total)

    async def render_later(self, total: int) -> None:
        await gen.sleep(0.01)
        self.render("page.html", total=total, title="totals")


class PreparingHandler(web.RequestHandler):
    async def prepare(self) -> None:  # an async def where the base class has a plain one
        await gen.sleep(0)

    async def get(self) -> None:
        self.finish()


@web.stream_request_body
class UploadHandler(BaseHandler):
    def initialize(self, greeting: str = "hello") -> None:
        super().initialize(greeting)
        self.received = 0

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self.received += len(chunk)
        return gen.sleep(0) if self.received > 1000 else None

    def put(self) -> None:
        self.write(str(self.received))


class StaticHandler(web.StaticFileHandler):
    def set_extra_headers(self, path: str) -> None:
        self.set_header("X-Path", path)


# -- coroutines ---------------------------------------------------------------------------------------------


@gen.coroutine
def slow_square(x: int) -> Generator[Any, Any, int]:
    yield gen.sleep(0.01)
    raise gen.Return(x * x)


@gen.coroutine
def slow_cube(x: int) -> Generator[Any, Any, int]:
    square: int = yield slow_square(x)
    return square * x


@gen.coroutine
def not_a_generator(x: int) -> int:
    return x


async def native_square(x: int) -> int:
    return x * x


async def types_of_results() -> None:
    square: int = await slow_square(2)
    cube: int = await slow_cube(x=2)
    plain: int = await not_a_generator(3)
    future: Future[int] = slow_square(2)
    future.add_done_callback(lambda done: print(done.result()))
    made: Future[str] = Future()
    made.set_result("text")
    text: str = await made
    print(square, cube, plain, text, future.done(), future.exception())


@return_future
def old_style(argument: str, callback: Callable[[str], None]) -> None:
    callback(argument)


class Worker:
    def __init__(self) -> None:
        self.io_loop = IOLoop.current()
        self.executor = ThreadPoolExecutor(2)

    @run_on_executor
    def blocking(self, seconds: float) -> str:
        return str(seconds)

    @run_on_executor(executor="executor")
    def other(self) -> str:
        return "x"

    @gen.coroutine
    def work(self) -> Generator[Any, Any, None]:
        text = yield self.blocking(1.5)
        print(text, (yield old_style("x")))


# -- WebSockets ---------------------------------------------------------------------------------------------


class ChatHandler(websocket.WebSocketHandler):
    waiters: set[ChatHandler] = set()

    def check_origin(self, origin: str) -> bool:
        return origin.endswith("example.com")

    def get_compression_options(self) -> dict[str, Any] | None:
        return {}

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return subprotocols[0] if subprotocols else None

    def open(self, room: str = "lobby") -> None:
        self.room = room
        ChatHandler.waiters.add(self)
        self.set_nodelay(True)

    @gen.coroutine
    def on_message(self, message: str | bytes) -> Generator[Any, Any, None]:
        yield gen.sleep(0)
        for waiter in self.waiters:
            try:
                waiter.write_message({"room": self.room, "text": escape.to_unicode(message)})
            except websocket.WebSocketClosedError:
                pass
        self.ping(b"x")

    def on_pong(self, data: bytes) -> None:
        print(data, self.close_code, self.close_reason)

    def on_close(self) -> None:
        self.waiters.discard(self)


async def chat_client() -> None:
    connection = await websocket.websocket_connect("ws://localhost/chat", io_loop=IOLoop.current())
    await connection.write_message("hi")
    message = await connection.read_message()
    if message is None:
        connection.close(1000, "bye")


# -- streams and servers ------------------------------------------------------------------------------------


class LineServer(tcpserver.TCPServer):
    @gen.coroutine
    def handle_stream(self, stream: iostream.IOStream, address: Any) -> Generator[Any, Any, None]:
        try:
            while True:
                line = yield stream.read_until(b"\n", max_bytes=1000)
                yield stream.write(line)
        except iostream.StreamClosedError as error:
            print(error.real_error, address)


class NativeServer(tcpserver.TCPServer):
    async def handle_stream(self, stream: iostream.IOStream, address: tuple[str, int]) -> None:
        data: bytes = await stream.read_bytes(10, partial=True)
        await stream.write(data)
        stream.close()


def raw_client() -> None:
    stream = iostream.IOStream(socket.socket(), io_loop=IOLoop.current())

    def connected() -> None:
        stream.write(b"GET / HTTP/1.0\r\n\r\n")
        stream.read_until_regex(rb"\r?\n\r?\n", on_headers)

    def on_headers(data: bytes) -> None:
        stream.read_until_close(callback=on_body, streaming_callback=lambda chunk: None)

    def on_body(data: bytes) -> None:
        stream.close()

    stream.set_close_callback(lambda: print(stream.error))
    stream.connect(("localhost", 80), connected)


async def connect() -> None:
    stream = await tcpclient.TCPClient().connect("localhost", 80, max_buffer_size=1000)
    await stream.write(b"x")
    addresses = await netutil.Resolver().resolve("localhost", 80)
    print(addresses)


def raw_request(request: httputil.HTTPServerRequest) -> None:
    request.connection.write_headers(
        httputil.ResponseStartLine("HTTP/1.1", 200, "OK"), httputil.HTTPHeaders({"Content-Length": "2"}), b"ok"
    )
    request.connection.finish()


# -- queues and locks ---------------------------------------------------------------------------------------

queue: queues.Queue[int] = queues.Queue(maxsize=2)
lock = locks.Lock()
semaphore = locks.Semaphore(2)


async def consume() -> None:
    async for item in queue:
        async with lock:
            print(item + 1)
        queue.task_done()


@gen.coroutine
def produce() -> Generator[Any, Any, None]:
    for item in range(10):
        yield queue.put(item)
        with (yield semaphore.acquire()):
            pass
    yield queue.join(timeout=datetime.timedelta(seconds=1))


# -- templates, options, other things -----------------------------------------------------------------------


class Entry(web.UIModule):
    def render(self, entry: dict[str, Any], full: bool = False) -> str:
        return self.render_string("entry.html", entry=entry, full=full).decode()


def templates() -> None:
    loader = template.DictLoader({"a.html": "{{ x }}"})
    rendered: bytes = loader.load("a.html").generate(x=1)
    print(rendered, template.Template("{{ y }}", autoescape=None).generate(y="<"))
    print(escape.xhtml_escape("<"), escape.url_escape("a b"), escape.utf8("x"), escape.native_str(b"x"))


class GoogleHandler(web.RequestHandler, auth.GoogleOAuth2Mixin):
    @gen.coroutine
    def get(self) -> Generator[Any, Any, None]:
        if self.get_argument("code", None):
            user = yield self.get_authenticated_user(
                redirect_uri="http://localhost/", code=self.get_argument("code")
            )
            self.write(user)
        else:
            yield self.authorize_redirect(
                redirect_uri="http://localhost/", client_id="x", scope=["profile"], response_type="code"
            )


def make_app() -> web.Application:
    static = os.path.join(os.path.dirname(__file__), "static")
    return web.Application(
        [
            (r"/", PlainHandler),
            (r"/callback", CallbackHandler, {"greeting": "hi"}),
            web.url(r"/plain/(.*)", PlainHandler, name="plain"),
            web.URLSpec(r"/coroutine", CoroutineHandler),
            (r"/native", NativeHandler),
            (r"/upload", UploadHandler),
            (r"/chat/([a-z]+)", ChatHandler),
            (r"/static/(.*)", StaticHandler, {"path": static}),
            (r"/moved", web.RedirectHandler, {"url": "/", "permanent": False}),
            (r"/old", web.FallbackHandler, {"fallback": wsgi.WSGIContainer(wsgi_app)}),
        ],
        ui_modules={"Entry": Entry},
        cookie_secret="secret",
        debug=options.options.debug,
        pool=ThreadPoolExecutor(4),
    )


def wsgi_app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


class AppTest(testing.AsyncHTTPTestCase):
    def get_app(self) -> web.Application:
        return make_app()

    def test_root(self) -> None:
        response = self.fetch("/", method="POST", body="x")
        self.assertEqual(response.code, 200)

    @testing.gen_test
    def test_coroutine(self) -> Generator[Any, Any, None]:
        response = yield self.http_client.fetch(self.get_url("/"))
        self.assertIn(b"hello", response.body)

    @testing.gen_test(timeout=10)
    async def test_native(self) -> None:
        with testing.ExpectLog("tornado.application", ".*"):
            await self.http_client.fetch(self.get_url("/"))


def main() -> None:
    parse_command_line()
    app = make_app()
    server = httpserver.HTTPServer(app, xheaders=True, max_body_size=10 * 1024)
    server.bind(options.options.port)
    server.start(1)
    app.listen(8889, address="127.0.0.1")
    loop = tornado4.ioloop.IOLoop.instance()
    PeriodicCallback(functools.partial(print, "tick"), 1000).start()
    with stack_context.NullContext():
        loop.add_callback(consume)
    timeout = loop.add_timeout(loop.time() + 5, loop.stop)
    loop.remove_timeout(timeout)
    loop.call_later(1, print, "later", flush=True)
    loop.spawn_callback(produce)
    result: Any = loop.run_sync(lambda: slow_square(3))
    print(result, process.cpu_count())
    blocking = httpclient.HTTPClient()
    try:
        print(blocking.fetch(httpclient.HTTPRequest("http://localhost/", connect_timeout=1)).body)
    except httpclient.HTTPError as error:
        print(error.code, error.response)
    finally:
        blocking.close()
    loop.start()


if __name__ == "__main__":
    main()
