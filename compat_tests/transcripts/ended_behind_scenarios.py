"""What has come in has its turn before the end of the connection that has come right behind it.

A peer that sends all it has to say and then closes its side, as ``nc -N`` does, is heard to the end, as far as something
lies unread before the end; who only waits is told of it.
"""
import base64
import hashlib
import socket
import struct

from tornado import gen, web, websocket
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.testing import bind_unused_port
from tornado.websocket import WebSocketClosedError, websocket_connect

HEADS = b"Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
TEXT, CLOSE, PING = 1, 8, 9
CLOSED = struct.pack(">H", 1001) + b"bye"


@gen.coroutine
def turns():
    """Let the loop play some rounds, in which what is under way in this process arrives."""
    for _ in range(30):
        yield gen.moment


def frame(opcode, data, masked=True):
    size = bytes(bytearray([0x80 | opcode, (0x80 if masked else 0) | len(data)]))
    return size + (b"\0\0\0\0" if masked else b"") + data


def received(sock):
    """What lies in the socket, and whether its end does, too."""
    sock.setblocking(False)
    data, ended = b"", False
    try:
        while not ended:
            piece = sock.recv(65536)
            data, ended = data + piece, not piece
    except (socket.error, OSError):
        pass
    return data, ended


class Gates(object):
    """Waits that end one by one, when the scenario says so."""

    def __init__(self):
        self.waiting = []

    def wait(self):
        future = gen.Future()
        self.waiting.append(future)
        return future

    @gen.coroutine
    def open_all(self):
        while self.waiting:
            self.waiting.pop(0).set_result(None)
            yield turns()


def talk(record, handler, pieces, end=True, **settings):
    """Send ``pieces`` to a server, then an end; ``handler`` is made by a function of the record and the gates."""
    gates = Gates()
    sock, port = bind_unused_port()
    application = web.Application([("/", handler(record, gates))], log_function=lambda handler: None)
    server = HTTPServer(application, **settings)
    server.add_socket(sock)

    @gen.coroutine
    def run():
        peer = socket.create_connection(("127.0.0.1", port))
        yield turns()
        for piece in pieces:
            peer.sendall(piece)
            yield turns()
            if piece.endswith(HEADS):
                received(peer)
        if end:
            peer.shutdown(socket.SHUT_WR)
            yield turns()
        yield gates.open_all()
        data, ended = received(peer)
        record(data.count(b" 200 OK"), data.rpartition(b"\r\n\r\n")[2], ended)
        peer.close()
        yield turns()
        yield gates.open_all()

    IOLoop.current().run_sync(run)
    server.stop()


def slow(record, gates):
    class Slow(web.RequestHandler):
        @gen.coroutine
        def get(self):
            record("begins", self.get_argument("n"))
            yield gates.wait()
            self.write("answer " + self.get_argument("n"))
            record("ends", self.get_argument("n"))

        post = get

        def on_connection_close(self):
            record("gone", self.get_argument("n"))

        def on_finish(self):
            record("finished", self.get_argument("n"))

    return Slow


def ask(number, body=b"", method="GET"):
    head = "%s /?n=%d HTTP/1.1\r\nHost: x\r\n" % (method, number)
    if method == "POST":
        head += "Content-Length: %d\r\n" % len(body)
    return head.encode("ascii") + b"\r\n" + body


def one_request(record):
    talk(record, slow, [ask(0)])


def two_requests_at_once(record):
    talk(record, slow, [ask(0) + ask(1)])


def three_requests_at_once(record):
    talk(record, slow, [ask(0) + ask(1) + ask(2, b"body", "POST")])


def requests_one_by_one(record):
    talk(record, slow, [ask(0), ask(1)])


def a_request_that_is_cut_short(record):
    talk(record, slow, [ask(0) + b"GET /?n"])


def requests_without_an_end(record):
    talk(record, slow, [ask(0) + ask(1), ask(2)], end=False)


def streamed(record, gates):
    @web.stream_request_body
    class Streamed(web.RequestHandler):
        def prepare(self):
            self.received = 0
            record("prepare", self.request.method)

        @gen.coroutine
        def data_received(self, chunk):
            self.received += len(chunk)
            yield gates.wait()

        def post(self):
            record("received", self.received)

        def on_connection_close(self):
            record("gone", self.received)

        def on_finish(self):
            record("finished")

    return Streamed


def a_body_in_one_piece(record):
    talk(record, streamed, [ask(0, b"x" * 1000, "POST")])


def a_body_in_pieces(record):
    talk(record, streamed, [ask(0, b"x" * 1000, "POST")], chunk_size=300)


def a_body_piece_by_piece(record):
    data = ask(0, b"x" * 1000, "POST")
    talk(record, streamed, [data[:500], data[500:800], data[800:]])


