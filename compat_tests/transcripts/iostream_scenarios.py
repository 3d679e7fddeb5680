"""tornado.iostream, over a pair of sockets, and pipes."""
import os
import socket

from tornado import gen, iostream
from tornado.ioloop import IOLoop
from tornado.iostream import IOStream, PipeIOStream, StreamClosedError, UnsatisfiableReadError

ROWS = {"local_close": "STREAM-READ"}


def pair(**kwargs):
    a, b = socket.socketpair()
    return IOStream(a, **kwargs), IOStream(b)


def run(function):
    return IOLoop.current().run_sync(function)


def spin(seconds=0.01):
    loop = IOLoop.current()
    loop.call_later(seconds, loop.stop)
    loop.start()


def read_futures(record):
    a, b = pair()

    @gen.coroutine
    def main():
        b.write(b"line\r\nfive5rest")
        record((yield a.read_until(b"\r\n")), (yield a.read_bytes(5)), (yield a.read_bytes(100, partial=True)))
        b.write(b"key: value;")
        record((yield a.read_until_regex(b"[:;]")), (yield a.read_until_regex(b"[:;]")))
        b.write(b"last")
        b.close()
        record((yield a.read_until_close()))

    run(main)


def read_callbacks(record):
    a, b = pair()
    a.read_until(b"\n", lambda data: (record("one", data), a.read_bytes(3, lambda data: record("two", data))))
    b.write(b"first\nabc")
    spin()


def read_is_never_synchronous_with_callback(record):
    a, b = pair()
    b.write(b"12345678")
    spin()
    a.read_bytes(2, lambda data: (record("one", data), a.read_bytes(2, lambda data: record("two", data))))
    record("asked")
    spin()


def buffered_read_future_is_done_at_once(record):
    a, b = pair()

    @gen.coroutine
    def main():
        b.write(b"aabb")
        yield a.read_bytes(2)
        future = a.read_bytes(2)
        record(future.done(), future.result())

    run(main)


def reading_twice(record):
    a, b = pair()
    a.read_bytes(1)
    try:
        a.read_bytes(1)
    except AssertionError as e:
        record(e)
    b.write(b"x")
    spin()
    record(a.reading(), a.writing())


def close_fails_pending_read(record):
    a, b = pair()

    @gen.coroutine
    def main():
        future = a.read_bytes(10)
        b.close()
        try:
            yield future
        except StreamClosedError as e:
            record(e, e.real_error)
        record(a.closed())

    run(main)


def close_callback_order(record):
    a, b = pair()
    a.set_close_callback(lambda: record("closed", a.closed()))
    a.read_until_close(lambda data: record("until close", data), lambda data: record("streamed", data))
    b.write(b"data")
    spin()
    b.close()
    spin()


def close_callback_waits_for_read(record):
    a, b = pair()
    b.write(b"abcdef")
    b.close()
    a.set_close_callback(lambda: record("closed"))
    a.read_bytes(3, lambda data: (record(data), a.read_bytes(3, record)))
    spin()


def local_close(record):
    a, b = pair()
    a.set_close_callback(lambda: record("close callback"))
    record(a.closed())
    a.close()
    record(a.closed(), a.socket)
    a.close()
    spin()
    for method in (lambda: a.read_bytes(1), lambda: a.write(b"x"), lambda: a.read_until_close()):
        try:
            record(method())
        except StreamClosedError as e:
            record(e)


def close_with_error(record):
    a, b = pair()
    try:
        raise KeyError("why")
    except KeyError:
        a.close(exc_info=True)
    record(a.error)
    try:
        a.read_bytes(1)
    except StreamClosedError as e:
        record(e, e.real_error)


def write_future(record):
    a, b = pair()

    @gen.coroutine
    def main():
        yield a.write(b"x" * 10)
        record((yield b.read_bytes(10)))
        record((yield a.write(b"")), a.writing())

    run(main)


def write_callback(record):
    a, b = pair()
    a.write(b"data", callback=lambda: record("written"))
    record("asked")
    spin()


def write_callbacks_of_two(record):
    a, b = pair()
    a.write(b"one", callback=lambda: record("one"))
    a.write(b"two", callback=lambda: record("two"))
    spin()


def large_write(record):
    a, b = pair()

    @gen.coroutine
    def main():
        future = a.write(b"x" * 3000000)
        record(future.done(), a.writing())
        data = yield b.read_bytes(3000000)
        yield future
        record(len(data), a.writing())

    run(main)


def write_types(record):
    a, b = pair()
    for data in ("text", 5, None, bytearray(b"ba"), memoryview(b"mv")):
        try:
            a.write(data)
            record("taken")
        except Exception as e:
            record(type(e))
    a.close()


def write_buffer_limit(record):
    a, b = pair(max_write_buffer_size=1000)
    a.write(b"x" * 1000)
    try:
        while True:
            a._write_buffer_frozen = True
            a.write(b"y" * 1001)
            record("went")
            break
    except Exception as e:
        record(e)


def read_buffer_limit(record):
    a, b = pair(max_buffer_size=1000, read_chunk_size=100)

    @gen.coroutine
    def main():
        b.write(b"x" * 2000)
        try:
            yield a.read_until(b"\n")
        except StreamClosedError as e:
            record(e)
        record(a.closed())

    run(main)


