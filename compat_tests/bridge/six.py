"""An application of the real Tornado 6: of each thing that a handler can do with its connection, one handler."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

from tornado import gen, web, websocket
from tornado.iostream import StreamClosedError
from tornado.log import app_log

SECRET = "a secret of both sides"
FILES = Path(__file__).resolve().parent.parent / "apps" / "static"


class Echo(web.RequestHandler):
    """All that is told of a request."""

    def answer(self):
        request = self.request
        self.write(
            {
                "method": request.method,
                "uri": request.uri,
                "version": request.version,
                "host": request.host,
                "ip": request.remote_ip,
                "protocol": request.protocol,
                "headers": sorted(request.headers.get_all()),
                "arguments": {name: self.get_arguments(name) for name in sorted(request.arguments)},
                "files": {
                    name: [(f.filename, f.content_type, len(f.body)) for f in files]
                    for name, files in request.files.items()
                },
                "body": hashlib.sha1(request.body).hexdigest(),
            }
        )

    get = post = put = delete = patch = options = answer

    def head(self):
        self.set_header("X-Head", "yes")
        self.write("not sent")


class Slow(web.RequestHandler):
    async def get(self):
        await asyncio.sleep(0)
        self.write("a")
        await asyncio.sleep(0)
        self.write("b")


class Yielding(web.RequestHandler):
    @gen.coroutine
    def get(self):
        for piece in "xyz":
            self.write(piece * 10)
            yield self.flush()
        app_log.info("flushed with %s", type(self.flush()).__name__)


class Large(web.RequestHandler):
    async def get(self):
        for number in range(int(self.get_argument("pieces", "40"))):
            self.write(bytes([65 + number % 26]) * 50_000)
            await self.flush()


@web.stream_request_body
class Upload(web.RequestHandler):
    async def prepare(self):
        await asyncio.sleep(0)
        self.size, self.sum = 0, hashlib.sha1()
        limit = self.request.headers.get("Limit")
        if limit:
            self.request.connection.set_max_body_size(int(limit))
        if "Refuse" in self.request.headers:
            raise web.HTTPError(403)

    async def data_received(self, chunk):
        await asyncio.sleep(0)
        self.size += len(chunk)
        self.sum.update(chunk)
        if "Break" in self.request.headers:
            raise KeyError("on purpose")

    def put(self):
        self.write({"size": self.size, "sum": self.sum.hexdigest()})

    post = put

    def on_connection_close(self):
        app_log.info("upload: the client has gone")


class Broken(web.RequestHandler):
    async def get(self, how):
        if how == "late":
            self.write("begun")
            await self.flush()
        elif how == "long":
            self.set_header("Content-Length", "3")
            self.write("more than that")
            await self.flush()
        elif how == "short":
            self.set_header("Content-Length", "300")
            self.write("less than that")
        elif how == "refused":
            raise web.HTTPError(418, "short and stout", reason="Teapot")
        if how != "short":
            raise KeyError("on purpose")


class Gone(web.RequestHandler):
    async def get(self):
        app_log.info("waiting")
        self.over = asyncio.Event()
        await self.over.wait()
        try:
            self.write("nobody")
            await self.flush()
        except StreamClosedError:
            app_log.info("StreamClosedError, of Tornado's")

    def on_connection_close(self):
        app_log.info("the client has gone")
        self.over.set()

    def on_finish(self):
        app_log.info("finished")


class Status(web.RequestHandler):
    def get(self, status):
        self.set_status(int(status))
        if status == "302":
            self.redirect("/elsewhere?a=b")

    head = get


class Cookies(web.RequestHandler):
    def get(self):
        value = self.get_signed_cookie("who")
        self.write(repr(value) + repr(self.get_cookie("plain")))

    def post(self):
        self.set_cookie("plain", "a")
        self.add_header("Set-Cookie", "other=b; Path=/")
        self.write("set")


class Detached(web.RequestHandler):
    """Something that is no HTTP any more."""

    async def get(self):
        stream = self.detach()
        await stream.write(b"HTTP/1.1 200 Tunnel\r\n\r\n")
        try:
            while True:
                line = await stream.read_until(b"\n")
                await stream.write(line.upper())
        except StreamClosedError:
            app_log.info("tunnel over")


class Socket(websocket.WebSocketHandler):
    def select_subprotocol(self, offered):
        return "v2" if "v2" in offered else None

    def get_compression_options(self):
        return {} if self.get_argument("compress", None) else None

    def check_origin(self, origin):
        return "evil" not in origin

    async def open(self):
        await self.write_message("open from " + self.request.remote_ip)

    async def on_message(self, message):
        await asyncio.sleep(0)
        if message == "close":
            self.close(4001, "enough")
        elif message == "fail":
            raise KeyError("on purpose")
        elif message == "ping":
            self.ping(b"are you there")
        else:
            await self.write_message(message, binary=isinstance(message, bytes))

    def on_pong(self, data):
        self.write_message("pong " + data.decode())

    def on_close(self):
        app_log.info("closed %s %s", self.close_code, self.close_reason)


def make_app():
    return web.Application(
        [
            ("/echo", Echo),
            ("/slow", Slow),
            ("/yielding", Yielding),
            ("/large", Large),
            ("/upload", Upload),
            ("/broken/(.*)", Broken),
            ("/gone", Gone),
            ("/status/(.*)", Status),
            ("/cookies", Cookies),
            ("/detached", Detached),
            ("/socket", Socket),
            ("/files/(.*)", web.StaticFileHandler, {"path": FILES}),
        ],
        cookie_secret=SECRET,
        websocket_max_message_size=100_000,
    )
