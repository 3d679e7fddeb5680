"""The floor: an asyncio protocol that finds the blank line and answers a constant, nothing more."""
import asyncio

ANSWER = (b"HTTP/1.1 200 OK\r\nServer: raw\r\nContent-Type: text/html; charset=UTF-8\r\n"
          b"Content-Length: 12\r\n\r\nHello, world")


class Raw(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.held = b""

    def data_received(self, data):
        data = self.held + data
        count = data.count(b"\r\n\r\n")
        self.held = data[data.rfind(b"\r\n\r\n") + 4:] if count else data
        self.transport.write(ANSWER * count)
        if b"Connection: close" in data:
            self.transport.close()


async def main():
    server = await asyncio.get_running_loop().create_server(Raw, "127.0.0.1", 0)
    print("PORT", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