def read_until_max_bytes(record):
    for max_bytes, data in ((6, b"abc\r\n"), (4, b"abc\r\n"), (5, b"abc\r\n"), (3, b"abcdefgh")):
        a, b = pair()

        @gen.coroutine
        def main():
            b.write(data)
            try:
                record((yield a.read_until(b"\r\n", max_bytes=max_bytes)))
            except StreamClosedError as e:
                record(e, e.real_error)
            record(a.closed())

        run(main)


def read_until_regex_max_bytes(record):
    a, b = pair()

    @gen.coroutine
    def main():
        b.write(b"abcdefgh")
        try:
            yield a.read_until_regex(b"[0-9]", max_bytes=4)
        except StreamClosedError as e:
            record(e, type(e.real_error) is UnsatisfiableReadError)

    run(main)


def read_partial(record):
    a, b = pair()

    @gen.coroutine
    def main():
        b.write(b"abc")
        record((yield a.read_bytes(100, partial=True)))
        b.write(b"defgh")
        record((yield a.read_bytes(2, partial=True)), (yield a.read_bytes(2, partial=True)))

    run(main)


def read_zero_bytes(record):
    a, b = pair()
    b.write(b"x")
    future = a.read_bytes(0)
    spin()
    record(future.done() and future.result())


def read_bad_counts(record):
    a, b = pair()
    for count in ("3", None, 2.5):
        try:
            a.read_bytes(count)
            record("taken")
        except Exception as e:
            record(type(e))
            a._read_future = None
    a.close()


def streaming(record):
    a, b = pair()

    @gen.coroutine
    def main():
        got = []
        future = a.read_bytes(6, streaming_callback=got.append)
        yield b.write(b"abc")
        yield b.write(b"def")
        record((yield future), b"".join(got))

    run(main)


def streaming_until_close(record):
    a, b = pair()

    @gen.coroutine
    def main():
        got = []
        future = a.read_until_close(streaming_callback=got.append)
        yield b.write(b"abc")
        b.close()
        record((yield future), b"".join(got))

    run(main)


def read_until_close_of_closed(record):
    a, b = pair()

    @gen.coroutine
    def main():
        b.write(b"left over")
        b.close()
        yield a.read_bytes(4)
        yield gen.sleep(0.005)
        record((yield a.read_until_close()), a.closed())

    run(main)


def failing_read_callback(record):
    a, b = pair()
    a.set_close_callback(lambda: record("closed"))

    def bad(data):
        raise ValueError("reader")

    a.read_bytes(1, bad)
    b.write(b"x")
    spin()
    record(a.closed())


def failing_close_callback(record):
    a, b = pair()

    def bad():
        raise ValueError("closer")

    a.set_close_callback(bad)
    a.close()
    spin()
    record("end")


def connect_refused(record):
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    port = sock.getsockname()[1]
    sock.close()
    stream = IOStream(socket.socket())
    stream.set_close_callback(lambda: record("closed", stream.error is not None))

    @gen.coroutine
    def main():
        try:
            yield stream.connect(("127.0.0.1", port))
        except StreamClosedError as e:
            record(type(e), e.real_error)

    run(main)
    spin()


def connect_and_write_before(record):
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(1)
    stream = IOStream(socket.socket())

    @gen.coroutine
    def main():
        future = stream.connect(server.getsockname())
        stream.write(b"early")
        record((yield future) is stream)
        other, _ = server.accept()
        record(other.recv(10))
        other.close()
        server.close()

    run(main)


def connect_callback(record):
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(1)
    stream = IOStream(socket.socket())
    record(stream.connect(server.getsockname(), lambda *args: record("connected", args)))
    spin()
    server.close()


def pipes(record):
    r, w = os.pipe()
    reader, writer = PipeIOStream(r), PipeIOStream(w)

    @gen.coroutine
    def main():
        writer.write(b"through the pipe\n")
        record((yield reader.read_until(b"\n")))
        writer.write(b"end")
        writer.close()
        record((yield reader.read_until_close()))

    run(main)


def nodelay_and_attributes(record):
    a, b = pair()
    record(a.max_buffer_size, a.read_chunk_size, a.max_write_buffer_size, a.error, a.io_loop is IOLoop.current())
    a.set_nodelay(True)
    record(a.fileno() == a.socket.fileno(), a.get_fd_error())
    c = IOStream(socket.socket(), max_buffer_size=1000)
    record(c.max_buffer_size, c.read_chunk_size)


def maybe_add_error_listener(record):
    a, b = pair()
    a.set_close_callback(lambda: record("noticed"))
    b.close()
    spin()
    record(a.closed())


def stream_errors(record):
    record(StreamClosedError(), StreamClosedError(real_error=ValueError("v")).real_error)
    record(StreamClosedError.__mro__[1], UnsatisfiableReadError.__mro__[1], iostream.StreamBufferFullError.__mro__[1])


def detach_socket(record):
    a, b = pair()

    @gen.coroutine
    def main():
        b.write(b"ab")
        record((yield a.read_bytes(2)))
        IOLoop.current().remove_handler(a.fileno())

    run(main)


def read_after_peer_wrote_and_closed(record):
    a, b = pair()

    @gen.coroutine
    def main():
        b.write(b"line1\nline2\nrest")
        b.close()
        record((yield a.read_until(b"\n")))
        yield gen.sleep(0.005)
        record(a.closed())
        record((yield a.read_until(b"\n")))
        try:
            yield a.read_until(b"\n")
        except StreamClosedError as e:
            record(e)

    run(main)
