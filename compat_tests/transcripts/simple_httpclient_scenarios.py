"""tornado.simple_httpclient and tornado.httpclient, against a server of the same side."""
from tornado import gen, web
from tornado.httpclient import AsyncHTTPClient, HTTPClient, HTTPError, HTTPRequest, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders
from tornado.ioloop import IOLoop
from tornado.testing import bind_unused_port


class Echo(web.RequestHandler):
    SUPPORTED_METHODS = web.RequestHandler.SUPPORTED_METHODS + ("OTHER",)

    def get(self):
        r = self.request
        skip = ("Host", "Content-Length")
        self.write({"method": r.method, "uri": r.uri, "body": r.body.decode("latin1"),
                    "headers": sorted((k, v) for k, v in r.headers.get_all() if k not in skip)})

    post = put = delete = patch = options = other = get

    def head(self):
        self.set_header("X-Head", "1")


class Status(web.RequestHandler):
    def get(self, code):
        self.set_status(int(code))
        if code not in ("204", "304"):
            self.write("body")


class Redirect(web.RequestHandler):
    def get(self, count):
        if count == "0":
            self.write("arrived " + self.request.method)
        else:
            self.redirect("/redirect/%d" % (int(count) - 1), status=int(self.get_argument("status", "302")))

    post = get


class Slow(web.RequestHandler):
    @gen.coroutine
    def get(self):
        yield gen.sleep(30)


class Stream(web.RequestHandler):
    @gen.coroutine
    def get(self):
        for piece in ("one", "two"):
            self.write(piece)
            yield self.flush()


class Auth(web.RequestHandler):
    def get(self):
        self.write(self.request.headers.get("Authorization", "none"))


def application():
    return web.Application([("/echo", Echo), (r"/status/(\d+)", Status), (r"/redirect/(\d+)", Redirect), ("/slow", Slow), ("/stream", Stream), ("/auth", Auth)],
                           compress_response=True, log_function=lambda handler: None)


def fetching(record, *requests, **client_options):
    sock, port = bind_unused_port()
    server = HTTPServer(application())
    server.add_socket(sock)
    base = "http://127.0.0.1:%d" % port

    def clean(value):
        return str(value).replace(str(port), "PORT")

    @gen.coroutine
    def main():
        client = AsyncHTTPClient(force_instance=True, **client_options)
        for path, options in requests:
            try:
                response = yield client.fetch(base + path, **options)
                record(path, response.code, response.reason, response.body, clean(response.effective_url), clean(response.error),
                       sorted((k, clean(v)) for k, v in response.headers.get_all() if k not in ("Date", "Etag")))
            except Exception as e:
                record(path, type(e), clean(e), getattr(e, "code", None))
        client.close()

    IOLoop.current().run_sync(main)
    server.stop()


def get(record):
    fetching(record, ("/echo", {}), ("/echo?a=1", {"headers": {"X-A": "1"}}), ("/echo", {"user_agent": "me"}))


def methods(record):
    fetching(record, ("/echo", {"method": "POST", "body": "b"}), ("/echo", {"method": "PUT", "body": b""}), ("/echo", {"method": "DELETE"}), ("/echo", {"method": "HEAD"}),
             ("/echo", {"method": "OPTIONS"}), ("/echo", {"method": "PATCH", "body": u"\u00e9"}), ("/echo", {"method": "OTHER", "allow_nonstandard_methods": True}))


def wrong_bodies(record):
    fetching(record, ("/echo", {"method": "POST"}), ("/echo", {"body": "x"}), ("/echo", {"method": "DELETE", "body": "x"}), ("/echo", {"method": "BREW"}),
             ("/echo", {"method": "GET", "body": "x", "allow_nonstandard_methods": True}))


def statuses(record):
    fetching(record, *[("/status/%d" % code, {}) for code in (200, 201, 204, 304, 400, 404, 500, 503)])


def no_raise(record):
    fetching(record, ("/status/404", {"raise_error": False}), ("/nothing", {"raise_error": False}))


def redirects(record):
    fetching(record, ("/redirect/2", {}), ("/redirect/1", {"follow_redirects": False}), ("/redirect/3", {"max_redirects": 2}),
             ("/redirect/1", {"method": "POST", "body": "x"}), ("/redirect/1?status=303", {"method": "POST", "body": "x"}),
             ("/redirect/1?status=307", {"method": "POST", "body": "x"}))


def time_out(record):
    fetching(record, ("/slow", {"request_timeout": 0.05}))


