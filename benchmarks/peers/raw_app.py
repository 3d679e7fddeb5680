"""The floor: an asyncio protocol that finds the end of what came and answers a constant, nothing more.

    python raw_app.py [--uvloop]

It knows the benchmark's requests by their first line, and counts the bytes of bodies and of frames without a look at
them. Says "PORT http tls tcp".
"""
import asyncio
import os
import ssl
import struct
import sys

HEAD = (b"HTTP/1.1 200 OK\r\nServer: raw\r\nContent-Type: text/html; charset=UTF-8\r\n"
        b"Content-Length: %d\r\n\r\n")
HELLO = HEAD % 12 + b"Hello, world"
LARGE = HEAD % 1048576 + b"x" * 1048576
DONE = HEAD % 7 + b"1048576"
CHUNKED = b"HTTP/1.1 200 OK\r\nServer: raw\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNK = b"4000\r\n" + b"x" * 16384 + b"\r\n"
UPGRADED = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")


class Raw(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.held = b""
        self.left = 0  # bytes of a body
        self.frame = 0  # bytes of a frame with its head, once there was a handshake
        self.websocket = False

    def data_received(self, data):
        if self.websocket:
            self.frames(data)
            return
        if self.left:
            self.left -= len(data)
            if self.left == 0:
                self.transport.write(DONE)
            return
        data = self.held + data
        if data.startswith(b"GET / "):
            count = data.count(b"\r\n\r\n")
            self.held = data[data.rfind(b"\r\n\r\n") + 4:] if count else data
            self.transport.write(HELLO * count)
            if b"Connection: close" in data:
                self.transport.close()
            return
        end = data.find(b"\r\n\r\n")
        self.held = data if end < 0 else b""
        if end < 0:
            return
        if data.startswith(b"GET /static/"):
            self.transport.write(LARGE)
            if b"Connection: close" in data:
                self.transport.close()
        elif data.startswith(b"GET /stream"):
            self.transport.write(CHUNKED)
            for _ in range(64):
                self.transport.write(CHUNK)
            self.transport.write(b"0\r\n\r\n")
        elif data.startswith(b"GET /ws"):
            self.websocket = True
            self.transport.write(UPGRADED)
        else:
            at = data.index(b"Content-Length: ") + 16
            self.left = int(data[at:data.index(b"\r", at)]) - (len(data) - end - 4)

    def frames(self, data):
        """All frames of a connection are of one size: as many as have come are answered, with the same payload."""
        data = self.held + data
        if not self.frame:
            length = data[1] & 127
            head = 2 if length < 126 else 4 if length == 126 else 10
            size = length if head == 2 else struct.unpack_from(">H" if head == 4 else ">Q", data, 2)[0]
            self.frame = head + 4 + size
            self.answer = data[:1] + bytes([data[1] & 127]) + data[2:head] + b"x" * size
        count = len(data) // self.frame
        if count:
            self.transport.write(self.answer * count)
        self.held = data[count * self.frame:]


class Lines(asyncio.Protocol):
    """Answers each line; after "bytes", each 1 MiB by one byte."""

    def connection_made(self, transport):
        self.transport = transport
        self.held = b""
        self.count = None

    def data_received(self, data):
        if self.count is None:
            data = self.held + data
            end = data.rfind(b"\n") + 1
            self.held = data[end:]
            if end:
                self.transport.write(data[:end])
                if data.startswith(b"bytes\n"):
                    self.count = 0
            return
        before = self.count >> 20
        self.count += len(data)
        if self.count >> 20 > before:
            self.transport.write(b"." * ((self.count >> 20) - before))


async def main():
    loop = asyncio.get_running_loop()
    ports = [await listen(loop, Raw)]
    certificate = os.environ.get("BENCH_CERT")
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        ports.append(await listen(loop, Raw, context))
    else:
        ports.append(0)
    ports.append(await listen(loop, Lines))
    print("PORT", *ports, flush=True)
    await asyncio.Event().wait()


async def listen(loop, protocol, context=None):
    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=context)
    return server.sockets[0].getsockname()[1]


if __name__ == "__main__":
    if "--uvloop" in sys.argv:
        import uvloop

        uvloop.run(main())
    else:
        asyncio.run(main())
