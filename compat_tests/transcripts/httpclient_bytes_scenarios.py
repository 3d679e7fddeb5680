"""What tornado.simple_httpclient sends, byte for byte, and what it makes of the bytes that a server sends."""
import datetime
import gzip
import io
import re
import socket
import threading

from tornado import gen
from tornado.httpclient import AsyncHTTPClient, HTTPClient, HTTPError, HTTPRequest
from tornado.httputil import HTTPHeaders
from tornado.ioloop import IOLoop
from tornado.iostream import StreamClosedError
from tornado.tcpserver import TCPServer
from tornado.testing import bind_unused_port

ROWS = {"compressed_answers": "SEC-GZIP-END"}

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@gen.coroutine
def turns():
    """Let the loop play some rounds, in which what is under way in this process arrives."""
    for _ in range(30):
        yield gen.moment


class Scripted(TCPServer):
    """Answers each connection with the next script (bytes; None hangs up), and notes what it was sent."""

    def __init__(self, *scripts):
        super(Scripted, self).__init__()
        self.scripts, self.requests, self.busy = list(scripts), [], 0
        sock, self.port = bind_unused_port()
        self.add_socket(sock)

    @gen.coroutine
    def handle_stream(self, stream, address):
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        self.busy += 1
        try:
            head = yield stream.read_until(b"\r\n\r\n")
            number = len(self.requests)
            self.requests.append(head)
            for step in script:
                if step is None:
                    stream.close()
                else:
                    yield stream.write(step)
                    yield turns()
            rest = yield stream.read_until_close()
            self.requests[number] += rest
        except StreamClosedError:
            pass
        finally:
            self.busy -= 1


def fetching(record, scripts, requests, **options):
    """Send ``requests``, tuples of a path and keyword arguments, to a `Scripted` server."""
    server = Scripted(*scripts)

    def clean(value):
        return re.sub("0x[0-9a-f]+", "0x", str(value).replace(str(server.port), "PORT"))

    @gen.coroutine
    def main():
        client = AsyncHTTPClient(force_instance=True, **options)
        for path, arguments in requests:
            del server.requests[:]
            try:
                response = yield client.fetch("http://127.0.0.1:%d%s" % (server.port, path), raise_error=False, **arguments)
                record(path, response.code, response.reason, response.body, type(response.error), clean(response.error), clean(response.effective_url),
                       list(response.headers.get_all()), response.buffer is None, response.request is not None)
            except Exception as e:
                record(path, type(e), clean(e))
            while server.busy:  # reads to the end
                yield gen.sleep(0.001)
            record([request.replace(b"%d" % server.port, b"PORT") for request in server.requests])
        client.close()

    IOLoop.current().run_sync(main)
    server.stop()


def sent(record, *requests, **options):
    fetching(record, [[OK]], requests, **options)


def got(record, *answers, **arguments):
    for answer in answers:
        fetching(record, [answer if isinstance(answer, list) else [answer, None]], [("/", arguments)])


def request_lines(record):
    sent(record, ("/a%20b?q=%2f#part", {}), ("?x", {}), ("", {}), ("/a b", {}), ("//a//../b", {}), ("/;p?q", {}), (u"/\u00e9?\u00e9", {}), (u"/\u20ac", {}))


def headers(record):
    sent(record, ("/", {"headers": {"X-A": "1"}}), ("/", {"headers": HTTPHeaders({"x-a": "1"})}), ("/", {"headers": {"X": u"\u00e9"}}), ("/", {"headers": {"X": ""}}),
         ("/", {"headers": {"Host": "other", "Connection": "keep-alive", "Accept-Encoding": "br"}}), ("/", {"headers": {"user-agent": "mine"}, "user_agent": "theirs"}),
         ("/", {"headers": {"X": "a\nb"}}), ("/", {"headers": {"X": u"\u20ac"}}), ("/", {"headers": {"Content-Length": "7"}}),
         ("/", {"if_modified_since": 0}), ("/", {"if_modified_since": datetime.datetime(2010, 1, 2, 3, 4, 5)}), ("/", {"decompress_response": False}), ("/", {"use_gzip": True}))
    several = HTTPHeaders()
    several.add("X-B", "1")
    several.add("X-A", "2")
    several.add("X-B", "3")
    sent(record, ("/", {"headers": several}))


