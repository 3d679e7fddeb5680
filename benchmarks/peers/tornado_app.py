"""The benchmark's application for Tornado 4.5.3, Tornado 6 and tornado4: one text, `import tornado`.

    python tornado_app.py [--log]      --log: access logging on, as parse_command_line() leaves it
"""
import os
import sys

import _tornado  # noqa: F401  (first: decides which Tornado is meant)
import tornado.gen
import tornado.httpserver
import tornado.ioloop
import tornado.netutil
import tornado.options
import tornado.web

HERE = os.path.dirname(os.path.abspath(__file__))


class Hello(tornado.web.RequestHandler):
    def get(self):
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


def main():
    app = tornado.web.Application(
        [
            (r"/", Hello),
            (r"/browser", Browser),
            (r"/coroutine", Coroutine),
            (r"/native", Native),
            (r"/template", Template),
        ],
        static_path=os.path.join(HERE, "static"),
        template_path=os.path.join(HERE, "templates"),
        cookie_secret="benchmark",
    )
    if "--log" in sys.argv:
        tornado.options.parse_command_line(["app"])
    server = tornado.httpserver.HTTPServer(app)
    sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    sys.stdout.write("PORT %d\n" % sockets[0].getsockname()[1])
    sys.stdout.flush()
    tornado.ioloop.IOLoop.current().start()


if __name__ == "__main__":
    main()
