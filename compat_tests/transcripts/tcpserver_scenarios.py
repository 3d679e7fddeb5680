"""tornado.tcpserver and tornado.tcpclient."""
import socket

from tornado import gen
from tornado.ioloop import IOLoop
from tornado.iostream import StreamClosedError
from tornado.netutil import bind_sockets
from tornado.tcpclient import TCPClient
from tornado.tcpserver import TCPServer
from tornado.testing import bind_unused_port


def run(function):
    return IOLoop.current().run_sync(function)


def served(server):
    sock, port = bind_unused_port()
    server.add_socket(sock)
    return port


def echo_by_coroutine(record):
    class Echo(TCPServer):
        @gen.coroutine
        def handle_stream(self, stream, address):
            record(address[0])
            try:
                while True:
                    line = yield stream.read_until(b"\n")
                    yield stream.write(line.upper())
            except StreamClosedError:
                record("closed")

    @gen.coroutine
    def main():
        server = Echo()
        port = served(server)
        stream = yield TCPClient().connect("127.0.0.1", port)
        for line in (b"one\n", b"two\n"):
            yield stream.write(line)
            record((yield stream.read_until(b"\n")))
        stream.close()
        yield gen.sleep(0.01)
        server.stop()

    run(main)


def handle_stream_fails(record):
    class Bad(TCPServer):
        def handle_stream(self, stream, address):
            raise ValueError("at once")

    @gen.coroutine
    def main():
        server = Bad()
        stream = yield TCPClient().connect("127.0.0.1", served(server))
        yield gen.sleep(0.01)
        record(stream.closed())
        server.stop()

    run(main)


def handle_stream_coroutine_fails(record):
    class Bad(TCPServer):
        @gen.coroutine
        def handle_stream(self, stream, address):
            yield gen.moment
            stream.close()
            raise ValueError("later")

    @gen.coroutine
    def main():
        server = Bad()
        stream = yield TCPClient().connect("127.0.0.1", served(server))
        try:
            yield stream.read_bytes(1)
        except StreamClosedError as e:
            record(e)
        yield gen.sleep(0.005)
        server.stop()

    run(main)


def handle_stream_is_abstract(record):
    try:
        TCPServer().handle_stream(None, None)
    except NotImplementedError as e:
        record(type(e), str(e))


def stop_and_start(record):
    class Hello(TCPServer):
        def handle_stream(self, stream, address):
            stream.write(b"hello")
            stream.close()

    @gen.coroutine
    def main():
        server = Hello()
        port = served(server)
        stream = yield TCPClient().connect("127.0.0.1", port)
        record((yield stream.read_until_close()))
        server.stop()
        server.stop()
        try:
            yield TCPClient().connect("127.0.0.1", port)
        except StreamClosedError as e:
            record(type(e))

    run(main)


def options_of_the_server(record):
    server = TCPServer(max_buffer_size=1000, read_chunk_size=10)
    record(server.max_buffer_size, server.read_chunk_size, server.ssl_options, server.io_loop)
    for options in ({}, {"certfile": "/nowhere"}, {"certfile": __file__, "keyfile": "/nowhere"}):
        try:
            TCPServer(ssl_options=options)
            record("taken")
        except Exception as e:
            record(type(e), str(e).replace(__file__, "FILE"))


def bind_then_start(record):
    class Hello(TCPServer):
        def handle_stream(self, stream, address):
            stream.write(b"bound")
            stream.close()

    @gen.coroutine
    def main():
        server = Hello()
        server.bind(0, "127.0.0.1")
        server.start()
        port = list(server._sockets.values())[0].getsockname()[1]
        stream = yield TCPClient().connect("127.0.0.1", port)
        record((yield stream.read_until_close()))
        server.stop()

    run(main)


def start_twice(record):
    server = TCPServer()
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    server.start()
    try:
        server.start()
    except AssertionError as e:
        record(type(e), str(e))
    server.stop()


def client_refused(record):
    sock, port = bind_unused_port()
    sock.close()

    @gen.coroutine
    def main():
        try:
            yield TCPClient().connect("127.0.0.1", port)
        except Exception as e:
            record(type(e), str(e))

    run(main)


def client_unknown_host(record):
    @gen.coroutine
    def main():
        try:
            yield TCPClient().connect("no such host.invalid", 80)
        except Exception as e:
            record(isinstance(e, (socket.gaierror, UnicodeError)))

    run(main)


def client_source_address(record):
    class Tell(TCPServer):
        def handle_stream(self, stream, address):
            stream.write(address[0].encode())
            stream.close()

    @gen.coroutine
    def main():
        server = Tell()
        port = served(server)
        stream = yield TCPClient().connect("127.0.0.1", port, source_ip="127.0.0.1")
        record((yield stream.read_until_close()))
        server.stop()

    run(main)