def methods_and_bodies(record):
    sent(record, ("/", {"method": "POST", "body": ""}), ("/", {"method": "PUT", "body": u"\u20ac"}), ("/", {"method": "PATCH", "body": b"x", "headers": {"Content-Type": "text/plain"}}),
         ("/", {"method": "DELETE"}), ("/", {"method": "OPTIONS"}), ("/", {"method": "HEAD"}), ("/", {"method": "get"}), ("/", {"method": "TRACE"}),
         ("/", {"method": "TRACE", "allow_nonstandard_methods": True}), ("/", {"method": "GET", "body": "x", "allow_nonstandard_methods": True}),
         ("/", {"method": "POST", "allow_nonstandard_methods": True}), ("/", {"method": "DELETE", "body": "x", "allow_nonstandard_methods": True}), ("/", {"method": "POST"}), ("/", {"body": "x"}))


def body_producers(record):
    @gen.coroutine
    def slow(write):
        yield write(b"one")
        yield gen.moment
        yield write(b"two")

    sent(record, ("/", {"method": "POST", "body_producer": slow}), ("/", {"method": "PUT", "body_producer": lambda write: write(b"x")}), ("/", {"method": "POST", "body_producer": lambda write: None}),
         ("/", {"method": "POST", "body_producer": slow, "headers": {"Content-Length": "6"}}), ("/", {"body_producer": slow}), ("/", {"method": "PUT", "body_producer": lambda write: 5}),
         ("/", {"method": "GET", "body_producer": slow, "allow_nonstandard_methods": True}))


def credentials(record):
    sent(record, ("/", {"auth_username": "u", "auth_password": "p"}), ("/", {"auth_username": "u"}), ("/", {"auth_username": ""}), ("/", {"auth_username": u"\u00e9", "auth_password": u"\u20ac"}),
         ("/", {"auth_username": "u", "auth_mode": "digest"}), ("/", {"auth_username": "u", "auth_mode": "basic"}), ("/", {"headers": {"Authorization": "own"}}))


def what_only_curl_can(record):
    sent(record, ("/", {"proxy_host": "x", "proxy_port": 1}), ("/", {"proxy_port": 1}), ("/", {"proxy_username": "x"}), ("/", {"proxy_password": "x"}), ("/", {"proxy_auth_mode": "basic"}),
         ("/", {"network_interface": "lo"}), ("/", {"prepare_curl_callback": lambda curl: None}))


def defaults(record):
    sent(record, ("/", {}), ("/", {"user_agent": "own"}), ("/", {"user_agent": ""}), defaults={"user_agent": "default", "decompress_response": False, "headers": None})


def other_addresses(record):
    server = Scripted([OK])

    @gen.coroutine
    def main():
        client = AsyncHTTPClient(force_instance=True)
        for url in ("http://127.0.0.1:%d", "HTTP://127.0.0.1:%d/", "http://u:p@127.0.0.1:%d/", "http://u%%40:p%%3a@127.0.0.1:%d/", "http://localhost:%d/"):
            response = yield client.fetch(url % server.port)
            record(url, response.body)
            record(server.requests[-1].replace(b"%d" % server.port, b"PORT"))
        for url in ("ws://x/", "http://127.0.0.1:0/", "", "/", "http://[::1", "file:///etc/passwd", None):
            try:
                yield client.fetch(url)
            except Exception as e:
                record(url, type(e), str(e))
        for wrong in ({"nonsense": 1},):
            try:
                yield client.fetch(HTTPRequest("http://x/"), **wrong)
            except Exception as e:
                record(type(e), str(e))
        client.close()
        try:
            yield client.fetch("http://x/")
        except Exception as e:
            record(type(e), str(e))

    IOLoop.current().run_sync(main)
    server.stop()


