"""tornado.iostream with TLS, and what its callbacks see in which order, without it and with it."""
import atexit
import errno
import os
import re
import shutil
import socket
import ssl
import tempfile

from tornado import gen, stack_context
from tornado.concurrent import Future
from tornado.ioloop import IOLoop
from tornado.iostream import IOStream, PipeIOStream, SSLIOStream, StreamBufferFullError, StreamClosedError
from tornado.netutil import ssl_options_to_context
from tornado.tcpclient import TCPClient
from tornado.tcpserver import TCPServer
from tornado.testing import bind_unused_port

FOLDER = tempfile.mkdtemp()
atexit.register(shutil.rmtree, FOLDER, True)
CERTFILE = os.path.join(FOLDER, "test.pem")

# The certificate of tornado4.testing: OpenSSL takes 4.5.3's no more. As text, for the real Tornado has no tornado4 beside it.
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tornado4", "testing.py")) as f:
    PARTS = re.findall("-----BEGIN .*?-----END [A-Z ]+-----\n", f.read(), re.DOTALL)
with open(CERTFILE, "w") as f:
    f.write("".join(PARTS))


def run(function):
    return IOLoop.current().run_sync(function)


@gen.coroutine
def turns():
    """Let the loop play some rounds, in which what is under way in this process arrives."""
    for _ in range(30):
        yield gen.moment


def server_options(version="TLSv1_2"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTFILE)
    if version:
        context.maximum_version = getattr(ssl.TLSVersion, version)
    return context


def trusting():
    context = ssl.create_default_context(cafile=CERTFILE)
    return context


def careless():
    return {"cert_reqs": ssl.CERT_NONE}


class Serving(TCPServer):
    """Hands each stream to the coroutine function that it is made with."""

    def __init__(self, talk, **kwargs):
        super(Serving, self).__init__(**kwargs)
        self.talk = talk
        sock, self.port = bind_unused_port()
        self.add_socket(sock)

    def handle_stream(self, stream, address):
        return self.talk(stream)


def pair():
    a, b = socket.socketpair()
    return IOStream(a), IOStream(b)


@gen.coroutine
def upper(stream):
    try:
        while True:
            line = yield stream.read_until(b"\n")
            yield stream.write(line.upper())
    except StreamClosedError:
        pass


def echo_over_tls(record):
    @gen.coroutine
    def main():
        server = Serving(upper, ssl_options=server_options())
        stream = yield TCPClient().connect("localhost", server.port, ssl_options=trusting())
        record(type(stream).__name__, isinstance(stream, IOStream))
        for line in (b"one\n", b"two\n" * 3, b"x" * 100000 + b"\n"):
            yield stream.write(line)
            record(len((yield stream.read_bytes(len(line)))))
        stream.close()
        server.stop()

    run(main)


def tls_by_connect(record):
    @gen.coroutine
    def main():
        server = Serving(upper, ssl_options=server_options())
        stream = SSLIOStream(socket.socket(), ssl_options=careless())
        future = stream.connect(("127.0.0.1", server.port), server_hostname="localhost")
        record((yield future) is stream, stream.closed(), stream.reading(), stream.writing())
        yield stream.write(b"a\n")
        record((yield stream.read_until(b"\n")))
        stream.close()
        done = Future()
        other = SSLIOStream(socket.socket(), ssl_options=careless())
        record(other.connect(("127.0.0.1", server.port), callback=lambda: done.set_result("called")))
        record((yield done))
        other.close()
        server.stop()

    run(main)


def certificates_that_are_refused(record):
    # The name is not of the certificate's; the certificate is nobody's.
    @gen.coroutine
    def main():
        server = Serving(upper, ssl_options=server_options())
        strict = ssl.create_default_context()
        for host, options in (("wrong.example", trusting()), ("localhost", strict)):
            stream = SSLIOStream(socket.socket(), ssl_options=options)
            try:
                yield stream.connect(("127.0.0.1", server.port), server_hostname=host)
                record("connected")
            except StreamClosedError as e:
                record(type(e), type(e.real_error), getattr(e.real_error, "reason", None), stream.closed(), type(stream.error))
            except Exception as e:
                record(type(e), getattr(e, "reason", None))
        yield turns()
        server.stop()

    import logging
    logging.getLogger("tornado.general").disabled = True  # its lines have descriptors, and OpenSSL's line numbers
    run(main)
    logging.getLogger("tornado.general").disabled = False


def starting_tls(record):
    @gen.coroutine
    def main():
        @gen.coroutine
        def talk(stream):
            yield stream.read_until(b"STARTTLS\n")
            yield stream.write(b"OK\n")
            stream = yield stream.start_tls(True, server_options())
            record("server", type(stream).__name__)
            yield upper(stream)

        server = Serving(talk)
        stream = yield TCPClient().connect("127.0.0.1", server.port)
        closed = []
        stream.set_close_callback(lambda: closed.append("closed"))
        yield stream.write(b"STARTTLS\n")
        record((yield stream.read_until(b"\n")))
        future = stream.start_tls(False, trusting(), server_hostname="localhost")
        record(stream.socket, stream.closed())
        secure = yield future
        record(type(secure).__name__, secure is stream)
        yield secure.write(b"hello\n")
        record((yield secure.read_until(b"\n")))
        secure.close()
        yield gen.moment
        record(closed)
        server.stop()

    run(main)


