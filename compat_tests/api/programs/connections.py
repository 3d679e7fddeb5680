"""HTTP beneath handlers: delegates, routers, WSGI, the client and its errors."""

import contextlib
import io

from .helpers import run_sync, serving, turns


def wsgi(t):
    def hello(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"hello"]

    class Main(t.web.RequestHandler):
        def get(self):
            self.request.supports_http_1_1()
            self.write("hello")

    with serving(t, t.wsgi.WSGIContainer(hello)) as base:

        def go():
            yield t.httpclient.AsyncHTTPClient().fetch(base)

        run_sync(t, go)
    fallback = t.web.Application([("/.*", t.web.FallbackHandler, {"fallback": t.wsgi.WSGIContainer(hello)})])
    with serving(t, fallback) as base:
        run_sync(t, go)
    environ = {"REQUEST_METHOD": "GET", "wsgi.input": io.BytesIO(), "wsgi.url_scheme": "http", "SERVER_NAME": "a",
               "SERVER_PORT": "80", "PATH_INFO": "/", "REMOTE_ADDR": "127.0.0.1"}  # fmt: skip
    t.wsgi.WSGIAdapter(t.web.Application([("/", Main)]))(environ, lambda status, headers: None)
    t.wsgi.WSGIApplication([("/", Main)])(environ, lambda status, headers: None)


def connections(t):
    class Delegate(t.httputil.HTTPMessageDelegate):
        def __init__(self, connection=None):
            self.connection = connection

        def finish(self):
            start = t.httputil.ResponseStartLine("HTTP/1.1", 200, "OK")
            self.connection.write_headers(start, t.httputil.HTTPHeaders({"Content-Length": "2"}), b"ok")
            self.connection.finish()

    class Server(t.httputil.HTTPServerConnectionDelegate):
        def start_request(self, server_conn, request_conn):
            request_conn.set_max_body_size(100)
            request_conn.set_body_timeout(10)
            return Delegate(request_conn)

    class Answer(t.httputil.HTTPMessageDelegate):
        pass

    def callback(request):
        request.connection.write_headers(
            t.httputil.ResponseStartLine("HTTP/1.1", 200, "OK"), t.httputil.HTTPHeaders({"Content-Length": "0"})
        )
        request.connection.finish()

    class Router(t.routing.Router):
        def find_handler(self, request, **kwargs):
            return Server().start_request(None, request.connection)

    class ToClose(t.tcpserver.TCPServer):
        @t.gen.coroutine
        def handle_stream(self, stream, address):
            yield stream.read_until(b"\r\n\r\n")
            yield stream.write(b"HTTP/1.0 200 OK\r\n\r\nuntil the end")
            stream.close()

    rules = t.routing.RuleRouter([t.routing.Rule(t.routing.HostMatches("127.0.0.1"), Router()),
                                  t.routing.Rule(t.routing.AnyMatches(), Server())])  # fmt: skip
    for served in (Server(), callback, rules, Router()):
        with serving(t, served) as base:

            def go():
                yield t.httpclient.AsyncHTTPClient().fetch(base + "/", method="POST", body="x")
                stream = yield t.tcpclient.TCPClient().connect("127.0.0.1", int(base.rpartition(":")[2]))
                yield stream.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
                yield turns(t)
                stream.close()
                yield turns(t)

            run_sync(t, go)
    server = t.httpserver.HTTPServer(Server())
    sockets = t.netutil.bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    old = ToClose()
    old.listen(0, "127.0.0.1")
    port = next(iter(old._sockets.values())).getsockname()[1]

    def go():
        stream = yield t.tcpclient.TCPClient().connect("127.0.0.1", sockets[0].getsockname()[1])
        yield stream.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        yield stream.read_until(b"ok")
        server.stop()
        yield server.close_all_connections()
        yield t.httpclient.AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/")

    run_sync(t, go)
    old.stop()
    line = t.httputil.RequestStartLine("GET", "/", "HTTP/1.1")
    line._replace(method="HEAD"), line._asdict()
    line = t.httputil.ResponseStartLine("HTTP/1.1", 200, "OK")
    line._replace(code=201), line._asdict()
    t.httputil.HTTPHeaders({"A": "b"}).copy()


def clients(t):
    class Slow(t.web.RequestHandler):
        @t.gen.coroutine
        def get(self):
            yield t.gen.sleep(1)

    class Quick(t.web.RequestHandler):
        def get(self):
            self.write("x")

    with serving(t, t.web.Application([("/", Slow), ("/quick", Quick)])) as base:

        def go():
            client = t.httpclient.AsyncHTTPClient(force_instance=True, max_clients=1)
            waiting = [
                client.fetch(base + "/", request_timeout=0.02, raise_error=False),
                client.fetch(base + "/", request_timeout=0.02, connect_timeout=0.02, raise_error=False),
            ]
            for answer in (yield waiting):
                assert answer.code == 599, answer
                with contextlib.suppress(t.httpclient.HTTPError):
                    answer.rethrow()
            with contextlib.suppress(Exception):
                yield client.fetch("http://127.0.0.1:1/")
            with contextlib.suppress(Exception):
                yield client.fetch("https" + base[4:] + "/", request_timeout=1)
            client.close()

        run_sync(t, go)
        t.httpclient.AsyncHTTPClient.configure(None, max_clients=3)
        fetcher = t.httpclient.HTTPClient()
        with contextlib.suppress(Exception):
            fetcher.fetch("http://127.0.0.1:1/")
        fetcher.close()
        t.httpclient.AsyncHTTPClient.configure(None)


def run(t, folder):
    wsgi(t)
    connections(t)
    clients(t)
