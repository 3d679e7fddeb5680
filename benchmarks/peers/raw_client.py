"""The floor of fetching: a protocol that sends a constant and counts bytes. CPU microseconds a fetch, as a number."""
import asyncio
import sys
import time

PORT, PATH, SECONDS = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
KEPT = "--kept" in sys.argv
ASKED = "GET {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n{}\r\n".format(
    PATH, PORT, "" if KEPT else "Connection: close\r\n"
).encode()


class Fetch(asyncio.Protocol):
    def __init__(self):
        self.done = None
        self.left = 0
        self.pieces = []

    def connection_made(self, transport):
        self.transport = transport

    def ask(self):
        self.done = asyncio.get_running_loop().create_future()
        self.left = -1
        self.transport.write(ASKED)
        return self.done

    def data_received(self, data):
        if self.left < 0:
            end = data.index(b"\r\n\r\n") + 4
            self.left = end + int(data[data.index(b"Length: ") + 8 : data.index(b"\r", data.index(b"Length: "))])
            self.pieces = []
        self.left -= len(data)
        self.pieces.append(data)
        if not self.left:
            self.done.set_result(b"".join(self.pieces))


async def main():
    loop = asyncio.get_running_loop()
    kept = [(await loop.create_connection(Fetch, "127.0.0.1", PORT))[1] for _ in range(4)] if KEPT else [None] * 4

    async def fetch(protocol):
        if protocol is None:
            transport, protocol = await loop.create_connection(Fetch, "127.0.0.1", PORT)
            await protocol.ask()
            transport.close()
        else:
            await protocol.ask()

    await asyncio.gather(*map(fetch, kept))
    count, before, end = 0, time.process_time(), time.time() + SECONDS
    while time.time() < end:
        await asyncio.gather(*map(fetch, kept))
        count += 4
    return (time.process_time() - before) * 1e6 / count


if __name__ == "__main__":
    if "--uvloop" in sys.argv:
        import uvloop

        print(uvloop.run(main()))
    else:
        print(asyncio.run(main()))