def starting_tls_when_it_is_not_idle(record):
    a, b = pair()
    a.read_bytes(1)
    try:
        a.start_tls(False)
    except ValueError as e:
        record(type(e), str(e))
    c, d = pair()
    c.close()
    try:
        c.start_tls(False)
    except Exception as e:
        record(type(e), str(e))


def starting_tls_with_nobody(record):
    @gen.coroutine
    def main():
        a, b = pair()
        future = a.start_tls(False, careless())
        b.close()
        try:
            yield future
        except Exception as e:
            record(isinstance(e, (StreamClosedError, ssl.SSLError, OSError)))

    run(main)


def waiting_for_the_handshake(record):
    @gen.coroutine
    def main():
        done = Future()

        @gen.coroutine
        def talk(stream):
            record("server", type(stream).__name__)
            result = yield stream.wait_for_handshake()
            record(result is stream, stream.socket.cipher() is not None)
            try:
                again = stream.wait_for_handshake()
                record(again.done())
            except RuntimeError as e:
                record(type(e), str(e))
            stream.close()
            done.set_result(None)

        server = Serving(talk, ssl_options=server_options())
        stream = yield TCPClient().connect("localhost", server.port, ssl_options=trusting())
        yield done
        record((yield stream.read_until_close()))
        server.stop()

    run(main)


def waiting_twice_for_the_handshake(record):
    @gen.coroutine
    def main():
        a, b = socket.socketpair()
        a.setblocking(False)
        stream = SSLIOStream(server_options().wrap_socket(a, server_side=True, do_handshake_on_connect=False))
        first = stream.wait_for_handshake()
        try:
            stream.wait_for_handshake()
        except RuntimeError as e:
            record(type(e), str(e))
        b.close()
        try:
            yield first
        except StreamClosedError as e:
            record(type(e), isinstance(e.real_error, ssl.SSLError))

    run(main)


def the_peer_ends_below_tls(record):
    @gen.coroutine
    def main():
        @gen.coroutine
        def talk(stream):
            yield stream.write(b"part")
            stream.socket.shutdown(socket.SHUT_RDWR)
            stream.close()

        server = Serving(talk, ssl_options=server_options())
        stream = yield TCPClient().connect("localhost", server.port, ssl_options=trusting())
        try:
            record((yield stream.read_bytes(10)))
        except StreamClosedError as e:
            record(type(e), e.real_error)
        record(stream.closed())
        server.stop()

    run(main)


def plain_text_to_a_tls_server(record):
    import logging
    lines = []

    class Keep(logging.Handler):
        def emit(self, line):
            lines.append((line.levelname, line.getMessage().split(" ")[:2]))

    logger, handler = logging.getLogger("tornado.general"), Keep()
    propagate, logger.propagate = logger.propagate, False
    logger.addHandler(handler)

    @gen.coroutine
    def main():
        closed = Future()

        def talk(stream):
            stream.set_close_callback(lambda: closed.set_result(type(stream.error)))

        server = Serving(talk, ssl_options=server_options())
        stream = yield TCPClient().connect("127.0.0.1", server.port)
        yield stream.write(b"GET / HTTP/1.0\r\n\r\n")
        record((yield closed))
        stream.close()
        server.stop()

    run(main)
    logger.removeHandler(handler)
    logger.propagate = propagate
    record(lines)


def options_as_dictionaries(record):
    for options in ({"certfile": CERTFILE}, {"certfile": CERTFILE, "cert_reqs": ssl.CERT_NONE}, {}, {"ca_certs": CERTFILE, "cert_reqs": ssl.CERT_REQUIRED}):
        context = ssl_options_to_context(options)
        record(sorted(options), type(context).__name__, context.verify_mode)


def order_of_callbacks(record):
    a, b = pair()

    @gen.coroutine
    def main():
        a.set_close_callback(lambda: record("closed", a.error))
        a.read_until(b"\n", lambda data: record("line", data))
        record("asked")
        b.write(b"one\ntwo\n", lambda: record("written"))
        yield turns()
        a.read_until(b"\n", lambda data: (record("line", data), a.read_bytes(1, lambda data: record("never", data))))
        record("asked")
        yield gen.moment
        record("a turn later")
        b.close()
        yield turns()

    run(main)


def close_in_callbacks(record):
    for how in ("read", "write", "streaming", "close"):
        a, b = pair()

        @gen.coroutine
        def main():
            a.set_close_callback(lambda: (record(how, "closed"), how == "close" and a.close()))
            if how == "write":
                a.write(b"x", lambda: (record("written"), a.close()))
            elif how == "read":
                a.read_until(b"\n", lambda data: (record("read", data), a.close(), record("closed by us", a.closed())))
            elif how == "streaming":
                a.read_bytes(10, lambda data: record("all", data), streaming_callback=lambda data: (record("piece", data), a.close()))
            b.write(b"one\nmore")
            if how == "close":
                b.close()
            yield turns()

        run(main)


