"""The benchmark's application for Tornado 4.5.3, Tornado 6 and tornado4: one text, `import tornado`.

    python tornado_app.py [--log] [--rules N]

--log: access logging on, as parse_command_line() leaves it. --rules: N rules, of which the last is asked for. Says
"PORT http tls tcp"; TLS needs BENCH_CERT, a file with certificate and key; /static/ shows BENCH_STATIC.
"""
import os
import sys

import _tornado  # noqa: F401  (first: decides which Tornado is meant)
import tornado.gen
import tornado.httpserver
import tornado.ioloop
import tornado.iostream
import tornado.netutil
import tornado.options
import tornado.tcpserver
import tornado.web
import tornado.websocket

HERE = os.path.dirname(os.path.abspath(__file__))
PIECE = b"x" * 16384


class Hello(tornado.web.RequestHandler):
    def get(self, *args):
        self.write("Hello, world")


class Browser(tornado.web.RequestHandler):
    def get(self):
        self.set_header("Cache-Control", "no-store")
        self.write({
            "user": self.get_cookie("user"),
            "page": int(self.get_argument("page")),
            "tags": self.get_arguments("tag"),
            "agent": self.request.headers.get("User-Agent", "")[:11],
        })


class Coroutine(tornado.web.RequestHandler):
    @tornado.gen.coroutine
    def get(self):
        a = yield self.inner()
        yield tornado.gen.moment
        self.write("Hello, %s" % a)

    @tornado.gen.coroutine
    def inner(self):
        raise tornado.gen.Return("world")


class Native(tornado.web.RequestHandler):
    async def get(self):
        a = await self.inner()
        await tornado.gen.sleep(0)
        self.write("Hello, %s" % a)

    async def inner(self):
        return "world"


class Template(tornado.web.RequestHandler):
    def get(self):
        self.render("page.html", title="Items", items=["<%d>" % i for i in range(20)])


class Upload(tornado.web.RequestHandler):
    def post(self):
        self.write("%d" % len(self.request.body))


class Streamed(tornado.web.RequestHandler):
    @tornado.gen.coroutine
    def get(self):
        for _ in range(64):
            self.write(PIECE)
            yield self.flush()


class Echo(tornado.websocket.WebSocketHandler):
    def on_message(self, message):
        self.write_message(message, binary=isinstance(message, bytes))


class Lines(tornado.tcpserver.TCPServer):
    """Answers each line; after "bytes", each 1 MiB by one byte."""

    @tornado.gen.coroutine
    def handle_stream(self, stream, address):
        try:
            while True:
                line = yield stream.read_until(b"\n")
                stream.write(line)
                if line == b"bytes\n":
                    break
            while True:
                for _ in range(16):
                    yield stream.read_bytes(65536)
                stream.write(b".")
        except tornado.iostream.StreamClosedError:
            pass


def rules(count):
    return [(r"/api/v1/(\w+)/r%d/(\d+)" % n, Hello) for n in range(count)]


def main():
    extra = rules(int(sys.argv[sys.argv.index("--rules") + 1])) if "--rules" in sys.argv else []
    app = tornado.web.Application(
        [
            *extra,
            (r"/", Hello),
            (r"/browser", Browser),
            (r"/coroutine", Coroutine),
            (r"/native", Native),
            (r"/template", Template),
            (r"/upload", Upload),
            (r"/stream", Streamed),
            (r"/ws", Echo),
        ],
        static_path=os.environ.get("BENCH_STATIC"),
        template_path=os.path.join(HERE, "templates"),
        cookie_secret="benchmark",
    )
    if "--log" in sys.argv:
        tornado.options.parse_command_line(["app"])
    ports = [listen(tornado.httpserver.HTTPServer(app))]
    tls = {"certfile": os.environ.get("BENCH_CERT")}
    ports.append(listen(tornado.httpserver.HTTPServer(app, ssl_options=tls)) if tls["certfile"] else 0)
    ports.append(listen(Lines()))
    sys.stdout.write("PORT %d %d %d\n" % tuple(ports))
    sys.stdout.flush()
    tornado.ioloop.IOLoop.current().start()


def listen(server):
    sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    return sockets[0].getsockname()[1]


if __name__ == "__main__":
    main()
