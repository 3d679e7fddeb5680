"""A legacy application that touches most of ``web``; both sides serve this text."""
import datetime
import os

import tornado.gen
import tornado.ioloop
import tornado.web

HERE = os.path.dirname(os.path.abspath(__file__))


class Hello(tornado.web.RequestHandler):
    def get(self):
        self.write("Hello, world")

    def post(self):
        self.write({"body": self.request.body.decode("latin1"), "args": {
            k: [v.decode("latin1") for v in vs] for k, vs in sorted(self.request.arguments.items())}})


class Echo(tornado.web.RequestHandler):
    """What the request looked like, as JSON: every attribute that an application reads."""

    def prepare(self):
        r = self.request
        self.seen = {
            "method": r.method, "uri": r.uri, "path": r.path, "query": r.query, "version": r.version,
            "host": r.host, "protocol": r.protocol, "remote_ip": r.remote_ip,
            "headers": sorted(r.headers.get_all()),
            "arguments": {k: [v.decode("latin1") for v in vs] for k, vs in sorted(r.arguments.items())},
            "query_arguments": sorted(r.query_arguments), "body_arguments": sorted(r.body_arguments),
            "files": {k: [(f.filename, f.content_type, len(f.body)) for f in fs] for k, fs in sorted(r.files.items())},
            "cookies": {k: v.value for k, v in sorted(r.cookies.items())},
            "body": r.body.decode("latin1"),
        }

    def get(self):
        self.write(self.seen)

    post = put = delete = patch = options = get


class Status(tornado.web.RequestHandler):
    def get(self, code):
        reason = self.get_argument("reason", None)
        self.set_status(int(code), reason)
        if int(code) not in (204, 304):
            self.write("status %s" % code)


class Fail(tornado.web.RequestHandler):
    def get(self, how):
        if how == "http":
            raise tornado.web.HTTPError(403, "no %s here", "entry", reason="Not You")
        if how == "plain":
            raise tornado.web.HTTPError(418)
        if how == "missing":
            self.get_argument("wanted")
        if how == "finish":
            self.set_status(202)
            raise tornado.web.Finish("done early")
        if how == "send":
            self.send_error(409, reason="Clash")
            return
        if how == "late":
            self.write("part")
            self.flush()
        raise ZeroDivisionError("boom")


class Cookies(tornado.web.RequestHandler):
    def get(self):
        self.set_cookie("plain", "v1", expires=datetime.datetime(2030, 1, 2, 3, 4, 5), path="/x")
        self.set_cookie("flags", "a b", httponly=True, secure=True, domain="example.com", max_age=60)
        self.clear_cookie("gone")
        self.write({"plain": self.get_cookie("plain"), "unsigned": str(self.get_secure_cookie("s"))})


class Headers(tornado.web.RequestHandler):
    def set_default_headers(self):
        self.set_header("Server", "mine")
        self.set_header("X-Default", "1")

    def get(self):
        self.add_header("X-Many", "a")
        self.add_header("X-Many", "b")
        self.set_header("x-lower", 3)
        self.set_header("X-When", datetime.datetime(2020, 1, 2, 3, 4, 5))
        self.clear_header("X-Default")
        self.set_header("Content-Type", "text/plain")
        self.finish("headers")


class Stream(tornado.web.RequestHandler):
    @tornado.gen.coroutine
    def get(self):
        for piece in ("one", "two", "three"):
            self.write(piece)
            yield self.flush()


class Waits(tornado.web.RequestHandler):
    @tornado.web.asynchronous
    def get(self):
        tornado.ioloop.IOLoop.current().add_callback(self.answer)

    def answer(self):
        self.finish("waited")


class Engine(tornado.web.RequestHandler):
    @tornado.web.asynchronous
    @tornado.gen.engine
    def get(self):
        value = yield tornado.gen.Task(self.later, 7)
        self.finish("engine %d" % value)

    def later(self, value, callback):
        tornado.ioloop.IOLoop.current().add_callback(callback, value)


@tornado.web.stream_request_body
class Upload(tornado.web.RequestHandler):
    def prepare(self):
        self.pieces = 0

    def data_received(self, data):
        self.pieces += len(data)

    def post(self):
        self.write("got %d" % self.pieces)


class Redirect(tornado.web.RequestHandler):
    def get(self):
        self.redirect("/elsewhere?x=1", permanent=self.get_argument("p", "") == "1")


class Slash(tornado.web.RequestHandler):
    @tornado.web.addslash
    def get(self):
        self.write("slash")


class NoSlash(tornado.web.RequestHandler):
    @tornado.web.removeslash
    def get(self):
        self.write("no slash")


class Private(tornado.web.RequestHandler):
    @tornado.web.authenticated
    def get(self):
        self.write("in")

    post = get


class Page(tornado.web.RequestHandler):
    def get(self):
        self.render("page.html", title="A & B", items=["<a>", "b"])


class Args(tornado.web.RequestHandler):
    def get(self, *args, **kwargs):
        self.write({"args": args, "kwargs": kwargs, "reverse": self.reverse_url("args", "a b", "c/d")})


class Xsrf(tornado.web.RequestHandler):
    def get(self):
        self.write("token" if self.xsrf_token else "")

    def post(self):
        self.check_xsrf_cookie()
        self.write("ok")


class Default(tornado.web.RequestHandler):
    def prepare(self):
        self.set_status(404)
        self.finish("nothing at " + self.request.path)


def make_app():
    return tornado.web.Application(
        [
            (r"/", Hello),
            (r"/echo", Echo),
            (r"/status/(\d+)", Status),
            (r"/fail/(\w+)", Fail),
            (r"/cookies", Cookies),
            (r"/headers", Headers),
            (r"/stream", Stream),
            (r"/waits", Waits),
            (r"/engine", Engine),
            (r"/upload", Upload),
            (r"/redirect", Redirect),
            (r"/slash/?", Slash),
            (r"/noslash/?", NoSlash),
            (r"/private", Private),
            (r"/page", Page),
            tornado.web.url(r"/args/([^/]*)/(.*)", Args, name="args"),
            (r"/named/(?P<first>[^/]*)/(?P<second>.*)", Args),
            (r"/xsrf", Xsrf),
            (r"/moved", tornado.web.RedirectHandler, {"url": "/there", "permanent": False}),
            (r"/files/(.*)", tornado.web.StaticFileHandler, {"path": os.path.join(HERE, "static")}),
        ],
        cookie_secret="secret",
        login_url="/login",
        template_path=os.path.join(HERE, "templates"),
        static_path=os.path.join(HERE, "static"),
        compress_response=False,
    )
