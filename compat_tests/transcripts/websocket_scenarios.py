"""tornado.websocket: a server and a client of the same side, and raw frames where the two are too polite.

What the server did is recorded first, then what the client did: how the two interleave is the kernel's affair.
"""
import socket
import struct

from tornado import gen, web, websocket
from tornado.httpclient import HTTPError, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders
from tornado.ioloop import IOLoop
from tornado.iostream import IOStream, StreamClosedError
from tornado.testing import bind_unused_port
from tornado.websocket import WebSocketClosedError, WebSocketError, websocket_connect

KEY = "dGhlIHNhbXBsZSBub25jZQ=="


@gen.coroutine
def turns():
    """Let the loop play some rounds, in which what is under way in this process arrives."""
    for _ in range(30):
        yield gen.moment


class Talker(websocket.WebSocketHandler):
    """Notes in ``record`` what happens to it, and does what messages say."""

    def initialize(self, record, **settings):
        self.record = record
        self.__dict__.update(settings)

    compression = None
    origins = False

    def get_compression_options(self):
        return self.compression

    def check_origin(self, origin):
        return self.origins or super(Talker, self).check_origin(origin)

    def select_subprotocol(self, subprotocols):
        self.record("offered", subprotocols)
        return subprotocols[-1] or None

    def prepare(self):
        self.record("prepare")

    def open(self, *args, **kwargs):
        self.record("open", args, kwargs, self.stream is not None, self.close_code, self.close_reason)

    def on_message(self, message):
        self.record("message", message)
        if message == "close":
            self.close()
        elif message == "close 4000":
            self.close(4000, "reason")
        elif message == "ping":
            self.ping(b"from the server")
        elif message == "fail":
            raise ValueError("message")
        elif message == "late":
            self.close(1001)
            for late in (lambda: self.write_message("late"), lambda: self.ping(b"late")):
                try:
                    late()
                except WebSocketClosedError as e:
                    self.record("closed", type(e), str(e), e.args)
        elif message == "abort":
            self.stream.close()
        else:
            result = self.write_message(message, binary=isinstance(message, bytes))
            self.record("written", type(result).__name__, result.done())

    def on_ping(self, data):
        self.record("ping", data)

    def on_pong(self, data):
        self.record("pong", data)

    def on_close(self):
        self.record("on_close", self.close_code, self.close_reason, self.ws_connection is None)

    def on_finish(self):
        self.record("on_finish")

    def log_exception(self, typ, value, tb):
        self.record("log_exception", typ, str(value))


class Page(web.RequestHandler):
    def get(self, code):
        self.set_status(int(code))
        self.write("page")


class Sides(object):
    """Two logs: called, it is the client's ``record``; ``server`` is the handlers'."""

    def __init__(self):
        self.of_server, self.of_client = [], []

    def __call__(self, *values):
        self.of_client.append(values)

    def server(self, *values):
        self.of_server.append(values)


def serving(record, client, handler=Talker, settings={}, **init):
    """Run the coroutine ``client(record, port)`` beside a server, then let what is under way end."""
    sock, port = bind_unused_port()
    sides = Sides()
    init["record"] = sides.server
    application = web.Application([
        ("/ws", handler, init), (r"/args/(\w+)/(\w+)", handler, init), (r"/named/(?P<name>\w+)", handler, init), (r"/page/(\d+)", Page),
    ], log_function=lambda handler: sides.server("logged", handler.get_status()), **settings)
    server = HTTPServer(application)
    server.add_socket(sock)

    @gen.coroutine
    def main():
        yield client(sides, port)
        for _ in range(100):  # until the handlers have heard of the end
            opened = sum(values[0] == "open" for values in sides.of_server)
            if opened <= sum(values[0] == "on_close" for values in sides.of_server):
                break
            yield gen.sleep(0.002)

    IOLoop.current().run_sync(main)
    server.stop()
    for values in sides.of_server:
        record("server", *values)
    for values in sides.of_client:
        record("client", *values)


def url(port, path="/ws"):
    return "ws://127.0.0.1:%d%s" % (port, path)


