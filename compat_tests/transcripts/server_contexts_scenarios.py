"""The stack contexts that a server was made in, in what its connections do: how `AsyncHTTPTestCase` learns of errors."""
import contextlib
import logging

from tornado import gen, httpclient, httpserver, iostream, netutil, stack_context, web, websocket
from tornado.ioloop import IOLoop


class Failing(web.RequestHandler):
    """Does what the query says, and starts something that fails later."""

    def prepare(self):
        if self.get_argument("in", "") == "prepare":
            self.fail_later("prepare")

    def fail_later(self, where):
        IOLoop.current().add_callback(self.fail, where)

    def fail(self, where):
        raise KeyError(where)

    def get(self):
        if self.get_argument("in", "") == "get":
            self.fail_later("get")
        if self.get_argument("in", "") == "now":
            raise ValueError("now")
        self.write("done")

    def post(self):
        self.fail_later("post")
        self.write(str(len(self.request.body)))

    def on_finish(self):
        if self.get_argument("in", "") == "on_finish":
            self.fail_later("on_finish")


class Waiting(Failing):
    @gen.coroutine
    def get(self):
        self.fail_later("before")
        yield gen.moment
        self.fail_later("after")
        self.write("done")


class Native(Failing):
    async def get(self):
        self.fail_later("before")
        await gen.moment
        self.fail_later("after")
        self.write("done")


@web.stream_request_body
class Streamed(Failing):
    def data_received(self, chunk):
        self.fail_later("data")


class Socket(websocket.WebSocketHandler):
    def open(self):
        IOLoop.current().add_callback(self.fail, "open")

    def fail(self, where):
        raise KeyError(where)

    def on_message(self, message):
        IOLoop.current().add_callback(self.fail, "message")
        self.write_message(message)

    def on_close(self):
        IOLoop.current().add_callback(self.fail, "close")

    def log_exception(self, typ, value, tb):
        self.settings["record"]("log_exception", typ, str(value))


@contextlib.contextmanager
def serving(record, request_callback, trace=False):
    """A server made within a context that records errors, and with ``trace`` within one that records its entries."""
    logging.disable(logging.CRITICAL)
    [sock] = netutil.bind_sockets(0, "127.0.0.1")
    server = httpserver.HTTPServer(request_callback)

    def handle(typ, value, tb):
        record("caught", typ, str(value))
        return True

    @contextlib.contextmanager
    def entered():
        inside.append(1)
        try:
            yield
        finally:
            inside.pop()

    inside = []
    server.inside = inside
    contexts = [stack_context.ExceptionStackContext(handle)]
    contexts += [stack_context.StackContext(entered)] if trace else []
    with contextlib.ExitStack() as stack:
        for context in contexts:
            stack.enter_context(context)
        server.add_sockets([sock])
    try:
        yield server, "127.0.0.1:%d" % sock.getsockname()[1]
    finally:
        server.stop()
        logging.disable(logging.NOTSET)


def application():
    return web.Application([("/", Failing), ("/waiting", Waiting), ("/native", Native), ("/streamed", Streamed), ("/socket", Socket)])


def fetch_all(record, *requests):
    with serving(record, application()) as (_, address):

        @gen.coroutine
        def main():
            for path, options in requests:
                response = yield httpclient.AsyncHTTPClient().fetch("http://" + address + path, raise_error=False, **options)
                yield [gen.moment] * 3
                record(path, response.code, response.body)

        IOLoop.current().run_sync(main)


def plain_handlers(record):
    fetch_all(record, *[("/?in=" + where, {}) for where in ("prepare", "get", "now", "on_finish")])


def coroutine_handlers(record):
    fetch_all(record, ("/waiting", {}))


def native_handlers(record):
    fetch_all(record, ("/native", {}))


def bodies(record):
    fetch_all(record, ("/", {"method": "POST", "body": "abc"}), ("/streamed", {"method": "POST", "body": "abc"}))


def requests_on_one_connection(record):
    """The second starts where the first was finished: by its own handler, from a callback or at once."""
    with serving(record, application(), trace=True) as (server, address):
        host, port = address.split(":")

        class Seen(web.RequestHandler):
            @web.asynchronous
            def get(self):
                record("inside", len(server.inside))
                with stack_context.StackContext(lambda: own(record)):
                    IOLoop.current().add_callback(self.finish, "x")

        server.request_callback.add_handlers(".*", [("/seen", Seen)])

        @gen.coroutine
        def main():
            stream = iostream.IOStream(__import__("socket").socket())
            yield stream.connect((host, int(port)))
            stream.write(b"GET /seen HTTP/1.1\r\nHost: a\r\n\r\n" * 3)
            for _ in range(3):
                yield stream.read_until(b"\r\n\r\nx")
            stream.close()

        IOLoop.current().run_sync(main)


@contextlib.contextmanager
def own(note):
    note("own context entered")
    yield


def callables(record):
    def answer(request):
        IOLoop.current().add_callback(fail)
        request.connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        request.connection.finish()

    def fail():
        raise KeyError("callable")

    with serving(record, answer) as (_, address):
        response = IOLoop.current().run_sync(lambda: httpclient.AsyncHTTPClient().fetch("http://" + address))
        IOLoop.current().run_sync(lambda: gen.moment)
        record(response.code)


def sockets(record):
    app = application()
    app.settings["record"] = record
    with serving(record, app) as (_, address):

        @gen.coroutine
        def main():
            connection = yield websocket.websocket_connect("ws://" + address + "/socket")
            connection.write_message("a")
            record((yield connection.read_message()))
            connection.close()
            record((yield connection.read_message()))
            yield [gen.moment] * 3

        IOLoop.current().run_sync(main)
