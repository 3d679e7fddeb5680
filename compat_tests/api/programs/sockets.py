"""TLS, pipes, sockets of all kinds, resolvers, children."""

import contextlib
import functools
import os
import re
import signal
import socket
import ssl

from .helpers import run_sync


def secure(t, folder):
    # The certificate of tornado4.testing, as text: the real Tornado has no tornado4 beside it.
    top = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")
    with open(os.path.join(top, "tornado4", "testing.py")) as file:
        parts = re.findall("-----BEGIN .*?-----END [A-Z ]+-----\n", file.read(), re.DOTALL)
    both = os.path.join(folder, "test.pem")
    with open(both, "w") as file:
        file.write("".join(parts))
    files = {"certfile": both, "keyfile": both}

    class Server(t.tcpserver.TCPServer):
        @t.gen.coroutine
        def handle_stream(self, stream, address):
            line = yield stream.read_until(b"\n")
            stream.write(line * 20000)
            yield stream.read_until_close()

    class StartTls(t.tcpserver.TCPServer):
        @t.gen.coroutine
        def handle_stream(self, stream, address):
            stream = yield stream.start_tls(True, files)
            yield stream.wait_for_handshake()
            stream.write((yield stream.read_until(b"\n")))

    def go():
        server = Server(ssl_options=files)
        sockets = t.netutil.bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        port = sockets[0].getsockname()[1]
        trusting = {"cert_reqs": ssl.CERT_NONE}
        stream = t.iostream.SSLIOStream(socket.socket(), ssl_options=trusting)
        connected = t.concurrent.Future()
        stream.connect(("127.0.0.1", port), functools.partial(connected.set_result, None), server_hostname="a")
        yield connected
        stream.reading(), stream.writing()
        stream.set_nodelay(True)
        yield stream.write(b"line\n")
        yield stream.read_bytes(100000)
        stream.close()
        server.stop()
        server = StartTls()
        server.listen(0, "127.0.0.1")
        port = next(iter(server._sockets.values())).getsockname()[1]
        stream = yield t.tcpclient.TCPClient().connect("127.0.0.1", port)
        stream = yield stream.start_tls(False, trusting, server_hostname="a")
        stream.write(b"x\n")
        yield stream.read_until(b"\n")
        stream.close()
        server.stop()
        with contextlib.suppress(Exception):
            yield t.tcpclient.TCPClient().connect("127.0.0.1", port, ssl_options=trusting)

    run_sync(t, go)


def streams(t, folder):
    def go():
        reading, writing = map(t.iostream.PipeIOStream, os.pipe())
        writing.write(b"through a pipe\n")
        yield reading.read_until(b"\n")
        reading.fileno()
        reading.get_fd_error()
        writing.close()
        yield reading.read_until_close()
        reading.close()
        one, other = socket.socketpair()
        one, other = t.iostream.IOStream(one), t.iostream.IOStream(other)
        one.fileno(), one.get_fd_error(), one.set_nodelay(False), one.writing(), one.reading()
        one.set_close_callback(lambda: None)
        other.write(b"abc")
        yield one.read_bytes(10, partial=True)
        other.close()
        with contextlib.suppress(t.iostream.StreamClosedError):
            yield one.read_bytes(1)
        failing = t.iostream.IOStream(socket.socket())
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = free.getsockname()
        with contextlib.suppress(Exception):
            yield failing.connect(address)
        path = os.path.join(folder, "socket")
        listening = t.netutil.bind_unix_socket(path)
        accepted = t.concurrent.Future()
        t.netutil.add_accept_handler(listening, lambda connection, address: accepted.set_result(connection))
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            (yield accepted).close()
        t.ioloop.IOLoop.current().remove_handler(listening.fileno())
        listening.close()
        resolver = t.netutil.OverrideResolver(t.netutil.Resolver(), {"a.example": "127.0.0.1"})
        yield resolver.resolve("a.example", 80)
        resolver.close()
        threads = t.netutil.ThreadedResolver(num_threads=2)
        yield threads.resolve("127.0.0.1", 80)
        threads.close()
        executed = t.netutil.ExecutorResolver(executor=t.concurrent.dummy_executor)
        yield executed.resolve("127.0.0.1", 80)
        executed.close()
        server = t.tcpserver.TCPServer()
        server.bind(0, "127.0.0.1")
        server.start()
        server.stop()
        server = t.tcpserver.TCPServer()
        server.add_socket(t.netutil.bind_sockets(0, "127.0.0.1")[0])
        server.stop()

    run_sync(t, go)


def children(t):
    def go():
        child = t.process.Subprocess(["cat"], stdin=t.process.Subprocess.STREAM, stdout=t.process.Subprocess.STREAM)
        yield child.stdin.write(b"hello\n")
        yield child.stdout.read_until(b"\n")
        child.stdin.close()
        yield child.wait_for_exit()
        child = t.process.Subprocess(["false"])
        left = t.concurrent.Future()
        child.set_exit_callback(left.set_result)
        yield left
        t.process.Subprocess.uninitialize()
        t.process.cpu_count()

    run_sync(t, go)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def run(t, folder):
    secure(t, folder)
    streams(t, folder)
    children(t)