def reads_from_within_callbacks(record):
    a, b = pair()

    @gen.coroutine
    def main():
        done = Future()

        def line(data):
            record(data)
            if data == b"end\n":
                done.set_result(None)
            else:
                a.read_until(b"\n", line)

        a.read_until(b"\n", line)
        b.write(b"1\n2\n3\nend\n")
        yield done

    run(main)


def partial_and_streaming(record):
    a, b = pair()

    @gen.coroutine
    def main():
        pieces = []
        future = a.read_bytes(6, streaming_callback=pieces.append)
        for piece in (b"ab", b"cd", b"efgh"):
            yield b.write(piece)
            yield turns()
        record((yield future), pieces)
        record((yield a.read_bytes(1, partial=True)), (yield a.read_bytes(10, partial=True)))
        end = a.read_until_close(streaming_callback=pieces.append)
        yield b.write(b"ij")
        b.close()
        record((yield end))
        yield gen.moment
        record(pieces)

    run(main)


def streaming_with_partial(record):
    a, b = pair()

    @gen.coroutine
    def main():
        pieces = []
        future = a.read_bytes(6, streaming_callback=pieces.append, partial=True)
        yield b.write(b"ab")
        while not pieces:
            yield gen.moment
        yield turns()
        record(pieces, future.done())  # the callback has what came, and nothing is left to resolve it with

    run(main)


def close_callback_set_late_and_twice(record):
    a, b = pair()

    @gen.coroutine
    def main():
        a.set_close_callback(lambda: record("first"))
        a.set_close_callback(lambda: record("second"))
        a.close()
        yield gen.moment
        a.set_close_callback(lambda: record("late"))
        yield gen.moment
        a.close()
        a.set_close_callback(None)
        yield gen.moment
        record("end")

    run(main)


def futures_of_a_closing_stream(record):
    a, b = pair()

    @gen.coroutine
    def main():
        read, written = a.read_bytes(1), a.write(b"x" * 10000000)
        read.add_done_callback(lambda future: record("read", type(future.exception())))
        written.add_done_callback(lambda future: record("written", type(future.exception())))
        a.set_close_callback(lambda: record("closed", type(a.error)))
        a.close(exc_info=(ValueError, ValueError("why"), None))
        record(read.done(), written.done())
        yield gen.moment
        try:
            yield a.write(b"x")
        except StreamClosedError as e:
            record(str(e), e.real_error)

    run(main)


def contexts_of_callbacks(record):
    a, b = pair()

    @gen.coroutine
    def main():
        class Noting(object):
            def __init__(self, name):
                self.name = name

            def __enter__(self):
                record("enter", self.name)

            def __exit__(self, *error):
                record("exit", self.name, error[0])

        with stack_context.StackContext(lambda: Noting("read")):
            a.read_until(b"\n", lambda data: record(data))
        with stack_context.StackContext(lambda: Noting("close")):
            a.set_close_callback(lambda: record("closed"))
        with stack_context.StackContext(lambda: Noting("write")):
            b.write(b"x\n", lambda: record("written"))
        yield turns()
        b.close()
        yield turns()

    with stack_context.NullContext():
        run(main)


def limits_of_buffers(record):
    @gen.coroutine
    def main():
        x, y = socket.socketpair()
        a, b = IOStream(x, max_buffer_size=100, read_chunk_size=30), IOStream(y, max_write_buffer_size=100)
        record(a.max_buffer_size, a.read_chunk_size, b.max_write_buffer_size)
        for size in (100, 101):
            try:
                yield b.write(b"x" * size)
                record("written")
            except StreamBufferFullError as e:
                record(str(e), b.closed())
        record(len((yield a.read_bytes(100))))
        future = a.read_until(b"\n")
        yield b.write(b"y" * 60)
        yield b.write(b"y" * 60)
        try:
            yield future
        except StreamClosedError as e:
            record(type(e.real_error), a.closed())

    run(main)


def pipes(record):
    @gen.coroutine
    def main():
        r, w = os.pipe()
        reader, writer = PipeIOStream(r), PipeIOStream(w)
        reader.set_close_callback(lambda: record("reader closed", reader.error))
        writer.set_close_callback(lambda: record("writer closed"))
        record(reader.fileno() == r)
        future = reader.read_until_close()
        yield writer.write(b"abc")
        writer.close()
        record((yield future))
        yield gen.moment
        r, w = os.pipe()
        writer = PipeIOStream(w)
        os.close(r)
        try:
            yield writer.write(b"x")
        except StreamClosedError as e:
            record(getattr(e.real_error, "errno", None) == errno.EPIPE)
        try:
            writer.write(b"x")
        except StreamClosedError as e:
            record(type(e))

    run(main)


def wrong_arguments(record):
    a, b = pair()
    for call in (lambda: a.read_bytes("5"), lambda: a.read_bytes(None), lambda: a.read_until(None), lambda: a.write(u"text"), lambda: a.write(5)):
        try:
            call()
            record("taken")
        except Exception as e:
            record(type(e))
        a, b = pair()
