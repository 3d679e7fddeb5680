"""Handlers that Tornado 6 answers otherwise, a path for each rule: for ``tornado4 diff --candidate``."""

import datetime
import os
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor

from tornado import concurrent, gen, httpclient, httputil, ioloop, web, websocket

FOLDER = tempfile.mkdtemp()
with open(os.path.join(FOLDER, "a.txt"), "w") as file:
    file.write("hello\n" * 10)
os.utime(os.path.join(FOLDER, "a.txt"), (1000000000, 1000000000))


def answer(function):
    """A handler that answers ``x`` when the function, which is given it, has returned."""

    class Handler(web.RequestHandler):
        def get(self):
            function(self)
            self.write("x")

    return Handler


def set_twice(handler):
    future = concurrent.Future()
    future.set_result(1)
    future.set_result(2)


def future_of_a_thread(handler):
    errors = []

    def work():
        try:
            concurrent.Future()
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=work, name="worker")
    thread.start()
    thread.join()
    for error in errors:
        raise error


def add_handler_twice(handler):
    reader, writer = os.pipe()
    loop = ioloop.IOLoop.current()
    loop.add_handler(reader, lambda fd, events: None, loop.READ)
    try:
        loop.add_handler(reader, lambda fd, events: None, loop.READ)
    finally:
        loop.remove_handler(reader)
        os.close(reader)
        os.close(writer)


class Worker:
    executor = ThreadPoolExecutor(1)

    @concurrent.run_on_executor
    def work(self):
        return 1


class Called(web.RequestHandler):
    @gen.coroutine
    def work(self):
        return 1

    @gen.coroutine
    def get(self):
        yield self.work(callback=lambda result: None)
        self.write("x")


class Unanswered(web.RequestHandler):
    @gen.coroutine
    def get(self):
        # Port 9 is that of the service "discard", which has gone.
        response = yield httpclient.AsyncHTTPClient().fetch("http://127.0.0.1:9/", raise_error=False)
        self.write("code %d" % response.code)


class Caught(web.RequestHandler):
    @gen.coroutine
    def get(self):
        try:
            response = yield httpclient.AsyncHTTPClient().fetch("http://127.0.0.1:9/", raise_error=False)
            self.write("code %d" % response.code)
        except EnvironmentError as error:
            self.write(str(error))


class NoContent(web.RequestHandler):
    def get(self):
        self.set_status(204)
        self.write("body")


class Text(web.RequestHandler):
    def get(self):
        return "text"


class Unknown(web.RequestHandler):
    def get(self):
        self.set_status(299)
        self.write("x")


class Teapot(web.RequestHandler):
    def get(self):
        raise web.HTTPError(418)


class Modified(web.StaticFileHandler):
    def get_modified_time(self):
        return datetime.datetime(2020, 1, 1)


class Upload(web.RequestHandler):
    def post(self):
        self.write({"fields": sorted(self.request.body_arguments), "files": sorted(self.request.files)})


class Echo(websocket.WebSocketHandler):
    def on_message(self, message):
        if message == "fail":
            raise ValueError(message)
        self.write_message(message)


class Redefined(websocket.WebSocketHandler):
    def get(self):
        super(Redefined, self).get()

    def open(self):
        self.write_message("open")


class NoOrigin(websocket.WebSocketHandler):
    def check_origin(self, origin):
        return False

    def open(self):
        self.write_message("open")


class First(websocket.WebSocketHandler):
    def select_subprotocol(self, subprotocols):
        return subprotocols[0]

    def open(self):
        self.write_message("open")


class Default(First):
    def select_subprotocol(self, subprotocols):
        return "v1" if subprotocols == [""] else None


class Shown(First):
    def select_subprotocol(self, subprotocols):
        self.write_later = str(subprotocols)

    def open(self):
        self.write_message(self.write_later)


def make_app():
    paths = {
        "TND201": answer(lambda handler: ioloop.PeriodicCallback(int, 1000, io_loop=ioloop.IOLoop.current())),
        "TND202": answer(lambda handler: httpclient.AsyncHTTPClient().fetch("http://127.0.0.1:1/", callback=repr)),
        "TND210": Called,
        "TND402": answer(future_of_a_thread),
        "TND404": answer(set_twice),
        "TND408": answer(lambda handler: httpclient.HTTPClient().close()),
        "TND416": answer(add_handler_twice),
        "TND423": Text,
        "TND424": answer(lambda handler: handler.write(str(Worker().work().result(timeout=5)))),
        "TND502": NoContent,
        "TND503": Unknown,
        "TND505": answer(lambda handler: handler.write(handler.static_url("a.txt"))),
        "TND507": answer(lambda handler: handler.write(handler.static_url("../x"))),
        "TND508": web.RedirectHandler,
        "TND510": answer(lambda handler: handler.set_cookie("a", "b", domain="x;y")),
        "TND511": Teapot,
        "TND514": answer(lambda handler: handler.write(web.escape.xhtml_escape("it's"))),
        "TND515": answer(lambda handler: None),
        "TND512": Upload,
        "TND518": answer(lambda handler: 1 / 0),
        "TND521": Upload,
        "TND601": Unanswered,
        "TND601/caught": Caught,
        "TND701": Redefined,
        "TND702": NoOrigin,
        "TND703": First,
        "TND703/default": Default,
        "TND703/shown": Shown,
        "TND711": Echo,
        "TND753": answer(lambda handler: httputil.HTTPHeaders().add("a b", "x")),
        "TND754": answer(lambda handler: httputil.parse_multipart_form_data(b"x", b"no form", {}, {})),
    }
    handlers = [
        ("/" + path, handler, {"url": "/"} if path == "TND508" else {}) for path, handler in paths.items()
    ]
    handlers.append(("/TND504/(.*)", Modified, {"path": FOLDER}))
    return web.Application(handlers, static_path=FOLDER)