@gen.coroutine
def read_all(record, connection):
    while True:
        message = yield connection.read_message()
        record("read", message)
        if message is None:
            break
    record(connection.close_code, connection.close_reason)


def sending(*messages, **options):
    @gen.coroutine
    def client(record, port):
        connection = yield websocket_connect(url(port), **options)
        record(type(connection).__name__, connection.close_code, connection.close_reason)
        for message in messages:
            connection.write_message(message, binary=isinstance(message, bytes))
        yield read_all(record, connection)

    return client


def echo_then_close(record):
    serving(record, sending("one", u"\u00e9\u20ac", b"\xff\x00", "", b"", "close"))


def server_closes_with_a_reason(record):
    serving(record, sending("close 4000"))


def after_the_end(record):
    serving(record, sending("late"))


def server_cuts_off(record):
    serving(record, sending("abort"))


def on_message_fails(record):
    serving(record, sending("fail", "never"))


def pings_of_the_server(record):
    @gen.coroutine
    def client(record, port):
        connection = yield websocket_connect(url(port))
        connection.write_message("ping")
        connection.write_message("x")
        record((yield connection.read_message()))
        connection.write_message("x")
        record((yield connection.read_message()))
        connection.close()
        yield read_all(record, connection)

    serving(record, client)


def client_closes(record):
    for arguments in ((), (1000,), (4001, "bye"), (None, "only a reason"), (1001, u"\u00e9")):
        @gen.coroutine
        def client(record, port):
            connection = yield websocket_connect(url(port))
            record(arguments, connection.close(*arguments))
            record(connection.close())
            try:
                connection.write_message("x")
            except Exception as e:
                record(type(e), str(e))
            yield read_all(record, connection)

        serving(record, client)


def client_loses_its_stream(record):
    @gen.coroutine
    def client(record, port):
        connection = yield websocket_connect(url(port))
        connection.stream.close()
        yield read_all(record, connection)
        try:
            result = connection.write_message("x")
            record(type(result).__name__)
        except Exception as e:
            record(type(e), str(e))

    serving(record, client)


def write_after_the_peer_has_closed(record):
    @gen.coroutine
    def client(record, port):
        connection = yield websocket_connect(url(port))
        connection.write_message("close")
        yield read_all(record, connection)
        try:
            record(connection.write_message("x"))
        except Exception as e:
            record(type(e), str(e))

    serving(record, client)


def callback_forms(record):
    loop = IOLoop.current()
    sock, port = bind_unused_port()
    server = HTTPServer(web.Application([("/ws", Talker, dict(record=record))], log_function=lambda handler: None))
    server.add_socket(sock)

    def connected(future):
        record("connected", type(future).__name__, future.done())
        connection = future.result()
        connection.write_message("one")
        record(type(connection.read_message(callback=lambda read: got(connection, read))).__name__)

    def got(connection, future):
        record("got", future.result())
        connection.close()
        connection.read_message(lambda read: (record("end", read.result()), loop.stop()))

    record(type(websocket_connect(url(port), callback=connected)).__name__)
    loop.start()
    server.stop()


def on_message_callback(record):
    @gen.coroutine
    def client(record, port):
        connection = yield websocket_connect(url(port), on_message_callback=lambda message: record("callback", message))
        connection.write_message("one")
        connection.write_message("close 4000")
        while not connection.stream.closed():
            yield gen.sleep(0.001)
        yield turns()
        record(connection.close_code, connection.close_reason, len(connection.read_queue))

    serving(record, client)


def on_message_callback_fails(record):
    def fail(message):
        record("callback", message)
        if message is not None:
            raise ValueError("mine")

    @gen.coroutine
    def client(record, port):
        connection = yield websocket_connect(url(port), on_message_callback=fail)
        connection.write_message("one")
        while not connection.stream.closed():
            yield gen.sleep(0.001)
        yield turns()

    serving(record, client)


