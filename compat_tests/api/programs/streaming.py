"""A server and a client of lines."""


def run(t, folder):
    class Server(t.tcpserver.TCPServer):
        @t.gen.coroutine
        def handle_stream(self, stream, address):
            line = yield stream.read_until(b"\n")
            yield stream.write(line + b"12345rest|tail")
            stream.close()

    server = Server()
    server.listen(0, "127.0.0.1")
    port = next(iter(server._sockets.values())).getsockname()[1]

    @t.gen.coroutine
    def go():
        stream = yield t.tcpclient.TCPClient().connect("127.0.0.1", port)
        stream.set_nodelay(True)
        stream.set_close_callback(lambda: None)
        yield stream.write(b"line\n")
        yield stream.read_until(b"\n", max_bytes=100)
        yield stream.read_bytes(5)
        yield stream.read_until_regex(b"[|]")
        yield stream.read_until_close()
        stream.closed()

    t.ioloop.IOLoop.current().run_sync(go, timeout=20)
    server.stop()