def time_out_in_queue(record):
    sock, port = bind_unused_port()
    server = HTTPServer(application())
    server.add_socket(sock)

    @gen.coroutine
    def main():
        client = AsyncHTTPClient(force_instance=True, max_clients=1)
        first = client.fetch("http://127.0.0.1:%d/slow" % port, request_timeout=0.3, raise_error=False)
        try:
            yield client.fetch("http://127.0.0.1:%d/echo" % port, connect_timeout=0.02, request_timeout=0.02)
        except HTTPError as e:
            record(e, e.code, e.response)
        record((yield first).error)
        client.close()

    IOLoop.current().run_sync(main)
    server.stop()


def streamed(record):
    pieces, lines = [], []
    fetching(record, ("/stream", {"streaming_callback": pieces.append}), ("/echo", {"header_callback": lines.append}))
    record(b"".join(pieces), [line for line in lines if not line.startswith(("Date", "Etag"))])


def body_producer(record):
    @gen.coroutine
    def produce(write):
        yield write(b"one")
        yield gen.moment
        yield write(b"two")

    fetching(record, ("/echo", {"method": "POST", "body_producer": produce}), ("/echo", {"method": "POST", "body_producer": produce, "headers": {"Content-Length": "6"}}))


def auth(record):
    fetching(record, ("/auth", {"auth_username": "me", "auth_password": "pass"}), ("/auth", {"auth_username": "me", "auth_password": "p", "auth_mode": "digest"}))


def without_decompression(record):
    fetching(record, ("/echo", {"decompress_response": False}), ("/echo", {"use_gzip": False}))


def expect_continue(record):
    fetching(record, ("/echo", {"method": "POST", "body": "b", "expect_100_continue": True}))


def max_body(record):
    fetching(record, ("/echo", {}), max_body_size=10)


def refused(record):
    sock, port = bind_unused_port()
    sock.close()

    @gen.coroutine
    def main():
        client = AsyncHTTPClient(force_instance=True)
        try:
            yield client.fetch("http://127.0.0.1:%d/" % port)
        except Exception as e:
            record(type(e), str(e))

    IOLoop.current().run_sync(main)


def bad_urls(record):
    @gen.coroutine
    def main():
        client = AsyncHTTPClient(force_instance=True)
        for url in ("ftp://x/", "http//x", "", "/path"):
            try:
                yield client.fetch(url)
            except Exception as e:
                record(type(e), str(e))

    IOLoop.current().run_sync(main)


def request_object(record):
    r = HTTPRequest("http://x/", body=u"\u00e9", headers={"A": "b"})
    record(r.url, r.method, r.body, sorted(r.headers.items()), r.follow_redirects, r.max_redirects, r.connect_timeout, r.request_timeout)
    record(HTTPRequest("u", if_modified_since=0).headers)


def response_object(record):
    response = HTTPResponse(HTTPRequest("http://x/"), 404, HTTPHeaders({"A": "b"}))
    record(response.code, response.reason, response.body, response.effective_url, response.error)
    try:
        response.rethrow()
    except HTTPError as e:
        record(e, e.code, e.message, e.response is response, repr(e))
    record(HTTPError(599), HTTPError(404, "mine"), str(HTTPError(777)))


def fetch_with_callback(record):
    sock, port = bind_unused_port()
    server = HTTPServer(application())
    server.add_socket(sock)
    loop = IOLoop.current()
    client = AsyncHTTPClient(force_instance=True)
    client.fetch("http://127.0.0.1:%d/status/404" % port, lambda response: (record(response.code, response.error), loop.stop()))
    loop.start()
    client.close()
    server.stop()


def instances(record):
    one, two = AsyncHTTPClient(), AsyncHTTPClient()
    record(one is two, AsyncHTTPClient(force_instance=True) is one, type(one).__name__, one.io_loop is IOLoop.current())
    one.close()
    record(AsyncHTTPClient() is one)
    AsyncHTTPClient().close()


def synchronous(record):
    import threading
    sock, port = bind_unused_port()
    ready, box = threading.Event(), []

    def serve():
        loop = IOLoop()
        loop.make_current()
        server = HTTPServer(application())
        server.add_socket(sock)
        box.append(loop)
        loop.add_callback(ready.set)
        loop.start()
        server.stop()
        loop.close()

    thread = threading.Thread(target=serve)
    thread.start()
    ready.wait()
    client = HTTPClient()
    record(client.fetch("http://127.0.0.1:%d/stream" % port).body)
    try:
        client.fetch("http://127.0.0.1:%d/status/404" % port)
    except HTTPError as e:
        record(e)
    client.close()
    box[0].add_callback(box[0].stop)
    thread.join()