def two_reads_at_a_time(record):
    @gen.coroutine
    def client(record, port):
        connection = yield websocket_connect(url(port))
        connection.read_message()
        try:
            connection.read_message()
        except AssertionError as e:
            record(type(e), str(e))
        connection.close()

    serving(record, client)


def reads_of_what_waits(record):
    @gen.coroutine
    def client(record, port):
        connection = yield websocket_connect(url(port))
        for message in ("1", "2", "close"):
            connection.write_message(message)
        while len(connection.read_queue) < 3:
            yield gen.sleep(0.002)
        record(list(connection.read_queue))
        record([connection.read_message().done() for _ in range(3)])

    serving(record, client)


def burst_for_a_reader_with_more_to_do(record):
    """Messages that come at once do not run ahead of who reads them: a reader that recurs would run out of stack."""

    class Bursting(Talker):
        def on_message(self, message):
            for number in range(40):
                self.write_message("%d" % number)
            self.close()

    def reading(rounds):
        @gen.coroutine
        def client(record, port):
            connection = yield websocket_connect(url(port))
            connection.write_message("burst")
            waiting = []
            while (yield connection.read_message()) is not None:
                waiting.append(len(connection.read_queue))
                for _ in range(rounds):
                    yield gen.moment
            record(rounds, len(waiting), max(waiting) <= (1 if rounds <= 2 else 30))

        return client

    for rounds in range(5):
        serving(record, reading(rounds), Bursting)


def connecting_fails(record):
    sock, free = bind_unused_port()
    sock.close()

    @gen.coroutine
    def client(record, port):
        for address in (url(port, "/nothing"), url(port, "/page/200"), url(port, "/page/401"), url(free), "http://127.0.0.1/", "127.0.0.1"):
            try:
                yield websocket_connect(address)
                record("connected")
            except Exception as e:
                record(type(e), str(e), getattr(e, "code", None), getattr(getattr(e, "response", None), "body", None))

    serving(record, client)


def request_objects(record):
    @gen.coroutine
    def client(record, port):
        headers = HTTPHeaders({"X-A": "1"})
        request = HTTPRequest(url(port), headers=headers, connect_timeout=5, request_timeout=5)
        connection = yield websocket_connect(request)
        record(sorted(headers.items()), request.url.startswith("ws"), sorted(name for name, _ in request.headers.items()))
        connection.close()
        try:
            websocket_connect(HTTPRequest(url(port)), connect_timeout=1)
        except AssertionError as e:
            record(type(e), str(e))

    serving(record, client)


def the_heads_of_both_sides(record):
    class Heads(Talker):
        def open(self):
            skip = ("Host", "Sec-Websocket-Key")
            self.record([(k, v) for k, v in self.request.headers.get_all() if k not in skip])

    for options in ({}, {"compression_options": {}}):
        @gen.coroutine
        def client(record, port):
            request = HTTPRequest(url(port), headers={"Sec-WebSocket-Protocol": "a, b", "X-B": "2"}, user_agent="me")
            connection = yield websocket_connect(request, **options)
            record([(k, v) for k, v in connection.headers.get_all() if k not in ("Date", "Sec-Websocket-Accept")])
            connection.close()
            yield read_all(record, connection)

        serving(record, client, Heads, compression={})


def compressed(record):
    for server, mine in (({}, {}), ({"compression_level": 9, "mem_level": 1}, {"compression_level": 0}), (None, {}), ({}, None)):
        serving(record, sending("a" * 50, "a" * 50, b"b" * 50, "", "close", compression_options=mine), compression=server)


def arguments_of_open(record):
    @gen.coroutine
    def client(record, port):
        for path in ("/args/a/b?q=1", "/named/x"):
            connection = yield websocket_connect(url(port, path))
            connection.close()
            yield read_all(record, connection)

    serving(record, client)


def coroutine_handlers(record):
    class Slow(Talker):
        @gen.coroutine
        def open(self):
            self.record("open begins")
            yield gen.moment
            self.record("open ends")

        @gen.coroutine
        def on_message(self, message):
            self.record("begin", message)
            yield gen.sleep(0.002)
            self.record("end", message)
            if message == "fail":
                raise ValueError("slow")
            if message == "close":
                self.close()
            else:
                yield self.write_message(message)

    serving(record, sending("1", "2", "fail", "3", "close"), Slow)