def heads_of_answers(record):
    got(record, b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nhi", b"HTTP/1.0 200 Fine thing\r\n\r\nhi", b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", b"HTTP/1.1 299 Own\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nX-F: a\r\n b\r\nX-L: \xe9\r\nX-E:\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 500 \xe9\r\nContent-Length: 0\r\n\r\n")


def lengths_of_answers(record):
    got(record, b"HTTP/1.1 200 OK\r\n\r\nuntil the close", b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nshort", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nlonger", b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi", [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", b"3\r\ncde\r\n0\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", None], [b"HTTP/1.1 200 OK\r\nContent-Le", None], [None], [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", None],
        [b"HTTP/1.1 200 OK\r\n\r\nab", b"cd", None])


def answers_without_body(record):
    got(record, b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\ngarbage", b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\ngarbage",
        b"HTTP/1.1 304 Not Modified\r\nEtag: x\r\n\r\n", b"HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\ngarbage")
    got(record, b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\ngarbage", b"HTTP/1.1 404 No\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", method="HEAD")


def interim_answers(record):
    got(record, b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"HTTP/1.1 102 Processing\r\nX: y\r\n\r\n" + OK, b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" * 3 + OK)
    got(record, OK, b"HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n" + OK, method="POST", body="body", expect_100_continue=True)


def packed(data=b"hello " * 10):
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as f:
        f.write(data)
    return out.getvalue()


def compressed_answers(record):
    body = packed()
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
    got(record, head % len(body) + body, head % (len(body) - 8) + body[:-8], head.replace(b"gzip", b"identity") % 2 + b"hi", head.replace(b"gzip", b"GZIP") % 2 + b"hi", head % 0)
    got(record, head % len(body) + body, decompress_response=False)
    got(record, head % 20, method="HEAD")


def pieces(record):
    body = packed()
    for answer, options in (
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", b"ab", b"cd"], {}), ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", b"2\r\ncd\r\n0\r\n\r\n"], {}),
        ([b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body], {}), ([b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno"], {}), ([OK], {"method": "HEAD"}),
    ):
        streamed, lines = [], []
        fetching(record, [answer], [("/", dict(options, streaming_callback=streamed.append, header_callback=lines.append))])
        record(streamed, lines)


def heads_handed_over(record):
    for answer in ([b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\nX-F: a\r\n b\r\nContent-Length: 0\r\n\r\n"], [b"HTTP/1.1 100 Continue\r\nX: 1\r\n\r\n" + OK], [b"HTTP/1.0 404 Not Found\r\n\r\n", None]):
        lines = []
        fetching(record, [answer], [("/", {"header_callback": lines.append})])
        record(lines)


def callbacks_that_fail(record):
    def fail(*args):
        raise ValueError("mine")

    got(record, OK, streaming_callback=fail)
    got(record, OK, header_callback=fail)


def redirected(record):
    for status in (301, 302, 303, 307, 308):
        there = b"HTTP/1.1 %d Found\r\nLocation: /there\r\nContent-Length: 4\r\n\r\nbody" % status
        for options in ({}, {"method": "POST", "body": "x", "headers": {"Content-Encoding": "y", "X-A": "1"}}, {"method": "HEAD"}, {"method": "DELETE"}, {"follow_redirects": False}):
            seen = []
            fetching(record, [[there], [OK]], [("/", dict(options, header_callback=seen.append, streaming_callback=seen.append))])
            record(status, seen)


def places_to_be_redirected_to(record):
    for place in (b"there", b"?q", b"/a/../b", b"//127.0.0.1:1/", b"http://127.0.0.1:1/", b"", b"/a b", b"/\xc3\xa9", b"ftp://x/", b"#part"):
        fetching(record, [[b"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % place], [OK]], [("/dir/page", {"max_redirects": 1})])


def round_in_circles(record):
    for limit in (0, 1, 5):
        fetching(record, [[b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n"]], [("/", {"max_redirects": limit})])


def time_outs(record):
    for script in ([], [b"HTTP/1.1 200 OK\r\n"], [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"]):
        fetching(record, [script], [("/", {"request_timeout": 0.03})])
    fetching(record, [[OK]], [("/", {"request_timeout": 0, "connect_timeout": 0})])


def one_after_the_other(record):
    server = Scripted([OK])

    @gen.coroutine
    def main():
        client = AsyncHTTPClient(force_instance=True, max_clients=2)
        order = []
        futures = []
        for n in range(5):
            future = client.fetch("http://127.0.0.1:%d/%d" % (server.port, n))
            future.add_done_callback(lambda future, n=n: order.append(n))
            futures.append(future)
        record(len(client.active), len(client.queue), len(client.waiting))
        yield futures
        record(sorted(order), order[-1], len(client.active), len(client.queue), len(client.waiting))
        record([request.split()[1] for request in server.requests])
        client.close()

    IOLoop.current().run_sync(main)
    server.stop()


def limits(record):
    for options, answer in (({"max_body_size": 10}, b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world"), ({"max_header_size": 100}, b"HTTP/1.1 200 OK\r\nX: %s\r\n\r\n" % (b"x" * 200)),
                            ({"max_buffer_size": 10, "max_body_size": 100}, b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n" + b"x" * 50)):
        fetching(record, [[answer]], [("/", {})], **options)


def both_forms(record):
    server = Scripted([b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno"])
    loop = IOLoop.current()
    client = AsyncHTTPClient(force_instance=True)

    def answered(response):
        record("callback", response.code, response.error, response.body)
        loop.stop()

    future = client.fetch("http://127.0.0.1:%d/" % server.port, answered)
    record(type(future).__name__, future.done())
    loop.start()
    record(future.done(), type(future.exception()).__name__, future.exception().response.body)
    client.fetch("ftp://x/", lambda response: (record(response.code, type(response.error).__name__, str(response.error)), loop.stop()))
    loop.start()
    client.fetch("http://127.0.0.1:%d/" % server.port, callback=answered, raise_error=False)
    loop.start()
    client.close()
    server.stop()


def attributes_of_requests(record):
    request = HTTPRequest("http://x/")
    for name in ("url", "method", "headers", "body", "body_producer", "auth_username", "auth_password", "auth_mode", "connect_timeout", "request_timeout", "follow_redirects", "max_redirects",
                 "user_agent", "decompress_response", "network_interface", "streaming_callback", "header_callback", "prepare_curl_callback", "proxy_host", "proxy_port", "proxy_username",
                 "proxy_password", "proxy_auth_mode", "allow_nonstandard_methods", "validate_cert", "ca_certs", "allow_ipv6", "client_key", "client_cert", "ssl_options", "expect_100_continue"):
        record(name, getattr(request, name))
    record(sorted(HTTPRequest._DEFAULTS.items()))


def in_a_thread(record):
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen(5)

    def serve():
        for _ in range(2):
            connection, _ = sock.accept()
            connection.recv(65536)
            connection.sendall(OK)
            connection.close()

    def ask():
        client = HTTPClient()
        for path in ("/one", "/two"):
            record(client.fetch("http://127.0.0.1:%d%s" % (sock.getsockname()[1], path)).body)
        try:
            client.fetch("http://x/", nonsense=1)
        except TypeError as e:
            record(type(e))
        client.close()
        client.close()

    threads = [threading.Thread(target=serve), threading.Thread(target=ask)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sock.close()
    record(HTTPError(599).code)