def a_chunked_body(record):
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    talk(record, streamed, [head + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"])


def a_body_that_is_cut_short(record):
    talk(record, streamed, [ask(0, b"x" * 1000, "POST")[:-1]], chunk_size=300)


def socket_of(record, gates):
    class Slow(websocket.WebSocketHandler):
        @gen.coroutine
        def on_message(self, message):
            record("begins", message)
            yield gates.wait()
            try:
                self.write_message("answer " + message)
            except WebSocketClosedError:
                record("closed")

        def on_close(self):
            record("on_close", self.close_code, self.close_reason)

    return Slow


def messages(record, *frames):
    talk(record, socket_of, [b"GET / HTTP/1.1\r\n" + HEADS, b"".join(frames)])


def one_message(record):
    messages(record, frame(TEXT, b"a"))


def two_messages(record):
    messages(record, frame(TEXT, b"a"), frame(TEXT, b"b"))


def messages_and_a_close_frame(record):
    messages(record, frame(TEXT, b"a"), frame(PING, b"p"), frame(TEXT, b"b"), frame(CLOSE, CLOSED))


def messages_and_a_broken_frame(record):
    messages(record, frame(TEXT, b"a"), frame(TEXT, b"b"), b"\xff\xff\xff\xff")


def starter(record, gates):
    class Starter(websocket.WebSocketHandler):
        def open(self):
            self.set_nodelay(True)

        def on_message(self, message):
            record("message", message)
            if message == "hang up":
                self.stream.close()
            elif message == "plain":
                self.write_message("at once")
            elif message == "coroutine":
                self.work(message)
            else:
                IOLoop.current().add_callback(self.answer, message)

        def on_pong(self, data):
            record("pong", data)
            IOLoop.current().spawn_callback(self.work, "pong")

        @gen.coroutine
        def work(self, message):
            yield gen.moment
            self.answer(message)

        def answer(self, message):
            try:
                self.write_message("answer to " + message)
                record("answered", message)
            except WebSocketClosedError:
                record("closed")

        def on_close(self):
            record("on_close", self.close_code, self.close_reason)

    return Starter


def started(record, *frames):
    talk(record, starter, [b"GET / HTTP/1.1\r\n" + HEADS, b"".join(frames)], end=False)


def what_a_message_has_started_has_its_turn_before_the_next(record):
    started(record, frame(TEXT, b"a"), frame(TEXT, b"plain"), frame(TEXT, b"b"), frame(TEXT, b"c"))
    started(record, frame(TEXT, b"coroutine"), frame(PING, b"p"), frame(10, b"p"), frame(TEXT, b"plain"))


def what_a_message_has_started_has_its_turn_before_a_close_frame(record):
    started(record, frame(TEXT, b"plain"), frame(TEXT, b"a"), frame(CLOSE, CLOSED))
    started(record, frame(TEXT, b"coroutine"), frame(CLOSE, CLOSED))
    started(record, frame(TEXT, b"a"), b"\xff\xff\xff\xff")


def nothing_is_heard_after_hanging_up(record):
    started(record, frame(TEXT, b"a"), frame(TEXT, b"hang up"), frame(TEXT, b"b"), frame(CLOSE, CLOSED))


def hear(record, frames, end=True, answers=True, waits=False, callback=False):
    """A client reads what a server has sent in one piece, with an end behind it, and answers each message."""
    listener, port = bind_unused_port()

    @gen.coroutine
    def run():
        heard = []
        options = {"on_message_callback": heard.append} if callback else {}
        connecting = websocket_connect("ws://127.0.0.1:%d/" % port, **options)
        yield turns()
        peer = listener.accept()[0]
        yield turns()
        fields = [line.partition(b": ") for line in received(peer)[0].split(b"\r\n")]
        key = [value for name, _, value in fields if name.lower() == b"sec-websocket-key"][0]
        proof = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        peer.sendall(b"HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + proof + b"\r\n\r\n")
        connection = yield connecting
        yield turns()
        peer.sendall(b"".join(frames))
        if end:
            peer.shutdown(socket.SHUT_WR)
        if waits:
            yield turns()
        while not callback:
            message = yield connection.read_message()
            heard.append(message)
            if message is None:
                break
            if answers:
                connection.write_message("answer " + message)
        yield turns()
        data, ended = received(peer)
        record(heard, connection.close_code, connection.close_reason, unmasked(data), ended)
        peer.close()
        yield turns()

    IOLoop.current().run_sync(run)
    listener.close()


def unmasked(data):
    """Small frames of a client, as opcodes and payloads."""
    found = []
    data = bytearray(data)
    while data:
        size, key = data[1] & 0x7F, data[2:6]
        found.append((data[0] & 0x0F, bytes(bytearray(byte ^ key[i % 4] for i, byte in enumerate(data[6:6 + size])))))
        data = data[6 + size:]
    return found


def texts(*words):
    return [frame(TEXT, word, False) for word in words]


def a_client_hears_messages(record):
    hear(record, texts(b"a"), answers=False)
    hear(record, texts(b"a", b"b", b"c", b"d"), answers=False)
    hear(record, texts(b"a", b"b", b"c", b"d"), answers=False, waits=True)
    hear(record, texts(b"a", b"b", b"c", b"d"), callback=True)


def a_client_answers_messages(record):
    hear(record, texts(b"a", b"b", b"c", b"d") + [frame(CLOSE, CLOSED, False)])
    hear(record, texts(b"a", b"b", b"c", b"d") + [frame(CLOSE, CLOSED, False)], end=False)


def a_client_hears_pings(record):
    ping = [frame(PING, b"p", False)]
    for options in ({}, {"waits": True}, {"callback": True}):
        hear(record, texts(b"a") + ping + texts(b"b") + ping + texts(b"c"), answers=False, **options)


def a_client_hears_a_close_frame(record):
    for options in ({}, {"waits": True}, {"callback": True}):
        hear(record, texts(b"a", b"b", b"c") + [frame(CLOSE, CLOSED, False)], answers=False, **options)


def a_client_hears_a_broken_frame(record):
    for answers in (False, True):
        hear(record, texts(b"a", b"b", b"c") + [b"\xff\xff\xff\xff"], answers=answers)