def prepare_refuses(record):
    class Guarded(Talker):
        def prepare(self):
            raise web.HTTPError(403, reason="Never")

    class Absent(Talker):
        @gen.coroutine
        def prepare(self):
            yield gen.moment
            self.set_status(401)
            self.finish("who?")

    @gen.coroutine
    def client(record, port):
        try:
            yield websocket_connect(url(port))
        except HTTPError as e:
            record(e, e.code, e.response.body)

    serving(record, client, Guarded)
    serving(record, client, Absent)


def http_methods_of_an_open_socket(record):
    class Confused(Talker):
        def on_message(self, message):
            for call in (lambda: self.write("x"), lambda: self.redirect("/"), lambda: self.set_header("a", "b"),
                         lambda: self.set_cookie("a", "b"), lambda: self.set_status(500), lambda: self.flush(), lambda: self.finish(),
                         lambda: self.set_nodelay(True), lambda: self.get_argument("a", "default"), lambda: self.clear_header("a")):
                try:
                    self.record(call())
                except Exception as e:
                    self.record(type(e), str(e))
            self.send_error(500)

    serving(record, sending("x"), Confused)


def what_write_message_takes(record):
    class Writer(Talker):
        def on_message(self, message):
            for value in ("text", u"\u20ac", b"bytes", {"a": 1}, [1], 5, None, bytearray(b"x"), 1.5):
                try:
                    future = self.write_message(value)
                    self.record("written", value, future.done())
                except Exception as e:
                    self.record(type(e), str(e))
            try:
                self.ping("text")
            except Exception as e:
                self.record(type(e))
            self.close()

    serving(record, sending("x"), Writer)


def write_futures(record):
    @gen.coroutine
    def client(record, port):
        connection = yield websocket_connect(url(port))
        record((yield connection.write_message("x")))
        record((yield connection.read_message()))
        connection.close()

    serving(record, client)


@gen.coroutine
def raw(port, path="/ws", headers=(), data=b"", version="HTTP/1.1"):
    stream = IOStream(socket.socket())
    yield stream.connect(("127.0.0.1", port))
    lines = ["GET %s %s" % (path, version), "Host: 127.0.0.1:%d" % port, "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: " + KEY,
             "Sec-WebSocket-Version: 13"] + list(headers) + ["", ""]
    stream.write("\r\n".join(lines).encode("latin1"))
    yield stream.read_until(b"\r\n\r\n")
    stream.write(data)
    raise gen.Return(stream)


def frame(opcode, data=b"", fin=True):
    return bytes(bytearray([(0x80 if fin else 0) | opcode, 0x80 | len(data)])) + b"\0\0\0\0" + data


def raw_talk(record, *pieces, **options):
    @gen.coroutine
    def client(record, port):
        stream = yield raw(port)
        for piece in pieces:
            yield stream.write(piece)
            yield turns()
        if not options.get("listen", True):
            stream.close()
            return
        try:
            record((yield gen.with_timeout(IOLoop.current().time() + 5, stream.read_until_close(), quiet_exceptions=StreamClosedError)))
        except gen.TimeoutError:
            record("still open")
            stream.close()

    serving(record, client)


def orders_of_control_frames(record):
    raw_talk(record, frame(9, b"p") + frame(10, b"q") + frame(1, b"x") + frame(8, struct.pack("!H", 1000) + b"bye") + frame(1, b"y"))


def peer_leaves(record):
    raw_talk(record, frame(1, b"x"), listen=False)
    raw_talk(record, frame(1, b"x")[:3], listen=False)
    raw_talk(record, listen=False)


def peer_closes_and_we_answer(record):
    for code in (1000, 1001, 3000, 4999):
        raw_talk(record, frame(8, struct.pack("!H", code)))
    raw_talk(record, frame(8))


def close_while_closing(record):
    raw_talk(record, frame(1, b"close 4000"), frame(1, b"still said") + frame(9, b"still pinged") + frame(8, struct.pack("!H", 4000) + b"reason"))


def pinging_by_itself(record):
    class Pinged(Talker):
        def on_pong(self, data):
            if not hasattr(self, "ponged"):  # a slow machine has sent a second ping by now
                self.ponged = True
                self.record("pong", data)
                self.write_message("enough")

    @gen.coroutine
    def client(record, port):
        connection = yield websocket_connect(url(port))
        record((yield connection.read_message()))
        connection.close()
        yield read_all(record, connection)

    serving(record, client, Pinged, {"websocket_ping_interval": 0.005})


def nobody_answers_the_pings(record):
    @gen.coroutine
    def client(record, port):
        stream = yield raw(port)
        # A peer that never answers: it is closed, and cut off when it does not answer that either.
        received = yield stream.read_until(b"\x88\x00")
        record(set(received[:-2]) == set(b"\x89\x00"))
        stream.close()

    serving(record, client, settings={"websocket_ping_interval": 0.01, "websocket_ping_timeout": 0.02})


def pings_of_the_client(record):
    @gen.coroutine
    def client(record, port):
        connection = yield websocket_connect(url(port), ping_interval=0.005)

        def on_pong(data):
            record("pong to the client", data)
            connection.on_pong = lambda data: None  # a slow machine has sent a second ping by now
            connection.close()

        connection.on_pong = on_pong
        yield read_all(record, connection)

    class Quiet(Talker):
        seen = False

        def on_ping(self, data):
            if not self.seen:
                self.seen = True
                self.record("pinged", data)

    serving(record, client, Quiet)


def too_long_for_the_client(record):
    @gen.coroutine
    def client(record, port):
        connection = yield websocket_connect(url(port), max_message_size=10)
        connection.write_message("x" * 10)
        record((yield connection.read_message()))
        connection.write_message("x" * 11)
        yield read_all(record, connection)

    serving(record, client)


def properties(record):
    @gen.coroutine
    def client(record, port):
        connection = yield websocket_connect(url(port))
        protocol = connection.protocol
        record(protocol.client_terminated, protocol.server_terminated, protocol.mask_outgoing, protocol.ping_interval, protocol.ping_timeout,
               protocol.last_ping, protocol.last_pong, protocol.ping_callback, connection.read_future, connection.ping_interval, connection.max_message_size)
        connection.write_message("a")
        yield connection.read_message()
        record(protocol._message_bytes_in, protocol._message_bytes_out, protocol._wire_bytes_in, protocol._wire_bytes_out)
        connection.close()
        record(connection.protocol, protocol.client_terminated, protocol.server_terminated)
        yield read_all(record, connection)
        record(protocol.client_terminated, protocol.server_terminated)

    class Settings(Talker):
        def open(self):
            self.record(self.ping_interval, self.ping_timeout, self.ws_connection.ping_interval, self.ws_connection.ping_timeout)

    serving(record, client, Settings)
    serving(record, client, Settings, {"websocket_ping_interval": 20, "websocket_ping_timeout": 0})
    serving(record, client, Settings, {"websocket_ping_interval": 5})


def errors(record):
    record(WebSocketError.__mro__[1], WebSocketClosedError.__mro__[1], str(WebSocketClosedError()))
    try:
        websocket.WebSocketHandler.on_message(None, "x")
    except NotImplementedError as e:
        record(type(e), str(e))


def on_close_fails(record):
    class Bad(Talker):
        def on_close(self):
            raise ValueError("on_close")

    serving(record, sending("close"), Bad)


def open_closes_at_once(record):
    class Brief(Talker):
        def open(self):
            self.close(4002, "not now")

    serving(record, sending(), Brief)


def open_fails(record):
    class Bad(Talker):
        def open(self):
            raise ValueError("open")

    serving(record, sending(), Bad)


def hello_in_open(record):
    class Polite(Talker):
        def open(self):
            self.write_message("hello")
            self.ping(b"are you there?")

    serving(record, sending("close"), Polite)
